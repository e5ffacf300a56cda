# SPDX-License-Identifier: Apache-2.0
"""verify_spanner against all pairs by scipy; sampling, executors, bad input."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.sparse import csgraph

from graphs import DiGraph
from graphs.spanner import verify as verify_module
from graphs.spanner.stretch import Histogram, StretchReport
from graphs.spanner.verify import verify_spanner

Case = tuple[DiGraph, np.ndarray, np.ndarray]


def round_trips(g: DiGraph, mask: np.ndarray) -> np.ndarray:
    """All round trips, by scipy, over lightest parallel edges; zeros are shifted to be seen."""
    dense = np.full((g.n, g.n), np.inf)
    np.minimum.at(dense, (g.tails[mask], g.heads[mask]), g.weights[mask].astype(float))
    np.fill_diagonal(dense, np.inf)
    tail, head = np.nonzero(np.isfinite(dense))
    w = dense[tail, head]
    w[w == 0] = 5e-324
    there = csgraph.dijkstra(sp.csr_array((w, (tail, head)), shape=(g.n, g.n)))
    there[there < 1e-300] = 0
    return there + there.T


@st.composite
def cases(draw: st.DrawFn) -> Case:
    n, m = draw(st.integers(1, 25)), draw(st.integers(0, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dtype = draw(st.sampled_from([np.int32, np.int64, np.float32, np.float64]))
    top = draw(st.sampled_from([1, 5, 1000, 2**30 - 1]))
    w = rng.integers(0, top, m, endpoint=True).astype(np.float64)
    w[rng.random(m) < draw(st.sampled_from([0.0, 0.5]))] = 0
    if np.dtype(dtype).kind == "f":
        w *= rng.random(m)
    ends = rng.integers(0, n, (2, m))
    if draw(st.booleans()):  # two halves with one edge between them at most
        half = n // 2
        ends[1] = np.where(ends[0] < half, ends[1] % max(half, 1), ends[1])
    g = DiGraph.from_edges(ends[0], ends[1], w.astype(dtype), n)
    mask = rng.random(m) < draw(st.sampled_from([0.4, 0.8, 1.0]))
    sources = rng.integers(0, n, draw(st.integers(1, 30)))
    return g, mask, sources


def check_path(g: DiGraph, path: np.ndarray, u: int, v: int) -> float:
    at, length = u, 0.0
    for e in path:
        assert g.tails[e] == at
        at, length = int(g.heads[e]), length + float(g.weights[e])
    assert at == v
    return length


@settings(max_examples=300, deadline=None)
@given(case=cases(), stretch=st.sampled_from([None, 1.0, 1.5, 3.0]))
def test_all_of_it_is_what_brute_force_finds(case: Case, stretch: float | None) -> None:
    g, mask, given_sources = case
    report = verify_spanner(g, mask, given_sources, stretch, num_threads=1)
    sources = list(dict.fromkeys(given_sources.tolist()))
    before, after = round_trips(g, np.ones(g.m, bool)), round_trips(g, mask)
    ratios, broken, beyond, best = [], 0, 0, (0.0, -1, -1)
    tolerance = 1e-9 if g.weights.dtype.kind == "f" else 0.0
    for u in sources:
        for v in range(g.n):
            a, b = before[u, v], after[u, v]
            if v == u or a == np.inf:
                continue
            is_broken = b == np.inf or (a == 0 and b > 0)
            ratio = np.inf if is_broken else 1.0 if a == 0 else b / a
            broken += ratio == np.inf
            beyond += ratio == np.inf or (stretch is not None and b > stretch * a * (1 + tolerance))
            ratios.append(ratio)
            if ratio > best[0] * (1 + 1e-12):
                best = (ratio, u, v)
    assert (report.checked, report.sources, report.exact) == (len(sources), len(sources), True)
    assert (report.pairs, report.broken) == (len(ratios), broken)
    assert report.violations == (None if stretch is None else beyond)
    assert report.holds == (None if stretch is None else beyond == 0)
    assert (report.kept, report.m, report.n) == (mask.sum(), g.m, g.n)
    _, counts = report.distribution
    assert counts.sum() == len(ratios)
    if not ratios:
        assert (report.worst, report.max, report.mean, report.p50) == (None, 1, 1, 1)
        return
    assert report.max == pytest.approx(max(ratios), rel=1e-9)
    assert report.mean == pytest.approx(np.mean(ratios), rel=1e-9)
    rising = np.sort(ratios)
    for q in (0.0, 0.3, 0.5, 0.99, 1.0):
        exact = rising[max(0, int(np.ceil(q * len(ratios))) - 1)]
        found = report.quantile(q)
        if exact == np.inf:
            assert found == np.inf
        else:
            assert exact / (1 + 2**-10) <= found <= exact * (1 + 1e-12)
    w = report.worst
    assert w is not None
    assert w.ratio == pytest.approx(best[0], rel=1e-9)
    assert check_path(g, w.out_path, w.source, w.vertex) + check_path(
        g, w.back_path, w.vertex, w.source
    ) == pytest.approx(w.graph_distance, rel=1e-9)
    pieces = [(w.spanner_out_path, w.source, w.vertex), (w.spanner_back_path, w.vertex, w.source)]
    if all(path is not None for path, _, _ in pieces):
        assert all(mask[path].all() for path, _, _ in pieces)
        total = sum(check_path(g, *piece) for piece in pieces)
        assert total == pytest.approx(w.spanner_distance, rel=1e-9)
    else:
        assert w.spanner_distance == np.inf
    placed = sum(np.isfinite(r) for r in ratios) - sum(
        before[u, v] == 0 and after[u, v] == 0 for u in sources for v in range(g.n) if u != v
    )
    assert report.histogram.counts.sum() == placed


@settings(max_examples=60, deadline=None)
@given(case=cases())
def test_the_histogram_holds_every_pair_in_its_bin(case: Case) -> None:
    g, mask, sources = case
    histogram = verify_spanner(g, mask, sources).histogram
    if histogram.counts.size == 0:
        return
    before, after = round_trips(g, np.ones(g.m, bool)), round_trips(g, mask)
    rows = np.unique(sources)
    a, b = before[rows], after[rows]
    a[np.arange(rows.size), rows] = np.inf
    ok = np.isfinite(a) & np.isfinite(b) & (a > 0)
    if g.weights.dtype.kind == "i":  # sums in another order may fall into the next bin
        expected, _, _ = np.histogram2d(
            a[ok], b[ok] / a[ok], [histogram.distance_edges, histogram.stretch_edges]
        )
        # numpy's last bin takes its upper edge too; ours never holds a value there.
        assert (histogram.counts == expected).all()
    assert histogram.counts.sum() == ok.sum()
    again = Histogram.from_json(json.loads(json.dumps(histogram.to_json())))
    for name in ("counts", "distance_edges", "stretch_edges"):
        assert np.array_equal(getattr(again, name), getattr(histogram, name))


@settings(max_examples=60, deadline=None)
@given(case=cases())
@example(case=(DiGraph.from_edges([], [], [], 1), np.zeros(0, bool), np.array([0])))
def test_nothing_dropped_is_stretch_one(case: Case) -> None:
    g, _, sources = case
    report = verify_spanner(g, np.ones(g.m, bool), sources, 1)
    assert (report.max, report.mean, report.p99, report.broken) == (1, 1, 1, 0)
    assert report.holds is True


def as_text(report: StretchReport) -> str:
    values, counts = report.distribution
    return json.dumps([report.to_json(), values.tolist(), counts.tolist()])


def grid(seed: int = 0) -> tuple[DiGraph, np.ndarray]:
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 60, (2, 500))
    g = DiGraph.from_edges(ends[0], ends[1], rng.random(500), 60)
    return g, rng.random(500) < 0.8


def test_executors_threads_and_batches_give_the_same_report(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    g, mask = grid()
    sources = np.arange(40)
    expected = as_text(verify_spanner(g, mask, sources, 2.0, num_threads=1))
    assert as_text(verify_spanner(g, mask, sources, 2.0, num_threads=3)) == expected
    with ThreadPoolExecutor(3) as pool:
        assert as_text(verify_spanner(g, mask, sources, 2.0, executor=pool)) == expected
    with ProcessPoolExecutor(2) as pool:
        # Forked after threads were started here: more than one each would never come back.
        found = verify_spanner(g, mask, sources, 2.0, num_threads=2, executor=pool)
        assert as_text(found) == expected
    monkeypatch.setattr(verify_module, "_MEMORY", 3 * 3 * 8 * g.n)
    assert as_text(verify_spanner(g, mask, sources, 2.0)) == expected


def test_a_sample_says_so() -> None:
    g, mask = grid()
    report = verify_spanner(g, mask, np.arange(60), 50.0, sample=7, seed=3)
    assert (report.checked, report.sources, report.exact) == (7, 60, False)
    assert "SAMPLED: 7 of 60" in str(report)
    assert json.loads(json.dumps(report.to_json()))["exact"] is False
    again = verify_spanner(g, mask, np.arange(60), 50.0, sample=7, seed=3)
    assert as_text(again) == as_text(report)
    whole = verify_spanner(g, mask, np.arange(60), sample=60)
    assert whole.exact
    assert report.max <= whole.max


def test_a_lost_round_trip_is_named() -> None:
    g = DiGraph.from_edges([0, 1, 2], [1, 2, 0], [1, 2, 3], 4)
    report = verify_spanner(g, [True, True, False], [1, 3], 100.0)
    assert (report.broken, report.violations, report.holds, report.pairs) == (2, 2, False, 2)
    w = report.worst
    assert w is not None
    assert (w.source, w.vertex, w.graph_distance, w.ratio) == (1, 0, 6, np.inf)
    assert w.out_path.tolist() == [1, 2]
    assert w.back_path.tolist() == [0]
    assert w.spanner_out_path is None
    assert w.spanner_back_path is not None
    assert w.spanner_back_path.tolist() == [0]
    assert "2 pairs have lost their round trip" in str(report)
    data = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert data["max"] is None
    assert data["worst"]["spanner_out_path"] is None


def test_distance_zero_must_stay_zero() -> None:
    g = DiGraph.from_edges([0, 1, 0], [1, 0, 1], [0, 0, 5], 2)
    assert verify_spanner(g, [True, True, False], [0], 1).holds
    report = verify_spanner(g, [False, True, True], [0], 1e9)
    assert (report.broken, report.holds) == (1, False)
    assert report.worst is not None
    assert report.worst.spanner_distance == 5


def test_integers_are_compared_exactly_and_floats_to_within_rtol() -> None:
    ends = [0, 0, 1], [1, 1, 0]
    long = 10**9
    mask = [True, False, True]
    g = DiGraph.from_edges(*ends, np.array([2 * long + 1, long, 0]), 2)
    assert verify_spanner(g, mask, [0], 2).holds is False
    assert verify_spanner(g, mask, [0], 2, rtol=0.5).holds is False
    g = DiGraph.from_edges(*ends, np.array([2 * long + 1.0, long, 0]), 2)
    assert verify_spanner(g, mask, [0], 2).holds is True
    assert verify_spanner(g, mask, [0], 2, rtol=0).holds is False


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"edge_mask": np.ones(2, bool)}, ValueError, "edge_mask must be bool of shape"),
        ({"edge_mask": np.ones(3, int)}, ValueError, "edge_mask must be bool of shape"),
        ({"sources": []}, ValueError, "sources must not be empty"),
        ({"sources": [3]}, ValueError, r"sources must be in \[0, 3\), got 3"),
        ({"sources": [-1]}, ValueError, "sources must be"),
        ({"sources": [0.5]}, TypeError, "sources must be integers"),
        ({"stretch": 0.99}, ValueError, "stretch must be finite and at least 1"),
        ({"stretch": float("nan")}, ValueError, "stretch must be finite and at least 1"),
        ({"stretch": float("inf")}, ValueError, "stretch must be finite and at least 1"),
        ({"rtol": -1e-9}, ValueError, "rtol must be finite and not negative"),
        ({"sample": 0}, ValueError, "sample must be at least 1"),
        ({"executor": 4}, TypeError, "executor must be an Executor"),
        ({"g": "graph"}, TypeError, "g must be a DiGraph"),
    ],
)
def test_bad_input(change: dict[str, object], error: type[Exception], message: str) -> None:
    g = DiGraph.from_edges([0, 1, 2], [1, 2, 0])
    words = {"g": g, "edge_mask": np.ones(3, bool), "sources": [0], **change}
    with pytest.raises(error, match=message):
        verify_spanner(**words)
    with pytest.raises(ValueError, match="q must be in"):
        verify_spanner(g, np.ones(3, bool), [0]).quantile(2)
