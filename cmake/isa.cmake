# SPDX-License-Identifier: Apache-2.0
# wb_add_isa_sources(target family file...) compiles each file once per instruction set into
# the namespace WB_ISA, and adds the objects to the target. The files hold hot loops only: an
# inline or template function with external linkage in them could be the copy the linker keeps
# for every machine (tests/core/test_isa.py looks for such symbols).
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
  set(WB_ISAS base avx2 avx512)
  set(WB_X86 ON)
else()
  set(WB_ISAS base)
endif()
set(wb_flags_base $<$<BOOL:${WB_X86}>:-march=x86-64-v2>)
set(wb_flags_avx2 -march=x86-64-v3)
set(wb_flags_avx512 -march=x86-64-v4 -mprefer-vector-width=512)
set(wb_vector_bytes_base 16)
set(wb_vector_bytes_avx2 32)
set(wb_vector_bytes_avx512 64)

function(wb_add_isa_sources target family)
  if(NOT ARGN)
    return()  # a family without hot loops of its own
  endif()
  foreach(isa IN LISTS WB_ISAS)
    set(objects wb_${family}_${isa})
    add_library(${objects} OBJECT ${ARGN})
    # Contraction to fused multiply-adds is worth a third of the speed of these loops and costs
    # equality of bits between instruction sets, not between thread counts.
    target_compile_options(${objects} PRIVATE ${wb_flags_${isa}} -O3 -ffp-contract=fast -fno-math-errno)
    target_compile_definitions(${objects} PRIVATE
      WB_ISA=isa_${isa} WB_VECTOR_BYTES=${wb_vector_bytes_${isa}})
    target_link_libraries(${objects} PRIVATE wb_flags OpenMP::OpenMP_CXX)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
endfunction()
