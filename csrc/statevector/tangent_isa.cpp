// SPDX-License-Identifier: Apache-2.0
// One tile along tangents: a pair of a direction and a sample in each lane, all amplitudes in
// rows, as in tiles_isa.cpp, over dual numbers.
#include "core/carver.hpp"
#include "statevector/dual.hpp"
#include "statevector/product.hpp"
#include "statevector/steps.hpp"
#include "statevector/tangent.hpp"

namespace wb::statevector::WB_ISA {
namespace {

template <typename V>
void pauli_rotation(const BlockPauli<V>& pauli, int row_bits, const Dual<V>& c, const Dual<V>& s,
                    Dual<V>* psi) {
    const auto image = [&](std::uint64_t r) WB_INLINE {
        const std::uint64_t from = r ^ pauli.row_x;
        const bool odd = __builtin_parityll(from & pauli.row_z);
        const Complex<Dual<V>> x{psi[2 * from], psi[2 * from + 1]};
        const Complex<Dual<V>> y = odd ? Complex<Dual<V>>{-x.re, -x.im} : x;
        switch (pauli.n_y) {
            case 0:
                return y;
            case 1:
                return Complex<Dual<V>>{-y.im, y.re};
            case 2:
                return Complex<Dual<V>>{-y.re, -y.im};
            default:
                return Complex<Dual<V>>{y.im, -y.re};
        }
    };
    const auto rotated = [&](std::uint64_t r) WB_INLINE {
        const Complex<Dual<V>> y = image(r);
        return Complex<Dual<V>>{c * psi[2 * r] + s * y.im, c * psi[2 * r + 1] - s * y.re};
    };
    for (std::uint64_t r = 0; r < std::uint64_t{1} << row_bits; ++r) {
        const std::uint64_t partner = r ^ pauli.row_x;
        if (partner < r) continue;
        const Complex<Dual<V>> a = rotated(r), b = rotated(partner);
        psi[2 * r] = a.re;
        psi[2 * r + 1] = a.im;
        psi[2 * partner] = b.re;
        psi[2 * partner + 1] = b.im;
    }
}

template <typename V>
void apply(const Layout& layout, const PlanView& plan, const Step& step,
           const StepNumbers<Dual<V>>& numbers, Dual<V>* psi) {
    switch (step.kind) {
        case StepKind::matrix:
            rows_apply(psi, layout.row_bits, step.target, step.controls, true, numbers.mux.set);
            if (numbers.mux.has_unset && step.controls) {
                rows_apply(psi, layout.row_bits, step.target, step.controls, false,
                           numbers.mux.unset);
            }
            break;
        case StepKind::diagonal: {
            const TableMap<V> map(layout, plan, step);
            for (std::uint64_t r = 0; r < static_cast<std::uint64_t>(layout.rows()); ++r) {
                const Complex<Dual<V>> out = mul(numbers.table[map.of[map.index(r)]],
                                                 Complex<Dual<V>>{psi[2 * r], psi[2 * r + 1]});
                psi[2 * r] = out.re;
                psi[2 * r + 1] = out.im;
            }
            break;
        }
        case StepKind::rotation:
            pauli_rotation(BlockPauli<V>(layout, step.x, step.z, step.n_y), layout.row_bits,
                           numbers.c, numbers.s, psi);
            break;
        case StepKind::unitary: {
            // Constant, and so the same for states and their tangents.
            int wires[kMaxUnitaryWires];
            for (int i = 0; i < step.n_wires; ++i) {
                wires[i] = layout.where[plan.wires[step.wires_begin + i]];
            }
            for (int part = 0; part < 2; ++part) {
                V* first = part == 0 ? &psi->value : &psi->change;
                matrix_apply<V>(layout.row_bits, wires, step.n_wires, plan.data + step.matrix,
                                false, 2, [&](std::uint64_t r) WB_INLINE { return first + 4 * r; });
            }
            break;
        }
    }
}

/// out[row] = 2 Re <psi| observable |dpsi>.
template <typename V>
void observe_change(const Layout& layout, const ObservableView& observables, const Dual<V>* psi,
                    V* work, V* out) {
    const V two = Number<V>::of(2.0);
    const std::int64_t rows = layout.rows();
    for (int k = 0; k < observables.n_rows; ++k) out[k] = V{};
    for (std::int64_t r = 0; r < rows; ++r) {
        const Dual<V>&re = psi[2 * r], &im = psi[2 * r + 1];
        work[r] = two * (re.value * re.change + im.value * im.change);
    }
    if (observables.only_single_z) {
        V z[64];
        for (int b = layout.row_bits - 1; b >= 0; --b) {
            const std::int64_t half = std::int64_t{1} << b;
            z[b] = V{};
            for (std::int64_t r = 0; r < half; ++r) {
                z[b] += work[r] - work[r + half];
                work[r] += work[r + half];
            }
        }
        for (std::int64_t t = 0; t < observables.n_terms; ++t) {
            const Term& term = observables.terms[t];
            out[term.row] += z[__builtin_ctzll(term.z)] * Number<V>::of(term.coefficient);
        }
        return;
    }
    for (std::int64_t t = 0; t < observables.n_terms; ++t) {
        const Term& term = observables.terms[t];
        V sum{};
        for (std::int64_t r = 0; r < rows; ++r) {
            const std::uint64_t from = static_cast<std::uint64_t>(r) ^ term.x;
            const bool odd = __builtin_parityll(from & term.z);
            if (term.x == 0) {
                sum = odd ? sum - work[r] : sum + work[r];
                continue;
            }
            // i^n_y conj(psi_r) dpsi_from, its real part.
            const V ar = psi[2 * r].value, ai = psi[2 * r + 1].value;
            const V br = psi[2 * from].change, bi = psi[2 * from + 1].change;
            const V re = ar * br + ai * bi, im = ar * bi - ai * br;
            const V turned = (term.n_y & 3) == 0   ? re
                             : (term.n_y & 3) == 1 ? -im
                             : (term.n_y & 3) == 2 ? -re
                                                   : im;
            sum = odd ? sum - two * turned : sum + two * turned;
        }
        out[term.row] += sum * Number<V>::of(term.coefficient);
    }
}

/// The angles of the lanes; lanes past the last pair read as zero input without a tangent.
template <typename T, typename V = typename VectorOf<T>::V>
void lane_angles(const TangentJob<T>& job, std::int64_t first, int valid, Dual<V>* out) {
    const PlanView& plan = job.plan;
    for (std::int32_t a = 0; a < plan.n_angles; ++a) {
        const Angle& angle = plan.angles[a];
        Dual<V> sum{V{} + static_cast<T>(job.angles[a]), V{}};
        for (std::int32_t t = angle.weights_begin; t < angle.inputs_end; ++t) {
            const T coefficient = static_cast<T>(plan.terms[t].coefficient);
            const std::int32_t index = plan.terms[t].index;
            for (int l = 0; l < valid; ++l) {
                const std::int64_t pair = first + l, direction = pair / job.batch;
                if (t < angle.weights_end) {
                    sum.change[l] +=
                        coefficient * job.weight_tangents[direction * plan.n_weights + index];
                } else {
                    const std::int64_t sample = pair % job.batch;
                    sum.value[l] += coefficient * job.inputs[sample * plan.n_inputs + index];
                    sum.change[l] += coefficient * job.input_tangents[pair * plan.n_inputs + index];
                }
            }
        }
        out[a] = sum;
    }
}

/// What a tile takes of the scratch.
template <typename T>
struct TangentRoom {
    using V = typename VectorOf<T>::V;
    Dual<V>* angles;
    Qubit<Dual<V>>* qubits;
    V *work, *out;

