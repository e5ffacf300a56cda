// SPDX-License-Identifier: Apache-2.0
#include "circuit_sim/plan.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>

#include "core/same_bits.hpp"

namespace wb::circuit_sim {
namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

/// One element's share of the equations: d(current leaving `row`) = sign * quantity * d v(column).
struct Stamp {
    int row, column, quantity, sign;
};

void stamp_pair(std::vector<Stamp>& stamps, int a, int b, int quantity) {
    stamps.push_back({a, a, quantity, 1});
    stamps.push_back({a, b, quantity, -1});
    stamps.push_back({b, a, quantity, -1});
    stamps.push_back({b, b, quantity, 1});
}

std::vector<Stamp> conductance_stamps(const Plan& plan) {
    std::vector<Stamp> stamps;
    const Netlist& net = plan.net;
    for (std::size_t i = 0; i < net.resistors.size(); ++i) {
        stamp_pair(stamps, net.resistors[i].a, net.resistors[i].b, static_cast<int>(i));
    }
    for (std::size_t i = 0; i < net.devices.size(); ++i) {
        const Mos& m = net.devices[i];
        const int first = plan.mos_conductance(static_cast<int>(i));
        const int by[4] = {m.drain, m.gate, m.source, m.bulk};
        for (int k = 0; k < 4; ++k) {
            stamps.push_back({m.drain, by[k], first + k, 1});
            stamps.push_back({m.source, by[k], first + k, -1});
        }
        stamp_pair(stamps, m.bulk, m.drain, first + 4);
        stamp_pair(stamps, m.bulk, m.source, first + 5);
    }
    return stamps;
}

std::vector<Stamp> capacitance_stamps(const Plan& plan) {
    std::vector<Stamp> stamps;
    const Netlist& net = plan.net;
    for (std::size_t i = 0; i < net.capacitors.size(); ++i) {
        stamp_pair(stamps, net.capacitors[i].a, net.capacitors[i].b, static_cast<int>(i));
    }
    for (std::size_t i = 0; i < net.devices.size(); ++i) {
        const Mos& m = net.devices[i];
        const int first = plan.mos_capacitance(static_cast<int>(i));
        stamp_pair(stamps, m.gate, m.source, first);
        stamp_pair(stamps, m.gate, m.drain, first + 1);
        stamp_pair(stamps, m.gate, m.bulk, first + 2);
        stamp_pair(stamps, m.bulk, m.drain, first + 3);
        stamp_pair(stamps, m.bulk, m.source, first + 4);
    }
    return stamps;
}

using Sums = std::map<int, int>;  // quantity -> how often, signed

Gather gather_of(const std::vector<Sums>& rows) {
    Gather out;
    for (const Sums& sums : rows) {
        out.start.push_back(static_cast<std::int32_t>(out.source.size()));
        for (const auto& [quantity, times] : sums) {
            for (int k = 0; k < times; ++k) out.source.push_back(quantity);
        }
        out.middle.push_back(static_cast<std::int32_t>(out.source.size()));
        for (const auto& [quantity, times] : sums) {
            for (int k = 0; k < -times; ++k) out.source.push_back(quantity);
        }
    }
    out.start.push_back(static_cast<std::int32_t>(out.source.size()));
    return out;
}

/// Currents that leave each node.
std::vector<Sums> node_laws(const Plan& plan) {
    const Netlist& net = plan.net;
    std::vector<Sums> laws(at(net.n_nodes));
    const auto flows = [&](int from, int to, int quantity) {
        ++laws[at(from)][quantity];
        --laws[at(to)][quantity];
    };
    for (std::size_t i = 0; i < net.resistors.size(); ++i) {
        flows(net.resistors[i].a, net.resistors[i].b, static_cast<int>(i));
    }
    for (std::size_t i = 0; i < net.devices.size(); ++i) {
        const Mos& m = net.devices[i];
        const int first = plan.mos_current(static_cast<int>(i));
        flows(m.drain, m.source, first);
        flows(m.bulk, m.drain, first + 1);
        flows(m.bulk, m.source, first + 2);
    }
    for (std::size_t i = 0; i < net.current_sources.size(); ++i) {
        flows(net.current_sources[i].a, net.current_sources[i].b,
              plan.first_source_current() + static_cast<int>(i));
    }
    return laws;
}

Sums added(const std::vector<Sums>& laws, const std::vector<std::int32_t>& nodes) {
    Sums total;
    for (const std::int32_t node : nodes) {
        for (const auto& [quantity, times] : laws[at(node)]) total[quantity] += times;
    }
    return total;
}

/// Walks the trees of voltage sources breadth first, ground's first.
void place_nodes(Plan& plan) {
    const Netlist& net = plan.net;
    std::vector<std::vector<std::pair<int, int>>> ties(at(net.n_nodes));  // node -> (source, other)
    for (std::size_t i = 0; i < net.voltage_sources.size(); ++i) {
        const auto& s = net.voltage_sources[i];
        ties[at(s.a)].push_back({static_cast<int>(i), s.b});
        ties[at(s.b)].push_back({static_cast<int>(i), s.a});
    }
    std::vector<int> parent(at(net.n_nodes), -1);
    std::vector<char> seen(at(net.n_nodes), 0), used(net.voltage_sources.size(), 0);
    plan.unknown_of.assign(at(net.n_nodes), -1);
    for (int start = 0; start < net.n_nodes; ++start) {
        if (seen[at(start)]) continue;
        seen[at(start)] = 1;
        const int unknown = start == 0 ? -1 : plan.n_unknowns++;
        plan.unknown_of[at(start)] = unknown;
        if (start != 0) plan.placed.push_back({start, start, -1, 0.0, unknown});
        std::deque<int> queue{start};
        while (!queue.empty()) {
            const int node = queue.front();
            queue.pop_front();
            for (const auto& [source, other] : ties[at(node)]) {
                if (used[at(source)]) continue;
                used[at(source)] = 1;
                if (seen[at(other)]) {
                    throw std::invalid_argument("voltage source " + std::to_string(source) +
                                                " closes a loop of voltage sources");
                }
                seen[at(other)] = 1;
                parent[at(other)] = node;
                plan.unknown_of[at(other)] = unknown;
                const double sign = net.voltage_sources[at(source)].a == other ? 1.0 : -1.0;
                plan.placed.push_back({other, node, source, sign, unknown});
                queue.push_back(other);
            }
        }
    }

    // The nodes below each tree edge; with the current into the source, their laws add up to 0.
    plan.source_currents.resize(net.voltage_sources.size());
    for (const Placed& p : plan.placed) {
        if (p.source < 0) continue;
        auto& current = plan.source_currents[at(p.source)];
        current.factor = -p.sign;
        for (int node = 0; node < net.n_nodes; ++node) {
            for (int up = node; up >= 0; up = parent[at(up)]) {
                if (up == p.node) current.nodes.push_back(node);
            }
        }
    }
}

/// Entries of a matrix over unknowns, and what they gather.
struct Entries {
    std::map<std::pair<int, int>, int> index;
    std::vector<std::pair<int, int>> list;

