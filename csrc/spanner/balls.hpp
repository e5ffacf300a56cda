// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

#include "paths/local.hpp"
#include "spanner/core.hpp"

namespace wb::spanner {

/// Threads mark the same edges, always with the same value.
inline void mark(std::uint8_t* mask, std::int64_t edge) {
    std::atomic_ref<std::uint8_t>(mask[edge]).store(1, std::memory_order_relaxed);
}

/// Round-trip balls: {v : d(c, v) + d(v, c) <= r} within a part of the graph. The shortest paths
/// there and back never leave the ball, so that its two trees span it.
template <typename W, typename Queue>
class BallSearch {
  public:
    using D = paths::Distance<W>;

    explicit BallSearch(const Core<W>& core)
        : forward_(core.n, core.largest()),
          backward_(core.n, core.largest()),
          walked_out_(core.n, 0),
          walked_in_(core.n, 0) {}

    /// Looks at all v with `inside(v)` and round-trip distance up to `limit`.
    template <typename Inside>
    void run(const Core<W>& core, std::int32_t centre, D limit, const Inside& inside) {
        forward_.run(core.g.out, centre, limit, [&](std::int32_t v, D) { return inside(v); });
        // A vertex too far around is on no way back of one that is not.
        backward_.run(core.g.in, centre, limit, [&](std::int32_t v, D d) {
            return forward_.reached(v) && forward_.distance(v) + d <= limit;
        });
        centre_ = centre;
        settled_ += cost();
    }

    std::span<const std::int32_t> members() const { return backward_.settled(); }
    bool has(std::int32_t v) const { return backward_.reached(v); }
    D roundtrip(std::int32_t v) const { return forward_.distance(v) + backward_.distance(v); }
    /// Vertices the last run settled; all runs did.
    std::int64_t cost() const {
        return static_cast<std::int64_t>(forward_.settled().size() + backward_.settled().size());
    }
    std::int64_t settled() const { return settled_; }

    /// The two searches, for use one by one.
    paths::LocalSearch<W, Queue>& forward() { return forward_; }
    paths::LocalSearch<W, Queue>& backward() { return backward_; }
    void count_cost() { settled_ += cost(); }

    /// Marks the trees that span the members up to `radius`. Ways are walked to the centre, since
    /// an ancestor may lie outside by the last bit of a float.
    void mark_trees(const Core<W>& core, D radius, std::uint8_t* mask) {
        ++now_;
        walked_out_[centre_] = walked_in_[centre_] = now_;
        for (const std::int32_t v : members()) {
            if (roundtrip(v) > radius) continue;
            for (std::int32_t x = v; walked_out_[x] != now_;) {
                walked_out_[x] = now_;
                const auto e = core.g.out.edge[forward_.arc(x)];
                mark(mask, core.edge[e]);
                x = core.tail[e];
            }
            for (std::int32_t x = v; walked_in_[x] != now_;) {
                walked_in_[x] = now_;
                const auto e = core.g.in.edge[backward_.arc(x)];
                mark(mask, core.edge[e]);
                x = core.head[e];
            }
        }
    }

  private:
    paths::LocalSearch<W, Queue> forward_, backward_;
    std::vector<std::uint32_t> walked_out_, walked_in_;
    std::uint32_t now_ = 0;
    std::int32_t centre_ = 0;
    std::int64_t settled_ = 0;
};

/// Calls f with the queue that suits the weights: buckets for small integers.
template <typename W, typename F>
auto with_queue(const Core<W>& core, const F& f) {
    if constexpr (!std::is_floating_point_v<W>) {
        // Empty buckets are skipped 64 at a time, and small balls should not pay for many.
        if (core.largest() <= (1 << 14)) return f.template operator()<paths::DialQueue>();
    }
    return f.template operator()<paths::RadixQueue>();
}

}  // namespace wb::spanner
