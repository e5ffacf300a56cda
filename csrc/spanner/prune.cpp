// SPDX-License-Identifier: Apache-2.0
// Every source keeps its trees in the spanner, both ways. An edge in no tree is free to go. For
// any other, the sources whose trees use it repair the subtree that hangs on it (Ramalingam, Reps,
// J. Algorithms 21, 1996); the first that cannot keep its stretch puts everything back. One pass
// is enough: what an edge is needed for does not become fewer when others go.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <queue>

#include "core/parallel.hpp"
#include "core/raw.hpp"
#include "paths/local.hpp"
#include "spanner/balls.hpp"
#include "spanner/spanner.hpp"

namespace wb::spanner {
namespace {

template <typename W>
class Pruner {
  public:
    using D = paths::Distance<W>;

    Pruner(const Core<W>& core, const Options& options, std::uint8_t* mask)
        : core_(core),
          options_(options),
          mask_(mask),
          n_(core.n),
          s_(static_cast<std::int64_t>(core.sources.size())) {
        for (std::int32_t e = 0; e < core.m; ++e) {
            if (mask[core.edge[e]] != 0) edges_.push_back(e);
        }
        lay_out(false);
        lay_out(true);
        alive_.assign(edges_.size(), 1);
        stamp_.assign(n_, 0);
        allowed_ = Raw<D>(s_ * n_);
        for (Way& way : ways_) {
            way.distance = Raw<D>(s_ * n_);
            way.parent = Raw<std::int32_t>(s_ * n_);
            way.users.assign(edges_.size(), 0);
        }
    }

    PruneStats run() {
        search_all();
        std::vector<std::int32_t> order(edges_.size());
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
            return core_.weight[edges_[a]] > core_.weight[edges_[b]];
        });
        for (std::size_t i = 0; i < order.size(); ++i) {
            check_interrupt();
            if (try_without(order[i])) ++stats_.dropped;
            ++stats_.tried;
            if (i % 64 == 0) {
                options_.tell(static_cast<std::int64_t>(i),
                              static_cast<std::int64_t>(order.size()));
            }
        }
        return stats_;
    }

  private:
    struct Link {
        std::int32_t target, edge;  // numbers among edges_
        W weight;
    };

    /// One direction: arcs, and of every source the distances and the tree.
    struct Way {
        std::vector<std::int64_t> ptr;
        std::vector<Link> links;
        Raw<D> distance;
        Raw<std::int32_t> parent;         // edge by which a vertex is reached, -1 at the source
        std::vector<std::int64_t> users;  // sources whose trees an edge is in
    };

    struct Undo {
        std::int64_t at;
        D distance;
        std::int32_t parent;
        bool reverse;
    };

    std::int32_t from(bool reverse, std::int32_t edge) const {
        return reverse ? core_.head[edges_[edge]] : core_.tail[edges_[edge]];
    }
    std::int32_t to(bool reverse, std::int32_t edge) const { return from(!reverse, edge); }

    void lay_out(bool reverse) {
        Way& way = ways_[reverse];
        way.ptr.assign(n_ + 1, 0);
        way.links.resize(edges_.size());
        const auto count = static_cast<std::int32_t>(edges_.size());
        for (std::int32_t e = 0; e < count; ++e) ++way.ptr[from(reverse, e) + 1];
        std::partial_sum(way.ptr.begin(), way.ptr.end(), way.ptr.begin());
        std::vector<std::int64_t> at(way.ptr.begin(), way.ptr.end() - 1);
        for (std::int32_t e = 0; e < count; ++e) {
            way.links[at[from(reverse, e)]++] = {to(reverse, e), e, core_.weight[edges_[e]]};
        }
    }

