// SPDX-License-Identifier: Apache-2.0
// Batched modified nodal analysis. Candidates lie in the lanes of vectors, eight, four or two at
// a time; every operation is the same for all of them, with masks where physics branches. The
// topology is compiled once (plan.cpp) into lists that say what is added up for each entry of the
// matrix and each factor of its LU, in one order without pivoting; what a block of candidates
// needs stays in the first-level cache. Blocks are handed to threads as they become free.
#include "circuit_sim/circuit_sim.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <string>

#include "circuit_sim/temperature.hpp"
#include "circuit_sim/view.hpp"
#include "core/parallel.hpp"
#include "core/scratch.hpp"

namespace wb::circuit_sim {

namespace {

GatherView view(const Gather& g) {
    return {static_cast<int>(g.middle.size()), g.start.data(), g.middle.data(), g.source.data()};
}

CombinationView view(const Combination& c) {
    return {c.start.data(), c.source.data(), c.coefficient.data()};
}

SumsView view(const Elimination::Sums& s) {
    return {s.start.data(), s.factor.data(), s.other.data()};
}

EliminationView view(const Elimination& e) {
    return {e.size,
            e.n_factors(),
            e.order.data(),
            e.entry_of.data(),
            e.pair_start.data(),
            e.pair_left.data(),
            e.pair_right.data(),
            e.scale.data(),
            view(e.lower_rows),
            view(e.upper_rows),
            view(e.lower_columns),
            view(e.upper_columns)};
}

int count_of(const auto& list) { return static_cast<int>(list.size()); }

/// The plan at one temperature, as the hot loops see it.
struct Prepared {
    PlanView view{};
    std::vector<ModelAt> models;
    std::vector<SourceCurrentView> currents;
    std::vector<std::int32_t> of_voltage, of_current, rows, columns;

    Prepared(const Plan& plan, double celsius) {
        if (!(celsius > -kZeroCelsius) || !std::isfinite(celsius)) {
            throw std::invalid_argument(
                "temperature must be finite and above -273.15 Celsius, got " +
                std::to_string(celsius));
        }
        const Netlist& net = plan.net;
        for (const ModelCard& card : net.cards) {
            models.push_back(model_at(card, celsius));
            if (!(models.back().phi > 0) || !(models.back().pb > 0)) {
                throw std::invalid_argument("temperature: a model's phi or pb is not positive at " +
                                            std::to_string(celsius) + " Celsius");
            }
        }
        for (const SourceCurrent& c : plan.source_currents) {
            currents.push_back({c.factor, count_of(c.nodes), c.nodes.data()});
        }
        for (int s = 0; s < count_of(net.sources); ++s) {
            (net.sources[static_cast<std::size_t>(s)].is_voltage ? of_voltage : of_current)
                .push_back(s);
        }
        for (const auto& [row, column] : plan.ac_entries) {
            rows.push_back(row);
            columns.push_back(column);
        }
        view = {net.n_nodes,
                net.n_rows,
                plan.n_unknowns,
                count_of(net.resistors),
                count_of(net.capacitors),
                count_of(net.current_sources),
                count_of(net.voltage_sources),
                count_of(net.devices),
                count_of(net.sources),
                plan.n_conductances,
                plan.n_capacitances,
                plan.n_currents,
                net.resistors.data(),
                net.capacitors.data(),
                net.current_sources.data(),
                net.voltage_sources.data(),
                net.devices.data(),
                models.data(),
                count_of(plan.placed),
                plan.placed.data(),
                plan.unknown_of.data(),
                circuit_sim::view(plan.laws),
                circuit_sim::view(plan.source_laws),
                circuit_sim::view(plan.dc_matrix),
                circuit_sim::view(plan.ac_conductance),
                circuit_sim::view(plan.ac_capacitance),
                count_of(plan.dc_entries),
                count_of(plan.ac_entries),
                plan.dc_diagonal.data(),
                rows.data(),
                columns.data(),
                circuit_sim::view(plan.dc),
                circuit_sim::view(plan.ac),
                currents.data(),
                of_voltage.data(),
                of_current.data(),
                net.gmin,
                celsius + kZeroCelsius};
    }
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;
};

/// A block costs some microseconds at least, and starting a thread about as much.
constexpr std::int64_t kBlocksPerThread = 2;

template <typename Task>
void over_blocks(const Prepared& prepared, std::int64_t batch, const Task& task,
                 const Kernel<Task>& kernel) {
    const int lanes = WB_SELECT_ISA(lanes)();
    const std::int64_t blocks = (batch + lanes - 1) / lanes;
    const std::int64_t doubles = kernel.doubles(prepared.view, task);
    parallel_for(blocks, threads_for(blocks, kBlocksPerThread), [&](std::int64_t block, int) {
        const Scratch<double> scratch(doubles);
        kernel.run(prepared.view, task, Span{block * lanes, batch}, scratch.data(), doubles);
    });
}

/// Distinct node pairs of outputs and noise outputs, and drives compiled.
struct PreparedSweep {
    Drives drives;
    std::vector<std::int32_t> pairs, output_pair, noise_pair;
    std::vector<unsigned char> wanted;
    SweepTask task{};

