# SPDX-License-Identifier: Apache-2.0
"""The metrics: each says what it needs of the analyses and how it is read.

All are float64 ``(B,)``, NaN where undefined, and differentiable elsewhere. Frequencies are
differentiated as implicit functions: ``ln f = ln f* - (ln|H(f*)| - ln level) / slope``, where
``f*`` and the slope, d ln|H| / d ln f, are constants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from circuits.analog.expression import Expression
from circuits.analog.measures.testbench import Needs
from circuits.analog.measures.view import Point, View, defined

__all__ = [
    "Bandwidth",
    "Formula",
    "Gain",
    "InputNoise",
    "IntegratedNoise",
    "Peaking",
    "PhaseMargin",
    "Power",
    "QuiescentPower",
    "Regulation",
    "Rejection",
    "UnityGain",
    "Voltage",
]


def _log_size(value: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """``ln|value|`` and where it is finite."""
    valid = valid & (value != 0)
    return torch.where(valid, value, torch.ones_like(value)).abs().log(), valid


def _shift(point: Point, level: Tensor | float) -> Tensor:
    """By how much ``ln f`` of a crossing of ``ln|H| = level`` differs from ``ln f*``: 0, with a
    gradient."""
    size, _ = _log_size(point.value, point.valid)
    return (level - size) / point.slope.real


@dataclass(frozen=True)
class Gain:
    """``|H|`` of a signal or a loop at a frequency, 0 for the lowest of the testbench."""

    name: str
    of: str
    unit: str = "V/V"
    frequency: float = 0.0
    scenario: str | None = None
    sign: int = 1

    def needs(self) -> Needs:
        return Needs(frequencies=(self.frequency,), responses=(self.of,))

    def read(self, view: View) -> Tensor:
        value, valid = view.at(self.of, self.frequency, self.scenario)
        return defined(value.abs(), valid)


@dataclass(frozen=True)
class Rejection:
    """``|H_of| / |H_against|`` at a frequency, as of a supply (PSRR) or common mode (CMRR).

    Without ``of``, the wanted response counts as 1.
    """

    name: str
    against: str
    of: str | None = None
    frequency: float = 1e3
    scenario: str | None = None
    unit: str = "V/V"
    sign: int = 1

    def needs(self) -> Needs:
        both = (self.against,) if self.of is None else (self.of, self.against)
        return Needs(frequencies=(self.frequency,), responses=both)

    def read(self, view: View) -> Tensor:
        below, valid = _log_size(*view.at(self.against, self.frequency, self.scenario))
        ratio = -below
        if self.of is not None:
            above, also = _log_size(*view.at(self.of, self.frequency, self.scenario))
            ratio, valid = ratio + above, valid & also
        return defined(ratio.exp(), valid)


@dataclass(frozen=True)
class Bandwidth:
    """Where ``|H|`` first falls below its value at the lowest frequency over sqrt(2), hertz."""

    name: str
    of: str
    scenario: str | None = None
    unit: str = "Hz"
    sign: int = 1

    def needs(self) -> Needs:
        return Needs((0.0,), (("f3db", self.of),), responses=(self.of,))

    def read(self, view: View) -> Tensor:
        point = view.point("f3db", self.of, self.scenario)
        low, valid = _log_size(*view.at(self.of, 0.0, self.scenario))
        valid = valid & point.valid
        shift = _shift(point, torch.where(valid, low, 0.0) - 0.5 * math.log(2.0))
        # the search took its level from the same response: what is left over is rounding
        return defined(point.frequency * torch.where(valid, shift, 0.0).exp(), valid)


@dataclass(frozen=True)
class UnityGain:
    """Where ``|H|`` first falls below 1, hertz (GBW); NaN if it starts below."""

    name: str
    of: str
    scenario: str | None = None
    unit: str = "Hz"
    sign: int = 1

    def needs(self) -> Needs:
        return Needs((0.0,), (("unity", self.of),), responses=(self.of,))

    def read(self, view: View) -> Tensor:
        point = view.point("unity", self.of, self.scenario)
        return defined(point.frequency * _shift(point, 0.0).exp(), point.valid)


@dataclass(frozen=True)
class PhaseMargin:
    """180 degrees and the phase at which ``|H|`` first falls below 1, in degrees.

    The phase is followed from the lowest frequency and counted from the sign that H has there.
    For a loop (``feedback``) a negative sign counts as half a turn lost: it is positive feedback.
    NaN if ``|H|`` starts below 1. More than 270 degrees come of a loop that is unstable while open,
    and count from the next turn: 340 is -20.
    """

    name: str
    of: str
    feedback: bool = False
    scenario: str | None = None
    unit: str = "deg"
    sign: int = 1

    def needs(self) -> Needs:
        return Needs((0.0,), (("unity", self.of),), responses=(self.of,))

    def read(self, view: View) -> Tensor:
        point = view.point("unity", self.of, self.scenario)
        low, valid = view.at(self.of, 0.0, self.scenario)
        valid = valid & point.valid & (low != 0)
        low = torch.where(valid, low, torch.ones_like(low))
        wrong = low.real.detach() < 0
        start = torch.angle(torch.where(wrong, -low, low))  # near 0, whatever the sign
        if self.feedback:
            start = start - math.pi * wrong
        with torch.no_grad():
            constant = torch.where(valid, point.turn, 0.0)
        # phases relative to those that the search saw: 0, with a gradient
        there = torch.angle(point.value / point.value.detach())
        here = torch.angle(low / low.detach())
        moved = point.slope.imag * _shift(point, 0.0)
        phase = start + constant + there - here + moved
        margin = 180.0 + torch.rad2deg(phase)
        # a phase that rises so far has poles in the right half plane behind it: to close them in
        # it must rise by a half turn more, and what lacks of that is negative
        margin = torch.where(margin.detach() > 270.0, margin - 360.0, margin)
        return defined(margin, valid)


@dataclass(frozen=True)
class Peaking:
    """``20 log10(max|H| / |H|)``, the latter at the lowest frequency: dB, 0 or more."""

    name: str
    of: str
    scenario: str | None = None
    unit: str = "dB"
    sign: int = -1

    def needs(self) -> Needs:
        return Needs((0.0,), (("peak", self.of),), responses=(self.of,))

    def read(self, view: View) -> Tensor:
        point = view.point("peak", self.of, self.scenario)
        top, valid = _log_size(point.value, point.valid)
        low, also = _log_size(*view.at(self.of, 0.0, self.scenario))
        excess = (top - low) * (20.0 / math.log(10.0))
        return defined(excess.clamp_min(0.0), valid & also)


@dataclass(frozen=True)
class InputNoise:
    """Noise at a frequency referred to a signal's drive: V or A per square root of hertz."""

    name: str
    of: str
    frequency: float
    unit: str = "V/rtHz"
    scenario: str | None = None
    sign: int = -1

    def needs(self) -> Needs:
        return Needs((self.frequency,), noise=(self.of,), responses=(self.of,))

    def read(self, view: View) -> Tensor:
        size, valid = _log_size(*view.at(self.of, self.frequency, self.scenario))
        density, also = view.density(self.of, self.frequency, self.scenario)
        valid = valid & also & (density > 0)
        noise = torch.where(valid, density, 1.0).log() * 0.5 - torch.where(valid, size, 0.0)
        return defined(noise.exp(), valid)


