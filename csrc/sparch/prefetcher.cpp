// SPDX-License-Identifier: Apache-2.0
// The row buffer. All lines of a row have the same next use, so rows carry a count of resident
// lines and lose them from the end. Rows whose next use is in the window stand in a heap by it,
// the others in a list by last use.
#include <algorithm>
#include <limits>
#include <queue>
#include <stdexcept>
#include <utility>

#include "core/interrupt.hpp"
#include "sparch/sparch.hpp"

namespace wb::sparch {
namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int32_t kNone = -1;

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

enum class Place : std::uint8_t { outside, known, unknown };

class RowBuffer {
  public:
    RowBuffer(const Pattern& b, const Buffer& buffer)
        : b_(b),
          buffer_(buffer),
          place_(at(b.rows), Place::outside),
          resident_(at(b.rows), 0),
          next_use_(at(b.rows), kNever),
          older_(at(b.rows), kNone),
          newer_(at(b.rows), kNone) {}

    /// Serves the requests of one round and adds its counts as the last entries.
    void run(std::span<const std::int32_t> requests, Fetches& out) {
        following_.assign(requests.size(), kNever);
        for (std::size_t t = requests.size(); t-- > 0;) {
            auto& later = next_use_[at(requests[t])];
            following_[t] = later;
            later = static_cast<std::int64_t>(t);
        }
        std::int64_t rows = 0, row_misses = 0, lines = 0, misses = 0, elements = 0;
        for (std::size_t t = 0; t < requests.size(); ++t) {
            pulse_();
            const auto now = static_cast<std::int64_t>(t);
            admit(requests, now);
            const std::int32_t row = requests[t];
            const std::int64_t length = b_.length(row);
            const std::int64_t wanted =
                (length + buffer_.line_elements - 1) / buffer_.line_elements;
            const std::int64_t missing = wanted - resident_[at(row)];
            rows += length > 0;
            row_misses += missing > 0;
            lines += wanted;
            misses += missing;
            if (missing > 0) elements += length - resident_[at(row)] * buffer_.line_elements;
            keep(row, now, missing);
        }
        for (const std::int32_t row : requests) {
            place_[at(row)] = Place::outside;
            resident_[at(row)] = 0;
            next_use_[at(row)] = kNever;
        }
        used_ = 0;
        oldest_ = newest_ = kNone;
        soonest_last_ = {};
        out.rows.push_back(rows);
        out.row_misses.push_back(row_misses);
        out.lines.push_back(lines);
        out.line_misses.push_back(misses);
        out.elements_read.push_back(elements);
    }

  private:
    bool sees(std::int64_t now, std::int64_t use) const {
        if (use == kNever) return false;
        return buffer_.window == kUnlimited || use - now <= buffer_.window;
    }

    /// The request that has just come into the window may be the next use of a resident row.
    void admit(std::span<const std::int32_t> requests, std::int64_t now) {
        if (buffer_.window == kUnlimited) return;
        if (buffer_.window >= static_cast<std::int64_t>(requests.size()) - now) return;
        const std::int64_t coming = now + buffer_.window;
        const std::int32_t row = requests[at(coming)];
        if (place_[at(row)] != Place::unknown || next_use_[at(row)] != coming) return;
        unlink(row);
        remember(row);
    }

    void keep(std::int32_t row, std::int64_t now, std::int64_t missing) {
        if (place_[at(row)] == Place::unknown) unlink(row);
        place_[at(row)] = Place::outside;
        next_use_[at(row)] = following_[at(now)];
        const bool known = sees(now, next_use_[at(row)]);
        const std::int64_t room = std::min(missing, buffer_.lines - used_);
        used_ += room;
        resident_[at(row)] += room;
        missing -= room;
        while (missing > 0) {
            const std::int32_t victim = victim_for(row, known);
            if (victim == kNone) break;
            const std::int64_t freed = std::min(missing, resident_[at(victim)]);
            resident_[at(victim)] -= freed;
            resident_[at(row)] += freed;
            missing -= freed;
            if (resident_[at(victim)] == 0) {
                if (place_[at(victim)] == Place::unknown) unlink(victim);
                place_[at(victim)] = Place::outside;
            }
        }
        if (resident_[at(row)] == 0) return;
        if (known) {
            remember(row);
        } else {
            append(row);
        }
    }

