# SPDX-License-Identifier: Apache-2.0
"""The SpArch accelerator (HPCA 2020) and its rivals as exact counters of bytes and cycles.

    from workbench.hardware.sparch import Problem, SpArchConfig, Variant, simulate

    simulate(Problem.square(matrix), SpArchConfig(), Variant()).traffic.total

Importing this package imports nothing; each public name is loaded from its module on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.hardware.sparch.config import SpArchConfig
    from workbench.hardware.sparch.ladder import RUNGS, Rung, climb
    from workbench.hardware.sparch.merger import MergeTree, comparators
    from workbench.hardware.sparch.model import Simulation, Traffic, Variant, simulate
    from workbench.hardware.sparch.problem import Problem
    from workbench.hardware.sparch.rivals import (
        Machine,
        OuterSpaceConfig,
        compulsory,
        gamma,
        matraptor,
        outerspace,
    )

__all__ = [
    "RUNGS",
    "Machine",
    "MergeTree",
    "OuterSpaceConfig",
    "Problem",
    "Rung",
    "Simulation",
    "SpArchConfig",
    "Traffic",
    "Variant",
    "climb",
    "comparators",
    "compulsory",
    "gamma",
    "matraptor",
    "outerspace",
    "simulate",
]

_MODULES = {
    "config": ("SpArchConfig",),
    "ladder": ("RUNGS", "Rung", "climb"),
    "merger": ("MergeTree", "comparators"),
    "model": ("Simulation", "Traffic", "Variant", "simulate"),
    "problem": ("Problem",),
    "rivals": ("Machine", "OuterSpaceConfig", "compulsory", "gamma", "matraptor", "outerspace"),
}
_ORIGIN = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _ORIGIN:
        raise AttributeError(f"module 'workbench.hardware.sparch' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"workbench.hardware.sparch.{_ORIGIN[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
