// SPDX-License-Identifier: Apache-2.0
#include "statevector/program.hpp"

#include <cmath>
#include <stdexcept>
#include <string>

#include "statevector/plan_view.hpp"

namespace wb::statevector {
namespace {

/// Walks the stream and keeps the position for messages.
class Reader {
  public:
    Reader(std::span<const std::int64_t> code, std::span<const double> data)
        : code_(code), data_(data) {}

    bool done() const { return at_ == code_.size(); }
    void begin_operation() { ++operation_; }

    std::int64_t word() {
        if (at_ == code_.size()) fail("the stream ends inside it");
        return code_[at_++];
    }

    std::int64_t word_in(std::int64_t low, std::int64_t high, const char* what) {
        const std::int64_t value = word();
        if (value < low || value >= high) {
            fail(std::string(what) + " must be in [" + std::to_string(low) + ", " +
                 std::to_string(high) + "), got " + std::to_string(value));
        }
        return value;
    }

    double number(std::int64_t offset) {
        if (offset < 0 || offset >= static_cast<std::int64_t>(data_.size())) {
            fail("data offset " + std::to_string(offset) + " is outside the pool");
        }
        const double value = data_[static_cast<std::size_t>(offset)];
        if (!std::isfinite(value)) fail("a constant is NaN or infinite");
        return value;
    }

    [[noreturn]] void fail(const std::string& why) const {
        throw std::invalid_argument("program: operation " + std::to_string(operation_) + ": " +
                                    why);
    }

  private:
    std::span<const std::int64_t> code_;
    std::span<const double> data_;
    std::size_t at_ = 0;
    std::int64_t operation_ = -1;
};

int angles_of(OpKind kind) {
    switch (kind) {
        case OpKind::rx:
        case OpKind::ry:
        case OpKind::rz:
        case OpKind::p:
        case OpKind::pauli_rotation:
        case OpKind::global_phase:
            return 1;
        case OpKind::u:
            return 3;
        default:
            return 0;
    }
}

void check_targets(const Reader& reader, const Operation& op) {
    const std::size_t n = op.targets.size();
    switch (op.kind) {
        case OpKind::global_phase:
            if (n != 0) reader.fail("a global phase takes no target");
            break;
        case OpKind::swap:
            if (n != 2) reader.fail("swap takes two targets");
            break;
        case OpKind::pauli_rotation:
            if (n == 0) reader.fail("a Pauli rotation needs a target");
            break;
        case OpKind::unitary:
            if (n == 0 || n > kMaxUnitaryWires) {
                reader.fail("a unitary takes 1 to " + std::to_string(kMaxUnitaryWires) +
                            " targets, got " + std::to_string(n));
            }
            break;
        case OpKind::diagonal:
            if (n == 0 || n > kMaxDiagonalWires) {
                reader.fail("a diagonal takes 1 to " + std::to_string(kMaxDiagonalWires) +
                            " targets, got " + std::to_string(n));
            }
            break;
        default:
            if (n != 1) reader.fail("a 1-qubit gate takes one target");
    }
    if (!op.controls.empty() && (n != 1 || op.kind > OpKind::u)) {
        reader.fail("only 1-qubit gates take controls");
    }
}

std::int64_t matrix_size(const Operation& op) {
    const std::int64_t side = std::int64_t{1} << op.targets.size();
    switch (op.kind) {
        case OpKind::constant1:
            return 8;
        case OpKind::unitary:
            return 2 * side * side;
        case OpKind::diagonal:
            return 2 * side;
        default:
            return 0;
    }
}

}  // namespace

std::vector<Operation> parse_program(std::span<const std::int64_t> code,
                                     std::span<const double> data, int n_wires, int n_weights,
                                     int n_inputs) {
    Reader reader(code, data);
    std::vector<Operation> operations;
    while (!reader.done()) {
        reader.begin_operation();
        Operation op{};
        op.kind = static_cast<OpKind>(reader.word_in(0, 11, "kind"));
        const auto n_targets = reader.word_in(0, n_wires + 1, "number of targets");
        const auto n_controls = reader.word_in(0, n_wires + 1, "number of controls");
        const auto n_angles = reader.word_in(0, 4, "number of angles");
        op.data_offset = reader.word();
        std::uint64_t seen = 0;
        const auto wire = [&] {
            const auto w = static_cast<int>(reader.word_in(0, n_wires, "wire"));
            if (seen >> w & 1) reader.fail("wire " + std::to_string(w) + " is named twice");
            seen |= std::uint64_t{1} << w;
            return w;
        };
        for (std::int64_t i = 0; i < n_targets; ++i) op.targets.push_back(wire());
        for (std::int64_t i = 0; i < n_controls; ++i) op.controls.push_back(wire());
        check_targets(reader, op);
        if (op.kind == OpKind::pauli_rotation) {
            for (std::int64_t i = 0; i < n_targets; ++i) {
                op.paulis.push_back(static_cast<int>(reader.word_in(1, 4, "Pauli code")));
            }
        }
        if (n_angles != angles_of(op.kind)) reader.fail("wrong number of angles");
        for (std::int64_t i = 0; i < n_angles; ++i) {
            ParsedAngle angle{reader.number(reader.word()), {}};
            const auto n_terms = reader.word_in(0, std::int64_t{1} << 31, "number of terms");
            for (std::int64_t t = 0; t < n_terms; ++t) {
                const bool input = reader.word_in(0, 2, "source") == 1;
                const auto index = reader.word_in(0, input ? n_inputs : n_weights,
                                                  input ? "input index" : "weight index");
                angle.terms.push_back(
                    {input, static_cast<std::int32_t>(index), reader.number(reader.word())});
            }
            op.angles.push_back(std::move(angle));
        }
        for (std::int64_t i = 0; i < matrix_size(op); ++i) reader.number(op.data_offset + i);
        operations.push_back(std::move(op));
    }
    return operations;
}

}  // namespace wb::statevector
