// SPDX-License-Identifier: Apache-2.0
// Gradient of a transient: the block walks once more, keeping every accepted point, and then back,
// step by step, by the adjoint of the discrete equations. The lengths of the steps are held.
//
// A step solves  laws(v) + A i = 0  with  i = rate * mean C * (u - u_before) - i_before  (the last
// term not after a corner). Its transposed system lacks the slopes of the capacitances; the
// solution is refined with them until what remains is small.
#include "circuit_sim/walk.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

constexpr int kRefinements = 8;
constexpr double kRefined = 1e-12;

struct Back {
    Block& b;
    const TransientBackwardTask& task;
    Record& record;
    V *rows_bar, *nodes_bar, *before_bar, *current_bar;  // current_bar by capacitance
    V *capacitance, *before_capacitance, *voltage;       // at both ends; voltage across the step
    V *slope_bar, *weight, *trial, *law, *mu, *work;
    V *currents, *conductances, *entries, *factors, *inverse, *unknowns;
};

/// Puts the block at the point of every lane.
V stand_at(const Back& k, const std::int64_t* point, Mask* euler) {
    V time{};
    Mask first{};
    for (int l = 0; l < kLanes; ++l) {
        const double* from = k.record.at(point[l], l);
        time[l] = from[0];
        first[l] = from[1] != 0 ? -1 : 0;
        for (int u = 0; u < k.b.plan.n_unknowns; ++u) k.unknowns[u][l] = from[u + 2];
    }
    set_sources(k.b, k.task.forward, time);
    place(k.b, k.unknowns, all(1.0));
    if (euler) *euler = first;
    return time;
}

/// Adds what samples in (before, now] give to the node potentials of the three points.
void samples_back(const Back& k, int lane, double t0, double t1, double t2, bool three,
                  std::int64_t& next, V* now_bar, V* before_bar, V* earlier_bar) {
    const TransientTask& f = k.task.forward;
    const std::int64_t batch = k.b.span.batch, column = k.b.span.first + lane;
    for (; next >= 0 && f.times[next] > t1; --next) {
        if (column >= batch) continue;
        const double t = f.times[next], share = (t - t1) / (t2 - t1);
        double at[3] = {0.0, 1 - share, share};
        if (three) {
            const double bend = (t - t1) * (t - t2) / (t2 - t0);
            at[0] += bend / (t1 - t0);
            at[1] -= bend * (1 / (t2 - t1) + 1 / (t1 - t0));
            at[2] += bend / (t2 - t1);
        }
        for (int o = 0; o < f.n_outputs; ++o) {
            const double g = k.task.grad_out[(next * f.n_outputs + o) * batch + column];
            const int a = f.pairs[2 * o], b = f.pairs[2 * o + 1];
            V* const to[3] = {earlier_bar, before_bar, now_bar};
            for (int i = 0; i < 3; ++i) {
                to[i][a][lane] += at[i] * g;
                to[i][b][lane] -= at[i] * g;
            }
        }
    }
}

