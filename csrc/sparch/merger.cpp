// SPDX-License-Identifier: Apache-2.0
// The merger as hardware has it. Tile (i, j) of a comparator array is a_i >= b_j. The merged
// order is a staircase through the array that meets every anti-diagonal in one tile: the one with
// a_(i-1) < b_j above it and a_i >= b_(j-1) to its left; what lies above the array counts as less
// and what lies left of it as greater or equal. That tile on diagonal d gives output d, b_j where
// it holds and a_i where not. The staircase passes a block of tiles exactly if the same rule holds
// for the last elements of the chunks, which is what the hierarchical array rests on.
#include <algorithm>
#include <limits>
#include <stdexcept>

#include "core/interrupt.hpp"
#include "sparch/sparch.hpp"

namespace wb::sparch {
namespace {

// Follows the last element of a stream: greater than every key.
constexpr std::uint64_t kEnd = std::numeric_limits<std::uint64_t>::max();

struct Slot {
    std::uint64_t key;
    double value;
};

/// A bit for each pair of two windows.
class Comparators {
  public:
    Comparators(std::size_t rows, std::size_t cols) : cols_(cols), bits_(rows * cols) {}

    template <typename Left, typename Right>
    void compare(const Left& left, const Right& right) {
        for (std::size_t i = 0; i * cols_ < bits_.size(); ++i) {
            for (std::size_t j = 0; j < cols_; ++j) bits_[i * cols_ + j] = left(i) >= right(j);
        }
    }

    bool operator()(std::size_t i, std::size_t j) const { return bits_[i * cols_ + j] != 0; }

  private:
    std::size_t cols_;
    std::vector<std::uint8_t> bits_;
};

/// Chooses `width` outputs from two windows of `width`: true takes the next of b.
class Array {
  public:
    Array(std::size_t width, std::size_t chunk)
        : width_(width),
          chunk_(chunk),
          chunks_(width / chunk),
          tails_(chunks_, chunks_),
          // One row and one column more than the chunks: a block's rule looks at its neighbours.
          block_(chunk + 1, chunk + 1),
          from_b_(width) {}

    std::int64_t comparators() const {
        const auto blocks = chunks_ == 1
                                ? chunk_ * chunk_
                                : chunks_ * chunks_ + chunks_ * (chunk_ + 1) * (chunk_ + 1);
        return static_cast<std::int64_t>(blocks);
    }

    const std::vector<std::uint8_t>& choose(const Slot* a, const Slot* b) {
        std::vector<int> found(width_, 0);
        const auto tail = [this](const Slot* s) {
            return [this, s](std::size_t i) { return s[i * chunk_ + chunk_ - 1].key; };
        };
        tails_.compare(tail(a), tail(b));
        for (std::size_t i = 0; i < chunks_; ++i) {
            for (std::size_t j = 0; i + j < chunks_; ++j) {
                const bool passed = (i == 0 || !tails_(i - 1, j)) && (j == 0 || tails_(i, j - 1));
                if (passed) refine(a, b, i * chunk_, j * chunk_, found);
            }
        }
        if (std::any_of(found.begin(), found.end(), [](int count) { return count != 1; })) {
            throw std::logic_error("merger: a diagonal has not exactly one boundary tile");
        }
        return from_b_;
    }

  private:
    void refine(const Slot* a, const Slot* b, std::size_t top, std::size_t left,
                std::vector<int>& found) {
        // Local index 0 is the neighbour before the chunk; at the border its bit is never asked.
        block_.compare([&](std::size_t i) { return top + i == 0 ? 0 : a[top + i - 1].key; },
                       [&](std::size_t j) { return left + j == 0 ? 0 : b[left + j - 1].key; });
        for (std::size_t i = 0; i < chunk_; ++i) {
            for (std::size_t j = 0; j < chunk_; ++j) {
                const std::size_t diagonal = top + i + left + j;
                if (diagonal >= width_) continue;
                const bool above = top + i == 0 || !block_(i, j + 1);
                const bool beside = left + j == 0 || block_(i + 1, j);
                if (!above || !beside) continue;
                from_b_[diagonal] = block_(i + 1, j + 1);
                ++found[diagonal];
            }
        }
    }

