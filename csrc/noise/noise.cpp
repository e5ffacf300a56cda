// SPDX-License-Identifier: Apache-2.0
// Validation and read-outs; the circuit is compiled by plan.cpp and run by sweep.cpp.
#include "noise/noise.hpp"

#include <stdexcept>
#include <string>

#include "noise/plan.hpp"
#include "noise/sweep.hpp"

namespace wb::noise {
namespace {

/// From (I, Z) coefficients of a qubit to the populations of its outcomes as they are read.
Readout outcomes(const Measurement& measurement, int n_qubits) {
    Readout readout;
    readout.outcomes = true;
    readout.measured = static_cast<int>(measurement.measured.size());
    readout.index = {0};
    std::int64_t seen = 0;
    for (std::size_t j = 0; j < measurement.measured.size(); ++j) {
        const std::int64_t qubit = measurement.measured[j];
        if (qubit < 0 || qubit >= n_qubits) {
            throw std::invalid_argument("noisy_probabilities: measured qubit " +
                                        std::to_string(qubit) + " is not in [0, " +
                                        std::to_string(n_qubits) + ")");
        }
        if ((seen >> qubit) & 1) {
            throw std::invalid_argument("noisy_probabilities: qubit " + std::to_string(qubit) +
                                        " is measured twice");
        }
        seen |= std::int64_t{1} << qubit;
        const std::size_t half = readout.index.size();
        for (std::size_t i = 0; i < half; ++i) {
            readout.index.push_back(readout.index[i] + (std::int64_t{3} << (2 * qubit)));
        }
        const double* c = measurement.confusion.data() + 4 * j;
        readout.matrices.insert(readout.matrices.end(), {0.5 * (c[0] + c[1]), 0.5 * (c[0] - c[1]),
                                                         0.5 * (c[2] + c[3]), 0.5 * (c[2] - c[3])});
    }
    readout.outputs = static_cast<std::int64_t>(readout.index.size());
    return readout;
}

Readout functionals(const PauliRows& observables, std::int64_t size) {
    Readout readout;
    readout.outputs = observables.rows;
    readout.start = {0};
    for (std::int64_t row = 0; row < observables.rows; ++row) {
        for (std::int64_t i = 0; i < size; ++i) {
            const double x = observables.values[static_cast<std::size_t>(row * size + i)];
            if (x == 0.0) continue;
            readout.column.push_back(i);
            readout.value.push_back(x);
        }
        readout.start.push_back(static_cast<std::int64_t>(readout.column.size()));
    }
    return readout;
}

}  // namespace

void probabilities(const Circuit& circuit, const Measurement& readout, std::span<double> out) {
    const Plan plan = make_plan(circuit, true);
    run_forward(plan, circuit, outcomes(readout, circuit.n_qubits), out);
}

void probabilities_backward(const Circuit& circuit, const Measurement& readout,
                            std::span<const double> grad, std::span<double> grad_weights,
                            std::span<double> grad_inputs) {
    const Plan plan = make_plan(circuit, true);
    run_backward(plan, circuit, outcomes(readout, circuit.n_qubits), grad, grad_weights,
                 grad_inputs);
}

void expectation(const Circuit& circuit, const PauliRows& observables, std::span<double> out) {
    const Plan plan = make_plan(circuit, true);
    run_forward(plan, circuit, functionals(observables, plan.size()), out);
}

void expectation_backward(const Circuit& circuit, const PauliRows& observables,
                          std::span<const double> grad, std::span<double> grad_weights,
                          std::span<double> grad_inputs) {
    const Plan plan = make_plan(circuit, true);
    run_backward(plan, circuit, functionals(observables, plan.size()), grad, grad_weights,
                 grad_inputs);
}

void pull_back(const Circuit& circuit, const PauliRows& observables, std::span<double> out) {
    const Plan plan = make_plan(circuit, false);
    run_pull_back(plan, circuit, observables.values, observables.rows, out);
}

}  // namespace wb::noise
