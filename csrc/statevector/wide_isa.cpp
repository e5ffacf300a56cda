// SPDX-License-Identifier: Apache-2.0
// Single states: the lowest bits of the amplitude index in the lanes. Runs of gates on few wires
// are applied to blocks of the state that fit the cache, so that the state passes through memory
// once per run and not once per gate.
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

template <typename T>
void wide_block(const PlanView& plan, const BlockGroup& group, const T* coefficients,
                std::int64_t block, T* state, T* scratch) {
    using V = typename VectorOf<T>::V;
    const Layout layout = block_layout<T>(group);
    const bool whole = group.n_bits == plan.n_wires;
    V* global = reinterpret_cast<V*>(state);
    V* psi = whole ? global : reinterpret_cast<V*>(scratch);
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
                        T* cotangents, T* scratch, double* sums) {
    using V = typename VectorOf<T>::V;
    const Layout layout = block_layout<T>(group);
    const bool whole = group.n_bits == plan.n_wires;
    V* global_psi = reinterpret_cast<V*>(state);
    V* global_lambda = reinterpret_cast<V*>(cotangents);
    V* psi = whole ? global_psi : reinterpret_cast<V*>(scratch);
    V* lambda = whole ? global_lambda : psi + 2 * layout.rows();
    if (!whole) {
        for_runs(group, layout.lane_bits, block, [&](auto local, auto at, auto rows) {
            copy_rows(global_psi + 2 * at, psi + 2 * local, rows);
            copy_rows(global_lambda + 2 * at, lambda + 2 * local, rows);
        });
    }
    StepNumbers<V> numbers;
    StepSums<V> step_sums;
    for (std::int32_t i = group.last - 1; i >= group.first; --i) {
        const Step& step = plan.steps[i];
        broadcast_numbers(step, coefficients, true, numbers);
        step_reverse<T>(layout, plan, step, numbers, psi, lambda, step_sums,
                        wanted(step, want_weights, want_inputs) ? sums + step.sums : nullptr);
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

/// Writes the rows of part `part` of `parts` of the upper wires' index. `work` holds
/// 4 * 2^low + 4 * 2^high scalars.
template <typename T>
void wide_start(const PlanView& plan, const double* angles, int part, int parts, T* state,
                T* work) {
    using V = typename VectorOf<T>::V;
    constexpr int lanes = VectorOf<T>::lanes;
    const int n_low = low_wires(plan.n_wires, VectorOf<T>::lane_bits);
    const int n_high = plan.n_wires - n_low;
    Qubit<T> qubits[64];
    for (int w = 0; w < plan.n_wires; ++w) qubits[w] = start_qubit<T>(plan, angles, w);
    T* rows_of_low = work;
    T* low = work + (std::int64_t{2} << n_low);
    T* high = work + (std::int64_t{4} << n_low);
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
void wide_finish(const PlanView& plan, const double* angles, const T* cotangents, T* work,
                 double* weights, double* inputs) {
    using V = typename VectorOf<T>::V;
    constexpr int lanes = VectorOf<T>::lanes;
    const int n_low = low_wires(plan.n_wires, VectorOf<T>::lane_bits);
    const int n_high = plan.n_wires - n_low;
    Qubit<T> qubits[64], gradients[64];
    for (int w = 0; w < plan.n_wires; ++w) qubits[w] = start_qubit<T>(plan, angles, w);
    T* rows_of_low = work;
    T* low = work + (std::int64_t{2} << n_low);
    T* low_sums = work + (std::int64_t{4} << n_low);
    T* high = work + (std::int64_t{6} << n_low);
    T* high_sums = high + (std::int64_t{2} << n_high) + 4;  // product_gradient touches four
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
void wide_observe(const PlanView& plan, const ObservableView& observables, const T* state, T* work,
                  T* values) {
    using V = typename VectorOf<T>::V;
    std::int8_t where[64];
    const Layout layout = whole_layout<T>(plan, where);
    V* rows = reinterpret_cast<V*>(work);
    V* out = rows + layout.rows();
    observe(layout, observables, reinterpret_cast<const V*>(state), rows, out);
    for (int k = 0; k < observables.n_rows; ++k) values[k] = static_cast<T>(sum_lanes(out[k]));
}

template <typename T>
void wide_cotangent(const PlanView& plan, const ObservableView& observables, const T* g,
                    const T* state, T* work, T* lambda) {
    using V = typename VectorOf<T>::V;
    std::int8_t where[64];
    const Layout layout = whole_layout<T>(plan, where);
    V* rows = reinterpret_cast<V*>(work);
    V* gs = rows + layout.rows();
    for (int k = 0; k < observables.n_rows; ++k) gs[k] = V{} + g[k];
    cotangent(layout, observables, gs, reinterpret_cast<const V*>(state), rows,
              reinterpret_cast<V*>(lambda));
}

}  // namespace

void wide_start_f32(const PlanView& plan, const double* angles, int part, int parts, float* psi,
                    float* work) {
    wide_start(plan, angles, part, parts, psi, work);
}
void wide_start_f64(const PlanView& plan, const double* angles, int part, int parts, double* psi,
                    double* work) {
    wide_start(plan, angles, part, parts, psi, work);
}
void wide_block_f32(const PlanView& plan, const BlockGroup& group, const float* coefficients,
                    std::int64_t block, float* psi, float* work) {
    wide_block(plan, group, coefficients, block, psi, work);
}
void wide_block_f64(const PlanView& plan, const BlockGroup& group, const double* coefficients,
                    std::int64_t block, double* psi, double* work) {
    wide_block(plan, group, coefficients, block, psi, work);
}
void wide_block_reverse_f32(const PlanView& plan, const BlockGroup& group,
                            const float* coefficients, std::int64_t block, bool want_weights,
                            bool want_inputs, float* psi, float* lambda, float* work,
                            double* sums) {
    wide_block_reverse(plan, group, coefficients, block, want_weights, want_inputs, psi, lambda,
                       work, sums);
}
void wide_block_reverse_f64(const PlanView& plan, const BlockGroup& group,
                            const double* coefficients, std::int64_t block, bool want_weights,
                            bool want_inputs, double* psi, double* lambda, double* work,
                            double* sums) {
    wide_block_reverse(plan, group, coefficients, block, want_weights, want_inputs, psi, lambda,
                       work, sums);
}
void wide_observe_f32(const PlanView& plan, const ObservableView& observables, const float* psi,
                      float* work, float* values) {
    wide_observe(plan, observables, psi, work, values);
}
void wide_observe_f64(const PlanView& plan, const ObservableView& observables, const double* psi,
                      double* work, double* values) {
    wide_observe(plan, observables, psi, work, values);
}
void wide_cotangent_f32(const PlanView& plan, const ObservableView& observables, const float* g,
                        const float* psi, float* work, float* lambda) {
    wide_cotangent(plan, observables, g, psi, work, lambda);
}
void wide_cotangent_f64(const PlanView& plan, const ObservableView& observables, const double* g,
                        const double* psi, double* work, double* lambda) {
    wide_cotangent(plan, observables, g, psi, work, lambda);
}
void wide_finish_f32(const PlanView& plan, const double* angles, const float* lambda, float* work,
                     double* weights, double* inputs) {
    wide_finish(plan, angles, lambda, work, weights, inputs);
}
void wide_finish_f64(const PlanView& plan, const double* angles, const double* lambda, double* work,
                     double* weights, double* inputs) {
    wide_finish(plan, angles, lambda, work, weights, inputs);
}

}  // namespace wb::statevector::WB_ISA
