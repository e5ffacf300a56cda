// SPDX-License-Identifier: Apache-2.0
// One thread carries one tile of samples (as many as a vector has lanes) through the whole
// circuit, so that a tile's 4**n coefficients stay in its cache. Channels are not inverted:
// the reverse sweep reads the states stored at the steps, all of them or, above kStateBudget,
// those of one segment at a time, recomputed from its first. Gradients to weights are summed
// over a fixed division of the batch into chunks, whatever the number of threads.
#include "noise/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/parallel.hpp"

namespace wb::noise {
namespace {

constexpr std::int64_t kStateBudget = std::int64_t{1} << 28;  // bytes of states per thread
constexpr std::int64_t kMaxChunks = 64;
constexpr std::int64_t kGrain = std::int64_t{1} << 17;  // coefficient updates worth a thread

const LaneKernels& kernels() {
    static const LaneKernels* const table = WB_SELECT_ISA(lane_kernels)();
    return *table;
}

MapView view(const PairMap& map) { return {map.start.data(), map.column.data(), map.value.data()}; }

MapView transposed(const PairMap& map) {
    return {map.start_t.data(), map.column_t.data(), map.value_t.data()};
}

void check_angle(const Factor& f, int qubit, double angle, std::int64_t sample) {
    if (std::isfinite(angle)) return;
    const char axis = f.first == 2 ? 'x' : f.first == 3 ? 'y' : 'z';
    throw std::invalid_argument(
        std::string("noise program: operation ") + std::to_string(f.operation) + ", r" + axis +
        " on qubit " + std::to_string(qubit) + ": the angle " +
        (sample < 0 ? std::string("from the weights") : "of sample " + std::to_string(sample)) +
        " is not finite");
}

/// What all tiles share: factors that do not depend on the sample, and chains made of them.
class Shared {
  public:
    Shared(const Plan& plan, const Circuit& circuit)
        : lanes(kernels().lanes),
          factors(plan.factors.size()),
          matrices(static_cast<std::int64_t>(plan.chains.size()) * 16 * lanes),
          turns_(static_cast<std::int64_t>(plan.factors.size()) * 2 * lanes) {
        for (std::size_t c = 0; c < plan.chains.size(); ++c) {
            const Chain& chain = plan.chains[c];
            for (int i = chain.begin; i < chain.end; ++i) {
                const auto at = static_cast<std::size_t>(i);
                const Factor& f = plan.factors[at];
                double* cosine = turns_.get() + std::int64_t{i} * 2 * lanes;
                factors[at] = {f.constant ? f.matrix.data() : nullptr, f.first, f.second, cosine,
                               cosine + lanes};
                if (f.constant || f.per_sample) continue;
                double angle = f.angle;
                for (int t = f.term_begin; t < f.term_end; ++t) {
                    const Term& term = plan.terms[static_cast<std::size_t>(t)];
                    angle +=
                        term.coefficient * circuit.weights[static_cast<std::size_t>(term.index)];
                }
                check_angle(f, chain.qubit, angle, -1);
                std::fill_n(cosine, lanes, std::cos(angle));
                std::fill_n(cosine + lanes, lanes, std::sin(angle));
            }
            if (chain.per_sample) continue;
            kernels().chain_forward(factors.data() + chain.begin, chain.end - chain.begin,
                                    chain.vector ? 1 : 4, matrix(c), nullptr);
        }
    }

    double* matrix(std::size_t chain) const {
        return matrices.get() + static_cast<std::int64_t>(chain) * 16 * lanes;
    }

    std::int64_t lanes;
    std::vector<LaneFactor> factors;
    AlignedBuffer matrices;

