// SPDX-License-Identifier: Apache-2.0
// A search touches memory at random: once per arc for the distance of its head. So distances are
// kept in 32 bits where the longest path fits, and arcs hold target and weight side by side.
#include "paths/sssp.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "core/parallel.hpp"
#include "paths/bucket_search.hpp"
#include "paths/radix_search.hpp"

namespace wb::paths {
namespace {

/// Buckets that a ring may have; weights that need more go to the radix heap.
constexpr double kRing = 1 << 16;

/// Buckets so narrow that few arcs stay within one, judged by a sample of the weights.
template <typename W>
BucketWidth bucket_width(const Arcs<W>& g, bool& fits) {
    constexpr std::int64_t kSample = 1024;
    std::vector<double> sample;
    const std::int64_t stride = std::max<std::int64_t>(1, g.m / kSample);
    for (std::int64_t a = 0; a < g.m; a += stride) {
        if (g.arcs[a].weight > 0) sample.push_back(static_cast<double>(g.arcs[a].weight));
    }
    const auto largest = static_cast<double>(g.largest);
    double width = largest;
    if (!sample.empty()) {
        const auto at = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 32);
        std::nth_element(sample.begin(), at, sample.end());
        width = *at;
    }
    fits = true;
    BucketWidth out;
    if constexpr (std::is_integral_v<W>) {
        while (static_cast<double>(std::uint64_t{2} << out.shift) <= width) ++out.shift;
        width = static_cast<double>(std::uint64_t{1} << out.shift);
    } else {
        if (!(width > 0)) width = 1;
        out.scale = 1 / width;
    }
    // Sums must stay finite, since a bucket's number is an integer.
    if (largest / width > kRing || !std::isfinite(out.scale) ||
        !std::isfinite(2 * largest * static_cast<double>(g.n))) {
        fits = false;
        return out;
    }
    out.ring =
        std::max<std::uint64_t>(64, std::bit_ceil(static_cast<std::uint64_t>(largest / width) + 4));
    return out;
}

/// One thread's searches in wide distances, begun in narrow ones where these may do.
template <typename W>
class Searcher {
  public:
    using Wide = std::conditional_t<std::is_floating_point_v<W>, double, std::uint64_t>;
    using Narrow = std::uint32_t;
    static constexpr bool kIntegral = std::is_integral_v<W>;

    Searcher(const Arcs<W>& g, const Query& query, const BucketWidth& width, bool fits)
        : g_(g), query_(query), width_(width), fits_(fits) {}

    void run(std::int64_t i) {
        const auto source = static_cast<std::int32_t>(query_.sources[i]);
        if constexpr (kIntegral) {
            if (fits_ && static_cast<std::uint64_t>(g_.largest) < (std::uint64_t{1} << 31)) {
                if (!narrow_) narrow_ = make<BucketSearch<Narrow, W>, Narrow>();
                if (attempt<Narrow>(*narrow_, i, source)) return;
            }
        }
        if (fits_) {
            if (!wide_) wide_ = make<BucketSearch<Wide, W>, Wide>();
            attempt<Wide>(*wide_, i, source);
        } else {
            if (!radix_) radix_ = make<RadixSearch<Wide, W>, Wide>();
            attempt<Wide>(*radix_, i, source);
        }
    }

  private:
    template <typename Search, typename D>
    std::unique_ptr<Search> make() const {
        SearchOptions<D> options;
        if (query_.limit >= 0 && query_.limit < static_cast<double>(unreached<D>())) {
            options.limit = static_cast<D>(query_.limit);
        }
        options.targets = query_.targets;
        options.n_targets = query_.n_targets;
        options.edge_mask = query_.edge_mask;
        options.parents = query_.parents != nullptr;
        return std::make_unique<Search>(g_, width_, options);
    }

    template <typename D, typename Search>
    bool attempt(Search& search, std::int64_t i, std::int32_t source) const {
        const bool done = search.run(source);
        if (done) {
            double* out = query_.distances + i * g_.n;
            for (std::int64_t v = 0; v < g_.n; ++v) {
                const D d = search.distance(v);
                out[v] = d == unreached<D>() ? std::numeric_limits<double>::infinity()
                                             : static_cast<double>(d);
            }
            if (query_.parents != nullptr) {
                std::int64_t* parents = query_.parents + i * g_.n;
                for (std::int64_t v = 0; v < g_.n; ++v) {
                    const bool has = out[v] < std::numeric_limits<double>::infinity();
                    parents[v] = has && v != source ? g_.edge[search.parent(v)] : -1;
                }
            }
        }
        search.reset();
        return done;
    }

    const Arcs<W>& g_;
    const Query& query_;
    BucketWidth width_;
    bool fits_;
    std::unique_ptr<BucketSearch<Narrow, W>> narrow_;
    std::unique_ptr<BucketSearch<Wide, W>> wide_;
    std::unique_ptr<RadixSearch<Wide, W>> radix_;
};

}  // namespace

template <typename W>
void shortest_paths(const Arcs<W>& g, const Query& query) {
    const int threads = static_cast<int>(std::min<std::int64_t>(
        query.n_sources, threads_for((g.m + g.n) * query.n_sources, 50'000, query.threads)));
    bool fits = true;
    const BucketWidth width = bucket_width(g, fits);
    std::vector<std::unique_ptr<Searcher<W>>> searchers(
        static_cast<std::size_t>(std::max(1, threads)));
    parallel_for(query.n_sources, threads, [&](std::int64_t i, int thread) {
        auto& searcher = searchers[static_cast<std::size_t>(thread)];
        if (!searcher) searcher = std::make_unique<Searcher<W>>(g, query, width, fits);
        searcher->run(i);
    });
}

template <typename W>
std::int64_t strong_components(const Arcs<W>& g, std::int32_t* component) {
    // Pearce, Information Processing Letters 116 (2016): one number per vertex, which is the
    // visiting index until its component is known. Components are numbered from the top down
    // meanwhile, so that both kinds of numbers keep apart.
    const Raw<std::int32_t> rindex(std::max<std::int64_t>(1, g.n));
    const Raw<std::int64_t> arc(std::max<std::int64_t>(1, g.n));
    const Raw<std::uint8_t> root(std::max<std::int64_t>(1, g.n));
    std::vector<std::int32_t> path, stack;
    std::fill_n(rindex.data(), g.n, 0);
    std::int32_t index = 1;
    auto last = static_cast<std::int32_t>(g.n);
    for (std::int32_t s = 0; s < g.n; ++s) {
        if (rindex[s] != 0) continue;
        path.push_back(s);
        arc[s] = g.ptr[s];
        root[s] = 1;
        rindex[s] = index++;
        while (!path.empty()) {
            const std::int32_t v = path.back();
            if (arc[v] < g.ptr[v + 1]) {
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

#define WB_PATHS(W)                                             \
    template void shortest_paths(const Arcs<W>&, const Query&); \
    template std::int64_t strong_components(const Arcs<W>&, std::int32_t*);
WB_PATHS(std::int32_t)
WB_PATHS(std::int64_t)
WB_PATHS(float)
WB_PATHS(double)
#undef WB_PATHS

}  // namespace wb::paths
