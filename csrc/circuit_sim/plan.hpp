// SPDX-License-Identifier: Apache-2.0
// A topology, compiled once: which nodes are unknown, where elements go in the equations, and in
// which order they are eliminated.
//
// Voltage sources tie nodes together: the nodes of one tree of sources have one unknown potential
// and known differences, and their current laws are added up, so that no source needs a row of
// its own and no pivot is zero for structural reasons. The tree that holds ground has none.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "circuit_sim/elimination.hpp"
#include "circuit_sim/netlist.hpp"

namespace wb::circuit_sim {

/// A sparse linear map from quantities: out[i] = sum of plus - sum of minus.
struct Gather {
    std::vector<std::int32_t> start, middle;  // plus: [start, middle), minus: [middle, next start)
    std::vector<std::int32_t> source;
};

/// The same with any coefficient.
struct Combination {
    std::vector<std::int32_t> start, source;
    std::vector<double> coefficient;
};

/// Which current the source of a tree edge carries: factor * sum of the current laws below it.
struct SourceCurrent {
    double factor;
    std::vector<std::int32_t> nodes;
};

struct Plan {
    Netlist net;
    int n_unknowns = 0;
    std::vector<Placed> placed;                  // parents before children; node 0 is not listed
    std::vector<std::int32_t> unknown_of;        // node -> unknown, -1 in ground's tree
    std::vector<SourceCurrent> source_currents;  // by voltage source

    // Quantities. Conductances: resistors, then six per device (drain current by drain, gate,
    // source, bulk; the junctions of drain and source). Capacitances: capacitors, then five per
    // device (gate to source, drain, bulk; bulk to drain, source). Currents: resistors, three per
    // device (channel from drain to source, bulk to drain, bulk to source), current sources.
    int n_conductances = 0, n_capacitances = 0, n_currents = 0;

    Gather laws;  // unknown <- currents
    std::vector<std::pair<int, int>> dc_entries, ac_entries;
    Gather dc_matrix, ac_conductance, ac_capacitance;  // entries <- quantities
    std::vector<std::int32_t> dc_diagonal;             // unknown -> entry
    Elimination dc, ac;
    Gather source_laws;  // voltage source <- currents: the sum below its edge, times factor

    int mos_conductance(int device) const {
        return static_cast<int>(net.resistors.size()) + 6 * device;
    }
    int mos_capacitance(int device) const {
        return static_cast<int>(net.capacitors.size()) + 5 * device;
    }
    int mos_current(int device) const {
        return static_cast<int>(net.resistors.size()) + 3 * device;
    }
    int first_source_current() const { return mos_current(static_cast<int>(net.devices.size())); }
};

/// What the ac amplitudes of the sources do: potentials of the nodes that they fix, and the
/// current laws that they disturb. Per drive.
struct Drives {
    int count = 0;
    std::vector<double> offset;            // [drive][node]
    std::vector<double> injection;         // [drive][unknown], ampere leaving
    Combination conductance, capacitance;  // [drive * unknowns + unknown] <- quantities
};

/// The plan of a program, from a cache of the last few.
///
/// \throws std::invalid_argument for a malformed program and for a loop of voltage sources
std::shared_ptr<const Plan> plan_of(std::span<const std::int64_t> code,
                                    std::span<const double> data, std::int64_t n_nodes,
                                    std::int64_t n_rows);

/// \param amplitudes  [count][sources], volt or ampere
Drives compile_drives(const Plan& plan, std::span<const double> amplitudes, std::int64_t count);

}  // namespace wb::circuit_sim
