// SPDX-License-Identifier: Apache-2.0
// The linear circuit around an operating point: its matrices, their factors at some frequencies
// at once, and solutions for drives and for outputs. Included only by *_isa.cpp files.
#pragma once

#include "circuit_sim/block.hpp"
#include "circuit_sim/pivoted.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

/// A pivot smaller than this share of the terms it was summed from has lost too many digits:
/// the lane is solved again with pivoting.
constexpr double kCancelled = 1e-6;
/// A pivot that cancelled this much, or whose terms outgrew the matrix's own entry by the inverse,
/// costs digits that one step of iterative refinement brings back.
constexpr double kRefinedBelow = 1e-2;

struct Small {
    V *conductances, *capacitances;  // by quantity, as SPICE stamps them
    V *g, *c;                        // matrix entries
    V *drive_g, *drive_c;            // [drives][unknowns]
    V* white;                        // [resistors, devices] A^2/Hz
    V* flicker;                      // [devices], at 1 Hz; null if no card has any
};

/// S(f) = flicker / f^power; nlev 2 and 3 put the exponent of the current on the frequency.
inline double flicker_power(const ModelAt& model) { return model.nlev >= 2 ? model.af : 1.0; }

inline V power_of(V x, double e) {
    if (e == 1) return x;
    if (e == 0) return all(1.0);
    return power(x, e);
}

/// Flicker noise at 1 Hz, with cd the drain's current including its junction.
inline V flicker_at(const ModelAt& model, const Sized& d, const Channel& c, V cd) {
    const V cox = all(model.flicker_cox);
    const V size = larger(magnitude(cd), all(1e-38));
    switch (model.nlev) {
        case 0:
            return model.kf * power_of(size, model.af) / (d.l_eff * d.l_eff * cox);
        case 1:
            return model.kf * power_of(size, model.af) / (d.m * d.w * d.l_eff * cox);
        case 2:
        case 3:
            return model.kf * c.gm * c.gm / (d.m * d.w * d.l_eff * cox);
        default:
            return model.kf * power_of(size, model.af) / (d.w * d.m * d.l_eff * cox * cox);
    }
}

inline bool has_flicker(const PlanView& p) {
    for (int i = 0; i < p.n_devices; ++i) {
        if (p.models[p.devices[i].model].kf != 0) return true;
    }
    return false;
}

inline Small open_small(const PlanView& p, const SweepTask& task, Scratch& scratch) {
    const std::int64_t laws = std::int64_t{task.n_drives} * p.n_unknowns;
    Small s;
    s.conductances = scratch.take(p.n_conductances);
    s.capacitances = scratch.take(p.n_capacitances);
    s.white = scratch.take(std::int64_t{p.n_resistors} + p.n_devices);
    s.flicker = has_flicker(p) ? scratch.take(p.n_devices) : nullptr;
    s.g = scratch.take(p.n_ac_entries);
    s.c = scratch.take(p.n_ac_entries);
    s.drive_g = scratch.take(laws);
    s.drive_c = scratch.take(laws);
    return s;
}

inline void linearize(const Block& b, const SweepTask& task, Small& s) {
    const PlanView& p = b.plan;
    const double kt4 = 4 * kBoltzmann * p.kelvin;
    for (int i = 0; i < p.n_resistors; ++i) {
        s.conductances[i] = 1.0 / b.rows[p.resistors[i].row];
        s.white[i] = kt4 * s.conductances[i];
    }
    for (int i = 0; i < p.n_capacitors; ++i) s.capacitances[i] = b.rows[p.capacitors[i].row];
    V* g = s.conductances + p.n_resistors;
    V* cap = s.capacitances + p.n_capacitors;
    for (int i = 0; i < p.n_devices; ++i, g += 6, cap += 5) {
        const Mos& m = p.devices[i];
        const ModelAt& model = p.models[m.model];
        const Sized& d = b.sized[i];
        const Channel c = channel_of(b, i);
        by_terminal(c, c.gmbs, g);
        const Junction drain = junction_of(b, i, true), source = junction_of(b, i, false);
        g[4] = drain.g;
        g[5] = source.g;
        device_capacitances(b, i, c, cap);
        s.white[p.n_resistors + i] = kt4 * noisy_conductance(model, d, c);
        if (s.flicker) {
            const V channel = choose(c.reversed, -c.current, c.current);
            s.flicker[i] = model.kf != 0 ? flicker_at(model, d, c, channel - drain.current) : V{};
        }
    }
    for (int e = 0; e < p.n_ac_entries; ++e) {
        s.g[e] = gathered(p.ac_conductance, e, s.conductances);
        s.c[e] = gathered(p.ac_capacitance, e, s.capacitances);
    }
    const int laws = task.n_drives * p.n_unknowns;
    const auto combined = [](const CombinationView& k, int row, const V* from) {
        V sum{};
        for (std::int32_t i = k.start[row]; i < k.start[row + 1]; ++i) {
            sum += k.coefficient[i] * from[k.source[i]];
        }
        return sum;
    };
    for (int i = 0; i < laws; ++i) {
        s.drive_g[i] = combined(task.drive_conductance, i, s.conductances) + task.injections[i];
        s.drive_c[i] = combined(task.drive_capacitance, i, s.capacitances);
    }
}

