// SPDX-License-Identifier: Apache-2.0
// Scale by scale, R = 2^j: sources that lie within R of one another (there and back) have to meet
// in one emitted ball. A part of the graph is cut by carving a round-trip ball out of it, or into
// the cells of a diagram of centres with exponential offsets (Miller, Peng, Xu, SPAA 2013); a
// source is certified where no cut came within R of it. Those not certified are done again with
// other random numbers, and after some repetitions get the exact ball of radius R, so that the
// stretch holds whatever the numbers were.
//
// Why the certificate holds: let c be the centre of a carved ball of radius b <= rho in the part U,
// and q a source with rt_U(c, q) <= b - R. Every v with rt(q, v) <= R is still in U (no earlier cut
// came within R of q), hence in the ball, and over c rt_H(q, v) <= 2 rt(c, q) + rt(q, v). With
// rt(c, q) <= (t - 1) R / 4 and rt(q, v) > R / 2 this is at most t rt(q, v).
//
// Unlike the papers' this carves first and samples only where a ball does not pay for its search:
// most parts of most scales are one ball. Its centre is the part's most central source, by round
// trips to a few vertices, in an order that is the same at every scale, so that balls share trees.
// And of all radii in the allowed range it takes the one that leaves fewest sources near the
// boundary, where the papers draw it at random.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <optional>
#include <tuple>

#include "core/parallel.hpp"
#include "paths/components.hpp"
#include "spanner/balls.hpp"
#include "spanner/contraction.hpp"
#include "spanner/random.hpp"
#include "spanner/spanner.hpp"

namespace wb::spanner {
namespace {

constexpr double kRatio = 2;         // of one scale to the last
constexpr double kSlack = 1 + 1e-9;  // for what float sums of one path differ by
constexpr std::size_t kClose = 8;    // vertices that closeness is measured to
constexpr double kHeavy = 0.75;      // share of the sample a heavy source's ball holds

/// One scale's graph and radii.
template <typename W>
struct Task {
    std::int64_t number = 0;
    std::shared_ptr<const Core<W>> core;
    std::shared_ptr<const Ranks> ranks;
    double radius = 0;  // R
    double within = 0;  // certified sources lie within this of a ball's centre
    bool contracted = false;
};

/// Makes the scales one after the other, since each contracts the last one's graph further.
template <typename W>
class Scales {
  public:
    Scales(std::shared_ptr<const Core<W>> core, const CoverOptions& options, std::uint8_t* mask)
        : core_(std::move(core)),
          ranks_(std::make_shared<Ranks>(random_ranks(*core_, options.seed))),
          options_(options),
          mask_(mask),
          n_(core_->n) {
        least_ = least_roundtrip(*core_);
        first_ = kRatio * least_;
        const double far = 2 * rank_by_closeness() * kSlack;
        count_ = 1;
        for (double r = first_; r < far; r *= kRatio) ++count_;
    }

    std::int64_t count() const { return count_; }
    /// Vertices settled to rank them.
    std::int64_t settled() const { return settled_; }

    /// The next scale; scales without work of their own have one vertex.
    std::optional<Task<W>> next(Scale& scale) {
        check_interrupt();
        const std::lock_guard<std::mutex> lock(mutex_);
        if (next_ >= count_) return std::nullopt;
        Task<W> task;
        task.number = next_++;
        task.radius = first_ * std::pow(kRatio, static_cast<double>(task.number));
        const double t = options_.stretch;
        const double epsilon = std::min(1.0 / 16, (t - 1) / (256 * kRatio));
        const double threshold = epsilon * task.radius / static_cast<double>(n_);
        if (2 * threshold >= least_) {
            const W whole =
                static_cast<W>(std::min(threshold, static_cast<double>(core_->largest())));
            if (auto smaller = contract(*core_, *ranks_, whole, mask_, scale.contracted)) {
                core_ = std::make_shared<Core<W>>(std::move(smaller->core));
                ranks_ = std::make_shared<Ranks>(std::move(smaller->ranks));
                contracted_ = true;
            }
        }
        task.core = core_;
        task.ranks = ranks_;
        task.contracted = contracted_;
        // Crossing contracted components costs up to 2 epsilon R on each of four ways.
        const double budget = (t - 1) / kRatio - (contracted_ ? 8 * epsilon : 0);
        task.within = std::max(0.0, budget) * task.radius / 2;
        scale.radius = task.radius;
        scale.vertices = core_->n;
        return task;
    }

