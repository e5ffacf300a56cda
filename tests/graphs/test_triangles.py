# SPDX-License-Identifier: Apache-2.0
"""Triangles against networkx and brute force."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
from workbench.matrices import delaunay, erdos_renyi, rmat


def symmetric(m):
    return sp.csr_array(m + m.T)


@st.composite
def undirected(draw):
    n = draw(st.integers(0, 9))
    vertex = st.integers(0, max(n - 1, 0))
    edges = draw(st.lists(st.tuples(vertex, vertex), max_size=30)) if n else []
    out = np.zeros((n, n))
    for i, j in edges:
        out[i, j] = out[j, i] = draw(st.integers(1, 9))
    return out


def brute(dense):
    """Triangles at every place, loops left out."""
    a = (dense != 0).astype(np.int64)
    np.fill_diagonal(a, 0)
    return (a @ a) * a


@settings(deadline=None)
@given(undirected())
def test_counts_are_those_of_brute_force(dense):
    A, expected = sp.csr_array(dense), brute(dense)
    assert graphs.triangles(A) == expected.sum() // 6
    np.testing.assert_array_equal(graphs.triangles_per_vertex(A), expected.sum(axis=1) // 2)
    per_edge = graphs.triangles_per_edge(A)
    np.testing.assert_array_equal(per_edge.toarray(), expected)
    loops = np.count_nonzero(np.diag(dense))
    assert per_edge.nnz == A.nnz - loops  # an entry for each edge, the zeros among them


@pytest.mark.parametrize(
    "matrix",
    [
        symmetric(rmat(9, 8, seed=1)),
        symmetric(erdos_renyi(400, 6, seed=2)),
        delaunay(500, seed=3),
    ],
    ids=["rmat", "erdos_renyi", "delaunay"],
)
def test_counts_are_those_of_networkx(matrix):
    graph = nx.Graph(nx.from_scipy_sparse_array(matrix))
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    expected = nx.triangles(graph)
    counts = graphs.triangles_per_vertex(matrix)
    assert counts.dtype == np.int64
    assert dict(enumerate(counts.tolist())) == expected
    assert graphs.triangles(matrix) == sum(expected.values()) // 3
    coefficients = graphs.clustering_coefficients(matrix)
    shown = nx.clustering(graph)
    np.testing.assert_allclose(coefficients, [shown[v] for v in range(len(graph))])


def test_known_graphs():
    complete = sp.csr_array(1 - np.eye(20))
    assert graphs.triangles(complete) == 20 * 19 * 18 // 6
    assert graphs.triangles(sp.csr_array(nx.to_scipy_sparse_array(nx.petersen_graph()))) == 0
    karate = sp.csr_array(nx.to_scipy_sparse_array(nx.karate_club_graph()))
    assert graphs.triangles(karate) == 45
    star = sp.csr_array(nx.to_scipy_sparse_array(nx.star_graph(1000)))
    assert graphs.triangles(star) == 0


def test_every_container_gives_the_same(contained, dense):
    matrix = symmetric(rmat(6, 6, seed=4)).astype(np.float64)
    expected = brute(matrix.toarray())
    A = contained(matrix)
    assert graphs.triangles(A) == expected.sum() // 6
    counts = graphs.triangles_per_vertex(A)
    assert isinstance(
        counts, np.ndarray if isinstance(A, (sp.sparray, sp.spmatrix)) else torch.Tensor
    )
    np.testing.assert_array_equal(np.asarray(counts), expected.sum(axis=1) // 2)
    per_edge = graphs.triangles_per_edge(A)
    if not isinstance(A, tuple) and type(A).__name__ != "EdgeIndex":
        assert type(per_edge) is type(A)
    np.testing.assert_array_equal(dense(per_edge), expected)


def test_unsorted_and_repeated_entries_count_once():
    indptr, indices = np.array([0, 3, 6, 8]), np.array([2, 1, 1, 2, 0, 2, 1, 0])
    assert graphs.triangles(sp.csr_array((np.ones(8), indices, indptr), shape=(3, 3))) == 1


def test_an_explicit_zero_is_an_edge():
    assert (
        graphs.triangles(sp.csr_array((np.zeros(6), ([0, 0, 1, 1, 2, 2], [1, 2, 0, 2, 0, 1])))) == 1
    )


def test_any_number_of_threads_gives_the_same():
    matrix, before = symmetric(rmat(8, 8, seed=5)), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            found.append(graphs.triangles_per_edge(matrix).data.tobytes())
    finally:
        torch.set_num_threads(before)
    assert len(set(found)) == 1


COUNTS = [
    graphs.triangles,
    graphs.triangles_per_vertex,
    graphs.triangles_per_edge,
    graphs.clustering_coefficients,
]


@pytest.mark.parametrize("count", COUNTS)
def test_directed_graphs_are_refused_with_the_edge_named(count):
    with pytest.raises(ValueError, match="vertex 0 has 1 edges out and 0 in"):
        count(sp.csr_array(np.array([[0, 1], [0, 0]])))
    cycle = sp.csr_array(np.array([[0, 1, 0], [0, 0, 1], [1, 0, 0]]))
    with pytest.raises(ValueError, match=r"stores \(0, 1\) but not \(1, 0\)"):
        count(cycle)
    other = sp.csr_array(cycle.T)
    with pytest.raises(ValueError, match=r"stores \(1, 0\) but not \(0, 1\)"):
        count(other)


@pytest.mark.parametrize("count", COUNTS)
def test_what_is_no_graph_is_refused(count):
    with pytest.raises(ValueError, match="square"):
        count(sp.csr_array((2, 3)))
    with pytest.raises(TypeError, match="ndarray"):
        count(np.eye(3))
    bad = sp.csr_array(np.eye(3))
    bad.indices = np.array([0, 7, 2], np.int32)
    with pytest.raises(ValueError, match="A"):
        count(bad)
