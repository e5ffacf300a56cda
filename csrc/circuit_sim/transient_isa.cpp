// SPDX-License-Identifier: Apache-2.0
#include "circuit_sim/walk.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

struct Room {
    Block b;
    Walk walk;

    Room(const PlanView& p, const TransientTask& task, Span span, Scratch& scratch)
        : b(open_block(p, task.rows, span, scratch)), walk(open_walk(b, task, scratch)) {}
};

void transient(Room& room, const TransientTask& task) {
    const Span span = room.b.span;
    load_nodes(room.b, task.voltages);
    std::int64_t count[kLanes];
    const Mask alive = walk(room.walk, nullptr, count);
    for (int l = 0; l < kLanes && span.first + l < span.batch; ++l) {
        task.status[span.first + l] = alive[l] ? 0 : 3;
        task.steps[span.first + l] = count[l];
    }
}

}  // namespace

TransientKernel transient_kernel() { return Opened<Room, TransientTask, &transient>::kernel(); }

}  // namespace wb::circuit_sim::WB_ISA
