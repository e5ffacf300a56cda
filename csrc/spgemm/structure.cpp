// SPDX-License-Identifier: Apache-2.0
#include "spgemm/structure.hpp"

#include <algorithm>
#include <cstring>

#include "core/parallel.hpp"

namespace wb::spgemm {
namespace {

constexpr std::int64_t kChunk = 4096;  // rows a thread looks at in one go

bool shifted(const PatternView& m, std::int64_t row) {
    const std::int32_t begin = m.ptr[row - 1], middle = m.ptr[row], end = m.ptr[row + 1];
    const std::int32_t length = end - middle;
    if (middle - begin != length) return false;
    const std::int32_t* above = m.idx + begin;
    const std::int32_t* here = m.idx + middle;
    if (length > 0 && here[0] != above[0] + 1) return false;
    std::int32_t wrong = 0;
    for (std::int32_t q = 0; q < length; ++q) wrong |= here[q] ^ (above[q] + 1);
    return wrong == 0;
}

}  // namespace

Raw<std::uint8_t> shifted_rows(const PatternView& m, int threads) {
    if (m.rows < 32) return {};
    // One row in eight must repeat, among 512 looked at, for the rest to be looked at.
    const std::int64_t step = std::max<std::int64_t>(1, m.rows / 512);
    std::int64_t seen = 0, found = 0;
    for (std::int64_t row = step; row < m.rows; row += step, ++seen) found += shifted(m, row);
    if (8 * found < seen) return {};
    Raw<std::uint8_t> out(m.rows);
    out[0] = 0;
    const std::int64_t chunks = (m.rows + kChunk - 1) / kChunk;
    parallel_for(
        chunks, threads_for(m.ptr[m.rows], 100'000, threads), [&](std::int64_t chunk, int) {
            const std::int64_t end = std::min(m.rows, (chunk + 1) * kChunk);
            for (std::int64_t r = std::max<std::int64_t>(1, chunk * kChunk); r < end; ++r) {
                out[r] = shifted(m, r);
            }
        });
    return out;
}

RunTable run_table(std::int64_t rows, const std::uint8_t* shifted) {
    RunTable t{Raw<std::int32_t>(rows), Raw<std::int32_t>(rows)};
    for (std::int64_t begin = 0; begin < rows;) {
        std::int64_t end = begin + 1;
        while (end < rows && shifted[end] != 0) ++end;
        for (std::int64_t r = begin; r < end; ++r) {
            t.first[r] = static_cast<std::int32_t>(begin);
            t.length[r] = static_cast<std::int32_t>(end - begin);
        }
        begin = end;
    }
    return t;
}

template <typename T>
void transpose_runs(const PatternView& b, const RunTable& runs, const T* val, T* lanes,
                    int threads) {
    const std::int64_t chunks = (b.rows + kChunk - 1) / kChunk;
    parallel_for(chunks, threads_for(b.ptr[b.rows], 100'000, threads),
                 [&](std::int64_t chunk, int) {
                     const std::int64_t end = std::min(b.rows, (chunk + 1) * kChunk);
                     for (std::int64_t r = chunk * kChunk; r < end;) {
                         const std::int64_t first = runs.first[r], length = runs.length[r];
                         const std::int64_t stop = std::min(end, first + length);
                         if (length >= kRunRows) {
                             const std::int64_t entries = b.ptr[r + 1] - b.ptr[r];
                             T* const out = lanes + b.ptr[first];
                             // Blocks of 64 rows: what is read stays in the cache while it is
                             // turned.
                             for (std::int64_t r0 = r; r0 < stop; r0 += 64) {
                                 const std::int64_t r1 = std::min(stop, r0 + 64);
                                 for (std::int64_t q = 0; q < entries; ++q) {
                                     const T* in = val + b.ptr[r0] + q;
                                     T* to = out + q * length + (r0 - first);
                                     for (std::int64_t j = r0; j < r1; ++j, in += entries)
                                         *to++ = *in;
                                 }
                             }
                         }
                         r = stop;
                     }
                 });
}

template void transpose_runs(const PatternView&, const RunTable&, const float*, float*, int);
template void transpose_runs(const PatternView&, const RunTable&, const double*, double*, int);

Work count_work(const PatternView& a, const std::int32_t* b_ptr, const std::uint8_t* a_shifted,
                const std::uint8_t* b_shifted, int threads) {
    Work work;
    work.products = Raw<std::int64_t>(std::max<std::int64_t>(1, a.rows));
    const bool structured = a_shifted != nullptr && b_shifted != nullptr;
    if (structured) work.repeats = Raw<std::uint8_t>(a.rows);
    const std::int64_t chunks = (a.rows + kChunk - 1) / kChunk;
    std::vector<std::int64_t> totals(static_cast<std::size_t>(chunks)), repeated(totals),
        scattered(totals);
    parallel_for(chunks, threads_for(a.ptr[a.rows], 50'000, threads), [&](std::int64_t chunk, int) {
        const std::int64_t end = std::min(a.rows, (chunk + 1) * kChunk);
        std::int64_t total = 0, count = 0, wide = 0;
        for (std::int64_t r = chunk * kChunk; r < end; ++r) {
            std::int64_t products = 0;
            for (std::int32_t p = a.ptr[r]; p < a.ptr[r + 1]; ++p) {
                const std::int32_t j = a.idx[p];
                products += b_ptr[j + 1] - b_ptr[j];
            }
            work.products[r] = products;
            total += products;
            if (products > kSortProducts) wide += products;
            if (structured) {
                std::uint8_t repeats = a_shifted[r];
                for (std::int32_t p = a.ptr[r]; repeats != 0 && p < a.ptr[r + 1]; ++p) {
                    repeats = b_shifted[a.idx[p]];
                }
                work.repeats[r] = repeats;
                count += repeats;
            }
        }
        totals[static_cast<std::size_t>(chunk)] = total;
        repeated[static_cast<std::size_t>(chunk)] = count;
        scattered[static_cast<std::size_t>(chunk)] = wide;
    });
    for (std::size_t c = 0; c < totals.size(); ++c) {
        work.total += totals[c];
        work.repeated += repeated[c];
        work.scattered += scattered[c];
    }
    if (8 * work.repeated < a.rows) work.repeats = {};
    return work;
}

std::vector<Piece> cut(std::int64_t rows, std::int64_t cols, const Work& work) {
    const std::int64_t share = std::clamp<std::int64_t>(work.total / 512, 1 << 15, 1 << 17);
    const std::int64_t hub = std::max(8 * share, work.total / 32);
    const bool runs = static_cast<bool>(work.repeats);
    const auto n = static_cast<std::int32_t>(cols);
    std::vector<Piece> pieces;
    std::int64_t begin = 0, products = 0, bound = 0;
    const auto close = [&](std::int64_t end) {
        if (end > begin) pieces.push_back({begin, end, 0, n, bound, true});
        begin = end;
        products = bound = 0;
    };
    for (std::int64_t r = 0; r < rows; ++r) {
        const std::int64_t f = work.products[r];
        if (f > hub) {
            close(r);
            const std::int64_t most = std::max<std::int64_t>(1, cols / 4096);
            const std::int64_t parts = std::clamp<std::int64_t>(f / (2 * share), 1, most);
            for (std::int64_t part = 0; part < parts; ++part) {
                const auto c0 = static_cast<std::int32_t>(cols * part / parts);
                const auto c1 = static_cast<std::int32_t>(cols * (part + 1) / parts);
                pieces.push_back(
                    {r, r + 1, c0, c1, std::min<std::int64_t>(f, c1 - c0), part + 1 == parts});
            }
            begin = r + 1;
            continue;
        }
        products += f + 8;  // a row costs something even when it is empty
        bound += std::min(f, cols);
        // A run is cut only where it is long: every piece of it has to plan its columns anew.
        const bool inside = runs && r + 1 < rows && work.repeats[r + 1] != 0;
        if (products >= (inside ? 8 * share : share)) close(r + 1);
    }
    close(rows);
    return pieces;
}

}  // namespace wb::spgemm
