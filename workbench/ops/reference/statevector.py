# SPDX-License-Identifier: Apache-2.0
"""State vectors in plain torch: what the kernels of ``workbench.ops.statevector`` compute.

Written to be read, not to be fast.  Every operation becomes a ``2**k x 2**k`` matrix, built
from torch functions of the angles, and one function applies such a matrix to chosen wires;
torch itself differentiates the lot, to weights and inputs and as often as one likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from workbench.ops._transforms import list_of
from workbench.ops.program import Angle, Observables, OpKind, Program, Source

__all__ = [
    "Operation",
    "apply_matrix",
    "apply_operation",
    "decode",
    "expectation_reference",
    "operation_matrix",
    "statevector_reference",
]

_COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}
_PAULI = {
    1: ((0, 1), (1, 0)),
    2: ((0, -1j), (1j, 0)),
    3: ((1, 0), (0, -1)),
}


@dataclass(frozen=True)
class Operation:
    """One record of a program's stream, unpacked.

    Attributes
    ----------
    kind : OpKind
    targets, controls : tuple of int
        Wires.
    angles : tuple of Angle
    paulis : tuple of int
        For PAULI_ROTATION, 1 (X), 2 (Y) or 3 (Z) per target.
    matrix : Tensor or None
        complex128: ``(2, 2)`` for CONST1, ``(2**k, 2**k)`` for UNITARY, ``(2**k,)`` for
        DIAGONAL.
    """

    kind: OpKind
    targets: tuple[int, ...]
    controls: tuple[int, ...]
    angles: tuple[Angle, ...]
    paulis: tuple[int, ...]
    matrix: Tensor | None


def decode(program: Program) -> Iterator[Operation]:
    """Yield the operations of a program in the order in which they act.

    Parameters
    ----------
    program : Program

    Yields
    ------
    Operation
    """
    words = iter(list_of(program.code))
    data: list[float] = list_of(program.data)

    def take(count: int) -> tuple[int, ...]:
        return tuple(next(words) for _ in range(count))

    for kind_word in words:
        kind = OpKind(kind_word)
        n_targets, n_controls, n_params, offset = take(4)
        targets, controls = take(n_targets), take(n_controls)
        paulis = take(n_targets) if kind is OpKind.PAULI_ROTATION else ()
        angles = []
        for _ in range(n_params):
            constant, n_terms = take(2)
            terms = [take(3) for _ in range(n_terms)]
            sources = tuple((Source(source), index, data[c]) for source, index, c in terms)
            angles.append(Angle(data[constant], sources))
        matrix = None
        dim = 2**n_targets
        if kind in (OpKind.CONST1, OpKind.UNITARY, OpKind.DIAGONAL):
            shape = (dim,) if kind is OpKind.DIAGONAL else (dim, dim)
            pairs = np.array(data[offset : offset + 2 * int(np.prod(shape))])
            matrix = torch.from_numpy(pairs.view(np.complex128).reshape(shape))
        yield Operation(kind, targets, controls, tuple(angles), paulis, matrix)


def apply_matrix(state: Tensor, matrix: Tensor, wires: tuple[int, ...]) -> Tensor:
    """Apply a matrix to chosen wires of a batch of states.

    Parameters
    ----------
    state : Tensor
        complex, shape ``(B, 2**n)``; wire ``k`` is bit ``k`` of the column index.
    matrix : Tensor
        complex, shape ``(2**k, 2**k)`` or ``(B, 2**k, 2**k)``; ``wires[0]`` is the least
        significant bit of its row and column index.
    wires : tuple of int
        ``k`` distinct wires.

    Returns
    -------
    Tensor
        complex, shape ``(B, 2**n)``.
    """
    batch, size = state.shape
    n_wires = size.bit_length() - 1
    # In the shape (B, 2, ..., 2) wire k is axis n - k; bring the wires in front, the most
    # significant first, and the matrix acts on one flat axis.
    axes = [n_wires - wire for wire in reversed(wires)]
    front = list(range(1, 1 + len(wires)))
    tensor = state.reshape(batch, *[2] * n_wires).movedim(axes, front)
    product = matrix @ tensor.reshape(batch, 2 ** len(wires), 2 ** (n_wires - len(wires)))
    return product.reshape(tensor.shape).movedim(front, axes).reshape(batch, size)


def _angle_values(operation: Operation, weights: Tensor, inputs: Tensor) -> list[Tensor]:
    """Each angle of the operation, of shape ``()`` or, where an input enters, ``(B,)``."""
    values = []
    for angle in operation.angles:
        value = weights.new_tensor(angle.constant)
        for source, index, coefficient in angle.terms:
            term = weights[index] if source is Source.WEIGHT else inputs[:, index]
            value = value + coefficient * term
        values.append(value)
    return values


def _exp_i(angle: Tensor) -> Tensor:
    return torch.complex(torch.cos(angle), torch.sin(angle))


def _stack2x2(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    shape = max((entry.shape for entry in (a, b, c, d)), key=len)  # all () but the batched ones
    flat = torch.stack([entry.expand(shape) for entry in (a, b, c, d)], -1)
    return flat.reshape(*shape, 2, 2)


def operation_matrix(operation: Operation, weights: Tensor, inputs: Tensor) -> Tensor:
    """Matrix of an operation on its targets, its controls left out.

    Parameters
    ----------
    operation : Operation
        Any kind but GLOBAL_PHASE.
    weights : Tensor
        Shape ``(P,)``, float32 or float64.
    inputs : Tensor
        Shape ``(B, F)``, same dtype.

    Returns
    -------
    Tensor
        complex, shape ``(2**k, 2**k)``, or ``(B, 2**k, 2**k)`` where an angle depends on the
        inputs; ``targets[0]`` is the least significant bit.
    """
    dtype = _COMPLEX[weights.dtype]
    kind = operation.kind
    angles = _angle_values(operation, weights, inputs)
    if operation.matrix is not None:
        matrix = torch.diag(operation.matrix) if kind is OpKind.DIAGONAL else operation.matrix
        return matrix.to(dtype)
    if kind is OpKind.SWAP:
        return torch.eye(4, dtype=dtype)[[0, 2, 1, 3]]
    if kind is OpKind.P:
        phase = _exp_i(angles[0])
        zero = torch.zeros_like(phase)
        return _stack2x2(torch.ones_like(phase), zero, zero, phase)
    if kind is OpKind.U:
        theta, phi, lam = angles
        cos, sin = torch.cos(theta / 2), torch.sin(theta / 2)
        return _stack2x2(cos + 0j, -_exp_i(lam) * sin, _exp_i(phi) * sin, _exp_i(phi + lam) * cos)
    # What remains is exp(-i angle/2 P) with P a Pauli string.
    paulis = {OpKind.RX: (1,), OpKind.RY: (2,), OpKind.RZ: (3,)}.get(kind, operation.paulis)
    string = torch.ones(1, 1, dtype=dtype)
    for pauli in paulis:
        string = torch.kron(torch.tensor(_PAULI[pauli], dtype=dtype), string)
    half = angles[0][..., None, None] / 2
    identity = torch.eye(2 ** len(paulis), dtype=dtype)
    return torch.cos(half) * identity - 1j * torch.sin(half) * string


def apply_operation(state: Tensor, operation: Operation, weights: Tensor, inputs: Tensor) -> Tensor:
    """Apply one operation of a program to states of shape ``(B, 2**n)``."""
    if operation.kind is OpKind.GLOBAL_PHASE:
        (angle,) = _angle_values(operation, weights, inputs)
        return state * _exp_i(angle)[..., None]
    matrix = operation_matrix(operation, weights, inputs)
    changed = apply_matrix(state, matrix, operation.targets)
    if not operation.controls:
        return changed
    mask = sum(1 << wire for wire in operation.controls)
    controlled = (torch.arange(state.shape[1]) & mask) == mask
    return torch.where(controlled, changed, state)


def statevector_reference(program: Program, weights: Tensor, inputs: Tensor) -> Tensor:
    """State a program makes of ``|0...0>``.

    Parameters
    ----------
    program : Program
    weights : Tensor
        Shape ``(P,)``, float32 or float64.
    inputs : Tensor
        Shape ``(B, F)``, same dtype; ``B`` may be 0, and ``F`` where nothing is read.

    Returns
    -------
    Tensor
        complex64 or complex128, shape ``(B, 2**n)``; wire ``k`` is bit ``k`` of the index.
    """
    state = torch.zeros(inputs.shape[0], 2**program.n_wires, dtype=_COMPLEX[weights.dtype])
    state[:, 0] = 1
    for operation in decode(program):
        state = apply_operation(state, operation, weights, inputs)
    return state


def expectation_reference(
    program: Program, observables: Observables, weights: Tensor, inputs: Tensor
) -> Tensor:
    """Expectation of each row of observables in the state a program makes.

    Parameters
    ----------
    program : Program
    observables : Observables
    weights : Tensor
        Shape ``(P,)``, float32 or float64.
    inputs : Tensor
        Shape ``(B, F)``, same dtype.

    Returns
    -------
    Tensor
        Real, dtype of the weights, shape ``(B, n_rows)``.
    """
    state = statevector_reference(program, weights, inputs)
    columns = [torch.zeros_like(state[:, 0].real) for _ in range(observables.n_rows)]
    for (row, x, z), coefficient in zip(
        list_of(observables.terms), list_of(observables.coefficients), strict=True
    ):
        image = state
        for wire in range(program.n_wires):
            # i * X Z = Y, so a wire with both bits set takes Y and its share of the factor i.
            pauli = {(1, 0): 1, (1, 1): 2, (0, 1): 3}.get(((x >> wire) & 1, (z >> wire) & 1))
            if pauli is not None:
                matrix = torch.tensor(_PAULI[pauli], dtype=state.dtype)
                image = apply_matrix(image, matrix, (wire,))
        columns[row] = columns[row] + coefficient * (state.conj() * image).sum(-1).real
    if not columns:
        return torch.zeros(state.shape[0], 0, dtype=weights.dtype)
    return torch.stack(columns, -1)
