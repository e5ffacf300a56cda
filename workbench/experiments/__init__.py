# SPDX-License-Identifier: Apache-2.0
"""Experiments: found by entry point, run in folders that survive a kill, reported on one page.

Importing this package imports nothing; each public name is loaded from its module on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.experiments.discovery import Plugin, find_experiment, find_experiments
    from workbench.experiments.experiment import Experiment
    from workbench.experiments.folder import RunError, StoredRun
    from workbench.experiments.progress import Progress
    from workbench.experiments.report import (
        Column,
        Facts,
        Figure,
        Preformatted,
        Report,
        Section,
        Table,
        draw_figure,
    )
    from workbench.experiments.run import Run
    from workbench.experiments.session import Outcome, execute
    from workbench.experiments.tree import TreeError, load_tree, save_tree

__all__ = [
    "Column",
    "Experiment",
    "Facts",
    "Figure",
    "Outcome",
    "Plugin",
    "Preformatted",
    "Progress",
    "Report",
    "Run",
    "RunError",
    "Section",
    "StoredRun",
    "Table",
    "TreeError",
    "draw_figure",
    "execute",
    "find_experiment",
    "find_experiments",
    "load_tree",
    "save_tree",
]

_MODULES = {
    "discovery": ("Plugin", "find_experiment", "find_experiments"),
    "session": ("Outcome", "execute"),
    "experiment": ("Experiment",),
    "folder": ("RunError", "StoredRun"),
    "progress": ("Progress",),
    "report": (
        "Column",
        "Facts",
        "Figure",
        "Preformatted",
        "Report",
        "Section",
        "Table",
        "draw_figure",
    ),
    "run": ("Run",),
    "tree": ("TreeError", "load_tree", "save_tree"),
}
_ORIGIN = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _ORIGIN:
        raise AttributeError(f"module 'workbench.experiments' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"workbench.experiments.{_ORIGIN[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
