// SPDX-License-Identifier: Apache-2.0
// Single states: the lowest bits of the amplitude index in the lanes. Runs of gates on few wires
// are applied to blocks of the state that fit the cache, so that the state passes through memory
// once per run and not once per gate.
#include "core/carver.hpp"
#include "statevector/kernels.hpp"
#include "statevector/product.hpp"
#include "statevector/steps.hpp"

namespace wb::statevector::WB_ISA {
namespace {

inline std::uint64_t deposit(std::uint64_t value, const std::int8_t* bits) {
    std::uint64_t out = 0;
    for (; value; value &= value - 1) {
        out |= std::uint64_t{1} << bits[__builtin_ctzll(value)];
    }
    return out;
}

/// Calls f(local row, state row, rows) for each run of consecutive rows of a block.
template <typename F>
void for_runs(const BlockGroup& group, int lane_bits, std::int64_t block, const F& f) {
    const std::uint64_t base = deposit(static_cast<std::uint64_t>(block), group.outside);
    const std::int64_t rows = std::int64_t{1} << (group.n_low - lane_bits);
    for (std::uint64_t c = 0; c < std::uint64_t{1} << (group.n_bits - group.n_low); ++c) {
        const std::uint64_t at = base | deposit(c, group.bits + group.n_low);
        f(static_cast<std::int64_t>(c) * rows, static_cast<std::int64_t>(at >> lane_bits), rows);
    }
}

template <typename V>
void copy_rows(const V* from, V* to, std::int64_t rows) {
    for (std::int64_t r = 0; r < 2 * rows; ++r) to[r] = from[r];
}

template <typename T>
Layout block_layout(const BlockGroup& group) {
    return {group.n_bits - VectorOf<T>::lane_bits, VectorOf<T>::lane_bits, group.where};
}

/// What the functions below take of the scratch.
template <typename T>
struct BlockRoom {
    using V = typename VectorOf<T>::V;
    V *psi, *lambda;

    BlockRoom(std::int64_t rows, bool reverse, Carver<VectorOf<T>>& scratch)
        : psi(scratch.take(2 * rows)), lambda(reverse ? scratch.take(2 * rows) : nullptr) {}
};

template <typename T>
void wide_block(const PlanView& plan, const BlockGroup& group, const T* coefficients,
                std::int64_t block, T* state, Room<T> scratch) {
    using V = typename VectorOf<T>::V;
    const Layout layout = block_layout<T>(group);
    const bool whole = group.n_bits == plan.n_wires;
    V* global = reinterpret_cast<V*>(state);
    V* psi = global;
    if (!whole) {
        Carver<VectorOf<T>> carver(scratch.memory, scratch.size);
        psi = BlockRoom<T>(layout.rows(), false, carver).psi;
    }
    if (!whole) {
        for_runs(group, layout.lane_bits, block, [&](auto local, auto at, auto rows) {
            copy_rows(global + 2 * at, psi + 2 * local, rows);
        });
    }
    StepNumbers<V> numbers;
    for (std::int32_t i = group.first; i < group.last; ++i) {
        broadcast_numbers(plan.steps[i], coefficients, false, numbers);
        step_apply<T>(layout, plan, plan.steps[i], numbers, psi);
    }
    if (!whole) {
        for_runs(group, layout.lane_bits, block, [&](auto local, auto at, auto rows) {
            copy_rows(psi + 2 * local, global + 2 * at, rows);
        });
    }
}

template <typename T>
void wide_block_reverse(const PlanView& plan, const BlockGroup& group, const T* coefficients,
                        std::int64_t block, bool want_weights, bool want_inputs, T* state,
                        T* cotangents, Room<T> scratch, double* sums) {
    using V = typename VectorOf<T>::V;
    const Layout layout = block_layout<T>(group);
    const bool whole = group.n_bits == plan.n_wires;
    V* global_psi = reinterpret_cast<V*>(state);
    V* global_lambda = reinterpret_cast<V*>(cotangents);
    V *psi = global_psi, *lambda = global_lambda;
    if (!whole) {
        Carver<VectorOf<T>> carver(scratch.memory, scratch.size);
        const BlockRoom<T> room(layout.rows(), true, carver);
        psi = room.psi;
        lambda = room.lambda;
    }
    if (!whole) {
        for_runs(group, layout.lane_bits, block, [&](auto local, auto at, auto rows) {
            copy_rows(global_psi + 2 * at, psi + 2 * local, rows);
            copy_rows(global_lambda + 2 * at, lambda + 2 * local, rows);
        });
    }
    StepNumbers<V> numbers;
    StepSums<V> step_sums;
    const auto first = plan.steps[group.first].sums;  // `sums` begins with those of the group
    for (std::int32_t i = group.last - 1; i >= group.first; --i) {
        const Step& step = plan.steps[i];
        broadcast_numbers(step, coefficients, true, numbers);
        step_reverse<T>(
            layout, plan, step, numbers, psi, lambda, step_sums,
            wanted(step, want_weights, want_inputs) ? sums + (step.sums - first) : nullptr);
    }
    if (!whole) {
        for_runs(group, layout.lane_bits, block, [&](auto local, auto at, auto rows) {
            copy_rows(psi + 2 * local, global_psi + 2 * at, rows);
            copy_rows(lambda + 2 * local, global_lambda + 2 * at, rows);
        });
    }
}

/// The start of a state is the outer product of the lower wires' product and the upper wires'.
inline int low_wires(int n_wires, int lane_bits) {
    const int half = n_wires / 2;
    return half > lane_bits ? half : lane_bits;
}

template <typename T>
Qubit<T> start_qubit(const PlanView& plan, const double* angles, int w) {
    const Qubit<double> q = chain_state(plan, plan.initial + plan.initial_begin[w],
                                        plan.initial + plan.initial_begin[w + 1], angles);
    Qubit<T> out;
    for (int i = 0; i < 4; ++i) out.v[i] = static_cast<T>(q.v[i]);
    return out;
}

/// Scalars of the product of `wires` qubits; product_gradient touches four even of none.
inline std::int64_t product_size(int wires) { return std::int64_t{2} << (wires > 1 ? wires : 1); }

template <typename T>
struct StartRoom {
    T *rows_of_low, *low, *high;

