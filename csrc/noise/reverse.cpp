// SPDX-License-Identifier: Apache-2.0
// The reverse sweep. Channels are not inverted: it reads the states stored at the steps, all of
// them or, above kStateBudget, those of one segment at a time, recomputed from its first.
// Gradients to weights are summed over a fixed division of the batch into chunks, whatever the
// number of threads.
#include <memory>

#include "core/interrupt.hpp"
#include "noise/sweep.hpp"

namespace wb::noise {
namespace {

constexpr std::int64_t kStateBudget = std::int64_t{1} << 28;  // bytes of states per thread
constexpr std::int64_t kMaxChunks = 64;

/// The reverse sweep of one thread: states of a segment, and the cotangent.
class Reverse {
  public:
    Reverse(const Plan& plan, const Circuit& circuit, const Shared& shared, Tile& tile)
        : plan_(plan),
          circuit_(circuit),
          tile_(tile),
          lanes_(shared.lanes),
          steps_(static_cast<std::int64_t>(plan.steps.size())) {
        const std::int64_t size = tile.state_size();
        segment_ = std::max<std::int64_t>(1, steps_);
        if (steps_ * size * 8 > kStateBudget) {
            segment_ = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(steps_))));
        }
        segments_ = std::max<std::int64_t>(1, (steps_ + segment_ - 1) / segment_);
        states_ = AlignedBuffer((segment_ + 1) * size);
        checkpoints_ = AlignedBuffer(segments_ > 1 ? segments_ * size : 1);
        cotangent_ = AlignedBuffer(size);
        int longest = 0;
        for (const Chain& chain : plan.chains) longest = std::max(longest, chain.end - chain.begin);
        trace_ = AlignedBuffer(std::int64_t{longest} * 16 * lanes_);
        angles_ = AlignedBuffer(std::int64_t{longest} * lanes_);
        matrices_ = AlignedBuffer(static_cast<std::int64_t>(plan.chains.size()) * 16 * lanes_);
        vectors_ = AlignedBuffer(std::int64_t{plan.n_qubits} * 4 * lanes_);
        product_ = AlignedBuffer(16 * lanes_);
    }

    /// Gradients of one tile: of shared chains added to `shared_chains` [chains][16][lanes], of
    /// weights inside per-sample chains to grad_weights, of inputs to the tile's own rows.
    void run(std::span<const double> grad, double* shared_chains, double* grad_weights,
             std::span<double> grad_inputs) {
        const std::int64_t size = tile_.state_size();
        tile_.start(states_.get());
        for (std::int64_t s = 0; s < segments_; ++s) {
            if (segments_ > 1) {
                double* from = states_.get();
                if (s > 0) std::copy_n(state(segment_), size, from);
                std::copy_n(from, size, checkpoints_.get() + s * size);
            }
            replay(s);
        }
        tile_.read_backward(grad, cotangent_.get());
        for (std::size_t c : tile_.per_sample()) {
            std::fill_n(own_chain(c), 16 * lanes_, 0.0);
        }
        for (std::int64_t s = segments_ - 1; s >= 0; --s) {
            if (s < segments_ - 1) {
                std::copy_n(checkpoints_.get() + s * size, size, states_.get());
                replay(s);
            }
            for (std::int64_t i = std::min(steps_, (s + 1) * segment_) - 1; i >= s * segment_;
                 --i) {
                const Step& step = plan_.steps[static_cast<std::size_t>(i)];
                check_interrupt();
                tile_.step_backward(step, state(i - s * segment_), cotangent_.get(),
                                    target(step.chain_low, shared_chains),
                                    target(step.chain_high, shared_chains));
            }
        }
        leading(shared_chains);
        for (std::size_t c : tile_.per_sample()) {
            chain_gradients(c, grad_weights, grad_inputs);
        }
    }

  private:
    double* state(std::int64_t i) const { return states_.get() + i * tile_.state_size(); }
    double* own_chain(std::size_t c) const {
        return matrices_.get() + static_cast<std::int64_t>(c) * 16 * lanes_;
    }

    /// states[k + 1] from states[k] within segment s.
    void replay(std::int64_t s) {
        const std::int64_t begin = s * segment_, end = std::min(steps_, begin + segment_);
        for (std::int64_t i = begin; i < end; ++i) {
            check_interrupt();
            tile_.step_forward(plan_.steps[static_cast<std::size_t>(i)], state(i - begin),
                               state(i - begin + 1));
        }
    }

    /// Where the gradient of a chain goes; null for a chain without parameters.
    double* target(int chain, double* shared_chains) const {
        if (chain < 0) return nullptr;
        const auto c = static_cast<std::size_t>(chain);
        if (!plan_.chains[c].trainable) return nullptr;
        if (plan_.chains[c].per_sample) return own_chain(c);
        return shared_chains + static_cast<std::int64_t>(c) * 16 * lanes_;
    }

    void leading(double* shared_chains) {
        kernels().product_backward(tile_.vectors(), plan_.n_qubits, cotangent_.get(), states_.get(),
                                   vectors_.get());
        for (std::size_t q = 0; q < plan_.leading.size(); ++q) {
            double* to = target(plan_.leading[q], shared_chains);
            if (to == nullptr) continue;
            const double* from = vectors_.get() + static_cast<std::int64_t>(q) * 4 * lanes_;
            for (std::int64_t i = 0; i < 4 * lanes_; ++i) to[i] += from[i];
        }
    }

    void chain_gradients(std::size_t c, double* grad_weights, std::span<double> grad_inputs) {
        const Chain& chain = plan_.chains[c];
        const int count = chain.end - chain.begin, columns = chain.vector ? 1 : 4;
        kernels().chain_forward(tile_.factors() + chain.begin, count, columns, product_.get(),
                                trace_.get());
        kernels().chain_backward(tile_.factors() + chain.begin, count, columns, trace_.get(),
                                 own_chain(c), angles_.get());
        for (int i = 0; i < count; ++i) {
            const Factor& f = plan_.factors[static_cast<std::size_t>(chain.begin + i)];
            if (f.constant) continue;
            const double* g = angles_.get() + std::int64_t{i} * lanes_;
            for (int t = f.term_begin; t < f.term_end; ++t) {
                const Term& term = plan_.terms[static_cast<std::size_t>(t)];
                for (std::int64_t lane = 0; lane < tile_.count(); ++lane) {
                    if (term.input) {
                        grad_inputs[static_cast<std::size_t>(
                            (tile_.first() + lane) * circuit_.n_inputs + term.index)] +=
                            term.coefficient * g[lane];
                    } else {
                        grad_weights[term.index] += term.coefficient * g[lane];
                    }
                }
            }
        }
    }

    const Plan& plan_;
    const Circuit& circuit_;
    Tile& tile_;
    std::int64_t lanes_, steps_, segment_ = 1, segments_ = 1;
    AlignedBuffer states_, checkpoints_, cotangent_, trace_, angles_, matrices_, vectors_, product_;
};

