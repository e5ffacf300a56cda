// SPDX-License-Identifier: Apache-2.0
// Rows of C = A B by Gustavson's method, each with the accumulator that suits it:
//   one entry in A          the row of B, scaled
//   up to 256 products      collected and sorted in registers, equal columns then added
//   more                    scattered into a dense window with a byte flag per column and one
//                           per 64 columns; scanning these gives sorted columns for free
//   a run of shifted rows   (stencils, bands) one schedule for all, a row per vector lane
// Bound: stores and the latency of scattered loads, two to four cycles per product, except in
// runs, which are bound by two vector loads per 16 products and by writing C.
#include "spgemm/run_rows.hpp"
#include "spgemm/sort_rows.hpp"

namespace wb::spgemm::WB_ISA {
namespace {

template <typename T>
i64 copy_row(const Block<T>& k, i32 p, Segment s, i32* cols, T* vals) {
    const i64 count = s.end - s.begin;
    std::memcpy(cols, k.b.idx + s.begin, static_cast<std::size_t>(count) * sizeof(i32));
    if constexpr (kValued<T>) {
        const T a = k.a.val[p];
        const T* b = k.b.val + s.begin;
        for (i64 q = 0; q < count; ++q) vals[q] = a * b[q];
    }
    return count;
}

/// Asks for the rows of B that entries of A a little ahead will need.
template <typename T>
struct Fetcher {
    const Block<T>& k;
    i32 pointers, rows, end;

    explicit Fetcher(const Block<T>& block)
        : k(block),
          pointers(block.a.ptr[block.row_begin]),
          rows(pointers),
          end(block.a.ptr[block.row_end]) {}

    void ahead_of(i32 p) {
        const i32 near = p + kNear < end ? p + kNear : end;
        const i32 distant = p + kDistant < end ? p + kDistant : end;
        for (; pointers < distant; ++pointers) __builtin_prefetch(k.b.ptr + k.a.idx[pointers]);
        for (; rows < near; ++rows) {
            const i32 j = k.a.idx[rows];
            const i32 begin = k.b.ptr[j], last = k.b.ptr[j + 1] - 1;
            __builtin_prefetch(k.b.idx + begin);
            __builtin_prefetch(k.b.idx + last);
            if constexpr (kValued<T>) {
                __builtin_prefetch(k.b.val + begin);
                __builtin_prefetch(k.b.val + last);
            }
        }
    }

    // Entries of A that a fetch from the third-level cache takes to arrive, about.
    static constexpr i32 kNear = 24, kDistant = 64;
};

}  // namespace

template <typename T>
std::int64_t multiply_rows(const Block<T>& k) {
    const bool whole = k.col_begin == 0 && k.col_end == k.n;
    Fetcher<T> fetch(k);
    Schedule made;
    i64 size = 0;
    for (i64 row = k.row_begin; row < k.row_end;) {
        i32* cols = k.cols + size;
        T* vals = kValued<T> ? k.vals + size : k.vals;
        i64* row_nnz = k.row_nnz + (row - k.row_begin);
        const i64 run = run_length(k, row);
        if (run >= kRunRows) {
            size += run_rows(k, row, run, made, cols, vals, row_nnz);
            row += run;
            continue;
        }
        const i32 begin = k.a.ptr[row], entries = k.a.ptr[row + 1] - begin;
        if (k.far) fetch.ahead_of(k.a.ptr[row + 1]);
        i64 count;
        if (k.products[row] == 0) {
            count = 0;
        } else if (entries == 1) {
            const Segment s = segment(k.b, k.a.idx[begin], k.col_begin, k.col_end, whole);
            count = copy_row(k, begin, s, cols, vals);
        } else if (k.products[row] <= kSortProducts) {
            count = sort_row(k, row, whole, cols, vals);
        } else {
            count = wide_row(k, row, whole, cols, vals);
        }
        *row_nnz = count;
        size += count;
        ++row;
    }
    return size;
}

template std::int64_t multiply_rows<float>(const Block<float>&);
template std::int64_t multiply_rows<double>(const Block<double>&);
template std::int64_t multiply_rows<NoValue>(const Block<NoValue>&);

}  // namespace wb::spgemm::WB_ISA