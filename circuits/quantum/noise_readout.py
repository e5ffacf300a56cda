# SPDX-License-Identifier: Apache-2.0
"""Observables of logical wires as rows over the Pauli strings of the active qubits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from circuits.quantum.noise_model import Matrix
from workbench.ops.program import Observables

__all__ = ["observable_rows", "observed_wires"]


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
        For X or Y under read-out errors, which are errors of measuring Z.
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
                        f"observables: a term has X or Y on wire {wire}, but read-out errors are "
                        "defined for Z: rotate the basis in the circuit, or pass "
                        "readout_error=False"
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
