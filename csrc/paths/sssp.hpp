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

/// Shortest paths from every source, by Dijkstra's algorithm over Dial's buckets (integer weights
/// up to 2^16) or a radix heap (larger ones, and floats by their bit patterns). Weights must not
/// be negative nor NaN. Sources in parallel; ties go to the arc met first, so that the parents,
/// too, are the same for any number of threads. O(m + n log(largest path)) per source.
template <typename W>
void shortest_paths(const Arcs<W>& g, const Query& query);

}  // namespace wb::paths
