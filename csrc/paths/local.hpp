// SPDX-License-Identifier: Apache-2.0
// Searches that see only a neighbourhood: their cost follows what they reach, not the graph.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "core/interrupt.hpp"
#include "paths/digraph.hpp"
#include "paths/keys.hpp"
#include "paths/queues.hpp"

namespace wb::paths {

/// Types whose sums of path lengths do not round or overflow.
template <typename W>
struct DistanceOf {
    using type = double;
};
template <>
struct DistanceOf<std::int32_t> {
    using type = std::uint32_t;  // for graphs whose longest path fits
};
template <>
struct DistanceOf<std::int64_t> {
    using type = std::uint64_t;
};
template <typename W>
using Distance = typename DistanceOf<W>::type;

/// The largest distance not beyond a real number.
template <typename D>
D floor_to(double x) {
    if constexpr (std::is_floating_point_v<D>) {
        return x;
    } else {
        // One below the largest: that marks what is not reached.
        constexpr D most = unreached<D>() - 1;
        return x >= static_cast<double>(most) ? most : static_cast<D>(x);
    }
}

/// Dijkstra's algorithm up to a limit, through the vertices that are admitted. Labels carry the
/// number of their search, so that nothing is cleared between two.
template <typename W, typename Queue>
class LocalSearch {
  public:
    using D = Distance<W>;

    LocalSearch(std::int64_t n, W largest)
        : queue_(static_cast<std::uint64_t>(largest)), labels_(static_cast<std::size_t>(n)) {}

    /// `admit(vertex, distance)` is asked before a vertex is reached at that distance.
    template <typename Admit>
    void run(const Arcs<W>& g, std::int32_t source, D limit, const Admit& admit) {
        if (++now_ == 0) {
            std::fill(labels_.begin(), labels_.end(), Label{});
            now_ = 1;
        }
        settled_.clear();
        queue_.clear();
        at(source) = {D{}, now_, -1};
        std::uint64_t key = 0;
        queue_.push(key, source);
        const auto visit = [&](std::uint64_t k, std::int32_t v) {
            const D d = distance_of<D>(k);
            if (at(v).distance != d) return true;  // reached at less since
            settled_.push_back(v);
            pulse_();
            const std::int64_t end = g.ptr[v + 1];
            for (std::int64_t a = g.ptr[v]; a < end; ++a) {
                const auto [head, weight] = g.arcs[a];
                const D next = d + static_cast<D>(weight);
                if (next > limit) break;  // arcs rise by weight
                Label& label = at(head);
                if (label.search == now_ && label.distance <= next) continue;
                if (!admit(head, next)) continue;
                label = {next, now_, static_cast<std::int32_t>(a)};
                queue_.push(key_of(next), head);
            }
            return true;
        };
        while (queue_.take(key, visit)) {
        }
    }

    bool reached(std::int32_t v) const { return at(v).search == now_; }
    D distance(std::int32_t v) const { return at(v).distance; }
    /// The arc by which a reached vertex was entered; -1 at the source.
    std::int32_t arc(std::int32_t v) const { return at(v).arc; }
    /// What was reached, by rising distance.
    std::span<const std::int32_t> settled() const { return settled_; }

  private:
    struct Label {
        D distance{};
        std::uint32_t search = 0;
        std::int32_t arc = -1;
    };
    Label& at(std::int32_t v) { return labels_[static_cast<std::size_t>(v)]; }
    const Label& at(std::int32_t v) const { return labels_[static_cast<std::size_t>(v)]; }

    Queue queue_;
    std::vector<Label> labels_;
    std::vector<std::int32_t> settled_;
    std::uint32_t now_ = 0;
    Pulse pulse_;
};

/// For every vertex the best two of many centres c by the key d(c, v) - offset[c], with distinct
/// centres: one search in which a vertex is settled at most twice.
template <typename W>
class NearestTwo {
  public:
    struct Label {
        double first = std::numeric_limits<double>::infinity();
        double second = std::numeric_limits<double>::infinity();
        std::int32_t centre = -1, other = -1;  // whose these keys are
        std::uint32_t search = 0;
    };

    explicit NearestTwo(std::int64_t n) : queue_(0), labels_(static_cast<std::size_t>(n)) {}

    /// Offsets must not be negative; keys above `limit` are not looked at.
    template <typename Admit>
    void run(const Arcs<W>& g, std::span<const std::int32_t> centres,
             std::span<const double> offsets, double limit, const Admit& admit) {
        if (++now_ == 0) {
            std::fill(labels_.begin(), labels_.end(), Label{});
            now_ = 1;
        }
        reached_.clear();
        nodes_.clear();
        queue_.clear();
        // Keys of a radix heap are not negative.
        const double shift =
            offsets.empty() ? 0 : *std::max_element(offsets.begin(), offsets.end());
        for (std::size_t i = 0; i < centres.size(); ++i) {
            offer(centres[i], centres[i], -offsets[i], shift);
        }
        std::uint64_t key = 0;
        const auto visit = [&](std::uint64_t, std::int32_t node) {
            const auto [v, centre, k] = nodes_[static_cast<std::size_t>(node)];
            const Label& label = at(v);
            if (!(centre == label.centre && k == label.first) &&
                !(centre == label.other && k == label.second)) {
                return true;  // improved since
            }
            pulse_();
            const std::int64_t end = g.ptr[v + 1];
            for (std::int64_t a = g.ptr[v]; a < end; ++a) {
                const auto [head, weight] = g.arcs[a];
                const double next = k + static_cast<double>(weight);
                if (next > limit) break;
                if (admit(head)) offer(head, centre, next, shift);
            }
            return true;
        };
        while (queue_.take(key, visit)) {
        }
    }

    bool reached(std::int32_t v) const { return at(v).search == now_; }
    const Label& at(std::int32_t v) const { return labels_[static_cast<std::size_t>(v)]; }
    std::span<const std::int32_t> reached() const { return reached_; }

  private:
    struct Node {
        std::int32_t vertex, centre;
        double key;
    };

    void offer(std::int32_t v, std::int32_t centre, double key, double shift) {
        Label& label = labels_[static_cast<std::size_t>(v)];
        if (label.search != now_) {
            label = Label{};
            label.search = now_;
            reached_.push_back(v);
        }
        if (centre == label.centre) {
            if (key >= label.first) return;
            label.first = key;
        } else if (key < label.first) {
            label.second = label.first;
            label.other = label.centre;
            label.first = key;
            label.centre = centre;
        } else if (key < label.second) {  // also where `centre` was second already
            label.second = key;
            label.other = centre;
        } else {
            return;
        }
        queue_.push(key_of(std::max(0.0, key + shift)), static_cast<std::int32_t>(nodes_.size()));
        nodes_.push_back({v, centre, key});
    }

    RadixQueue queue_;
    std::vector<Label> labels_;
    std::vector<Node> nodes_;
    std::vector<std::int32_t> reached_;
    std::uint32_t now_ = 0;
    Pulse pulse_;
};

}  // namespace wb::paths
