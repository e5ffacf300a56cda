// SPDX-License-Identifier: Apache-2.0
// Products of a sparse matrix with dense ones, float and double. Dense matrices are row-major.
#pragma once

#include <cstdint>

#include "spgemm/kernels.hpp"
#include "spgemm/spgemm.hpp"

namespace wb::spgemm {

/// out (rows x width) = A X, X being (cols x width). O(nnz * width).
template <typename T>
void spmm(const Matrix<T>& a, const T* x, std::int64_t width, T* out, int threads);

/// out[p] = <row i of X, row j of Y> for every entry p = (i, j) of the pattern. O(nnz * width).
template <typename T>
void sddmm(const Matrix<T>& pattern, const T* x, const T* y, std::int64_t width, T* out,
           int threads);

// The loops over rows [begin, end).
WB_DECLARE_FOR_EACH_ISA(
    template <typename T> void spmm_rows(const Rows<T>& a, std::int64_t begin, std::int64_t end,
                                         const T* x, std::int64_t width, T* out);
    extern template void spmm_rows(const Rows<float>&, std::int64_t, std::int64_t, const float*,
                                   std::int64_t, float*);
    extern template void spmm_rows(const Rows<double>&, std::int64_t, std::int64_t, const double*,
                                   std::int64_t, double*);
    template <typename T>
    void sddmm_rows(const Rows<T>& pattern, std::int64_t begin, std::int64_t end, const T* x,
                    const T* y, std::int64_t width, T* out);
    extern template void sddmm_rows(const Rows<float>&, std::int64_t, std::int64_t, const float*,
                                    const float*, std::int64_t, float*);
    extern template void sddmm_rows(const Rows<double>&, std::int64_t, std::int64_t, const double*,
                                    const double*, std::int64_t, double*);)

}  // namespace wb::spgemm
