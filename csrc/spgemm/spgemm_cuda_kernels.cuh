// SPDX-License-Identifier: Apache-2.0
// The kernels of the product on a GPU: one or two for each class of rows.
#pragma once

#include "spgemm/spgemm_cuda_rows.cuh"

namespace wb::spgemm {
namespace {

constexpr int kPlainThreads = 256;

/// Products and columns of each row. A warp takes a row; the whole block takes a long one.
__global__ void __launch_bounds__(kPlainThreads)
    measure_rows(CudaOperands<float> m, CudaRowWork work) {
    constexpr int kRows = kPlainThreads / 32;
    constexpr std::int64_t kLong = 1024;
    __shared__ unsigned long long products[kRows];
    __shared__ std::int32_t first[kRows], last[kRows];
    const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32;
    if (thread < kRows) {
        products[thread] = 0;
        first[thread] = INT_MAX;
        last[thread] = -1;
    }
    __syncthreads();
    const auto part = [&](int slot, std::int64_t begin, std::int64_t end, int stride) {
        unsigned long long sum = 0;
        std::int32_t lowest = INT_MAX, highest = -1;
#pragma unroll 4
        for (std::int64_t q = begin; q < end; q += stride) {
            const std::int32_t k = m.a_idx[q];
            const std::int32_t start = m.b_ptr[k], stop = m.b_ptr[k + 1];
            if (start == stop) continue;
            sum += static_cast<unsigned long long>(stop - start);
            lowest = min(lowest, m.b_idx[start]);
            highest = max(highest, m.b_idx[stop - 1]);
        }
        __syncwarp();
        for (int step = 16; step > 0; step /= 2) {
            sum += __shfl_xor_sync(kAll, sum, step);
            lowest = min(lowest, __shfl_xor_sync(kAll, lowest, step));
            highest = max(highest, __shfl_xor_sync(kAll, highest, step));
        }
        if (lane == 0) {
            atomicAdd(products + slot, sum);
            atomicMin(first + slot, lowest);
            atomicMax(last + slot, highest);
        }
    };
    const std::int64_t row0 = static_cast<std::int64_t>(blockIdx.x) * kRows;
    for (int r = 0; r < kRows && row0 + r < m.rows; ++r) {
        const std::int64_t begin = m.a_ptr[row0 + r], end = m.a_ptr[row0 + r + 1];
        if (end - begin > kLong) {
            part(r, begin + thread, end, kPlainThreads);
        } else if (r == warp) {
            part(r, begin + lane, end, 32);
        }
    }
    __syncthreads();
    if (thread < kRows && row0 + thread < m.rows) {
        constexpr unsigned long long kMost = INT_MAX;
        const std::int64_t row = row0 + thread;
        work.products[row] = static_cast<std::int32_t>(min(products[thread], kMost));
        work.first[row] = products[thread] ? first[thread] : 0;
        work.span[row] = products[thread] ? last[thread] - first[thread] + 1 : 0;
    }
}

/// The class of each row, and how many rows a class has. Without `c_ptr` entries are bounded by
/// what is known before counting, and a table holds a bitmap of 32 columns per slot.
__global__ void __launch_bounds__(kPlainThreads)
    classify_rows(std::int64_t rows, const std::int32_t* a_ptr, CudaRowWork work,
                  const std::int64_t* c_ptr, int tables, unsigned char* classes, std::int32_t* list,
                  int* sizes) {
    __shared__ int mine[kClasses];
    if (threadIdx.x < kClasses) mine[threadIdx.x] = 0;
    __syncthreads();
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
    if (row < rows) {
        const std::int32_t products = work.products[row], span = work.span[row];
        const std::int32_t terms = a_ptr[row + 1] - a_ptr[row];
        const std::int64_t entries =
            c_ptr ? c_ptr[row + 1] - c_ptr[row] : static_cast<std::int64_t>(min(products, span));
        int found = kEmptyRow;
        if (products > 0 && products <= 8 && terms <= 8) {
            found = kQuarterWarp;
        } else if (products > 0 && products <= 32 && terms <= 32) {
            found = kWholeWarp;
        } else if (products > 0) {
            const int reach = c_ptr ? 1 : 32;
            int table = 0;
            while (table < tables && entries > capacity_of(table) &&
                   span > static_cast<std::int64_t>(slots_of(table)) * reach) {
                ++table;
            }
            // A row that is more than a sixteenth full is cheaper in windows than sorted.
            if (c_ptr && table < tables && entries > 1024 && span > slots_of(table) &&
                span <= 16 * entries) {
                table = tables;
            }
            // Many products want more warps than their few entries would get.
            while (table + 1 < tables && products / 32 > capacity_of(table)) ++table;
            found = table < tables ? kFirstTable + table : kWindows;
        }
        classes[row] = static_cast<unsigned char>(found);
        list[row] = static_cast<std::int32_t>(row);
        atomicAdd(mine + found, 1);
    }
    __syncthreads();
    if (threadIdx.x < kClasses && mine[threadIdx.x])
        atomicAdd(sizes + threadIdx.x, mine[threadIdx.x]);
}

/// Rows of at most Lanes products from at most Lanes entries of A, one per Lanes lanes: a product
/// per lane. Lanes without a row or without a product take part in every exchange.
template <int Lanes, bool Fill, typename T>
__global__ void __launch_bounds__(kPlainThreads)
    tiny_rows(CudaOperands<T> m, const std::int32_t* list, std::int64_t count, std::int64_t* nnz,
              const std::int64_t* c_ptr, std::int32_t* c_idx, T* c_val) {
    const std::int64_t group =
        (static_cast<std::int64_t>(blockIdx.x) * kPlainThreads + threadIdx.x) / Lanes;
    const int lane = static_cast<int>(threadIdx.x) % 32, sub = lane % Lanes, zero = lane - sub;
    const unsigned mates = Lanes == 32 ? kAll : ((1u << Lanes % 32) - 1) << zero;
    const std::int32_t row = group < count ? list[group] : -1;
    std::int32_t start = 0, length = 0;
    T factor{};
    if (row >= 0) {
        const std::int64_t q = static_cast<std::int64_t>(m.a_ptr[row]) + sub;
        if (q < m.a_ptr[row + 1]) {
            const std::int32_t k = m.a_idx[q];
            start = m.b_ptr[k];
            length = m.b_ptr[k + 1] - start;
            if constexpr (Fill) factor = m.a_val[q];
        }
    }
    __syncwarp();
    int offset = length;
    for (int step = 1; step < Lanes; step *= 2) {
        const int below = __shfl_up_sync(kAll, offset, step, Lanes);
        if (sub >= step) offset += below;
    }
    const int total = __shfl_sync(kAll, offset, Lanes - 1, Lanes);
    offset -= length;
    int entry = 0;  // the last that begins at this lane's product or before
    for (int step = Lanes / 2; step > 0; step /= 2) {
        if (__shfl_sync(kAll, offset, entry + step, Lanes) <= sub) entry += step;
    }
    const std::int32_t from = __shfl_sync(kAll, start, entry, Lanes);
    const int skipped = __shfl_sync(kAll, offset, entry, Lanes);
    const T times = __shfl_sync(kAll, factor, entry, Lanes);
    std::int32_t column = kFree;
    T value{};
    if (sub < total) {
        const std::int32_t place = from + (sub - skipped);
        column = m.b_idx[place];
        if constexpr (Fill) value = times * m.b_val[place];
    }
    __syncwarp();
    const unsigned same = __match_any_sync(kAll, column) & mates;
    const bool leads = sub < total && !(same & ((1u << lane) - 1));
    const unsigned leaders = __ballot_sync(kAll, leads) & mates;
    if constexpr (Fill) {
        T sum = static_cast<T>(-0.0);
        int rank = 0;
        for (int j = 0; j < Lanes; ++j) {
            const T theirs = __shfl_sync(kAll, value, j, Lanes);
            const std::int32_t other = __shfl_sync(kAll, column, j, Lanes);
            if (same >> (zero + j) & 1u) sum += theirs;
            if ((leaders >> (zero + j) & 1u) && other < column) ++rank;
        }
        if (leads) {
            c_idx[c_ptr[row] + rank] = column;
            c_val[c_ptr[row] + rank] = sum;
        }
    } else {
        if (row >= 0 && sub == 0) nnz[row] = __popc(leaders);
    }
}

/// Entries of a row per block: a bitmap where the span allows, else a table of columns.
template <int Table>
__global__ void __launch_bounds__(warps_of(Table) * 32)
    count_rows(CudaOperands<float> m, CudaRowWork work, const std::int32_t* list,
               std::int64_t* nnz) {
    constexpr int kWarps = warps_of(Table), kSlots = slots_of(Table);
    extern __shared__ __align__(16) unsigned char shared[];
    __shared__ Batch<NoValue, kWarps> batch;
    auto* keys = reinterpret_cast<std::int32_t*>(shared);
    auto* bits = reinterpret_cast<unsigned*>(shared);
    const std::int32_t row = list[blockIdx.x], first = work.first[row], span = work.span[row];
    const bool bitmap = span <= kSlots * 32;
    const int words = bitmap ? (span + 31) / 32 : kSlots;
    for (int i = static_cast<int>(threadIdx.x); i < words; i += kWarps * 32) {
        keys[i] = bitmap ? 0 : kFree;
    }
    __syncthreads();
    int found = 0;
    for_products<kWarps, false>(m, row, 0, 0, batch, [&](const Term<NoValue>& term, int) {
        if (!term.active) return;
        if (bitmap) {
            const int at = term.column - first;
            const unsigned bit = 1u << at % 32;
            if (!(atomicOr(bits + at / 32, bit) & bit)) ++found;
        } else {
            bool fresh;
            slot_of(keys, kSlots, term.column, fresh);
            if (fresh) ++found;
        }
    });
    int total;
    scan_before<kWarps>(found, total, batch.partial);
    if (threadIdx.x == 0) nnz[row] = total;
}

/// The entries of a row per block.
template <int Table, typename T>
__global__ void __launch_bounds__(warps_of(Table) * 32)
    fill_rows(CudaOperands<T> m, CudaRowWork work, const std::int32_t* list,
              const std::int64_t* c_ptr, std::int32_t* c_idx, T* c_val) {
    constexpr int kWarps = warps_of(Table), kThreads = kWarps * 32, kSlots = slots_of(Table);
    static_assert(kSlots % kThreads == 0, "the walk over the slots has no remainder");
    extern __shared__ __align__(16) unsigned char shared[];
    __shared__ Batch<T, kWarps> batch;
    auto* values = reinterpret_cast<T*>(shared);
    auto* keys = reinterpret_cast<std::int32_t*>(values + kSlots);
    const int thread = static_cast<int>(threadIdx.x);
    const std::int32_t row = list[blockIdx.x], first = work.first[row], span = work.span[row];
    c_idx += c_ptr[row];
    c_val += c_ptr[row];
    if (span <= kSlots) {
        fill_dense<kWarps, false>(m, row, first, first + span, values,
                                  reinterpret_cast<unsigned*>(keys), batch, c_idx, c_val);
        return;
    }
    for (int i = thread; i < kSlots; i += kThreads) {
        keys[i] = kFree;
        values[i] = static_cast<T>(-0.0);
    }
    __syncthreads();
    for_products<kWarps, false>(m, row, 0, 0, batch, [&](const Term<T>& term, int warps) {
        bool fresh;
        const int slot = term.active ? slot_of(keys, kSlots, term.column, fresh) : 0;
        add_in_order<kWarps>(values, slot, term, warps);
    });
    __syncthreads();
    // Moves the used slots to the front. A step reads before the scan's barriers and writes after
    // them, never past what it read, and the next step reads further on.
    int count = 0;
    for (int i0 = 0; i0 < kSlots; i0 += kThreads) {
        const std::int32_t key = keys[i0 + thread];
        const T value = values[i0 + thread];
        int total;
        const int at = count + scan_before<kWarps>(key != kFree ? 1 : 0, total, batch.partial);
        if (key != kFree) {
            keys[at] = key;
            values[at] = value;
        }
        count += total;
    }
    __syncthreads();
    sort_table<kWarps>(keys, values, count);
    for (int i = thread; i < count; i += kThreads) {
        c_idx[i] = keys[i];
        c_val[i] = values[i];
    }
}

/// Rows cut into windows: `items` holds where each row's windows begin, and their number.
struct Windows {
    const std::int32_t* list;
    std::int64_t rows;
    const std::int64_t* items;
    std::int64_t n_items;
};

struct Window {
    std::int64_t first_item;
    std::int32_t row, begin, end;
};

__device__ Window window_of(const Windows& windows, const CudaRowWork& work, std::int64_t item,
                            int columns) {
    std::int64_t low = 0, high = windows.rows;  // the last row whose windows begin here or before
    while (high - low > 1) {
        const std::int64_t middle = (low + high) / 2;
        if (windows.items[middle] <= item) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Window w;
    w.first_item = windows.items[low];
    w.row = windows.list[low];
    const std::int64_t first = work.first[w.row], past = first + work.span[w.row];
    const std::int64_t begin = first + (item - w.first_item) * columns;
    w.begin = static_cast<std::int32_t>(begin);
    w.end = static_cast<std::int32_t>(min(begin + columns, past));  // past is at most `cols`
    return w;
}

/// Windows of each row; one place more, which the scan turns into their number.
__global__ void __launch_bounds__(kPlainThreads)
    count_windows(CudaRowWork work, const std::int32_t* list, std::int64_t rows, int columns,
                  std::int64_t* items) {
    const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kPlainThreads + threadIdx.x;
    if (i < rows)
        items[i] = (static_cast<std::int64_t>(work.span[list[i]]) + columns - 1) / columns;
    if (i == rows) items[i] = 0;
}

/// Entries of each window, added to the row's count or written one by one.
template <typename M>
__global__ void __launch_bounds__(kWindowWarps * 32)
    count_in_windows(CudaOperands<M> m, CudaRowWork work, Windows windows, int columns, bool by_row,
                     std::int64_t* counts) {
    extern __shared__ __align__(16) unsigned char shared[];
    __shared__ Batch<NoValue, kWindowWarps> batch;
    auto* bits = reinterpret_cast<unsigned*>(shared);
    for (std::int64_t item = blockIdx.x; item < windows.n_items; item += gridDim.x) {
        const Window w = window_of(windows, work, item, columns);
        for (int i = static_cast<int>(threadIdx.x); i < columns / 32; i += kWindowWarps * 32) {
            bits[i] = 0;
        }
        __syncthreads();
        int found = 0;
        for_products<kWindowWarps, true>(m, w.row, w.begin, w.end, batch,
                                         [&](const Term<NoValue>& term, int) {
                                             if (!term.active) return;
                                             const int at = term.column - w.begin;
                                             const unsigned bit = 1u << at % 32;
                                             if (!(atomicOr(bits + at / 32, bit) & bit)) ++found;
                                         });
        int total;
        scan_before<kWindowWarps>(found, total, batch.partial);  // ends synchronised
        if (threadIdx.x == 0) {
            atomicAdd(reinterpret_cast<unsigned long long*>(counts + (by_row ? w.row : item)),
                      static_cast<unsigned long long>(total));
        }
    }
}

/// The entries of each window; `before` holds the entries of the windows before it.
template <typename T>
__global__ void __launch_bounds__(kWindowWarps * 32)
    fill_windows(CudaOperands<T> m, CudaRowWork work, Windows windows, const std::int64_t* before,
                 const std::int64_t* c_ptr, std::int32_t* c_idx, T* c_val) {
    extern __shared__ __align__(16) unsigned char shared[];
    __shared__ Batch<T, kWindowWarps> batch;
    auto* values = reinterpret_cast<T*>(shared);
    auto* bits = reinterpret_cast<unsigned*>(values + kFillColumns<T>);
    for (std::int64_t item = blockIdx.x; item < windows.n_items; item += gridDim.x) {
        const Window w = window_of(windows, work, item, kFillColumns<T>);
        const std::int64_t at = c_ptr[w.row] + before[item] - before[w.first_item];
        fill_dense<kWindowWarps, true>(m, w.row, w.begin, w.end, values, bits, batch, c_idx + at,
                                       c_val + at);
        __syncthreads();  // the next window clears what this one reads
    }
}

}  // namespace
}  // namespace wb::spgemm
