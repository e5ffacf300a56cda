# SPDX-License-Identifier: Apache-2.0
"""Programs: the flat form in which a circuit crosses from Python into the kernels.

A program is two one-dimensional arrays, a stream of int64 words and a pool of float64
numbers, so that it can be an argument of a ``torch.library`` operator, be hashed by the
kernel's plan cache, be pickled, and be traced by ``torch.compile`` like any other tensor.

Stream, one record per operation::

    kind  n_targets  n_controls  n_params  data_offset
    target wires ...   control wires ...   (PAULI_ROTATION: one code 1=X 2=Y 3=Z per target)
    per parameter:  const_offset  n_terms  (source  index  coef_offset) ...

An angle is ``data[const] + sum data[coef] * source[index]`` with source 0 = weights
(one value for the whole batch) and 1 = inputs (one value per sample).  Wire ``k`` is bit
``k`` of the amplitude index, qiskit's order; matrices on several targets take
``targets[0]`` as their least significant bit, as qiskit does.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["MAX_WIRES", "Angle", "Observables", "OpKind", "Program", "ProgramBuilder", "Source"]

#: Amplitude indices and Pauli masks are kept in 64-bit words, and 2**30 complex64 amplitudes
#: are 8 GiB; more wires than that do not fit the machines this is built for.
MAX_WIRES = 30


class OpKind(enum.IntEnum):
    """Primitive operations a kernel understands; every named gate is lowered to these."""

    CONST1 = 0  #: 2x2 matrix from the pool, any number of controls
    RX = 1
    RY = 2
    RZ = 3
    P = 4  #: diag(1, exp(i angle))
    U = 5  #: U(theta, phi, lambda) of qiskit
    PAULI_ROTATION = 6  #: exp(-i angle/2 * P), P a Pauli string on the targets
    UNITARY = 7  #: constant 2**k x 2**k matrix, no controls
    DIAGONAL = 8  #: constant 2**k diagonal, no controls
    SWAP = 9
    GLOBAL_PHASE = 10  #: exp(i angle)


class Source(enum.IntEnum):
    """Where a term of an angle is read from."""

    WEIGHT = 0
    INPUT = 1


@dataclass(frozen=True)
class Angle:
    """An affine angle ``constant + sum(coefficient * source[index])``.

    Attributes
    ----------
    constant : float
        Radians.
    terms : tuple of (Source, int, float)
        Source, index into it, coefficient.
    """

    constant: float = 0.0
    terms: tuple[tuple[Source, int, float], ...] = ()


_PARAMETERS = {
    OpKind.CONST1: 0,
    OpKind.RX: 1,
    OpKind.RY: 1,
    OpKind.RZ: 1,
    OpKind.P: 1,
    OpKind.U: 3,
    OpKind.PAULI_ROTATION: 1,
    OpKind.UNITARY: 0,
    OpKind.DIAGONAL: 0,
    OpKind.SWAP: 0,
    OpKind.GLOBAL_PHASE: 1,
}


@dataclass(frozen=True)
class Program:
    """A lowered circuit.

    Attributes
    ----------
    n_wires, n_weights, n_inputs : int
        Sizes of the register and of the two parameter vectors.
    code : Tensor
        int64, shape ``(length,)``, on the CPU.
    data : Tensor
        float64, shape ``(size,)``, on the CPU.
    """

    n_wires: int
    n_weights: int
    n_inputs: int
    code: Tensor
    data: Tensor


@dataclass(frozen=True)
class Observables:
    """Rows of weighted Pauli terms, row ``r`` being one output column.

    A term is ``coefficient * i**popcount(x & z) * X^x Z^z``: bit ``k`` of ``x`` stands for X
    on wire ``k``, of ``z`` for Z, of both for Y.

    Attributes
    ----------
    n_rows : int
        Number of observables.
    terms : Tensor
        int64, shape ``(n_terms, 3)``: row, x mask, z mask.
    coefficients : Tensor
        float64, shape ``(n_terms,)``.
    """

    n_rows: int
    terms: Tensor
    coefficients: Tensor


@dataclass
class ProgramBuilder:
    """Appends primitive operations and closes into a :class:`Program`.

    The builder trusts its caller for wire ranges and unitarity; the circuit layer and the
    kernels' own validation check them.
    """

    n_wires: int
    n_weights: int = 0
    n_inputs: int = 0
    _code: list[int] = field(default_factory=list)
    _data: list[float] = field(default_factory=list)

    def add(
        self,
        kind: OpKind,
        targets: Sequence[int],
        *,
        controls: Sequence[int] = (),
        angles: Sequence[Angle] = (),
        paulis: Sequence[int] = (),
        matrix: npt.ArrayLike | None = None,
    ) -> None:
        """Append one operation.

        Parameters
        ----------
        kind : OpKind
        targets, controls : sequence of int
            Wires. Only the one-target kinds CONST1, RX, RY, RZ, P and U take controls.
        angles : sequence of Angle
            As many as the kind has parameters.
        paulis : sequence of int
            For PAULI_ROTATION, one of 1 (X), 2 (Y), 3 (Z) per target.
        matrix : array_like of complex, optional
            ``(2, 2)`` for CONST1, ``(2**k, 2**k)`` for UNITARY, ``(2**k,)`` for DIAGONAL.
        """
        if len(angles) != _PARAMETERS[kind]:
            raise ValueError(
                f"ProgramBuilder.add: {kind.name} takes {_PARAMETERS[kind]} angles, "
                f"got {len(angles)}"
            )
        offset = len(self._data)
        if matrix is not None:
            flat = np.ascontiguousarray(matrix, dtype=np.complex128).reshape(-1)
            self._data.extend(flat.view(np.float64).tolist())
        self._code += [int(kind), len(targets), len(controls), len(angles), offset]
        self._code += [int(w) for w in targets]
        self._code += [int(w) for w in controls]
        if kind is OpKind.PAULI_ROTATION:
            self._code += [int(p) for p in paulis]
        for angle in angles:
            self._code += [len(self._data), len(angle.terms)]
            self._data.append(float(angle.constant))
            for source, index, coefficient in angle.terms:
                self._code += [int(source), int(index), len(self._data)]
                self._data.append(float(coefficient))

    def build(self) -> Program:
        """Close the builder into an immutable program."""
        return Program(
            n_wires=self.n_wires,
            n_weights=self.n_weights,
            n_inputs=self.n_inputs,
            code=torch.tensor(self._code, dtype=torch.int64),
            data=torch.tensor(self._data, dtype=torch.float64),
        )