    int of(int row, int column) {
        const auto [it, fresh] = index.try_emplace({row, column}, static_cast<int>(list.size()));
        if (fresh) list.push_back({row, column});
        return it->second;
    }
};

void stamp_into(const Plan& plan, const std::vector<Stamp>& stamps, Entries& entries,
                std::vector<Sums>& sums) {
    std::map<std::pair<int, int>, Sums> merged;
    for (const Stamp& s : stamps) {
        const int row = plan.unknown_of[at(s.row)], column = plan.unknown_of[at(s.column)];
        if (row >= 0 && column >= 0) merged[{row, column}][s.quantity] += s.sign;
    }
    for (auto& [where, quantities] : merged) {
        std::erase_if(quantities, [](const auto& item) { return item.second == 0; });
        if (quantities.empty()) continue;
        const int entry = entries.of(where.first, where.second);
        if (sums.size() <= at(entry)) sums.resize(at(entry) + 1);
        sums[at(entry)] = quantities;
    }
}

std::shared_ptr<const Plan> compile(std::span<const std::int64_t> code,
                                    std::span<const double> data, std::int64_t n_nodes,
                                    std::int64_t n_rows) {
    auto made = std::make_shared<Plan>();
    Plan& plan = *made;
    plan.net = read_netlist(code, data, n_nodes, n_rows);
    const Netlist& net = plan.net;
    plan.n_conductances = static_cast<int>(net.resistors.size() + 6 * net.devices.size());
    plan.n_capacitances = static_cast<int>(net.capacitors.size() + 5 * net.devices.size());
    plan.n_currents = static_cast<int>(net.resistors.size() + 3 * net.devices.size() +
                                       net.current_sources.size());
    place_nodes(plan);

    const auto by_node = node_laws(plan);
    std::vector<std::vector<std::int32_t>> trees(at(plan.n_unknowns));
    for (const Placed& p : plan.placed) {
        if (p.root >= 0) trees[at(p.root)].push_back(p.node);
    }
    std::vector<Sums> laws, source_laws;
    for (const auto& tree : trees) laws.push_back(added(by_node, tree));
    plan.laws = gather_of(laws);
    for (const auto& current : plan.source_currents) {
        source_laws.push_back(added(by_node, current.nodes));
    }
    plan.source_laws = gather_of(source_laws);

    const auto conductances = conductance_stamps(plan), capacitances = capacitance_stamps(plan);
    Entries dc, ac;
    std::vector<Sums> dc_sums, ac_sums, c_sums;
    stamp_into(plan, conductances, dc, dc_sums);
    for (int u = 0; u < plan.n_unknowns; ++u) plan.dc_diagonal.push_back(dc.of(u, u));
    dc_sums.resize(dc.list.size());
    plan.dc_matrix = gather_of(dc_sums);
    plan.dc_entries = dc.list;
    plan.dc = eliminate(plan.n_unknowns, plan.dc_entries);

    stamp_into(plan, conductances, ac, ac_sums);
    stamp_into(plan, capacitances, ac, c_sums);
    ac_sums.resize(ac.list.size());
    c_sums.resize(ac.list.size());
    plan.ac_conductance = gather_of(ac_sums);
    plan.ac_capacitance = gather_of(c_sums);
    plan.ac_entries = ac.list;
    plan.ac = eliminate(plan.n_unknowns, plan.ac_entries);
    return made;
}

struct Cached {
    std::vector<std::int64_t> code;
    std::vector<double> data;
    std::int64_t n_nodes, n_rows;
    std::shared_ptr<const Plan> plan;
};

Combination force(const Plan& plan, const std::vector<Stamp>& stamps,
                  const std::vector<double>& offset, int count) {
    const std::size_t n = at(plan.n_unknowns), nodes = at(plan.net.n_nodes);
    Combination out;
    for (std::size_t drive = 0; drive < at(count); ++drive) {
        std::vector<std::map<int, double>> sums(n);
        for (const Stamp& s : stamps) {
            const int row = plan.unknown_of[at(s.row)];
            const double amplitude = offset[drive * nodes + at(s.column)];
            if (row >= 0 && amplitude != 0) sums[at(row)][s.quantity] += s.sign * amplitude;
        }
        for (const auto& row : sums) {
            out.start.push_back(static_cast<std::int32_t>(out.source.size()));
            for (const auto& [quantity, coefficient] : row) {
                if (coefficient == 0) continue;
                out.source.push_back(quantity);
                out.coefficient.push_back(coefficient);
            }
        }
    }
    out.start.push_back(static_cast<std::int32_t>(out.source.size()));
    return out;
}

}  // namespace

