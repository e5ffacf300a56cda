// SPDX-License-Identifier: Apache-2.0
#include <pybind11/complex.h>
#include <pybind11/stl.h>

#include <complex>

#include "spgemm/matrices_bind.hpp"
#include "spgemm/plan.hpp"
#include "spgemm/values.hpp"

namespace wb {
namespace {

using namespace spgemm;

/// C's pattern: (indptr, indices, columns) with row pointers of either width.
struct PlacesArrays {
    py::array ptr;
    Ints idx;
    std::int64_t cols = 0;

    explicit PlacesArrays(const py::tuple& t) {
        const bool checked = vouched(t, "C");
        cols = columns_of(t[2], "C");
        idx = vector_of<std::int32_t>(t[1], "C", "indices");
        if (py::isinstance<Ints>(t[0])) {
            const auto narrow = vector_of<std::int32_t>(t[0], "C", "indptr");
            check_pattern("C", cols, narrow, idx, checked, RowOrder::ascending);
            ptr = narrow;
        } else {
            const auto wide = vector_of<std::int64_t>(t[0], "C", "indptr");
            check_pattern("C", cols, wide, idx, checked, RowOrder::ascending);
            ptr = wide;
        }
    }

    Places places() const {
        const std::int64_t rows = ptr.size() - 1;
        if (py::isinstance<Ints>(ptr)) {
            return {rows, cols, static_cast<const std::int32_t*>(ptr.data()), idx.data()};
        }
        return {rows, cols, static_cast<const std::int64_t*>(ptr.data()), idx.data()};
    }
};

void check_fit(const PatternArrays& a, const PatternArrays& b, const PlacesArrays& c) {
    if (a.cols != b.rows() || c.places().rows != a.rows() || c.cols != b.cols) {
        throw std::invalid_argument("the shapes of A, B and C do not fit");
    }
}

/// NumPy's booleans are bytes; the kernels have a type of their own for them.
template <typename T>
using InNumpy = std::conditional_t<std::is_same_v<T, Bool>, bool, T>;

template <typename T>
const T* values_in(const Array<InNumpy<T>>& array) {
    return reinterpret_cast<const T*>(array.data());
}

template <typename T>
void bind_values(py::module_& m, const std::string& suffix) {
    using N = InNumpy<T>;
    m.def(("spgemm_values_" + suffix).c_str(),
          [](int semiring, const py::tuple& a, const Array<N>& a_val, const py::tuple& b,
             const Array<N>& b_val, const py::tuple& c, Array<N>& out, std::optional<Ints> won_a,
             std::optional<Ints> won_b, int threads) {
              const PatternArrays pa = pattern_of(a, "A"), pb = pattern_of(b, "B");
              const PlacesArrays pc(c);
              check_fit(pa, pb, pc);
              check_shape(a_val, "values of A", {pa.idx.size()});
              check_shape(b_val, "values of B", {pb.idx.size()});
              check_shape(out, "values of C", {pc.idx.size()});
              Winners winners;
              if (won_a && won_b) {
                  check_shape(*won_a, "winners in A", {pc.idx.size()});
                  check_shape(*won_b, "winners in B", {pc.idx.size()});
                  winners = {won_a->mutable_data(), won_b->mutable_data()};
              }
              T* to = reinterpret_cast<T*>(out.mutable_data());
              const Places places = pc.places();
              const WithoutGil unlocked;
              values_on<T>(static_cast<Semiring>(semiring), pa.with(values_in<T>(a_val)),
                           pb.with(values_in<T>(b_val)), places, to, winners, threads);
          },
          py::arg("semiring"), py::arg("a"), py::arg("a_val").noconvert(), py::arg("b"),
          py::arg("b_val").noconvert(), py::arg("c"), py::arg("out").noconvert(),
          py::arg("won_a").noconvert(), py::arg("won_b").noconvert(), py::arg("threads"));
    m.def(("spgemm_masked_" + suffix).c_str(),
          [](int semiring, const py::tuple& a, const Array<N>& a_val, const py::tuple& b,
             const Array<N>& b_val, const py::tuple& mask, bool wide, int threads) {
              const PatternArrays pa = pattern_of(a, "A"), pb = pattern_of(b, "B");
              const PlacesArrays pm(mask);
              check_fit(pa, pb, pm);
              check_shape(a_val, "values of A", {pa.idx.size()});
              check_shape(b_val, "values of B", {pb.idx.size()});
              const Places places = pm.places();
              Product c;
              {
                  const WithoutGil unlocked;
                  c = multiply_masked<T>(static_cast<Semiring>(semiring),
                                         pa.with(values_in<T>(a_val)), pb.with(values_in<T>(b_val)),
                                         places, wide, threads);
              }
              return arrays_of(c, py::dtype::of<N>());
          },
          py::arg("semiring"), py::arg("a"), py::arg("a_val").noconvert(), py::arg("b"),
          py::arg("b_val").noconvert(), py::arg("mask"), py::arg("wide"), py::arg("threads"));
}

template <typename T>
void bind_gradients(py::module_& m, const std::string& suffix) {
    m.def(("spgemm_gradients_" + suffix).c_str(),
          [](const py::tuple& a, const Array<T>& a_val, const py::tuple& b, const Array<T>& b_val,
             const py::tuple& c, const Array<T>& g, std::optional<Array<T>> grad_a,
             std::optional<Array<T>> grad_b, int threads) {
              const PatternArrays pa = pattern_of(a, "A"), pb = pattern_of(b, "B");
              const PlacesArrays pc(c);
              check_fit(pa, pb, pc);
              check_shape(a_val, "values of A", {pa.idx.size()});
              check_shape(b_val, "values of B", {pb.idx.size()});
              check_shape(g, "gradient of C", {pc.idx.size()});
              T *to_a = nullptr, *to_b = nullptr;
              if (grad_a) {
                  check_shape(*grad_a, "gradient of A", {pa.idx.size()});
                  to_a = grad_a->mutable_data();
              }
              if (grad_b) {
                  check_shape(*grad_b, "gradient of B", {pb.idx.size()});
                  to_b = grad_b->mutable_data();
              }
              const Places places = pc.places();
              const T* from = g.data();
              const WithoutGil unlocked;
              gradients<T>(pa.with(a_val.data()), pb.with(b_val.data()), places, from, to_a, to_b,
                           threads);
          },
          py::arg("a"), py::arg("a_val").noconvert(), py::arg("b"), py::arg("b_val").noconvert(),
          py::arg("c"), py::arg("g").noconvert(), py::arg("grad_a").noconvert(),
          py::arg("grad_b").noconvert(), py::arg("threads"));
}

template <typename T>
void refill_arrays(const Plan& plan, const py::tuple& a, const Array<T>& a_val, const py::tuple& b,
                   const Array<T>& b_val, const py::tuple& c, Array<T>& out, int threads) {
    const PatternArrays pa = pattern_of(a, "A"), pb = pattern_of(b, "B");
    const PlacesArrays pc(c);
    check_fit(pa, pb, pc);
    check_shape(a_val, "values of A", {pa.idx.size()});
    check_shape(b_val, "values of B", {pb.idx.size()});
    check_shape(out, "values of C", {pc.idx.size()});
    const Places places = pc.places();
    T* to = out.mutable_data();
    const WithoutGil unlocked;
    plan.refill<T>(pa.with(a_val.data()), pb.with(b_val.data()), places, to, threads);
}

}  // namespace

void bind_spgemm_values(py::module_& m) {
    bind_values<float>(m, "f32");
    bind_values<double>(m, "f64");
    bind_values<std::int32_t>(m, "i32");
    bind_values<std::int64_t>(m, "i64");
    bind_values<std::complex<float>>(m, "c64");
    bind_values<std::complex<double>>(m, "c128");
    bind_values<Bool>(m, "bool");
    bind_gradients<float>(m, "f32");
    bind_gradients<double>(m, "f64");
    bind_gradients<std::complex<float>>(m, "c64");
    bind_gradients<std::complex<double>>(m, "c128");
    py::class_<Plan>(m, "SpGEMMPlan", "What repeated products on one pattern share.")
        .def(py::init([](const py::tuple& a, const py::tuple& b, const py::tuple& c, int threads) {
                 const PatternArrays pa = pattern_of(a, "A"), pb = pattern_of(b, "B");
                 const PlacesArrays pc(c);
                 check_fit(pa, pb, pc);
                 const Places places = pc.places();
                 const WithoutGil unlocked;
                 return std::make_unique<Plan>(PatternView{pa.rows(), pa.ptr.data(), pa.idx.data()},
                                               PatternView{pb.rows(), pb.ptr.data(), pb.idx.data()},
                                               places, threads);
             }),
             py::arg("a"), py::arg("b"), py::arg("c"), py::arg("threads"))
        .def_property_readonly("nbytes", &Plan::bytes)
        .def("refill", &refill_arrays<float>, py::arg("a"), py::arg("a_val").noconvert(),
             py::arg("b"), py::arg("b_val").noconvert(), py::arg("c"), py::arg("out").noconvert(),
             py::arg("threads"))
        .def("refill", &refill_arrays<double>, py::arg("a"), py::arg("a_val").noconvert(),
             py::arg("b"), py::arg("b_val").noconvert(), py::arg("c"), py::arg("out").noconvert(),
             py::arg("threads"));
}

}  // namespace wb
