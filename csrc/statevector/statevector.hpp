// SPDX-License-Identifier: Apache-2.0
// Batched state vectors: forward simulation and adjoint gradients.
//
// The state of sample b is U(weights, inputs[b]) |0...0>, or U of a given state, wire k being bit k
// of the amplitude index. Forward costs 8 fused multiply-adds per amplitude and fused step, the
// reverse sweep 24, whatever the number of parameters and observables; nothing but the final state
// is stored. Sources: the adjoint method of Jones and Gacon, arXiv:2009.02823, with one sweep for
// all observables because only lambda = sum_k g_k O_k psi enters it.
//
// All functions are reentrant and give the same bits for every number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "statevector/plan.hpp"

namespace wb::statevector {

/// Weighted Pauli terms by row, bit k of a mask standing for wire k.
struct Observables {
    int n_rows = 0;
    std::vector<Term> terms;
};

/// Builds Observables from (n_terms, 3) rows of row, x mask, z mask. Throws
/// std::invalid_argument when a row or mask is out of range or a coefficient is not finite.
Observables make_observables(int n_rows, int n_wires, std::span<const std::int64_t> terms,
                             std::span<const double> coefficients);

/// Elements of T in the saved state of a batch.
template <typename T>
std::int64_t state_size(int n_wires, std::int64_t batch);

/// Runs the circuit on every sample.
///
/// weights (n_weights) and inputs (batch, n_inputs) must be finite, else std::invalid_argument
/// names the entry. values, if given, receives (batch, n_rows) expectation values; state, if
/// given, the final states in an order of the kernel's own (state_size elements, 64-byte
/// aligned); amplitudes, if given, (batch, 2^n) complex numbers, interleaved. start, (batch, 2^n)
/// complex numbers too, is what a plan of a given start begins with.
template <typename T>
void forward(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
             const Observables* observables, T* values, T* state, T* amplitudes,
             const T* start = nullptr);

/// Gradients of a loss from the state that forward saved and either the loss's gradient to the
/// values (batch, n_rows) or to the amplitudes (batch, 2^n, torch's complex convention).
/// weight_gradient (n_weights), input_gradient (batch, n_inputs) and, of a plan of a given start,
/// start_gradient (batch, 2^n) may be null where not wanted.
template <typename T>
void backward(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
              const T* state, const Observables* observables, const T* value_gradient,
              const T* amplitude_gradient, T* weight_gradient, T* input_gradient,
              T* start_gradient = nullptr);

/// The numbers of every sample's steps and start, as an accelerator wants them beforehand:
/// coefficients (batch, n_coefficients) and start (batch, n_wires, 4), the two complex entries of
/// each wire's qubit. Checks weights and inputs as forward does.
template <typename T>
void evaluate_samples(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
                      T* coefficients, T* start);

}  // namespace wb::statevector
