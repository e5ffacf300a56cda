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

/// Distances in the spanner around one source.
template <typename W>
struct Around {
    Distances<W> from, to;
    std::size_t known = 0;  // edges of the spanner they know of
};

/// One source's part of a batch of trees.
template <typename W>
struct View {
    const paths::Distance<W>*from, *to;
    const std::int32_t *arc_from, *arc_to;
};

template <typename W>
class Greedy {
  public:
    using D = paths::Distance<W>;

    Greedy(const Core<W>& core, const Options& options, const TreeProvider<W>& trees,
           std::uint8_t* mask)
        : core_(core), options_(options), trees_(trees), mask_(mask), spanner_(core) {
        for (std::int32_t e = 0; e < core.m; ++e) {
            if (mask[core.edge[e]] != 0) spanner_.insert(e);
        }
        threads_ = threads_for(core.m, 5'000, options.threads);
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
            const Trees<W> trees = trees_(begin, begin + size);
            parallel_for(size, threads_, [&](std::int64_t i, int) {
                Around<W>& a = around[i];
                a.from.start(core_.n, core_.sources[begin + i]);
                a.from.settle(spanner_, false);
                a.to.start(core_.n, core_.sources[begin + i]);
                a.to.settle(spanner_, true);
                a.known = spanner_.edges().size();
            });
            for (std::int64_t i = 0; i < size; ++i) {
                const std::int64_t at = i * core_.n;
                satisfy(core_.sources[begin + i], around[i],
                        {trees.from.data() + at, trees.to.data() + at, trees.arc_from.data() + at,
                         trees.arc_to.data() + at});
            }
            options_.tell(begin + size, s);
        }
        return stats_;
    }

  private:
    /// Takes in what was inserted since the distances were right.
    void catch_up(Around<W>& a) {
        const std::vector<std::int32_t>& edges = spanner_.edges();
        for (; a.known < edges.size(); ++a.known) {
            const std::int32_t e = edges[a.known];
            a.from.offer(core_.tail[e], core_.head[e], core_.weight[e]);
            a.to.offer(core_.head[e], core_.tail[e], core_.weight[e]);
        }
        a.from.settle(spanner_, false);
        a.to.settle(spanner_, true);
    }

    bool violated(const Around<W>& a, const View<W>& g, std::int32_t v) const {
        const D out = a.from[v], back = a.to[v];
        if (out == paths::unreached<D>() || back == paths::unreached<D>()) return true;
        const double allowed = options_.stretch * static_cast<double>(g.from[v] + g.to[v]);
        return static_cast<double>(out + back) > allowed * (1 + 1e-12);
    }

    void satisfy(std::int32_t source, Around<W>& a, const View<W>& g) {
        catch_up(a);
        std::vector<std::pair<D, std::int32_t>> wrong;
        for (std::int32_t v = 0; v < core_.n; ++v) {
            if (violated(a, g, v)) wrong.emplace_back(g.from[v] + g.to[v], v);
        }
        std::sort(wrong.begin(), wrong.end());
        stats_.violations += static_cast<std::int64_t>(wrong.size());
        for (const auto& [roundtrip, v] : wrong) {
            check_interrupt();
            if (!violated(a, g, v)) continue;
            const bool out_first = excess(a.from[v], g.from[v]) >= excess(a.to[v], g.to[v]);
            insert_path(source, a, g, v, out_first);
            if (violated(a, g, v)) insert_path(source, a, g, v, !out_first);
        }
    }

    static double excess(D in_spanner, D in_graph) {
        if (in_spanner == paths::unreached<D>()) return std::numeric_limits<double>::infinity();
        return static_cast<double>(in_spanner - in_graph);
    }

