// SPDX-License-Identifier: Apache-2.0
#include "core/isa.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace wb {

Isa detected_isa() {
#ifdef WB_X86
    // The sets named are those of the x86-64-v4 and -v3 levels the files are compiled for.
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512cd")) {
        return Isa::avx512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")) {
        return Isa::avx2;
    }
#endif
    return Isa::base;
}

static Isa cap_from_environment() {
    const char* text = std::getenv("WB_MAX_ISA");
    if (text == nullptr || *text == '\0') return Isa::avx512;
    const std::string cap(text);
    for (Isa isa : {Isa::base, Isa::avx2, Isa::avx512}) {
        if (cap == isa_name(isa)) return isa;
    }
    throw std::invalid_argument("WB_MAX_ISA must be base, avx2 or avx512, got '" + cap + "'");
}

Isa active_isa() {
    static const Isa isa = std::min(detected_isa(), cap_from_environment());
    return isa;
}

std::string isa_name(Isa isa) {
    switch (isa) {
        case Isa::avx512:
            return "avx512";
        case Isa::avx2:
            return "avx2";
        default:
            return "base";
    }
}

}  // namespace wb