    void search_all() {
        // What the graph allows: searched before the trees, with the same threads.
        const int threads = threads_for(core_.m, 5'000, options_.threads);
        with_queue(core_, [&]<typename Queue>() {
            using Search = paths::LocalSearch<W, Queue>;
            std::vector<std::unique_ptr<Search>> there(threads), back(threads);
            parallel_for(s_, threads, [&](std::int64_t i, int thread) {
                if (!there[thread]) {
                    there[thread] = std::make_unique<Search>(n_, core_.largest());
                    back[thread] = std::make_unique<Search>(n_, core_.largest());
                }
                const auto all = [](std::int32_t, D) { return true; };
                const D limit = paths::unreached<D>() - 1;
                there[thread]->run(core_.g.out, core_.sources[i], limit, all);
                back[thread]->run(core_.g.in, core_.sources[i], limit, all);
                for (std::int32_t v = 0; v < n_; ++v) {
                    const D roundtrip = there[thread]->distance(v) + back[thread]->distance(v);
                    const double most = options_.stretch * static_cast<double>(roundtrip);
                    allowed_[i * n_ + v] = paths::floor_to<D>(most * (1 + 1e-12));
                }
                search(i, false);
                search(i, true);
            });
            return 0;
        });
        for (Way& way : ways_) {
            for (std::int64_t at = 0; at < s_ * n_; ++at) {
                if (way.parent[at] >= 0) ++way.users[way.parent[at]];
            }
        }
    }

    void search(std::int64_t source, bool reverse) {
        Way& way = ways_[reverse];
        D* distance = way.distance.data() + source * n_;
        std::int32_t* parent = way.parent.data() + source * n_;
        std::fill_n(distance, n_, paths::unreached<D>());
        std::fill_n(parent, n_, -1);
        Heap heap;
        distance[core_.sources[source]] = D{};
        heap.push({D{}, core_.sources[source]});
        while (!heap.empty()) {
            const auto [d, v] = heap.top();
            heap.pop();
            if (distance[v] != d) continue;
            for (std::int64_t a = way.ptr[v]; a < way.ptr[v + 1]; ++a) {
                const Link& link = way.links[a];
                const D next = d + static_cast<D>(link.weight);
                if (next >= distance[link.target]) continue;
                distance[link.target] = next;
                parent[link.target] = link.edge;
                heap.push({next, link.target});
            }
        }
    }

    bool try_without(std::int32_t edge) {
        alive_[edge] = 0;
        undo_.clear();
        bool kept = true;
        const std::int64_t users = ways_[0].users[edge] + ways_[1].users[edge];
        if (users > 0 && refused_at_once(edge)) {
            alive_[edge] = 1;
            return false;
        }
        std::int64_t met = 0;
        // Who refused lately is asked first.
        for (std::int64_t k = 0; kept && met < users; ++k) {
            const std::int64_t i = asked(k);
            const bool out = parent(false, i, edge) == edge, back = parent(true, i, edge) == edge;
            if (!out && !back) continue;
            pulse_();
            met += out + back;
            ++stats_.repairs;
            affected_.clear();
            kept = (!out || repair(i, false, edge)) && (!back || repair(i, true, edge));
            for (std::size_t j = 0; kept && j < affected_.size(); ++j) {
                kept = roundtrip(i, affected_[j]) <= allowed_[i * n_ + affected_[j]];
            }
            if (!kept) last_refusal_ = i;
        }
        if (kept) {
            mask_[core_.edge[edges_[edge]]] = 0;
            return true;
        }
        for (auto u = undo_.rbegin(); u != undo_.rend(); ++u) {
            Way& way = ways_[u->reverse];
            --way.users[way.parent[u->at]];
            ++way.users[u->parent];
            way.distance[u->at] = u->distance;
            way.parent[u->at] = u->parent;
        }
        alive_[edge] = 1;
        return false;
    }

    /// Whether the end of the edge itself has no other arc that could do for some source. Distances
    /// only grow, so those of its neighbours today are a lower bound.
    bool refused_at_once(std::int32_t edge) {
        for (std::int64_t k = 0; k < s_; ++k) {
            const std::int64_t i = asked(k);
            for (const bool reverse : {false, true}) {
                if (parent(reverse, i, edge) != edge) continue;
                const std::int32_t v = to(reverse, edge);
                const D* distance = ways_[reverse].distance.data() + i * n_;
                const Way& back = ways_[!reverse];  // its links lead to predecessors
                D least = paths::unreached<D>();
                for (std::int64_t a = back.ptr[v]; a < back.ptr[v + 1]; ++a) {
                    const Link& link = back.links[a];
                    if (alive_[link.edge] == 0) continue;
                    least = std::min(least, distance[link.target] + static_cast<D>(link.weight));
                }
                if (least == paths::unreached<D>() ||
                    least + back.distance[i * n_ + v] > allowed_[i * n_ + v]) {
                    last_refusal_ = i;
                    return true;
                }
            }
        }
        return false;
    }

    std::int64_t asked(std::int64_t k) const {
        if (k == 0) return last_refusal_;
        return k <= last_refusal_ ? k - 1 : k;
    }

    std::int32_t parent(bool reverse, std::int64_t source, std::int32_t edge) const {
        return ways_[reverse].parent[source * n_ + to(reverse, edge)];
    }

    D roundtrip(std::int64_t source, std::int32_t v) const {
        return ways_[0].distance[source * n_ + v] + ways_[1].distance[source * n_ + v];
    }

    /// Finds new ways for what hung on the edge; false where there is none short enough.
    bool repair(std::int64_t source, bool reverse, std::int32_t edge) {
        Way& way = ways_[reverse];
        const Way& back = ways_[!reverse];  // its links lead to predecessors
        D* distance = way.distance.data() + source * n_;
        std::int32_t* parents = way.parent.data() + source * n_;
        ++now_;
        hanging_.assign(1, to(reverse, edge));
        stamp_[hanging_[0]] = now_;
        for (std::size_t i = 0; i < hanging_.size(); ++i) {
            const std::int32_t v = hanging_[i];
            for (std::int64_t a = way.ptr[v]; a < way.ptr[v + 1]; ++a) {
                const Link& link = way.links[a];
                if (alive_[link.edge] == 0 || parents[link.target] != link.edge) continue;
                stamp_[link.target] = now_;
                hanging_.push_back(link.target);
            }
        }
        for (const std::int32_t v : hanging_) {
            undo_.push_back({source * n_ + v, distance[v], parents[v], reverse});
            --way.users[parents[v]];
            distance[v] = paths::unreached<D>();
        }
        for (const std::int32_t v : hanging_) {
            for (std::int64_t a = back.ptr[v]; a < back.ptr[v + 1]; ++a) {
                const Link& link = back.links[a];
                if (alive_[link.edge] == 0 || stamp_[link.target] == now_) continue;
                const D next = distance[link.target] + static_cast<D>(link.weight);
                if (next >= distance[v]) continue;
                distance[v] = next;
                parents[v] = link.edge;
            }
            if (distance[v] != paths::unreached<D>()) heap_.push({distance[v], v});
        }
        bool kept = true;
        while (!heap_.empty()) {
            const auto [d, v] = heap_.top();
            heap_.pop();
            if (!kept || distance[v] != d) continue;
            // The other way's distance can only grow in this trial, so this is final.
            if (d + back.distance[source * n_ + v] > allowed_[source * n_ + v]) {
                kept = false;
                continue;
            }
            for (std::int64_t a = way.ptr[v]; a < way.ptr[v + 1]; ++a) {
                const Link& link = way.links[a];
                if (alive_[link.edge] == 0 || stamp_[link.target] != now_) continue;
                const D next = d + static_cast<D>(link.weight);
                if (next >= distance[link.target]) continue;
                distance[link.target] = next;
                parents[link.target] = link.edge;
                heap_.push({next, link.target});
            }
        }
        for (const std::int32_t v : hanging_) {
            if (distance[v] == paths::unreached<D>()) kept = false;
            // Where nobody was found the old parent stands, and is put back all the same.
            ++way.users[parents[v]];
            affected_.push_back(v);
        }
        return kept;
    }

    using Entry = std::pair<D, std::int32_t>;
    using Heap = std::priority_queue<Entry, std::vector<Entry>, std::greater<>>;

    const Core<W>& core_;
    const Options& options_;
    std::uint8_t* mask_;
    std::int64_t n_, s_;
    std::vector<std::int32_t> edges_;
    std::vector<std::uint8_t> alive_;
    Way ways_[2];
    Raw<D> allowed_;
    std::vector<Undo> undo_;
    std::vector<std::int32_t> hanging_, affected_;
    std::vector<std::uint32_t> stamp_;
    std::uint32_t now_ = 0;
    std::int64_t last_refusal_ = 0;
    Heap heap_;
    PruneStats stats_;
    Pulse pulse_;
};

}  // namespace

template <typename W>
PruneStats prune(const Core<W>& core, const Options& options, std::uint8_t* mask) {
    return Pruner<W>(core, options, mask).run();
}

template PruneStats prune(const Core<std::int32_t>&, const Options&, std::uint8_t*);
template PruneStats prune(const Core<std::int64_t>&, const Options&, std::uint8_t*);
template PruneStats prune(const Core<double>&, const Options&, std::uint8_t*);

}  // namespace wb::spanner
