# SPDX-License-Identifier: Apache-2.0
"""A design's metrics by ngspice, for reports that should not rest on our own kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from circuits.analog.measures.bench import Readings
from circuits.analog.measures.oracle import read_in_ngspice
from circuits.analog.sizing.problem import SizingProblem

__all__ = ["Verification", "deck", "verify_in_ngspice"]


class Verification(NamedTuple):
    """``B`` designs in ngspice and natively.

    ``values`` is float64 ``(B, K)``, ``status`` int64 ``(B,)`` and ``fom`` ``(B,)``, by ngspice;
    ``native`` holds the kernels' metrics, and ``difference`` the greatest relative difference of
    each design's metrics, ``(B,)``: infinite where only one of the two has a value, 0 where
    neither has any.
    """

    values: Tensor
    status: Tensor
    fom: Tensor
    native: Readings
    difference: Tensor


def verify_in_ngspice(
    problem: SizingProblem,
    params: Tensor,
    *,
    temperature: float | None = None,
    override: Mapping[str, float] | None = None,
    per_decade: int = 10,
) -> Verification:
    """Simulate designs in ngspice as well; about half a second to two seconds each.

    Parameters
    ----------
    problem : SizingProblem
    params : Tensor
        float64 ``(B, P)``, SI units.
    temperature, override
        As of :meth:`SizingProblem.metrics`.
    per_decade : int
        As of :func:`circuits.analog.measures.oracle.read_in_ngspice`.

    Raises
    ------
    NgspiceError
        Where ngspice is not installed.
    """
    with torch.no_grad():
        native = problem.metrics(params, temperature=temperature, override=override)
        found = read_in_ngspice(
            problem.bench,
            problem.all_parameters(params),
            temperature=temperature,
            override=override,
            per_decade=per_decade,
        )
        mine, theirs = native.values, found.values
        have = torch.isfinite(mine) & torch.isfinite(theirs)
        scale = torch.maximum(mine.abs(), theirs.abs()).clamp_min(1e-12)
        apart = torch.where(have, (mine - theirs).abs() / scale, 0.0)
        lone = torch.isfinite(mine) != torch.isfinite(theirs)
        apart = torch.where(lone, torch.inf, apart)
        fom = problem.merit.score(theirs, found.status, problem.metric_names)
    return Verification(theirs, found.status, fom, native, apart.amax(1))


def deck(problem: SizingProblem, params: Tensor, i: int = 0, scenario: int = 0) -> str:
    """The SPICE deck of a design in one scenario of its testbench, with a sweep.

    Parameters
    ----------
    problem : SizingProblem
    params : Tensor
        float64 ``(B, P)``.
    i : int
        Which design.
    scenario : int
        Which scenario.
    """
    values = problem.all_parameters(params[[i]])
    column = problem.bench.columns(values)[:, [scenario]]
    bench = problem.design.testbench
    return problem.design.circuit.to_spice(column, op=True, ac=(20, bench.low, bench.high))
