// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "statevector/statevector.hpp"

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

/// Expectation values (batch, n_rows) of a batch on the current CUDA device; arrays on the host.
/// Throws std::runtime_error with CUDA's message when a call fails. Forward only.
template <typename T>
void expectation_cuda(const Plan& plan, const CudaBatch<T>& samples, const Observables& observables,
                      T* values);

}  // namespace wb::statevector
