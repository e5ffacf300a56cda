// SPDX-License-Identifier: Apache-2.0
// What every pass over a block of candidates begins with: rows, sized devices, node potentials,
// and the real equations at an operating point. Included only by *_isa.cpp files.
#pragma once

#include "circuit_sim/mosfet.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

struct Block {
    const PlanView& plan;
    Span span;
    V* rows;
    Sized* sized;
    V* nodes;         // potentials, ground first
    V *volts, *amps;  // values of the sources
};

inline Block open_block(const PlanView& plan, const double* rows, Span span, Scratch& scratch) {
    Block b{plan,
            span,
            scratch.take(plan.n_rows),
            scratch.take_as<Sized>(plan.n_devices),
            scratch.zeros(plan.n_nodes),
            scratch.take(plan.n_voltage_sources),
            scratch.take(plan.n_current_sources)};
    if (scratch.counts()) return b;
    for (int r = 0; r < plan.n_rows; ++r) b.rows[r] = load(rows + r * span.batch, span);
    for (int i = 0; i < plan.n_devices; ++i) {
        const Mos& mos = plan.devices[i];
        b.sized[i] = size_device(mos, plan.models[mos.model], b.rows);
    }
    for (int i = 0; i < plan.n_voltage_sources; ++i)
        b.volts[i] = b.rows[plan.voltage_sources[i].row];
    for (int i = 0; i < plan.n_current_sources; ++i)
        b.amps[i] = b.rows[plan.current_sources[i].row];
    return b;
}

/// Node potentials from unknowns, with sources scaled.
inline void place(const Block& b, const V* unknowns, V scale) {
    for (int i = 0; i < b.plan.n_placed; ++i) {
        const Placed& at = b.plan.placed[i];
        b.nodes[at.node] = at.source < 0
                               ? unknowns[at.root]
                               : b.nodes[at.parent] + at.sign * (scale * b.volts[at.source]);
    }
}

inline void load_nodes(const Block& b, const double* voltages) {
    for (int n = 1; n < b.plan.n_nodes; ++n) {
        b.nodes[n] = load(voltages + n * b.span.batch, b.span);
    }
}

/// Lanes whose rows are all finite and in the range where the equations hold.
inline Mask usable(const Block& b) {
    const PlanView& p = b.plan;
    Mask ok = ~Mask{};
    const auto check = [&](const TwoTerminal* list, int count) {
        for (int i = 0; i < count; ++i) ok &= finite(b.rows[list[i].row]);
    };
    check(p.resistors, p.n_resistors);
    check(p.capacitors, p.n_capacitors);
    check(p.current_sources, p.n_current_sources);
    check(p.voltage_sources, p.n_voltage_sources);
    for (int i = 0; i < p.n_resistors; ++i) ok &= b.rows[p.resistors[i].row] > V{};
    for (int i = 0; i < p.n_capacitors; ++i) ok &= b.rows[p.capacitors[i].row] >= V{};
    for (int i = 0; i < p.n_devices; ++i) {
        const int* row = p.devices[i].row;
        for (int k = 0; k < kMosRows; ++k) ok &= finite(b.rows[row[k]]);
        ok &= (b.sized[i].w > V{}) & (b.sized[i].l_eff > V{}) & (b.sized[i].m > V{});
        for (int k = kAd; k <= kPs; ++k) ok &= b.rows[row[k]] >= V{};
    }
    return ok;
}

inline Channel channel_of(const Block& b, int device) {
    const Mos& m = b.plan.devices[device];
    const V* v = b.nodes;
    return channel_at(b.plan.models[m.model], b.sized[device], v[m.drain], v[m.gate], v[m.source],
                      v[m.bulk]);
}

inline Junction junction_of(const Block& b, int device, bool drain) {
    const Mos& m = b.plan.devices[device];
    const ModelAt& model = b.plan.models[m.model];
    const Sized& d = b.sized[device];
    return junction_at(model, drain ? d.sat_d : d.sat_s,
                       model.type * (b.nodes[m.bulk] - b.nodes[drain ? m.drain : m.source]),
                       b.plan.gmin);
}

/// Derivatives of the channel current by drain, gate, source and bulk, given those in the frame.
inline void by_terminal(const Channel& c, V gmbs, V* out) {
    const V sum = c.gm + c.gds + gmbs;
    out[0] = choose(c.reversed, sum, c.gds);
    out[1] = choose(c.reversed, -c.gm, c.gm);
    out[3] = choose(c.reversed, -gmbs, gmbs);
    out[2] = -(out[0] + out[1] + out[3]);
}

