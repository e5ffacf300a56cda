// SPDX-License-Identifier: Apache-2.0
// Chooses between two layouts and drives them over threads.
//
// Tiles hold one sample per vector lane and all amplitudes in rows: no gate needs a shuffle and
// gates that differ by sample are free, so this is the way for batches whose states fit the
// cache. Single states hold the lowest index bits in the lanes and are worked through in
// cache-sized blocks, in parallel over blocks: the way for large registers and small batches.
// Work is cut into groups whose number does not depend on the threads, and the groups' sums are
// added in order: that makes the result the same bits for every number of threads.
#include "statevector/statevector.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "statevector/kernels.hpp"
#include "statevector/shared.hpp"

namespace wb::statevector {
namespace {

constexpr int kMaxTileWires = 13;  // two states of a float32 tile are then 2 MiB, an L2 cache
constexpr int kMinWideWires = 6;   // below, the padding of a tile costs less than the shuffles
constexpr int kBlockBits = 14;     // 128 KiB of complex64: two blocks fit an L2 cache
constexpr int kLowBits = 6;        // a block is read in runs of at least 512 bytes
constexpr std::int64_t kGroups = 64;
constexpr std::int64_t kGrainCycles = 100'000;  // about 40 microseconds, several forks

template <typename T>
std::int64_t tiles_of(std::int64_t batch) {
    return (batch + lanes<T>() - 1) / lanes<T>();
}

/// Whether a batch goes through tiles; a function of the sizes alone, as backward must agree.
template <typename T>
bool use_tiles(int n_wires, std::int64_t batch) {
    if (n_wires < kMinWideWires) return true;
    if (n_wires > kMaxTileWires) return false;
    // A single state pays about a third more per amplitude for its shuffles.
    return 4 * batch >= 3 * tiles_of<T>(batch) * lanes<T>();
}

std::int64_t step_cycles(const Plan& plan, int per_amplitude) {
    return (static_cast<std::int64_t>(plan.steps.size()) * per_amplitude + 16) << plan.n_wires;
}

template <typename T>
void evaluate_coefficients(const PlanView& plan, const double* angles, bool per_sample, T* out) {
    if constexpr (kIsFloat<T>) {
        WB_SELECT_ISA(shared_f32)(plan, angles, per_sample, out);
    } else {
        WB_SELECT_ISA(shared_f64)(plan, angles, per_sample, out);
    }
}

/// Cuts the steps into runs on at most kBlockBits wires, the lowest kLowBits always among them.
std::vector<BlockGroup> block_groups(const Plan& plan) {
    const int n = plan.n_wires;
    const std::uint64_t all = (std::uint64_t{1} << n) - 1;
    const std::uint64_t low = (std::uint64_t{1} << kLowBits) - 1;
    std::vector<BlockGroup> groups;
    const int n_steps = static_cast<int>(plan.steps.size());
    for (int first = 0; first < n_steps;) {
        std::uint64_t bits = n <= kBlockBits ? all : low;
        int last = first;
        for (; last < n_steps; ++last) {
            const std::uint64_t grown = bits | plan.steps[static_cast<std::size_t>(last)].touched;
            if (n > kBlockBits && std::popcount(grown) > kBlockBits) break;
            bits = grown;
        }
        if (last == first) {  // one step on more wires than a block has: the whole state at once
            bits = all;
            ++last;
        }
        // Spare capacity goes to the lowest free bits, which lengthens the contiguous runs.
        for (int b = 0; b < n && std::popcount(bits) < kBlockBits; ++b)
            bits |= std::uint64_t{1} << b;
        BlockGroup group{};
        group.first = first;
        group.last = last;
        int outside = 0;
        for (int b = 0; b < 64; ++b) group.where[b] = -1;
        for (int b = 0; b < n; ++b) {
            if (bits >> b & 1) {
                group.where[b] = static_cast<std::int8_t>(group.n_bits);
                group.bits[group.n_bits++] = static_cast<std::int8_t>(b);
            } else {
                group.outside[outside++] = static_cast<std::int8_t>(b);
            }
        }
        group.n_low = std::countr_one(bits);
        groups.push_back(group);
        first = last;
    }
    return groups;
}

// One selector per kernel: the function of this element type for the active instruction set.
#define WB_SELECTOR(name)                     \
    template <typename T>                     \
    auto select_##name() {                    \
        if constexpr (kIsFloat<T>) {          \
            return WB_SELECT_ISA(name##_f32); \
        } else {                              \
            return WB_SELECT_ISA(name##_f64); \
        }                                     \
    }
WB_SELECTOR(tile_forward)
WB_SELECTOR(tile_backward)
WB_SELECTOR(wide_start)
WB_SELECTOR(wide_block)
WB_SELECTOR(wide_block_reverse)
WB_SELECTOR(wide_observe)
WB_SELECTOR(wide_cotangent)
WB_SELECTOR(wide_finish)
WB_SELECTOR(tile_forward_scratch)
WB_SELECTOR(tile_backward_scratch)
WB_SELECTOR(wide_scratch)
#undef WB_SELECTOR

/// A lease of the calling thread's scratch, as the kernels take it.
template <typename T>
struct Leased {
    Scratch<T> scratch;
    std::int64_t size;

    explicit Leased(std::int64_t count) : scratch(count), size(count) {}
    Room<T> room() const { return {scratch.data(), size}; }
};

/// Everything one call computes once for all samples.
template <typename T>
struct Shared {
    PlanView view;
    PlacedObservables observables;
    std::vector<double> angles;
    std::vector<T> coefficients;
    Job<T> job;

    Shared(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
           const Observables* given)
        : view(plan.view()),
          observables(plan, given),
          angles(plan.angles.size()),
          coefficients(static_cast<std::size_t>(plan.n_coefficients)) {
        evaluate_angles<T>(plan, weights, nullptr, angles.data());
        evaluate_coefficients<T>(view, angles.data(), false, coefficients.data());
        job = {view,          observables.view,    batch, inputs,
               angles.data(), coefficients.data(), false, false};
    }
};

/// Angles and coefficients of one sample of a single-state run.
template <typename T>
struct Sample {
    std::vector<double> angles;
    std::vector<T> coefficients;

    Sample(const Plan& plan, const Shared<T>& shared, const T* weights, std::int64_t b)
        : angles(plan.angles.size()), coefficients(shared.coefficients) {
        evaluate_angles<T>(plan, weights, shared.job.inputs + b * plan.n_inputs, angles.data());
        evaluate_coefficients<T>(shared.view, angles.data(), true, coefficients.data());
    }
};

/// Scatters (valid, 2^n) amplitudes into the lanes of a tile, the other lanes being 0.
template <typename T>
void copy_start_to_tile(int n_wires, const T* start, std::int64_t valid, T* tile) {
    const std::int64_t size = std::int64_t{1} << n_wires;
    const std::int64_t w = lanes<T>();
    std::fill_n(tile, 2 * w * size, T{0});
    for (std::int64_t l = 0; l < valid; ++l) {
        for (std::int64_t i = 0; i < size; ++i) {
            tile[2 * w * i + l] = start[2 * (l * size + i)];
            tile[2 * w * i + w + l] = start[2 * (l * size + i) + 1];
        }
    }
}

/// The same of one state, with the lowest bits of the index in the lanes.
template <typename T>
void copy_start_to_state(int n_wires, const T* start, T* state) {
    const std::int64_t w = lanes<T>();
    for (std::int64_t i = 0; i < std::int64_t{1} << n_wires; ++i) {
        state[i / w * 2 * w + i % w] = start[2 * i];
        state[i / w * 2 * w + w + i % w] = start[2 * i + 1];
    }
}

template <typename T>
void wide_run(const Plan& plan, const Shared<T>& shared, const std::vector<BlockGroup>& groups,
              const Sample<T>& sample, int threads, const T* start, T* psi) {
    const PlanView& view = shared.view;
    const std::int64_t scratch = select_wide_scratch<T>()(view, shared.job.observables, kBlockBits);
    const int parts = start != nullptr ? 0 : plan.n_wires > kBlockBits ? 16 : 1;
    if (start != nullptr) copy_start_to_state(plan.n_wires, start, psi);
    parallel_for(parts, threads, [&](std::int64_t part, int) {
        select_wide_start<T>()(view, sample.angles.data(), static_cast<int>(part), parts, psi,
                               Leased<T>(scratch).room());
    });
    for (const BlockGroup& group : groups) {
        const std::int64_t blocks = std::int64_t{1} << (plan.n_wires - group.n_bits);
        parallel_for(blocks, threads, [&](std::int64_t block, int) {
            select_wide_block<T>()(view, group, sample.coefficients.data(), block, psi,
                                   Leased<T>(scratch).room());
        });
    }
}

template <typename T>
void copy_amplitudes_from_tile(const Plan& plan, const std::vector<std::int64_t>& index,
                               const T* tile, int valid, T* out) {
    const std::int64_t size = std::int64_t{1} << plan.n_wires;
    const int w = lanes<T>();
    for (std::int64_t i = 0; i < size; ++i) {
        const T* row = tile + 2 * w * (index.empty() ? i : index[static_cast<std::size_t>(i)]);
        for (int l = 0; l < valid; ++l) {
            out[2 * (l * size + i)] = row[l];
            out[2 * (l * size + i) + 1] = row[w + l];
        }
    }
}

template <typename T>
void copy_amplitudes_from_state(const Plan& plan, const std::vector<std::int64_t>& index,
                                const T* state, T* out) {
    const std::int64_t w = lanes<T>();
    for (std::int64_t i = 0; i < std::int64_t{1} << plan.n_wires; ++i) {
        const std::int64_t at = index.empty() ? i : index[static_cast<std::size_t>(i)];
        out[2 * i] = state[at / w * 2 * w + at % w];
        out[2 * i + 1] = state[at / w * 2 * w + w + at % w];
    }
}

template <typename T>
void forward_tiles(const Plan& plan, const Shared<T>& shared, T* values, T* state, T* amplitudes,
                   const std::vector<std::int64_t>& index, const T* start) {
    const std::int64_t tiles = tiles_of<T>(shared.job.batch);
    const std::int64_t tile_size = (std::int64_t{2} << plan.n_wires) * lanes<T>();
    const std::int64_t size = select_tile_forward_scratch<T>()(shared.view, shared.job.observables);
    const int threads = threads_for(tiles * step_cycles(plan, 8), kGrainCycles);
    parallel_for(tiles, threads, [&](std::int64_t tile, int) {
        const Leased<T> scratch(size);
        const Scratch<T> own(state != nullptr ? 0 : tile_size);
        T* psi = state != nullptr ? state + tile * tile_size : own.data();
        const std::int64_t first = tile * lanes<T>();
        const auto valid = std::min<std::int64_t>(lanes<T>(), shared.job.batch - first);
        if (start != nullptr) {
            copy_start_to_tile(plan.n_wires, start + (first << (plan.n_wires + 1)), valid, psi);
        }
        select_tile_forward<T>()(shared.job, tile, psi, scratch.room(), values);
        if (amplitudes == nullptr) return;
        copy_amplitudes_from_tile(plan, index, psi, static_cast<int>(valid),
                                  amplitudes + (first << (plan.n_wires + 1)));
    });
}

template <typename T>
void forward_wide(const Plan& plan, const Shared<T>& shared, const T* weights, T* values, T* state,
                  T* amplitudes, const std::vector<std::int64_t>& index, const T* start) {
    const std::vector<BlockGroup> groups = block_groups(plan);
    const std::int64_t size = std::int64_t{2} << plan.n_wires;
    const std::int64_t batch = shared.job.batch;
    const int n_rows = shared.job.observables.n_rows;
    const std::int64_t scratch =
        select_wide_scratch<T>()(shared.view, shared.job.observables, kBlockBits);
    const bool by_block = plan.n_wires > kBlockBits;
    const std::int64_t cycles = step_cycles(plan, 8) / lanes<T>() * (by_block ? 1 : batch);
    const int threads = threads_for(cycles, kGrainCycles);
    AlignedBytes own;
    if (state == nullptr) {
        // One state for each sample at work: all of them, or one at a time.
        own = aligned_array<T>((by_block ? 1 : batch) * size);
    }
    T* base = state != nullptr ? state : reinterpret_cast<T*>(own.get());
    const bool reuse = state == nullptr && by_block;
    parallel_for(batch, by_block ? 1 : threads, [&](std::int64_t b, int) {
        T* psi = base + (reuse ? 0 : b * size);
        const Sample<T> sample(plan, shared, weights, b);
        wide_run(plan, shared, groups, sample, by_block ? threads : 1,
                 start != nullptr ? start + b * size : nullptr, psi);
        if (values != nullptr) {
            select_wide_observe<T>()(shared.view, shared.job.observables, psi,
                                     Leased<T>(scratch).room(), values + b * n_rows);
        }
        if (amplitudes != nullptr) {
            copy_amplitudes_from_state(plan, index, psi, amplitudes + b * size);
        }
    });
}

/// Sums of every group, added up in order.
struct GroupSums {
    std::int64_t groups, n_sums, n_weights;
    std::vector<double> values;

    GroupSums(std::int64_t count, const Plan& plan)
        : groups(count),
          n_sums(plan.n_sums),
          n_weights(plan.n_weights),
          values(static_cast<std::size_t>(count * (plan.n_sums + plan.n_weights))) {}

    double* sums(std::int64_t g) { return values.data() + g * (n_sums + n_weights); }
    double* weights(std::int64_t g) { return sums(g) + n_sums; }

    void add_up() {
        for (std::int64_t g = 1; g < groups; ++g) {
            for (std::int64_t i = 0; i < n_sums + n_weights; ++i)
                values[static_cast<std::size_t>(i)] += sums(g)[i];
        }
    }
};

template <typename T>
void backward_tiles(const Plan& plan, const Shared<T>& shared, const T* state,
                    const T* value_gradient, const T* amplitude_gradient, GroupSums& sums,
                    T* input_gradient, T* start_gradient) {
    const std::int64_t tiles = tiles_of<T>(shared.job.batch);
    const std::int64_t tile_size = (std::int64_t{2} << plan.n_wires) * lanes<T>();
    const std::int64_t size =
        select_tile_backward_scratch<T>()(shared.view, shared.job.observables);
    const int threads = threads_for(tiles * step_cycles(plan, 24), kGrainCycles);
    parallel_for(sums.groups, threads, [&](std::int64_t g, int) {
        const Leased<T> scratch(size);
        const Scratch<T> lambda(start_gradient != nullptr ? tile_size : 0);
        const Gradients<T> gradients{sums.sums(g), sums.weights(g), input_gradient,
                                     start_gradient != nullptr ? lambda.data() : nullptr};
        for (std::int64_t t = tiles * g / sums.groups; t < tiles * (g + 1) / sums.groups; ++t) {
            check_interrupt();
            select_tile_backward<T>()(shared.job, t, state + t * tile_size, value_gradient,
                                      amplitude_gradient, scratch.room(), gradients);
            if (start_gradient == nullptr) continue;
            // torch's gradient is twice lambda.
            const std::int64_t first = t * lanes<T>();
            const auto valid = std::min<std::int64_t>(lanes<T>(), shared.job.batch - first);
            T* out = start_gradient + (first << (plan.n_wires + 1));
            copy_amplitudes_from_tile(plan, {}, lambda.data(), static_cast<int>(valid), out);
            for (std::int64_t i = 0; i < valid << (plan.n_wires + 1); ++i) out[i] *= 2;
        }
    });
}

/// One sample's reverse sweep; `sums` receives the sums of all steps.
template <typename T>
void wide_reverse(const Plan& plan, const Shared<T>& shared, const std::vector<BlockGroup>& groups,
                  const Sample<T>& sample, int threads, T* psi, T* lambda, double* sums) {
    const std::int64_t scratch =
        select_wide_scratch<T>()(shared.view, shared.job.observables, kBlockBits);
    std::vector<double> partial;
    for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
        const std::int64_t blocks = std::int64_t{1} << (plan.n_wires - group->n_bits);
        const std::int64_t parts = std::min(blocks, kGroups);
        const std::int64_t from = plan.steps[static_cast<std::size_t>(group->first)].sums;
        const std::int64_t to = group->last == static_cast<int>(plan.steps.size())
                                    ? plan.n_sums
                                    : plan.steps[static_cast<std::size_t>(group->last)].sums;
        partial.assign(static_cast<std::size_t>(parts * (to - from)), 0.0);
        parallel_for(parts, threads, [&](std::int64_t p, int) {
            double* own = partial.data() + p * (to - from);
            for (std::int64_t b = blocks * p / parts; b < blocks * (p + 1) / parts; ++b) {
                check_interrupt();
                select_wide_block_reverse<T>()(shared.view, *group, sample.coefficients.data(), b,
                                               shared.job.want_weights, shared.job.want_inputs, psi,
                                               lambda, Leased<T>(scratch).room(), own);
            }
        });
        for (std::int64_t p = 0; p < parts; ++p) {
            for (std::int64_t i = from; i < to; ++i) {
                sums[i] += partial[static_cast<std::size_t>(p * (to - from) + i - from)];
            }
        }
    }
}

template <typename T>
void backward_wide(const Plan& plan, const Shared<T>& shared, const T* weights, const T* state,
                   const T* value_gradient, const T* amplitude_gradient, GroupSums& group_sums,
                   T* input_gradient, T* start_gradient) {
    const std::vector<BlockGroup> groups = block_groups(plan);
    const PlanView& view = shared.view;
    const std::int64_t size = std::int64_t{2} << plan.n_wires;
    const std::int64_t batch = shared.job.batch;
    const int n_rows = shared.job.observables.n_rows;
    const std::int64_t w = lanes<T>();
    const std::int64_t scratch =
        select_wide_scratch<T>()(shared.view, shared.job.observables, kBlockBits);
    const bool by_block = plan.n_wires > kBlockBits;
    const std::int64_t cycles = step_cycles(plan, 24) / w * (by_block ? 1 : batch);
    const int threads = threads_for(cycles, kGrainCycles);
    parallel_for(group_sums.groups, by_block ? 1 : threads, [&](std::int64_t g, int) {
        const AlignedBytes states = aligned_array<T>(2 * size);
        T* psi = reinterpret_cast<T*>(states.get());
        T* lambda = psi + size;
        std::vector<double> sums(static_cast<std::size_t>(plan.n_sums));
        std::vector<double> inputs(static_cast<std::size_t>(plan.n_inputs));
        const std::int64_t first = batch * g / group_sums.groups;
        for (std::int64_t b = first; b < batch * (g + 1) / group_sums.groups; ++b) {
            check_interrupt();
            const Sample<T> sample(plan, shared, weights, b);
            std::memcpy(psi, state + b * size, static_cast<std::size_t>(size) * sizeof(T));
            if (value_gradient != nullptr) {
                select_wide_cotangent<T>()(view, shared.job.observables,
                                           value_gradient + b * n_rows, psi,
                                           Leased<T>(scratch).room(), lambda);
            } else {
                const T* row = amplitude_gradient + b * size;
                for (std::int64_t i = 0; i < size / 2; ++i) {
                    lambda[i / w * 2 * w + i % w] = row[2 * i] / 2;
                    lambda[i / w * 2 * w + w + i % w] = row[2 * i + 1] / 2;
                }
            }
            std::fill(sums.begin(), sums.end(), 0.0);
            std::fill(inputs.begin(), inputs.end(), 0.0);
            wide_reverse(plan, shared, groups, sample, by_block ? threads : 1, psi, lambda,
                         sums.data());
            if (start_gradient != nullptr) {
                T* out = start_gradient + b * size;
                copy_amplitudes_from_state(plan, {}, lambda, out);
                for (std::int64_t i = 0; i < size; ++i) out[i] *= 2;
            }
            double* weight_sums = shared.job.want_weights ? group_sums.weights(g) : nullptr;
            double* input_sums = shared.job.want_inputs ? inputs.data() : nullptr;
            WB_SELECT_ISA(finish)(view, sample.angles.data(), true, sums.data(), weight_sums,
                                  input_sums);
            if ((weight_sums && plan.initial_weights) || (input_sums && plan.initial_inputs)) {
                select_wide_finish<T>()(view, sample.angles.data(), lambda,
                                        Leased<T>(scratch).room(), weight_sums, input_sums);
            }
            for (std::int64_t i = 0; i < plan.n_sums; ++i) {
                group_sums.sums(g)[i] += sums[static_cast<std::size_t>(i)];
            }
            for (int i = 0; input_gradient != nullptr && i < plan.n_inputs; ++i) {
                input_gradient[b * plan.n_inputs + i] =
                    static_cast<T>(inputs[static_cast<std::size_t>(i)]);
            }
        }
    });
}

void check_start(const Plan& plan, bool given) {
    if (plan.given_start != given) {
        throw std::invalid_argument("plan: start must be given where the plan was made for one");
    }
}

}  // namespace

Observables make_observables(int n_rows, int n_wires, std::span<const std::int64_t> terms,
                             std::span<const double> coefficients) {
    Observables out;
    out.n_rows = n_rows;
    const auto limit = static_cast<std::uint64_t>(std::uint64_t{1} << n_wires);
    for (std::size_t t = 0; t < coefficients.size(); ++t) {
        const auto x = static_cast<std::uint64_t>(terms[3 * t + 1]);
        const auto z = static_cast<std::uint64_t>(terms[3 * t + 2]);
        const std::string term = "observables: term " + std::to_string(t);
        if (terms[3 * t] < 0 || terms[3 * t] >= n_rows) {
            throw std::invalid_argument(term + " names a row outside [0, n_rows)");
        }
        if (x >= limit || z >= limit) {
            throw std::invalid_argument(term + " acts on a wire the circuit has not");
        }
        if (!std::isfinite(coefficients[t])) {
            throw std::invalid_argument(term + " has a coefficient that is not finite");
        }
        out.terms.push_back(
            {static_cast<std::int32_t>(terms[3 * t]), std::popcount(x & z), x, z, coefficients[t]});
    }
    return out;
}

template <typename T>
std::int64_t state_size(int n_wires, std::int64_t batch) {
    return (tiles_of<T>(batch) * lanes<T>()) << (n_wires + 1);
}

template <typename T>
void forward(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
             const Observables* observables, T* values, T* state, T* amplitudes, const T* start) {
    check_start(plan, start != nullptr);
    check_finite(weights, plan.n_weights, 0, "weights");
    check_finite(inputs, batch * plan.n_inputs, plan.n_inputs, "inputs");
    if (batch == 0) return;
    Shared<T> shared(plan, weights, inputs, batch, observables);
    shared.job.given_start = start != nullptr;
    std::vector<std::int64_t> index;
    if (amplitudes != nullptr && renamed(plan)) index = permutation(plan);
    if (use_tiles<T>(plan.n_wires, batch)) {
        forward_tiles(plan, shared, values, state, amplitudes, index, start);
    } else {
        forward_wide(plan, shared, weights, values, state, amplitudes, index, start);
    }
}

template <typename T>
void backward(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
              const T* state, const Observables* observables, const T* value_gradient,
              const T* amplitude_gradient, T* weight_gradient, T* input_gradient,
              T* start_gradient) {
    if (start_gradient != nullptr) check_start(plan, true);
    if (weight_gradient != nullptr) std::fill_n(weight_gradient, plan.n_weights, T{0});
    if (input_gradient != nullptr) std::fill_n(input_gradient, batch * plan.n_inputs, T{0});
    if (batch == 0 ||
        (weight_gradient == nullptr && input_gradient == nullptr && start_gradient == nullptr)) {
        return;
    }
    Shared<T> shared(plan, weights, inputs, batch, observables);
    shared.job.want_weights = weight_gradient != nullptr;
    shared.job.want_inputs = input_gradient != nullptr;
    shared.job.want_start = start_gradient != nullptr;
    std::vector<T> placed;
    if (amplitude_gradient != nullptr && renamed(plan)) {
        const std::vector<std::int64_t> index = permutation(plan);
        const std::int64_t size = std::int64_t{1} << plan.n_wires;
        placed.resize(static_cast<std::size_t>(2 * batch * size));
        for (std::int64_t b = 0; b < batch; ++b) {
            for (std::int64_t i = 0; i < size; ++i) {
                const auto to =
                    static_cast<std::size_t>(2 * (b * size + index[static_cast<std::size_t>(i)]));
                placed[to] = amplitude_gradient[2 * (b * size + i)];
                placed[to + 1] = amplitude_gradient[2 * (b * size + i) + 1];
            }
        }
        amplitude_gradient = placed.data();
    }
    const bool tiles = use_tiles<T>(plan.n_wires, batch);
    const bool by_block = !tiles && plan.n_wires > kBlockBits;
    const std::int64_t items = tiles ? tiles_of<T>(batch) : by_block ? 1 : batch;
    GroupSums sums(std::min(items, kGroups), plan);
    if (tiles) {
        backward_tiles(plan, shared, state, value_gradient, amplitude_gradient, sums,
                       input_gradient, start_gradient);
    } else {
        backward_wide(plan, shared, weights, state, value_gradient, amplitude_gradient, sums,
                      input_gradient, start_gradient);
    }
    if (weight_gradient == nullptr) return;
    sums.add_up();
    WB_SELECT_ISA(finish)(shared.view, shared.angles.data(), false, sums.sums(0), sums.weights(0),
                          nullptr);
    for (int i = 0; i < plan.n_weights; ++i) {
        weight_gradient[i] = static_cast<T>(sums.weights(0)[i]);
    }
}

template <typename T>
void evaluate_samples(const Plan& plan, const T* weights, const T* inputs, std::int64_t batch,
                      T* coefficients, T* start) {
    check_finite(weights, plan.n_weights, 0, "weights");
    check_finite(inputs, batch * plan.n_inputs, plan.n_inputs, "inputs");
    const Shared<T> shared(plan, weights, inputs, batch, nullptr);
    std::vector<double> qubits(static_cast<std::size_t>(4 * plan.n_wires));
    for (std::int64_t b = 0; b < batch; ++b) {
        const Sample<T> sample(plan, shared, weights, b);
        std::copy(sample.coefficients.begin(), sample.coefficients.end(),
                  coefficients + b * plan.n_coefficients);
        WB_SELECT_ISA(start_qubits)(shared.view, sample.angles.data(), qubits.data());
        for (std::size_t i = 0; i < qubits.size(); ++i) {
            start[b * 4 * plan.n_wires + static_cast<std::int64_t>(i)] = static_cast<T>(qubits[i]);
        }
    }
}

#define WB_INSTANTIATE(T)                                                                       \
    template std::int64_t state_size<T>(int, std::int64_t);                                     \
    template void forward<T>(const Plan&, const T*, const T*, std::int64_t, const Observables*, \
                             T*, T*, T*, const T*);                                             \
    template void evaluate_samples<T>(const Plan&, const T*, const T*, std::int64_t, T*, T*);   \
    template void backward<T>(const Plan&, const T*, const T*, std::int64_t, const T*,          \
                              const Observables*, const T*, const T*, T*, T*, T*);
WB_INSTANTIATE(float)
WB_INSTANTIATE(double)
#undef WB_INSTANTIATE

}  // namespace wb::statevector
