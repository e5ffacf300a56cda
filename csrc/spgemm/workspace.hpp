// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/scratch.hpp"
#include "spgemm/kernels.hpp"

namespace wb::spgemm {

/// The calling thread's workspace for windows of `columns`, kept and kept clean between calls.
template <typename T>
Workspace<T>& thread_workspace(std::int64_t columns) {
    struct Owned {
        Workspace<T> view{};
        AlignedBytes window, flags, lines, slot, fixed;
        std::int64_t columns = 0;
    };
    thread_local Owned own;
    constexpr std::int64_t kSlack = 64;  // entries a vector store may touch behind an end
    const auto sized = [](std::int64_t count, std::size_t size) {
        return aligned_bytes(static_cast<std::size_t>(count) * size);
    };
    if (!own.fixed) {
        constexpr std::int64_t sorted = kSortProducts + kSlack, run = kRunProducts + kSlack;
        constexpr std::int64_t lanes = kRunProducts * kRunLanes;
        const std::int64_t size = sizeof(T);
        const std::int64_t sizes[] = {sorted * 4, sorted * size, 2 * kSortProducts * 8,
                                      run * 4,    run * 4,       run * 8,
                                      run * 4,    run * 4,       run * 8,
                                      run * 4,    lanes * size,  lanes * size};
        std::int64_t total = 0;
        for (std::int64_t s : sizes) total += (s + 63) & ~std::int64_t{63};
        own.fixed = sized(total, 1);
        std::byte* at = own.fixed.get();
        std::size_t part = 0;
        const auto next = [&] {
            std::byte* const here = at;
            at += (sizes[part++] + 63) & ~std::int64_t{63};
            return here;
        };
        own.view.keys = reinterpret_cast<std::int32_t*>(next());
        own.view.products = reinterpret_cast<T*>(next());
        own.view.merge = reinterpret_cast<std::uint64_t*>(next());
        own.view.term_a = reinterpret_cast<std::int32_t*>(next());
        own.view.term_q = reinterpret_cast<std::int32_t*>(next());
        own.view.term_b = reinterpret_cast<std::int64_t*>(next());
        own.view.start = reinterpret_cast<std::int32_t*>(next());
        own.view.columns = reinterpret_cast<std::int32_t*>(next());
        own.view.row_at = reinterpret_cast<std::int64_t*>(next());
        own.view.row_length = reinterpret_cast<std::int32_t*>(next());
        own.view.lanes_a = reinterpret_cast<T*>(next());
        own.view.lanes_c = reinterpret_cast<T*>(next());
        std::fill_n(own.view.keys, sorted, 0);
    }
    // The scan looks at 64 lines at a time, and a line is eight columns at least.
    const std::int64_t wanted = (std::min(columns, kWindow) + kSlack + 4095) & ~std::int64_t{4095};
    if (wanted > own.columns) {
        own.columns = 0;
        own.window = sized(wanted, sizeof(T));
        own.flags = sized(wanted, 1);
        own.lines = sized(wanted / 8 + 64, 1);
        own.slot = sized(wanted, 4);
        own.view.window = reinterpret_cast<T*>(own.window.get());
        own.view.flags = reinterpret_cast<std::uint8_t*>(own.flags.get());
        own.view.lines = reinterpret_cast<std::uint8_t*>(own.lines.get());
        own.view.slot = reinterpret_cast<std::int32_t*>(own.slot.get());
        if constexpr (sizeof(T) > 1) std::fill_n(own.view.window, wanted, static_cast<T>(-0.0));
        std::fill_n(own.view.flags, wanted, std::uint8_t{0});
        std::fill_n(own.view.lines, wanted / 8 + 64, std::uint8_t{0});
        own.columns = wanted;
    }
    return own.view;
}

}  // namespace wb::spgemm
