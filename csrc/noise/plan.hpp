// SPDX-License-Identifier: Apache-2.0
// A circuit compiled for the sweep: what happens to one qubit between two two-qubit channels is
// one chain of factors, multiplied out to one 4 x 4 matrix; a two-qubit channel and the chains of
// its two qubits are one step, one pass over the state. Chains before the first two-qubit channel
// of their qubit act on a product state and never touch 4**n coefficients.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "noise/noise.hpp"

namespace wb::noise {

using Matrix4 = std::array<double, 16>;
using Matrix16 = std::array<double, 256>;

/// coefficient * source[index].
struct Term {
    bool input;
    std::int64_t index;
    double coefficient;
};

/// A constant 4 x 4 matrix, or a turn by an affine angle in the plane of two coefficients.
struct Factor {
    bool constant;
    Matrix4 matrix;     // constant
    int first, second;  // turn: from the first of X, Y, Z to the second
    double angle;       // turn: the constant part
    int term_begin, term_end;
    bool per_sample;
    std::int64_t operation;  // position in the circuit, for messages
};

/// Consecutive factors on one qubit.
struct Chain {
    int qubit;
    int begin, end;  // factors
    bool per_sample;
    bool trainable;
    bool vector;  // acts on |0> alone, so that one column of it suffices
};

/// A sparse 16 x 16 matrix by rows, and its transpose.
struct PairMap {
    std::array<std::int32_t, 17> start, start_t;
    std::vector<std::int32_t> column, column_t;
    std::vector<double> value, value_t;
};

/// One pass over the state: the chains of one or two qubits, then the map on both.
struct Step {
    int low, high;              // qubits; high < 0: one qubit, no map
    int chain_low, chain_high;  // -1: none
    PairMap map;
};

struct Plan {
    int n_qubits;
    std::vector<Factor> factors;
    std::vector<Term> terms;
    std::vector<Chain> chains;
    std::vector<int> leading;  // chain per qubit, -1: none
    std::vector<Step> steps;

    std::int64_t size() const { return std::int64_t{1} << (2 * n_qubits); }
};

/// Validates the circuit and compiles it. With product_start the circuit begins in |0...0>;
/// without, it may follow any state, and nothing is treated as a product.
Plan make_plan(const Circuit& circuit, bool product_start);

}  // namespace wb::noise
