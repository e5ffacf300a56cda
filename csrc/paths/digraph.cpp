// SPDX-License-Identifier: Apache-2.0
#include "paths/digraph.hpp"

#include <algorithm>

namespace wb::paths {

template <typename W>
Arcs<W> make_arcs(std::int64_t n, std::int64_t m, const std::int64_t* from, const std::int64_t* to,
                  const W* weight) {
    Arcs<W> a;
    a.n = n;
    a.m = m;
    a.ptr = Raw<std::int64_t>(n + 1);
    a.arcs = Raw<typename Arcs<W>::Arc>(std::max<std::int64_t>(1, m));
    a.edge = Raw<std::int64_t>(std::max<std::int64_t>(1, m));
    std::fill_n(a.ptr.data(), n + 1, std::int64_t{0});
    for (std::int64_t e = 0; e < m; ++e) {
        ++a.ptr[from[e] + 1];
        a.largest = std::max(a.largest, weight[e]);
    }
    for (std::int64_t v = 0; v < n; ++v) a.ptr[v + 1] += a.ptr[v];
    for (std::int64_t e = 0; e < m; ++e) {
        const std::int64_t at = a.ptr[from[e]]++;
        a.arcs[at] = {static_cast<std::int32_t>(to[e]), weight[e]};
        a.edge[at] = e;
    }
    // Each pointer has moved to the next vertex's.
    for (std::int64_t v = n; v > 0; --v) a.ptr[v] = a.ptr[v - 1];
    a.ptr[0] = 0;
    return a;
}

template Arcs<std::int32_t> make_arcs(std::int64_t, std::int64_t, const std::int64_t*,
                                      const std::int64_t*, const std::int32_t*);
template Arcs<std::int64_t> make_arcs(std::int64_t, std::int64_t, const std::int64_t*,
                                      const std::int64_t*, const std::int64_t*);
template Arcs<float> make_arcs(std::int64_t, std::int64_t, const std::int64_t*, const std::int64_t*,
                               const float*);
template Arcs<double> make_arcs(std::int64_t, std::int64_t, const std::int64_t*,
                                const std::int64_t*, const double*);

}  // namespace wb::paths
