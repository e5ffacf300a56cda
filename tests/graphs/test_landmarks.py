# SPDX-License-Identifier: Apache-2.0
"""Landmarks: bounds hold and searches find what scipy finds, over generated graphs."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from graphs import GENERATORS, DiGraph, landmark_oracle, roundtrip_distances, sssp

DTYPES = [np.int32, np.int64, np.float32, np.float64]


def all_distances(g: DiGraph, mask: np.ndarray | None = None) -> np.ndarray:
    """By scipy, of parallel edges a lightest, zeros kept."""
    dense = np.full((g.n, g.n), np.inf)
    keep = np.ones(g.m, bool) if mask is None else mask
    np.minimum.at(dense, (g.tails[keep], g.heads[keep]), g.weights[keep].astype(float))
    np.fill_diagonal(dense, 0)
    i, j = np.nonzero(np.isfinite(dense))
    # csgraph drops explicit zeros of sparse input unless they are the smallest subnormal.
    weights = np.where(dense[i, j] == 0, 5e-324, dense[i, j])
    found = csgraph.dijkstra(sp.csr_array((weights, (i, j)), shape=(g.n, g.n)))
    found[found < 1e-300] = 0
    return np.asarray(found)


@st.composite
def cases(draw: st.DrawFn) -> tuple[DiGraph, np.ndarray, np.random.Generator]:
    n = draw(st.integers(1, 30))
    m = draw(st.integers(0, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from(DTYPES))
    w = rng.integers(0, draw(st.sampled_from([1, 3, 100, 10**6])), m, endpoint=True)
    if np.dtype(dtype).kind == "f":
        w = w * rng.random(m) * 10.0 ** rng.integers(-6, 6, m)
    w[rng.random(m) < draw(st.sampled_from([0.0, 0.3]))] = 0
    ends = rng.integers(0, n, (2, m))
    g = DiGraph.from_edges(ends[0], ends[1], w.astype(dtype), n)
    return g, rng.choice(n, draw(st.integers(1, n)), replace=False), rng


@settings(max_examples=120, deadline=None)
@given(case=cases())
def test_bounds_hold(case: tuple[DiGraph, np.ndarray, np.random.Generator]) -> None:
    g, landmarks, _ = case
    d = all_distances(g)
    oracle = landmark_oracle(g, landmarks)
    v = np.arange(g.n)
    close = 1e-9 * oracle_scale(d)
    for bounds, truth in ((oracle.bounds, d), (oracle.roundtrip_bounds, d + d.T)):
        lower, upper = bounds(v[:, None], v[None, :])
        assert (lower <= truth + close).all()
        assert (upper >= truth - close).all()
        assert (lower <= upper).all()
        both = np.isin(v, landmarks)[:, None] | np.isin(v, landmarks)[None, :]
        np.testing.assert_allclose(lower[both], truth[both], rtol=1e-9)
        np.testing.assert_allclose(upper[both], truth[both], rtol=1e-9)


def oracle_scale(d: np.ndarray) -> float:
    finite = d[np.isfinite(d)]
    return float(finite.max(initial=0)) + 1e-300


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_bounds_over_a_spanner_hold(case: tuple[DiGraph, np.ndarray, np.random.Generator]) -> None:
    g, landmarks, rng = case
    d = all_distances(g)
    # The trees of the landmarks and some more: any edges that keep their round trips will do.
    mask = rng.random(g.m) < 0.6
    for reverse in (False, True):
        _, tree = sssp(g, landmarks[:1], reverse=reverse, return_parents=True)
        mask[tree[tree >= 0]] = True
    kept = roundtrip_distances(g, landmarks, edge_mask=mask)
    rt = (d + d.T)[landmarks]
    positive = (rt > 0) & np.isfinite(rt)
    if not np.isfinite(kept[np.isfinite(rt)]).all() or (kept[rt == 0] > 0).any():
        return  # no stretch to speak of
    stretch = float((kept[positive] / rt[positive]).max(initial=1)) * (1 + 1e-9)
    close = 1e-9 * max(oracle_scale(d), oracle_scale(kept))
    v = np.arange(g.n)
    for t in (None, stretch):
        oracle = landmark_oracle(g, landmarks, edge_mask=mask, stretch=t)
        for bounds, truth in ((oracle.bounds, d), (oracle.roundtrip_bounds, d + d.T)):
            lower, upper = bounds(v[:, None], v[None, :])
            assert (lower <= truth + close).all()
            assert (upper >= truth - close).all()
    lower, upper = oracle.roundtrip_bounds(landmarks[:, None], v)
    np.testing.assert_allclose(upper, kept, rtol=1e-9)
    assert (lower >= kept / stretch - close).all()


@settings(max_examples=120, deadline=None)
@given(case=cases(), active=st.sampled_from([0, 1, 2, 8]), masked=st.booleans())
def test_searches_find_the_distance_to_the_bit(
    case: tuple[DiGraph, np.ndarray, np.random.Generator], active: int, masked: bool
) -> None:
    g, landmarks, rng = case
    mask = rng.random(g.m) < 0.7 if masked else None
    oracle = landmark_oracle(g, landmarks, edge_mask=mask)
    u, v = (x.ravel() for x in np.meshgrid(np.arange(g.n), np.arange(g.n)))
    distances, paths, settled = oracle.search_pairs(u, v, active=active)
    np.testing.assert_array_equal(distances, sssp(g, np.arange(g.n), edge_mask=mask)[u, v])
    np.testing.assert_allclose(distances, all_distances(g, mask)[u, v], rtol=1e-9, atol=1e-300)
    for i in rng.choice(u.size, min(60, u.size), replace=False):
        at, length = u[i], 0.0
        for e in paths[i]:
            assert g.tails[e] == at
            assert mask is None or mask[e]
            at, length = g.heads[e], length + float(g.weights[e])
        if np.isfinite(distances[i]):
            assert at == v[i]
            assert length == distances[i]
        else:
            assert paths[i].size == 0
    assert (settled <= 3 * g.n).all()


@pytest.mark.parametrize("name", GENERATORS)
def test_adversarial_graphs(name: str) -> None:
    g = GENERATORS[name](small=True)
    oracle = landmark_oracle(g, [0, g.n // 2])
    u, v = np.random.default_rng(0).integers(0, g.n, (2, 200))
    distances, _, settled = oracle.search_pairs(u, v)
    np.testing.assert_array_equal(distances, sssp(g, np.arange(g.n))[u, v])
    assert (settled <= g.n).all()


def test_searches_look_at_less_than_dijkstra() -> None:
    g = GENERATORS["grid1m"].function(60, 60, seed=3)
    oracle = landmark_oracle(g, [0, 59, 3540, 3599, 1830, 1770])
    u, v = np.random.default_rng(1).integers(0, g.n, (2, 100))
    guided = oracle.search_pairs(u, v)
    plain = oracle.search_pairs(u, v, active=0)
    np.testing.assert_array_equal(guided[0], plain[0])
    assert guided[2].sum() < 0.25 * plain[2].sum()
    for threads in (2, 5):
        again = oracle.search_pairs(u, v, num_threads=threads)
        np.testing.assert_array_equal(again[0], guided[0])
        np.testing.assert_array_equal(again[2], guided[2])
        for a, b in zip(again[1], guided[1], strict=True):
            np.testing.assert_array_equal(a, b)
    route = oracle.search(int(u[0]), int(v[0]), compare=True)
    assert route.distance == guided[0][0]
    assert route.settled_plain == plain[2][0]
    assert route.edges.tolist() == guided[1][0].tolist()
    assert oracle.search(0, 1).settled_plain is None


def test_large_integers_and_ties() -> None:
    n = 50
    w = np.full(n, 2**56 + 1, np.int64)
    ring = DiGraph.from_edges(np.arange(n), (np.arange(n) + 1) % n, w)
    distances, paths, _ = landmark_oracle(ring, [7]).search_pairs([3, 9], [2, 9])
    assert distances.tolist() == [float(49 * (2**56 + 1)), 0]
    assert [p.size for p in paths] == [49, 0]
    flat = GENERATORS["grid1m"].function(30, 30, 0.0, 1, 1)
    g = DiGraph.from_edges(flat.tails, flat.heads, np.full(flat.m, 0.1))
    oracle = landmark_oracle(g, [0, 899])
    u, v = np.random.default_rng(1).integers(0, g.n, (2, 100))
    np.testing.assert_array_equal(oracle.search_pairs(u, v)[0], sssp(g, u)[np.arange(100), v])


def test_it_can_be_sent_elsewhere() -> None:
    g = GENERATORS["petals"](small=True)
    oracle = landmark_oracle(g, [3, 1])
    again = pickle.loads(pickle.dumps(oracle))
    assert again.search(2, 9).edges.tolist() == oracle.search(2, 9).edges.tolist()
    assert again.nbytes == oracle.nbytes == 2 * 8 * 2 * g.n
    assert "2 landmarks" in repr(again)
    assert oracle.bounds(2, 9)[0].shape == ()
    assert oracle.search_pairs([], [])[1] == []
    assert oracle.bounds([], [])[0].shape == (0,)


def test_bad_input_is_named() -> None:
    g = GENERATORS["cycle"](small=True)
    for sources, what in [([], "empty"), ([1, 1], "different"), ([30], r"sources must be in")]:
        with pytest.raises(ValueError, match=what):
            landmark_oracle(g, sources)
    with pytest.raises(TypeError, match="sources must be integers"):
        landmark_oracle(g, [0.5])
    with pytest.raises(ValueError, match="edge_mask"):
        landmark_oracle(g, [0], edge_mask=[True])
    with pytest.raises(ValueError, match="give its edge_mask"):
        landmark_oracle(g, [0], stretch=2)
    with pytest.raises(ValueError, match=r"stretch must be at least 1, got 0\.5"):
        landmark_oracle(g, [0], edge_mask=np.ones(g.m, bool), stretch=0.5)
    oracle = landmark_oracle(g, [0])
    with pytest.raises(ValueError, match=r"v must be in \[0, 30\), got 30"):
        oracle.bounds(0, 30)
    with pytest.raises(TypeError, match="u must be integers"):
        oracle.search(0.5, 3)
    with pytest.raises(ValueError, match="active"):
        oracle.search(0, 1, active=-1)
    with pytest.raises(ValueError, match="single"):
        oracle.search([0], 1)
    with pytest.raises(ValueError, match="one length"):
        oracle.search_pairs([0, 1], [1])
