// SPDX-License-Identifier: Apache-2.0
#include "spgemm/plan.hpp"

#include <algorithm>
#include <stdexcept>

#include "core/parallel.hpp"
#include "spgemm/workspace.hpp"

namespace wb::spgemm {
namespace {

constexpr std::int64_t kMostPlaces = 256;     // what a byte tells apart
constexpr std::int64_t kMostProducts = 4096;  // of a row whose places are remembered
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
    for (std::int64_t r = 0; r < a.rows; ++r) {
        const std::int64_t places = c.ptr[r + 1] - c.ptr[r], products = work_.products[r];
        const bool remembered = a.ptr[r + 1] - a.ptr[r] > 1 && places <= kMostPlaces &&
                                products <= kMostProducts && !in_run(work_, a.rows, r);
        slot_begin_[r + 1] = slot_begin_[r] + (remembered ? products : 0);
    }
    slots_ = Raw<std::uint8_t>(std::max<std::int64_t>(1, slot_begin_[a.rows]));
    bytes_ = slot_begin_[a.rows] + 16 * a.rows + (runs_.first ? 8 * b.rows : 0);
    parallel_for(
        static_cast<std::int64_t>(pieces_.size()), threads_for(work_.total, 50'000, threads),
        [&](std::int64_t i, int) {
            const Piece& piece = pieces_[static_cast<std::size_t>(i)];
            for (std::int64_t r = piece.row_begin; r < piece.row_end; ++r) {
                if (slot_begin_[r] == slot_begin_[r + 1]) continue;
                std::uint8_t* slot = slots_.data() + slot_begin_[r];
                const std::int32_t* const first = c.idx + c.ptr[r];
                const std::int32_t* const last = c.idx + c.ptr[r + 1];
                for (std::int32_t p = a.ptr[r]; p < a.ptr[r + 1]; ++p) {
                    const std::int32_t j = a.idx[p];
                    const std::int32_t* at = first;  // columns ascend in both
                    for (std::int32_t q = b.ptr[j]; q < b.ptr[j + 1]; ++q) {
                        at = std::lower_bound(at, last, b.idx[q]);
                        if (at == last || *at != b.idx[q]) {
                            throw std::invalid_argument("C's pattern is not that of the product");
                        }
                        *slot++ = static_cast<std::uint8_t>(at - first);
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
