// SPDX-License-Identifier: Apache-2.0
// A vertex x waits under d(source, x) + p(x), where p(x) bounds d(x, target) from below by the
// triangle inequality over a few landmarks. Rounding may make p a little too large for floats or
// inconsistent for any type: p is lowered by what rounding can have added, a vertex whose distance
// falls is expanded again, and the search goes on until nothing left could still round to less.
#include "paths/alt.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>

#include "core/parallel.hpp"

namespace wb::paths {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr double kUlp = std::numeric_limits<double>::epsilon();

template <typename W>
class AltSearcher {
  public:
    using D = std::conditional_t<std::is_floating_point_v<W>, double, std::int64_t>;
    static constexpr D kUnreached = std::numeric_limits<D>::max();

    AltSearcher(const Arcs<W>& g, const AltQuery& query)
        : g_(g), query_(query), distance_(g.n), potential_(g.n), parent_(g.n), tail_(g.n) {
        std::fill_n(distance_.data(), g.n, kUnreached);
        const auto hops = static_cast<double>(std::max<std::int64_t>(1, g.n));
        const double longest = static_cast<double>(g.largest) * hops;
        if constexpr (std::is_floating_point_v<W>) {
            slack_ = 2 * hops * kUlp;
            window_ = query.k == 0 ? 0 : 4 * hops * kUlp;
        } else if (longest >= 0x1p53) {
            slack_ = 2 * kUlp;  // only the conversion to double rounds
        }
    }

    std::vector<std::int64_t> run(std::int64_t i) {
        const std::int64_t source = query_.sources[i];
        target_ = query_.targets[i];
        choose(source);
        query_.settled[i] = 0;
        if (!search(source, query_.settled[i], 2 * g_.n)) {
            reset();  // rounding could make a bad case of it; without landmarks it cannot
            ranked_.clear();
            search(source, query_.settled[i], std::numeric_limits<std::int64_t>::max());
        }
        return finish(i, source);
    }

  private:
    struct Entry {
        D key, distance;
        std::int32_t vertex;
        // Of equal keys the one further along, which is nearer to the target.
        bool operator<(const Entry& other) const {
            if (key != other.key) return key > other.key;
            if (distance != other.distance) return distance < other.distance;
            return vertex > other.vertex;
        }
    };

    bool beyond(D key, D best) const {
        if constexpr (std::is_floating_point_v<D>) {
            return key > best * (1 + window_);
        } else {
            return key > best;
        }
    }

    /// What landmark j says of d(v, target) at least; -infinity where it says nothing.
    double promise(std::int64_t v, std::int64_t j) const {
        const std::int64_t k = query_.k, at = v * k + j, end = target_ * k + j;
        double bound = -kInfinite;
        if (query_.to[end] < kInfinite) {
            const double a = query_.to[at], b = query_.to[end];
            bound = a < kInfinite ? a - b - slack_ * (a + b) : kInfinite;
        }
        if (query_.from[at] < kInfinite) {
            const double a = query_.from[end], b = query_.from[at];
            bound = std::max(bound, a < kInfinite ? a - b - slack_ * (a + b) : kInfinite);
        }
        return bound;
    }

    void choose(std::int64_t source) {
        ranked_.clear();
        for (std::int64_t j = 0; j < query_.k; ++j) ranked_.push_back({-promise(source, j), j});
        const auto keep = static_cast<std::size_t>(std::min(query_.active, query_.k));
        std::partial_sort(ranked_.begin(), ranked_.begin() + static_cast<std::ptrdiff_t>(keep),
                          ranked_.end());
        ranked_.resize(keep);
    }

