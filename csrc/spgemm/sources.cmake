# SPDX-License-Identifier: Apache-2.0
set(WB_SPGEMM_SOURCES
  csrc/spgemm/dense.cpp
  csrc/spgemm/layout.cpp
  csrc/spgemm/multiply.cpp
  csrc/spgemm/plan.cpp
  csrc/spgemm/spgemm_bind.cpp
  csrc/spgemm/spgemm_cuda_bind.cpp
  csrc/spgemm/structure.cpp
  csrc/spgemm/values.cpp
  csrc/spgemm/values_bind.cpp)
set(WB_SPGEMM_ISA_SOURCES
  csrc/spgemm/dense_isa.cpp
  csrc/spgemm/gradients_isa.cpp
  csrc/spgemm/refill_isa.cpp
  csrc/spgemm/rows_isa.cpp)
set(WB_SPGEMM_CUDA_SOURCES csrc/spgemm/spgemm_cuda.cu)
