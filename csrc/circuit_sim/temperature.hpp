// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "circuit_sim/netlist.hpp"

namespace wb::circuit_sim {

/// Level-1 temperature rules of SPICE (mos1temp), as ngspice 39 applies them.
ModelAt model_at(const ModelCard& card, double celsius);

}  // namespace wb::circuit_sim
