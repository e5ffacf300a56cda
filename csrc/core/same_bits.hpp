// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstring>
#include <span>

namespace wb {

/// Whether two arrays hold the same bits: what a cache compares, as 0 == -0 but 1/0 != 1/-0.
inline bool same_bits(std::span<const double> a, std::span<const double> b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

}  // namespace wb
