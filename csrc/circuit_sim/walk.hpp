// SPDX-License-Identifier: Apache-2.0
// Transients by the trapezoidal rule. Each lane has a time and a step of its own; all lanes take
// one step together, and each accepts or repeats it by itself. As in SPICE a capacitance carries
// i = C dv/dt with C the mean of its values at both ends of the step, the first step after a
// corner of a wave is backward Euler, which damps what a corner excites, and the third divided
// difference of the potentials estimates the local error. Included only by *_isa.cpp files.
#pragma once

#include <stdlib.h>

#include "circuit_sim/block.hpp"
#include "core/interrupt.hpp"
#include "core/refusals.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

constexpr double kLongestStep = 0.4;  // volt, per Newton step
constexpr int kIterations = 20;
constexpr int kPast = 3;  // accepted points that the error estimate looks back on

struct Ends {
    int a, b;
};

/// The nodes between which a capacitance lies.
inline Ends ends_of(const PlanView& p, int capacitance) {
    if (capacitance < p.n_capacitors) {
        return {p.capacitors[capacitance].a, p.capacitors[capacitance].b};
    }
    const int of_device = capacitance - p.n_capacitors;
    const Mos& m = p.devices[of_device / 5];
    switch (of_device % 5) {
        case 0:
            return {m.gate, m.source};
        case 1:
            return {m.gate, m.drain};
        case 2:
            return {m.gate, m.bulk};
        case 3:
            return {m.bulk, m.drain};
        default:
            return {m.bulk, m.source};
    }
}

void capacitances_at(const Block& b, V* out) {
    const PlanView& p = b.plan;
    for (int i = 0; i < p.n_capacitors; ++i) out[i] = b.rows[p.capacitors[i].row];
    for (int i = 0; i < p.n_devices; ++i) {
        device_capacitances(b, i, channel_of(b, i), out + p.n_capacitors + 5 * i);
    }
}

/// One block on its way through time.
struct Walk {
    Block& b;
    const TransientTask& task;
    V t, h;
    Mask after_corner;  // the next step is backward Euler
    V points;           // accepted points since the last corner
    V* past[kPast];     // unknowns, newest first
    V past_time[kPast];
    V *capacitance, *voltage, *current;  // of every capacitance, at the last point
    V *new_capacitance, *new_voltage, *new_current;
    V *unknowns, *law, *step, *currents, *conductances, *entries, *factors, *inverse;
    V* output[3];  // last but one, last, new
};

/// Every accepted point of every lane: its time, whether the step to it was backward Euler, and
/// the unknowns. Grows with realloc, since templates of the standard library must stay out.
struct Record {
    double* data = nullptr;
    std::int64_t points = 0, width = 0;

    Record() = default;
    Record(const Record&) = delete;
    Record& operator=(const Record&) = delete;
    ~Record() { free(data); }

    double* at(std::int64_t point, int lane) {
        if (point >= points) {
            const std::int64_t wanted = points == 0 ? 1024 : 2 * points;
            void* more =
                realloc(data, static_cast<size_t>(wanted * width * kLanes) * sizeof(double));
            if (more == nullptr) out_of_memory();
            data = static_cast<double*>(more);
            points = wanted;
        }
        return data + (point * kLanes + lane) * width;
    }
    void put(std::int64_t point, int lane, double time, bool euler, const V* unknowns) {
        double* to = at(point, lane);
        to[0] = time;
        to[1] = euler ? 1.0 : 0.0;
        for (std::int64_t u = 0; u + 2 < width; ++u) to[u + 2] = unknowns[u][lane];
    }
};

/// Values of the sources at a time of each lane.
void set_sources(const Block& b, const TransientTask& task, V time) {
    const PlanView& p = b.plan;
    const std::int64_t n = task.n_waves;
    for (int l = 0; l < kLanes; ++l) {
        std::int64_t next = 0;
        while (next < n && task.wave_times[next] <= time[l]) ++next;
        const std::int64_t left = next - 1;
        const bool last = next == n;
        const double share = last ? 0.0
                                  : (time[l] - task.wave_times[left]) /
                                        (task.wave_times[next] - task.wave_times[left]);
        const auto wave = [&](int source) {
            const double* values = task.waves + source * n;
            return last ? values[left] : values[left] + share * (values[next] - values[left]);
        };
        for (int i = 0; i < p.n_voltage_sources; ++i) {
            b.volts[i][l] = b.rows[p.voltage_sources[i].row][l] + wave(p.source_of_voltage[i]);
        }
        for (int i = 0; i < p.n_current_sources; ++i) {
            b.amps[i][l] = b.rows[p.current_sources[i].row][l] + wave(p.source_of_current[i]);
        }
    }
}