std::shared_ptr<const Plan> plan_of(std::span<const std::int64_t> code,
                                    std::span<const double> data, std::int64_t n_nodes,
                                    std::int64_t n_rows) {
    constexpr std::size_t kKept = 16;
    static std::mutex mutex;
    static std::deque<Cached> cache;  // the last used first
    const std::lock_guard lock(mutex);
    const auto same = [&](const Cached& c) {
        return c.n_nodes == n_nodes && c.n_rows == n_rows && std::ranges::equal(c.code, code) &&
               same_bits(c.data, data);
    };
    const auto found = std::ranges::find_if(cache, same);
    if (found != cache.end()) {
        std::rotate(cache.begin(), found, found + 1);
        return cache.front().plan;
    }
    cache.push_front({{code.begin(), code.end()},
                      {data.begin(), data.end()},
                      n_nodes,
                      n_rows,
                      compile(code, data, n_nodes, n_rows)});
    if (cache.size() > kKept) cache.pop_back();
    return cache.front().plan;
}

Drives compile_drives(const Plan& plan, std::span<const double> amplitudes, std::int64_t count) {
    const Netlist& net = plan.net;
    const std::size_t nodes = at(net.n_nodes), n = at(plan.n_unknowns),
                      sources = net.sources.size();
    const std::int64_t entries = std::max<std::int64_t>({1, net.n_nodes, plan.n_unknowns});
    if (count > INT32_MAX / entries) {  // they are numbered in 32 bits
        throw std::invalid_argument("drives must be at most " +
                                    std::to_string(INT32_MAX / entries) + ", got " +
                                    std::to_string(count));
    }
    Drives out;
    out.count = static_cast<int>(count);
    out.offset.assign(at(out.count) * nodes, 0.0);
    out.injection.assign(at(out.count) * n, 0.0);
    for (std::size_t drive = 0; drive < at(out.count); ++drive) {
        std::vector<double> volt(net.voltage_sources.size(), 0.0);
        for (std::size_t s = 0; s < sources; ++s) {
            const double amplitude = amplitudes[drive * sources + s];
            const std::size_t index = at(net.sources[s].index);
            if (net.sources[s].is_voltage) {
                volt[index] = amplitude;
                continue;
            }
            const auto& current = net.current_sources[index];
            const int from = plan.unknown_of[at(current.a)], to = plan.unknown_of[at(current.b)];
            if (from >= 0) out.injection[drive * n + at(from)] += amplitude;
            if (to >= 0) out.injection[drive * n + at(to)] -= amplitude;
        }
        double* offset = out.offset.data() + drive * nodes;
        for (const Placed& p : plan.placed) {
            if (p.source >= 0) offset[p.node] = offset[p.parent] + p.sign * volt[at(p.source)];
        }
    }
    out.conductance = force(plan, conductance_stamps(plan), out.offset, out.count);
    out.capacitance = force(plan, capacitance_stamps(plan), out.offset, out.count);
    return out;
}

}  // namespace wb::circuit_sim
