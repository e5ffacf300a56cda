# SPDX-License-Identifier: Apache-2.0
"""A figure of merit taken apart: what of it is smooth, what has an edge, what jumps.

A sum of clipped metrics is best where some of them are just at their clip: there the sum has an
edge, and its slope says nothing of the other side. Settling times jump. Both are smooth once
they are written as ``min(cap, row)`` and as half waves, and each part can be followed by itself.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from circuits.analog.measures.kinds import Peaking
from circuits.analog.measures.lobes import LOBES, lobes
from circuits.analog.measures.settling import Settling
from circuits.analog.sizing.problem import Evaluation, SizingProblem

__all__ = ["Anatomist", "Anatomy"]


class Anatomy(NamedTuple):
    """``B`` designs simulated; C rows with an edge, S settling times.

    The figure of merit is ``smooth + min(caps, rows).sum() + rates . (times of the last half waves
    that leave the band - origins)``, but for clips that none of them is near.

    Attributes
    ----------
    evaluation : Evaluation
    smooth : Tensor
        ``(B,)``.
    rows : Tensor
        ``(B, C)``.
    smooth_slopes, row_slopes : Tensor
        ``(B, P)`` and ``(B, C, P)``, to the unit coordinates, rounding as the identity; empty
        without slopes.
    heights, times : Tensor
        ``(B, S, LOBES)``: see :class:`circuits.analog.measures.lobes.Lobes`.
    """

    evaluation: Evaluation
    smooth: Tensor
    rows: Tensor
    smooth_slopes: Tensor
    row_slopes: Tensor
    heights: Tensor
    times: Tensor


class Anatomist:
    """Takes the figure of merit of a problem apart.

    Parameters
    ----------
    problem : SizingProblem
        With a figure of merit.

    Attributes
    ----------
    caps : Tensor
        ``(C,)``: a row counts no more than this.
    rates : Tensor
        ``(S,)``: figure of merit per natural logarithm of a settling time.
    """

    def __init__(self, problem: SizingProblem) -> None:
        self.problem, merit = problem, problem.merit
        measures = {m.name: m for m in problem.bench.testbench.measures}
        self._settling: list[Settling] = []
        self._smooth, self._edged = [], []
        caps, rates = [], []
        for k, term in enumerate(merit.terms):
            measure = measures[term.metric]
            if isinstance(measure, Settling) and term.scale == "log":
                self._settling.append(measure)
                rates.append(term.weight / math.log(term.high / term.low))
            elif term.scale == "linear" and (term.cap is not None or isinstance(measure, Peaking)):
                self._edged.append(k)
                # peaking is never below 0: an edge of the metric's own
                best = 0.0 if term.cap is None else term.cap
                caps.append(term.weight * (best - term.low) / (term.high - term.low))
            else:
                self._smooth.append(k)
        self.caps = torch.tensor(caps, dtype=torch.float64)
        self.rates = torch.tensor(rates, dtype=torch.float64)

    def see(self, units: Tensor, *, slopes: bool = True) -> Anatomy:
        """Simulate ``(B, P)`` unit coordinates, rounded; with slopes, but of half waves."""
        problem, merit = self.problem, self.problem.merit
        with torch.set_grad_enabled(slopes):
            leaf = units.detach().to(torch.float64).clone().requires_grad_(slopes)
            params = problem.unit_to_parameters(leaf)
            view, status = problem.bench.view(problem.all_parameters(params), step_gradients=False)
            values = torch.stack([m.read(view) for m in problem.bench.testbench.measures], 1)
            names = problem.metric_names
            meets = merit.meets(values.detach(), status, names)
            smooth = merit.shares(values, meets, names)[:, self._smooth].sum(1)
            rows = merit.shares(values, meets, names, clipped=False)[:, self._edged]
            parts = [smooth, *rows.unbind(1)]
            found = [
                torch.autograd.grad(part.sum(), leaf, retain_graph=True, allow_unused=True)[0]
                for part in (parts if slopes else ())
            ]
        fom = merit.score(values.detach(), status, names)
        batch, count = units.shape
        each = [
            torch.zeros(batch, count) if g is None else g.nan_to_num(0.0, 0.0, 0.0) for g in found
        ]
        half_waves = [lobes(view.waveform(m.step), m.band) for m in self._settling]
        empty = torch.empty(batch, 0, LOBES, dtype=torch.float64)
        return Anatomy(
            Evaluation(fom, values.detach(), params.detach(), status),
            smooth.detach(),
            rows.detach(),
            each[0] if each else torch.empty(batch, 0).double(),
            torch.stack(each[1:], 1) if each[1:] else torch.empty(batch, 0, count).double(),
            torch.stack([w.heights.T for w in half_waves], 1) if half_waves else empty,
            torch.stack([w.times.T for w in half_waves], 1) if half_waves else empty,
        )
