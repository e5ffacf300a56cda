// SPDX-License-Identifier: Apache-2.0
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "paths/alt.hpp"

namespace wb {
namespace {

using namespace paths;
using Longs = Array<std::int64_t>;

void check_vertices(const Longs& list, const char* name, std::int64_t n) {
    for (const std::int64_t v : view(list)) {
        if (v < 0 || v >= n) throw std::invalid_argument(std::string(name) + " must be vertices");
    }
}

template <typename W>
py::tuple search(const Digraph<W>& g, const Longs& sources, const Longs& targets,
                 const Array<double>& to, const Array<double>& from, std::int64_t active,
                 const std::optional<Array<std::uint8_t>>& mask, int threads) {
    check_shape(sources, "sources", {kAnySize});
    check_shape(targets, "targets", {sources.size()});
    check_vertices(sources, "sources", g.out.n);
    check_vertices(targets, "targets", g.out.n);
    check_shape(to, "to", {g.out.n, kAnySize});
    check_shape(from, "from", {g.out.n, to.shape(1)});
    if (active < 0) throw std::invalid_argument("active must not be negative");
    AltQuery query;
    query.sources = sources.data();
    query.targets = targets.data();
    query.n_pairs = sources.size();
    query.to = to.data();
    query.from = from.data();
    query.k = to.shape(1);
    query.active = active;
    query.threads = threads;
    if (mask) {
        check_shape(*mask, "edge_mask", {g.out.m});
        query.edge_mask = mask->data();
    }
    Array<double> distances = fresh_array<double>(query.n_pairs);
    Longs settled = fresh_array<std::int64_t>(query.n_pairs);
    Longs starts = fresh_array<std::int64_t>(query.n_pairs + 1);
    query.distances = distances.mutable_data();
    query.settled = settled.mutable_data();
    std::vector<std::vector<std::int64_t>> paths;
    {
        const WithoutGil unlocked;
        paths = alt_search(g.out, query);
    }
    std::int64_t* start = starts.mutable_data();
    start[0] = 0;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        start[i + 1] = start[i] + static_cast<std::int64_t>(paths[i].size());
    }
    Longs edges = fresh_array<std::int64_t>(start[query.n_pairs]);
    std::int64_t* edge = edges.mutable_data();
    for (const auto& path : paths) edge = std::copy(path.begin(), path.end(), edge);
    return py::make_tuple(distances, settled, starts, edges);
}

template <typename W>
void bind_search(py::module_& m) {
    m.def("alt_search", &search<W>, py::arg("graph"), py::arg("sources").noconvert(),
          py::arg("targets").noconvert(), py::arg("to").noconvert(), py::arg("from_").noconvert(),
          py::arg("active"), py::arg("edge_mask").noconvert(), py::arg("threads"),
          "(distances, vertices settled, starts, edges) of the shortest paths of some pairs.");
}

}  // namespace

void bind_alt(py::module_& m) {
    bind_search<std::int32_t>(m);
    bind_search<std::int64_t>(m);
    bind_search<float>(m);
    bind_search<double>(m);
}

}  // namespace wb
