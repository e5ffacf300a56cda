// SPDX-License-Identifier: Apache-2.0
// Fusion of a program into steps (see plan.hpp). The builder keeps, for each wire, the last step
// that touched it and the 1-qubit gates still waiting for a controlled gate to absorb them.
#include "statevector/plan.hpp"

#include <bit>
#include <cmath>
#include <list>
#include <mutex>
#include <numeric>
#include <utility>

#include "core/same_bits.hpp"
#include "statevector/program.hpp"

namespace wb::statevector {
namespace {

constexpr int kUntouched = -1;
constexpr int kGiven = -2;  // by no step yet, but the start is the caller's

/// A step while it still grows.
struct Draft {
    Step step{};
    std::vector<Factor> chain0, chain1;
    std::vector<int> wires;
    std::vector<PhasePart> parts;
};

class Builder {
  public:
    Builder(std::span<const double> data, int n_wires, int n_weights, int n_inputs,
            bool given_start)
        : initial_(static_cast<std::size_t>(n_wires)),
          pending_(static_cast<std::size_t>(n_wires)),
          last_(static_cast<std::size_t>(n_wires), given_start ? kGiven : kUntouched) {
        plan_.given_start = given_start;
        plan_.n_wires = n_wires;
        plan_.n_weights = n_weights;
        plan_.n_inputs = n_inputs;
        plan_.data.assign(data.begin(), data.end());
        plan_.place.resize(static_cast<std::size_t>(n_wires));
        std::iota(plan_.place.begin(), plan_.place.end(), 0);
    }

    void add(const Operation& op) {
        switch (op.kind) {
            case OpKind::swap:
                std::swap(place(op.targets[0]), place(op.targets[1]));
                return;
            case OpKind::pauli_rotation:
                add_rotation(op);
                return;
            case OpKind::diagonal:
                add_constant_diagonal(op);
                return;
            case OpKind::unitary:
                add_unitary(op);
                return;
            case OpKind::global_phase:
                add_factor(0, factor(op));
                return;
            default:
                break;
        }
        if (op.controls.empty()) {
            add_factor(place(op.targets[0]), factor(op));
        } else if (op.kind == OpKind::p || op.kind == OpKind::rz) {
            add_controlled_phase(op);
        } else {
            add_controlled(op);
        }
    }

    Plan finish() {
        for (int w = 0; w < plan_.n_wires; ++w) flush(w);
        plan_.initial_begin.push_back(0);
        for (const auto& chain : initial_) {
            for (const Factor& f : chain)
                note(f, plan_.initial_per_sample, plan_.initial_weights, plan_.initial_inputs);
            plan_.initial.insert(plan_.initial.end(), chain.begin(), chain.end());
            plan_.initial_begin.push_back(static_cast<std::int32_t>(plan_.initial.size()));
        }
        for (Draft& draft : drafts_) close(draft);
        return std::move(plan_);
    }

  private:
    int& place(int wire) { return plan_.place[static_cast<std::size_t>(wire)]; }
    int& last(int bit) { return last_[static_cast<std::size_t>(bit)]; }
    std::vector<Factor>& pending(int bit) { return pending_[static_cast<std::size_t>(bit)]; }
    Draft& draft(int index) { return drafts_[static_cast<std::size_t>(index)]; }

    std::int32_t add_angle(const ParsedAngle& parsed) {
        Angle angle{};
        angle.constant = parsed.constant;
        const auto size = [&] { return static_cast<std::int32_t>(plan_.terms.size()); };
        angle.weights_begin = size();
        for (const auto& t : parsed.terms) {
            if (!t.input) plan_.terms.push_back({t.index, t.coefficient});
        }
        angle.weights_end = size();
        for (const auto& t : parsed.terms) {
            if (t.input) plan_.terms.push_back({t.index, t.coefficient});
        }
        angle.inputs_end = size();
        plan_.angles.push_back(angle);
        return static_cast<std::int32_t>(plan_.angles.size()) - 1;
    }

    Factor factor(const Operation& op) {
        Factor f{};
        switch (op.kind) {
            case OpKind::constant1:
                f.kind = FactorKind::constant;
                f.matrix = static_cast<std::int32_t>(op.data_offset);
                break;
            case OpKind::rx:
                f.kind = FactorKind::rx;
                break;
            case OpKind::ry:
                f.kind = FactorKind::ry;
                break;
            case OpKind::rz:
                f.kind = FactorKind::rz;
                break;
            case OpKind::p:
                f.kind = FactorKind::p;
                break;
            case OpKind::u:
                f.kind = FactorKind::u;
                break;
            default:
                f.kind = FactorKind::phase;
        }
        for (std::size_t i = 0; i < 3; ++i) {
            f.angle[i] = i < op.angles.size() ? add_angle(op.angles[i]) : -1;
        }
        return f;
    }

