// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "spgemm/structure.hpp"
#include "spgemm/values.hpp"

namespace wb::spgemm {

/// What repeated products C = A B on one pattern share: the pieces of work, the runs of shifted
/// rows, and where each product of a short row goes. It refers to none of the arrays it was made
/// from; refill() must be given operands of the same pattern.
class Plan {
  public:
    /// `c` is the pattern that multiply() gave.
    Plan(const PatternView& a, const PatternView& b, const Places& c, int threads);

    /// plus_times values of C; T is float or double. Thread-safe.
    template <typename T>
    void refill(const Matrix<T>& a, const Matrix<T>& b, const Places& c, T* values,
                int threads) const;

    /// Bytes the plan holds.
    std::int64_t bytes() const { return bytes_; }

  private:
    Work work_;
    RunTable runs_;
    std::vector<Piece> pieces_;
    Raw<std::int64_t> slot_begin_;  // in bytes: a place takes one, or two in longer rows
    Raw<std::uint8_t> slots_;
    std::int64_t bytes_ = 0;
};

}  // namespace wb::spgemm
