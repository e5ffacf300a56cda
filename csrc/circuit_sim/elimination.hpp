// SPDX-License-Identifier: Apache-2.0
// LU without pivoting, compiled once per topology into lists of index pairs.
//
// Pivots are diagonal, in an order of least fill (Markowitz). Every factor is a sum of products
// of factors before it, so the hot loop keeps it in a register and touches memory to read only.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace wb::circuit_sim {

struct Elimination {
    int size = 0;
    std::vector<std::int32_t> order;  // elimination step -> unknown
    std::vector<std::int32_t> step;   // unknown -> elimination step

    // Factors row by row; L without its unit diagonal, U with the diagonal.
    std::vector<std::int32_t> entry_of;  // factor -> entry of the matrix, -1 where it fills in
    std::vector<std::int32_t> pair_start, pair_left, pair_right;  // factor -= left * right
    std::vector<std::int32_t> scale;  // L: the step whose pivot divides it; U: -1; pivot: -2

    // Sums of the substitutions, by step: factors and the steps they multiply.
    struct Sums {
        std::vector<std::int32_t> start, factor, other;
    };
    Sums lower_rows, upper_rows, lower_columns, upper_columns;

    int n_factors() const { return static_cast<int>(entry_of.size()); }
};

/// \param entries  (row, column) of the nonzeros, each once; missing diagonals are added as fill
Elimination eliminate(int size, const std::vector<std::pair<int, int>>& entries);

}  // namespace wb::circuit_sim
