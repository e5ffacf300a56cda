# SPDX-License-Identifier: Apache-2.0
"""A run over worker processes, as a program: `crew_run.py RUNS [hang]`.

Without `hang` each piece takes a moment. With it those from the fifth on never end: "sleep" ends
when it is asked to, "deaf" is a loop in C that does not listen, "child" waits for a process.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import FIRST_COMPLETED, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from workbench.experiments import Experiment, Report, Run, StoredRun, Table
from workbench.experiments.workers import crew


@dataclass(frozen=True)
class PiecesConfig:
    pieces: int = 8


def piece(number: int, hang: str) -> int:
    """The square of a number, some time."""
    if hang and number >= 4:
        sys.stdout.write("hanging\n")  # one write: two processes share the pipe
        sys.stdout.flush()
        if hang == "deaf":
            sum(range(10**12))
        elif hang == "child":
            subprocess.run(["sleep", "600"], check=False)
        else:
            time.sleep(600)
    return number * number


def prepare() -> None:
    """Nothing to load."""


def work(hang: str, config: PiecesConfig, run: Run) -> dict[str, Any]:
    """Every piece, each stored when it is done."""
    done: dict[str, int] = run.restore("done") or {}
    with crew(2, prepare) as executor, run.progress(config.pieces, "pieces"):
        left = [i for i in range(config.pieces) if str(i) not in done]
        waiting = {executor.submit(piece, i, hang): i for i in left}
        while waiting:
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                done[str(waiting.pop(future))] = future.result()
                run.checkpoint("done", done)
    return {"squares": [done[str(i)] for i in range(config.pieces)]}


def report(result: dict[str, Any], timing: dict[str, Any], run: StoredRun) -> Report:
    """One row."""
    return Report("Squares", "They grow.", Table(["sum"], [[sum(result["squares"])]]))


if __name__ == "__main__":
    from workbench.cli.running import _work
    from workbench.experiments.session import prepare as prepare_run

    hang = sys.argv[2] if len(sys.argv) > 2 else ""
    experiment = Experiment("squares", "Squares", PiecesConfig, partial(work, hang), report)
    sys.exit(_work(experiment, prepare_run(experiment, PiecesConfig(), runs=Path(sys.argv[1]))))
