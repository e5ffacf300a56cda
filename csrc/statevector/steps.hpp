// SPDX-License-Identifier: Apache-2.0
// One step of a plan on one block: its numbers, its action, its reverse.
#pragma once

#include "statevector/observe.hpp"

namespace wb::statevector::WB_ISA {
namespace {

template <typename N>
Complex<N> cis(const N& angle) {
    Complex<N> c;
    sincos_of(angle, c.im, c.re);
    return c;
}

/// The table of a diagonal step in its own bit order.
template <typename N>
void phase_table(const PlanView& plan, const Step& step, const N* angles, Complex<N>* table) {
    const std::uint32_t size = std::uint32_t{1} << step.n_wires;
    for (std::uint32_t i = 0; i < size; ++i) {
        table[i] = {Number<N>::of(1.0), Number<N>::of(0.0)};
    }
    for (std::int32_t p = step.parts_begin; p < step.parts_end; ++p) {
        const PhasePart& part = plan.parts[p];
        if (part.kind == PhaseKind::constant) {
            for (std::uint32_t i = 0; i < size; ++i) {
                std::uint32_t entry = 0;
                for (int b = 0; part.positions[b] >= 0; ++b)
                    entry |= (i >> part.positions[b] & 1) << b;
                const double* value = plan.data + part.matrix + 2 * entry;
                table[i] =
                    mul(table[i], Complex<N>{Number<N>::of(value[0]), Number<N>::of(value[1])});
            }
            continue;
        }
        const bool parity = part.kind == PhaseKind::parity;
        const N angle = angles[part.angle];
        const Complex<N> e = cis<N>(parity ? angle * Number<N>::of(-0.5) : angle);
        for (std::uint32_t i = 0; i < size; ++i) {
            if ((i & part.controls) != part.controls) continue;
            const bool odd = parity && __builtin_parity(i & part.mask);
            table[i] = mul(table[i], odd ? conj(e) : e);
        }
    }
}

/// Gradients of a diagonal step from sums[i] = sum Im(conj(lambda) psi) over amplitudes of entry i.
template <typename N, typename Emit>
void phase_gradient(const PlanView& plan, const Step& step, const N* sums, const Emit& emit) {
    for (std::int32_t p = step.parts_begin; p < step.parts_end; ++p) {
        const PhasePart& part = plan.parts[p];
        if (part.kind == PhaseKind::constant) continue;
        N total = Number<N>::of(0.0);
        for (std::uint32_t i = 0; i < std::uint32_t{1} << step.n_wires; ++i) {
            if ((i & part.controls) != part.controls) continue;
            if (part.kind == PhaseKind::phase) {
                total -= sums[i] + sums[i];
            } else {
                total += __builtin_parity(i & part.mask) ? -sums[i] : sums[i];
            }
        }
        emit(part.angle, total);
    }
}

/// The numbers of a step for vectors V: from the shared coefficients (broadcast), or from angles
/// that differ by lane.
template <typename V>
struct StepNumbers {
    Mux<V> mux;
    Complex<V> table[kMaxTable];
    V c, s;
};

template <typename T, typename V>
void broadcast_numbers(const Step& step, const T* coefficients, bool adjointed,
                       StepNumbers<V>& out) {
    const T* values = coefficients + step.coefficients;
    switch (step.kind) {
        case StepKind::matrix:
            for (int i = 0; i < 8; ++i) {
                out.mux.unset.v[i] = V{} + values[i];
                out.mux.set.v[i] = V{} + values[8 + i];
            }
            out.mux.has_unset = step.chain0_end > step.chain0_begin;
            if (adjointed) {
                out.mux.unset = adjoint(out.mux.unset);
                out.mux.set = adjoint(out.mux.set);
            }
            break;
        case StepKind::diagonal:
            for (int i = 0; i < 1 << step.n_wires; ++i) {
                out.table[i] = {V{} + values[2 * i], V{} + values[2 * i + 1]};
            }
            break;
        case StepKind::rotation:
            out.c = V{} + values[0];
            out.s = V{} + (adjointed ? -values[1] : values[1]);
            break;
        case StepKind::unitary:
            break;
    }
}

template <typename V>
void lane_numbers(const PlanView& plan, const Step& step, const V* angles, bool adjointed,
                  StepNumbers<V>& out) {
    switch (step.kind) {
        case StepKind::matrix: {
            const Factor* f = plan.factors;
            out.mux.has_unset = step.chain0_end > step.chain0_begin;
            out.mux.unset = chain_matrix(plan, f + step.chain0_begin, f + step.chain0_end, angles);
            out.mux.set = chain_matrix(plan, f + step.chain1_begin, f + step.chain1_end, angles);
            if (adjointed) {
                out.mux.unset = adjoint(out.mux.unset);
                out.mux.set = adjoint(out.mux.set);
            }
            break;
        }
        case StepKind::diagonal:
            phase_table(plan, step, angles, out.table);
            break;
        case StepKind::rotation: {
            const Complex<V> e = cis<V>(angles[step.angle] * Number<V>::of(adjointed ? -0.5 : 0.5));
            out.c = e.re;
            out.s = e.im;
            break;
        }
        case StepKind::unitary:
            break;
    }
}

template <typename T, typename V>
void step_apply(const Layout& layout, const PlanView& plan, const Step& step,
                const StepNumbers<V>& numbers, V* psi) {
    switch (step.kind) {
        case StepKind::matrix:
            mux_apply(layout, step, numbers.mux, psi);
            break;
        case StepKind::diagonal:
            diagonal_apply(layout, plan, step, numbers.table, psi);
            break;
        case StepKind::rotation:
            rotation_apply(BlockPauli<V>(layout, step.x, step.z, step.n_y), layout.row_bits,
                           numbers.c, numbers.s, psi);
            break;
        case StepKind::unitary:
            unitary_apply<T>(layout, plan, step, false, psi);
            break;
    }
}

/// The gradient sums of a step, lane by lane.
template <typename V>
struct StepSums {
    Matrix2<V> unset, set;
    V table[kMaxTable];
    V angle;
};

/// Undoes the step on both states. `numbers` are adjointed (tables are not). With `sums` the
/// gradient sums are taken first; for diagonal steps on a single state `collected` (doubles)
/// receives them, as there the lanes belong to different entries.
template <typename T, typename V>
void step_reverse(const Layout& layout, const PlanView& plan, const Step& step,
                  const StepNumbers<V>& numbers, V* psi, V* lambda, StepSums<V>& sums,
                  double* collected) {
    switch (step.kind) {
        case StepKind::matrix:
            mux_reverse(layout, step, numbers.mux, psi, lambda, sums.unset, sums.set);
            if (collected) collect_mux(layout, step, sums.unset, sums.set, collected);
            break;
        case StepKind::diagonal:
            diagonal_reverse(layout, plan, step, numbers.table, psi, lambda,
                             [&](std::uint32_t entry, const std::uint32_t* lane_entry, const V& v) {
                                 sums.table[entry] = v;
                                 for (int l = 0; collected && l < VectorOf<T>::lanes; ++l) {
                                     collected[entry | lane_entry[l]] += static_cast<double>(v[l]);
                                 }
                             });
            break;
        case StepKind::rotation: {
            const BlockPauli<V> pauli(layout, step.x, step.z, step.n_y);
            sums.angle = rotation_sum(pauli, layout.row_bits, psi, lambda);
            if (collected) collected[0] += sum_lanes(sums.angle);
            rotation_apply(pauli, layout.row_bits, numbers.c, numbers.s, psi);
            rotation_apply(pauli, layout.row_bits, numbers.c, numbers.s, lambda);
            break;
        }
        case StepKind::unitary:
            unitary_apply<T>(layout, plan, step, true, psi);
            unitary_apply<T>(layout, plan, step, true, lambda);
            break;
    }
}

/// Gradients of one step from its sums (over lanes of samples, or doubles); `G` are the sums of
/// the states after the step.
template <typename N, typename Emit>
void matrix_gradient(const PlanView& plan, const Step& step, const N* angles,
                     const Matrix2<N>& unset, const Matrix2<N>& set, const Emit& emit) {
    const auto half = [&](std::int32_t begin, std::int32_t end, const Matrix2<N>& G) {
        if (begin == end) return;
        const Factor* f = plan.factors;
        const Matrix2<N> m = chain_matrix(plan, f + begin, f + end, angles);
        // psi before the gate is m^H psi after it.
        chain_gradient(plan, f + begin, f + end, angles, m, product(G, conjugated(m)), emit);
    };
    half(step.chain0_begin, step.chain0_end, unset);
    half(step.chain1_begin, step.chain1_end, set);
}

inline bool wanted(const Step& step, bool weights, bool inputs) {
    return (weights && step.weights) || (inputs && step.inputs);
}

}  // namespace
}  // namespace wb::statevector::WB_ISA
