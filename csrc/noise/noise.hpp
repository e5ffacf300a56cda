// SPDX-License-Identifier: Apache-2.0
// Exact simulation of noisy circuits, batched over samples, in the real Pauli basis.
//
// The state of n qubits is r_P = Tr(P rho), 4**n doubles; digit k of P in base 4 is the Pauli on
// qubit k (0 = I, 1 = X, 2 = Y, 3 = Z). Circuits come as the two arrays described in
// workbench/ops/channel_program.py. All results are float64 and the same bits for any number of
// threads; every function is re-entrant and throws std::invalid_argument on bad input before
// any work. NaN or infinite angles are refused, naming the operation.
#pragma once

#include <cstdint>
#include <span>

namespace wb::noise {

/// Most qubits: one tile of eight samples then holds 64 MiB.
inline constexpr int kMaxQubits = 10;

/// A circuit as it crosses the border, with the values of its parameters.
struct Circuit {
    int n_qubits;
    std::span<const std::int64_t> code;
    std::span<const double> data;
    std::span<const double> weights;  // one value for the whole batch
    std::span<const double> inputs;   // batch x n_inputs, row major
    std::int64_t batch;
    std::int64_t n_inputs;
};

/// Probabilities of the outcomes of m distinct qubits, bit j of an outcome being measured[j].
/// confusion is m x 2 x 2: probability of reading the row when the truth is the column.
struct Measurement {
    std::span<const std::int64_t> measured;
    std::span<const double> confusion;
};

/// Linear functionals of the Pauli coefficients, rows x 4**n, row major; zeros are skipped.
struct PauliRows {
    std::span<const double> values;
    std::int64_t rows;
};

/// out: batch x 2**m. About 8 multiply-adds per coefficient, sample and two-qubit gate.
void probabilities(const Circuit& circuit, const Measurement& readout, std::span<double> out);

/// Reverse sweep. grad: batch x 2**m; the gradients are written, not added to. States are
/// stored at the two-qubit gates, or, where that is more than 256 MiB a thread, at every
/// sqrt(gates)-th of them and recomputed between.
void probabilities_backward(const Circuit& circuit, const Measurement& readout,
                            std::span<const double> grad, std::span<double> grad_weights,
                            std::span<double> grad_inputs);

/// out: batch x rows.
void expectation(const Circuit& circuit, const PauliRows& observables, std::span<double> out);

void expectation_backward(const Circuit& circuit, const PauliRows& observables,
                          std::span<const double> grad, std::span<double> grad_weights,
                          std::span<double> grad_inputs);

/// Heisenberg picture: out (rows x 4**n) such that out . r_before = observables . r_after, for
/// a circuit without inputs and any state before it.
void pull_back(const Circuit& circuit, const PauliRows& observables, std::span<double> out);

}  // namespace wb::noise