  private:
    /// Puts vertices in the order of their round trips to a few drawn ones: balls around central
    /// vertices hold more. Returns how far everything is from and to one vertex, added up.
    double rank_by_closeness() {
        std::vector<std::pair<std::uint64_t, std::int32_t>> drawn;
        for (std::int32_t v = 0; v < n_; ++v) drawn.emplace_back((*ranks_)[v], v);
        const auto size = std::min<std::size_t>(kClose, drawn.size());
        std::partial_sort(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(size),
                          drawn.end());
        drawn.resize(size);
        using D = paths::Distance<W>;
        std::vector<D> away(n_ * size);
        std::vector<double> farthest(2 * size);
        with_queue(*core_, [&]<typename Queue>() {
            const auto searches = static_cast<std::int64_t>(size);
            parallel_for(searches, threads_for(core_->m, 20'000, options_.threads),
                         [&](std::int64_t i, int) {
                             paths::LocalSearch<W, Queue> search(n_, core_->largest());
                             const auto all = [](std::int32_t, D) { return true; };
                             for (const bool back : {false, true}) {
                                 search.run(back ? core_->g.in : core_->g.out, drawn[i].second,
                                            paths::unreached<D>() - 1, all);
                                 for (std::int64_t v = 0; v < n_; ++v) {
                                     away[i * n_ + v] +=
                                         search.distance(static_cast<std::int32_t>(v));
                                 }
                                 farthest[2 * i + back] =
                                     static_cast<double>(search.distance(search.settled().back()));
                             }
                         });
            return 0;
        });
        std::vector<std::tuple<double, std::uint64_t, std::int64_t>> order;
        for (std::int64_t v = 0; v < n_; ++v) {
            double sum = 0;
            for (std::size_t i = 0; i < size; ++i) {
                sum += static_cast<double>(away[static_cast<std::int64_t>(i) * n_ + v]);
            }
            order.emplace_back(sum, (*ranks_)[v], v);
        }
        std::sort(order.begin(), order.end());
        auto ranks = std::make_shared<Ranks>(n_);
        for (std::int64_t i = 0; i < n_; ++i) {
            (*ranks)[std::get<2>(order[i])] = static_cast<std::uint64_t>(i);
        }
        ranks_ = std::move(ranks);
        settled_ = 2 * n_ * static_cast<std::int64_t>(size);
        return farthest[0] + farthest[1];
    }

    std::shared_ptr<const Core<W>> core_;
    std::shared_ptr<const Ranks> ranks_;
    const CoverOptions& options_;
    std::uint8_t* mask_;
    std::int64_t n_, next_ = 0, count_ = 0, settled_ = 0;
    double least_ = 0, first_ = 0;
    bool contracted_ = false;
    std::mutex mutex_;
};

/// One thread's work on one scale after the other.
template <typename W, typename Queue>
class Worker {
  public:
    using D = paths::Distance<W>;

    Worker(const Core<W>& core, const CoverOptions& options, std::uint8_t* mask)
        : options_(options),
          mask_(mask),
          balls_(core),
          nearest_(core.n),
          component_(core.n),
          part_(core.n),
          state_(core.n, kDone),
          count_out_(core.n, 0),
          count_in_(core.n, 0) {}

