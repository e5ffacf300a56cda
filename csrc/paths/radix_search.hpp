// SPDX-License-Identifier: Apache-2.0
// One source's shortest paths over a radix heap, for weights spread over so many magnitudes that
// no one width of bucket suits them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "core/interrupt.hpp"
#include "paths/bucket_search.hpp"
#include "paths/digraph.hpp"
#include "paths/queues.hpp"
#include "paths/search_options.hpp"

namespace wb::paths {

/// One thread's searches over one direction of a graph; see BucketSearch.
template <typename D, typename W>
class RadixSearch {
  public:
    using Distance = D;

    RadixSearch(const Arcs<W>& g, const BucketWidth&, const SearchOptions<D>& options)
        : g_(g), options_(options), distance_(std::max<std::int64_t>(1, g.n)) {
        if (options.parents) {
            parent_ = Raw<std::uint32_t>(std::max<std::int64_t>(1, g.n));
            std::fill_n(parent_.data(), g.n, 0U);
        }
        std::fill_n(distance_.data(), g.n, unreached<D>());
    }

    bool run(std::int32_t source) {
        queue_.clear();
        distance_[source] = D{};
        reached_.push_back(source);
        D last{};
        std::uint64_t key = 0;
        queue_.push(key, source);
        std::int64_t wanted = options_.n_targets;
        const auto visit = [&](std::uint64_t k, std::int32_t v) {
            const D d = distance_of<D>(k);
            if (distance_[v] != d) return true;  // reached at less since
            pulse_();
            last = d;
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
                if (options_.below != nullptr && next >= options_.below[head]) continue;
                if (distance_[head] == unreached<D>()) reached_.push_back(head);
                distance_[head] = next;
                if (options_.parents) parent_[head] = static_cast<std::uint32_t>(a);
                queue_.push(key_of(next), head);
            }
            return true;
        };
        const auto live = [&](std::uint64_t k, std::int32_t v) {
            return distance_[v] == distance_of<D>(k);
        };
        while (queue_.take(key, visit, live)) {
        }
        if (options_.targets != nullptr && wanted <= 0) {
            std::erase_if(reached_, [&](std::int32_t v) {
                const bool waits = distance_[v] > last;
                if (waits) distance_[v] = unreached<D>();
                return waits;
            });
        }
        return true;
    }

    D distance(std::int64_t v) const { return distance_[v]; }
    std::uint32_t parent(std::int64_t v) const { return parent_[v]; }
    std::span<const std::int32_t> reached() const { return reached_; }
    void reset() {
        for (const std::int32_t v : reached_) distance_[v] = unreached<D>();
        reached_.clear();
    }

  private:
    const Arcs<W>& g_;
    const SearchOptions<D> options_;
    RadixQueue queue_{0};
    Raw<D> distance_;
    Raw<std::uint32_t> parent_;
    std::vector<std::int32_t> reached_;
    Pulse pulse_;
};

}  // namespace wb::paths
