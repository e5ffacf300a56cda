# SPDX-License-Identifier: Apache-2.0
"""Metrics of amplifiers and regulators, batched and differentiable to the parameters.

A :class:`Testbench` says how a circuit is driven and what is measured; a :class:`Bench` is a
testbench compiled for one circuit. The names below are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.analog.measures.bench import Bench, Readings
    from circuits.analog.measures.kinds import (
        Bandwidth,
        Formula,
        Gain,
        InputNoise,
        IntegratedNoise,
        Peaking,
        PhaseMargin,
        Power,
        QuiescentPower,
        Regulation,
        Rejection,
        UnityGain,
        Voltage,
    )
    from circuits.analog.measures.settling import Settling
    from circuits.analog.measures.testbench import (
        Loop,
        Measure,
        Scenario,
        Signal,
        Step,
        Steps,
        Testbench,
    )

_MODULES = {
    "Bandwidth": "kinds",
    "Bench": "bench",
    "Formula": "kinds",
    "Gain": "kinds",
    "InputNoise": "kinds",
    "IntegratedNoise": "kinds",
    "Loop": "testbench",
    "Measure": "testbench",
    "Peaking": "kinds",
    "PhaseMargin": "kinds",
    "Power": "kinds",
    "QuiescentPower": "kinds",
    "Readings": "bench",
    "Regulation": "kinds",
    "Rejection": "kinds",
    "Scenario": "testbench",
    "Settling": "settling",
    "Signal": "testbench",
    "Step": "testbench",
    "Steps": "testbench",
    "Testbench": "testbench",
    "UnityGain": "kinds",
    "Voltage": "kinds",
}

__all__ = [
    "Bandwidth",
    "Bench",
    "Formula",
    "Gain",
    "InputNoise",
    "IntegratedNoise",
    "Loop",
    "Measure",
    "Peaking",
    "PhaseMargin",
    "Power",
    "QuiescentPower",
    "Readings",
    "Regulation",
    "Rejection",
    "Scenario",
    "Settling",
    "Signal",
    "Step",
    "Steps",
    "Testbench",
    "UnityGain",
    "Voltage",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
