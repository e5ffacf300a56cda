// SPDX-License-Identifier: Apache-2.0
// What one look at the operands tells: work per row, and rows that repeat each other.
#pragma once

#include <cstdint>
#include <vector>

#include "core/raw.hpp"
#include "spgemm/kernels.hpp"

namespace wb::spgemm {

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
