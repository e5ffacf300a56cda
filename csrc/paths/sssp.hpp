// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "paths/digraph.hpp"

namespace wb::paths {

/// What to search for. Distances come as doubles, infinite where not reached; integer ones are
/// exact below 2^53.
struct Query {
    const std::int64_t* sources = nullptr;
    std::int64_t n_sources = 0;
    double limit = -1;                        // distances beyond are not reached; < 0: none
    const std::uint8_t* targets = nullptr;    // per vertex: stop when all marked are settled
    std::int64_t n_targets = 0;               // how many are marked
    const std::uint8_t* edge_mask = nullptr;  // per edge: may it be used?
    double* distances = nullptr;              // out, n_sources x n
    std::int64_t* parents = nullptr;          // out, n_sources x n: edge into each vertex, or -1
    int threads = 1;
};

/// Shortest paths from every source, by Dijkstra's algorithm over buckets of one width, exact
/// within each (bucket_search.hpp), or over a radix heap where the weights are spread over too many
/// magnitudes. Weights must not be negative nor NaN. Sources in parallel; of equally short paths
/// the one relaxed first stays, in an order that depends on the graph and the source alone, so
/// that the parents, too, are the same for any number of threads. O(m + n log n) per source.
template <typename W>
void shortest_paths(const Arcs<W>& g, const Query& query);

/// Number of the strongly connected component of each vertex, in reverse topological order;
/// returns how many there are. Pearce's algorithm without recursion, O(n + m).
template <typename W>
std::int64_t strong_components(const Arcs<W>& g, std::int32_t* component);

}  // namespace wb::paths