    TangentRoom(const PlanView& plan, const ObservableView& observables,
                Carver<VectorOf<T>>& scratch)
        : angles(scratch.template take_as<Dual<V>>(plan.n_angles)),
          qubits(scratch.template take_as<Qubit<Dual<V>>>(plan.n_wires)),
          work(scratch.take(std::int64_t{1} << plan.n_wires)),
          out(scratch.take(observables.n_rows)) {}
};

template <typename T>
std::int64_t counted(const PlanView& plan, const ObservableView& observables) {
    Carver<VectorOf<T>> counter;
    const TangentRoom<T> room(plan, observables, counter);
    return counter.vectors() * VectorOf<T>::lanes;
}

template <typename T>
void tile_tangent(const TangentJob<T>& job, std::int64_t tile, T* states, Room<T> scratch,
                  T* values) {
    using V = typename VectorOf<T>::V;
    constexpr int kLanes = VectorOf<T>::lanes;
    const PlanView& plan = job.plan;
    const std::int64_t first = tile * kLanes, left = job.directions * job.batch - first;
    const int valid = left < kLanes ? static_cast<int>(left) : kLanes;
    std::int8_t where[64];
    for (int b = 0; b < 64; ++b) where[b] = static_cast<std::int8_t>(b);
    const Layout layout{plan.n_wires, 0, where};
    auto* psi = reinterpret_cast<Dual<V>*>(states);
    Carver<VectorOf<T>> carver(scratch.memory, scratch.size);
    const TangentRoom<T> room(plan, job.observables, carver);
    Dual<V>* const angles = room.angles;
    Qubit<Dual<V>>* const qubits = room.qubits;
    V *const work = room.work, *const out = room.out;
    lane_angles(job, first, valid, angles);
    for (int w = 0; w < plan.n_wires; ++w) {
        qubits[w] = chain_state(plan, plan.initial + plan.initial_begin[w],
                                plan.initial + plan.initial_begin[w + 1], angles);
    }
    product_state(plan.n_wires, qubits, psi);
    StepNumbers<Dual<V>> numbers;
    for (std::int32_t i = 0; i < plan.n_steps; ++i) {
        lane_numbers(plan, plan.steps[i], angles, false, numbers);
        apply(layout, plan, plan.steps[i], numbers, psi);
    }
    if (values == nullptr) return;
    observe_change(layout, job.observables, psi, work, out);
    for (int l = 0; l < valid; ++l) {
        T* row = values + (first + l) * job.observables.n_rows;
        for (int k = 0; k < job.observables.n_rows; ++k) row[k] = out[k][l];
    }
}

}  // namespace

std::int64_t tile_tangent_scratch_f32(const PlanView& plan, const ObservableView& observables) {
    return counted<float>(plan, observables);
}

std::int64_t tile_tangent_scratch_f64(const PlanView& plan, const ObservableView& observables) {
    return counted<double>(plan, observables);
}

void tile_tangent_f32(const TangentJob<float>& job, std::int64_t tile, float* psi, Room<float> work,
                      float* values) {
    tile_tangent(job, tile, psi, work, values);
}

void tile_tangent_f64(const TangentJob<double>& job, std::int64_t tile, double* psi,
                      Room<double> work, double* values) {
    tile_tangent(job, tile, psi, work, values);
}

}  // namespace wb::statevector::WB_ISA
