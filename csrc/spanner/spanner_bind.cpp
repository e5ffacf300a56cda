// SPDX-License-Identifier: Apache-2.0
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <variant>

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "spanner/spanner.hpp"

namespace wb {
namespace {

using namespace spanner;
using Longs = Array<std::int64_t>;
using Bytes = Array<std::uint8_t>;
using Call = std::optional<std::function<void(std::int64_t, std::int64_t)>>;

/// The parts of a digraph that hold sources, with the narrowest weights that do.
constexpr int kMostLevels = 64;  // of sampled balls: 2k is then beyond any use

struct Problem {
    std::variant<std::vector<Core<std::int32_t>>, std::vector<Core<std::int64_t>>,
                 std::vector<Core<double>>>
        cores;
    std::int64_t m = 0;
};

/// Whether distances of round trips fit 32 bits, with room for one edge more.
bool narrow(std::int64_t n, std::int64_t largest) {
    return largest < (std::int64_t{1} << 31) &&
           2 * (n + 1) < (std::int64_t{1} << 32) / std::max<std::int64_t>(1, largest);
}

template <typename Weight>
std::unique_ptr<Problem> make_problem(std::int64_t n, const Longs& tails, const Longs& heads,
                                      const Array<Weight>& weights,
                                      const Array<std::int32_t>& component, std::int64_t count,
                                      const Longs& sources) {
    check_shape(tails, "tails", {kAnySize});
    check_shape(heads, "heads", {tails.size()});
    check_shape(weights, "weights", {tails.size()});
    check_shape(component, "component", {n});
    check_shape(sources, "sources", {kAnySize});
    if (n < 0 || n >= INT32_MAX || tails.size() >= INT32_MAX) {  // numbered in 32 bits
        throw std::invalid_argument("a graph may have 2^31 - 2 vertices and edges, got " +
                                    std::to_string(n) + " and " + std::to_string(tails.size()));
    }
    if (count < 0 || count > n) {
        throw std::invalid_argument("count must be in [0, " + std::to_string(n) + "], got " +
                                    std::to_string(count));
    }
    for (std::int64_t v = 0; v < n; ++v) {
        if (component.data()[v] < 0 || component.data()[v] >= count) {
            throw std::invalid_argument("component must number 0 to count - 1");
        }
    }
    for (std::int64_t e = 0; e < tails.size(); ++e) {
        const auto inside = [n](std::int64_t v) { return v >= 0 && v < n; };
        if (!inside(tails.data()[e]) || !inside(heads.data()[e]) || !(weights.data()[e] >= 0)) {
            throw std::invalid_argument("edge " + std::to_string(e) +
                                        " has a vertex out of range or a bad weight");
        }
    }
    for (std::int64_t i = 0; i < sources.size(); ++i) {
        if (sources.data()[i] < 0 || sources.data()[i] >= n) {
            throw std::invalid_argument("sources must be vertices");
        }
    }
    const WithoutGil unlocked;
    auto problem = std::make_unique<Problem>();
    problem->m = tails.size();
    const auto cut = [&]<typename W>() {
        problem->cores = split<W>(n, tails.size(), tails.data(), heads.data(), weights.data(),
                                  component.data(), count, sources.data(), sources.size());
    };
    if constexpr (std::is_floating_point_v<Weight>) {
        cut.template operator()<double>();
    } else {
        const Weight* begin = weights.data();
        const auto largest = std::max_element(begin, begin + tails.size());
        if (tails.size() == 0 || narrow(n, *largest)) {
            cut.template operator()<std::int32_t>();
        } else {
            cut.template operator()<std::int64_t>();
        }
    }
    return problem;
}

Progress guarded(const Call& call) {
    if (!call) return {};
    return [call](std::int64_t done, std::int64_t all) {
        const py::gil_scoped_acquire acquire;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
        (*call)(done, all);
    };
}

template <typename T>
[[noreturn]] void refuse(const char* name, const char* wanted, T got) {
    throw std::invalid_argument(std::string(name) + " must be " + wanted + ", got " +
                                std::to_string(got));
}

Options options(double stretch, std::uint64_t seed, int threads, const Call& call) {
    if (!(stretch >= 1) || !std::isfinite(stretch)) {
        refuse("stretch", "finite and at least 1", stretch);
    }
    if (threads < 1) refuse("threads", "at least 1", threads);
    Options o;
    o.stretch = stretch;
    o.seed = seed;
    o.threads = threads;
    o.progress = guarded(call);
    return o;
}

void check_share(std::int64_t share, std::int64_t shares) {
    if (shares < 1) refuse("shares", "at least 1", shares);
    if (share < 0 || share >= shares) refuse("share", "in [0, shares)", share);
}

/// Calls f(core) for every core, with the GIL released; the mask has to fit the graph.
template <typename F>
void each_core(Problem& problem, Bytes& mask, const F& f) {
    check_shape(mask, "mask", {problem.m});
    std::uint8_t* marks = mask.mutable_data();
    const WithoutGil unlocked;
    std::visit(
        [&](auto& cores) {
            for (auto& core : cores) f(core, marks);
        },
        problem.cores);
}

/// Calls back for trees that were searched elsewhere: (core, begin, end) -> what search_trees
/// gives.
using Elsewhere = std::optional<std::function<py::tuple(std::int64_t, std::int64_t, std::int64_t)>>;

template <typename T>
py::array as_array(std::vector<T>&& values) {
    auto* kept = new std::vector<T>(std::move(values));
    const py::capsule owner(kept, [](void* p) { delete static_cast<std::vector<T>*>(p); });
    return Array<T>({static_cast<py::ssize_t>(kept->size())}, kept->data(), owner);
}

py::tuple search_core(const Problem& problem, std::size_t number, std::int64_t begin,
                      std::int64_t end, int threads) {
    return std::visit(
        [&](const auto& cores) {
            if (number >= cores.size() || begin < 0 || end < begin ||
                end > static_cast<std::int64_t>(cores[number].sources.size())) {
                throw std::invalid_argument("search_trees: there are no such sources");
            }
            const auto& core = cores[number];
            auto trees = [&] {
                const WithoutGil unlocked;
                return search_trees(core, begin, end, threads);
            }();
            return py::make_tuple(as_array(std::move(trees.from)), as_array(std::move(trees.to)),
                                  as_array(std::move(trees.arc_from)),
                                  as_array(std::move(trees.arc_to)));
        },
        problem.cores);
}

template <typename T>
void take(std::vector<T>& into, const py::handle& from, std::int64_t size) {
    const auto values = py::cast<Array<T>>(from);
    check_shape(values, "trees", {size});
    into.assign(values.data(), values.data() + size);
}

template <typename W>
TreeProvider<W> provider(const Core<W>& core, std::int64_t number, int threads,
                         const Elsewhere& elsewhere) {
    if (!elsewhere) {
        return [&core, threads](std::int64_t begin, std::int64_t end) {
            return search_trees(core, begin, end, threads);
        };
    }
    return [&core, number, &elsewhere](std::int64_t begin, std::int64_t end) {
        const py::gil_scoped_acquire acquire;
        const py::tuple found = (*elsewhere)(number, begin, end);
        if (found.size() != 4) throw std::invalid_argument("trees must be four arrays");
        const std::int64_t size = (end - begin) * core.n;
        Trees<W> trees;
        take(trees.from, found[0], size);
        take(trees.to, found[1], size);
        take(trees.arc_from, found[2], size);
        take(trees.arc_to, found[3], size);
        // An arc from elsewhere is followed without further looking.
        for (const auto* arcs : {&trees.arc_from, &trees.arc_to}) {
            for (const std::int32_t a : *arcs) {
                if (a < -1 || a >= core.m)
                    throw std::invalid_argument("trees do not fit the graph");
            }
        }
        return trees;
    };
}

py::dict as_dict(const Scale& s) {
    py::dict d;
    d["radius"] = s.radius;
    d["vertices"] = s.vertices;
    d["sources"] = s.sources;
    d["by_carving"] = s.by_carving;
    d["alone"] = s.alone;
    d["fallback"] = s.fallback;
    d["repetitions"] = s.repetitions;
    d["certified"] = s.certified;
    d["settled"] = s.settled;
    d["contracted"] = s.contracted;
    return d;
}

}  // namespace

void bind_spanner(py::module_& m) {
    py::class_<Problem>(m, "SpannerProblem")
        .def(py::init(&make_problem<std::int64_t>), py::arg("n"), py::arg("tails").noconvert(),
             py::arg("heads").noconvert(), py::arg("weights").noconvert(),
             py::arg("component").noconvert(), py::arg("count"), py::arg("sources").noconvert())
        .def(py::init(&make_problem<double>), py::arg("n"), py::arg("tails").noconvert(),
             py::arg("heads").noconvert(), py::arg("weights").noconvert(),
             py::arg("component").noconvert(), py::arg("count"), py::arg("sources").noconvert())
        .def("cores",
             [](const Problem& p) {
                 py::list out;
                 std::visit(
                     [&](const auto& cores) {
                         for (const auto& core : cores) {
                             out.append(py::make_tuple(core.n, core.m, core.sources.size(),
                                                       sizeof(core.weight[0])));
                         }
                     },
                     p.cores);
                 return out;
             })
        .def(
            "exact",
            [](Problem& p, Bytes mask, std::int64_t begin, std::int64_t end, int threads,
               const Call& progress) {
                const Options o = options(1, 0, threads, progress);
                std::int64_t before = 0;
                each_core(p, mask, [&](auto& core, std::uint8_t* marks) {
                    const auto s = static_cast<std::int64_t>(core.sources.size());
                    const std::int64_t from = std::clamp<std::int64_t>(begin - before, 0, s);
                    const std::int64_t to = std::clamp<std::int64_t>(end - before, 0, s);
                    if (from < to) exact(core, from, to, o, marks);
                    before += s;
                });
            },
            py::arg("mask").noconvert(), py::arg("begin"), py::arg("end"), py::arg("threads"),
            py::arg("progress"))
        .def(
            "cover",
            [](Problem& p, Bytes mask, double stretch, std::uint64_t seed, int repetitions,
               int samples, std::int64_t share, std::int64_t shares, int threads,
               const Call& progress) {
                check_share(share, shares);
                if (repetitions < 0) refuse("repetitions", "at least 0", repetitions);
                if (samples < 1) refuse("samples", "at least 1", samples);
                CoverOptions o;
                static_cast<Options&>(o) = options(stretch, seed, threads, progress);
                o.repetitions = repetitions;
                o.samples = samples;
                o.share = share;
                o.shares = shares;
                std::vector<std::vector<Scale>> scales;
                each_core(p, mask, [&](auto& core, std::uint8_t* marks) {
                    scales.push_back(cover(core, o, marks));
                });
                py::list out;
                for (const auto& core : scales) {
                    py::list one;
                    for (const Scale& scale : core) one.append(as_dict(scale));
                    out.append(one);
                }
                return out;
            },
            py::arg("mask").noconvert(), py::arg("stretch"), py::arg("seed"),
            py::arg("repetitions"), py::arg("samples"), py::arg("share"), py::arg("shares"),
            py::arg("threads"), py::arg("progress"))
        .def(
            "sampled_balls",
            [](Problem& p, Bytes mask, int k, double epsilon, std::uint64_t seed,
               std::int64_t share, std::int64_t shares, int threads, const Call& progress) {
                check_share(share, shares);
                if (k < 1 || k > kMostLevels) refuse("k", "in [1, 64]", k);
                if (!(epsilon >= 1e-6 && epsilon <= 1e6)) {  // bounds the number of scales
                    refuse("epsilon", "in [1e-6, 1e6]", epsilon);
                }
                BallsOptions o;
                static_cast<Options&>(o) = options(2 * k * (1 + epsilon), seed, threads, progress);
                o.k = k;
                o.epsilon = epsilon;
                o.share = share;
                o.shares = shares;
                std::int64_t settled = 0;
                each_core(p, mask, [&](auto& core, std::uint8_t* marks) {
                    settled += sampled_balls(core, o, marks);
                });
                return settled;
            },
            py::arg("mask").noconvert(), py::arg("k"), py::arg("epsilon"), py::arg("seed"),
            py::arg("share"), py::arg("shares"), py::arg("threads"), py::arg("progress"))
        .def("search_trees", &search_core, py::arg("core"), py::arg("begin"), py::arg("end"),
             py::arg("threads"))
        .def(
            "greedy",
            [](Problem& p, Bytes mask, double stretch, bool hub, std::uint64_t seed, int threads,
               const Call& progress, const Elsewhere& elsewhere) {
                const Options o = options(stretch, seed, threads, progress);
                py::list out;
                std::vector<GreedyStats> all;
                std::int64_t number = 0;
                each_core(p, mask, [&]<typename W>(Core<W>& core, std::uint8_t* marks) {
                    const TreeProvider<W> trees = provider(core, number++, threads, elsewhere);
                    all.push_back(greedy(core, hub ? Start::kHub : Start::kEmpty, o, trees, marks));
                });
                for (const GreedyStats& s : all) {
                    py::dict d;
                    d["hub"] = s.hub;
                    d["paths"] = s.paths;
                    d["violations"] = s.violations;
                    out.append(d);
                }
                return out;
            },
            py::arg("mask").noconvert(), py::arg("stretch"), py::arg("hub"), py::arg("seed"),
            py::arg("threads"), py::arg("progress"), py::arg("trees"))
        .def(
            "prune",
            [](Problem& p, Bytes mask, double stretch, int threads, const Call& progress) {
                const Options o = options(stretch, 0, threads, progress);
                PruneStats sum;
                each_core(p, mask, [&](auto& core, std::uint8_t* marks) {
                    const PruneStats s = prune(core, o, marks);
                    sum.tried += s.tried;
                    sum.dropped += s.dropped;
                    sum.repairs += s.repairs;
                });
                py::dict d;
                d["tried"] = sum.tried;
                d["dropped"] = sum.dropped;
                d["repairs"] = sum.repairs;
                return d;
            },
            py::arg("mask").noconvert(), py::arg("stretch"), py::arg("threads"),
            py::arg("progress"));
}

}  // namespace wb
