// SPDX-License-Identifier: Apache-2.0
// Native vectors through compiler extensions: one source for SSE, AVX2, AVX-512 and NEON.
// Included only by *_isa.cpp files; everything is in an anonymous namespace so that no symbol
// compiled for a wide instruction set can be linked into code for a narrow one.
#pragma once

#include <cstdint>

/// For what runs once per amplitude: left to itself, GCC calls such a body as a function with its
/// captures in memory as soon as the file around it grows, for a third of the speed under AVX2.
#define WB_INLINE __attribute__((always_inline))

extern "C" double sin(double);
extern "C" double cos(double);

namespace wb::statevector::WB_ISA {
namespace {

typedef float VectorF __attribute__((vector_size(WB_VECTOR_BYTES)));
typedef double VectorD __attribute__((vector_size(WB_VECTOR_BYTES)));
typedef std::int32_t VectorI __attribute__((vector_size(WB_VECTOR_BYTES)));
typedef std::int64_t VectorL __attribute__((vector_size(WB_VECTOR_BYTES)));

template <typename T>
struct VectorOf;
template <>
struct VectorOf<float> {
    using V = VectorF;
    using I = VectorI;
    using Int = std::int32_t;
    static constexpr int lanes = WB_VECTOR_BYTES / 4;
    static constexpr int lane_bits = WB_VECTOR_BYTES == 64 ? 4 : WB_VECTOR_BYTES == 32 ? 3 : 2;
};
template <>
struct VectorOf<double> {
    using V = VectorD;
    using I = VectorL;
    using Int = std::int64_t;
    static constexpr int lanes = WB_VECTOR_BYTES / 8;
    static constexpr int lane_bits = WB_VECTOR_BYTES == 64 ? 3 : WB_VECTOR_BYTES == 32 ? 2 : 1;
};

/// What the chain arithmetic needs to know of a number: double for the numbers shared by the
/// batch, a vector with one lane per sample for the others.
template <typename N>
struct Number;
template <>
struct Number<double> {
    static double of(double x) { return x; }
};
template <>
struct Number<float> {
    static float of(double x) { return static_cast<float>(x); }
};
template <>
struct Number<VectorF> {
    static VectorF of(double x) { return VectorF{} + static_cast<float>(x); }
};
template <>
struct Number<VectorD> {
    static VectorD of(double x) { return VectorD{} + x; }
};

template <typename V>
double sum_lanes(const V& v) {
    double total = 0;
    for (int l = 0; l < static_cast<int>(sizeof(V) / sizeof(v[0])); ++l) {
        total += static_cast<double>(v[l]);
    }
    return total;
}

inline void sincos_of(double x, double& s, double& c) {
    s = ::sin(x);
    c = ::cos(x);
}

/// Sine and cosine of every lane: reduction to [-pi/4, pi/4] in three steps (Cody and Waite),
/// then minimax polynomials; beyond the range in which the reduction
/// is exact the C library takes over lane by lane.
inline void sincos_of(VectorF x, VectorF& s, VectorF& c) {
    constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    bool large = false;
    for (int l = 0; l < VectorOf<float>::lanes; ++l) large |= !(x[l] < 4096.0f && x[l] > -4096.0f);
    if (large) {
        for (int l = 0; l < VectorOf<float>::lanes; ++l) {
            s[l] = static_cast<float>(::sin(static_cast<double>(x[l])));
            c[l] = static_cast<float>(::cos(static_cast<double>(x[l])));
        }
        return;
    }
    const VectorF k = (x * 0.636619772367581343f + kRound) - kRound;
    VectorF r = x - k * 1.5703125f;
    r = r - k * 4.837512969970703125e-4f;
    r = r - k * 7.549789948768648e-8f;
    const VectorF z = r * r;
    const VectorF sine =
        r + r * z * (-1.6666654611e-1f + z * (8.3321608736e-3f + z * -1.9515295891e-4f));
    const VectorF cosine =
        1.0f - 0.5f * z +
        z * z * (4.166664568298827e-2f + z * (-1.388731625493765e-3f + z * 2.443315711809948e-5f));
    const VectorI q = __builtin_convertvector(k, VectorI);
    const VectorI odd = (q & 1) != 0;
    const VectorF a = odd ? cosine : sine;
    const VectorF b = odd ? sine : cosine;
    s = (q & 2) != 0 ? -a : a;
    c = ((q + 1) & 2) != 0 ? -b : b;
}

inline void sincos_of(VectorD x, VectorD& s, VectorD& c) {
    constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52
    bool large = false;
    for (int l = 0; l < VectorOf<double>::lanes; ++l) large |= !(x[l] < 1e5 && x[l] > -1e5);
    if (large) {
        for (int l = 0; l < VectorOf<double>::lanes; ++l) {
            s[l] = ::sin(x[l]);
            c[l] = ::cos(x[l]);
        }
        return;
    }
    const VectorD k = (x * 0.63661977236758134308 + kRound) - kRound;
    VectorD r = x - k * 1.57079632673412561417e+00;
    r = r - k * 6.07710050630396597660e-11;
    r = r - k * 2.02226624879595063154e-21;
    const VectorD z = r * r;
    const VectorD sine =
        r +
        r * z *
            (-1.66666666666666307295e-1 +
             z * (8.33333333332211858878e-3 +
                  z * (-1.98412698295895385996e-4 +
                       z * (2.75573136213857245213e-6 +
                            z * (-2.50507477628578072866e-8 + z * 1.58962301576546568060e-10)))));
    const VectorD cosine =
        1.0 - 0.5 * z +
        z * z *
            (4.16666666666665929218e-2 +
             z * (-1.38888888888730564116e-3 +
                  z * (2.48015872888517045348e-5 +
                       z * (-2.75573141792967388112e-7 +
                            z * (2.08757008419747316778e-9 + z * -1.13585365213876817300e-11)))));
    const VectorL q = __builtin_convertvector(k, VectorL);
    const VectorL odd = (q & 1) != 0;
    const VectorD a = odd ? cosine : sine;
    const VectorD b = odd ? sine : cosine;
    s = (q & 2) != 0 ? -a : a;
    c = ((q + 1) & 2) != 0 ? -b : b;
}

}  // namespace
}  // namespace wb::statevector::WB_ISA
