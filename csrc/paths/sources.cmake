# SPDX-License-Identifier: Apache-2.0
set(WB_PATHS_SOURCES
  csrc/paths/alt.cpp
  csrc/paths/alt_bind.cpp
  csrc/paths/ball_sizes.cpp
  csrc/paths/components.cpp
  csrc/paths/digraph.cpp
  csrc/paths/paths_bind.cpp
  csrc/paths/searches_bind.cpp
  csrc/paths/sssp.cpp)
