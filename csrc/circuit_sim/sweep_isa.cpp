// SPDX-License-Identifier: Apache-2.0
// Sweeps over frequencies.
//
// Each output is one solution z of the transposed system: z gives the transfer from every drive
// and from every noise source at once. With many outputs and few drives, one solution per drive
// gives them all instead. Two frequencies go through the elimination program together, which
// hides the latency of its sums.
#include "circuit_sim/pass.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

template <int N>
void noise_density(const Pass<N>& pass, const Complex<N>* z, V* density) {
    const PlanView& p = pass.p;
    for (int k = 0; k < N; ++k) density[k] = V{};
    V size[N];
    for (int i = 0; i < p.n_resistors; ++i) {
        squares(across(pass, z, p.resistors[i].a, p.resistors[i].b), size);
        for (int k = 0; k < N; ++k) density[k] += pass.small.white[i] * size[k];
    }
    for (int i = 0; i < p.n_devices; ++i) {
        const Mos& m = p.devices[i];
        squares(across(pass, z, m.drain, m.source), size);
        const V white = pass.small.white[p.n_resistors + i];
        for (int k = 0; k < N; ++k) density[k] += white * size[k];
        if (pass.small.flicker == nullptr || p.models[m.model].kf == 0) continue;
        V weight[N];
        flicker_weights(pass, p.models[m.model], weight);
        for (int k = 0; k < N; ++k) density[k] += pass.small.flicker[i] * weight[k] * size[k];
    }
}

template <int N>
void sweep_at(Pass<N>& pass, std::int64_t first) {
    const PlanView& p = pass.p;
    const SweepTask& t = pass.task;
    const std::int64_t batch = pass.span.batch;
    check_interrupt();
    set_frequencies(pass, first);
    const auto put = [&](int output, int drive, const Complex<N>& h) {
        for (int k = 0; k < N; ++k) {
            const std::int64_t row =
                ((first + k) * t.n_outputs + output) * std::int64_t{t.n_drives} + drive;
            store_complex(t.transfer + 2 * row * batch, pass.span, h.re[k], h.im[k]);
        }
    };
    if (t.by_drive) {
        for (int d = 0; d < t.n_drives; ++d) {
            solve_drive(p, pass.small, pass.factors, d, pass.x, pass.work);
            const double* offset = t.offsets + d * p.n_nodes;
            for (int o = 0; o < t.n_outputs; ++o) {
                const Index pair = t.pairs + 2 * t.output_pair[o];
                Complex<N> h = across(pass, pass.x, pair[0], pair[1]);
                for (int k = 0; k < N; ++k) h.re[k] += offset[pair[0]] - offset[pair[1]];
                put(o, d, h);
            }
        }
    }
    for (int a = 0; a < t.n_adjoints; ++a) {
        if (!t.adjoint_wanted[a]) continue;
        const Index pair = t.pairs + 2 * a;
        solve_adjoint(p, pass.small, pass.factors, pair, pass.z, pass.work);
        for (int o = 0; o < t.n_outputs && !t.by_drive; ++o) {
            if (t.output_pair[o] != a) continue;
            for (int d = 0; d < t.n_drives; ++d) {
                put(o, d, transfer_of(p, pass.small, pass.factors, t, d, pair, pass.z));
            }
        }
        bool summed = false;
        V density[N];
        for (int n = 0; n < t.n_noise; ++n) {
            if (t.noise_pair[n] != a) continue;
            if (!summed) noise_density(pass, pass.z, density);
            summed = true;
            for (int k = 0; k < N; ++k) {
                store(t.density + ((first + k) * t.n_noise + n) * batch, pass.span, density[k]);
            }
        }
    }
}

struct Room {
    Block b;
    Small small;
    Pass<2> two;
    Pass<1> one;

    Room(const PlanView& p, const SweepTask& task, Span span, Scratch& scratch)
        : b(open_block(p, task.rows, span, scratch)),
          small(open_small(p, task, scratch)),
          two(open_pass<2>(p, task, span, small, scratch)),
          one(open_pass<1>(p, task, span, small, scratch)) {}
};

void sweep(Room& room, const SweepTask& task) {
    load_nodes(room.b, task.voltages);
    linearize(room.b, task, room.small);
    std::int64_t f = 0;
    for (; f + 2 <= task.n_frequencies; f += 2) sweep_at(room.two, f);
    for (; f < task.n_frequencies; ++f) sweep_at(room.one, f);
}

}  // namespace

SweepKernel sweep_kernel() { return Opened<Room, SweepTask, &sweep>::kernel(); }

}  // namespace wb::circuit_sim::WB_ISA
