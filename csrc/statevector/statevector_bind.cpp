// SPDX-License-Identifier: Apache-2.0
#include <pybind11/complex.h>
#include <pybind11/stl.h>

#include <complex>
#include <optional>
#include <tuple>

#include "core/array_bind.hpp"
#include "core/gil_bind.hpp"
#include "statevector/statevector.hpp"
#include "statevector/tangent.hpp"

namespace wb {
namespace {

using statevector::Observables;
using Words = Array<std::int64_t>;
using Numbers = Array<double>;

constexpr int kMaxWires = 30;

std::shared_ptr<const statevector::Plan> plan_of(const Words& code, const Numbers& data,
                                                 int n_wires, std::int64_t n_weights,
                                                 std::int64_t n_inputs, bool given_start = false) {
    if (n_wires < 1 || n_wires > kMaxWires) {
        throw std::invalid_argument("n_wires must be in [1, " + std::to_string(kMaxWires) +
                                    "], got " + std::to_string(n_wires));
    }
    for (const std::int64_t count : {n_weights, n_inputs}) {
        if (count < 0 || count > INT32_MAX) {
            throw std::invalid_argument("weights and inputs must be fewer than 2^31, got " +
                                        std::to_string(count));
        }
    }
    check_shape(code, "code", {kAnySize});
    check_shape(data, "data", {kAnySize});
    return statevector::cached_plan(view(code), view(data), n_wires, static_cast<int>(n_weights),
                                    static_cast<int>(n_inputs), given_start);
}

Observables observables_of(int n_wires, std::int64_t n_rows, const Words& terms,
                           const Numbers& coefficients) {
    if (n_rows > INT32_MAX) {
        throw std::invalid_argument("observables must have fewer than 2^31 rows, got " +
                                    std::to_string(n_rows));
    }
    check_shape(terms, "observable terms", {coefficients.size(), 3});
    return statevector::make_observables(static_cast<int>(n_rows), n_wires, view(terms),
                                         view(coefficients));
}

template <typename T>
void check_aligned(const Array<T>& state) {
    // An empty array may point anywhere.
    if (state.size() != 0 && reinterpret_cast<std::uintptr_t>(state.data()) % 64 != 0) {
        throw std::invalid_argument("state must be aligned to 64 bytes");
    }
}

template <typename T>
using Amplitudes = Array<std::complex<T>>;

/// The states to begin with, or null.
template <typename T>
const T* start_of(const std::optional<Amplitudes<T>>& start, std::int64_t batch, int n_wires) {
    if (!start) return nullptr;
    check_shape(*start, "start", {batch, std::int64_t{1} << n_wires});
    return reinterpret_cast<const T*>(start->data());
}

template <typename T>
T* gradient_of(std::optional<Amplitudes<T>>& gradient, std::int64_t batch, int n_wires) {
    if (!gradient) return nullptr;
    check_shape(*gradient, "start_gradient", {batch, std::int64_t{1} << n_wires});
    return reinterpret_cast<T*>(gradient->mutable_data());
}

template <typename T>
void expectation(const Words& code, const Numbers& data, int n_wires, const Words& terms,
                 const Numbers& coefficients, const Array<T>& weights, const Array<T>& inputs,
                 Array<T>& values, std::optional<Array<T>> state,
                 const std::optional<Amplitudes<T>>& start) {
    check_shape(weights, "weights", {kAnySize});
    check_shape(inputs, "inputs", {kAnySize, kAnySize});
    check_shape(values, "values", {inputs.shape(0), kAnySize});
    const std::int64_t batch = inputs.shape(0);
    const auto plan =
        plan_of(code, data, n_wires, weights.size(), inputs.shape(1), start.has_value());
    const T* first = start_of<T>(start, batch, n_wires);
    const Observables observables = observables_of(n_wires, values.shape(1), terms, coefficients);
    T* saved = nullptr;
    if (state) {
        check_shape(*state, "state", {statevector::state_size<T>(n_wires, batch)});
        saved = state->mutable_data();
        check_aligned(*state);
    }
    const T* w = weights.data();
    const T* x = inputs.data();
    T* out = values.mutable_data();
    const WithoutGil unlocked;
    statevector::forward<T>(*plan, w, x, batch, &observables, out, saved, nullptr, first);
}

template <typename T>
void amplitudes(const Words& code, const Numbers& data, int n_wires, const Array<T>& weights,
                const Array<T>& inputs, Array<std::complex<T>>& amplitudes,
                std::optional<Array<T>> state, const std::optional<Amplitudes<T>>& start) {
    check_shape(weights, "weights", {kAnySize});
    check_shape(inputs, "inputs", {kAnySize, kAnySize});
    const std::int64_t batch = inputs.shape(0);
    const auto plan =
        plan_of(code, data, n_wires, weights.size(), inputs.shape(1), start.has_value());
    const T* first = start_of<T>(start, batch, n_wires);
    check_shape(amplitudes, "amplitudes", {batch, std::int64_t{1} << n_wires});
    T* saved = nullptr;
    if (state) {
        check_shape(*state, "state", {statevector::state_size<T>(n_wires, batch)});
        saved = state->mutable_data();
        check_aligned(*state);
    }
    const T* w = weights.data();
    const T* x = inputs.data();
    T* out = reinterpret_cast<T*>(amplitudes.mutable_data());
    const WithoutGil unlocked;
    statevector::forward<T>(*plan, w, x, batch, nullptr, nullptr, saved, out, first);
}

template <typename T>
void check_backward(const Array<T>& state, int n_wires, const Array<T>& inputs,
                    const std::optional<Array<T>>& weight_gradient, std::int64_t n_weights,
                    const std::optional<Array<T>>& input_gradient) {
    check_shape(state, "state", {statevector::state_size<T>(n_wires, inputs.shape(0))});
    check_aligned(state);
    if (weight_gradient) check_shape(*weight_gradient, "weight_gradient", {n_weights});
    if (input_gradient) {
        check_shape(*input_gradient, "input_gradient", {inputs.shape(0), inputs.shape(1)});
    }
}

template <typename T>
void expectation_backward(const Words& code, const Numbers& data, int n_wires, const Words& terms,
                          const Numbers& coefficients, const Array<T>& weights,
                          const Array<T>& inputs, const Array<T>& state, const Array<T>& gradient,
                          std::optional<Array<T>> weight_gradient,
                          std::optional<Array<T>> input_gradient, bool given_start,
                          std::optional<Amplitudes<T>> start_gradient) {
    check_shape(weights, "weights", {kAnySize});
    check_shape(inputs, "inputs", {kAnySize, kAnySize});
    check_shape(gradient, "gradient", {inputs.shape(0), kAnySize});
    check_backward(state, n_wires, inputs, weight_gradient, weights.size(), input_gradient);
    const auto plan = plan_of(code, data, n_wires, weights.size(), inputs.shape(1), given_start);
    const Observables observables = observables_of(n_wires, gradient.shape(1), terms, coefficients);
    T* gw = weight_gradient ? weight_gradient->mutable_data() : nullptr;
    T* gx = input_gradient ? input_gradient->mutable_data() : nullptr;
    const std::int64_t batch = inputs.shape(0);
    T* gs = gradient_of<T>(start_gradient, batch, n_wires);
    const T *w = weights.data(), *x = inputs.data(), *s = state.data(), *g = gradient.data();
    const WithoutGil unlocked;
    statevector::backward<T>(*plan, w, x, batch, s, &observables, g, nullptr, gw, gx, gs);
}

template <typename T>
void amplitudes_backward(const Words& code, const Numbers& data, int n_wires,
                         const Array<T>& weights, const Array<T>& inputs, const Array<T>& state,
                         const Array<std::complex<T>>& gradient,
                         std::optional<Array<T>> weight_gradient,
                         std::optional<Array<T>> input_gradient, bool given_start,
                         std::optional<Amplitudes<T>> start_gradient) {
    check_shape(weights, "weights", {kAnySize});
    check_shape(inputs, "inputs", {kAnySize, kAnySize});
    check_backward(state, n_wires, inputs, weight_gradient, weights.size(), input_gradient);
    const auto plan = plan_of(code, data, n_wires, weights.size(), inputs.shape(1), given_start);
    check_shape(gradient, "gradient", {inputs.shape(0), std::int64_t{1} << n_wires});
    T* gw = weight_gradient ? weight_gradient->mutable_data() : nullptr;
    T* gx = input_gradient ? input_gradient->mutable_data() : nullptr;
    const std::int64_t batch = inputs.shape(0);
    T* gs = gradient_of<T>(start_gradient, batch, n_wires);
    const T *w = weights.data(), *x = inputs.data(), *s = state.data();
    const T* g = reinterpret_cast<const T*>(gradient.data());
    const WithoutGil unlocked;
    statevector::backward<T>(*plan, w, x, batch, s, nullptr, nullptr, g, gw, gx, gs);
}

template <typename T>
void check_tangents(const Array<T>& inputs, const Array<T>& weights, const Array<T>& dweights,
                    const Array<T>& dinputs) {
    check_shape(weights, "weights", {kAnySize});
    check_shape(inputs, "inputs", {kAnySize, kAnySize});
    check_shape(dweights, "weight_tangents", {kAnySize, weights.size()});
    check_shape(dinputs, "input_tangents", {dweights.shape(0), inputs.shape(0), inputs.shape(1)});
}

template <typename T>
void expectation_tangent(const Words& code, const Numbers& data, int n_wires, const Words& terms,
                         const Numbers& coefficients, const Array<T>& weights,
                         const Array<T>& inputs, const Array<T>& weight_tangents,
                         const Array<T>& input_tangents, Array<T>& values) {
    check_tangents(inputs, weights, weight_tangents, input_tangents);
    const std::int64_t batch = inputs.shape(0), directions = weight_tangents.shape(0);
    check_shape(values, "values", {directions, batch, kAnySize});
    const auto plan = plan_of(code, data, n_wires, weights.size(), inputs.shape(1));
    const Observables observables = observables_of(n_wires, values.shape(2), terms, coefficients);
    const T *w = weights.data(), *x = inputs.data();
    const T *dw = weight_tangents.data(), *dx = input_tangents.data();
    T* out = values.mutable_data();
    const WithoutGil unlocked;
    statevector::tangent<T>(*plan, w, x, batch, dw, dx, directions, &observables, out, nullptr);
}

template <typename T>
void amplitudes_tangent(const Words& code, const Numbers& data, int n_wires,
                        const Array<T>& weights, const Array<T>& inputs,
                        const Array<T>& weight_tangents, const Array<T>& input_tangents,
                        Array<std::complex<T>>& amplitudes) {
    check_tangents(inputs, weights, weight_tangents, input_tangents);
    const std::int64_t batch = inputs.shape(0), directions = weight_tangents.shape(0);
    const auto plan = plan_of(code, data, n_wires, weights.size(), inputs.shape(1));
    check_shape(amplitudes, "amplitudes", {directions, batch, std::int64_t{1} << n_wires});
    const T *w = weights.data(), *x = inputs.data();
    const T *dw = weight_tangents.data(), *dx = input_tangents.data();
    T* out = reinterpret_cast<T*>(amplitudes.mutable_data());
    const WithoutGil unlocked;
    statevector::tangent<T>(*plan, w, x, batch, dw, dx, directions, nullptr, nullptr, out);
}

template <typename T>
void bind_typed(py::module_& m, const char* suffix) {
    const std::string end(suffix);
    m.def(("statevector_expectation_" + end).c_str(), &expectation<T>, py::arg("code").noconvert(),
          py::arg("data").noconvert(), py::arg("n_wires"), py::arg("terms").noconvert(),
          py::arg("coefficients").noconvert(), py::arg("weights").noconvert(),
          py::arg("inputs").noconvert(), py::arg("values").noconvert(),
          py::arg("state").noconvert(), py::arg("start").noconvert() = py::none(),
          "Expectation values into `values`; the final states into `state` unless it is None.");
    m.def(("statevector_expectation_backward_" + end).c_str(), &expectation_backward<T>,
          py::arg("code").noconvert(), py::arg("data").noconvert(), py::arg("n_wires"),
          py::arg("terms").noconvert(), py::arg("coefficients").noconvert(),
          py::arg("weights").noconvert(), py::arg("inputs").noconvert(),
          py::arg("state").noconvert(), py::arg("gradient").noconvert(),
          py::arg("weight_gradient").noconvert(), py::arg("input_gradient").noconvert(),
          py::arg("given_start") = false, py::arg("start_gradient").noconvert() = py::none(),
          "Gradients from those of the expectation values, where not None.");
    m.def(("statevector_amplitudes_" + end).c_str(), &amplitudes<T>, py::arg("code").noconvert(),
          py::arg("data").noconvert(), py::arg("n_wires"), py::arg("weights").noconvert(),
          py::arg("inputs").noconvert(), py::arg("amplitudes").noconvert(),
          py::arg("state").noconvert(), py::arg("start").noconvert() = py::none(),
          "Amplitudes into `amplitudes`; the final states into `state` unless it is None.");
    m.def(("statevector_amplitudes_backward_" + end).c_str(), &amplitudes_backward<T>,
          py::arg("code").noconvert(), py::arg("data").noconvert(), py::arg("n_wires"),
          py::arg("weights").noconvert(), py::arg("inputs").noconvert(),
          py::arg("state").noconvert(), py::arg("gradient").noconvert(),
          py::arg("weight_gradient").noconvert(), py::arg("input_gradient").noconvert(),
          py::arg("given_start") = false, py::arg("start_gradient").noconvert() = py::none(),
          "Gradients from those of the amplitudes, where not None.");
    m.def(("statevector_expectation_tangent_" + end).c_str(), &expectation_tangent<T>,
          py::arg("code").noconvert(), py::arg("data").noconvert(), py::arg("n_wires"),
          py::arg("terms").noconvert(), py::arg("coefficients").noconvert(),
          py::arg("weights").noconvert(), py::arg("inputs").noconvert(),
          py::arg("weight_tangents").noconvert(), py::arg("input_tangents").noconvert(),
          py::arg("values").noconvert(),
          "Changes of the expectation values along directions into `values`.");
    m.def(("statevector_amplitudes_tangent_" + end).c_str(), &amplitudes_tangent<T>,
          py::arg("code").noconvert(), py::arg("data").noconvert(), py::arg("n_wires"),
          py::arg("weights").noconvert(), py::arg("inputs").noconvert(),
          py::arg("weight_tangents").noconvert(), py::arg("input_tangents").noconvert(),
          py::arg("amplitudes").noconvert(),
          "Changes of the amplitudes along directions into `amplitudes`.");
}

}  // namespace

void bind_statevector(py::module_& m) {
    bind_typed<float>(m, "f32");
    bind_typed<double>(m, "f64");
    m.def(
        "statevector_lanes",
        [](bool is_double) {
            return is_double ? statevector::state_size<double>(1, 1) / 4
                             : statevector::state_size<float>(1, 1) / 4;
        },
        py::arg("is_double"), "Samples a tile holds.");
    m.def(
        "statevector_steps",
        [](const Words& code, const Numbers& data, int n_wires, std::int64_t n_weights,
           std::int64_t n_inputs) {
            return plan_of(code, data, n_wires, n_weights, n_inputs)->steps.size();
        },
        py::arg("code").noconvert(), py::arg("data").noconvert(), py::arg("n_wires"),
        py::arg("n_weights"), py::arg("n_inputs"),
        "Passes over the state that the program takes after fusion.");
}

}  // namespace wb