/// One step back for the open lanes, from the point the block stands at.
void step_back(Back& k, V rate, Mask euler, Mask open, const std::int64_t* before) {
    const Block& b = k.b;
    const PlanView& p = b.plan;
    real_quantities(b, all(1.0), k.currents, k.conductances);
    for (int i = 0; i < p.n_capacitances; ++i) {
        k.slope_bar[i] = 0.5 * (k.capacitance[i] + k.before_capacitance[i]);  // mean, for a moment
    }
    for (int e = 0; e < p.n_ac_entries; ++e) {
        k.entries[e] = gathered(p.ac_conductance, e, k.conductances) +
                       rate * gathered(p.ac_capacitance, e, k.slope_bar);
    }
    factor_real(p.ac, k.entries, k.factors, k.inverse);
    for (int u = 0; u < p.n_unknowns; ++u) k.mu[u] = V{};
    const auto total_of = [&](int i) {  // cotangent of the current through capacitance i
        const Ends at = ends_of(p, i);
        return k.current_bar[i] + k.weight[at.a] - k.weight[at.b];
    };
    // Adds everything but the previous point's share to `to`, for the present mu.
    const auto spread = [&](V* to, V* rows) {
        for (int node = 0; node < p.n_nodes; ++node) {
            k.weight[node] = p.unknown_of[node] >= 0 ? -k.mu[p.unknown_of[node]] : V{};
        }
        for (int i = 0; i < p.n_capacitances; ++i) {
            const Ends at = ends_of(p, i);
            const V total = total_of(i);
            const V mean = 0.5 * (k.capacitance[i] + k.before_capacitance[i]);
            k.slope_bar[i] = 0.5 * rate * k.voltage[i] * total;
            to[at.a] += rate * mean * total;
            to[at.b] -= rate * mean * total;
        }
        laws_back(b, k.weight, k.slope_bar, to, rows);
    };
    for (int round = 0; round < kRefinements; ++round) {
        for (int node = 0; node < p.n_nodes; ++node) k.trial[node] = k.nodes_bar[node];
        spread(k.trial, nullptr);
        for (int u = 0; u < p.n_unknowns; ++u) k.law[u] = V{};
        for (int node = 1; node < p.n_nodes; ++node) {
            if (p.unknown_of[node] >= 0) k.law[p.unknown_of[node]] += k.trial[node];
        }
        solve_real_transposed(p.ac, k.factors, k.inverse, k.law, k.work);
        V most{}, size{};
        for (int u = 0; u < p.n_unknowns; ++u) {
            most = larger(most, magnitude(k.law[u]));
            k.mu[u] += k.law[u];
            size = larger(size, magnitude(k.mu[u]));
        }
        if (!any(open & (most > kRefined * size))) break;
    }
    // Lanes that have no step here must add nothing.
    for (int u = 0; u < p.n_unknowns; ++u) k.mu[u] = choose(open, k.mu[u], V{});
    spread(k.nodes_bar, k.rows_bar);
    place_back(b, k.nodes_bar, k.rows_bar);
    for (int i = 0; i < p.n_capacitances; ++i) {
        const Ends at = ends_of(p, i);
        const V total = total_of(i);
        const V mean = 0.5 * (k.capacitance[i] + k.before_capacitance[i]);
        k.before_bar[at.a] -= rate * mean * total;
        k.before_bar[at.b] += rate * mean * total;
        k.current_bar[i] = choose(euler, V{}, -total);
    }
    // The capacitances at the beginning of the step.
    stand_at(k, before, nullptr);
    for (int node = 0; node < p.n_nodes; ++node) k.weight[node] = V{};
    laws_back(b, k.weight, k.slope_bar, k.before_bar, k.rows_bar);
}

struct Room {
    Block b;
    Record record;
    Walk walk;  // its memory is that of `back`: the walk is over when the way back begins
    Back back;
    V* earlier_bar;

    Room(const PlanView& p, const TransientBackwardTask& task, Span span, Scratch& scratch)
        : b(open_block(p, task.forward.rows, span, scratch)),
          walk([&] {
              const std::int64_t mark = scratch.taken();
              Walk w = open_walk(b, task.forward, scratch);
              scratch.give_back_to(mark);
              return w;
          }()),
          back{b,  task, record, {}, {}, {}, {}, {}, {}, {}, {},
               {}, {},   {},     {}, {}, {}, {}, {}, {}, {}, {}} {
        record.width = p.n_unknowns + 2;
        back.rows_bar = scratch.take(p.n_rows);
        for (V** list :
             {&earlier_bar, &back.nodes_bar, &back.before_bar, &back.weight, &back.trial}) {
            *list = scratch.take(p.n_nodes);
        }
        for (V** list : {&back.current_bar, &back.capacitance, &back.before_capacitance,
                         &back.voltage, &back.slope_bar}) {
            *list = scratch.take(p.n_capacitances);
        }
        for (V** list : {&back.law, &back.mu, &back.work, &back.inverse, &back.unknowns}) {
            *list = scratch.take(p.n_unknowns);
        }
        back.currents = scratch.take(p.n_currents);
        back.conductances = scratch.take(p.n_conductances);
        back.entries = scratch.take(p.n_ac_entries);
        back.factors = scratch.take(p.ac.n_factors);
    }
    Room(const Room&) = delete;
    Room& operator=(const Room&) = delete;

