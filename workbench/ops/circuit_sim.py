# SPDX-License-Identifier: Apache-2.0
"""Transistor circuits as batched, differentiable torch operators that agree with ngspice.

A circuit comes as a :class:`~workbench.ops.circuit_program.CircuitProgram` and its values as
``rows``, one column per candidate. Everything is float64, once differentiable, and the same
bits for any number of threads. :mod:`workbench.ops.reference.circuit_sim` holds the same
functions in plain torch.

A candidate that has no operating point, or whose rows are not finite or out of range, gives NaN
in its own column, and its gradient is zero.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from workbench.ops import circuit_torch as _registered  # noqa: F401  (defines the operators)
from workbench.ops.circuit_program import ABSOLUTE_ZERO, DEVICE_COLUMNS, CircuitProgram

__all__ = [
    "DEVICE_COLUMNS",
    "device_state",
    "find_frequencies",
    "operating_point",
    "small_signal",
]


def operating_point(
    program: CircuitProgram,
    rows: Tensor,
    *,
    temperature: float = 27.0,
    start: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Volts of every node and amperes of every source at rest.

    Differentiable to ``rows`` by the implicit function theorem.

    Parameters
    ----------
    program : CircuitProgram
    rows : Tensor
        float64 ``(n_rows, B)``; B may be 0.
    temperature : float
        Degrees Celsius, of the whole circuit.
    start : Tensor, optional
        float64 ``(n_nodes,)`` or ``(n_nodes, B)``, where Newton's method starts. By default half
        way between the least and the greatest supply.

    Returns
    -------
    voltages : Tensor
        float64 ``(n_nodes, B)``; row 0, ground, is 0.
    currents : Tensor
        float64 ``(n_sources, B)``: into the + terminal, through the source, out of the -. That of
        a supply that delivers power is negative, as in SPICE.
    status : Tensor
        int64 ``(B,)``: 0 solved by Newton's method, 1 by stepping shunts, 2 by raising the
        sources, 3 not solved or rows not finite or out of range.

    Raises
    ------
    TypeError, ValueError
        For a wrong dtype or shape, a temperature below absolute zero, a malformed program.
    """
    name = "operating_point"
    batch = _check_circuit(name, program, rows, temperature)
    first = torch.empty(0, 0, dtype=torch.float64)
    if start is not None:
        _check_float(name, "start", start)
        first = start.detach()
        first = first[:, None] if first.dim() == 1 else first
        if (
            first.dim() != 2
            or first.shape[0] != program.n_nodes
            or first.shape[1] not in (1, batch)
        ):
            raise ValueError(
                f"{name}: start must have shape ({program.n_nodes},) or "
                f"({program.n_nodes}, {batch}), got {tuple(start.shape)}"
            )
    out: tuple[Tensor, Tensor, Tensor] = torch.ops.workbench.circuit_operating_point.default(
        *_head(program, temperature), first, rows
    )
    return out