    /// Whether a 1-qubit gate on `bit` can be multiplied into that wire's last step.
    bool absorbs(int bit) {
        if (last(bit) < 0) return false;
        const Step& s = draft(last(bit)).step;
        return s.kind == StepKind::matrix && s.target == bit && std::popcount(s.controls) <= 1;
    }

    void add_factor(int bit, const Factor& f) {
        if (last(bit) == kUntouched) {
            initial_[static_cast<std::size_t>(bit)].push_back(f);
        } else if (absorbs(bit)) {
            Draft& d = draft(last(bit));
            d.chain1.push_back(f);
            if (d.step.controls) d.chain0.push_back(f);
        } else {
            pending(bit).push_back(f);
        }
    }

    int append(Draft&& d) {
        const int index = static_cast<int>(drafts_.size());
        for (std::uint64_t rest = d.step.touched; rest; rest &= rest - 1) {
            last(std::countr_zero(rest)) = index;
        }
        drafts_.push_back(std::move(d));
        return index;
    }

    /// Turns the gates waiting on a wire into a step of their own.
    void flush(int bit) {
        if (pending(bit).empty()) return;
        Draft d;
        d.step.kind = StepKind::matrix;
        d.step.target = bit;
        d.step.touched = std::uint64_t{1} << bit;
        d.chain1 = std::exchange(pending(bit), {});
        append(std::move(d));
    }

    void add_controlled(const Operation& op) {
        const int target = place(op.targets[0]);
        std::uint64_t controls = 0;
        for (int c : op.controls) {
            controls |= std::uint64_t{1} << place(c);
            flush(place(c));
        }
        const Factor f = factor(op);
        if (op.controls.size() == 1) {
            const int control = place(op.controls[0]);
            if (absorbs(target) && last(target) == last(control) &&
                draft(last(target)).step.controls == controls) {
                draft(last(target)).chain1.push_back(f);
                return;
            }
        } else {
            flush(target);
        }
        Draft d;
        d.step.kind = StepKind::matrix;
        d.step.target = target;
        d.step.controls = controls;
        d.step.touched = controls | std::uint64_t{1} << target;
        d.chain0 = std::exchange(pending(target), {});
        d.chain1 = d.chain0;
        d.chain1.push_back(f);
        append(std::move(d));
    }

    /// The diagonal step that takes phases on these bits: the open one when nothing later
    /// touches them and they fit its table, else a new one.
    Draft& open_diagonal(std::uint64_t bits) {
        for (std::uint64_t rest = bits; rest; rest &= rest - 1) flush(std::countr_zero(rest));
        if (open_diagonal_ >= 0) {
            Draft& d = draft(open_diagonal_);
            bool free = std::popcount(d.step.touched | bits) <= kMaxDiagonalWires;
            for (std::uint64_t rest = bits; rest; rest &= rest - 1) {
                free = free && last(std::countr_zero(rest)) <= open_diagonal_;
            }
            if (free) {
                grow(d, bits);
                for (std::uint64_t rest = bits; rest; rest &= rest - 1) {
                    last(std::countr_zero(rest)) = open_diagonal_;
                }
                return d;
            }
        }
        Draft d;
        d.step.kind = StepKind::diagonal;
        grow(d, bits);
        open_diagonal_ = append(std::move(d));
        return draft(open_diagonal_);
    }

    static void grow(Draft& d, std::uint64_t bits) {
        for (std::uint64_t rest = bits & ~d.step.touched; rest; rest &= rest - 1) {
            d.wires.push_back(std::countr_zero(rest));
        }
        d.step.touched |= bits;
    }

    static std::uint32_t table_bits(const Draft& d, std::uint64_t bits) {
        std::uint32_t mask = 0;
        for (std::size_t i = 0; i < d.wires.size(); ++i) {
            if (bits >> d.wires[i] & 1) mask |= std::uint32_t{1} << i;
        }
        return mask;
    }

