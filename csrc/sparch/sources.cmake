# SPDX-License-Identifier: Apache-2.0
set(WB_SPARCH_SOURCES
  csrc/sparch/merger.cpp
  csrc/sparch/outerspace.cpp
  csrc/sparch/prefetcher.cpp
  csrc/sparch/schedule.cpp
  csrc/sparch/sparch.cpp
  csrc/sparch/sparch_bind.cpp)
# Plain C++: the counters chase indices and would gain nothing from wider vectors.
set(WB_SPARCH_ISA_SOURCES)
