# SPDX-License-Identifier: Apache-2.0
"""Simulating a batch of candidates of a circuit: operating point, small signal, noise."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from circuits.analog.result import Result, as_pair
from circuits.analog.values import as_vector, stack_values
from workbench.ops import _transforms
from workbench.ops.circuit_program import DEVICE_COLUMNS

if TYPE_CHECKING:
    import numpy.typing as npt

    from circuits.analog.circuit import Circuit

__all__ = ["BACKENDS", "simulate"]

BACKENDS = ("native", "ngspice")
ANALYSES = ("op", "ac", "noise")

_operators = "workbench.ops.circuit_sim"  # a test may name the reference instead


def simulate(
    circuit: Circuit,
    params: Mapping[str, Any] | Tensor | None = None,
    freqs: npt.ArrayLike | Tensor | None = None,
    analyses: Sequence[str] | None = None,
    *,
    temp: float | None = None,
    outputs: Sequence[str | tuple[str, str]] | None = None,
    noise_output: str | tuple[str, str] | None = None,
    backend: str = "native",
) -> Result:
    """Simulate ``B`` candidates of a circuit at once.

    Parameters
    ----------
    circuit : Circuit
    params : mapping or Tensor, optional
        Parameter values by name, each a number or ``(B,)``, or all as ``(P, B)``; those left
        out keep their defaults. Computed in float64. Integer parameters take floats that hold
        integers, so that gradients reach them.
    freqs : array_like, optional
        ``(F,)``, hertz, above 0; by default those of the deck's ``.ac`` line.
    analyses : sequence of str, optional
        Some of ``"op"``, ``"ac"``, ``"noise"``; by default all that the arguments allow. The
        operating point is always computed.
    temp : float, optional
        Degrees Celsius; by default the circuit's, 27 unless it was told.
    outputs : sequence, optional
        Nodes or pairs of nodes of the small-signal response; by default every node. Fewer are
        faster.
    noise_output : str or tuple of two str, optional
        Node, or pair of nodes, at which noise is taken.
    backend : str
        ``"native"``, the compiled kernel; or ``"ngspice"``, one candidate after the other
        through ngspice, without gradients.

    Returns
    -------
    Result

    Raises
    ------
    TypeError, ValueError
        Before any work, for unknown names, wrong shapes, values an element cannot hold, and
        circuits without a unique operating point; see :func:`circuits.analog.lowering.lower`.
        A candidate with a NaN only fails itself, with status 3.
    """
    if backend not in BACKENDS:
        raise ValueError(f"simulate: backend is {backend!r}; expected native or ngspice")
    frequencies = _frequencies(circuit.frequencies if freqs is None else freqs)
    wanted_noise = circuit.noise_output if noise_output is None else noise_output
    lowered = circuit.lower()
    driven = bool((lowered.drive != 0).any())
    chosen = _analyses(analyses, frequencies, wanted_noise, driven)
    temperature = circuit.temperature if temp is None else float(temp)
    if not -273.15 < temperature < math.inf:
        raise ValueError(f"simulate: temp is {temp}; expected degrees Celsius above -273.15")
    if outputs is None:
        pairs = [(name.lower(), "0") for name in circuit.nodes[1:]]
    else:
        if isinstance(outputs, str):
            raise TypeError("simulate: outputs is a str; expected a sequence of nodes")
        pairs = [as_pair("simulate: outputs", circuit, node) for node in outputs]
    across = as_pair("simulate: noise_output", circuit, wanted_noise) if wanted_noise else None
    values = stack_values("simulate", lowered.parameters, params)

    if backend == "ngspice":
        from circuits.analog.simulation_ngspice import simulate_each

        _transforms.refuse_transforms("simulate", "our own backend, not ngspice", values)
        return simulate_each(circuit, values, frequencies, chosen, temperature, pairs, across)
    rows = lowered.rows(values)
    ops = importlib.import_module(_operators)
    voltages, currents, status = ops.operating_point(lowered.program, rows, temperature=temperature)
    transfer: dict[tuple[str, str], Tensor] | None = None
    noise: Tensor | None = None
    if "ac" in chosen or "noise" in chosen:
        asked = pairs if "ac" in chosen else []
        number = lowered.nodes
        response, density = ops.small_signal(
            lowered.program,
            rows,
            voltages,
            frequencies,
            drives=lowered.drive,
            outputs=_index([(number[p], number[n]) for p, n in asked]),
            noise=_index([(number[across[0]], number[across[1]])])
            if across and "noise" in chosen
            else None,
            temperature=temperature,
        )
        if "ac" in chosen:
            transfer = {pair: response[:, k, 0] for k, pair in enumerate(asked)}
        if "noise" in chosen:
            noise = density[:, 0]

    def states() -> dict[str, Tensor]:
        found = ops.device_state(
            lowered.program, rows.detach(), voltages.detach(), temperature=temperature
        )
        return {label: found[:, k] for k, label in enumerate(DEVICE_COLUMNS)}

    return Result(
        circuit,
        status=status,
        values=values,
        voltages=voltages,
        currents=currents,
        temperature=temperature,
        freqs=frequencies if chosen & {"ac", "noise"} else None,
        transfer=transfer,
        noise=noise,
        states=states,
    )


def _index(pairs: Sequence[tuple[int, int]]) -> Tensor:
    return torch.tensor(pairs, dtype=torch.int64).reshape(len(pairs), 2)


def _frequencies(freqs: Any) -> Tensor | None:
    if freqs is None:
        return None
    if isinstance(freqs, range | tuple):
        freqs = np.asarray(freqs)
    tensor = as_vector("simulate", "freqs", freqs).detach()
    if not bool((torch.isfinite(tensor) & (tensor > 0)).all()):
        raise ValueError("simulate: freqs must be finite and above 0 Hz")
    return tensor


def _analyses(
    analyses: Sequence[str] | None, freqs: Tensor | None, noise_output: Any, driven: bool
) -> set[str]:
    if analyses is None:
        chosen = {"op"}
        if freqs is not None:
            chosen |= {"ac"} if driven else set()
            chosen |= {"noise"} if noise_output is not None else set()
        return chosen
    if isinstance(analyses, str):
        analyses = (analyses,)
    for name in analyses:
        if name not in ANALYSES:
            raise ValueError(f"simulate: analyses holds {name!r}; expected some of op, ac, noise")
    chosen = set(analyses)
    if chosen & {"ac", "noise"} and freqs is None:
        raise ValueError("simulate: ac and noise need freqs")
    if "ac" in chosen and not driven:
        raise ValueError("simulate: ac needs a source with an ac amplitude")
    if "noise" in chosen and noise_output is None:
        raise ValueError("simulate: noise needs noise_output")
    return chosen
