// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cmath>
#include <memory>

#include "core/parallel.hpp"
#include "paths/components.hpp"
#include "spanner/balls.hpp"
#include "spanner/contraction.hpp"
#include "spanner/random.hpp"
#include "spanner/spanner.hpp"

namespace wb::spanner {

template <typename W>
void exact(const Core<W>& core, std::int64_t begin, std::int64_t end, const Options& options,
           std::uint8_t* mask) {
    with_queue(core, [&]<typename Queue>() {
        const int threads = static_cast<int>(std::min<std::int64_t>(
            end - begin, threads_for(core.m * (end - begin), 20'000, options.threads)));
        std::vector<std::unique_ptr<BallSearch<W, Queue>>> searches(
            static_cast<std::size_t>(std::max(1, threads)));
        std::atomic<std::int64_t> finished{0};
        parallel_for(end - begin, threads, [&](std::int64_t i, int thread) {
            auto& search = searches[thread];
            if (!search) search = std::make_unique<BallSearch<W, Queue>>(core);
            using D = paths::Distance<W>;
            const D all = paths::unreached<D>() - 1;
            search->run(core, core.sources[begin + i], all, [](std::int32_t) { return true; });
            search->mark_trees(core, all, mask);
            const std::int64_t now = finished.fetch_add(1) + 1;
            if (thread == 0) options.tell(now, end - begin);
        });
        return 0;
    });
}

namespace {

template <typename W, typename Queue>
class SampledBalls {
  public:
    using D = paths::Distance<W>;

    SampledBalls(const Core<W>& core, const BallsOptions& options, std::uint8_t* mask)
        : core_(core),
          options_(options),
          mask_(mask),
          balls_(core),
          component_(core.n),
          alive_(core.n),
          gone_(core.n) {}

    /// One scale: pairs within `radius` of one another.
    void run(std::int64_t number, double radius) {
        const W longest = static_cast<double>(core_.largest()) <= radius ? core_.largest()
                                                                         : static_cast<W>(radius);
        const std::int64_t count =
            paths::strong_components(core_.g.out, component_.data(), longest);
        std::vector<std::int32_t> size(count, 0);
        for (std::int64_t v = 0; v < core_.n; ++v) ++size[component_[v]];
        std::fill(alive_.begin(), alive_.end(), 1);
        const double s = static_cast<double>(core_.sources.size());
        for (int i = options_.k - 1; i >= 0; --i) {
            const double probability = std::pow(s, -static_cast<double>(i) / options_.k);
            gone_.clear();
            for (const std::int32_t q : core_.sources) {
                if (alive_[q] == 0 || size[component_[q]] == 1) continue;
                const std::uint64_t bits =
                    mix(options_.seed, 0x62616c6cu, number, i, core_.vertex[q]);
                if (i > 0 && uniform(bits) >= probability) continue;
                const D reach = paths::floor_to<D>((i + 1) * radius * (1 + 1e-9));
                balls_.run(core_, q, reach, [&](std::int32_t v) { return alive_[v] != 0; });
                balls_.mark_trees(core_, reach, mask_);
                if (i == 0) continue;
                const D inner = paths::floor_to<D>(i * radius);
                for (const std::int32_t v : balls_.members()) {
                    if (balls_.roundtrip(v) <= inner) gone_.push_back(v);
                }
            }
            for (const std::int32_t v : gone_) alive_[v] = 0;
        }
    }

    std::int64_t settled() const { return balls_.settled(); }

  private:
    const Core<W>& core_;
    const BallsOptions& options_;
    std::uint8_t* mask_;
    BallSearch<W, Queue> balls_;
    std::vector<std::int32_t> component_;
    std::vector<std::uint8_t> alive_;
    std::vector<std::int32_t> gone_;
};

}  // namespace

template <typename W>
std::int64_t sampled_balls(const Core<W>& whole, const BallsOptions& options, std::uint8_t* mask) {
    std::int64_t zero_edges = 0;
    const auto smaller = contract(whole, random_ranks(whole, options.seed), W{}, mask, zero_edges);
    const Core<W>& core = smaller ? smaller->core : whole;
    if (core.n < 2) return 0;
    return with_queue(core, [&]<typename Queue>() {
        BallSearch<W, Queue> first(core);
        using D = paths::Distance<W>;
        first.run(core, 0, paths::unreached<D>() - 1, [](std::int32_t) { return true; });
        // No round trip is longer than twice that to vertex 0 and back.
        D farthest{};
        for (const std::int32_t v : first.members()) {
            farthest = std::max(farthest, first.roundtrip(v));
        }
        const double far = 2 * static_cast<double>(farthest) * (1 + 1e-9);
        std::vector<double> radii{least_roundtrip(core) * (1 + options.epsilon)};
        while (radii.back() < far) radii.push_back(radii.back() * (1 + options.epsilon));
        const auto count = static_cast<std::int64_t>(radii.size());
        const int threads = static_cast<int>(
            std::min<std::int64_t>(count, threads_for(core.m, 20'000, options.threads)));
        std::vector<std::unique_ptr<SampledBalls<W, Queue>>> workers(
            static_cast<std::size_t>(std::max(1, threads)));
        std::atomic<std::int64_t> finished{0};
        parallel_for(count, threads, [&](std::int64_t i, int thread) {
            if (i % options.shares == options.share) {
                auto& worker = workers[thread];
                if (!worker) worker = std::make_unique<SampledBalls<W, Queue>>(core, options, mask);
                worker->run(i, radii[i]);
            }
            const std::int64_t now = finished.fetch_add(1) + 1;
            if (thread == 0) options.tell(now, count);
        });
        std::int64_t settled = 0;
        for (const auto& worker : workers) settled += worker ? worker->settled() : 0;
        return settled;
    });
}

#define WB_BALLS(W)                                                                 \
    template void exact(const Core<W>&, std::int64_t, std::int64_t, const Options&, \
                        std::uint8_t*);                                             \
    template std::int64_t sampled_balls(const Core<W>&, const BallsOptions&, std::uint8_t*);
WB_BALLS(std::int32_t)
WB_BALLS(std::int64_t)
WB_BALLS(double)
#undef WB_BALLS

}  // namespace wb::spanner
