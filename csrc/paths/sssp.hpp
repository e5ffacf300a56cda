// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

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

/// Distances of the vertices near each source, by rising vertex.
struct Balls {
    std::vector<std::int64_t> ptr;       // source i's are at ptr[i] .. ptr[i + 1]
    std::vector<std::int32_t> vertices;  // rising within a source
    std::vector<double> distances;
    std::vector<std::int64_t> parents;  // edge into each vertex or -1, where asked for
};

/// What shortest_paths finds up to a limit, in time and memory that follow what is reached:
/// targets and the outputs of the query are not used. O(n) once per thread.
template <typename W>
Balls shortest_paths_near(const Arcs<W>& g, const Query& query, bool parents);

/// d(u, v) + d(v, u) for every source u of the query: dense in query.distances (targets and
/// parents are not used) with one search each way.
template <typename W>
void round_trips(const Digraph<W>& g, const Query& query);

/// The same up to a limit, in time that follows the balls of that radius: the way back is searched
/// only where the way there leaves room for it.
template <typename W>
Balls round_trips_near(const Digraph<W>& g, const Query& query);

}  // namespace wb::paths
