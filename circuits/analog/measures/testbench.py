# SPDX-License-Identifier: Apache-2.0
"""How a circuit is driven, and what is to be measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from circuits.analog.measures.view import View

__all__ = ["Loop", "Measure", "Needs", "Scenario", "Signal", "Step", "Steps", "Testbench"]

#: What is looked for along the frequency axis: see :func:`workbench.ops.find_frequencies`.
Feature = Literal["f3db", "unity", "peak"]
FEATURES: tuple[Feature, ...] = ("f3db", "unity", "peak")


@dataclass(frozen=True)
class Signal:
    """A transfer function: the response of v(p) - v(n) to some sources.

    Attributes
    ----------
    name : str
    drive : mapping
        Source to amplitude, V or A.
    output : tuple of two str
        Nodes p and n.
    """

    name: str
    drive: Mapping[str, float]
    output: tuple[str, str]


@dataclass(frozen=True)
class Loop:
    """A loop gain, broken by nothing: a source of 0 V in the lead of a gate is wiggled.

    ``T = -v(returned) / v(injected)``. That is the loop gain while what drives the lead has far
    less impedance than the gate. Else it comes out as the loop gain without the gate's load, plus
    the ratio of these impedances: with a large gate it may never fall below 1, and has no margin.

    Attributes
    ----------
    name : str
    source : str or tuple of str
        The source of 0 V; several where symmetric leads are wiggled together.
    returned, injected : str
        Its node on the side of the signal that comes back, and on the side of the gate.
    """

    name: str
    source: str | tuple[str, ...]
    returned: str
    injected: str

    @property
    def drive(self) -> dict[str, float]:
        """Source to amplitude."""
        sources = (self.source,) if isinstance(self.source, str) else self.source
        return dict.fromkeys(sources, 1.0)


@dataclass(frozen=True)
class Scenario:
    """Values of unsized parameters, such as a load current."""

    name: str
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """A source moves by ``change``, V or A, and stays there."""

    name: str
    source: str
    change: float


@dataclass(frozen=True)
class Steps:
    """A transient in the first scenario: steps one after the other, each with time to settle.

    Attributes
    ----------
    steps : tuple of Step
    output : str
        Node that is watched.
    window : float
        Seconds from one step to the next.
    edge : float
        Seconds that a step takes.
    tolerance : float
        Local error of the integration, V.
    stable : tuple of str
        Measures that must be above 0, or the transient is not run: what oscillates never settles.
    max_steps : int
        After so many a candidate is given up and counts as not settled.
    """

    steps: tuple[Step, ...]
    output: str
    window: float = 20e-6
    edge: float = 10e-9
    tolerance: float = 1e-5
    stable: tuple[str, ...] = ()
    max_steps: int = 3000

    def __post_init__(self) -> None:
        if not 0 < 4 * self.edge < self.window < math.inf:
            raise ValueError(
                f"Steps: needs 0 < 4 edge < window, got edge {self.edge} and window {self.window}"
            )
        if not self.tolerance > 0:
            raise ValueError(f"Steps: tolerance is {self.tolerance}; expected more than 0")
        if self.max_steps < 1:
            raise ValueError(f"Steps: max_steps is {self.max_steps}; expected 1 or more")


@dataclass(frozen=True)
class Needs:
    """What a measure needs of the analyses.

    Attributes
    ----------
    frequencies : tuple of float
        Hertz; 0 stands for the lowest of the testbench.
    features : tuple
        Pairs of feature and signal or loop.
    noise : tuple of str
        Signals whose output noise is wanted.
    responses : tuple of str
        Signals and loops that are read.
    steps : tuple of str
        Steps of the transient that are read.
    """

    frequencies: tuple[float, ...] = ()
    features: tuple[tuple[Feature, str], ...] = ()
    noise: tuple[str, ...] = ()
    responses: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


class Measure(Protocol):
    """One metric: how it is called, which way is better, how it is read."""

    @property
    def name(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def sign(self) -> int:
        """+1 where bigger is better, -1 where smaller is."""
        ...

    def needs(self) -> Needs: ...

    def read(self, view: View) -> Tensor:
        """(B,) float64, NaN where undefined."""
        ...


@dataclass(frozen=True)
class Testbench:
    """All that is measured of a circuit, at one temperature.

    Attributes
    ----------
    measures : tuple of Measure
    signals, loops : tuple
    low, high : float
        Hertz: where low-frequency gains are taken, and where searches end.
    points : int
        Of the coarse grid between them.
    scenarios : tuple of Scenario
        Every signal and loop is known in each of them.
    steps : Steps, optional
        A transient.
    """

    __test__ = False  # not a test, whatever its name begins with

    measures: tuple[Measure, ...]
    signals: tuple[Signal, ...] = ()
    loops: tuple[Loop, ...] = ()
    low: float = 1.0
    high: float = 1e11
    points: int = 25
    scenarios: tuple[Scenario, ...] = (Scenario("nominal"),)
    steps: Steps | None = None

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise ValueError(f"Testbench: needs 0 < low < high, got {self.low} and {self.high}")
        if self.points < 3:
            raise ValueError(f"Testbench: points is {self.points}; expected 3 or more")
        if not self.scenarios:
            raise ValueError("Testbench: there are no scenarios")
        for what, names in (
            ("measure", [m.name for m in self.measures]),
            ("signal or loop", [s.name for s in self.signals] + [s.name for s in self.loops]),
            ("scenario", [s.name for s in self.scenarios]),
            ("step", [s.name for s in self.steps.steps] if self.steps else []),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"Testbench: {what} {sorted(twice)[0]!r} is there twice")
        measured = {m.name for m in self.measures}
        used = self.steps is not None and any(m.needs().steps for m in self.measures)
        for name in self.steps.stable if self.steps and used else ():
            if name not in measured:  # else what oscillates would be run, and nobody told
                raise ValueError(f"Testbench: steps: stable: there is no measure {name!r}")
        signals = {s.name for s in self.signals}
        known = signals | {s.name for s in self.loops}
        for measure in self.measures:
            needs = measure.needs()
            moved = {s.name for s in self.steps.steps} if self.steps else set()
            for name in sorted(set(needs.steps) - moved):
                raise ValueError(f"Testbench: {measure.name} needs step {name!r}: not there")
            asked = {*needs.responses, *(name for _, name in needs.features)}
            for name in sorted((asked - known) | (set(needs.noise) - signals)):
                raise ValueError(f"Testbench: {measure.name} needs {name!r}, which is not there")
            for feature, name in needs.features:
                if feature != "unity" and name not in signals:
                    raise ValueError(f"Testbench: {measure.name}: a loop has no {feature}")
