# SPDX-License-Identifier: Apache-2.0
"""Searches against scipy.sparse.csgraph and networkx; the container; bad input."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from graphs import DiGraph, roundtrip_distances, sssp, strong_components

DTYPES = [np.int32, np.int64, np.float32, np.float64]


def least_edges(g: DiGraph) -> sp.csr_array:
    """Parallel edges reduced to a lightest one; scipy's conversions would add them."""
    key = g.tails * g.n + g.heads
    order = np.lexsort((g.weights, key))
    first = np.ones(g.m, bool)
    first[1:] = key[order][1:] != key[order][:-1]
    e = order[first]
    ptr = np.zeros(g.n + 1, np.int64)
    np.cumsum(np.bincount(g.tails[e], minlength=g.n), out=ptr[1:])
    return sp.csr_array((g.weights[e].astype(float), g.heads[e], ptr), shape=(g.n, g.n))


def oracle(g: DiGraph, sources: np.ndarray, reverse: bool = False) -> np.ndarray:
    a = least_edges(g)
    # csgraph drops explicit zeros of sparse input unless they are the smallest subnormal.
    a.data[a.data == 0] = 5e-324
    distances = csgraph.dijkstra(sp.csr_array(a.T) if reverse else a, indices=sources)
    distances[distances < 1e-300] = 0
    return distances


@st.composite
def digraphs(draw: st.DrawFn, largest: int = 2**40) -> DiGraph:
    n = draw(st.integers(1, 40))
    m = draw(st.integers(0, 160))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from(DTYPES))
    top = draw(st.sampled_from([1, 3, 100, 2**16, 2**17, 2**30, largest]))
    if dtype == np.int32:
        top = min(top, 2**30)
    w = rng.integers(0, top, m, endpoint=True)
    w[rng.random(m) < draw(st.sampled_from([0.0, 0.3]))] = 0
    if np.dtype(dtype).kind == "f":
        w = w * rng.random(m)
    ends = rng.integers(0, n, (2, m))
    return DiGraph.from_edges(ends[0], ends[1], w.astype(dtype), n)


@settings(max_examples=150, deadline=None)
@given(g=digraphs(), reverse=st.booleans())
def test_distances_are_scipys(g: DiGraph, reverse: bool) -> None:
    sources = np.arange(g.n)
    exact = g.weights.dtype.kind == "i"
    found = sssp(g, sources, reverse=reverse)
    expected = oracle(g, sources, reverse)
    np.testing.assert_allclose(found, expected, rtol=0 if exact else 1e-12, atol=1e-300)


@settings(max_examples=80, deadline=None)
@given(g=digraphs(), reverse=st.booleans())
def test_parents_are_trees_of_shortest_paths(g: DiGraph, reverse: bool) -> None:
    distances, parents = sssp(g, np.arange(g.n), reverse=reverse, return_parents=True)
    for s in range(g.n):
        for v in range(g.n):
            e = parents[s, v]
            assert (e < 0) == (v == s or not np.isfinite(distances[s, v]))
            if e >= 0:
                head, tail = g.heads[e], g.tails[e]
                if reverse:
                    head, tail = tail, head
                assert head == v
                assert distances[s, v] == distances[s, tail] + float(g.weights[e])
        hops, at = 0, np.arange(g.n)
        while (parents[s, at] >= 0).any():  # ends: no cycle among parents
            e = parents[s, at]
            at = np.where(e >= 0, (g.heads if reverse else g.tails)[e], at)
            hops += 1
            assert hops <= g.n


@settings(max_examples=80, deadline=None)
@given(g=digraphs(largest=50), limit=st.integers(0, 120), data=st.data())
def test_limit_targets_and_mask(g: DiGraph, limit: int, data: st.DataObject) -> None:
    full = oracle(g, np.arange(g.n))
    np.testing.assert_allclose(
        sssp(g, np.arange(g.n), limit=limit), np.where(full <= limit, full, np.inf), rtol=1e-12
    )
    targets = data.draw(st.lists(st.integers(0, g.n - 1), min_size=1, max_size=5))
    found = sssp(g, np.arange(g.n), targets=targets)
    np.testing.assert_allclose(found[:, targets], full[:, targets], rtol=1e-12)
    reached = np.isfinite(found)
    np.testing.assert_allclose(found[reached], full[reached], rtol=1e-12)
    mask = np.random.default_rng(0).random(g.m) < 0.5
    masked = DiGraph.from_edges(g.tails[mask], g.heads[mask], g.weights[mask], g.n)
    np.testing.assert_allclose(
        sssp(g, np.arange(g.n), edge_mask=mask), oracle(masked, np.arange(g.n)), rtol=1e-12
    )


@settings(max_examples=80, deadline=None)
@given(g=digraphs())
def test_components_are_scipys_in_topological_order(g: DiGraph) -> None:
    count, component = strong_components(g)
    edges = least_edges(g)
    edges.data[:] = 1  # csgraph does not see edges of weight 0
    expected, label = csgraph.connected_components(edges, True, "strong")
    assert count == expected
    assert len(set(zip(component.tolist(), label.tolist(), strict=True))) == count
    assert set(component.tolist()) == set(range(count))
    assert (component[g.tails] >= component[g.heads]).all()


@settings(max_examples=40, deadline=None)
@given(g=digraphs(largest=1000))
def test_round_trips(g: DiGraph) -> None:
    sources = np.arange(g.n)
    expected = oracle(g, sources) + oracle(g, sources, reverse=True)
    found = roundtrip_distances(g, sources)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    _, component = strong_components(g)
    assert (np.isfinite(found) == (component[:, None] == component[None, :])).all()


