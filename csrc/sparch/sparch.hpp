// SPDX-License-Identifier: Apache-2.0
// What the SpArch accelerator moves and does, counted exactly from two sparsity patterns
// (Zhang, Wang, Han, Dally: "SpArch: Efficient Architecture for Sparse Matrix Multiplication",
// HPCA 2020). Everything here counts elements, lines and operations; bytes and cycles follow from
// them in workbench/hardware/sparch.
//
// C = A B is an outer product: A is cut into "leaves", each leaf times B is a partial matrix, and
// a tree of k-way merges adds the partial matrices. A leaf is a column of A, or, condensed, the
// q-th stored elements of all rows. One merge of up to k streams is a "round".
//
// Every function is re-entrant, single-threaded and deterministic, and throws
// std::invalid_argument, naming the argument, before any work.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace wb::sparch {

/// The pattern of a CSR matrix: columns strictly increasing within each row.
struct Pattern {
    std::int64_t rows;
    std::int64_t cols;
    std::span<const std::int64_t> indptr;   // rows + 1
    std::span<const std::int32_t> indices;  // indptr[rows]

    std::int64_t length(std::int64_t row) const {
        return indptr[static_cast<std::size_t>(row) + 1] - indptr[static_cast<std::size_t>(row)];
    }
    std::span<const std::int32_t> row(std::int64_t row) const {
        return indices.subspan(static_cast<std::size_t>(indptr[static_cast<std::size_t>(row)]),
                               static_cast<std::size_t>(length(row)));
    }
};

/// Throws unless the pattern is well formed; `name` ("a" or "b") leads the message. O(nnz).
void check_pattern(const Pattern& pattern, const std::string& name);

/// Throws unless both are well formed and a.cols == b.rows.
void check_factors(const Pattern& a, const Pattern& b);

/// Per row of A: scalar products, and stored elements of that row of C. Both of size a.rows.
/// O(products) time, one marker per column of B.
void symbolic(const Pattern& a, const Pattern& b, std::span<std::int64_t> products,
              std::span<std::int64_t> elements);

/// In which order partial matrices are merged.
enum class Order {
    sequential = 0,  // one running sum, k - 1 further leaves in natural order each round
    balanced = 1,    // first in, first out: k from the front of a queue, the result to its back
    huffman = 2,     // the k lightest; the first round takes ((N - 2) mod (k - 1)) + 2 (sec. II-C)
};

/// What a Huffman scheduler takes for the weight of a partial matrix.
enum class Weights {
    exact = 0,     // the elements it really has
    products = 1,  // the products under it, as if no two coordinates ever met
    lengths = 2,   // the elements of A under it, known without looking at B
};

struct Plan {
    bool condense;
    Order order;
    Weights weights;
    std::int64_t ways;  // k >= 2
};

/// Rounds in the order in which they run; the last one writes C, all others a partial matrix.
struct Schedule {
    std::int64_t leaves = 0;               // with at least one product
    std::vector<std::int64_t> leaf_round;  // per column or condensed column; -1: no product
    std::vector<std::int64_t> fresh;       // leaves merged in the round
    std::vector<std::int64_t> stored;      // partial matrices read back
    std::vector<std::int64_t> a_elements;  // elements of A of the fresh leaves
    std::vector<std::int64_t> b_rows;      // elements of B if a leaf's row is read once (columns)
    std::vector<std::int64_t> products;    // elements of the fresh leaves' partial matrices
    std::vector<std::int64_t> stored_elements;  // elements read back
    std::vector<std::int64_t> out_elements;     // elements the round writes
};

/// Builds the merge tree and counts, exactly, the elements of every partial matrix in it.
/// Elements of A in leaves without products are charged to the first round. Merged partial
/// matrices are formed symbolically, row by row with one marker per column of B, and kept while
/// the tree needs them; the root is never formed, as its size is that of C. The sequential order
/// needs no merging: a coordinate belongs to every running sum after the round it first meets.
/// Time O(elements that enter rounds other than the last), memory O(partial matrices alive).
Schedule schedule(const Pattern& a, const Pattern& b, const Plan& plan);

inline constexpr std::int64_t kUnlimited = -1;

/// The buffer of rows of B: `lines` lines of `line_elements` elements; a row takes as many lines
/// as it needs. Evicted is the line whose next use, known only within the next `window` elements
/// of A, is furthest away; among lines without a known use, the one used longest ago. A line
/// needed sooner than the incoming one is never evicted: the incoming one then passes by.
/// window = 0 is LRU, kUnlimited is Belady's optimum. (Sec. II-D.)
struct Buffer {
    std::int64_t lines;
    std::int64_t line_elements;
    std::int64_t window;
};

/// Per round.
struct Fetches {
    std::vector<std::int64_t> rows;           // rows of B asked for, empty ones left out
    std::vector<std::int64_t> row_misses;     // of which not wholly in the buffer
    std::vector<std::int64_t> lines;          // lines asked for
    std::vector<std::int64_t> line_misses;    // of which read from DRAM
    std::vector<std::int64_t> elements_read;  // elements in these
};

/// Runs the buffer over the elements of A, round by round; within a round row by row, and within
/// a row by leaf. The buffer is empty at the start of each round. leaf_round as in Schedule, one
/// entry per leaf, with values in [-1, n_rounds). O(nnz(A) log(lines)).
Fetches prefetch(const Pattern& a, const Pattern& b, std::span<const std::int64_t> leaf_round,
                 std::int64_t n_rounds, bool condense, const Buffer& buffer);

/// OuterSPACE (Pal et al., HPCA 2018): multiply everything to DRAM, then merge row by row. With
/// align > 0 every row segment takes a multiple of so many bytes.
struct OuterSpaceMachine {
    std::int64_t element_bytes;
    std::int64_t align;
    std::int64_t units;  // processing elements, served round-robin
    double bytes_per_cycle;
};

struct OuterSpaceCounts {
    std::int64_t a_bytes = 0;
    std::int64_t b_bytes = 0;
    std::int64_t written_bytes = 0;  // products; read back once
    std::int64_t c_bytes = 0;
    double multiply_cycles = 0.0;  // of the busiest unit
    double merge_cycles = 0.0;
};

OuterSpaceCounts outerspace(const Pattern& a, const Pattern& b, const OuterSpaceMachine& machine);

/// A two-way merger as a comparator array, bit by bit (sec. II-A).
struct Merger {
    std::int64_t width;  // outputs per cycle
    std::int64_t chunk;  // 0: one width x width array; else a divisor: arrays of chunk heads and
                         // of one pair of chunks for each diagonal of chunks
};

struct Merged {
    std::vector<std::int64_t> keys;
    std::vector<double> values;
    std::int64_t cycles = 0;       // array steps
    std::int64_t comparators = 0;  // in hardware
};

/// Merges two streams with strictly increasing, non-negative keys; values under equal keys are
/// added, and the emptied slot is closed by the zero eliminator. A sum that is 0 stays.
Merged merge(std::span<const std::int64_t> a_keys, std::span<const double> a_values,
             std::span<const std::int64_t> b_keys, std::span<const double> b_values,
             const Merger& merger);

}  // namespace wb::sparch