/// Solves the equations at the end of the step; returns the lanes that converged.
Mask solve_step(Walk& w, V h, Mask active) {
    const PlanView& p = w.b.plan;
    const V rate = choose(w.after_corner, all(1.0), all(2.0)) / h;
    const V tight = all(1e-3 * w.task.tolerance);
    Mask open = active, converged{};
    for (int iteration = 0; iteration < kIterations && any(open); ++iteration) {
        place(w.b, w.unknowns, all(1.0));
        real_quantities(w.b, all(1.0), w.currents, w.conductances);
        capacitances_at(w.b, w.new_capacitance);
        for (int u = 0; u < p.n_unknowns; ++u) w.law[u] = gathered(p.laws, u, w.currents);
        for (int i = 0; i < p.n_capacitances; ++i) {
            const Ends at = ends_of(p, i);
            const V mean = 0.5 * (w.capacitance[i] + w.new_capacitance[i]);
            const V voltage = w.b.nodes[at.a] - w.b.nodes[at.b];
            const V current =
                rate * mean * (voltage - w.voltage[i]) - choose(w.after_corner, V{}, w.current[i]);
            const int ua = p.unknown_of[at.a], ub = p.unknown_of[at.b];
            if (ua >= 0) w.law[ua] += current;
            if (ub >= 0) w.law[ub] -= current;
            w.new_voltage[i] = mean;  // the matrix needs the means, the state after the step not
        }
        for (int e = 0; e < p.n_ac_entries; ++e) {
            w.entries[e] = gathered(p.ac_conductance, e, w.conductances) +
                           rate * gathered(p.ac_capacitance, e, w.new_voltage);
        }
        factor_real(p.ac, w.entries, w.factors, w.inverse);
        solve_real(p.ac, w.factors, w.inverse, w.law, w.step);
        V longest{};
        Mask good = ~Mask{};
        for (int u = 0; u < p.n_unknowns; ++u) {
            good &= finite(w.law[u]);
            longest = larger(longest, magnitude(w.law[u]));
        }
        open &= good;
        const V damping = choose(longest > all(kLongestStep), kLongestStep / longest, all(1.0));
        for (int u = 0; u < p.n_unknowns; ++u) {
            w.unknowns[u] = choose(open, w.unknowns[u] - damping * w.law[u], w.unknowns[u]);
        }
        const Mask done = open & (longest < tight);
        converged |= done;
        open &= ~done;
    }
    place(w.b, w.unknowns, all(1.0));
    capacitances_at(w.b, w.new_capacitance);
    for (int i = 0; i < p.n_capacitances; ++i) {
        const Ends at = ends_of(p, i);
        const V mean = 0.5 * (w.capacitance[i] + w.new_capacitance[i]);
        w.new_voltage[i] = w.b.nodes[at.a] - w.b.nodes[at.b];
        w.new_current[i] = rate * mean * (w.new_voltage[i] - w.voltage[i]) -
                           choose(w.after_corner, V{}, w.current[i]);
    }
    return converged;
}

/// Local error of the step as a share of the tolerance; 0 where too few points are known.
V error_of(const Walk& w, V time, V h) {
    const PlanView& p = w.b.plan;
    const V t0 = w.past_time[0], t1 = w.past_time[1], t2 = w.past_time[2];
    V most{};
    for (int u = 0; u < p.n_unknowns; ++u) {
        const V a = (w.unknowns[u] - w.past[0][u]) / (time - t0);
        const V b = (w.past[0][u] - w.past[1][u]) / (t0 - t1);
        const V c = (w.past[1][u] - w.past[2][u]) / (t1 - t2);
        const V ab = (a - b) / (time - t1), bc = (b - c) / (t0 - t2);
        most = larger(most, magnitude((ab - bc) / (time - t2)));
    }
    const V error = 0.5 * h * h * h * most * (1 / w.task.tolerance);
    return choose(w.points >= all(3.0), error, V{});
}

