// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "paths/keys.hpp"

namespace wb::paths {

/// What a search may do besides finding all distances. Null pointers ask for nothing.
template <typename D>
struct SearchOptions {
    D limit = unreached<D>();                 // look no further
    const std::uint8_t* targets = nullptr;    // per vertex: stop when all marked are final
    std::int64_t n_targets = 0;               // how many are marked
    const std::uint8_t* edge_mask = nullptr;  // per edge: may it be used?
    bool parents = false;                     // keep the arc into each vertex
    const D* below = nullptr;  // per vertex: reach it at less than this or not at all
};

}  // namespace wb::paths
