// SPDX-License-Identifier: Apache-2.0
// Tiles: W samples in the lanes of every vector, all amplitudes in rows. A gate on any wire is
// the same shuffle-free code, gates that differ by sample cost nothing extra, and one thread owns
// a tile from the first gate to the last gradient.
#include "core/carver.hpp"
#include "statevector/kernels.hpp"
#include "statevector/product.hpp"
#include "statevector/steps.hpp"

namespace wb::statevector::WB_ISA {
namespace {

/// The samples of one tile and the small arrays it needs, cut from the scratch.
template <typename T>
struct Tile {
    using V = typename VectorOf<T>::V;
    static constexpr int kLanes = VectorOf<T>::lanes;

    const Job<T>& job;
    std::int64_t first;
    int valid;
    std::int8_t where[64];
    Layout layout;

    Tile(const Job<T>& j, std::int64_t tile) : job(j), first(tile * kLanes) {
        valid = job.batch - first < kLanes ? static_cast<int>(job.batch - first) : kLanes;
        for (int b = 0; b < 64; ++b) where[b] = static_cast<std::int8_t>(b);
        layout = {job.plan.n_wires, 0, where};
    }

    /// Every angle of every sample; lanes past the batch read sample 0's place as zero input.
    void angles(V* out) const {
        const PlanView& plan = job.plan;
        for (std::int32_t a = 0; a < plan.n_angles; ++a) {
            V value = V{} + static_cast<T>(job.angles[a]);
            const Angle& angle = plan.angles[a];
            for (std::int32_t t = angle.weights_end; t < angle.inputs_end; ++t) {
                const T coefficient = static_cast<T>(plan.terms[t].coefficient);
                const T* x = job.inputs + first * plan.n_inputs + plan.terms[t].index;
                for (int l = 0; l < valid; ++l) value[l] += coefficient * x[l * plan.n_inputs];
            }
            out[a] = value;
        }
    }

    void numbers(const Step& step, const V* lane_angles, bool adjointed,
                 StepNumbers<V>& out) const {
        if (step.per_sample) {
            lane_numbers(job.plan, step, lane_angles, adjointed, out);
        } else {
            broadcast_numbers(step, job.coefficients, adjointed, out);
        }
    }

    void qubits(const V* lane_angles, Qubit<V>* out) const {
        const PlanView& plan = job.plan;
        for (int w = 0; w < plan.n_wires; ++w) {
            out[w] = chain_state(plan, plan.initial + plan.initial_begin[w],
                                 plan.initial + plan.initial_begin[w + 1], lane_angles);
        }
    }
};

/// What the passes over a tile take of the scratch.
template <typename T>
struct ForwardRoom {
    using V = typename VectorOf<T>::V;
    V* angles;
    Qubit<V>* qubits;
    V *work, *out;

    ForwardRoom(const PlanView& plan, const ObservableView& observables,
                Carver<VectorOf<T>>& scratch)
        : angles(scratch.take(plan.n_angles)),
          qubits(scratch.template take_as<Qubit<V>>(plan.n_wires)),
          work(scratch.take(std::int64_t{1} << plan.n_wires)),
          out(scratch.take(observables.n_rows)) {}
};

template <typename T>
struct BackwardRoom {
    using V = typename VectorOf<T>::V;
    V* angles;
    Qubit<V>*qubits, *qubit_gradients;
    V *psi, *lambda, *work, *g;

