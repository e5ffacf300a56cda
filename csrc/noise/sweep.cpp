// SPDX-License-Identifier: Apache-2.0
// The forward sweep, tile after tile, and the same steps on observables.
#include "noise/sweep.hpp"

#include <optional>

#include "core/interrupt.hpp"

namespace wb::noise {

AlignedBuffer::AlignedBuffer(std::int64_t count, bool zero)
    : bytes_(aligned_array<double>(std::max<std::int64_t>(1, count))) {
    if (zero) std::fill_n(get(), count, 0.0);
}

void run_forward(const Plan& plan, const Circuit& circuit, const Readout& readout,
                 std::span<double> out) {
    const Shared shared(plan, circuit);
    const std::int64_t lanes = shared.lanes, tiles = (circuit.batch + lanes - 1) / lanes;
    const int threads = threads_of(plan, circuit, lanes);
    struct Worker {
        Tile tile;
        AlignedBuffer state;
    };
    std::vector<std::optional<Worker>> workers(static_cast<std::size_t>(threads));
    parallel_for(tiles, threads, [&](std::int64_t t, int thread) {
        auto& worker = workers[static_cast<std::size_t>(thread)];
        if (!worker) {
            worker.emplace(Worker{Tile(plan, circuit, readout, shared), AlignedBuffer()});
            worker->state = AlignedBuffer(worker->tile.state_size());
        }
        double* state = worker->state.get();
        worker->tile.load(t * lanes);
        worker->tile.start(state);
        for (const Step& step : plan.steps) {
            check_interrupt();
            worker->tile.step_forward(step, state, state);
        }
        worker->tile.read(state, out);
    });
}

void run_pull_back(const Plan& plan, const Circuit& circuit, std::span<const double> rows,
                   std::int64_t n_rows, std::span<double> out) {
    const Shared shared(plan, circuit);
    const Readout nothing;
    Tile tile(plan, circuit, nothing, shared);
    const std::int64_t lanes = shared.lanes, size = plan.size();
    AlignedBuffer cotangent(size * lanes);
    for (std::int64_t first = 0; first < n_rows; first += lanes) {
        const std::int64_t count = std::min(lanes, n_rows - first);
        std::fill_n(cotangent.get(), size * lanes, 0.0);
        for (std::int64_t lane = 0; lane < count; ++lane) {
            const double* row = rows.data() + (first + lane) * size;
            for (std::int64_t i = 0; i < size; ++i) cotangent.get()[i * lanes + lane] = row[i];
        }
        for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
            check_interrupt();
            tile.step_backward(*step, nullptr, cotangent.get(), nullptr, nullptr);
        }
        for (std::int64_t lane = 0; lane < count; ++lane) {
            double* row = out.data() + (first + lane) * size;
            for (std::int64_t i = 0; i < size; ++i) row[i] = cotangent.get()[i * lanes + lane];
        }
    }
}

}  // namespace wb::noise
