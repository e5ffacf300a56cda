// SPDX-License-Identifier: Apache-2.0
#include "paths/components.hpp"

#include <algorithm>
#include <vector>

#include "core/interrupt.hpp"

namespace wb::paths {

template <typename W>
std::int64_t strong_components(const Arcs<W>& g, std::int32_t* component, W longest) {
    // Pearce, Information Processing Letters 116 (2016): one number per vertex, which is the
    // visiting index until its component is known. Components are numbered from the top down
    // meanwhile, so that both kinds of numbers keep apart.
    const Raw<std::int32_t> rindex(std::max<std::int64_t>(1, g.n));
    const Raw<std::int64_t> arc(std::max<std::int64_t>(1, g.n));
    const Raw<std::uint8_t> root(std::max<std::int64_t>(1, g.n));
    std::vector<std::int32_t> path, stack;
    std::fill_n(rindex.data(), g.n, 0);
    std::int32_t index = 1;
    Pulse pulse;
    auto last = static_cast<std::int32_t>(g.n);
    for (std::int32_t s = 0; s < g.n; ++s) {
        if (rindex[s] != 0) continue;
        path.push_back(s);
        arc[s] = g.ptr[s];
        root[s] = 1;
        rindex[s] = index++;
        while (!path.empty()) {
            const std::int32_t v = path.back();
            // Arcs rise by weight: the first that is too long ends the vertex.
            if (arc[v] < g.ptr[v + 1] && g.arcs[arc[v]].weight <= longest) {
                const std::int32_t w = g.arcs[arc[v]].target;
                if (rindex[w] == 0) {
                    path.push_back(w);
                    arc[w] = g.ptr[w];
                    root[w] = 1;
                    rindex[w] = index++;
                    continue;  // this arc is looked at again when w is done
                }
                if (rindex[w] < rindex[v]) {
                    rindex[v] = rindex[w];
                    root[v] = 0;
                }
                ++arc[v];
                continue;
            }
            pulse();
            path.pop_back();
            if (root[v] == 0) {
                stack.push_back(v);
                continue;
            }
            --index;
            while (!stack.empty() && rindex[v] <= rindex[stack.back()]) {
                rindex[stack.back()] = last;
                stack.pop_back();
                --index;
            }
            rindex[v] = last--;
        }
    }
    for (std::int64_t v = 0; v < g.n; ++v) {
        component[v] = static_cast<std::int32_t>(g.n) - rindex[v];
    }
    return g.n - last;
}

#define WB_COMPONENTS(W) template std::int64_t strong_components(const Arcs<W>&, std::int32_t*, W);
WB_COMPONENTS(std::int32_t)
WB_COMPONENTS(std::int64_t)
WB_COMPONENTS(float)
WB_COMPONENTS(double)
#undef WB_COMPONENTS

}  // namespace wb::paths
