// SPDX-License-Identifier: Apache-2.0
#include "statevector/tangent.hpp"

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "statevector/shared.hpp"

namespace wb::statevector {
namespace {

constexpr std::int64_t kGrainCycles = 100'000;

template <typename T>
std::int64_t scratch_of(const TangentJob<T>& job) {
    if constexpr (kIsFloat<T>) {
        return WB_SELECT_ISA(tile_tangent_scratch_f32)(job.plan, job.observables);
    } else {
        return WB_SELECT_ISA(tile_tangent_scratch_f64)(job.plan, job.observables);
    }
}

template <typename T>
void run_tile(const TangentJob<T>& job, std::int64_t tile, T* psi, Room<T> work, T* values) {
    if constexpr (kIsFloat<T>) {
        WB_SELECT_ISA(tile_tangent_f32)(job, tile, psi, work, values);
    } else {
        WB_SELECT_ISA(tile_tangent_f64)(job, tile, psi, work, values);
    }
}

}  // namespace

template <typename T>
void tangent(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
             const T* weight_tangents, const T* input_tangents, std::int64_t directions,
             const Observables* observables, T* values, T* amplitudes) {
    check_finite(weights, plan.n_weights, 0, "weights");
    check_finite(inputs, batch * plan.n_inputs, plan.n_inputs, "inputs");
    check_finite(weight_tangents, directions * plan.n_weights, plan.n_weights,
                 "tangents of weights");
    check_finite(input_tangents, directions * batch * plan.n_inputs, plan.n_inputs,
                 "tangents of inputs");
    const std::int64_t pairs = directions * batch, width = lanes<T>();
    if (pairs == 0) return;
    const PlacedObservables placed(plan, observables);
    std::vector<double> angles(plan.angles.size());
    evaluate_angles<T>(plan, weights, nullptr, angles.data());
    const TangentJob<T> job{plan.view(), placed.view,   directions,      batch,
                            inputs,      angles.data(), weight_tangents, input_tangents};
    const std::vector<std::int64_t> index =
        amplitudes != nullptr && renamed(plan) ? permutation(plan) : std::vector<std::int64_t>{};
    const std::int64_t size = std::int64_t{1} << plan.n_wires;
    const std::int64_t tiles = (pairs + width - 1) / width;
    const std::int64_t needed = scratch_of(job);
    const std::int64_t cycles =
        tiles * ((static_cast<std::int64_t>(plan.steps.size()) * 24 + 48) << plan.n_wires);
    parallel_for(tiles, threads_for(cycles, kGrainCycles), [&](std::int64_t tile, int) {
        const Scratch<T> states(4 * size * width), work(needed);
        T* const psi = states.data();
        run_tile(job, tile, psi, Room<T>{work.data(), needed}, values);
        if (amplitudes == nullptr) return;
        const std::int64_t first = tile * width, valid = std::min(width, pairs - first);
        for (std::int64_t i = 0; i < size; ++i) {
            const T* row =
                psi + 4 * width * (index.empty() ? i : index[static_cast<std::size_t>(i)]);
            for (std::int64_t l = 0; l < valid; ++l) {
                T* out = amplitudes + 2 * ((first + l) * size + i);
                out[0] = row[width + l];
                out[1] = row[3 * width + l];
            }
        }
    });
}

template void tangent<float>(const Plan&, const float*, const float*, std::int64_t, const float*,
                             const float*, std::int64_t, const Observables*, float*, float*);
template void tangent<double>(const Plan&, const double*, const double*, std::int64_t,
                              const double*, const double*, std::int64_t, const Observables*,
                              double*, double*);

}  // namespace wb::statevector
