# SPDX-License-Identifier: Apache-2.0
"""The study: its numbers, what it refuses, its report and its page."""

from __future__ import annotations

import doctest
import gzip
import itertools
import json
import math
from pathlib import Path

import networkx
import numpy as np
import pytest
import scipy.stats

from graphs import DiGraph, random_digraph, roundtrip_spanner
from graphs.spanner.study import inputs, publish
from graphs.spanner.study.certificates import cell_survival, check_lemma, repetitions
from graphs.spanner.study.config import Config, reduced
from graphs.spanner.study.experiment import EXPERIMENT, check
from graphs.spanner.study.measured import crossing, fitted_slope, note_seconds, read_measured
from graphs.spanner.study.optimum import gaps, least_size, tiny_digraph
from graphs.spanner.study.probe import probe
from graphs.spanner.study.tables import tables
from graphs.spanner.study.times import predicted_searches
from graphs.spanner.study.verdict import judge, summarise
from workbench.experiments import execute
from workbench.experiments.published import markdown

ROOT = Path(__file__).parents[3]
PAGE = ROOT / publish.PAGE
SMALL = Config(
    quick=True,
    graphs=("er1k", "andorra"),
    optimum=5,
    time_graphs=("er4k",),
    certificate_graphs=("grid", "er4k"),
)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    return execute(EXPERIMENT, SMALL, runs=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def made(outcome):
    return tables(outcome.result, read_measured(outcome.run.timing(), outcome.run))


def test_the_result_is_plain_and_a_function_of_the_config(outcome, tmp_path):
    assert outcome.passed
    text = json.dumps(outcome.result)
    assert "seconds" not in text.replace('seconds"]', "")
    assert "bytes" not in text
    parts = ("optimum", "size", "time", "certificate")
    once = execute(EXPERIMENT, Config(**{**vars(SMALL), "parts": parts}), runs=tmp_path / "a")
    assert json.dumps(once.result["sizes"]) == json.dumps(outcome.result["sizes"])
    assert once.result["times"] == outcome.result["times"]
    assert once.result["certificates"] == outcome.result["certificates"]
    assert once.result["growth"] == []


def test_every_spanner_was_verified_and_no_stretch_is_beyond_its_bound(outcome):
    rows = outcome.result["sizes"]["rows"]
    assert {"exact", "rtz", "greedy", "greedy+prune", "exact+prune", "cover", "cover+prune"} == {
        row["method"] for row in rows
    }
    for row in rows:
        assert row["all_sources"]
        assert row["broken"] == 0
        assert 1 <= row["mean"] <= row["max"] <= row["bound"] * (1 + 1e-9)
        assert row["n"] <= row["edges"] <= row["m"]
    checked = outcome.result["bounds"]["checked"]
    assert checked == len(rows) + len(outcome.result["certificates"]["rows"])
    assert outcome.result["bounds"]["beyond"] == []


def test_greedy_is_shown_at_the_stretch_measured_of_covers(outcome):
    rows = outcome.result["sizes"]["rows"]
    equal = [row for row in rows if "equal_to_cover" in row]
    assert len(equal) == 2 * 2 * 2 * 2  # graphs, sources, draws, stretches
    for row in equal:
        (cover,) = (
            r
            for r in rows
            if (r["graph"], r["asked"], r["draw"]) == (row["graph"], row["asked"], row["draw"])
            and (r["method"], r["t"]) == ("cover", row["equal_to_cover"])
        )
        assert row["t"] == cover["max"]
        assert row["max"] <= cover["max"] * (1 + 1e-9)


def test_the_report_shows_every_part(outcome, made):
    assert set(made) >= {
        "size", "pruned", "stretch", "cases", "equal", "order", "optimum", "searches", "seconds",
        "edges", "crossing", "fit", "growth", "certificate", "lemma",
    }  # fmt: skip
    titles = [section.title for section in outcome.report.sections]
    assert titles == [
        "How many edges, at which stretch", "Expected and found", "How much work",
        "How work and memory grow", "Certificates", "Graphs",
    ]  # fmt: skip
    page = outcome.page.read_text()
    assert page.count("<svg") == 5
    assert "beyond their bound" in page
    timed = [row for row in outcome.result["times"] if not row["left_out"]]
    assert len(timed) == sum(
        cell is not None for row in made["seconds"].rows for cell in row[2:]
    )  # fmt: skip


def test_a_part_alone_makes_a_report(tmp_path):
    only = Config(quick=True, parts=("optimum",), optimum=2)
    alone = execute(EXPERIMENT, only, runs=tmp_path)
    assert alone.result["holds"] is None
    assert [section.title for section in alone.report.sections] == ["Expected and found"]


def test_runs_that_would_take_too_long_are_left_out_and_marked(tmp_path):
    config = Config(quick=True, parts=("time",), time_graphs=("er4k",), time_work=50 * 1600.0)
    rows = execute(EXPERIMENT, config, runs=tmp_path).result["times"]
    left_out = {(row["method"], row["s"]) for row in rows if row["left_out"]}
    assert ("exact", 64) in left_out
    assert ("exact", 16) not in left_out
    assert ("greedy", 16) in left_out
    assert all(("searches" in row) != row["left_out"] for row in rows)


def test_work_of_covers_is_extrapolated_by_their_last_two_points():
    assert predicted_searches("exact", 100, []) == 200
    assert predicted_searches("greedy", 100, []) == 400
    assert predicted_searches("cover", 100, [(4, 1.0)]) == 0
    assert predicted_searches("cover", 64, [(4, 10.0), (16, 20.0)]) == pytest.approx(40)
    assert predicted_searches("cover", 64, [(4, 10.0), (16, 5.0)]) == 5, "it is not said to fall"


def test_the_least_spanner_is_that_of_another_search_of_all_subsets():
    rng = np.random.default_rng(3)
    done = 0
    while done < 12:
        g, sources, stretch = tiny_digraph(rng)
        if g.m > 8:
            continue
        done += 1
        edges = list(zip(g.tails.tolist(), g.heads.tolist(), g.weights.tolist(), strict=True))

        def trips(kept, n=g.n):
            h = networkx.DiGraph()
            h.add_nodes_from(range(n))
            h.add_weighted_edges_from(kept)
            d = dict(networkx.all_pairs_dijkstra_path_length(h))
            far = math.inf
            return {(u, v): d[u].get(v, far) + d[v].get(u, far) for u in d for v in d}

        whole = trips(edges)
        least = next(
            size
            for size in range(len(edges) + 1)
            for kept in itertools.combinations(edges, size)
            if all(
                trips_kept[u, v] <= stretch * whole[u, v]
                for trips_kept in [trips(kept)]
                for u in sources.tolist()
                for v in range(g.n)
                if math.isfinite(whole[u, v])
            )
        )
        assert least_size(g, sources, stretch) == least


def test_no_spanner_is_below_the_optimum():
    found = gaps(15, 1)
    for counts in found["gaps"].values():
        assert sum(counts.values()) == found["count"] == 15
        assert all(int(gap) >= 0 for gap in counts)
    smaller, greedy = found["gaps"]["smaller pruned"], found["gaps"]["greedy+prune"]
    assert smaller.get("0", 0) >= greedy.get("0", 0)
    assert sum(count for _, count, _ in found["by_stretch"]) == 15
    with pytest.raises(ValueError, match="at most 16 edges, got 20"):
        least_size(random_digraph(6, 20), np.array([0]), 2.0)


def test_slopes_are_those_of_an_ordinary_regression():
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 100, 9)
    y = 3 * x**1.7 * np.exp(rng.normal(0, 0.1, 9))
    slope, error = fitted_slope(x.tolist(), y.tolist())
    expected = scipy.stats.linregress(np.log(x), np.log(y))
    assert slope == pytest.approx(expected.slope)
    assert error == pytest.approx(expected.stderr)
    assert fitted_slope([1, 2], [1, 2]) is None