/// Writes the samples of one lane up to the new time, by a parabola through three points.
void sample(const Walk& w, int lane, double t1, double t2, bool three, double t0,
            std::int64_t& next) {
    const TransientTask& task = w.task;
    const std::int64_t column = w.b.span.first + lane;
    for (; next < task.n_times && task.times[next] <= t2; ++next) {
        const double t = task.times[next];
        for (int o = 0; o < task.n_outputs; ++o) {
            const double y1 = w.output[1][o][lane], y2 = w.output[2][o][lane];
            double y = y1 + (y2 - y1) * (t - t1) / (t2 - t1);
            if (three) {
                const double y0 = w.output[0][o][lane];
                const double bend = ((y2 - y1) / (t2 - t1) - (y1 - y0) / (t1 - t0)) / (t2 - t0);
                y += bend * (t - t1) * (t - t2);
            }
            if (task.out != nullptr && column < w.b.span.batch) {
                task.out[(next * task.n_outputs + o) * w.b.span.batch + column] = y;
            }
        }
    }
}

void read_outputs(const Walk& w, V* to) {
    for (int o = 0; o < w.task.n_outputs; ++o) {
        to[o] = w.b.nodes[w.task.pairs[2 * o]] - w.b.nodes[w.task.pairs[2 * o + 1]];
    }
}

Walk open_walk(Block& b, const TransientTask& task, Scratch& scratch) {
    const PlanView& p = b.plan;
    Walk w{b,       task,    {},      {},      {},      {},      {},      {},
           nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
           nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, {}};
    for (V*& past : w.past) past = scratch.zeros(p.n_unknowns);
    for (V** list : {&w.capacitance, &w.voltage, &w.current, &w.new_capacitance, &w.new_voltage,
                     &w.new_current}) {
        *list = scratch.zeros(p.n_capacitances);
    }
    w.unknowns = scratch.take(p.n_unknowns);
    w.law = scratch.take(p.n_unknowns);
    w.step = scratch.take(p.n_unknowns);
    w.currents = scratch.take(p.n_currents);
    w.conductances = scratch.take(p.n_conductances);
    w.entries = scratch.take(p.n_ac_entries);
    w.factors = scratch.take(p.ac.n_factors);
    w.inverse = scratch.take(p.n_unknowns);
    for (V*& output : w.output) output = scratch.zeros(task.n_outputs);
    return w;
}

