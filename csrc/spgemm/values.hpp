// SPDX-License-Identifier: Apache-2.0
// Values on a known pattern: any semiring, masks, repeated products, gradients.
#pragma once

#include <cstdint>

#include "spgemm/semirings.hpp"
#include "spgemm/spgemm.hpp"

namespace wb::spgemm {

/// Row pointers of either width.
class RowPointers {
  public:
    RowPointers(const std::int32_t* narrow) : narrow_(narrow) {}
    RowPointers(const std::int64_t* wide) : wide_(wide) {}
    std::int64_t operator[](std::int64_t row) const {
        return narrow_ != nullptr ? narrow_[row] : wide_[row];
    }

  private:
    const std::int32_t* narrow_ = nullptr;
    const std::int64_t* wide_ = nullptr;
};

/// Pattern of C (canonical rows); it need not hold every place that A B has.
struct Places {
    std::int64_t rows, cols;
    RowPointers ptr;
    const std::int32_t* idx;
};

/// Entries of A and B whose product an entry of C is, for semirings that choose one.
struct Winners {
    std::int32_t* a = nullptr;
    std::int32_t* b = nullptr;
};

/// values[e] = the sum over the pairs that meet at entry e; pairs that meet elsewhere are left
/// out, places without a pair hold the identity. `winners`, where given, must be asked of
/// min_plus and max_plus only; ties go to the first entry of A's row. O(products + nnz(C)).
template <typename T>
void values_on(Semiring semiring, const Matrix<T>& a, const Matrix<T>& b, const Places& c,
               T* values, const Winners& winners, int threads);

/// C = A B where the mask has an entry. O(products + nnz(mask)).
template <typename T>
Product multiply_masked(Semiring semiring, const Matrix<T>& a, const Matrix<T>& b,
                        const Places& mask, bool wide_indices, int threads);

/// Gradients of sum(g * C) for C = A B on the pattern c: grad_a[ij] = sum_k g[ik] b[jk] on A's
/// pattern and grad_b[jk] = sum_i a[ij] g[ik] on B's. Either may be null. O(products). The sums
/// for B are taken in as many parts as the operands suggest, then added in order.
template <typename T>
void gradients(const Matrix<T>& a, const Matrix<T>& b, const Places& c, const T* g, T* grad_a,
               T* grad_b, int threads);

}  // namespace wb::spgemm
