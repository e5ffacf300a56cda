// SPDX-License-Identifier: Apache-2.0
// Products of 1-qubit gates and their gradients, over doubles or over lanes of samples.
#pragma once

#include "statevector/plan_view.hpp"
#include "statevector/vector.hpp"

namespace wb::statevector::WB_ISA {
namespace {

/// A complex 2x2 matrix: m00 m01 m10 m11, real then imaginary part.
template <typename N>
struct Matrix2 {
    N v[8];
};

template <typename N>
struct Complex {
    N re, im;
};

template <typename N>
Complex<N> entry(const Matrix2<N>& m, int i) {
    return {m.v[2 * i], m.v[2 * i + 1]};
}

template <typename N>
Complex<N> mul(const Complex<N>& a, const Complex<N>& b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

template <typename N>
Complex<N> add(const Complex<N>& a, const Complex<N>& b) {
    return {a.re + b.re, a.im + b.im};
}

template <typename N>
Complex<N> conj(const Complex<N>& a) {
    return {a.re, -a.im};
}

template <typename N>
void set(Matrix2<N>& m, int i, const Complex<N>& c) {
    m.v[2 * i] = c.re;
    m.v[2 * i + 1] = c.im;
}

template <typename N>
Matrix2<N> identity2() {
    Matrix2<N> m;
    for (int i = 0; i < 8; ++i) m.v[i] = Number<N>::of(i == 0 || i == 6 ? 1.0 : 0.0);
    return m;
}

/// a b
template <typename N>
Matrix2<N> product(const Matrix2<N>& a, const Matrix2<N>& b) {
    Matrix2<N> m;
    for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 2; ++j) {
            set(m, 2 * i + j,
                add(mul(entry(a, 2 * i), entry(b, j)), mul(entry(a, 2 * i + 1), entry(b, 2 + j))));
        }
    }
    return m;
}

template <typename N>
Matrix2<N> transposed(const Matrix2<N>& a) {
    Matrix2<N> m = a;
    m.v[2] = a.v[4];
    m.v[3] = a.v[5];
    m.v[4] = a.v[2];
    m.v[5] = a.v[3];
    return m;
}

template <typename N>
Matrix2<N> conjugated(const Matrix2<N>& a) {
    Matrix2<N> m = a;
    for (int i = 1; i < 8; i += 2) m.v[i] = -a.v[i];
    return m;
}

template <typename N>
Matrix2<N> adjoint(const Matrix2<N>& a) {
    return conjugated(transposed(a));
}

/// Sines and cosines of a factor's angles: of the half angle for rx, ry, rz and u's theta.
template <typename N>
struct Trigonometry {
    N s[3], c[3];
};

template <typename N>
Trigonometry<N> trigonometry(const Factor& f, const N* angles) {
    Trigonometry<N> t{};
    if (f.kind == FactorKind::constant) return t;
    const bool half = f.kind != FactorKind::p && f.kind != FactorKind::phase;
    const N first = angles[f.angle[0]];
    sincos_of(half ? first * Number<N>::of(0.5) : first, t.s[0], t.c[0]);
    if (f.kind == FactorKind::u) {
        sincos_of(angles[f.angle[1]], t.s[1], t.c[1]);
        sincos_of(angles[f.angle[2]], t.s[2], t.c[2]);
    }
    return t;
}

template <typename N>
Matrix2<N> factor_matrix(const PlanView& plan, const Factor& f, const Trigonometry<N>& t) {
    const N zero = Number<N>::of(0.0), one = Number<N>::of(1.0);
    const N &s = t.s[0], &c = t.c[0];
    switch (f.kind) {
        case FactorKind::rx:
            return {{c, zero, zero, -s, zero, -s, c, zero}};
        case FactorKind::ry:
            return {{c, zero, -s, zero, s, zero, c, zero}};
        case FactorKind::rz:
            return {{c, -s, zero, zero, zero, zero, c, s}};
        case FactorKind::p:
            return {{one, zero, zero, zero, zero, zero, c, s}};
        case FactorKind::phase:
            return {{c, s, zero, zero, zero, zero, c, s}};
        case FactorKind::u: {
            const Complex<N> p{t.c[1], t.s[1]}, l{t.c[2], t.s[2]};
            const Complex<N> pl = mul(p, l);
            return {{c, zero, -l.re * s, -l.im * s, p.re * s, p.im * s, pl.re * c, pl.im * c}};
        }
        default: {
            Matrix2<N> m;
            for (int i = 0; i < 8; ++i) m.v[i] = Number<N>::of(plan.data[f.matrix + i]);
            return m;
        }
    }
}

/// 2 Re sum_ab G_ab (dF/dangle)_ab for each angle of the factor F; returns how many there are.
template <typename N>
int factor_gradient(const Factor& f, const Trigonometry<N>& t, const Matrix2<N>& G, N out[3]) {
    const N &s = t.s[0], &c = t.c[0];
    const N two = Number<N>::of(2.0);
    switch (f.kind) {
        case FactorKind::rx:
            out[0] = c * (G.v[3] + G.v[5]) - s * (G.v[0] + G.v[6]);
            return 1;
        case FactorKind::ry:
            out[0] = c * (G.v[4] - G.v[2]) - s * (G.v[0] + G.v[6]);
            return 1;
        case FactorKind::rz:
            out[0] = c * (G.v[1] - G.v[7]) - s * (G.v[0] + G.v[6]);
            return 1;
        case FactorKind::p:
            out[0] = -two * (s * G.v[6] + c * G.v[7]);
            return 1;
        case FactorKind::phase:
            out[0] = -two * (s * (G.v[0] + G.v[6]) + c * (G.v[1] + G.v[7]));
            return 1;
        case FactorKind::u: {
            const Complex<N> p{t.c[1], t.s[1]}, l{t.c[2], t.s[2]};
            const Complex<N> g01 = mul(entry(G, 1), l), g10 = mul(entry(G, 2), p);
            const Complex<N> g11 = mul(entry(G, 3), mul(p, l));
            out[0] = c * (g10.re - g01.re) - s * (G.v[0] + g11.re);
            out[1] = -two * (s * g10.im + c * g11.im);
            out[2] = two * (s * g01.im - c * g11.im);
            return 3;
        }
        default:
            return 0;
    }
}

template <typename N>
Matrix2<N> chain_matrix(const PlanView& plan, const Factor* begin, const Factor* end,
                        const N* angles) {
    Matrix2<N> m = identity2<N>();
    for (const Factor* f = begin; f != end; ++f) {
        const Matrix2<N> next = factor_matrix(plan, *f, trigonometry(*f, angles));
        m = f == begin ? next : product(next, m);
    }
    return m;
}

/// Gradients of a chain M = F_k ... F_1 from G (dL = 2 Re sum G_ij dM_ij), last factor first;
/// `emit(angle, value)` receives each. The prefix products are recovered by undoing one factor
/// at a time, since all factors are unitary.
template <typename N, typename Emit>
void chain_gradient(const PlanView& plan, const Factor* begin, const Factor* end, const N* angles,
                    Matrix2<N> prefix, Matrix2<N> G, const Emit& emit) {
    for (const Factor* f = end; f != begin;) {
        --f;
        const Trigonometry<N> t = trigonometry(*f, angles);
        const Matrix2<N> F = factor_matrix(plan, *f, t);
        prefix = product(adjoint(F), prefix);
        N out[3];
        const int count = factor_gradient(*f, t, product(G, transposed(prefix)), out);
        for (int i = 0; i < count; ++i) emit(f->angle[i], out[i]);
        G = product(transposed(F), G);
    }
}

/// A 1-qubit state: a0, a1, real then imaginary.
template <typename N>
struct Qubit {
    N v[4];
};

template <typename N>
Qubit<N> apply(const Matrix2<N>& m, const Qubit<N>& q) {
    const Complex<N> a{q.v[0], q.v[1]}, b{q.v[2], q.v[3]};
    const Complex<N> x = add(mul(entry(m, 0), a), mul(entry(m, 1), b));
    const Complex<N> y = add(mul(entry(m, 2), a), mul(entry(m, 3), b));
    return {{x.re, x.im, y.re, y.im}};
}

/// The chain applied to |0>.
template <typename N>
Qubit<N> chain_state(const PlanView& plan, const Factor* begin, const Factor* end,
                     const N* angles) {
    const N zero = Number<N>::of(0.0), one = Number<N>::of(1.0);
    Qubit<N> q{{one, zero, zero, zero}};
    for (const Factor* f = begin; f != end; ++f) {
        q = apply(factor_matrix(plan, *f, trigonometry(*f, angles)), q);
    }
    return q;
}

/// As chain_gradient for the chain's action on |0>: dL = 2 Re sum g_i dq_i.
template <typename N, typename Emit>
void chain_state_gradient(const PlanView& plan, const Factor* begin, const Factor* end,
                          const N* angles, Qubit<N> q, Qubit<N> g, const Emit& emit) {
    for (const Factor* f = end; f != begin;) {
        --f;
        const Trigonometry<N> t = trigonometry(*f, angles);
        const Matrix2<N> F = factor_matrix(plan, *f, t);
        q = apply(adjoint(F), q);
        Matrix2<N> G;
        for (int i = 0; i < 2; ++i) {
            for (int j = 0; j < 2; ++j) {
                set(G, 2 * i + j,
                    mul(Complex<N>{g.v[2 * i], g.v[2 * i + 1]},
                        Complex<N>{q.v[2 * j], q.v[2 * j + 1]}));
            }
        }
        N out[3];
        const int count = factor_gradient(*f, t, G, out);
        for (int i = 0; i < count; ++i) emit(f->angle[i], out[i]);
        g = apply(transposed(F), g);
    }
}

}  // namespace
}  // namespace wb::statevector::WB_ISA