    StartRoom(const PlanView& plan, Carver<VectorOf<T>>& scratch) {
        const int n_low = low_wires(plan.n_wires, VectorOf<T>::lane_bits);
        rows_of_low = scratch.template take_as<T>(product_size(n_low));
        low = scratch.template take_as<T>(product_size(n_low));
        high = scratch.template take_as<T>(product_size(plan.n_wires - n_low));
    }
};

template <typename T>
struct FinishRoom {
    StartRoom<T> start;
    T *low_sums, *high_sums;

    FinishRoom(const PlanView& plan, Carver<VectorOf<T>>& scratch) : start(plan, scratch) {
        const int n_low = low_wires(plan.n_wires, VectorOf<T>::lane_bits);
        low_sums = scratch.template take_as<T>(product_size(n_low));
        high_sums = scratch.template take_as<T>(product_size(plan.n_wires - n_low));
    }
};

/// Writes the rows of part `part` of `parts` of the upper wires' index.
template <typename T>
void wide_start(const PlanView& plan, const double* angles, int part, int parts, T* state,
                Room<T> work) {
    using V = typename VectorOf<T>::V;
    constexpr int lanes = VectorOf<T>::lanes;
    const int n_low = low_wires(plan.n_wires, VectorOf<T>::lane_bits);
    const int n_high = plan.n_wires - n_low;
    Qubit<T> qubits[64];
    for (int w = 0; w < plan.n_wires; ++w) qubits[w] = start_qubit<T>(plan, angles, w);
    Carver<VectorOf<T>> carver(work.memory, work.size);
    const StartRoom<T> room(plan, carver);
    T *const rows_of_low = room.rows_of_low, *const low = room.low, *const high = room.high;
    product_state(n_low, qubits, low);
    product_state(n_high, qubits + n_low, high);
    for (std::int64_t i = 0; i < std::int64_t{1} << n_low; ++i) {
        T* row = rows_of_low + i / lanes * 2 * lanes + i % lanes;
        row[0] = low[2 * i];
        row[lanes] = low[2 * i + 1];
    }
    const V* source = reinterpret_cast<const V*>(rows_of_low);
    const std::int64_t rows = (std::int64_t{1} << n_low) / lanes;
    const std::int64_t count = std::int64_t{1} << n_high;
    for (std::int64_t h = count * part / parts; h < count * (part + 1) / parts; ++h) {
        const Complex<V> factor{V{} + high[2 * h], V{} + high[2 * h + 1]};
        V* psi = reinterpret_cast<V*>(state) + 2 * h * rows;
        for (std::int64_t r = 0; r < rows; ++r) {
            const Complex<V> x = mul(factor, Complex<V>{source[2 * r], source[2 * r + 1]});
            psi[2 * r] = x.re;
            psi[2 * r + 1] = x.im;
        }
    }
}

/// Gradients of the chains on |0> from the cotangent of the start.
template <typename T>
void wide_finish(const PlanView& plan, const double* angles, const T* cotangents, Room<T> work,
                 double* weights, double* inputs) {
    using V = typename VectorOf<T>::V;
    constexpr int lanes = VectorOf<T>::lanes;
    const int n_low = low_wires(plan.n_wires, VectorOf<T>::lane_bits);
    const int n_high = plan.n_wires - n_low;
    Qubit<T> qubits[64], gradients[64];
    for (int w = 0; w < plan.n_wires; ++w) qubits[w] = start_qubit<T>(plan, angles, w);
    Carver<VectorOf<T>> carver(work.memory, work.size);
    const FinishRoom<T> room(plan, carver);
    T *const rows_of_low = room.start.rows_of_low, *const low = room.start.low,
             *const high = room.start.high, *const low_sums = room.low_sums,
             *const high_sums = room.high_sums;
    product_state(n_low, qubits, low);
    product_state(n_high, qubits + n_low, high);
    for (std::int64_t i = 0; i < std::int64_t{1} << n_low; ++i) {
        T* row = rows_of_low + i / lanes * 2 * lanes + i % lanes;
        row[0] = low[2 * i];
        row[lanes] = low[2 * i + 1];
    }
    V* sums = reinterpret_cast<V*>(low_sums);
    const V* source = reinterpret_cast<const V*>(rows_of_low);
    const std::int64_t rows = (std::int64_t{1} << n_low) / lanes;
    for (std::int64_t r = 0; r < 2 * rows; ++r) sums[r] = V{};
    for (std::int64_t h = 0; h < std::int64_t{1} << n_high; ++h) {
        const V* lambda = reinterpret_cast<const V*>(cotangents) + 2 * h * rows;
        const Complex<V> factor{V{} + high[2 * h], V{} + high[2 * h + 1]};
        Complex<V> total{V{}, V{}};
        for (std::int64_t r = 0; r < rows; ++r) {
            const Complex<V> c{lambda[2 * r], -lambda[2 * r + 1]};
            const Complex<V> x = mul(c, factor);
            sums[2 * r] += x.re;
            sums[2 * r + 1] += x.im;
            total = add(total, mul(c, Complex<V>{source[2 * r], source[2 * r + 1]}));
        }
        high_sums[2 * h] = static_cast<T>(sum_lanes(total.re));
        high_sums[2 * h + 1] = static_cast<T>(sum_lanes(total.im));
    }
    // Back to one complex number after the other, into the place of the row-wise copy.
    for (std::int64_t i = 0; i < std::int64_t{1} << n_low; ++i) {
        const T* row = low_sums + i / lanes * 2 * lanes + i % lanes;
        rows_of_low[2 * i] = row[0];
        rows_of_low[2 * i + 1] = row[lanes];
    }
    product_gradient(n_low, qubits, rows_of_low, low, gradients);
    product_gradient(n_high, qubits + n_low, high_sums, high, gradients + n_low);
    const auto emit = [&](std::int32_t a, double value) {
        const Angle& angle = plan.angles[a];
        for (std::int32_t t = angle.weights_begin; weights && t < angle.weights_end; ++t) {
            weights[plan.terms[t].index] += plan.terms[t].coefficient * value;
        }
        for (std::int32_t t = angle.weights_end; inputs && t < angle.inputs_end; ++t) {
            inputs[plan.terms[t].index] += plan.terms[t].coefficient * value;
        }
    };
    for (int w = 0; w < plan.n_wires; ++w) {
        Qubit<double> q, g;
        for (int i = 0; i < 4; ++i) {
            q.v[i] = static_cast<double>(qubits[w].v[i]);
            g.v[i] = static_cast<double>(gradients[w].v[i]);
        }
        chain_state_gradient(plan, plan.initial + plan.initial_begin[w],
                             plan.initial + plan.initial_begin[w + 1], angles, q, g, emit);
    }
}

template <typename T>
Layout whole_layout(const PlanView& plan, std::int8_t (&where)[64]) {
    for (int b = 0; b < 64; ++b) where[b] = static_cast<std::int8_t>(b);
    return {plan.n_wires - VectorOf<T>::lane_bits, VectorOf<T>::lane_bits, where};
}

template <typename T>
struct ObserveRoom {
    using V = typename VectorOf<T>::V;
    V *rows, *out;

