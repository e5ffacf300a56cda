// SPDX-License-Identifier: Apache-2.0
// A priority queue for searches whose keys never fall below the last one taken.
#pragma once

#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

namespace wb::paths {

/// Radix heap (Ahuja, Mehlhorn, Orlin, Tarjan, JACM 1990): bucket i holds the keys whose highest
/// bit that differs from the last key taken is i. Non-negative doubles sort as their bits do, so
/// it serves them as well.
class RadixQueue {
  public:
    void push(std::uint64_t key, std::int32_t v) {
        const int b = bucket(key);
        buckets_[b].push_back({key, v});
        filled_ |= b == 0 ? 0 : std::uint64_t{1} << (b - 1);
    }

    template <typename Visit>
    bool take(std::uint64_t& key, const Visit& visit) {
        if (buckets_[0].empty()) {
            if (filled_ == 0) return false;
            const int b = std::countr_zero(filled_) + 1;
            std::vector<Entry>& from = buckets_[b];
            std::uint64_t least = from[0].first;
            for (const Entry& e : from) least = e.first < least ? e.first : least;
            last_ = least;
            filled_ &= ~(std::uint64_t{1} << (b - 1));
            moving_.swap(from);
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
