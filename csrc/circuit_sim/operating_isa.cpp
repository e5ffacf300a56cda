// SPDX-License-Identifier: Apache-2.0
// Operating points: damped Newton, then shunts to ground that fade (gmin stepping), then sources
// that grow (source stepping), each for the lanes that need it; and the adjoint of the solution.
#include "circuit_sim/block.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

constexpr double kLongestStep = 0.4;  // volt
constexpr double kConverged = 1e-11;
constexpr double kStalled = 1e-8;  // a step below it that rounding keeps from halving will do
constexpr int kIterations = 80;

struct Newton {
    Block& block;
    V *unknowns, *currents, *conductances, *entries, *factors, *inverse, *law, *step, *begin;
};

/// Runs Newton on the active lanes and returns those that converged; the others keep where they
/// began.
Mask newton(const Newton& n, V shunt, V scale, Mask active) {
    Block& b = n.block;
    const PlanView& p = b.plan;
    for (int u = 0; u < p.n_unknowns; ++u) n.begin[u] = n.unknowns[u];
    Mask open = active, converged{};
    V before = all(1e300);
    for (int iteration = 0; iteration < kIterations && any(open); ++iteration) {
        place(b, n.unknowns, scale);
        real_quantities(b, scale, n.currents, n.conductances);
        for (int e = 0; e < p.n_dc_entries; ++e) {
            n.entries[e] = gathered(p.dc_matrix, e, n.conductances);
        }
        for (int u = 0; u < p.n_unknowns; ++u) {
            n.law[u] = gathered(p.laws, u, n.currents) + shunt * n.unknowns[u];
            n.entries[p.dc_diagonal[u]] += shunt;
        }
        factor_real(p.dc, n.entries, n.factors, n.inverse);
        solve_real(p.dc, n.factors, n.inverse, n.law, n.step);
        V longest{};
        Mask good = ~Mask{};
        for (int u = 0; u < p.n_unknowns; ++u) {
            good &= finite(n.law[u]);
            longest = larger(longest, magnitude(n.law[u]));
        }
        open &= good;
        const V damping = choose(longest > all(kLongestStep), kLongestStep / longest, all(1.0));
        for (int u = 0; u < p.n_unknowns; ++u) {
            n.unknowns[u] = choose(open, n.unknowns[u] - damping * n.law[u], n.unknowns[u]);
        }
        const Mask done = open & ((longest < all(kConverged)) |
                                  ((longest < all(kStalled)) & (longest > 0.5 * before)));
        before = longest;
        converged |= done;
        open &= ~done;
    }
    for (int u = 0; u < p.n_unknowns; ++u) {
        n.unknowns[u] = choose(converged | ~active, n.unknowns[u], n.begin[u]);
    }
    return converged;
}

/// Fading shunts: every lane that failed goes from 10 mS to none.
Mask step_shunt(const Newton& n, Mask active, const V* first_guess) {
    const int unknowns = n.block.plan.n_unknowns;
    for (int u = 0; u < unknowns; ++u) {
        n.unknowns[u] = choose(active, first_guess[u], n.unknowns[u]);
    }
    Mask alive = active;
    for (double shunt = 1e-2; shunt > 5e-13 && any(alive); shunt *= 0.1) {
        alive &= newton(n, all(shunt), all(1.0), alive);
    }
    return alive & newton(n, V{}, all(1.0), alive);
}

/// Growing sources, each lane at its own pace: a step that fails is tried at a quarter.
Mask step_sources(const Newton& n, Mask active) {
    const int unknowns = n.block.plan.n_unknowns;
    for (int u = 0; u < unknowns; ++u) n.unknowns[u] = choose(active, V{}, n.unknowns[u]);
    V reached{}, stride = all(0.1);
    Mask alive = active, done{};
    for (int attempt = 0; attempt < 200 && any(alive & ~done); ++attempt) {
        const Mask open = alive & ~done;
        const V goal = smaller(reached + stride, all(1.0));
        const Mask good = newton(n, V{}, goal, open);
        reached = choose(good, goal, reached);
        stride = choose(good, 2.0 * stride, choose(open, 0.25 * stride, stride));
        done |= good & (reached >= all(1.0));
        alive &= (stride > all(1e-7)) | done;
    }
    return done;
}

V middle_of_sources(const Block& b) {
    V low{}, high{};
    for (int i = 0; i < b.plan.n_placed; ++i) {
        const Placed& at = b.plan.placed[i];
        if (at.root >= 0) continue;
        low = smaller(low, b.nodes[at.node]);
        high = larger(high, b.nodes[at.node]);
    }
    return 0.5 * (low + high);
}

