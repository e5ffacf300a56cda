# SPDX-License-Identifier: Apache-2.0
"""The experiment ``spanner`` on tiny graphs: files, result, report, resumption, bad input."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphs import read_digraph, street_grid
from graphs.spanner import inputs, verify_spanner
from graphs.spanner.experiment import EXPERIMENT, Config
from workbench.experiments import RunError, execute


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    """A street grid as an edge list with places beside it; vertices are called 100, 101, ..."""
    g = street_grid(7, 8, 0.2, seed=1)
    edges = zip(g.tails + 100, g.heads + 100, g.weights, strict=True)
    path = tmp_path / "grid.csv"
    path.write_text("src,dst,time\n" + "".join(f"{u},{v},{w}\n" for u, v, w in edges))
    assert g.positions is not None
    places = (f"{i + 100},{x},{y}\n" for i, (x, y) in enumerate(g.positions))
    (tmp_path / "places.csv").write_text("".join(places))
    return path


def test_files_result_and_page(grid: Path, tmp_path: Path) -> None:
    names = tmp_path / "depots.txt"
    names.write_text("103\n\n150  # the second\n103\n")
    config = Config(
        graph=str(grid), sources=str(names), stretch=2.0, weight="time", prune=True,
        positions=str(tmp_path / "places.csv"),
    )  # fmt: skip
    outcome = execute(EXPERIMENT, config, runs=tmp_path / "runs")
    folder, result = outcome.run.path, outcome.result
    g = read_digraph(grid, weights="time")
    mask = np.load(folder / "mask.npy", allow_pickle=False)
    assert mask.shape == (g.m,)
    assert mask.sum() == result["size"]
    report = verify_spanner(g, mask, g.index([103, 150]), 2.0)
    assert report.holds
    assert outcome.passed
    assert report.max == result["stretch"]["max"]
    assert result["files"].keys() == {"graph", "sources", "positions"}
    assert result["files"]["graph"] == inputs.digest(str(grid))
    assert str(tmp_path) not in json.dumps(result)
    w = report.worst
    assert w is not None
    assert result["worst_names"] == [str(w.source + 100), str(w.vertex + 100)]
    record = json.loads((folder / "spanner.json").read_text())
    assert record["certificate"]["method"].endswith("+prune")
    assert record["stretch"] == json.loads(json.dumps(report.to_json()))
    with np.load(folder / "map.npz") as lines:
        assert lines["sources"].tolist() == [[3, 0], [2, 6], [3, 0]]
        kept = {frozenset(p) for p in zip(g.tails[mask], g.heads[mask], strict=True)}
        assert len(lines["kept"]) == 2 * len(kept)
    methods = [row["method"] for row in result["rivals"]]
    assert methods == ["exact", "greedy", "cover"]
    sizes = {row["method"]: row["size"] for row in result["rivals"]}
    assert result["size"] <= sizes["greedy"]
    assert any("more than once" in warning for warning in result["warnings"])
    page = outcome.page.read_text()
    for words in ("Map", "Stretch by distance", "Certificate", "workbench spanner verify"):
        assert words in page
    assert "<script" not in page
    again = execute(EXPERIMENT, config, runs=tmp_path / "runs")
    assert not again.is_new
    assert again.result == result
    assert not again.report.warnings
    grid.write_text(grid.read_text().replace(",100\n", ",101\n", 1) + "100,101,5\n")
    changed = execute(EXPERIMENT, config, runs=tmp_path / "runs")
    assert any("graph has changed" in warning for warning in changed.report.warnings)


def test_the_same_numbers_every_time(grid: Path, tmp_path: Path) -> None:
    config = Config(graph=str(grid), sources="5", stretch=12.0, method="cover", seed=3)
    first = execute(EXPERIMENT, config, runs=tmp_path / "a").result
    second = execute(EXPERIMENT, config, runs=tmp_path / "b").result
    assert first == second
    assert first["certificate"]["scales"]
    other = Config(graph=str(grid), sources="5", stretch=12.0, method="cover", seed=4)
    assert execute(EXPERIMENT, other, runs=tmp_path / "a").result != first


def test_a_file_that_changed_between_kill_and_resumption(
    grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from graphs.spanner import pipeline

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    config = Config(graph=str(grid), sources="2")
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "load_graph", killed)
        with pytest.raises(KeyboardInterrupt):
            execute(EXPERIMENT, config, runs=tmp_path / "runs")
    grid.write_text(grid.read_text() + "100,101,1\n")
    with pytest.raises(RunError, match="the file of the graph is not what it was"):
        execute(EXPERIMENT, config, runs=tmp_path / "runs")


@pytest.mark.parametrize("verify", ["sample", "none"])
def test_less_than_a_full_verification_says_so(grid: Path, tmp_path: Path, verify: str) -> None:
    config = Config(graph=str(grid), sources="40", verify=verify, baselines=False)  # type: ignore[arg-type]
    outcome = execute(EXPERIMENT, config, runs=tmp_path / "runs")
    assert outcome.result["rivals"] == []
    assert outcome.result["certificate"]["verification"] == verify
    if verify == "sample":
        assert outcome.result["stretch"]["checked"] == 32
        assert "32 sampled sources" in outcome.report.verdict
        assert "sampled" in outcome.result["headline"]
    else:
        assert outcome.result["stretch"] is None
        assert outcome.report.holds is None
        assert "nothing was measured" in outcome.report.verdict


def test_sources_without_round_trips(tmp_path: Path) -> None:
    path = tmp_path / "path.txt"
    path.write_text("0 1\n1 2\n")
    outcome = execute(EXPERIMENT, Config(graph=str(path), sources="1"), runs=tmp_path / "runs")
    assert outcome.result["size"] == 0
    assert outcome.passed
    assert "no source has a round trip" in outcome.report.verdict
    assert any("need no edge" in warning for warning in outcome.result["warnings"])


def test_zones_of_a_tntp_file(tmp_path: Path) -> None:
    rows = "".join(
        f"\t{u}\t{v}\t1\t1\t{w}\t0\t0\t0\t0\t1\t;\n"
        for u, v, w in ((1, 2, 3), (2, 3, 1), (3, 1, 2))
    )
    path = tmp_path / "net.tntp"
    path.write_text(
        "<NUMBER OF ZONES> 2\n<NUMBER OF NODES> 3\n<FIRST THRU NODE> 1\n<NUMBER OF LINKS> 3\n"
        "<END OF METADATA>\n~\tinit_node\tterm_node\tcapacity\tlength\tfree_flow_time\tb\tpower"
        f"\tspeed\ttoll\tlink_type\t;\n{rows}"
    )
    g = inputs.load_graph(str(path))
    assert inputs.resolve_sources(g, "zones").tolist() == [0, 1]
    result = execute(
        EXPERIMENT, Config(graph=str(path), sources="zones"), runs=tmp_path / "runs"
    ).result
    assert result["size"] == 3
    assert result["worst_names"] == ["1", "2"]


def test_places(tmp_path: Path, grid: Path) -> None:
    g = read_digraph(grid)
    path = tmp_path / "nodes.csv"
    path.write_text("# id,other,lat,lon\n100,7,60.0,10.0\n102,7,60.0,11.0\n999,7,0,0\n")
    where = inputs.read_places(str(path), g)
    assert where[0] == pytest.approx([10 * np.cos(np.pi / 3), 60])
    assert np.isnan(where[1]).all()
    path.write_text("c DIMACS\np aux sp co 2\nv 100 5 6\nv 101 7 8\n")
    assert inputs.read_places(str(path), g)[:2].tolist() == [[5, 6], [7, 8]]
    path.write_text("100 5 6\n101 7\n")
    with pytest.raises(ValueError, match=r"nodes.csv, line 2: a place is a name, x and y"):
        inputs.read_places(str(path), g)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"graph": "er4"}, "did you mean 'er4k'"),
        ({"graph": "nowhere.txt"}, "graph must be a file or a generated graph"),
        ({"sources": "nowhere.txt"}, "sources must be a file of names"),
        ({"sources": "0"}, "sources must be at least 1"),
        ({"sources": "-3"}, "sources must be a file of names"),
        ({"stretch": 0.5}, "stretch must be finite and at least 1"),
        ({"stretch": float("nan")}, "finite"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"positions": "nowhere.csv"}, "positions must be a file"),
        ({"sources": "57"}, "sources must be at most 5"),
        ({"sources": "zones"}, "this graph has no zones"),
        ({"weight": "tiem"}, "no column is called 'tiem'"),
        ({"sources": "@names"}, "line 2: no vertex is called 'twelve'"),
        ({"sources": "@empty"}, "names no vertex"),
    ],
)
def test_bad_input(grid: Path, tmp_path: Path, change: dict[str, object], message: str) -> None:
    (tmp_path / "names").write_text("100\ntwelve\n")
    (tmp_path / "empty").write_text("# nobody\n")
    change = {
        k: str(tmp_path / v[1:]) if isinstance(v, str) and v[0] == "@" else v
        for k, v in change.items()
    }
    with pytest.raises(ValueError, match=message):
        execute(EXPERIMENT, Config(**{"graph": str(grid), **change}), runs=tmp_path / "runs")


def test_listing_it_imports_nothing_heavy() -> None:
    probe = (
        "import sys, graphs.spanner.experiment, graphs.spanner.command; "
        "print({'numpy', 'torch', 'matplotlib', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
