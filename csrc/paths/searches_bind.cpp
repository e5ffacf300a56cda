// SPDX-License-Identifier: Apache-2.0
#include "paths/searches_bind.hpp"

#include <pybind11/stl.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "paths/ball.hpp"
#include "paths/ball_sizes.hpp"
#include "paths/incremental.hpp"
#include "paths/local.hpp"
#include "paths/sssp.hpp"

namespace wb::paths {
namespace {

using Longs = Array<std::int64_t>;
using Bytes = Array<std::uint8_t>;

template <typename T, typename U>
Array<U> array_of(const std::vector<T>& values) {
    Array<U> out(static_cast<py::ssize_t>(values.size()));
    std::copy(values.begin(), values.end(), out.mutable_data());
    return out;
}

void check_indices(const Longs& indices, const char* name, std::int64_t n) {
    check_shape(indices, name, {kAnySize});
    for (const std::int64_t v : view(indices)) {
        if (v < 0 || v >= n) {
            throw std::invalid_argument(std::string(name) + " must be in [0, " + std::to_string(n) +
                                        "), got " + std::to_string(v));
        }
    }
}

Query query_of(const Longs& sources, double limit, const std::optional<Bytes>& mask, std::int64_t n,
               std::int64_t m, int threads) {
    check_indices(sources, "sources", n);
    Query query;
    query.sources = sources.data();
    query.n_sources = sources.size();
    query.limit = limit;
    query.threads = threads;
    if (mask) {
        check_shape(*mask, "edge_mask", {m});
        query.edge_mask = mask->data();
    }
    return query;
}

py::tuple arrays_of(const Balls& balls) {
    return py::make_tuple(array_of<std::int64_t, std::int64_t>(balls.ptr),
                          array_of<std::int32_t, std::int64_t>(balls.vertices),
                          array_of<double, double>(balls.distances),
                          array_of<std::int64_t, std::int64_t>(balls.parents));
}

py::tuple arrays_of(const Ball& ball) {
    return py::make_tuple(array_of<std::int64_t, std::int64_t>(ball.vertices),
                          array_of<double, double>(ball.distances),
                          array_of<std::int64_t, std::int64_t>(ball.edges));
}

template <typename W>
py::tuple near(const Digraph<W>& g, const Longs& sources, bool reverse, double limit,
               const std::optional<Bytes>& mask, bool parents, int threads) {
    const Query query = query_of(sources, limit, mask, g.out.n, g.out.m, threads);
    Balls balls;
    {
        const py::gil_scoped_release release;
        balls = shortest_paths_near(reverse ? g.in : g.out, query, parents);
    }
    return arrays_of(balls);
}

template <typename W>
Array<double> trips(const Digraph<W>& g, const Longs& sources, double limit,
                    const std::optional<Bytes>& mask, int threads) {
    Query query = query_of(sources, limit, mask, g.out.n, g.out.m, threads);
    Array<double> distances({query.n_sources, g.out.n});
    query.distances = distances.mutable_data();
    const py::gil_scoped_release release;
    round_trips(g, query);
    return distances;
}

template <typename W>
py::tuple trips_near(const Digraph<W>& g, const Longs& sources, double limit,
                     const std::optional<Bytes>& mask, int threads) {
    const Query query = query_of(sources, limit, mask, g.out.n, g.out.m, threads);
    if (!(limit >= 0)) throw std::invalid_argument("limit must not be negative");
    Balls balls;
    {
        const py::gil_scoped_release release;
        balls = round_trips_near(g, query);
    }
    return arrays_of(balls);
}

template <typename W>
Array<double> sizes(const Digraph<W>& g, const Longs& members, double radius, bool reverse, int k,
                    std::uint64_t seed) {
    check_indices(members, "of", g.out.n);
    if (k < 3) throw std::invalid_argument("k must be at least 3, got " + std::to_string(k));
    Array<double> out(g.out.n);
    double* const to = out.mutable_data();
    const py::gil_scoped_release release;
    ball_sizes(g, view(members), radius, reverse, k, seed, to);
    return out;
}

void check_centre(std::int64_t centre, std::int64_t n) {
    if (centre < 0 || centre >= n) {
        throw std::invalid_argument("vertex must be in [0, " + std::to_string(n) + "), got " +
                                    std::to_string(centre));
    }
}

template <typename W>
py::tuple one_ball(const Digraph<W>& g, std::int64_t centre, double radius, bool reverse) {
    check_centre(centre, g.out.n);
    Ball found;
    {
        const py::gil_scoped_release release;
        found = ball(g, static_cast<std::int32_t>(centre), radius, reverse);
    }
    return arrays_of(found);
}

template <typename W>
py::tuple one_roundtrip_ball(const Digraph<W>& g, std::int64_t centre, double radius) {
    check_centre(centre, g.out.n);
    Ball found;
    {
        const py::gil_scoped_release release;
        found = roundtrip_ball(g, static_cast<std::int32_t>(centre), radius);
    }
    return arrays_of(found);
}

template <typename W>
py::tuple nearest_two(const Digraph<W>& g, const Longs& centres, const Array<double>& offsets,
                      double limit, bool reverse) {
    check_indices(centres, "centres", g.out.n);
    check_shape(offsets, "offsets", {centres.size()});
    const std::int64_t n = g.out.n;
    const std::vector<std::int32_t> from(centres.data(), centres.data() + centres.size());
    Array<double> keys({n, std::int64_t{2}});
    Longs names({n, std::int64_t{2}});
    double* const key = keys.mutable_data();
    std::int64_t* const name = names.mutable_data();
    {
        const py::gil_scoped_release release;
        NearestTwo<W> search(n);
        search.run(reverse ? g.in : g.out, from, view(offsets), limit,
                   [](std::int32_t) { return true; });
        std::fill_n(key, 2 * n, std::numeric_limits<double>::infinity());
        std::fill_n(name, 2 * n, std::int64_t{-1});
        for (const std::int32_t v : search.reached()) {
            const auto& label = search.at(v);
            if (label.first <= limit) {
                key[2 * v] = label.first;
                name[2 * v] = label.centre;
            }
            if (label.second <= limit) {
                key[2 * v + 1] = label.second;
                name[2 * v + 1] = label.other;
            }
        }
    }
    return py::make_tuple(keys, names);
}

/// An IncrementalSearch with the arrays it needs, and its distances as doubles kept up to date.
std::int64_t checked_size(std::int64_t n) {
    if (n < 0 || n > INT32_MAX - 1) {
        throw std::invalid_argument("n must be in [0, 2^31 - 2], got " + std::to_string(n));
    }
    return n;
}

template <typename W>
class IncrementalPaths {
  public:
    IncrementalPaths(std::int64_t n, const Longs& tails, const Longs& heads,
                     const Array<W>& weights, std::int64_t source)
        : tails_(tails), heads_(heads), weights_(weights), distances_(checked_size(n)) {
        check_indices(tails, "tails", n);
        check_indices(heads, "heads", n);
        check_shape(heads, "heads", {tails.size()});
        check_shape(weights, "weights", {tails.size()});
        check_centre(source, n);
        for (const W w : view(weights)) {
            if (!(w >= 0)) throw std::invalid_argument("weights must not be negative");
        }
        live_ = distances_.mutable_data();  // Python may lock the array
        std::fill_n(live_, n, std::numeric_limits<double>::infinity());
        live_[source] = 0;
        search_ = std::make_unique<IncrementalSearch<W>>(n, tails.size(), tails_.data(),
                                                         heads_.data(), weights_.data(),
                                                         static_cast<std::int32_t>(source));
    }

