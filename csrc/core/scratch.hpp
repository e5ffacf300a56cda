// SPDX-License-Identifier: Apache-2.0
// Memory without initial values, aligned for the widest vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "core/refusals.hpp"

namespace wb {

inline constexpr std::size_t kAlignment = 64;

struct AlignedDelete {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
};

using AlignedBytes = std::unique_ptr<std::byte, AlignedDelete>;

AlignedBytes aligned_bytes(std::size_t size);

/// Bytes of `count` elements; throws std::bad_alloc for a negative count or one that no memory
/// could hold, so that a product of sizes cannot wrap around to a small one.
std::size_t bytes_of(std::int64_t count, std::size_t size);

template <typename T>
AlignedBytes aligned_array(std::int64_t count) {
    return aligned_bytes(bytes_of(count, sizeof(T)));
}

/// Memory of the calling thread, kept between leases so that hot paths do not allocate. Leases
/// that a thread holds at the same time have memory of their own; they end in the reverse of the
/// order in which they began, as scopes do.
class ScratchBytes {
  public:
    explicit ScratchBytes(std::size_t bytes);
    ~ScratchBytes();
    ScratchBytes(const ScratchBytes&) = delete;
    ScratchBytes& operator=(const ScratchBytes&) = delete;

    std::byte* data() const { return data_; }

  private:
    std::byte* data_;
};

template <typename T>
class Scratch {
  public:
    explicit Scratch(std::int64_t count) : bytes_(bytes_of(count, sizeof(T))) {}
    T* data() const { return reinterpret_cast<T*>(bytes_.data()); }

  private:
    ScratchBytes bytes_;
};

/// Hands out the parts of one block of memory, each aligned. Without memory it only counts: the
/// code that takes the parts, run once on `Parts()`, tells how much memory it needs.
class Parts {
  public:
    Parts() = default;
    Parts(std::byte* memory, std::size_t bytes) : memory_(memory), left_(bytes) {}

    template <typename T>
    T* take(std::int64_t count) {
        const std::size_t bytes = (bytes_of(count, sizeof(T)) + kAlignment - 1) & ~(kAlignment - 1);
        taken_ += bytes;
        if (memory_ == nullptr) return nullptr;
        if (bytes > left_) scratch_overrun();
        left_ -= bytes;
        std::byte* const here = memory_;
        memory_ += bytes;
        return reinterpret_cast<T*>(here);
    }
    /// So far.
    std::size_t bytes() const { return taken_; }

  private:
    std::byte* memory_ = nullptr;
    std::size_t left_ = 0, taken_ = 0;
};

}  // namespace wb