    /// Cotangents begin at zero, in memory that the walk has left.
    void clear() const {
        const PlanView& p = b.plan;
        const auto zero = [](V* list, int count) {
            for (int i = 0; i < count; ++i) list[i] = V{};
        };
        zero(back.rows_bar, p.n_rows);
        for (V* list : {earlier_bar, back.nodes_bar, back.before_bar, back.weight, back.trial}) {
            zero(list, p.n_nodes);
        }
        for (V* list : {back.current_bar, back.capacitance, back.before_capacitance, back.voltage,
                        back.slope_bar}) {
            zero(list, p.n_capacitances);
        }
        for (V* list : {back.law, back.mu, back.work, back.inverse, back.unknowns}) {
            zero(list, p.n_unknowns);
        }
    }
};

void transient_backward(Room& room, const TransientBackwardTask& task) {
    Block& b = room.b;
    Record& record = room.record;
    Back& k = room.back;
    V* const earlier_bar = room.earlier_bar;
    const PlanView& p = b.plan;
    const Span span = b.span;
    load_nodes(b, task.forward.voltages);
    std::int64_t count[kLanes];
    const Mask alive = walk(room.walk, &record, count);
    room.clear();

    std::int64_t most = 0, next[kLanes], now[kLanes], before[kLanes];
    for (int l = 0; l < kLanes; ++l) {
        if (!alive[l]) count[l] = 0;
        most = count[l] > most ? count[l] : most;
        next[l] = alive[l] ? task.forward.n_times - 1 : -1;
    }
    for (std::int64_t step = most; step > 0; --step) {
        check_interrupt();
        Mask open{};
        for (int l = 0; l < kLanes; ++l) {
            open[l] = count[l] >= step ? -1 : 0;
            now[l] = count[l] >= step ? step : count[l];
            before[l] = now[l] > 0 ? now[l] - 1 : 0;
        }
        const V before_time = stand_at(k, before, nullptr);
        capacitances_at(b, k.before_capacitance);
        for (int i = 0; i < p.n_capacitances; ++i) {
            const Ends at = ends_of(p, i);
            k.voltage[i] = b.nodes[at.a] - b.nodes[at.b];
        }
        Mask euler{};
        const V time = stand_at(k, now, &euler);
        capacitances_at(b, k.capacitance);
        for (int i = 0; i < p.n_capacitances; ++i) {
            const Ends at = ends_of(p, i);
            k.voltage[i] = b.nodes[at.a] - b.nodes[at.b] - k.voltage[i];
        }
        for (int l = 0; l < kLanes; ++l) {
            if (!open[l]) continue;
            const bool three = !euler[l] && step >= 2;
            const double t0 = three ? record.at(step - 2, l)[0] : 0.0;
            samples_back(k, l, t0, before_time[l], time[l], three, next[l], k.nodes_bar,
                         k.before_bar, earlier_bar);
        }
        // A lane that has not begun yet keeps its cotangents (all zero) through the step.
        const V h = choose(open, time - before_time, all(1.0));
        step_back(k, choose(euler, all(1.0), all(2.0)) / h, euler, open, before);
        for (int node = 0; node < p.n_nodes; ++node) {
            k.nodes_bar[node] = k.before_bar[node];
            k.before_bar[node] = earlier_bar[node];
            earlier_bar[node] = V{};
        }
    }
    // Samples at 0 read the operating point itself.
    for (int l = 0; l < kLanes; ++l) {
        if (alive[l] && next[l] >= 0) {
            samples_back(k, l, 0.0, -1.0, 0.0, false, next[l], k.nodes_bar, k.before_bar,
                         earlier_bar);
        }
    }
    const V nan = all(__builtin_nan(""));
    for (int r = 0; r < p.n_rows; ++r) {
        store(task.grad_rows + r * span.batch, span, choose(alive, k.rows_bar[r], nan));
    }
    store(task.grad_voltages, span, V{});
    for (int node = 1; node < p.n_nodes; ++node) {
        store(task.grad_voltages + node * span.batch, span, choose(alive, k.nodes_bar[node], nan));
    }
}

}  // namespace

TransientBackwardKernel transient_backward_kernel() {
    return Opened<Room, TransientBackwardTask, &transient_backward>::kernel();
}

}  // namespace wb::circuit_sim::WB_ISA
