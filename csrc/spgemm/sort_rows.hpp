// SPDX-License-Identifier: Apache-2.0
// Rows with few products: collected one after the other and sorted.
#pragma once

#include <type_traits>

#include "spgemm/loops.hpp"

namespace wb::spgemm::WB_ISA {
namespace {

/// Writes the products of a row one after the other; returns their number.
template <typename T>
i64 collect(const Block<T>& k, i64 row, bool whole) {
    const Workspace<T>& w = *k.work;
    i64 t = 0;
    for (i32 p = k.a.ptr[row]; p < k.a.ptr[row + 1]; ++p) {
        const Segment s = segment(k.b, k.a.idx[p], k.col_begin, k.col_end, whole);
        const i64 count = s.end - s.begin;
#ifdef WB_SPGEMM_AVX512
        for (i64 q = 0; q < count; q += 16) {
            const auto left = static_cast<u32>(count - q < 16 ? count - q : 16);
            const auto mask = static_cast<__mmask16>((1U << left) - 1U);
            _mm512_storeu_si512(w.keys + t + q,
                                _mm512_maskz_loadu_epi32(mask, k.b.idx + s.begin + q));
            if constexpr (sizeof(T) == 4 && kValued<T>) {
                const __m512 b = _mm512_maskz_loadu_ps(mask, k.b.val + s.begin + q);
                _mm512_storeu_ps(w.products + t + q, _mm512_mul_ps(_mm512_set1_ps(k.a.val[p]), b));
            }
        }
        if constexpr (sizeof(T) == 8) {
            for (i64 q = 0; q < count; q += 8) {
                const auto left = static_cast<u32>(count - q < 8 ? count - q : 8);
                const auto mask = static_cast<__mmask8>((1U << left) - 1U);
                const __m512d b = _mm512_maskz_loadu_pd(mask, k.b.val + s.begin + q);
                _mm512_storeu_pd(w.products + t + q, _mm512_mul_pd(_mm512_set1_pd(k.a.val[p]), b));
            }
        }
#else
        for (i64 q = 0; q < count; ++q) {
            w.keys[t + q] = k.b.idx[s.begin + q];
            if constexpr (kValued<T>) w.products[t + q] = k.a.val[p] * k.b.val[s.begin + q];
        }
#endif
        t += count;
    }
    return t;
}

#ifdef WB_SPGEMM_AVX512

/// Up to 16 products: the place of each is the number of distinct smaller columns.
template <typename T>
i64 rank_row(const Workspace<T>& w, i64 count, i32* cols, T* vals) {
    const auto valid = static_cast<__mmask16>((1U << count) - 1U);
    const __m512i keys = _mm512_loadu_si512(w.keys);
    const __m512i earlier = _mm512_conflict_epi32(keys);
    // Lanes past the end lie behind all others, so they cannot make a valid lane a repetition.
    const __mmask16 first = _mm512_mask_testn_epi32_mask(valid, earlier, earlier);
    __m512i rank = _mm512_setzero_si512();
    const __m512i one = _mm512_set1_epi32(1);
    if (first == valid) {
        for (i64 j = 0; j < count; ++j) {
            const __mmask16 above = _mm512_cmpgt_epi32_mask(keys, _mm512_set1_epi32(w.keys[j]));
            rank = _mm512_mask_add_epi32(rank, above, rank, one);
        }
    } else {
        for (u32 left = first; left != 0; left &= left - 1) {
            const __m512i key = _mm512_set1_epi32(w.keys[__builtin_ctz(left)]);
            const __mmask16 above = _mm512_cmpgt_epi32_mask(keys, key);
            rank = _mm512_mask_add_epi32(rank, above, rank, one);
        }
    }
    alignas(64) i32 place[16];
    _mm512_store_si512(place, rank);
    const i64 distinct = __builtin_popcount(first);
    if constexpr (kValued<T>) {
        for (i64 t = 0; t < distinct; ++t) vals[t] = nothing<T>();
        for (i64 t = 0; t < count; ++t) {
            cols[place[t]] = w.keys[t];
            vals[place[t]] += w.products[t];
        }
    } else {
        for (i64 t = 0; t < count; ++t) cols[place[t]] = w.keys[t];
    }
    return distinct;
}

template <int kXor>
__m512i exchanged(__m512i x) {
    if constexpr (kXor == 1) return _mm512_shuffle_epi32(x, _MM_PERM_ENUM(0xB1));
    if constexpr (kXor == 2) return _mm512_shuffle_epi32(x, _MM_PERM_ENUM(0x4E));
    if constexpr (kXor == 4) return _mm512_shuffle_i64x2(x, x, 0xB1);
    return _mm512_shuffle_i64x2(x, x, 0x4E);
}

/// Compare-exchange of lanes j apart within each vector of a bitonic stage of size `kStage`.
template <int kStage, int kXor, int kVectors>
void lanes_apart(__m512i (&x)[kVectors]) {
    // Lanes with bit kXor keep the larger in ascending stretches, the smaller in others.
    constexpr u32 upper = kXor == 1 ? 0xAAAA : kXor == 2 ? 0xCCCC : kXor == 4 ? 0xF0F0 : 0xFF00;
    constexpr u32 falling = kStage == 2 ? 0xCCCC : kStage == 4 ? 0xF0F0 : kStage == 8 ? 0xFF00 : 0;
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
        const bool turned = kStage >= 16 && ((v * 16) & kStage) != 0;
        const auto larger = static_cast<__mmask16>(upper ^ (turned ? 0xFFFF : falling));
        const __m512i y = exchanged<kXor>(x[v]);
        x[v] = _mm512_mask_max_epu32(_mm512_min_epu32(x[v], y), larger, x[v], y);
    }
}

template <int kStage, int kApart, int kVectors>
void vectors_apart(__m512i (&x)[kVectors]) {
    constexpr int step = kApart / 16;
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
        if ((v & step) != 0) continue;
        const bool turned = ((v * 16) & kStage) != 0;
        const __m512i low = _mm512_min_epu32(x[v], x[v + step]);
        const __m512i high = _mm512_max_epu32(x[v], x[v + step]);
        x[v] = turned ? high : low;
        x[v + step] = turned ? low : high;
    }
}

