// SPDX-License-Identifier: Apache-2.0
// The level-1 transistor (Shichman-Hodges with Meyer's capacitances) as ngspice 39 computes it,
// one candidate per lane, with its derivatives written out. Included only by *_isa.cpp files.
//
// Everything happens in the frame of an n-channel device with vds >= 0: voltages are multiplied by
// the type, and drain and source change places where vds would be negative. Terminal currents run
// from drain to source, from bulk to drain and from bulk to source.
#pragma once

#include "circuit_sim/lanes.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

/// What the rows and the card make of one device; computed once per block.
struct Sized {
    V w, l_eff, m, lambda, beta, lambda_beta, vbi;
    V cox, overlap_gs, overlap_gd, overlap_gb;
    V bottom_d, side_d, bottom_s, side_s;  // junction capacitances at 0 V
    V sat_d, sat_s;                        // saturation currents
    Mask js_used;
};

/// Cotangents of Sized.
struct SizedBar {
    V lambda, beta, lambda_beta, vbi, cox, overlap_gs, overlap_gd, overlap_gb, bottom_d, side_d,
        bottom_s, side_s, sat_d, sat_s;
};

inline Sized size_device(const Mos& mos, const ModelAt& model, const V* rows) {
    Sized d;
    d.w = rows[mos.row[kW]];
    d.l_eff = rows[mos.row[kL]] - 2 * model.ld;
    d.m = rows[mos.row[kM]];
    d.lambda = rows[mos.row[kLambda]];
    d.beta = model.kp_factor * rows[mos.row[kKp]] * d.m * d.w / d.l_eff;
    d.lambda_beta = d.lambda * d.beta;
    d.vbi = model.type * rows[mos.row[kVto]] + model.vbi_shift;
    d.cox = model.cox * d.w * d.l_eff * d.m;
    d.overlap_gs = model.cgso * d.w * d.m;
    d.overlap_gd = model.cgdo * d.w * d.m;
    d.overlap_gb = model.cgbo * d.l_eff * d.m;
    const V ad = rows[mos.row[kAd]], as = rows[mos.row[kAs]];
    d.bottom_d = model.cj * ad * d.m;
    d.bottom_s = model.cj * as * d.m;
    d.side_d = model.cjsw * rows[mos.row[kPd]] * d.m;
    d.side_s = model.cjsw * rows[mos.row[kPs]] * d.m;
    d.js_used = ((ad != V{}) & (as != V{})) & (all(model.js) != V{});
    d.sat_d = choose(d.js_used, model.js * ad, all(model.is)) * d.m;
    d.sat_s = choose(d.js_used, model.js * as, all(model.is)) * d.m;
    return d;
}

/// Carries cotangents of the sized device to its rows.
inline void size_device_back(const Mos& mos, const ModelAt& model, const V* rows, const Sized& d,
                             const SizedBar& bar, V* rows_bar) {
    const V ad = rows[mos.row[kAd]], as = rows[mos.row[kAs]];
    const V pd = rows[mos.row[kPd]], ps = rows[mos.row[kPs]];
    const V beta = bar.beta + bar.lambda_beta * d.lambda;
    const V per_w = model.cox * d.l_eff * d.m, per_l = model.cox * d.w * d.m;
    const V per_m = model.cox * d.w * d.l_eff;
    const V unit_kp = model.kp_factor * d.m * d.w / d.l_eff;
    rows_bar[mos.row[kLambda]] += bar.lambda + bar.lambda_beta * d.beta;
    rows_bar[mos.row[kKp]] += beta * unit_kp;
    rows_bar[mos.row[kVto]] += model.type * bar.vbi;
    rows_bar[mos.row[kW]] += beta * d.beta / d.w + bar.cox * per_w +
                             d.m * (model.cgso * bar.overlap_gs + model.cgdo * bar.overlap_gd);
    rows_bar[mos.row[kL]] +=
        bar.cox * per_l - beta * d.beta / d.l_eff + model.cgbo * d.m * bar.overlap_gb;
    const V is_d = choose(d.js_used, model.js * ad, all(model.is));
    const V is_s = choose(d.js_used, model.js * as, all(model.is));
    rows_bar[mos.row[kM]] +=
        beta * d.beta / d.m + bar.cox * per_m +
        d.w * (model.cgso * bar.overlap_gs + model.cgdo * bar.overlap_gd) +
        model.cgbo * d.l_eff * bar.overlap_gb + model.cj * (ad * bar.bottom_d + as * bar.bottom_s) +
        model.cjsw * (pd * bar.side_d + ps * bar.side_s) + is_d * bar.sat_d + is_s * bar.sat_s;
    const V js = choose(d.js_used, all(model.js), V{}) * d.m;
    rows_bar[mos.row[kAd]] += model.cj * d.m * bar.bottom_d + js * bar.sat_d;
    rows_bar[mos.row[kAs]] += model.cj * d.m * bar.bottom_s + js * bar.sat_s;
    rows_bar[mos.row[kPd]] += model.cjsw * d.m * bar.side_d;
    rows_bar[mos.row[kPs]] += model.cjsw * d.m * bar.side_s;
}

