# SPDX-License-Identifier: Apache-2.0
set(WB_STATEVECTOR_SOURCES
  csrc/statevector/plan.cpp
  csrc/statevector/program.cpp
  csrc/statevector/statevector.cpp
  csrc/statevector/statevector_bind.cpp
  csrc/statevector/statevector_cuda_bind.cpp
  csrc/statevector/tangent.cpp)
set(WB_STATEVECTOR_ISA_SOURCES
  csrc/statevector/tangent_isa.cpp
  csrc/statevector/tiles_isa.cpp
  csrc/statevector/wide_isa.cpp)
set(WB_STATEVECTOR_CUDA_SOURCES csrc/statevector/statevector_cuda.cu)
