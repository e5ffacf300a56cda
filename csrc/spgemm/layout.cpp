// SPDX-License-Identifier: Apache-2.0
#include "spgemm/layout.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>

#include "core/parallel.hpp"

namespace wb::spgemm {
namespace {

/// Whether rows [begin, end) are canonical, without a loop per row: as often as columns fall
/// from one entry to the next, a new row must begin there. Where columns ascend, a row's first
/// and last bound the others.
template <typename P, typename I>
bool canonical_rows(std::int64_t begin, std::int64_t end, std::int64_t cols, const P* ptr,
                    const I* idx) {
    std::int64_t starts = 0;
    bool outside = false;
    for (std::int64_t r = begin, last = -1; r < end; ++r) {
        const std::int64_t first = ptr[r], behind = ptr[r + 1];
        if (first == behind) continue;
        outside |= idx[first] < 0 || idx[behind - 1] >= cols;
        if (last >= 0) starts += idx[first] <= idx[last];
        last = behind - 1;
    }
    if (outside) return false;
    const I* const at = idx + ptr[begin];
    const auto count = static_cast<std::int64_t>(ptr[end] - ptr[begin]);
    I falls = 0;
    for (std::int64_t e = 1; e < count; ++e) falls += static_cast<I>(at[e] <= at[e - 1]);
    return falls == starts;
}

}  // namespace

template <typename P, typename I>
Order check_csr(const char* name, std::int64_t rows, std::int64_t cols, const P* ptr, const I* idx,
                std::int64_t nnz, int threads) {
    const std::string matrix(name);
    if (ptr[0] != 0) {
        throw std::invalid_argument(matrix + ": indptr must start at 0, got " +
                                    std::to_string(ptr[0]));
    }
    // Pointers first: the columns are read through them.
    for (std::int64_t r = 0; r < rows; ++r) {
        if (ptr[r + 1] < ptr[r]) {
            throw std::invalid_argument(matrix + ": indptr must not decrease, but does at row " +
                                        std::to_string(r));
        }
    }
    if (ptr[rows] != nnz) {
        throw std::invalid_argument(matrix + ": indptr must end at the number of indices, " +
                                    std::to_string(nnz) + ", got " + std::to_string(ptr[rows]));
    }
    std::atomic<std::int64_t> wrong{-1};
    std::atomic<int> order{0};
    constexpr std::int64_t kChunk = 4096;
    parallel_for((rows + kChunk - 1) / kChunk, threads_for(nnz + rows, 200'000, threads),
                 [&](std::int64_t chunk, int) {
                     const std::int64_t end = std::min(rows, (chunk + 1) * kChunk);
                     if (canonical_rows(chunk * kChunk, end, cols, ptr, idx)) return;
                     bool repeated = false, unsorted = false, outside = false;
                     const auto note = [&](bool bad, std::int64_t r) {
                         if (!bad || outside) return;
                         outside = true;
                         wrong.store(r);
                     };
                     for (std::int64_t r = chunk * kChunk; r < end; ++r) {
                         const I* row = idx + ptr[r];
                         const auto count = static_cast<std::int64_t>(ptr[r + 1] - ptr[r]);
                         if (count == 0) continue;
                         bool bad = row[0] < 0 || static_cast<std::int64_t>(row[0]) >= cols;
                         for (std::int64_t e = 1; e < count; ++e) {
                             bad |= row[e] < 0 || static_cast<std::int64_t>(row[e]) >= cols;
                             repeated |= row[e] == row[e - 1];
                             unsorted |= row[e] < row[e - 1];
                         }
                         note(bad, r);
                     }
                     const int here = unsorted ? 2 : repeated ? 1 : 0;
                     int seen = order.load();
                     while (here > seen && !order.compare_exchange_weak(seen, here)) {
                     }
                 });
    if (wrong.load() >= 0) {
        throw std::invalid_argument(matrix + ": column indices must be in [0, " +
                                    std::to_string(cols) + "), but row " +
                                    std::to_string(wrong.load()) + " has another");
    }
    return static_cast<Order>(order.load());
}

template Order check_csr(const char*, std::int64_t, std::int64_t, const std::int32_t*,
                         const std::int32_t*, std::int64_t, int);
template Order check_csr(const char*, std::int64_t, std::int64_t, const std::int64_t*,
                         const std::int64_t*, std::int64_t, int);
template Order check_csr(const char*, std::int64_t, std::int64_t, const std::int64_t*,
                         const std::int32_t*, std::int64_t, int);

void transpose(std::int64_t rows, std::int64_t cols, const std::int32_t* ptr,
               const std::int32_t* idx, std::int32_t* t_ptr, std::int32_t* t_idx,
               std::int32_t* source) {
    std::fill_n(t_ptr, cols + 1, 0);
    for (std::int32_t e = 0; e < ptr[rows]; ++e) ++t_ptr[idx[e] + 1];
    for (std::int64_t c = 0; c < cols; ++c) t_ptr[c + 1] += t_ptr[c];
    for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int32_t e = ptr[r]; e < ptr[r + 1]; ++e) {
            const std::int32_t to = t_ptr[idx[e]]++;
            t_idx[to] = static_cast<std::int32_t>(r);
            source[to] = e;
        }
    }
    // Each pointer has moved to the next row's.
    for (std::int64_t c = cols; c > 0; --c) t_ptr[c] = t_ptr[c - 1];
    t_ptr[0] = 0;
}

}  // namespace wb::spgemm
