// SPDX-License-Identifier: Apache-2.0
// What the loops of this family share. Everything here has internal linkage: each instruction
// set has a copy of its own.
#pragma once

#include <cstring>

#include "spgemm/kernels.hpp"

#if WB_VECTOR_BYTES == 64 && defined(__AVX512F__)
#define WB_SPGEMM_AVX512 1
// GCC 12 warns of its own intrinsics.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace wb::spgemm::WB_ISA {
namespace {

using i32 = std::int32_t;
using i64 = std::int64_t;
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

template <typename T>
inline constexpr bool kValued = true;
template <>
inline constexpr bool kValued<NoValue> = false;

template <typename T>
T nothing() {  // x + nothing() is x, down to the sign of zero
    if constexpr (kValued<T>) return static_cast<T>(-0.0);
    return T{};
}

/// Part of a row of B.
struct Segment {
    i32 begin, end;
};

[[maybe_unused]] i32 lower_bound(const i32* idx, i32 begin, i32 end, i64 column) {
    while (begin < end) {
        const i32 middle = begin + (end - begin) / 2;
        if (idx[middle] < column) {
            begin = middle + 1;
        } else {
            end = middle;
        }
    }
    return begin;
}

template <typename T>
Segment segment(const Rows<T>& b, i32 row, i64 col_begin, i64 col_end, bool whole) {
    Segment s{b.ptr[row], b.ptr[row + 1]};
    if (!whole) {
        s.begin = lower_bound(b.idx, s.begin, s.end, col_begin);
        s.end = lower_bound(b.idx, s.begin, s.end, col_end);
    }
    return s;
}

}  // namespace
}  // namespace wb::spgemm::WB_ISA
