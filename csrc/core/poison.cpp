// SPDX-License-Identifier: Apache-2.0
#include "core/poison.hpp"

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace wb {
namespace {

int from_environment() {
    const char* text = std::getenv("WB_POISON");
    if (text == nullptr || *text == '\0') return 0;
    int byte = 0;
    for (const char* c = text; *c != '\0'; ++c) {
        byte = *c < '0' || *c > '9' || byte > 255 ? 256 : 10 * byte + (*c - '0');
    }
    if (byte < 1 || byte > 255) {
        throw std::invalid_argument("WB_POISON must be a number from 1 to 255, got '" +
                                    std::string(text) + "'");
    }
    return byte;
}

}  // namespace

int poison_byte() {
    static const int byte = from_environment();
    return byte;
}

void poison(void* data, std::size_t bytes) {
    const int byte = poison_byte();
    if (byte != 0 && bytes != 0) std::memset(data, byte, bytes);
}

}  // namespace wb
