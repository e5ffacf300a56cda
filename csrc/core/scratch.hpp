// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace wb {

inline constexpr std::size_t kAlignment = 64;

struct AlignedDelete {
    void operator()(std::byte* p) const { ::operator delete(p, std::align_val_t{kAlignment}); }
};

using AlignedBytes = std::unique_ptr<std::byte, AlignedDelete>;

inline AlignedBytes aligned_bytes(std::size_t size) {
    return AlignedBytes(
        static_cast<std::byte*>(::operator new(size, std::align_val_t{kAlignment})));
}

/// Scratch memory of the calling thread, kept between calls so that hot paths do not allocate.
/// The pointer is valid until the thread's next call, which may grow the memory.
template <typename T>
T* thread_scratch(std::int64_t count) {
    thread_local AlignedBytes bytes;
    thread_local std::size_t capacity = 0;
    const std::size_t wanted = static_cast<std::size_t>(count) * sizeof(T);
    if (wanted > capacity) {
        bytes.reset();
        capacity = 0;
        bytes = aligned_bytes(wanted);
        capacity = wanted;
    }
    return reinterpret_cast<T*>(bytes.get());
}

}  // namespace wb
