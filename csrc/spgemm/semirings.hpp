// SPDX-License-Identifier: Apache-2.0
// The semirings, as compile-time policies: how two entries meet, how what falls on one place is
// gathered, and the value that gathering starts from.
#pragma once

#include <complex>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <type_traits>

namespace wb::spgemm {

enum class Semiring : int {
    plus_times,
    min_plus,
    max_plus,
    min_max,
    max_min,
    or_and,
    plus_pair,
    plus_first,
    plus_second,
    min_first,
    any_pair
};

/// A boolean as NumPy and torch store it.
enum class Bool : std::uint8_t { no = 0, yes = 1 };

namespace semiring {

// Integers wrap around, as NumPy's do; signed overflow would be undefined.
template <typename T>
T sum(T x, T y) {
    if constexpr (std::is_integral_v<T>) {
        using U = std::make_unsigned_t<T>;
        return static_cast<T>(static_cast<U>(x) + static_cast<U>(y));
    } else {
        return x + y;
    }
}

template <typename T>
T product(T x, T y) {
    if constexpr (std::is_integral_v<T>) {
        using U = std::make_unsigned_t<T>;
        return static_cast<T>(static_cast<U>(x) * static_cast<U>(y));
    } else {
        return x * y;
    }
}

/// The smaller; NaN where either is, as numpy.minimum.
template <typename T>
T least(T x, T y) {
    return (y < x || y != y) ? y : x;
}

template <typename T>
T greatest(T x, T y) {
    return (y > x || y != y) ? y : x;
}

template <typename T>
struct Plus {
    // x + -0.0 is x for every x, zeros of both signs included.
    static T identity() { return static_cast<T>(-0.0); }
    static T add(T x, T y) { return sum(x, y); }
};
template <typename T>
struct Plus<std::complex<T>> {
    static std::complex<T> identity() { return {static_cast<T>(-0.0), static_cast<T>(-0.0)}; }
    static std::complex<T> add(std::complex<T> x, std::complex<T> y) { return x + y; }
};
template <typename T>
struct Min {
    static T identity() {
        using L = std::numeric_limits<T>;
        return L::has_infinity ? L::infinity() : L::max();
    }
    static T add(T x, T y) { return least(x, y); }
};
template <typename T>
struct Max {
    static T identity() {
        using L = std::numeric_limits<T>;
        return L::has_infinity ? -L::infinity() : L::lowest();
    }
    static T add(T x, T y) { return greatest(x, y); }
};
struct Or {
    static Bool identity() { return Bool::no; }
    static Bool add(Bool x, Bool y) {
        return x == Bool::yes || y == Bool::yes ? Bool::yes : Bool::no;
    }
};

template <typename T>
struct PlusTimes : Plus<T> {
    static T multiply(T a, T b) { return product(a, b); }
};
template <typename T>
struct MinPlus : Min<T> {
    static T multiply(T a, T b) { return sum(a, b); }
};
template <typename T>
struct MaxPlus : Max<T> {
    static T multiply(T a, T b) { return sum(a, b); }
};
template <typename T>
struct MinMax : Min<T> {
    static T multiply(T a, T b) { return greatest(a, b); }
};
template <typename T>
struct MaxMin : Max<T> {
    static T multiply(T a, T b) { return least(a, b); }
};
struct OrAnd : Or {
    static Bool multiply(Bool a, Bool b) {
        return a == Bool::yes && b == Bool::yes ? Bool::yes : Bool::no;
    }
};
template <typename T>
struct PlusPair : Plus<T> {
    static T multiply(T, T) { return T(1); }
};
template <typename T>
struct PlusFirst : Plus<T> {
    static T multiply(T a, T) { return a; }
};
template <typename T>
struct PlusSecond : Plus<T> {
    static T multiply(T, T b) { return b; }
};
template <typename T>
struct MinFirst : Min<T> {
    static T multiply(T a, T) { return a; }
};
template <typename T>
struct AnyPair {
    static T identity() { return T(1); }
    static T add(T x, T) { return x; }
    static T multiply(T, T) { return T(1); }
};

}  // namespace semiring

/// Calls visit.template operator()<Policy>() for a semiring over T. Orders need real numbers and
/// or_and booleans: what T does not have throws std::invalid_argument.
template <typename T, typename Visit>
auto with_semiring(Semiring s, const Visit& visit) {
    using namespace semiring;
    if constexpr (std::is_same_v<T, Bool>) {
        if (s == Semiring::any_pair) return visit.template operator()<AnyPair<T>>();
        if (s == Semiring::or_and) return visit.template operator()<OrAnd>();
    } else {
        switch (s) {
            case Semiring::plus_times:
                return visit.template operator()<PlusTimes<T>>();
            case Semiring::plus_pair:
                return visit.template operator()<PlusPair<T>>();
            case Semiring::plus_first:
                return visit.template operator()<PlusFirst<T>>();
            case Semiring::plus_second:
                return visit.template operator()<PlusSecond<T>>();
            case Semiring::any_pair:
                return visit.template operator()<AnyPair<T>>();
            default:
                break;
        }
        if constexpr (std::is_arithmetic_v<T>) {
            switch (s) {
                case Semiring::min_plus:
                    return visit.template operator()<MinPlus<T>>();
                case Semiring::max_plus:
                    return visit.template operator()<MaxPlus<T>>();
                case Semiring::min_max:
                    return visit.template operator()<MinMax<T>>();
                case Semiring::max_min:
                    return visit.template operator()<MaxMin<T>>();
                case Semiring::min_first:
                    return visit.template operator()<MinFirst<T>>();
                default:
                    break;
            }
        }
    }
    throw std::invalid_argument("semiring is not defined for this dtype");
}

}  // namespace wb::spgemm
