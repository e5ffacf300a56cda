// SPDX-License-Identifier: Apache-2.0
// Gates on a block of amplitudes stored as rows of vectors: row r holds the real and imaginary
// parts of W amplitudes at psi[2r], psi[2r + 1]. In a tile the lanes are samples and every bit
// of the amplitude index is a row bit; in a single state the lanes are the lowest bits of the
// index, and gates on those bits become permutations within a vector.
#pragma once

#include "statevector/chain.hpp"

namespace wb::statevector::WB_ISA {
namespace {

/// Where the bits of a plan stand in a block: below `lane_bits` in the lanes, above in the rows.
struct Layout {
    int row_bits, lane_bits;
    const std::int8_t* where;  // position in the block of each bit of the plan

    std::int64_t rows() const { return std::int64_t{1} << row_bits; }
    std::uint64_t locate(std::uint64_t bits) const {
        std::uint64_t out = 0;
        for (; bits; bits &= bits - 1) out |= std::uint64_t{1} << where[__builtin_ctzll(bits)];
        return out;
    }
    std::uint64_t row_part(std::uint64_t located) const { return located >> lane_bits; }
    std::uint64_t lane_part(std::uint64_t located) const {
        return located & ((std::uint64_t{1} << lane_bits) - 1);
    }
};

/// Spreads k over the bits other than `bit`, leaving a zero there.
inline std::uint64_t spread(std::uint64_t k, int bit) {
    const std::uint64_t low = (std::uint64_t{1} << bit) - 1;
    return (k & ~low) << 1 | (k & low);
}

/// Calls f(r0, r1) for the row pairs that differ in `target` and whose `controls` bits are all
/// set (want) or, for at most one control, unset.
template <typename F>
WB_INLINE inline void for_pairs(int row_bits, int target, std::uint64_t controls, bool want,
                                const F& f) {
    const std::uint64_t step = std::uint64_t{1} << target;
    if (controls == 0) {
        const std::uint64_t count = std::uint64_t{1} << (row_bits - 1);
        for (std::uint64_t k = 0; k < count; ++k) {
            const std::uint64_t r = spread(k, target);
            f(r, r | step);
        }
    } else if ((controls & (controls - 1)) == 0) {
        const int control = __builtin_ctzll(controls);
        const int low = control < target ? control : target;
        const int high = control < target ? target : control;
        const std::uint64_t count = std::uint64_t{1} << (row_bits - 2);
        const std::uint64_t fixed = want ? controls : 0;
        for (std::uint64_t k = 0; k < count; ++k) {
            const std::uint64_t r = spread(spread(k, low), high) | fixed;
            f(r, r | step);
        }
    } else {
        const std::uint64_t count = std::uint64_t{1} << (row_bits - 1);
        for (std::uint64_t k = 0; k < count; ++k) {
            const std::uint64_t r = spread(k, target);
            if ((r & controls) == controls) f(r, r | step);
        }
    }
}

template <typename F>
WB_INLINE inline void for_rows(int row_bits, std::uint64_t controls, bool want, const F& f) {
    const std::uint64_t count = std::uint64_t{1} << row_bits;
    for (std::uint64_t r = 0; r < count; ++r) {
        if (((r & controls) == controls) == want) f(r);
    }
}

template <typename V>
void rows_apply(V* psi, int row_bits, int target, std::uint64_t controls, bool want,
                const Matrix2<V>& m) {
    const V ar = m.v[0], ai = m.v[1], br = m.v[2], bi = m.v[3];
    const V cr = m.v[4], ci = m.v[5], dr = m.v[6], di = m.v[7];
    for_pairs(row_bits, target, controls, want, [&](std::uint64_t r0, std::uint64_t r1) WB_INLINE {
        V* p = psi + 2 * r0;
        V* q = psi + 2 * r1;
        const V xr = p[0], xi = p[1], yr = q[0], yi = q[1];
        p[0] = ar * xr - ai * xi + br * yr - bi * yi;
        p[1] = ar * xi + ai * xr + br * yi + bi * yr;
        q[0] = cr * xr - ci * xi + dr * yr - di * yi;
        q[1] = cr * xi + ci * xr + dr * yi + di * yr;
    });
}

/// Undoes a gate on psi and lambda (h is its adjoint) and adds conj(lambda_i) psi_j of the states
/// after the gate to `sums`.
template <typename V>
void rows_reverse(V* psi, V* lambda, int row_bits, int target, std::uint64_t controls, bool want,
                  const Matrix2<V>& h, Matrix2<V>& sums) {
    const V ar = h.v[0], ai = h.v[1], br = h.v[2], bi = h.v[3];
    const V cr = h.v[4], ci = h.v[5], dr = h.v[6], di = h.v[7];
    V s0 = sums.v[0], s1 = sums.v[1], s2 = sums.v[2], s3 = sums.v[3];
    V s4 = sums.v[4], s5 = sums.v[5], s6 = sums.v[6], s7 = sums.v[7];
    for_pairs(row_bits, target, controls, want, [&](std::uint64_t r0, std::uint64_t r1) WB_INLINE {
        V* p = psi + 2 * r0;
        V* q = psi + 2 * r1;
        V* u = lambda + 2 * r0;
        V* w = lambda + 2 * r1;
        const V xr = p[0], xi = p[1], yr = q[0], yi = q[1];
        const V ur = u[0], ui = u[1], wr = w[0], wi = w[1];
        s0 += ur * xr + ui * xi;
        s1 += ur * xi - ui * xr;
        s2 += ur * yr + ui * yi;
        s3 += ur * yi - ui * yr;
        s4 += wr * xr + wi * xi;
        s5 += wr * xi - wi * xr;
        s6 += wr * yr + wi * yi;
        s7 += wr * yi - wi * yr;
        p[0] = ar * xr - ai * xi + br * yr - bi * yi;
        p[1] = ar * xi + ai * xr + br * yi + bi * yr;
        q[0] = cr * xr - ci * xi + dr * yr - di * yi;
        q[1] = cr * xi + ci * xr + dr * yi + di * yr;
        u[0] = ar * ur - ai * ui + br * wr - bi * wi;
        u[1] = ar * ui + ai * ur + br * wi + bi * wr;
        w[0] = cr * ur - ci * ui + dr * wr - di * wi;
        w[1] = cr * ui + ci * ur + dr * wi + di * wr;
    });
    sums = {{s0, s1, s2, s3, s4, s5, s6, s7}};
}

/// Lane-wise coefficients of a gate whose target is a lane bit: out = same * v + other * swapped.
template <typename V>
struct LaneGate {
    Complex<V> same, other;
};

/// The vector with the lanes l and l ^ mask exchanged.
template <typename V>
V exchange_lanes(const V& v, std::uint64_t mask) {
    using T = decltype(v[0] + v[0]);
    using I = typename VectorOf<T>::I;
    I index;
    for (int l = 0; l < VectorOf<T>::lanes; ++l) {
        index[l] = static_cast<typename VectorOf<T>::Int>(l ^ static_cast<int>(mask));
    }
    return __builtin_shuffle(v, index);
}

template <typename V>
LaneGate<V> lane_gate(const Matrix2<V>& unset, const Matrix2<V>& set, std::uint64_t target,
                      std::uint64_t controls) {
    using T = decltype(set.v[0][0] + set.v[0][0]);
    LaneGate<V> g;
    for (int l = 0; l < VectorOf<T>::lanes; ++l) {
        const auto lane = static_cast<std::uint64_t>(l);
        const Matrix2<V>& m = (lane & controls) == controls ? set : unset;
        const int b = (lane & target) != 0;
        g.same.re[l] = m.v[b ? 6 : 0][l];
        g.same.im[l] = m.v[b ? 7 : 1][l];
        g.other.re[l] = m.v[b ? 4 : 2][l];
        g.other.im[l] = m.v[b ? 5 : 3][l];
    }
    return g;
}

/// Blends two matrices by whether a lane has all its control bits set.
template <typename V>
Matrix2<V> blend_lanes(const Matrix2<V>& unset, const Matrix2<V>& set, std::uint64_t controls) {
    using T = decltype(set.v[0][0] + set.v[0][0]);
    Matrix2<V> m;
    for (int i = 0; i < 8; ++i) {
        for (int l = 0; l < VectorOf<T>::lanes; ++l) {
            const bool on = (static_cast<std::uint64_t>(l) & controls) == controls;
            m.v[i][l] = on ? set.v[i][l] : unset.v[i][l];
        }
    }
    return m;
}

/// A matrix step's two matrices, as vectors; `has_unset` is false where chain 0 is empty.
template <typename V>
struct Mux {
    Matrix2<V> unset, set;
    bool has_unset;
};

template <typename V>
void mux_apply(const Layout& layout, const Step& step, const Mux<V>& m, V* psi) {
    const std::uint64_t target = std::uint64_t{1} << layout.where[step.target];
    const std::uint64_t controls = layout.locate(step.controls);
    const std::uint64_t row_controls = layout.row_part(controls);
    const std::uint64_t lane_controls = layout.lane_part(controls);
    if (layout.row_part(target)) {
        const int t = __builtin_ctzll(layout.row_part(target));
        rows_apply(psi, layout.row_bits, t, row_controls, true,
                   lane_controls ? blend_lanes(m.unset, m.set, lane_controls) : m.set);
        if (m.has_unset && row_controls) {
            rows_apply(psi, layout.row_bits, t, row_controls, false, m.unset);
        }
        return;
    }
    const auto run = [&](const LaneGate<V>& g, bool want) {
        for_rows(layout.row_bits, row_controls, want, [&](std::uint64_t r) WB_INLINE {
            const Complex<V> x{psi[2 * r], psi[2 * r + 1]};
            const Complex<V> y{exchange_lanes(x.re, target), exchange_lanes(x.im, target)};
            const Complex<V> out = add(mul(g.same, x), mul(g.other, y));
            psi[2 * r] = out.re;
            psi[2 * r + 1] = out.im;
        });
    };
    run(lane_gate(m.unset, m.set, target, lane_controls), true);
    if (m.has_unset && row_controls) run(lane_gate(m.unset, m.unset, target, 0), false);
}

/// Undoes a matrix step given the adjoint matrices, and adds conj(lambda_i) psi_j to the sums of
/// the lanes (unset, set). With lanes that are amplitudes the entry (i, j) of a sum is meant for
/// the lanes whose target bit is i, so that collect_mux can add up the right ones.
template <typename V>
void mux_reverse(const Layout& layout, const Step& step, const Mux<V>& h, V* psi, V* lambda,
                 Matrix2<V>& unset_sums, Matrix2<V>& set_sums) {
    const std::uint64_t target = std::uint64_t{1} << layout.where[step.target];
    const std::uint64_t controls = layout.locate(step.controls);
    const std::uint64_t row_controls = layout.row_part(controls);
    const std::uint64_t lane_controls = layout.lane_part(controls);
    for (int i = 0; i < 8; ++i) unset_sums.v[i] = set_sums.v[i] = V{};
    if (layout.row_part(target)) {
        const int t = __builtin_ctzll(layout.row_part(target));
        rows_reverse(psi, lambda, layout.row_bits, t, row_controls, true,
                     lane_controls ? blend_lanes(h.unset, h.set, lane_controls) : h.set, set_sums);
        if (h.has_unset && row_controls) {
            rows_reverse(psi, lambda, layout.row_bits, t, row_controls, false, h.unset, unset_sums);
        }
        return;
    }
    const auto run = [&](const LaneGate<V>& g, bool want, Matrix2<V>& sums) {
        Complex<V> same{V{}, V{}}, other{V{}, V{}};
        for_rows(layout.row_bits, row_controls, want, [&](std::uint64_t r) WB_INLINE {
            const Complex<V> x{psi[2 * r], psi[2 * r + 1]};
            const Complex<V> y{exchange_lanes(x.re, target), exchange_lanes(x.im, target)};
            const Complex<V> u{lambda[2 * r], lambda[2 * r + 1]};
            const Complex<V> w{exchange_lanes(u.re, target), exchange_lanes(u.im, target)};
            same = add(same, mul(conj(u), x));
            other = add(other, mul(conj(u), y));
            const Complex<V> a = add(mul(g.same, x), mul(g.other, y));
            const Complex<V> b = add(mul(g.same, u), mul(g.other, w));
            psi[2 * r] = a.re;
            psi[2 * r + 1] = a.im;
            lambda[2 * r] = b.re;
            lambda[2 * r + 1] = b.im;
        });
        // Entries (0,0) and (1,1) come from `same`, (0,1) and (1,0) from `other`.
        set(sums, 0, same);
        set(sums, 3, same);
        set(sums, 1, other);
        set(sums, 2, other);
    };
    run(lane_gate(h.unset, h.set, target, lane_controls), true, set_sums);
    if (h.has_unset && row_controls) {
        run(lane_gate(h.unset, h.unset, target, 0), false, unset_sums);
    }
}

/// Adds up the lanes of mux_reverse's sums into sixteen doubles: the matrix of the unset half,
/// then that of the set half.
template <typename V>
void collect_mux(const Layout& layout, const Step& step, const Matrix2<V>& unset_sums,
                 const Matrix2<V>& set_sums, double* out) {
    const std::uint64_t target = layout.lane_part(std::uint64_t{1} << layout.where[step.target]);
    const std::uint64_t lane_controls = layout.lane_part(layout.locate(step.controls));
    constexpr int lanes = static_cast<int>(sizeof(V) / sizeof(set_sums.v[0][0]));
    for (int i = 0; i < 8; ++i) {
        const int row = i / 4;
        for (int l = 0; l < lanes; ++l) {
            const auto lane = static_cast<std::uint64_t>(l);
            if (target && static_cast<int>((lane & target) != 0) != row) continue;
            const bool on = (lane & lane_controls) == lane_controls;
            out[on ? 8 + i : i] += static_cast<double>(set_sums.v[i][l]);
            out[i] += static_cast<double>(unset_sums.v[i][l]);
        }
    }
}

}  // namespace
}  // namespace wb::statevector::WB_ISA
