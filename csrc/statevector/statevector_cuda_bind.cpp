// SPDX-License-Identifier: Apache-2.0
#include "core/array_bind.hpp"
#include "core/cuda_device.hpp"
#include "core/gil_bind.hpp"
#include "statevector/statevector.hpp"
#include "statevector/statevector_cuda.hpp"

namespace wb {
namespace {

template <typename T>
Array<T> expectation_cuda(const Array<std::int64_t>& code, const Array<double>& data, int n_wires,
                          const Array<std::int64_t>& terms, const Array<double>& coefficients,
                          int n_rows, const Array<T>& weights, const Array<T>& inputs) {
    check_shape(weights, "weights", {kAnySize});
    check_shape(inputs, "inputs", {kAnySize, kAnySize});
    check_shape(terms, "observable terms", {coefficients.size(), 3});
    constexpr int limit = statevector::kMaxCudaWires<T>;
    if (n_wires < 1 || n_wires > limit) {
        throw std::invalid_argument("on a CUDA device a circuit must have 1 to " +
                                    std::to_string(limit) + " wires, got " +
                                    std::to_string(n_wires) + "; move the parameters to the CPU");
    }
    if (cuda_device_count() == 0) {
        throw std::runtime_error(cuda_built()
                                     ? "no CUDA device is usable here"
                                     : "workbench was built without CUDA: install a CUDA "
                                       "compiler and rebuild with WB_CUDA=ON pip install .");
    }
    const std::int64_t batch = inputs.shape(0);
    const auto plan =
        statevector::cached_plan(view(code), view(data), n_wires, static_cast<int>(weights.size()),
                                 static_cast<int>(inputs.shape(1)));
    const auto observables =
        statevector::make_observables(n_rows, n_wires, view(terms), view(coefficients));
    Array<T> values = fresh_array<T>({batch, static_cast<py::ssize_t>(n_rows)});
    const T* w = weights.data();
    const T* x = inputs.data();
    T* out = values.mutable_data();
    {
        const WithoutGil unlocked;
        statevector::CudaBatch<T> samples{batch, {}, {}};
        samples.coefficients.resize(static_cast<std::size_t>(batch * plan->n_coefficients));
        samples.start.resize(static_cast<std::size_t>(batch * 4 * n_wires));
        statevector::evaluate_samples<T>(*plan, w, x, batch, samples.coefficients.data(),
                                         samples.start.data());
#ifdef WB_HAVE_CUDA
        statevector::CudaPlan compiled{plan->view(), plan->wires.size(), plan->data.size(),
                                       observables.terms, n_rows};
        for (statevector::Term& t : compiled.terms) {  // swaps renamed wires
            std::uint64_t px = 0, pz = 0;
            for (std::size_t k = 0; k < plan->place.size(); ++k) {
                px |= (t.x >> k & 1) << plan->place[k];
                pz |= (t.z >> k & 1) << plan->place[k];
            }
            t.x = px;
            t.z = pz;
        }
        if (batch > 0) statevector::expectation_cuda<T>(compiled, samples, out);
#else
        (void)out;
#endif
    }
    return values;
}

template <typename T>
void bind_typed(py::module_& m, const char* name) {
    m.def(name, &expectation_cuda<T>, py::arg("code").noconvert(), py::arg("data").noconvert(),
          py::arg("n_wires"), py::arg("terms").noconvert(), py::arg("coefficients").noconvert(),
          py::arg("n_rows"), py::arg("weights").noconvert(), py::arg("inputs").noconvert(),
          "Expectation values (batch, n_rows) computed on the current CUDA device.");
}

}  // namespace

void bind_statevector_cuda(py::module_& m) {
    bind_typed<float>(m, "statevector_expectation_cuda_f32");
    bind_typed<double>(m, "statevector_expectation_cuda_f64");
}

}  // namespace wb
