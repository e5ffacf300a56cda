// SPDX-License-Identifier: Apache-2.0
#include "circuit_sim/netlist.hpp"

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>

namespace wb::circuit_sim {
namespace {

enum Kind : std::int64_t { kResistor, kCapacitor, kCurrent, kVoltage, kMosfet };

[[noreturn]] void fail(const std::string& what) { throw std::invalid_argument(what); }

/// Takes the words of one record after another and knows where it is.
class Words {
  public:
    explicit Words(std::span<const std::int64_t> code) : code_(code) {}
    bool done() const { return at_ == code_.size(); }
    std::size_t position() const { return at_; }

    int take(const char* what, std::int64_t limit) {
        if (at_ == code_.size()) fail(std::string("code ends before ") + what);
        const std::int64_t value = code_[at_];
        if (value < 0 || value >= limit) {
            fail("code[" + std::to_string(at_) + "]: " + what + " must be in [0, " +
                 std::to_string(limit) + "), got " + std::to_string(value));
        }
        ++at_;
        return static_cast<int>(value);
    }

  private:
    std::span<const std::int64_t> code_;
    std::size_t at_ = 0;
};

std::vector<ModelCard> read_cards(std::span<const double> numbers) {
    if (numbers.size() % kCardSize != 0) {
        fail("data must hold gmin and " + std::to_string(kCardSize) +
             " numbers per model, got a remainder of " +
             std::to_string(numbers.size() % kCardSize));
    }
    std::vector<ModelCard> cards(numbers.size() / kCardSize);
    if (!cards.empty()) std::memcpy(cards.data(), numbers.data(), numbers.size_bytes());
    for (std::size_t i = 0; i < cards.size(); ++i) {
        const ModelCard& card = cards[i];
        const std::string where = "data: model " + std::to_string(i) + ": ";
        for (int k = 0; k < kCardSize; ++k) {
            if (!std::isfinite(numbers[i * kCardSize + static_cast<std::size_t>(k)])) {
                fail(where + "number " + std::to_string(k) + " is not finite");
            }
        }
        if (std::abs(card.type) != 1.0) fail(where + "type must be 1 or -1");
        if (!(card.phi > 0)) fail(where + "phi must be positive");
        if (!(card.pb > 0)) fail(where + "pb must be positive");
        if (!(card.fc >= 0 && card.fc < 1)) fail(where + "fc must be in [0, 1)");
        if (!(card.tox >= 0)) fail(where + "tox must not be negative");
        if (!(card.tnom > -273.15)) fail(where + "tnom must be above -273.15 Celsius");
        if (!(card.nlev == -1 || card.nlev == 0 || card.nlev == 1 || card.nlev == 2 ||
              card.nlev == 3)) {
            fail(where + "nlev must be -1 (legacy), 0, 1, 2 or 3");
        }
    }
    return cards;
}

}  // namespace

Netlist read_netlist(std::span<const std::int64_t> code, std::span<const double> data,
                     std::int64_t n_nodes, std::int64_t n_rows) {
    constexpr std::int64_t kMost = 1 << 20;
    if (n_nodes < 1 || n_nodes > kMost) {
        fail("n_nodes must be in [1, 2^20], got " + std::to_string(n_nodes));
    }
    if (n_rows < 0 || n_rows > kMost)
        fail("rows: at most 2^20 rows, got " + std::to_string(n_rows));
    if (data.empty()) fail("data must begin with gmin");
    Netlist net;
    net.n_nodes = static_cast<int>(n_nodes);
    net.n_rows = static_cast<int>(n_rows);
    net.gmin = data[0];
    if (!(net.gmin >= 0) || !std::isfinite(net.gmin)) fail("data: gmin must be finite and >= 0");
    net.cards = read_cards(data.subspan(1));
    const auto n_cards = static_cast<std::int64_t>(net.cards.size());

    Words words(code);
    while (!words.done()) {
        const int kind = words.take("an element kind", 5);
        if (kind == kMosfet) {
            Mos mos{};
            mos.drain = words.take("a drain", n_nodes);
            mos.gate = words.take("a gate", n_nodes);
            mos.source = words.take("a source", n_nodes);
            mos.bulk = words.take("a bulk", n_nodes);
            mos.model = words.take("a model", n_cards);
            for (int& row : mos.row) row = words.take("a row", n_rows);
            net.devices.push_back(mos);
            continue;
        }
        TwoTerminal two{};
        two.a = words.take("a node", n_nodes);
        two.b = words.take("a node", n_nodes);
        two.row = words.take("a row", n_rows);
        switch (kind) {
            case kResistor:
                net.resistors.push_back(two);
                break;
            case kCapacitor:
                net.capacitors.push_back(two);
                break;
            case kCurrent:
                net.sources.push_back({false, static_cast<int>(net.current_sources.size())});
                net.current_sources.push_back(two);
                break;
            default:
                net.sources.push_back({true, static_cast<int>(net.voltage_sources.size())});
                net.voltage_sources.push_back(two);
        }
    }
    return net;
}

}  // namespace wb::circuit_sim