def small_signal(
    program: CircuitProgram,
    rows: Tensor,
    voltages: Tensor,
    frequencies: Tensor,
    *,
    drives: Tensor,
    outputs: Tensor,
    noise: Tensor | None = None,
    temperature: float = 27.0,
) -> tuple[Tensor, Tensor]:
    """Transfer functions and noise of a circuit linearised at its operating point.

    Differentiable to ``rows`` and ``voltages``, not to ``frequencies``.

    Parameters
    ----------
    program : CircuitProgram
    rows : Tensor
        float64 ``(n_rows, B)``.
    voltages : Tensor
        float64 ``(n_nodes, B)``, from :func:`operating_point`.
    frequencies : Tensor
        Hertz, above 0, float64 ``(F,)`` or ``(F, B)``. A NaN of the second form gives NaN.
    drives : Tensor
        float64 ``(D, n_sources)``: amplitude of every source in each drive.
    outputs : Tensor
        int64 ``(O, 2)``: pairs of nodes p, n; the output is v(p) - v(n).
    noise : Tensor, optional
        int64 ``(K, 2)``: pairs of nodes whose noise is wanted; none by default.
    temperature : float
        Degrees Celsius, as for the operating point.

    Returns
    -------
    transfer : Tensor
        complex128 ``(F, O, D, B)``.
    density : Tensor
        float64 ``(F, K, B)``, V**2/Hz at the pairs of ``noise``.

    Raises
    ------
    TypeError, ValueError
        For a wrong dtype or shape, a frequency that is not above 0, a node out of range.
    """
    name = "small_signal"
    batch = _check_circuit(name, program, rows, temperature)
    _check(name, "voltages", voltages, torch.float64, (program.n_nodes, batch))
    _check_float(name, "frequencies", frequencies)
    each = frequencies.detach()
    if each.dim() == 1:
        each = each[:, None]
    elif each.dim() != 2 or each.shape[1] != batch:
        raise ValueError(
            f"{name}: frequencies must have shape (any,) or (any, {batch}), "
            f"got {tuple(frequencies.shape)}"
        )
    pairs = torch.empty(0, 2, dtype=torch.int64) if noise is None else noise
    _check_signals(name, program, drives, outputs)
    _check(name, "noise", pairs, torch.int64, (None, 2))
    # A column that has no crossing asks for NaN hertz: any frequency will do, and is forgotten.
    absent = torch.isnan(each) if frequencies.dim() == 2 else None
    if absent is not None:
        each = torch.where(absent, torch.ones_like(each), each)
    transfer, density = torch.ops.workbench.circuit_small_signal.default(
        *_head(program, temperature), each, drives.detach(), outputs, pairs, rows, voltages
    )
    if absent is not None:
        transfer = transfer.masked_fill(absent[:, None, None, :], complex(math.nan, math.nan))
        density = density.masked_fill(absent[:, None, :], math.nan)
    return transfer, density


