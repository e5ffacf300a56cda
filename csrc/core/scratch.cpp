// SPDX-License-Identifier: Apache-2.0
#include "core/scratch.hpp"

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "core/poison.hpp"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, bytes) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(data, bytes) static_cast<void>(0)
#endif

namespace wb {
namespace {

struct Kept {
    AlignedBytes memory;
    std::size_t capacity = 0;
};

/// What a thread keeps: the first `leased` pieces are in use.
struct Shelf {
    std::vector<Kept> kept;
    std::size_t leased = 0;
};

thread_local Shelf shelf;

}  // namespace

AlignedBytes aligned_bytes(std::size_t size) {
    AlignedBytes bytes(static_cast<std::byte*>(::operator new(size, std::align_val_t{kAlignment})));
    poison(bytes.get(), size);
    return bytes;
}

std::size_t bytes_of(std::int64_t count, std::size_t size) {
    std::size_t bytes = 0;
    if (count < 0 || __builtin_mul_overflow(static_cast<std::size_t>(count), size, &bytes) ||
        bytes > static_cast<std::size_t>(PTRDIFF_MAX) - kAlignment) {
        throw std::bad_alloc();
    }
    return bytes;
}

ScratchBytes::ScratchBytes(std::size_t bytes) {
    if (shelf.leased == shelf.kept.size()) shelf.kept.emplace_back();
    Kept& kept = shelf.kept[shelf.leased];
    bytes = std::max<std::size_t>(bytes, 1);  // so that even an empty lease points somewhere
    if (bytes > kept.capacity) {
        kept.memory.reset();
        kept.capacity = 0;
        kept.memory = aligned_bytes(bytes);
        kept.capacity = bytes;
    }
    data_ = kept.memory.get();
    // Under the address sanitizer what a lease did not ask for may not be touched.
    ASAN_UNPOISON_MEMORY_REGION(data_, kept.capacity);
    poison(data_, bytes);
    ASAN_POISON_MEMORY_REGION(data_ + bytes, kept.capacity - bytes);
    ++shelf.leased;
}

ScratchBytes::~ScratchBytes() {
    --shelf.leased;
    [[maybe_unused]] const Kept& kept = shelf.kept[shelf.leased];
    ASAN_POISON_MEMORY_REGION(kept.memory.get(), kept.capacity);
}

void scratch_overrun() { throw std::logic_error("scratch memory: more is taken than was counted"); }

void out_of_memory() { throw std::bad_alloc(); }

}  // namespace wb
