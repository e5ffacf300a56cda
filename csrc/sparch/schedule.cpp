// SPDX-License-Identifier: Apache-2.0
// The merge tree. Leaves are lists of (row of A, row of B), made by one counting sort of the
// elements of A. A merge gathers the segments of its children by row and counts distinct columns
// with a marker; it is bound by the random accesses to the marker, one per incoming element.
#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <queue>
#include <stdexcept>
#include <utility>

#include "core/interrupt.hpp"
#include "sparch/sparch.hpp"

namespace wb::sparch {
namespace {

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

/// The elements of A by leaf.
struct Leaves {
    std::vector<std::int64_t> begin;  // per leaf, and the end
    std::vector<std::int32_t> row;    // of A, increasing within a leaf
    std::vector<std::int32_t> b_row;
    std::vector<std::int64_t> products;  // per leaf

    std::int64_t count() const { return static_cast<std::int64_t>(products.size()); }
    std::int64_t length(std::int64_t leaf) const { return begin[at(leaf) + 1] - begin[at(leaf)]; }
};

template <typename Visit>  // visit(leaf, row, b_row)
void for_each_element(const Pattern& a, bool condense, const Visit& visit) {
    Pulse pulse;
    for (std::int64_t i = 0; i < a.rows; ++i) {
        std::int64_t q = 0;
        for (const std::int32_t k : a.row(i)) {
            pulse();
            visit(condense ? q++ : std::int64_t{k}, i, k);
        }
    }
}

Leaves leaves_of(const Pattern& a, const Pattern& b, bool condense) {
    std::int64_t count = a.cols;
    if (condense) {
        count = 0;
        for (std::int64_t i = 0; i < a.rows; ++i) count = std::max(count, a.length(i));
    }
    Leaves leaves;
    leaves.begin.assign(at(count) + 1, 0);
    leaves.products.assign(at(count), 0);
    leaves.row.resize(a.indices.size());
    leaves.b_row.resize(a.indices.size());
    for_each_element(a, condense, [&](std::int64_t leaf, std::int64_t, std::int32_t k) {
        ++leaves.begin[at(leaf) + 1];
        leaves.products[at(leaf)] += b.length(k);
    });
    for (std::size_t leaf = 0; leaf < at(count); ++leaf) {
        leaves.begin[leaf + 1] += leaves.begin[leaf];
    }
    auto next = leaves.begin;
    for_each_element(a, condense, [&](std::int64_t leaf, std::int64_t i, std::int32_t k) {
        const auto place = at(next[at(leaf)]++);
        leaves.row[place] = static_cast<std::int32_t>(i);
        leaves.b_row[place] = k;
    });
    return leaves;
}

/// A merged partial matrix: non-empty rows, increasing; columns in no order.
struct Partial {
    std::vector<std::int32_t> rows;
    std::vector<std::int64_t> begin{0};
    std::vector<std::int32_t> columns;
};

struct Node {
    std::int64_t leaf = -1;  // or -1, and then a partial matrix
    std::int64_t weight = 0;
    std::int64_t elements = 0;
    Partial partial;
};

class Tree {
  public:
    Tree(const Pattern& a, const Pattern& b, const Plan& plan)
        : a_(a), b_(b), plan_(plan), leaves_(leaves_of(a, b, plan.condense)) {
        out_.leaf_round.assign(at(leaves_.count()), -1);
        for (std::int64_t leaf = 0; leaf < leaves_.count(); ++leaf) {
            if (leaves_.products[at(leaf)] > 0) {
                live_.push_back(leaf);
            } else {
                idle_elements_ += leaves_.length(leaf);
            }
        }
        out_.leaves = static_cast<std::int64_t>(live_.size());
    }

    Schedule build() {
        if (live_.empty()) return std::move(out_);
        if (plan_.order == Order::sequential) {
            run_sequential();
        } else if (plan_.order == Order::balanced) {
            run_balanced();
        } else {
            run_huffman();
        }
        out_.a_elements.front() += idle_elements_;
        return std::move(out_);
    }