def find_frequencies(
    program: CircuitProgram,
    rows: Tensor,
    voltages: Tensor,
    *,
    drives: Tensor,
    outputs: Tensor,
    requests: Tensor,
    low: float,
    high: float,
    points: int = 25,
    temperature: float = 27.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Frequencies where transfer functions fall through a level or are greatest.

    A grid of ``points`` frequencies, equally far apart in their logarithm, brackets each; it is
    then refined to rounding. Not differentiable, so rows and voltages that require a gradient are
    refused: detach them, and combine ``slope`` with the derivative of :func:`small_signal` at the
    frequency found.

    Parameters
    ----------
    program : CircuitProgram
    rows, voltages, drives, outputs
        As for :func:`small_signal`.
    requests : Tensor
        int64 ``(P, 3)``: kind, output, drive. Kind 0 is the first crossing of
        ``|H(low)| / sqrt(2)``, 1 the first crossing of ``|H| = 1``, both downwards; 2 is the
        maximum of ``|H|``. Or ``(P, 4)``, the last an output by whose transfer that of the first
        is divided (-1 for none): the ratio, such as a loop gain, then stands for ``H``.
    low, high : float
        Hertz, ``0 < low < high``.
    points : int
        Of the grid, 2 or more.
    temperature : float
        Degrees Celsius.

    Returns
    -------
    frequency : Tensor
        float64 ``(P, B)``, hertz; NaN where there is no crossing. A maximum at an end of the
        grid gives that end.
    slope : Tensor
        complex128 ``(P, B)``: dH / d ln f there.
    turn : Tensor
        float64 ``(P, B)``: phase there less the phase at ``low``, radians, followed along the
        grid and so not wrapped.

    Raises
    ------
    TypeError, ValueError
        For a wrong dtype or shape and for numbers out of range.
    """
    name = "find_frequencies"
    batch = _check_circuit(name, program, rows, temperature)
    _check(name, "voltages", voltages, torch.float64, (program.n_nodes, batch))
    _check_signals(name, program, drives, outputs)
    if isinstance(requests, Tensor) and requests.dim() == 2 and requests.shape[1] == 3:
        requests = torch.nn.functional.pad(requests, (0, 1), value=-1)
    _check(name, "requests", requests, torch.int64, (None, 4))
    if not (math.isfinite(low) and low > 0.0):
        raise ValueError(f"{name}: low must be above 0 Hz, got {low}")
    if not (math.isfinite(high) and high > low):
        raise ValueError(f"{name}: high must be above low, got {high}")
    if points < 2:
        raise ValueError(f"{name}: points must be 2 or more, got {points}")
    out: tuple[Tensor, Tensor, Tensor] = torch.ops.workbench.circuit_find_frequencies.default(
        *_head(program, temperature),
        drives.detach(),
        outputs,
        requests,
        float(low),
        float(high),
        points,
        rows,
        voltages,
    )
    return out


def device_state(
    program: CircuitProgram, rows: Tensor, voltages: Tensor, *, temperature: float = 27.0
) -> Tensor:
    """What every MOSFET does at an operating point.

    Not differentiable: rows and voltages that require a gradient are refused; detach them.

    Voltages and currents have the signs of the terminals as they are named, so those of a
    conducting p channel are negative: ``id`` flows into the drain, ``ibd`` and ``ibs`` from the
    bulk into drain and source. Capacitances hold the overlaps, and belong to the terminals as
    named; where drain and source have changed places, ``gm``, ``gds``, ``gmbs``, ``vth`` and
    ``vdsat`` are those of the device turned round.

    Parameters
    ----------
    program : CircuitProgram
    rows : Tensor
        float64 ``(n_rows, B)``.
    voltages : Tensor
        float64 ``(n_nodes, B)``.
    temperature : float
        Degrees Celsius.

    Returns
    -------
    Tensor
        float64 ``(n_devices, 16, B)``: :data:`DEVICE_COLUMNS`, in ampere, volt, siemens, farad.

    Raises
    ------
    TypeError, ValueError
        For a wrong dtype or shape.
    """
    name = "device_state"
    batch = _check_circuit(name, program, rows, temperature)
    _check(name, "voltages", voltages, torch.float64, (program.n_nodes, batch))
    out: Tensor = torch.ops.workbench.circuit_device_state.default(
        *_head(program, temperature), program.n_devices, rows, voltages
    )
    return out


# Checks -------------------------------------------------------------------------------------------


def _head(program: CircuitProgram, temperature: float) -> tuple[Tensor, Tensor, int, int, float]:
    return program.code, program.data, program.n_nodes, program.n_sources, float(temperature)


def _check_circuit(name: str, program: CircuitProgram, rows: Tensor, temperature: float) -> int:
    """The number of candidates."""
    if not isinstance(program, CircuitProgram):
        raise TypeError(f"{name}: program must be a CircuitProgram, got {type(program).__name__}")
    _check(name, "rows", rows, torch.float64, (program.n_rows, None))
    if not (math.isfinite(temperature) and temperature > ABSOLUTE_ZERO):
        raise ValueError(f"{name}: temperature must be above {ABSOLUTE_ZERO}, got {temperature}")
    return rows.shape[1]


def _check_signals(name: str, program: CircuitProgram, drives: Tensor, outputs: Tensor) -> None:
    _check(name, "drives", drives, torch.float64, (None, program.n_sources))
    _check(name, "outputs", outputs, torch.int64, (None, 2))


def _check_float(name: str, argument: str, value: Tensor) -> None:
    if not isinstance(value, Tensor) or value.dtype != torch.float64:
        got = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name}: {argument} must be a torch.float64 tensor, got {got}")


def _check(
    name: str, argument: str, value: Tensor, dtype: torch.dtype, shape: tuple[int | None, ...]
) -> None:
    if not isinstance(value, Tensor) or value.dtype != dtype:
        got = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name}: {argument} must be a {dtype} tensor, got {got}")
    if value.dim() != len(shape) or any(
        want is not None and have != want for have, want in zip(value.shape, shape, strict=True)
    ):
        want = ", ".join("any" if s is None else str(s) for s in shape)
        raise ValueError(f"{name}: {argument} must have shape ({want}), got {tuple(value.shape)}")
