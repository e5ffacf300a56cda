# SPDX-License-Identifier: Apache-2.0
"""Generated digraphs are what their names say, by networkx where it has a word for it."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphs import GENERATORS, DiGraph, generators, random_digraph, rmat_digraph, sssp, street_grid
from graphs import strong_components as components


def as_networkx(g: DiGraph) -> nx.MultiDiGraph:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(g.n))
    graph.add_edges_from(zip(g.tails.tolist(), g.heads.tolist(), strict=True))
    return graph


@pytest.mark.parametrize("name", GENERATORS)
def test_the_same_seed_gives_the_same_graph(name: str) -> None:
    generator = GENERATORS[name]
    a, b, other = generator(5, small=True), generator(5, small=True), generator(6, small=True)
    for key in ("tails", "heads", "weights"):
        np.testing.assert_array_equal(getattr(a, key), getattr(b, key))
    if name != "bipartite-hub":  # which draws nothing
        assert any(
            not np.array_equal(getattr(a, k), getattr(other, k))
            for k in ("tails", "heads", "weights")
        )
    assert a.n < 300
    assert generator.name == name


@settings(max_examples=60, deadline=None)
@given(n=st.integers(0, 30), share=st.floats(0, 1), seed=st.integers(0, 1000))
def test_random_edges_differ_and_are_no_loops(n: int, share: float, seed: int) -> None:
    m = int(share * n * max(n - 1, 0))
    g = random_digraph(n, m, 3, 9, seed)
    assert (g.n, g.m) == (n, m)
    assert len(set(zip(g.tails.tolist(), g.heads.tolist(), strict=True))) == m
    assert not (g.tails == g.heads).any()
    assert m == 0 or (g.weights.min() >= 3 and g.weights.max() <= 9)


def test_random_edges_are_spread_evenly() -> None:
    g = random_digraph(40, 39 * 20, seed=2)
    for ends in (g.tails, g.heads):
        degree = np.bincount(ends, minlength=40)
        assert degree.min() > 5
        assert degree.max() < 35


def test_recursive_matrix_has_the_core_it_should() -> None:
    g = GENERATORS["rmat13d"]()
    _, component = components(g)
    core = component == np.bincount(component).argmax()
    inside = (core[g.tails] & core[g.heads]).sum()
    assert core.sum() == pytest.approx(5822, rel=0.02)
    assert inside == pytest.approx(201999, rel=0.01)
    assert not (g.tails == g.heads).any()
    assert np.unique(g.tails * g.n + g.heads).size == g.m


@pytest.mark.parametrize("one_way", [0.0, 0.3, 1.0])
def test_streets(one_way: float) -> None:
    g = street_grid(40, 50, one_way, seed=4)
    pairs = set(zip(g.tails.tolist(), g.heads.tolist(), strict=True))
    streets = {frozenset(p) for p in pairs}
    assert streets == {frozenset(e) for e in _grid(40, 50)}
    single = 2 * len(streets) - len(pairs)
    assert single / len(streets) == pytest.approx(one_way, abs=0.05)
    assert g.positions[3 * 50 + 7].tolist() == [7, 3]
    length = np.abs(g.positions[g.tails] - g.positions[g.heads]).sum(axis=1)
    assert (length == 1).all()


def _grid(rows: int, columns: int) -> list[tuple[int, int]]:
    return [
        (a[0] * columns + a[1], b[0] * columns + b[1])
        for a, b in nx.grid_2d_graph(rows, columns).edges()
    ]


def test_shapes() -> None:
    ring = as_networkx(generators.cycle(9))
    assert nx.is_isomorphic(ring, nx.cycle_graph(9, create_using=nx.MultiDiGraph))
    path = generators.path_with_back_edge(9)
    assert (path.tails[0], path.heads[0]) == (8, 0)
    assert nx.is_isomorphic(as_networkx(path), ring)
    flower = generators.petals(4, 5)
    assert flower.n == 17
    assert sorted(map(len, nx.simple_cycles(as_networkx(flower)))) == [5] * 4
    assert nx.is_directed_acyclic_graph(as_networkx(generators.bipartite(4, 6)))
    hub = generators.bipartite(4, 6, hub=True)
    assert (hub.n, hub.m) == (11, 24 + 10)
    assert nx.is_strongly_connected(as_networkx(hub))
    cube = generators.expander(100)
    assert nx.is_strongly_connected(as_networkx(cube))
    for ends in (cube.tails, cube.heads):
        assert (np.bincount(ends) == 3).all()
    spikes = generators.star(12)
    assert np.bincount(spikes.tails).tolist() == [11] + [1] * 11


def test_blobs_weigh_nothing_inside() -> None:
    g = generators.zero_blobs(5, 4)
    free = DiGraph.from_edges(*(x[g.weights == 0] for x in (g.tails, g.heads)), n=g.n)
    count, component = components(free)
    assert count == 5
    assert (np.bincount(component) == 4).all()
    assert components(g)[0] == 1
    assert (sssp(g, 0)[:4] == 0).all()


def test_wide_weights_are_wide() -> None:
    g = GENERATORS["wide"]()
    assert g.weights.dtype == np.float64
    assert 1e-6 <= g.weights.min() < 1e-5
    assert 1e8 < g.weights.max() <= 1e9


def test_bad_sizes_are_named() -> None:
    with pytest.raises(ValueError, match=r"m must be in \[0, n \(n - 1\)\] = \[0, 6\], got 7"):
        random_digraph(3, 7)
    with pytest.raises(ValueError, match="low <= high must hold, got 5 and 4"):
        random_digraph(3, 2, 5, 4)
    with pytest.raises(ValueError, match="low"):
        generators.cycle(3, low=-1)
    with pytest.raises(ValueError, match="one_way"):
        street_grid(2, 2, 1.5)
    with pytest.raises(ValueError, match="rows must be at least 1"):
        street_grid(0, 2)
    with pytest.raises(ValueError, match="scale"):
        rmat_digraph(-1, 2)
    with pytest.raises(ValueError, match="least"):
        generators.wide_weights(3, 2, least=0)