    void reach(std::int64_t v, D distance, std::int64_t arc, std::int64_t tail) {
        if (distance_[v] == kUnreached) {
            double bound = 0;
            for (const auto& [_, j] : ranked_) bound = std::max(bound, promise(v, j));
            touched_.push_back(static_cast<std::int32_t>(v));
            potential_[v] = bound < kInfinite ? static_cast<D>(bound) : kUnreached;
        }
        distance_[v] = distance;
        parent_[v] = arc;
        tail_[v] = static_cast<std::int32_t>(tail);
        if (potential_[v] == kUnreached) return;  // the target cannot be reached from here
        heap_.push_back({distance + potential_[v], distance, static_cast<std::int32_t>(v)});
        std::push_heap(heap_.begin(), heap_.end());
    }

    /// False when it gave up because more than `most` vertices were expanded.
    bool search(std::int64_t source, std::int64_t& settled, std::int64_t most) {
        reach(source, D{}, -1, source);
        while (!heap_.empty()) {
            const Entry top = heap_.front();
            const D best = distance_[target_];
            if (best != kUnreached && beyond(top.key, best)) break;
            std::pop_heap(heap_.begin(), heap_.end());
            heap_.pop_back();
            const std::int64_t v = top.vertex;
            if (distance_[v] != top.distance) continue;  // reached at less since
            if (++settled > most) return false;
            pulse_();
            if (v == target_ && window_ == 0) break;
            const std::int64_t end = g_.ptr[v + 1];
            for (std::int64_t a = g_.ptr[v]; a < end; ++a) {
                const auto [head, weight] = g_.arcs[a];
                const D next = top.distance + static_cast<D>(weight);
                if (next >= distance_[head]) continue;
                if (next >= distance_[target_]) break;  // arcs rise by weight
                if (query_.edge_mask != nullptr && query_.edge_mask[g_.edge[a]] == 0) continue;
                reach(head, next, a, v);
            }
        }
        return true;
    }

    void reset() {
        for (const std::int32_t v : touched_) distance_[v] = kUnreached;
        touched_.clear();
        heap_.clear();
    }

    std::vector<std::int64_t> finish(std::int64_t i, std::int64_t source) {
        std::vector<std::int64_t> path;
        const bool found = distance_[target_] != kUnreached;
        query_.distances[i] = found ? static_cast<double>(distance_[target_]) : kInfinite;
        if (found) {
            for (std::int64_t v = target_; v != source; v = tail_[v]) {
                path.push_back(g_.edge[parent_[v]]);
            }
            std::reverse(path.begin(), path.end());
        }
        reset();
        return path;
    }

    const Arcs<W>& g_;
    const AltQuery& query_;
    const Raw<D> distance_, potential_;
    const Raw<std::int64_t> parent_;
    const Raw<std::int32_t> tail_;
    std::vector<Entry> heap_;
    std::vector<std::int32_t> touched_;
    std::vector<std::pair<double, std::int64_t>> ranked_;
    std::int64_t target_ = 0;
    Pulse pulse_;
    double slack_ = 0, window_ = 0;
};

}  // namespace

template <typename W>
std::vector<std::vector<std::int64_t>> alt_search(const Arcs<W>& g, const AltQuery& query) {
    std::vector<std::vector<std::int64_t>> paths(static_cast<std::size_t>(query.n_pairs));
    const int threads = static_cast<int>(
        std::min<std::int64_t>(query.n_pairs, threads_for(query.n_pairs, 4, query.threads)));
    std::vector<std::unique_ptr<AltSearcher<W>>> searchers(
        static_cast<std::size_t>(std::max(1, threads)));
    parallel_for(query.n_pairs, threads, [&](std::int64_t i, int thread) {
        auto& searcher = searchers[static_cast<std::size_t>(thread)];
        if (!searcher) searcher = std::make_unique<AltSearcher<W>>(g, query);
        paths[static_cast<std::size_t>(i)] = searcher->run(i);
    });
    return paths;
}

#define WB_ALT(W) \
    template std::vector<std::vector<std::int64_t>> alt_search(const Arcs<W>&, const AltQuery&);
WB_ALT(std::int32_t)
WB_ALT(std::int64_t)
WB_ALT(float)
WB_ALT(double)
#undef WB_ALT

}  // namespace wb::paths
