# SPDX-License-Identifier: Apache-2.0
"""The noise operators in plain torch: what :mod:`workbench.ops.noise` computes, readably.

Differentiable by autograd to any order, and slow: one tensor contraction per operation.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from workbench.ops.channel_program import ChannelKind, ChannelProgram

__all__ = [
    "apply_channel",
    "ground_state",
    "noisy_expectation",
    "noisy_probabilities",
    "pauli_vector",
    "pull_back",
    "read_outcomes",
]

# A rotation about one axis turns the plane of the other two, from the first to the second.
_PLANES = {ChannelKind.RX: (2, 3), ChannelKind.RY: (3, 1), ChannelKind.RZ: (1, 2)}


def _operations(
    program: ChannelProgram, weights: Tensor, inputs: Tensor
) -> Iterator[tuple[list[int], Tensor]]:
    """Qubits and transfer matrix, ``(1 or B, 4**k, 4**k)``, of each operation in turn."""
    code, data = program.code.tolist(), program.data
    at = 0
    while at < len(code):
        kind = ChannelKind(code[at])
        if kind in (ChannelKind.CHANNEL1, ChannelKind.CHANNEL2):
            k = 1 if kind is ChannelKind.CHANNEL1 else 2
            qubits, offset = code[at + 1 : at + 1 + k], code[at + 1 + k]
            yield qubits, data[offset : offset + 16**k].reshape(1, 4**k, 4**k)
            at += 2 + k
            continue
        qubit, constant, n_terms = code[at + 1 : at + 4]
        angle = data[constant].expand(1)
        at += 4
        for _ in range(n_terms):
            source, index, coefficient = code[at : at + 3]
            value = inputs[:, index] if source else weights[index : index + 1]
            angle = angle + data[coefficient] * value
            at += 3
        first, second = _PLANES[kind]
        turn = torch.eye(4, dtype=torch.float64).repeat(angle.shape[0], 1, 1)
        c, s = torch.cos(angle), torch.sin(angle)
        turn[:, first, first] = c
        turn[:, first, second] = -s
        turn[:, second, first] = s
        turn[:, second, second] = c
        yield [qubit], turn


def apply_channel(state: Tensor, n: int, qubits: list[int], matrix: Tensor) -> Tensor:
    """``matrix`` (1 or B, 4**k, 4**k) on the given qubits of ``state`` (B, 4**n)."""
    batch, k = state.shape[0], len(qubits)
    axes = [n - q for q in reversed(qubits)]  # axis 0 is the batch, qubit 0 is the last axis
    grid = state.reshape(batch, *([4] * n)).movedim(axes, list(range(1, k + 1)))
    shape = grid.shape
    grid = (matrix @ grid.reshape(batch, 4**k, 4 ** (n - k))).reshape(shape)
    return grid.movedim(list(range(1, k + 1)), axes).reshape(batch, 4**n)


def ground_state(n_qubits: int, batch: int) -> Tensor:
    """Pauli coefficients of ``|0...0>``, float64 ``(B, 4**n)``."""
    state = torch.ones(1, 1, dtype=torch.float64)
    zero = torch.tensor([[1.0, 0.0, 0.0, 1.0]], dtype=torch.float64)
    for _ in range(n_qubits):
        state = torch.kron(state, zero)
    return state.repeat(batch, 1)


def pauli_vector(program: ChannelProgram, weights: Tensor, inputs: Tensor) -> Tensor:
    """Final Pauli coefficients, float64 ``(B, 4**n)``."""
    state = ground_state(program.n_qubits, inputs.shape[0])
    for qubits, matrix in _operations(program, weights, inputs):
        state = apply_channel(state, program.n_qubits, qubits, matrix)
    return state


def noisy_probabilities(
    program: ChannelProgram, measured: Tensor, confusion: Tensor, weights: Tensor, inputs: Tensor
) -> Tensor:
    """See :func:`workbench.ops.noise.noisy_probabilities`; float64 ``(B, 2**m)``."""
    return read_outcomes(pauli_vector(program, weights, inputs), measured, confusion)


def read_outcomes(state: Tensor, measured: Tensor, confusion: Tensor) -> Tensor:
    """Probabilities of outcomes, ``(B, 2**m)``, from Pauli coefficients: linear in them."""
    batch, m = state.shape[0], measured.shape[0]
    subset = torch.arange(2**m)
    index = torch.zeros_like(subset)
    for bit, qubit in enumerate(measured.tolist()):
        index += ((subset >> bit) & 1) * 3 * 4**qubit
    out = state[:, index]
    to_populations = torch.tensor([[0.5, 0.5], [0.5, -0.5]], dtype=torch.float64)
    for bit in range(m):
        grid = out.reshape(batch, 2 ** (m - 1 - bit), 2, 2**bit)
        matrix = confusion[bit] @ to_populations
        out = torch.einsum("ij,bhjl->bhil", matrix, grid).reshape(batch, 2**m)
    return out


def noisy_expectation(
    program: ChannelProgram, observables: Tensor, weights: Tensor, inputs: Tensor
) -> Tensor:
    """See :func:`workbench.ops.noise.noisy_expectation`; float64 ``(B, n_obs)``."""
    return pauli_vector(program, weights, inputs) @ observables.T


def pull_back(program: ChannelProgram, observables: Tensor, weights: Tensor) -> Tensor:
    """See :func:`workbench.ops.noise.pull_back`; float64 ``(n_obs, 4**n)``."""
    rows = observables
    no_inputs = torch.zeros(0, 0, dtype=torch.float64)
    for qubits, matrix in reversed(list(_operations(program, weights, no_inputs))):
        rows = apply_channel(rows, program.n_qubits, qubits, matrix.transpose(1, 2))
    return rows
