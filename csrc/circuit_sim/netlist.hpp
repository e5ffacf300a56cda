// SPDX-License-Identifier: Apache-2.0
// A netlist as it comes from Python: elements between numbered nodes, whose values are rows of a
// table with one column per candidate. Node 0 is ground.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "circuit_sim/elements.hpp"

namespace wb::circuit_sim {

/// A level-1 card, in the order of the data.
struct ModelCard {
    double type, gamma, phi, tox, ld, cgso, cgdo, cgbo, cj, mj, cjsw, mjsw, pb, fc, is, js, kf, af,
        nlev, tnom;
};
inline constexpr int kCardSize = 20;
static_assert(sizeof(ModelCard) == kCardSize * sizeof(double));

/// A source as the caller numbers it: voltage and current sources together, in order.
struct Source {
    bool is_voltage;
    int index;  // among the voltage or the current sources
};

struct Netlist {
    int n_nodes = 0, n_rows = 0;
    double gmin = 0;
    std::vector<TwoTerminal> resistors, capacitors, current_sources, voltage_sources;
    std::vector<Mos> devices;
    std::vector<ModelCard> cards;
    std::vector<Source> sources;
};

/// Reads and checks code and data as `workbench.ops.circuit_program` writes them.
///
/// \throws std::invalid_argument naming what is wrong and where
Netlist read_netlist(std::span<const std::int64_t> code, std::span<const double> data,
                     std::int64_t n_nodes, std::int64_t n_rows);

}  // namespace wb::circuit_sim
