// SPDX-License-Identifier: Apache-2.0
// Every product looks its place up: in a table over the columns, or, where that would be too
// large, by bisection of C's row. Rows are cut into pieces of equal work.
#include "spgemm/values.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "core/parallel.hpp"
#include "spgemm/structure.hpp"

namespace wb::spgemm {
namespace {

/// Columns up to which a thread keeps a table over all of them.
constexpr std::int64_t kTable = std::int64_t{1} << 24;

/// The calling thread's table, -1 everywhere between uses.
std::int32_t* slot_table(std::int64_t columns) {
    thread_local Raw<std::int32_t> table;
    thread_local std::int64_t size = 0;
    if (columns > size) {
        size = 0;
        table = Raw<std::int32_t>(columns);
        std::fill_n(table.data(), columns, -1);
        size = columns;
    }
    return table.data();
}

/// Finds the place of a column in one row of C.
class Row {
  public:
    Row(const std::int32_t* idx, std::int64_t count, std::int32_t* table)
        : idx_(idx), count_(count), table_(table) {
        if (table_ == nullptr) return;
        for (std::int64_t e = 0; e < count_; ++e) table_[idx_[e]] = static_cast<std::int32_t>(e);
    }
    ~Row() {
        if (table_ == nullptr) return;
        for (std::int64_t e = 0; e < count_; ++e) table_[idx_[e]] = -1;
    }
    Row(const Row&) = delete;
    Row& operator=(const Row&) = delete;

    std::int64_t find(std::int32_t column) const {
        if (table_ != nullptr) return table_[column];
        const std::int32_t* at = std::lower_bound(idx_, idx_ + count_, column);
        return at != idx_ + count_ && *at == column ? at - idx_ : -1;
    }

