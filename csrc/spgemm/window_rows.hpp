// SPDX-License-Identifier: Apache-2.0
// Rows with many products: scattered into a dense window, which is then scanned.
#pragma once

#include "spgemm/loops.hpp"

namespace wb::spgemm::WB_ISA {
namespace {

/// Which of 64 bytes, each 0 or 1, are set.
u64 byte_mask(const u8* flags) {
#ifdef WB_SPGEMM_AVX512
    const __m512i x = _mm512_loadu_si512(flags);
    return _mm512_test_epi8_mask(x, x);
#elif defined(__SSE2__)
    u64 mask = 0;
    for (int part = 0; part < 4; ++part) {
        const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(flags) + part);
        const int bits = _mm_movemask_epi8(_mm_cmpgt_epi8(x, _mm_setzero_si128()));
        mask |= static_cast<u64>(static_cast<u32>(bits)) << (16 * part);
    }
    return mask;
#else
    u64 mask = 0;
    for (int part = 0; part < 8; ++part) {
        u64 word;
        std::memcpy(&word, flags + 8 * part, 8);
        mask |= ((word * 0x0102040810204080ULL) >> 56) << (8 * part);
    }
    return mask;
#endif
}

/// Columns (as a power of two) that one byte of `lines` stands for.
template <bool kFlags, typename T>
inline constexpr int kLineShift = kFlags ? 6 : (sizeof(T) == 4 ? 4 : 3);

/// Adds a times a piece of a row of B into the window that starts at column `origin`. Without
/// flags a column counts as present when its value is no longer -0.0, see Block::plain.
template <bool kFlags, typename T>
void scatter(const Block<T>& k, T a, Segment s, i64 origin) {
    const Workspace<T>& w = *k.work;
    const i32* idx = k.b.idx;
    const i64 count = s.end - s.begin;
    const i64 first = idx[s.begin] - origin;
    if (count >= 8 && idx[s.end - 1] - idx[s.begin] + 1 == count) {  // consecutive columns
        if constexpr (kValued<T>) {
            T* c = w.window + first;
            const T* b = k.b.val + s.begin;
            for (i64 q = 0; q < count; ++q) c[q] += a * b[q];
        }
        if constexpr (kFlags) std::memset(w.flags + first, 1, static_cast<std::size_t>(count));
        constexpr int shift = kLineShift<kFlags, T>;
        for (i64 line = first >> shift; line <= (first + count - 1) >> shift; ++line) {
            w.lines[line] = 1;
        }
        return;
    }
    // Columns of one row differ, so the iterations are independent.
#pragma GCC unroll 4
    for (i32 q = s.begin; q < s.end; ++q) {
        const i64 c = idx[q] - origin;
        if constexpr (kValued<T>) w.window[c] += a * k.b.val[q];
        if constexpr (kFlags) w.flags[c] = 1;
        w.lines[c >> kLineShift<kFlags, T>] = 1;
    }
}

/// Writes the flagged columns of a line of 64 and cleans what it read.
template <typename T>
i64 emit_line(const Workspace<T>& w, i64 line, i64 origin, i32* cols, T* vals) {
    u8* flags = w.flags + 64 * line;
    u64 mask = byte_mask(flags);
    std::memset(flags, 0, 64);
    const i64 base = origin + 64 * line;
    T* window = nullptr;
    if constexpr (kValued<T>) window = w.window + 64 * line;
    i64 size = 0;
#ifdef WB_SPGEMM_AVX512
    if (__builtin_popcountll(mask) >= 8) {
        const __m512i lane =
            _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#pragma GCC unroll 4
        for (int part = 0; part < 4; ++part) {
            const auto m = static_cast<__mmask16>(mask >> (16 * part));
            const __m512i col =
                _mm512_add_epi32(lane, _mm512_set1_epi32(static_cast<int>(base) + 16 * part));
            _mm512_storeu_si512(cols + size, _mm512_maskz_compress_epi32(m, col));
            if constexpr (kValued<T> && sizeof(T) == 4) {
                const __m512 x = _mm512_load_ps(window + 16 * part);
                _mm512_storeu_ps(vals + size, _mm512_maskz_compress_ps(m, x));
                _mm512_store_ps(window + 16 * part, _mm512_set1_ps(-0.0F));
            } else if constexpr (kValued<T>) {
                const auto m0 = static_cast<__mmask8>(m), m1 = static_cast<__mmask8>(m >> 8);
                const __m512d x0 = _mm512_load_pd(window + 16 * part);
                const __m512d x1 = _mm512_load_pd(window + 16 * part + 8);
                _mm512_storeu_pd(vals + size, _mm512_maskz_compress_pd(m0, x0));
                _mm512_storeu_pd(vals + size + __builtin_popcount(m0),
                                 _mm512_maskz_compress_pd(m1, x1));
                _mm512_store_pd(window + 16 * part, _mm512_set1_pd(-0.0));
                _mm512_store_pd(window + 16 * part + 8, _mm512_set1_pd(-0.0));
            }
            size += __builtin_popcount(m);
        }
        return size;
    }
#endif
    for (; mask != 0; mask &= mask - 1) {
        const int bit = __builtin_ctzll(mask);
        cols[size] = static_cast<i32>(base + bit);
        if constexpr (kValued<T>) {
            vals[size] = window[bit];
            window[bit] = nothing<T>();
        }
        ++size;
    }
    return size;
}

#ifdef WB_SPGEMM_AVX512

/// The same for one vector of the window, where the values themselves tell which are present.
inline i64 emit_plain_line(const Workspace<float>& w, i64 line, i64 origin, i32* cols,
                           float* vals) {
    float* window = w.window + 16 * line;
    const __m512i none = _mm512_set1_epi32(static_cast<int>(0x80000000U));
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i base = _mm512_set1_epi32(static_cast<int>(origin + 16 * line));
    const __m512i x = _mm512_load_si512(window);
    const __mmask16 m = _mm512_cmpneq_epi32_mask(x, none);
    _mm512_storeu_si512(cols, _mm512_maskz_compress_epi32(m, _mm512_add_epi32(lane, base)));
    _mm512_storeu_si512(vals, _mm512_maskz_compress_epi32(m, x));
    _mm512_store_si512(window, none);
    return __builtin_popcount(m);
}

inline i64 emit_plain_line(const Workspace<double>& w, i64 line, i64 origin, i32* cols,
                           double* vals) {
    double* window = w.window + 8 * line;
    const __m512i none = _mm512_set1_epi64(static_cast<long long>(0x8000000000000000ULL));
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i base = _mm256_set1_epi32(static_cast<int>(origin + 8 * line));
    const __m512i x = _mm512_load_si512(window);
    const __mmask8 m = _mm512_cmpneq_epi64_mask(x, none);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(cols),
                        _mm256_maskz_compress_epi32(m, _mm256_add_epi32(lane, base)));
    _mm512_storeu_si512(vals, _mm512_maskz_compress_epi64(m, x));
    _mm512_store_si512(window, none);
    return __builtin_popcount(m);
}

