// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/interrupt.hpp"
#include "paths/local.hpp"
#include "spanner/core.hpp"

namespace wb::spanner {

/// Called now and then from the calling thread with what is done and what there is to do; it may
/// throw to stop the work.
using Progress = std::function<void(std::int64_t, std::int64_t)>;

struct Options {
    double stretch = 3;
    std::uint64_t seed = 0;
    int threads = 1;
    Progress progress;

    /// Calls back, unless another thread has failed meanwhile.
    void tell(std::int64_t done, std::int64_t all) const {
        if (!progress) return;
        check_interrupt();
        progress(done, all);
    }
};

// Every function marks edges of the whole graph in `mask`, one byte each, and never unmarks one
// (but prune). What is marked does not depend on the number of threads.

/// Shortest-path trees from and to the sources numbered [begin, end): stretch 1. O(s (m + n log
/// n)).
template <typename W>
void exact(const Core<W>& core, std::int64_t begin, std::int64_t end, const Options& options,
           std::uint8_t* mask);

/// How one scale of a cover went.
struct Scale {
    double radius = 0;            // pairs of round-trip distance in (radius / 2, radius]
    std::int64_t vertices = 0;    // after contraction
    std::int64_t sources = 0;     // vertices that hold a source and are not alone
    std::int64_t by_carving = 0;  // certified within a carved ball
    std::int64_t alone = 0;       // certified by the exact ball of a part's only source
    std::int64_t fallback = 0;    // certified by an exact ball at the end
    std::int64_t repetitions = 0;
    std::vector<std::int64_t> certified;  // after each repetition
    std::int64_t settled = 0;             // vertices settled in all searches
    std::int64_t contracted = 0;          // edges of trees within contracted components
};

struct CoverOptions : Options {
    int repetitions = 30;
    int samples = 12;
    std::int64_t share = 0, shares = 1;  // of the scales, those numbered share modulo shares
};

/// The nearly linear source-wise round-trip spanner after Zhu et al. (arXiv 2004.05721) and
/// Pachocki et al. (SODA 2018), with a certificate for every source and scale instead of a
/// probability: see cover.cpp.
template <typename W>
std::vector<Scale> cover(const Core<W>& core, const CoverOptions& options, std::uint8_t* mask);

struct BallsOptions : Options {
    int k = 1;
    double epsilon = 0;                  // stretch = 2 k (1 + epsilon)
    std::int64_t share = 0, shares = 1;  // of the scales, those numbered share modulo shares
};

/// Balls around sampled sources, scale by scale (Roditty, Thorup, Zwick, TALG 2008), with sources
/// as the only centres. Returns the number of vertices settled.
template <typename W>
std::int64_t sampled_balls(const Core<W>& core, const BallsOptions& options, std::uint8_t* mask);

/// Shortest paths in the graph from and to a batch of sources, vertex v of source i at [i * n + v]:
/// distances, and the arcs (of the core's two layouts) by which vertices are entered.
template <typename W>
struct Trees {
    std::vector<paths::Distance<W>> from, to;
    std::vector<std::int32_t> arc_from, arc_to;
};

/// The trees of the sources numbered [begin, end).
template <typename W>
Trees<W> search_trees(const Core<W>& core, std::int64_t begin, std::int64_t end, int threads);

/// Gives the trees of the sources numbered [begin, end): search_trees, or another machine's.
template <typename W>
using TreeProvider = std::function<Trees<W>(std::int64_t, std::int64_t)>;

/// Greedy insertion of shortest paths, source by source. Edges already marked in `mask` are in the
/// spanner from the start. About 4 s searches; correct after one pass, since distances in the
/// spanner only fall.
struct GreedyStats {
    std::int64_t hub = -1;        // vertex whose trees it started from
    std::int64_t paths = 0;       // paths inserted
    std::int64_t violations = 0;  // pairs that were beyond the stretch when first looked at
};

enum class Start { kHub, kEmpty };

template <typename W>
GreedyStats greedy(const Core<W>& core, Start start, const Options& options,
                   const TreeProvider<W>& trees, std::uint8_t* mask);

struct PruneStats {
    std::int64_t tried = 0, dropped = 0, repairs = 0;
};

/// Reverse-delete: edges of `mask` by falling weight, each dropped where every source still meets
/// the stretch. Keeps the trees of all sources and repairs only the subtrees that hang on an edge.
/// Memory: 20 to 40 bytes per pair of a source and a vertex.
template <typename W>
PruneStats prune(const Core<W>& core, const Options& options, std::uint8_t* mask);

}  // namespace wb::spanner