template <int kStage, int kApart, int kVectors>
void bitonic_merge(__m512i (&x)[kVectors]) {
    if constexpr (kApart >= 16) {
        vectors_apart<kStage, kApart>(x);
    } else {
        lanes_apart<kStage, kApart>(x);
    }
    if constexpr (kApart > 1) bitonic_merge<kStage, kApart / 2>(x);
}

template <int kStage, int kVectors>
void bitonic_sort(__m512i (&x)[kVectors]) {
    if constexpr (kStage > 2) bitonic_sort<kStage / 2>(x);
    bitonic_merge<kStage, kStage / 2>(x);
}

/// Sums over equal columns of a sorted vector: the last lane of each stretch holds its sum. The
/// order of additions depends on the lanes alone.
inline __m512 stretch_sums(__m512i col, __m512 x) {
    const auto step = [&](auto apart) {
        constexpr int kApart = decltype(apart)::value;
        const __m512i none = _mm512_set1_epi32(-1);
        const __m512i back = _mm512_alignr_epi32(col, none, 16 - kApart);
        const __m512i y = _mm512_alignr_epi32(_mm512_castps_si512(x), none, 16 - kApart);
        x = _mm512_mask_add_ps(x, _mm512_cmpeq_epi32_mask(col, back), x, _mm512_castsi512_ps(y));
    };
    step(std::integral_constant<int, 1>());
    step(std::integral_constant<int, 2>());
    step(std::integral_constant<int, 4>());
    step(std::integral_constant<int, 8>());
    return x;
}

inline __m512d stretch_sums(__m512i col, __m512d x) {
    const auto step = [&](auto apart) {
        constexpr int kApart = decltype(apart)::value;
        const __m512i none = _mm512_set1_epi64(-1);
        const __m512i back = _mm512_alignr_epi64(col, none, 8 - kApart);
        const __m512i y = _mm512_alignr_epi64(_mm512_castpd_si512(x), none, 8 - kApart);
        x = _mm512_mask_add_pd(x, _mm512_cmpeq_epi64_mask(col, back), x, _mm512_castsi512_pd(y));
    };
    step(std::integral_constant<int, 1>());
    step(std::integral_constant<int, 2>());
    step(std::integral_constant<int, 4>());
    return x;
}

/// The products at 16 places, out of kVectors vectors of them.
template <int kVectors>
__m512 products_at(__m512i place, const float* products) {
    if constexpr (kVectors == 1) {
        return _mm512_permutexvar_ps(place, _mm512_loadu_ps(products));
    } else if constexpr (kVectors <= 8) {
        __m512 out = _mm512_permutex2var_ps(_mm512_loadu_ps(products), place,
                                            _mm512_loadu_ps(products + 16));
#pragma GCC unroll 4
        for (int v = 2; v < kVectors; v += 2) {
            const __m512 x = _mm512_permutex2var_ps(_mm512_loadu_ps(products + 16 * v), place,
                                                    _mm512_loadu_ps(products + 16 * v + 16));
            const __m512i pair = _mm512_srli_epi32(place, 5);
            const __mmask16 here = _mm512_cmpeq_epi32_mask(pair, _mm512_set1_epi32(v / 2));
            out = _mm512_mask_mov_ps(out, here, x);
        }
        return out;
    } else {
        return _mm512_i32gather_ps(place, products, 4);
    }
}

