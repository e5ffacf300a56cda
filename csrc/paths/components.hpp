// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "paths/digraph.hpp"

namespace wb::paths {

/// Number of the strongly connected component of each vertex, in reverse topological order;
/// returns how many there are. Arcs longer than `longest` do not count. Pearce's algorithm without
/// recursion, O(n + m).
template <typename W>
std::int64_t strong_components(const Arcs<W>& g, std::int32_t* component,
                               W longest = std::numeric_limits<W>::max());

}  // namespace wb::paths
