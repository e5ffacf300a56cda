// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>

namespace wb {

/// Memory for a result whose size is known only as an upper bound: pages that are never written
/// cost nothing, and what is given back is kept (up to pool_limit() bytes of written pages) for
/// the next result, so that repeated calls do not pay the system's zeroing of fresh pages again.
/// Thread-safe. Throws std::bad_alloc when the system refuses even the address space.
class Pooled {
  public:
    explicit Pooled(std::size_t bytes);
    ~Pooled();
    Pooled(const Pooled&) = delete;
    Pooled& operator=(const Pooled&) = delete;

    void* data() const { return data_; }
    std::size_t capacity() const { return capacity_; }

    /// Tells how much of it was written; the rest need not be counted as memory held.
    void set_written(std::size_t bytes);

  private:
    void obtain(std::size_t bytes);

    void* data_ = nullptr;
    std::size_t capacity_ = 0;
    std::size_t written_ = 0;
};

/// Bytes of written pages the pool keeps at most: a sixteenth of the machine's memory.
std::size_t pool_limit();

/// Returns everything the pool keeps to the system.
void release_pool();

}  // namespace wb
