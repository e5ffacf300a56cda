# SPDX-License-Identifier: Apache-2.0
"""``workbench spanner``, and commands that packages add to the command line."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from graphs import DiGraph, read_digraph, roundtrip_distances
from graphs.spanner.command import COMMAND
from graphs.spanner.tasks import path_words
from workbench.cli import main
from workbench.cli.arguments import UsageError
from workbench.cli.commands import find_commands

_PLUGIN = """
from workbench.cli.arguments import UsageError
from workbench.cli.commands import Command

def run(words):
    if words == ["wrong"]:
        raise UsageError("greet: nobody is called so")
    print("hello", *words)
    return len(words)

GREET = Command("greet", "says hello, and more of what it does in a text that needs two lines", run)
LIST = Command("list", "takes a name that is taken", run)
OTHER = Command("other", "has another name", run)
"""

_POINTS = """
[workbench.commands]
greet = greeting_plugin:GREET
list = greeting_plugin:LIST
misnamed = greeting_plugin:OTHER
number = greeting_plugin:__name__
shattered = a_module_that_is_not_there:X
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A third party's package, as an installed one looks."""
    folder = tmp_path / "site"
    distribution = folder / "greeting-1.0.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    (distribution / "entry_points.txt").write_text(_POINTS)
    (folder / "greeting_plugin.py").write_text(_PLUGIN)
    monkeypatch.syspath_prepend(folder)
    yield
    sys.modules.pop("greeting_plugin", None)


@pytest.mark.usefixtures("plugin")
def test_commands_of_packages_are_listed_and_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["greet", "you", "there"]) == 2
    assert capsys.readouterr().out == "hello you there\n"
    assert main(["greet", "wrong"]) == 2
    assert "workbench: greet: nobody is called so" in capsys.readouterr().err
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert "\n  greet                          says hello, and more" in page
    assert all(len(line) <= 100 for line in page.splitlines())
    assert "\n  shattered                      broken: ModuleNotFoundError" in page
    assert page.index("  bench") < page.index("  greet") < page.index("Examples")


@pytest.mark.usefixtures("plugin")
def test_broken_commands_break_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    errors = {plugin.name: plugin.error for plugin in find_commands()}
    assert errors["greet"] is None
    assert "takes the name of a command of workbench itself" in str(errors["list"])
    assert "calls itself 'other'" in str(errors["misnamed"])
    assert "is a str, not a Command" in str(errors["number"])
    assert main(["shattered"]) == 2
    assert "'shattered' (a_module_that_is_not_there:X) is broken" in capsys.readouterr().err
    assert main(["greed"]) == 2
    assert "unknown command 'greed'; did you mean 'greet'? (there" in capsys.readouterr().err
    assert main(["list", "--json"]) == 0  # the own one


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DiGraph:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    ends = rng.integers(0, 30, (200, 2)) * 10 + 7
    rows = "".join(
        f"{u} {v} {w}\n" for (u, v), w in zip(ends, rng.integers(1, 50, 200), strict=True)
    )
    (tmp_path / "g.txt").write_text(rows)
    return read_digraph("g.txt")


