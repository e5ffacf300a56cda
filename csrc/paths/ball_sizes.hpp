// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "paths/digraph.hpp"

namespace wb::paths {

/// How many of some vertices lie within `radius` of each vertex, along out-going paths or, with
/// `reverse`, along paths that come in; written to sizes[n].
///
/// Bottom-k sketches (Cohen, JCSS 55, 1997; "All-distances sketches, revisited", 2015): members
/// get random ranks and are searched from in rising rank; a search is cut where k members of lower
/// rank are known to be no further, since they are then no further for all that lies behind. Where
/// a ball holds fewer than k, or there are at most k members at all, the size is exact; else it is
/// estimated without bias as (k - 1) / (rank of the k-th), with standard error size / sqrt(k - 2).
/// Members must differ. About k ln(members / k) visits per vertex, on one thread.
template <typename W>
void ball_sizes(const Digraph<W>& g, std::span<const std::int64_t> members, double radius,
                bool reverse, int k, std::uint64_t seed, double* sizes);

}  // namespace wb::paths
