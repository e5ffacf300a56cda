// SPDX-License-Identifier: Apache-2.0
// One tile: as many samples as a vector has lanes, carried through the circuit by one thread so
// that their 4**n coefficients stay in its cache.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "noise/noise.hpp"
#include "noise/noise_isa.hpp"
#include "noise/plan.hpp"

namespace wb::noise {

inline constexpr std::int64_t kGrain = std::int64_t{1} << 17;  // coefficient updates for a thread

/// Doubles aligned for the widest vectors; zero at first where asked.
class AlignedBuffer {
  public:
    AlignedBuffer() = default;
    explicit AlignedBuffer(std::int64_t count, bool zero = false);
    double* get() const { return reinterpret_cast<double*>(bytes_.get()); }

  private:
    AlignedBytes bytes_;
};

/// What is read from the final coefficients: outcome probabilities of some qubits, or rows.
struct Readout {
    std::int64_t outputs = 0;
    bool outcomes = false;
    int measured = 0;
    std::vector<std::int64_t> index;          // outcomes: coefficient of each subset of the qubits
    std::vector<double> matrices;             // outcomes: measured x 2 x 2
    std::vector<std::int64_t> start, column;  // rows
    std::vector<double> value;

    RowsView rows() const { return {outputs, start.data(), column.data(), value.data()}; }
};

inline const LaneKernels& kernels() {
    static const LaneKernels* const table = WB_SELECT_ISA(lane_kernels)();
    return *table;
}

inline MapView view(const PairMap& map) {
    return {map.start.data(), map.column.data(), map.value.data()};
}

inline MapView transposed(const PairMap& map) {
    return {map.start_t.data(), map.column_t.data(), map.value_t.data()};
}

/// Throws, naming the rotation; sample < 0 stands for angles of the weights.
inline void check_angle(const Factor& f, int qubit, double angle, std::int64_t sample) {
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

/// Threads that pay for a run over the batch.
inline int threads_of(const Plan& plan, const Circuit& circuit, std::int64_t lanes) {
    const std::int64_t tiles = (circuit.batch + lanes - 1) / lanes;
    const auto passes = static_cast<std::int64_t>(plan.steps.size()) + 2;
    return threads_for(tiles * lanes * plan.size() * passes, kGrain);
}

}  // namespace wb::noise