    ObserveRoom(const PlanView& plan, int lane_bits, const ObservableView& observables,
                Carver<VectorOf<T>>& scratch)
        : rows(scratch.take(std::int64_t{1} << (plan.n_wires - lane_bits))),
          out(scratch.take(observables.n_rows)) {}
};

template <typename T>
void wide_observe(const PlanView& plan, const ObservableView& observables, const T* state,
                  Room<T> work, T* values) {
    using V = typename VectorOf<T>::V;
    std::int8_t where[64];
    const Layout layout = whole_layout<T>(plan, where);
    Carver<VectorOf<T>> carver(work.memory, work.size);
    const ObserveRoom<T> room(plan, layout.lane_bits, observables, carver);
    V *const rows = room.rows, *const out = room.out;
    observe(layout, observables, reinterpret_cast<const V*>(state), rows, out);
    for (int k = 0; k < observables.n_rows; ++k) values[k] = static_cast<T>(sum_lanes(out[k]));
}

template <typename T>
void wide_cotangent(const PlanView& plan, const ObservableView& observables, const T* g,
                    const T* state, Room<T> work, T* lambda) {
    using V = typename VectorOf<T>::V;
    std::int8_t where[64];
    const Layout layout = whole_layout<T>(plan, where);
    Carver<VectorOf<T>> carver(work.memory, work.size);
    const ObserveRoom<T> room(plan, layout.lane_bits, observables, carver);
    V *const rows = room.rows, *const gs = room.out;
    for (int k = 0; k < observables.n_rows; ++k) gs[k] = V{} + g[k];
    cotangent(layout, observables, gs, reinterpret_cast<const V*>(state), rows,
              reinterpret_cast<V*>(lambda));
}

/// The most that any of the functions above takes.
template <typename T>
std::int64_t wide_scratch(const PlanView& plan, const ObservableView& observables, int block_bits) {
    constexpr int lane_bits = VectorOf<T>::lane_bits;
    const int bits = block_bits < plan.n_wires ? block_bits : plan.n_wires;
    Carver<VectorOf<T>> counter;  // each begins where the one before began
    const BlockRoom<T> block(std::int64_t{1} << (bits - lane_bits), true, counter);
    counter.give_back_to(0);
    const FinishRoom<T> finish(plan, counter);
    counter.give_back_to(0);
    const ObserveRoom<T> observed(plan, lane_bits, observables, counter);
    return counter.vectors() * VectorOf<T>::lanes;
}

}  // namespace

std::int64_t wide_scratch_f32(const PlanView& plan, const ObservableView& observables,
                              int block_bits) {
    return wide_scratch<float>(plan, observables, block_bits);
}
std::int64_t wide_scratch_f64(const PlanView& plan, const ObservableView& observables,
                              int block_bits) {
    return wide_scratch<double>(plan, observables, block_bits);
}
void wide_start_f32(const PlanView& plan, const double* angles, int part, int parts, float* psi,
                    Room<float> work) {
    wide_start(plan, angles, part, parts, psi, work);
}
void wide_start_f64(const PlanView& plan, const double* angles, int part, int parts, double* psi,
                    Room<double> work) {
    wide_start(plan, angles, part, parts, psi, work);
}
void wide_block_f32(const PlanView& plan, const BlockGroup& group, const float* coefficients,
                    std::int64_t block, float* psi, Room<float> work) {
    wide_block(plan, group, coefficients, block, psi, work);
}
void wide_block_f64(const PlanView& plan, const BlockGroup& group, const double* coefficients,
                    std::int64_t block, double* psi, Room<double> work) {
    wide_block(plan, group, coefficients, block, psi, work);
}
void wide_block_reverse_f32(const PlanView& plan, const BlockGroup& group,
                            const float* coefficients, std::int64_t block, bool want_weights,
                            bool want_inputs, float* psi, float* lambda, Room<float> work,
                            double* sums) {
    wide_block_reverse(plan, group, coefficients, block, want_weights, want_inputs, psi, lambda,
                       work, sums);
}
void wide_block_reverse_f64(const PlanView& plan, const BlockGroup& group,
                            const double* coefficients, std::int64_t block, bool want_weights,
                            bool want_inputs, double* psi, double* lambda, Room<double> work,
                            double* sums) {
    wide_block_reverse(plan, group, coefficients, block, want_weights, want_inputs, psi, lambda,
                       work, sums);
}
void wide_observe_f32(const PlanView& plan, const ObservableView& observables, const float* psi,
                      Room<float> work, float* values) {
    wide_observe(plan, observables, psi, work, values);
}
void wide_observe_f64(const PlanView& plan, const ObservableView& observables, const double* psi,
                      Room<double> work, double* values) {
    wide_observe(plan, observables, psi, work, values);
}
void wide_cotangent_f32(const PlanView& plan, const ObservableView& observables, const float* g,
                        const float* psi, Room<float> work, float* lambda) {
    wide_cotangent(plan, observables, g, psi, work, lambda);
}
void wide_cotangent_f64(const PlanView& plan, const ObservableView& observables, const double* g,
                        const double* psi, Room<double> work, double* lambda) {
    wide_cotangent(plan, observables, g, psi, work, lambda);
}
void wide_finish_f32(const PlanView& plan, const double* angles, const float* lambda,
                     Room<float> work, double* weights, double* inputs) {
    wide_finish(plan, angles, lambda, work, weights, inputs);
}
void wide_finish_f64(const PlanView& plan, const double* angles, const double* lambda,
                     Room<double> work, double* weights, double* inputs) {
    wide_finish(plan, angles, lambda, work, weights, inputs);
}

}  // namespace wb::statevector::WB_ISA
