// SPDX-License-Identifier: Apache-2.0
// A plan and a task as plain pointers, for the hot loops.
#pragma once

#include <cstdint>

#include "circuit_sim/elements.hpp"
#include "core/isa.hpp"

namespace wb::circuit_sim {

using Index = const std::int32_t*;

struct GatherView {
    int count;
    Index start, middle, source;
};

struct CombinationView {
    Index start, source;
    const double* coefficient;
};

struct SumsView {
    Index start, factor, other;
};

struct EliminationView {
    int size, n_factors;
    Index order, entry_of, pair_start, pair_left, pair_right, scale;
    SumsView lower_rows, upper_rows, lower_columns, upper_columns;
};

/// Node weights of each voltage source's current: its nodes and their common factor.
struct SourceCurrentView {
    double factor;
    int count;
    Index nodes;
};

struct PlanView {
    int n_nodes, n_rows, n_unknowns;
    int n_resistors, n_capacitors, n_current_sources, n_voltage_sources, n_devices, n_sources;
    int n_conductances, n_capacitances, n_currents;
    const TwoTerminal *resistors, *capacitors, *current_sources, *voltage_sources;
    const Mos* devices;
    const ModelAt* models;  // by card
    int n_placed;
    const Placed* placed;
    Index unknown_of;
    GatherView laws, source_laws, dc_matrix, ac_conductance, ac_capacitance;
    int n_dc_entries, n_ac_entries;
    Index dc_diagonal;
    Index ac_rows, ac_columns;  // of the entries
    EliminationView dc, ac;
    const SourceCurrentView* source_currents;
    Index source_of_voltage, source_of_current;  // numbers among all sources
    double gmin, kelvin;
};

/// Candidates [first, first + lanes) of `batch`; lanes past the end repeat the last one.
struct Span {
    std::int64_t first, batch;
};

struct OperatingTask {
    const double* rows;  // [rows][batch]
    const double*
        start;  // [nodes][batch or 1]; null: halfway between the lowest and highest source
    std::int64_t start_columns;
    double* voltages;      // [nodes][batch]
    double* currents;      // [sources][batch]
    std::int64_t* status;  // [batch]
};

struct OperatingBackwardTask {
    const double *rows, *voltages;
    const double *grad_voltages, *grad_currents;
    double* grad_rows;
};

/// Frequencies, drives and outputs of a sweep. Every output and every noise output names one of
/// `n_adjoints` distinct node pairs.
struct SweepTask {
    const double *rows, *voltages;
    const double* frequencies;  // [F][1 or batch]
    std::int64_t n_frequencies, frequency_columns;
    int n_drives, n_outputs, n_noise, n_adjoints;
    const double* offsets;     // [drives][nodes]
    const double* injections;  // [drives][unknowns]
    CombinationView drive_conductance, drive_capacitance;
    Index pairs;                          // [adjoints][2]
    Index output_pair;                    // [outputs]
    Index noise_pair;                     // [noise]
    const unsigned char* adjoint_wanted;  // [adjoints] forward: else the outputs come from x
    bool by_drive;                        // outputs from one solve per drive
    double* transfer;                     // [F][outputs][drives][batch] complex
    double* density;                      // [F][noise][batch]
};

struct SweepBackwardTask {
    SweepTask sweep;  // transfer and density hold the gradients
    double *grad_rows, *grad_voltages;
};

inline constexpr int kRequestColumns = 4;

struct SearchTask {
    SweepTask sweep;  // without frequencies and results
    int n_requests;
    const std::int64_t* requests;  // [P][4]: kind, output, drive, output to divide by or -1
    double low, high;
    int points;
    double* frequency;  // [P][batch]
    double* slope;      // [P][batch] complex
    double* turn;       // [P][batch]
};

struct DeviceTask {
    const double *rows, *voltages;
    double* state;  // [devices][16][batch]
};

/// Sources follow value + wave(t), piecewise linear between shared times.
struct TransientTask {
    const double *rows, *voltages;
    const double* wave_times;  // [W], rising, the first 0
    const double* waves;       // [sources][W]
    std::int64_t n_waves;
    const double* times;  // [T], rising
    std::int64_t n_times;
    Index pairs;  // [O][2]
    int n_outputs;
    double tolerance;        // volt
    std::int64_t max_steps;  // taken or repeated
    double* out;             // [T][O][batch]
    std::int64_t* status;    // [batch]
    std::int64_t* steps;     // [batch]
};

struct TransientBackwardTask {
    TransientTask forward;   // without results
    const double* grad_out;  // [T][O][batch]
    double *grad_rows, *grad_voltages;
};

/// A pass over one block of candidates. `doubles` counts the scratch that `run` needs, by running
/// the code that opens a block without memory.
template <typename Task>
struct Kernel {
    void (*run)(const PlanView&, const Task&, Span, double* scratch, std::int64_t doubles);
    std::int64_t (*doubles)(const PlanView&, const Task&);
};

using OperatingKernel = Kernel<OperatingTask>;
using OperatingBackwardKernel = Kernel<OperatingBackwardTask>;
using DeviceKernel = Kernel<DeviceTask>;
using SweepKernel = Kernel<SweepTask>;
using SweepBackwardKernel = Kernel<SweepBackwardTask>;
using TransientKernel = Kernel<TransientTask>;
using TransientBackwardKernel = Kernel<TransientBackwardTask>;
using SearchKernel = Kernel<SearchTask>;

WB_DECLARE_FOR_EACH_ISA(int lanes(); OperatingKernel operating_kernel();
                        OperatingBackwardKernel operating_backward_kernel();
                        DeviceKernel device_kernel(); SweepKernel sweep_kernel();
                        SweepBackwardKernel sweep_backward_kernel(); SearchKernel search_kernel();
                        TransientKernel transient_kernel();
                        TransientBackwardKernel transient_backward_kernel();)

}  // namespace wb::circuit_sim