#endif  // WB_SPGEMM_AVX512

template <bool kFlags, typename T>
i64 window_row(const Block<T>& k, i64 row, i64 origin, i64 end, bool whole, i32* cols, T* vals) {
    const Workspace<T>& w = *k.work;
    i64 low = end, high = origin;
    for (i32 p = k.a.ptr[row]; p < k.a.ptr[row + 1]; ++p) {
        const Segment s = segment(k.b, k.a.idx[p], origin, end, whole);
        if (s.begin == s.end) continue;
        low = k.b.idx[s.begin] < low ? k.b.idx[s.begin] : low;
        high = k.b.idx[s.end - 1] > high ? k.b.idx[s.end - 1] : high;
        if constexpr (kValued<T>) {
            scatter<kFlags>(k, k.a.val[p], s, origin);
        } else {
            scatter<kFlags>(k, T{}, s, origin);
        }
    }
    if (low > high) return 0;
    i64 size = 0;
    constexpr int shift = kLineShift<kFlags, T>;
    const i64 last = (high - origin) >> shift;
    for (i64 line = ((low - origin) >> shift) & ~i64{63}; line <= last; line += 64) {
        u64 touched = byte_mask(w.lines + line);
        if (touched == 0) continue;
        std::memset(w.lines + line, 0, 64);
        for (; touched != 0; touched &= touched - 1) {
            const i64 at = line + __builtin_ctzll(touched);
            T* to = kValued<T> ? vals + size : vals;
            if constexpr (kFlags) {
                size += emit_line(w, at, origin, cols + size, to);
            } else {
                size += emit_plain_line(w, at, origin, cols + size, to);
            }
        }
    }
    return size;
}

template <typename T>
i64 any_window_row(const Block<T>& k, i64 row, i64 origin, i64 end, bool whole, i32* cols,
                   T* vals) {
#ifdef WB_SPGEMM_AVX512
    if constexpr (kValued<T>) {
        if (k.plain) return window_row<false>(k, row, origin, end, whole, cols, vals);
    }
#endif
    return window_row<true>(k, row, origin, end, whole, cols, vals);
}

template <typename T>
i64 wide_row(const Block<T>& k, i64 row, bool whole, i32* cols, T* vals) {
    if (k.col_end - k.col_begin <= kWindow) {
        return any_window_row(k, row, k.col_begin, k.col_end, whole, cols, vals);
    }
    i64 size = 0;
    for (i64 origin = k.col_begin; origin < k.col_end; origin += kWindow) {
        const i64 end = origin + kWindow < k.col_end ? origin + kWindow : k.col_end;
        size += any_window_row(k, row, origin, end, false, cols + size,
                               kValued<T> ? vals + size : vals);
    }
    return size;
}

}  // namespace
}  // namespace wb::spgemm::WB_ISA
