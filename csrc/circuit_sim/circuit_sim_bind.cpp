// SPDX-License-Identifier: Apache-2.0
#include <pybind11/complex.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cmath>
#include <complex>
#include <string>

#include "circuit_sim/circuit_sim.hpp"
#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"

namespace wb {
namespace {

using Words = Array<std::int64_t>;
using Reals = Array<double>;
using Complexes = Array<std::complex<double>>;

[[noreturn]] void fail(const std::string& what) { throw std::invalid_argument(what); }

/// Arguments that every function begins with.
struct Common {
    std::shared_ptr<const circuit_sim::Plan> plan;
    circuit_sim::Candidates candidates;
    std::int64_t nodes, sources, batch, n_rows;
};

Common common(const Words& code, const Reals& data, std::int64_t n_nodes, const Reals& rows,
              double temperature) {
    check_shape(code, "code", {kAnySize});
    check_shape(data, "data", {kAnySize});
    check_shape(rows, "rows", {kAnySize, kAnySize});
    auto plan = circuit_sim::plan_of(view(code), view(data), n_nodes, rows.shape(0));
    const auto sources = static_cast<std::int64_t>(plan->net.sources.size());
    const circuit_sim::Candidates candidates{*plan, rows.data(), rows.shape(1), temperature};
    return {plan, candidates, n_nodes, sources, rows.shape(1), rows.shape(0)};
}

void check_pairs(const Words& pairs, const char* name, std::int64_t nodes) {
    check_shape(pairs, name, {kAnySize, 2});
    for (const std::int64_t node : view(pairs)) {
        if (node < 0 || node >= nodes) {
            fail(std::string(name) + ": nodes must be in [0, " + std::to_string(nodes) + "), got " +
                 std::to_string(node));
        }
    }
}

circuit_sim::Sweep sweep_of(const Common& c, const Reals& voltages, const Reals& frequencies,
                            const Reals& drives, const Words& outputs, const Words& noise) {
    check_shape(voltages, "voltages", {c.nodes, c.batch});
    check_shape(frequencies, "frequencies", {kAnySize, kAnySize});
    check_shape(drives, "drives", {kAnySize, c.sources});
    check_pairs(outputs, "outputs", c.nodes);
    check_pairs(noise, "noise", c.nodes);
    const std::int64_t columns = frequencies.shape(1);
    if (columns != 1 && columns != c.batch) {
        fail("frequencies must have 1 or " + std::to_string(c.batch) + " columns, got " +
             std::to_string(columns));
    }
    return {voltages.data(), view(frequencies), frequencies.shape(0), columns,
            view(drives),    drives.shape(0),   view(outputs),        view(noise)};
}

py::tuple operating_point(const Words& code, const Reals& data, std::int64_t n_nodes,
                          const Reals& rows, const Reals& start, double temperature) {
    const Common c = common(code, data, n_nodes, rows, temperature);
    const bool given = start.ndim() == 2 && start.shape(0) != 0;
    if (given) {
        check_shape(start, "start", {c.nodes, kAnySize});
        if (start.shape(1) != 1 && start.shape(1) != c.batch) {
            fail("start must have 1 or " + std::to_string(c.batch) + " columns, got " +
                 std::to_string(start.shape(1)));
        }
    }
    Reals voltages = fresh_array<double>({c.nodes, c.batch});
    Reals currents = fresh_array<double>({c.sources, c.batch});
    Words status = fresh_array<std::int64_t>(c.batch);
    double *v = voltages.mutable_data(), *i = currents.mutable_data();
    std::int64_t* s = status.mutable_data();
    const double* begin = given ? start.data() : nullptr;
    const std::int64_t columns = given ? start.shape(1) : 0;
    {
        const WithoutGil unlocked;
        circuit_sim::operating_point(c.candidates, begin, columns, v, i, s);
    }
    return py::make_tuple(voltages, currents, status);
}

Reals operating_point_backward(const Words& code, const Reals& data, std::int64_t n_nodes,
                               const Reals& rows, const Reals& voltages, double temperature,
                               const Reals& grad_voltages, const Reals& grad_currents) {
    const Common c = common(code, data, n_nodes, rows, temperature);
    check_shape(voltages, "voltages", {c.nodes, c.batch});
    check_shape(grad_voltages, "grad_voltages", {c.nodes, c.batch});
    check_shape(grad_currents, "grad_currents", {c.sources, c.batch});
    Reals grad_rows = fresh_array<double>({c.n_rows, c.batch});
    double* out = grad_rows.mutable_data();
    {
        const WithoutGil unlocked;
        circuit_sim::operating_point_backward(c.candidates, voltages.data(), grad_voltages.data(),
                                              grad_currents.data(), out);
    }
    return grad_rows;
}

py::tuple small_signal(const Words& code, const Reals& data, std::int64_t n_nodes,
                       const Reals& rows, const Reals& voltages, const Reals& frequencies,
                       const Reals& drives, const Words& outputs, const Words& noise,
                       double temperature) {
    const Common c = common(code, data, n_nodes, rows, temperature);
    const auto sweep = sweep_of(c, voltages, frequencies, drives, outputs, noise);
    Complexes transfer = fresh_array<std::complex<double>>(
        {sweep.n_frequencies, outputs.shape(0), sweep.n_drives, c.batch});
    Reals density = fresh_array<double>({sweep.n_frequencies, noise.shape(0), c.batch});
    auto* h = reinterpret_cast<double*>(transfer.mutable_data());
    double* s = density.mutable_data();
    {
        const WithoutGil unlocked;
        circuit_sim::small_signal(c.candidates, sweep, h, s);
    }
    return py::make_tuple(transfer, density);
}

py::tuple small_signal_backward(const Words& code, const Reals& data, std::int64_t n_nodes,
                                const Reals& rows, const Reals& voltages, const Reals& frequencies,
                                const Reals& drives, const Words& outputs, const Words& noise,
                                double temperature, const Complexes& grad_transfer,
                                const Reals& grad_density) {
    const Common c = common(code, data, n_nodes, rows, temperature);
    const auto sweep = sweep_of(c, voltages, frequencies, drives, outputs, noise);
    check_shape(grad_transfer, "grad_transfer",
                {sweep.n_frequencies, outputs.shape(0), sweep.n_drives, c.batch});
    check_shape(grad_density, "grad_density", {sweep.n_frequencies, noise.shape(0), c.batch});
    Reals grad_rows = fresh_array<double>({c.n_rows, c.batch});
    Reals grad_voltages = fresh_array<double>({c.nodes, c.batch});
    double *to_rows = grad_rows.mutable_data(), *to_voltages = grad_voltages.mutable_data();
    const auto* h = reinterpret_cast<const double*>(grad_transfer.data());
    {
        const WithoutGil unlocked;
        circuit_sim::small_signal_backward(c.candidates, sweep, h, grad_density.data(), to_rows,
                                           to_voltages);
    }
    return py::make_tuple(grad_rows, grad_voltages);
}

py::tuple find_frequencies(const Words& code, const Reals& data, std::int64_t n_nodes,
                           const Reals& rows, const Reals& voltages, const Reals& drives,
                           const Words& outputs, const Words& requests, double low, double high,
                           std::int64_t points, double temperature) {
    const Common c = common(code, data, n_nodes, rows, temperature);
    const Reals frequencies(py::array::ShapeContainer{0, 1});
    const Words noise(py::array::ShapeContainer{0, 2});
    const auto sweep = sweep_of(c, voltages, frequencies, drives, outputs, noise);
    check_shape(requests, "requests", {kAnySize, 4});
    const std::int64_t limits[4] = {3, outputs.shape(0), drives.shape(0), outputs.shape(0)};
    const char* const names[4] = {"kind", "output", "drive", "divisor"};
    for (py::ssize_t i = 0; i < requests.size(); ++i) {
        const std::int64_t value = requests.data()[i], limit = limits[i % 4];
        if (value < (i % 4 == 3 ? -1 : 0) || value >= limit) {
            fail(std::string("requests: ") + names[i % 4] + " must be below " +
                 std::to_string(limit) + " and not negative, got " + std::to_string(value));
        }
    }
    if (!(low > 0) || !(high > low) || !std::isfinite(high)) {
        fail("low and high must be finite with 0 < low < high, got " + std::to_string(low) +
             " and " + std::to_string(high));
    }
    if (points < 2 || points > 100000) {
        fail("points must be in [2, 100000], got " + std::to_string(points));
    }
    const auto count = static_cast<std::int64_t>(requests.shape(0));
    Reals frequency = fresh_array<double>({count, c.batch});
    Reals turn = fresh_array<double>({count, c.batch});
    Complexes slope = fresh_array<std::complex<double>>({count, c.batch});
    double *f = frequency.mutable_data(), *t = turn.mutable_data();
    auto* s = reinterpret_cast<double*>(slope.mutable_data());
    {
        const WithoutGil unlocked;
        circuit_sim::find_frequencies(c.candidates, sweep, view(requests), low, high, points, f, s,
                                      t);
    }
    return py::make_tuple(frequency, slope, turn);
}

void check_transient(const Common& c, const Reals& voltages, const Reals& wave_times,
                     const Reals& waves, const Reals& times, const Words& outputs, double tolerance,
                     std::int64_t max_steps) {
    check_shape(voltages, "voltages", {c.nodes, c.batch});
    check_shape(wave_times, "wave_times", {kAnySize});
    check_shape(waves, "waves", {c.sources, wave_times.shape(0)});
    check_shape(times, "times", {kAnySize});
    check_pairs(outputs, "outputs", c.nodes);
    const auto rising = [](const Reals& list, const char* name) {
        for (py::ssize_t i = 0; i < list.size(); ++i) {
            const double value = list.data()[i];
            if (!std::isfinite(value) || value < 0 || (i > 0 && value <= list.data()[i - 1])) {
                fail(std::string(name) + " must be finite, not negative and rising");
            }
        }
    };
    rising(wave_times, "wave_times");
    rising(times, "times");
    if (wave_times.size() == 0 || wave_times.data()[0] != 0) fail("wave_times must begin with 0");
    for (std::int64_t s = 0; s < c.sources; ++s) {
        for (py::ssize_t i = 0; i < wave_times.size(); ++i) {
            const double value = waves.data()[s * wave_times.size() + i];
            if (!std::isfinite(value) || (i == 0 && value != 0)) {
                fail(
                    "waves must be finite and begin with 0: the operating point is what they add "
                    "to");
            }
        }
    }
    if (max_steps < 1) fail("max_steps must be at least 1, got " + std::to_string(max_steps));
    if (!(tolerance > 0) || !std::isfinite(tolerance)) {
        fail("tolerance must be positive and finite, got " + std::to_string(tolerance));
    }
}

py::tuple transient(const Words& code, const Reals& data, std::int64_t n_nodes, const Reals& rows,
                    const Reals& voltages, const Reals& wave_times, const Reals& waves,
                    const Reals& times, const Words& outputs, double tolerance,
                    std::int64_t max_steps, double temperature) {
    const Common c = common(code, data, n_nodes, rows, temperature);
    check_transient(c, voltages, wave_times, waves, times, outputs, tolerance, max_steps);
    Reals out = fresh_array<double>({times.size(), outputs.shape(0), c.batch});
    Words status = fresh_array<std::int64_t>(c.batch);
    Words steps = fresh_array<std::int64_t>(c.batch);
    double* o = out.mutable_data();
    std::int64_t *s = status.mutable_data(), *n = steps.mutable_data();
    {
        const WithoutGil unlocked;
        circuit_sim::transient(c.candidates, voltages.data(), {view(wave_times), view(waves)},
                               view(times), view(outputs), tolerance, max_steps, o, s, n);
    }
    return py::make_tuple(out, status, steps);
}

py::tuple transient_backward(const Words& code, const Reals& data, std::int64_t n_nodes,
                             const Reals& rows, const Reals& voltages, const Reals& wave_times,
                             const Reals& waves, const Reals& times, const Words& outputs,
                             double tolerance, std::int64_t max_steps, double temperature,
                             const Reals& grad_out) {
    const Common c = common(code, data, n_nodes, rows, temperature);
    check_transient(c, voltages, wave_times, waves, times, outputs, tolerance, max_steps);
    check_shape(grad_out, "grad_out", {times.size(), outputs.shape(0), c.batch});
    Reals grad_rows = fresh_array<double>({c.n_rows, c.batch});
    Reals grad_voltages = fresh_array<double>({c.nodes, c.batch});
    double *to_rows = grad_rows.mutable_data(), *to_voltages = grad_voltages.mutable_data();
    {
        const WithoutGil unlocked;
        circuit_sim::transient_backward(
            c.candidates, voltages.data(), {view(wave_times), view(waves)}, view(times),
            view(outputs), tolerance, max_steps, grad_out.data(), to_rows, to_voltages);
    }
    return py::make_tuple(grad_rows, grad_voltages);
}

Reals device_state(const Words& code, const Reals& data, std::int64_t n_nodes, const Reals& rows,
                   const Reals& voltages, double temperature) {
    const Common c = common(code, data, n_nodes, rows, temperature);
    check_shape(voltages, "voltages", {c.nodes, c.batch});
    const auto devices = static_cast<std::int64_t>(c.plan->net.devices.size());
    Reals state = fresh_array<double>({devices, 16, c.batch});
    double* out = state.mutable_data();
    {
        const WithoutGil unlocked;
        circuit_sim::device_state(c.candidates, voltages.data(), out);
    }
    return state;
}

}  // namespace

void bind_circuit_sim(py::module_& m) {
    using py::arg;
    m.def("circuit_operating_point", &operating_point, arg("code").noconvert(),
          arg("data").noconvert(), arg("n_nodes"), arg("rows").noconvert(),
          arg("start").noconvert(), arg("temperature"),
          "Node potentials, source currents and status of every candidate.");
    m.def("circuit_operating_point_backward", &operating_point_backward, arg("code").noconvert(),
          arg("data").noconvert(), arg("n_nodes"), arg("rows").noconvert(),
          arg("voltages").noconvert(), arg("temperature"), arg("grad_voltages").noconvert(),
          arg("grad_currents").noconvert(), "Gradient to the rows.");
    m.def("circuit_small_signal", &small_signal, arg("code").noconvert(), arg("data").noconvert(),
          arg("n_nodes"), arg("rows").noconvert(), arg("voltages").noconvert(),
          arg("frequencies").noconvert(), arg("drives").noconvert(), arg("outputs").noconvert(),
          arg("noise").noconvert(), arg("temperature"), "Transfers and noise densities.");
    m.def("circuit_small_signal_backward", &small_signal_backward, arg("code").noconvert(),
          arg("data").noconvert(), arg("n_nodes"), arg("rows").noconvert(),
          arg("voltages").noconvert(), arg("frequencies").noconvert(), arg("drives").noconvert(),
          arg("outputs").noconvert(), arg("noise").noconvert(), arg("temperature"),
          arg("grad_transfer").noconvert(), arg("grad_density").noconvert(),
          "Gradients to rows and potentials.");
    m.def("circuit_find_frequencies", &find_frequencies, arg("code").noconvert(),
          arg("data").noconvert(), arg("n_nodes"), arg("rows").noconvert(),
          arg("voltages").noconvert(), arg("drives").noconvert(), arg("outputs").noconvert(),
          arg("requests").noconvert(), arg("low"), arg("high"), arg("points"), arg("temperature"),
          "Crossings and peaks of transfers, their slopes and phases.");
    m.def("circuit_transient", &transient, arg("code").noconvert(), arg("data").noconvert(),
          arg("n_nodes"), arg("rows").noconvert(), arg("voltages").noconvert(),
          arg("wave_times").noconvert(), arg("waves").noconvert(), arg("times").noconvert(),
          arg("outputs").noconvert(), arg("tolerance"), arg("max_steps"), arg("temperature"),
          "Waveforms at given times, status and number of steps of every candidate.");
    m.def("circuit_transient_backward", &transient_backward, arg("code").noconvert(),
          arg("data").noconvert(), arg("n_nodes"), arg("rows").noconvert(),
          arg("voltages").noconvert(), arg("wave_times").noconvert(), arg("waves").noconvert(),
          arg("times").noconvert(), arg("outputs").noconvert(), arg("tolerance"), arg("max_steps"),
          arg("temperature"), arg("grad_out").noconvert(), "Gradients to rows and potentials.");
    m.def("circuit_device_state", &device_state, arg("code").noconvert(), arg("data").noconvert(),
          arg("n_nodes"), arg("rows").noconvert(), arg("voltages").noconvert(), arg("temperature"),
          "Operating state of every transistor.");
    m.def(
        "circuit_n_sources",
        [](const Words& code) {
            // Positions alone decide; a malformed program is refused where it is run.
            std::int64_t count = 0;
            const auto words = view(code);
            for (std::size_t i = 0; i < words.size(); i += words[i] == 4 ? 16 : 4) {
                count += words[i] == 2 || words[i] == 3;
            }
            return count;
        },
        arg("code").noconvert(), "Voltage and current sources of a program.");
}

}  // namespace wb
