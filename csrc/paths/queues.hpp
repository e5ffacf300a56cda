// SPDX-License-Identifier: Apache-2.0
// Priority queues for searches whose keys never fall below the last one taken.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace wb::paths {

/// Dial's buckets: one per distance modulo a power of two beyond the largest weight. Stale
/// entries stay until they are met. Taking is O(1) plus the empty buckets skipped, 64 at a time.
class DialQueue {
  public:
    explicit DialQueue(std::uint64_t largest)
        : buckets_(std::bit_ceil(largest + 1 < 64 ? std::uint64_t{64} : largest + 1)),
          bits_(buckets_.size() / 64),
          mask_(buckets_.size() - 1) {}

    void push(std::uint64_t key, std::int32_t v) {
        const std::uint64_t b = key & mask_;
        buckets_[b].push_back(v);
        bits_[b >> 6] |= std::uint64_t{1} << (b & 63);
    }

    /// Takes every vertex of the least distance; false when nothing is left. `visit(key, v)` may
    /// push, also at the same distance. Stops at once when it returns false.
    template <typename Visit>
    bool take(std::uint64_t& key, const Visit& visit) {
        const std::uint64_t here = key & mask_, words = bits_.size();
        std::uint64_t word = here >> 6;
        std::uint64_t left = bits_[word] & (~std::uint64_t{0} << (here & 63));
        for (std::uint64_t step = 0; left == 0; ++step) {
            if (step == words) return false;
            word = (word + 1) & (words - 1);
            left = bits_[word];
        }
        const std::uint64_t b = (word << 6) + static_cast<std::uint64_t>(std::countr_zero(left));
        key += (b - here) & mask_;
        std::vector<std::int32_t>& bucket = buckets_[b];
        for (std::size_t i = 0; i < bucket.size(); ++i) {  // it may grow meanwhile
            if (!visit(key, bucket[i])) return false;
        }
        bucket.clear();
        bits_[b >> 6] &= ~(std::uint64_t{1} << (b & 63));
        return true;
    }

    void clear() {
        for (std::size_t w = 0; w < bits_.size(); ++w) {
            for (; bits_[w] != 0; bits_[w] &= bits_[w] - 1) {
                buckets_[64 * w + static_cast<std::size_t>(std::countr_zero(bits_[w]))].clear();
            }
        }
    }

  private:
    std::vector<std::vector<std::int32_t>> buckets_;
    std::vector<std::uint64_t> bits_;
    std::uint64_t mask_;
};

/// Radix heap (Ahuja, Mehlhorn, Orlin, Tarjan, JACM 1990): bucket i holds the keys whose highest
/// bit that differs from the last key taken is i. Non-negative doubles sort as their bits do, so
/// it serves them as well.
class RadixQueue {
  public:
    explicit RadixQueue(std::uint64_t) {}

    void push(std::uint64_t key, std::int32_t v) {
        const int b = bucket(key);
        buckets_[b].push_back({key, v});
        filled_ |= b == 0 ? 0 : std::uint64_t{1} << (b - 1);
    }

    template <typename Visit>
    bool take(std::uint64_t& key, const Visit& visit) {
        return take(key, visit, [](std::uint64_t, std::int32_t) { return true; });
    }

    /// Entries for which `live(key, v)` is false are dropped when a bucket is spread out.
    template <typename Visit, typename Live>
    bool take(std::uint64_t& key, const Visit& visit, const Live& live) {
        if (buckets_[0].empty()) {
            if (filled_ == 0) return false;
            const int b = std::countr_zero(filled_) + 1;
            std::vector<Entry>& from = buckets_[b];
            std::uint64_t least = ~std::uint64_t{0};
            for (const Entry& e : from) {
                if (!live(e.first, e.second)) continue;
                moving_.push_back(e);
                least = e.first < least ? e.first : least;
            }
            from.clear();
            filled_ &= ~(std::uint64_t{1} << (b - 1));
            if (moving_.empty()) return true;
            last_ = least;
            for (const Entry& e : moving_) push(e.first, e.second);
            moving_.clear();
        }
        key = last_;
        std::vector<Entry>& bucket = buckets_[0];
        for (std::size_t i = 0; i < bucket.size(); ++i) {
            if (!visit(key, bucket[i].second)) return false;
        }
        bucket.clear();
        return true;
    }

    void clear() {
        for (auto& b : buckets_) b.clear();
        filled_ = 0;
        last_ = 0;
    }

  private:
    using Entry = std::pair<std::uint64_t, std::int32_t>;
    int bucket(std::uint64_t key) const { return 64 - std::countl_zero(key ^ last_); }

    std::vector<Entry> buckets_[65];
    std::vector<Entry> moving_;
    std::uint64_t filled_ = 0;
    std::uint64_t last_ = 0;
};

}  // namespace wb::paths