  private:
    AlignedBuffer turns_;
};

/// One thread's tile.
class Tile {
  public:
    Tile(const Plan& plan, const Circuit& circuit, const Readout& readout, const Shared& shared)
        : plan_(plan),
          circuit_(circuit),
          readout_(readout),
          lanes_(shared.lanes),
          factors_(shared.factors),
          chain_(plan.chains.size()),
          matrices_(static_cast<std::int64_t>(plan.chains.size()) * 16 * lanes_),
          turns_(static_cast<std::int64_t>(plan.factors.size()) * 2 * lanes_),
          vectors_(std::int64_t{plan.n_qubits} * 4 * lanes_),
          outputs_(readout.outputs * lanes_),
          angles_(lanes_) {
        for (std::size_t c = 0; c < chain_.size(); ++c) {
            const Chain& chain = plan.chains[c];
            chain_[c] = chain.per_sample
                            ? matrices_.get() + static_cast<std::int64_t>(c) * 16 * lanes_
                            : shared.matrix(c);
            if (!chain.per_sample) continue;
            per_sample_.push_back(c);
            for (int i = chain.begin; i < chain.end; ++i) {
                const auto at = static_cast<std::size_t>(i);
                if (!plan.factors[at].per_sample) continue;
                factors_[at].cosine = turns_.get() + std::int64_t{i} * 2 * lanes_;
                factors_[at].sine = factors_[at].cosine + lanes_;
            }
        }
    }

    std::int64_t state_size() const { return plan_.size() * lanes_; }

    /// Angles and matrices of the samples [first, first + lanes), those past the batch at 0.
    void load(std::int64_t first) {
        first_ = first;
        count_ = std::min(lanes_, circuit_.batch - first);
        for (std::size_t c : per_sample_) {
            const Chain& chain = plan_.chains[c];
            for (int i = chain.begin; i < chain.end; ++i) {
                const Factor& f = plan_.factors[static_cast<std::size_t>(i)];
                if (f.constant || !f.per_sample) continue;
                double* cosine = turns_.get() + std::int64_t{i} * 2 * lanes_;
                for (std::int64_t lane = 0; lane < lanes_; ++lane) {
                    const double angle = lane < count_ ? sample_angle(f, first + lane) : 0.0;
                    check_angle(f, chain.qubit, angle, first + lane);
                    angles_.get()[lane] = angle;
                }
                kernels().turns(angles_.get(), cosine, cosine + lanes_);
            }
            kernels().chain_forward(factors_.data() + chain.begin, chain.end - chain.begin,
                                    chain.vector ? 1 : 4, chain_[c], nullptr);
        }
    }

    void start(double* state) {
        for (std::size_t q = 0; q < plan_.leading.size(); ++q) {
            double* v = vectors_.get() + static_cast<std::int64_t>(q) * 4 * lanes_;
            if (plan_.leading[q] >= 0) {
                std::copy_n(chain_[static_cast<std::size_t>(plan_.leading[q])], 4 * lanes_, v);
            } else {
                std::fill_n(v, 4 * lanes_, 0.0);
                std::fill_n(v, lanes_, 1.0);
                std::fill_n(v + 3 * lanes_, lanes_, 1.0);
            }
        }
        kernels().product_forward(vectors_.get(), plan_.n_qubits, state);
    }

    void step_forward(const Step& step, const double* from, double* to) const {
        if (step.high < 0) {
            kernels().single_forward(from, to, plan_.n_qubits, step.low, matrix(step.chain_low));
        } else {
            kernels().pair_forward(from, to, plan_.n_qubits, step.low, step.high,
                                   matrix(step.chain_low), matrix(step.chain_high), view(step.map));
        }
    }

    void step_backward(const Step& step, const double* state, double* cotangent,
                       double* gradient_low, double* gradient_high) const {
        if (step.high < 0) {
            kernels().single_backward(state, cotangent, plan_.n_qubits, step.low,
                                      matrix(step.chain_low), gradient_low);
        } else {
            kernels().pair_backward(state, cotangent, plan_.n_qubits, step.low, step.high,
                                    matrix(step.chain_low), matrix(step.chain_high),
                                    transposed(step.map), gradient_low, gradient_high);
        }
    }

