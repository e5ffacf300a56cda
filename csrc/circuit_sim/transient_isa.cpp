// SPDX-License-Identifier: Apache-2.0
#include "circuit_sim/walk.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

void transient(const PlanView& p, const TransientTask& task, Span span, double* memory) {
    Scratch scratch(memory);
    Block b = open_block(p, task.rows, span, scratch);
    load_nodes(b, task.voltages);
    std::int64_t count[kLanes];
    const Mask alive = walk(b, task, scratch, nullptr, count);
    for (int l = 0; l < kLanes && span.first + l < span.batch; ++l) {
        task.status[span.first + l] = alive[l] ? 0 : 3;
        task.steps[span.first + l] = count[l];
    }
}

}  // namespace

TransientKernel transient_kernel() { return &transient; }

}  // namespace wb::circuit_sim::WB_ISA
