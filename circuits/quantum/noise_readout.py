# SPDX-License-Identifier: Apache-2.0
"""Observables of logical wires: how a device measures them, and as rows over Pauli strings.

A device reads Z, with its errors of reading out. X and Y are read as Z after a rotation of the
qubit, H for X and S^-1 H for Y, so a sum of strings takes a circuit for each group of strings
that agree, wire by wire, on the letter to read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from circuits.quantum.noise_model import Matrix
from workbench.ops.program import Observables

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["Basis", "measured_bases", "observable_rows", "observed_wires", "rotate_to_z"]


class Basis(NamedTuple):
    """What one measured circuit tells of the observables.

    Attributes
    ----------
    letters : dict
        ``"X"``, ``"Y"`` or ``"Z"`` by wire, of the wires that some string asks for.
    observables : Observables
        The strings read in this basis, of as many rows as the whole; of letters I and Z
        after :func:`rotate_to_z`.
    """

    letters: dict[int, str]
    observables: Observables


def measured_bases(observables: Observables, readout_error: bool) -> list[Basis]:
    """The bases that a device measures for the observables.

    Parameters
    ----------
    observables : Observables
        On logical wires.
    readout_error : bool
        Without read-out errors expectations are the state's, and no rotation is needed for any.

    Returns
    -------
    list of Basis
        At least one. A string joins the first basis that agrees with it on each wire.
    """
    terms = observables.terms.tolist()
    if not readout_error or not any(x for _, x, _ in terms):
        return [Basis({}, observables)]
    groups: list[tuple[dict[int, str], list[int]]] = []
    for index, (_, x, z) in enumerate(terms):
        letters = {
            wire: "IXZY"[(x >> wire & 1) + 2 * (z >> wire & 1)]
            for wire in range((x | z).bit_length())
            if (x | z) >> wire & 1
        }
        for known, members in groups:
            if all(known.get(wire, letter) == letter for wire, letter in letters.items()):
                known.update(letters)
                members.append(index)
                break
        else:
            groups.append((letters, [index]))
    bases = []
    for letters, members in groups:
        rotated = [[terms[i][0], 0, terms[i][1] | terms[i][2]] for i in members]
        chosen = Observables(
            n_rows=observables.n_rows,
            terms=torch.tensor(rotated, dtype=torch.int64).reshape(len(members), 3),
            coefficients=observables.coefficients[members],
        )
        bases.append(Basis(letters, chosen))
    return bases


def rotate_to_z(circuit: QuantumCircuit, letters: Mapping[int, str]) -> None:
    """Append the rotations after which reading Z is reading these letters."""
    for wire, letter in sorted(letters.items()):
        if letter == "Y":
            circuit.sdg(wire)
        if letter in "XY":
            circuit.h(wire)


def observed_wires(observables: Observables) -> list[int]:
    """Wires on which some term is not the identity, ascending."""
    mask = 0
    for _, x, z in observables.terms.tolist():
        mask |= x | z
    return [wire for wire in range(mask.bit_length()) if mask >> wire & 1]


def observable_rows(
    observables: Observables,
    physical: Sequence[int],
    position: Mapping[int, int],
    confusion: Matrix | None,
) -> Tensor:
    """Rows ``(n_obs, 4**n)`` for ``workbench.ops.noise``, read-out errors folded in.

    Parameters
    ----------
    observables : Observables
        On logical wires.
    physical : sequence of int
        The physical qubit that each wire is read from.
    position : mapping
        The program's qubit of each active physical qubit.
    confusion : ndarray or None
        ``(n_wires, 2, 2)``, ``[read, true]``; None for perfect read-out.

    Raises
    ------
    ValueError
        For X or Y with read-out errors, which are errors of reading Z: see
        :func:`measured_bases`.
    """
    n = len(position)
    rows = np.zeros((observables.n_rows, 4**n))
    coefficients = observables.coefficients.tolist()
    for (row, x, z), coefficient in zip(observables.terms.tolist(), coefficients, strict=True):
        factors = [np.array([1.0, 0.0, 0.0, 0.0])] * n
        for wire in range((x | z).bit_length()):
            is_x, is_z = x >> wire & 1, z >> wire & 1
            if not (is_x or is_z):
                continue
            factor = np.zeros(4)
            factor[2 if is_x and is_z else 1 if is_x else 3] = 1.0
            if confusion is not None:
                if is_x:
                    raise ValueError(
                        f"observable_rows: a term must have I or Z on wire {wire} where read-out "
                        "errors are given, got X or Y: they are errors of reading Z"
                    )
                # Reading +1 or -1 from a true outcome t has the mean C[0, t] - C[1, t].
                mean = confusion[wire][0] - confusion[wire][1]
                factor[0] = (mean[0] + mean[1]) / 2
                factor[3] = (mean[0] - mean[1]) / 2
            factors[position[physical[wire]]] = factor
        total: npt.NDArray[Any] = np.ones(1)
        for factor in factors:
            total = np.kron(factor, total)
        rows[row] += coefficient * total
    return torch.from_numpy(rows)
