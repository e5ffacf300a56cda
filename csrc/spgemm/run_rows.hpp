// SPDX-License-Identifier: Apache-2.0
// Runs of rows that repeat each other one column to the right: one schedule serves all, and each
// vector lane is a row.
#pragma once

#include "spgemm/window_rows.hpp"

namespace wb::spgemm::WB_ISA {
namespace {

template <typename T>
struct Lanes {
    static constexpr int kCount = WB_VECTOR_BYTES / static_cast<int>(sizeof(T));
    typedef T Vector __attribute__((vector_size(WB_VECTOR_BYTES)));
};

/// Sorted columns of the run's first row into work->columns, and for each the terms that make it.
template <typename T>
i64 schedule(const Block<T>& k, i64 row) {
    const Workspace<T>& w = *k.work;
    const i32 begin = k.a.ptr[row], end = k.a.ptr[row + 1];
    i64 low = k.n, high = 0;
    for (i32 p = begin; p < end; ++p) {
        const Segment s{k.b.ptr[k.a.idx[p]], k.b.ptr[k.a.idx[p] + 1]};
        if (s.begin == s.end) continue;
        low = k.b.idx[s.begin] < low ? k.b.idx[s.begin] : low;
        high = k.b.idx[s.end - 1] > high ? k.b.idx[s.end - 1] : high;
        for (i32 q = s.begin; q < s.end; ++q) {
            w.flags[k.b.idx[q]] = 1;
            w.lines[k.b.idx[q] >> 6] = 1;
        }
    }
    if (low > high) return 0;
    i64 size = 0;
    const i64 last = high >> 6;
    for (i64 line = (low >> 6) & ~i64{63}; line <= last; line += 64) {
        u64 touched = byte_mask(w.lines + line);
        std::memset(w.lines + line, 0, 64);
        for (; touched != 0; touched &= touched - 1) {
            const i64 at = line + __builtin_ctzll(touched);
            for (u64 mask = byte_mask(w.flags + 64 * at); mask != 0; mask &= mask - 1) {
                const i64 col = 64 * at + __builtin_ctzll(mask);
                w.slot[col] = static_cast<i32>(size);
                w.start[size + 1] = 0;
                w.columns[size++] = static_cast<i32>(col);
            }
            std::memset(w.flags + 64 * at, 0, 64);
        }
    }
    if constexpr (kValued<T>) {
        i32* const start = w.start;
        start[0] = 0;
        for (i32 p = begin; p < end; ++p) {
            for (i32 q = k.b.ptr[k.a.idx[p]]; q < k.b.ptr[k.a.idx[p] + 1]; ++q) {
                ++start[w.slot[k.b.idx[q]] + 1];
            }
        }
        for (i64 s = 0; s < size; ++s) start[s + 1] += start[s];
        for (i32 p = begin; p < end; ++p) {
            const i32 j = k.a.idx[p];
            const i64 first = k.runs.first[j], length = k.runs.length[j];
            const i64 at = k.b.ptr[first] + (j - first);
            for (i32 q = k.b.ptr[j]; q < k.b.ptr[j + 1]; ++q) {
                const i32 t = start[w.slot[k.b.idx[q]]]++;
                w.term_a[t] = p - begin;
                w.term_b[t] = at + (q - k.b.ptr[j]) * length;
            }
        }
        // Each start has moved to the next slot's: move them back by one place.
        for (i64 s = size; s > 0; --s) start[s] = start[s - 1];
        start[0] = 0;
    }
    return size;
}

/// Rows [row, row + count) of a run, written one after the other; columns only if cols is given.
template <typename T>
i64 run_rows(const Block<T>& k, i64 row, i64 count, i32* cols, T* vals, i64* row_nnz) {
    const Workspace<T>& w = *k.work;
    const i64 size = schedule(k, row);
    for (i64 r = 0; cols != nullptr && r < count; ++r) {
        row_nnz[r] = size;
        i32* out = cols + r * size;
        const auto shift = static_cast<i32>(r);
        for (i64 s = 0; s < size; ++s) out[s] = w.columns[s] + shift;
    }
    if constexpr (kValued<T>) {
        constexpr int kLanes = Lanes<T>::kCount;
        using Vector = typename Lanes<T>::Vector;
        const i64 entries = k.a.ptr[row + 1] - k.a.ptr[row];
        for (i64 block = 0; block < count; block += kLanes) {
            // The last vector overlaps the one before it: the same numbers are written twice.
            const i64 r = block + kLanes <= count ? block : count - kLanes;
            const T* a = k.a.val + k.a.ptr[row + r];
            for (int l = 0; l < kLanes; ++l) {
                for (i64 p = 0; p < entries; ++p) w.lanes_a[p * kLanes + l] = a[l * entries + p];
            }
            const T* b = k.runs.lanes + r;
            for (i64 s = 0; s < size; ++s) {
                i32 t = w.start[s];
                const i32 end = w.start[s + 1];
                Vector x, y;
                std::memcpy(&x, w.lanes_a + static_cast<i64>(w.term_a[t]) * kLanes, sizeof x);
                std::memcpy(&y, b + w.term_b[t], sizeof y);
                Vector sum = x * y;
                for (++t; t < end; ++t) {
                    std::memcpy(&x, w.lanes_a + static_cast<i64>(w.term_a[t]) * kLanes, sizeof x);
                    std::memcpy(&y, b + w.term_b[t], sizeof y);
                    sum += x * y;
                }
                std::memcpy(w.lanes_c + s * kLanes, &sum, sizeof sum);
            }
            T* out = vals + r * size;
            for (int l = 0; l < kLanes; ++l) {
                for (i64 s = 0; s < size; ++s) out[l * size + s] = w.lanes_c[s * kLanes + l];
            }
        }
    }
    return size * count;
}

/// How many rows from `row` on are shifts of it (itself included).
template <typename T>
i64 run_length(const Block<T>& k, i64 row) {
    if (k.repeats == nullptr || k.n > kWindow || k.products[row] > kRunProducts) return 1;
    i64 end = row + 1;
    while (end < k.row_end && k.repeats[end] != 0) ++end;
    return end - row;
}

}  // namespace
}  // namespace wb::spgemm::WB_ISA