/// N complex numbers, one per frequency.
template <int N>
struct Complex {
    V re[N], im[N];
};

template <int N>
inline void minus_product(Complex<N>& sum, const Complex<N>& a, const Complex<N>& b) {
    for (int f = 0; f < N; ++f) {
        sum.re[f] -= a.re[f] * b.re[f];
        sum.im[f] -= a.re[f] * b.im[f];
        sum.re[f] += a.im[f] * b.im[f];
        sum.im[f] -= a.im[f] * b.re[f];
    }
}

template <int N>
inline Complex<N> product(const Complex<N>& a, const Complex<N>& b) {
    Complex<N> out;
    for (int f = 0; f < N; ++f) {
        out.re[f] = a.re[f] * b.re[f] - a.im[f] * b.im[f];
        out.im[f] = a.re[f] * b.im[f] + a.im[f] * b.re[f];
    }
    return out;
}

template <int N>
inline Complex<N> minus(const Complex<N>& a, const Complex<N>& b) {
    Complex<N> out;
    for (int f = 0; f < N; ++f) {
        out.re[f] = a.re[f] - b.re[f];
        out.im[f] = a.im[f] - b.im[f];
    }
    return out;
}

/// Factors at N frequencies.
template <int N>
struct Factors {
    Complex<N>*factors, *inverse;
    V omega[N];
    Mask lost[N];    // lanes in which a pivot cancelled
    Mask coarse[N];  // lanes that need refinement
    bool some_lost, some_coarse;
};

template <int N>
Factors<N> open_factors(const PlanView& p, Scratch& scratch) {
    Factors<N> f;
    f.factors = scratch.take_as<Complex<N>>(p.ac.n_factors);
    f.inverse = scratch.take_as<Complex<N>>(p.n_unknowns);
    return f;
}

template <int N>
void factor(const EliminationView& e, const Small& s, Factors<N>& out) {
    int step = 0;
    for (int f = 0; f < N; ++f) out.lost[f] = out.coarse[f] = Mask{};
    for (int k = 0; k < e.n_factors; ++k) {
        Complex<N> sum{};
        const std::int32_t entry = e.entry_of[k];
        if (entry >= 0) {
            const V g = s.g[entry], c = s.c[entry];
            for (int f = 0; f < N; ++f) {
                sum.re[f] = g;
                sum.im[f] = out.omega[f] * c;
            }
        }
        const std::int32_t begin = e.pair_start[k], end = e.pair_start[k + 1];
        if (e.scale[k] != -2) {
            for (std::int32_t i = begin; i < end; ++i) {
                minus_product(sum, out.factors[e.pair_left[i]], out.factors[e.pair_right[i]]);
            }
            out.factors[k] = e.scale[k] >= 0 ? product(sum, out.inverse[e.scale[k]]) : sum;
            continue;
        }
        V size[N], own[N];
        for (int f = 0; f < N; ++f) {
            own[f] = size[f] = magnitude(sum.re[f]) + magnitude(sum.im[f]);
        }
        for (std::int32_t i = begin; i < end; ++i) {
            const Complex<N> term =
                product(out.factors[e.pair_left[i]], out.factors[e.pair_right[i]]);
            sum = minus(sum, term);
            for (int f = 0; f < N; ++f) size[f] += magnitude(term.re[f]) + magnitude(term.im[f]);
        }
        Complex<N>& inverse = out.inverse[step++];
        for (int f = 0; f < N; ++f) {
            const V left = magnitude(sum.re[f]) + magnitude(sum.im[f]);
            out.lost[f] |= left < kCancelled * size[f];
            out.coarse[f] |= (left < kRefinedBelow * size[f]) | (own[f] < kRefinedBelow * size[f]);
            const V scale = 1.0 / (sum.re[f] * sum.re[f] + sum.im[f] * sum.im[f]);
            inverse.re[f] = sum.re[f] * scale;
            inverse.im[f] = -sum.im[f] * scale;
        }
        out.factors[k] = sum;
    }
    out.some_lost = out.some_coarse = false;
    for (int f = 0; f < N; ++f) {
        out.some_lost = out.some_lost || any(out.lost[f]);
        out.some_coarse = out.some_coarse || any(out.coarse[f]);
    }
}

template <int N>
inline Complex<N> minus_sum(Complex<N> from, const SumsView& s, int step, const Complex<N>* factors,
                            const Complex<N>* x) {
    for (std::int32_t k = s.start[step]; k < s.start[step + 1]; ++k) {
        minus_product(from, factors[s.factor[k]], x[s.other[k]]);
    }
    return from;
}

