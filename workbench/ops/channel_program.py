# SPDX-License-Identifier: Apache-2.0
"""Channel programs: a noisy circuit as it crosses from Python into the noise kernels.

The state is the vector of real Pauli coefficients ``r_P = Tr(P rho)``.  Digit ``k`` of its
index in base 4 is the Pauli on qubit ``k``: 0 = I, 1 = X, 2 = Y, 3 = Z.  Everything that can
happen to it is a real matrix: a rotation of two of X, Y, Z, or a constant transfer matrix.

Stream, one record per operation::

    CHANNEL1       kind  qubit          data_offset      4 x 4, row major
    CHANNEL2       kind  qubit  qubit   data_offset      16 x 16, first qubit = low digit
    RX, RY, RZ     kind  qubit          const_offset  n_terms  (source  index  coef_offset) ...

An angle is ``data[const] + sum data[coef] * source[index]``, source 0 = weights (one value
for the whole batch), 1 = inputs (one value per sample), as in :mod:`workbench.ops.program`.
"""

from __future__ import annotations

import enum
from array import array
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from workbench.ops.program import Source

__all__ = ["MAX_QUBITS", "ChannelKind", "ChannelProgram", "ChannelProgramBuilder"]

#: One tile of eight samples holds ``8 * 4**n`` doubles: 64 MiB at ten qubits, 1 GiB at twelve.
MAX_QUBITS = 10


class ChannelKind(enum.IntEnum):
    """Operations of a channel program."""

    CHANNEL1 = 0  #: constant trace-preserving 4 x 4 transfer matrix
    CHANNEL2 = 1  #: constant trace-preserving 16 x 16 transfer matrix
    RX = 2
    RY = 3
    RZ = 4


@dataclass(frozen=True)
class ChannelProgram:
    """A circuit of rotations and constant channels, starting from ``|0...0>``.

    Attributes
    ----------
    n_qubits, n_weights, n_inputs : int
        Sizes of the register and of the two parameter vectors.
    code : Tensor
        int64, shape ``(length,)``.
    data : Tensor
        float64, shape ``(size,)``.
    """

    n_qubits: int
    n_weights: int
    n_inputs: int
    code: Tensor
    data: Tensor


@dataclass
class ChannelProgramBuilder:
    """Appends operations and closes into a :class:`ChannelProgram`.

    Ranges are checked by the kernel, once per run, not here.
    """

    n_qubits: int
    n_weights: int = 0
    n_inputs: int = 0
    _code: array[int] = field(default_factory=lambda: array("q"))
    _data: array[float] = field(default_factory=lambda: array("d"))
    _offsets: dict[Hashable, int] = field(default_factory=dict)

    def channel(self, qubits: Sequence[int], matrix: Sequence[float], key: Hashable = None) -> None:
        """Append a constant transfer matrix.

        Parameters
        ----------
        qubits : sequence of int
            One or two.
        matrix : sequence of float
            Row major, 16 or 256 numbers; the first row must be ``1, 0, 0, ...``. An
            ``array("d")`` is taken over fastest.
        key : hashable, optional
            Matrices appended under an equal key are stored once.
        """
        if len(qubits) not in (1, 2) or len(matrix) != 16 ** len(qubits):
            raise ValueError(
                "ChannelProgramBuilder.channel: matrix must have 16 numbers for one qubit or 256 "
                f"for two, got {len(matrix)} for {len(qubits)} qubits"
            )
        offset = self._offsets.get(key) if key is not None else None
        if offset is None:
            offset = len(self._data)
            self._data.extend(matrix)
            if key is not None:
                self._offsets[key] = offset
        self._code.extend((len(qubits) - 1, *qubits, offset))

    def rotation(
        self,
        kind: ChannelKind,
        qubit: int,
        constant: float,
        terms: Sequence[tuple[Source, int, float]] = (),
    ) -> None:
        """Append ``exp(-i angle/2 P)`` with P one of X, Y, Z.

        Parameters
        ----------
        kind : ChannelKind
            RX, RY or RZ.
        qubit : int
        constant : float
            Radians.
        terms : sequence of (Source, int, float)
            Source, index into it, coefficient.
        """
        self._code.extend((kind, qubit, len(self._data), len(terms)))
        self._data.append(constant)
        for source, index, coefficient in terms:
            self._code.extend((source, index, len(self._data)))
            self._data.append(coefficient)

    def build(self) -> ChannelProgram:
        """Close the builder into an immutable program."""
        return ChannelProgram(
            n_qubits=self.n_qubits,
            n_weights=self.n_weights,
            n_inputs=self.n_inputs,
            code=_tensor(self._code, torch.int64),
            data=_tensor(self._data, torch.float64),
        )


def _tensor(values: array[Any], dtype: torch.dtype) -> Tensor:
    # A copy of the array is what the tensor shares its memory with, so that the builder may
    # go on; frombuffer refuses to share nothing.
    return torch.frombuffer(values[:], dtype=dtype) if values else torch.empty(0, dtype=dtype)
