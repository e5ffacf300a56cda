// SPDX-License-Identifier: Apache-2.0
// Balls around one vertex, with no array as long as the graph: labels lie in a hash table, so that
// a call costs what the ball holds.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/interrupt.hpp"
#include "paths/digraph.hpp"
#include "paths/keys.hpp"
#include "paths/search_options.hpp"
#include "paths/searcher.hpp"

namespace wb::paths {

/// A map from vertices to labels by open addressing.
template <typename Label>
class VertexTable {
  public:
    VertexTable() : slots_(16) {}

    /// A vertex's label, made if need be.
    Label& operator[](std::int32_t v) {
        if (2 * ++count_ > slots_.size()) grow();
        Slot& slot = slots_[place(v)];
        if (slot.vertex == v) {
            --count_;
        } else {
            slot.vertex = v;
        }
        return slot.label;
    }
    const Label* find(std::int32_t v) const {
        const Slot& slot = slots_[place(v)];
        return slot.vertex == v ? &slot.label : nullptr;
    }

  private:
    struct Slot {
        std::int32_t vertex = -1;
        Label label{};
    };

    std::size_t place(std::int32_t v) const {
        const std::size_t mask = slots_.size() - 1;
        std::size_t at = (static_cast<std::uint64_t>(v) * 0x9e3779b97f4a7c15u >> 32) & mask;
        while (slots_[at].vertex >= 0 && slots_[at].vertex != v) at = (at + 1) & mask;
        return at;
    }
    void grow() {
        std::vector<Slot> old(2 * slots_.size());
        old.swap(slots_);
        for (const Slot& slot : old) {
            if (slot.vertex >= 0) slots_[place(slot.vertex)] = slot;
        }
    }

    std::vector<Slot> slots_;
    std::size_t count_ = 0;
};

/// Dijkstra's algorithm from one vertex up to a limit.
template <typename W>
class BallSearch {
  public:
    using D = WideDistance<W>;
    struct Label {
        D distance = unreached<D>();
        std::int64_t arc = -1;
        std::int32_t parent = -1;
    };

    /// `admit(vertex, distance)` is asked before a vertex is reached at that distance.
    template <typename Admit>
    void run(const Arcs<W>& g, std::int32_t centre, D limit, const Admit& admit) {
        std::vector<Entry> heap{{D{}, centre}};
        Pulse pulse;
        labels_[centre].distance = D{};
        while (!heap.empty()) {
            std::pop_heap(heap.begin(), heap.end(), kLater);
            const auto [d, v] = heap.back();
            heap.pop_back();
            if (labels_.find(v)->distance != d) continue;
            settled_.push_back(v);
            pulse();
            const std::int64_t end = g.ptr[v + 1];
            for (std::int64_t a = g.ptr[v]; a < end; ++a) {
                const auto [head, weight] = g.arcs[a];
                const D next = d + static_cast<D>(weight);
                if (next > limit) break;  // arcs rise by weight
                if (!admit(head, next)) continue;
                Label& label = labels_[head];
                if (next >= label.distance) continue;
                label = {next, a, v};
                heap.push_back({next, head});
                std::push_heap(heap.begin(), heap.end(), kLater);
            }
        }
    }

    const Label* find(std::int32_t v) const { return labels_.find(v); }
    /// What was reached, by rising distance.
    const std::vector<std::int32_t>& settled() const { return settled_; }

  private:
    struct Entry {
        D distance;
        std::int32_t vertex;
    };
    static constexpr auto kLater = [](const Entry& a, const Entry& b) {
        return a.distance != b.distance ? a.distance > b.distance : a.vertex > b.vertex;
    };

    VertexTable<Label> labels_;
    std::vector<std::int32_t> settled_;
};

/// What a ball holds.
struct Ball {
    std::vector<std::int64_t> vertices;  // by rising distance, then number
    std::vector<double> distances;
    std::vector<std::int64_t> edges;  // of its trees, rising
};

/// Vertices within `radius` from a vertex (to it with `reverse`) and the tree that leads there.
template <typename W>
Ball ball(const Digraph<W>& g, std::int32_t centre, double radius, bool reverse) {
    const Arcs<W>& arcs = reverse ? g.in : g.out;
    BallSearch<W> search;
    search.run(arcs, centre, limit_of<WideDistance<W>>(radius),
               [](std::int32_t, auto) { return true; });
    Ball out;
    for (const std::int32_t v : search.settled()) {
        const auto* label = search.find(v);
        out.vertices.push_back(v);
        out.distances.push_back(static_cast<double>(label->distance));
        if (v != centre) out.edges.push_back(arcs.edge[label->arc]);
    }
    std::sort(out.edges.begin(), out.edges.end());
    return out;
}

/// Vertices within round-trip distance `radius`, and the edges of shortest paths there and back;
/// these never leave the ball but for the last bit of a sum.
template <typename W>
Ball roundtrip_ball(const Digraph<W>& g, std::int32_t centre, double radius) {
    using D = WideDistance<W>;
    const D limit = limit_of<D>(radius);
    BallSearch<W> there, back;
    there.run(g.out, centre, limit, [](std::int32_t, D) { return true; });
    const double wide = radius * (1 + 1e-9);  // for sums that round differently
    back.run(g.in, centre, limit, [&](std::int32_t v, D next) {
        const auto* label = there.find(v);
        if (label == nullptr) return false;
        if constexpr (std::is_floating_point_v<D>) {
            return label->distance + next <= wide;
        } else {
            return label->distance <= limit - next;
        }
    });
    std::vector<std::pair<double, std::int32_t>> members;
    for (const std::int32_t v : back.settled()) {
        const D total = there.find(v)->distance + back.find(v)->distance;
        const bool in =
            std::is_floating_point_v<D> ? static_cast<double>(total) <= radius : total <= limit;
        if (in) members.emplace_back(static_cast<double>(total), v);
    }
    std::sort(members.begin(), members.end());
    Ball out;
    for (const bool forward : {true, false}) {
        const Arcs<W>& arcs = forward ? g.out : g.in;
        const BallSearch<W>& search = forward ? there : back;
        VertexTable<bool> done;
        done[centre] = true;
        for (const auto& [total, member] : members) {
            for (std::int32_t v = member; !done[v];) {
                done[v] = true;
                const auto* label = search.find(v);
                out.edges.push_back(arcs.edge[label->arc]);
                v = label->parent;
            }
        }
    }
    for (const auto& [total, v] : members) {
        out.vertices.push_back(v);
        out.distances.push_back(total);
    }
    std::sort(out.edges.begin(), out.edges.end());
    out.edges.erase(std::unique(out.edges.begin(), out.edges.end()), out.edges.end());
    return out;
}

}  // namespace wb::paths
