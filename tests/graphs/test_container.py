# SPDX-License-Identifier: Apache-2.0
"""DiGraph as a container: names of vertices, copies, parts, the way back."""

from __future__ import annotations

import copy
import pickle

import networkx as nx
import numpy as np
import pytest

from graphs import DiGraph, sssp, street_grid


def test_vertices_by_name() -> None:
    named = DiGraph.from_networkx(nx.grid_2d_graph(3, 4))
    assert named.index((1, 2)) == named.nodes.index((1, 2))
    assert named.index([(0, 0), (2, 3)]).tolist() == [0, 11]
    assert named.index(((0, 0), (2, 3))).tolist() == [0, 11]
    words = DiGraph.from_networkx(nx.DiGraph([("a", "b"), ("b", "c")]))
    assert words.index("c") == 2
    assert words.index(np.array(["c", "a"])).tolist() == [2, 0]
    assert words.index([]).dtype == np.int64
    for wrong in ("d", ["a", "d"], 0, [["a"]]):
        with pytest.raises(KeyError, match="no vertex is called"):
            words.index(wrong)


def test_vertices_by_number() -> None:
    plain = DiGraph.from_edges([0, 1], [1, 2])
    assert plain.index(2) == 2
    assert plain.index(np.int32(2)) == 2
    assert plain.index(range(3)).tolist() == [0, 1, 2]
    ranged = DiGraph(3, plain.tails, plain.heads, plain.weights, range(1, 4))
    assert ranged.index(3) == 2
    assert ranged.index(np.array([1, 3])).tolist() == [0, 2]
    for g, wrong in ((plain, 3), (plain, -1), (plain, "x"), (ranged, 0), (ranged, [4])):
        with pytest.raises(KeyError, match="no vertex is called"):
            g.index(wrong)


def test_copies_are_the_same_graph() -> None:
    g = street_grid(5, 6, seed=1)
    g = DiGraph(
        g.n, g.tails, g.heads, g.weights, range(1, 31), positions=g.positions, info={"a": 1}
    )
    for other in (pickle.loads(pickle.dumps(g)), copy.copy(g), copy.deepcopy(g)):
        for key in ("tails", "heads", "weights", "positions"):
            np.testing.assert_array_equal(getattr(other, key), getattr(g, key))
            assert not getattr(other, key).flags.writeable
        assert other.nodes == g.nodes
        assert dict(other.info) == {"a": 1}
        np.testing.assert_array_equal(sssp(other, [0, 7]), sssp(g, [0, 7]))
    assert len(pickle.dumps(g)) < 4 * sum(x.nbytes for x in (g.tails, g.heads, g.weights))


def test_parts_and_the_way_back() -> None:
    g = street_grid(7, 8, seed=2)
    mask = np.random.default_rng(0).random(g.m) < 0.6
    part = g.subgraph(mask)
    assert (part.n, part.m) == (g.n, int(mask.sum()))
    np.testing.assert_array_equal(part.weights, g.weights[mask])
    np.testing.assert_array_equal(part.positions, g.positions)
    every = np.arange(g.n)
    np.testing.assert_array_equal(sssp(part, every), sssp(g, every, edge_mask=mask))
    np.testing.assert_array_equal(sssp(g.reversed(), every), sssp(g, every, reverse=True))
    for wrong in (mask[1:], mask.astype(int), np.flatnonzero(mask)):
        with pytest.raises(ValueError, match="edge_mask must be bool of shape"):
            g.subgraph(wrong)


def test_what_does_not_fit_is_named() -> None:
    edge = np.array([0]), np.array([1]), np.array([1.0])
    with pytest.raises(ValueError, match="nodes must name all 2 vertices, got 3"):
        DiGraph(2, *edge, "abc")
    with pytest.raises(ValueError, match=r"positions must have shape \(2, 2\), got \(3, 2\)"):
        DiGraph(2, *edge, positions=np.zeros((3, 2)))
