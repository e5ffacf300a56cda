// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "paths/digraph.hpp"

namespace wb::paths {

/// Which pairs to search between, and what is known of the distances to and from k landmarks.
struct AltQuery {
    const std::int64_t* sources = nullptr;
    const std::int64_t* targets = nullptr;
    std::int64_t n_pairs = 0;
    const double* to = nullptr;    // n x k: distance of each vertex to each landmark, or infinite
    const double* from = nullptr;  // n x k: distance from each landmark
    std::int64_t k = 0;
    std::int64_t active = 8;                  // landmarks used per pair, those that promise most
    const std::uint8_t* edge_mask = nullptr;  // per edge: may it be used?
    double* distances = nullptr;              // out, n_pairs; infinite where there is no path
    std::int64_t* settled = nullptr;          // out, n_pairs: vertices the search expanded
    int threads = 1;
};

/// Shortest paths between pairs by A* with landmarks and the triangle inequality (Goldberg,
/// Harrelson, SODA 2005, one direction); Dijkstra's algorithm with k = 0. The tables must hold
/// distances over the same edges as may be used here. Distances are exactly those that
/// shortest_paths finds, floats included. Returns the edges of each path. Pairs in parallel, the
/// same results for any number of threads. O(n) once per thread; beyond that a pair costs what it
/// looks at: O(k + vertices reached * (active + log) + arcs).
template <typename W>
std::vector<std::vector<std::int64_t>> alt_search(const Arcs<W>& g, const AltQuery& query);

}  // namespace wb::paths