/// Gate to source, drain and bulk, bulk to drain and source.
inline void device_capacitances(const Block& b, int device, const Channel& c, V* cap) {
    const Mos& m = b.plan.devices[device];
    const ModelAt& model = b.plan.models[m.model];
    const Sized& d = b.sized[device];
    const V* v = b.nodes;
    cap[0] = d.overlap_gs;
    cap[1] = d.overlap_gd;
    cap[2] = d.overlap_gb;
    if (model.cox != 0) {
        const Meyer meyer = meyer_at(model, d, c);
        cap[0] += choose(c.reversed, meyer.gd, meyer.gs);
        cap[1] += choose(c.reversed, meyer.gs, meyer.gd);
        cap[2] += meyer.gb;
    }
    const V vbd = model.type * (v[m.bulk] - v[m.drain]);
    const V vbs = model.type * (v[m.bulk] - v[m.source]);
    cap[3] = depletion_at(model, d.bottom_d, d.side_d, vbd).c;
    cap[4] = depletion_at(model, d.bottom_s, d.side_s, vbs).c;
}

/// Currents and their exact derivatives at the block's node potentials; sources scaled by `scale`.
inline void real_quantities(const Block& b, V scale, V* currents, V* conductances) {
    const PlanView& p = b.plan;
    const V* v = b.nodes;
    for (int i = 0; i < p.n_resistors; ++i) {
        const TwoTerminal& r = p.resistors[i];
        conductances[i] = 1.0 / b.rows[r.row];
        currents[i] = (v[r.a] - v[r.b]) * conductances[i];
    }
    V* current = currents + p.n_resistors;
    V* g = conductances + p.n_resistors;
    for (int i = 0; i < p.n_devices; ++i, current += 3, g += 6) {
        const ModelAt& model = p.models[p.devices[i].model];
        const Channel c = channel_of(b, i);
        const V signed_current = choose(c.reversed, -c.current, c.current);
        current[0] = model.type * signed_current;
        by_terminal(c, -model.gamma * c.gm * c.s_slope, g);
        const Junction drain = junction_of(b, i, true), source = junction_of(b, i, false);
        current[1] = model.type * drain.current;
        current[2] = model.type * source.current;
        g[4] = drain.g;
        g[5] = source.g;
    }
    for (int i = 0; i < p.n_current_sources; ++i) {
        current[i] = scale * b.amps[i];
    }
}

/// Fills the factors of the real matrix whose entries are given.
inline void factor_real(const EliminationView& e, const V* entries, V* factors, V* inverse) {
    int step = 0;
    for (int f = 0; f < e.n_factors; ++f) {
        V sum = e.entry_of[f] >= 0 ? entries[e.entry_of[f]] : V{};
        for (std::int32_t k = e.pair_start[f]; k < e.pair_start[f + 1]; ++k) {
            sum -= factors[e.pair_left[k]] * factors[e.pair_right[k]];
        }
        if (e.scale[f] >= 0) sum *= inverse[e.scale[f]];
        if (e.scale[f] == -2) inverse[step++] = 1.0 / sum;
        factors[f] = sum;
    }
}

inline V minus_sum(V from, const SumsView& s, int step, const V* factors, const V* x) {
    for (std::int32_t k = s.start[step]; k < s.start[step + 1]; ++k) {
        from -= factors[s.factor[k]] * x[s.other[k]];
    }
    return from;
}

/// x by step; right-hand side and solution by unknown.
inline void solve_real(const EliminationView& e, const V* factors, const V* inverse, V* b, V* x) {
    for (int i = 0; i < e.size; ++i) {
        x[i] = minus_sum(b[e.order[i]], e.lower_rows, i, factors, x);
    }
    for (int i = e.size - 1; i >= 0; --i) {
        x[i] = minus_sum(x[i], e.upper_rows, i, factors, x) * inverse[i];
        b[e.order[i]] = x[i];
    }
}

inline void solve_real_transposed(const EliminationView& e, const V* factors, const V* inverse,
                                  V* b, V* x) {
    for (int i = 0; i < e.size; ++i) {
        x[i] = minus_sum(b[e.order[i]], e.upper_columns, i, factors, x) * inverse[i];
    }
    for (int i = e.size - 1; i >= 0; --i) {
        x[i] = minus_sum(x[i], e.lower_columns, i, factors, x);
        b[e.order[i]] = x[i];
    }
}

/// Cotangents of one device's quantities at an operating point.
struct DeviceBar {
    V current, current_d, current_s;  // terminal currents
    V by_drain, by_gate, by_bulk;     // of the channel current as SPICE stamps it; by_source is
                                      // minus their sum and has been referred to them
    V gd, gs;                         // junction conductances
    V cgs, cgd, cgb, cbd, cbs;
    V thermal;  // of the conductance that the channel's thermal noise stands for
};