    void read(const double* state, std::span<double> out) const {
        double* values = outputs_.get();
        if (readout_.outcomes) {
            kernels().outcomes_forward(state, readout_.index.data(), readout_.measured,
                                       readout_.matrices.data(), values);
        } else {
            kernels().rows_forward(state, readout_.rows(), values);
        }
        for (std::int64_t lane = 0; lane < count_; ++lane) {
            double* row = out.data() + (first_ + lane) * readout_.outputs;
            for (std::int64_t k = 0; k < readout_.outputs; ++k) row[k] = values[k * lanes_ + lane];
        }
    }

    void read_backward(std::span<const double> grad, double* cotangent) const {
        double* values = outputs_.get();
        std::fill_n(values, readout_.outputs * lanes_, 0.0);
        for (std::int64_t lane = 0; lane < count_; ++lane) {
            const double* row = grad.data() + (first_ + lane) * readout_.outputs;
            for (std::int64_t k = 0; k < readout_.outputs; ++k) values[k * lanes_ + lane] = row[k];
        }
        std::fill_n(cotangent, state_size(), 0.0);
        if (readout_.outcomes) {
            kernels().outcomes_backward(values, readout_.index.data(), readout_.measured,
                                        readout_.matrices.data(), cotangent);
        } else {
            kernels().rows_backward(values, readout_.rows(), cotangent);
        }
    }

    double* vectors() const { return vectors_.get(); }
    const LaneFactor* factors() const { return factors_.data(); }
    const std::vector<std::size_t>& per_sample() const { return per_sample_; }
    std::int64_t first() const { return first_; }
    std::int64_t count() const { return count_; }

  private:
    double sample_angle(const Factor& f, std::int64_t sample) const {
        double angle = f.angle;
        for (int t = f.term_begin; t < f.term_end; ++t) {
            const Term& term = plan_.terms[static_cast<std::size_t>(t)];
            angle += term.coefficient *
                     (term.input ? circuit_.inputs[static_cast<std::size_t>(
                                       sample * circuit_.n_inputs + term.index)]
                                 : circuit_.weights[static_cast<std::size_t>(term.index)]);
        }
        return angle;
    }

    const double* matrix(int chain) const {
        return chain < 0 ? nullptr : chain_[static_cast<std::size_t>(chain)];
    }

    const Plan& plan_;
    const Circuit& circuit_;
    const Readout& readout_;
    std::int64_t lanes_;
    std::vector<LaneFactor> factors_;
    std::vector<double*> chain_;
    std::vector<std::size_t> per_sample_;
    AlignedBuffer matrices_, turns_, vectors_, outputs_, angles_;
    std::int64_t first_ = 0, count_ = 0;
};

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
        AlignedBuffer trace(std::int64_t{count} * 16 * lanes), angles(count * lanes),
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

int threads_of(const Plan& plan, const Circuit& circuit, std::int64_t lanes) {
    const std::int64_t tiles = (circuit.batch + lanes - 1) / lanes;
    const auto passes = static_cast<std::int64_t>(plan.steps.size()) + 2;
    return threads_for(tiles * lanes * plan.size() * passes, kGrain);
}

}  // namespace

AlignedBuffer::AlignedBuffer(std::int64_t count, bool zero)
    : data_(static_cast<double*>(::operator new[](
          static_cast<std::size_t>(std::max<std::int64_t>(1, count)) * sizeof(double),
          std::align_val_t{64}))) {
    if (zero) std::fill_n(data_.get(), count, 0.0);
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
        for (const Step& step : plan.steps) worker->tile.step_forward(step, state, state);
        worker->tile.read(state, out);
    });
}

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
            tile.step_backward(*step, nullptr, cotangent.get(), nullptr, nullptr);
        }
        for (std::int64_t lane = 0; lane < count; ++lane) {
            double* row = out.data() + (first + lane) * size;
            for (std::int64_t i = 0; i < size; ++i) row[i] = cotangent.get()[i * lanes + lane];
        }
    }
}

}  // namespace wb::noise
