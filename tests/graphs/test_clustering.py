# SPDX-License-Identifier: Apache-2.0
"""Markov clustering against dense matrices, and on graphs whose clusters are known."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
from graphs.clustering import Clustering
from workbench.experiments import progress


def of(graph):
    return sp.csr_array(nx.to_scipy_sparse_array(graph, dtype=float))


def dense_mcl(A, expansion, inflation, rounds):
    """Van Dongen's process, column-stochastic and dense, nothing pruned."""
    M = A.T.astype(float)
    np.fill_diagonal(M, 0)
    heaviest = M.max(axis=0)
    np.fill_diagonal(M, np.where(heaviest > 0, heaviest, 1))
    M /= M.sum(axis=0)
    for _ in range(rounds):
        M = np.linalg.matrix_power(M, expansion) ** inflation
        M /= M.sum(axis=0)
    return M


@st.composite
def weighted(draw):
    n = draw(st.integers(1, 9))
    vertex = st.integers(0, n - 1)
    size = st.floats(0.25, 4)
    edges = draw(st.dictionaries(st.tuples(vertex, vertex), size, max_size=24))
    out = np.zeros((n, n))
    for (i, j), w in edges.items():
        out[i, j] = out[j, i] = w
    return out


@settings(deadline=None)
@given(weighted(), st.integers(2, 3), st.sampled_from([1.5, 2.0, 4.0]))
def test_each_vertex_is_where_its_dense_flow_ends(A, expansion, inflation):
    found = graphs.markov_clustering(
        sp.csr_array(A), expansion, inflation, threshold=0, top_k=None, max_iterations=400
    )
    if not found.converged:  # symmetry may keep the flow from coming to rest
        return
    M = dense_mcl(A, expansion, inflation, len(found.history))
    labels = found.labels
    for v in range(A.shape[0]):
        # A cluster holds where the flow of its vertices ends, at least where most of it does.
        most = np.flatnonzero(M[:, v] >= M[:, v].max() - 1e-5)
        assert labels[v] in labels[most]
    stays = np.flatnonzero(np.diag(M) > 1e-3)
    for i in stays:
        for j in stays:
            if M[i, j] > 1e-3:
                assert labels[i] == labels[j]


def test_disjoint_cliques_are_the_clusters():
    cliques = nx.disjoint_union_all([nx.complete_graph(k) for k in (5, 1, 3, 8)])
    found = graphs.markov_clustering(of(cliques))
    assert isinstance(found, Clustering)
    assert found.converged
    assert found.n_clusters == 4
    assert found.labels.tolist() == [0] * 5 + [1] + [2] * 3 + [3] * 8
    assert found.labels.dtype == np.int64


def test_a_weak_bridge_does_not_join_two_cliques():
    A = of(nx.barbell_graph(6, 0))
    found = graphs.markov_clustering(A)
    assert found.labels.tolist() == [0] * 6 + [1] * 6


