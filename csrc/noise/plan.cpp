// SPDX-License-Identifier: Apache-2.0
#include "noise/plan.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace wb::noise {
namespace {

enum Kind : std::int64_t { kChannel1 = 0, kChannel2 = 1, kRx = 2, kRy = 3, kRz = 4 };

// Folding a constant 4 x 4 matrix into the sparse map beside it saves 12 streaming multiply-adds
// in each of the four quarters of a group of 16, for some more nonzeros, each with two indirect
// loads. On Zen 4, of 0, 15, 30, 48 and 80 more nonzeros allowed, 15 ran fastest.
constexpr int kMatrixCost = 15;
// A step of its own also loads and stores the group.
constexpr int kStepCost = 12;

[[noreturn]] void fail(std::int64_t operation, const std::string& what) {
    throw std::invalid_argument("noise program: operation " + std::to_string(operation) + ": " +
                                what);
}

Matrix16 dense(const PairMap& map) {
    Matrix16 out{};
    for (std::size_t row = 0; row < 16; ++row) {
        for (auto at = static_cast<std::size_t>(map.start[row]);
             at < static_cast<std::size_t>(map.start[row + 1]); ++at) {
            out[row * 16 + static_cast<std::size_t>(map.column[at])] = map.value[at];
        }
    }
    return out;
}

int count_nonzeros(const Matrix16& m) {
    return static_cast<int>(std::count_if(m.begin(), m.end(), [](double x) { return x != 0.0; }));
}

PairMap sparse(const Matrix16& m) {
    PairMap map{};
    for (std::size_t row = 0; row < 16; ++row) {
        for (std::size_t column = 0; column < 16; ++column) {
            if (m[row * 16 + column] != 0.0) {
                map.column.push_back(static_cast<std::int32_t>(column));
                map.value.push_back(m[row * 16 + column]);
            }
            if (m[column * 16 + row] != 0.0) {
                map.column_t.push_back(static_cast<std::int32_t>(column));
                map.value_t.push_back(m[column * 16 + row]);
            }
        }
        map.start[row + 1] = static_cast<std::int32_t>(map.column.size());
        map.start_t[row + 1] = static_cast<std::int32_t>(map.column_t.size());
    }
    return map;
}

Matrix4 product(const Matrix4& a, const Matrix4& b) {
    Matrix4 out{};
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t k = 0; k < 4; ++k) {
            for (std::size_t j = 0; j < 4; ++j) out[i * 4 + j] += a[i * 4 + k] * b[k * 4 + j];
        }
    }
    return out;
}

Matrix16 product(const Matrix16& a, const Matrix16& b) {
    Matrix16 out{};
    for (std::size_t i = 0; i < 16; ++i) {
        for (std::size_t k = 0; k < 16; ++k) {
            const double x = a[i * 16 + k];
            if (x == 0.0) continue;
            for (std::size_t j = 0; j < 16; ++j) out[i * 16 + j] += x * b[k * 16 + j];
        }
    }
    return out;
}

/// The matrix on one digit of a pair of base-4 digits.
Matrix16 lift(const Matrix4& m, bool high) {
    Matrix16 out{};
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            for (std::size_t k = 0; k < 4; ++k) {
                const std::size_t row = high ? i * 4 + k : i + 4 * k;
                const std::size_t column = high ? j * 4 + k : j + 4 * k;
                out[row * 16 + column] = m[i * 4 + j];
            }
        }
    }
    return out;
}

Matrix4 turn(int first, int second, double angle) {
    Matrix4 m{};
    for (std::size_t i = 0; i < 4; ++i) m[i * 4 + i] = 1.0;
    const auto p = static_cast<std::size_t>(first), q = static_cast<std::size_t>(second);
    m[p * 4 + p] = m[q * 4 + q] = std::cos(angle);
    m[q * 4 + p] = std::sin(angle);
    m[p * 4 + q] = -m[q * 4 + p];
    return m;
}

class Compiler {
  public:
    Compiler(const Circuit& circuit, bool product_start)
        : circuit_(circuit),
          product_start_(product_start),
          pending_(static_cast<std::size_t>(circuit.n_qubits)),
          last_step_(pending_.size(), -1) {
        plan_.n_qubits = circuit.n_qubits;
        plan_.leading.assign(pending_.size(), -1);
    }

    Plan compile() {
        for (operation_ = 0; at_ < circuit_.code.size(); ++operation_) read();
        for (int q = 0; q < plan_.n_qubits; ++q) finish(q);
        return std::move(plan_);
    }

