# SPDX-License-Identifier: Apache-2.0
"""What the shortest-path benchmark searches and judges by; test_benchmarks.py runs it."""

from __future__ import annotations

import argparse
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"

if not FOLDER.is_dir():
    pytest.skip("benchmarks/ is not part of this tree", allow_module_level=True)

csgraph = pytest.importorskip("scipy.sparse.csgraph")


def _options(**changes: Any) -> argparse.Namespace:
    return argparse.Namespace(**{"quick": False, "threads": 1, "sources": 64, **changes})


@pytest.mark.parametrize("graph", ["rmat17", "grid1m"])
def test_generated_graphs_have_their_weights_and_sources_that_reach_each_other(
    module: Any, graph: str
) -> None:
    work_module = module("paths_work")
    for weights, (dtype, low, high) in work_module.WEIGHTS.items():
        if weights == "minutes":
            continue
        work = work_module.Search(graph, weights, 5, small=True)
        a = work.matrix
        assert a.dtype == dtype
        assert low <= a.data.min() <= a.data.max() <= high
        assert a.has_canonical_format
        assert not a.diagonal().any()
        there = csgraph.dijkstra(a, indices=work.sources)
        assert np.isfinite(there[:, work.sources]).all()
        assert len(set(work.sources.tolist())) == 5


def test_the_grid_has_its_share_of_one_way_streets(module: Any) -> None:
    side = 200
    n, tails, heads = module("paths_work")._street_grid(side, np.random.default_rng(3))
    assert n == side * side
    assert (np.abs(tails - heads) == 1).sum() + (np.abs(tails - heads) == side).sum() == tails.size
    pairs = set(zip(tails.tolist(), heads.tolist(), strict=True))
    assert len(pairs) == tails.size
    streets = 2 * side * (side - 1)
    one_way = sum((v, u) not in pairs for u, v in pairs)
    assert len({(min(p), max(p)) for p in pairs}) == streets
    assert one_way / streets == pytest.approx(0.15, abs=0.01)


def test_bytes_are_counted_as_the_definition_says(module: Any) -> None:
    for both in (False, True):
        work = module("paths_work").Search("rmat17", "float64", 3, both=both, small=True)
        a, total = work.matrix, 0
        for m in (a, a.T.tocsr())[: 1 + both]:
            for row in csgraph.dijkstra(m, indices=work.sources):
                reached = np.isfinite(row)
                total += 12 * np.diff(m.indptr)[reached].sum() + 8 * reached.sum() + 8 * row.size
        bound = work.bounds()["float64"]
        assert (bound.flop, bound.bytes) == (0, total)


def test_distances_agree_to_the_last_bit_of_integers_and_where_they_are_infinite(
    module: Any,
) -> None:
    work_module = module("paths_work")
    deviation = work_module.deviation
    assert work_module.Search("rmat17", "ints", 1).tolerance == 0
    assert 0 < work_module.Search("rmat17", "float32", 1).tolerance <= 1e-9
    a = np.array([[0.0, 2.0, np.inf]])
    assert deviation({"x": a}, {"x": a.copy()}) == 0
    assert deviation({"x": a}, {"x": a + np.array([0.0, 2.0, 0.0])}) == 0.5
    for wrong in ([0.0, np.inf, np.inf], [0.0, 2.0, 5.0], [0.0, np.nan, np.inf]):
        for pair in ((a, np.array([wrong])), (np.array([wrong]), a)):
            with pytest.raises(ValueError, match="reach the same"):
                deviation({"x": pair[0]}, {"x": pair[1]})
    with pytest.raises(ValueError, match="shape"):
        deviation({"x": a}, {"x": a[:, :2]})
    with pytest.raises(ValueError, match="no common"):
        deviation({"x": a}, {"y": a})


@pytest.mark.parametrize("reverse", [False, True])
def test_wrong_trees_are_found_out(module: Any, reverse: bool) -> None:
    work = module("paths_work").Search("rmat17", "ints", 2, small=True)
    a = work.matrix.astype(float)
    towards = a.T.tocsr() if reverse else a
    distances, before = csgraph.dijkstra(towards, indices=work.sources, return_predecessors=True)
    tails, heads, weights = work.ends
    number = {pair: e for e, pair in enumerate(zip(tails.tolist(), heads.tolist(), strict=True))}
    edges = np.full(before.shape, -1)
    for i, v in zip(*np.nonzero(before >= 0), strict=True):
        u = int(before[i, v])
        edges[i, v] = number[(int(v), u) if reverse else (u, int(v))]
    work.checked_tree(distances, edges, 2, reverse=reverse)
    with pytest.raises(ValueError, match=r"ends elsewhere|not on a shortest"):
        work.checked_tree(distances, edges, 2, reverse=not reverse)
    v = int(np.flatnonzero(edges[1] >= 0)[0])
    start, end = (heads, tails) if reverse else (tails, heads)
    missing, elsewhere, longer = edges.copy(), edges.copy(), distances.copy()
    missing[1, v] = -1
    elsewhere[1, v] = np.flatnonzero(end != v)[0]
    longer[1, v] += 1
    with pytest.raises(ValueError, match="does not span"):
        work.checked_tree(distances, missing, 2, reverse=reverse)
    with pytest.raises(ValueError, match="ends elsewhere"):
        work.checked_tree(distances, elsewhere, 2, reverse=reverse)
    with pytest.raises(ValueError, match="not on a shortest path"):
        work.checked_tree(longer, edges, 2, reverse=reverse)
    loose = [
        e
        for e in np.flatnonzero(np.isfinite(distances[1][start])).tolist()
        if distances[1, start[e]] + weights[e] > distances[1, end[e]] and end[e] != work.sources[1]
    ]
    astray = edges.copy()
    astray[1, end[loose[0]]] = loose[0]
    with pytest.raises(ValueError, match="not on a shortest path"):
        work.checked_tree(distances, astray, 2, reverse=reverse)


