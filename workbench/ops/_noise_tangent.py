# SPDX-License-Identifier: Apache-2.0
"""Forward mode of noisy circuits: the Pauli coefficients and their change, in plain torch.

Channels are linear, so the change obeys the same steps as the state, with one more term at every
turn by a parameter. One contraction per operation for all directions and samples at once: slower
than the kernels, which have no derivative of this kind.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from workbench.ops.channel_program import ChannelKind
from workbench.ops.reference.noise import apply_channel, ground_state

__all__ = ["pauli_tangent"]

# A rotation about one axis turns the plane of the other two, from the first to the second.
_PLANES = {ChannelKind.RX: (2, 3), ChannelKind.RY: (3, 1), ChannelKind.RZ: (1, 2)}


def pauli_tangent(
    code: Tensor,
    data: Tensor,
    n_qubits: int,
    weights: Tensor,
    inputs: Tensor,
    weight_tangents: Tensor,
    input_tangents: Tensor,
) -> Tensor:
    """Change of the final Pauli coefficients along directions.

    Parameters
    ----------
    code, data, n_qubits
        Of a channel program.
    weights, inputs : Tensor
        float64 ``(n_weights,)`` and ``(B, n_inputs)``.
    weight_tangents, input_tangents : Tensor
        float64 ``(K, n_weights)`` and ``(K, B, n_inputs)``.

    Returns
    -------
    Tensor
        float64 ``(K, B, 4**n)``.
    """
    count, batch = input_tangents.shape[:2]
    state = ground_state(n_qubits, batch)
    change = torch.zeros(count * batch, state.shape[1], dtype=torch.float64)
    parameters = weights, inputs, weight_tangents, input_tangents
    for qubits, matrix, slope in _operations(code, data, *parameters):
        every = matrix.expand(count, *matrix.shape) if matrix.shape[0] > 1 else matrix
        change = apply_channel(change, n_qubits, qubits, every.reshape(-1, *matrix.shape[1:]))
        if slope is not None:
            turns = slope.expand(count, batch, 4, 4).reshape(-1, 4, 4)
            change = change + apply_channel(state.repeat(count, 1), n_qubits, qubits, turns)
        state = apply_channel(state, n_qubits, qubits, matrix)
    return change.reshape(count, batch, -1)


def _operations(
    code: Tensor, data: Tensor, weights: Tensor, inputs: Tensor, dweights: Tensor, dinputs: Tensor
) -> Iterator[tuple[list[int], Tensor, Tensor | None]]:
    """Qubits, matrix ``(1 or B, 4**k, 4**k)`` and its change ``(K, 1 or B, 4, 4)`` or None."""
    words = code.tolist()
    at = 0
    while at < len(words):
        kind = ChannelKind(words[at])
        if kind in (ChannelKind.CHANNEL1, ChannelKind.CHANNEL2):
            k = 1 if kind is ChannelKind.CHANNEL1 else 2
            qubits, offset = words[at + 1 : at + 1 + k], words[at + 1 + k]
            yield qubits, data[offset : offset + 16**k].reshape(1, 4**k, 4**k), None
            at += 2 + k
            continue
        qubit, constant, n_terms = words[at + 1 : at + 4]
        angle, change = data[constant].expand(1), torch.zeros(len(dweights), 1, dtype=data.dtype)
        at += 4
        for _ in range(n_terms):
            source, index, coefficient = words[at : at + 3]
            value = inputs[:, index] if source else weights[index : index + 1]
            slope = dinputs[:, :, index] if source else dweights[:, index : index + 1]
            angle, change = angle + data[coefficient] * value, change + data[coefficient] * slope
            at += 3
        first, second = _PLANES[kind]
        c, s = torch.cos(angle), torch.sin(angle)
        turn = torch.eye(4, dtype=torch.float64).repeat(angle.shape[0], 1, 1)
        turn[:, first, first], turn[:, first, second] = c, -s
        turn[:, second, first], turn[:, second, second] = s, c
        along = torch.zeros_like(turn)
        along[:, first, first], along[:, first, second] = -s, -c
        along[:, second, first], along[:, second, second] = c, -s
        yield [qubit], turn, change[:, :, None, None] * along