/// What a stretch of equal columns that began in an earlier vector has summed up to.
template <typename T>
struct Carry {
    i32 column = -1;
    T sum = T{};
};

/// Writes the stretches of a vector of float products that end in it; returns their number.
inline i64 put_sorted(__m512i col, __m512i next, __mmask16 valid, __m512 x, Carry<float>& carry,
                      i32* cols, float* vals) {
    // Lane 15 of `next` is the first column of the following vector.
    const __mmask16 ends = _mm512_mask_cmpneq_epi32_mask(valid, col, next);
    x = stretch_sums(col, x);
    const __mmask16 going_on = _mm512_cmpeq_epi32_mask(col, _mm512_set1_epi32(carry.column));
    x = _mm512_mask_add_ps(x, going_on, _mm512_set1_ps(carry.sum), x);
    _mm512_storeu_si512(cols, _mm512_maskz_compress_epi32(ends, col));
    _mm512_storeu_ps(vals, _mm512_maskz_compress_ps(ends, x));
    const __m512i last = _mm512_set1_epi32(15);
    carry.column =
        (ends & 0x8000) != 0 ? -1 : _mm512_cvtsi512_si32(_mm512_permutexvar_epi32(last, col));
    carry.sum = _mm512_cvtss_f32(_mm512_permutexvar_ps(last, x));
    return __builtin_popcount(ends);
}

/// The same for half a vector of columns and double products.
inline i64 put_sorted_half(__m512i col, __m512i next, __mmask8 valid, __m512d x,
                           Carry<double>& carry, double* vals) {
    const __mmask8 ends = _mm512_mask_cmpneq_epi64_mask(valid, col, next);
    x = stretch_sums(col, x);
    const __mmask8 going_on = _mm512_cmpeq_epi64_mask(col, _mm512_set1_epi64(carry.column));
    x = _mm512_mask_add_pd(x, going_on, _mm512_set1_pd(carry.sum), x);
    _mm512_storeu_pd(vals, _mm512_maskz_compress_pd(ends, x));
    const __m512i last = _mm512_set1_epi64(7);
    carry.column =
        (ends & 0x80) != 0 ? -1 : _mm512_cvtsi512_si32(_mm512_permutexvar_epi64(last, col));
    carry.sum = _mm512_cvtsd_f64(_mm512_permutexvar_pd(last, x));
    return __builtin_popcount(ends);
}

