# SPDX-License-Identifier: Apache-2.0
"""Near searches, round trips, balls and growing graphs against scipy.sparse.csgraph."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from graphs.digraph import DiGraph
from graphs.growing_paths import IncrementalPaths
from graphs.searches import (
    ball,
    ball_sizes,
    nearest_two,
    roundtrip_ball,
    roundtrip_distances,
    sssp,
)

DTYPES = [np.int32, np.int64, np.float32, np.float64]


def all_pairs(g: DiGraph, mask: np.ndarray | None = None) -> np.ndarray:
    """By scipy, parallel edges reduced to a lightest, zeros kept by a subnormal."""
    w = np.full((g.n, g.n), np.inf)
    used = np.ones(g.m, bool) if mask is None else mask
    np.minimum.at(w, (g.tails[used], g.heads[used]), g.weights[used].astype(float))
    tails, heads = np.nonzero(np.isfinite(w))
    weights = np.where(w[tails, heads] == 0, 5e-324, w[tails, heads])
    d = csgraph.dijkstra(sp.csr_array((weights, (tails, heads)), shape=(g.n, g.n)))
    d[d < 1e-300] = 0
    return d


@st.composite
def digraphs(draw: st.DrawFn) -> DiGraph:
    n = draw(st.integers(1, 40))
    m = draw(st.integers(0, 200))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    top = draw(st.sampled_from([1, 3, 100, 2**16, 2**20, 2**30, 2**40]))
    w = rng.integers(0, min(top, 2**30) if dtype == np.int32 else top, m, endpoint=True)
    w[rng.random(m) < draw(st.sampled_from([0.0, 0.3]))] = 0
    if dtype.kind == "f":
        w = w * rng.random(m)
        if draw(st.booleans()):  # over many magnitudes: the radix heap's
            w = 10.0 ** rng.uniform(-6, 9, m)
    return DiGraph.from_edges(*rng.integers(0, n, (2, m)), w.astype(dtype), n)


def limits(d: np.ndarray, rng: np.random.Generator) -> float:
    """A limit that some distances meet exactly and some exceed."""
    finite = d[np.isfinite(d)]
    return float(rng.choice(finite)) if rng.random() < 0.8 else float(finite.max()) * 1.5


seeds = st.integers(0, 2**32)
# Sums made in another order differ in the last bits; those at the limit may fall either side.
near_limit = 1e-9


@settings(max_examples=150, deadline=None)
@given(g=digraphs(), seed=seeds, reverse=st.booleans(), masked=st.booleans())
def test_sparse_rows_are_scipys(g: DiGraph, seed: int, reverse: bool, masked: bool) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random(g.m) < 0.7 if masked else None
    expected = all_pairs(g, mask)
    expected = expected.T if reverse else expected
    limit = limits(expected, rng)
    rows = sssp(
        g,
        np.arange(g.n),
        reverse=reverse,
        limit=limit,
        edge_mask=mask,
        sparse=True,
        return_parents=True,
    )
    dense, parents = sssp(
        g, np.arange(g.n), reverse=reverse, limit=limit, edge_mask=mask, return_parents=True
    )
    filled = np.full((g.n, g.n), np.inf)
    i = np.repeat(np.arange(g.n), np.diff(rows.indptr))
    filled[i, rows.vertices] = rows.distances
    np.testing.assert_array_equal(filled, dense)
    np.testing.assert_array_equal(rows.parents, parents[i, rows.vertices])
    assert (np.diff(rows.vertices)[np.diff(i) == 0] > 0).all()
    clear = np.abs(expected - limit) > near_limit * limit
    if g.weights.dtype.kind == "i":
        clear[:] = True
    cut = np.where(expected <= limit, expected, np.inf)
    np.testing.assert_allclose(dense[clear], cut[clear], rtol=1e-12)
    assert rows.to_scipy().shape == (g.n, g.n)
    assert rows.to_scipy().nnz == rows.vertices.size


@settings(max_examples=150, deadline=None)
@given(g=digraphs(), seed=seeds, masked=st.booleans())
def test_round_trips_dense_and_sparse(g: DiGraph, seed: int, masked: bool) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random(g.m) < 0.8 if masked else None
    d = all_pairs(g, mask)
    expected = d + d.T
    sources = np.arange(g.n)
    np.testing.assert_allclose(roundtrip_distances(g, sources, edge_mask=mask), expected, 1e-12)
    limit = limits(expected, rng)
    dense = roundtrip_distances(g, sources, limit=limit, edge_mask=mask)
    rows = roundtrip_distances(g, sources, limit=limit, edge_mask=mask, sparse=True)
    filled = np.full((g.n, g.n), np.inf)
    filled[np.repeat(sources, np.diff(rows.indptr)), rows.vertices] = rows.distances
    np.testing.assert_array_equal(filled, dense)
    clear = np.abs(expected - limit) > near_limit * limit
    if g.weights.dtype.kind == "i":
        clear[:] = True
    cut = np.where(expected <= limit, expected, np.inf)
    np.testing.assert_allclose(dense[clear], cut[clear], rtol=1e-12)
    assert rows.parents is None


@settings(max_examples=100, deadline=None)
@given(g=digraphs(), seed=seeds, reverse=st.booleans())
def test_targets_leave_nothing_behind_for_the_next_source(
    g: DiGraph, seed: int, reverse: bool
) -> None:
    rng = np.random.default_rng(seed)
    targets = rng.integers(0, g.n, 2)
    expected = all_pairs(g)
    expected = expected.T if reverse else expected
    found, parents = sssp(
        g, np.arange(g.n), targets=targets, reverse=reverse, return_parents=True, num_threads=1
    )
    np.testing.assert_allclose(found[:, targets], expected[:, targets], rtol=1e-12)
    reached = np.isfinite(found)
    np.testing.assert_allclose(found[reached], expected[reached], rtol=1e-12)
    assert ((parents >= 0) == (reached & ~np.eye(g.n, dtype=bool))).all()


@settings(max_examples=100, deadline=None)
@given(g=digraphs(), seed=seeds, reverse=st.booleans())
def test_a_ball_and_the_tree_that_spans_it(g: DiGraph, seed: int, reverse: bool) -> None:
    rng = np.random.default_rng(seed)
    v = int(rng.integers(g.n))
    radius = limits(all_pairs(g), rng)
    expected = sssp(g, v, reverse=reverse, limit=radius)
    found = ball(g, v, radius, reverse=reverse)
    assert set(found.vertices) == set(np.flatnonzero(np.isfinite(expected)))
    np.testing.assert_array_equal(found.distances, expected[found.vertices])
    assert (np.diff(found.distances) >= 0).all()
    assert found.edges.size == found.vertices.size - 1
    tree = np.zeros(g.m, bool)
    tree[found.edges] = True
    np.testing.assert_allclose(
        sssp(g, v, reverse=reverse, edge_mask=tree)[found.vertices], found.distances, rtol=1e-12
    )


@settings(max_examples=100, deadline=None)
@given(g=digraphs(), seed=seeds)
def test_a_round_trip_ball_and_its_trees(g: DiGraph, seed: int) -> None:
    rng = np.random.default_rng(seed)
    v = int(rng.integers(g.n))
    d = all_pairs(g)
    radius = limits(d + d.T, rng)
    expected = roundtrip_distances(g, v, limit=radius)
    found = roundtrip_ball(g, v, radius)
    assert set(found.vertices) == set(np.flatnonzero(np.isfinite(expected)))
    np.testing.assert_array_equal(found.distances, expected[found.vertices])
    assert (np.diff(found.distances) >= 0).all()
    assert found.edges.size <= 2 * (found.vertices.size - 1) or g.weights.dtype.kind == "f"
    trees = np.zeros(g.m, bool)
    trees[found.edges] = True
    np.testing.assert_allclose(
        roundtrip_distances(g, v, edge_mask=trees)[found.vertices], found.distances, rtol=1e-9
    )


@settings(max_examples=150, deadline=None)
@given(g=digraphs(), seed=seeds, reverse=st.booleans())
def test_two_nearest_centres(g: DiGraph, seed: int, reverse: bool) -> None:
    rng = np.random.default_rng(seed)
    d = all_pairs(g)
    d = d.T if reverse else d
    centres = rng.permutation(g.n)[: int(rng.integers(1, g.n + 1))]
    scale = float(d[np.isfinite(d)].max()) or 1.0
    # Halves and integers add without rounding, so that the limit decides exactly.
    offsets = np.floor(rng.random(centres.size) * scale)
    limit = float(rng.choice([np.inf, 0.0, np.floor(scale / 2) + 0.5]))
    keys = d[centres] - offsets[:, None]
    keys[keys > limit] = np.inf
    best = np.sort(np.vstack([keys, np.full((2, g.n), np.inf)]), axis=0)[:2].T
    found = nearest_two(g, centres, offsets, limit, reverse=reverse)
    rounding = 1e-9 * scale if g.weights.dtype.kind == "f" else 0
    with np.errstate(invalid="ignore"):
        loose = np.abs(best - limit) <= rounding
        loose |= np.isinf(best) & (np.abs(found.keys - limit) <= rounding)
    np.testing.assert_allclose(found.keys[~loose], best[~loose], rtol=1e-9, atol=rounding)
    for v, rank in zip(*np.nonzero(found.centres >= 0), strict=True):
        c = found.centres[v, rank]
        np.testing.assert_allclose(
            found.keys[v, rank], d[c, v] - offsets[centres == c][0], rtol=1e-9, atol=rounding
        )
    both = (found.centres >= 0).all(axis=1)
    assert (found.centres[both, 0] != found.centres[both, 1]).all()
    assert ((found.centres >= 0) == np.isfinite(found.keys)).all()


@settings(max_examples=100, deadline=None)
@given(g=digraphs(), seed=seeds, reverse=st.booleans())
def test_insertions_are_recomputations(g: DiGraph, seed: int, reverse: bool) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random(g.m) < 0.3
    source = int(rng.integers(g.n))
    paths = IncrementalPaths(g, source, reverse=reverse, edge_mask=mask)
    live = paths.distances
    mask = mask.copy()
    for edges in np.array_split(rng.permutation(g.m), 6):
        before = live.copy()
        changed = paths.insert(edges)
        mask[edges] = True
        expected = sssp(g, source, reverse=reverse, edge_mask=mask)
        np.testing.assert_array_equal(live, expected)
        np.testing.assert_array_equal(changed, np.flatnonzero(live != before))
        np.testing.assert_array_equal(paths.edge_mask, mask)
        parents = paths.parents
        has = parents >= 0
        np.testing.assert_array_equal(has, np.isfinite(live) & (np.arange(g.n) != source))
        ends = (g.heads, g.tails) if reverse else (g.tails, g.heads)
        np.testing.assert_array_equal(ends[1][parents[has]], np.flatnonzero(has))
        tree = np.zeros(g.m, bool)
        tree[parents[has]] = True
        np.testing.assert_array_equal(sssp(g, source, reverse=reverse, edge_mask=tree), live)
    assert paths.insert(np.arange(g.m)).size == 0


@settings(max_examples=60, deadline=None)
@given(g=digraphs(), seed=seeds, reverse=st.booleans())
def test_small_ball_sizes_are_exact(g: DiGraph, seed: int, reverse: bool) -> None:
    rng = np.random.default_rng(seed)
    of = rng.permutation(g.n)[: int(rng.integers(0, g.n + 1))]
    d = sssp(g, of, reverse=not reverse)  # summed in the order in which the sketches sum
    radius = limits(np.vstack([d, np.zeros((1, g.n))]), rng)
    count = (d <= radius).sum(axis=0)
    np.testing.assert_array_equal(ball_sizes(g, radius, of, reverse=reverse), count)
    k = 5
    sketched = ball_sizes(g, radius, of, reverse=reverse, k=k, seed=seed)
    small = (count < k) | (of.size <= k)
    np.testing.assert_array_equal(sketched[small], count[small])
    assert (sketched[~small] > k - 1).all()


@pytest.mark.parametrize("dtype", [np.int32, np.float64])
@pytest.mark.parametrize("reverse", [False, True])
def test_sketched_sizes_have_no_bias(dtype: type, reverse: bool) -> None:
    rng = np.random.default_rng(7)
    n, m, k, repeats = 800, 6000, 16, 60
    g = DiGraph.from_edges(*rng.integers(0, n, (2, m)), rng.integers(1, 50, m).astype(dtype), n)
    d = sssp(g, np.arange(n), reverse=reverse)
    radius = float(np.quantile(d[np.isfinite(d)], 0.4))
    count = (d <= radius).sum(axis=1)
    many = count >= k
    assert many.sum() > n / 2
    ratio = np.array(
        [
            ball_sizes(g, radius, reverse=reverse, k=k, seed=s)[many] / count[many]
            for s in range(repeats)
        ]
    )
    error = 1 / np.sqrt(k - 2)
    # Vertices of one sketch go together; sketches do not.
    assert abs(ratio.mean() - 1) < 4 * error / np.sqrt(repeats)
    assert np.sqrt(((ratio - 1) ** 2).mean()) < 1.3 * error
    np.testing.assert_array_equal(
        ball_sizes(g, radius, reverse=reverse, k=k, seed=3),
        ball_sizes(g, radius, reverse=reverse, k=k, seed=3),
    )


def test_the_same_for_any_number_of_threads() -> None:
    rng = np.random.default_rng(5)
    n, m = 4000, 40000
    for w in (rng.integers(1, 100, m), rng.random(m), 10.0 ** rng.uniform(-6, 9, m)):
        g = DiGraph.from_edges(*rng.integers(0, n, (2, m)), w, n)
        limit = float(np.median(sssp(g, 0)))
        for f in (
            lambda t, g=g, x=limit: sssp(
                g, np.arange(99), limit=x, sparse=True, return_parents=True, num_threads=t
            )[:4],
            lambda t, g=g: sssp(g, np.arange(99), return_parents=True, num_threads=t),
            lambda t, g=g: (roundtrip_distances(g, np.arange(99), num_threads=t),),
            lambda t, g=g, x=limit: roundtrip_distances(
                g, np.arange(99), limit=2 * x, sparse=True, num_threads=t
            )[:3],
        ):
            one = f(1)
            for threads in (2, 5):
                for a, b in zip(one, f(threads), strict=True):
                    np.testing.assert_array_equal(a, b)


def test_integers_beyond_32_bits_take_wide_distances() -> None:
    n = 64
    w = np.full(n - 1, 2**30, np.int32)
    g = DiGraph.from_edges(np.arange(n - 1), np.arange(1, n), w, n)
    # The first source overflows 32 bits, the last does not.
    found = sssp(g, [0, n - 2, 0, n - 1], num_threads=1)
    np.testing.assert_array_equal(found[0], np.arange(n) * 2.0**30)
    np.testing.assert_array_equal(found[2], found[0])
    np.testing.assert_array_equal(found[1, -2:], [0, 2**30])
    assert np.isinf(found[3, :-1]).all()
    np.testing.assert_array_equal(sssp(g, [0], limit=2.0**35, sparse=True).distances.max(), 2**35)


@pytest.mark.parametrize("dtype", DTYPES)
def test_long_chains_of_tiny_weights_within_a_bucket(dtype: type) -> None:
    rng = np.random.default_rng(11)
    n = 3000  # a chain, shortcuts that look good at first, and a crowd of long edges
    chain = np.arange(n - 1), np.arange(1, n), np.ones(n - 1)
    a = rng.integers(0, n - 40, 4 * n)
    jump = rng.integers(2, 40, 4 * n)
    far = rng.integers(0, n, (2, 200 * n))
    g = DiGraph.from_edges(
        np.concatenate([chain[0], a, far[0]]),
        np.concatenate([chain[1], a + jump, far[1]]),
        np.concatenate([chain[2], jump + 1.0, np.full(200 * n, 1e6)]).astype(dtype),
        n,
    )
    np.testing.assert_array_equal(sssp(g, 0), np.arange(n))


def test_the_largest_floats() -> None:
    g = DiGraph.from_edges([0, 1, 2, 3], [1, 2, 3, 0], [1e308, 1e308, 5e-324, 0.0])
    assert sssp(g, 0).tolist() == [0, 1e308, np.inf, np.inf]
    assert sssp(g, 2).tolist() == [5e-324, 1e308, 0, 5e-324]


def test_zero_weights_in_every_search() -> None:
    n = 50
    g = DiGraph.from_edges(np.arange(n), (np.arange(n) + 1) % n, np.zeros(n))
    assert roundtrip_distances(g, [3], limit=0, sparse=True).vertices.size == n
    assert ball(g, 0, 0).vertices.size == n
    found = roundtrip_ball(g, 0, 0)
    assert (found.vertices.size, found.edges.size) == (n, n)
    assert (ball_sizes(g, 0, k=60) == n).all()
    assert (nearest_two(g, [0, 1]).keys == 0).all()


def test_nothing_at_all() -> None:
    g = DiGraph.from_edges([], [], [], n=2)
    rows = sssp(g, [], limit=3, sparse=True)
    assert rows.indptr.tolist() == [0]
    assert rows.to_scipy().shape == (0, 2)
    assert roundtrip_distances(g, []).shape == (0, 2)
    assert roundtrip_distances(g, 1).tolist() == [np.inf, 0]
    assert ball(g, 1, 7).vertices.tolist() == [1]
    assert roundtrip_ball(g, 1, 7).edges.size == 0
    assert ball_sizes(g, 1, []).tolist() == [0, 0]
    assert ball_sizes(g, 1).tolist() == [1, 1]
    assert nearest_two(g, []).centres.tolist() == [[-1, -1], [-1, -1]]
    assert IncrementalPaths(g, 0).insert([]).size == 0


def test_bad_input_is_named() -> None:
    g = DiGraph.from_edges([0, 1], [1, 0], [1.0, 2.0])
    for f in (sssp, roundtrip_distances):
        with pytest.raises(ValueError, match="need a limit"):
            f(g, [0], sparse=True)
        with pytest.raises(ValueError, match=r"sources must be in \[0, 2\), got 2"):
            f(g, [2])
        with pytest.raises(TypeError, match="sources must be integers"):
            f(g, [0.0])
        with pytest.raises(ValueError, match="edge_mask"):
            f(g, [0], edge_mask=[True])
        for limit in (-1.0, np.nan):
            with pytest.raises(ValueError, match="limit"):
                f(g, [0], limit=limit)
    with pytest.raises(ValueError, match="targets"):
        sssp(g, [0], limit=1, sparse=True, targets=[1])
    for f in (ball, roundtrip_ball):
        with pytest.raises(ValueError, match=r"vertex must be in \[0, 2\), got -1"):
            f(g, -1, 1)
        for bad in (0.5, True, [0]):
            with pytest.raises(TypeError, match="vertex must be an integer"):
                f(g, bad, 1)
        for radius in (-1, np.nan):
            with pytest.raises(ValueError, match="radius"):
                f(g, 0, radius)
    with pytest.raises(ValueError, match="radius"):
        ball_sizes(g, -1)
    with pytest.raises(ValueError, match="distinct"):
        ball_sizes(g, 1, [0, 0])
    with pytest.raises(ValueError, match=r"of must be in \[0, 2\)"):
        ball_sizes(g, 1, [2])
    for bad in ({"k": 2}, {"seed": -1}, {"seed": 2**64}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            ball_sizes(g, 1, **bad)
    with pytest.raises(ValueError, match="distinct"):
        nearest_two(g, [1, 1])
    with pytest.raises(ValueError, match="offsets must have shape"):
        nearest_two(g, [1], [1.0, 2.0])
    with pytest.raises(ValueError, match="offsets must be finite"):
        nearest_two(g, [1], [np.nan])
    with pytest.raises(ValueError, match="limit"):
        nearest_two(g, [1], limit=np.nan)
    with pytest.raises(ValueError, match=r"source must be in \[0, 2\)"):
        IncrementalPaths(g, 2)
    with pytest.raises(ValueError, match="edge_mask"):
        IncrementalPaths(g, 0, edge_mask=[1, 0])
    paths = IncrementalPaths(g, 0)
    with pytest.raises(ValueError, match=r"edges must be in \[0, 2\), got 2"):
        paths.insert([2])
    with pytest.raises(TypeError, match="edges must be integers"):
        paths.insert([0.5])
    with pytest.raises(ValueError, match="read-only"):
        paths.distances[0] = 1
