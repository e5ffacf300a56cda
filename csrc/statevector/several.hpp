// SPDX-License-Identifier: Apache-2.0
// Steps on several wires: phase tables, Pauli rotations, constant unitaries. See rows.hpp for
// the layout of a block.
#pragma once

#include "statevector/rows.hpp"

namespace wb::statevector::WB_ISA {
namespace {

inline constexpr int kMaxTable = 1 << kMaxDiagonalWires;

/// Where a diagonal step's bits lie: entry (row index j, lane l) of the block's table is entry
/// of[j] | lane_of[l] of the step's.
template <typename V>
struct TableMap {
    static constexpr int kLanes = static_cast<int>(sizeof(V) / sizeof(V{}[0]));
    int n_row_bits = 0;
    int row_bit[kMaxDiagonalWires];
    std::uint32_t of[kMaxTable];
    std::uint32_t lane_of[kLanes];

    TableMap(const Layout& layout, const PlanView& plan, const Step& step) {
        int step_bit[kMaxDiagonalWires];
        for (auto& bits : lane_of) bits = 0;
        for (int i = 0; i < step.n_wires; ++i) {
            const int at = layout.where[plan.wires[step.wires_begin + i]];
            if (at >= layout.lane_bits) {
                row_bit[n_row_bits] = at - layout.lane_bits;
                step_bit[n_row_bits++] = i;
            } else {
                for (int l = 0; l < kLanes; ++l) {
                    lane_of[l] |= static_cast<std::uint32_t>(l >> at & 1) << i;
                }
            }
        }
        for (std::uint32_t j = 0; j < std::uint32_t{1} << n_row_bits; ++j) {
            of[j] = 0;
            for (int b = 0; b < n_row_bits; ++b) of[j] |= (j >> b & 1) << step_bit[b];
        }
    }

    std::uint32_t index(std::uint64_t row) const {
        std::uint32_t j = 0;
        for (int b = 0; b < n_row_bits; ++b) {
            j |= static_cast<std::uint32_t>(row >> row_bit[b] & 1) << b;
        }
        return j;
    }

    /// The step's table rearranged for this block.
    void arrange(const Layout& layout, const Complex<V>* table, Complex<V>* out) const {
        for (int j = 0; j < 1 << n_row_bits; ++j) {
            out[j] = table[of[j]];
            for (int l = 0; layout.lane_bits && l < kLanes; ++l) {
                out[j].re[l] = table[of[j] | lane_of[l]].re[l];
                out[j].im[l] = table[of[j] | lane_of[l]].im[l];
            }
        }
    }
};

template <typename V>
void diagonal_apply(const Layout& layout, const PlanView& plan, const Step& step,
                    const Complex<V>* table, V* psi) {
    const TableMap<V> map(layout, plan, step);
    Complex<V> local[kMaxTable];
    map.arrange(layout, table, local);
    for (std::uint64_t r = 0; r < static_cast<std::uint64_t>(layout.rows()); ++r) {
        const Complex<V> out = mul(local[map.index(r)], Complex<V>{psi[2 * r], psi[2 * r + 1]});
        psi[2 * r] = out.re;
        psi[2 * r + 1] = out.im;
    }
}

/// Undoes a diagonal step and adds Im(conj(lambda) psi) of the states after it to sums[entry].
template <typename V, typename Sums>
void diagonal_reverse(const Layout& layout, const PlanView& plan, const Step& step,
                      const Complex<V>* table, V* psi, V* lambda, const Sums& add_sum) {
    const TableMap<V> map(layout, plan, step);
    Complex<V> local[kMaxTable];
    V sums[kMaxTable];
    map.arrange(layout, table, local);
    for (int j = 0; j < 1 << map.n_row_bits; ++j) {
        local[j] = conj(local[j]);
        sums[j] = V{};
    }
    for (std::uint64_t r = 0; r < static_cast<std::uint64_t>(layout.rows()); ++r) {
        const std::uint32_t j = map.index(r);
        const Complex<V> x{psi[2 * r], psi[2 * r + 1]}, u{lambda[2 * r], lambda[2 * r + 1]};
        sums[j] += u.re * x.im - u.im * x.re;
        const Complex<V> a = mul(local[j], x), b = mul(local[j], u);
        psi[2 * r] = a.re;
        psi[2 * r + 1] = a.im;
        lambda[2 * r] = b.re;
        lambda[2 * r + 1] = b.im;
    }
    for (int j = 0; j < 1 << map.n_row_bits; ++j) add_sum(map.of[j], map.lane_of, sums[j]);
}

/// The Pauli string i^n_y X^x Z^z seen from a block.
template <typename V>
struct BlockPauli {
    std::uint64_t row_x, row_z, lane_x;
    int n_y;
    V lane_sign;

    BlockPauli(const Layout& layout, std::uint64_t x, std::uint64_t z, int y) : n_y(y & 3) {
        const std::uint64_t xs = layout.locate(x), zs = layout.locate(z);
        row_x = layout.row_part(xs);
        row_z = layout.row_part(zs);
        lane_x = layout.lane_part(xs);
        const std::uint64_t lane_z = layout.lane_part(zs);
        constexpr int lanes = static_cast<int>(sizeof(V) / sizeof(lane_sign[0]));
        for (int l = 0; l < lanes; ++l) {
            const auto source = static_cast<std::uint64_t>(l) ^ lane_x;
            lane_sign[l] = __builtin_parityll(source & lane_z) ? -1 : 1;
        }
    }

