// SPDX-License-Identifier: Apache-2.0
// Compiled once per instruction set. One vector holds one coefficient of `lanes` samples, so
// that every channel on every qubit is the same shuffle-free arithmetic; a step loads a group
// of 16 coefficients, applies two 4 x 4 matrices and the sparse map, and stores it once.
#include "noise/noise_isa.hpp"

extern "C" double sin(double);
extern "C" double cos(double);

namespace wb::noise::WB_ISA {
namespace {

typedef double V __attribute__((vector_size(WB_VECTOR_BYTES), may_alias));
typedef std::int64_t I __attribute__((vector_size(WB_VECTOR_BYTES)));
constexpr int kLanes = WB_VECTOR_BYTES / 8;

inline const V* as_vectors(const double* p) { return reinterpret_cast<const V*>(p); }
inline V* as_vectors(double* p) { return reinterpret_cast<V*>(p); }
inline V all(double x) { return V{} + x; }

/// Rows 1 to 3 of a matrix times a column; row 0 is that of the identity.
inline void mix(const V* m, V x0, V& x1, V& x2, V& x3) {
    const V y1 = m[4] * x0 + m[5] * x1 + m[6] * x2 + m[7] * x3;
    const V y2 = m[8] * x0 + m[9] * x1 + m[10] * x2 + m[11] * x3;
    const V y3 = m[12] * x0 + m[13] * x1 + m[14] * x2 + m[15] * x3;
    x1 = y1;
    x2 = y2;
    x3 = y3;
}

inline void mix_transposed(const V* m, V& x0, V& x1, V& x2, V& x3) {
    const V y0 = x0 + m[4] * x1 + m[8] * x2 + m[12] * x3;
    const V y1 = m[5] * x1 + m[9] * x2 + m[13] * x3;
    const V y2 = m[6] * x1 + m[10] * x2 + m[14] * x3;
    const V y3 = m[7] * x1 + m[11] * x2 + m[15] * x3;
    x0 = y0;
    x1 = y1;
    x2 = y2;
    x3 = y3;
}

/// gradient [12] += rows 1 to 3 of (cotangent x column^T).
inline void outer(V* gradient, const V* cotangent, const V* column, int stride) {
    for (int i = 0; i < 3; ++i) {
        const V c = cotangent[(i + 1) * stride];
        for (int j = 0; j < 4; ++j) gradient[4 * i + j] += c * column[j * stride];
    }
}

inline void apply_map(const MapView& map, const V* from, V* to) {
    std::int32_t at = map.start[0];
    for (int row = 0; row < 16; ++row) {
        const std::int32_t end = map.start[row + 1];
        V sum = V{};
        for (; at < end; ++at) sum += all(map.value[at]) * from[map.column[at]];
        to[row] = sum;
    }
}

/// Calls body(offset) for every group: coefficients with digits 0 at both qubits.
template <typename Body>
inline void for_each_group(int n, int low, int high, const Body& body) {
    const std::int64_t size = std::int64_t{1} << (2 * n);
    const std::int64_t step_low = std::int64_t{1} << (2 * low);
    const std::int64_t step_high = std::int64_t{1} << (2 * high);
    for (std::int64_t outer_at = 0; outer_at < size; outer_at += 4 * step_high) {
        for (std::int64_t middle = 0; middle < step_high; middle += 4 * step_low) {
            for (std::int64_t inner = 0; inner < step_low; ++inner) {
                body(outer_at + middle + inner);
            }
        }
    }
}

template <typename Body>
inline void for_each_quarter(int n, int qubit, const Body& body) {
    const std::int64_t size = std::int64_t{1} << (2 * n);
    const std::int64_t step = std::int64_t{1} << (2 * qubit);
    for (std::int64_t outer_at = 0; outer_at < size; outer_at += 4 * step) {
        for (std::int64_t inner = 0; inner < step; ++inner) body(outer_at + inner);
    }
}

/// Reduction to [-pi/4, pi/4] by multiples of pi/2, of which the first two parts have 33 bits, so
/// that their products with a multiple below 2**20 are exact; then Taylor series, whose first
/// omitted terms are below 3e-18 there.
void turns(const double* angles, double* cosine, double* sine) {
    constexpr double kLargest = 1e6;
    constexpr double kPart1 = 0x1.921fb544p+0, kPart2 = 0x1.0b4611a6p-34,
                     kPart3 = 0x1.3198a2e037073p-69;
    constexpr double kRounder = 0x1.8p52;  // adding it leaves the nearest integer in the low bits
    const V x = *as_vectors(angles);
    const V rounded = x * 0x1.45f306dc9c883p-1 + kRounder;
    const V multiple = rounded - kRounder;
    const V r = ((x - multiple * kPart1) - multiple * kPart2) - multiple * kPart3;
    const V z = r * r;
    V s = all(1.0 / 355687428096000.0), c = all(1.0 / 20922789888000.0);
    constexpr double kSine[] = {
        -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0,
        -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0};
    constexpr double kCosine[] = {-1.0 / 87178291200.0,
                                  1.0 / 479001600.0,
                                  -1.0 / 3628800.0,
                                  1.0 / 40320.0,
                                  -1.0 / 720.0,
                                  1.0 / 24.0,
                                  -0.5};
    for (int i = 0; i < 7; ++i) {
        s = s * z + kSine[i];
        c = c * z + kCosine[i];
    }
    s = r + r * (z * s);
    c = 1.0 + z * c;
    const I quadrant = (I)rounded;
    const I odd = (quadrant & 1) == 1;
    const V sine_part = odd ? c : s, cosine_part = odd ? s : c;
    *as_vectors(sine) = (quadrant & 2) == 2 ? -sine_part : sine_part;
    *as_vectors(cosine) = ((quadrant + 1) & 2) == 2 ? -cosine_part : cosine_part;
    for (int lane = 0; lane < kLanes; ++lane) {
        if (angles[lane] > -kLargest && angles[lane] < kLargest) continue;
        sine[lane] = ::sin(angles[lane]);
        cosine[lane] = ::cos(angles[lane]);
    }
}

void chain_forward(const LaneFactor* factors, int count, int columns, double* result,
                   double* trace) {
    V* m = as_vectors(result);
    for (int i = 0; i < 4; ++i) {
        for (int j = 0; j < columns; ++j) {
            const bool one = columns == 4 ? i == j : i == 0 || i == 3;
            m[i * columns + j] = all(one ? 1.0 : 0.0);
        }
    }
    for (int f = 0; f < count; ++f) {
        const LaneFactor& factor = factors[f];
        if (factor.matrix != nullptr) {
            const double* c = factor.matrix;
            for (int j = 0; j < columns; ++j) {
                const V x0 = m[j], x1 = m[columns + j], x2 = m[2 * columns + j],
                        x3 = m[3 * columns + j];
                for (int i = 1; i < 4; ++i) {
                    m[i * columns + j] = all(c[4 * i]) * x0 + all(c[4 * i + 1]) * x1 +
                                         all(c[4 * i + 2]) * x2 + all(c[4 * i + 3]) * x3;
                }
            }
        } else {
            const V c = *as_vectors(factor.cosine), s = *as_vectors(factor.sine);
            V* p = m + factor.first * columns;
            V* q = m + factor.second * columns;
            for (int j = 0; j < columns; ++j) {
                const V x = p[j], y = q[j];
                p[j] = c * x - s * y;
                q[j] = s * x + c * y;
            }
        }
        if (trace != nullptr) {
            V* copy = as_vectors(trace) + std::int64_t{4} * columns * f;
            for (int i = 0; i < 4 * columns; ++i) copy[i] = m[i];
        }
    }
}

void chain_backward(const LaneFactor* factors, int count, int columns, const double* trace,
                    double* cotangent, double* angle_gradients) {
    V* d = as_vectors(cotangent);
    V* gradients = as_vectors(angle_gradients);
    for (int f = count - 1; f >= 0; --f) {
        const LaneFactor& factor = factors[f];
        if (factor.matrix != nullptr) {
            const double* c = factor.matrix;
            for (int j = 0; j < columns; ++j) {
                const V x1 = d[columns + j], x2 = d[2 * columns + j], x3 = d[3 * columns + j];
                d[j] += all(c[4]) * x1 + all(c[8]) * x2 + all(c[12]) * x3;
                for (int k = 1; k < 4; ++k) {
                    d[k * columns + j] =
                        all(c[4 + k]) * x1 + all(c[8 + k]) * x2 + all(c[12 + k]) * x3;
                }
            }
            continue;
        }
        // d/dangle of a turn is the turn followed by a quarter turn in the same plane.
        const V* after = as_vectors(trace) + std::int64_t{4} * columns * f;
        const V c = *as_vectors(factor.cosine), s = *as_vectors(factor.sine);
        V* dp = d + factor.first * columns;
        V* dq = d + factor.second * columns;
        const V* p = after + factor.first * columns;
        const V* q = after + factor.second * columns;
        V sum = V{};
        for (int j = 0; j < columns; ++j) {
            sum += dq[j] * p[j] - dp[j] * q[j];
            const V x = dp[j], y = dq[j];
            dp[j] = c * x + s * y;
            dq[j] = c * y - s * x;
        }
        gradients[f] = sum;
    }
}

void product_forward(const double* vectors, int n, double* state) {
    V* out = as_vectors(state);
    out[0] = all(1.0);
    std::int64_t size = 1;
    for (int k = 0; k < n; ++k, size *= 4) {
        const V* v = as_vectors(vectors) + 4 * k;
        for (int i = 3; i >= 0; --i) {
            for (std::int64_t j = 0; j < size; ++j) out[i * size + j] = v[i] * out[j];
        }
    }
}

void product_backward(const double* vectors, int n, double* cotangent, double* scratch,
                      double* vector_gradients) {
    V* d = as_vectors(cotangent);
    V* partial = as_vectors(scratch);
    for (int k = n - 1; k >= 0; --k) {
        product_forward(vectors, k, scratch);
        const std::int64_t size = std::int64_t{1} << (2 * k);
        const V* v = as_vectors(vectors) + 4 * k;
        V* gradient = as_vectors(vector_gradients) + 4 * k;
        V g0 = V{}, g1 = V{}, g2 = V{}, g3 = V{};
        for (std::int64_t j = 0; j < size; ++j) {
            const V x0 = d[j], x1 = d[size + j], x2 = d[2 * size + j], x3 = d[3 * size + j];
            g0 += x0 * partial[j];
            g1 += x1 * partial[j];
            g2 += x2 * partial[j];
            g3 += x3 * partial[j];
            d[j] = v[0] * x0 + v[1] * x1 + v[2] * x2 + v[3] * x3;
        }
        gradient[0] = g0;
        gradient[1] = g1;
        gradient[2] = g2;
        gradient[3] = g3;
    }
}

void pair_forward(const double* from, double* to, int n, int low, int high,
                  const double* matrix_low, const double* matrix_high, MapView map) {
    const V* x = as_vectors(from);
    V* y = as_vectors(to);
    const V* a = as_vectors(matrix_low);
    const V* b = as_vectors(matrix_high);
    const std::int64_t sl = std::int64_t{1} << (2 * low), sh = std::int64_t{1} << (2 * high);
    for_each_group(n, low, high, [&](std::int64_t at) {
        V r[16], out[16];
        for (int j = 0; j < 4; ++j) {
            for (int i = 0; i < 4; ++i) r[4 * j + i] = x[at + j * sh + i * sl];
        }
        if (a != nullptr) {
            for (int j = 0; j < 4; ++j) mix(a, r[4 * j], r[4 * j + 1], r[4 * j + 2], r[4 * j + 3]);
        }
        if (b != nullptr) {
            for (int i = 0; i < 4; ++i) mix(b, r[i], r[4 + i], r[8 + i], r[12 + i]);
        }
        apply_map(map, r, out);
        for (int j = 0; j < 4; ++j) {
            for (int i = 0; i < 4; ++i) y[at + j * sh + i * sl] = out[4 * j + i];
        }
    });
}

void pair_backward(const double* state, double* cotangent, int n, int low, int high,
                   const double* matrix_low, const double* matrix_high, MapView transposed,
                   double* gradient_low, double* gradient_high) {
    const V* x = as_vectors(state);
    V* y = as_vectors(cotangent);
    const V* a = as_vectors(matrix_low);
    const V* b = as_vectors(matrix_high);
    const std::int64_t sl = std::int64_t{1} << (2 * low), sh = std::int64_t{1} << (2 * high);
    V ga[12] = {}, gb[12] = {};
    for_each_group(n, low, high, [&](std::int64_t at) {
        V d[16], e[16];
        for (int j = 0; j < 4; ++j) {
            for (int i = 0; i < 4; ++i) d[4 * j + i] = y[at + j * sh + i * sl];
        }
        apply_map(transposed, d, e);
        if (gradient_low != nullptr || gradient_high != nullptr) {
            V r[16];
            for (int j = 0; j < 4; ++j) {
                for (int i = 0; i < 4; ++i) r[4 * j + i] = x[at + j * sh + i * sl];
            }
            if (gradient_high != nullptr) {
                // The matrices commute: here the low one has been applied and the high not yet.
                V s[16];
                for (int k = 0; k < 16; ++k) s[k] = r[k];
                if (a != nullptr) {
                    for (int j = 0; j < 4; ++j) {
                        mix(a, s[4 * j], s[4 * j + 1], s[4 * j + 2], s[4 * j + 3]);
                    }
                }
                for (int i = 0; i < 4; ++i) outer(gb, e + i, s + i, 4);
            }
            if (b != nullptr) {
                for (int i = 0; i < 4; ++i) mix_transposed(b, e[i], e[4 + i], e[8 + i], e[12 + i]);
            }
            if (gradient_low != nullptr) {
                for (int j = 0; j < 4; ++j) outer(ga, e + 4 * j, r + 4 * j, 1);
            }
        } else if (b != nullptr) {
            for (int i = 0; i < 4; ++i) mix_transposed(b, e[i], e[4 + i], e[8 + i], e[12 + i]);
        }
        if (a != nullptr) {
            for (int j = 0; j < 4; ++j) {
                mix_transposed(a, e[4 * j], e[4 * j + 1], e[4 * j + 2], e[4 * j + 3]);
            }
        }
        for (int j = 0; j < 4; ++j) {
            for (int i = 0; i < 4; ++i) y[at + j * sh + i * sl] = e[4 * j + i];
        }
    });
    if (gradient_low != nullptr) {
        for (int k = 0; k < 12; ++k) as_vectors(gradient_low)[4 + k] += ga[k];
    }
    if (gradient_high != nullptr) {
        for (int k = 0; k < 12; ++k) as_vectors(gradient_high)[4 + k] += gb[k];
    }
}

void single_forward(const double* from, double* to, int n, int qubit, const double* matrix) {
    const V* x = as_vectors(from);
    V* y = as_vectors(to);
    const V* m = as_vectors(matrix);
    const std::int64_t s = std::int64_t{1} << (2 * qubit);
    for_each_quarter(n, qubit, [&](std::int64_t at) {
        const V x0 = x[at];
        V x1 = x[at + s], x2 = x[at + 2 * s], x3 = x[at + 3 * s];
        mix(m, x0, x1, x2, x3);
        y[at] = x0;
        y[at + s] = x1;
        y[at + 2 * s] = x2;
        y[at + 3 * s] = x3;
    });
}

void single_backward(const double* state, double* cotangent, int n, int qubit, const double* matrix,
                     double* gradient) {
    const V* x = as_vectors(state);
    V* y = as_vectors(cotangent);
    const V* m = as_vectors(matrix);
    const std::int64_t s = std::int64_t{1} << (2 * qubit);
    V g[12] = {};
    for_each_quarter(n, qubit, [&](std::int64_t at) {
        V d[4] = {y[at], y[at + s], y[at + 2 * s], y[at + 3 * s]};
        if (gradient != nullptr) {
            const V r[4] = {x[at], x[at + s], x[at + 2 * s], x[at + 3 * s]};
            outer(g, d, r, 1);
        }
        mix_transposed(m, d[0], d[1], d[2], d[3]);
        for (int i = 0; i < 4; ++i) y[at + i * s] = d[i];
    });
    if (gradient != nullptr) {
        for (int k = 0; k < 12; ++k) as_vectors(gradient)[4 + k] += g[k];
    }
}

void outcomes_forward(const double* state, const std::int64_t* index, int m, const double* matrices,
                      double* out) {
    const V* x = as_vectors(state);
    V* y = as_vectors(out);
    const std::int64_t size = std::int64_t{1} << m;
    for (std::int64_t i = 0; i < size; ++i) y[i] = x[index[i]];
    for (int bit = 0; bit < m; ++bit) {
        const double* t = matrices + 4 * bit;
        const std::int64_t step = std::int64_t{1} << bit;
        for (std::int64_t block = 0; block < size; block += 2 * step) {
            for (std::int64_t i = block; i < block + step; ++i) {
                const V p = y[i], q = y[i + step];
                y[i] = all(t[0]) * p + all(t[1]) * q;
                y[i + step] = all(t[2]) * p + all(t[3]) * q;
            }
        }
    }
}

void outcomes_backward(double* out, const std::int64_t* index, int m, const double* matrices,
                       double* cotangent) {
    V* y = as_vectors(out);
    V* d = as_vectors(cotangent);
    const std::int64_t size = std::int64_t{1} << m;
    for (int bit = m - 1; bit >= 0; --bit) {
        const double* t = matrices + 4 * bit;
        const std::int64_t step = std::int64_t{1} << bit;
        for (std::int64_t block = 0; block < size; block += 2 * step) {
            for (std::int64_t i = block; i < block + step; ++i) {
                const V p = y[i], q = y[i + step];
                y[i] = all(t[0]) * p + all(t[2]) * q;
                y[i + step] = all(t[1]) * p + all(t[3]) * q;
            }
        }
    }
    for (std::int64_t i = 0; i < size; ++i) d[index[i]] += y[i];
}

void rows_forward(const double* state, RowsView rows, double* out) {
    const V* x = as_vectors(state);
    V* y = as_vectors(out);
    for (std::int64_t row = 0; row < rows.rows; ++row) {
        V sum = V{};
        for (std::int64_t at = rows.start[row]; at < rows.start[row + 1]; ++at) {
            sum += all(rows.value[at]) * x[rows.column[at]];
        }
        y[row] = sum;
    }
}

void rows_backward(const double* out, RowsView rows, double* cotangent) {
    const V* y = as_vectors(out);
    V* d = as_vectors(cotangent);
    for (std::int64_t row = 0; row < rows.rows; ++row) {
        const V g = y[row];
        for (std::int64_t at = rows.start[row]; at < rows.start[row + 1]; ++at) {
            d[rows.column[at]] += all(rows.value[at]) * g;
        }
    }
}

constexpr LaneKernels kTable = {
    kLanes,           turns,
    chain_forward,    chain_backward,
    product_forward,  product_backward,
    pair_forward,     pair_backward,
    single_forward,   single_backward,
    outcomes_forward, outcomes_backward,
    rows_forward,     rows_backward,
};

}  // namespace

const LaneKernels* lane_kernels() { return &kTable; }

}  // namespace wb::noise::WB_ISA