def test_crossings_are_found_in_the_logarithms():
    exact = {s: 2.0 * s for s in (4, 16, 64)}
    kind, at = crossing(exact, dict.fromkeys(exact, 16.0))
    assert (kind, at) == ("from", pytest.approx(8))
    assert crossing(exact, dict.fromkeys(exact, 1.0)) == ("always", None)
    assert crossing(exact, dict.fromkeys(exact, 1e9)) == ("never", None)
    assert crossing(exact, {}) == ("never", None)
    # Below, above and below again: only the last crossing lasts.
    kind, at = crossing(exact, {4: 1.0, 16: 64.0, 64: 64.0})
    assert kind == "from"
    assert 16 < at < 64


def test_repetitions_add_up_to_what_certificates_say():
    g = random_digraph(120, 900, seed=4)
    made = roundtrip_spanner(g, np.arange(60), 12, method="cover", num_threads=1)
    scales = [scale for scale in made.certificate.scales if scale["sources"]]
    counted = repetitions(scales)
    assert counted[0][0] == sum(scale["sources"] for scale in scales)
    certified = sum(number for _, number in counted)
    assert certified == sum(scale["by_carving"] + scale["alone"] for scale in scales)
    assert all(0 <= number <= tried for tried, number in counted)


def test_cells_cut_as_often_as_the_lemma_says():
    assert cell_survival(1000, 13) == 0, "cells as narrow as R certify nobody"
    assert 0 < cell_survival(1000, 24) < cell_survival(1000, 48) < 1
    for row in check_lemma(60, 0):
        assert row["measured"] == pytest.approx(row["theory"], abs=0.03)


