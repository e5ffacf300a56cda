// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "core/raw.hpp"

namespace wb::paths {

/// One direction of a digraph: the arcs leaving (or, reversed, entering) each vertex, target and
/// weight side by side, since the search reads both. Within a vertex arcs rise by weight, equal
/// ones by edge number, so that a search with a limit can stop at the first that is too long.
template <typename W>
struct Arcs {
    struct Arc {
        std::int32_t target;
        W weight;
    };
    std::int64_t n = 0, m = 0;
    Raw<std::int64_t> ptr;
    Raw<Arc> arcs;
    Raw<std::uint32_t> edge;  // number of the edge each arc is, in the order given
    W largest{};
};

/// A digraph both ways round.
template <typename W>
struct Digraph {
    Arcs<W> out, in;
};

/// Lays m edges out by tails and by heads, in O(n + m) and one radix sort by weight. Ends must
/// lie in [0, n), weights must be finite and not negative.
template <typename W>
Digraph<W> make_digraph(std::int64_t n, std::int64_t m, const std::int64_t* tails,
                        const std::int64_t* heads, const W* weights);

}  // namespace wb::paths