def test_build_and_verify(graph: DiGraph, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["g.txt", "--sources", "5", "--seed", "2"]
    out = ["--out", "mask.npy", "--report", "built.json"]
    assert COMMAND.run(["build", *words, "--stretch", "2", "--prune", *out]) == 0
    said = capsys.readouterr().out
    mask = np.load("mask.npy", allow_pickle=False)
    assert mask.dtype == bool
    assert f"{mask.sum()} of 200 edges kept, by greedy+prune" in said
    assert "bound 2: holds" in said
    built = json.loads(Path("built.json").read_text())
    assert built["size"] == mask.sum()
    assert built["graph_sha256"] == hashlib.sha256(Path("g.txt").read_bytes()).hexdigest()
    verify = ["verify", "g.txt", "mask.npy", *words[1:]]
    assert COMMAND.run([*verify, "--stretch", "2", "--report", "found.json"]) == 0
    found = json.loads(Path("found.json").read_text())
    assert found["holds"] is True
    assert found["max"] == built["stretch"]["max"]
    capsys.readouterr()
    assert COMMAND.run([*verify, "--stretch", "1.01"]) == 1
    said = capsys.readouterr().out
    assert "bound 1.01: FAILS for" in said
    source, vertex = found["worst_names"]
    assert f"worst pair: source {source}, vertex {vertex}" in said
    u, v = graph.index([int(source), int(vertex)])
    before = roundtrip_distances(graph, [u])[0, v]
    after = roundtrip_distances(graph, [u], edge_mask=mask)[0, v]
    assert f"round trip {before:.10g} in the graph, {after:.10g} in the spanner" in said
    there = next(line for line in said.splitlines() if line.startswith("  there, spanner:"))
    nodes = [int(name) for name in there.split(":")[1].split("->")]
    assert (nodes[0], nodes[-1]) == (int(source), int(vertex))
    kept = {
        (graph.nodes[a], graph.nodes[b])
        for a, b in zip(graph.tails[mask], graph.heads[mask], strict=True)
    }
    assert all(pair in kept for pair in pairwise(nodes))
    assert COMMAND.run(verify) == 0


def test_a_lost_round_trip_fails_without_a_bound(
    graph: DiGraph, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("mask.npy", np.zeros(graph.m, bool))
    assert COMMAND.run(["verify", "g.txt", "mask.npy", "--sources", "3", "--sample", "2"]) == 1
    said = capsys.readouterr().out
    assert "SAMPLED: 2 of 3 sources checked" in said
    assert "have lost their round trip" in said
    assert "there, spanner: none" in said
    assert "none in the spanner" in said


def test_a_long_path_is_shortened() -> None:
    n = 100
    g = DiGraph.from_edges(np.arange(n), (np.arange(n) + 1) % n)
    words = path_words(g, 0, np.arange(60))
    assert words.startswith("0 -> 1 -> ")
    assert words.endswith(" -> 59 -> 60")
    assert "... 37 more ..." in words


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert COMMAND.run(["--help"]) == 0
    page = capsys.readouterr().out
    assert "Examples" in page
    assert all(len(line) <= 100 for line in page.splitlines())
    assert COMMAND.run([]) == 2
    for task in ("build", "verify"):
        capsys.readouterr()
        with pytest.raises(SystemExit):
            COMMAND.run([task, "--help"])
        assert f"workbench spanner {task} " in capsys.readouterr().out.split("examples")[1]


@pytest.mark.usefixtures("graph")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("bild", "did you mean 'build'"),
        ("build g.txt --sources 3", "arguments are required: --out"),
        ("build g.txt --sources 3 --out m.npy --strech 2", "did you mean '--stretch'"),
        ("build g.txt --sources 3 --out m.npy --stretch 0.5", "stretch must be finite and at"),
        ("build g.txt --sources 3 --out no/where/m.npy", "--out must be a file in an existing"),
        ("build g.txt --sources 3 --out m.npy --report no/r.json", "--report must be a file"),
        ("build g.txt --sources 3 --out m.npy --k 2", "k belongs to method 'rtz'"),
        ("build g.txt --sources 3 --out m.npy --threads 0", "threads must be at least 1"),
        ("build none.txt --sources 3 --out m.npy", "graph must be a file"),
        ("build g.txt --sources 3 --out m.npy --weight 7", "column of weights must be in"),
        ("verify g.txt m.npy --sources 3", "m.npy cannot be read"),
        ("verify g.txt g.txt --sources 3", "g.txt cannot be read"),
        ("verify g.txt ints.npy --sources 3", "must be bool of shape (200,), got int64"),
        ("verify g.txt short.npy --sources 3", "must be bool of shape (200,), got bool of"),
        ("verify g.txt short.npy --sources 3 --seed -1", "seed must be at least 0"),
    ],
)
def test_wrong_usage(words: str, message: str) -> None:
    np.save("ints.npy", np.zeros(200, np.int64))
    np.save("short.npy", np.zeros(100, bool))
    with pytest.raises(UsageError) as caught:
        COMMAND.run(words.split())
    assert message in str(caught.value)
    assert not Path("m.npy").exists()
