# SPDX-License-Identifier: Apache-2.0
"""The experiment ``quantumnas``: the whole of QuantumNAS at a small scale, with its baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuits.quantum.quantumnas.config import Config
from workbench.experiments import Experiment

if TYPE_CHECKING:
    from workbench.experiments import Report, Run, StoredRun

__all__ = ["EXPERIMENT", "Config", "check"]


def check(config: Config) -> None:
    """Refuse a config that cannot be run, naming what can.

    Raises
    ------
    ValueError
        For an unknown device, task, design space or sampling, a device with too few qubits,
        and numbers out of range.
    ImportError
        Where qiskit, qiskit-aer, qiskit-ibm-runtime or scikit-learn are missing.
    """
    from circuits.quantum.quantumnas.checking import check_config

    check_config(config)


def _run(config: Config, run: Run) -> dict[str, Any]:
    from circuits.quantum.quantumnas.pipeline import run_pipeline

    return run_pipeline(config, run)


def _report(result: dict[str, Any], timing: dict[str, Any], run: StoredRun) -> Report:
    from circuits.quantum.quantumnas.report import build

    return build(result, timing, run.config)


EXPERIMENT = Experiment(
    name="quantumnas",
    summary="search a noise-robust circuit and its qubit mapping on a simulated IBM machine",
    config=Config,
    run=_run,
    report=_report,
    version=1,
    check=check,
)
