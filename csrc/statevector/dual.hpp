// SPDX-License-Identifier: Apache-2.0
// Numbers that carry their derivative along one direction: the templates that compute a plan's
// numbers and start compute their tangents, too, when given these.
#pragma once

#include "statevector/vector.hpp"

namespace wb::statevector::WB_ISA {
namespace {

template <typename V>
struct Dual {
    V value, change;

    Dual& operator+=(const Dual& b) { return *this = *this + b; }

    friend Dual operator+(const Dual& a, const Dual& b) {
        return {a.value + b.value, a.change + b.change};
    }
    friend Dual operator-(const Dual& a, const Dual& b) {
        return {a.value - b.value, a.change - b.change};
    }
    friend Dual operator-(const Dual& a) { return {-a.value, -a.change}; }
    friend Dual operator*(const Dual& a, const Dual& b) {
        return {a.value * b.value, a.value * b.change + a.change * b.value};
    }
};

template <typename V>
struct Number<Dual<V>> {
    static Dual<V> of(double x) { return {Number<V>::of(x), V{}}; }
};

template <typename V>
void sincos_of(const Dual<V>& x, Dual<V>& s, Dual<V>& c) {
    sincos_of(x.value, s.value, c.value);
    s.change = c.value * x.change;
    c.change = -s.value * x.change;
}

}  // namespace
}  // namespace wb::statevector::WB_ISA
