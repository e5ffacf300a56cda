# SPDX-License-Identifier: Apache-2.0
"""Searches in processes of their own, killed for real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import workbench.search
from workbench.search import FileCheckpoint, read_trace

# Runs a search in the folder argv[1]. With argv[2] = n > 0 it kills itself at its n-th function
# call or return of any kind, Python's own and C's, so also within a write; with 0 it counts them.
PROGRAM = """
import os, signal, sys
from workbench.search import *

folder, fatal = sys.argv[1], int(sys.argv[2])
space = Space([Injection("layout", 3, 5), Int("a", 0, 30), Float("b", 0.0, 1.0)])
engine = Evolution(space, 3, parents=3, mutations=4, crossings=2)
evaluator = Evaluator(lambda g: {"loss": abs(g["a"] - 11) + g["b"] + g["layout"][0]})
search = Search(space, engine, evaluator, Budget(evaluations=50),
                trace=folder + "/trace.jsonl", checkpoint=folder + "/run.npz")
count = 0

def tick(frame, event, argument):
    global count
    count += 1
    if count == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

print("ready", flush=True)
if fatal >= 0:
    sys.setprofile(tick)
result = search.run()
sys.setprofile(None)
print(count)
"""


def start(folder: Path, fatal: int) -> subprocess.Popen[str]:
    root = str(Path(workbench.search.__file__).parents[2])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), str(fatal)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )


def left_behind(folder: Path) -> dict[str, Any]:
    records = read_trace(folder / "trace.jsonl")
    for record in records:
        record.pop("wall")
    tree = FileCheckpoint(folder / "run.npz").load()
    assert tree is not None
    tree.pop("seconds")
    return {"records": records, "tree": tree}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """What an unbroken run leaves behind, and how many calls it makes."""
    folder = tmp_path_factory.mktemp("unbroken")
    out, err = start(folder, 0).communicate(timeout=120)
    assert out.startswith("ready"), err
    expected = left_behind(folder)
    assert len(expected["records"]) == 50
    return expected, int(out.split()[1])


def test_a_run_killed_at_random_calls_ends_as_an_unbroken_one(
    tmp_path: Path, unbroken: tuple[dict[str, Any], int]
) -> None:
    expected, calls = unbroken
    rng = np.random.default_rng(17)
    kills = 0
    for _ in range(10):
        process = start(tmp_path, int(rng.integers(1, calls // 4)))
        _, err = process.communicate(timeout=120)
        # The number may lie behind the end of what was left to do.
        assert process.returncode in (-signal.SIGKILL, 0), err
        kills += process.returncode == -signal.SIGKILL
    process = start(tmp_path, 0)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert kills >= 3
    np.testing.assert_equal(left_behind(tmp_path), expected)


def test_a_run_killed_from_outside_ends_as_an_unbroken_one(
    tmp_path: Path, unbroken: tuple[dict[str, Any], int]
) -> None:
    expected, _ = unbroken
    rng = np.random.default_rng(18)
    for _ in range(5):
        process = start(tmp_path, -1)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            process.wait(timeout=float(rng.uniform(0, 0.05)))
        except subprocess.TimeoutExpired:
            process.kill()
        process.communicate(timeout=120)
        assert process.returncode in (-signal.SIGKILL, 0)
    process = start(tmp_path, -1)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    np.testing.assert_equal(left_behind(tmp_path), expected)
