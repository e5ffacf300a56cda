// SPDX-License-Identifier: Apache-2.0
// Runs of rows that repeat each other one column to the right: one schedule serves all, and each
// vector lane is a row.
#pragma once

#include <type_traits>

#include "spgemm/window_rows.hpp"

namespace wb::spgemm::WB_ISA {
namespace {

template <typename T>
struct Lanes {
    static constexpr int kCount = WB_VECTOR_BYTES / static_cast<int>(sizeof(T));
    typedef T Vector __attribute__((vector_size(WB_VECTOR_BYTES)));
};

/// Sorted columns of a row into work->columns; returns their number.
template <typename T>
i64 row_columns(const Block<T>& k, i64 row) {
    const Workspace<T>& w = *k.work;
    i64 low = k.n, high = 0;
    for (i32 p = k.a.ptr[row]; p < k.a.ptr[row + 1]; ++p) {
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
                w.columns[size++] = static_cast<i32>(col);
            }
            std::memset(w.flags + 64 * at, 0, 64);
        }
    }
    return size;
}

/// Sorts the products of a row by the slot they go to.
template <typename T>
void row_terms(const Block<T>& k, i64 row, i64 size) {
    const Workspace<T>& w = *k.work;
    const i32 begin = k.a.ptr[row], end = k.a.ptr[row + 1];
    i32* const start = w.start;
    for (i64 s = 0; s <= size; ++s) start[s] = 0;
    for (i32 p = begin; p < end; ++p) {
        for (i32 q = k.b.ptr[k.a.idx[p]]; q < k.b.ptr[k.a.idx[p] + 1]; ++q) {
            ++start[w.slot[k.b.idx[q]] + 1];
        }
    }
    for (i64 s = 0; s < size; ++s) start[s + 1] += start[s];
    for (i32 p = begin; p < end; ++p) {
        const i32 first = k.b.ptr[k.a.idx[p]];
        for (i32 q = first; q < k.b.ptr[k.a.idx[p] + 1]; ++q) {
            const i32 t = start[w.slot[k.b.idx[q]]]++;
            w.term_a[t] = p - begin;
            w.term_q[t] = q - first;
        }
    }
    // Each start has moved to the next slot's: move them back by one place.
    for (i64 s = size; s > 0; --s) start[s] = start[s - 1];
    start[0] = 0;
}

/// Whether a row of C is another one, moved along the diagonal.
template <typename T>
bool same_shape(const Block<T>& k, i64 row, i64 other) {
    const i32 p0 = k.a.ptr[row], p1 = k.a.ptr[other];
    const i32 entries = k.a.ptr[row + 1] - p0;
    if (k.a.ptr[other + 1] - p1 != entries) return false;
    const auto moved = static_cast<i32>(row - other);
    for (i32 p = 0; p < entries; ++p) {
        const i32 i = k.a.idx[p0 + p], j = k.a.idx[p1 + p];
        const i32 b0 = k.b.ptr[i], b1 = k.b.ptr[j], length = k.b.ptr[i + 1] - b0;
        if (i - j != moved || k.b.ptr[j + 1] - b1 != length) return false;
        i32 wrong = 0;
        for (i32 q = 0; q < length; ++q) wrong |= k.b.idx[b0 + q] ^ (k.b.idx[b1 + q] + moved);
        if (wrong != 0) return false;
    }
    return true;
}

/// The row that the schedule in the workspace was made for; lives as long as one block.
struct Schedule {
    i64 row = -1, size = 0;
};

/// Makes the schedule for the run that starts at `row`: slots, their columns and terms.
template <typename T>
void schedule(const Block<T>& k, i64 row, Schedule& made) {
    const Workspace<T>& w = *k.work;
    if (made.row >= 0 && same_shape(k, row, made.row)) {
        // The next line of a grid: only places change.
        const auto moved = static_cast<i32>(row - made.row);
        for (i64 s = 0; s < made.size; ++s) w.columns[s] += moved;
    } else {
        made.size = row_columns(k, row);
        if constexpr (kValued<T>) row_terms(k, row, made.size);
    }
    made.row = row;
    if constexpr (kValued<T>) {
        const i32 begin = k.a.ptr[row], entries = k.a.ptr[row + 1] - begin;
        for (i32 p = 0; p < entries; ++p) {
            const i32 j = k.a.idx[begin + p];
            w.row_at[p] = k.b.ptr[k.runs.first[j]] + (j - k.runs.first[j]);
            w.row_length[p] = k.runs.length[j];
        }
        const i32 terms = made.size == 0 ? 0 : w.start[made.size];
        for (i32 t = 0; t < terms; ++t) {
            const i32 p = w.term_a[t];
            w.term_b[t] = w.row_at[p] + static_cast<i64>(w.term_q[t]) * w.row_length[p];
        }
    }
}

