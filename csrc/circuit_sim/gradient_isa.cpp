// SPDX-License-Identifier: Apache-2.0
// Gradients of a sweep: for every output, the transposed solution z and the solution x for what
// its cotangents weigh together; every quantity then gets -z^T dA x, summed over frequencies.
#include "circuit_sim/pass.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

/// Cotangents of the small-signal quantities, summed over frequencies.
struct SmallBar {
    V *resistors, *capacitors, *resistor_noise;
    DeviceBar* devices;
    V *device_noise, *device_flicker;
};

SmallBar open_bar(const PlanView& p, Scratch& scratch) {
    SmallBar bar;
    bar.resistors = scratch.zeros(p.n_resistors);
    bar.capacitors = scratch.zeros(p.n_capacitors);
    bar.resistor_noise = scratch.zeros(p.n_resistors);
    bar.devices = scratch.zeros_as<DeviceBar>(p.n_devices);
    bar.device_noise = scratch.zeros(p.n_devices);
    bar.device_flicker = scratch.zeros(p.n_devices);
    return bar;
}

/// Subtracts Re(dz dx) from the cotangent of a conductance, Re(j omega dz dx) from that of the
/// capacitance beside it.
template <int N>
inline void subtract_pair(const Factors<N>& f, const Complex<N>& dz, const Complex<N>& dx, V* g,
                          V* c) {
    for (int k = 0; k < N; ++k) {
        if (g) *g -= dz.re[k] * dx.re[k] - dz.im[k] * dx.im[k];
        if (c) *c += f.omega[k] * (dz.re[k] * dx.im[k] + dz.im[k] * dx.re[k]);
    }
}

/// -z^T dA x for every quantity; z by unknown, x by node.
template <int N>
void accumulate(const Pass<N>& pass, const Complex<N>* z, const Complex<N>* x, SmallBar& bar) {
    const PlanView& p = pass.p;
    const auto zx = [&](int a, int b, V* g, V* c) {
        subtract_pair(pass.factors, across(pass, z, a, b), minus(x[a], x[b]), g, c);
    };
    for (int i = 0; i < p.n_resistors; ++i) {
        zx(p.resistors[i].a, p.resistors[i].b, &bar.resistors[i], nullptr);
    }
    for (int i = 0; i < p.n_capacitors; ++i) {
        zx(p.capacitors[i].a, p.capacitors[i].b, nullptr, &bar.capacitors[i]);
    }
    for (int i = 0; i < p.n_devices; ++i) {
        const Mos& m = p.devices[i];
        DeviceBar& d = bar.devices[i];
        const Complex<N> channel = across(pass, z, m.drain, m.source);
        const auto by = [&](int node, V* g) {
            subtract_pair<N>(pass.factors, channel, minus(x[node], x[m.source]), g, nullptr);
        };
        by(m.drain, &d.by_drain);
        by(m.gate, &d.by_gate);
        by(m.bulk, &d.by_bulk);
        zx(m.bulk, m.drain, &d.gd, &d.cbd);
        zx(m.bulk, m.source, &d.gs, &d.cbs);
        zx(m.gate, m.source, nullptr, &d.cgs);
        zx(m.gate, m.drain, nullptr, &d.cgd);
        zx(m.gate, m.bulk, nullptr, &d.cgb);
    }
}

/// Noise: cotangents of the sources' densities, and the right-hand side of the solution that
/// carries the cotangent of z, times weight.
template <int N>
void noise_back(const Pass<N>& pass, const Complex<N>* z, const V* weight, Complex<N>* rhs,
                SmallBar& bar) {
    const PlanView& p = pass.p;
    const auto source = [&](int a, int b, const V* density, V* size) {
        const Complex<N> dz = across(pass, z, a, b);
        squares(dz, size);
        const int ua = p.unknown_of[a], ub = p.unknown_of[b];
        for (int k = 0; k < N; ++k) {
            const V twice = 2.0 * weight[k] * density[k];
            const V re = twice * dz.re[k], im = -twice * dz.im[k];
            if (ua >= 0) {
                rhs[ua].re[k] += re;
                rhs[ua].im[k] += im;
            }
            if (ub >= 0) {
                rhs[ub].re[k] -= re;
                rhs[ub].im[k] -= im;
            }
        }
    };
    V size[N], density[N];
    for (int i = 0; i < p.n_resistors; ++i) {
        for (int k = 0; k < N; ++k) density[k] = pass.small.white[i];
        source(p.resistors[i].a, p.resistors[i].b, density, size);
        for (int k = 0; k < N; ++k) bar.resistor_noise[i] += weight[k] * size[k];
    }
    for (int i = 0; i < p.n_devices; ++i) {
        const Mos& m = p.devices[i];
        const bool flickers = pass.small.flicker != nullptr && p.models[m.model].kf != 0;
        V fade[N];
        for (int k = 0; k < N; ++k) density[k] = pass.small.white[p.n_resistors + i];
        if (flickers) {
            flicker_weights(pass, p.models[m.model], fade);
            for (int k = 0; k < N; ++k) density[k] += pass.small.flicker[i] * fade[k];
        }
        source(m.drain, m.source, density, size);
        for (int k = 0; k < N; ++k) bar.device_noise[i] += weight[k] * size[k];
        for (int k = 0; k < N && flickers; ++k) {
            bar.device_flicker[i] += weight[k] * size[k] * fade[k];
        }
    }
}

