# SPDX-License-Identifier: Apache-2.0
"""Running circuits: states, expectations, probabilities and samples of a batch at once.

The checks here cost a few microseconds, because a small circuit itself takes little more;
whether parameters are finite is seen by the kernel, which reads them anyway, and explained
here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import numpy as np
import torch
from torch import Tensor

from circuits.quantum.arguments import as_parameters
from circuits.quantum.circuit import Circuit
from circuits.quantum.derived import Derived
from circuits.quantum.pauli_sums import observables as parse_observables
from circuits.quantum.symbols import Expression
from workbench.ops import _transforms
from workbench.ops import statevector_given as given
from workbench.ops._buffers import empty_array
from workbench.ops.program import Observables, Program, Source
from workbench.ops.statevector import expectation as _expectation
from workbench.ops.statevector import statevector as _statevector

__all__ = ["MEMORY_LIMIT", "expectation", "probabilities", "sample", "statevector"]

#: Bytes of state that a call may ask for unless told otherwise: 8 GiB.
MEMORY_LIMIT = 2**33

_COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}
_SINGLE = (torch.float32, torch.complex64)
_NORM_TOLERANCE = {torch.float32: 1e-4, torch.float64: 1e-8}
_SIZE = {torch.float32: 8, torch.float64: 16}  # bytes of an amplitude


def statevector(
    circuit: Circuit,
    weights: Tensor | None = None,
    inputs: Tensor | None = None,
    *,
    initial_state: Tensor | None = None,
    order: str = "qiskit",
    memory_limit: int = MEMORY_LIMIT,
) -> Tensor:
    """State of a circuit for each sample.

    Parameters
    ----------
    circuit : Circuit
    weights : Tensor, optional
        Shape ``(P,)``, or ``(..., P)`` for weights that differ from sample to sample, or ``()``
        if ``P`` is 1; float32 or float64. May be left out if the circuit has none.
    inputs : Tensor, optional
        Shape ``(..., F)``, same dtype. May be left out if the circuit has none. Without either
        the dtype is float64. The leading dimensions of weights and inputs broadcast as in
        torch to those of the result, called ``B`` below; without any, ``B`` is one 1. Half
        precision is taken under autocast, and computed and returned as float32.
    initial_state : Tensor, optional
        Amplitudes to begin with instead of ``|0...0>``, shape ``(2**n,)`` or ``(..., 2**n)`` for
        a state of each sample; real or complex, in the precision of the parameters and the
        order of the result, of norm 1 to 1e-4 in single and 1e-8 in double precision.
        Differentiable once, like the parameters.
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
    run = _arguments("statevector", circuit, weights, inputs, initial_state, order)
    states = run.inputs.shape[0] * 2**circuit.n_wires
    _check_memory(
        "statevector", circuit, states * _SIZE[run.inputs.dtype], memory_limit, run.inputs.shape[0]
    )
    if run.start is None:
        state = _run(circuit, run, _statevector, run.program)
    else:
        state = _run(circuit, run, given.statevector, run.program)
    return run.shaped(state if order == "qiskit" else _reversed_wires(state, circuit.n_wires))


