# SPDX-License-Identifier: Apache-2.0
"""Running circuits: states, expectations, probabilities and samples of a batch at once.

The checks here cost a few microseconds, because a small circuit itself takes little more;
whether parameters are finite is seen by the kernel, which reads them anyway, and explained
here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from circuits.quantum.circuit import Circuit
from circuits.quantum.pauli_sums import observables as parse_observables
from circuits.quantum.symbols import Affine
from workbench.ops import _transforms
from workbench.ops._buffers import empty_array
from workbench.ops.program import Program, Source
from workbench.ops.statevector import expectation as _expectation
from workbench.ops.statevector import statevector as _statevector

__all__ = ["MEMORY_LIMIT", "expectation", "probabilities", "sample", "statevector"]

#: Bytes of state that a call may ask for unless told otherwise: 8 GiB.
MEMORY_LIMIT = 2**33

_SIZE = {torch.float32: 8, torch.float64: 16}  # bytes of an amplitude


def statevector(
    circuit: Circuit,
    weights: Tensor | None = None,
    inputs: Tensor | None = None,
    *,
    order: str = "qiskit",
    memory_limit: int = MEMORY_LIMIT,
) -> Tensor:
    """State of a circuit for each sample.

    Parameters
    ----------
    circuit : Circuit
    weights : Tensor, optional
        Shape ``(P,)``, or ``(B, P)`` for weights that differ from sample to sample, or ``()``
        if ``P`` is 1; float32 or float64. May be left out if the circuit has none.
    inputs : Tensor, optional
        Shape ``(B, F)`` or ``(F,)``, same dtype. May be left out if the circuit has none;
        then ``B`` is 1 unless the weights say otherwise. Without either the dtype is float64.
    order : {"qiskit", "wire0_first"}
        Whether wire 0 is the least significant bit of the index, as in qiskit, or the most
        significant, as in torchquantum and pennylane.
    memory_limit : int
        Bytes that the result may take.

    Returns
    -------
    Tensor
        complex64 or complex128, shape ``(B, 2**n)``, differentiable to weights and inputs.

    Raises
    ------
    TypeError, ValueError
        For parameters of other shapes, of mixed or other dtypes, missing, or not finite, an
        unknown order, or a state past the memory limit.
    """
    _check_order("statevector", order)
    program, w, x = _arguments("statevector", circuit, weights, inputs)
    states = x.shape[0] * 2**circuit.n_wires
    _check_memory("statevector", circuit, states * _SIZE[x.dtype], memory_limit, x.shape[0])
    state = _run(circuit, weights, inputs, _statevector, program, w, x)
    return state if order == "qiskit" else _reversed_wires(state, circuit.n_wires)


def expectation(
    circuit: Circuit,
    observables: Any = "z",
    weights: Tensor | None = None,
    inputs: Tensor | None = None,
    *,
    memory_limit: int = MEMORY_LIMIT,
) -> Tensor:
    """Expectations of observables in a circuit's state for each sample.

    Parameters
    ----------
    circuit : Circuit
    observables : object
        ``"z"`` for Z on each wire (column ``k`` is wire ``k``), Pauli strings in qiskit's
        order, mappings, ``SparsePauliOp``, or lists of these; see
        :func:`circuits.quantum.pauli_sums.observables`.
    weights, inputs : Tensor, optional
        As for :func:`statevector`.
    memory_limit : int
        Bytes that the states held at once may take: those of a sample being worked on, and,
        where a gradient is wanted, the final state of every sample.

    Returns
    -------
    Tensor
        Real, dtype of the parameters, shape ``(B, n_obs)``, differentiable once to weights
        and inputs.

    Raises
    ------
    TypeError, ValueError
        As for :func:`statevector`, and for observables that do not fit the circuit.
    """
    program, w, x = _arguments("expectation", circuit, weights, inputs)
    parsed = parse_observables(observables, circuit.n_wires)
    differentiable = torch.is_grad_enabled() and (w.requires_grad or x.requires_grad)
    batch = x.shape[0] if differentiable else None
    states = 2 + (batch or 0)
    _check_memory(
        "expectation", circuit, states * 2**circuit.n_wires * _SIZE[x.dtype], memory_limit, batch
    )
    return _run(circuit, weights, inputs, _expectation, program, parsed, w, x)


def probabilities(
    circuit: Circuit,
    weights: Tensor | None = None,
    inputs: Tensor | None = None,
    *,
    order: str = "qiskit",
    memory_limit: int = MEMORY_LIMIT,
) -> Tensor:
    """Probability of each basis state for each sample.

    Parameters
    ----------
    circuit, weights, inputs, order, memory_limit
        As for :func:`statevector`.

    Returns
    -------
    Tensor
        float32 or float64, shape ``(B, 2**n)``, differentiable.
    """
    state = statevector(circuit, weights, inputs, order=order, memory_limit=memory_limit)
    return state.real.square() + state.imag.square()


def sample(
    circuit: Circuit,
    shots: int,
    weights: Tensor | None = None,
    inputs: Tensor | None = None,
    *,
    seed: int | np.random.Generator,
    memory_limit: int = MEMORY_LIMIT,
) -> Tensor:
    """Measure every wire of a circuit a number of times for each sample.

    Parameters
    ----------
    circuit, weights, inputs, memory_limit
        As for :func:`statevector`.
    shots : int
        0 or more.
    seed : int or numpy.random.Generator

    Returns
    -------
    Tensor
        int8 zeros and ones, shape ``(B, shots, n_wires)``; column ``k`` is wire ``k``.
    """
    if isinstance(shots, bool) or not isinstance(shots, int | np.integer):
        raise TypeError(f"sample: shots is {shots!r}; expected an integer")
    if shots < 0:
        raise ValueError(f"sample: shots is {shots}; expected 0 or more")
    if seed is None:
        raise TypeError("sample: seed is None; expected an integer or a numpy Generator")
    generator = np.random.default_rng(seed)
    with torch.no_grad():
        exact = probabilities(circuit, weights, inputs, memory_limit=memory_limit)
    table = exact.cpu().numpy().astype(np.float64).cumsum(axis=1)
    indices = empty_array((table.shape[0], shots), np.int64)
    for row, cumulative in enumerate(table):
        draws = generator.random(shots) * cumulative[-1]
        # A draw rounded up to the total belongs to the last state that can occur at all.
        last = np.searchsorted(cumulative, cumulative[-1], side="left")
        indices[row] = np.minimum(np.searchsorted(cumulative, draws, side="right"), last)
    bits = (indices[:, :, None] >> np.arange(circuit.n_wires)) & 1
    return torch.from_numpy(bits.astype(np.int8)).to(exact.device)


# -- arguments ------------------------------------------------------------------------------


def _arguments(
    name: str, circuit: Circuit, weights: Tensor | None, inputs: Tensor | None
) -> tuple[Program, Tensor, Tensor]:
    """Program, weights ``(P,)`` and inputs ``(B, F)`` for the operators."""
    if not isinstance(circuit, Circuit):
        raise TypeError(f"{name}: circuit is {type(circuit).__name__}; expected a Circuit")
    n_weights, n_inputs = circuit.n_weights, circuit.n_inputs
    given = weights if inputs is None else inputs
    dtype = torch.float64 if given is None else _dtype(name, "inputs", given)
    device = None if given is None else given.device
    if weights is None:
        if n_weights:
            raise ValueError(f"{name}: weights are missing; the circuit has {n_weights}")
        weights = torch.empty(0, dtype=dtype, device=device)
    elif _dtype(name, "weights", weights) is not dtype:
        raise TypeError(
            f"{name}: weights are {weights.dtype} and inputs {dtype}; expected one dtype"
        )
    shape = weights.shape
    if len(shape) == 0 and n_weights == 1:
        weights = weights.reshape(1)
    elif len(shape) not in (1, 2) or shape[-1] != n_weights:
        raise ValueError(
            f"{name}: weights have shape {tuple(shape)}; expected ({n_weights},) or "
            f"(B, {n_weights})"
        )
    per_sample = weights.dim() == 2
    if inputs is None:
        if n_inputs:
            raise ValueError(f"{name}: inputs are missing; the circuit has {n_inputs}")
        batch = shape[0] if per_sample else 1
        inputs = torch.empty((batch, 0), dtype=dtype, device=device)
    elif inputs.dim() not in (1, 2) or inputs.shape[-1] != n_inputs:
        raise ValueError(
            f"{name}: inputs have shape {tuple(inputs.shape)}; expected (B, {n_inputs}) or "
            f"({n_inputs},)"
        )
    elif inputs.dim() == 1:
        inputs = inputs.unsqueeze(0)
    if not per_sample:
        return circuit.program(), weights, inputs
    if shape[0] != inputs.shape[0]:
        raise ValueError(
            f"{name}: weights have a batch of {shape[0]} and inputs of {inputs.shape[0]}; "
            "expected one batch size"
        )
    program = circuit.program(weights_per_sample=True)
    empty = torch.empty(0, dtype=dtype, device=inputs.device)
    return program, empty, torch.cat([inputs, weights], dim=1)


def _dtype(name: str, argument: str, value: Any) -> torch.dtype:
    if not isinstance(value, Tensor):
        raise TypeError(f"{name}: {argument} is {type(value).__name__}; expected a tensor")
    dtype = value.dtype
    if dtype is not torch.float32 and dtype is not torch.float64:
        raise TypeError(f"{name}: {argument} are {dtype}; expected float32 or float64")
    return dtype


def _check_order(name: str, order: str) -> None:
    if order not in ("qiskit", "wire0_first"):
        raise ValueError(f"{name}: order is {order!r}; expected 'qiskit' or 'wire0_first'")


def _check_memory(
    name: str, circuit: Circuit, needed: int, limit: int, batch: int | None = None
) -> None:
    if needed > limit:
        of = "" if batch is None else f" and a batch of {batch}"
        raise ValueError(
            f"{name}: {circuit.n_wires} wires{of} need {needed / 2**30:.3g} GiB of state, more "
            f"than memory_limit, {limit / 2**30:.3g} GiB"
        )


def _reversed_wires(state: Tensor, n_wires: int) -> Tensor:
    axes = (0, *range(n_wires, 0, -1))
    return state.reshape(-1, *[2] * n_wires).permute(axes).reshape(state.shape)


def _run(
    circuit: Circuit,
    weights: Tensor | None,
    inputs: Tensor | None,
    operation: Callable[..., Tensor],
    *arguments: Any,
) -> Tensor:
    try:
        return operation(*arguments)
    except ValueError as error:
        _explain(circuit, weights, inputs, error)


def _explain(
    circuit: Circuit, weights: Tensor | None, inputs: Tensor | None, error: ValueError
) -> NoReturn:
    """Name the gate whose parameter is not finite, if that is what the operator refused."""
    for source, values in ((Source.WEIGHT, weights), (Source.INPUT, inputs)):
        if values is None or _transforms.is_wrapped(values):
            continue
        if bool(torch.isfinite(values).all()):
            continue
        rows = values.detach().reshape(-1, values.shape[-1] if values.dim() else 1)
        bad = (~torch.isfinite(rows)).nonzero()[0].tolist()
        value = float(rows[bad[0], bad[1]])
        where = f" of sample {bad[0]}" if values.dim() == 2 else ""
        name = f"{source.name.lower()}({bad[1]})"
        for position, gate in enumerate(circuit.gates):
            terms = [t for p in gate.params if isinstance(p, Affine) for t in p.terms]
            if any(term[:2] == (source, bad[1]) for term in terms):
                raise ValueError(
                    f"gate {position}, {gate}: {name}{where} is {value}; expected finite numbers"
                ) from error
        raise ValueError(f"{name}{where} is {value}; expected finite numbers") from error
    raise error
