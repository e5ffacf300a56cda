// SPDX-License-Identifier: Apache-2.0
#include "core/cuda_device.hpp"

#ifdef WB_HAVE_CUDA
#include <cuda_runtime_api.h>
#endif

namespace wb {

bool cuda_built() {
#ifdef WB_HAVE_CUDA
    return true;
#else
    return false;
#endif
}

int cuda_device_count() {
#ifdef WB_HAVE_CUDA
    int count = 0;
    if (cudaGetDeviceCount(&count) != cudaSuccess) {
        cudaGetLastError();  // a machine without a driver is not an error of the next call
        return 0;
    }
    return count;
#else
    return 0;
#endif
}

std::string cuda_device_name(int device) {
#ifdef WB_HAVE_CUDA
    cudaDeviceProp properties;
    if (device < cuda_device_count() &&
        cudaGetDeviceProperties(&properties, device) == cudaSuccess) {
        return std::string(properties.name) + " (compute capability " +
               std::to_string(properties.major) + "." + std::to_string(properties.minor) + ")";
    }
#else
    (void)device;
#endif
    return {};
}

}  // namespace wb
