// SPDX-License-Identifier: Apache-2.0
// Expectation values of Pauli sums on a block, and the cotangent lambda = sum_k g_k O_k psi.
#pragma once

#include "statevector/several.hpp"

namespace wb::statevector::WB_ISA {
namespace {

template <typename V>
V lane_signs(std::uint64_t lane_z) {
    V sign;
    for (int l = 0; l < static_cast<int>(sizeof(V) / sizeof(sign[0])); ++l) {
        sign[l] = __builtin_parityll(static_cast<std::uint64_t>(l) & lane_z) ? -1 : 1;
    }
    return sign;
}

/// out[row] += coefficient * <psi| term |psi>, lane by lane (in a single state the caller adds
/// the lanes). `work` holds one vector per row of the block.
template <typename V>
void observe(const Layout& layout, const ObservableView& observables, const V* psi, V* work,
             V* out) {
    for (int k = 0; k < observables.n_rows; ++k) out[k] = V{};
    if (observables.n_terms == 0) return;
    const std::int64_t rows = layout.rows();
    for (std::int64_t r = 0; r < rows; ++r) {
        work[r] = psi[2 * r] * psi[2 * r] + psi[2 * r + 1] * psi[2 * r + 1];
    }
    if (observables.only_single_z) {
        // Halving: the differences of the two halves are <Z> of the highest bit left.
        V z[64];
        for (int b = layout.row_bits - 1; b >= 0; --b) {
            const std::int64_t half = std::int64_t{1} << b;
            V difference{};
            for (std::int64_t r = 0; r < half; ++r) {
                difference += work[r] - work[r + half];
                work[r] += work[r + half];
            }
            z[b + layout.lane_bits] = difference;
        }
        for (int b = 0; b < layout.lane_bits; ++b) {
            z[b] = work[0] * lane_signs<V>(std::uint64_t{1} << b);
        }
        for (std::int64_t t = 0; t < observables.n_terms; ++t) {
            const Term& term = observables.terms[t];
            const int at = layout.where[__builtin_ctzll(term.z)];
            out[term.row] += z[at] * Number<V>::of(term.coefficient);
        }
        return;
    }
    for (std::int64_t t = 0; t < observables.n_terms; ++t) {
        const Term& term = observables.terms[t];
        const BlockPauli<V> pauli(layout, term.x, term.z, term.n_y);
        V sum{};
        if (term.x == 0) {
            for (std::int64_t r = 0; r < rows; ++r) {
                const bool odd = __builtin_parityll(static_cast<std::uint64_t>(r) & pauli.row_z);
                sum = odd ? sum - work[r] : sum + work[r];
            }
            sum *= pauli.lane_sign;
        } else {
            for (std::int64_t r = 0; r < rows; ++r) {
                const Complex<V> y = pauli.row(psi, static_cast<std::uint64_t>(r));
                sum += psi[2 * r] * y.re + psi[2 * r + 1] * y.im;
            }
        }
        out[term.row] += sum * Number<V>::of(term.coefficient);
    }
}

/// lambda = sum_k g[k] O_k psi.
template <typename V>
void cotangent(const Layout& layout, const ObservableView& observables, const V* g, const V* psi,
               V* work, V* lambda) {
    const std::int64_t rows = layout.rows();
    if (observables.only_single_z) {
        V slope[64];
        V total{};
        for (auto& s : slope) s = V{};
        for (std::int64_t t = 0; t < observables.n_terms; ++t) {
            const Term& term = observables.terms[t];
            const int at = layout.where[__builtin_ctzll(term.z)];
            const V value = g[term.row] * Number<V>::of(term.coefficient);
            if (at >= layout.lane_bits) {
                slope[at - layout.lane_bits] += value;
                total += value;
            } else {
                total += value * lane_signs<V>(std::uint64_t{1} << at);
            }
        }
        work[0] = total;
        for (int b = 0; b < layout.row_bits; ++b) {
            const std::int64_t half = std::int64_t{1} << b;
            const V twice = slope[b] + slope[b];
            for (std::int64_t r = 0; r < half; ++r) work[r + half] = work[r] - twice;
        }
        for (std::int64_t r = 0; r < rows; ++r) {
            lambda[2 * r] = work[r] * psi[2 * r];
            lambda[2 * r + 1] = work[r] * psi[2 * r + 1];
        }
        return;
    }
    for (std::int64_t r = 0; r < 2 * rows; ++r) lambda[r] = V{};
    for (std::int64_t t = 0; t < observables.n_terms; ++t) {
        const Term& term = observables.terms[t];
        const BlockPauli<V> pauli(layout, term.x, term.z, term.n_y);
        const V value = g[term.row] * Number<V>::of(term.coefficient);
        for (std::int64_t r = 0; r < rows; ++r) {
            const Complex<V> y = pauli.row(psi, static_cast<std::uint64_t>(r));
            lambda[2 * r] += value * y.re;
            lambda[2 * r + 1] += value * y.im;
        }
    }
}

}  // namespace
}  // namespace wb::statevector::WB_ISA
