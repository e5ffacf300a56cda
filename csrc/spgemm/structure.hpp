// SPDX-License-Identifier: Apache-2.0
// What one look at the operands tells: work per row, and rows that repeat each other.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/pooled.hpp"
#include "core/scratch.hpp"
#include "spgemm/kernels.hpp"

namespace wb::spgemm {

/// An array without initial values; large ones come from the pool of written pages.
template <typename T>
class Raw {
  public:
    Raw() = default;
    explicit Raw(std::int64_t count) {
        const std::size_t size = static_cast<std::size_t>(count) * sizeof(T);
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

struct PatternView {
    std::int64_t rows;
    const std::int32_t* ptr;
    const std::int32_t* idx;
};

/// Marks the rows that are the row above them moved one column to the right. Empty when a
/// sample of the rows says that they are few.
Raw<std::uint8_t> shifted_rows(const PatternView& m, int threads);

/// First row and length of the run of shifted rows that each row is in.
struct RunTable {
    Raw<std::int32_t> first, length;
};
RunTable run_table(std::int64_t rows, const std::uint8_t* shifted);

/// Values of B with every run of at least kRunRows rows transposed (see Runs).
template <typename T>
void transpose_runs(const PatternView& b, const RunTable& runs, const T* val, T* lanes,
                    int threads);

/// Products per row of A B, and which rows of C are the row above them shifted by one.
struct Work {
    Raw<std::int64_t> products;
    Raw<std::uint8_t> repeats;  // empty where there are too few
    std::int64_t total = 0, repeated = 0;
    std::int64_t scattered = 0;  // products of rows too long to be sorted
};
Work count_work(const PatternView& a, const std::int32_t* b_ptr, const std::uint8_t* a_shifted,
                const std::uint8_t* b_shifted, int threads);

/// A block of rows, or some columns of one row, that one thread computes in one go.
struct Piece {
    std::int64_t row_begin, row_end;
    std::int32_t col_begin, col_end;
    std::int64_t bound;  // entries it makes at most
    bool last;           // of its row
};

/// Cuts the rows into pieces of about equal work; depends on the operands alone.
std::vector<Piece> cut(std::int64_t rows, std::int64_t cols, const Work& work);

}  // namespace wb::spgemm
