// SPDX-License-Identifier: Apache-2.0
// One source's shortest paths over buckets of equal width, a ring of them since no arc is longer
// than the longest. A bucket is finished in two steps. First, the few arcs so short that they stay
// within the bucket are relaxed in Dijkstra's order, by a heap of those vertices only that have
// one; what is in the bucket is final then. Then all other arcs of the bucket's vertices are
// relaxed in any order, which lets rows be fetched ahead and hopeless arcs be dropped without a
// branch to mispredict. Exact for floats too: the bucket number is monotone in the distance.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>
#include <vector>

#include "core/interrupt.hpp"
#include "paths/digraph.hpp"
#include "paths/search_options.hpp"

namespace wb::paths {

/// How distances fall into buckets: integers by a shift, floats by a factor.
struct BucketWidth {
    int shift = 0;
    double scale = 1;
    std::uint64_t ring = 64;  // a power of two, more than an arc can advance
};

/// One thread's searches over one direction of a graph.
template <typename D, typename W>
class BucketSearch {
  public:
    using Distance = D;

    BucketSearch(const Arcs<W>& g, const BucketWidth& width, const SearchOptions<D>& options)
        : g_(g),
          options_(options),
          width_(width),
          mask_(width.ring - 1),
          buckets_(width.ring),
          bits_(width.ring / 64),
          distance_(std::max<std::int64_t>(1, g.n)) {
        if (options.parents) {
            parent_ = Raw<std::uint32_t>(std::max<std::int64_t>(1, g.n));
            std::fill_n(parent_.data(), g.n, 0U);
        }
        std::fill_n(distance_.data(), g.n, unreached<D>());
    }

    /// False when a distance could exceed what D holds; then nothing is known.
    bool run(std::int32_t source) {
        return options_.limit < unreached<D>() ? search<true>(source) : search<false>(source);
    }

    /// Distance of a vertex, unreached<D>() where there is none.
    D distance(std::int64_t v) const { return distance_[v]; }
    /// Arc by which a vertex other than the source was reached; some arc for others.
    std::uint32_t parent(std::int64_t v) const { return parent_[v]; }

    /// Every vertex that has a final distance, once, by rising bucket.
    std::span<const std::int32_t> reached() const { return reached_; }

    /// Makes ready for the next source, in the time it took to reach what was reached.
    void reset() {
        if (static_cast<std::int64_t>(reached_.size()) > g_.n / 16) {
            std::fill_n(distance_.data(), g_.n, unreached<D>());
        } else {
            for (const std::int32_t v : reached_) distance_[v] = unreached<D>();
        }
        reached_.clear();
    }

  private:
    struct Entry {
        D distance;
        std::int32_t vertex;
    };
    struct Candidate {
        D distance;
        std::int32_t vertex;
        std::uint32_t arc;
    };
    static constexpr std::size_t kCandidates = 256;
    static constexpr std::size_t kFar = 24, kNear = 12;  // entries fetched ahead: rows, arcs

    std::uint64_t number(D d) const {
        if constexpr (std::is_floating_point_v<D>) {
            return static_cast<std::uint64_t>(d * width_.scale);
        } else {
            return static_cast<std::uint64_t>(d) >> width_.shift;
        }
    }

    void push(D d, std::int32_t v) {
        const std::uint64_t b = number(d) & mask_;
        buckets_[b].push_back({d, v});
        bits_[b >> 6] |= std::uint64_t{1} << (b & 63);
    }

    /// Advances to the next bucket that holds anything.
    bool advance(std::uint64_t& at) const {
        const std::uint64_t here = at & mask_, words = bits_.size();
        std::uint64_t word = here >> 6;
        std::uint64_t left = bits_[word] & (~std::uint64_t{0} << (here & 63));
        for (std::uint64_t step = 0; left == 0; ++step) {
            if (step == words) return false;
            word = (word + 1) & (words - 1);
            left = bits_[word];
        }
        const std::uint64_t b = (word << 6) + static_cast<std::uint64_t>(std::countr_zero(left));
        at += (b - here) & mask_;
        return true;
    }

    bool allowed(D next, std::int32_t head, std::int64_t arc) const {
        return (options_.edge_mask == nullptr || options_.edge_mask[g_.edge[arc]] != 0) &&
               (options_.below == nullptr || next < options_.below[head]);
    }

    /// Does a vertex have an arc that ends in the bucket it is in?
    bool stays(D d, std::int32_t v, std::uint64_t at) const {
        const std::int64_t a = g_.ptr[v];
        return a < g_.ptr[v + 1] && number(d + static_cast<D>(g_.arcs[a].weight)) == at;
    }

    template <bool kLimit>
    bool search(std::int32_t source) {
        distance_[source] = D{};
        push(D{}, source);
        std::int64_t wanted = options_.n_targets;
        std::uint64_t highest = std::numeric_limits<std::uint64_t>::max();
        if constexpr (std::is_same_v<D, std::uint32_t>) {
            // Beyond this bucket a sum might not fit.
            highest = ((std::uint64_t{1} << 32) - 2 - static_cast<std::uint64_t>(g_.largest)) >>
                      width_.shift;
        }
        for (std::uint64_t at = 0; advance(at);) {
            if (at >= highest) {
                clear(width_.ring);
                reset();
                return false;
            }
            std::vector<Entry>& bucket = buckets_[at & mask_];
            relax_within<kLimit>(bucket, at);
            if (options_.targets != nullptr) {
                const std::size_t before = reached_.size();
                for (const auto& [d, v] : bucket) {
                    if (distance_[v] != d) continue;
                    reached_.push_back(v);
                    wanted -= options_.targets[v] != 0 ? 1 : 0;
                }
                if (wanted <= 0) {
                    clear(at & mask_);
                    return true;
                }
                reached_.resize(before);
            }
            relax_beyond<kLimit>(bucket);
            bucket.clear();
            bits_[(at & mask_) >> 6] &= ~(std::uint64_t{1} << (at & 63));
        }
        return true;
    }

