// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace wb {

/// Whether the CUDA sources were compiled into this module.
bool cuda_built();

/// Number of usable CUDA devices; 0 without CUDA, without a driver or without a device.
int cuda_device_count();

/// "name (compute capability x.y)" of a device; empty where there is none.
std::string cuda_device_name(int device);

}  // namespace wb
