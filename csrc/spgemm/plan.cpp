// SPDX-License-Identifier: Apache-2.0
#include "spgemm/plan.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/parallel.hpp"
#include "spgemm/workspace.hpp"

namespace wb::spgemm {
namespace {

constexpr std::int64_t kBytePlaces = 256;               // what one byte tells apart
constexpr std::int64_t kMostPlaces = 65536;             // and two
constexpr std::int64_t kTable = std::int64_t{1} << 24;  // columns a table of places may have
constexpr std::int64_t kSlack = 64;

bool in_run(const Work& work, std::int64_t rows, std::int64_t r) {
    // A row next to a repeated one is at least a candidate; refill_rows decides by length.
    return work.repeats && (work.repeats[r] != 0 || (r + 1 < rows && work.repeats[r + 1] != 0));
}

}  // namespace

Plan::Plan(const PatternView& a, const PatternView& b, const Places& c, int threads) {
    const bool same = a.ptr == b.ptr && a.idx == b.idx;
    const Raw<std::uint8_t> b_shifted = shifted_rows(b, threads);
    Raw<std::uint8_t> a_own;
    if (b_shifted && !same) a_own = shifted_rows(a, threads);
    work_ = count_work(a, b.ptr, same ? b_shifted.data() : a_own.data(), b_shifted.data(), threads);
    if (work_.repeats) runs_ = run_table(b.rows, b_shifted.data());
    // Rows are never split here: their columns are known, so no thread waits for another.
    pieces_ = cut(a.rows, 1, work_);

    slot_begin_ = Raw<std::int64_t>(a.rows + 1);
    slot_begin_[0] = 0;
    const auto most = static_cast<std::int64_t>(pool_limit());
    for (std::int64_t r = 0; r < a.rows; ++r) {
        const std::int64_t places = c.ptr[r + 1] - c.ptr[r];
        // Two-byte places start at even bytes.
        const std::int64_t bytes = work_.products[r] * (places <= kBytePlaces ? 1 : 2) +
                                   (slot_begin_[r] & 1) + (work_.products[r] & 1);
        const bool remembered = a.ptr[r + 1] - a.ptr[r] > 1 && places <= kMostPlaces &&
                                c.cols <= kTable && slot_begin_[r] + bytes <= most &&
                                !in_run(work_, a.rows, r);
        slot_begin_[r + 1] = slot_begin_[r] + (remembered ? bytes : 0);
    }
    slots_ = Raw<std::uint8_t>(std::max<std::int64_t>(1, slot_begin_[a.rows]));
    bytes_ = slot_begin_[a.rows] + 16 * a.rows + (runs_.first ? 8 * b.rows : 0);
    parallel_for(
        static_cast<std::int64_t>(pieces_.size()), threads_for(work_.total, 50'000, threads),
        [&](std::int64_t i, int) {
            const Piece& piece = pieces_[static_cast<std::size_t>(i)];
            const Raw<std::int32_t> table(std::max<std::int64_t>(1, std::min(c.cols, kTable)));
            for (std::int64_t r = piece.row_begin; r < piece.row_end; ++r) {
                if (slot_begin_[r] == slot_begin_[r + 1]) continue;
                const std::int64_t begin = c.ptr[r], places = c.ptr[r + 1] - begin;
                for (std::int64_t e = 0; e < places; ++e) {
                    table[c.idx[begin + e]] = static_cast<std::int32_t>(e);
                }
                std::uint8_t* const narrow = slots_.data() + slot_begin_[r];
                auto* const wide = reinterpret_cast<std::uint16_t*>(narrow + (slot_begin_[r] & 1));
                std::int64_t t = 0;
                for (std::int32_t p = a.ptr[r]; p < a.ptr[r + 1]; ++p) {
                    const std::int32_t j = a.idx[p];
                    for (std::int32_t q = b.ptr[j]; q < b.ptr[j + 1]; ++q, ++t) {
                        const std::int32_t e = table[b.idx[q]];
                        // What the table holds may be of another row, or nothing at all.
                        if (e < 0 || e >= places || c.idx[begin + e] != b.idx[q]) {
                            throw std::invalid_argument("C's pattern is not that of the product");
                        }
                        if (places <= kBytePlaces) {
                            narrow[t] = static_cast<std::uint8_t>(e);
                        } else {
                            wide[t] = static_cast<std::uint16_t>(e);
                        }
                    }
                }
            }
        });
}

template <typename T>
void Plan::refill(const Matrix<T>& a, const Matrix<T>& b, const Places& c, T* values,
                  int threads) const {
    Raw<T> lanes;
    if (work_.repeats) {
        lanes = Raw<T>(b.nnz() + kSlack);
        transpose_runs({b.rows, b.ptr, b.idx}, runs_, b.val, lanes.data(), threads);
    }
    const auto refill_block = WB_SELECT_ISA(refill_rows<T>);
    parallel_for(static_cast<std::int64_t>(pieces_.size()),
                 threads_for(work_.total, 50'000, threads), [&](std::int64_t i, int) {
                     const Piece& piece = pieces_[static_cast<std::size_t>(i)];
                     const std::int64_t begin = c.ptr[piece.row_begin];
                     const std::int64_t count = piece.row_end - piece.row_begin;
                     const Raw<std::int64_t> row_nnz(count);
                     for (std::int64_t r = 0; r < count; ++r) {
                         row_nnz[r] = c.ptr[piece.row_begin + r + 1] - c.ptr[piece.row_begin + r];
                     }
                     Block<T> block{};
                     block.a = {a.ptr, a.idx, a.val};
                     block.b = {b.ptr, b.idx, b.val};
                     block.runs = {runs_.first.data(), runs_.length.data(), lanes.data()};
                     block.repeats = work_.repeats.data();
                     block.products = work_.products.data();
                     block.row_begin = piece.row_begin;
                     block.row_end = piece.row_end;
                     block.n = static_cast<std::int32_t>(b.cols);
                     block.work = &thread_workspace<T>(b.cols);
                     block.cols = const_cast<std::int32_t*>(c.idx) + begin;  // only read
                     block.vals = values + begin;
                     block.row_nnz = row_nnz.data();
                     block.slots = slots_.data();
                     block.slot_begin = slot_begin_.data();
                     refill_block(block);
                 });
}

template void Plan::refill(const Matrix<float>&, const Matrix<float>&, const Places&, float*,
                           int) const;
template void Plan::refill(const Matrix<double>&, const Matrix<double>&, const Places&, double*,
                           int) const;

}  // namespace wb::spgemm