/// The channel at one operating point, in the frame.
struct Channel {
    Mask reversed, on, saturated;
    V vgs, vds, vbs;
    V s, s_slope;         // sqrt(phi - vbs) as SPICE continues it, and its slope
    V body;               // gmbs / gm as SPICE has it
    V von, vgst, ve, vg;  // ve = min(vg, vds), vg = max(vgst, 0)
    V h, betap;
    V current, gm, gds, gmbs;  // gmbs as SPICE stamps it; gm * -s_slope * gamma is exact
};

inline Channel channel_at(const ModelAt& model, const Sized& d, V vd, V vg, V vs, V vb) {
    Channel c;
    const V vds = model.type * (vd - vs);
    c.reversed = vds < V{};
    const V low = choose(c.reversed, vd, vs);
    c.vds = magnitude(vds);
    c.vgs = model.type * (vg - low);
    c.vbs = model.type * (vb - low);
    const Mask forward = c.vbs > V{};
    const V below = root(model.phi - choose(forward, V{}, c.vbs));
    const V beyond = larger(model.root_phi - c.vbs * (0.5 / model.root_phi), V{});
    c.s = choose(forward, beyond, below);
    const Mask zero = c.s <= V{};
    const V half = choose(zero, V{}, 0.5 / choose(zero, all(1.0), c.s));
    c.s_slope = -choose(forward, choose(zero, V{}, all(0.5 / model.root_phi)), half);
    c.body = model.gamma * half;
    c.von = d.vbi + model.gamma * c.s;
    c.vgst = c.vgs - c.von;
    c.on = c.vgst > V{};
    c.saturated = c.vgst <= c.vds;
    c.vg = choose(c.on, c.vgst, V{} * c.vgst);  // NaN stays NaN
    c.ve = choose(c.saturated, c.vg, c.vds);
    c.ve = choose(c.on, c.ve, c.vg);
    c.h = c.ve * (c.vg - 0.5 * c.ve);
    c.betap = d.beta + d.lambda_beta * c.vds;
    c.current = c.betap * c.h;
    c.gm = c.betap * c.ve;
    c.gds = d.lambda_beta * c.h + c.betap * (c.vg - c.ve);
    c.gmbs = c.gm * c.body;
    return c;
}

/// Cotangents of the frame's voltages.
struct FrameBar {
    V vgs, vds, vbs;
};

