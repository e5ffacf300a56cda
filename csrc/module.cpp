// SPDX-License-Identifier: Apache-2.0
#include <pybind11/pybind11.h>

namespace wb {
void bind_core(pybind11::module_& m);
void bind_statevector(pybind11::module_& m);
void bind_statevector_cuda(pybind11::module_& m);
void bind_noise(pybind11::module_& m);
void bind_spgemm(pybind11::module_& m);
void bind_spgemm_cuda(pybind11::module_& m);
void bind_sparch(pybind11::module_& m);
void bind_paths(pybind11::module_& m);
void bind_alt(pybind11::module_& m);
void bind_spanner(pybind11::module_& m);
void bind_circuit_sim(pybind11::module_& m);
}  // namespace wb

PYBIND11_MODULE(_kernels, m) {
    m.doc() = "Compiled kernels of Workbench. Private: call them through workbench.ops.";
    wb::bind_core(m);
    wb::bind_statevector(m);
    wb::bind_statevector_cuda(m);
    wb::bind_noise(m);
    wb::bind_spgemm(m);
    wb::bind_spgemm_cuda(m);
    wb::bind_sparch(m);
    wb::bind_paths(m);
    wb::bind_alt(m);
    wb::bind_spanner(m);
    wb::bind_circuit_sim(m);
}
