// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <stdexcept>

#include "core/interrupt.hpp"
#include "sparch/sparch.hpp"

namespace wb::sparch {
namespace {

/// Tasks dealt out to units in turn; the busiest unit decides.
class Units {
  public:
    Units(const OuterSpaceMachine& machine)
        : busy_(static_cast<std::size_t>(machine.units), 0.0),
          cycles_per_byte_(static_cast<double>(machine.units) / machine.bytes_per_cycle) {}

    void task(std::int64_t work, std::int64_t bytes) {
        // A unit has its share of the bandwidth, whether the others use theirs or not.
        busy_[next_] +=
            std::max(static_cast<double>(work), static_cast<double>(bytes) * cycles_per_byte_);
        next_ = (next_ + 1) % busy_.size();
    }

    double busiest() const { return *std::max_element(busy_.begin(), busy_.end()); }

  private:
    std::vector<double> busy_;
    double cycles_per_byte_;
    std::size_t next_ = 0;
};

}  // namespace

OuterSpaceCounts outerspace(const Pattern& a, const Pattern& b, const OuterSpaceMachine& machine) {
    const auto refuse = [](const std::string& words) { throw std::invalid_argument(words); };
    if (machine.element_bytes < 1) {
        refuse("element_bytes must be positive, got " + std::to_string(machine.element_bytes));
    }
    if (machine.align < 0) {
        refuse("align must not be negative, got " + std::to_string(machine.align));
    }
    if (machine.units < 1) refuse("units must be positive, got " + std::to_string(machine.units));
    if (!(machine.bytes_per_cycle > 0.0)) refuse("bytes_per_cycle must be positive");
    std::vector<std::int64_t> products(static_cast<std::size_t>(a.rows)),
        elements(static_cast<std::size_t>(a.rows));
    symbolic(a, b, products, elements);

    const auto bytes = [&](std::int64_t count) {
        const std::int64_t exact = machine.element_bytes * count;
        if (machine.align == 0) return exact;
        return (exact + machine.align - 1) / machine.align * machine.align;
    };
    std::vector<std::int64_t> column_length(static_cast<std::size_t>(a.cols), 0);
    for (const std::int32_t k : a.indices) ++column_length[static_cast<std::size_t>(k)];

    OuterSpaceCounts out;
    Units multiply(machine), merge(machine);
    for (std::int64_t k = 0; k < a.cols; ++k) {
        const std::int64_t column = column_length[static_cast<std::size_t>(k)], row = b.length(k);
        const std::int64_t written = column * bytes(row);
        out.a_bytes += bytes(column);
        out.b_bytes += bytes(row);
        out.written_bytes += written;
        if (column * row > 0) multiply.task(column * row, bytes(column) + bytes(row) + written);
    }
    for (std::int64_t i = 0; i < a.rows; ++i) {
        std::int64_t inputs = 0, read = 0;
        for (const std::int32_t k : a.row(i)) {
            inputs += b.length(k) > 0;
            read += bytes(b.length(k));
        }
        const auto row = static_cast<std::size_t>(i);
        out.c_bytes += bytes(elements[row]);
        // Each element is inserted into a list as long as there are inputs.
        if (inputs > 0) merge.task(products[row] * inputs, read + bytes(elements[row]));
    }
    out.multiply_cycles = multiply.busiest();
    out.merge_cycles = merge.busiest();
    return out;
}

}  // namespace wb::sparch
