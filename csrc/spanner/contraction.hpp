// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "spanner/core.hpp"

namespace wb::spanner {

/// An order of vertices, least first, all different.
using Ranks = std::vector<std::uint64_t>;

template <typename W>
struct Contracted {
    Core<W> core;
    Ranks ranks;
};

/// Contracts the strongly connected components of the edges up to `threshold`, or returns null
/// where there is none of more than one vertex. Marks in `mask` a tree from and to one vertex of
/// each component, so that within it everybody reaches everybody, and adds their edges to
/// `tree_edges`. A contracted vertex keeps number and rank of its member of least rank. O(n + m).
template <typename W>
std::unique_ptr<Contracted<W>> contract(const Core<W>& core, const Ranks& ranks, W threshold,
                                        std::uint8_t* mask, std::int64_t& tree_edges);

/// A lower bound on all round trips, positive: zero-weight components must have been contracted.
template <typename W>
double least_roundtrip(const Core<W>& core);

/// Ranks drawn by the seed and the vertices' numbers in the whole graph.
template <typename W>
Ranks random_ranks(const Core<W>& core, std::uint64_t seed);

}  // namespace wb::spanner
