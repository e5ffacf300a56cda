# SPDX-License-Identifier: Apache-2.0
"""The experiment ``sparch``: the ablation ladder of SpArch beside the paper's figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.experiments import Experiment
from workbench.methods.sparch.config import Config

if TYPE_CHECKING:
    from workbench.experiments import Report, Run, StoredRun

__all__ = ["EXPERIMENT", "Config", "check"]


def check(config: Config) -> None:
    """Refuse a config that names what there is not, listing what there is.

    Raises
    ------
    ValueError
        For an unknown matrix or suite, a suite without matrices and a negative seed.
    ImportError
        Where scipy is missing.
    """
    from workbench.methods.sparch.sources import resolve

    resolve(config)


def _run(config: Config, run: Run) -> dict[str, Any]:
    from workbench.methods.sparch.pipeline import run_pipeline

    return run_pipeline(config, run)


def _report(result: dict[str, Any], timing: dict[str, Any], run: StoredRun) -> Report:
    from workbench.methods.sparch.report import build

    return build(result)


EXPERIMENT = Experiment(
    name="sparch",
    summary="what each idea of the SpArch accelerator saves in DRAM traffic, counted exactly",
    config=Config,
    run=_run,
    report=_report,
    version=1,
    check=check,
)