/// `size` vectors of one entry for each of `kLanes` rows into rows of `size` entries.
template <typename T>
void put_rows(const T* lanes, i64 pitch, i64 size, T* out) {
    constexpr int kLanes = Lanes<T>::kCount;
    i64 s = 0;
#ifdef WB_SPGEMM_AVX512
    for (; size >= kLanes && s < size; s += kLanes) {
        // The last block overlaps the one before it.
        const i64 at = s + kLanes <= size ? s : size - kLanes;
        const T* in = lanes + at * pitch;
        if constexpr (sizeof(T) == 4) {
            __m512 t[16], u[16];
#pragma GCC unroll 8
            for (int i = 0; i < 16; i += 2) {
                const __m512 x = _mm512_loadu_ps(in + i * pitch);
                const __m512 y = _mm512_loadu_ps(in + (i + 1) * pitch);
                t[i] = _mm512_unpacklo_ps(x, y);
                t[i + 1] = _mm512_unpackhi_ps(x, y);
            }
#pragma GCC unroll 4
            for (int i = 0; i < 16; i += 4) {
                const auto d = [&t](int j) { return _mm512_castps_pd(t[j]); };
                u[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(d(i), d(i + 2)));
                u[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(d(i), d(i + 2)));
                u[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(d(i + 1), d(i + 3)));
                u[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(d(i + 1), d(i + 3)));
            }
#pragma GCC unroll 4
            for (int j = 0; j < 4; ++j) {
                const __m512 a = _mm512_shuffle_f32x4(u[j], u[4 + j], 0x88);
                const __m512 b = _mm512_shuffle_f32x4(u[j], u[4 + j], 0xDD);
                const __m512 c = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0x88);
                const __m512 e = _mm512_shuffle_f32x4(u[8 + j], u[12 + j], 0xDD);
                T* to = out + at;
                _mm512_storeu_ps(to + j * size, _mm512_shuffle_f32x4(a, c, 0x88));
                _mm512_storeu_ps(to + (4 + j) * size, _mm512_shuffle_f32x4(b, e, 0x88));
                _mm512_storeu_ps(to + (8 + j) * size, _mm512_shuffle_f32x4(a, c, 0xDD));
                _mm512_storeu_ps(to + (12 + j) * size, _mm512_shuffle_f32x4(b, e, 0xDD));
            }
        } else {
            __m512d t[8];
#pragma GCC unroll 4
            for (int i = 0; i < 8; i += 2) {
                const __m512d x = _mm512_loadu_pd(in + i * pitch);
                const __m512d y = _mm512_loadu_pd(in + (i + 1) * pitch);
                t[i] = _mm512_unpacklo_pd(x, y);
                t[i + 1] = _mm512_unpackhi_pd(x, y);
            }
#pragma GCC unroll 2
            for (int j = 0; j < 2; ++j) {
                const __m512d a = _mm512_shuffle_f64x2(t[j], t[2 + j], 0x88);
                const __m512d b = _mm512_shuffle_f64x2(t[j], t[2 + j], 0xDD);
                const __m512d c = _mm512_shuffle_f64x2(t[4 + j], t[6 + j], 0x88);
                const __m512d e = _mm512_shuffle_f64x2(t[4 + j], t[6 + j], 0xDD);
                T* to = out + at;
                _mm512_storeu_pd(to + j * size, _mm512_shuffle_f64x2(a, c, 0x88));
                _mm512_storeu_pd(to + (2 + j) * size, _mm512_shuffle_f64x2(b, e, 0x88));
                _mm512_storeu_pd(to + (4 + j) * size, _mm512_shuffle_f64x2(a, c, 0xDD));
                _mm512_storeu_pd(to + (6 + j) * size, _mm512_shuffle_f64x2(b, e, 0xDD));
            }
        }
    }