/// Weight gradients from those of the shared chains' matrices, [chains][16].
void shared_chain_gradients(const Plan& plan, const Shared& shared,
                            const std::vector<double>& matrices, std::span<double> grad_weights) {
    const std::int64_t lanes = shared.lanes;
    for (std::size_t c = 0; c < plan.chains.size(); ++c) {
        const Chain& chain = plan.chains[c];
        if (chain.per_sample || !chain.trainable) continue;
        const int count = chain.end - chain.begin, columns = chain.vector ? 1 : 4;
        AlignedBuffer trace(std::int64_t{count} * 16 * lanes), angles(std::int64_t{count} * lanes),
            product(16 * lanes), cotangent(16 * lanes, true);
        for (std::int64_t i = 0; i < 16; ++i) {
            cotangent.get()[i * lanes] = matrices[c * 16 + static_cast<std::size_t>(i)];
        }
        const LaneFactor* factors = shared.factors.data() + chain.begin;
        kernels().chain_forward(factors, count, columns, product.get(), trace.get());
        kernels().chain_backward(factors, count, columns, trace.get(), cotangent.get(),
                                 angles.get());
        for (int i = 0; i < count; ++i) {
            const Factor& f = plan.factors[static_cast<std::size_t>(chain.begin + i)];
            if (f.constant) continue;
            for (int t = f.term_begin; t < f.term_end; ++t) {
                const Term& term = plan.terms[static_cast<std::size_t>(t)];
                grad_weights[static_cast<std::size_t>(term.index)] +=
                    term.coefficient * angles.get()[i * lanes];
            }
        }
    }
}

}  // namespace

