// SPDX-License-Identifier: Apache-2.0
#include <pybind11/stl.h>

#include <optional>

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "paths/components.hpp"
#include "paths/searches_bind.hpp"
#include "paths/sssp.hpp"

namespace wb {
namespace {

using namespace paths;
using Longs = Array<std::int64_t>;
using Bytes = Array<std::uint8_t>;

template <typename W>
std::unique_ptr<Digraph<W>> checked_digraph(std::int64_t n, const Longs& tails, const Longs& heads,
                                            const Array<W>& weights) {
    check_shape(tails, "tails", {kAnySize});
    check_shape(heads, "heads", {tails.size()});
    check_shape(weights, "weights", {tails.size()});
    if (n < 0 || n > INT32_MAX - 1) {
        throw std::invalid_argument("n must be in [0, 2^31 - 2], got " + std::to_string(n));
    }
    const std::int64_t m = tails.size();
    if (m >= std::int64_t{1} << 32) {  // searches number arcs in 32 bits
        throw std::invalid_argument("a graph may have 2^32 - 1 edges, got " + std::to_string(m));
    }
    const std::int64_t *from = tails.data(), *to = heads.data();
    const W* weight = weights.data();
    for (std::int64_t e = 0; e < m; ++e) {
        if (from[e] < 0 || from[e] >= n || to[e] < 0 || to[e] >= n || !(weight[e] >= 0)) {
            throw std::invalid_argument("edge " + std::to_string(e) +
                                        " has a vertex out of range or a bad weight");
        }
    }
    const WithoutGil unlocked;
    return std::make_unique<Digraph<W>>(make_digraph(n, m, from, to, weight));
}

template <typename W>
py::tuple search(const Digraph<W>& g, const Longs& sources, bool reverse, double limit,
                 const std::optional<Bytes>& targets, const std::optional<Bytes>& mask,
                 bool want_parents, int threads) {
    const Arcs<W>& arcs = reverse ? g.in : g.out;
    check_shape(sources, "sources", {kAnySize});
    Query query;
    query.sources = sources.data();
    query.n_sources = sources.size();
    for (std::int64_t i = 0; i < query.n_sources; ++i) {
        if (query.sources[i] < 0 || query.sources[i] >= arcs.n) {
            throw std::invalid_argument("sources must be vertices");
        }
    }
    query.limit = limit;
    query.threads = threads;
    if (targets) {
        check_shape(*targets, "targets", {arcs.n});
        query.targets = targets->data();
        for (std::int64_t v = 0; v < arcs.n; ++v) query.n_targets += query.targets[v] != 0;
    }
    if (mask) {
        check_shape(*mask, "edge_mask", {arcs.m});
        query.edge_mask = mask->data();
    }
    Array<double> distances = fresh_array<double>({query.n_sources, arcs.n});
    query.distances = distances.mutable_data();
    std::optional<Longs> parents;
    if (want_parents) {
        parents = fresh_array<std::int64_t>({query.n_sources, arcs.n});
        query.parents = parents->mutable_data();
    }
    {
        const WithoutGil unlocked;
        shortest_paths(arcs, query);
    }
    return py::make_tuple(distances, parents);
}

template <typename W>
void bind_digraph(py::module_& m, const char* name) {
    py::class_<Digraph<W>> digraph(m, name);
    digraph
        .def(py::init(&checked_digraph<W>), py::arg("n"), py::arg("tails").noconvert(),
             py::arg("heads").noconvert(), py::arg("weights").noconvert())
        .def("shortest_paths", &search<W>, py::arg("sources").noconvert(), py::arg("reverse"),
             py::arg("limit"), py::arg("targets").noconvert(), py::arg("edge_mask").noconvert(),
             py::arg("parents"), py::arg("threads"))
        .def("strong_components", [](const Digraph<W>& g) {
            Array<std::int32_t> component = fresh_array<std::int32_t>(g.out.n);
            std::int32_t* to = component.mutable_data();
            std::int64_t count;
            {
                const WithoutGil unlocked;
                count = strong_components(g.out, to);
            }
            return py::make_tuple(count, component);
        });
    bind_searches(digraph);
}

}  // namespace

void bind_paths(py::module_& m) {
    bind_digraph<std::int32_t>(m, "DigraphI32");
    bind_digraph<std::int64_t>(m, "DigraphI64");
    bind_digraph<float>(m, "DigraphF32");
    bind_digraph<double>(m, "DigraphF64");
    bind_incremental<std::int32_t>(m, "IncrementalPathsI32");
    bind_incremental<std::int64_t>(m, "IncrementalPathsI64");
    bind_incremental<float>(m, "IncrementalPathsF32");
    bind_incremental<double>(m, "IncrementalPathsF64");
}

}  // namespace wb
