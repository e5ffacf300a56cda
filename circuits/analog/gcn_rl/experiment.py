# SPDX-License-Identifier: Apache-2.0
"""The experiment ``gcn-rl``: four circuits, every method at equal budgets, and transfer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuits.analog.gcn_rl.study.config import Config
from workbench.experiments import Experiment

if TYPE_CHECKING:
    from workbench.experiments import Report, Run, StoredRun

__all__ = ["EXPERIMENT", "Config", "check"]


def check(config: Config) -> None:
    """Refuse a config that cannot be run, naming what can.

    Raises
    ------
    ValueError
        For an unknown circuit, node, method, option or route, and numbers out of range.
    ImportError
        Where a method's package is missing.
    """
    from circuits.analog.gcn_rl.study.checking import check_config

    check_config(config)


def _run(config: Config, run: Run) -> dict[str, Any]:
    from circuits.analog.gcn_rl.study.pipeline import run_pipeline

    return run_pipeline(config, run)


def _report(result: dict[str, Any], timing: dict[str, Any], run: StoredRun) -> Report:
    from circuits.analog.gcn_rl.study.report import build

    return build(result)


EXPERIMENT = Experiment(
    name="gcn-rl",
    summary="size four analog circuits by reinforcement learning, its rivals, and gradients",
    config=Config,
    run=_run,
    report=_report,
    version=1,
    check=check,
)
