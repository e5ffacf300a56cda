// SPDX-License-Identifier: Apache-2.0
// A search touches memory at random: once per arc for the distance of its head. So distances are
// kept in 32 bits where the longest path fits, and arcs hold target and weight side by side.
#include "paths/sssp.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <type_traits>

#include "core/parallel.hpp"
#include "paths/keys.hpp"
#include "paths/queues.hpp"

namespace wb::paths {
namespace {

constexpr std::uint64_t kDialLargest = 1 << 16;

/// One thread's searches over one graph.
template <typename Queue, typename D, typename W>
class Searcher {
  public:
    Searcher(const Arcs<W>& g, const Query& query)
        : g_(g), query_(query), queue_(static_cast<std::uint64_t>(g.largest)), distance_(g.n) {
        if (query.parents != nullptr) parent_ = Raw<std::int64_t>(g.n);
        limit_ = unreached<D>();
        if (query.limit >= 0 && query.limit < static_cast<double>(limit_)) {
            limit_ = static_cast<D>(query.limit);
        }
    }

    void run(std::int64_t i) {
        std::fill_n(distance_.data(), g_.n, unreached<D>());
        const auto source = static_cast<std::int32_t>(query_.sources[i]);
        if (query_.parents != nullptr) {
            if (query_.edge_mask != nullptr) {
                search<true, true>(source);
            } else {
                search<true, false>(source);
            }
        } else {
            if (query_.edge_mask != nullptr) {
                search<false, true>(source);
            } else {
                search<false, false>(source);
            }
        }
        double* out = query_.distances + i * g_.n;
        for (std::int64_t v = 0; v < g_.n; ++v) {
            const D d = distance_[v];
            out[v] = d == unreached<D>() || d > settled_ ? std::numeric_limits<double>::infinity()
                                                         : static_cast<double>(d);
        }
        if (query_.parents == nullptr) return;
        std::int64_t* parents = query_.parents + i * g_.n;
        for (std::int64_t v = 0; v < g_.n; ++v) {
            const bool has = out[v] < std::numeric_limits<double>::infinity() && v != source;
            parents[v] = has ? g_.edge[parent_[v]] : -1;
        }
    }

  private:
    template <bool kParents, bool kMask>
    void search(std::int32_t source) {
        queue_.clear();
        distance_[source] = D{};
        settled_ = D{};
        std::uint64_t key = 0;
        queue_.push(key, source);
        std::int64_t wanted = query_.n_targets;
        const auto visit = [&](std::uint64_t k, std::int32_t v) {
            const D d = distance_of<D>(k);
            if (distance_[v] != d) return true;  // reached at less since
            settled_ = d;
            if (query_.targets != nullptr && query_.targets[v] != 0 && --wanted == 0) return false;
            const std::int64_t end = g_.ptr[v + 1];
            for (std::int64_t a = g_.ptr[v]; a < end; ++a) {
                const auto [head, weight] = g_.arcs[a];
                const D next = d + static_cast<D>(weight);
                if (next > limit_) break;  // arcs rise by weight
                if (next >= distance_[head]) continue;
                if constexpr (kMask) {
                    if (query_.edge_mask[g_.edge[a]] == 0) continue;
                }
                distance_[head] = next;
                if constexpr (kParents) parent_[head] = a;
                queue_.push(key_of(next), head);
            }
            return true;
        };
        while (queue_.take(key, visit)) {
        }
        // Nothing left to settle: all that was reached is final.
        if (query_.targets == nullptr || wanted > 0) settled_ = unreached<D>();
    }

    const Arcs<W>& g_;
    const Query& query_;
    Queue queue_;
    Raw<D> distance_;
    Raw<std::int64_t> parent_;
    D limit_{}, settled_{};
};

template <typename Queue, typename D, typename W>
void search_all(const Arcs<W>& g, const Query& query) {
    const int threads = static_cast<int>(std::min<std::int64_t>(
        query.n_sources, threads_for((g.m + g.n) * query.n_sources, 50'000, query.threads)));
    std::vector<std::unique_ptr<Searcher<Queue, D, W>>> searchers(
        static_cast<std::size_t>(std::max(1, threads)));
    parallel_for(query.n_sources, threads, [&](std::int64_t i, int thread) {
        auto& searcher = searchers[static_cast<std::size_t>(thread)];
        if (!searcher) searcher = std::make_unique<Searcher<Queue, D, W>>(g, query);
        searcher->run(i);
    });
}

}  // namespace

template <typename W>
void shortest_paths(const Arcs<W>& g, const Query& query) {
    if constexpr (std::is_floating_point_v<W>) {
        search_all<RadixQueue, double>(g, query);
    } else {
        const auto largest = static_cast<std::uint64_t>(g.largest);
        const auto hops = static_cast<std::uint64_t>(std::max<std::int64_t>(1, g.n));
        const bool narrow = largest < (std::uint64_t{1} << 32) / hops - 1;
        if (largest <= kDialLargest && narrow) {
            search_all<DialQueue, std::uint32_t>(g, query);
        } else if (largest <= kDialLargest) {
            search_all<DialQueue, std::uint64_t>(g, query);
        } else if (narrow) {
            search_all<RadixQueue, std::uint32_t>(g, query);
        } else {
            search_all<RadixQueue, std::uint64_t>(g, query);
        }
    }
}

#define WB_PATHS(W) template void shortest_paths(const Arcs<W>&, const Query&);
WB_PATHS(std::int32_t)
WB_PATHS(std::int64_t)
WB_PATHS(float)
WB_PATHS(double)
#undef WB_PATHS

}  // namespace wb::paths
