# SPDX-License-Identifier: Apache-2.0
"""What a simulation of a testbench found, as measures read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from circuits.analog.expression import Expression
from circuits.analog.measures.testbench import Feature

__all__ = ["Point", "View", "Waveform", "defined"]


class Point(NamedTuple):
    """A response at the frequency of a feature, per candidate.

    ``value`` carries the gradient at a fixed ``frequency``; ``slope`` is d ln H / d ln f and
    ``turn`` the phase since the lowest frequency, radians; none of these three does. ``valid``
    is False where there is no such frequency; the numbers are then harmless ones.
    """

    value: Tensor
    frequency: Tensor
    slope: Tensor
    turn: Tensor
    valid: Tensor


class Waveform(NamedTuple):
    """An output after a step: seconds since its edge began ``(T,)``, volts ``(T, B)``.

    ``run`` ``(B,)`` tells whether there was a transient; one that was given up ends in NaN.
    """

    time: Tensor
    value: Tensor
    run: Tensor


def defined(value: Tensor, valid: Tensor) -> Tensor:
    """``value`` where valid, NaN elsewhere; no gradient flows from there."""
    return torch.where(valid, value, math.nan)


@dataclass(frozen=True)
class View:
    """One simulation; columns are candidates, one scenario after the other.

    Attributes
    ----------
    batch : int
        Candidates.
    scenarios : mapping
        Name to number.
    parameters : mapping
        Name to float64 ``(C,)``.
    """

    batch: int
    scenarios: Mapping[str, int]
    parameters: Mapping[str, Tensor]
    low: float
    _voltages: Tensor  # harmless where the candidate failed
    _currents: Tensor
    _alive: Tensor
    _nodes: Mapping[str, int]
    _sources: Mapping[str, int]
    _table: Mapping[str, Tensor]  # response -> (F, C)
    _valid: Mapping[str, Tensor]
    _fixed: Mapping[float, int]  # hertz -> row
    _features: Mapping[tuple[Feature, str], int]
    _first_feature: int
    _frequency: Tensor  # (features, C)
    _slope: Tensor
    _turn: Tensor
    _noise: Mapping[str, Tensor]  # signal -> (F, C)
    _waveforms: Mapping[str, Waveform] = field(default_factory=dict)  # by step, first scenario

    def _part(self, values: Tensor, scenario: str | None) -> Tensor:
        k = self.scenarios[scenario] if scenario is not None else 0
        return values[..., k * self.batch : (k + 1) * self.batch]

    @property
    def voltages(self) -> Tensor:
        """Of all nodes, ``(n_nodes, C)``; 0 where the candidate failed."""
        return self._voltages

    def alive(self, scenario: str | None = None) -> Tensor:
        """Whether there is an operating point: bool ``(B,)``."""
        return self._part(self._alive, scenario)

    def voltage(self, node: str, scenario: str | None = None) -> Tensor:
        """Of a node, float64 ``(B,)``; 0 where the candidate failed."""
        return self._part(self._voltages[self._nodes[node.lower()]], scenario)

    def current(self, source: str, scenario: str | None = None) -> Tensor:
        """Into a source's +, float64 ``(B,)``; 0 where the candidate failed."""
        return self._part(self._currents[self._sources[source.lower()]], scenario)

    def at(
        self, response: str, frequency: float = 0.0, scenario: str | None = None
    ) -> tuple[Tensor, Tensor]:
        """A response at a fixed frequency, 0 for the lowest, and where it is valid: ``(B,)``."""
        row = self._fixed[frequency or self.low]
        value, valid = self._table[response][row], self._valid[response][row]
        return self._part(value, scenario), self._part(valid, scenario)

    def density(
        self, signal: str, frequency: float, scenario: str | None = None
    ) -> tuple[Tensor, Tensor]:
        """Noise at a signal's output, V**2/Hz, and where it is valid: ``(B,)``."""
        value = self._part(self._noise[signal][self._fixed[frequency]], scenario)
        valid = torch.isfinite(value)
        return torch.where(valid, value, 1.0), valid

    def point(self, feature: Feature, response: str, scenario: str | None = None) -> Point:
        """A response at the frequency of a feature."""
        k = self._features[feature, response]
        row = self._first_feature + k
        frequency = self._part(self._frequency[k], scenario)
        slope = self._part(self._slope[k], scenario)
        valid = self._part(self._valid[response][row], scenario) & torch.isfinite(frequency)
        value = self._part(self._table[response][row], scenario)
        value = torch.where(valid, value, torch.ones_like(value))
        frequency = torch.where(valid, frequency, 1.0)
        slope = torch.where(valid & torch.isfinite(slope), slope, -torch.ones_like(slope))
        if feature == "f3db" or feature == "unity":
            valid = valid & (slope.real != 0)
            slope = torch.where(valid, slope, -torch.ones_like(slope))
        turn = torch.where(valid, self._part(self._turn[k], scenario), 0.0)
        return Point(value, frequency, slope, turn, valid)

    def waveform(self, step: str) -> Waveform:
        """The watched output after a step, in the first scenario; NaN where that failed."""
        return self._waveforms[step]

    def evaluate(self, expression: Expression) -> Tensor:
        """An expression of parameters in the first scenario, float64 ``(B,)``."""
        wanted = {name: self._part(self.parameters[name], None) for name in expression.names}
        value: Tensor | float = expression.evaluate(wanted)
        return torch.as_tensor(value, dtype=torch.float64).expand(self.batch)