template <int N>
void load_gradient(const Pass<N>& pass, std::int64_t first, int output, int drive, Complex<N>& g) {
    const SweepTask& t = pass.task;
    for (int k = 0; k < N; ++k) {
        const std::int64_t row =
            ((first + k) * t.n_outputs + output) * std::int64_t{t.n_drives} + drive;
        load_complex(t.transfer + 2 * row * pass.span.batch, pass.span, g.re[k], g.im[k]);
        g.im[k] = -g.im[k];  // dL = Re(conj(g) dH)
    }
}

/// to[node] += weight * offset of the drive.
template <int N>
void add_offsets(const Pass<N>& pass, int drive, const Complex<N>& weight, Complex<N>* to) {
    const double* offset = pass.task.offsets + drive * pass.p.n_nodes;
    for (int node = 0; node < pass.p.n_nodes; ++node) {
        if (offset[node] == 0) continue;
        for (int k = 0; k < N; ++k) {
            to[node].re[k] += weight.re[k] * offset[node];
            to[node].im[k] += weight.im[k] * offset[node];
        }
    }
}

template <int N>
void add_solution(const Pass<N>& pass, const Complex<N>* by_unknown, Complex<N>* by_node) {
    for (int node = 0; node < pass.p.n_nodes; ++node) {
        const Complex<N>& x = by_unknown[pass.p.unknown_of[node]];
        for (int k = 0; k < N; ++k) {
            by_node[node].re[k] += x.re[k];
            by_node[node].im[k] += x.im[k];
        }
    }
}

/// With one solution per drive, the outputs' cotangents share one transposed solution per drive.
template <int N>
void backward_by_drive(Pass<N>& pass, std::int64_t first, Complex<N>* by_node, SmallBar& bar) {
    const PlanView& p = pass.p;
    const SweepTask& t = pass.task;
    for (int d = 0; d < t.n_drives; ++d) {
        for (int u = 0; u < p.n_unknowns; ++u) pass.z[u] = Complex<N>{};
        for (int o = 0; o < t.n_outputs; ++o) {
            Complex<N> g{};
            load_gradient(pass, first, o, d, g);
            const Index pair = t.pairs + 2 * t.output_pair[o];
            const int a = p.unknown_of[pair[0]], b = p.unknown_of[pair[1]];
            for (int k = 0; k < N; ++k) {
                if (a >= 0) {
                    pass.z[a].re[k] += g.re[k];
                    pass.z[a].im[k] += g.im[k];
                }
                if (b >= 0) {
                    pass.z[b].re[k] -= g.re[k];
                    pass.z[b].im[k] -= g.im[k];
                }
            }
        }
        solve(p, pass.small, pass.factors, true, pass.z, pass.work);
        solve_drive(p, pass.small, pass.factors, d, pass.x, pass.work);
        for (int node = 0; node < p.n_nodes; ++node) by_node[node] = Complex<N>{};
        Complex<N> unit{};
        for (int k = 0; k < N; ++k) unit.re[k] = all(1.0);
        add_offsets(pass, d, unit, by_node);
        add_solution(pass, pass.x, by_node);
        accumulate(pass, pass.z, by_node, bar);
    }
}

template <int N>
void backward_at(Pass<N>& pass, std::int64_t first, Complex<N>* by_node, SmallBar& bar) {
    const PlanView& p = pass.p;
    const SweepTask& t = pass.task;
    check_interrupt();
    set_frequencies(pass, first);
    if (t.by_drive) backward_by_drive(pass, first, by_node, bar);
    for (int a = 0; a < t.n_adjoints; ++a) {
        if (!t.adjoint_wanted[a]) continue;
        solve_adjoint(p, pass.small, pass.factors, t.pairs + 2 * a, pass.z, pass.work);
        for (int u = 0; u < p.n_unknowns; ++u) pass.x[u] = Complex<N>{};
        for (int node = 0; node < p.n_nodes; ++node) by_node[node] = Complex<N>{};
        for (int o = 0; o < t.n_outputs && !t.by_drive; ++o) {
            if (t.output_pair[o] != a) continue;
            for (int d = 0; d < t.n_drives; ++d) {
                Complex<N> g{};
                load_gradient(pass, first, o, d, g);
                add_offsets(pass, d, g, by_node);
                for (int u = 0; u < p.n_unknowns; ++u) {
                    Complex<N> force{};
                    for (int k = 0; k < N; ++k) {
                        force.re[k] = pass.small.drive_g[d * p.n_unknowns + u];
                        force.im[k] =
                            pass.factors.omega[k] * pass.small.drive_c[d * p.n_unknowns + u];
                    }
                    minus_product(pass.x[u], g, force);
                }
            }
        }
        V weight[N]{};
        bool noisy = false;
        for (int n = 0; n < t.n_noise; ++n) {
            if (t.noise_pair[n] != a) continue;
            noisy = true;
            for (int k = 0; k < N; ++k) {
                weight[k] +=
                    load(t.density + ((first + k) * t.n_noise + n) * pass.span.batch, pass.span);
            }
        }
        if (noisy) noise_back(pass, pass.z, weight, pass.x, bar);
        solve(p, pass.small, pass.factors, false, pass.x, pass.work);
        add_solution(pass, pass.x, by_node);
        accumulate(pass, pass.z, by_node, bar);
    }
}