def test_real_graphs_are_read_where_they_are_and_absent_where_not(
    module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    work_module, bench = module("paths_work"), module("shortest_paths")
    for graph, weights in (("wiki-Vote", "ints"), ("sydney", "minutes")):
        assert bench.search_case(graph, weights, 2).absent.startswith("absent: not in ")
    (tmp_path / "graphs").mkdir()
    with gzip.open(tmp_path / "graphs" / work_module.REAL["wiki-Vote"], "wt") as file:
        file.write("0 4\n4 0\n4 2\n")
    road = "~\tinit_node\tterm_node\tcapacity\tlength\tfree_flow_time\t;\n"
    rows = "\t1\t2\t9\t9\t0.5\t;\n\t1\t2\t9\t9\t0.25\t;\n\t2\t1\t9\t9\t4\t;\n\t2\t2\t9\t9\t1\t;\n"
    with gzip.open(tmp_path / work_module.REAL["sydney"], "wt") as file:
        file.write(f"<NUMBER OF NODES> 2\t\n<END OF METADATA>\n\n\n{road}{rows}")
    assert bench.search_case("sydney", "minutes", 2).absent == ""
    votes = work_module.Search("wiki-Vote", "ints", 2)
    assert votes.matrix.shape == (5, 5)
    assert sorted(votes.sources.tolist()) == [0, 4]
    roads = work_module.Search("sydney", "minutes", 2)
    assert roads.matrix.toarray().tolist() == [[0, 0.25], [4, 0]]  # the lighter of two, no loop


def test_every_goal_finds_its_case_and_its_variants(module: Any) -> None:
    bench = module("shortest_paths")
    goals = module("goals").load_goals(FOLDER / "goals.toml")
    matches = module("goals").matches
    for threads in (1, 2):
        cases = bench._cases(_options(threads=threads))
        keys = [case.key for case in cases]
        assert len(keys) == len(set(keys))
        for goal in goals.goals:
            if goal.benchmark != "shortest_paths" or goal.threads not in (0, threads):
                continue
            fitting = [case for case in cases if matches(case.key, goal.case)]
            assert fitting, goal
            for case in fitting:
                ours = [c for c in case.contenders if c.package.name == "workbench"]
                assert any(matches(c.variant, goal.ours) for c in ours)
                assert any(
                    matches(c.variant, goal.variant)
                    for c in case.contenders
                    if matches(c.package.name, goal.peer)
                ), (goal, case.key)


def test_one_thread_stands_beside_two(module: Any) -> None:
    bench = module("shortest_paths")
    one, two = (
        {c.label for c in bench.search_case("rmat17", "ints", 4, threads=threads).contenders}
        for threads in (1, 2)
    )
    assert two - one == {"workbench distances, 1 thread", "workbench trees, 1 thread"}
    with pytest.raises(SystemExit, match="--sources"):
        bench._cases(_options(sources=1))


def _row(package: str, variant: str, ms: float | None) -> dict[str, Any]:
    return {"package": package, "variant": variant, "median_ms": ms}


def _case(key: str, *rows: dict[str, Any], verdict: dict[str, Any] | None = None) -> dict[str, Any]:
    verdicts = [] if verdict is None else [verdict]
    return {"key": key, "title": f"title of {key}", "rows": list(rows), "verdicts": verdicts}


def test_the_page_is_written_from_results_and_from_nothing_else(
    module: Any, tmp_path: Path
) -> None:
    page = module("paths_page")
    assert "No run is kept yet" in page.table(tmp_path)
    missed = {"status": "missed", "peer": "scipy trees", "ratio": 1.5, "goal": 2.0}
    one = [
        _case(
            "a",
            _row("workbench", "distances", 2.0),
            _row("workbench", "trees", 4.0),
            _row("scipy", "distances", 7.0),
            _row("scipy", "trees", 6.0),
            _row("networkit", "distances", None),
            verdict=missed,
        ),
        _case("limit", _row("workbench", "sparse", 1.0), _row("scipy", "full array", 9.0)),
        _case("absent"),
    ]
    two = [
        _case(
            "a",
            _row("workbench", "distances", 1.0),
            _row("workbench", "trees", 2.0),
            _row("workbench", "distances, 1 thread", 1.9),
            _row("workbench", "trees, 1 thread", 3.4),
            verdict={**missed, "status": "met"},
        )
    ]
    for threads, cases in ((1, one), (2, two)):
        path = tmp_path / f"shortest_paths-t{threads}.json"
        path.write_text(json.dumps({"threads": threads, "cases": cases}), encoding="utf-8")
    text = page.table(tmp_path)
    assert "| a | 2 | 4 | 1.90, 1.70 | 3.50 | 1.50 |  |  |  |" in text
    assert "sparse 1 ms, scipy's full array takes 9.00 times as long" in text
    assert "Of 2 goals 1 are met; missed: `a` scipy trees 1.50 (goal 2)." in text
    assert "absent" not in text
    with pytest.raises(ValueError, match="each mark once"):
        page.with_table("no marks", text)


def test_the_page_shows_what_the_kept_results_say(module: Any) -> None:
    page = module("paths_page")
    shown = page.PAGE.read_text(encoding="utf-8")
    assert shown == page.with_table(shown, page.table()), "run python benchmarks/paths_page.py"
