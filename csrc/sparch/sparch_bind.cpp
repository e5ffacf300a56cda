// SPDX-License-Identifier: Apache-2.0
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "sparch/sparch.hpp"

namespace wb {
namespace {

using Longs = Array<std::int64_t>;
using Ints = Array<std::int32_t>;
using Reals = Array<double>;

sparch::Pattern pattern_of(const Longs& indptr, const Ints& indices, std::int64_t cols,
                           const std::string& name) {
    check_shape(indptr, (name + "_indptr").c_str(), {kAnySize});
    check_shape(indices, (name + "_indices").c_str(), {kAnySize});
    return {indptr.size() - 1, cols, view(indptr), view(indices)};
}

template <typename T>
Array<T> array_of(const std::vector<T>& values) {
    Array<T> out = fresh_array<T>(static_cast<std::int64_t>(values.size()));
    std::copy(values.begin(), values.end(), out.mutable_data());
    return out;
}

py::tuple symbolic(const Longs& a_indptr, const Ints& a_indices, std::int64_t a_cols,
                   const Longs& b_indptr, const Ints& b_indices, std::int64_t b_cols) {
    const auto a = pattern_of(a_indptr, a_indices, a_cols, "a");
    const auto b = pattern_of(b_indptr, b_indices, b_cols, "b");
    const auto rows = std::max<py::ssize_t>(a.rows, 0);
    Longs products = fresh_array<std::int64_t>(rows), elements = fresh_array<std::int64_t>(rows);
    const auto to_products = mutable_view(products), to_elements = mutable_view(elements);
    {
        const WithoutGil unlocked;
        sparch::symbolic(a, b, to_products, to_elements);
    }
    return py::make_tuple(products, elements);
}

py::dict schedule(const Longs& a_indptr, const Ints& a_indices, std::int64_t a_cols,
                  const Longs& b_indptr, const Ints& b_indices, std::int64_t b_cols, bool condense,
                  std::int64_t order, std::int64_t weights, std::int64_t ways) {
    const auto a = pattern_of(a_indptr, a_indices, a_cols, "a");
    const auto b = pattern_of(b_indptr, b_indices, b_cols, "b");
    if (order < 0 || order > 2) {
        throw std::invalid_argument("order must be 0, 1 or 2, got " + std::to_string(order));
    }
    if (weights < 0 || weights > 2) {
        throw std::invalid_argument("weights must be 0, 1 or 2, got " + std::to_string(weights));
    }
    sparch::Schedule made;
    {
        const WithoutGil unlocked;
        made = sparch::schedule(a, b,
                                {condense, static_cast<sparch::Order>(order),
                                 static_cast<sparch::Weights>(weights), ways});
    }
    py::dict out;
    out["leaves"] = made.leaves;
    out["leaf_round"] = array_of(made.leaf_round);
    out["fresh"] = array_of(made.fresh);
    out["stored"] = array_of(made.stored);
    out["a_elements"] = array_of(made.a_elements);
    out["b_rows"] = array_of(made.b_rows);
    out["products"] = array_of(made.products);
    out["stored_elements"] = array_of(made.stored_elements);
    out["out_elements"] = array_of(made.out_elements);
    return out;
}

py::dict prefetch(const Longs& a_indptr, const Ints& a_indices, std::int64_t a_cols,
                  const Longs& b_indptr, const Ints& b_indices, std::int64_t b_cols,
                  const Longs& leaf_round, std::int64_t n_rounds, bool condense, std::int64_t lines,
                  std::int64_t line_elements, std::int64_t window) {
    const auto a = pattern_of(a_indptr, a_indices, a_cols, "a");
    const auto b = pattern_of(b_indptr, b_indices, b_cols, "b");
    check_shape(leaf_round, "leaf_round", {kAnySize});
    const auto rounds = view(leaf_round);
    sparch::Fetches made;
    {
        const WithoutGil unlocked;
        made = sparch::prefetch(a, b, rounds, n_rounds, condense, {lines, line_elements, window});
    }
    py::dict out;
    out["rows"] = array_of(made.rows);
    out["row_misses"] = array_of(made.row_misses);
    out["lines"] = array_of(made.lines);
    out["line_misses"] = array_of(made.line_misses);
    out["elements_read"] = array_of(made.elements_read);
    return out;
}

py::dict outerspace(const Longs& a_indptr, const Ints& a_indices, std::int64_t a_cols,
                    const Longs& b_indptr, const Ints& b_indices, std::int64_t b_cols,
                    std::int64_t element_bytes, std::int64_t align, std::int64_t units,
                    double bytes_per_cycle) {
    const auto a = pattern_of(a_indptr, a_indices, a_cols, "a");
    const auto b = pattern_of(b_indptr, b_indices, b_cols, "b");
    sparch::OuterSpaceCounts made;
    {
        const WithoutGil unlocked;
        made = sparch::outerspace(a, b, {element_bytes, align, units, bytes_per_cycle});
    }
    py::dict out;
    out["a_bytes"] = made.a_bytes;
    out["b_bytes"] = made.b_bytes;
    out["written_bytes"] = made.written_bytes;
    out["c_bytes"] = made.c_bytes;
    out["multiply_cycles"] = made.multiply_cycles;
    out["merge_cycles"] = made.merge_cycles;
    return out;
}

py::tuple merge(const Longs& a_keys, const Reals& a_values, const Longs& b_keys,
                const Reals& b_values, std::int64_t width, std::int64_t chunk) {
    check_shape(a_keys, "a_keys", {kAnySize});
    check_shape(a_values, "a_values", {kAnySize});
    check_shape(b_keys, "b_keys", {kAnySize});
    check_shape(b_values, "b_values", {kAnySize});
    const auto ak = view(a_keys), bk = view(b_keys);
    const auto av = view(a_values), bv = view(b_values);
    sparch::Merged made;
    {
        const WithoutGil unlocked;
        made = sparch::merge(ak, av, bk, bv, {width, chunk});
    }
    return py::make_tuple(array_of(made.keys), array_of(made.values), made.cycles,
                          made.comparators);
}

}  // namespace

void bind_sparch(py::module_& m) {
    const auto exact = [](const char* name) { return py::arg(name).noconvert(); };
    m.def("sparch_symbolic", &symbolic, exact("a_indptr"), exact("a_indices"), py::arg("a_cols"),
          exact("b_indptr"), exact("b_indices"), py::arg("b_cols"),
          "Products and stored elements of each row of C.");
    m.def("sparch_schedule", &schedule, exact("a_indptr"), exact("a_indices"), py::arg("a_cols"),
          exact("b_indptr"), exact("b_indices"), py::arg("b_cols"), py::arg("condense"),
          py::arg("order"), py::arg("weights"), py::arg("ways"),
          "The merge tree, round by round, with exact sizes.");
    m.def("sparch_prefetch", &prefetch, exact("a_indptr"), exact("a_indices"), py::arg("a_cols"),
          exact("b_indptr"), exact("b_indices"), py::arg("b_cols"), exact("leaf_round"),
          py::arg("n_rounds"), py::arg("condense"), py::arg("lines"), py::arg("line_elements"),
          py::arg("window"), "Hits and misses of the buffer of rows of B, round by round.");
    m.def("sparch_outerspace", &outerspace, exact("a_indptr"), exact("a_indices"),
          py::arg("a_cols"), exact("b_indptr"), exact("b_indices"), py::arg("b_cols"),
          py::arg("element_bytes"), py::arg("align"), py::arg("units"), py::arg("bytes_per_cycle"),
          "Bytes and cycles of OuterSPACE.");
    m.def("sparch_merge", &merge, exact("a_keys"), exact("a_values"), exact("b_keys"),
          exact("b_values"), py::arg("width"), py::arg("chunk"),
          "Two streams through a comparator array: keys, values, cycles, comparators.");
}

}  // namespace wb
