# SPDX-License-Identifier: Apache-2.0
"""The experiment ``spanner-study``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphs.spanner.study.config import Config
from workbench.experiments import Experiment

if TYPE_CHECKING:
    from workbench.experiments import Report, Run, StoredRun

__all__ = ["EXPERIMENT", "Config", "check"]


def check(config: Config) -> None:
    """Refuse a config that names what there is not, listing what there is.

    Raises
    ------
    ValueError
        For an unknown graph, a folder that is none, and numbers out of range.
    """
    from graphs.spanner.study.inputs import check_names

    check_names(config)


def _run(config: Config, run: Run) -> dict[str, Any]:
    from graphs.spanner.study.pipeline import run_pipeline

    return run_pipeline(config, run)


def _report(result: dict[str, Any], timing: dict[str, Any], run: StoredRun) -> Report:
    from graphs.spanner.study.measured import read_measured
    from graphs.spanner.study.report import build

    return build(result, read_measured(timing, run))


EXPERIMENT = Experiment(
    name="spanner-study",
    summary="edges, work and certificates of source-wise round-trip spanners, by every method",
    config=Config,
    run=_run,
    report=_report,
    version=1,
    check=check,
)
