// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "core/pooled.hpp"
#include "core/scratch.hpp"

namespace wb {

/// An array without initial values; large ones come from the pool of written pages.
template <typename T>
class Raw {
  public:
    Raw() = default;
    explicit Raw(std::int64_t count) {
        const std::size_t size = bytes_of(count, sizeof(T));
        if (size >= kPooledFrom) {
            pooled_ = std::make_unique<Pooled>(size);
            pooled_->set_written(size);
            data_ = static_cast<T*>(pooled_->data());
        } else {
            bytes_ = aligned_bytes(size);
            data_ = reinterpret_cast<T*>(bytes_.get());
        }
    }
    Raw(Raw&& other) noexcept { *this = std::move(other); }
    Raw& operator=(Raw&& other) noexcept {
        bytes_ = std::move(other.bytes_);
        pooled_ = std::move(other.pooled_);
        data_ = std::exchange(other.data_, nullptr);
        return *this;
    }
    T* data() const { return data_; }
    T& operator[](std::int64_t i) const { return data_[i]; }
    explicit operator bool() const { return data_ != nullptr; }

  private:
    static constexpr std::size_t kPooledFrom = std::size_t{1} << 20;
    AlignedBytes bytes_;
    std::unique_ptr<Pooled> pooled_;
    T* data_ = nullptr;
};

}  // namespace wb
