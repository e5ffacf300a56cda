// SPDX-License-Identifier: Apache-2.0
// Vectors with one candidate per lane, and the functions transistors need of them. Included only
// by *_isa.cpp files; everything is in an anonymous namespace, so that no symbol compiled for a
// wide instruction set can be linked into code for a narrow one.
#pragma once

#include <cstdint>

#include "circuit_sim/view.hpp"
#include "core/carver.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

typedef double V __attribute__((vector_size(WB_VECTOR_BYTES), may_alias));
typedef double Unaligned __attribute__((vector_size(WB_VECTOR_BYTES), aligned(8), may_alias));
typedef std::int64_t Mask __attribute__((vector_size(WB_VECTOR_BYTES), may_alias));
constexpr int kLanes = WB_VECTOR_BYTES / 8;

inline V all(double x) { return V{} + x; }
inline V choose(Mask m, V yes, V no) { return m ? yes : no; }
inline V larger(V a, V b) { return a > b ? a : b; }
inline V smaller(V a, V b) { return a < b ? a : b; }
inline V magnitude(V a) {
    return reinterpret_cast<V>(reinterpret_cast<Mask>(a) &
                               (Mask{} + std::int64_t{0x7fffffffffffffff}));
}

inline V root(V x) {
    V r{};
    for (int l = 0; l < kLanes; ++l) r[l] = __builtin_sqrt(x[l]);
    return r;
}

inline bool any(Mask m) {
    std::int64_t found = 0;
    for (int l = 0; l < kLanes; ++l) found |= m[l];
    return found != 0;
}

/// Neither NaN nor infinite.
inline Mask finite(V x) { return (x - x) == V{}; }

/// e^x to 1 ulp or two; below -708 it is that of -708, above 700 that of 700.
inline V exponential(V x) {
    x = smaller(larger(x, all(-708.0)), all(700.0));
    const V shifter = all(6755399441055744.0);  // 1.5 * 2^52: adding it rounds to an integer
    const V shifted = x * 1.4426950408889634074 + shifter;
    const V n = shifted - shifter;
    const V r = (x - n * 0x1.62e42fefa0000p-1) - n * 0x1.cf79abc9e3b39p-40;
    V p = all(1.0 / 6227020800.0);
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    const Mask bits = (reinterpret_cast<Mask>(shifted) - reinterpret_cast<Mask>(shifter) + 1023)
                      << 52;
    return p * reinterpret_cast<V>(bits);
}

/// Natural logarithm of positive normal numbers, to 1 ulp or two; anything else gives anything.
inline V logarithm(V x) {
    const Mask bits = reinterpret_cast<Mask>(x);
    // The exponent that leaves a mantissa in [sqrt(1/2), sqrt(2)).
    const Mask e = (bits - std::int64_t{0x3fe6a09e667f3bcd}) >> 52;
    const V m = reinterpret_cast<V>(bits - (e << 52));
    const V n = __builtin_convertvector(e, V);
    const V s = (m - 1.0) / (m + 1.0), z = s * s;
    V p = all(2.0 / 21);
    p = p * z + 2.0 / 19;
    p = p * z + 2.0 / 17;
    p = p * z + 2.0 / 15;
    p = p * z + 2.0 / 13;
    p = p * z + 2.0 / 11;
    p = p * z + 2.0 / 9;
    p = p * z + 2.0 / 7;
    p = p * z + 2.0 / 5;
    p = p * z + 2.0 / 3;
    return n * 0x1.62e42fefa0000p-1 + (s * z * p + (n * 0x1.cf79abc9e3b39p-40 + 2.0 * s));
}

/// x^e for x > 0.
inline V power(V x, double e) {
    if (e == 0.5) return root(x);
    if (e == -0.5) return 1.0 / root(x);
    return exponential(e * logarithm(x));
}

/// Row `p` of candidates, lanes past the end repeating the last.
inline V load(const double* p, Span span) {
    if (span.first + kLanes <= span.batch)
        return *reinterpret_cast<const Unaligned*>(p + span.first);
    V out{};
    for (int l = 0; l < kLanes; ++l) {
        const std::int64_t i = span.first + l;
        out[l] = p[i < span.batch ? i : span.batch - 1];
    }
    return out;
}

inline void store(double* p, Span span, V x) {
    if (span.first + kLanes <= span.batch) {
        *reinterpret_cast<Unaligned*>(p + span.first) = x;
        return;
    }
    for (int l = 0; l < kLanes && span.first + l < span.batch; ++l) p[span.first + l] = x[l];
}

/// Real and imaginary parts next to each other.
inline void store_complex(double* p, Span span, V re, V im) {
    double* out = p + 2 * span.first;
#if !defined(__clang__)
    if (span.first + kLanes <= span.batch) {
        Mask low{}, high{};
        for (int l = 0; l < kLanes; ++l) {
            low[l] = l / 2 + (l % 2) * kLanes;
            high[l] = low[l] + kLanes / 2;
        }
        *reinterpret_cast<Unaligned*>(out) = __builtin_shuffle(re, im, low);
        *reinterpret_cast<Unaligned*>(out + kLanes) = __builtin_shuffle(re, im, high);
        return;
    }
#endif
    for (int l = 0; l < kLanes && span.first + l < span.batch; ++l) {
        out[2 * l] = re[l];
        out[2 * l + 1] = im[l];
    }
}

inline void load_complex(const double* p, Span span, V& re, V& im) {
    V r{}, s{};
    for (int l = 0; l < kLanes; ++l) {
        const std::int64_t i = span.first + l < span.batch ? span.first + l : span.batch - 1;
        r[l] = p[2 * i];
        s[l] = p[2 * i + 1];
    }
    re = r;
    im = s;
}

struct Vectors {
    using V = circuit_sim::WB_ISA::V;
};
using Scratch = Carver<Vectors>;

/// The two functions of a kernel from the type that opens a block for it, `Room(plan, task, span,
/// scratch)`, and the pass over an open block, `pass(room, task)`.
template <typename Room, typename Task, void (*pass)(Room&, const Task&)>
struct Opened {
    static void run(const PlanView& p, const Task& task, Span span, double* memory,
                    std::int64_t doubles) {
        Scratch scratch(memory, doubles);
        Room room(p, task, span, scratch);
        pass(room, task);
    }
    static std::int64_t doubles(const PlanView& p, const Task& task) {
        Scratch scratch;
        const Room room(p, task, Span{0, 1}, scratch);
        return scratch.vectors() * kLanes;
    }
    static Kernel<Task> kernel() { return {&run, &doubles}; }
};

inline V gathered(const GatherView& g, int row, const V* from) {
    V sum{};
    for (std::int32_t i = g.start[row]; i < g.middle[row]; ++i) sum += from[g.source[i]];
    for (std::int32_t i = g.middle[row]; i < g.start[row + 1]; ++i) sum -= from[g.source[i]];
    return sum;
}

}  // namespace
}  // namespace wb::circuit_sim::WB_ISA