/// From cotangents of current, gm, gds and gmbs (as SPICE stamps it).
inline void channel_back(const ModelAt& model, const Sized& d, const Channel& c, V current_bar,
                         V gm_bar, V gds_bar, V gmbs_bar, FrameBar& v, SizedBar& bar) {
    gm_bar += gmbs_bar * c.body;
    const V rest = c.vg - c.ve;
    const V betap_bar = current_bar * c.h + gm_bar * c.ve + gds_bar * rest;
    const V h_bar = current_bar * c.betap + gds_bar * d.lambda_beta;
    const V ve_bar = (gm_bar - gds_bar) * c.betap + h_bar * rest;
    const V vg_bar = gds_bar * c.betap + h_bar * c.ve;
    bar.beta += betap_bar;
    bar.lambda_beta += gds_bar * c.h + betap_bar * c.vds;
    v.vds += betap_bar * d.lambda_beta + choose(c.on & ~c.saturated, ve_bar, V{});
    const V vgst_bar = choose(c.on, vg_bar + choose(c.saturated, ve_bar, V{}), V{});
    // body = gamma / (2 s): d body = -body / s ds
    const Mask zero = c.s <= V{};
    const V s_bar = -model.gamma * vgst_bar -
                    choose(zero, V{}, gmbs_bar * c.gm * c.body / choose(zero, all(1.0), c.s));
    v.vgs += vgst_bar;
    bar.vbi -= vgst_bar;
    v.vbs += s_bar * c.s_slope;
}

/// Voltages of the frame back to the terminals.
inline void frame_back(const ModelAt& model, const Channel& c, const FrameBar& v, V& vd_bar,
                       V& vg_bar, V& vs_bar, V& vb_bar) {
    const V gate = model.type * v.vgs, high = model.type * v.vds, bulk = model.type * v.vbs;
    const V low = -(gate + high + bulk);
    vg_bar += gate;
    vb_bar += bulk;
    vd_bar += choose(c.reversed, low, high);
    vs_bar += choose(c.reversed, high, low);
}

/// Conductance that the thermal noise of a channel stands for: 2/3 gm, and for nlev 3
/// 2/3 beta vgst (1 + a + a^2) / (1 + a) with a = 1 - vds / vgst before saturation.
inline V noisy_conductance(const ModelAt& model, const Sized& d, const Channel& c) {
    if (model.nlev < 3) return c.gm * (2.0 / 3.0);
    const V a = choose(c.on & ~c.saturated, 1.0 - c.vds / choose(c.on, c.vg, all(1.0)), V{});
    return (2.0 / 3.0) * d.beta * c.vg * (1.0 + a + a * a) / (1.0 + a);
}

inline void thermal_back(const ModelAt& model, const Sized& d, const Channel& c, V bar_in,
                         V& gm_bar, FrameBar& v, SizedBar& bar) {
    const V scaled = bar_in * (2.0 / 3.0);
    if (model.nlev < 3) {
        gm_bar += scaled;
        return;
    }
    const Mask linear = c.on & ~c.saturated;
    const V vg = choose(c.on, c.vg, all(1.0));
    const V a = choose(linear, 1.0 - c.vds / vg, V{});
    const V r = (1.0 + a + a * a) / (1.0 + a);
    const V r_slope = choose(linear, (a * a + 2.0 * a) / ((1.0 + a) * (1.0 + a)), V{});
    bar.beta += scaled * c.vg * r;
    const V vgst_bar = choose(c.on, scaled * d.beta * (r + r_slope * c.vds / vg), V{});
    v.vds -= choose(linear, scaled * d.beta * r_slope, V{});
    v.vgs += vgst_bar;
    bar.vbi -= vgst_bar;
    v.vbs -= model.gamma * vgst_bar * c.s_slope;
}

/// A bulk junction: current, conductance and its slope at voltage v in the frame.
struct Junction {
    V current, g, slope, growth;  // growth: e^(v/vt) where it counts, else 0
    Mask on;
};

inline Junction junction_at(const ModelAt& model, V saturation, V v, double gmin) {
    Junction j;
    j.on = v > all(-3 * model.vt);
    if (!any(j.on)) {
        j.growth = j.slope = V{};
        j.g = all(gmin) + V{} * v;
        j.current = gmin * v - saturation;
        return j;
    }
    const V e = exponential(v * (1 / model.vt));
    j.growth = choose(j.on, e, V{});
    j.g = saturation * j.growth * (1 / model.vt) + gmin;
    j.slope = saturation * j.growth * (1 / (model.vt * model.vt));
    j.current = saturation * (j.growth - 1.0) + gmin * v;
    return j;
}

/// Capacitance of a junction and its slope.
struct Depletion {
    V c, slope, unit_bottom, unit_side;
};

