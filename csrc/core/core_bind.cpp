// SPDX-License-Identifier: Apache-2.0
#include <omp.h>
#include <pybind11/pybind11.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "core/cuda_device.hpp"
#include "core/interrupt.hpp"
#include "core/isa.hpp"

namespace py = pybind11;

namespace wb {
namespace {

/// Whether Python handles signals on this thread, told without its lock.
bool may_handle_signals() {
#ifdef __linux__
    if (syscall(SYS_gettid) != getpid()) return false;
#endif
    // A thread that waits for the lock of an interpreter on its way out would not come back.
#if PY_VERSION_HEX >= 0x030d0000
    return Py_IsInitialized() != 0 && Py_IsFinalizing() == 0;
#else
    return Py_IsInitialized() != 0 && _Py_IsFinalizing() == 0;
#endif
}

/// Runs the handlers of signals that wait; one that raises, as Ctrl-C's does, ends the kernel.
bool ask_for_signals() {
    if (!may_handle_signals()) return false;
    const py::gil_scoped_acquire acquire;
    // Holds references, but takes the lock itself wherever it is dropped.
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    return true;
}

}  // namespace

void bind_core(py::module_& m) {
    set_interrupt_hook(&ask_for_signals);
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
