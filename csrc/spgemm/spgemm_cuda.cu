// SPDX-License-Identifier: Apache-2.0
// Rows are sorted into classes by the most entries they can have, and every class is one launch:
// up to 32 products a row lives in the registers of a quarter of a warp or of a warp; up to 8192
// entries in a hash table in shared memory sized to the class, or, where the row's columns are
// close together, in a dense array of the same size that needs no sorting; anything longer is cut
// into windows of columns, each of them a dense array of its own block, so that a hub row is shared
// by many blocks. Counting is the same with bitmaps for dense arrays. After Nagasaka, Nukada and
// Matsuoka, ICPP 2017 (binning, tables in shared memory) and Parger et al., PPoPP 2020 (dense
// rows).
//
// Determinism. A block lays the products of a row end to end in the order of A's row and takes one
// per thread at a time, whichever rows of B they come from. Which slot of the table a column gets
// depends on a race, but not what is added to it nor in which order: within a warp, lanes that meet
// in a slot take turns in lane order, and the warps of a block take turns in warp order. Where all
// products of a step come from one row of B no two meet, and all add at once. No sum is shared
// between blocks and there is no atomic addition of floats. The order of rows within a class is
// that of the matrix (a stable sort), and counts are integers.
#include <cuda_runtime.h>

#include <algorithm>
#include <climits>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>
#include <stdexcept>
#include <string>
#include <utility>

#include "spgemm/spgemm_cuda.hpp"