    std::int32_t victim_for(std::int32_t row, bool known) {
        if (oldest_ != kNone) return oldest_;
        if (!known) return kNone;
        while (!soonest_last_.empty()) {
            const auto [use, other] = soonest_last_.top();
            // Entries are not taken out when a row is used or evicted, but skipped here.
            if (place_[at(other)] == Place::known && next_use_[at(other)] == use) {
                return use > next_use_[at(row)] ? other : kNone;
            }
            soonest_last_.pop();
        }
        return kNone;
    }

    void remember(std::int32_t row) {
        place_[at(row)] = Place::known;
        soonest_last_.emplace(next_use_[at(row)], row);
    }

    void append(std::int32_t row) {
        place_[at(row)] = Place::unknown;
        older_[at(row)] = newest_;
        newer_[at(row)] = kNone;
        (newest_ == kNone ? oldest_ : newer_[at(newest_)]) = row;
        newest_ = row;
    }

    void unlink(std::int32_t row) {
        const std::int32_t older = older_[at(row)], newer = newer_[at(row)];
        (older == kNone ? oldest_ : newer_[at(older)]) = newer;
        (newer == kNone ? newest_ : older_[at(newer)]) = older;
    }

    const Pattern& b_;
    const Buffer buffer_;
    std::vector<Place> place_;
    std::vector<std::int64_t> resident_, next_use_;
    std::vector<std::int32_t> older_, newer_;
    std::vector<std::int64_t> following_;
    std::priority_queue<std::pair<std::int64_t, std::int32_t>> soonest_last_;
    std::int32_t oldest_ = kNone, newest_ = kNone;
    std::int64_t used_ = 0;
    Pulse pulse_;
};

}  // namespace

Fetches prefetch(const Pattern& a, const Pattern& b, std::span<const std::int64_t> leaf_round,
                 std::int64_t n_rounds, bool condense, const Buffer& buffer) {
    check_factors(a, b);
    const auto refuse = [](const std::string& words) { throw std::invalid_argument(words); };
    if (n_rounds < 0) refuse("n_rounds must not be negative, got " + std::to_string(n_rounds));
    if (buffer.lines < 1) refuse("lines must be positive, got " + std::to_string(buffer.lines));
    if (buffer.line_elements < 1) {
        refuse("line_elements must be positive, got " + std::to_string(buffer.line_elements));
    }
    if (buffer.window < kUnlimited) {
        refuse("window must be -1 (no limit) or more, got " + std::to_string(buffer.window));
    }
    std::int64_t leaves = a.cols;
    if (condense) {
        leaves = 0;
        for (std::int64_t i = 0; i < a.rows; ++i) leaves = std::max(leaves, a.length(i));
    }
    if (static_cast<std::int64_t>(leaf_round.size()) != leaves) {
        refuse("leaf_round must have one entry per leaf, " + std::to_string(leaves) + ", got " +
               std::to_string(leaf_round.size()));
    }
    for (const std::int64_t round : leaf_round) {
        if (round < -1 || round >= n_rounds) {
            refuse("leaf_round must be in [-1, " + std::to_string(n_rounds) + "), got " +
                   std::to_string(round));
        }
    }
    // The elements of A by round, in the order of A.
    const auto round_of = [&](std::size_t q, std::int32_t k) {
        return leaf_round[condense ? q : static_cast<std::size_t>(k)];
    };
    std::vector<std::int64_t> begin(at(n_rounds) + 1, 0);
    for (std::int64_t i = 0; i < a.rows; ++i) {
        const auto row = a.row(i);
        for (std::size_t q = 0; q < row.size(); ++q) {
            const std::int64_t round = round_of(q, row[q]);
            if (round >= 0) ++begin[at(round) + 1];
        }
    }
    for (std::size_t r = 1; r < begin.size(); ++r) begin[r] += begin[r - 1];
    std::vector<std::int32_t> requests(at(begin.back()));
    auto next = begin;
    for (std::int64_t i = 0; i < a.rows; ++i) {
        const auto row = a.row(i);
        for (std::size_t q = 0; q < row.size(); ++q) {
            const std::int64_t round = round_of(q, row[q]);
            if (round >= 0) requests[at(next[at(round)]++)] = row[q];
        }
    }
    Fetches out;
    RowBuffer rows(b, buffer);
    for (std::int64_t r = 0; r < n_rounds; ++r) {
        const std::span<const std::int32_t> all(requests);
        rows.run(all.subspan(at(begin[at(r)]), at(begin[at(r) + 1] - begin[at(r)])), out);
    }
    return out;
}

}  // namespace wb::sparch
