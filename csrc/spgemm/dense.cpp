// SPDX-License-Identifier: Apache-2.0
// Rows are handed out in pieces of about equal numbers of entries, whatever their lengths.
#include "spgemm/dense.hpp"

#include <algorithm>
#include <vector>

#include "core/parallel.hpp"

namespace wb::spgemm {
namespace {

template <typename T, typename Body>
void by_entries(const Matrix<T>& m, std::int64_t width, int threads, const Body& body) {
    const std::int64_t cost = (m.nnz() + m.rows) * std::max<std::int64_t>(8, width);
    const std::int64_t parts = std::clamp<std::int64_t>(cost / 200'000, 1, 256);
    std::vector<std::int64_t> begins;
    for (std::int64_t part = 0; part <= parts; ++part) {
        // Rows count as one entry, so that empty ones are shared out too.
        const std::int64_t wanted = (m.nnz() + m.rows) * part / parts;
        std::int64_t low = 0, high = m.rows;
        while (low < high) {
            const std::int64_t middle = (low + high) / 2;
            if (m.ptr[middle] + middle < wanted) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        begins.push_back(low);
    }
    begins.back() = m.rows;
    parallel_for(parts, threads_for(cost, 200'000, threads), [&](std::int64_t part, int) {
        const auto at = static_cast<std::size_t>(part);
        body(begins[at], begins[at + 1]);
    });
}

}  // namespace

template <typename T>
void spmm(const Matrix<T>& a, const T* x, std::int64_t width, T* out, int threads) {
    const auto rows = WB_SELECT_ISA(spmm_rows<T>);
    by_entries(a, width, threads, [&](std::int64_t begin, std::int64_t end) {
        rows({a.ptr, a.idx, a.val}, begin, end, x, width, out);
    });
}

template <typename T>
void sddmm(const Matrix<T>& pattern, const T* x, const T* y, std::int64_t width, T* out,
           int threads) {
    const auto rows = WB_SELECT_ISA(sddmm_rows<T>);
    by_entries(pattern, width, threads, [&](std::int64_t begin, std::int64_t end) {
        rows({pattern.ptr, pattern.idx, nullptr}, begin, end, x, y, width, out);
    });
}

template void spmm(const Matrix<float>&, const float*, std::int64_t, float*, int);
template void spmm(const Matrix<double>&, const double*, std::int64_t, double*, int);
template void sddmm(const Matrix<float>&, const float*, const float*, std::int64_t, float*, int);
template void sddmm(const Matrix<double>&, const double*, const double*, std::int64_t, double*,
                    int);

}  // namespace wb::spgemm
