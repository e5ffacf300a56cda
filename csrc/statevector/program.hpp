// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wb::statevector {

/// Kinds as numbered in workbench/ops/program.py.
enum class OpKind : std::int64_t {
    constant1 = 0,
    rx,
    ry,
    rz,
    p,
    u,
    pauli_rotation,
    unitary,
    diagonal,
    swap,
    global_phase,
};

struct SourceTerm {
    bool input;
    std::int32_t index;
    double coefficient;
};

struct ParsedAngle {
    double constant;
    std::vector<SourceTerm> terms;
};

struct Operation {
    OpKind kind;
    std::vector<int> targets, controls, paulis;
    std::vector<ParsedAngle> angles;
    std::int64_t data_offset;
};

/// Reads the stream; throws std::invalid_argument naming the operation that is wrong.
std::vector<Operation> parse_program(std::span<const std::int64_t> code,
                                     std::span<const double> data, int n_wires, int n_weights,
                                     int n_inputs);

}  // namespace wb::statevector