    void insert_path(std::int32_t source, Around<W>& a, const View<W>& g, std::int32_t v,
                     bool out) {
        path_.clear();
        for (std::int32_t x = v; x != source;) {
            const std::int64_t e =
                out ? core_.g.out.edge[g.arc_from[x]] : core_.g.in.edge[g.arc_to[x]];
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
        stats_.hub = with_queue(core_, [&]<typename Queue>() { return mark_hub<Queue>(); });
        for (std::int32_t e = 0; e < core_.m; ++e) {
            if (mask_[core_.edge[e]] != 0 && !spanner_.has(e)) spanner_.insert(e);
        }
    }

    template <typename Queue>
    std::int64_t mark_hub() {
        std::vector<std::pair<std::uint64_t, std::int32_t>> drawn;
        for (const std::int32_t s : core_.sources) {
            drawn.emplace_back(mix(options_.seed, 0x687562u, core_.vertex[s]), s);
        }
        std::sort(drawn.begin(), drawn.end());
        drawn.resize(std::min<std::size_t>(drawn.size(), 8));
        std::vector<std::unique_ptr<BallSearch<W, Queue>>> searches(drawn.size());
        std::vector<double> sum(drawn.size(), 0);
        const D all = paths::unreached<D>() - 1;
        parallel_for(static_cast<std::int64_t>(drawn.size()), threads_, [&](std::int64_t i, int) {
            searches[i] = std::make_unique<BallSearch<W, Queue>>(core_);
            searches[i]->run(core_, drawn[i].second, all, [](std::int32_t) { return true; });
            for (std::int32_t v = 0; v < core_.n; ++v) {
                sum[i] += static_cast<double>(searches[i]->roundtrip(v));
            }
        });
        const auto best = std::min_element(sum.begin(), sum.end()) - sum.begin();
        searches[best]->mark_trees(core_, all, mask_);
        return core_.vertex[drawn[best].second];
    }

    const Core<W>& core_;
    const Options& options_;
    const TreeProvider<W>& trees_;
    std::uint8_t* mask_;
    Growing<W> spanner_;
    GreedyStats stats_;
    int threads_ = 1;
    std::vector<std::int32_t> path_;
};

}  // namespace

template <typename W>
Trees<W> search_trees(const Core<W>& core, std::int64_t begin, std::int64_t end, int threads) {
    const std::int64_t count = end - begin, n = core.n;
    Trees<W> trees;
    trees.from.resize(count * n);
    trees.to.resize(count * n);
    trees.arc_from.resize(count * n);
    trees.arc_to.resize(count * n);
    with_queue(core, [&]<typename Queue>() {
        using D = paths::Distance<W>;
        using Search = paths::LocalSearch<W, Queue>;
        const int workers = threads_for(core.m * count, 20'000, threads);
        std::vector<std::unique_ptr<Search>> searches(static_cast<std::size_t>(workers));
        // One task per source and direction.
        parallel_for(2 * count, workers, [&](std::int64_t i, int thread) {
            auto& search = searches[thread];
            if (!search) search = std::make_unique<Search>(n, core.largest());
            const bool out = i % 2 == 0;
            search->run(out ? core.g.out : core.g.in, core.sources[begin + i / 2],
                        paths::unreached<D>() - 1, [](std::int32_t, D) { return true; });
            D* distance = (out ? trees.from : trees.to).data() + i / 2 * n;
            std::int32_t* arc = (out ? trees.arc_from : trees.arc_to).data() + i / 2 * n;
            for (std::int32_t v = 0; v < n; ++v) {
                distance[v] = search->distance(v);
                arc[v] = search->arc(v);
            }
        });
        return 0;
    });
    return trees;
}

template <typename W>
GreedyStats greedy(const Core<W>& core, Start start, const Options& options,
                   const TreeProvider<W>& trees, std::uint8_t* mask) {
    return Greedy<W>(core, options, trees, mask).run(start);
}

#define WB_GREEDY(W)                                                                           \
    template Trees<W> search_trees(const Core<W>&, std::int64_t, std::int64_t, int);           \
    template GreedyStats greedy(const Core<W>&, Start, const Options&, const TreeProvider<W>&, \
                                std::uint8_t*);
WB_GREEDY(std::int32_t)
WB_GREEDY(std::int64_t)
WB_GREEDY(double)
#undef WB_GREEDY

}  // namespace wb::spanner
