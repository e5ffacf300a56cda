// SPDX-License-Identifier: Apache-2.0
// Forward mode: the change of a batch's states, or of expectation values in them, along
// directions in the space of weights and inputs.
//
// One pass forward in which every number carries its derivative (dual numbers): three times the
// arithmetic of the forward pass for each direction and sample, exact to rounding. A pair of a
// direction and a sample takes one lane of a tile, so a thread holds 4 * 2^n vectors; a call with
// fewer pairs than lanes pays for all of them.
#pragma once

#include "core/isa.hpp"
#include "statevector/kernels.hpp"
#include "statevector/statevector.hpp"

namespace wb::statevector {

/// What every tile of a call reads.
template <typename T>
struct TangentJob {
    PlanView plan;
    ObservableView observables;
    std::int64_t directions, batch;
    const T* inputs;           // (batch, n_inputs)
    const double* angles;      // (n_angles): constant and weight parts
    const T* weight_tangents;  // (directions, n_weights)
    const T* input_tangents;   // (directions, batch, n_inputs)
};

// The states with their tangents go to `psi`, 4 * 2^n vectors: per amplitude the real part, its
// change, the imaginary part, its change. `values`, unless null, receives changes of expectation
// values, (directions, batch, n_rows). The functions named *_scratch_* tell how many elements
// `work` has.
#define WB_STATEVECTOR_TANGENT                                                       \
    std::int64_t tile_tangent_scratch_f32(const PlanView&, const ObservableView&);   \
    std::int64_t tile_tangent_scratch_f64(const PlanView&, const ObservableView&);   \
    void tile_tangent_f32(const TangentJob<float>&, std::int64_t tile, float* psi,   \
                          Room<float> work, float* values);                          \
    void tile_tangent_f64(const TangentJob<double>&, std::int64_t tile, double* psi, \
                          Room<double> work, double* values);

WB_DECLARE_FOR_EACH_ISA(WB_STATEVECTOR_TANGENT)

/// Changes of expectation values, (directions, batch, n_rows), or of amplitudes, (directions,
/// batch, 2^n) interleaved complex numbers; the other is null. weight_tangents (directions,
/// n_weights) and input_tangents (directions, batch, n_inputs) must be finite as weights and
/// inputs must, else std::invalid_argument names the entry.
template <typename T>
void tangent(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
             const T* weight_tangents, const T* input_tangents, std::int64_t directions,
             const Observables* observables, T* values, T* amplitudes);

}  // namespace wb::statevector
