# SPDX-License-Identifier: Apache-2.0
set(WB_CIRCUIT_SIM_SOURCES
  csrc/circuit_sim/circuit_sim.cpp
  csrc/circuit_sim/circuit_sim_bind.cpp
  csrc/circuit_sim/elimination.cpp
  csrc/circuit_sim/netlist.cpp
  csrc/circuit_sim/plan.cpp
  csrc/circuit_sim/temperature.cpp)
set(WB_CIRCUIT_SIM_ISA_SOURCES
  csrc/circuit_sim/operating_isa.cpp
  csrc/circuit_sim/gradient_isa.cpp
  csrc/circuit_sim/search_isa.cpp
  csrc/circuit_sim/sweep_isa.cpp
  csrc/circuit_sim/transient_gradient_isa.cpp
  csrc/circuit_sim/transient_isa.cpp)
