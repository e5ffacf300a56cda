// SPDX-License-Identifier: Apache-2.0
// Distances as the 64-bit keys that queues sort by.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace wb::paths {

/// The bits of a double that is not negative sort as it does.
template <typename D>
std::uint64_t key_of(D distance) {
    if constexpr (std::is_floating_point_v<D>) {
        return std::bit_cast<std::uint64_t>(distance);
    } else {
        return distance;
    }
}

template <typename D>
D distance_of(std::uint64_t key) {
    if constexpr (std::is_floating_point_v<D>) {
        return std::bit_cast<D>(key);
    } else {
        return static_cast<D>(key);
    }
}

/// The distance of a vertex that is not reached.
template <typename D>
constexpr D unreached() {
    return std::numeric_limits<D>::has_infinity ? std::numeric_limits<D>::infinity()
                                                : std::numeric_limits<D>::max();
}

}  // namespace wb::paths
