// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/raw.hpp"

namespace wb::paths {

/// One direction of a digraph: the arcs leaving (or, reversed, entering) each vertex, target and
/// weight side by side, since the search reads both.
template <typename W>
struct Arcs {
    struct Arc {
        std::int32_t target;
        W weight;
    };
    std::int64_t n = 0, m = 0;
    Raw<std::int64_t> ptr;
    Raw<Arc> arcs;
    Raw<std::int64_t> edge;  // number of the edge each arc is, in the order given
    W largest{};
};

/// Sorts m edges by their tails (or heads) in O(n + m), keeping the order given within a vertex.
template <typename W>
Arcs<W> make_arcs(std::int64_t n, std::int64_t m, const std::int64_t* from, const std::int64_t* to,
                  const W* weight);

}  // namespace wb::paths
