# SPDX-License-Identifier: Apache-2.0
"""Every method keeps its bound, by scipy's distances; the mask is a function of seed and graph."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from graphs import DiGraph, roundtrip_spanner

METHODS = ["exact", "greedy", "cover", "rtz"]
TINY = 5e-324  # csgraph takes a stored zero for no edge


def distances(g: DiGraph, mask: np.ndarray | None = None) -> np.ndarray:
    """All pairs, by scipy; parallel edges reduced to the lightest, zeros kept."""
    dense = np.full((g.n, g.n), np.inf)
    keep = slice(None) if mask is None else mask
    np.minimum.at(dense, (g.tails[keep], g.heads[keep]), g.weights[keep].astype(float))
    np.fill_diagonal(dense, np.inf)
    i, j = np.nonzero(np.isfinite(dense))
    w = dense[i, j]
    w[w == 0] = TINY
    out = csgraph.dijkstra(sp.csr_array((w, (i, j)), shape=(g.n, g.n)))
    out[out < 1e-300] = 0
    return out


def roundtrips(g: DiGraph, mask: np.ndarray | None = None) -> np.ndarray:
    d = distances(g, mask)
    return d + d.T


def keeps(g: DiGraph, mask: np.ndarray, sources: np.ndarray, stretch: float) -> bool:
    allowed = stretch * roundtrips(g)[sources] * (1 + 1e-9)
    return bool((roundtrips(g, mask)[sources] <= allowed).all())


@st.composite
def digraphs(draw: st.DrawFn) -> DiGraph:
    n = draw(st.integers(1, 40))
    m = draw(st.integers(0, 5 * n))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(["small", "wide", "huge", "float", "magnitudes", "single"]))
    if kind == "small":
        w = rng.integers(1, 10, m)
    elif kind == "wide":
        w = rng.integers(1, 2**20, m).astype(np.int32)
    elif kind == "huge":
        w = rng.integers(1, 2**50, m)
    elif kind == "float":
        w = rng.random(m) + 1e-3
    elif kind == "single":
        w = rng.random(m).astype(np.float32)
    else:
        w = 10.0 ** rng.uniform(-6, 9, m)
    w[rng.random(m) < draw(st.sampled_from([0.0, 0.0, 0.3]))] = 0
    ends = rng.integers(0, n, (2, m))
    return DiGraph.from_edges(ends[0], ends[1], w, n)


@settings(max_examples=150, deadline=None)
@given(
    g=digraphs(),
    method=st.sampled_from([*METHODS, "auto"]),
    stretch=st.sampled_from([1, 1.5, 3, 5.0, 8, 12, 20, 48, 96]),
    prune=st.booleans(),
    data=st.data(),
)
def test_the_bound_holds(
    g: DiGraph, method: str, stretch: float, prune: bool, data: st.DataObject
) -> None:
    sources = np.array(data.draw(st.lists(st.integers(0, g.n - 1), min_size=1, max_size=g.n)))
    seed = data.draw(st.integers(0, 1000))
    spanner = roundtrip_spanner(
        g, sources, stretch, method=method, prune=prune, seed=seed, verify="none"
    )
    assert spanner.edge_mask.shape == (g.m,)
    assert spanner.stretch_bound <= stretch
    assert keeps(g, spanner.edge_mask, sources, spanner.stretch_bound)
    # Of parallel edges at most one; never a self loop; never an edge between components.
    _, component = g.components
    keep = spanner.edge_ids
    assert (g.tails[keep] != g.heads[keep]).all()
    assert (component[g.tails[keep]] == component[g.heads[keep]]).all()
    pairs = set(zip(g.tails[keep].tolist(), g.heads[keep].tolist(), strict=True))
    assert len(pairs) == keep.size


@settings(max_examples=60, deadline=None)
@given(
    g=digraphs(),
    stretch=st.sampled_from([2.0, 6.0, 12.0, 17.0, 24.0, 48.0]),
    seed=st.integers(0, 1000),
)
def test_no_certificate_is_contradicted(g: DiGraph, stretch: float, seed: int) -> None:
    """What each scale certified adds up, and the stretch of all pairs keeps the bound."""
    spanner = roundtrip_spanner(
        g, np.arange(g.n), stretch, method="cover", seed=seed, verify="full"
    )
    for scale in spanner.certificate.scales:
        assert sum(scale["certified"]) + scale["fallback"] == scale["sources"]
        assert scale["by_carving"] + scale["alone"] <= scale["sources"]
        assert len(scale["certified"]) == scale["repetitions"] <= 30
    assert spanner.stretch is not None
    assert spanner.stretch.max <= stretch * (1 + 1e-9)


@pytest.fixture(scope="module")
def dense() -> DiGraph:
    rng = np.random.default_rng(3)
    tails, heads = rng.integers(0, 300, (2, 6000))
    return DiGraph.from_edges(tails, heads, rng.integers(1, 1000, 6000), 300)


@pytest.fixture(scope="module")
def street() -> DiGraph:
    grid = nx.grid_2d_graph(25, 25).to_directed()
    rng = np.random.default_rng(4)
    for u, v in list(grid.edges):
        grid[u][v]["weight"] = float(rng.uniform(1, 20))
    return DiGraph.from_networkx(grid)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["dense", "street"])
def test_the_same_mask_for_any_threads_and_anywhere(
    method: str, name: str, request: pytest.FixtureRequest
) -> None:
    g = request.getfixturevalue(name)
    sources = np.arange(0, g.n, 4)
    stretch = {"greedy": 2.0, "cover": 20.0}.get(method, 8.0)
    one = roundtrip_spanner(g, sources, stretch, method=method, num_threads=1, seed=5)
    for threads in (2, 5):
        many = roundtrip_spanner(
            g, sources, stretch, method=method, num_threads=threads, seed=5, verify="none"
        )
        np.testing.assert_array_equal(one.edge_mask, many.edge_mask)
        assert one.certificate.scales == many.certificate.scales
    with ThreadPoolExecutor(2) as pool:
        far = roundtrip_spanner(g, sources, stretch, method=method, executor=pool, seed=5)
    np.testing.assert_array_equal(one.edge_mask, far.edge_mask)
    assert one.certificate.scales == far.certificate.scales
    assert str(one.stretch) == str(far.stretch)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_mask_in_other_processes(street: DiGraph, method: str) -> None:
    sources = np.arange(0, street.n, 5)
    here = roundtrip_spanner(street, sources, 16.0, method=method)
    with ProcessPoolExecutor(2) as pool:
        there = roundtrip_spanner(street, sources, 16.0, method=method, executor=pool)
    np.testing.assert_array_equal(here.edge_mask, there.edge_mask)


def test_the_same_mask_whatever_openmp_is_told() -> None:
    code = (
        "import numpy as np\n"
        "from graphs import DiGraph, roundtrip_spanner\n"
        "rng = np.random.default_rng(0)\n"
        "g = DiGraph.from_edges(*rng.integers(0, 2000, (2, 40000)), rng.random(40000), 2000)\n"
        "for method, t in (('cover', 24), ('greedy', 3), ('rtz', 8)):\n"
        "    s = roundtrip_spanner(g, np.arange(40), t, method=method, verify='none')\n"
        "    print(hash(s.edge_mask.tobytes()), s.size)\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OMP_NUM_THREADS": threads, "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "5")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("method", ["greedy", "cover", "rtz"])
def test_renumbered_vertices_keep_the_bound(dense: DiGraph, method: str) -> None:
    rng = np.random.default_rng(9)
    to = rng.permutation(dense.n)
    g = DiGraph.from_edges(to[dense.tails], to[dense.heads], dense.weights, dense.n)
    sources = to[:40]
    spanner = roundtrip_spanner(g, sources, 8, method=method, verify="none")
    assert keeps(g, spanner.edge_mask, sources, 8)


def test_sizes_have_their_order(dense: DiGraph) -> None:
    sources = np.arange(0, 300, 10)
    size = {m: roundtrip_spanner(dense, sources, 3, method=m).size for m in ("exact", "greedy")}
    pruned = roundtrip_spanner(dense, sources, 3, method="greedy", prune=True)
    assert 300 <= pruned.size < size["greedy"] < size["exact"]
    assert pruned.certificate.method == "greedy+prune"
    # Nothing more can go: every edge is needed by somebody.
    for e in pruned.edge_ids[::17]:
        less = pruned.edge_mask.copy()
        less[e] = False
        assert not keeps(dense, less, sources, 3)


def smallest(g: DiGraph, sources: np.ndarray, stretch: float) -> int:
    """The fewest edges there can be, by trying all sets."""
    for size in range(g.m + 1):
        for chosen in itertools.combinations(range(g.m), size):
            mask = np.zeros(g.m, bool)
            mask[list(chosen)] = True
            if keeps(g, mask, sources, stretch):
                return size
    raise AssertionError


def test_next_to_the_optimum_of_brute_force() -> None:
    gaps = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n = 5
        ring = np.arange(n)
        tails = np.concatenate([ring, rng.integers(0, n, 4)])
        heads = np.concatenate([(ring + 1) % n, rng.integers(0, n, 4)])
        g = DiGraph.from_edges(tails, heads, rng.integers(1, 10, n + 4), n)
        sources = np.array([0, 2])
        found = roundtrip_spanner(g, sources, 1.5, method="greedy", prune=True)
        gaps.append(found.size - smallest(g, sources, 1.5))
    assert min(gaps) >= 0
    assert np.mean(gaps) <= 0.5


def ring(n: int, weight: float = 1) -> DiGraph:
    return DiGraph.from_edges(np.arange(n), (np.arange(n) + 1) % n, np.full(n, weight))


@pytest.mark.parametrize("method", METHODS)
def test_a_cycle_and_a_path_with_its_way_back_are_needed_whole(method: str) -> None:
    for g in (ring(30), ring(30, 0.5), ring(30, 2**40)):
        spanner = roundtrip_spanner(g, [3, 7], 40, method=method, prune=True)
        assert spanner.edge_mask.all()


@pytest.mark.parametrize("method", METHODS)
def test_one_way_bipartite_needs_nothing(method: str) -> None:
    i, j = np.divmod(np.arange(400), 20)
    g = DiGraph.from_edges(i, 20 + j)
    spanner = roundtrip_spanner(g, np.arange(40), 2, method=method)
    assert spanner.size == 0
    assert spanner.stats["lone_sources"] == 40
    assert spanner.stats["active_vertices"] == 0


def test_bipartite_with_a_hub_back_shrinks_to_a_star() -> None:
    k = 20
    i, j = np.divmod(np.arange(k * k), k)
    right = np.arange(k, 2 * k)
    tails = np.concatenate([i, right, np.full(k, 2 * k), np.arange(k), np.full(k, 2 * k)])
    heads = np.concatenate([k + j, np.full(k, 2 * k), np.arange(k), np.full(k, 2 * k), right])
    g = DiGraph.from_edges(tails, heads)
    spanner = roundtrip_spanner(g, np.arange(2 * k + 1), 2, method="greedy", prune=True)
    assert spanner.size <= 4 * k


@pytest.mark.parametrize("method", METHODS)
def test_zero_weight_cycles_stay_at_zero(method: str) -> None:
    # Two blobs of zero weight joined by a cycle, with parallel and heavier ways.
    tails = [0, 1, 2, 0, 3, 4, 5, 3, 2, 5, 2, 0]
    heads = [1, 2, 0, 2, 4, 5, 3, 5, 3, 0, 3, 4]
    weights = [0, 0, 0, 0, 0, 0, 0, 0, 7, 9, 3, 50]
    g = DiGraph.from_edges(tails, heads, weights)
    for t in (1, 3, 20):
        spanner = roundtrip_spanner(g, [0, 4], t, method=method, prune=True)
        rt = roundtrips(g, spanner.edge_mask)
        assert rt[0, 1] == rt[0, 2] == rt[4, 5] == 0
        assert rt[0, 3] <= t * 12
        assert not spanner.edge_mask[8], "the heavier of two parallel edges"


def test_parallel_edges_are_not_added() -> None:
    g = DiGraph.from_edges([0, 0, 1], [1, 1, 0], [5, 3, 1])
    spanner = roundtrip_spanner(g, [0], 1)
    assert spanner.edge_mask.tolist() == [False, True, True]
    assert spanner.to_csr().toarray().tolist() == [[0, 3], [1, 0]]


def test_weights_over_fifteen_magnitudes() -> None:
    rng = np.random.default_rng(2)
    n = 400
    tails, heads = rng.integers(0, n, (2, 8 * n))
    g = DiGraph.from_edges(tails, heads, 10.0 ** rng.uniform(-6, 9, 8 * n), n)
    spanner = roundtrip_spanner(g, np.arange(n), 48, method="cover")
    assert spanner.stretch is not None
    assert spanner.stretch.max <= 48
    scales = spanner.certificate.scales
    assert sum(s["contracted"] for s in scales) > 0
    assert scales[-1]["vertices"] < n / 4, "light components are contracted at heavy scales"


def test_a_path_of_a_million_vertices_with_its_way_back() -> None:
    n = 10**6
    g = ring(n)
    spanner = roundtrip_spanner(g, [0, n // 2], 3, method="cover", verify="none")
    assert spanner.size == n


def test_a_star_both_ways() -> None:
    n = 2000
    spokes = np.arange(1, n)
    g = DiGraph.from_edges(
        np.concatenate([np.zeros(n - 1, int), spokes]),
        np.concatenate([spokes, np.zeros(n - 1, int)]),
        np.tile(np.geomspace(1e-6, 1e9, n - 1), 2),
    )
    for method in METHODS:
        assert roundtrip_spanner(g, [0, 5, 9], 48, method=method).edge_mask.all()


def test_small_and_lonely() -> None:
    g = DiGraph.from_edges([], [], [], n=1)
    spanner = roundtrip_spanner(g, [0])
    assert (spanner.size, spanner.stats["lone_sources"]) == (0, 1)
    g = DiGraph.from_edges([0, 1, 2, 3], [1, 0, 3, 2], n=6)
    spanner = roundtrip_spanner(g, [5, 0, 5, 0], 1)
    assert spanner.sources.tolist() == [5, 0]
    assert spanner.edge_mask.tolist() == [True, True, False, False]
    assert spanner.stats["lone_sources"] == 1
    one = roundtrip_spanner(ring(9), [4], 3)
    assert (one.method, one.stretch_bound) == ("exact", 1.0)


def test_levels_are_clamped_and_checked(dense: DiGraph) -> None:
    spanner = roundtrip_spanner(dense, [0, 1, 2, 3], 40, method="rtz", k=50)
    assert spanner.stats["k"] == 2
    assert spanner.stats["epsilon"] == 9
    with pytest.raises(ValueError, match="stretch must exceed 2 k = 8"):
        roundtrip_spanner(dense, np.arange(64), 8, method="rtz", k=4)
    low = roundtrip_spanner(dense, np.arange(64), 7, method="rtz")
    assert low.stretch_bound == 1.0


def test_ways_out(street: DiGraph) -> None:
    spanner = roundtrip_spanner(street, [0, 100], 1.5)
    assert "stretch <= 1.5, measured" in repr(spanner)
    graph = spanner.to_networkx()
    assert graph.number_of_edges() == spanner.size == spanner.to_csr().nnz
    assert graph.number_of_nodes() == street.n
    u, v = street.nodes[int(street.tails[spanner.edge_ids[0]])], None
    v = street.nodes[int(street.heads[spanner.edge_ids[0]])]
    assert graph[u][v]["weight"] == street.weights[spanner.edge_ids[0]]
    sub = spanner.subgraph()
    assert (sub.n, sub.m) == (street.n, spanner.size)
    assert spanner.certificate.to_json()["bound"] == 1.5
    assert spanner.certificate.verification == "full"
    with pytest.raises(ValueError, match="read-only"):
        spanner.edge_mask[0] = True


def test_a_sampled_verification_says_so(dense: DiGraph) -> None:
    spanner = roundtrip_spanner(dense, np.arange(100), 4, verify="sample")
    assert spanner.certificate.verification == "sample"
    assert spanner.stretch is not None
    assert not spanner.stretch.exact
    assert roundtrip_spanner(dense, [1, 2], 4, verify="sample").certificate.verification == "full"
    unchecked = roundtrip_spanner(dense, [1, 2], 4, verify="none")
    assert unchecked.stretch is None
    assert unchecked.certificate.verified is None
    with pytest.raises(ValueError, match="verify='none'"):
        unchecked.draw_stretch()


def test_bad_input_is_named(dense: DiGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    def build(**changes):
        return roundtrip_spanner(**{"g": dense, "sources": [0, 1], "stretch": 3, **changes})

    with pytest.raises(TypeError, match="g must be a DiGraph"):
        build(g=nx.DiGraph())
    with pytest.raises(ValueError, match="sources must name at least one"):
        build(sources=[])
    with pytest.raises(ValueError, match=r"sources must be in \[0, 300\), got 300"):
        build(sources=[1, 300])
    with pytest.raises(ValueError, match="got -1"):
        build(sources=[-1])
    with pytest.raises(TypeError, match="sources must be integers"):
        build(sources=[0.5])
    for stretch in (0.99, 0, -1):
        with pytest.raises(ValueError, match="stretch must be at least 1"):
            build(stretch=stretch)
    for stretch in (np.nan, np.inf):
        with pytest.raises(ValueError, match="stretch must be a finite"):
            build(stretch=stretch)
    with pytest.raises(ValueError, match="k must be at least 1"):
        build(k=0, method="rtz")
    with pytest.raises(TypeError, match="k must be an integer"):
        build(k=1.5, method="rtz")
    with pytest.raises(ValueError, match="k belongs to method 'rtz'"):
        build(k=2)
    with pytest.raises(ValueError, match="method must be"):
        build(method="magic")
    with pytest.raises(ValueError, match="verify must be"):
        build(verify="maybe")
    with pytest.raises(ValueError, match="num_threads"):
        build(num_threads=0)
    with pytest.raises(ValueError, match="seed must be in"):
        build(seed=-1)
    with pytest.raises(TypeError, match="seed must be an integer"):
        build(seed=0.5)
    monkeypatch.setattr("graphs.spanner.build.os.sysconf", lambda name: 1)
    with pytest.raises(ValueError, match="prune would keep"):
        build(prune=True)