#endif
    for (; s < size; ++s) {
        for (int l = 0; l < kLanes; ++l) out[l * size + s] = lanes[s * pitch + l];
    }
}

/// kVectors vectors of rows of a run at once, so that reading the schedule is shared.
template <int kVectors, typename T>
void run_lanes(const Block<T>& k, i64 row, i64 size, const i64 (&at)[4], T* vals) {
    constexpr int kLanes = Lanes<T>::kCount;
    constexpr i64 kPitch = kVectors * kLanes;
    using Vector = typename Lanes<T>::Vector;
    const Workspace<T>& w = *k.work;
    const i64 entries = k.a.ptr[row + 1] - k.a.ptr[row];
    for (int v = 0; v < kVectors; ++v) {
        const T* a = k.a.val + k.a.ptr[row + at[v]];
        T* to = w.lanes_a + v * kLanes;
        for (int l = 0; l < kLanes; ++l) {
            for (i64 p = 0; p < entries; ++p) to[p * kPitch + l] = a[l * entries + p];
        }
    }
    for (i64 s = 0; s < size; ++s) {
        Vector sum[kVectors];
        i32 t = w.start[s];
        const auto term = [&](auto first) {
            const T* x = w.lanes_a + w.term_a[t] * kPitch;
            const T* y = k.runs.lanes + w.term_b[t];
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) {
                Vector a, b;
                std::memcpy(&a, x + v * kLanes, sizeof a);
                std::memcpy(&b, y + at[v], sizeof b);
                if constexpr (decltype(first)::value) {
                    sum[v] = a * b;
                } else {
                    sum[v] += a * b;
                }
            }
        };
        term(std::true_type());
        for (++t; t < w.start[s + 1]; ++t) term(std::false_type());
        std::memcpy(w.lanes_c + s * kPitch, sum, sizeof sum);
    }
    for (int v = 0; v < kVectors; ++v) {
        put_rows(w.lanes_c + v * kLanes, kPitch, size, vals + at[v] * size);
    }
}

/// Rows [row, row + count) of a run, written one after the other. `row_nnz` and `cols` are each
/// written where given: a block without products has no columns, yet its rows have lengths.
template <typename T>
i64 run_rows(const Block<T>& k, i64 row, i64 count, Schedule& made, i32* cols, T* vals,
             i64* row_nnz) {
    const Workspace<T>& w = *k.work;
    schedule(k, row, made);
    const i64 size = made.size;
    for (i64 r = 0; row_nnz != nullptr && r < count; ++r) row_nnz[r] = size;
    for (i64 r = 0; cols != nullptr && r < count; ++r) {
        i32* out = cols + r * size;
        const auto shift = static_cast<i32>(r);
        for (i64 s = 0; s < size; ++s) out[s] = w.columns[s] + shift;
    }
    if constexpr (kValued<T>) {
        constexpr int kLanes = Lanes<T>::kCount;
        for (i64 r = 0; r < count; r += 4 * kLanes) {
            i64 at[4];
            // The last vector of rows overlaps the one before it: the same numbers twice.
            for (int v = 0; v < 4; ++v) {
                const i64 begin = r + v * kLanes;
                at[v] = begin + kLanes <= count ? begin : count - kLanes;
            }
            const i64 left = count - r;
            if (left > 3 * kLanes) {
                run_lanes<4>(k, row, size, at, vals);
            } else if (left > 2 * kLanes) {
                run_lanes<3>(k, row, size, at, vals);
            } else if (left > kLanes) {
                run_lanes<2>(k, row, size, at, vals);
            } else {
                run_lanes<1>(k, row, size, at, vals);
            }
        }
    }
    return size * count;
}

/// How many rows from `row` on are shifts of it (itself included).
template <typename T>
i64 run_length(const Block<T>& k, i64 row) {
    if (k.repeats == nullptr || k.n > kWindow || k.products[row] > kRunProducts) return 1;
    // Entries of A that meet empty rows of B make no products but have places in the schedule.
    if (k.a.ptr[row + 1] - k.a.ptr[row] > kRunProducts) return 1;
    i64 end = row + 1;
    while (end < k.row_end && k.repeats[end] != 0) ++end;
    return end - row;
}

}  // namespace
}  // namespace wb::spgemm::WB_ISA
