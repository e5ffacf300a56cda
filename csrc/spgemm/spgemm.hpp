// SPDX-License-Identifier: Apache-2.0
// Sparse matrix products: the family's C++ interface.
//
// Matrices are CSR with canonical rows (columns ascending, none twice); canonical.hpp makes them
// so. Sizes of the operands are 32-bit, of products 64-bit. All functions give the same bits for
// any number of threads: work is cut into blocks that depend on the operands alone, and no sum is
// shared between blocks.
#pragma once

#include <cstdint>
#include <memory>

#include "core/pooled.hpp"
#include "spgemm/kernels.hpp"

namespace wb::spgemm {

/// A borrowed CSR matrix. `val` may be null for a pattern.
template <typename T>
struct Matrix {
    std::int64_t rows = 0, cols = 0;
    const std::int32_t* ptr = nullptr;
    const std::int32_t* idx = nullptr;
    const T* val = nullptr;

    std::int64_t nnz() const { return ptr[rows]; }
};

struct Options {
    int threads = 1;
    bool wide_indices = false;  // 64-bit columns even where 32 bits would do
};

/// A product in memory of its own: `ptr` and `idx` are int32 unless `wide`.
struct Product {
    std::int64_t rows = 0, nnz = 0;
    bool wide = false;
    std::shared_ptr<Pooled> ptr, idx, val;
};

/// C = A B on its structural pattern: an entry for every pair that meets, whatever its value.
/// O(products) time; scratch per thread is a window of at most 2^20 columns. Throws
/// std::invalid_argument when the inner sizes differ. T is float, double or NoValue (pattern).
/// Source: Gustavson, ACM TOMS 4 (1978); the accumulators are described in rows_isa.cpp.
template <typename T>
Product multiply(const Matrix<T>& a, const Matrix<T>& b, const Options& options);

/// Number of pairs that meet: multiplications of A B.
std::int64_t count_products(std::int64_t rows, const std::int32_t* a_ptr, const std::int32_t* a_idx,
                            const std::int32_t* b_ptr, int threads);

}  // namespace wb::spgemm
