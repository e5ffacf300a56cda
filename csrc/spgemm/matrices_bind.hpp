// SPDX-License-Identifier: Apache-2.0
// What the bindings of this family share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "spgemm/spgemm.hpp"

namespace wb::spgemm {

using Ints = Array<std::int32_t>;
using Longs = Array<std::int64_t>;

/// An array over pooled memory, which lives as long as the array.
inline py::array owned(const py::dtype& dtype, std::int64_t count,
                       const std::shared_ptr<Pooled>& memory) {
    auto keeper = std::make_unique<std::shared_ptr<Pooled>>(memory);
    const py::capsule base(keeper.get(),
                           [](void* p) { delete static_cast<std::shared_ptr<Pooled>*>(p); });
    keeper.release();
    return py::array(dtype, {count}, {dtype.itemsize()}, memory->data(), base);
}

/// (indptr, indices, values) of a product; `values` is None for a pattern.
inline py::tuple arrays_of(const Product& c, const std::optional<py::dtype>& dtype) {
    const py::dtype index = c.wide ? py::dtype::of<std::int64_t>() : py::dtype::of<std::int32_t>();
    py::object values = py::none();
    if (dtype) values = owned(*dtype, c.nnz, c.val);
    return py::make_tuple(owned(index, c.rows + 1, c.ptr), owned(index, c.nnz, c.idx), values);
}

/// A CSR pattern as it comes from Python: row pointers, columns and the number of columns.
struct PatternArrays {
    Ints ptr, idx;
    std::int64_t cols;

    std::int64_t rows() const { return ptr.size() - 1; }

    void check(const char* name) const {
        check_shape(ptr, name, {kAnySize});
        check_shape(idx, name, {kAnySize});
        if (ptr.size() < 1) throw std::invalid_argument(std::string(name) + ": indptr is empty");
        if (ptr.data()[rows()] != idx.size()) {
            throw std::invalid_argument(std::string(name) +
                                        ": indptr must end at the number of indices");
        }
    }

    template <typename T>
    Matrix<T> with(const T* values) const {
        return {rows(), cols, ptr.data(), idx.data(), values};
    }
};

inline PatternArrays pattern_of(const py::tuple& t, const char* name) {
    if (t.size() != 3) throw std::invalid_argument(std::string(name) + " must have three parts");
    PatternArrays p{t[0].cast<Ints>(), t[1].cast<Ints>(), t[2].cast<std::int64_t>()};
    p.check(name);
    return p;
}

}  // namespace wb::spgemm
