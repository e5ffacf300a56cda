// SPDX-License-Identifier: Apache-2.0
#include <omp.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdint>
#include <vector>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "core/cuda_device.hpp"
#include "core/interrupt.hpp"
#include "core/isa.hpp"
#include "core/poison.hpp"
#include "core/scratch.hpp"

namespace py = pybind11;

namespace wb {
namespace {

/// Holds a lease of so many bytes for each of `sizes` at the same time; returns their addresses.
void hold(const std::vector<std::int64_t>& sizes, std::size_t at,
          std::vector<std::uintptr_t>& addresses) {
    if (at == sizes.size()) return;
    const Scratch<std::byte> lease(sizes[at]);
    addresses.push_back(reinterpret_cast<std::uintptr_t>(lease.data()));
    hold(sizes, at + 1, addresses);
}

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
            if (const int byte = poison_byte()) info["poison"] = byte;
            return info;
        },
        "How the kernels were built and what they run on.");
    m.def(
        "scratch_leases",
        [](const std::vector<std::int64_t>& sizes) {
            std::vector<std::uintptr_t> addresses;
            hold(sizes, 0, addresses);
            return addresses;
        },
        "Where a thread's scratch lies that is leased for so many bytes each, all at once.");
    m.def(
        "scratch_parts",
        [](const std::vector<std::int64_t>& counted, const std::vector<std::int64_t>& taken) {
            Parts counter;
            for (const std::int64_t count : counted) counter.take<double>(count);
            const AlignedBytes memory = aligned_bytes(counter.bytes());
            Parts parts(memory.get(), counter.bytes());
            for (const std::int64_t count : taken) parts.take<double>(count);
            return counter.bytes();
        },
        "Bytes counted for some parts of doubles; taking more of them than was counted throws.");
    m.def("poison_byte", &poison_byte, "What fresh memory is filled with (WB_POISON), 0: nothing.");
}

}  // namespace wb