    void run(const Task<W>& task, Scale& scale) {
        task_ = &task;
        core_ = task.core.get();
        scale_ = &scale;
        radius_ = task.radius * kSlack;
        outer_ = task.within + radius_;
        inner_ = std::max(radius_, outer_ / 2);
        cell_ = inner_ / 2;
        const std::int64_t first = settled();
        exact_cost_ = 0;
        std::vector<std::int32_t> todo = lay_out();
        scale.sources = static_cast<std::int64_t>(todo.size());
        while (!todo.empty() && scale.repetitions < options_.repetitions) {
            const auto had = static_cast<std::int64_t>(todo.size());
            const std::int64_t before = settled();
            todo = repeat(todo);
            ++scale.repetitions;
            scale.certified.push_back(had - static_cast<std::int64_t>(todo.size()));
            if (todo.empty()) break;
            // What a source costs by its exact ball is known by doing one.
            const std::int64_t between = settled();
            exact_ball(todo.back(), component_[todo.back()], component_);
            todo.pop_back();
            ++scale.fallback;
            exact_cost_ += settled() - between;
            if ((between - before) * scale.fallback > scale.certified.back() * exact_cost_) break;
        }
        for (const std::int32_t q : todo) exact_ball(q, component_[q], component_);
        scale.fallback += static_cast<std::int64_t>(todo.size());
        scale.settled = settled() - first;
    }

  private:
    enum State : std::uint8_t { kDone, kAlive, kBad };

    struct Part {
        std::int32_t id;
        std::vector<std::int32_t> sources;  // by rank; those no longer alive are to be skipped
        std::size_t next = 0, alive = 0;
    };

    std::int64_t settled() const { return balls_.settled() + nearest_settled_; }

    /// Components of the edges up to R, the only ones a pair of this scale can use; the sources
    /// that have company.
    std::vector<std::int32_t> lay_out() {
        const W longest = static_cast<double>(core_->largest()) <= radius_
                              ? core_->largest()
                              : static_cast<W>(radius_);
        const std::int64_t count =
            paths::strong_components(core_->g.out, component_.data(), longest);
        std::vector<std::int64_t> size(count, 0);
        for (std::int64_t v = 0; v < core_->n; ++v) ++size[component_[v]];
        first_free_ = static_cast<std::int32_t>(count);
        std::copy_n(component_.begin(), core_->n, part_.begin());
        touched_.clear();
        std::vector<std::int32_t> todo;
        for (const std::int32_t s : core_->sources) {
            if (size[component_[s]] > 1) todo.push_back(s);
        }
        return todo;
    }

    void assign(std::int32_t v, std::int32_t part) {
        touched_.push_back(v);
        part_[v] = part;
    }

    std::uint64_t rank(std::int32_t v) const { return (*task_->ranks)[v]; }

    /// A number for this use of a vertex alone.
    std::uint64_t draw(std::int32_t part, std::int32_t v, std::uint64_t use) const {
        return mix(options_.seed, task_->number, scale_->repetitions, part, core_->vertex[v], use);
    }

    void exact_ball(std::int32_t q, std::int32_t part, const std::vector<std::int32_t>& parts) {
        balls_.run(*core_, q, paths::floor_to<D>(radius_),
                   [&](std::int32_t v) { return parts[v] == part; });
        balls_.mark_trees(*core_, paths::floor_to<D>(radius_), mask_);
    }

    /// Once through all parts; returns the sources that no ball was certified for.
    std::vector<std::int32_t> repeat(const std::vector<std::int32_t>& todo) {
        for (const std::int32_t v : touched_) part_[v] = component_[v];
        touched_.clear();
        next_part_ = first_free_;
        std::vector<Part> stack = by_component(todo);
        while (!stack.empty()) {
            Part part = std::move(stack.back());
            stack.pop_back();
            divide(part, stack);
        }
        std::vector<std::int32_t> rest;
        for (const std::int32_t q : todo) {
            if (state_[q] == kBad) rest.push_back(q);
            state_[q] = kDone;
        }
        return rest;
    }

