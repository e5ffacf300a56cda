// SPDX-License-Identifier: Apache-2.0
// Checked NumPy arrays at the border: every binding takes its arrays through these, so that
// dtype, rank, layout and size are verified in one place before a kernel sees a pointer.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/poison.hpp"

namespace wb {

namespace py = pybind11;

template <typename T>
using Array = py::array_t<T, py::array::c_style>;

inline constexpr std::int64_t kAnySize = -1;

/// Throws std::invalid_argument naming the argument unless the shape is the expected one
/// (kAnySize matches every length).
template <typename T>
void check_shape(const Array<T>& array, const char* name,
                 std::initializer_list<std::int64_t> expected) {
    bool same = array.ndim() == static_cast<py::ssize_t>(expected.size());
    std::string want;
    py::ssize_t axis = 0;
    for (std::int64_t size : expected) {
        if (same && size != kAnySize && array.shape(axis) != size) same = false;
        want += (axis ? ", " : "") + (size == kAnySize ? std::string("any") : std::to_string(size));
        ++axis;
    }
    if (same) return;
    std::string got;
    for (py::ssize_t i = 0; i < array.ndim(); ++i) {
        got += (i ? ", " : "") + std::to_string(array.shape(i));
    }
    throw std::invalid_argument(std::string(name) + " must have shape (" + want + "), got (" + got +
                                ")");
}

/// A new array without initial values: the one way in which bindings make results.
template <typename T>
Array<T> fresh_array(std::vector<py::ssize_t> shape) {
    Array<T> array(std::move(shape));
    poison(array.mutable_data(), static_cast<std::size_t>(array.nbytes()));
    return array;
}

template <typename T>
Array<T> fresh_array(std::int64_t size) {
    return fresh_array<T>(std::vector<py::ssize_t>{size});
}

template <typename T>
std::span<const T> view(const Array<T>& array) {
    return {array.data(), static_cast<std::size_t>(array.size())};
}

template <typename T>
std::span<T> mutable_view(Array<T>& array) {
    return {array.mutable_data(), static_cast<std::size_t>(array.size())};
}

}  // namespace wb
