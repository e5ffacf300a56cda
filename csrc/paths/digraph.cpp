// SPDX-License-Identifier: Apache-2.0
#include "paths/digraph.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>
#include <utility>

#include "core/interrupt.hpp"

namespace wb::paths {
namespace {

constexpr int kDigit = 11;
constexpr std::size_t kDigits = std::size_t{1} << kDigit;

/// Sorts as the weight does; those are not negative, so the bits of a float do.
template <typename W>
std::uint64_t sort_key(W weight) {
    if constexpr (std::is_same_v<W, float>) {
        return std::bit_cast<std::uint32_t>(weight + 0.0F);  // -0 becomes 0
    } else if constexpr (std::is_same_v<W, double>) {
        return std::bit_cast<std::uint64_t>(weight + 0.0);
    } else {
        return static_cast<std::uint64_t>(weight);
    }
}

/// Edge numbers by rising weight, equal weights by number: least significant digit first.
template <typename W>
Raw<std::int64_t> order_by_weight(std::int64_t m, const W* weights) {
    Raw<std::int64_t> order(std::max<std::int64_t>(1, m)), other(std::max<std::int64_t>(1, m));
    for (std::int64_t e = 0; e < m; ++e) order[e] = e;
    std::uint64_t any = 0, all = ~std::uint64_t{0};
    for (std::int64_t e = 0; e < m; ++e) {
        any |= sort_key(weights[e]);
        all &= sort_key(weights[e]);
    }
    const std::uint64_t varying = any & ~all;
    for (int shift = 0; shift < 64; shift += kDigit) {
        check_interrupt();
        if (((varying >> shift) & (kDigits - 1)) == 0) continue;  // the same in every weight
        std::array<std::int64_t, kDigits> at{};
        for (std::int64_t e = 0; e < m; ++e) ++at[(sort_key(weights[e]) >> shift) & (kDigits - 1)];
        std::int64_t before = 0;
        for (std::int64_t& a : at) before += std::exchange(a, before);
        for (std::int64_t i = 0; i < m; ++i) {
            const std::int64_t e = order[i];
            other[at[(sort_key(weights[e]) >> shift) & (kDigits - 1)]++] = e;
        }
        std::swap(order, other);
    }
    return order;
}

template <typename W>
Arcs<W> lay_out(std::int64_t n, std::int64_t m, const std::int64_t* from, const std::int64_t* to,
                const W* weight, const Raw<std::int64_t>& order) {
    Arcs<W> a;
    a.n = n;
    a.m = m;
    a.ptr = Raw<std::int64_t>(n + 1);
    a.arcs = Raw<typename Arcs<W>::Arc>(std::max<std::int64_t>(1, m));
    a.edge = Raw<std::uint32_t>(std::max<std::int64_t>(1, m));
    std::fill_n(a.ptr.data(), n + 1, std::int64_t{0});
    for (std::int64_t e = 0; e < m; ++e) ++a.ptr[from[e] + 1];
    for (std::int64_t v = 0; v < n; ++v) a.ptr[v + 1] += a.ptr[v];
    Pulse pulse;
    for (std::int64_t i = 0; i < m; ++i) {
        pulse();
        const std::int64_t e = order[i];
        const std::int64_t at = a.ptr[from[e]]++;
        a.arcs[at] = {static_cast<std::int32_t>(to[e]), weight[e] + W{}};
        a.edge[at] = static_cast<std::uint32_t>(e);
    }
    // Each pointer has moved to the next vertex's.
    for (std::int64_t v = n; v > 0; --v) a.ptr[v] = a.ptr[v - 1];
    a.ptr[0] = 0;
    a.largest = m > 0 ? weight[order[m - 1]] : W{};
    return a;
}

}  // namespace

template <typename W>
Digraph<W> make_digraph(std::int64_t n, std::int64_t m, const std::int64_t* tails,
                        const std::int64_t* heads, const W* weights) {
    const Raw<std::int64_t> order = order_by_weight(m, weights);
    return {lay_out(n, m, tails, heads, weights, order),
            lay_out(n, m, heads, tails, weights, order)};
}

#define WB_DIGRAPH(W)                                                                 \
    template Digraph<W> make_digraph(std::int64_t, std::int64_t, const std::int64_t*, \
                                     const std::int64_t*, const W*);
WB_DIGRAPH(std::int32_t)
WB_DIGRAPH(std::int64_t)
WB_DIGRAPH(float)
WB_DIGRAPH(double)
#undef WB_DIGRAPH

}  // namespace wb::paths
