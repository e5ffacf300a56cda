// SPDX-License-Identifier: Apache-2.0
#include "spanner/core.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "core/interrupt.hpp"

namespace wb::spanner {
namespace {

/// Edge numbers grouped by tail, in order within one.
struct Groups {
    std::vector<std::int64_t> ptr;
    std::vector<std::int32_t> item;
};

Groups group(std::int64_t n, const std::vector<std::int32_t>& key) {
    Groups g;
    g.ptr.assign(static_cast<std::size_t>(n) + 1, 0);
    g.item.resize(key.size());
    for (const std::int32_t k : key) ++g.ptr[k + 1];
    std::partial_sum(g.ptr.begin(), g.ptr.end(), g.ptr.begin());
    std::vector<std::int64_t> at(g.ptr.begin(), g.ptr.end() - 1);
    for (std::size_t e = 0; e < key.size(); ++e) {
        g.item[at[key[e]]++] = static_cast<std::int32_t>(e);
    }
    return g;
}

/// New numbers in breadth-first order, so that neighbours lie near each other in memory.
std::vector<std::int32_t> breadth_first(std::int64_t n, const Groups& rows,
                                        const std::vector<std::int32_t>& head) {
    std::vector<std::int32_t> number(static_cast<std::size_t>(n), -1), queue;
    queue.reserve(static_cast<std::size_t>(n));
    std::size_t next = 0;
    for (std::int32_t s = 0; s < n; ++s) {
        if (number[s] >= 0) continue;
        number[s] = static_cast<std::int32_t>(queue.size());
        queue.push_back(s);
        for (; next < queue.size(); ++next) {
            const auto v = static_cast<std::size_t>(queue[next]);
            for (std::int64_t i = rows.ptr[v]; i < rows.ptr[v + 1]; ++i) {
                const std::int32_t w = head[rows.item[i]];
                if (number[w] >= 0) continue;
                number[w] = static_cast<std::int32_t>(queue.size());
                queue.push_back(w);
            }
        }
    }
    return number;
}

}  // namespace

template <typename W>
Core<W> make_core(std::vector<std::int64_t> vertex, EdgeList<W> edges) {
    check_interrupt();
    const auto n = static_cast<std::int64_t>(vertex.size());
    if (edges.tail.size() >= (std::size_t{1} << 31)) {
        throw std::invalid_argument("a strongly connected component has 2^31 edges or more");
    }
    const Groups rows = group(n, edges.tail);
    std::vector<std::int32_t> best(vertex.size(), -1);
    std::vector<std::uint8_t> kept(edges.tail.size(), 0);
    for (std::int64_t v = 0; v < n; ++v) {
        const auto begin = rows.item.begin() + rows.ptr[v];
        const auto end = rows.item.begin() + rows.ptr[v + 1];
        for (auto e = begin; e != end; ++e) {
            const auto edge = static_cast<std::size_t>(*e);
            const auto to = static_cast<std::size_t>(edges.head[edge]);
            if (static_cast<std::int64_t>(to) == v) continue;  // a self loop
            if (best[to] >= 0) {
                if (edges.weight[edge] >= edges.weight[best[to]]) continue;
                kept[best[to]] = 0;
            }
            best[to] = *e;
            kept[edge] = 1;
        }
        for (auto e = begin; e != end; ++e) {
            best[edges.head[*e]] = -1;
        }
    }
    const std::vector<std::int32_t> number = breadth_first(n, rows, edges.head);
    Core<W> core;
    core.n = n;
    core.vertex.resize(vertex.size());
    for (std::size_t v = 0; v < vertex.size(); ++v) {
        core.vertex[number[v]] = vertex[v];
    }
    std::vector<std::int64_t> from, to;
    for (std::size_t e = 0; e < kept.size(); ++e) {
        if (kept[e] == 0) continue;
        core.tail.push_back(number[edges.tail[e]]);
        core.head.push_back(number[edges.head[e]]);
        core.weight.push_back(edges.weight[e]);
        core.edge.push_back(edges.edge[e]);
        from.push_back(core.tail.back());
        to.push_back(core.head.back());
    }
    core.m = static_cast<std::int64_t>(from.size());
    core.g = paths::make_digraph(n, core.m, from.data(), to.data(), core.weight.data());
    return core;
}

template <typename W, typename Weight>
std::vector<Core<W>> split(std::int64_t n, std::int64_t m, const std::int64_t* tails,
                           const std::int64_t* heads, const Weight* weights,
                           const std::int32_t* component, std::int64_t count,
                           const std::int64_t* sources, std::int64_t n_sources) {
    std::vector<std::int64_t> size(static_cast<std::size_t>(count), 0);
    for (std::int64_t v = 0; v < n; ++v) ++size[component[v]];
    // Which core a component becomes.
    std::vector<std::int32_t> core_of(static_cast<std::size_t>(count), -1);
    std::int32_t n_cores = 0;
    for (std::int64_t i = 0; i < n_sources; ++i) {
        const auto c = static_cast<std::size_t>(component[sources[i]]);
        if (size[c] > 1 && core_of[c] < 0) core_of[c] = n_cores++;
    }
    std::vector<std::vector<std::int64_t>> vertices(static_cast<std::size_t>(n_cores));
    std::vector<EdgeList<W>> edges(static_cast<std::size_t>(n_cores));
    std::vector<std::int32_t> local(static_cast<std::size_t>(n), -1);
    for (std::int64_t v = 0; v < n; ++v) {
        const std::int32_t c = core_of[component[v]];
        if (c < 0) continue;
        auto& own = vertices[c];
        local[v] = static_cast<std::int32_t>(own.size());
        own.push_back(v);
    }
    for (std::int64_t e = 0; e < m; ++e) {
        const std::int32_t c = core_of[component[tails[e]]];
        if (c < 0 || component[tails[e]] != component[heads[e]]) continue;
        edges[c].push(local[tails[e]], local[heads[e]], static_cast<W>(weights[e]), e);
    }
    std::vector<Core<W>> cores;
    for (std::size_t c = 0; c < vertices.size(); ++c) {
        cores.push_back(make_core(std::move(vertices[c]), std::move(edges[c])));
        for (std::size_t v = 0; v < cores[c].vertex.size(); ++v) {
            local[cores[c].vertex[v]] = static_cast<std::int32_t>(v);
        }
    }
    std::vector<std::uint8_t> seen(static_cast<std::size_t>(n), 0);
    for (std::int64_t i = 0; i < n_sources; ++i) {
        const auto v = static_cast<std::size_t>(sources[i]);
        const std::int32_t c = core_of[component[v]];
        if (c < 0 || seen[v] != 0) continue;
        seen[v] = 1;
        cores[c].sources.push_back(local[v]);
        cores[c].place.push_back(i);
    }
    return cores;
}

#define WB_CORE(W, Weight)                                                                       \
    template std::vector<Core<W>> split(std::int64_t, std::int64_t, const std::int64_t*,         \
                                        const std::int64_t*, const Weight*, const std::int32_t*, \
                                        std::int64_t, const std::int64_t*, std::int64_t);
WB_CORE(std::int32_t, std::int64_t)
WB_CORE(std::int64_t, std::int64_t)
WB_CORE(double, double)
#undef WB_CORE
template Core<std::int32_t> make_core(std::vector<std::int64_t>, EdgeList<std::int32_t>);
template Core<std::int64_t> make_core(std::vector<std::int64_t>, EdgeList<std::int64_t>);
template Core<double> make_core(std::vector<std::int64_t>, EdgeList<double>);

}  // namespace wb::spanner
