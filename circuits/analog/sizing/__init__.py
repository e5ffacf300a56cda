# SPDX-License-Identifier: Apache-2.0
"""Sizing problems: a design as a graph with actions, metrics and a calibrated figure of merit.

The names below are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.analog.sizing.calibration import Calibration, load_calibration, make_calibration
    from circuits.analog.sizing.corners import Robustness, robustness
    from circuits.analog.sizing.graph import Vertex
    from circuits.analog.sizing.l2dc import l2dc_specs
    from circuits.analog.sizing.problem import Evaluation, SizingProblem, sizing_problem
    from circuits.analog.sizing.verify import verify_in_ngspice

_MODULES = {
    "Calibration": "calibration",
    "Evaluation": "problem",
    "Robustness": "corners",
    "SizingProblem": "problem",
    "Vertex": "graph",
    "make_calibration": "calibration",
    "l2dc_specs": "l2dc",
    "load_calibration": "calibration",
    "robustness": "corners",
    "sizing_problem": "problem",
    "verify_in_ngspice": "verify",
}

__all__ = [
    "Calibration",
    "Evaluation",
    "Robustness",
    "SizingProblem",
    "Vertex",
    "l2dc_specs",
    "load_calibration",
    "make_calibration",
    "robustness",
    "sizing_problem",
    "verify_in_ngspice",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
