// SPDX-License-Identifier: Apache-2.0
// The hot loops of the noise family, one table of functions per instruction set.
//
// Every number has one lane per sample: coefficient i of lane l is at [i * lanes + l]. All
// pointers are aligned to 64 bytes. Matrices on one qubit are 16 numbers, row major, of which
// row 0 is 1, 0, 0, 0 and is never read: channels preserve the trace.
#pragma once

#include <cstdint>

#include "core/isa.hpp"

namespace wb::noise {

/// One factor of a chain, with lanes: a shared constant matrix, or a turn.
struct LaneFactor {
    const double* matrix;  // 16 numbers without lanes; null: a turn
    int first, second;
    const double* cosine;
    const double* sine;
};

/// A sparse 16 x 16 matrix by rows.
struct MapView {
    const std::int32_t* start;
    const std::int32_t* column;
    const double* value;
};

/// Sparse rows over the 4**n coefficients.
struct RowsView {
    std::int64_t rows;
    const std::int64_t* start;
    const std::int64_t* column;
    const double* value;
};

struct LaneKernels {
    int lanes;

    /// Cosine and sine of one angle per lane, to 2 ulp of 1.
    void (*turns)(const double* angles, double* cosine, double* sine);

    /// Product of a chain: columns = 4 gives the matrix, 1 its action on |0> = (1, 0, 0, 1).
    /// trace, where given, receives the product after each factor.
    void (*chain_forward)(const LaneFactor* factors, int count, int columns, double* result,
                          double* trace);
    /// Angle gradients [count][lanes] from the cotangent of the product, which is destroyed.
    void (*chain_backward)(const LaneFactor* factors, int count, int columns, const double* trace,
                           double* cotangent, double* angle_gradients);

    /// Kronecker product of n vectors of four, [n][4].
    void (*product_forward)(const double* vectors, int n, double* state);
    /// Destroys cotangent; scratch holds a state.
    void (*product_backward)(const double* vectors, int n, double* cotangent, double* scratch,
                             double* vector_gradients);

    /// to = map (high x low) from, with a null matrix standing for the identity; to may be from.
    void (*pair_forward)(const double* from, double* to, int n, int low, int high,
                         const double* matrix_low, const double* matrix_high, MapView map);
    /// cotangent <- its pull-back, in place. Where a gradient is not null, that of the matrix is
    /// added to it, from the state before the step.
    void (*pair_backward)(const double* state, double* cotangent, int n, int low, int high,
                          const double* matrix_low, const double* matrix_high, MapView transposed,
                          double* gradient_low, double* gradient_high);
    void (*single_forward)(const double* from, double* to, int n, int qubit, const double* matrix);
    void (*single_backward)(const double* state, double* cotangent, int n, int qubit,
                            const double* matrix, double* gradient);

    /// out [2**m] from the coefficients at `index` (one per subset of the m qubits); matrices are
    /// m x 2 x 2, from (I, Z) coefficients to the populations read.
    void (*outcomes_forward)(const double* state, const std::int64_t* index, int m,
                             const double* matrices, double* out);
    /// Adds to cotangent; destroys out.
    void (*outcomes_backward)(double* out, const std::int64_t* index, int m, const double* matrices,
                              double* cotangent);
    void (*rows_forward)(const double* state, RowsView rows, double* out);
    void (*rows_backward)(const double* out, RowsView rows, double* cotangent);
};

WB_DECLARE_FOR_EACH_ISA(const LaneKernels* lane_kernels();)

}  // namespace wb::noise
