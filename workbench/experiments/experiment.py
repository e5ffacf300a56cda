# SPDX-License-Identifier: Apache-2.0
"""What an experiment is: a config type, a function that computes and one that reports."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from workbench.experiments.folder import StoredRun
    from workbench.experiments.report import Report
    from workbench.experiments.run import Run

C = TypeVar("C")

# `workbench run NAME` takes these options itself, so no config field may claim them.
RESERVED_OPTIONS = frozenset({"config", "force", "help", "runs"})
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Experiment(Generic[C]):
    """An experiment, announced through the entry-point group ``workbench.experiments``.

    The module that holds it must import nothing heavy at its top level, because ``workbench list``
    loads every experiment: torch, numpy, qiskit and matplotlib are imported inside ``run`` and
    ``report``.

    Parameters
    ----------
    name
        Lower-case words joined by hyphens; equal to the entry point's name.
    summary
        One line for ``workbench list``.
    config
        A frozen dataclass. Its fields become command-line options, their docstrings or comments
        the options' help. Everything that changes the result is a field; nothing else is.
    run
        ``run(config, run) -> result``. The result is a dict of plain JSON values, a function of
        ``config`` alone: no wall-clock time, no host, no thread count. Three keys have a meaning:
        ``"headline"`` (str, shown by ``workbench runs``), ``"passed"`` (bool; False makes the
        command exit with 1) and ``"warnings"`` (list of str, shown in the report).
    report
        ``report(result, timing, run) -> Report``, from stored values only, so that
        ``workbench report`` can build the page again. ``timing`` holds wall-clock seconds.
    version
        Raised whenever the same config would give another result; part of a run's id.
    check
        ``check(config)``, called before anything is stored: raises ``ValueError`` or
        ``LookupError`` for a config that cannot be run (an unknown device: name those that
        exist), ``ImportError`` for a missing optional package. It may import what it needs.
    """

    name: str
    summary: str
    config: type[C]
    run: Callable[[C, Run], dict[str, Any]]
    report: Callable[[dict[str, Any], dict[str, Any], StoredRun], Report]
    version: int = 1
    check: Callable[[C], None] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise ValueError(
                f"Experiment: name must be lower-case words joined by hyphens, got {self.name!r}"
            )
        where = f"Experiment {self.name!r}"
        if not isinstance(self.summary, str) or not self.summary or "\n" in self.summary:
            raise ValueError(f"{where}: summary must be one line of text, got {self.summary!r}")
        if not isinstance(self.version, int) or self.version < 1:
            raise ValueError(f"{where}: version must be a positive int, got {self.version!r}")
        for role in ("run", "report"):
            if not callable(getattr(self, role)):
                raise TypeError(f"{where}: {role} must be callable, got {getattr(self, role)!r}")
        if self.check is not None and not callable(self.check):
            raise TypeError(f"{where}: check must be callable or None, got {self.check!r}")
        kind: Any = self.config
        if not isinstance(kind, type) or not dataclasses.is_dataclass(kind):
            raise TypeError(f"{where}: config must be a dataclass type, got {kind!r}")
        if not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
            raise TypeError(f"{where}: config {kind.__name__} must be a frozen dataclass")
        taken = RESERVED_OPTIONS & {field.name for field in dataclasses.fields(kind)}
        if taken:
            raise ValueError(
                f"{where}: the config field {min(taken)!r} is an option of `workbench run` itself"
            )
