# SPDX-License-Identifier: Apache-2.0
"""What a design is: a circuit with sized parameters, how it is measured, what is wanted of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from circuits.analog.circuit import Circuit
from circuits.analog.expression import Expression
from circuits.analog.measures.testbench import Testbench
from circuits.analog.technology import Technology

__all__ = ["Design", "Requirement", "Sizes", "Term"]


@dataclass(frozen=True)
class Term:
    """One metric in a figure of merit: ``weight * clip((t(m) - low) / (high - low))``.

    Attributes
    ----------
    metric : str
    weight : float
        Positive where bigger is better, negative where smaller is.
    scale : {"log", "linear"}
        ``t`` is log10 or nothing.
    low, high : float, optional
        In the metric's unit; percentiles of random designs where left out.
    cap : float, optional
        What is better than this counts as this.
    """

    metric: str
    weight: float = 1.0
    scale: Literal["log", "linear"] = "log"
    low: float | None = None
    high: float | None = None
    cap: float | None = None


@dataclass(frozen=True)
class Requirement:
    """A metric must be at least this, or the design counts as failed.

    Attributes
    ----------
    metric : str
    least : float, optional
        In the metric's unit, itself not enough.
    percentile : float, optional
        Or: this percentile of random designs.
    """

    metric: str
    least: float | None = None
    percentile: float | None = None

    def __post_init__(self) -> None:
        if (self.least is None) == (self.percentile is None):
            raise ValueError(f"Requirement {self.metric!r}: give least or percentile")


@dataclass(frozen=True)
class Design:
    """A circuit to be sized.

    Attributes
    ----------
    name, node : str
        The node is the technology's name.
    technology : Technology
    circuit : Circuit
        Its parameters with a range are sized; supplies, loads and references are parameters
        without.
    testbench : Testbench
    human : mapping
        A designer's value of every sized parameter; it may lie outside of the ranges.
    scaled : bool
        Whether ``human`` was scaled from another node's, and so is nobody's design.
    terms, requirements : tuple
        What is wanted of it, before calibration.
    supplies : tuple of str
        Nets besides ground that make no edges in the graph.
    source : str
        Where circuit and human point come from.
    """

    name: str
    node: str
    technology: Technology
    circuit: Circuit
    testbench: Testbench
    human: Mapping[str, float]
    scaled: bool
    terms: tuple[Term, ...]
    requirements: tuple[Requirement, ...]
    supplies: tuple[str, ...]
    source: str


class Sizes:
    """Declares sized parameters, lengths scaled from the node a design was made on.

    A length ``x`` at a home of shortest channel ``L0`` becomes ``x Lmin / L0`` on the grid of the
    card; at home it stays as it is written. Resistances, capacitances and counts do not scale
    unless told.

    Parameters
    ----------
    circuit : Circuit
    technology : Technology
    home_lmin : float
        ``L0``, m.
    """

    def __init__(self, circuit: Circuit, technology: Technology, home_lmin: float) -> None:
        self.circuit, self.technology = circuit, technology
        self.factor = technology.lmin / home_lmin
        self.human: dict[str, float] = {}

    def scaled(self, metres: float) -> float:
        """A length at this node."""
        if abs(self.factor - 1.0) < 1e-12:
            return metres
        grid = self.technology.grid
        return round(metres * self.factor / grid) * grid

    def length(self, name: str, human: float, low: float, high: float) -> Expression:
        """A width or a channel length; micrometres at home."""
        values = [self.scaled(float(f"{v}e-6")) for v in (human, low, high)]
        return self._declare(name, *values, grid=self.technology.grid, unit="m")

    def value(
        self, name: str, human: float, low: float, high: float, unit: str, factor: float = 1.0
    ) -> Expression:
        """A resistance or a capacitance, times ``factor``."""
        return self._declare(name, human * factor, low * factor, high * factor, unit=unit)

    def count(self, name: str, human: int, low: int, high: int) -> Expression:
        """Devices in parallel."""
        return self._declare(name, human, low, high, integer=True)

    def _declare(
        self,
        name: str,
        human: float,
        low: float,
        high: float,
        *,
        grid: float | None = None,
        integer: bool = False,
        unit: str = "",
    ) -> Expression:
        self.human[name] = float(human)
        return self.circuit.parameter(
            name, human, low=low, high=high, grid=grid, integer=integer, unit=unit
        )
