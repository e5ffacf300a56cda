// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "spanner/core.hpp"

namespace wb::spanner {

/// Contracts the strongly connected components of the edges up to `threshold`, or returns null
/// where there is none of more than one vertex. Marks in `mask` a tree from and to one vertex of
/// each component, so that within it everybody reaches everybody, and adds their edges to
/// `tree_edges`. A contracted vertex keeps the number of its member of least rank (a hash of
/// `seed` and that number). O(n + m).
template <typename W>
std::unique_ptr<Core<W>> contract(const Core<W>& core, W threshold, std::uint64_t seed,
                                  std::uint8_t* mask, std::int64_t& tree_edges);

/// A lower bound on all round trips, positive: zero-weight components must have been contracted.
template <typename W>
double least_roundtrip(const Core<W>& core);

/// Rank of a vertex by its number in the whole graph: the same at every scale and repetition, so
/// that balls share centres, and trees.
std::uint64_t rank_of(std::uint64_t seed, std::int64_t vertex);

}  // namespace wb::spanner
