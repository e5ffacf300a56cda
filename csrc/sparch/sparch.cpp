// SPDX-License-Identifier: Apache-2.0
#include "sparch/sparch.hpp"

#include <limits>
#include <stdexcept>

#include "core/interrupt.hpp"

namespace wb::sparch {

void check_pattern(const Pattern& p, const std::string& name) {
    const auto fail = [&](const std::string& words) { throw std::invalid_argument(name + words); };
    if (p.rows < 0) fail("_indptr must have at least one entry, got none");
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    if (p.rows > most || p.cols < 0 || p.cols > most) {
        fail(" must have at most 2**31 - 1 rows and columns, got (" + std::to_string(p.rows) +
             ", " + std::to_string(p.cols) + ")");
    }
    if (p.indptr[0] != 0) {
        fail("_indptr must start at 0, got " + std::to_string(p.indptr[0]));
    }
    for (std::size_t i = 0; i + 1 < p.indptr.size(); ++i) {
        if (p.indptr[i] > p.indptr[i + 1]) {
            fail("_indptr must not decrease, got " + std::to_string(p.indptr[i + 1]) +
                 " after row " + std::to_string(i));
        }
    }
    if (p.indptr.back() != static_cast<std::int64_t>(p.indices.size())) {
        fail("_indptr must end at the number of indices, " + std::to_string(p.indices.size()) +
             ", got " + std::to_string(p.indptr.back()));
    }
    for (std::int64_t i = 0; i < p.rows; ++i) {
        std::int64_t before = -1;
        for (const std::int32_t column : p.row(i)) {
            if (column < 0 || column >= p.cols) {
                fail("_indices must be in [0, " + std::to_string(p.cols) + "), got " +
                     std::to_string(column) + " in row " + std::to_string(i));
            }
            if (column <= before) {
                fail("_indices must increase strictly within each row, but do not in row " +
                     std::to_string(i));
            }
            before = column;
        }
    }
}

void check_factors(const Pattern& a, const Pattern& b) {
    check_pattern(a, "a");
    check_pattern(b, "b");
    if (a.cols != b.rows) {
        throw std::invalid_argument("b must have as many rows as a has columns, " +
                                    std::to_string(a.cols) + ", got " + std::to_string(b.rows));
    }
}

void symbolic(const Pattern& a, const Pattern& b, std::span<std::int64_t> products,
              std::span<std::int64_t> elements) {
    check_factors(a, b);
    std::vector<std::int32_t> seen_in(static_cast<std::size_t>(b.cols), -1);
    Pulse pulse;
    for (std::int64_t i = 0; i < a.rows; ++i) {
        std::int64_t total = 0, distinct = 0;
        for (const std::int32_t k : a.row(i)) {
            pulse();
            total += b.length(k);
            for (const std::int32_t j : b.row(k)) {
                auto& seen = seen_in[static_cast<std::size_t>(j)];
                distinct += seen != static_cast<std::int32_t>(i);
                seen = static_cast<std::int32_t>(i);
            }
        }
        products[static_cast<std::size_t>(i)] = total;
        elements[static_cast<std::size_t>(i)] = distinct;
    }
}

}  // namespace wb::sparch
