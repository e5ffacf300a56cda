// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/poison.hpp"
#include "core/scratch.hpp"
#include "spgemm/kernels.hpp"

namespace wb::spgemm {

/// The parts of a workspace that are not kept clean, from a counter or from memory.
template <typename T>
void lay_out(Workspace<T>& w, Parts& parts) {
    constexpr std::int64_t kSlack = 64;  // entries a vector store may touch behind an end
    constexpr std::int64_t kSorted = kSortProducts + kSlack, kRun = kRunProducts + kSlack;
    constexpr std::int64_t kLanes = kRunProducts * kRunLanes;
    w.keys = parts.take<std::int32_t>(kSorted);
    w.products = parts.take<T>(kSorted);
    w.merge = parts.take<std::uint64_t>(2 * kSortProducts);
    w.term_a = parts.take<std::int32_t>(kRun);
    w.term_q = parts.take<std::int32_t>(kRun);
    w.term_b = parts.take<std::int64_t>(kRun);
    w.start = parts.take<std::int32_t>(kRun);
    w.columns = parts.take<std::int32_t>(kRun);
    w.row_at = parts.take<std::int64_t>(kRun);
    w.row_length = parts.take<std::int32_t>(kRun);
    w.lanes_a = parts.take<T>(kLanes);
    w.lanes_c = parts.take<T>(kLanes);
}

/// The calling thread's workspace for windows of `columns`, kept and kept clean between calls.
template <typename T>
Workspace<T>& thread_workspace(std::int64_t columns) {
    struct Owned {
        Workspace<T> view{};
        AlignedBytes window, flags, lines, slot, fixed;
        std::size_t fixed_bytes = 0;
        std::int64_t columns = 0;
    };
    thread_local Owned own;
    constexpr std::int64_t kSlack = 64;
    if (!own.fixed) {
        Parts counted;
        lay_out(own.view, counted);
        own.fixed = aligned_bytes(counted.bytes());
        own.fixed_bytes = counted.bytes();
        Parts parts(own.fixed.get(), own.fixed_bytes);
        lay_out(own.view, parts);
    }
    // The scan looks at 64 lines at a time, and a line is eight columns at least.
    const std::int64_t wanted = (std::min(columns, kWindow) + kSlack + 4095) & ~std::int64_t{4095};
    if (wanted > own.columns) {
        own.columns = 0;
        own.window = aligned_array<T>(wanted);
        own.flags = aligned_bytes(bytes_of(wanted, 1));
        own.lines = aligned_bytes(bytes_of(wanted / 8 + 64, 1));
        own.slot = aligned_array<std::int32_t>(wanted);
        own.view.window = reinterpret_cast<T*>(own.window.get());
        own.view.flags = reinterpret_cast<std::uint8_t*>(own.flags.get());
        own.view.lines = reinterpret_cast<std::uint8_t*>(own.lines.get());
        own.view.slot = reinterpret_cast<std::int32_t*>(own.slot.get());
        if constexpr (sizeof(T) > 1) std::fill_n(own.view.window, wanted, static_cast<T>(-0.0));
        std::fill_n(own.view.flags, wanted, std::uint8_t{0});
        std::fill_n(own.view.lines, wanted / 8 + 64, std::uint8_t{0});
        own.columns = wanted;
    }
    poison(own.fixed.get(), own.fixed_bytes);
    poison(own.view.slot, bytes_of(own.columns, sizeof(std::int32_t)));
    return own.view;
}

}  // namespace wb::spgemm
