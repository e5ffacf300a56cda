// SPDX-License-Identifier: Apache-2.0
// What every run over a batch does beforehand, forward, in reverse and along tangents.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "statevector/kernels.hpp"
#include "statevector/statevector.hpp"

namespace wb::statevector {

template <typename T>
inline constexpr bool kIsFloat = std::is_same_v<T, float>;

template <typename T>
int lanes() {
    if constexpr (kIsFloat<T>) {
        return WB_SELECT_ISA(lanes_f32)();
    } else {
        return WB_SELECT_ISA(lanes_f64)();
    }
}

template <typename T>
void check_finite(const T* values, std::int64_t count, std::int64_t columns, const char* name) {
    T probe = 0;  // x - x is 0 for finite x and NaN otherwise
    for (std::int64_t i = 0; i < count; ++i) probe += values[i] - values[i];
    if (probe == 0) return;
    for (std::int64_t i = 0; i < count; ++i) {
        if (std::isfinite(values[i])) continue;
        const std::string at =
            columns ? std::to_string(i / columns) + ", " + std::to_string(i % columns)
                    : std::to_string(i);
        throw std::invalid_argument(std::string(name) + " must be finite, got " +
                                    std::to_string(values[i]) + " at [" + at + "]");
    }
}

/// Angles with their constant and weight parts, or with a sample's inputs as well.
template <typename T>
void evaluate_angles(const Plan& plan, const T* weights, const T* sample, double* out) {
    for (std::size_t a = 0; a < plan.angles.size(); ++a) {
        const Angle& angle = plan.angles[a];
        double value = angle.constant;
        for (auto t = angle.weights_begin; t < angle.weights_end; ++t) {
            const AngleTerm& term = plan.terms[static_cast<std::size_t>(t)];
            value += term.coefficient * static_cast<double>(weights[term.index]);
        }
        for (auto t = angle.weights_end; sample != nullptr && t < angle.inputs_end; ++t) {
            const AngleTerm& term = plan.terms[static_cast<std::size_t>(t)];
            value += term.coefficient * static_cast<double>(sample[term.index]);
        }
        out[a] = value;
    }
}

inline std::uint64_t moved(std::uint64_t mask, const std::vector<int>& place) {
    std::uint64_t out = 0;
    for (; mask; mask &= mask - 1) {
        out |= std::uint64_t{1} << place[static_cast<std::size_t>(std::countr_zero(mask))];
    }
    return out;
}

/// The observables in the plan's bit positions, swaps having renamed wires.
struct PlacedObservables {
    std::vector<Term> terms;
    ObservableView view{};

    PlacedObservables(const Plan& plan, const Observables* observables) {
        if (observables == nullptr) return;
        terms = observables->terms;
        bool single = true;
        for (Term& t : terms) {
            t.x = moved(t.x, plan.place);
            t.z = moved(t.z, plan.place);
            single = single && t.x == 0 && std::popcount(t.z) == 1;
        }
        view = {observables->n_rows, static_cast<std::int64_t>(terms.size()), terms.data(), single};
    }
};

inline bool renamed(const Plan& plan) {
    for (std::size_t w = 0; w < plan.place.size(); ++w) {
        if (plan.place[w] != static_cast<int>(w)) return true;
    }
    return false;
}

/// The plan's index of every amplitude of the caller's, where swaps have renamed wires.
inline std::vector<std::int64_t> permutation(const Plan& plan) {
    std::vector<std::int64_t> index(std::size_t{1} << plan.n_wires, 0);
    for (int w = 0; w < plan.n_wires; ++w) {
        const std::size_t half = std::size_t{1} << w;
        const std::int64_t bit = std::int64_t{1} << plan.place[static_cast<std::size_t>(w)];
        for (std::size_t i = 0; i < half; ++i) index[i + half] = index[i] | bit;
    }
    return index;
}

}  // namespace wb::statevector