/// Carries them to node potentials and, where rows_bar is given, to the rows. `ac` tells whether
/// anything but currents is nonzero.
inline void device_back(const Block& b, int device, const DeviceBar& bar, bool ac, V* nodes_bar,
                        V* rows_bar) {
    const PlanView& p = b.plan;
    const Mos& mos = p.devices[device];
    const ModelAt& model = p.models[mos.model];
    const Sized& d = b.sized[device];
    const Channel c = channel_of(b, device);
    SizedBar to{};
    FrameBar v{};
    const V current_bar = model.type * choose(c.reversed, -bar.current, bar.current);
    V gm{}, gds{}, gmbs{};
    if (ac) {
        gm = choose(c.reversed, bar.by_drain - bar.by_gate, bar.by_gate);
        gds = bar.by_drain;
        gmbs = choose(c.reversed, bar.by_drain - bar.by_bulk, bar.by_bulk);
        thermal_back(model, d, c, bar.thermal, gm, v, to);
    }
    channel_back(model, d, c, current_bar, gm, gds, gmbs, v, to);
    if (ac && model.cox != 0) {
        const Meyer meyer = meyer_at(model, d, c);
        meyer_back(model, d, c, meyer, choose(c.reversed, bar.cgd, bar.cgs),
                   choose(c.reversed, bar.cgs, bar.cgd), bar.cgb, v, to);
    }
    frame_back(model, c, v, nodes_bar[mos.drain], nodes_bar[mos.gate], nodes_bar[mos.source],
               nodes_bar[mos.bulk]);
    for (const bool drain : {true, false}) {
        const int end = drain ? mos.drain : mos.source;
        const Junction j = junction_of(b, device, drain);
        const V i_bar = model.type * (drain ? bar.current_d : bar.current_s);
        V voltage_bar = i_bar * j.g;
        V sat_bar = i_bar * (choose(j.on, j.growth, V{}) - 1.0);
        if (ac) {
            const V g_bar = drain ? bar.gd : bar.gs, c_bar = drain ? bar.cbd : bar.cbs;
            voltage_bar += g_bar * j.slope;
            sat_bar += g_bar * j.growth * (1 / model.vt);
            const V voltage = model.type * (b.nodes[mos.bulk] - b.nodes[end]);
            const V bottom = drain ? d.bottom_d : d.bottom_s, side = drain ? d.side_d : d.side_s;
            const Depletion depletion = depletion_at(model, bottom, side, voltage);
            voltage_bar += c_bar * depletion.slope;
            (drain ? to.bottom_d : to.bottom_s) += c_bar * depletion.unit_bottom;
            (drain ? to.side_d : to.side_s) += c_bar * depletion.unit_side;
        }
        (drain ? to.sat_d : to.sat_s) += sat_bar;
        nodes_bar[mos.bulk] += model.type * voltage_bar;
        nodes_bar[end] -= model.type * voltage_bar;
    }
    if (rows_bar == nullptr) return;
    if (ac) {
        to.overlap_gs = bar.cgs;
        to.overlap_gd = bar.cgd;
        to.overlap_gb = bar.cgb;
    }
    size_device_back(mos, model, b.rows, d, to, rows_bar);
}

/// Adds weight(a) - weight(b) times the derivative of every current from a to b, and, where
/// given, the cotangents of the capacitances.
inline void laws_back(const Block& b, const V* weight, const V* capacitances, V* nodes_bar,
                      V* rows_bar) {
    const PlanView& p = b.plan;
    for (int i = 0; i < p.n_resistors; ++i) {
        const TwoTerminal& r = p.resistors[i];
        const V bar = weight[r.a] - weight[r.b], g = 1.0 / b.rows[r.row];
        nodes_bar[r.a] += bar * g;
        nodes_bar[r.b] -= bar * g;
        if (rows_bar) rows_bar[r.row] -= bar * (b.nodes[r.a] - b.nodes[r.b]) * g * g;
    }
    for (int i = 0; i < p.n_devices; ++i) {
        const Mos& m = p.devices[i];
        DeviceBar bar{};
        bar.current = weight[m.drain] - weight[m.source];
        bar.current_d = weight[m.bulk] - weight[m.drain];
        bar.current_s = weight[m.bulk] - weight[m.source];
        if (capacitances) {
            const V* c = capacitances + p.n_capacitors + 5 * i;
            bar.cgs = c[0];
            bar.cgd = c[1];
            bar.cgb = c[2];
            bar.cbd = c[3];
            bar.cbs = c[4];
        }
        device_back(b, i, bar, capacitances != nullptr, nodes_bar, rows_bar);
    }
    if (!rows_bar) return;
    for (int i = 0; capacitances && i < p.n_capacitors; ++i) {
        rows_bar[p.capacitors[i].row] += capacitances[i];
    }
    for (int i = 0; i < p.n_current_sources; ++i) {
        const TwoTerminal& s = p.current_sources[i];
        rows_bar[s.row] += weight[s.a] - weight[s.b];
    }
}

/// Potentials that voltage sources fix, back to their rows: a source lifts all nodes below its
/// edge, so children come first and hand on to their parents. Destroys nodes_bar.
inline void place_back(const Block& b, V* nodes_bar, V* rows_bar) {
    for (int i = b.plan.n_placed - 1; i >= 0; --i) {
        const Placed& at = b.plan.placed[i];
        if (at.source < 0) continue;
        rows_bar[b.plan.voltage_sources[at.source].row] += at.sign * nodes_bar[at.node];
        nodes_bar[at.parent] += nodes_bar[at.node];
    }
}

}  // namespace
}  // namespace wb::circuit_sim::WB_ISA
