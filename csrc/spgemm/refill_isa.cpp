// SPDX-License-Identifier: Apache-2.0
// New values on the pattern of an earlier product. What multiply_rows spends on finding columns
// falls away: runs skip writing them, rows with few products follow remembered places, the others
// scatter into the window without flags and read it back at the known columns.
#include "spgemm/run_rows.hpp"

namespace wb::spgemm::WB_ISA {
namespace {

template <typename T>
void scatter_values(const Block<T>& k, T a, Segment s, i64 origin) {
    T* const window = k.work->window;
    const i32* idx = k.b.idx;
    const i64 count = s.end - s.begin;
    if (count >= 8 && idx[s.end - 1] - idx[s.begin] + 1 == count) {
        T* c = window + (idx[s.begin] - origin);
        const T* b = k.b.val + s.begin;
        for (i64 q = 0; q < count; ++q) c[q] += a * b[q];
        return;
    }
#pragma GCC unroll 4
    for (i32 q = s.begin; q < s.end; ++q) window[idx[q] - origin] += a * k.b.val[q];
}

template <typename T>
void through_window(const Block<T>& k, i64 row, const i32* cols, i64 count, T* vals) {
    T* const window = k.work->window;
    const bool whole = k.n <= kWindow;
    i64 e = 0;
    while (e < count) {
        // The window that starts at the next column wanted; one is enough for most matrices.
        const i64 origin = whole ? 0 : cols[e];
        const i64 end = whole ? k.n : (origin + kWindow < k.n ? origin + kWindow : k.n);
        for (i32 p = k.a.ptr[row]; p < k.a.ptr[row + 1]; ++p) {
            const Segment s = segment(k.b, k.a.idx[p], origin, end, whole);
            if (s.begin < s.end) scatter_values(k, k.a.val[p], s, origin);
        }
        for (; e < count && cols[e] < end; ++e) {
            vals[e] = window[cols[e] - origin];
            window[cols[e] - origin] = nothing<T>();
        }
    }
}

template <typename Slot, typename T>
void through_slots(const Block<T>& k, i64 row, const Slot* slot, i64 count, T* vals) {
    for (i64 e = 0; e < count; ++e) vals[e] = nothing<T>();
    for (i32 p = k.a.ptr[row]; p < k.a.ptr[row + 1]; ++p) {
        const T a = k.a.val[p];
        const i32 j = k.a.idx[p];
        const T* b = k.b.val + k.b.ptr[j];
        const i32 length = k.b.ptr[j + 1] - k.b.ptr[j];
#pragma GCC unroll 4
        for (i32 q = 0; q < length; ++q) vals[slot[q]] += a * b[q];
        slot += length;
    }
}

}  // namespace

template <typename T>
void refill_rows(const Block<T>& k) {
    const i32* cols = k.cols;
    T* vals = k.vals;
    Schedule made;
    for (i64 row = k.row_begin; row < k.row_end;) {
        const i64 run = run_length(k, row);
        if (run >= kRunRows) {
            const i64 written = run_rows<T>(k, row, run, made, nullptr, vals, nullptr);
            cols += written;
            vals += written;
            row += run;
            continue;
        }
        const i64 count = k.row_nnz[row - k.row_begin];
        const i32 begin = k.a.ptr[row];
        if (k.products[row] == 0) {
            // an empty row
        } else if (k.a.ptr[row + 1] - begin == 1) {
            const T a = k.a.val[begin];
            const T* b = k.b.val + k.b.ptr[k.a.idx[begin]];
            for (i64 e = 0; e < count; ++e) vals[e] = a * b[e];
        } else if (k.slot_begin[row] != k.slot_begin[row + 1]) {
            const u8* slot = k.slots + k.slot_begin[row];
            if (count <= 256) {
                through_slots(k, row, slot, count, vals);
            } else {
                // Pairs of bytes, from the next even one on.
                slot += k.slot_begin[row] & 1;
                through_slots(k, row, reinterpret_cast<const u16*>(slot), count, vals);
            }
        } else {
            through_window(k, row, cols, count, vals);
        }
        cols += count;
        vals += count;
        ++row;
    }
}

template void refill_rows<float>(const Block<float>&);
template void refill_rows<double>(const Block<double>&);

}  // namespace wb::spgemm::WB_ISA
