// SPDX-License-Identifier: Apache-2.0
// What the bindings of this family share.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "spgemm/layout.hpp"
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

/// What a pattern has to be: canonical rows, or only columns in range.
enum class RowOrder { ascending, any };

/// The number of columns, where 32 bits can hold it.
inline std::int64_t columns_of(const py::handle& value, const char* name) {
    const auto cols = value.cast<std::int64_t>();
    if (cols < 0 || cols > INT32_MAX) {
        throw std::invalid_argument(std::string(name) + ": columns must be in [0, 2^31), got " +
                                    std::to_string(cols));
    }
    return cols;
}

/// Whether a pattern of four parts says that it has been checked: the fourth is true.
inline bool vouched(const py::tuple& t, const char* name) {
    if (t.size() == 4) return t[3].cast<bool>();
    if (t.size() == 3) return false;
    throw std::invalid_argument(std::string(name) +
                                " must be (indptr, indices, columns), and perhaps whether they "
                                "have been checked");
}

/// A vector of exactly this type: another one is refused, not converted.
template <typename T>
Array<T> vector_of(const py::handle& value, const char* name, const char* part) {
    if (!py::isinstance<Array<T>>(value)) {
        throw py::type_error(std::string(name) + ": " + part + " must be a contiguous " +
                             (sizeof(T) == 4 ? "int32" : "int64") + " array");
    }
    auto array = py::reinterpret_borrow<Array<T>>(value);
    check_shape(array, (std::string(name) + ": " + part).c_str(), {kAnySize});
    return array;
}

/// Every pattern the kernels read passes here, unless whoever gives it has checked it before.
template <typename P>
void check_pattern(const char* name, std::int64_t cols, const Array<P>& ptr, const Ints& idx,
                   bool checked, RowOrder wanted) {
    const std::string matrix(name);
    if (ptr.size() < 1) throw std::invalid_argument(matrix + ": indptr is empty");
    const std::int64_t count = ptr.size() - 1;
    if (checked) {
        if (ptr.data()[count] == idx.size()) return;
        throw std::invalid_argument(matrix + ": indptr must end at the number of indices");
    }
    const Order order = check_csr(name, count, cols, ptr.data(), idx.data(), idx.size(), 1);
    if (order != Order::canonical && wanted == RowOrder::ascending) {
        throw std::invalid_argument(matrix +
                                    ": columns must ascend within each row, and none stand twice");
    }
}

/// A CSR pattern as it comes from Python: row pointers, columns and the number of columns.
struct PatternArrays {
    Ints ptr, idx;
    std::int64_t cols;

    std::int64_t rows() const { return ptr.size() - 1; }

    template <typename T>
    Matrix<T> with(const T* values) const {
        return {rows(), cols, ptr.data(), idx.data(), values};
    }
};

inline PatternArrays pattern_of(const py::tuple& t, const char* name,
                                RowOrder order = RowOrder::ascending) {
    const bool checked = vouched(t, name);
    const std::int64_t cols = columns_of(t[2], name);
    PatternArrays p{vector_of<std::int32_t>(t[0], name, "indptr"),
                    vector_of<std::int32_t>(t[1], name, "indices"), cols};
    check_pattern(name, cols, p.ptr, p.idx, checked, order);
    return p;
}

}  // namespace wb::spgemm
