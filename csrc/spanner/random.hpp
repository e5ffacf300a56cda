// SPDX-License-Identifier: Apache-2.0
// Random numbers that depend on what they are for and on nothing else.
#pragma once

#include <cstdint>

namespace wb::spanner {

/// Steele, Lea, Flood, OOPSLA 2014: the finaliser of SplitMix64.
inline std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

template <typename... Rest>
std::uint64_t mix(std::uint64_t x, std::uint64_t y, Rest... rest) {
    return mix(mix(x) ^ y, static_cast<std::uint64_t>(rest)...);
}

/// Uniform in (0, 1).
inline double uniform(std::uint64_t bits) {
    return (static_cast<double>(bits >> 12) + 0.5) * 0x1p-52;
}

}  // namespace wb::spanner
