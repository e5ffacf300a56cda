// SPDX-License-Identifier: Apache-2.0
// A pass over frequencies of one block of candidates. Included only by *_isa.cpp files.
#pragma once

#include "circuit_sim/small_signal.hpp"
#include "core/interrupt.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

constexpr double kTwoPi = 6.283185307179586476925286766559;

/// Everything a pass over frequencies needs; x and z have a zero before them, for nodes of
/// ground's tree (unknown -1).
template <int N>
struct Pass {
    const PlanView& p;
    const SweepTask& task;
    Span span;
    const Small& small;
    Factors<N> factors;
    Complex<N>*x, *z, *work;
    V frequency[N];
};

template <int N>
Complex<N>* with_zero(const PlanView& p, Scratch& scratch) {
    auto* memory = scratch.zeros_as<Complex<N>>(std::int64_t{p.n_unknowns} + 1);
    return scratch.counts() ? nullptr : memory + 1;
}

template <int N>
Pass<N> open_pass(const PlanView& p, const SweepTask& task, Span span, const Small& small,
                  Scratch& scratch) {
    Factors<N> factors = open_factors<N>(p, scratch);
    auto* x = with_zero<N>(p, scratch);
    auto* z = with_zero<N>(p, scratch);
    auto* work = scratch.take_as<Complex<N>>(std::int64_t{3} * p.n_unknowns);
    return {p, task, span, small, factors, x, z, work, {}};
}

template <int N>
void set_frequencies(Pass<N>& pass, std::int64_t first) {
    const SweepTask& t = pass.task;
    for (int k = 0; k < N; ++k) {
        pass.frequency[k] =
            t.frequency_columns == 1
                ? all(t.frequencies[first + k])
                : load(t.frequencies + (first + k) * t.frequency_columns, pass.span);
        pass.factors.omega[k] = kTwoPi * pass.frequency[k];
    }
    factor(pass.p.ac, pass.small, pass.factors);
}

template <int N>
inline Complex<N> across(const Pass<N>& pass, const Complex<N>* by_unknown, int a, int b) {
    return minus(by_unknown[pass.p.unknown_of[a]], by_unknown[pass.p.unknown_of[b]]);
}

template <int N>
inline void squares(const Complex<N>& d, V* out) {
    for (int k = 0; k < N; ++k) out[k] = d.re[k] * d.re[k] + d.im[k] * d.im[k];
}

/// f^-power at each of the frequencies.
template <int N>
inline void flicker_weights(const Pass<N>& pass, const ModelAt& model, V* out) {
    const double e = flicker_power(model);
    for (int k = 0; k < N; ++k) out[k] = 1.0 / power_of(pass.frequency[k], e);
}

}  // namespace
}  // namespace wb::circuit_sim::WB_ISA
