# SPDX-License-Identifier: Apache-2.0
"""The same simulations through ngspice, one candidate after the other."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from circuits.analog.elements import CurrentSource
from circuits.analog.result import Result
from circuits.analog.spice_writer import to_spice
from workbench.experiments.progress import ProgressBoard

if TYPE_CHECKING:
    from circuits.analog.circuit import Circuit

__all__ = ["simulate_each"]

Pair = tuple[str, str]


def simulate_each(
    circuit: Circuit,
    values: Tensor,
    freqs: Tensor | None,
    analyses: Collection[str],
    temperature: float,
    outputs: Sequence[Pair],
    noise_output: Pair | None,
) -> Result:
    """See :func:`circuits.analog.simulation.simulate`, which has checked the arguments.

    A candidate that ngspice refuses or cannot finish gets status 3.
    """
    from circuits.analog.ngspice import NgspiceError, available, simulate_deck, version

    if not available():
        version()  # raises the error that says how to install it
    lowered = circuit.lower()
    rows = lowered.rows(values.detach())
    batch = values.shape[1]
    count = 0 if freqs is None else len(freqs)
    voltages = torch.full((len(lowered.nodes), batch), math.nan, dtype=torch.float64)
    currents = torch.full((len(lowered.sources), batch), math.nan, dtype=torch.float64)
    status = torch.full((batch,), 3, dtype=torch.int64)
    transfer = torch.full((count, len(outputs), batch), math.nan + 0j, dtype=torch.complex128)
    noise = torch.full((count, batch), math.nan, dtype=torch.float64)
    given: dict[str, Any] = {"temp": temperature}
    if freqs is not None and count and set(analyses) & {"ac", "noise"}:
        given["freqs"] = freqs.tolist()
        run = [name for name in ("op", "ac", "noise") if name in analyses or name == "op"]
        given["noise_output"] = noise_output if "noise" in run else None
    else:
        run = ["op"]

    def one(i: int) -> None:
        if not bool(torch.isfinite(rows[:, i]).all()):
            return
        try:
            found = simulate_deck(to_spice(circuit, values, i), run, **given)
        except NgspiceError:
            return
        status[i] = 0
        for name, number in lowered.nodes.items():
            voltages[number, i] = found.op[name]
        number_of = lowered.element_values(rows[:, i].tolist())
        for name, number in lowered.sources.items():
            element = circuit.element(name)
            if isinstance(element, CurrentSource):
                currents[number, i] = number_of[name]["dc"]
            else:
                currents[number, i] = found.currents[_branch(name)]
        if "ac" in run:
            for k, (p, n) in enumerate(outputs):
                transfer[:, k, i] = torch.from_numpy(found.transfer(p, n))
        if found.noise is not None:
            noise[:, i] = torch.from_numpy(found.noise)

    with ProgressBoard().task(batch, "ngspice") as task:
        for i in range(batch):
            one(i)
            task.advance()
    return Result(
        circuit,
        status=status,
        values=values,
        voltages=voltages,
        currents=currents,
        temperature=temperature,
        freqs=freqs if set(analyses) & {"ac", "noise"} else None,
        transfer={pair: transfer[:, k] for k, pair in enumerate(outputs)}
        if "ac" in analyses
        else None,
        noise=noise if "noise" in analyses else None,
    )


def _branch(name: str) -> str:
    """A voltage source as the deck names it."""
    return name if name[0] == "v" and name[1:2] != "." else f"v.{name}"
