# SPDX-License-Identifier: Apache-2.0
set(WB_SPANNER_SOURCES
  csrc/spanner/contraction.cpp
  csrc/spanner/core.cpp
  csrc/spanner/cover.cpp
  csrc/spanner/exact.cpp
  csrc/spanner/greedy.cpp
  csrc/spanner/prune.cpp
  csrc/spanner/spanner_bind.cpp)