inline Depletion depletion_at(const ModelAt& model, V bottom, V side, V v) {
    Depletion d;
    const Mask line = v >= all(model.depletion);
    const V x = 1.0 - choose(line, V{}, v) * (1 / model.pb);
    d.unit_bottom = power(x, -model.mj);
    d.unit_side = power(x, -model.mjsw);
    V slope_bottom = model.mj / model.pb * d.unit_bottom / x;
    V slope_side = model.mjsw / model.pb * d.unit_side / x;
    if (any(line)) {
        d.unit_bottom = choose(line, model.line0 + model.line1 * v, d.unit_bottom);
        d.unit_side = choose(line, model.side0 + model.side1 * v, d.unit_side);
        slope_bottom = choose(line, all(model.line1), slope_bottom);
        slope_side = choose(line, all(model.side1), slope_side);
    }
    d.c = bottom * d.unit_bottom + side * d.unit_side;
    d.slope = bottom * slope_bottom + side * slope_side;
    return d;
}

/// Meyer's capacitances without overlaps, in the frame.
struct Meyer {
    V gs, gd, gb;
    V full, a, b, u, vdsat;  // full: gate to channel; gs = full (1 - a^2), gd = full (1 - b^2)
    Mask linear, weak, on;   // on: vgst > 0; weak: -phi/2 < vgst <= 0
    Mask some_bulk, all_bulk;
};

inline Meyer meyer_at(const ModelAt& model, const Sized& d, const Channel& c) {
    Meyer m;
    const double phi = model.phi;
    m.on = c.on;
    m.weak = ~c.on & (c.vgst > all(-0.5 * phi));
    m.all_bulk = c.vgst <= all(-phi);
    m.some_bulk = ~c.on & ~m.all_bulk;
    const V strong = d.cox * (2.0 / 3.0);
    m.full = choose(m.on, strong,
                    choose(m.weak, d.cox * (c.vgst * (1 / (0.75 * phi)) + 2.0 / 3.0), V{}));
    m.gb = choose(m.all_bulk, d.cox, choose(m.some_bulk, -c.vgst * d.cox * (1 / phi), V{}));
    m.vdsat = larger(c.vgst, all(0.025));
    m.linear = c.vds < m.vdsat;
    m.u = choose(m.linear, 2.0 * m.vdsat - c.vds, all(1.0));
    m.a = choose(m.linear, (m.vdsat - c.vds) / m.u, V{});
    m.b = choose(m.linear, m.vdsat / m.u, all(1.0));
    m.gs = m.full * (1.0 - m.a * m.a);
    m.gd = m.full * (1.0 - m.b * m.b);
    return m;
}

inline void meyer_back(const ModelAt& model, const Sized& d, const Channel& c, const Meyer& m,
                       V gs_bar, V gd_bar, V gb_bar, FrameBar& v, SizedBar& bar) {
    const double phi = model.phi;
    const V full_bar = gs_bar * (1.0 - m.a * m.a) + gd_bar * (1.0 - m.b * m.b);
    const V a_bar = -2.0 * m.a * m.full * gs_bar, b_bar = -2.0 * m.b * m.full * gd_bar;
    const V turn = choose(m.linear, (a_bar - b_bar) / (m.u * m.u), V{});
    v.vds -= turn * m.vdsat;
    V vgst_bar = choose(c.vgst > all(0.025), turn * c.vds, V{});
    vgst_bar += choose(m.weak, full_bar * d.cox * (1 / (0.75 * phi)), V{});
    vgst_bar -= choose(m.some_bulk, gb_bar * d.cox * (1 / phi), V{});
    bar.cox += full_bar * choose(m.on, all(2.0 / 3.0),
                                 choose(m.weak, c.vgst * (1 / (0.75 * phi)) + 2.0 / 3.0, V{})) +
               gb_bar * choose(m.all_bulk, all(1.0), choose(m.some_bulk, -c.vgst * (1 / phi), V{}));
    v.vgs += vgst_bar;
    bar.vbi -= vgst_bar;
    v.vbs -= model.gamma * vgst_bar * c.s_slope;
}

}  // namespace
}  // namespace wb::circuit_sim::WB_ISA