struct OperatingRoom {
    Block b;
    Newton newton;
    V* guess;

    OperatingRoom(const PlanView& p, const OperatingTask& task, Span span, Scratch& scratch)
        : b(open_block(p, task.rows, span, scratch)),
          newton{b,
                 scratch.take(p.n_unknowns),
                 scratch.take(p.n_currents),
                 scratch.take(p.n_conductances),
                 scratch.take(p.n_dc_entries),
                 scratch.take(p.dc.n_factors),
                 scratch.take(p.n_unknowns),
                 scratch.take(p.n_unknowns),
                 scratch.take(p.n_unknowns),
                 scratch.take(p.n_unknowns)},
          guess(scratch.take(p.n_unknowns)) {}
};

void operating_point(OperatingRoom& room, const OperatingTask& task) {
    Block& b = room.b;
    const Newton& n = room.newton;
    V* const guess = room.guess;
    const PlanView& p = b.plan;
    const Span span = b.span;
    for (int u = 0; u < p.n_unknowns; ++u) n.unknowns[u] = V{};
    place(b, n.unknowns, all(1.0));
    const V middle = middle_of_sources(b);
    for (int i = 0; i < p.n_placed; ++i) {
        const Placed& at = p.placed[i];
        if (at.root < 0 || at.source >= 0) continue;
        V v = middle;
        if (task.start != nullptr) {
            v = task.start_columns == 1 ? all(task.start[at.node])
                                        : load(task.start + at.node * span.batch, span);
            v = choose(finite(v), v, middle);
        }
        guess[at.root] = n.unknowns[at.root] = v;
    }

    const Mask ok = usable(b);
    Mask solved = newton(n, V{}, all(1.0), ok);
    Mask shunted{}, grown{};
    Mask open = ok & ~solved;
    if (any(open)) {
        shunted = step_shunt(n, open, guess);
        open &= ~shunted;
    }
    if (any(open)) grown = step_sources(n, open);
    solved |= shunted | grown;

    const V nan = all(__builtin_nan(""));
    place(b, n.unknowns, all(1.0));
    real_quantities(b, all(1.0), n.currents, n.conductances);
    store(task.voltages, span, V{});
    for (int node = 1; node < p.n_nodes; ++node) {
        store(task.voltages + node * span.batch, span, choose(solved, b.nodes[node], nan));
    }
    for (int i = 0; i < p.n_voltage_sources; ++i) {
        const V i_s = p.source_currents[i].factor * gathered(p.source_laws, i, n.currents);
        store(task.currents + p.source_of_voltage[i] * span.batch, span, choose(solved, i_s, nan));
    }
    for (int i = 0; i < p.n_current_sources; ++i) {
        const V i_s = b.rows[p.current_sources[i].row];
        store(task.currents + p.source_of_current[i] * span.batch, span, choose(solved, i_s, nan));
    }
    for (int l = 0; l < kLanes && span.first + l < span.batch; ++l) {
        task.status[span.first + l] = !solved[l] ? 3 : grown[l] ? 2 : shunted[l] ? 1 : 0;
    }
}

struct BackwardRoom {
    Block b;
    V *rows_bar, *weight, *direct, *nodes_bar;
    V *currents, *conductances, *entries, *factors, *inverse, *mu, *work;

    BackwardRoom(const PlanView& p, const OperatingBackwardTask& task, Span span, Scratch& scratch)
        : b(open_block(p, task.rows, span, scratch)),
          rows_bar(scratch.zeros(p.n_rows)),
          weight(scratch.zeros(p.n_nodes)),
          direct(scratch.zeros(p.n_nodes)),
          nodes_bar(scratch.zeros(p.n_nodes)),
          currents(scratch.take(p.n_currents)),
          conductances(scratch.take(p.n_conductances)),
          entries(scratch.take(p.n_dc_entries)),
          factors(scratch.take(p.dc.n_factors)),
          inverse(scratch.take(p.n_unknowns)),
          mu(scratch.zeros(p.n_unknowns)),
          work(scratch.take(p.n_unknowns)) {}
};

