// SPDX-License-Identifier: Apache-2.0
// The compiled form of a program, as plain data: what the hot loops read.
#pragma once

#include <cstdint>

namespace wb::statevector {

/// angle = constant + sum coefficient * source[index]; the terms of weights stand first.
struct Angle {
    double constant;
    std::int32_t weights_begin, weights_end, inputs_end;  // ranges in PlanView::terms
};

struct AngleTerm {
    std::int32_t index;
    double coefficient;
};

enum class FactorKind : std::int32_t { constant, rx, ry, rz, p, u, phase };

/// One 1-qubit gate inside a fused chain.
struct Factor {
    FactorKind kind;
    std::int32_t angle[3];
    std::int32_t matrix;  // constant: offset of eight doubles in PlanView::data
};

enum class StepKind : std::int32_t {
    matrix,    // 2x2 on the target: chain 1 where all controls are set, chain 0 elsewhere
    diagonal,  // product of phases over a few wires, one table of 2^n_wires entries
    rotation,  // exp(-i angle/2 P) of a Pauli string with X or Y in it
    unitary,   // constant matrix on a few wires
};

enum class PhaseKind : std::int32_t { phase, parity, constant };

/// One factor of a diagonal step, in the step's own bit positions. It acts where all bits of
/// `controls` are set: exp(i angle); exp(-i angle/2 * (-1)^parity(index & mask)); or an entry
/// of a constant diagonal.
struct PhasePart {
    PhaseKind kind;
    std::int32_t angle;
    std::uint32_t controls, mask;
    std::int32_t matrix;        // constant: offset of the diagonal
    std::int32_t positions[8];  // constant: the step's bit for each of its own bits, -1 ends
};

struct Step {
    StepKind kind;
    bool per_sample;       // some angle reads an input
    bool weights, inputs;  // which gradients it has
    std::uint64_t touched;
    // matrix
    std::int32_t target;
    std::uint64_t controls;
    std::int32_t chain0_begin, chain0_end, chain1_begin, chain1_end;  // in PlanView::factors
    // diagonal and unitary
    std::int32_t wires_begin, n_wires;    // in PlanView::wires
    std::int32_t parts_begin, parts_end;  // in PlanView::parts
    std::int32_t matrix;                  // unitary: offset in data
    // rotation: i^n_y X^x Z^z
    std::uint64_t x, z;
    std::int32_t n_y, angle;
    // Where the step's numbers stand: shared coefficients (T) and gradient sums (double).
    std::int64_t coefficients, sums;
};

inline constexpr int kMaxDiagonalWires = 6;
inline constexpr int kMaxUnitaryWires = 8;

struct PlanView {
    int n_wires, n_weights, n_inputs;
    std::int32_t n_angles, n_steps;
    const Angle* angles;
    const AngleTerm* terms;
    const Factor* factors;
    const Step* steps;
    const PhasePart* parts;
    const std::int32_t* wires;
    const double* data;
    const std::int32_t* initial_begin;  // n_wires + 1 offsets into initial: chains on |0>
    const Factor* initial;
    bool initial_per_sample;
    bool initial_weights, initial_inputs;
    std::int64_t n_coefficients, n_sums;
};

/// Weighted Pauli terms in the plan's own bit positions.
struct Term {
    std::int32_t row;
    std::int32_t n_y;
    std::uint64_t x, z;
    double coefficient;
};

struct ObservableView {
    int n_rows;
    std::int64_t n_terms;
    const Term* terms;
    bool only_single_z;  // every term is one Z: sums by halving, no pass per term
};

}  // namespace wb::statevector
