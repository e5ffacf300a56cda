// SPDX-License-Identifier: Apache-2.0
// Scratch memory of the loops that are compiled once per instruction set. Included only by
// *_isa.cpp files; everything is in an anonymous namespace, so that no symbol compiled for a wide
// instruction set can be linked into code for a narrow one.
#pragma once

#include <cstdint>

#include "core/refusals.hpp"

namespace wb {
namespace {

/// Hands out parts of the scratch memory, in vectors `Vectors::V`. Without memory it only counts,
/// and hands out null: the code that opens a pass runs once so, to tell how much it takes, and then
/// on the memory, where taking more than there is throws.
template <typename Vectors>
class Carver {
  public:
    using V = typename Vectors::V;  // not an argument itself: templates drop attributes of types

    Carver() = default;
    /// `scalars` of the type that V consists of.
    template <typename T>
    Carver(T* memory, std::int64_t scalars)
        : memory_(reinterpret_cast<V*>(memory)),
          room_(scalars / static_cast<std::int64_t>(sizeof(V) / sizeof(T))) {}

    bool counts() const { return memory_ == nullptr; }
    /// The most vectors that were taken at a time.
    std::int64_t vectors() const { return most_; }

    V* take(std::int64_t count) {
        V* const out = counts() ? nullptr : memory_ + taken_;
        taken_ += count;
        most_ = taken_ > most_ ? taken_ : most_;
        if (!counts() && taken_ > room_) scratch_overrun();
        return out;
    }
    V* zeros(std::int64_t count) {
        V* const out = take(count);
        for (std::int64_t i = 0; out != nullptr && i < count; ++i) out[i] = V{};
        return out;
    }
    /// `count` objects, in as many vectors as they need.
    template <typename T>
    T* take_as(std::int64_t count) {
        return reinterpret_cast<T*>(take(vectors_of<T>(count)));
    }
    template <typename T>
    T* zeros_as(std::int64_t count) {
        return reinterpret_cast<T*>(zeros(vectors_of<T>(count)));
    }
    /// Gives back what was taken since `taken()` was `mark`.
    std::int64_t taken() const { return taken_; }
    void give_back_to(std::int64_t mark) { taken_ = mark; }

  private:
    template <typename T>
    static std::int64_t vectors_of(std::int64_t count) {
        constexpr auto size = static_cast<std::int64_t>(sizeof(V));
        return (count * static_cast<std::int64_t>(sizeof(T)) + size - 1) / size;
    }

    V* memory_ = nullptr;
    std::int64_t room_ = 0, taken_ = 0, most_ = 0;
};

}  // namespace
}  // namespace wb
