# SPDX-License-Identifier: Apache-2.0
"""The experiment ``spanner``: a spanner of your graph, verified, with a report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphs.spanner.config import Config
from workbench.experiments import Experiment

if TYPE_CHECKING:
    from workbench.experiments import Report, Run, StoredRun

__all__ = ["EXPERIMENT", "Config", "check"]


def check(config: Config) -> None:
    """Refuse a config that names what there is not, listing what there is.

    Raises
    ------
    ValueError
        For an unknown graph, file or number of sources, a stretch below 1 and a negative seed.
    """
    from graphs.spanner.inputs import check_names

    if not 1 <= config.stretch < float("inf"):
        raise ValueError(f"stretch must be finite and at least 1, got {config.stretch}")
    if config.seed < 0:
        raise ValueError(f"seed must be at least 0, got {config.seed}")
    check_names(config.graph, config.sources, config.positions)


def _run(config: Config, run: Run) -> dict[str, Any]:
    from graphs.spanner.pipeline import run_pipeline

    return run_pipeline(config, run)


def _report(result: dict[str, Any], timing: dict[str, Any], run: StoredRun) -> Report:
    from graphs.spanner.report import build

    return build(result, timing, run)


EXPERIMENT = Experiment(
    name="spanner",
    summary="few edges of your graph that keep round trips from your sources short, verified",
    config=Config,
    run=_run,
    report=_report,
    version=1,
    check=check,
)