    std::vector<Part> by_component(const std::vector<std::int32_t>& todo) {
        std::vector<std::pair<std::int32_t, std::int32_t>> order;
        for (const std::int32_t q : todo) order.emplace_back(component_[q], q);
        std::sort(order.begin(), order.end());
        std::vector<Part> parts;
        for (const auto& [component, q] : order) {
            if (parts.empty() || parts.back().id != component) parts.push_back({component, {}});
            parts.back().sources.push_back(q);
        }
        for (Part& part : parts) by_rank(part);
        return parts;
    }

    void by_rank(Part& part) {
        std::vector<std::pair<std::uint64_t, std::int32_t>> order;
        for (const std::int32_t q : part.sources) order.emplace_back(rank(q), q);
        std::sort(order.begin(), order.end());
        for (std::size_t i = 0; i < order.size(); ++i) {
            part.sources[i] = order[i].second;
            state_[order[i].second] = kAlive;
        }
        part.alive = order.size();
    }

    void divide(Part& part, std::vector<Part>& stack) {
        while (part.alive > 0) {
            while (state_[part.sources[part.next]] != kAlive) ++part.next;
            const std::int32_t first = part.sources[part.next];
            if (part.alive == 1) {
                exact_ball(first, part.id, part_);
                state_[first] = kDone;
                ++scale_->alone;
                return;
            }
            if (carve(part, first, false)) continue;
            std::erase_if(part.sources, [&](std::int32_t q) { return state_[q] != kAlive; });
            part.next = 0;
            const std::int32_t heavy = sample(part);
            if (heavy >= 0) {
                carve(part, heavy, true);
                continue;
            }
            cluster(part, stack);
            return;
        }
    }

    /// Takes the ball around `centre` out of the part, unless it would not pay for its search and
    /// need not be: a quarter of the sources must go with it, or an eighth of the vertices settled.
    bool carve(Part& part, std::int32_t centre, bool always) {
        balls_.run(*core_, centre, paths::floor_to<D>(outer_ + radius_),
                   [&](std::int32_t v) { return part_[v] == part.id; });
        around_.clear();
        for (const std::int32_t v : balls_.members()) {
            if (state_[v] == kAlive) around_.push_back(static_cast<double>(balls_.roundtrip(v)));
        }
        std::sort(around_.begin(), around_.end());
        const double ball = best_radius();
        const auto gone =
            std::upper_bound(around_.begin(), around_.end(), ball + radius_) - around_.begin();
        // Cells narrower than R would certify nobody.
        if (!always && cell_ > radius_ && 4 * gone < static_cast<std::ptrdiff_t>(part.alive)) {
            std::int64_t inside = 0;
            for (const std::int32_t v : balls_.members()) {
                if (static_cast<double>(balls_.roundtrip(v)) <= ball) ++inside;
            }
            if (8 * inside < balls_.cost()) return false;
        }
        balls_.mark_trees(*core_, paths::floor_to<D>(ball), mask_);
        for (const std::int32_t v : balls_.members()) {
            const auto away = static_cast<double>(balls_.roundtrip(v));
            if (state_[v] == kAlive && away <= ball + radius_) {
                const bool certified = away <= std::min(ball - radius_, task_->within);
                state_[v] = certified ? kDone : kBad;
                if (certified) ++scale_->by_carving;
                --part.alive;
            }
            if (away <= ball) assign(v, -1);
        }
        return true;
    }

    /// Of the radii from inner_ to outer_ the one with fewest sources near the boundary for each
    /// that is certified; of equal ones the smallest, which takes fewest edges.
    double best_radius() const {
        double best = outer_, least = std::numeric_limits<double>::infinity();
        const auto upto = [&](double x) {
            return static_cast<double>(std::upper_bound(around_.begin(), around_.end(), x) -
                                       around_.begin());
        };
        const auto consider = [&](double ball) {
            if (ball < inner_ || ball > outer_) return;
            const double certified = upto(std::min(ball - radius_, task_->within));
            const double lost = upto(ball + radius_) - certified;
            const double cost = lost / certified;
            if (cost < least || (cost == least && ball < best)) {
                least = cost;
                best = ball;
            }
        };
        consider(outer_);
        consider(inner_);
        // Between two of these nothing is gained: a source is certified at its distance plus R.
        const std::size_t step = 1 + around_.size() / 256;
        for (std::size_t i = 0; i < around_.size(); i += step) consider(around_[i] + radius_);
        return best;
    }

