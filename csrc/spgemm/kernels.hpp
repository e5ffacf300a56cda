// SPDX-License-Identifier: Apache-2.0
// The border between the drivers and the loops that are compiled once per instruction set.
#pragma once

#include <cstdint>

#include "core/isa.hpp"

namespace wb::spgemm {

/// Stands for "pattern only": the same loops then make no values.
struct NoValue {};

/// Columns that a dense window covers at once; wider matrices are taken window by window.
inline constexpr std::int64_t kWindow = std::int64_t{1} << 20;

/// Products of a row up to which it is sorted rather than scattered into a window.
inline constexpr std::int64_t kSortProducts = 256;

/// Products, distinct columns and entries of A of a row up to which a run of shifted rows shares
/// one schedule.
inline constexpr std::int64_t kRunProducts = 8192;

/// Rows that a run has at least; also the most lanes a vector has.
inline constexpr std::int64_t kRunRows = 16;

/// Rows of a run that are computed together: four vectors.
inline constexpr std::int64_t kRunLanes = 64;

/// A CSR matrix with canonical rows (columns ascending, none twice).
template <typename T>
struct Rows {
    const std::int32_t* ptr;
    const std::int32_t* idx;
    const T* val;
};

/// Runs of rows in which each is the one above it moved one column to the right. `lanes` holds
/// the values of such a run transposed: entry q of row j at ptr[first] + q * length + j - first,
/// so that one entry of consecutive rows is contiguous.
template <typename T>
struct Runs {
    const std::int32_t* first;   // per row: first row of its run
    const std::int32_t* length;  // per row: rows of its run
    const T* lanes;
};

/// Scratch of one thread. Loops leave it as they found it: `window` all -0.0 (the exact
/// identity of addition), `flags` and `lines` all zero.
template <typename T>
struct Workspace {
    T* window;             // one value per column of the window
    std::uint8_t* flags;   // one byte per column of the window: is it in the row?
    std::uint8_t* lines;   // one byte per 64 flags: is any of them set?
    std::int32_t* slot;    // per column of the window: its place in the row; not kept clean
    std::int32_t* keys;    // kSortProducts and a vector more
    T* products;           // kSortProducts and a vector more
    std::uint64_t* merge;  // 2 * kSortProducts
    // The schedule of a run, kRunProducts entries each: the sums that make each slot's terms
    std::int32_t* term_a;      // which entry of A
    std::int32_t* term_q;      // which entry of the row of B that it meets
    std::int64_t* term_b;      // where that one's lanes start
    std::int32_t* start;       // first term of each slot, and one more
    std::int32_t* columns;     // of each slot
    std::int64_t* row_at;      // per entry of A: where the lanes of its row of B start
    std::int32_t* row_length;  // and how many rows their run has
    T* lanes_a;                // kRunLanes for each entry of A
    T* lanes_c;                // kRunLanes for each slot
};

/// Consecutive rows of C = A B, or a range of columns of a single one.
template <typename T>
struct Block {
    Rows<T> a, b;
    Runs<T> runs;                  // of B; lanes null where it has too few
    const std::uint8_t* repeats;   // per row of A: C's row is that above it, shifted; or null
    const std::int64_t* products;  // per row of A
    std::int64_t row_begin, row_end;
    std::int32_t col_begin, col_end, n;
    bool plain;  // no product can be zero, so no sum can be -0.0
    bool far;    // B does not fit the second-level cache: fetch ahead
    Workspace<T>* work;
    std::int32_t* cols;     // out, with a vector of slack behind the bound
    T* vals;                // out, likewise
    std::int64_t* row_nnz;  // out, per row of the block

    // refill_rows only: `cols` and `row_nnz` are given and only `vals` is written. Rows whose
    // places are remembered have one byte (two beyond 256 entries) for every product, in order,
    // from slots[slot_begin[row]] on.
    const std::uint8_t* slots;
    const std::int64_t* slot_begin;
};

/// What one row of C contributes to the gradients of A and B.
template <typename T>
struct RowGradient {
    Rows<T> a, b;
    std::int32_t begin, end;  // entries of A's row
    const T* window;          // upstream gradients by column
    T* grad_a;                // set; may be null
    T* grad_b;                // added to; may be null
};

// multiply_rows returns the number of entries written; refill_rows writes those of a known pattern.
WB_DECLARE_FOR_EACH_ISA(template <typename T> std::int64_t multiply_rows(const Block<T>& block);
                        extern template std::int64_t multiply_rows<float>(const Block<float>&);
                        extern template std::int64_t multiply_rows<double>(const Block<double>&);
                        extern template std::int64_t multiply_rows<NoValue>(const Block<NoValue>&);
                        template <typename T> void refill_rows(const Block<T>& block);
                        extern template void refill_rows<float>(const Block<float>&);
                        extern template void refill_rows<double>(const Block<double>&);
                        template <typename T> void gradient_row(const RowGradient<T>& row);
                        extern template void gradient_row<float>(const RowGradient<float>&);
                        extern template void gradient_row<double>(const RowGradient<double>&);)

}  // namespace wb::spgemm
