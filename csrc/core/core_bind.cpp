// SPDX-License-Identifier: Apache-2.0
#include <omp.h>
#include <pybind11/pybind11.h>

#include "core/cuda_device.hpp"
#include "core/isa.hpp"

namespace py = pybind11;

namespace wb {

void bind_core(py::module_& m) {
    m.def(
        "build_info",
        [] {
            py::dict info;
            info["isa"] = isa_name(active_isa());
            info["detected_isa"] = isa_name(detected_isa());
            info["cuda_built"] = cuda_built();
            info["cuda_devices"] = cuda_device_count();
            info["cuda_device"] = cuda_device_name(0);
            info["threads"] = omp_get_max_threads();
            info["compiler"] = WB_COMPILER;
            info["build_type"] = WB_BUILD_TYPE;
            info["sanitizers"] = WB_SANITIZE;
            return info;
        },
        "How the kernels were built and what they run on.");
}

}  // namespace wb