    void add_controlled_phase(const Operation& op) {
        const std::uint64_t target = std::uint64_t{1} << place(op.targets[0]);
        std::uint64_t controls = 0;
        for (int c : op.controls) controls |= std::uint64_t{1} << place(c);
        if (std::popcount(controls | target) > kMaxDiagonalWires) {
            add_controlled(op);
            return;
        }
        const std::int32_t angle = add_angle(op.angles[0]);
        Draft& d = open_diagonal(controls | target);
        PhasePart part{};
        part.angle = angle;
        if (op.kind == OpKind::p) {
            part.kind = PhaseKind::phase;
            part.controls = table_bits(d, controls | target);
        } else {
            part.kind = PhaseKind::parity;
            part.controls = table_bits(d, controls);
            part.mask = table_bits(d, target);
        }
        d.parts.push_back(part);
    }

    void add_constant_diagonal(const Operation& op) {
        std::uint64_t bits = 0;
        for (int t : op.targets) bits |= std::uint64_t{1} << place(t);
        Draft& d = open_diagonal(bits);
        PhasePart part{};
        part.kind = PhaseKind::constant;
        part.angle = -1;
        part.matrix = static_cast<std::int32_t>(op.data_offset);
        std::size_t i = 0;
        for (; i < op.targets.size(); ++i) {
            part.positions[i] =
                std::countr_zero(table_bits(d, std::uint64_t{1} << place(op.targets[i])));
        }
        part.positions[i] = -1;
        d.parts.push_back(part);
    }

    void add_rotation(const Operation& op) {
        std::uint64_t x = 0, z = 0;
        for (std::size_t i = 0; i < op.targets.size(); ++i) {
            const std::uint64_t bit = std::uint64_t{1} << place(op.targets[i]);
            if (op.paulis[i] != 3) x |= bit;
            if (op.paulis[i] != 1) z |= bit;
        }
        if (op.targets.size() == 1) {
            constexpr OpKind kinds[] = {OpKind::rx, OpKind::ry, OpKind::rz};
            Operation single = op;
            single.kind = kinds[op.paulis[0] - 1];
            add_factor(place(op.targets[0]), factor(single));
        } else if (x == 0 && std::popcount(z) <= kMaxDiagonalWires) {
            const std::int32_t angle = add_angle(op.angles[0]);
            Draft& d = open_diagonal(z);
            PhasePart part{};
            part.kind = PhaseKind::parity;
            part.angle = angle;
            part.mask = table_bits(d, z);
            d.parts.push_back(part);
        } else {
            for (std::uint64_t rest = x | z; rest; rest &= rest - 1) flush(std::countr_zero(rest));
            Draft d;
            d.step.kind = StepKind::rotation;
            d.step.x = x;
            d.step.z = z;
            d.step.n_y = std::popcount(x & z);
            d.step.angle = add_angle(op.angles[0]);
            d.step.touched = x | z;
            append(std::move(d));
        }
    }

    void add_unitary(const Operation& op) {
        if (op.targets.size() == 1) {
            Operation single = op;
            single.kind = OpKind::constant1;
            add_factor(place(op.targets[0]), factor(single));
            return;
        }
        Draft d;
        d.step.kind = StepKind::unitary;
        d.step.matrix = static_cast<std::int32_t>(op.data_offset);
        for (int t : op.targets) {
            flush(place(t));
            d.wires.push_back(place(t));
            d.step.touched |= std::uint64_t{1} << place(t);
        }
        append(std::move(d));
    }

    void note(std::int32_t angle, bool& per_sample, bool& weights, bool& inputs) const {
        if (angle < 0) return;
        const Angle& a = plan_.angles[static_cast<std::size_t>(angle)];
        weights = weights || a.weights_end > a.weights_begin;
        inputs = inputs || a.inputs_end > a.weights_end;
        per_sample = per_sample || a.inputs_end > a.weights_end;
    }

    void note(const Factor& f, bool& per_sample, bool& weights, bool& inputs) const {
        for (std::int32_t a : f.angle) note(a, per_sample, weights, inputs);
    }

