# SPDX-License-Identifier: Apache-2.0
"""A small experiment that touches every service of a run, shared by the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from workbench.experiments import Experiment, Report, Run, StoredRun, Table


@dataclass(frozen=True)
class WalkConfig:
    walks: int = 2
    steps: int = 4
    start: float = 0.0


def run_walks(config: WalkConfig, run: Run) -> dict[str, Any]:
    ends = []
    with run.progress(config.walks, "walks") as bar:
        for walk in range(config.walks):
            ends.append(run.once(f"walk {walk}", lambda walk=walk: _one_walk(config, walk, run)))
            bar.advance(best=f"end {max(ends):.2f}")
    return {"ends": ends, "headline": f"{config.walks} walks", "passed": config.start >= 0}


def _one_walk(config: WalkConfig, walk: int, run: Run) -> float:
    rng = np.random.default_rng(walk)
    position, first = config.start, 0
    state = run.restore("loop")
    if state is not None:
        position, first = state["position"], state["next"]
        rng.bit_generator.state = state["rng"]
    for step in range(first, config.steps):
        position += float(rng.normal())
        run.log({"walk": walk, "step": step, "position": position})
        tree = {"position": position, "next": step + 1, "rng": rng.bit_generator.state}
        run.checkpoint("loop", tree)
    return position


def report_walks(result: dict[str, Any], timing: dict[str, Any], run: StoredRun) -> Report:
    rows = [[f"walk {i}", end] for i, end in enumerate(result["ends"])]
    return Report("Random walks", "They end somewhere.", Table(["walk", "end"], rows))


@pytest.fixture
def walks() -> Experiment[WalkConfig]:
    return Experiment("walks", "Random walks", WalkConfig, run_walks, report_walks)


@pytest.fixture
def walk_config() -> type[WalkConfig]:
    return WalkConfig


@pytest.fixture
def python_environment() -> dict[str, str]:
    """An environment in which a new interpreter imports the same workbench as this one."""
    import os
    from importlib import metadata
    from pathlib import Path

    import workbench

    environment = dict(os.environ)
    try:
        metadata.version("quantum-graph-workbench")
    except metadata.PackageNotFoundError:
        root = str(Path(workbench.__file__).parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(
            filter(None, [root, environment.get("PYTHONPATH", "")])
        )
    return environment