    /// Row r of P psi.
    Complex<V> row(const V* psi, std::uint64_t r) const {
        const std::uint64_t from = r ^ row_x;
        V re = psi[2 * from], im = psi[2 * from + 1];
        if (lane_x) {
            re = exchange_lanes(re, lane_x);
            im = exchange_lanes(im, lane_x);
        }
        const V sign = __builtin_parityll(from & row_z) ? -lane_sign : lane_sign;
        re *= sign;
        im *= sign;
        switch (n_y) {
            case 0:
                return {re, im};
            case 1:
                return {-im, re};
            case 2:
                return {-re, -im};
            default:
                return {im, -re};
        }
    }
};

/// exp(-i angle/2 P): cosine and sine of the half angle.
template <typename V>
void rotation_apply(const BlockPauli<V>& pauli, int row_bits, const V& c, const V& s, V* psi) {
    const std::uint64_t rows = std::uint64_t{1} << row_bits;
    const auto rotated = [&](std::uint64_t r) WB_INLINE {
        const Complex<V> y = pauli.row(psi, r);
        return Complex<V>{c * psi[2 * r] + s * y.im, c * psi[2 * r + 1] - s * y.re};
    };
    for (std::uint64_t r = 0; r < rows; ++r) {
        const std::uint64_t partner = r ^ pauli.row_x;
        if (partner < r) continue;
        const Complex<V> a = rotated(r), b = rotated(partner);
        psi[2 * r] = a.re;
        psi[2 * r + 1] = a.im;
        psi[2 * partner] = b.re;
        psi[2 * partner + 1] = b.im;
    }
}

/// Sum over rows of Im(conj(lambda) P psi).
template <typename V>
V rotation_sum(const BlockPauli<V>& pauli, int row_bits, const V* psi, const V* lambda) {
    V sum{};
    for (std::uint64_t r = 0; r < std::uint64_t{1} << row_bits; ++r) {
        const Complex<V> y = pauli.row(psi, r);
        sum += lambda[2 * r] * y.im - lambda[2 * r + 1] * y.re;
    }
    return sum;
}

/// A constant k-wire matrix on elements E (vectors when all wires are row bits, else scalars);
/// `at(index)` gives the address of an element's real part, its imaginary part lying `stride`
/// elements further.
template <typename E, typename At>
void matrix_apply(int n_bits, const int* wires, int k, const double* matrix, bool adjoint,
                  std::int64_t stride, const At& at) {
    int sorted[kMaxUnitaryWires];
    for (int i = 0; i < k; ++i) {
        int j = i;
        for (; j > 0 && sorted[j - 1] > wires[i]; --j) sorted[j] = sorted[j - 1];
        sorted[j] = wires[i];
    }
    const int side = 1 << k;
    std::uint64_t offset[1 << kMaxUnitaryWires];
    for (int i = 0; i < side; ++i) {
        offset[i] = 0;
        for (int b = 0; b < k; ++b) {
            if (i >> b & 1) offset[i] |= std::uint64_t{1} << wires[b];
        }
    }
    Complex<E> in[1 << kMaxUnitaryWires];
    for (std::uint64_t g = 0; g < std::uint64_t{1} << (n_bits - k); ++g) {
        std::uint64_t base = g;
        for (int b = 0; b < k; ++b) base = spread(base, sorted[b]);
        for (int i = 0; i < side; ++i) {
            const E* e = at(base | offset[i]);
            in[i] = {e[0], e[stride]};
        }
        for (int i = 0; i < side; ++i) {
            E re{}, im{};
            for (int j = 0; j < side; ++j) {
                const double* m = matrix + 2 * (adjoint ? j * side + i : i * side + j);
                const E mr = Number<E>::of(m[0]), mi = Number<E>::of(adjoint ? -m[1] : m[1]);
                re += mr * in[j].re - mi * in[j].im;
                im += mr * in[j].im + mi * in[j].re;
            }
            E* e = at(base | offset[i]);
            e[0] = re;
            e[stride] = im;
        }
    }
}

template <typename T, typename V>
void unitary_apply(const Layout& layout, const PlanView& plan, const Step& step, bool adjoint,
                   V* psi) {
    int wires[kMaxUnitaryWires];
    bool in_lanes = false;
    for (int i = 0; i < step.n_wires; ++i) {
        wires[i] = layout.where[plan.wires[step.wires_begin + i]];
        in_lanes = in_lanes || wires[i] < layout.lane_bits;
    }
    const double* matrix = plan.data + step.matrix;
    if (!in_lanes) {
        for (int i = 0; i < step.n_wires; ++i) wires[i] -= layout.lane_bits;
        matrix_apply<V>(layout.row_bits, wires, step.n_wires, matrix, adjoint, 1,
                        [&](std::uint64_t r) WB_INLINE { return psi + 2 * r; });
    } else {
        constexpr std::uint64_t lanes = VectorOf<T>::lanes;
        T* scalars = reinterpret_cast<T*>(psi);
        matrix_apply<T>(layout.row_bits + layout.lane_bits, wires, step.n_wires, matrix, adjoint,
                        static_cast<std::int64_t>(lanes), [&](std::uint64_t i) WB_INLINE {
                            return scalars + i / lanes * 2 * lanes + i % lanes;
                        });
    }
}

}  // namespace
}  // namespace wb::statevector::WB_ISA
