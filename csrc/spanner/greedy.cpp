// SPDX-License-Identifier: Apache-2.0
// Source by source: where a vertex is too far around in the spanner, the shortest path of the
// direction that is further off is put in, then if need be the other. Distances in the spanner are
// kept up by pushing the improvements through it. What a batch of sources needs of the graph
// and of the spanner as it stood is searched in parallel; edges inserted since are caught up on, so
// that neither the batches nor the threads show in the result.
#include <algorithm>
#include <memory>
#include <queue>

#include "core/parallel.hpp"
#include "spanner/balls.hpp"
#include "spanner/random.hpp"
#include "spanner/spanner.hpp"

namespace wb::spanner {
namespace {

/// A growing subgraph, both ways round, as chained lists in the order of insertion.
template <typename W>
class Growing {
  public:
    explicit Growing(const Core<W>& core)
        : core_(core), first_out_(core.n, -1), first_in_(core.n, -1), in_it_(core.m, 0) {}

    bool has(std::int32_t edge) const { return in_it_[edge] != 0; }

    void insert(std::int32_t edge) {
        in_it_[edge] = 1;
        const std::int32_t t = core_.tail[edge], h = core_.head[edge];
        out_.push_back({h, first_out_[t], core_.weight[edge]});
        in_.push_back({t, first_in_[h], core_.weight[edge]});
        first_out_[t] = first_in_[h] = static_cast<std::int32_t>(edges_.size());
        edges_.push_back(edge);
    }

    /// In the order of insertion.
    const std::vector<std::int32_t>& edges() const { return edges_; }

    template <typename F>
    void each(bool reverse, std::int32_t v, const F& f) const {
        const std::vector<Link>& links = reverse ? in_ : out_;
        for (std::int32_t i = (reverse ? first_in_ : first_out_)[v]; i >= 0; i = links[i].next) {
            f(links[i].target, links[i].weight);
        }
    }

  private:
    struct Link {
        std::int32_t target, next;
        W weight;
    };
    const Core<W>& core_;
    std::vector<std::int32_t> first_out_, first_in_;
    std::vector<std::uint8_t> in_it_;
    std::vector<Link> out_, in_;
    std::vector<std::int32_t> edges_;
};

/// Distances in the spanner from (or to) one source, kept up while it grows.
template <typename W>
class Distances {
  public:
    using D = paths::Distance<W>;

    void start(std::int64_t n, std::int32_t source) {
        distance_.assign(n, paths::unreached<D>());
        distance_[source] = D{};
        heap_.push({D{}, source});
    }

    D operator[](std::int32_t v) const { return distance_[v]; }

    /// An edge has been inserted; `settle` goes on from there.
    void offer(std::int32_t from, std::int32_t to, W weight) {
        if (distance_[from] == paths::unreached<D>()) return;
        const D next = distance_[from] + static_cast<D>(weight);
        if (next >= distance_[to]) return;
        distance_[to] = next;
        heap_.push({next, to});
    }

    void settle(const Growing<W>& spanner, bool reverse) {
        while (!heap_.empty()) {
            const auto [d, v] = heap_.top();
            heap_.pop();
            if (distance_[v] != d) continue;
            spanner.each(reverse, v, [&](std::int32_t to, W weight) { offer(v, to, weight); });
        }
    }

  private:
    using Entry = std::pair<D, std::int32_t>;
    std::vector<D> distance_;
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> heap_;
};

/// What the greedy step needs to know of one source.
template <typename W>
struct Around {
    using D = paths::Distance<W>;
    std::vector<D> from, to;                     // in the graph
    std::vector<std::int32_t> arc_from, arc_to;  // by which a vertex is entered
    Distances<W> spanner_from, spanner_to;
    std::size_t known = 0;  // edges of the spanner its distances know of
};

template <typename W, typename Queue>
class Greedy {
  public:
    using D = paths::Distance<W>;

