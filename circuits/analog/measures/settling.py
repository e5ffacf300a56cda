# SPDX-License-Identifier: Apache-2.0
"""How long an output takes to come to rest after a step of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from circuits.analog.measures.testbench import Needs, Steps
from circuits.analog.measures.view import Waveform, defined

if TYPE_CHECKING:
    from circuits.analog.measures.view import View

__all__ = ["Settling", "Waves", "split", "waves"]

#: Samples of a window, equally far apart in the logarithm of the time since the edge.
SAMPLES = 320


class Waves(NamedTuple):
    """Corners ``(W,)``, what each source adds at them ``(n_sources, W)``, samples ``(T,)``."""

    corners: Tensor
    values: Tensor
    samples: Tensor


def waves(steps: Steps, sources: Mapping[str, int]) -> Waves:
    """The steps one after the other, each in a window of its own."""
    corners, samples = [0.0], []
    values = [[0.0] * len(sources)]
    level = [0.0] * len(sources)
    for k, step in enumerate(steps.steps):
        begin = steps.edge + k * steps.window
        corners += [begin, begin + steps.edge]
        values.append(list(level))
        level[sources[step.source.lower()]] += step.change
        values.append(list(level))
        first, last = 1.1 * steps.edge, steps.window - steps.edge
        exponents = torch.linspace(0.0, 1.0, SAMPLES, dtype=torch.float64)
        samples.append(begin + first * (last / first) ** exponents)
    return Waves(
        torch.tensor(corners, dtype=torch.float64),
        torch.tensor(values, dtype=torch.float64).T.contiguous(),
        torch.cat(samples),
    )


@dataclass(frozen=True)
class Settling:
    """Time from a step until the output stays within ``band`` of where it ends, seconds.

    ``band`` is a share of the final value, read at the window's end; a response that was given up
    counts as the window, one that never leaves the band as the edge. Between samples the distance
    is linear. NaN where no transient was run.
    """

    name: str
    step: str
    band: float = 0.01
    unit: str = "s"
    sign: int = -1

    def __post_init__(self) -> None:
        if not 0 < self.band < 1:
            raise ValueError(f"Settling {self.name!r}: band is {self.band}; expected 0 to 1")

    def needs(self) -> Needs:
        return Needs(steps=(self.step,))

    def read(self, view: View) -> Tensor:
        wave = view.waveform(self.step)
        ended = torch.isfinite(wave.value).all(0)
        value = torch.where(ended, wave.value, torch.ones_like(wave.value))
        limit = self.band * value[-1].abs()
        distance = (value - value[-1]).abs()
        steps = torch.arange(len(value))[:, None]
        last = torch.where((distance > limit).detach(), steps, -1).amax(0)
        cell = last.clamp(0, len(value) - 2)[None]
        before, after = distance.gather(0, cell)[0], distance.gather(0, cell + 1)[0]
        gap = before - after
        crossed = (last >= 0) & (gap > 0)
        share = (before - limit) / torch.where(crossed, gap, 1.0)
        time = wave.time[cell[0]] + share * (wave.time[cell[0] + 1] - wave.time[cell[0]])
        time = torch.where(crossed, time, wave.time[0])
        return defined(torch.where(ended, time, wave.time[-1]), wave.run)


def split(steps: Steps, times: Tensor, samples: Tensor, run: Tensor) -> dict[str, Waveform]:
    """All samples ``(n SAMPLES, B)`` into the windows of the steps."""
    found = {}
    for k, step in enumerate(steps.steps):
        part = slice(k * SAMPLES, (k + 1) * SAMPLES)
        found[step.name] = Waveform(
            times[part] - (steps.edge + k * steps.window), samples[part], run
        )
    return found
