// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "statevector/plan_view.hpp"

namespace wb::statevector {

/// Largest register whose state fits a thread block's shared memory on every supported device.
template <typename T>
inline constexpr int kMaxCudaWires = sizeof(T) == 4 ? 12 : 11;

/// What a sample's sweep reads, computed on the host in double and rounded to T.
template <typename T>
struct CudaBatch {
    std::int64_t batch;
    std::vector<T> coefficients;  // (batch, n_coefficients)
    std::vector<T> start;         // (batch, n_wires, 4): the qubits of the product state
};

/// A plan and observables with the lengths of the arrays that go to the device; the terms are in
/// the plan's bit positions. (C++17, for nvcc under CMake 3.25.)
struct CudaPlan {
    PlanView plan;
    std::size_t n_wire_entries, n_data;
    std::vector<Term> terms;
    int n_rows;
};

/// Expectation values (batch, n_rows) of a batch on the current CUDA device; arrays on the host.
/// Throws std::runtime_error with CUDA's message when a call fails. Forward only.
template <typename T>
void expectation_cuda(const CudaPlan& compiled, const CudaBatch<T>& samples, T* values);

}  // namespace wb::statevector