    Greedy(const Core<W>& core, const Options& options, std::uint8_t* mask)
        : core_(core), options_(options), mask_(mask), spanner_(core) {
        for (std::int32_t e = 0; e < core.m; ++e) {
            if (mask[core.edge[e]] != 0) spanner_.insert(e);
        }
        threads_ = threads_for(core.m, 5'000, options.threads);
        forward_.resize(static_cast<std::size_t>(threads_));
        backward_.resize(static_cast<std::size_t>(threads_));
    }

    GreedyStats run(Start start) {
        if (start == Start::kHub) start_from_hub();
        const auto s = static_cast<std::int64_t>(core_.sources.size());
        // About 256 MB of distances and trees at most.
        const std::int64_t fits = (std::int64_t{1} << 28) / (48 * core_.n);
        const std::int64_t batch = std::clamp<std::int64_t>(fits, threads_, 64);
        std::vector<Around<W>> around(std::min(batch, s));
        for (std::int64_t begin = 0; begin < s; begin += batch) {
            const std::int64_t size = std::min(batch, s - begin);
            parallel_for(size, threads_, [&](std::int64_t i, int thread) {
                search(core_.sources[begin + i], around[i], thread);
            });
            for (std::int64_t i = 0; i < size; ++i) {
                satisfy(core_.sources[begin + i], around[i]);
            }
            if (options_.progress) options_.progress(begin + size, s);
        }
        return stats_;
    }

  private:
    using Search = paths::LocalSearch<W, Queue>;

    void search(std::int32_t source, Around<W>& a, int thread) {
        auto& forward = forward_[thread];
        auto& backward = backward_[thread];
        if (!forward) {
            forward = std::make_unique<Search>(core_.n, core_.largest());
            backward = std::make_unique<Search>(core_.n, core_.largest());
        }
        const auto all = [](std::int32_t, D) { return true; };
        const D limit = paths::unreached<D>() - 1;
        forward->run(core_.g.out, source, limit, all);
        backward->run(core_.g.in, source, limit, all);
        a.from.resize(core_.n);
        a.to.resize(core_.n);
        a.arc_from.resize(core_.n);
        a.arc_to.resize(core_.n);
        for (std::int32_t v = 0; v < core_.n; ++v) {
            a.from[v] = forward->distance(v);
            a.to[v] = backward->distance(v);
            a.arc_from[v] = forward->arc(v);
            a.arc_to[v] = backward->arc(v);
        }
        a.spanner_from.start(core_.n, source);
        a.spanner_from.settle(spanner_, false);
        a.spanner_to.start(core_.n, source);
        a.spanner_to.settle(spanner_, true);
        a.known = spanner_.edges().size();
    }

    /// Takes in what was inserted since the distances were right.
    void catch_up(Around<W>& a) {
        const std::vector<std::int32_t>& edges = spanner_.edges();
        for (; a.known < edges.size(); ++a.known) {
            const std::int32_t e = edges[a.known];
            a.spanner_from.offer(core_.tail[e], core_.head[e], core_.weight[e]);
            a.spanner_to.offer(core_.head[e], core_.tail[e], core_.weight[e]);
        }
        a.spanner_from.settle(spanner_, false);
        a.spanner_to.settle(spanner_, true);
    }

    bool violated(const Around<W>& a, std::int32_t v) const {
        const D out = a.spanner_from[v], back = a.spanner_to[v];
        if (out == paths::unreached<D>() || back == paths::unreached<D>()) return true;
        const double allowed = options_.stretch * static_cast<double>(a.from[v] + a.to[v]);
        return static_cast<double>(out + back) > allowed * (1 + 1e-12);
    }

    void satisfy(std::int32_t source, Around<W>& a) {
        catch_up(a);
        std::vector<std::pair<D, std::int32_t>> wrong;
        for (std::int32_t v = 0; v < core_.n; ++v) {
            if (violated(a, v)) wrong.emplace_back(a.from[v] + a.to[v], v);
        }
        std::sort(wrong.begin(), wrong.end());
        stats_.violations += static_cast<std::int64_t>(wrong.size());
        for (const auto& [roundtrip, v] : wrong) {
            if (!violated(a, v)) continue;
            const bool out_first =
                excess(a.spanner_from[v], a.from[v]) >= excess(a.spanner_to[v], a.to[v]);
            insert_path(source, a, v, out_first);
            if (violated(a, v)) insert_path(source, a, v, !out_first);
        }
    }

    static double excess(D in_spanner, D in_graph) {
        if (in_spanner == paths::unreached<D>()) return std::numeric_limits<double>::infinity();
        return static_cast<double>(in_spanner - in_graph);
    }

    void insert_path(std::int32_t source, Around<W>& a, std::int32_t v, bool out) {
        path_.clear();
        for (std::int32_t x = v; x != source;) {
            const std::int64_t e =
                out ? core_.g.out.edge[a.arc_from[x]] : core_.g.in.edge[a.arc_to[x]];
            if (!spanner_.has(static_cast<std::int32_t>(e))) {
                path_.push_back(static_cast<std::int32_t>(e));
            }
            x = out ? core_.tail[e] : core_.head[e];
        }
        if (path_.empty()) return;
        ++stats_.paths;
        // From the source on, so that distances fall along the path at once.
        for (auto e = path_.rbegin(); e != path_.rend(); ++e) {
            spanner_.insert(*e);
            mark(mask_, core_.edge[*e]);
        }
        catch_up(a);
    }

    /// The trees of that of up to eight sources whose round trips are shortest.
    void start_from_hub() {
        std::vector<std::pair<std::uint64_t, std::int32_t>> drawn;
        for (const std::int32_t s : core_.sources) {
            drawn.emplace_back(mix(options_.seed, 0x687562u, core_.vertex[s]), s);
        }
        std::sort(drawn.begin(), drawn.end());
        drawn.resize(std::min<std::size_t>(drawn.size(), 8));
        const auto tried = static_cast<std::int64_t>(drawn.size());
        std::vector<std::unique_ptr<BallSearch<W, Queue>>> searches(drawn.size());
        std::vector<double> mean(drawn.size(), 0);
        const D all = paths::unreached<D>() - 1;
        parallel_for(tried, threads_, [&](std::int64_t i, int) {
            searches[i] = std::make_unique<BallSearch<W, Queue>>(core_);
            searches[i]->run(core_, drawn[i].second, all, [](std::int32_t) { return true; });
            for (std::int32_t v = 0; v < core_.n; ++v) {
                mean[i] += static_cast<double>(searches[i]->roundtrip(v));
            }
        });
        const auto best = std::min_element(mean.begin(), mean.end()) - mean.begin();
        searches[best]->mark_trees(core_, all, mask_);
        for (std::int32_t e = 0; e < core_.m; ++e) {
            if (mask_[core_.edge[e]] != 0 && !spanner_.has(e)) spanner_.insert(e);
        }
        stats_.hub = core_.vertex[drawn[best].second];
    }

    const Core<W>& core_;
    const Options& options_;
    std::uint8_t* mask_;
    Growing<W> spanner_;
    GreedyStats stats_;
    int threads_ = 1;
    std::vector<std::unique_ptr<Search>> forward_, backward_;
    std::vector<std::int32_t> path_;
};

}  // namespace

template <typename W>
GreedyStats greedy(const Core<W>& core, Start start, const Options& options, std::uint8_t* mask) {
    return with_queue(
        core, [&]<typename Queue>() { return Greedy<W, Queue>(core, options, mask).run(start); });
}

template GreedyStats greedy(const Core<std::int32_t>&, Start, const Options&, std::uint8_t*);
template GreedyStats greedy(const Core<std::int64_t>&, Start, const Options&, std::uint8_t*);
template GreedyStats greedy(const Core<double>&, Start, const Options&, std::uint8_t*);

}  // namespace wb::spanner
