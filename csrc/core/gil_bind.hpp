// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <pybind11/pybind11.h>

#include "core/interrupt.hpp"

namespace wb {

/// Releases Python's lock while a kernel runs, and lets Ctrl-C and other signals end the kernel.
class WithoutGil {
  public:
    WithoutGil() = default;
    WithoutGil(const WithoutGil&) = delete;
    WithoutGil& operator=(const WithoutGil&) = delete;

  private:
    pybind11::gil_scoped_release release_;
    Interruptible interruptible_;
};

}  // namespace wb
