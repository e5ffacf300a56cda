// SPDX-License-Identifier: Apache-2.0
// What the loops that are compiled once per instruction set throw: they hold no templates of the
// standard library, so the exceptions are made elsewhere.
#pragma once

namespace wb {

/// Throws std::logic_error: more scratch memory is taken than was counted.
[[noreturn]] void scratch_overrun();

/// Throws std::bad_alloc.
[[noreturn]] void out_of_memory();

}  // namespace wb
