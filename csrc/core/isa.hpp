// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

// One namespace per instruction set holds the same functions; WB_FOR_ISA picks among them.
#if defined(__x86_64__) || defined(_M_X64)
#define WB_X86 1
#define WB_DECLARE_FOR_EACH_ISA(declaration) \
    namespace isa_base {                     \
    declaration                              \
    }                                        \
    namespace isa_avx2 {                     \
    declaration                              \
    }                                        \
    namespace isa_avx512 {                   \
    declaration                              \
    }
#define WB_SELECT_ISA(function)                                      \
    (::wb::active_isa() == ::wb::Isa::avx512 ? &isa_avx512::function \
     : ::wb::active_isa() == ::wb::Isa::avx2 ? &isa_avx2::function   \
                                             : &isa_base::function)
#else
#define WB_DECLARE_FOR_EACH_ISA(declaration) \
    namespace isa_base {                     \
    declaration                              \
    }
#define WB_SELECT_ISA(function) (&isa_base::function)
#endif

namespace wb {

enum class Isa { base = 0, avx2 = 1, avx512 = 2 };

/// The widest instruction set that the processor and its operating system support.
Isa detected_isa();

/// The one in use: the detected one, lowered by the environment variable WB_MAX_ISA
/// (base | avx2 | avx512). Read once; any other value throws std::invalid_argument.
Isa active_isa();

std::string isa_name(Isa isa);

}  // namespace wb