/// Flicker noise to the drain's current and to the sizes it is divided by.
void flicker_back(const Block& b, int device, V flicker, V flicker_bar, DeviceBar& bar,
                  V* rows_bar) {
    const Mos& mos = b.plan.devices[device];
    const ModelAt& model = b.plan.models[mos.model];
    const Sized& d = b.sized[device];
    const Channel c = channel_of(b, device);
    const V share = flicker * flicker_bar;
    if (model.nlev >= 2) {
        const Mask some = c.gm != V{};
        const V gm_bar = choose(some, 2.0 * share / choose(some, c.gm, all(1.0)), V{});
        bar.by_gate += choose(c.reversed, -gm_bar, gm_bar);
    } else {
        const V cd =
            choose(c.reversed, -c.current, c.current) - junction_of(b, device, true).current;
        const V per = choose(magnitude(cd) > all(1e-38), share * model.af / cd, V{}) * model.type;
        bar.current += per;
        bar.current_d -= per;
    }
    rows_bar[mos.row[kL]] -= (model.nlev == 0 ? 2.0 : 1.0) * share / d.l_eff;
    if (model.nlev == 0) return;
    rows_bar[mos.row[kW]] -= share / d.w;
    rows_bar[mos.row[kM]] -= share / d.m;
}

struct Room {
    Block b;
    Small small;
    SmallBar bar;
    Pass<2> two;
    Pass<1> one;
    Complex<2>* nodes_two;
    Complex<1>* nodes_one;
    V *rows_bar, *nodes_bar;

    Room(const PlanView& p, const SweepBackwardTask& task, Span span, Scratch& scratch)
        : b(open_block(p, task.sweep.rows, span, scratch)),
          small(open_small(p, task.sweep, scratch)),
          bar(open_bar(p, scratch)),
          two(open_pass<2>(p, task.sweep, span, small, scratch)),
          one(open_pass<1>(p, task.sweep, span, small, scratch)),
          nodes_two(scratch.take_as<Complex<2>>(p.n_nodes)),
          nodes_one(scratch.take_as<Complex<1>>(p.n_nodes)),
          rows_bar(scratch.zeros(p.n_rows)),
          nodes_bar(scratch.zeros(p.n_nodes)) {}
};

void sweep_backward(Room& room, const SweepBackwardTask& task) {
    Block& b = room.b;
    Small& small = room.small;
    SmallBar& bar = room.bar;
    V *const rows_bar = room.rows_bar, *const nodes_bar = room.nodes_bar;
    const PlanView& p = b.plan;
    const Span span = b.span;
    load_nodes(b, task.sweep.voltages);
    Mask ok = ~Mask{};
    for (int node = 1; node < p.n_nodes; ++node) ok &= finite(b.nodes[node]);
    linearize(b, task.sweep, small);
    std::int64_t f = 0;
    for (; f + 2 <= task.sweep.n_frequencies; f += 2) backward_at(room.two, f, room.nodes_two, bar);
    for (; f < task.sweep.n_frequencies; ++f) backward_at(room.one, f, room.nodes_one, bar);

    const double kt4 = 4 * kBoltzmann * p.kelvin;
    for (int i = 0; i < p.n_resistors; ++i) {
        const V g = small.conductances[i];
        rows_bar[p.resistors[i].row] -= (bar.resistors[i] + kt4 * bar.resistor_noise[i]) * g * g;
    }
    for (int i = 0; i < p.n_capacitors; ++i) rows_bar[p.capacitors[i].row] += bar.capacitors[i];
    for (int i = 0; i < p.n_devices; ++i) {
        DeviceBar& d = bar.devices[i];
        d.thermal = kt4 * bar.device_noise[i];
        if (small.flicker) {
            flicker_back(b, i, small.flicker[i], bar.device_flicker[i], d, rows_bar);
        }
        device_back(b, i, d, true, nodes_bar, rows_bar);
    }
    const V nan = all(__builtin_nan(""));
    for (int r = 0; r < p.n_rows; ++r) {
        store(task.grad_rows + r * span.batch, span, choose(ok, rows_bar[r], nan));
    }
    store(task.grad_voltages, span, V{});
    for (int node = 1; node < p.n_nodes; ++node) {
        store(task.grad_voltages + node * span.batch, span, choose(ok, nodes_bar[node], nan));
    }
}

}  // namespace

SweepBackwardKernel sweep_backward_kernel() {
    return Opened<Room, SweepBackwardTask, &sweep_backward>::kernel();
}

}  // namespace wb::circuit_sim::WB_ISA
