// SPDX-License-Identifier: Apache-2.0
// Chooses how to search a graph: the queue by its weights, the width of distances by what turns
// up. A search touches memory at random, once per arc for the distance of its head, so distances
// are kept in 32 bits as long as they fit.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "paths/bucket_search.hpp"
#include "paths/digraph.hpp"
#include "paths/radix_search.hpp"
#include "paths/search_options.hpp"

namespace wb::paths {

/// A type in which no sum of weights along a path rounds (integers) or overflows.
template <typename W>
using WideDistance = std::conditional_t<std::is_floating_point_v<W>, double, std::uint64_t>;

/// How to search a graph.
struct SearchPlan {
    BucketWidth width;
    bool buckets = true;  // else a radix heap
    bool narrow = false;  // may 32-bit distances be tried?
};

/// Buckets so narrow that few arcs stay within one, judged by a sample of the weights; a radix
/// heap where the longest arc would span too many of these.
template <typename W>
SearchPlan plan_search(const Arcs<W>& g) {
    constexpr std::int64_t kSample = 1024;
    constexpr double kRing = 1 << 16;
    std::vector<double> sample;
    const std::int64_t stride = std::max<std::int64_t>(1, g.m / kSample);
    for (std::int64_t a = 0; a < g.m; a += stride) {
        if (g.arcs[a].weight > 0) sample.push_back(static_cast<double>(g.arcs[a].weight));
    }
    const auto largest = static_cast<double>(g.largest);
    double width = largest > 0 ? largest : 1;
    if (!sample.empty()) {
        const auto at = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 32);
        std::nth_element(sample.begin(), at, sample.end());
        width = *at;
    }
    SearchPlan plan;
    if constexpr (std::is_integral_v<W>) {
        plan.narrow = static_cast<std::uint64_t>(g.largest) < (std::uint64_t{1} << 31);
        while (static_cast<double>(std::uint64_t{2} << plan.width.shift) <= width) {
            ++plan.width.shift;
        }
        width = static_cast<double>(std::uint64_t{1} << plan.width.shift);
    } else {
        plan.width.scale = 1 / width;
    }
    // Sums must stay finite, since a bucket's number is an integer.
    if (largest / width > kRing || !std::isfinite(plan.width.scale) ||
        !std::isfinite(2 * largest * static_cast<double>(g.n))) {
        plan.buckets = false;
        return plan;
    }
    plan.width.ring =
        std::max<std::uint64_t>(64, std::bit_ceil(static_cast<std::uint64_t>(largest / width) + 4));
    return plan;
}

/// The largest distance not beyond a real number; a negative one stands for no limit.
template <typename D>
D limit_of(double limit) {
    return limit >= 0 && limit < static_cast<double>(unreached<D>()) ? static_cast<D>(limit)
                                                                     : unreached<D>();
}

/// One thread's searches over one direction of a graph.
template <typename W>
class Searcher {
  public:
    using Wide = WideDistance<W>;
    using Narrow = std::uint32_t;

    /// The limit within the options is `limit` rounded down to each type of distance.
    Searcher(const Arcs<W>& g, const SearchPlan& plan, double limit,
             const SearchOptions<Wide>& options)
        : g_(g), plan_(plan), limit_(limit), options_(options) {}

    /// Searches from a source and shows the finished search.
    template <typename Visit>
    void run(std::int32_t source, const Visit& visit) {
        if constexpr (std::is_integral_v<W>) {
            if (plan_.buckets && plan_.narrow && attempt(narrow_, source, visit)) return;
        }
        if (plan_.buckets) {
            attempt(wide_, source, visit);
        } else {
            attempt(radix_, source, visit);
        }
    }

  private:
    template <typename Search, typename Visit>
    bool attempt(std::unique_ptr<Search>& search, std::int32_t source, const Visit& visit) {
        using D = typename Search::Distance;
        if (!search) {
            SearchOptions<D> options;
            options.limit = limit_of<D>(limit_);
            options.targets = options_.targets;
            options.n_targets = options_.n_targets;
            options.edge_mask = options_.edge_mask;
            options.parents = options_.parents;
            search = std::make_unique<Search>(g_, plan_.width, options);
        }
        if (!search->run(source)) return false;
        visit(*search);
        search->reset();
        return true;
    }

    const Arcs<W>& g_;
    const SearchPlan plan_;
    const double limit_;
    const SearchOptions<Wide> options_;
    std::unique_ptr<BucketSearch<Narrow, W>> narrow_;
    std::unique_ptr<BucketSearch<Wide, W>> wide_;
    std::unique_ptr<RadixSearch<Wide, W>> radix_;
};

/// Calls f with a pointer to the type of search that suits every source up to a limit.
template <typename W, typename F>
void with_search(const SearchPlan& plan, double limit, const F& f) {
    using Wide = WideDistance<W>;
    if constexpr (std::is_integral_v<W>) {
        // What is within the limit, and one arc more, fits 32 bits.
        if (plan.buckets && plan.narrow && limit >= 0 && limit < 0x1p30) {
            f(static_cast<BucketSearch<std::uint32_t, W>*>(nullptr));
            return;
        }
    }
    if (plan.buckets) {
        f(static_cast<BucketSearch<Wide, W>*>(nullptr));
    } else {
        f(static_cast<RadixSearch<Wide, W>*>(nullptr));
    }
}

}  // namespace wb::paths
