// SPDX-License-Identifier: Apache-2.0
#include "circuit_sim/temperature.hpp"

#include <cmath>

namespace wb::circuit_sim {
namespace {

constexpr double kReference = 300.15;
constexpr double kVacuum = 8.854214871e-12;

double band_gap(double kelvin) { return 1.16 - 7.02e-4 * kelvin * kelvin / (kelvin + 1108.0); }

/// How far a junction potential moves from the reference temperature.
double potential_shift(double kelvin) {
    const double vt = kelvin * kBoltzmann / kCharge;
    const double arg = -band_gap(kelvin) / (2 * kBoltzmann * kelvin) +
                       1.1150877 / (kBoltzmann * (kReference + kReference));
    return -2 * vt * (1.5 * std::log(kelvin / kReference) + kCharge * arg);
}

}  // namespace

ModelAt model_at(const ModelCard& card, double celsius) {
    const double t = celsius + kZeroCelsius, tnom = card.tnom + kZeroCelsius;
    const double ratio = t / tnom;
    const double fact = t / kReference, fact_nom = tnom / kReference;
    const double shift = potential_shift(t), shift_nom = potential_shift(tnom);
    const double vt = t * kBoltzmann / kCharge, vt_nom = tnom * kBoltzmann / kCharge;
    const double gap = band_gap(t), gap_nom = band_gap(tnom);

    ModelAt m{};
    m.type = card.type;
    m.gamma = card.gamma;
    m.phi = fact * ((card.phi - shift_nom) / fact_nom) + shift;
    m.root_phi = std::sqrt(m.phi);
    m.vbi_shift = -card.gamma * std::sqrt(card.phi) + card.type * 0.5 * (gap_nom - gap) +
                  0.5 * (m.phi - card.phi);
    m.kp_factor = 1 / (ratio * std::sqrt(ratio));
    m.ld = card.ld;
    m.cox = card.tox > 0 ? 3.9 * kVacuum / card.tox : 0.0;
    m.flicker_cox = 3.9 * kVacuum / (card.tox > 0 ? card.tox : 1e-7);
    m.cgso = card.cgso;
    m.cgdo = card.cgdo;
    m.cgbo = card.cgbo;

    const double pbo = (card.pb - shift_nom) / fact_nom;
    m.pb = fact * pbo + shift;
    const double moved = (m.pb - pbo) / pbo, moved_nom = (card.pb - pbo) / pbo;
    const auto grown = [&](double grading) {
        return (1 + grading * (4e-4 * (t - kReference) - moved)) /
               (1 + grading * (4e-4 * (tnom - kReference) - moved_nom));
    };
    m.mj = card.mj;
    m.mjsw = card.mjsw;
    m.cj = card.cj * grown(card.mj);
    m.cjsw = card.cjsw * grown(card.mjsw);
    m.depletion = card.fc * m.pb;
    const double rest = 1 - card.fc;
    const double bottom = std::pow(rest, -card.mj) / rest, side = std::pow(rest, -card.mjsw) / rest;
    m.line0 = (1 - card.fc * (1 + card.mj)) * bottom;
    m.line1 = card.mj * bottom / m.pb;
    m.side0 = (1 - card.fc * (1 + card.mjsw)) * side;
    m.side1 = card.mjsw * side / m.pb;

    const double saturation = std::exp(-gap / vt + gap_nom / vt_nom);
    m.is = card.is * saturation;
    m.js = card.js * saturation;
    m.vt = vt;
    m.kf = card.kf;
    m.af = card.af;
    m.nlev = static_cast<int>(card.nlev);
    return m;
}

}  // namespace wb::circuit_sim
