# SPDX-License-Identifier: Apache-2.0
"""A third party's package, as an installed one looks, and the command line called on it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

import workbench
from workbench.cli import main

_PLUGIN = '''
from __future__ import annotations

import hashlib
from dataclasses import dataclass

from workbench.experiments import Experiment, Report, Table


@dataclass(frozen=True)
class Config:
    seeds: int = 3
    """How many seeds to take."""
    rounds: int = 20
    """Rounds of hashing for each seed."""
    mode: str = "fine"
    """What the experiment does: fine, fails, crashes or bad-report."""


def check(config):
    modes = ("fine", "fails", "crashes", "bad-report")
    if config.mode not in modes:
        raise ValueError(f"unknown mode {config.mode!r} (there are: {', '.join(modes)})")


def run(config, run):
    digests = []
    with run.progress(config.seeds, "seeds") as bar:
        for seed in range(config.seeds):
            digests.append(run.once(f"seed {seed}", lambda: chain(config, seed, run)))
            bar.advance()
            if config.mode == "crashes" and seed == 1:
                raise RuntimeError("the experiment broke")
    return {"digests": digests, "headline": f"{len(digests)} digests",
            "passed": config.mode != "fails", "warnings": ["a warning"]}


def chain(config, seed, run):
    state = run.restore("chain") or {"round": 0, "digest": str(seed)}
    while state["round"] < config.rounds:
        digest = state["digest"]
        for _ in range(2000):
            digest = hashlib.sha256(digest.encode()).hexdigest()
        state = {"round": state["round"] + 1, "digest": digest}
        run.log({"seed": seed, **state})
        run.checkpoint("chain", state)
    return state["digest"]


def report(result, timing, run):
    if run.config["mode"] == "bad-report":
        raise KeyError("nothing to report")
    rows = [[i, digest[:8]] for i, digest in enumerate(result["digests"])]
    return Report("Hash chains", "They are long.", Table(["seed", "digest"], rows))


EXPERIMENT = Experiment("hash-chain", "Hashes in a chain", Config, run, report, check=check)


def good_check():
    return "two and two are four"


def check_of_an_extra():
    from workbench.distribution import MissingExtraError

    raise MissingExtraError("noise needs aer", "quantum")


def bad_check():
    raise ArithmeticError("two and two are five")
'''

_POINTS = """
[workbench.experiments]
hash-chain = hash_chain_plugin:EXPERIMENT
shattered = a_module_that_is_not_there:X
"""


@pytest.fixture
def plugin_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    distribution = folder / "hashchain-1.0.dist-info"
    distribution.mkdir(parents=True)
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: hashchain\nVersion: 1.0\n")
    (distribution / "entry_points.txt").write_text(_POINTS)
    (folder / "hash_chain_plugin.py").write_text(_PLUGIN)
    return folder


@pytest.fixture
def call(
    plugin_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Callable[..., tuple[int, str, str]]]:
    """Call the command line in this process, in an empty folder."""
    monkeypatch.syspath_prepend(plugin_folder)
    monkeypatch.chdir(tmp_path)

    def call_main(*words: str) -> tuple[int, str, str]:
        code = main(words)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    yield call_main
    sys.modules.pop("hash_chain_plugin", None)


@pytest.fixture
def environment(plugin_folder: Path) -> dict[str, str]:
    """An environment in which a new interpreter sees the plugin and this same workbench."""
    paths = [str(plugin_folder)]
    try:
        metadata.version("quantum-graph-workbench")
    except metadata.PackageNotFoundError:
        paths.append(str(Path(workbench.__file__).parents[1]))
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *filter(None, [inherited])])}


@pytest.fixture
def start(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command line in a process of its own, in an empty folder."""
    started: list[subprocess.Popen[str]] = []

    def start_process(*words: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli", *words],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A job in the background of a shell inherits an ignored SIGINT; a user's does not.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        started.append(process)
        return process

    yield start_process
    for process in started:
        process.kill()
        process.communicate()