  private:
    std::int64_t next() {
        if (at_ >= circuit_.code.size()) fail(operation_, "the code ends inside it");
        return circuit_.code[at_++];
    }

    int next_qubit() {
        const std::int64_t q = next();
        if (q < 0 || q >= plan_.n_qubits) {
            fail(operation_, "qubit " + std::to_string(q) + " is not in [0, " +
                                 std::to_string(plan_.n_qubits) + ")");
        }
        return static_cast<int>(q);
    }

    const double* next_data(std::size_t count) {
        const std::int64_t offset = next();
        if (offset < 0 || static_cast<std::size_t>(offset) + count > circuit_.data.size()) {
            fail(operation_, "data offset " + std::to_string(offset) + " is out of range");
        }
        const double* values = circuit_.data.data() + offset;
        for (std::size_t i = 0; i < count; ++i) {
            if (!std::isfinite(values[i])) fail(operation_, "a number in it is not finite");
        }
        return values;
    }

    void read() {
        const std::int64_t kind = next();
        if (kind == kChannel1) {
            const int qubit = next_qubit();
            Matrix4 m;
            copy_channel(m.data(), 4);
            append_constant(qubit, m);
        } else if (kind == kChannel2) {
            const int a = next_qubit();
            const int b = next_qubit();
            if (a == b) fail(operation_, "qubit " + std::to_string(a) + " is repeated");
            Matrix16 m;
            copy_channel(m.data(), 16);
            append_pair(a, b, m);
        } else if (kind == kRx || kind == kRy || kind == kRz) {
            read_rotation(kind);
        } else {
            fail(operation_, "unknown kind " + std::to_string(kind));
        }
    }

    void copy_channel(double* out, std::size_t size) {
        const double* values = next_data(size * size);
        for (std::size_t j = 0; j < size; ++j) {
            if (std::abs(values[j] - (j == 0 ? 1.0 : 0.0)) > 1e-9) {
                fail(operation_, "the channel does not preserve the trace");
            }
        }
        std::copy_n(values, size * size, out);
        std::fill_n(out, size, 0.0);
        out[0] = 1.0;
    }

