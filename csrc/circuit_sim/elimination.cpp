// SPDX-License-Identifier: Apache-2.0
#include "circuit_sim/elimination.hpp"

#include <cstddef>
#include <limits>

namespace wb::circuit_sim {
namespace {

using Pattern = std::vector<std::vector<char>>;

/// Least (row - 1) * (column - 1) first, ties by number; the pattern receives its fill.
std::vector<std::int32_t> least_fill_order(Pattern& filled) {
    const std::size_t n = filled.size();
    std::vector<char> gone(n, 0);
    std::vector<std::int32_t> order;
    for (std::size_t k = 0; k < n; ++k) {
        std::size_t best = n, best_cost = std::numeric_limits<std::size_t>::max();
        for (std::size_t i = 0; i < n; ++i) {
            if (gone[i]) continue;
            std::size_t row = 0, column = 0;
            for (std::size_t j = 0; j < n; ++j) {
                if (gone[j] || j == i) continue;
                row += filled[i][j] ? 1 : 0;
                column += filled[j][i] ? 1 : 0;
            }
            if (row * column < best_cost) {
                best_cost = row * column;
                best = i;
            }
        }
        gone[best] = 1;
        order.push_back(static_cast<std::int32_t>(best));
        for (std::size_t i = 0; i < n; ++i) {
            if (gone[i] || !filled[i][best]) continue;
            for (std::size_t j = 0; j < n; ++j) {
                if (!gone[j] && filled[best][j]) filled[i][j] = 1;
            }
        }
    }
    return order;
}

void append(Elimination::Sums& sums, std::int32_t factor, std::size_t other) {
    sums.factor.push_back(factor);
    sums.other.push_back(static_cast<std::int32_t>(other));
}

void close(Elimination::Sums& sums) {
    sums.start.push_back(static_cast<std::int32_t>(sums.factor.size()));
}

}  // namespace

Elimination eliminate(int size, const std::vector<std::pair<int, int>>& entries) {
    const auto n = static_cast<std::size_t>(size);
    Pattern filled(n, std::vector<char>(n, 0));
    std::vector<std::vector<std::int32_t>> entry(n, std::vector<std::int32_t>(n, -1));
    for (std::size_t e = 0; e < entries.size(); ++e) {
        const auto row = static_cast<std::size_t>(entries[e].first);
        const auto column = static_cast<std::size_t>(entries[e].second);
        filled[row][column] = 1;
        entry[row][column] = static_cast<std::int32_t>(e);
    }
    for (std::size_t i = 0; i < n; ++i) filled[i][i] = 1;

    Elimination out;
    out.size = size;
    out.order = least_fill_order(filled);
    out.step.assign(n, 0);
    for (std::size_t k = 0; k < n; ++k) {
        out.step[static_cast<std::size_t>(out.order[k])] = static_cast<std::int32_t>(k);
    }

    // From here on rows and columns are elimination steps.
    std::vector<std::vector<std::int32_t>> factor(n, std::vector<std::int32_t>(n, -1));
    std::int32_t count = 0;
    const auto original = [&](std::size_t k) { return static_cast<std::size_t>(out.order[k]); };
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            if (!filled[original(i)][original(j)]) continue;
            factor[i][j] = count++;
            out.entry_of.push_back(entry[original(i)][original(j)]);
            out.scale.push_back(j < i ? static_cast<std::int32_t>(j) : j == i ? -2 : -1);
            out.pair_start.push_back(static_cast<std::int32_t>(out.pair_left.size()));
            for (std::size_t k = 0; k < (i < j ? i : j); ++k) {
                if (factor[i][k] < 0 || factor[k][j] < 0) continue;
                out.pair_left.push_back(factor[i][k]);
                out.pair_right.push_back(factor[k][j]);
            }
        }
    }
    out.pair_start.push_back(static_cast<std::int32_t>(out.pair_left.size()));

    for (std::size_t i = 0; i < n; ++i) {
        close(out.lower_rows);
        close(out.upper_rows);
        close(out.lower_columns);
        close(out.upper_columns);
        for (std::size_t j = 0; j < n; ++j) {
            if (j < i && factor[i][j] >= 0) append(out.lower_rows, factor[i][j], j);
            if (j > i && factor[i][j] >= 0) append(out.upper_rows, factor[i][j], j);
            if (j > i && factor[j][i] >= 0) append(out.lower_columns, factor[j][i], j);
            if (j < i && factor[j][i] >= 0) append(out.upper_columns, factor[j][i], j);
        }
    }
    close(out.lower_rows);
    close(out.upper_rows);
    close(out.lower_columns);
    close(out.upper_columns);
    return out;
}

}  // namespace wb::circuit_sim
