// SPDX-License-Identifier: Apache-2.0
#include "spanner/contraction.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "paths/components.hpp"
#include "spanner/balls.hpp"
#include "spanner/random.hpp"

namespace wb::spanner {
namespace {

/// Marks a breadth-first tree of one component from (or, over reversed arcs, to) its root.
template <typename W>
void span_component(const Core<W>& core, const paths::Arcs<W>& arcs, std::int32_t root, W threshold,
                    const std::vector<std::int32_t>& component, std::vector<std::uint8_t>& seen,
                    std::uint8_t* mask, std::int64_t& edges) {
    std::vector<std::int32_t> queue{root};
    seen[root] = 1;
    for (std::size_t i = 0; i < queue.size(); ++i) {
        const std::int32_t v = queue[i];
        for (std::int64_t a = arcs.ptr[v]; a < arcs.ptr[v + 1]; ++a) {
            const auto [head, weight] = arcs.arcs[a];
            if (weight > threshold) break;
            if (seen[head] != 0 || component[head] != component[v]) continue;
            seen[head] = 1;
            mark(mask, core.edge[arcs.edge[a]]);
            ++edges;
            queue.push_back(head);
        }
    }
    for (const std::int32_t v : queue) seen[v] = 0;
}

}  // namespace

template <typename W>
Ranks random_ranks(const Core<W>& core, std::uint64_t seed) {
    Ranks ranks(core.n);
    for (std::int64_t v = 0; v < core.n; ++v) ranks[v] = mix(seed, 0x72616e6bu, core.vertex[v]);
    return ranks;
}

template <typename W>
std::unique_ptr<Contracted<W>> contract(const Core<W>& core, const Ranks& ranks, W threshold,
                                        std::uint8_t* mask, std::int64_t& tree_edges) {
    std::vector<std::int32_t> component(core.n);
    const std::int64_t count = paths::strong_components(core.g.out, component.data(), threshold);
    if (count == core.n) return nullptr;
    std::vector<std::int32_t> root(count, -1), size(count, 0);
    for (std::int32_t v = 0; v < core.n; ++v) {
        std::int32_t& r = root[component[v]];
        ++size[component[v]];
        if (r < 0 || ranks[v] < ranks[r]) r = v;
    }
    std::vector<std::uint8_t> seen(core.n, 0);
    for (std::int64_t c = 0; c < count; ++c) {
        if (size[c] == 1) continue;
        span_component(core, core.g.out, root[c], threshold, component, seen, mask, tree_edges);
        span_component(core, core.g.in, root[c], threshold, component, seen, mask, tree_edges);
    }
    EdgeList<W> edges;
    for (std::int64_t e = 0; e < core.m; ++e) {
        const std::int32_t t = component[core.tail[e]], h = component[core.head[e]];
        if (t != h) edges.push(t, h, core.weight[e], core.edge[e]);
    }
    std::vector<std::int64_t> vertex(count);
    for (std::int64_t c = 0; c < count; ++c) vertex[c] = core.vertex[root[c]];
    auto out = std::make_unique<Contracted<W>>();
    out->core = make_core(vertex, std::move(edges));
    // Vertices were renumbered once more.
    std::vector<std::int64_t> place(count);
    {
        std::vector<std::pair<std::int64_t, std::int32_t>> by_vertex(count);
        for (std::int32_t i = 0; i < count; ++i) by_vertex[i] = {out->core.vertex[i], i};
        std::sort(by_vertex.begin(), by_vertex.end());
        for (std::int64_t c = 0; c < count; ++c) {
            const auto at = std::lower_bound(by_vertex.begin(), by_vertex.end(),
                                             std::pair<std::int64_t, std::int32_t>{vertex[c], -1});
            place[c] = at->second;
        }
    }
    out->ranks.resize(count);
    for (std::int64_t c = 0; c < count; ++c) out->ranks[place[c]] = ranks[root[c]];
    std::vector<std::uint8_t> taken(count, 0);
    for (const std::int32_t s : core.sources) {
        const auto c = static_cast<std::int32_t>(place[component[s]]);
        if (taken[c] != 0) continue;
        taken[c] = 1;
        out->core.sources.push_back(c);
    }
    return out;
}

template <typename W>
double least_roundtrip(const Core<W>& core) {
    W least = std::numeric_limits<W>::max();
    bool zeros = false;
    for (const W w : core.weight) {
        if (w == W{}) {
            zeros = true;
        } else {
            least = std::min(least, w);
        }
    }
    // It has two edges at least, of which one may weigh nothing.
    return (zeros ? 1 : 2) * static_cast<double>(least);
}

#define WB_CONTRACT(W)                                                                \
    template double least_roundtrip(const Core<W>&);                                  \
    template Ranks random_ranks(const Core<W>&, std::uint64_t);                       \
    template std::unique_ptr<Contracted<W>> contract(const Core<W>&, const Ranks&, W, \
                                                     std::uint8_t*, std::int64_t&);
WB_CONTRACT(std::int32_t)
WB_CONTRACT(std::int64_t)
WB_CONTRACT(double)
#undef WB_CONTRACT

}  // namespace wb::spanner
