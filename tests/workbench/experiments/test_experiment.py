# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workbench.experiments import Experiment, Report, Table, find_experiment, find_experiments
from workbench.experiments.selftest import run_store


@dataclass(frozen=True)
class Good:
    x: int = 1


@dataclass
class Thawed:
    x: int = 1


@dataclass(frozen=True)
class Clash:
    force: bool = False


def _run(config: Any, run: Any) -> dict[str, Any]:
    return {}


def _report(result: Any, timing: Any, run: Any) -> Report:
    return Report("t", "v", Table(["a"], []))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Bad Name"}, "name must be lower-case words"),
        ({"summary": "two\nlines"}, "summary must be one line"),
        ({"config": int}, "config must be a dataclass type"),
        ({"config": Good()}, "config must be a dataclass type"),
        ({"config": Thawed}, "Thawed must be a frozen dataclass"),
        ({"config": Clash}, "'force' is an option of `workbench run` itself"),
        ({"version": 0}, "version must be a positive int"),
        ({"run": None}, "run must be callable"),
        ({"check": 3}, "check must be callable"),
    ],
)
def test_a_wrong_experiment_is_refused_when_it_is_made(change: dict[str, Any], words: str) -> None:
    parts = {"name": "e", "summary": "s", "config": Good, "run": _run, "report": _report}
    with pytest.raises((TypeError, ValueError), match=words):
        Experiment(**{**parts, **change})


_MODULE = """
from dataclasses import dataclass
from workbench.experiments import Experiment, Report, Table

@dataclass(frozen=True)
class Config:
    x: int = 1

def make(name):
    return Experiment(name, "Does nothing", Config, lambda config, run: {},
                      lambda result, timing, run: Report("t", "v", Table(["a"], [])))

FINE, MISNAMED, TEXT = make("fine"), make("other"), "text"
"""

_POINTS = """
[workbench.experiments]
fine = some_plugin:FINE
misnamed = some_plugin:MISNAMED
no-experiment = some_plugin:TEXT
no-attribute = some_plugin:NOTHING
no-module = a_module_that_is_not_there:X
leaves = leaving_plugin:X
"""


@pytest.fixture
def plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    distribution = tmp_path / "someplugin-1.0.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: someplugin\nVersion: 1.0\n"
    )
    (distribution / "entry_points.txt").write_text(_POINTS)
    (tmp_path / "some_plugin.py").write_text(_MODULE)
    (tmp_path / "leaving_plugin.py").write_text("raise SystemExit(3)")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("some_plugin", None)


@pytest.mark.usefixtures("plugin_folder")
def test_a_broken_plugin_is_listed_with_its_error_beside_the_others() -> None:
    found = {p.name: p for p in find_experiments() if p.origin == "someplugin 1.0"}
    assert found["fine"].error is None
    errors = {name: plugin.error or "" for name, plugin in found.items() if name != "fine"}
    assert "calls itself 'other'" in errors["misnamed"]
    assert "is a str, not an Experiment" in errors["no-experiment"]
    assert errors["no-attribute"].startswith("AttributeError")
    assert errors["no-module"].startswith("ModuleNotFoundError")
    assert errors["leaves"].startswith("SystemExit")


@pytest.mark.usefixtures("plugin_folder")
def test_of_two_plugins_with_one_name_the_second_is_an_error(plugin_folder: Path) -> None:
    second = plugin_folder / "zzz-2.0.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: zzz\nVersion: 2.0\n")
    (second / "entry_points.txt").write_text("[workbench.experiments]\nfine = zzz_plugin:X\n")
    twice = [plugin for plugin in find_experiments() if plugin.name == "fine"]
    assert [plugin.error for plugin in twice] == [
        None,
        "the name is already taken by some_plugin:FINE",
    ]


@pytest.mark.usefixtures("plugin_folder")
def test_an_unknown_experiment_names_the_closest() -> None:
    with pytest.raises(LookupError, match=r"unknown experiment 'fien'; did you mean 'fine'"):
        find_experiment("fien")
    with pytest.raises(LookupError, match=r"'no-module' .* is broken: ModuleNotFoundError"):
        find_experiment("no-module")
    assert find_experiment("fine").summary == "Does nothing"


def test_the_self_test_of_the_run_store_passes() -> None:
    assert "equals an unbroken one" in run_store()