  private:
    const std::int32_t* idx_;
    std::int64_t count_;
    std::int32_t* table_;
};

template <typename T>
void check_inner(const Matrix<T>& a, const Matrix<T>& b) {
    if (a.cols == b.rows) return;
    throw std::invalid_argument("A has " + std::to_string(a.cols) + " columns but B has " +
                                std::to_string(b.rows) + " rows");
}

/// Calls body(row, its place finder) for all rows, in pieces of equal work.
template <typename T, typename Body>
void for_rows(const Matrix<T>& a, const Matrix<T>& b, const Places& c, int threads,
              const Body& body) {
    const Work work = count_work({a.rows, a.ptr, a.idx}, b.ptr, nullptr, nullptr, threads);
    // Cut as if there were too few columns to split a row by.
    const std::vector<Piece> pieces = cut(a.rows, 1, work);
    const std::int64_t cost = work.total + c.ptr[c.rows] + a.rows;
    parallel_for(static_cast<std::int64_t>(pieces.size()), threads_for(cost, 50'000, threads),
                 [&](std::int64_t i, int) {
                     std::int32_t* table = c.cols <= kTable ? slot_table(c.cols) : nullptr;
                     const Piece& piece = pieces[static_cast<std::size_t>(i)];
                     for (std::int64_t r = piece.row_begin; r < piece.row_end; ++r) {
                         const std::int64_t begin = c.ptr[r];
                         body(r, Row(c.idx + begin, c.ptr[r + 1] - begin, table));
                     }
                 });
}

template <typename Policy, typename T>
void fill(const Matrix<T>& a, const Matrix<T>& b, const Places& c, T* values,
          const Winners& winners, int threads) {
    for_rows(a, b, c, threads, [&](std::int64_t r, const Row& row) {
        const std::int64_t begin = c.ptr[r], count = c.ptr[r + 1] - begin;
        T* out = values + begin;
        std::fill_n(out, count, Policy::identity());
        std::int32_t* won_a = winners.a == nullptr ? nullptr : winners.a + begin;
        std::int32_t* won_b = winners.b == nullptr ? nullptr : winners.b + begin;
        if (won_a != nullptr) {
            std::fill_n(won_a, count, -1);
            std::fill_n(won_b, count, -1);
        }
        for (std::int32_t p = a.ptr[r]; p < a.ptr[r + 1]; ++p) {
            const T x = a.val[p];
            const std::int32_t j = a.idx[p];
            for (std::int32_t q = b.ptr[j]; q < b.ptr[j + 1]; ++q) {
                const std::int64_t e = row.find(b.idx[q]);
                if (e < 0) continue;
                const T y = Policy::multiply(x, b.val[q]);
                if (won_a == nullptr) {
                    out[e] = Policy::add(out[e], y);
                    continue;
                }
                if constexpr (std::is_floating_point_v<T>) {
                    const T best = Policy::add(out[e], y);
                    const bool changed = best != out[e] && !(best != best && out[e] != out[e]);
                    if (changed || won_a[e] < 0) {
                        won_a[e] = p;
                        won_b[e] = q;
                    }
                    out[e] = best;
                }
            }
        }
    });
}

}  // namespace

template <typename T>
void values_on(Semiring semiring, const Matrix<T>& a, const Matrix<T>& b, const Places& c,
               T* values, const Winners& winners, int threads) {
    check_inner(a, b);
    with_semiring<T>(semiring,
                     [&]<typename Policy>() { fill<Policy>(a, b, c, values, winners, threads); });
}

template <typename T>
Product multiply_masked(Semiring semiring, const Matrix<T>& a, const Matrix<T>& b,
                        const Places& mask, bool wide_indices, int threads) {
    check_inner(a, b);
    const std::int64_t most = mask.ptr[mask.rows];
    const Raw<T> all(std::max<std::int64_t>(1, most));
    const Raw<std::uint8_t> met(std::max<std::int64_t>(1, most));
    const Raw<std::int64_t> counts(a.rows + 1);
    counts[0] = 0;
    with_semiring<T>(semiring, [&]<typename Policy>() {
        for_rows(a, b, mask, threads, [&](std::int64_t r, const Row& row) {
            const std::int64_t begin = mask.ptr[r], count = mask.ptr[r + 1] - begin;
            T* out = all.data() + begin;
            std::uint8_t* seen = met.data() + begin;
            std::memset(seen, 0, static_cast<std::size_t>(count));
            counts[r + 1] = 0;
            if (count == 0) return;
            std::fill_n(out, count, Policy::identity());
            for (std::int32_t p = a.ptr[r]; p < a.ptr[r + 1]; ++p) {
                const T x = a.val[p];
                const std::int32_t j = a.idx[p];
                for (std::int32_t q = b.ptr[j]; q < b.ptr[j + 1]; ++q) {
                    const std::int64_t e = row.find(b.idx[q]);
                    if (e < 0) continue;
                    out[e] = Policy::add(out[e], Policy::multiply(x, b.val[q]));
                    seen[e] = 1;
                }
            }
            std::int64_t found = 0;
            for (std::int64_t e = 0; e < count; ++e) found += seen[e];
            counts[r + 1] = found;
        });
    });
    for (std::int64_t r = 0; r < a.rows; ++r) counts[r + 1] += counts[r];
    Product c;
    c.rows = a.rows;
    c.nnz = counts[a.rows];
    c.wide = wide_indices || c.nnz > INT32_MAX;
    const std::size_t width = c.wide ? 8 : 4;
    const auto reserve = [](std::int64_t count, std::size_t size) {
        auto memory = std::make_shared<Pooled>(bytes_of(count, size));
        memory->set_written(bytes_of(count, size));
        return memory;
    };
    c.ptr = reserve(a.rows + 1, width);
    c.idx = reserve(c.nnz, width);
    c.val = reserve(c.nnz, sizeof(T));
    const auto put = [](const std::shared_ptr<Pooled>& memory, bool wide, std::int64_t at,
                        std::int64_t value) {
        if (wide) {
            static_cast<std::int64_t*>(memory->data())[at] = value;
        } else {
            static_cast<std::int32_t*>(memory->data())[at] = static_cast<std::int32_t>(value);
        }
    };
    constexpr std::int64_t kChunk = 4096;
    put(c.ptr, c.wide, 0, 0);
    parallel_for((a.rows + kChunk - 1) / kChunk, threads_for(most, 100'000, threads),
                 [&](std::int64_t chunk, int) {
                     const std::int64_t end = std::min(a.rows, (chunk + 1) * kChunk);
                     for (std::int64_t r = chunk * kChunk; r < end; ++r) {
                         std::int64_t to = counts[r];
                         for (std::int64_t e = mask.ptr[r]; e < mask.ptr[r + 1]; ++e) {
                             if (met[e] == 0) continue;
                             put(c.idx, c.wide, to, mask.idx[e]);
                             static_cast<T*>(c.val->data())[to++] = all[e];
                         }
                         put(c.ptr, c.wide, r + 1, to);
                     }
                 });
    return c;
}

namespace {

/// One row's part of both gradients; `g_at(column)` is the upstream gradient there. For the types
/// and widths that have no loops of their own.
template <typename T, typename Lookup>
void row_gradients(const Matrix<T>& a, const Matrix<T>& b, std::int64_t r, const Lookup& g_at,
                   T* grad_a, T* grad_b) {
    for (std::int32_t p = a.ptr[r]; p < a.ptr[r + 1]; ++p) {
        const std::int32_t j = a.idx[p];
        T sum{};
        for (std::int32_t q = b.ptr[j]; q < b.ptr[j + 1]; ++q) {
            const T g = g_at(b.idx[q]);
            sum += g * b.val[q];
            if (grad_b != nullptr) grad_b[q] += a.val[p] * g;
        }
        if (grad_a != nullptr) grad_a[p] = sum;
    }
}

/// The calling thread's row of upstream gradients, zero everywhere between uses.
template <typename T>
T* gradient_window(std::int64_t columns) {
    thread_local Raw<T> window;
    thread_local std::int64_t size = 0;
    if (columns > size) {
        size = 0;
        window = Raw<T>(columns);
        std::fill_n(window.data(), columns, T{});
        size = columns;
    }
    return window.data();
}

}  // namespace

template <typename T>
void gradients(const Matrix<T>& a, const Matrix<T>& b, const Places& c, const T* g, T* grad_a,
               T* grad_b, int threads) {
    check_inner(a, b);
    const Work work = count_work({a.rows, a.ptr, a.idx}, b.ptr, nullptr, nullptr, threads);
    const std::int64_t b_nnz = b.nnz();
    // Parts of equal work, each with a gradient of B of its own: as many as pay for themselves.
    const std::int64_t parts =
        grad_b == nullptr
            ? 64
            : std::clamp<std::int64_t>(work.total / std::max<std::int64_t>(1, 2 * b_nnz), 1, 8);
    std::vector<std::int64_t> begins(1, 0);
    std::int64_t done = 0;
    for (std::int64_t r = 0; r < a.rows; ++r) {
        done += work.products[r];
        const auto part = static_cast<std::int64_t>(begins.size());
        if (part < parts && done >= work.total / parts * part) begins.push_back(r + 1);
    }
    begins.push_back(a.rows);
    const auto count = static_cast<std::int64_t>(begins.size()) - 1;
    const Raw<T> own(std::max<std::int64_t>(1, grad_b == nullptr ? 1 : (count - 1) * b_nnz));
    parallel_for(count, threads_for(work.total, 50'000, threads), [&](std::int64_t part, int) {
        T* to = nullptr;
        if (grad_b != nullptr) {
            to = part == 0 ? grad_b : own.data() + (part - 1) * b_nnz;
            std::fill_n(to, b_nnz, T{});
        }
        const auto at = static_cast<std::size_t>(part);
        T* window = c.cols <= kTable ? gradient_window<T>(c.cols) : nullptr;
        for (std::int64_t r = begins[at]; r < begins[at + 1]; ++r) {
            check_interrupt();
            const std::int64_t begin = c.ptr[r], end = c.ptr[r + 1];
            if (window != nullptr) {
                for (std::int64_t e = begin; e < end; ++e) window[c.idx[e]] = g[e];
                if constexpr (std::is_floating_point_v<T>) {
                    const auto gradient = WB_SELECT_ISA(gradient_row<T>);
                    gradient({{a.ptr, a.idx, a.val},
                              {b.ptr, b.idx, b.val},
                              a.ptr[r],
                              a.ptr[r + 1],
                              window,
                              grad_a,
                              to});
                } else {
                    row_gradients(
                        a, b, r, [window](std::int32_t col) { return window[col]; }, grad_a, to);
                }
                for (std::int64_t e = begin; e < end; ++e) window[c.idx[e]] = T{};
            } else {
                const Row row(c.idx + begin, end - begin, nullptr);
                row_gradients(
                    a, b, r,
                    [&](std::int32_t col) {
                        const std::int64_t e = row.find(col);
                        return e < 0 ? T{} : g[begin + e];
                    },
                    grad_a, to);
            }
        }
    });
    if (grad_b == nullptr || count == 1) return;
    constexpr std::int64_t kChunk = 1 << 14;
    parallel_for((b_nnz + kChunk - 1) / kChunk, threads_for(b_nnz * count, 100'000, threads),
                 [&](std::int64_t chunk, int) {
                     const std::int64_t end = std::min(b_nnz, (chunk + 1) * kChunk);
                     for (std::int64_t part = 1; part < count; ++part) {
                         const T* from = own.data() + (part - 1) * b_nnz;
                         for (std::int64_t q = chunk * kChunk; q < end; ++q) grad_b[q] += from[q];
                     }
                 });
}

#define WB_SPGEMM_VALUES(T)                                                                       \
    template void values_on(Semiring, const Matrix<T>&, const Matrix<T>&, const Places&, T*,      \
                            const Winners&, int);                                                 \
    template Product multiply_masked(Semiring, const Matrix<T>&, const Matrix<T>&, const Places&, \
                                     bool, int);
WB_SPGEMM_VALUES(float)
WB_SPGEMM_VALUES(double)
WB_SPGEMM_VALUES(std::int32_t)
WB_SPGEMM_VALUES(std::int64_t)
WB_SPGEMM_VALUES(std::complex<float>)
WB_SPGEMM_VALUES(std::complex<double>)
WB_SPGEMM_VALUES(Bool)
#undef WB_SPGEMM_VALUES

template void gradients(const Matrix<float>&, const Matrix<float>&, const Places&, const float*,
                        float*, float*, int);
template void gradients(const Matrix<double>&, const Matrix<double>&, const Places&, const double*,
                        double*, double*, int);
template void gradients(const Matrix<std::complex<float>>&, const Matrix<std::complex<float>>&,
                        const Places&, const std::complex<float>*, std::complex<float>*,
                        std::complex<float>*, int);
template void gradients(const Matrix<std::complex<double>>&, const Matrix<std::complex<double>>&,
                        const Places&, const std::complex<double>*, std::complex<double>*,
                        std::complex<double>*, int);

}  // namespace wb::spgemm
