// SPDX-License-Identifier: Apache-2.0
// Runs a plan over the batch, one tile of samples at a time, forward and in reverse.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include "noise/noise.hpp"
#include "noise/noise_isa.hpp"
#include "noise/plan.hpp"

namespace wb::noise {

/// Doubles aligned for the widest vectors; zero at first where asked.
class AlignedBuffer {
  public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::int64_t count, bool zero = false);
    double* get() const { return data_.get(); }

  private:
    struct Free {
        void operator()(double* p) const { ::operator delete[](p, std::align_val_t{64}); }
    };
    std::unique_ptr<double[], Free> data_;
};

/// What is read from the final coefficients: outcome probabilities of some qubits, or rows.
struct Readout {
    std::int64_t outputs = 0;
    bool outcomes = false;
    int measured = 0;
    std::vector<std::int64_t> index;          // outcomes: coefficient of each subset of the qubits
    std::vector<double> matrices;             // outcomes: measured x 2 x 2
    std::vector<std::int64_t> start, column;  // rows
    std::vector<double> value;

    RowsView rows() const { return {outputs, start.data(), column.data(), value.data()}; }
};

void run_forward(const Plan& plan, const Circuit& circuit, const Readout& readout,
                 std::span<double> out);

void run_backward(const Plan& plan, const Circuit& circuit, const Readout& readout,
                  std::span<const double> grad, std::span<double> grad_weights,
                  std::span<double> grad_inputs);

/// The plan's steps on observables, last first; rows x 4**n.
void run_pull_back(const Plan& plan, const Circuit& circuit, std::span<const double> rows,
                   std::int64_t n_rows, std::span<double> out);

}  // namespace wb::noise