    PreparedSweep(const Candidates& c, const Sweep& s, bool outputs_by_adjoint)
        : drives(compile_drives(c.plan, s.drives, s.n_drives)) {
        const auto pair_of = [&](const std::int64_t* nodes) {
            for (std::size_t i = 0; i < pairs.size(); i += 2) {
                if (pairs[i] == nodes[0] && pairs[i + 1] == nodes[1]) {
                    return static_cast<std::int32_t>(i / 2);
                }
            }
            pairs.push_back(static_cast<std::int32_t>(nodes[0]));
            pairs.push_back(static_cast<std::int32_t>(nodes[1]));
            return static_cast<std::int32_t>(pairs.size() / 2 - 1);
        };
        for (std::size_t i = 0; i < s.noise.size(); i += 2) {
            noise_pair.push_back(pair_of(&s.noise[i]));
        }
        const std::size_t for_noise = pairs.size() / 2;
        for (std::size_t i = 0; i < s.outputs.size(); i += 2) {
            output_pair.push_back(pair_of(&s.outputs[i]));
        }
        const std::size_t more = pairs.size() / 2 - for_noise;
        const bool by_drive = !outputs_by_adjoint && more > static_cast<std::size_t>(s.n_drives);
        wanted.assign(pairs.size() / 2, by_drive ? 0 : 1);
        std::fill_n(wanted.begin(), for_noise, 1);
        task.rows = c.rows;
        task.voltages = s.voltages;
        task.frequencies = s.frequencies.data();
        task.n_frequencies = s.n_frequencies;
        task.frequency_columns = s.frequency_columns;
        task.n_drives = drives.count;
        task.n_outputs = static_cast<int>(output_pair.size());
        task.n_noise = static_cast<int>(noise_pair.size());
        task.n_adjoints = static_cast<int>(wanted.size());
        task.offsets = drives.offset.data();
        task.injections = drives.injection.data();
        task.drive_conductance = view(drives.conductance);
        task.drive_capacitance = view(drives.capacitance);
        task.pairs = pairs.data();
        task.output_pair = output_pair.data();
        task.noise_pair = noise_pair.data();
        task.adjoint_wanted = wanted.data();
        task.by_drive = by_drive;
    }
    PreparedSweep(const PreparedSweep&) = delete;
    PreparedSweep& operator=(const PreparedSweep&) = delete;
};

}  // namespace

void operating_point(const Candidates& c, const double* start, std::int64_t start_columns,
                     double* voltages, double* currents, std::int64_t* status) {
    const Prepared prepared(c.plan, c.celsius);
    const OperatingTask task{c.rows, start, start_columns, voltages, currents, status};
    over_blocks(prepared, c.batch, task, WB_SELECT_ISA(operating_kernel)());
}

void operating_point_backward(const Candidates& c, const double* voltages,
                              const double* grad_voltages, const double* grad_currents,
                              double* grad_rows) {
    const Prepared prepared(c.plan, c.celsius);
    const OperatingBackwardTask task{c.rows, voltages, grad_voltages, grad_currents, grad_rows};
    over_blocks(prepared, c.batch, task, WB_SELECT_ISA(operating_backward_kernel)());
}

void small_signal(const Candidates& c, const Sweep& sweep, double* transfer, double* density) {
    const Prepared prepared(c.plan, c.celsius);
    PreparedSweep s(c, sweep, false);
    s.task.transfer = transfer;
    s.task.density = density;
    over_blocks(prepared, c.batch, s.task, WB_SELECT_ISA(sweep_kernel)());
}

void small_signal_backward(const Candidates& c, const Sweep& sweep, const double* grad_transfer,
                           const double* grad_density, double* grad_rows, double* grad_voltages) {
    const Prepared prepared(c.plan, c.celsius);
    PreparedSweep s(c, sweep, false);
    // The kernel reads its gradients where the forward kernel writes its results.
    s.task.transfer = const_cast<double*>(grad_transfer);
    s.task.density = const_cast<double*>(grad_density);
    const SweepBackwardTask task{s.task, grad_rows, grad_voltages};
    over_blocks(prepared, c.batch, task, WB_SELECT_ISA(sweep_backward_kernel)());
}

void find_frequencies(const Candidates& c, const Sweep& sweep,
                      std::span<const std::int64_t> requests, double low, double high,
                      std::int64_t points, double* frequency, double* slope, double* turn) {
    const Prepared prepared(c.plan, c.celsius);
    const PreparedSweep s(c, sweep, true);
    const auto count = static_cast<int>(requests.size() / kRequestColumns);
    const SearchTask task{s.task,    count, requests.data(),
                          low,       high,  static_cast<int>(points),
                          frequency, slope, turn};
    over_blocks(prepared, c.batch, task, WB_SELECT_ISA(search_kernel)());
}

namespace {

TransientTask transient_task(const Candidates& c, const double* voltages, const Waves& waves,
                             std::span<const double> times, const std::vector<std::int32_t>& pairs,
                             double tolerance, std::int64_t max_steps) {
    TransientTask task{};
    task.rows = c.rows;
    task.voltages = voltages;
    task.wave_times = waves.times.data();
    task.waves = waves.values.data();
    task.n_waves = static_cast<std::int64_t>(waves.times.size());
    task.times = times.data();
    task.n_times = static_cast<std::int64_t>(times.size());
    task.pairs = pairs.data();
    task.n_outputs = static_cast<int>(pairs.size() / 2);
    task.tolerance = tolerance;
    task.max_steps = max_steps;
    return task;
}

}  // namespace

void transient(const Candidates& c, const double* voltages, const Waves& waves,
               std::span<const double> times, std::span<const std::int64_t> outputs,
               double tolerance, std::int64_t max_steps, double* out, std::int64_t* status,
               std::int64_t* steps) {
    const Prepared prepared(c.plan, c.celsius);
    const std::vector<std::int32_t> pairs(outputs.begin(), outputs.end());
    TransientTask task = transient_task(c, voltages, waves, times, pairs, tolerance, max_steps);
    task.out = out;
    task.status = status;
    task.steps = steps;
    over_blocks(prepared, c.batch, task, WB_SELECT_ISA(transient_kernel)());
}

void transient_backward(const Candidates& c, const double* voltages, const Waves& waves,
                        std::span<const double> times, std::span<const std::int64_t> outputs,
                        double tolerance, std::int64_t max_steps, const double* grad_out,
                        double* grad_rows, double* grad_voltages) {
    const Prepared prepared(c.plan, c.celsius);
    const std::vector<std::int32_t> pairs(outputs.begin(), outputs.end());
    const TransientBackwardTask task{
        transient_task(c, voltages, waves, times, pairs, tolerance, max_steps), grad_out, grad_rows,
        grad_voltages};
    over_blocks(prepared, c.batch, task, WB_SELECT_ISA(transient_backward_kernel)());
}

void device_state(const Candidates& c, const double* voltages, double* state) {
    const Prepared prepared(c.plan, c.celsius);
    const DeviceTask task{c.rows, voltages, state};
    over_blocks(prepared, c.batch, task, WB_SELECT_ISA(device_kernel)());
}

}  // namespace wb::circuit_sim
