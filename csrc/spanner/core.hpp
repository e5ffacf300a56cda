// SPDX-License-Identifier: Apache-2.0
// The part of a digraph that a spanner has to look at.
#pragma once

#include <cstdint>
#include <vector>

#include "core/raw.hpp"
#include "paths/digraph.hpp"

namespace wb::spanner {

/// One strongly connected component that holds a source: vertices and edges renumbered, self loops
/// dropped, of parallel edges the lightest kept (of equal ones the first).
template <typename W>
struct Core {
    std::int64_t n = 0, m = 0;
    std::vector<std::int32_t> tail, head;  // of each edge
    std::vector<W> weight;
    std::vector<std::int64_t> edge;     // its number in the whole graph
    std::vector<std::int64_t> vertex;   // number of a vertex in the whole graph
    std::vector<std::int32_t> sources;  // distinct, in the order given
    std::vector<std::int64_t> place;    // where in that order each one stood first
    paths::Digraph<W> g;

    W largest() const { return g.out.largest; }
};

/// Edges between numbered vertices, before they are laid out.
template <typename W>
struct EdgeList {
    std::vector<std::int32_t> tail, head;
    std::vector<W> weight;
    std::vector<std::int64_t> edge;

    void push(std::int32_t t, std::int32_t h, W w, std::int64_t e) {
        tail.push_back(t);
        head.push_back(h);
        weight.push_back(w);
        edge.push_back(e);
    }
};

/// Keeps a lightest edge between each pair of ends and lays the rest out. O(n + m) and a sort.
template <typename W>
Core<W> make_core(std::vector<std::int64_t> vertex, EdgeList<W> edges);

/// The components of a digraph that hold a source and more than one vertex, by first source.
/// `component` numbers the strongly connected components from 0 to `count`. Throws
/// std::invalid_argument where a component has 2^31 edges or more.
template <typename W, typename Weight>
std::vector<Core<W>> split(std::int64_t n, std::int64_t m, const std::int64_t* tails,
                           const std::int64_t* heads, const Weight* weights,
                           const std::int32_t* component, std::int64_t count,
                           const std::int64_t* sources, std::int64_t n_sources);

}  // namespace wb::spanner