/// Walks the block from 0 to the last sample; `count` receives the accepted steps of each lane.
Mask walk(Walk& w, Record* record, std::int64_t* count) {
    Block& b = w.b;
    const TransientTask& task = w.task;
    const PlanView& p = b.plan;
    const Span span = b.span;
    Mask alive = ~Mask{};
    for (int node = 1; node < p.n_nodes; ++node) alive &= finite(b.nodes[node]);
    alive &= usable(b);
    for (int i = 0; i < p.n_placed; ++i) {
        const Placed& at = p.placed[i];
        if (at.source < 0) w.unknowns[at.root] = w.past[0][at.root] = b.nodes[at.node];
    }
    capacitances_at(b, w.capacitance);
    for (int i = 0; i < p.n_capacitances; ++i) {
        const Ends at = ends_of(p, i);
        w.voltage[i] = b.nodes[at.a] - b.nodes[at.b];
    }
    read_outputs(w, w.output[1]);
    const double stop = task.n_times > 0 ? task.times[task.n_times - 1] : 0.0;
    const auto corner_after = [&](double t) {
        for (std::int64_t i = 0; i < task.n_waves; ++i) {
            if (task.wave_times[i] > t)
                return task.wave_times[i] < stop ? task.wave_times[i] : stop;
        }
        return stop;
    };
    const auto first_step = [&](double t) {
        const double room = 1e-2 * (corner_after(t) - t), most = 1e-6 * stop;
        return room < most ? room : most;
    };
    std::int64_t next[kLanes], attempts[kLanes];
    V corner{};
    const V nan = all(__builtin_nan(""));
    for (int l = 0; l < kLanes; ++l) {
        next[l] = count[l] = attempts[l] = 0;
        corner[l] = corner_after(0.0);
        w.h[l] = first_step(0.0);
        const std::int64_t column = span.first + l;
        if (record) record->put(0, l, 0.0, false, w.unknowns);
        for (std::int64_t i = 0; i < task.n_times && column < span.batch; ++i) {
            const bool here = task.times[i] == 0 && alive[l];
            for (int o = 0; task.out != nullptr && o < task.n_outputs; ++o) {
                task.out[(i * task.n_outputs + o) * span.batch + column] =
                    here ? w.output[1][o][l] : nan[l];
            }
            if (task.times[i] == 0) next[l] = i + 1;
        }
    }
    w.after_corner = ~Mask{};
    w.points = all(1.0);
    Mask open = alive & (w.t < all(stop));
    while (any(open)) {
        check_interrupt();
        const Mask reaches = w.t + 1.001 * w.h >= corner;
        const V time = choose(reaches, corner, w.t + w.h), h = choose(open, time - w.t, all(1.0));
        set_sources(b, task, choose(open, time, V{}));
        const V ahead = choose(w.points >= all(2.0), h / (w.past_time[0] - w.past_time[1]), V{});
        for (int u = 0; u < p.n_unknowns; ++u) {
            w.unknowns[u] = w.past[0][u] + choose(w.points >= all(2.0),
                                                  ahead * (w.past[0][u] - w.past[1][u]), V{});
        }
        const Mask converged = solve_step(w, h, open);
        const V error = error_of(w, time, h);
        const Mask accepted = converged & (error <= all(1.0));
        read_outputs(w, w.output[2]);
        // Local errors grow with the cube of the step.
        const V fit = 0.9 * exponential(-1.0 / 3 * logarithm(larger(error, all(1e-6))));
        const V grown =
            choose(w.points >= all(3.0), smaller(larger(fit, all(0.3)), all(2.0)), all(1.5));
        const V shrunk = choose(converged, smaller(larger(fit, all(0.1)), all(0.7)), all(0.25));
        const Mask at_corner = accepted & reaches;
        for (int l = 0; l < kLanes; ++l) {
            if (!accepted[l]) continue;
            ++count[l];
            if (record) record->put(count[l], l, time[l], w.after_corner[l] != 0, w.unknowns);
            sample(w, l, w.t[l], time[l], w.points[l] >= 2, w.past_time[1][l], next[l]);
        }
        for (int u = 0; u < p.n_unknowns; ++u) {
            for (int k = kPast - 1; k > 0; --k) {
                w.past[k][u] = choose(accepted, w.past[k - 1][u], w.past[k][u]);
            }
            w.past[0][u] = choose(accepted, w.unknowns[u], w.past[0][u]);
        }
        for (int k = kPast - 1; k > 0; --k) {
            w.past_time[k] = choose(accepted, w.past_time[k - 1], w.past_time[k]);
        }
        w.past_time[0] = choose(accepted, time, w.past_time[0]);
        for (int i = 0; i < p.n_capacitances; ++i) {
            w.capacitance[i] = choose(accepted, w.new_capacitance[i], w.capacitance[i]);
            w.voltage[i] = choose(accepted, w.new_voltage[i], w.voltage[i]);
            w.current[i] = choose(accepted, w.new_current[i], w.current[i]);
        }
        for (int o = 0; o < task.n_outputs; ++o) {
            w.output[0][o] = choose(accepted, w.output[1][o], w.output[0][o]);
            w.output[1][o] = choose(accepted, w.output[2][o], w.output[1][o]);
        }
        w.points = choose(accepted, choose(at_corner, all(1.0), w.points + 1.0), w.points);
        w.after_corner = accepted ? at_corner : w.after_corner;
        w.t = choose(accepted, time, w.t);
        // A step that was cut short by a corner says nothing about the length of the next.
        w.h = choose(open, choose(accepted, h * grown, h * shrunk), w.h);
        for (int l = 0; l < kLanes; ++l) {
            if (!at_corner[l]) continue;
            corner[l] = corner_after(w.t[l]);
            w.h[l] = first_step(w.t[l]);
        }
        alive &= ~(open & (w.t < all(stop)) & (w.h < all(1e-12 * stop)));
        for (int l = 0; l < kLanes; ++l) {
            if (open[l] && ++attempts[l] >= task.max_steps && w.t[l] < stop) alive[l] = 0;
        }
        open = alive & (w.t < all(stop));
    }
    return alive;
}

}  // namespace
}  // namespace wb::circuit_sim::WB_ISA