    BackwardRoom(const PlanView& plan, const ObservableView& observables,
                 Carver<VectorOf<T>>& scratch)
        : angles(scratch.take(plan.n_angles)),
          qubits(scratch.template take_as<Qubit<V>>(plan.n_wires)),
          qubit_gradients(scratch.template take_as<Qubit<V>>(plan.n_wires)),
          psi(scratch.take(std::int64_t{2} << plan.n_wires)),
          lambda(scratch.take(std::int64_t{2} << plan.n_wires)),
          work(scratch.take(std::int64_t{1} << plan.n_wires)),
          g(scratch.take(observables.n_rows)) {}
};

template <typename T>
void tile_forward(const Job<T>& job, std::int64_t index, T* state, Room<T> scratch, T* values) {
    using V = typename VectorOf<T>::V;
    const Tile<T> tile(job, index);
    const PlanView& plan = job.plan;
    V* psi = reinterpret_cast<V*>(state);
    Carver<VectorOf<T>> carver(scratch.memory, scratch.size);
    const ForwardRoom<T> room(plan, job.observables, carver);
    V *const angles = room.angles, *const work = room.work, *const out = room.out;
    Qubit<V>* const qubits = room.qubits;
    tile.angles(angles);
    if (!job.given_start) {
        tile.qubits(angles, qubits);
        product_state(plan.n_wires, qubits, psi);
    }
    StepNumbers<V> numbers;
    for (std::int32_t i = 0; i < plan.n_steps; ++i) {
        const Step& step = plan.steps[i];
        tile.numbers(step, angles, false, numbers);
        step_apply<T>(tile.layout, plan, step, numbers, psi);
    }
    if (values == nullptr) return;
    observe(tile.layout, job.observables, psi, work, out);
    for (int l = 0; l < tile.valid; ++l) {
        T* row = values + (tile.first + l) * job.observables.n_rows;
        for (int k = 0; k < job.observables.n_rows; ++k) row[k] = out[k][l];
    }
}

template <typename T>
void tile_backward(const Job<T>& job, std::int64_t index, const T* state, const T* value_gradient,
                   const T* state_gradient, Room<T> scratch, const Gradients<T>& gradients) {
    using V = typename VectorOf<T>::V;
    const Tile<T> tile(job, index);
    const PlanView& plan = job.plan;
    const std::int64_t rows = tile.layout.rows();
    const int n_rows = job.observables.n_rows;
    Carver<VectorOf<T>> carver(scratch.memory, scratch.size);
    const BackwardRoom<T> room(plan, job.observables, carver);
    V *const angles = room.angles, *const psi = room.psi, *const lambda = room.lambda,
             *const work = room.work, *const g = room.g;
    Qubit<V>*const qubits = room.qubits, *const qubit_gradients = room.qubit_gradients;
    tile.angles(angles);

    const V* final_state = reinterpret_cast<const V*>(state);
    for (std::int64_t r = 0; r < 2 * rows; ++r) psi[r] = final_state[r];
    if (value_gradient != nullptr) {
        for (int k = 0; k < n_rows; ++k) {
            g[k] = V{};
            for (int l = 0; l < tile.valid; ++l) {
                g[k][l] = value_gradient[(tile.first + l) * n_rows + k];
            }
        }
        cotangent(tile.layout, job.observables, g, psi, work, lambda);
    } else {
        // torch's complex gradient is dL/dre + i dL/dim, twice the lambda of dL = 2 Re
        // <lambda|dpsi>.
        for (std::int64_t r = 0; r < 2 * rows; ++r) lambda[r] = V{};
        for (int l = 0; l < tile.valid; ++l) {
            const T* row = state_gradient + (tile.first + l) * 2 * rows;
            for (std::int64_t r = 0; r < 2 * rows; ++r) lambda[r][l] = row[r] / 2;
        }
    }

    const auto emit = [&](std::int32_t a, const V& value) {
        const Angle& angle = plan.angles[a];
        if (job.want_weights && angle.weights_end > angle.weights_begin) {
            const double total = sum_lanes(value);
            for (std::int32_t t = angle.weights_begin; t < angle.weights_end; ++t) {
                gradients.weights[plan.terms[t].index] += plan.terms[t].coefficient * total;
            }
        }
        if (!job.want_inputs) return;
        for (std::int32_t t = angle.weights_end; t < angle.inputs_end; ++t) {
            const T coefficient = static_cast<T>(plan.terms[t].coefficient);
            T* x = gradients.inputs + tile.first * plan.n_inputs + plan.terms[t].index;
            for (int l = 0; l < tile.valid; ++l) x[l * plan.n_inputs] += coefficient * value[l];
        }
    };

    const bool into_start =
        (job.want_weights && plan.initial_weights) || (job.want_inputs && plan.initial_inputs);
    std::int32_t stop = 0;
    if (!into_start && !job.want_start) {
        while (stop < plan.n_steps &&
               !wanted(plan.steps[stop], job.want_weights, job.want_inputs)) {
            ++stop;
        }
    }
    StepNumbers<V> numbers;
    StepSums<V> sums;
    for (std::int32_t i = plan.n_steps - 1; i >= stop; --i) {
        const Step& step = plan.steps[i];
        tile.numbers(step, angles, true, numbers);
        const bool want = wanted(step, job.want_weights, job.want_inputs);
        double* collected = want && !step.per_sample ? gradients.sums + step.sums : nullptr;
        step_reverse<T>(tile.layout, plan, step, numbers, psi, lambda, sums, collected);
        if (!want || !step.per_sample) continue;
        switch (step.kind) {
            case StepKind::matrix:
                matrix_gradient(plan, step, angles, sums.unset, sums.set, emit);
                break;
            case StepKind::diagonal:
                phase_gradient(plan, step, sums.table, emit);
                break;
            case StepKind::rotation:
                emit(step.angle, sums.angle);
                break;
            case StepKind::unitary:
                break;
        }
    }
    if (job.want_start) {
        V* const start = reinterpret_cast<V*>(gradients.start);
        for (std::int64_t r = 0; r < 2 * rows; ++r) start[r] = lambda[r];
    }
    if (!into_start) return;
    tile.qubits(angles, qubits);
    for (std::int64_t r = 0; r < rows; ++r) lambda[2 * r + 1] = -lambda[2 * r + 1];
    product_gradient(plan.n_wires, qubits, lambda, psi, qubit_gradients);
    for (int w = 0; w < plan.n_wires; ++w) {
        chain_state_gradient(plan, plan.initial + plan.initial_begin[w],
                             plan.initial + plan.initial_begin[w + 1], angles, qubits[w],
                             qubit_gradients[w], emit);
    }
}

template <typename T, template <typename> typename Opened>
std::int64_t counted(const PlanView& plan, const ObservableView& observables) {
    Carver<VectorOf<T>> counter;
    const Opened<T> room(plan, observables, counter);
    return counter.vectors() * VectorOf<T>::lanes;
}

/// Coefficients of the steps that read an input (per_sample) or of those that do not.
template <typename T>
void coefficients_of(const PlanView& plan, const double* angles, bool per_sample, T* out) {
    for (std::int32_t i = 0; i < plan.n_steps; ++i) {
        const Step& step = plan.steps[i];
        if (step.per_sample != per_sample) continue;
        T* values = out + step.coefficients;
        switch (step.kind) {
            case StepKind::matrix: {
                const Factor* f = plan.factors;
                const auto unset =
                    chain_matrix(plan, f + step.chain0_begin, f + step.chain0_end, angles);
                const auto set =
                    chain_matrix(plan, f + step.chain1_begin, f + step.chain1_end, angles);
                for (int k = 0; k < 8; ++k) {
                    values[k] = static_cast<T>(unset.v[k]);
                    values[8 + k] = static_cast<T>(set.v[k]);
                }
                break;
            }
            case StepKind::diagonal: {
                Complex<double> table[kMaxTable];
                phase_table(plan, step, angles, table);
                for (int k = 0; k < 1 << step.n_wires; ++k) {
                    values[2 * k] = static_cast<T>(table[k].re);
                    values[2 * k + 1] = static_cast<T>(table[k].im);
                }
                break;
            }
            case StepKind::rotation: {
                double s, c;
                sincos_of(angles[step.angle] / 2, s, c);
                values[0] = static_cast<T>(c);
                values[1] = static_cast<T>(s);
                break;
            }
            case StepKind::unitary:
                break;
        }
    }
}

}  // namespace

int lanes_f32() { return VectorOf<float>::lanes; }
int lanes_f64() { return VectorOf<double>::lanes; }

std::int64_t tile_forward_scratch_f32(const PlanView& plan, const ObservableView& observables) {
    return counted<float, ForwardRoom>(plan, observables);
}
std::int64_t tile_forward_scratch_f64(const PlanView& plan, const ObservableView& observables) {
    return counted<double, ForwardRoom>(plan, observables);
}
std::int64_t tile_backward_scratch_f32(const PlanView& plan, const ObservableView& observables) {
    return counted<float, BackwardRoom>(plan, observables);
}
std::int64_t tile_backward_scratch_f64(const PlanView& plan, const ObservableView& observables) {
    return counted<double, BackwardRoom>(plan, observables);
}

void shared_f32(const PlanView& plan, const double* angles, bool per_sample, float* coefficients) {
    coefficients_of(plan, angles, per_sample, coefficients);
}

void shared_f64(const PlanView& plan, const double* angles, bool per_sample, double* coefficients) {
    coefficients_of(plan, angles, per_sample, coefficients);
}

void start_qubits(const PlanView& plan, const double* angles, double* qubits) {
    for (int w = 0; w < plan.n_wires; ++w) {
        const Qubit<double> q = chain_state(plan, plan.initial + plan.initial_begin[w],
                                            plan.initial + plan.initial_begin[w + 1], angles);
        for (int i = 0; i < 4; ++i) qubits[4 * w + i] = q.v[i];
    }
}

void finish(const PlanView& plan, const double* angles, bool per_sample, const double* sums,
            double* weights, double* inputs) {
    const auto emit = [&](std::int32_t a, double value) {
        const Angle& angle = plan.angles[a];
        for (std::int32_t t = angle.weights_begin; weights && t < angle.weights_end; ++t) {
            weights[plan.terms[t].index] += plan.terms[t].coefficient * value;
        }
        for (std::int32_t t = angle.weights_end; inputs && t < angle.inputs_end; ++t) {
            inputs[plan.terms[t].index] += plan.terms[t].coefficient * value;
        }
    };
    for (std::int32_t i = 0; i < plan.n_steps; ++i) {
        const Step& step = plan.steps[i];
        if (step.per_sample != per_sample || !wanted(step, weights, inputs)) continue;
        const double* values = sums + step.sums;
        switch (step.kind) {
            case StepKind::matrix: {
                Matrix2<double> unset, set;
                for (int k = 0; k < 8; ++k) {
                    unset.v[k] = values[k];
                    set.v[k] = values[8 + k];
                }
                matrix_gradient(plan, step, angles, unset, set, emit);
                break;
            }
            case StepKind::diagonal:
                phase_gradient(plan, step, values, emit);
                break;
            case StepKind::rotation:
                emit(step.angle, values[0]);
                break;
            case StepKind::unitary:
                break;
        }
    }
}

void tile_forward_f32(const Job<float>& job, std::int64_t tile, float* psi, Room<float> work,
                      float* values) {
    tile_forward(job, tile, psi, work, values);
}

void tile_forward_f64(const Job<double>& job, std::int64_t tile, double* psi, Room<double> work,
                      double* values) {
    tile_forward(job, tile, psi, work, values);
}

void tile_backward_f32(const Job<float>& job, std::int64_t tile, const float* state,
                       const float* value_gradient, const float* state_gradient, Room<float> work,
                       const Gradients<float>& gradients) {
    tile_backward(job, tile, state, value_gradient, state_gradient, work, gradients);
}

void tile_backward_f64(const Job<double>& job, std::int64_t tile, const double* state,
                       const double* value_gradient, const double* state_gradient,
                       Room<double> work, const Gradients<double>& gradients) {
    tile_backward(job, tile, state, value_gradient, state_gradient, work, gradients);
}

}  // namespace wb::statevector::WB_ISA
