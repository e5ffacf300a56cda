// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "statevector/plan_view.hpp"

namespace wb::statevector {

/// A program parsed, checked and fused.
///
/// Fusion, in one pass over the program: 1-qubit gates before the first entangler of a wire
/// become that wire's chain on |0>, so that the start is a product state; later ones are
/// multiplied into the controlled gate that last had, or next has, their wire as target, which
/// thereby becomes a multiplexed 1-qubit gate; diagonal gates gather into phase tables of at
/// most kMaxDiagonalWires wires; swaps only rename wires. A block of U3 on every wire and a ring
/// of CU3 costs as many passes as the ring has gates.
struct Plan {
    PlanView view() const;

    int n_wires = 0, n_weights = 0, n_inputs = 0;
    std::vector<Angle> angles;
    std::vector<AngleTerm> terms;
    std::vector<Factor> factors, initial;
    std::vector<std::int32_t> initial_begin;
    std::vector<Step> steps;
    std::vector<PhasePart> parts;
    std::vector<std::int32_t> wires;
    std::vector<double> data;
    std::vector<int> place;  // place[w]: the plan's bit that holds wire w at the end
    bool initial_per_sample = false, initial_weights = false, initial_inputs = false;
    bool given_start = false;  // the caller gives the states to begin with
    std::int64_t n_coefficients = 0, n_sums = 0;
};

/// Parses the stream described in workbench/ops/program.py. Throws std::invalid_argument naming
/// the operation when a wire, index or offset is out of range, a wire is named twice, or a number
/// in the pool is not finite.
/// With given_start no gate is taken into the start, which is the caller's and not |0...0>.
std::shared_ptr<const Plan> make_plan(std::span<const std::int64_t> code,
                                      std::span<const double> data, int n_wires, int n_weights,
                                      int n_inputs, bool given_start = false);

/// As make_plan, remembering the plans made last: a training loop calls with the same few
/// programs over and over. Thread safe.
std::shared_ptr<const Plan> cached_plan(std::span<const std::int64_t> code,
                                        std::span<const double> data, int n_wires, int n_weights,
                                        int n_inputs, bool given_start = false);

}  // namespace wb::statevector