def expectation(
    circuit: Circuit,
    observables: Any = "z",
    weights: Tensor | None = None,
    inputs: Tensor | None = None,
    *,
    initial_state: Tensor | None = None,
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
    weights, inputs, initial_state : Tensor, optional
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
    run = _arguments("expectation", circuit, weights, inputs, initial_state)
    # Ready ones are checked by the kernel, as a compiled call could not read their numbers here.
    ready = isinstance(observables, Observables)
    parsed = observables if ready else parse_observables(observables, circuit.n_wires)
    w, x = run.weights, run.inputs
    leaves = (w, x) if run.start is None else (w, x, run.start)
    differentiable = torch.is_grad_enabled() and any(leaf.requires_grad for leaf in leaves)
    batch = x.shape[0] if differentiable else None
    states = 2 + (batch or 0)
    _check_memory(
        "expectation", circuit, states * 2**circuit.n_wires * _SIZE[x.dtype], memory_limit, batch
    )
    operation = _expectation if run.start is None else given.expectation
    return run.shaped(_run(circuit, run, operation, run.program, parsed))


def probabilities(
    circuit: Circuit,
    weights: Tensor | None = None,
    inputs: Tensor | None = None,
    *,
    initial_state: Tensor | None = None,
    order: str = "qiskit",
    memory_limit: int = MEMORY_LIMIT,
) -> Tensor:
    """Probability of each basis state for each sample.

    Parameters
    ----------
    circuit, weights, inputs, initial_state, order, memory_limit
        As for :func:`statevector`.

    Returns
    -------
    Tensor
        float32 or float64, shape ``(B, 2**n)``, differentiable.
    """
    state = statevector(
        circuit,
        weights,
        inputs,
        initial_state=initial_state,
        order=order,
        memory_limit=memory_limit,
    )
    return state.real.square() + state.imag.square()


def sample(
    circuit: Circuit,
    shots: int,
    weights: Tensor | None = None,
    inputs: Tensor | None = None,
    *,
    seed: int | np.random.Generator,
    initial_state: Tensor | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Tensor:
    """Measure every wire of a circuit a number of times for each sample.

    Parameters
    ----------
    circuit, weights, inputs, initial_state, memory_limit
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
        exact = probabilities(
            circuit, weights, inputs, initial_state=initial_state, memory_limit=memory_limit
        )
    lead = exact.shape[:-1]
    flat = exact.reshape(math.prod(lead), exact.shape[-1])
    table = flat.cpu().numpy().astype(np.float64).cumsum(axis=1)
    indices = empty_array((table.shape[0], shots), np.int64)
    for row, cumulative in enumerate(table):
        draws = generator.random(shots) * cumulative[-1]
        # A draw rounded up to the total belongs to the last state that can occur at all.
        last = np.searchsorted(cumulative, cumulative[-1], side="left")
        indices[row] = np.minimum(np.searchsorted(cumulative, draws, side="right"), last)
    bits = (indices[:, :, None] >> np.arange(circuit.n_wires)) & 1
    return torch.from_numpy(bits.astype(np.int8)).to(exact.device).reshape(*lead, *bits.shape[1:])


# -- arguments ------------------------------------------------------------------------------


class _Run(NamedTuple):
    """What the operators are given, and the leading dimensions that the result has."""

    program: Program
    weights: Tensor
    inputs: Tensor
    start: Tensor | None
    lead: tuple[int, ...]

    def shaped(self, rows: Tensor) -> Tensor:
        return rows if len(self.lead) == 1 else rows.reshape(*self.lead, *rows.shape[1:])


def _arguments(
    name: str,
    circuit: Circuit,
    weights: Any,
    inputs: Any,
    initial_state: Any = None,
    order: str = "qiskit",
) -> _Run:
    """Program, weights ``(P,)``, inputs ``(B, F)`` and start ``(B, 2**n)`` for the operators."""
    if not isinstance(circuit, Circuit):
        raise TypeError(f"{name}: circuit is {type(circuit).__name__}; expected a Circuit")
    n_weights, n_inputs = circuit.n_weights, circuit.n_inputs
    w = None if weights is None else as_parameters(name, "weights", weights)
    x = None if inputs is None else as_parameters(name, "inputs", inputs)
    like = w if x is None else x
    options: dict[str, Any] = {"dtype": torch.float64}
    if like is not None:
        options = {"dtype": like.dtype, "device": like.device}
    elif isinstance(initial_state, Tensor) and initial_state.dtype in _SINGLE:
        options = {"dtype": torch.float32}
    if w is None:
        if n_weights:
            raise ValueError(f"{name}: weights are missing; the circuit has {n_weights}")
        w = torch.empty(0, **options)
    elif w.dtype is not options["dtype"]:
        raise TypeError(
            f"{name}: weights are {w.dtype} and inputs {options['dtype']}; expected one dtype"
        )
    if w.dim() == 0 and n_weights == 1:
        w = w.reshape(1)
    if w.dim() == 0 or w.shape[-1] != n_weights:
        raise ValueError(
            f"{name}: weights have shape {tuple(w.shape)}; expected ({n_weights},) or "
            f"(B, {n_weights})"
        )
    if x is None:
        if n_inputs:
            raise ValueError(f"{name}: inputs are missing; the circuit has {n_inputs}")
        x = torch.empty(0, **options)
    elif x.dim() == 0 or x.shape[-1] != n_inputs:
        raise ValueError(
            f"{name}: inputs have shape {tuple(x.shape)}; expected (B, {n_inputs}) or ({n_inputs},)"
        )
    # One set of weights is shared by the batch, whatever dimensions of size 1 it comes with.
    shared = w.dim() == 1 or (w.numel() == n_weights and n_weights > 0)
    lead = tuple(x.shape[:-1])
    if w.dim() > 1:
        lead = _together(name, "weights have", tuple(w.shape[:-1]), "inputs of", lead)
    start = None
    if initial_state is not None:
        start = _start(name, initial_state, circuit.n_wires, options["dtype"], order)
        lead = _together(name, "initial_state has", start.shape[:-1], "parameters of", lead)
    lead = lead or (1,)
    rows = math.prod(lead)
    x = x.expand(*lead, n_inputs).reshape(rows, n_inputs)
    if shared:
        w = w.reshape(n_weights)
    else:
        x = torch.cat([x, w.expand(*lead, n_weights).reshape(rows, n_weights)], dim=1)
        w = w.new_empty(0)
    program, of_weights, of_inputs = _lowered(circuit, not shared)
    if of_inputs is not None:
        values = torch.cat([w.expand(rows, -1), x], dim=1) if shared else x
        x = torch.cat([x, of_inputs(values)], dim=1)
    if of_weights is not None:
        w = torch.cat([w, of_weights(w)])
    if start is not None:
        start = start.expand(*lead, start.shape[-1]).reshape(rows, start.shape[-1])
    return _Run(program, w, x, start, lead)


def _together(
    name: str, one: str, lead: tuple[int, ...], other: str, known: tuple[int, ...]
) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(tuple(lead), known)
    except ValueError:
        raise ValueError(
            f"{name}: {one} a batch of {_size(lead)} and {other} {_size(known)}; expected one "
            "batch size"
        ) from None


def _start(name: str, state: Any, n_wires: int, dtype: torch.dtype, order: str) -> Tensor:
    """Initial states in the kernels' precision and order, their norms checked."""
    if not isinstance(state, Tensor):
        raise TypeError(f"{name}: initial_state is {type(state).__name__}; expected a tensor")
    wanted = _COMPLEX[dtype]
    if state.dtype not in (dtype, wanted):
        raise TypeError(
            f"{name}: initial_state is {state.dtype} and the parameters {dtype}; expected "
            f"{wanted} or {dtype}"
        )
    if state.dim() == 0 or state.shape[-1] != 2**n_wires:
        raise ValueError(
            f"{name}: initial_state has shape {tuple(state.shape)}; expected (..., {2**n_wires})"
        )
    if torch._C._are_functorch_transforms_active():
        raise NotImplementedError(
            f"{name}: torch.func is not supported from given initial states; use reverse mode of "
            "torch.autograd"
        )
    error = (torch.linalg.vector_norm(state.detach(), dim=-1) - 1).abs().reshape(-1)
    bad = (~(error <= _NORM_TOLERANCE[dtype])).nonzero()
    if len(bad):
        sample = int(bad[0, 0])
        raise ValueError(
            f"{name}: initial_state of sample {sample} has a norm off 1 by "
            f"{float(error[sample]):.3g}; expected normalised states"
        )
    flat = state.to(wanted).reshape(math.prod(state.shape[:-1]), 2**n_wires)
    if order != "qiskit":
        flat = _reversed_wires(flat, n_wires)
    return flat.reshape(state.shape)


def _lowered(
    circuit: Circuit, weights_per_sample: bool
) -> tuple[Program, Derived | None, Derived | None]:
    lowered = circuit.lowered(weights_per_sample=weights_per_sample)
    return lowered.program, lowered.weights, lowered.inputs


def _size(lead: tuple[int, ...]) -> Any:
    return lead[0] if len(lead) == 1 else tuple(lead)


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


def _run(circuit: Circuit, run: _Run, operation: Callable[..., Tensor], *arguments: Any) -> Tensor:
    start = () if run.start is None else (run.start,)
    try:
        return operation(*arguments, run.weights, run.inputs, *start)
    except ValueError as error:
        _explain(circuit, run, error)


def _explain(circuit: Circuit, run: _Run, error: ValueError) -> NoReturn:
    """Name the gate whose parameter is not finite, if that is what the operator refused."""
    if _transforms.is_wrapped(run.inputs) or _transforms.is_wrapped(run.weights):
        raise error
    rows = run.inputs.detach()
    per_sample = run.weights.numel() == 0
    n_weights, n_inputs = circuit.n_weights, circuit.n_inputs
    given = {
        Source.WEIGHT: rows[:, n_inputs : n_inputs + n_weights]
        if per_sample
        else run.weights.detach()[None, :n_weights],
        Source.INPUT: rows[:, :n_inputs],
    }
    for source, values in given.items():
        bad = (~torch.isfinite(values)).nonzero().tolist()
        if not bad:
            continue
        sample, index = bad[0]
        many = source is Source.INPUT or per_sample
        where = f" of sample {sample}" if many and len(rows) > 1 else ""
        text = f"{source.name.lower()}({index}){where} is {float(values[sample, index])}"
        for position, gate in enumerate(circuit.gates):
            symbols = [p.symbols for p in gate.params if not isinstance(p, float)]
            if any((source, index) in found for found in symbols):
                text = f"gate {position}, {gate}: {text}"
                break
        raise ValueError(f"{text}; expected finite numbers") from error
    weights = given[Source.WEIGHT].expand(len(rows), n_weights)
    values = torch.cat([weights, given[Source.INPUT]], dim=1)
    for position, gate in enumerate(circuit.gates):
        for param in gate.params:
            if not isinstance(param, Expression):
                continue
            angles = Derived([param], n_weights)(values)[:, 0]
            bad = (~torch.isfinite(angles)).nonzero().tolist()
            if bad:
                where = f" of sample {bad[0][0]}" if len(rows) > 1 else ""
                raise ValueError(
                    f"gate {position}, {gate}: the angle {param}{where} is "
                    f"{float(angles[bad[0][0]])}; expected a finite number"
                ) from error
    raise error
