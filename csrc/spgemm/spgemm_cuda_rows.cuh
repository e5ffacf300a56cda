// SPDX-License-Identifier: Apache-2.0
// The classes of rows of the product on a GPU, and the walks over products that its kernels share.
// How they work together, and why the result is the same every time, stands in spgemm_cuda.cu.
#pragma once

#include <cuda_runtime.h>

#include <climits>

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

}  // namespace
}  // namespace wb::spgemm