void run_backward(const Plan& plan, const Circuit& circuit, const Readout& readout,
                  std::span<const double> grad, std::span<double> grad_weights,
                  std::span<double> grad_inputs) {
    std::fill(grad_weights.begin(), grad_weights.end(), 0.0);
    std::fill(grad_inputs.begin(), grad_inputs.end(), 0.0);
    const Shared shared(plan, circuit);
    const std::int64_t lanes = shared.lanes, tiles = (circuit.batch + lanes - 1) / lanes;
    const std::int64_t chunks = std::min(tiles, kMaxChunks);
    const int threads = threads_of(plan, circuit, lanes);
    const std::size_t chains = plan.chains.size();
    std::vector<double> matrix_sums(static_cast<std::size_t>(chunks) * chains * 16);
    std::vector<double> weight_sums(static_cast<std::size_t>(chunks) * grad_weights.size());
    struct Worker {
        Worker(const Plan& p, const Circuit& c, const Readout& r, const Shared& s)
            : tile(p, c, r, s), reverse(p, c, s, tile) {}
        Tile tile;
        Reverse reverse;
        AlignedBuffer matrices;
    };
    std::vector<std::unique_ptr<Worker>> workers(static_cast<std::size_t>(threads));
    parallel_for(chunks, threads, [&](std::int64_t chunk, int thread) {
        auto& worker = workers[static_cast<std::size_t>(thread)];
        const auto count = static_cast<std::int64_t>(chains) * 16 * lanes;
        if (!worker) {
            worker = std::make_unique<Worker>(plan, circuit, readout, shared);
            worker->matrices = AlignedBuffer(count);
        }
        std::fill_n(worker->matrices.get(), count, 0.0);
        double* weights =
            weight_sums.data() + static_cast<std::size_t>(chunk) * grad_weights.size();
        for (std::int64_t t = chunk * tiles / chunks; t < (chunk + 1) * tiles / chunks; ++t) {
            worker->tile.load(t * lanes);
            worker->reverse.run(grad, worker->matrices.get(), weights, grad_inputs);
        }
        double* sums = matrix_sums.data() + static_cast<std::size_t>(chunk) * chains * 16;
        for (std::size_t i = 0; i < chains * 16; ++i) {
            const double* from = worker->matrices.get() + static_cast<std::int64_t>(i) * lanes;
            for (std::int64_t lane = 0; lane < lanes; ++lane) sums[i] += from[lane];
        }
    });
    std::vector<double> matrices(chains * 16);
    for (std::size_t chunk = 0; chunk < static_cast<std::size_t>(chunks); ++chunk) {
        for (std::size_t i = 0; i < matrices.size(); ++i) {
            matrices[i] += matrix_sums[chunk * matrices.size() + i];
        }
        for (std::size_t i = 0; i < grad_weights.size(); ++i) {
            grad_weights[i] += weight_sums[chunk * grad_weights.size() + i];
        }
    }
    shared_chain_gradients(plan, shared, matrices, grad_weights);
}

}  // namespace wb::noise
