// SPDX-License-Identifier: Apache-2.0
// Product states and their gradients, in time proportional to the number of amplitudes.
#pragma once

#include "statevector/chain.hpp"

namespace wb::statevector::WB_ISA {
namespace {

/// psi = q[n-1] x ... x q[0], by doubling; psi[2i], psi[2i+1] are the parts of amplitude i.
template <typename N>
void product_state(int n, const Qubit<N>* q, N* psi) {
    psi[0] = Number<N>::of(1.0);
    psi[1] = Number<N>::of(0.0);
    for (int w = 0; w < n; ++w) {
        const std::int64_t size = std::int64_t{1} << w;
        const Complex<N> a{q[w].v[0], q[w].v[1]}, b{q[w].v[2], q[w].v[3]};
        for (std::int64_t i = 0; i < size; ++i) {
            const Complex<N> x{psi[2 * i], psi[2 * i + 1]};
            const Complex<N> low = mul(x, a), high = mul(x, b);
            psi[2 * i] = low.re;
            psi[2 * i + 1] = low.im;
            psi[2 * (i + size)] = high.re;
            psi[2 * (i + size) + 1] = high.im;
        }
    }
}

/// Gradients g[w] (dL = 2 Re sum g_k dq_k) of the qubits of a product state, from the
/// coefficients c of dL = 2 Re sum c_i dpsi_i, which are destroyed; `work` holds as many numbers
/// as c. The prefix products q[w-1] x ... x q[0] stand at work[2^w .. 2^(w+1)) while c is
/// contracted with one qubit after the other from the top.
template <typename N>
void product_gradient(int n, const Qubit<N>* q, N* c, N* work, Qubit<N>* g) {
    work[2] = Number<N>::of(1.0);
    work[3] = Number<N>::of(0.0);
    for (int w = 0; w + 1 < n; ++w) {
        const std::int64_t size = std::int64_t{1} << w;
        const Complex<N> a{q[w].v[0], q[w].v[1]}, b{q[w].v[2], q[w].v[3]};
        for (std::int64_t i = 0; i < size; ++i) {
            const Complex<N> x{work[2 * (size + i)], work[2 * (size + i) + 1]};
            const Complex<N> low = mul(x, a), high = mul(x, b);
            work[2 * (2 * size + i)] = low.re;
            work[2 * (2 * size + i) + 1] = low.im;
            work[2 * (3 * size + i)] = high.re;
            work[2 * (3 * size + i) + 1] = high.im;
        }
    }
    for (int w = n - 1; w >= 0; --w) {
        const std::int64_t size = std::int64_t{1} << w;
        const Complex<N> a{q[w].v[0], q[w].v[1]}, b{q[w].v[2], q[w].v[3]};
        Complex<N> low{Number<N>::of(0.0), Number<N>::of(0.0)}, high = low;
        for (std::int64_t i = 0; i < size; ++i) {
            const Complex<N> p{work[2 * (size + i)], work[2 * (size + i) + 1]};
            const Complex<N> x{c[2 * i], c[2 * i + 1]};
            const Complex<N> y{c[2 * (i + size)], c[2 * (i + size) + 1]};
            low = add(low, mul(x, p));
            high = add(high, mul(y, p));
            const Complex<N> next = add(mul(x, a), mul(y, b));
            c[2 * i] = next.re;
            c[2 * i + 1] = next.im;
        }
        g[w] = {{low.re, low.im, high.re, high.im}};
    }
}

}  // namespace
}  // namespace wb::statevector::WB_ISA