/// Up to 256 products: columns and places packed into 32 bits and sorted by a bitonic network,
/// then equal columns added.
template <int kVectors, int kBits, typename T>
i64 network_row(const Workspace<T>& w, i64 count, i32* cols, T* vals) {
    __m512i x[kVectors];
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
        const i64 left = count - 16 * v;
        const u32 bits = left >= 16 ? 0xFFFFU : left > 0 ? (1U << left) - 1U : 0U;
        const __m512i place = _mm512_add_epi32(lane, _mm512_set1_epi32(16 * v));
        const __m512i col = _mm512_loadu_si512(w.keys + 16 * v);
        const __m512i key = _mm512_or_si512(_mm512_slli_epi32(col, kBits), place);
        x[v] = _mm512_mask_mov_epi32(_mm512_set1_epi32(-1), static_cast<__mmask16>(bits), key);
    }
    bitonic_sort<16 * kVectors>(x);
    const __m512i low = _mm512_set1_epi32((1 << kBits) - 1);
    i64 size = 0;
    [[maybe_unused]] Carry<T> carry;
    __m512i col = _mm512_srli_epi32(x[0], kBits);
    for (int v = 0; v < kVectors; ++v) {
        const i64 left = count - 16 * v;
        if (left <= 0) break;
        const auto valid = static_cast<__mmask16>(left >= 16 ? 0xFFFFU : (1U << left) - 1U);
        // Filled-up lanes sort behind all columns, as no column is that large.
        const __m512i behind = v + 1 < kVectors
                                   ? _mm512_srli_epi32(x[v + 1 < kVectors ? v + 1 : 0], kBits)
                                   : _mm512_set1_epi32(-1);
        const __m512i next = _mm512_alignr_epi32(behind, col, 1);
        [[maybe_unused]] const __m512i place = _mm512_and_si512(x[v], low);
        if constexpr (kValued<T> && sizeof(T) == 4) {
            const __m512 value = products_at<kVectors>(place, w.products);
            size += put_sorted(col, next, valid, value, carry, cols + size, vals + size);
        } else if constexpr (kValued<T>) {
            const __mmask16 ends = _mm512_mask_cmpneq_epi32_mask(valid, col, next);
            _mm512_storeu_si512(cols + size, _mm512_maskz_compress_epi32(ends, col));
            const __m256i p0 = _mm512_castsi512_si256(place);
            const __m256i p1 = _mm512_extracti64x4_epi64(place, 1);
            const auto wide = [](__m512i c, int half) {
                return _mm512_cvtepi32_epi64(half == 0 ? _mm512_castsi512_si256(c)
                                                       : _mm512_extracti64x4_epi64(c, 1));
            };
            size += put_sorted_half(wide(col, 0), wide(next, 0), static_cast<__mmask8>(valid),
                                    _mm512_i32gather_pd(p0, w.products, 8), carry, vals + size);
            size += put_sorted_half(wide(col, 1), wide(next, 1), static_cast<__mmask8>(valid >> 8),
                                    _mm512_i32gather_pd(p1, w.products, 8), carry, vals + size);
        } else {
            const __mmask16 ends = _mm512_mask_cmpneq_epi32_mask(valid, col, next);
            _mm512_storeu_si512(cols + size, _mm512_maskz_compress_epi32(ends, col));
            size += __builtin_popcount(ends);
        }
        col = behind;
    }
    return size;
}

#endif  // WB_SPGEMM_AVX512

/// Any few products: merges the ascending stretches that the rows of B are, two by two.
template <typename T>
i64 merge_row(const Workspace<T>& w, i64 count, i32* cols, T* vals) {
    u64* from = w.merge;
    u64* to = w.merge + kSortProducts;
    for (i64 t = 0; t < count; ++t) {
        from[t] = (static_cast<u64>(static_cast<u32>(w.keys[t])) << 32) | static_cast<u64>(t);
    }
    for (bool sorted = false; !sorted;) {
        sorted = true;
        i64 t = 0;
        while (t < count) {
            i64 middle = t + 1;
            while (middle < count && from[middle - 1] < from[middle]) ++middle;
            i64 end = middle < count ? middle + 1 : count;
            while (end < count && from[end - 1] < from[end]) ++end;
            if (!(t == 0 && end == count)) sorted = false;
            i64 i = t, j = middle;
            for (i64 o = t; o < end; ++o) {
                const bool left = j >= end || (i < middle && from[i] < from[j]);
                to[o] = left ? from[i++] : from[j++];
            }
            t = end;
        }
        u64* const swapped = from;
        from = to;
        to = swapped;
    }
    i64 size = 0;
    i64 before = -1;
    for (i64 t = 0; t < count; ++t) {
        const auto col = static_cast<i64>(from[t] >> 32);
        const auto place = static_cast<u32>(from[t]);
        if (col != before) {
            cols[size] = static_cast<i32>(col);
            if constexpr (kValued<T>) vals[size] = w.products[place];
            ++size;
        } else {
            if constexpr (kValued<T>) vals[size - 1] += w.products[place];
        }
        before = col;
    }
    return size;
}

template <typename T>
i64 sort_row(const Block<T>& k, i64 row, bool whole, i32* cols, T* vals) {
    const Workspace<T>& w = *k.work;
    const i64 count = collect(k, row, whole);
    if (count == 0) return 0;
#ifdef WB_SPGEMM_AVX512
    if (count <= 16) {
        return k.n < (1 << 28) ? network_row<1, 4>(w, count, cols, vals)
                               : rank_row(w, count, cols, vals);
    }
    if (count <= 32 && k.n < (1 << 27)) return network_row<2, 5>(w, count, cols, vals);
    if (count <= 64 && k.n < (1 << 26)) return network_row<4, 6>(w, count, cols, vals);
    if (count <= 128 && k.n < (1 << 25)) return network_row<8, 7>(w, count, cols, vals);
    if (count <= 256 && k.n < (1 << 24)) return network_row<16, 8>(w, count, cols, vals);
#endif
    return merge_row(w, count, cols, vals);
}

}  // namespace
}  // namespace wb::spgemm::WB_ISA