namespace wb::spgemm {
namespace {

// ---- classes ---------------------------------------------------------------------------------

constexpr unsigned char kEmptyRow = 0, kQuarterWarp = 1, kWholeWarp = 2, kFirstTable = 3;
constexpr int kTables = 4;
constexpr unsigned char kWindows = kFirstTable + kTables;
constexpr int kClasses = kWindows + 1;
constexpr int kClassBits = 3;
static_assert(kClasses <= 1 << kClassBits, "the sort looks at these bits only");

/// Slots of a table class. The last is not twice its capacity so that doubles fit the 163 KiB of
/// an A100; the hash takes any size.
__host__ __device__ constexpr int slots_of(int table) {
    return table == 0 ? 512 : table == 1 ? 2048 : table == 2 ? 8192 : 12288;
}
/// Entries of a row of a table class at most.
__host__ __device__ constexpr int capacity_of(int table) {
    return table == 0 ? 256 : table == 1 ? 1024 : table == 2 ? 4096 : 8192;
}
__host__ __device__ constexpr int warps_of(int table) {
    return table == 0 ? 1 : table == 1 ? 4 : table == 2 ? 8 : 16;
}

constexpr int kWindowWarps = 8;
constexpr int kCountColumns = 1 << 18;  // a bitmap of 32 KiB
template <typename T>
constexpr int kFillColumns = (1 << 16) / static_cast<int>(sizeof(T));  // values of 64 KiB

constexpr unsigned kAll = 0xffffffffu;
constexpr std::int32_t kFree = -1;  // no column

/// Stands for "no values": the same walk over the products counts them.
struct NoValue {};

// ---- pieces of kernels -----------------------------------------------------------------------

/// Sum of the values of the threads before this one. All threads of the block call it.
template <int Warps>
__device__ int scan_before(int value, int& total, int* partial) {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    int upto = value;
    for (int step = 1; step < 32; step *= 2) {
        const int below = __shfl_up_sync(kAll, upto, step);
        if (lane >= step) upto += below;
    }
    if (lane == 31) partial[warp] = upto;
    __syncthreads();
    int before = 0;
    total = 0;
    for (int w = 0; w < Warps; ++w) {
        if (w < warp) before += partial[w];
        total += partial[w];
    }
    __syncthreads();  // `partial` may be written again
    return before + upto - value;
}

/// First place in [begin, end) whose column is at least `column`.
__device__ std::int32_t lower_bound(const std::int32_t* columns, std::int32_t begin,
                                    std::int32_t end, std::int32_t column) {
    while (begin < end) {
        const std::int32_t middle = begin + (end - begin) / 2;
        if (columns[middle] < column) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

/// As many entries of A's row as the block has threads: where their rows of B lie, and where their
/// products stand when laid end to end.
template <typename T, int Warps>
struct Batch {
    T factor[Warps * 32];
    std::int32_t start[Warps * 32];
    std::int32_t offset[Warps * 32];
    int partial[Warps];
};

/// One product of a step; `alone` unless its row of B begins within the step.
template <typename T>
struct Term {
    bool active, alone;
    std::int32_t column;
    T value;
};

/// Calls each(term, warps) for the products of a row with columns in [begin, end), one per thread
/// and step, `warps` of the block having any. All threads of the block call it, and `each` may
/// synchronise them. Ends with the block synchronised if it did anything. A row's products are
/// fewer than 2^31, because B's entries are and no row of A names a row of B twice.
template <int Warps, bool Windowed, typename T, typename M, typename Each>
__device__ void for_products(const CudaOperands<M>& m, std::int32_t row, std::int32_t begin,
                             std::int32_t end, Batch<T, Warps>& batch, Each each) {
    constexpr int kThreads = Warps * 32;
    const int thread = static_cast<int>(threadIdx.x);
    const std::int64_t last = m.a_ptr[row + 1];
    for (std::int64_t at = m.a_ptr[row]; at < last; at += kThreads) {
        std::int32_t start = 0, length = 0;
        T factor{};
        if (at + thread < last) {
            const std::int32_t k = m.a_idx[at + thread];
            std::int32_t stop = m.b_ptr[k + 1];
            start = m.b_ptr[k];
            if constexpr (Windowed) {
                start = lower_bound(m.b_idx, start, stop, begin);
                stop = lower_bound(m.b_idx, start, stop, end);
            }
            length = stop - start;
            if constexpr (sizeof(T) > 1) factor = m.a_val[at + thread];
        }
        std::int32_t total;
        batch.offset[thread] = scan_before<Warps>(length, total, batch.partial);
        batch.start[thread] = start;
        batch.factor[thread] = factor;
        __syncthreads();
        for (std::int64_t p0 = 0; p0 < total; p0 += kThreads) {
            Term<T> term{p0 + thread < total, true, kFree, T{}};
            if (term.active) {
                const auto p = static_cast<std::int32_t>(p0 + thread);
                // The last entry that begins at p or before: of several that begin there, the
                // others are empty. Threads past the row's end hold the total.
                int entry = 0;
                for (int step = kThreads / 2; step > 0; step /= 2) {
                    if (batch.offset[entry + step] <= p) entry += step;
                }
                const std::int32_t place = batch.start[entry] + (p - batch.offset[entry]);
                term.alone = batch.offset[entry] <= p0;
                term.column = m.b_idx[place];
                if constexpr (sizeof(T) > 1) term.value = batch.factor[entry] * m.b_val[place];
            }
            const std::int64_t left = (total - p0 + 31) / 32;
            each(term, left < Warps ? static_cast<int>(left) : Warps);
        }
        __syncthreads();  // the next batch overwrites this one
    }
}

/// Slot of a column in the table, and whether this thread put it there. The table never fills:
/// its class has more slots than the row has columns.
__device__ int slot_of(std::int32_t* keys, int slots, std::int32_t column, bool& fresh) {
    // The high bits of the product: the low ones are equal for columns a power of two apart.
    int slot = static_cast<int>(
        __umulhi(static_cast<unsigned>(column) * 0x9E3779B1u, static_cast<unsigned>(slots)));
    fresh = false;
    while (true) {
        std::int32_t key = *static_cast<volatile std::int32_t*>(keys + slot);
        if (key == kFree) {
            key = atomicCAS(keys + slot, kFree, column);
            fresh = key == kFree;
            if (fresh) return slot;
        }
        if (key == column) return slot;
        if (++slot == slots) slot = 0;
    }
}

/// Adds a product per thread to its slot, in the order of the threads. All threads of the block
/// call it; it ends with the block synchronised.
template <int Warps, typename T>
__device__ void add_in_order(T* values, int slot, const Term<T>& term, int warps) {
    const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
    if (__syncthreads_and(!term.active || term.alone)) {
        if (term.active) values[slot] += term.value;
        __syncthreads();
        return;
    }
    const unsigned same = __match_any_sync(kAll, term.active ? slot : -1 - lane);
    const int turn = term.active ? __popc(same & ((1u << lane) - 1)) : -1;
    for (int w = 0; w < warps; ++w) {
        if (w == warp) {
            for (int now = 0; __any_sync(kAll, turn >= now); ++now) {
                if (turn == now) values[slot] += term.value;
                __syncwarp();
            }
        }
        __syncthreads();
    }
}

/// Sorts `count` keys with their values; there is room up to the next power of two.
template <int Warps, typename T>
__device__ void sort_table(std::int32_t* keys, T* values, int count) {
    constexpr int kThreads = Warps * 32;
    int size = 1;
    while (size < count) size *= 2;
    for (int i = count + static_cast<int>(threadIdx.x); i < size; i += kThreads) keys[i] = INT_MAX;
    for (int run = 2; run <= size; run *= 2) {
        for (int apart = run / 2; apart > 0; apart /= 2) {
            __syncthreads();
            for (int k = static_cast<int>(threadIdx.x); k < size / 2; k += kThreads) {
                const int low = (k & ~(apart - 1)) * 2 + (k & (apart - 1)), high = low + apart;
                const std::int32_t x = keys[low], y = keys[high];
                if ((x > y) == ((low & run) == 0)) {
                    keys[low] = y;
                    keys[high] = x;
                    const T v = values[low];
                    values[low] = values[high];
                    values[high] = v;
                }
            }
        }
    }
    __syncthreads();
}

/// The entries of a row with columns in [begin, end) through a dense array. `bits` has room for
/// two words per 32 columns. All threads of the block call it.
template <int Warps, bool Windowed, typename T>
__device__ void fill_dense(const CudaOperands<T>& m, std::int32_t row, std::int32_t begin,
                           std::int32_t end, T* values, unsigned* bits, Batch<T, Warps>& batch,
                           std::int32_t* c_idx, T* c_val) {
    constexpr int kThreads = Warps * 32;
    const int thread = static_cast<int>(threadIdx.x);
    const int width = end - begin, words = (width + 31) / 32;
    unsigned* const before = bits + words;
    for (int i = thread; i < width; i += kThreads) values[i] = static_cast<T>(-0.0);
    for (int i = thread; i < words; i += kThreads) bits[i] = 0;
    __syncthreads();
    for_products<Warps, Windowed>(m, row, begin, end, batch, [&](const Term<T>& term, int warps) {
        const int slot = term.column - begin;
        if (term.active) atomicOr(bits + slot / 32, 1u << slot % 32);
        add_in_order<Warps>(values, slot, term, warps);
    });
    __syncthreads();
    int base = 0;
    for (int w0 = 0; w0 < words; w0 += kThreads) {
        const int w = w0 + thread;
        int total;
        const int at = scan_before<Warps>(w < words ? __popc(bits[w]) : 0, total, batch.partial);
        if (w < words) before[w] = static_cast<unsigned>(base + at);
        base += total;
    }
    __syncthreads();
    for (int i = thread; i < width; i += kThreads) {
        const unsigned word = bits[i / 32], bit = 1u << i % 32;
        if (word & bit) {
            const auto at = static_cast<int>(before[i / 32]) + __popc(word & (bit - 1));
            c_idx[at] = begin + i;
            c_val[at] = values[i];
        }
    }
}

// ---- kernels ---------------------------------------------------------------------------------

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

// ---- the host's side -------------------------------------------------------------------------

void check(cudaError_t status, const char* what) {
    if (status != cudaSuccess) {
        throw std::runtime_error(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
    }
}

/// Makes a device current for as long as this object lives.
class CurrentDevice {
  public:
    explicit CurrentDevice(int device) {
        check(cudaGetDevice(&previous_), "cudaGetDevice");
        check(cudaSetDevice(device), "cudaSetDevice");
    }
    ~CurrentDevice() { cudaSetDevice(previous_); }
    CurrentDevice(const CurrentDevice&) = delete;
    CurrentDevice& operator=(const CurrentDevice&) = delete;

  private:
    int previous_ = 0;
};

/// An array on the device, taken and given back in the stream's order.
template <typename V>
class Scratch {
  public:
    Scratch(std::int64_t count, cudaStream_t stream) : stream_(stream) {
        void* data = nullptr;
        check(cudaMallocAsync(
                  &data, static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) * sizeof(V),
                  stream),
              "cudaMallocAsync");
        data_ = static_cast<V*>(data);
    }
    ~Scratch() { cudaFreeAsync(data_, stream_); }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    V* get() const { return data_; }

  private:
    V* data_ = nullptr;
    cudaStream_t stream_;
};

template <typename V>
void clear(V* data, std::int64_t count, cudaStream_t stream) {
    check(cudaMemsetAsync(data, 0, static_cast<std::size_t>(count) * sizeof(V), stream),
          "cudaMemsetAsync");
}

template <typename V>
void download(V* host, const V* device, std::size_t count, cudaStream_t stream) {
    check(cudaMemcpyAsync(host, device, count * sizeof(V), cudaMemcpyDeviceToHost, stream),
          "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream), "cudaStreamSynchronize");
}

/// Puts a kernel on the stream; no blocks, no launch.
template <typename... Parameters, typename... Arguments>
void launch(const char* name, void (*kernel)(Parameters...), std::int64_t blocks, int threads,
            int shared_bytes, cudaStream_t stream, Arguments... arguments) {
    if (blocks == 0) return;
    if (shared_bytes > 0) {
        check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                   cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
              name);
    }
    kernel<<<static_cast<unsigned>(blocks), threads, shared_bytes, stream>>>(arguments...);
    check(cudaGetLastError(), name);
}

std::int64_t blocks_for(std::int64_t work, std::int64_t per_block) {
    return (work + per_block - 1) / per_block;
}

/// Exclusive sums in place.
void sum_before(std::int64_t* data, std::int64_t count, cudaStream_t stream) {
    std::size_t bytes = 0;
    check(cub::DeviceScan::ExclusiveSum(nullptr, bytes, data, data, count, stream), "scan");
    const Scratch<unsigned char> temporary(static_cast<std::int64_t>(bytes), stream);
    check(cub::DeviceScan::ExclusiveSum(temporary.get(), bytes, data, data, count, stream), "scan");
}

template <int Table, typename T>
constexpr int fill_bytes() {
    return slots_of(Table) * static_cast<int>(sizeof(T) + sizeof(std::int32_t));
}
template <int Table, typename T>
constexpr int fill_total() {
    return fill_bytes<Table, T>() + static_cast<int>(sizeof(Batch<T, warps_of(Table)>));
}
template <int Table>
constexpr int count_total() {
    return slots_of(Table) * 4 + static_cast<int>(sizeof(Batch<NoValue, warps_of(Table)>));
}
template <typename T>
constexpr int window_bytes() {
    return kFillColumns<T> * static_cast<int>(sizeof(T)) + kFillColumns<T> / 32 * 8;
}

/// Table classes whose blocks fit the device's shared memory; the others' rows become windows.
template <typename T>
int usable_tables(int device, bool fill) {
    int most = 0;
    check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "cudaDeviceGetAttribute");
    const int needs[kTables] = {
        fill ? fill_total<0, T>() : count_total<0>(), fill ? fill_total<1, T>() : count_total<1>(),
        fill ? fill_total<2, T>() : count_total<2>(), fill ? fill_total<3, T>() : count_total<3>()};
    int tables = 0;
    while (tables < kTables && needs[tables] <= most) ++tables;
    return tables;
}

/// The rows of each class, one class after the other.
class Classes {
  public:
    Classes(std::int64_t rows, const std::int32_t* a_ptr, const CudaRowWork& work,
            const std::int64_t* c_ptr, int tables, cudaStream_t stream)
        : list_(rows, stream) {
        const Scratch<unsigned char> classes(rows, stream), sorted(rows, stream);
        const Scratch<std::int32_t> identity(rows, stream);
        const Scratch<int> sizes(kClasses, stream);
        clear(sizes.get(), kClasses, stream);
        launch("classify_rows", classify_rows, blocks_for(rows, kPlainThreads), kPlainThreads, 0,
               stream, rows, a_ptr, work, c_ptr, tables, classes.get(), identity.get(),
               sizes.get());
        std::size_t bytes = 0;
        check(cub::DeviceRadixSort::SortPairs(nullptr, bytes, classes.get(), sorted.get(),
                                              identity.get(), list_.get(), rows, 0, kClassBits,
                                              stream),
              "sort by class");
        const Scratch<unsigned char> temporary(static_cast<std::int64_t>(bytes), stream);
        check(cub::DeviceRadixSort::SortPairs(temporary.get(), bytes, classes.get(), sorted.get(),
                                              identity.get(), list_.get(), rows, 0, kClassBits,
                                              stream),
              "sort by class");
        download(size_, sizes.get(), kClasses, stream);
    }

    std::int64_t size(int c) const { return size_[c]; }
    const std::int32_t* list(int c) const {
        std::int64_t begin = 0;
        for (int before = 0; before < c; ++before) begin += size_[before];
        return list_.get() + begin;
    }

  private:
    Scratch<std::int32_t> list_;
    int size_[kClasses] = {};
};

/// The windows of the rows that are cut into them.
class WindowList {
  public:
    WindowList(const Classes& classes, const CudaRowWork& work, int columns, cudaStream_t stream)
        : items_(classes.size(kWindows) + 1, stream) {
        const std::int64_t rows = classes.size(kWindows);
        view_ = {classes.list(kWindows), rows, items_.get(), 0};
        if (rows == 0) return;
        launch("count_windows", count_windows, blocks_for(rows + 1, kPlainThreads), kPlainThreads,
               0, stream, work, view_.list, rows, columns, items_.get());
        sum_before(items_.get(), rows + 1, stream);
        download(&view_.n_items, items_.get() + rows, 1, stream);
    }
    const Windows& view() const { return view_; }
    std::int64_t blocks() const { return std::min<std::int64_t>(view_.n_items, INT_MAX); }

  private:
    Scratch<std::int64_t> items_;
    Windows view_{};
};

template <int... Tables>
void count_tables(const CudaOperands<float>& m, const CudaRowWork& work, const Classes& classes,
                  std::int64_t* nnz, cudaStream_t stream,
                  std::integer_sequence<int, Tables...> /*tables*/) {
    (launch("count_rows", count_rows<Tables>, classes.size(kFirstTable + Tables),
            warps_of(Tables) * 32, slots_of(Tables) * 4, stream, m, work,
            classes.list(kFirstTable + Tables), nnz),
     ...);
}

template <typename T, int... Tables>
void fill_tables(const CudaOperands<T>& m, const CudaRowWork& work, const Classes& classes,
                 const std::int64_t* c_ptr, std::int32_t* c_idx, T* c_val, cudaStream_t stream,
                 std::integer_sequence<int, Tables...> /*tables*/) {
    (launch("fill_rows", fill_rows<Tables, T>, classes.size(kFirstTable + Tables),
            warps_of(Tables) * 32, fill_bytes<Tables, T>(), stream, m, work,
            classes.list(kFirstTable + Tables), c_ptr, c_idx, c_val),
     ...);
}

template <int Lanes, bool Fill, typename T>
void launch_tiny(const CudaOperands<T>& m, const Classes& classes, std::int64_t* nnz,
                 const std::int64_t* c_ptr, std::int32_t* c_idx, T* c_val, cudaStream_t stream) {
    constexpr int kClass = Lanes == 8 ? kQuarterWarp : kWholeWarp;
    launch("tiny_rows", tiny_rows<Lanes, Fill, T>,
           blocks_for(classes.size(kClass), kPlainThreads / Lanes), kPlainThreads, 0, stream, m,
           classes.list(kClass), classes.size(kClass), nnz, c_ptr, c_idx, c_val);
}

using AllTables = std::make_integer_sequence<int, kTables>;

}  // namespace

std::int64_t count_cuda(const CudaOperands<float>& m, const CudaRowWork& work, std::int64_t* c_ptr,
                        const CudaQueue& queue) {
    const CurrentDevice current(queue.device);
    auto* const stream = static_cast<cudaStream_t>(queue.stream);
    clear(c_ptr, m.rows + 1, stream);
    if (m.rows == 0) return 0;
    launch("measure_rows", measure_rows, blocks_for(m.rows, kPlainThreads / 32), kPlainThreads, 0,
           stream, m, work);
    const Classes classes(m.rows, m.a_ptr, work, nullptr, usable_tables<float>(queue.device, false),
                          stream);
    launch_tiny<8, false, float>(m, classes, c_ptr, nullptr, nullptr, nullptr, stream);
    launch_tiny<32, false, float>(m, classes, c_ptr, nullptr, nullptr, nullptr, stream);
    count_tables(m, work, classes, c_ptr, stream, AllTables{});
    const WindowList windows(classes, work, kCountColumns, stream);
    launch("count_in_windows", count_in_windows<float>, windows.blocks(), kWindowWarps * 32,
           kCountColumns / 8, stream, m, work, windows.view(), kCountColumns, true, c_ptr);
    sum_before(c_ptr, m.rows + 1, stream);
    std::int64_t nnz = 0;
    download(&nnz, c_ptr + m.rows, 1, stream);
    return nnz;
}

template <typename T>
void fill_cuda(const CudaOperands<T>& m, const CudaRowWork& work, const std::int64_t* c_ptr,
               std::int32_t* c_idx, T* c_val, const CudaQueue& queue) {
    if (m.rows == 0) return;
    const CurrentDevice current(queue.device);
    auto* const stream = static_cast<cudaStream_t>(queue.stream);
    const Classes classes(m.rows, m.a_ptr, work, c_ptr, usable_tables<T>(queue.device, true),
                          stream);
    launch_tiny<8, true, T>(m, classes, nullptr, c_ptr, c_idx, c_val, stream);
    launch_tiny<32, true, T>(m, classes, nullptr, c_ptr, c_idx, c_val, stream);
    fill_tables<T>(m, work, classes, c_ptr, c_idx, c_val, stream, AllTables{});
    const WindowList windows(classes, work, kFillColumns<T>, stream);
    const std::int64_t n_items = windows.view().n_items;
    if (n_items == 0) return;
    const Scratch<std::int64_t> before(n_items + 1, stream);
    clear(before.get(), n_items + 1, stream);
    launch("count_in_windows", count_in_windows<T>, windows.blocks(), kWindowWarps * 32,
           kFillColumns<T> / 8, stream, m, work, windows.view(), kFillColumns<T>, false,
           before.get());
    sum_before(before.get(), n_items + 1, stream);
    launch("fill_windows", fill_windows<T>, windows.blocks(), kWindowWarps * 32, window_bytes<T>(),
           stream, m, work, windows.view(), before.get(), c_ptr, c_idx, c_val);
}

template void fill_cuda<float>(const CudaOperands<float>&, const CudaRowWork&, const std::int64_t*,
                               std::int32_t*, float*, const CudaQueue&);
template void fill_cuda<double>(const CudaOperands<double>&, const CudaRowWork&,
                                const std::int64_t*, std::int32_t*, double*, const CudaQueue&);

}  // namespace wb::spgemm
