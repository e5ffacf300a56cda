// SPDX-License-Identifier: Apache-2.0
// Runs a plan over the batch, one tile of samples at a time, forward and in reverse.
#pragma once

#include <cstdint>
#include <span>

#include "noise/tile.hpp"

namespace wb::noise {

void run_forward(const Plan& plan, const Circuit& circuit, const Readout& readout,
                 std::span<double> out);

void run_backward(const Plan& plan, const Circuit& circuit, const Readout& readout,
                  std::span<const double> grad, std::span<double> grad_weights,
                  std::span<double> grad_inputs);

/// The plan's steps on observables, last first; rows x 4**n.
void run_pull_back(const Plan& plan, const Circuit& circuit, std::span<const double> rows,
                   std::int64_t n_rows, std::span<double> out);

}  // namespace wb::noise