  private:
    Node leaf_node(std::int64_t leaf) const {
        Node node;
        node.leaf = leaf;
        node.elements = leaves_.products[at(leaf)];
        node.weight = plan_.weights == Weights::lengths ? leaves_.length(leaf) : node.elements;
        return node;
    }

    void open_round() {
        for (auto* column : {&out_.fresh, &out_.stored, &out_.a_elements, &out_.b_rows,
                             &out_.products, &out_.stored_elements, &out_.out_elements}) {
            column->push_back(0);
        }
    }

    void take_leaf(std::int64_t leaf) {
        out_.leaf_round[at(leaf)] = static_cast<std::int64_t>(out_.fresh.size()) - 1;
        out_.fresh.back() += 1;
        out_.a_elements.back() += leaves_.length(leaf);
        out_.products.back() += leaves_.products[at(leaf)];
        // All elements of a plain column meet the same row of B.
        if (!plan_.condense) out_.b_rows.back() += b_.length(leaf);
    }

    void take(const std::vector<Node>& children) {
        open_round();
        for (const Node& child : children) {
            if (child.leaf >= 0) {
                take_leaf(child.leaf);
            } else {
                out_.stored.back() += 1;
                out_.stored_elements.back() += child.elements;
            }
        }
    }

    void finish() {
        std::vector<std::int64_t> products(at(a_.rows)), elements(at(a_.rows));
        symbolic(a_, b_, products, elements);
        std::int64_t total = 0;
        for (const std::int64_t count : elements) total += count;
        out_.out_elements.back() = total;
    }

    void run_sequential() {
        std::size_t next = 0;
        while (next < live_.size()) {
            const bool first = out_.fresh.empty();
            open_round();
            std::int64_t room = first ? plan_.ways : plan_.ways - 1;
            for (; room > 0 && next < live_.size(); --room) take_leaf(live_[next++]);
            out_.stored.back() = first ? 0 : 1;
        }
        // Leaves increase along a row of A, and so do their rounds: the first round in which a
        // coordinate is seen is the first whose sum holds it.
        std::vector<std::int32_t> seen_in(at(b_.cols), -1);
        for_each_element(
            a_, plan_.condense, [&](std::int64_t leaf, std::int64_t i, std::int32_t k) {
                const std::int64_t round = out_.leaf_round[at(leaf)];
                if (round < 0) return;
                for (const std::int32_t j : b_.row(k)) {
                    auto& seen = seen_in[at(j)];
                    out_.out_elements[at(round)] += seen != static_cast<std::int32_t>(i);
                    seen = static_cast<std::int32_t>(i);
                }
            });
        for (std::size_t r = 1; r < out_.out_elements.size(); ++r) {
            out_.stored_elements[r] = out_.out_elements[r - 1];
            out_.out_elements[r] += out_.out_elements[r - 1];
        }
    }

    void run_balanced() {
        std::deque<Node> queue;
        for (const std::int64_t leaf : live_) queue.push_back(leaf_node(leaf));
        while (static_cast<std::int64_t>(queue.size()) > plan_.ways) {
            std::vector<Node> children;
            for (std::int64_t i = 0; i < plan_.ways; ++i) {
                children.push_back(std::move(queue.front()));
                queue.pop_front();
            }
            check_interrupt();
            take(children);
            queue.push_back(merged(children));
        }
        std::vector<Node> rest;
        for (Node& node : queue) rest.push_back(std::move(node));
        take(rest);
        finish();
    }

    void run_huffman() {
        std::vector<Node> nodes;
        using Entry = std::pair<std::int64_t, std::size_t>;  // weight, then age
        std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> lightest;
        for (const std::int64_t leaf : live_) {
            nodes.push_back(leaf_node(leaf));
            lightest.emplace(nodes.back().weight, nodes.size() - 1);
        }
        const auto n = static_cast<std::int64_t>(live_.size());
        std::int64_t width = n > plan_.ways ? (n - 2) % (plan_.ways - 1) + 2 : n;
        while (true) {
            std::vector<Node> children;
            for (; width > 0 && !lightest.empty(); --width) {
                children.push_back(std::move(nodes[lightest.top().second]));
                lightest.pop();
            }
            check_interrupt();
            take(children);
            if (lightest.empty()) break;
            nodes.push_back(merged(children));
            lightest.emplace(nodes.back().weight, nodes.size() - 1);
            width = plan_.ways;
        }
        finish();
    }

