// SPDX-License-Identifier: Apache-2.0
// Sparse times dense, and products of dense rows sampled at a pattern. The columns of the dense
// operand are the vector lanes; a row's sums stay in registers while its entries pass by.
// Bound: one load of the dense operand per fused multiply-add.
#include "spgemm/dense.hpp"
#include "spgemm/loops.hpp"

namespace wb::spgemm::WB_ISA {
namespace {

template <typename T>
struct Wide {
    static constexpr int kCount = WB_VECTOR_BYTES / static_cast<int>(sizeof(T));
    typedef T Vector __attribute__((vector_size(WB_VECTOR_BYTES)));
};

template <typename T>
typename Wide<T>::Vector load(const T* from) {
    typename Wide<T>::Vector x;
    std::memcpy(&x, from, sizeof x);
    return x;
}

template <typename T>
T lane_sum(typename Wide<T>::Vector x) {
#ifdef WB_SPGEMM_AVX512
    if constexpr (sizeof(T) == 4) {
        return _mm512_reduce_add_ps(reinterpret_cast<__m512>(x));
    } else {
        return _mm512_reduce_add_pd(reinterpret_cast<__m512d>(x));
    }
#else
    T sum = x[0];
    for (int l = 1; l < Wide<T>::kCount; ++l) sum += x[l];
    return sum;
#endif
}

/// kVectors vectors of one row of the result.
template <int kVectors, typename T>
void spmm_strip(const Rows<T>& a, i64 row, const T* x, i64 width, T* out) {
    constexpr int kCount = Wide<T>::kCount;
    typename Wide<T>::Vector sum[kVectors] = {};
    const i32 end = a.ptr[row + 1];
    for (i32 p = a.ptr[row]; p < end; ++p) {
        if (p + 8 < end) __builtin_prefetch(x + static_cast<i64>(a.idx[p + 8]) * width);
        const T* from = x + static_cast<i64>(a.idx[p]) * width;
        const T value = a.val[p];
#pragma GCC unroll 8
        for (int v = 0; v < kVectors; ++v) sum[v] += value * load(from + v * kCount);
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) std::memcpy(out + v * kCount, &sum[v], sizeof sum[v]);
}

}  // namespace

template <typename T>
void spmm_rows(const Rows<T>& a, std::int64_t begin, std::int64_t end, const T* x,
               std::int64_t width, T* out) {
    constexpr int kCount = Wide<T>::kCount;
    for (i64 row = begin; row < end; ++row) {
        T* to = out + row * width;
        i64 c = 0;
        for (; c + 8 * kCount <= width; c += 8 * kCount)
            spmm_strip<8>(a, row, x + c, width, to + c);
        if (c + 4 * kCount <= width) {
            spmm_strip<4>(a, row, x + c, width, to + c);
            c += 4 * kCount;
        }
        if (c + 2 * kCount <= width) {
            spmm_strip<2>(a, row, x + c, width, to + c);
            c += 2 * kCount;
        }
        if (c + kCount <= width) {
            spmm_strip<1>(a, row, x + c, width, to + c);
            c += kCount;
        }
        if (c < width) {
            for (i64 r = c; r < width; ++r) to[r] = T{};
            for (i32 p = a.ptr[row]; p < a.ptr[row + 1]; ++p) {
                const T* from = x + static_cast<i64>(a.idx[p]) * width;
                for (i64 r = c; r < width; ++r) to[r] += a.val[p] * from[r];
            }
        }
    }
}

template <typename T>
void sddmm_rows(const Rows<T>& pattern, std::int64_t begin, std::int64_t end, const T* x,
                const T* y, std::int64_t width, T* out) {
    constexpr int kCount = Wide<T>::kCount;
    for (i64 row = begin; row < end; ++row) {
        const T* left = x + row * width;
        const i32 last = pattern.ptr[row + 1];
        for (i32 p = pattern.ptr[row]; p < last; ++p) {
            if (p + 4 < last) __builtin_prefetch(y + static_cast<i64>(pattern.idx[p + 4]) * width);
            const T* right = y + static_cast<i64>(pattern.idx[p]) * width;
            typename Wide<T>::Vector s0 = {}, s1 = {}, s2 = {}, s3 = {};
            i64 c = 0;
            for (; c + 4 * kCount <= width; c += 4 * kCount) {
                s0 += load(left + c) * load(right + c);
                s1 += load(left + c + kCount) * load(right + c + kCount);
                s2 += load(left + c + 2 * kCount) * load(right + c + 2 * kCount);
                s3 += load(left + c + 3 * kCount) * load(right + c + 3 * kCount);
            }
            for (; c + kCount <= width; c += kCount) s0 += load(left + c) * load(right + c);
            s0 = (s0 + s1) + (s2 + s3);
            T sum = lane_sum<T>(s0);
            for (; c < width; ++c) sum += left[c] * right[c];
            out[p] = sum;
        }
    }
}

template void spmm_rows(const Rows<float>&, std::int64_t, std::int64_t, const float*, std::int64_t,
                        float*);
template void spmm_rows(const Rows<double>&, std::int64_t, std::int64_t, const double*,
                        std::int64_t, double*);
template void sddmm_rows(const Rows<float>&, std::int64_t, std::int64_t, const float*, const float*,
                         std::int64_t, float*);
template void sddmm_rows(const Rows<double>&, std::int64_t, std::int64_t, const double*,
                         const double*, std::int64_t, double*);

}  // namespace wb::spgemm::WB_ISA