    /// Uses edges; tells which vertices have come nearer, by rising number.
    Longs insert(const Longs& edges) {
        check_indices(edges, "edges", tails_.size());
        std::vector<std::int64_t> changed;
        search_->insert(view(edges), [&](std::int64_t v) { changed.push_back(v); });
        for (const std::int64_t v : changed) live_[v] = static_cast<double>(search_->distance(v));
        std::sort(changed.begin(), changed.end());
        return array_of<std::int64_t, std::int64_t>(changed);
    }

    Array<double> distances() const { return distances_; }
    Longs parents() const { return array_of<std::int64_t, std::int64_t>(search_->parents()); }
    Bytes used() const { return array_of<std::uint8_t, std::uint8_t>(search_->used()); }

  private:
    Longs tails_, heads_;
    Array<W> weights_;
    Array<double> distances_;
    double* live_ = nullptr;
    std::unique_ptr<IncrementalSearch<W>> search_;
};

}  // namespace

template <typename W>
void bind_searches(py::class_<Digraph<W>>& digraph) {
    digraph
        .def("shortest_paths_near", &near<W>, py::arg("sources").noconvert(), py::arg("reverse"),
             py::arg("limit"), py::arg("edge_mask").noconvert(), py::arg("parents"),
             py::arg("threads"))
        .def("round_trips", &trips<W>, py::arg("sources").noconvert(), py::arg("limit"),
             py::arg("edge_mask").noconvert(), py::arg("threads"))
        .def("round_trips_near", &trips_near<W>, py::arg("sources").noconvert(), py::arg("limit"),
             py::arg("edge_mask").noconvert(), py::arg("threads"))
        .def("ball_sizes", &sizes<W>, py::arg("of").noconvert(), py::arg("radius"),
             py::arg("reverse"), py::arg("k"), py::arg("seed"))
        .def("ball", &one_ball<W>, py::arg("vertex"), py::arg("radius"), py::arg("reverse"))
        .def("roundtrip_ball", &one_roundtrip_ball<W>, py::arg("vertex"), py::arg("radius"))
        .def("nearest_two", &nearest_two<W>, py::arg("centres").noconvert(),
             py::arg("offsets").noconvert(), py::arg("limit"), py::arg("reverse"));
}

template <typename W>
void bind_incremental(py::module_& m, const char* name) {
    using Paths = IncrementalPaths<W>;
    py::class_<Paths>(m, name)
        .def(py::init<std::int64_t, const Longs&, const Longs&, const Array<W>&, std::int64_t>(),
             py::arg("n"), py::arg("tails").noconvert(), py::arg("heads").noconvert(),
             py::arg("weights").noconvert(), py::arg("source"))
        .def("insert", &Paths::insert, py::arg("edges").noconvert())
        .def("distances", &Paths::distances)
        .def("parents", &Paths::parents)
        .def("used", &Paths::used);
}

#define WB_BIND_SEARCHES(W)                               \
    template void bind_searches(py::class_<Digraph<W>>&); \
    template void bind_incremental<W>(py::module_&, const char*);
WB_BIND_SEARCHES(std::int32_t)
WB_BIND_SEARCHES(std::int64_t)
WB_BIND_SEARCHES(float)
WB_BIND_SEARCHES(double)
#undef WB_BIND_SEARCHES

}  // namespace wb::paths