def test_a_probe_builds_the_same_in_another_process():
    g = random_digraph(60, 500, seed=2)
    (found,) = probe(g, [(9, 12.0)], 1)
    here = roundtrip_spanner(g, inputs.draw_sources(g, 9, 1), 12.0, method="cover", seed=1)
    assert found["edges"] == here.size
    assert found["searches"] == here.stats["searches"]
    assert 0 < found["bytes"]["start"] <= found["bytes"]["graph"] <= found["bytes"]["peak"]
    with pytest.raises(RuntimeError, match=r"(?s)failed.*stretch must be at least 1"):
        probe(g, [(9, 0.5)], 1)


def test_seconds_are_noted_once(outcome, tmp_path):
    seen = outcome.run.timing()["seconds"]
    assert len(seen) == sum(not row["left_out"] for row in outcome.result["times"]) + len(
        outcome.result["growth"]
    )

    class Fake:
        def __init__(self):
            self.kept = {}

        def timing(self, key=None, seconds=None):
            if key is not None:
                self.kept[key] = self.kept.get(key, 0) + seconds
            return {"seconds": self.kept}

    run = Fake()
    note_seconds(run, "a", 1.5)
    note_seconds(run, "a", 1.5)
    assert run.kept == {"a": 1.5}


def test_expectations_that_fail_are_named():
    def row(graph, method, t, edges, holds=True):
        return {
            "graph": graph, "asked": 64, "s": 64, "draw": 0, "method": method, "t": t,
            "edges": edges, "n": 1000, "m": 9000, "bound": t, "max": t, "mean": 1.0,
            "holds": holds,
        }  # fmt: skip

    rows = [
        row("er4k", "greedy+prune", 3.0, 1500),
        row("er4k", "greedy", 3.0, 1750),
        row("er4k", "cover", 12.0, 1700),
        row("er4k", "exact", 1.0, 9000, holds=False),
    ]
    found = judge({"sizes": {"rows": rows}, "certificates": None, "optimum": None})
    assert not found["passed"]
    assert found["holds"] is False
    exceptions = {link["title"]: link["exceptions"] for link in found["order"] if link["cases"]}
    assert exceptions["greedy+prune t=3 < greedy t=3"] == []
    assert exceptions["greedy t=3 < cover t=12"] == ["er4k s=64: 1.750 n against 1.700 n"]
    inside = {row["case"]: row["inside"] for row in found["prototype"]}
    assert inside == {
        "er4k, 64, exact t=1": False,
        "er4k, 64, greedy t=3": True,
        "er4k, 64, cover t=12": None,
    }
    assert any("beyond its bound: er4k, 64 sources, exact" in words for words in found["warnings"])


