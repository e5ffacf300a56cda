// SPDX-License-Identifier: Apache-2.0
// The functions that are compiled once per instruction set, and what they are given. All buffers
// are the caller's, aligned to 64 bytes; none of the functions allocates, throws or shares state,
// so that any number may run at once on different tiles, states or blocks.
#pragma once

#include "core/isa.hpp"
#include "statevector/plan_view.hpp"

namespace wb::statevector {

/// What every function of one call reads.
template <typename T>
struct Job {
    PlanView plan;
    ObservableView observables;
    std::int64_t batch;
    const T* inputs;        // (batch, n_inputs)
    const double* angles;   // (n_angles): constant and weight parts
    const T* coefficients;  // (n_coefficients) of the steps without inputs
    bool want_weights, want_inputs;
    bool given_start = false;  // the state holds the start already
    bool want_start = false;   // the reverse sweep goes back to it
};

/// Where the gradients of one group of samples go; sums are of the states after each step.
template <typename T>
struct Gradients {
    double* sums;        // (n_sums), steps without inputs
    double* weights;     // (n_weights), the rest
    T* inputs;           // (batch, n_inputs), the whole array
    T* start = nullptr;  // a tile: lambda at the start, where it is wanted
};

/// Scratch memory: so many elements.
template <typename T>
struct Room {
    T* memory;
    std::int64_t size;
};

/// A run of steps within a block of amplitudes small enough for the cache.
struct BlockGroup {
    std::int32_t first, last;  // steps [first, last)
    std::int32_t n_bits;       // of the block
    std::int32_t n_low;        // the lowest bits of the state are the block's lowest: whole runs
    std::int8_t bits[64];      // the state's bit at each bit of the block, ascending
    std::int8_t outside[64];   // the state's other bits, ascending
    std::int8_t where[64];     // the block's bit for each of the state's, -1 outside
};

// Functions named *_scratch_* tell the elements of scratch that the others need: for a tile, and
// for a state of which blocks of at most `block_bits` bits are taken.
#define WB_STATEVECTOR_KERNELS                                                                    \
    int lanes_f32();                                                                              \
    int lanes_f64();                                                                              \
    std::int64_t tile_forward_scratch_f32(const PlanView&, const ObservableView&);                \
    std::int64_t tile_forward_scratch_f64(const PlanView&, const ObservableView&);                \
    std::int64_t tile_backward_scratch_f32(const PlanView&, const ObservableView&);               \
    std::int64_t tile_backward_scratch_f64(const PlanView&, const ObservableView&);               \
    std::int64_t wide_scratch_f32(const PlanView&, const ObservableView&, int block_bits);        \
    std::int64_t wide_scratch_f64(const PlanView&, const ObservableView&, int block_bits);        \
    void shared_f32(const PlanView&, const double* angles, bool per_sample, float* coefficients); \
    void shared_f64(const PlanView&, const double* angles, bool per_sample, double*);             \
    void start_qubits(const PlanView&, const double* angles, double* qubits);                     \
    void finish(const PlanView&, const double* angles, bool per_sample, const double* sums,       \
                double* weights, double* inputs);                                                 \
    void tile_forward_f32(const Job<float>&, std::int64_t tile, float* psi, Room<float> work,     \
                          float* values);                                                         \
    void tile_forward_f64(const Job<double>&, std::int64_t tile, double* psi, Room<double> work,  \
                          double* values);                                                        \
    void tile_backward_f32(const Job<float>&, std::int64_t tile, const float* state,              \
                           const float* value_gradient, const float* state_gradient,              \
                           Room<float> work, const Gradients<float>&);                            \
    void tile_backward_f64(const Job<double>&, std::int64_t tile, const double* state,            \
                           const double* value_gradient, const double* state_gradient,            \
                           Room<double> work, const Gradients<double>&);                          \
    void wide_start_f32(const PlanView&, const double* angles, int part, int parts, float* psi,   \
                        Room<float> work);                                                        \
    void wide_start_f64(const PlanView&, const double* angles, int part, int parts, double* psi,  \
                        Room<double> work);                                                       \
    void wide_block_f32(const PlanView&, const BlockGroup&, const float* coefficients,            \
                        std::int64_t block, float* psi, Room<float> work);                        \
    void wide_block_f64(const PlanView&, const BlockGroup&, const double* coefficients,           \
                        std::int64_t block, double* psi, Room<double> work);                      \
    void wide_block_reverse_f32(const PlanView&, const BlockGroup&, const float* coefficients,    \
                                std::int64_t block, bool want_weights, bool want_inputs,          \
                                float* psi, float* lambda, Room<float> work, double* sums);       \
    void wide_block_reverse_f64(const PlanView&, const BlockGroup&, const double* coefficients,   \
                                std::int64_t block, bool want_weights, bool want_inputs,          \
                                double* psi, double* lambda, Room<double> work, double* sums);    \
    void wide_observe_f32(const PlanView&, const ObservableView&, const float* psi,               \
                          Room<float> work, float* values);                                       \
    void wide_observe_f64(const PlanView&, const ObservableView&, const double* psi,              \
                          Room<double> work, double* values);                                     \
    void wide_cotangent_f32(const PlanView&, const ObservableView&, const float* g,               \
                            const float* psi, Room<float> work, float* lambda);                   \
    void wide_cotangent_f64(const PlanView&, const ObservableView&, const double* g,              \
                            const double* psi, Room<double> work, double* lambda);                \
    void wide_finish_f32(const PlanView&, const double* angles, const float* lambda,              \
                         Room<float> work, double* weights, double* inputs);                      \
    void wide_finish_f64(const PlanView&, const double* angles, const double* lambda,             \
                         Room<double> work, double* weights, double* inputs);

WB_DECLARE_FOR_EACH_ISA(WB_STATEVECTOR_KERNELS)

}  // namespace wb::statevector
