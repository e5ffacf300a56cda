// SPDX-License-Identifier: Apache-2.0
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "noise/noise.hpp"

namespace wb {
namespace {

using Words = Array<std::int64_t>;
using Reals = Array<double>;

noise::Circuit circuit_of(const Words& code, const Reals& data, std::int64_t n_qubits,
                          const Reals& weights, const Reals& inputs) {
    check_shape(code, "code", {kAnySize});
    check_shape(data, "data", {kAnySize});
    check_shape(weights, "weights", {kAnySize});
    check_shape(inputs, "inputs", {kAnySize, kAnySize});
    if (n_qubits < 1 || n_qubits > noise::kMaxQubits) {
        throw std::invalid_argument("n_qubits must be in [1, " + std::to_string(noise::kMaxQubits) +
                                    "], got " + std::to_string(n_qubits));
    }
    return {static_cast<int>(n_qubits),
            view(code),
            view(data),
            view(weights),
            view(inputs),
            inputs.shape(0),
            inputs.shape(1)};
}

noise::Measurement measurement_of(const Words& measured, const Reals& confusion) {
    check_shape(measured, "measured", {kAnySize});
    check_shape(confusion, "confusion", {measured.shape(0), 2, 2});
    return {view(measured), view(confusion)};
}

noise::PauliRows rows_of(const Reals& observables, std::int64_t n_qubits) {
    check_shape(observables, "observables", {kAnySize, std::int64_t{1} << (2 * n_qubits)});
    return {view(observables), observables.shape(0)};
}

template <typename Kernel>
Reals run_forward(std::int64_t rows, std::int64_t columns, const Kernel& kernel) {
    Reals out = fresh_array<double>({rows, columns});
    const auto values = mutable_view(out);
    {
        const WithoutGil unlocked;
        kernel(values);
    }
    return out;
}

template <typename Kernel>
py::tuple run_backward(const noise::Circuit& circuit, const Kernel& kernel) {
    Reals weights = fresh_array<double>(static_cast<std::int64_t>(circuit.weights.size()));
    Reals inputs = fresh_array<double>({circuit.batch, circuit.n_inputs});
    const auto to_weights = mutable_view(weights), to_inputs = mutable_view(inputs);
    {
        const WithoutGil unlocked;
        kernel(to_weights, to_inputs);
    }
    return py::make_tuple(weights, inputs);
}

Reals probabilities(const Words& code, const Reals& data, std::int64_t n_qubits,
                    const Words& measured, const Reals& confusion, const Reals& weights,
                    const Reals& inputs) {
    const auto circuit = circuit_of(code, data, n_qubits, weights, inputs);
    const auto readout = measurement_of(measured, confusion);
    if (measured.shape(0) > n_qubits) {
        throw std::invalid_argument("measured must name at most n_qubits qubits, got " +
                                    std::to_string(measured.shape(0)));
    }
    return run_forward(circuit.batch, std::int64_t{1} << measured.shape(0),
                       [&](auto out) { noise::probabilities(circuit, readout, out); });
}

py::tuple probabilities_backward(const Reals& grad, const Words& code, const Reals& data,
                                 std::int64_t n_qubits, const Words& measured,
                                 const Reals& confusion, const Reals& weights,
                                 const Reals& inputs) {
    const auto circuit = circuit_of(code, data, n_qubits, weights, inputs);
    const auto readout = measurement_of(measured, confusion);
    if (measured.shape(0) > n_qubits) {
        throw std::invalid_argument("measured must name at most n_qubits qubits, got " +
                                    std::to_string(measured.shape(0)));
    }
    check_shape(grad, "grad", {circuit.batch, std::int64_t{1} << measured.shape(0)});
    return run_backward(circuit, [&](auto to_weights, auto to_inputs) {
        noise::probabilities_backward(circuit, readout, view(grad), to_weights, to_inputs);
    });
}

Reals expectation(const Words& code, const Reals& data, std::int64_t n_qubits,
                  const Reals& observables, const Reals& weights, const Reals& inputs) {
    const auto circuit = circuit_of(code, data, n_qubits, weights, inputs);
    const auto rows = rows_of(observables, n_qubits);
    return run_forward(circuit.batch, rows.rows,
                       [&](auto out) { noise::expectation(circuit, rows, out); });
}

py::tuple expectation_backward(const Reals& grad, const Words& code, const Reals& data,
                               std::int64_t n_qubits, const Reals& observables,
                               const Reals& weights, const Reals& inputs) {
    const auto circuit = circuit_of(code, data, n_qubits, weights, inputs);
    const auto rows = rows_of(observables, n_qubits);
    check_shape(grad, "grad", {circuit.batch, rows.rows});
    return run_backward(circuit, [&](auto to_weights, auto to_inputs) {
        noise::expectation_backward(circuit, rows, view(grad), to_weights, to_inputs);
    });
}

Reals pull_back(const Words& code, const Reals& data, std::int64_t n_qubits,
                const Reals& observables, const Reals& weights) {
    const Reals no_inputs(py::array::ShapeContainer{0, 0});
    const auto circuit = circuit_of(code, data, n_qubits, weights, no_inputs);
    const auto rows = rows_of(observables, n_qubits);
    return run_forward(rows.rows, std::int64_t{1} << (2 * n_qubits),
                       [&](auto out) { noise::pull_back(circuit, rows, out); });
}

}  // namespace

void bind_noise(py::module_& m) {
    const auto exact = [](const char* name) { return py::arg(name).noconvert(); };
    m.def("noisy_probabilities", &probabilities, exact("code"), exact("data"), py::arg("n_qubits"),
          exact("measured"), exact("confusion"), exact("weights"), exact("inputs"),
          "Outcome probabilities (batch, 2**m) of a channel program.");
    m.def("noisy_probabilities_backward", &probabilities_backward, exact("grad"), exact("code"),
          exact("data"), py::arg("n_qubits"), exact("measured"), exact("confusion"),
          exact("weights"), exact("inputs"), "Gradients to the weights and to the inputs.");
    m.def("noisy_expectation", &expectation, exact("code"), exact("data"), py::arg("n_qubits"),
          exact("observables"), exact("weights"), exact("inputs"),
          "Expectations (batch, rows) of a channel program.");
    m.def("noisy_expectation_backward", &expectation_backward, exact("grad"), exact("code"),
          exact("data"), py::arg("n_qubits"), exact("observables"), exact("weights"),
          exact("inputs"), "Gradients to the weights and to the inputs.");
    m.def("noise_pull_back", &pull_back, exact("code"), exact("data"), py::arg("n_qubits"),
          exact("observables"), exact("weights"),
          "Observables (rows, 4**n) carried back through a channel program.");
}

}  // namespace wb
