// SPDX-License-Identifier: Apache-2.0
// Device memory comes as plain addresses, so that the extension needs no torch; their sizes and
// contents are workbench/ops/spgemm_cuda.py's to check.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

#include "core/cuda_device.hpp"
#include "core/gil_bind.hpp"
#include "spgemm/spgemm_cuda.hpp"

namespace wb {
namespace {

namespace py = pybind11;
using Address = std::uintptr_t;

template <typename T>
T* at(Address address) {
    return reinterpret_cast<T*>(address);
}

void check_call(std::int64_t rows, int device) {
    if (rows < 0 || rows > std::numeric_limits<std::int32_t>::max()) {
        throw std::invalid_argument("rows must be 0 to 2^31 - 1, got " + std::to_string(rows));
    }
    const int devices = cuda_device_count();
    if (devices == 0) {
        throw std::runtime_error(cuda_built()
                                     ? "no CUDA device is usable here"
                                     : "workbench was built without CUDA: install a CUDA "
                                       "compiler and rebuild with WB_CUDA=ON pip install .");
    }
    if (device < 0 || device >= devices) {
        throw std::invalid_argument("device must be 0 to " + std::to_string(devices - 1) +
                                    ", got " + std::to_string(device));
    }
}

spgemm::CudaRowWork row_work(std::int64_t rows, Address work) {
    auto* const first = at<std::int32_t>(work);
    return {first, first + rows, first + 2 * rows};
}

std::int64_t count(std::int64_t rows, Address a_ptr, Address a_idx, Address b_ptr, Address b_idx,
                   Address work, Address c_ptr, int device, Address stream) {
    check_call(rows, device);
    const WithoutGil unlocked;
    const spgemm::CudaOperands<float> m{
        rows,    at<const std::int32_t>(a_ptr), at<const std::int32_t>(a_idx),
        nullptr, at<const std::int32_t>(b_ptr), at<const std::int32_t>(b_idx),
        nullptr};
    const spgemm::CudaRowWork rows_work = row_work(rows, work);
    const spgemm::CudaQueue queue{device, at<void>(stream)};
#ifdef WB_HAVE_CUDA
    return spgemm::count_cuda(m, rows_work, at<std::int64_t>(c_ptr), queue);
#else
    (void)m, (void)rows_work, (void)c_ptr, (void)queue;
    return 0;
#endif
}

template <typename T>
void fill(std::int64_t rows, Address a_ptr, Address a_idx, Address a_val, Address b_ptr,
          Address b_idx, Address b_val, Address work, Address c_ptr, Address c_idx, Address c_val,
          int device, Address stream) {
    check_call(rows, device);
    const WithoutGil unlocked;
    const spgemm::CudaOperands<T> m{rows,
                                    at<const std::int32_t>(a_ptr),
                                    at<const std::int32_t>(a_idx),
                                    at<const T>(a_val),
                                    at<const std::int32_t>(b_ptr),
                                    at<const std::int32_t>(b_idx),
                                    at<const T>(b_val)};
    const spgemm::CudaRowWork rows_work = row_work(rows, work);
    const spgemm::CudaQueue queue{device, at<void>(stream)};
#ifdef WB_HAVE_CUDA
    spgemm::fill_cuda<T>(m, rows_work, at<const std::int64_t>(c_ptr), at<std::int32_t>(c_idx),
                         at<T>(c_val), queue);
#else
    (void)m, (void)rows_work, (void)c_ptr, (void)c_idx, (void)c_val, (void)queue;
#endif
}

template <typename T>
void bind_fill(py::module_& m, const char* name) {
    m.def(name, &fill<T>, py::arg("rows"), py::arg("a_ptr"), py::arg("a_idx"), py::arg("a_val"),
          py::arg("b_ptr"), py::arg("b_idx"), py::arg("b_val"), py::arg("work"), py::arg("c_ptr"),
          py::arg("c_idx"), py::arg("c_val"), py::arg("device"), py::arg("stream"),
          "Writes columns and values of a product counted before; arguments are addresses.");
}

}  // namespace

void bind_spgemm_cuda(py::module_& m) {
    m.def("spgemm_cuda_count", &count, py::arg("rows"), py::arg("a_ptr"), py::arg("a_idx"),
          py::arg("b_ptr"), py::arg("b_idx"), py::arg("work"), py::arg("c_ptr"), py::arg("device"),
          py::arg("stream"),
          "Writes row pointers (rows + 1, int64) and row work (3 rows, int32) of a product, and "
          "returns its number of entries; arguments are addresses.");
    bind_fill<float>(m, "spgemm_cuda_fill_f32");
    bind_fill<double>(m, "spgemm_cuda_fill_f64");
}

}  // namespace wb
