// SPDX-License-Identifier: Apache-2.0
// Both gradients of a row in one pass over its products: the row of B meets the window of
// upstream gradients, as a dot product for A's entry and scaled for B's.
// Bound: three loads and a store per product; a vector of products where B's row is contiguous.
#include "spgemm/loops.hpp"

namespace wb::spgemm::WB_ISA {
namespace {

template <typename T>
struct Lane {
    static constexpr int kCount = WB_VECTOR_BYTES / static_cast<int>(sizeof(T));
    typedef T Vector __attribute__((vector_size(WB_VECTOR_BYTES)));
};

/// sum g[q] * b[q], and grad_b[q] += x * g[q] if kAdd.
template <bool kAdd, typename T>
T contiguous(const T* g, const T* b, T x, T* grad_b, i64 count) {
    constexpr int kCount = Lane<T>::kCount;
    typename Lane<T>::Vector s = {};
    i64 q = 0;
    for (; q + kCount <= count; q += kCount) {
        typename Lane<T>::Vector u, v, w;
        std::memcpy(&u, g + q, sizeof u);
        std::memcpy(&v, b + q, sizeof v);
        s += u * v;
        if constexpr (kAdd) {
            std::memcpy(&w, grad_b + q, sizeof w);
            w += x * u;
            std::memcpy(grad_b + q, &w, sizeof w);
        }
    }
    T sum = T{};
    for (; q < count; ++q) {
        sum += g[q] * b[q];
        if constexpr (kAdd) grad_b[q] += x * g[q];
    }
    for (int l = 0; l < kCount; ++l) sum += s[l];
    return sum;
}

template <bool kAdd, typename T>
T scattered(const T* window, const i32* idx, const T* b, T x, T* grad_b, i64 count) {
    // Four sums, so that an addition need not wait for the one before it.
    T s0{}, s1{}, s2{}, s3{};
    i64 q = 0;
    for (; q + 4 <= count; q += 4) {
        const T g0 = window[idx[q]], g1 = window[idx[q + 1]];
        const T g2 = window[idx[q + 2]], g3 = window[idx[q + 3]];
        s0 += g0 * b[q];
        s1 += g1 * b[q + 1];
        s2 += g2 * b[q + 2];
        s3 += g3 * b[q + 3];
        if constexpr (kAdd) {
            grad_b[q] += x * g0;
            grad_b[q + 1] += x * g1;
            grad_b[q + 2] += x * g2;
            grad_b[q + 3] += x * g3;
        }
    }
    for (; q < count; ++q) {
        const T g = window[idx[q]];
        s0 += g * b[q];
        if constexpr (kAdd) grad_b[q] += x * g;
    }
    return (s0 + s1) + (s2 + s3);
}

}  // namespace

template <typename T>
void gradient_row(const RowGradient<T>& k) {
    for (i32 p = k.begin; p < k.end; ++p) {
        const i32 j = k.a.idx[p];
        const i64 begin = k.b.ptr[j], count = k.b.ptr[j + 1] - begin;
        if (count == 0) {
            if (k.grad_a != nullptr) k.grad_a[p] = T{};
            continue;
        }
        const i32* idx = k.b.idx + begin;
        const T* b = k.b.val + begin;
        const T x = k.a.val[p];
        T* grad_b = k.grad_b == nullptr ? nullptr : k.grad_b + begin;
        T sum;
        if (count >= 8 && idx[count - 1] - idx[0] + 1 == count) {
            const T* g = k.window + idx[0];
            sum = grad_b == nullptr ? contiguous<false>(g, b, x, grad_b, count)
                                    : contiguous<true>(g, b, x, grad_b, count);
        } else {
            sum = grad_b == nullptr ? scattered<false>(k.window, idx, b, x, grad_b, count)
                                    : scattered<true>(k.window, idx, b, x, grad_b, count);
        }
        if (k.grad_a != nullptr) k.grad_a[p] = sum;
    }
}

template void gradient_row<float>(const RowGradient<float>&);
template void gradient_row<double>(const RowGradient<double>&);

}  // namespace wb::spgemm::WB_ISA
