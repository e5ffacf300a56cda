// SPDX-License-Identifier: Apache-2.0
// C = A B over CSR matrices that lie in a CUDA device's memory. (C++17, for nvcc.)
//
// Two steps, so that the caller allocates the result: count_cuda writes C's row pointers, fill_cuda
// its entries. Every pointer is to device memory. `stream` is a cudaStream_t; both functions put
// their work there and wait for the sizes they need, and fill_cuda returns before its last kernels
// have run. Rows of A and B are canonical: columns ascending, none twice. That is not checked here,
// and what is not so corrupts memory.
#pragma once

#include <cstdint>

namespace wb::spgemm {

template <typename T>
struct CudaOperands {
    std::int64_t rows;  // of A; at most 2^31 - 1, as every size but nnz(C)
    const std::int32_t* a_ptr;
    const std::int32_t* a_idx;
    const T* a_val;  // null in count_cuda
    const std::int32_t* b_ptr;
    const std::int32_t* b_idx;
    const T* b_val;
};

/// What count_cuda found out about each row, for fill_cuda: products, first column, columns from
/// the first to the last. Three arrays of `rows` one after the other.
struct CudaRowWork {
    std::int32_t* products;
    std::int32_t* first;
    std::int32_t* span;
};

struct CudaQueue {
    int device;
    void* stream;
};

/// Writes C's row pointers (rows + 1) and the row work, and returns nnz(C). Integers only, so the
/// same bits every time. Throws std::runtime_error with CUDA's message when a call fails.
std::int64_t count_cuda(const CudaOperands<float>& m, const CudaRowWork& work, std::int64_t* c_ptr,
                        const CudaQueue& queue);

/// Writes C's columns, ascending in each row, and values. The products of an entry are added in the
/// order of A's row, so the same device gives the same bits every time. The operands, `work` and
/// `c_ptr` must be as count_cuda saw and left them. T is float or double.
template <typename T>
void fill_cuda(const CudaOperands<T>& m, const CudaRowWork& work, const std::int64_t* c_ptr,
               std::int32_t* c_idx, T* c_val, const CudaQueue& queue);

}  // namespace wb::spgemm
