// SPDX-License-Identifier: Apache-2.0
// Shortest paths from one source while edges are added. Only arcs in use are stored, as one list
// per vertex, so that an insertion costs what it changes and not the degree in the whole graph.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/raw.hpp"
#include "paths/keys.hpp"
#include "paths/searcher.hpp"

namespace wb::paths {

/// Distances from (or, with tails and heads exchanged, to) one source over a growing set of edges.
/// Not for use from several threads at once.
template <typename W>
class IncrementalSearch {
  public:
    using D = WideDistance<W>;

    /// The arrays, one entry per edge, must outlive this. No edge is in use yet.
    IncrementalSearch(std::int64_t n, std::int64_t m, const std::int64_t* tails,
                      const std::int64_t* heads, const W* weights, std::int32_t source)
        : tails_(tails),
          heads_(heads),
          weights_(weights),
          used_(static_cast<std::size_t>(m)),
          first_(static_cast<std::size_t>(n), -1),
          distance_(static_cast<std::size_t>(n), unreached<D>()),
          parent_(static_cast<std::size_t>(n), -1),
          stamp_(static_cast<std::size_t>(n)) {
        distance_[index(source)] = D{};
    }

    /// Takes edges into use; those that are already stay so. Shows every vertex that has come
    /// nearer, once. Ties go to the earlier parent. O(c log c) for c changed vertices and the used
    /// arcs that leave them.
    template <typename Changed>
    void insert(std::span<const std::int64_t> edges, const Changed& changed) {
        ++now_;
        for (const std::int64_t e : edges) {
            if (used_[index(e)] != 0) continue;
            used_[index(e)] = 1;
            const std::size_t tail = index(tails_[e]);
            arcs_.push_back({e, first_[tail]});
            first_[tail] = static_cast<std::int64_t>(arcs_.size()) - 1;
            relax(e, changed);
        }
        while (!heap_.empty()) {
            std::pop_heap(heap_.begin(), heap_.end(), kLater);
            const auto [d, v] = heap_.back();
            heap_.pop_back();
            if (distance_[index(v)] != d) continue;  // nearer since
            for (std::int64_t a = first_[index(v)]; a >= 0; a = arcs_[index(a)].next) {
                relax(arcs_[index(a)].edge, changed);
            }
        }
    }

    D distance(std::int64_t v) const { return distance_[index(v)]; }
    /// Edge into a vertex, -1 at the source and where nothing leads.
    const std::vector<std::int64_t>& parents() const { return parent_; }
    const std::vector<std::uint8_t>& used() const { return used_; }

  private:
    struct Link {
        std::int64_t edge, next;
    };
    struct Entry {
        D distance;
        std::int64_t vertex;
    };
    static constexpr auto kLater = [](const Entry& a, const Entry& b) {
        return a.distance != b.distance ? a.distance > b.distance : a.vertex > b.vertex;
    };
    static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

    template <typename Changed>
    void relax(std::int64_t e, const Changed& changed) {
        const D from = distance_[index(tails_[e])];
        if (from == unreached<D>()) return;
        const std::int64_t head = heads_[e];
        const D next = from + static_cast<D>(weights_[e]);
        if (next >= distance_[index(head)]) return;
        distance_[index(head)] = next;
        parent_[index(head)] = e;
        heap_.push_back({next, head});
        std::push_heap(heap_.begin(), heap_.end(), kLater);
        if (stamp_[index(head)] != now_) {
            stamp_[index(head)] = now_;
            changed(head);
        }
    }

    const std::int64_t *tails_, *heads_;
    const W* weights_;
    std::vector<std::uint8_t> used_;
    std::vector<std::int64_t> first_;
    std::vector<Link> arcs_;
    std::vector<D> distance_;
    std::vector<std::int64_t> parent_;
    std::vector<std::uint64_t> stamp_;
    std::vector<Entry> heap_;
    std::uint64_t now_ = 0;
};

}  // namespace wb::paths