    /// Estimates by a sample which sources' balls hold most of the others; the least ranked whose
    /// balls do both ways, or -1. Counts those of each way in heavy_out_ and heavy_in_.
    std::int32_t sample(const Part& part) {
        const std::vector<std::int32_t>& sources = part.sources;
        std::vector<std::pair<std::uint64_t, std::int32_t>> drawn;
        for (const std::int32_t q : sources) drawn.emplace_back(draw(part.id, q, 0), q);
        const auto size = std::min<std::size_t>(drawn.size(), options_.samples);
        std::partial_sort(drawn.begin(), drawn.begin() + static_cast<std::ptrdiff_t>(size),
                          drawn.end());
        for (const std::int32_t q : sources) count_out_[q] = count_in_[q] = 0;
        const auto inside = [&](std::int32_t v, D) { return part_[v] == part.id; };
        const D limit = paths::floor_to<D>(2 * cell_);
        for (std::size_t i = 0; i < size; ++i) {
            balls_.forward().run(core_->g.out, drawn[i].second, limit, inside);
            balls_.backward().run(core_->g.in, drawn[i].second, limit, inside);
            balls_.count_cost();
            for (const std::int32_t q : sources) {
                count_in_[q] += balls_.forward().reached(q);
                count_out_[q] += balls_.backward().reached(q);
            }
        }
        const double enough = kHeavy * static_cast<double>(size);
        std::int32_t both = -1;
        heavy_out_ = heavy_in_ = 0;
        for (const std::int32_t q : sources) {
            const bool out = count_out_[q] >= enough, in = count_in_[q] >= enough;
            heavy_out_ += out;
            heavy_in_ += in;
            if (out && in && both < 0) both = q;
        }
        enough_ = enough;
        return both;
    }

