// SPDX-License-Identifier: Apache-2.0
// A test switch. Whatever hands out memory without initial values fills it with the byte named by
// the environment variable WB_POISON, so that a result that some path does not write, or that
// depends on memory never written, changes with the byte instead of by luck.
#pragma once

#include <cstddef>

namespace wb {

/// The byte of WB_POISON (1 to 255); 0 when it is not set. Read once; any other value throws
/// std::invalid_argument.
int poison_byte();

/// Fills fresh memory with that byte, if there is one.
void poison(void* data, std::size_t bytes);

}  // namespace wb