def test_the_same_bits_for_any_number_of_threads() -> None:
    rng = np.random.default_rng(5)
    g = DiGraph.from_edges(*rng.integers(0, 3000, (2, 30000)), rng.random(30000), 3000)
    one = sssp(g, np.arange(64), return_parents=True, num_threads=1)
    for workers in (2, 5):
        many = sssp(g, np.arange(64), return_parents=True, num_threads=workers)
        for a, b in zip(one, many, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_path_of_a_million_vertices() -> None:
    n = 10**6
    g = DiGraph.from_edges(np.arange(n - 1), np.arange(1, n), np.full(n - 1, 7), n)
    assert sssp(g, 0)[-1] == 7 * (n - 1)
    assert strong_components(g)[0] == n
    cycle = DiGraph.from_edges(np.arange(n), (np.arange(n) + 1) % n, None, n)
    assert strong_components(cycle)[0] == 1


def test_a_star_and_wide_weights() -> None:
    n = 5000
    g = DiGraph.from_edges(np.zeros(n - 1, int), np.arange(1, n), np.geomspace(1e-6, 1e9, n - 1))
    np.testing.assert_array_equal(sssp(g, 0)[1:], g.weights)


def test_parallel_edges_are_not_added() -> None:
    g = DiGraph.from_edges([0, 0], [1, 1], [5, 3])
    distances, parents = sssp(g, 0, return_parents=True)
    assert distances.tolist() == [0, 3]
    assert parents.tolist() == [-1, 1]


def test_ways_in() -> None:
    tails, heads, weights = [0, 1, 2, 2], [1, 2, 0, 1], [2.0, 0.0, 4.0, 1.0]
    expected = DiGraph.from_edges(tails, heads, weights)
    graph = nx.DiGraph()
    graph.add_nodes_from("abc")
    for u, v, w in zip(tails, heads, weights, strict=True):
        graph.add_edge("abc"[u], "abc"[v], weight=w)
    others = [
        DiGraph.from_csr([0, 1, 2, 4], [1, 2, 0, 1], weights),
        DiGraph.from_scipy(sp.csr_array((weights, [1, 2, 0, 1], [0, 1, 2, 4]), shape=(3, 3))),
        DiGraph.from_scipy(sp.coo_array((weights, (tails, heads)), shape=(3, 3))),
        DiGraph.from_networkx(graph),
        DiGraph.from_edge_index(torch.tensor([tails, heads]), torch.tensor(weights), 3),
    ]
    for g in others:
        np.testing.assert_array_equal(sssp(g, [0, 1, 2]), sssp(expected, [0, 1, 2]))
    assert others[3].nodes == ["a", "b", "c"]
    assert "3 vertices, 4 edges" in repr(expected)
    undirected = DiGraph.from_networkx(nx.path_graph(3))
    assert undirected.m == 4
    assert undirected.weights.tolist() == [1] * 4
    with pytest.raises(ValueError, match="read-only"):
        expected.weights[0] = 1


def test_nothing_at_all() -> None:
    g = DiGraph.from_edges([], [], [])
    assert (g.n, g.m) == (0, 0)
    assert strong_components(g)[0] == 0
    assert sssp(DiGraph.from_edges([], [], [], n=2), 1).tolist() == [np.inf, 0]
    assert sssp(DiGraph.from_edges([], [], [], n=2), []).shape == (0, 2)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, -np.inf])
def test_a_bad_weight_is_named_with_its_edge(bad: float) -> None:
    with pytest.raises(ValueError, match=r"edge 1 \(1 -> 2\)"):
        DiGraph.from_edges([0, 1], [1, 2], [1.0, bad])


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"heads must be in \[0, 2\), but edge 0 has 3"):
        DiGraph.from_edges([0], [3], n=2)
    with pytest.raises(ValueError, match="tails"):
        DiGraph.from_edges([-1], [0], n=2)
    with pytest.raises(ValueError, match="one length"):
        DiGraph.from_edges([0, 1], [1, 0], [1.0])
    with pytest.raises(TypeError, match="heads must be integers"):
        DiGraph.from_edges([0], [1.0])
    for weights in ([True], [1j]):
        with pytest.raises(TypeError, match="weights"):
            DiGraph.from_edges([0], [1], weights)
    with pytest.raises(ValueError, match="63 bits"):
        DiGraph.from_edges([0], [1], np.array([2**61]), n=5)
    with pytest.raises(ValueError, match="indptr"):
        DiGraph.from_csr([0, 2], [0])
    with pytest.raises(ValueError, match="square"):
        DiGraph.from_scipy(sp.csr_array((2, 3)))
    with pytest.raises(ValueError, match=r"\(2, m\)"):
        DiGraph.from_edge_index(np.zeros((3, 4), int))
    g = DiGraph.from_edges([0], [1])
    with pytest.raises(ValueError, match=r"sources must be in \[0, 2\), got 5"):
        sssp(g, 5)
    with pytest.raises(TypeError, match="sources must be integers"):
        sssp(g, [0.5])
    with pytest.raises(ValueError, match="targets"):
        sssp(g, 0, targets=[2])
    for limit in (-1.0, np.nan):
        with pytest.raises(ValueError, match="limit"):
            sssp(g, 0, limit=limit)
    with pytest.raises(ValueError, match="edge_mask"):
        sssp(g, 0, edge_mask=[1])
