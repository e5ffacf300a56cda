// SPDX-License-Identifier: Apache-2.0
// Checks and rearrangement of CSR arrays.
#pragma once

#include <cstdint>

namespace wb::spgemm {

enum class Order { canonical = 0, repeated = 1, unsorted = 2 };

/// Throws std::invalid_argument, naming the matrix, unless the row pointers start at 0, never
/// fall and end at nnz, and all columns lie in [0, cols). Returns whether the rows are sorted
/// strictly (canonical), sorted with repetitions, or not sorted. O(rows + nnz).
template <typename P, typename I>
Order check_csr(const char* name, std::int64_t rows, std::int64_t cols, const P* ptr, const I* idx,
                std::int64_t nnz, int threads);

/// The transpose's row pointers and columns, and from which entry each of its entries comes.
/// Entries of one row keep their order, so transposing twice sorts. O(rows + cols + nnz).
void transpose(std::int64_t rows, std::int64_t cols, const std::int32_t* ptr,
               const std::int32_t* idx, std::int32_t* t_ptr, std::int32_t* t_idx,
               std::int32_t* source);

}  // namespace wb::spgemm
