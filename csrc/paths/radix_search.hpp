// SPDX-License-Identifier: Apache-2.0
// One source's shortest paths over a radix heap, for weights spread over so many magnitudes that
// no one width of bucket suits them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <type_traits>

#include "paths/bucket_search.hpp"
#include "paths/digraph.hpp"
#include "paths/queues.hpp"
#include "paths/search_options.hpp"

namespace wb::paths {

/// One thread's searches over one direction of a graph; see BucketSearch.
template <typename D, typename W>
class RadixSearch {
  public:
    RadixSearch(const Arcs<W>& g, const BucketWidth&, const SearchOptions<D>& options)
        : g_(g), options_(options), distance_(std::max<std::int64_t>(1, g.n)) {
        if (options.parents) parent_ = Raw<std::uint32_t>(std::max<std::int64_t>(1, g.n));
        reset();
    }

    bool run(std::int32_t source) {
        queue_.clear();
        distance_[source] = D{};
        last_ = D{};
        std::uint64_t key = 0;
        queue_.push(key, source);
        std::int64_t wanted = options_.n_targets;
        const auto visit = [&](std::uint64_t k, std::int32_t v) {
            const D d = distance_of(k);
            if (distance_[v] != d) return true;  // reached at less since
            last_ = d;
            if (options_.targets != nullptr && options_.targets[v] != 0 && --wanted == 0) {
                return false;
            }
            const std::int64_t end = g_.ptr[v + 1];
            for (std::int64_t a = g_.ptr[v]; a < end; ++a) {
                const auto [head, weight] = g_.arcs[a];
                const D next = d + static_cast<D>(weight);
                if (next > options_.limit) break;  // arcs rise by weight
                if (next >= distance_[head]) continue;
                if (options_.edge_mask != nullptr && options_.edge_mask[g_.edge[a]] == 0) continue;
                distance_[head] = next;
                if (options_.parents) parent_[head] = static_cast<std::uint32_t>(a);
                queue_.push(key_of(next), head);
            }
            return true;
        };
        while (queue_.take(key, visit)) {
        }
        // Nothing left to settle: all that was reached is final.
        if (options_.targets == nullptr || wanted > 0) last_ = unreached<D>();
        return true;
    }

    D distance(std::int64_t v) const {
        return distance_[v] > last_ ? unreached<D>() : distance_[v];
    }
    std::uint32_t parent(std::int64_t v) const { return parent_[v]; }
    void reset() { std::fill_n(distance_.data(), g_.n, unreached<D>()); }

  private:
    static std::uint64_t key_of(D distance) {
        if constexpr (std::is_floating_point_v<D>) {
            return std::bit_cast<std::uint64_t>(distance);
        } else {
            return distance;
        }
    }
    static D distance_of(std::uint64_t key) {
        if constexpr (std::is_floating_point_v<D>) {
            return std::bit_cast<D>(key);
        } else {
            return static_cast<D>(key);
        }
    }

    const Arcs<W>& g_;
    const SearchOptions<D> options_;
    RadixQueue queue_;
    Raw<D> distance_;
    Raw<std::uint32_t> parent_;
    D last_{};
};

}  // namespace wb::paths