    void close(Draft& d) {
        Step& s = d.step;
        const auto put = [&](const std::vector<Factor>& chain, std::int32_t& begin,
                             std::int32_t& end) {
            begin = static_cast<std::int32_t>(plan_.factors.size());
            for (const Factor& f : chain) note(f, s.per_sample, s.weights, s.inputs);
            plan_.factors.insert(plan_.factors.end(), chain.begin(), chain.end());
            end = static_cast<std::int32_t>(plan_.factors.size());
        };
        put(d.chain0, s.chain0_begin, s.chain0_end);
        put(d.chain1, s.chain1_begin, s.chain1_end);
        s.wires_begin = static_cast<std::int32_t>(plan_.wires.size());
        s.n_wires = static_cast<std::int32_t>(d.wires.size());
        plan_.wires.insert(plan_.wires.end(), d.wires.begin(), d.wires.end());
        s.parts_begin = static_cast<std::int32_t>(plan_.parts.size());
        for (const PhasePart& part : d.parts) note(part.angle, s.per_sample, s.weights, s.inputs);
        plan_.parts.insert(plan_.parts.end(), d.parts.begin(), d.parts.end());
        s.parts_end = static_cast<std::int32_t>(plan_.parts.size());
        if (s.kind == StepKind::rotation) note(s.angle, s.per_sample, s.weights, s.inputs);
        s.coefficients = plan_.n_coefficients;
        s.sums = plan_.n_sums;
        switch (s.kind) {
            case StepKind::matrix:
                plan_.n_coefficients += 16;
                plan_.n_sums += 16;
                break;
            case StepKind::diagonal:
                plan_.n_coefficients += std::int64_t{2} << s.n_wires;
                plan_.n_sums += std::int64_t{1} << s.n_wires;
                break;
            case StepKind::rotation:
                plan_.n_coefficients += 2;
                plan_.n_sums += 1;
                break;
            case StepKind::unitary:
                plan_.n_coefficients += std::int64_t{2} << (2 * s.n_wires);
                break;
        }
        plan_.steps.push_back(s);
    }

    Plan plan_;
    std::vector<std::vector<Factor>> initial_, pending_;
    std::vector<int> last_;
    std::vector<Draft> drafts_;
    int open_diagonal_ = -1;
};

struct CacheEntry {
    std::vector<std::int64_t> code;
    std::vector<double> data;
    int n_wires, n_weights, n_inputs;
    bool given_start;
    std::shared_ptr<const Plan> plan;
};

constexpr std::size_t kCachedPlans = 32;

}  // namespace

PlanView Plan::view() const {
    PlanView v{};
    v.n_wires = n_wires;
    v.n_weights = n_weights;
    v.n_inputs = n_inputs;
    v.n_angles = static_cast<std::int32_t>(angles.size());
    v.n_steps = static_cast<std::int32_t>(steps.size());
    v.angles = angles.data();
    v.terms = terms.data();
    v.factors = factors.data();
    v.steps = steps.data();
    v.parts = parts.data();
    v.wires = wires.data();
    v.data = data.data();
    v.initial_begin = initial_begin.data();
    v.initial = initial.data();
    v.initial_per_sample = initial_per_sample;
    v.initial_weights = initial_weights;
    v.initial_inputs = initial_inputs;
    v.n_coefficients = n_coefficients;
    v.n_sums = n_sums;
    return v;
}

std::shared_ptr<const Plan> make_plan(std::span<const std::int64_t> code,
                                      std::span<const double> data, int n_wires, int n_weights,
                                      int n_inputs, bool given_start) {
    Builder builder(data, n_wires, n_weights, n_inputs, given_start);
    for (const Operation& op : parse_program(code, data, n_wires, n_weights, n_inputs)) {
        builder.add(op);
    }
    return std::make_shared<const Plan>(builder.finish());
}

std::shared_ptr<const Plan> cached_plan(std::span<const std::int64_t> code,
                                        std::span<const double> data, int n_wires, int n_weights,
                                        int n_inputs, bool given_start) {
    static std::mutex mutex;
    static std::list<CacheEntry> entries;  // most recently used first
    {
        const std::lock_guard lock(mutex);
        for (auto it = entries.begin(); it != entries.end(); ++it) {
            if (it->n_wires == n_wires && it->n_weights == n_weights && it->n_inputs == n_inputs &&
                it->given_start == given_start &&
                std::equal(it->code.begin(), it->code.end(), code.begin(), code.end()) &&
                same_bits(it->data, data)) {
                entries.splice(entries.begin(), entries, it);
                return it->plan;
            }
        }
    }
    CacheEntry entry{{code.begin(), code.end()},
                     {data.begin(), data.end()},
                     n_wires,
                     n_weights,
                     n_inputs,
                     given_start,
                     make_plan(code, data, n_wires, n_weights, n_inputs, given_start)};
    const std::lock_guard lock(mutex);
    entries.push_front(std::move(entry));
    if (entries.size() > kCachedPlans) entries.pop_back();
    return entries.front().plan;
}

}  // namespace wb::statevector
