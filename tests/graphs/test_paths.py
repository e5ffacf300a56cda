# SPDX-License-Identifier: Apache-2.0
"""Reachability and distances against networkx and scipy.sparse.csgraph."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import (
    NegativeCycleError,
    dijkstra,
    floyd_warshall,
    johnson,
)

import graphs
from workbench.matrices import erdos_renyi, rmat, road_lattice


@st.composite
def digraphs(draw, lengths=None):
    n = draw(st.integers(1, 8))
    vertex = st.integers(0, n - 1)
    size = st.integers(1, 9) if lengths is None else lengths
    edges = draw(st.dictionaries(st.tuples(vertex, vertex), size, max_size=24))
    rows, cols = [e[0] for e in edges], [e[1] for e in edges]
    data = np.array(list(edges.values()), np.float64)
    return sp.csr_array((data, (rows, cols)), shape=(n, n))


def chain(n):
    return sp.csr_array(sp.diags_array(np.ones(n - 1), offsets=1))


def hops(A, sources):
    return dijkstra(A, unweighted=True, indices=sources, min_only=True)


@settings(deadline=None)
@given(digraphs(), st.data())
def test_frontiers_are_the_hop_distances_of_dijkstra(A, data):
    vertex = st.integers(0, A.shape[0] - 1)
    sources = data.draw(st.lists(vertex, min_size=1, max_size=3))
    distance = hops(A, sources)
    fronts = graphs.frontiers(A, sources)
    assert len(fronts) == distance[np.isfinite(distance)].max() + 1
    for h, front in enumerate(fronts):
        assert front.dtype == np.int64
        np.testing.assert_array_equal(front, np.flatnonzero(distance == h))
    for k in range(4):
        np.testing.assert_array_equal(graphs.k_hop(A, sources, k), np.flatnonzero(distance <= k))


def test_k_hop_is_the_ego_graph_of_networkx():
    A = rmat(8, 4, seed=1)
    graph = nx.from_scipy_sparse_array(A, create_using=nx.DiGraph)
    for source in (0, 3, 100):
        for k in range(4):
            expected = sorted(nx.ego_graph(graph, source, radius=k).nodes)
            assert graphs.k_hop(A, source, k).tolist() == expected


def test_frontiers_end_with_k_and_with_the_graph():
    A = chain(5)
    assert [f.tolist() for f in graphs.frontiers(A, 1)] == [[1], [2], [3], [4]]
    assert [f.tolist() for f in graphs.frontiers(A, 1, 2)] == [[1], [2], [3]]
    assert [f.tolist() for f in graphs.frontiers(A, [1, 3], 0)] == [[1, 3]]
    assert [f.tolist() for f in graphs.frontiers(A, [])] == [[]]


@settings(deadline=None)
@given(digraphs())
def test_reachability_is_the_transitive_closure_of_networkx(A):
    graph = nx.from_scipy_sparse_array(A, create_using=nx.DiGraph)
    closure = nx.transitive_closure(graph, reflexive=True)
    expected = nx.to_numpy_array(closure, nodelist=range(A.shape[0])) != 0
    np.testing.assert_array_equal(graphs.reachability(A).toarray(), expected)
    last = A.shape[0] - 1
    np.testing.assert_array_equal(graphs.reachability(A, [last, 0]).toarray(), expected[[last, 0]])


@pytest.mark.parametrize("n", [33, 34, 35, 100, 150])
def test_reachability_of_long_paths_goes_on_by_squaring(n):
    closure = graphs.reachability(chain(n))
    np.testing.assert_array_equal(closure.toarray(), np.triu(np.ones((n, n), bool)))
    from_one = graphs.reachability(chain(n), 1)
    assert from_one.shape == (1, n)
    assert from_one.nnz == n - 1


@settings(deadline=None)
@given(digraphs(st.integers(0, 20)))
def test_distances_are_those_of_floyd_and_warshall(A):
    # scipy takes an explicit zero of a sparse graph for an edge of length zero, as we do.
    expected = dijkstra(A)
    np.testing.assert_array_equal(graphs.shortest_path_closure(A, dense=True), expected)
    if (A.data > 0).all():
        np.testing.assert_array_equal(floyd_warshall(A), expected)
    sparse = graphs.shortest_path_closure(A)
    assert sparse.nnz == np.isfinite(expected).sum()
    np.testing.assert_array_equal(sparse.toarray(), np.where(np.isfinite(expected), expected, 0))


@settings(deadline=None)
@given(digraphs(st.integers(-3, 9)))
def test_negative_lengths_are_those_of_johnson(A):
    try:
        expected = johnson(A)
    except NegativeCycleError:
        with pytest.raises(ValueError, match="negative cycle"):
            graphs.shortest_path_closure(A)
    else:
        np.testing.assert_array_equal(graphs.shortest_path_closure(A, dense=True), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.int64])
def test_distances_keep_the_dtype(dtype):
    A = road_lattice(8, seed=2, dtype=np.float64)
    A.data = np.round(A.data * 10)
    expected = dijkstra(A)
    closure = graphs.shortest_path_closure(A.astype(dtype))
    assert closure.dtype == dtype
    np.testing.assert_array_equal(closure.toarray(), np.where(np.isfinite(expected), expected, 0))


def test_distances_of_real_numbers():
    A = erdos_renyi(120, 3, seed=3, dtype=np.float64)
    np.testing.assert_allclose(graphs.shortest_path_closure(A, dense=True), dijkstra(A), rtol=1e-14)
    ring = sp.csr_array((np.ones(65), (np.arange(65), np.roll(np.arange(65), -1))))
    np.testing.assert_array_equal(graphs.shortest_path_closure(ring, dense=True), dijkstra(ring))


def test_every_container_gives_the_same(contained, dense):
    A = rmat(5, 3, seed=5, dtype=np.float64)
    reach = np.isfinite(dijkstra(A))
    given_ = contained(A)
    assert graphs.k_hop(given_, [1, 7], 2).tolist() == np.flatnonzero(hops(A, [1, 7]) <= 2).tolist()
    np.testing.assert_array_equal(dense(graphs.reachability(given_)), reach)
    np.testing.assert_array_equal(dense(graphs.reachability(given_, [4, 2, 4])), reach[[4, 2, 4]])
    unit = type(given_).__name__ == "EdgeIndex"
    closure = graphs.shortest_path_closure(given_, dense=True)
    np.testing.assert_allclose(closure, dijkstra(A, unweighted=unit), rtol=1e-14)
    if not isinstance(given_, tuple) and not unit:
        assert type(graphs.shortest_path_closure(given_)) is type(given_)


def test_parallel_edges_and_booleans():
    twice = sp.coo_array((np.array([5.0, 2.0, 1.0]), ([0, 0, 1], [1, 1, 2])), shape=(3, 3))
    edges = torch.tensor([[0, 0, 1], [1, 1, 2]]), torch.from_numpy(twice.data), 3
    assert graphs.shortest_path_closure(edges, dense=True)[0].tolist() == [0, 2, 3]
    hops_ = graphs.shortest_path_closure(chain(4).astype(bool))
    assert hops_.dtype == np.int64
    assert hops_.toarray()[0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("n", [0, 1])
def test_graphs_of_no_and_of_one_vertex(n):
    A = sp.csr_array((n, n))
    assert graphs.reachability(A).nnz == n
    assert graphs.shortest_path_closure(A).nnz == n
    assert graphs.shortest_path_closure(A, dense=True).shape == (n, n)
    assert graphs.reachability(A, []).shape == (0, n)


def test_gradients_go_to_the_edges_of_a_shortest_path():
    A = road_lattice(5, seed=6, dtype=np.float64)  # real lengths: no two paths are equally long
    n = A.shape[0]
    graph = nx.from_scipy_sparse_array(A, create_using=nx.DiGraph)
    path = nx.shortest_path(graph, 0, n - 1, weight="weight")
    crow, col = (torch.from_numpy(x.astype(np.int64)) for x in (A.indptr, A.indices))
    values = torch.from_numpy(A.data.copy()).requires_grad_()

    def closure(v):
        return graphs.shortest_path_closure(
            torch.sparse_csr_tensor(crow, col, v, (n, n)), dense=True
        )

    closure(values)[0, n - 1].backward()
    rows = np.repeat(np.arange(n), np.diff(A.indptr))
    used = {(int(i), int(j)) for i, j, g in zip(rows, A.indices, values.grad, strict=True) if g}
    assert used == set(itertools.pairwise(path))
    assert set(values.grad.tolist()) == {0.0, 1.0}
    finite = torch.isfinite(closure(values.detach()))
    assert torch.autograd.gradcheck(lambda v: closure(v)[finite], values)


def test_wrong_sources_and_steps_are_refused():
    A = chain(4)
    for search in (graphs.frontiers, graphs.reachability, lambda a, s: graphs.k_hop(a, s, 2)):
        with pytest.raises(ValueError, match="sources must be vertices, 0 to 3, got 4"):
            search(A, [0, 4])
        with pytest.raises(ValueError, match="got -1"):
            search(A, -1)
        with pytest.raises(TypeError, match="sources must be an integer"):
            search(A, [0.5])
        with pytest.raises(TypeError, match="sources must be an integer"):
            search(A, np.array([True, False, False, True]))
        with pytest.raises(ValueError, match="square"):
            search(sp.csr_array((2, 3)), 0)
    with pytest.raises(ValueError, match="k must be at least 0"):
        graphs.k_hop(A, 0, -1)
    with pytest.raises(TypeError, match="k must be an integer"):
        graphs.k_hop(A, 0, 1.5)
    with pytest.raises(TypeError, match="reachability has no bound"):
        graphs.k_hop(A, 0, None)


def test_wrong_lengths_are_refused():
    def two(value, dtype=np.float64):
        return sp.csr_array((np.array([value], dtype), ([0], [1])), shape=(2, 2))

    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(ValueError, match="finite"):
            graphs.shortest_path_closure(two(value))
    with pytest.raises(ValueError, match="overflow"):
        graphs.shortest_path_closure(two(2**30, np.int32))
    with pytest.raises(TypeError, match="complex64"):
        graphs.shortest_path_closure(two(1, np.complex64))
    with pytest.raises(ValueError, match="self-loop of negative length"):
        graphs.shortest_path_closure(sp.csr_array(np.array([[-1.0]])))
    with pytest.raises(ValueError, match="negative cycle"):
        graphs.shortest_path_closure(sp.csr_array(np.array([[0, 1.0], [-2.0, 0]])))
    with pytest.raises(ValueError, match="square"):
        graphs.shortest_path_closure(sp.csr_array((2, 3)))