def test_planted_partitions_are_found():
    graph = nx.planted_partition_graph(6, 20, 0.6, 0.01, seed=1)
    found = graphs.markov_clustering(of(graph))
    assert found.n_clusters == 6
    assert found.labels.tolist() == [v // 20 for v in range(120)]


def test_clusters_lie_within_components_and_get_finer_with_inflation():
    graph = nx.disjoint_union(nx.karate_club_graph(), nx.les_miserables_graph())
    for _, _, data in graph.edges(data=True):
        data.clear()
    counts = []
    for inflation in (1.3, 2.0, 4.0):
        found = graphs.markov_clustering(of(graph), inflation=inflation)
        assert found.converged
        assert not set(found.labels[:34]) & set(found.labels[34:])
        counts.append(found.n_clusters)
    assert counts[0] <= counts[1] <= counts[2]
    assert counts[0] < counts[2]


def test_clusters_do_not_depend_on_the_numbering():
    graph = nx.planted_partition_graph(5, 15, 0.5, 0.02, seed=2)
    A = of(graph)
    A.data = np.random.default_rng(0).uniform(1, 2, A.nnz)  # no ties
    A = sp.csr_array(A + A.T)
    order = np.random.default_rng(1).permutation(75)
    labels = graphs.markov_clustering(A).labels
    other = graphs.markov_clustering(sp.csr_array(A[order][:, order])).labels
    pairs = set(zip(labels[order].tolist(), other.tolist(), strict=True))
    assert len(pairs) == labels.max() + 1


def test_scaling_the_weights_changes_nothing():
    A = of(nx.les_miserables_graph())
    labels = graphs.markov_clustering(A).labels
    for factor in (2.0**-900, 2.0**1000):
        np.testing.assert_array_equal(graphs.markov_clustering(A * factor).labels, labels)


def test_pruning_bounds_the_entries_and_is_recorded():
    A = of(nx.planted_partition_graph(6, 30, 0.5, 0.02, seed=3))
    exact = graphs.markov_clustering(A, threshold=0, top_k=None)
    pruned = graphs.markov_clustering(A, top_k=40)
    np.testing.assert_array_equal(pruned.labels, exact.labels)
    assert all(r.entries <= 40 * 180 for r in pruned.history)
    assert pruned.history[0].expanded > 40 * 180
    assert 0 < pruned.history[0].pruned < 1
    assert all(r.pruned == 0 and r.entries == r.expanded for r in exact.history)
    assert exact.history[-1].change <= 1e-6
    assert exact.history[-1].chaos <= 1e-6


def test_the_same_bits_for_any_number_of_threads():
    A, before = of(nx.planted_partition_graph(6, 40, 0.3, 0.02, seed=4)), torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            result = graphs.markov_clustering(A)
            found.append((result.labels.tobytes(), result.history))
    finally:
        torch.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def test_bipartite_graphs_need_their_loops():
    A = of(nx.complete_bipartite_graph(1, 1))
    assert graphs.markov_clustering(A).labels.tolist() == [0, 0]
    assert graphs.markov_clustering(A, self_loops=0).labels.tolist() == [0, 1]


def test_flow_that_has_not_come_to_rest_is_told():
    found = graphs.markov_clustering(of(nx.karate_club_graph()), max_iterations=2)
    assert not found.converged
    assert len(found.history) == 2
    assert found.labels.shape == (34,)


def test_every_container_gives_the_same(contained):
    A = of(nx.planted_partition_graph(4, 10, 0.7, 0.02, seed=5))
    given_ = contained(A)
    found = graphs.markov_clustering(given_)
    is_scipy = isinstance(given_, (sp.sparray, sp.spmatrix))
    assert isinstance(found.labels, np.ndarray if is_scipy else torch.Tensor)
    assert found.labels.tolist() == [v // 10 for v in range(40)]


def test_empty_graphs():
    none = graphs.markov_clustering(sp.csr_array((0, 0)))
    assert (none.n_clusters, none.converged, none.history) == (0, True, ())
    assert graphs.markov_clustering(sp.csr_array((3, 3))).labels.tolist() == [0, 1, 2]
    zeros = sp.csr_array((np.zeros(2), ([0, 1], [1, 0])), shape=(2, 2))
    assert graphs.markov_clustering(zeros).labels.tolist() == [0, 1]


def test_progress_shows_after_two_seconds_only(capsys, monkeypatch):
    A = of(nx.karate_club_graph())
    graphs.markov_clustering(A)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "_QUIET_S", 0.0)
    graphs.markov_clustering(A)
    assert "markov clustering" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"expansion": 1}, ValueError, "expansion must be at least 2"),
        ({"expansion": 2.5}, TypeError, "expansion must be an integer"),
        ({"inflation": 1.0}, ValueError, "inflation must be above 1"),
        ({"inflation": float("nan")}, ValueError, "inflation must be above 1"),
        ({"self_loops": -1}, ValueError, "self_loops must be at least 0"),
        ({"threshold": 1.0}, ValueError, "threshold"),
        ({"top_k": 0}, ValueError, "top_k"),
        ({"tolerance": -1e-9}, ValueError, "tolerance"),
        ({"max_iterations": 0}, ValueError, "max_iterations"),
    ],
)
def test_wrong_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        graphs.markov_clustering(sp.csr_array(np.ones((2, 2))), **options)


def test_wrong_graphs_are_refused():
    for value in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="weights must be finite and not negative"):
            graphs.markov_clustering(sp.csr_array(np.array([[0, value], [1, 0]])))
    with pytest.raises(TypeError, match="real"):
        graphs.markov_clustering(sp.csr_array(np.ones((2, 2), complex)))
    with pytest.raises(ValueError, match="square"):
        graphs.markov_clustering(sp.csr_array((2, 3)))