    void read_rotation(std::int64_t kind) {
        Factor f{};
        const int qubit = next_qubit();
        f.first = kind == kRx ? 2 : kind == kRy ? 3 : 1;
        f.second = f.first % 3 + 1;
        f.angle = *next_data(1);
        f.operation = operation_;
        f.term_begin = static_cast<int>(plan_.terms.size());
        const std::int64_t count = next();
        if (count < 0) fail(operation_, "a negative number of terms");
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t source = next();
            const std::int64_t index = next();
            const double coefficient = *next_data(1);
            if (source != 0 && source != 1) fail(operation_, "unknown source of an angle");
            const auto limit =
                source ? circuit_.n_inputs : static_cast<std::int64_t>(circuit_.weights.size());
            if (index < 0 || index >= limit) {
                fail(operation_, std::string(source ? "input " : "weight ") +
                                     std::to_string(index) + " is not in [0, " +
                                     std::to_string(limit) + ")");
            }
            plan_.terms.push_back({source == 1, index, coefficient});
            f.per_sample = f.per_sample || source == 1;
        }
        f.term_end = static_cast<int>(plan_.terms.size());
        if (count == 0) {
            append_constant(qubit, turn(f.first, f.second, f.angle));
        } else {
            pending_[static_cast<std::size_t>(qubit)].push_back(f);
        }
    }

    void append_constant(int qubit, const Matrix4& m) {
        auto& list = pending_[static_cast<std::size_t>(qubit)];
        if (!list.empty() && list.back().constant) {
            list.back().matrix = product(m, list.back().matrix);
            return;
        }
        Factor f{};
        f.constant = true;
        f.matrix = m;
        f.operation = operation_;
        list.push_back(f);
    }

    /// Turns what is pending on a qubit into a chain; -1 where there is nothing.
    int close(int qubit, bool vector) {
        auto& list = pending_[static_cast<std::size_t>(qubit)];
        if (list.empty()) return -1;
        Chain chain{};
        chain.qubit = qubit;
        chain.vector = vector;
        chain.begin = static_cast<int>(plan_.factors.size());
        for (const Factor& f : list) {
            chain.per_sample = chain.per_sample || f.per_sample;
            chain.trainable = chain.trainable || !f.constant;
            plan_.factors.push_back(f);
        }
        chain.end = static_cast<int>(plan_.factors.size());
        list.clear();
        plan_.chains.push_back(chain);
        return static_cast<int>(plan_.chains.size()) - 1;
    }

    bool at_start(int qubit) const {
        return product_start_ && last_step_[static_cast<std::size_t>(qubit)] < 0;
    }

    /// The pending matrix of a qubit, where it is one constant.
    const Matrix4* constant(int qubit) const {
        const auto& list = pending_[static_cast<std::size_t>(qubit)];
        return list.size() == 1 && list[0].constant ? &list[0].matrix : nullptr;
    }

    void append_pair(int a, int b, const Matrix16& given) {
        Matrix16 m = given;
        if (a > b) {
            for (std::size_t i = 0; i < 256; ++i) {
                const std::size_t row = i >> 4, column = i & 15;
                m[((row & 3) * 4 + (row >> 2)) * 16 + (column & 3) * 4 + (column >> 2)] = given[i];
            }
            std::swap(a, b);
        }
        for (int qubit : {a, b}) {
            if (at_start(qubit)) {
                plan_.leading[static_cast<std::size_t>(qubit)] = close(qubit, true);
            }
        }
        int matrices = 0;
        for (int qubit : {a, b}) {
            const Matrix4* c = constant(qubit);
            if (c == nullptr) continue;
            const Matrix16 folded = product(m, lift(*c, qubit == b));
            if (count_nonzeros(folded) <= count_nonzeros(m) + kMatrixCost) {
                m = folded;
                pending_[static_cast<std::size_t>(qubit)].clear();
            } else {
                ++matrices;
            }
        }
        const int last = last_step_[static_cast<std::size_t>(a)];
        if (last >= 0 && last == last_step_[static_cast<std::size_t>(b)] &&
            merge(last, a, b, m, matrices)) {
            return;
        }
        const int chain_low = close(a, false);
        const int chain_high = close(b, false);
        last_step_[static_cast<std::size_t>(a)] = last_step_[static_cast<std::size_t>(b)] =
            static_cast<int>(plan_.steps.size());
        plan_.steps.push_back({a, b, chain_low, chain_high, sparse(m)});
    }

    /// Joins a map to the step before it on the same pair, where all between them is constant
    /// and the product is sparse enough.
    bool merge(int last, int a, int b, const Matrix16& m, int matrices) {
        Step& step = plan_.steps[static_cast<std::size_t>(last)];
        if (step.high < 0) return false;
        Matrix16 joined = dense(step.map);
        for (int qubit : {a, b}) {
            if (pending_[static_cast<std::size_t>(qubit)].empty()) continue;
            const Matrix4* c = constant(qubit);
            if (c == nullptr) return false;
            joined = product(lift(*c, qubit == b), joined);
        }
        joined = product(m, joined);
        const int apart = count_nonzeros(m) + static_cast<int>(step.map.value.size()) +
                          matrices * kMatrixCost + kStepCost;
        if (count_nonzeros(joined) > apart) return false;
        pending_[static_cast<std::size_t>(a)].clear();
        pending_[static_cast<std::size_t>(b)].clear();
        step.map = sparse(joined);
        return true;
    }

    void finish(int qubit) {
        if (at_start(qubit)) {
            plan_.leading[static_cast<std::size_t>(qubit)] = close(qubit, true);
            return;
        }
        const int last = last_step_[static_cast<std::size_t>(qubit)];
        const Matrix4* c = constant(qubit);
        if (c != nullptr && last >= 0) {
            Step& step = plan_.steps[static_cast<std::size_t>(last)];
            const Matrix16 folded = product(lift(*c, qubit == step.high), dense(step.map));
            if (count_nonzeros(folded) <=
                static_cast<int>(step.map.value.size()) + kMatrixCost + kStepCost) {
                step.map = sparse(folded);
                pending_[static_cast<std::size_t>(qubit)].clear();
            }
        }
        const int chain = close(qubit, false);
        if (chain >= 0) plan_.steps.push_back({qubit, -1, chain, -1, PairMap{}});
    }

    const Circuit& circuit_;
    bool product_start_;
    std::size_t at_ = 0;
    std::int64_t operation_ = 0;
    std::vector<std::vector<Factor>> pending_;
    std::vector<int> last_step_;
    Plan plan_{};
};

}  // namespace

Plan make_plan(const Circuit& circuit, bool product_start) {
    if (circuit.n_qubits < 1 || circuit.n_qubits > kMaxQubits) {
        throw std::invalid_argument("noise program: n_qubits must be in [1, " +
                                    std::to_string(kMaxQubits) + "], got " +
                                    std::to_string(circuit.n_qubits));
    }
    return Compiler(circuit, product_start).compile();
}

}  // namespace wb::noise
