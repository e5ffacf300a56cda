// SPDX-License-Identifier: Apache-2.0
// Batched simulation of small transistor circuits: operating points, linear sweeps with noise,
// and their adjoint gradients.
//
// Every call takes a plan (plan.hpp) and a table of values with one column per candidate, and
// fills arrays of the caller. Candidates are independent: the result of one does not depend on
// the others or on the number of threads. All functions may be called from several threads.
#pragma once

#include <cstdint>
#include <span>

#include "circuit_sim/plan.hpp"

namespace wb::circuit_sim {

/// What every call needs. Temperatures in Celsius.
struct Candidates {
    const Plan& plan;
    const double* rows;  // [rows][batch]
    std::int64_t batch;
    double celsius;
};

/// Frequencies in hertz; node pairs as (plus, minus).
struct Sweep {
    const double* voltages;  // [nodes][batch], from operating_point
    std::span<const double> frequencies;
    std::int64_t n_frequencies, frequency_columns;  // columns: 1 or batch
    std::span<const double> drives;                 // [D][sources]
    std::int64_t n_drives;
    std::span<const std::int64_t> outputs, noise;  // [O][2], [K][2]
};

/// Solves the operating point: level-1 equations to rounding (last Newton step below 1e-11 V).
/// \param start    [nodes][columns] first guess, null for halfway between the sources
/// \param status   0 Newton, 1 gmin stepping, 2 source stepping, 3 failed: that column is NaN
void operating_point(const Candidates& c, const double* start, std::int64_t start_columns,
                     double* voltages, double* currents, std::int64_t* status);

/// Gradient to the rows by the implicit function theorem: one transposed solution per candidate.
void operating_point_backward(const Candidates& c, const double* voltages,
                              const double* grad_voltages, const double* grad_currents,
                              double* grad_rows);

/// Transfers [F][O][D][batch] (complex, interleaved) and noise densities [F][K][batch], V^2/Hz.
void small_signal(const Candidates& c, const Sweep& sweep, double* transfer, double* density);

/// Gradients to rows and node potentials, in torch's convention for complex numbers.
void small_signal_backward(const Candidates& c, const Sweep& sweep, const double* grad_transfer,
                           const double* grad_density, double* grad_rows, double* grad_voltages);

/// Frequencies at which a transfer falls to 1/sqrt(2) of its first value (kind 0), to 1 (1), or
/// is largest (2), by a grid of `points` from low to high and a root in the cell.
/// \param requests  [P][4]: kind, output, drive, and an output to divide by (a loop gain) or -1
void find_frequencies(const Candidates& c, const Sweep& sweep,
                      std::span<const std::int64_t> requests, double low, double high,
                      std::int64_t points, double* frequency, double* slope, double* turn);

/// What drives a transient: every source adds a piecewise linear wave to its value.
struct Waves {
    std::span<const double> times;   // rising from 0; steps end on them
    std::span<const double> values;  // [sources][times], the first of each 0
};

/// Potential differences at given times, from the operating point `voltages` on: trapezoidal rule
/// (backward Euler after each corner of a wave), each candidate with steps of its own, whose
/// local error stays below `tolerance` volt.
/// \param outputs  [O][2] node pairs
/// \param out      [times][O][batch]
/// \param max_steps  taken or repeated, per candidate
/// \param status   0, or 3 where steps became too small or too many: NaN from there on
void transient(const Candidates& c, const double* voltages, const Waves& waves,
               std::span<const double> times, std::span<const std::int64_t> outputs,
               double tolerance, std::int64_t max_steps, double* out, std::int64_t* status,
               std::int64_t* steps);

/// Gradients to rows and to the operating point, by the adjoint of the steps that were taken.
void transient_backward(const Candidates& c, const double* voltages, const Waves& waves,
                        std::span<const double> times, std::span<const std::int64_t> outputs,
                        double tolerance, std::int64_t max_steps, const double* grad_out,
                        double* grad_rows, double* grad_voltages);

/// [devices][16][batch]: id vgs vds vbs vth vdsat gm gds gmbs cgs cgd cgb cbd cbs ibd ibs.
void device_state(const Candidates& c, const double* voltages, double* state);

}  // namespace wb::circuit_sim
