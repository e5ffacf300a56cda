# SPDX-License-Identifier: Apache-2.0
"""From an experiment and a config to a stored result and its report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.experiments.config import config_from_json, config_to_json
from workbench.experiments.durable import write_text_durably
from workbench.experiments.environment import describe, with_kernels
from workbench.experiments.experiment import Experiment
from workbench.experiments.folder import REPORT, RunError, StoredRun
from workbench.experiments.report import Report
from workbench.experiments.run import Run, create_run_folder, sweep


@dataclass(frozen=True)
class Outcome:
    """A finished run."""

    run: StoredRun
    result: dict[str, Any]
    report: Report
    is_new: bool
    """False where the stored result was taken."""

    @property
    def passed(self) -> bool:
        """Whether the experiment's own check holds; True where it makes none."""
        return bool(self.result.get("passed", True))

    @property
    def page(self) -> Path:
        """The self-contained HTML report."""
        return self.run.path / REPORT


def execute(
    experiment: Experiment[Any],
    config: Any,
    *,
    runs: Path | str = "runs",
    force: bool = False,
) -> Outcome:
    """Run ``experiment`` with ``config``, go on with an unfinished run, or take a stored result.

    Parameters
    ----------
    experiment, config
        What to run; ``config`` is an instance of ``experiment.config``.
    runs
        The folder that holds all runs.
    force
        Run again although there is a result; the old folder is set aside, not deleted.

    Raises
    ------
    RunError
        If the run's folder is damaged, of another format, or being written by another process.
    """
    if not isinstance(config, experiment.config):
        raise TypeError(
            f"execute: config must be a {experiment.config.__name__}, got {type(config).__name__}"
        )
    return continue_run(experiment, prepare(experiment, config, runs=runs, force=force))


def prepare(
    experiment: Experiment[Any], config: Any, *, runs: Path | str, force: bool = False
) -> Path:
    """Check ``config`` and return the folder of its run; see :func:`execute`."""
    data = config_to_json(config)
    if experiment.check is not None:
        experiment.check(config)
    return create_run_folder(runs, experiment.name, experiment.version, data, force=force)


def continue_run(experiment: Experiment[Any], path: Path) -> Outcome:
    """Bring the run in ``path`` to its end, unless it is there already.

    Raises
    ------
    RunError
        As :func:`execute`, and if the run was made by another version of the experiment.
    """
    stored = StoredRun(path)
    config = stored_config(experiment, stored)
    if stored.state == "finished":
        sweep(path)
        return _conclude(experiment, stored, is_new=False)
    with Run(path) as run:
        environment = describe()
        run.record_environment(environment, first=True)
        result = experiment.run(config, run)
        run.record_environment(with_kernels(environment), first=False)
        run.finish(result)
    return _conclude(experiment, stored, is_new=True)


def stored_config(experiment: Experiment[Any], stored: StoredRun) -> Any:
    """Return the config of a stored run, or refuse the run with the reason."""
    if stored.experiment != experiment.name or stored.version != experiment.version:
        raise RunError(
            f"{stored.path} was made by version {stored.version} of {stored.experiment!r}; "
            f"installed is version {experiment.version} of {experiment.name!r}"
        )
    try:
        return config_from_json(experiment.config, stored.config)
    except (TypeError, ValueError) as error:
        raise RunError(
            f"{stored.path} does not fit the installed {experiment.name!r}: {error}"
        ) from error


def build_report(experiment: Experiment[Any], stored: StoredRun) -> Report:
    """Build the report of a finished run and write its page."""
    from workbench.experiments.page import render

    report = experiment.report(stored.result(), stored.timing(), stored)
    write_text_durably(
        stored.path / REPORT, render(report, stored, stored_config(experiment, stored))
    )
    return report


def _conclude(experiment: Experiment[Any], stored: StoredRun, *, is_new: bool) -> Outcome:
    result = stored.result()
    return Outcome(stored, result, build_report(experiment, stored), is_new)
