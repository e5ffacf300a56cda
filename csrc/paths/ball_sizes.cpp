// SPDX-License-Identifier: Apache-2.0
#include "paths/ball_sizes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/interrupt.hpp"
#include "paths/searcher.hpp"

namespace wb::paths {
namespace {

/// The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

}  // namespace

template <typename W>
void ball_sizes(const Digraph<W>& g, std::span<const std::int64_t> members, double radius,
                bool reverse, int k, std::uint64_t seed, double* sizes) {
    const std::int64_t n = g.out.n;
    std::vector<std::pair<std::uint64_t, std::int32_t>> order;  // rank, member
    for (const std::int64_t x : members) {
        order.emplace_back(mix(mix(seed) ^ static_cast<std::uint64_t>(x)),
                           static_cast<std::int32_t>(x));
    }
    std::sort(order.begin(), order.end());
    const bool exact = order.size() <= static_cast<std::size_t>(k);
    const auto full = static_cast<std::size_t>(k);
    std::fill_n(sizes, n, 0.0);
    // A member's search goes against the paths that lead to it.
    const Arcs<W>& arcs = reverse ? g.out : g.in;
    const SearchPlan plan = plan_search(arcs);
    with_search<W>(plan, radius, [&]<typename Search>(Search*) {
        using D = typename Search::Distance;
        // Of each vertex the k least distances to members seen, as a heap, the largest first.
        std::vector<std::vector<D>> nearest(exact ? 0 : static_cast<std::size_t>(n));
        std::vector<D> below(exact ? 0 : static_cast<std::size_t>(n), unreached<D>());
        SearchOptions<D> options;
        options.limit = limit_of<D>(radius);
        if (!exact) options.below = below.data();
        Search search(arcs, plan.width, options);
        for (const auto& [rank, x] : order) {
            const auto from = static_cast<std::size_t>(x);
            // At distance 0 the source is entered unasked.
            if (!exact && !(D{} < below[from])) continue;
            check_interrupt();
            search.run(x);
            for (const std::int32_t vertex : search.reached()) {
                if (exact) {
                    ++sizes[vertex];
                    continue;
                }
                const auto v = static_cast<std::size_t>(vertex);
                std::vector<D>& heap = nearest[v];
                if (heap.size() == full) {
                    std::pop_heap(heap.begin(), heap.end());
                    heap.back() = search.distance(vertex);
                    std::push_heap(heap.begin(), heap.end());
                    below[v] = heap.front();
                    continue;
                }
                heap.push_back(search.distance(vertex));
                std::push_heap(heap.begin(), heap.end());
                sizes[vertex] = static_cast<double>(heap.size());
                if (heap.size() == full) {
                    below[v] = heap.front();
                    const double u = (static_cast<double>(rank >> 11) + 0.5) * 0x1p-53;
                    sizes[vertex] = static_cast<double>(k - 1) / u;
                }
            }
            search.reset();
        }
    });
}

#define WB_BALL_SIZES(W)                                                                          \
    template void ball_sizes(const Digraph<W>&, std::span<const std::int64_t>, double, bool, int, \
                             std::uint64_t, double*);
WB_BALL_SIZES(std::int32_t)
WB_BALL_SIZES(std::int64_t)
WB_BALL_SIZES(float)
WB_BALL_SIZES(double)
#undef WB_BALL_SIZES

}  // namespace wb::paths