    std::size_t width_, chunk_, chunks_;
    Comparators tails_, block_;
    std::vector<std::uint8_t> from_b_;
};

/// Closes the gaps: a prefix sum counts the empty slots before each, and each bit of that count
/// is one stage of shifters.
void eliminate_empty(std::vector<Slot>& slots, std::vector<std::uint8_t>& full) {
    const std::size_t n = slots.size();
    std::vector<std::size_t> shift(n, 0);
    std::size_t empty = 0;
    for (std::size_t i = 0; i < n; ++i) {
        shift[i] = empty;
        empty += !full[i];
    }
    for (std::size_t distance = 1; distance <= empty; distance *= 2) {
        for (std::size_t i = 0; i < n; ++i) {
            if (!full[i] || !(shift[i] & distance)) continue;
            slots[i - distance] = slots[i];
            shift[i - distance] = shift[i];
            full[i - distance] = 1;
            full[i] = 0;
        }
    }
    slots.resize(n - empty);
    full.resize(n - empty);
}

/// Adds neighbours with equal keys. The last slot of a cycle waits, as its partner may come first
/// in the next one.
class Adder {
  public:
    explicit Adder(Merged& out) : out_(out) {}

    void cycle(const std::vector<Slot>& outputs) {
        slots_.clear();
        if (waiting_) slots_.push_back(last_);
        slots_.insert(slots_.end(), outputs.begin(), outputs.end());
        if (slots_.empty()) return;
        full_.assign(slots_.size(), 1);
        // Keys increase strictly in each stream, so no three slots are equal.
        for (std::size_t i = 1; i < slots_.size(); ++i) {
            if (slots_[i].key != slots_[i - 1].key) continue;
            slots_[i - 1].value += slots_[i].value;
            full_[i] = 0;
        }
        eliminate_empty(slots_, full_);
        last_ = slots_.back();
        waiting_ = true;
        slots_.pop_back();
        for (const Slot& slot : slots_) emit(slot);
    }

    void flush() {
        if (waiting_) emit(last_);
    }

  private:
    void emit(const Slot& slot) {
        out_.keys.push_back(static_cast<std::int64_t>(slot.key));
        out_.values.push_back(slot.value);
    }

    Merged& out_;
    std::vector<Slot> slots_;
    std::vector<std::uint8_t> full_;
    Slot last_{};
    bool waiting_ = false;
};

void check_stream(std::span<const std::int64_t> keys, std::span<const double> values,
                  const std::string& name) {
    if (keys.size() != values.size()) {
        throw std::invalid_argument(name + "_values must have as many entries as " + name +
                                    "_keys, " + std::to_string(keys.size()) + ", got " +
                                    std::to_string(values.size()));
    }
    std::int64_t before = -1;
    for (const std::int64_t key : keys) {
        if (key <= before) {
            throw std::invalid_argument(name +
                                        "_keys must be non-negative and increase strictly, got " +
                                        std::to_string(key) + " after " + std::to_string(before));
        }
        before = key;
    }
}

void fill_window(std::vector<Slot>& window, std::span<const std::int64_t> keys,
                 std::span<const double> values, std::size_t from) {
    for (std::size_t i = 0; i < window.size(); ++i) {
        const bool there = from + i < keys.size();
        window[i] = there ? Slot{static_cast<std::uint64_t>(keys[from + i]), values[from + i]}
                          : Slot{kEnd, 0.0};
    }
}

}  // namespace

Merged merge(std::span<const std::int64_t> a_keys, std::span<const double> a_values,
             std::span<const std::int64_t> b_keys, std::span<const double> b_values,
             const Merger& merger) {
    constexpr std::int64_t widest = 1024;
    if (merger.width < 1 || merger.width > widest) {
        throw std::invalid_argument("width must be in [1, 1024], got " +
                                    std::to_string(merger.width));
    }
    if (merger.chunk < 0 || merger.chunk > merger.width ||
        (merger.chunk > 0 && merger.width % merger.chunk != 0)) {
        throw std::invalid_argument("chunk must be 0 or divide width, got " +
                                    std::to_string(merger.chunk));
    }
    check_stream(a_keys, a_values, "a");
    check_stream(b_keys, b_values, "b");
    const auto width = static_cast<std::size_t>(merger.width);
    const auto chunk = merger.chunk == 0 ? width : static_cast<std::size_t>(merger.chunk);
    Merged out;
    Array array(width, chunk);
    Adder adder(out);
    out.comparators = array.comparators();
    std::vector<Slot> a(width), b(width), outputs;
    std::size_t i = 0, j = 0;
    while (i < a_keys.size() || j < b_keys.size()) {
        check_interrupt();
        fill_window(a, a_keys, a_values, i);
        fill_window(b, b_keys, b_values, j);
        const auto& from_b = array.choose(a.data(), b.data());
        const std::size_t left = a_keys.size() - i + b_keys.size() - j;
        outputs.clear();
        std::size_t x = 0, y = 0;
        for (std::size_t d = 0; d < std::min(width, left); ++d) {
            outputs.push_back(from_b[d] ? b[y++] : a[x++]);
        }
        adder.cycle(outputs);
        i += x;
        j += y;
        ++out.cycles;
    }
    adder.flush();
    return out;
}

}  // namespace wb::sparch