void operating_point_backward(BackwardRoom& room, const OperatingBackwardTask& task) {
    Block& b = room.b;
    const PlanView& p = b.plan;
    const Span span = b.span;
    V *const rows_bar = room.rows_bar, *const weight = room.weight, *const direct = room.direct,
             *const nodes_bar = room.nodes_bar, *const mu = room.mu;
    load_nodes(b, task.voltages);
    Mask ok = ~Mask{};
    for (int node = 1; node < p.n_nodes; ++node) ok &= finite(b.nodes[node]);

    // Cotangents of source currents are weights of the laws below their edges.
    bool some = false;
    for (int i = 0; i < p.n_voltage_sources; ++i) {
        const SourceCurrentView& source = p.source_currents[i];
        const V bar = load(task.grad_currents + p.source_of_voltage[i] * span.batch, span);
        some = some || any(bar != V{});
        for (int k = 0; k < source.count; ++k) weight[source.nodes[k]] += source.factor * bar;
    }
    for (int i = 0; i < p.n_current_sources; ++i) {
        rows_bar[p.current_sources[i].row] +=
            load(task.grad_currents + p.source_of_current[i] * span.batch, span);
    }
    for (int node = 1; node < p.n_nodes; ++node) {
        direct[node] = nodes_bar[node] = load(task.grad_voltages + node * span.batch, span);
    }
    if (some) laws_back(b, weight, nullptr, direct, nullptr);

    real_quantities(b, all(1.0), room.currents, room.conductances);
    for (int e = 0; e < p.n_dc_entries; ++e) {
        room.entries[e] = gathered(p.dc_matrix, e, room.conductances);
    }
    factor_real(p.dc, room.entries, room.factors, room.inverse);
    for (int node = 1; node < p.n_nodes; ++node) {
        if (p.unknown_of[node] >= 0) mu[p.unknown_of[node]] += direct[node];
    }
    solve_real_transposed(p.dc, room.factors, room.inverse, mu, room.work);
    for (int node = 1; node < p.n_nodes; ++node) {
        if (p.unknown_of[node] >= 0) weight[node] -= mu[p.unknown_of[node]];
    }
    laws_back(b, weight, nullptr, nodes_bar, rows_bar);

    place_back(b, nodes_bar, rows_bar);
    const V nan = all(__builtin_nan(""));
    for (int r = 0; r < p.n_rows; ++r) {
        store(task.grad_rows + r * span.batch, span, choose(ok, rows_bar[r], nan));
    }
}

struct DeviceRoom {
    Block b;

    DeviceRoom(const PlanView& p, const DeviceTask& task, Span span, Scratch& scratch)
        : b(open_block(p, task.rows, span, scratch)) {}
};

void device_state(DeviceRoom& room, const DeviceTask& task) {
    Block& b = room.b;
    const PlanView& p = b.plan;
    const Span span = b.span;
    load_nodes(b, task.voltages);
    for (int i = 0; i < p.n_devices; ++i) {
        const Mos& m = p.devices[i];
        const ModelAt& model = p.models[m.model];
        const Channel c = channel_of(b, i);
        const Meyer meyer = meyer_at(model, b.sized[i], c);
        const Junction drain = junction_of(b, i, true), source = junction_of(b, i, false);
        const Sized& d = b.sized[i];
        const V* v = b.nodes;
        const V vbd = model.type * (v[m.bulk] - v[m.drain]);
        const V vbs = model.type * (v[m.bulk] - v[m.source]);
        const V channel = choose(c.reversed, -c.current, c.current);
        const V values[16] = {
            model.type * (channel - drain.current),
            v[m.gate] - v[m.source],
            v[m.drain] - v[m.source],
            v[m.bulk] - v[m.source],
            model.type * c.von,
            model.type * larger(c.vgst, V{}),
            c.gm,
            c.gds,
            c.gmbs,
            choose(c.reversed, meyer.gd, meyer.gs) + d.overlap_gs,
            choose(c.reversed, meyer.gs, meyer.gd) + d.overlap_gd,
            meyer.gb + d.overlap_gb,
            depletion_at(model, d.bottom_d, d.side_d, vbd).c,
            depletion_at(model, d.bottom_s, d.side_s, vbs).c,
            model.type * drain.current,
            model.type * source.current,
        };
        for (int k = 0; k < 16; ++k) {
            store(task.state + (std::int64_t{16} * i + k) * span.batch, span, values[k]);
        }
    }
}

}  // namespace

int lanes() { return kLanes; }
OperatingKernel operating_kernel() {
    return Opened<OperatingRoom, OperatingTask, &operating_point>::kernel();
}
OperatingBackwardKernel operating_backward_kernel() {
    return Opened<BackwardRoom, OperatingBackwardTask, &operating_point_backward>::kernel();
}
DeviceKernel device_kernel() { return Opened<DeviceRoom, DeviceTask, &device_state>::kernel(); }

}  // namespace wb::circuit_sim::WB_ISA
