# SPDX-License-Identifier: Apache-2.0
"""How a design holds over temperature and supply voltage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from circuits.analog.sizing.problem import SizingProblem

__all__ = ["Robustness", "robustness"]


@dataclass(frozen=True)
class Robustness:
    """``B`` designs in ``C`` corners.

    Attributes
    ----------
    temperatures, supplies : tuple of float
        ``(C,)``: degrees Celsius, and the supply over its nominal value.
    fom : Tensor
        float64 ``(C, B)``.
    metrics : Tensor
        float64 ``(C, B, K)``, NaN where undefined.
    status : Tensor
        int64 ``(C, B)``.
    """

    temperatures: tuple[float, ...]
    supplies: tuple[float, ...]
    fom: Tensor
    metrics: Tensor
    status: Tensor

    @property
    def worst(self) -> Tensor:
        """The least figure of merit of each design, float64 ``(B,)``."""
        return self.fom.amin(0)


def robustness(
    problem: SizingProblem,
    params: Tensor,
    *,
    temperatures: Sequence[float] = (-20.0, 27.0, 85.0),
    supplies: Sequence[float] = (0.9, 1.0, 1.1),
    supply: str = "VDD",
) -> Robustness:
    """Simulate designs in all corners of temperature and supply.

    References of the circuit that are not derived from the supply stay as they are.

    Parameters
    ----------
    problem : SizingProblem
    params : Tensor
        float64 ``(B, P)``, SI units.
    temperatures : sequence of float
        Degrees Celsius.
    supplies : sequence of float
        Over the nominal supply.
    supply : str
        The circuit's parameter that is the supply.

    Raises
    ------
    ValueError
        For a circuit without that parameter, and as :meth:`SizingProblem.metrics`.
    """
    known = problem.design.circuit.parameters
    if supply not in known:
        raise ValueError(f"robustness: supply is {supply!r}; expected one of {', '.join(known)}")
    nominal = known[supply].default
    corners = [(float(t), float(s)) for t in temperatures for s in supplies]
    foms, metrics, states = [], [], []
    with torch.no_grad():
        for temperature, share in corners:
            found = problem.metrics(
                params, temperature=temperature, override={supply: nominal * share}
            )
            foms.append(problem.fom(found))
            metrics.append(found.values)
            states.append(found.status)
    return Robustness(
        tuple(t for t, _ in corners),
        tuple(s for _, s in corners),
        torch.stack(foms),
        torch.stack(metrics),
        torch.stack(states),
    )
