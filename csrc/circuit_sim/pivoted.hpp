// SPDX-License-Identifier: Apache-2.0
// Included only by *_isa.cpp files.
#pragma once

#include "circuit_sim/lanes.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

/// Unknowns up to which a lane can be solved again; larger systems keep the fixed order's result.
constexpr int kMostPivoted = 64;

inline void exchange(double& a, double& b) {
    const double t = a;
    a = b;
    b = t;
}

/// Solves A x = b for one lane and frequency in scalars, with partial pivoting, in place: for the
/// rare lanes in which a pivot of the fixed order cancelled.
inline void solve_lane(const PlanView& p, const V* g, const V* c, double omega, int lane,
                       bool transposed, double* re, double* im) {
    const int n = p.n_unknowns;
    double ar[kMostPivoted * kMostPivoted], ai[kMostPivoted * kMostPivoted];
    for (int i = 0; i < n * n; ++i) ar[i] = ai[i] = 0;
    for (int e = 0; e < p.n_ac_entries; ++e) {
        const int row = transposed ? p.ac_columns[e] : p.ac_rows[e];
        const int column = transposed ? p.ac_rows[e] : p.ac_columns[e];
        ar[row * n + column] = g[e][lane];
        ai[row * n + column] = omega * c[e][lane];
    }
    for (int k = 0; k < n; ++k) {
        int best = k;
        double size = -1;
        for (int i = k; i < n; ++i) {
            const double a = ar[i * n + k] * ar[i * n + k] + ai[i * n + k] * ai[i * n + k];
            if (a > size) {
                size = a;
                best = i;
            }
        }
        if (best != k) {
            for (int j = 0; j < n; ++j) {
                exchange(ar[k * n + j], ar[best * n + j]);
                exchange(ai[k * n + j], ai[best * n + j]);
            }
            exchange(re[k], re[best]);
            exchange(im[k], im[best]);
        }
        const double ir = ar[k * n + k] / size, ii = -ai[k * n + k] / size;
        for (int i = k + 1; i < n; ++i) {
            const double lr = ar[i * n + k] * ir - ai[i * n + k] * ii;
            const double li = ar[i * n + k] * ii + ai[i * n + k] * ir;
            for (int j = k + 1; j < n; ++j) {
                ar[i * n + j] -= lr * ar[k * n + j] - li * ai[k * n + j];
                ai[i * n + j] -= lr * ai[k * n + j] + li * ar[k * n + j];
            }
            re[i] -= lr * re[k] - li * im[k];
            im[i] -= lr * im[k] + li * re[k];
        }
    }
    for (int k = n - 1; k >= 0; --k) {
        double xr = re[k], xi = im[k];
        for (int j = k + 1; j < n; ++j) {
            xr -= ar[k * n + j] * re[j] - ai[k * n + j] * im[j];
            xi -= ar[k * n + j] * im[j] + ai[k * n + j] * re[j];
        }
        const double dr = ar[k * n + k], di = ai[k * n + k], size = dr * dr + di * di;
        re[k] = (xr * dr + xi * di) / size;
        im[k] = (xi * dr - xr * di) / size;
    }
}

}  // namespace
}  // namespace wb::circuit_sim::WB_ISA