    /// Divides the part among sources whose balls are small, each ahead by an exponential offset;
    /// the remainder and the cells that hold sources go on the stack.
    void cluster(Part& part, std::vector<Part>& stack) {
        const bool out = 2 * heavy_out_ <= static_cast<std::int64_t>(part.alive);
        const std::vector<std::int32_t>& count = out ? count_out_ : count_in_;
        const double beta = std::log(2.0 * static_cast<double>(part.alive) + 1) / cell_;
        std::vector<std::int32_t> centres;
        std::vector<double> offsets;
        for (const std::int32_t q : part.sources) {
            if (count[q] >= enough_) continue;
            const double u = uniform(draw(part.id, q, 1));
            centres.push_back(q);
            // Drawn on the condition that it is less than the cell's radius.
            offsets.push_back(-std::log1p(-u * -std::expm1(-beta * cell_)) / beta);
        }
        nearest_.run(out ? core_->g.out : core_->g.in, centres, offsets, radius_,
                     [&](std::int32_t v) { return part_[v] == part.id; });
        nearest_settled_ += static_cast<std::int64_t>(nearest_.reached().size());
        Part remainder{part.id, {}};
        // Both kinds of parts keep the order of ranks.
        std::vector<std::pair<std::int32_t, std::int32_t>> placed;  // centre, source
        for (const std::int32_t q : part.sources) {
            if (!nearest_.reached(q)) {
                remainder.sources.push_back(q);
                continue;
            }
            const auto& label = nearest_.at(q);
            if (label.first <= 0 && std::min(label.second, 0.0) - label.first > radius_) {
                placed.emplace_back(label.centre, q);
            } else {
                state_[q] = kBad;  // within R of a boundary
            }
        }
        std::stable_sort(placed.begin(), placed.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<Part> cells;
        cell_of_.clear();
        for (const auto& [centre, q] : placed) {
            if (cell_of_.empty() || cell_of_.back().first != centre) {
                cells.push_back({next_part_++, {}});
                cell_of_.emplace_back(centre, cells.back().id);
            }
            cells.back().sources.push_back(q);
        }
        for (const std::int32_t v : nearest_.reached()) {
            const auto& label = nearest_.at(v);
            if (label.first > 0) continue;
            const auto at = std::lower_bound(cell_of_.begin(), cell_of_.end(),
                                             std::pair{label.centre, std::int32_t{-1}});
            const bool holds = at != cell_of_.end() && at->first == label.centre;
            assign(v, holds ? at->second : -1);
        }
        if (!remainder.sources.empty()) cells.push_back(std::move(remainder));
        for (Part& cell : cells) {
            cell.alive = cell.sources.size();
            stack.push_back(std::move(cell));
        }
    }

    const CoverOptions& options_;
    std::uint8_t* mask_;
    const Task<W>* task_ = nullptr;
    const Core<W>* core_ = nullptr;
    Scale* scale_ = nullptr;
    BallSearch<W, Queue> balls_;
    paths::NearestTwo<W> nearest_;
    std::vector<std::int32_t> component_, part_, touched_;
    std::vector<State> state_;  // of every vertex; only sources are ever alive or bad
    std::vector<std::int32_t> count_out_, count_in_;
    std::vector<double> around_;
    std::vector<std::pair<std::int32_t, std::int32_t>> cell_of_;
    std::int64_t heavy_out_ = 0, heavy_in_ = 0, nearest_settled_ = 0, exact_cost_ = 0;
    std::int32_t first_free_ = 0, next_part_ = 0;
    double radius_ = 0, outer_ = 0, inner_ = 0, cell_ = 0, enough_ = 0;
};

}  // namespace

template <typename W>
std::vector<Scale> cover(const Core<W>& core, const CoverOptions& options, std::uint8_t* mask) {
    std::int64_t zero_edges = 0;
    std::shared_ptr<const Core<W>> start(&core, [](const Core<W>*) {});
    if (auto smaller = contract(core, random_ranks(core, options.seed), W{}, mask, zero_edges)) {
        start = std::make_shared<Core<W>>(std::move(smaller->core));
    }
    if (start->n < 2) return {};
    Scales<W> scales(start, options, mask);
    std::vector<Scale> done(scales.count());
    with_queue(*start, [&]<typename Queue>() {
        const int threads = static_cast<int>(
            std::min<std::int64_t>(scales.count(), threads_for(start->m, 20'000, options.threads)));
        std::vector<std::unique_ptr<Worker<W, Queue>>> workers(
            static_cast<std::size_t>(std::max(1, threads)));
        std::atomic<std::int64_t> finished{0};
        parallel_for(scales.count(), threads, [&](std::int64_t, int thread) {
            Scale scale;
            const std::optional<Task<W>> task = scales.next(scale);
            if (!task) return;
            const bool wanted = task->number % options.shares == options.share;
            if (wanted && task->core->n > 1) {
                auto& worker = workers[thread];
                if (!worker) worker = std::make_unique<Worker<W, Queue>>(*start, options, mask);
                worker->run(*task, scale);
            }
            if (task->number == 0) {
                scale.contracted += zero_edges;
                scale.settled += scales.settled();
            }
            done[task->number] = std::move(scale);
            const std::int64_t now = finished.fetch_add(1) + 1;
            if (thread == 0) options.tell(now, scales.count());
        });
        return 0;
    });
    return done;
}

template std::vector<Scale> cover(const Core<std::int32_t>&, const CoverOptions&, std::uint8_t*);
template std::vector<Scale> cover(const Core<std::int64_t>&, const CoverOptions&, std::uint8_t*);
template std::vector<Scale> cover(const Core<double>&, const CoverOptions&, std::uint8_t*);

}  // namespace wb::spanner