def test_draws_are_averaged():
    rows = [
        {"graph": "g", "asked": 4, "method": "exact", "t": 1.0, "edges": e, "n": 10, "m": 40,
         "max": x, "mean": 1.0, "bound": 1.0}
        for e, x in ((10, 1.0), (14, 1.5))
    ]  # fmt: skip
    cell = summarise(rows)["g", 4, "exact", 1.0]
    assert (cell["size"], cell["least"], cell["greatest"]) == (1.2, 1.0, 1.4)
    assert (cell["max"], cell["share"], cell["degree"], cell["draws"]) == (1.5, 0.3, 4.0, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"graphs": ("er9",)}, "graphs names 'er9'"),
        ({"time_graphs": ("x",)}, "time_graphs names 'x'"),
        ({"data": "no/such/folder"}, "data is 'no/such/folder'"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"stretches": (0.5,)}, "stretches must be finite and at least 1"),
        ({"time_stretches": (math.inf,)}, "time_stretches must be finite"),
        ({"sources": (0,)}, "sources must be at least 1"),
        ({"parts": ()}, "parts must name some of"),
    ],
)
def test_what_there_is_not_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        check(Config(**options))


def test_stored_graphs_are_read_where_they_are_and_replaced_where_not(tmp_path):
    folder = tmp_path / "graphs"
    folder.mkdir()
    config = Config(data=str(tmp_path), seed=3)
    found = inputs.find("andorra", config)
    assert found.name == "like andorra"
    assert "andorra_roads.csv.gz is not here" in found.origin
    with gzip.open(folder / "andorra_roads.csv.gz", "wt") as file:
        file.write("src,dst,travel_time_ds,length_m\n0,1,7,5.5\n1,0,9,5.5\n")
    with gzip.open(folder / "wiki-Vote.txt.gz", "wt") as file:
        file.write("30 1412\n1412 30\n")
    found = inputs.find("andorra", config)
    assert (found.name, found.origin) == ("andorra", "file")
    assert found.load().weights.tolist() == [7, 9]
    wiki = inputs.find("wiki-Vote", config).load()
    assert wiki.nodes == [30, 1412]
    assert wiki.weights.dtype == np.int32
    assert (wiki.weights >= 1).all()
    assert inputs.find("sydney", config).name == "like sydney"
    assert inputs.find("sydney", reduced(Config(quick=True))).load().n == 64


def test_sources_are_drawn_from_the_largest_component():
    g = DiGraph.from_edges([0, 1, 2, 3], [1, 0, 3, 4], n=5)
    assert inputs.draw_sources(g, 9, 0).tolist() == [0, 1]
    one = inputs.draw_sources(random_digraph(50, 400), 7, 1)
    assert one.size == np.unique(one).size == 7
    assert one.tolist() == inputs.draw_sources(random_digraph(50, 400), 7, 1).tolist()
    assert one.tolist() != inputs.draw_sources(random_digraph(50, 400), 7, 2).tolist()


def test_what_is_kept_for_the_page_gives_the_same_tables(outcome, made):
    measured = read_measured(outcome.run.timing(), outcome.run)
    text = publish.keep(outcome.run.config, "cpu", outcome.result, measured)
    result, again = publish.read_kept(text)
    for name, table in tables(result, again).items():
        if name not in ("fit", "crossing"):  # fits to microseconds feel the rounding
            assert markdown(table) == markdown(made[name])
    page = "a\n<!-- table: size -->\n<!-- end -->\nb\n"
    filled = publish.filled(page, text)
    assert "| small er1k |" in filled
    assert filled == publish.filled(filled, text)
    with pytest.raises(ValueError, match="names the table 'nothing'"):
        publish.filled("<!-- table: nothing -->\n<!-- end -->", text)


def test_the_page_says_how_a_run_differs_from_the_full_one(outcome):
    measured = read_measured(outcome.run.timing(), outcome.run)
    kept = publish.keep(outcome.run.config, "CPU", outcome.result, measured, "In haste.")
    words = publish.filled("<!-- table: provenance -->\n<!-- end -->\n", kept)
    assert "quick = True" in words
    assert "seeds" not in words
    assert "Processor: CPU, one" in words
    assert "In haste.\n" in words


def test_the_page_is_what_was_kept():
    if not PAGE.exists() or not (ROOT / publish.RESULTS).exists():
        pytest.skip("docs/ is not beside the tests, or no full run was kept")
    text = (ROOT / publish.RESULTS).read_text(encoding="utf-8")
    result, _ = publish.read_kept(text)
    page = PAGE.read_text(encoding="utf-8")
    assert publish.filled(page, text) == page
    assert result["passed"]
    assert result["bounds"]["beyond"] == []


def test_examples_of_the_page_run():
    if not PAGE.exists():
        pytest.skip("docs/ is not beside the tests")
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 5
    assert results.failed == 0
