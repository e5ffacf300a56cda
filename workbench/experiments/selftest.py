# SPDX-License-Identifier: Apache-2.0
"""The check of this room for ``workbench selftest``: a run, interrupted, resumed and reported."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from workbench.experiments.experiment import Experiment
from workbench.experiments.folder import StoredRun
from workbench.experiments.report import Report, Section, Table, draw_figure
from workbench.experiments.run import Run


@dataclass(frozen=True)
class _Config:
    units: int = 3


class _InterruptedError(Exception):
    """Stands for a kill between two units of work."""


def run_store() -> str:
    """Interrupt a small experiment, resume it, and compare it with one left alone.

    Raises
    ------
    RuntimeError
        If the two results differ in any byte, or a unit of work was computed twice.
    """
    from workbench.experiments.folder import RESULT
    from workbench.experiments.session import continue_run, prepare

    computed: list[int] = []
    stop_at: int | None = 2

    def work(config: _Config, run: Run) -> dict[str, Any]:
        import numpy as np

        def unit(seed: int) -> Any:
            if seed == stop_at:
                raise _InterruptedError
            computed.append(seed)
            return np.random.default_rng(seed).normal(size=4)

        values = [run.once(f"unit {i}", partial(unit, i)) for i in range(config.units)]
        return {"sums": [float(value.sum()) for value in values]}

    experiment = Experiment("self-test", "Checks the run store", _Config, work, _report)
    with tempfile.TemporaryDirectory(prefix="workbench-") as folder:
        path = prepare(experiment, _Config(), runs=Path(folder) / "a")
        try:
            continue_run(experiment, path)
        except _InterruptedError:
            stop_at = None
        resumed = continue_run(experiment, path)
        if computed != [0, 1, 2]:
            raise RuntimeError(f"units of work computed: {computed}, expected each once")
        alone = continue_run(experiment, prepare(experiment, _Config(), runs=Path(folder) / "b"))
        if (resumed.run.path / RESULT).read_bytes() != (alone.run.path / RESULT).read_bytes():
            raise RuntimeError("a resumed run gave another result than an unbroken one")
        size = resumed.page.stat().st_size
    return f"resumed run equals an unbroken one, report of {size / 1000:.0f} kB"


def _report(result: dict[str, Any], timing: dict[str, Any], run: StoredRun) -> Report:
    sums = result["sums"]
    figure = draw_figure(lambda figure: figure.subplots().plot(sums))
    table = Table(["unit", "sum"], list(enumerate(sums)))
    return Report("Self-test", "The run store works.", table, [Section("Sums", [figure])])