@dataclass(frozen=True)
class IntegratedNoise:
    """Output noise of a band over the low-frequency gain: V or A, root mean square.

    Trapezoidal in ``ln f`` over ``points`` frequencies; ``referred=False`` leaves it at the output.
    """

    name: str
    of: str
    low: float
    high: float
    points: int = 101
    referred: bool = True
    unit: str = "V"
    scenario: str | None = None
    sign: int = -1

    def _grid(self) -> tuple[float, ...]:
        step = math.log(self.high / self.low) / (self.points - 1)
        return tuple(self.low * math.exp(step * k) for k in range(self.points))

    def needs(self) -> Needs:
        return Needs((0.0, *self._grid()), noise=(self.of,), responses=(self.of,))

    def read(self, view: View) -> Tensor:
        grid = self._grid()
        parts = [view.density(self.of, f, self.scenario) for f in grid]
        density = torch.stack([d for d, _ in parts])
        valid = torch.stack([v for _, v in parts]).all(0)
        f = torch.tensor(grid, dtype=torch.float64)
        total = torch.trapezoid(density * f[:, None], f.log(), dim=0)
        size, also = _log_size(*view.at(self.of, 0.0, self.scenario))
        valid = valid & also & (total > 0)
        noise = torch.where(valid, total, 1.0).log() * 0.5
        if self.referred:
            noise = noise - torch.where(valid, size, 0.0)
        return defined(noise.exp(), valid)


@dataclass(frozen=True)
class Power:
    """What supplies deliver: the sum of -V I, W. ``supplies`` are pairs of source and node."""

    name: str
    supplies: tuple[tuple[str, str], ...]
    scenario: str | None = None
    unit: str = "W"
    sign: int = -1

    def needs(self) -> Needs:
        return Needs()

    def read(self, view: View) -> Tensor:
        parts = [
            -view.voltage(node, self.scenario) * view.current(source, self.scenario)
            for source, node in self.supplies
        ]
        return defined(torch.stack(parts).sum(0), view.alive(self.scenario))


@dataclass(frozen=True)
class QuiescentPower:
    """A supply's power less what its current gives the load: V (-I - I_load), W."""

    name: str
    supply: str
    node: str
    load: str
    scenario: str | None = None
    unit: str = "W"
    sign: int = -1

    def needs(self) -> Needs:
        return Needs()

    def read(self, view: View) -> Tensor:
        own = -view.current(self.supply, self.scenario) - view.current(self.load, self.scenario)
        return defined(view.voltage(self.node, self.scenario) * own, view.alive(self.scenario))


@dataclass(frozen=True)
class Voltage:
    """Of a node at rest, V."""

    name: str
    node: str
    scenario: str | None = None
    unit: str = "V"
    sign: int = 1

    def needs(self) -> Needs:
        return Needs()

    def read(self, view: View) -> Tensor:
        return defined(view.voltage(self.node, self.scenario), view.alive(self.scenario))


@dataclass(frozen=True)
class Regulation:
    """``|dV / dI|`` of a node between two scenarios that differ in a load current: V/A."""

    name: str
    node: str
    load: str
    light: str
    heavy: str
    unit: str = "V/A"
    sign: int = -1

    def needs(self) -> Needs:
        return Needs()

    def read(self, view: View) -> Tensor:
        change = view.current(self.load, self.heavy) - view.current(self.load, self.light)
        valid = view.alive(self.light) & view.alive(self.heavy) & (change != 0)
        drop = view.voltage(self.node, self.light) - view.voltage(self.node, self.heavy)
        return defined((drop / torch.where(valid, change, 1.0)).abs(), valid)


@dataclass(frozen=True)
class Formula:
    """An expression of the circuit's parameters, such as an area."""

    name: str
    expression: Expression
    unit: str = ""
    sign: int = -1

    def needs(self) -> Needs:
        return Needs()

    def read(self, view: View) -> Tensor:
        return defined(view.evaluate(self.expression), view.alive())