/// One pass of substitutions for A x = b (or its transpose), in place, by unknown.
template <int N>
void substitute(const EliminationView& e, const Factors<N>& f, bool transposed, Complex<N>* b,
                Complex<N>* work) {
    if (!transposed) {
        for (int i = 0; i < e.size; ++i) {
            work[i] = minus_sum(b[e.order[i]], e.lower_rows, i, f.factors, work);
        }
        for (int i = e.size - 1; i >= 0; --i) {
            work[i] = product(minus_sum(work[i], e.upper_rows, i, f.factors, work), f.inverse[i]);
            b[e.order[i]] = work[i];
        }
        return;
    }
    for (int i = 0; i < e.size; ++i) {
        work[i] =
            product(minus_sum(b[e.order[i]], e.upper_columns, i, f.factors, work), f.inverse[i]);
    }
    for (int i = e.size - 1; i >= 0; --i) {
        work[i] = minus_sum(work[i], e.lower_columns, i, f.factors, work);
        b[e.order[i]] = work[i];
    }
}

/// Solves A x = b (or its transpose) in place, by unknown; `work` holds 3 n numbers. Lanes that
/// lost digits to a pivot are refined, or solved again with pivoting.
template <int N>
void solve(const PlanView& p, const Small& s, const Factors<N>& f, bool transposed, Complex<N>* b,
           Complex<N>* work) {
    const EliminationView& e = p.ac;
    if (!f.some_coarse) {
        substitute(e, f, transposed, b, work);
        return;
    }
    Complex<N>*const residual = work + e.size, *const right = residual + e.size;
    for (int u = 0; u < e.size; ++u) right[u] = residual[u] = b[u];
    substitute(e, f, transposed, b, work);
    for (int k = 0; k < p.n_ac_entries; ++k) {
        const int row = transposed ? p.ac_columns[k] : p.ac_rows[k];
        const int column = transposed ? p.ac_rows[k] : p.ac_columns[k];
        Complex<N> a;
        for (int i = 0; i < N; ++i) {
            a.re[i] = s.g[k];
            a.im[i] = f.omega[i] * s.c[k];
        }
        minus_product(residual[row], a, b[column]);
    }
    substitute(e, f, transposed, residual, work);
    for (int u = 0; u < e.size; ++u) {
        for (int k = 0; k < N; ++k) {
            b[u].re[k] += choose(f.coarse[k], residual[u].re[k], V{});
            b[u].im[k] += choose(f.coarse[k], residual[u].im[k], V{});
        }
    }
    if (!f.some_lost || e.size > kMostPivoted) return;
    double re[kMostPivoted], im[kMostPivoted];
    for (int k = 0; k < N; ++k) {
        for (int l = 0; l < kLanes; ++l) {
            if (!f.lost[k][l]) continue;
            for (int u = 0; u < e.size; ++u) {
                re[u] = right[u].re[k][l];
                im[u] = right[u].im[k][l];
            }
            solve_lane(p, s.g, s.c, f.omega[k][l], l, transposed, re, im);
            for (int u = 0; u < e.size; ++u) {
                b[u].re[k][l] = re[u];
                b[u].im[k][l] = im[u];
            }
        }
    }
}

/// The solution for a drive, by unknown.
template <int N>
void solve_drive(const PlanView& p, const Small& s, const Factors<N>& f, int drive, Complex<N>* x,
                 Complex<N>* work) {
    for (int u = 0; u < p.n_unknowns; ++u) {
        for (int k = 0; k < N; ++k) {
            x[u].re[k] = -s.drive_g[drive * p.n_unknowns + u];
            x[u].im[k] = -f.omega[k] * s.drive_c[drive * p.n_unknowns + u];
        }
    }
    solve(p, s, f, false, x, work);
}

/// The solution of the transposed system for v(a) - v(b), by unknown.
template <int N>
void solve_adjoint(const PlanView& p, const Small& s, const Factors<N>& f, Index pair,
                   Complex<N>* z, Complex<N>* work) {
    for (int u = 0; u < p.n_unknowns; ++u) z[u] = Complex<N>{};
    const int a = p.unknown_of[pair[0]], b = p.unknown_of[pair[1]];
    for (int k = 0; k < N; ++k) {
        if (a >= 0) z[a].re[k] += 1.0;
        if (b >= 0) z[b].re[k] -= 1.0;
    }
    solve(p, s, f, true, z, work);
}

/// z . (-forcing of the drive) + what the drive puts on the output directly.
template <int N>
Complex<N> transfer_of(const PlanView& p, const Small& s, const Factors<N>& f,
                       const SweepTask& task, int drive, Index pair, const Complex<N>* z) {
    Complex<N> h{};
    const double* offset = task.offsets + drive * p.n_nodes;
    const V direct = all(offset[pair[0]] - offset[pair[1]]);
    for (int k = 0; k < N; ++k) h.re[k] = direct;
    for (int u = 0; u < p.n_unknowns; ++u) {
        const V g = s.drive_g[drive * p.n_unknowns + u], c = s.drive_c[drive * p.n_unknowns + u];
        for (int k = 0; k < N; ++k) {
            const V wc = f.omega[k] * c;
            h.re[k] -= z[u].re[k] * g - z[u].im[k] * wc;
            h.im[k] -= z[u].re[k] * wc + z[u].im[k] * g;
        }
    }
    return h;
}

}  // namespace
}  // namespace wb::circuit_sim::WB_ISA