    struct Segment {
        std::int32_t row;
        const std::int32_t* columns;
        std::int64_t count;
    };

    Node merged(const std::vector<Node>& children) {
        gather(children);
        Node node;
        Partial& out = node.partial;
        std::int64_t bound = 0;
        for (const Segment& segment : segments_) bound += segment.count;
        out.columns.reserve(at(bound));
        if (mark_.empty()) mark_.assign(at(b_.cols), 0);
        for (std::size_t s = 0; s < segments_.size();) {
            pulse_();
            const std::int32_t row = segments_[s].row;
            if (++stamp_ == std::numeric_limits<std::uint32_t>::max()) {
                std::fill(mark_.begin(), mark_.end(), 0);
                stamp_ = 1;
            }
            for (; s < segments_.size() && segments_[s].row == row; ++s) {
                for (std::int64_t e = 0; e < segments_[s].count; ++e) {
                    const std::int32_t column = segments_[s].columns[e];
                    if (mark_[at(column)] == stamp_) continue;
                    mark_[at(column)] = stamp_;
                    out.columns.push_back(column);
                }
            }
            out.rows.push_back(row);
            out.begin.push_back(static_cast<std::int64_t>(out.columns.size()));
        }
        out.columns.shrink_to_fit();
        node.elements = static_cast<std::int64_t>(out.columns.size());
        out_.out_elements.back() = node.elements;
        node.weight = node.elements;
        if (plan_.weights != Weights::exact) {
            node.weight = 0;
            for (const Node& child : children) node.weight += child.weight;
        }
        return node;
    }

    /// Lists the children's non-empty rows, ordered by row.
    void gather(const std::vector<Node>& children) {
        segments_.clear();
        for (const Node& child : children) {
            if (child.leaf >= 0) {
                for (auto e = leaves_.begin[at(child.leaf)]; e < leaves_.begin[at(child.leaf) + 1];
                     ++e) {
                    const std::int32_t k = leaves_.b_row[at(e)];
                    if (b_.length(k) == 0) continue;
                    segments_.push_back({leaves_.row[at(e)], b_.row(k).data(), b_.length(k)});
                }
                continue;
            }
            const Partial& partial = child.partial;
            for (std::size_t r = 0; r < partial.rows.size(); ++r) {
                segments_.push_back({partial.rows[r], partial.columns.data() + partial.begin[r],
                                     partial.begin[r + 1] - partial.begin[r]});
            }
        }
        const auto by_row = [](const Segment& x, const Segment& y) { return x.row < y.row; };
        // Counting costs a pass over all rows, too much for the many tiny merges of plain columns.
        if (static_cast<std::int64_t>(segments_.size()) < a_.rows / 8) {
            std::sort(segments_.begin(), segments_.end(), by_row);
            return;
        }
        std::vector<std::int64_t> place(at(a_.rows) + 1, 0);
        for (const Segment& segment : segments_) ++place[at(segment.row) + 1];
        for (std::size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
        sorted_.resize(segments_.size());
        for (const Segment& segment : segments_) sorted_[at(place[at(segment.row)]++)] = segment;
        segments_.swap(sorted_);
    }

    Pulse pulse_;
    const Pattern& a_;
    const Pattern& b_;
    const Plan plan_;
    const Leaves leaves_;
    std::vector<std::int64_t> live_;
    std::int64_t idle_elements_ = 0;
    Schedule out_;
    std::vector<Segment> segments_, sorted_;
    std::vector<std::uint32_t> mark_;
    std::uint32_t stamp_ = 0;
};

}  // namespace

Schedule schedule(const Pattern& a, const Pattern& b, const Plan& plan) {
    check_factors(a, b);
    if (plan.ways < 2) {
        throw std::invalid_argument("ways must be at least 2, got " + std::to_string(plan.ways));
    }
    return Tree(a, b, plan).build();
}

}  // namespace wb::sparch
