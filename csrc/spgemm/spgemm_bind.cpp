// SPDX-License-Identifier: Apache-2.0
// Matrices cross as (indptr, indices, columns) with canonical int32 arrays, values beside them.
#include <pybind11/stl.h>

#include "core/scratch.hpp"
#include "spgemm/dense.hpp"
#include "spgemm/layout.hpp"
#include "spgemm/matrices_bind.hpp"

namespace wb {
namespace {

using namespace spgemm;

template <typename T>
py::tuple multiply_arrays(const py::tuple& a, const T* a_val, const py::tuple& b, const T* b_val,
                          int threads, bool wide) {
    const PatternArrays pa = pattern_of(a, "A"), pb = pattern_of(b, "B");
    Options options;
    options.threads = threads;
    options.wide_indices = wide;
    Product c;
    {
        const WithoutGil unlocked;
        c = multiply<T>(pa.with(a_val), pb.with(b_val), options);
    }
    if constexpr (sizeof(T) > 1) return arrays_of(c, py::dtype::of<T>());
    return arrays_of(c, std::nullopt);
}

template <typename T>
void bind_floating(py::module_& m, const std::string& suffix) {
    m.def(("spgemm_multiply_" + suffix).c_str(),
          [](const py::tuple& a, const Array<T>& a_val, const py::tuple& b, const Array<T>& b_val,
             int threads, bool wide) {
              check_shape(a_val, "values of A", {static_cast<std::int64_t>(py::len(a[1]))});
              check_shape(b_val, "values of B", {static_cast<std::int64_t>(py::len(b[1]))});
              return multiply_arrays<T>(a, a_val.data(), b, b_val.data(), threads, wide);
          },
          py::arg("a"), py::arg("a_val").noconvert(), py::arg("b"), py::arg("b_val").noconvert(),
          py::arg("threads"), py::arg("wide"));
    m.def(("spmm_" + suffix).c_str(),
          [](const py::tuple& a, const Array<T>& a_val, const Array<T>& x, Array<T>& out,
             int threads) {
              const PatternArrays p = pattern_of(a, "A");
              check_shape(a_val, "values of A", {p.idx.size()});
              check_shape(x, "X", {p.cols, kAnySize});
              check_shape(out, "out", {p.rows(), x.shape(1)});
              const std::int64_t width = x.shape(1);
              const T* from = x.data();
              T* to = out.mutable_data();
              const WithoutGil unlocked;
              spmm<T>(p.with(a_val.data()), from, width, to, threads);
          },
          py::arg("a"), py::arg("a_val").noconvert(), py::arg("x").noconvert(),
          py::arg("out").noconvert(), py::arg("threads"));
    m.def(("sddmm_" + suffix).c_str(),
          [](const py::tuple& pattern, const Array<T>& x, const Array<T>& y, Array<T>& out,
             int threads) {
              const PatternArrays p = pattern_of(pattern, "pattern");
              check_shape(x, "X", {p.rows(), kAnySize});
              check_shape(y, "Y", {p.cols, x.shape(1)});
              check_shape(out, "out", {p.idx.size()});
              const std::int64_t width = x.shape(1);
              const T *left = x.data(), *right = y.data();
              T* to = out.mutable_data();
              const WithoutGil unlocked;
              sddmm<T>(p.with<T>(nullptr), left, right, width, to, threads);
          },
          py::arg("pattern"), py::arg("x").noconvert(), py::arg("y").noconvert(),
          py::arg("out").noconvert(), py::arg("threads"));
}

template <typename I>
void bind_check(py::module_& m, const char* name) {
    m.def(
        name,
        [](const std::string& matrix, std::int64_t cols, const Array<I>& ptr, const Array<I>& idx,
           int threads) {
            check_shape(ptr, (matrix + ": indptr").c_str(), {kAnySize});
            check_shape(idx, (matrix + ": indices").c_str(), {kAnySize});
            if (ptr.size() < 1) throw std::invalid_argument(matrix + ": indptr is empty");
            const std::int64_t rows = ptr.size() - 1, nnz = idx.size();
            const I *p = ptr.data(), *i = idx.data();
            const WithoutGil unlocked;
            return static_cast<int>(check_csr(matrix.c_str(), rows, cols, p, i, nnz, threads));
        },
        py::arg("matrix"), py::arg("cols"), py::arg("indptr").noconvert(),
        py::arg("indices").noconvert(), py::arg("threads"),
        "0: rows strictly sorted; 1: sorted, with repetitions; 2: not sorted.");
}

}  // namespace

void bind_spgemm_values(py::module_& m);

void bind_spgemm(py::module_& m) {
    bind_floating<float>(m, "f32");
    bind_floating<double>(m, "f64");
    bind_check<std::int32_t>(m, "csr_check_i32");
    bind_check<std::int64_t>(m, "csr_check_i64");
    m.def(
        "spgemm_multiply_pattern",
        [](const py::tuple& a, const py::tuple& b, int threads, bool wide) {
            return multiply_arrays<NoValue>(a, nullptr, b, nullptr, threads, wide);
        },
        py::arg("a"), py::arg("b"), py::arg("threads"), py::arg("wide"));
    m.def(
        "spgemm_products",
        [](const py::tuple& a, const py::tuple& b, int threads) {
            const PatternArrays pa = pattern_of(a, "A"), pb = pattern_of(b, "B");
            if (pa.cols != pb.rows()) throw std::invalid_argument("A and B do not fit");
            return count_products(pa.rows(), pa.ptr.data(), pa.idx.data(), pb.ptr.data(), threads);
        },
        py::arg("a"), py::arg("b"), py::arg("threads"));
    m.def(
        "csr_transpose",
        [](const py::tuple& a) {
            const PatternArrays p = pattern_of(a, "A", RowOrder::any);
            Ints ptr = fresh_array<std::int32_t>(p.cols + 1);
            Ints idx = fresh_array<std::int32_t>(p.idx.size());
            Ints source = fresh_array<std::int32_t>(p.idx.size());
            std::int32_t *tp = ptr.mutable_data(), *ti = idx.mutable_data(),
                         *from = source.mutable_data();
            {
                const WithoutGil unlocked;
                transpose(p.rows(), p.cols, p.ptr.data(), p.idx.data(), tp, ti, from);
            }
            return py::make_tuple(ptr, idx, source);
        },
        py::arg("a"), "(indptr, indices, entry of A that each comes from) of the transpose.");
    m.def(
        "pooled_empty",
        [](std::int64_t count, const py::dtype& dtype) {
            const std::int64_t most = INT64_MAX / std::max<std::int64_t>(1, dtype.itemsize());
            if (count < 0 || count > most) {
                throw std::invalid_argument("count must be in [0, " + std::to_string(most) +
                                            "], got " + std::to_string(count));
            }
            const auto bytes = bytes_of(count, static_cast<std::size_t>(dtype.itemsize()));
            auto memory = std::make_shared<Pooled>(bytes);
            memory->set_written(bytes);
            return owned(dtype, count, memory);
        },
        py::arg("count"), py::arg("dtype"), "A vector without initial values from the pool.");
    m.def("release_pool", &release_pool, "Gives memory kept for the next results back.");
    bind_spgemm_values(m);
}

}  // namespace wb
