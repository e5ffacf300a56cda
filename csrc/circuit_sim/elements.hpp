// SPDX-License-Identifier: Apache-2.0
// Plain structs that the hot loops share with the code that prepares them.
#pragma once

namespace wb::circuit_sim {

inline constexpr double kBoltzmann = 1.38064852e-23;  // ngspice 39's, not the newest
inline constexpr double kCharge = 1.6021766208e-19;
inline constexpr double kZeroCelsius = 273.15;

/// A resistor, a capacitor or a source between two nodes; `row` holds its value.
struct TwoTerminal {
    int a, b, row;
};

/// Rows of a transistor, in the order of the code.
enum MosRow { kW, kL, kM, kLambda, kVto, kKp, kAd, kAs, kPd, kPs, kMosRows };

struct Mos {
    int drain, gate, source, bulk, model;
    int row[kMosRows];
};

/// A node and where its potential comes from: `parent` plus or minus a source, or unknown `root`.
struct Placed {
    int node, parent, source;  // source: among the voltage sources, -1 at a root
    double sign;
    int root;  // unknown, -1 in ground's tree
};

/// What a transistor needs of its card at one temperature.
struct ModelAt {
    double type, gamma, phi, root_phi;
    double vbi_shift;  // type * Vbi = type * VTO + vbi_shift
    double kp_factor;  // KP(T) / KP
    double ld, cox;    // cox: F/m^2, 0 without an oxide thickness
    double cgso, cgdo, cgbo;
    double cj, mj, cjsw, mjsw, pb;      // cj, cjsw, pb at T
    double depletion;                   // fc * pb: beyond it the capacitance is a straight line
    double line0, line1, side0, side1;  // C = cj (line0 + line1 v) + cjsw (side0 + side1 v)
    double is, js, vt;
    double kf, af, flicker_cox;  // flicker_cox: as cox, of SPICE's oxide where none is given
    int nlev;
};

}  // namespace wb::circuit_sim
