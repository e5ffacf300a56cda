# SPDX-License-Identifier: Apache-2.0
set(WB_NOISE_SOURCES
  csrc/noise/noise.cpp
  csrc/noise/noise_bind.cpp
  csrc/noise/plan.cpp
  csrc/noise/reverse.cpp
  csrc/noise/sweep.cpp)
set(WB_NOISE_ISA_SOURCES csrc/noise/noise_isa.cpp)