    /// Relaxes the arcs that end in this bucket.
    template <bool kLimit>
    void relax_within(std::vector<Entry>& bucket, std::uint64_t at) {
        heap_.clear();
        const auto later = [](const Entry& a, const Entry& b) { return a.distance > b.distance; };
        const std::size_t count = bucket.size();
        for (std::size_t i = 0; i < count; ++i) {
            if (i + kFar < count) {
                __builtin_prefetch(&g_.ptr[bucket[i + kFar].vertex]);
                __builtin_prefetch(&distance_[bucket[i + kFar].vertex]);
            }
            if (i + kNear < count) {
                __builtin_prefetch(&g_.arcs[g_.ptr[bucket[i + kNear].vertex]]);
            }
            const auto [d, v] = bucket[i];
            if (distance_[v] == d && stays(d, v, at)) heap_.push_back({d, v});
        }
        if (heap_.empty()) return;
        std::make_heap(heap_.begin(), heap_.end(), later);
        while (!heap_.empty()) {
            std::pop_heap(heap_.begin(), heap_.end(), later);
            const auto [d, v] = heap_.back();
            heap_.pop_back();
            if (distance_[v] != d) continue;
            const std::int64_t end = g_.ptr[v + 1];
            for (std::int64_t a = g_.ptr[v]; a < end; ++a) {
                const auto [head, weight] = g_.arcs[a];
                const D next = d + static_cast<D>(weight);
                if (number(next) != at) break;
                if (kLimit && next > options_.limit) break;
                if (next >= distance_[head] || !allowed(next, head, a)) continue;
                distance_[head] = next;
                if (options_.parents) parent_[head] = static_cast<std::uint32_t>(a);
                bucket.push_back({next, head});
                if (stays(next, head, at)) {
                    heap_.push_back({next, head});
                    std::push_heap(heap_.begin(), heap_.end(), later);
                }
            }
        }
    }

    /// Relaxes the other arcs of a bucket whose distances are final.
    template <bool kLimit>
    void relax_beyond(const std::vector<Entry>& bucket) {
        std::size_t found = 0;
        const std::size_t count = bucket.size();
        const auto* const arcs = g_.arcs.data();
        const D* const distance = distance_.data();
        for (std::size_t i = 0; i < count; ++i) {
            if (i + kFar < count) __builtin_prefetch(&g_.ptr[bucket[i + kFar].vertex]);
            if (i + kNear < count) {
                __builtin_prefetch(&g_.arcs[g_.ptr[bucket[i + kNear].vertex]]);
            }
            const auto [d, v] = bucket[i];
            if (distance[v] != d) continue;  // reached at less since
            reached_.push_back(v);
            std::int64_t a = g_.ptr[v];
            const std::int64_t end = g_.ptr[v + 1];
            while (a < end) {
                const std::int64_t stop =
                    std::min(end, a + static_cast<std::int64_t>(kCandidates - found));
                for (; a < stop; ++a) {
                    const auto [head, weight] = arcs[a];
                    const D next = d + static_cast<D>(weight);
                    if constexpr (kLimit) {
                        if (next > options_.limit) {
                            a = end;  // arcs rise by weight
                            break;
                        }
                    }
                    candidates_[found] = {next, head, static_cast<std::uint32_t>(a)};
                    found += next < distance[head] ? 1 : 0;
                }
                if (found == kCandidates) {
                    improve(found);
                    found = 0;
                }
            }
        }
        improve(found);
    }

    void improve(std::size_t found) {
        pulse_();
        for (std::size_t i = 0; i < found; ++i) {
            const auto [next, head, arc] = candidates_[i];
            if (next >= distance_[head] || !allowed(next, head, arc)) continue;
            distance_[head] = next;
            if (options_.parents) parent_[head] = arc;
            push(next, head);
        }
    }

    /// Forgets what is reached but waits in a bucket other than `final`.
    void clear(std::uint64_t final) {
        for (std::size_t w = 0; w < bits_.size(); ++w) {
            for (; bits_[w] != 0; bits_[w] &= bits_[w] - 1) {
                const std::uint64_t b =
                    64 * w + static_cast<std::uint64_t>(std::countr_zero(bits_[w]));
                for (const auto& [d, v] : buckets_[b]) {
                    if (b != final && distance_[v] == d) distance_[v] = unreached<D>();
                }
                buckets_[b].clear();
            }
        }
    }

    const Arcs<W>& g_;
    const SearchOptions<D> options_;
    const BucketWidth width_;
    std::uint64_t mask_;
    std::vector<std::vector<Entry>> buckets_;
    std::vector<std::uint64_t> bits_;
    std::vector<Entry> heap_;
    std::array<Candidate, kCandidates> candidates_;
    Raw<D> distance_;
    Raw<std::uint32_t> parent_;
    std::vector<std::int32_t> reached_;
    Pulse pulse_;
};

}  // namespace wb::paths
