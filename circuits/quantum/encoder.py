# SPDX-License-Identifier: Apache-2.0
"""An encoder of rotations on each wire as one U gate per wire, computed for each sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from circuits.quantum.noise_lowering import ParameterTable, affine_angle
from workbench.ops._buffers import empty_array
from workbench.ops.program import Source

__all__ = ["merged_angles"]

Complex = npt.NDArray[np.complex128]
Real = npt.NDArray[np.float64]


def merged_angles(encoder: Any, table: ParameterTable, inputs: Real) -> Real:
    """Angles ``(S, 3 n)`` of the U gates equal to an encoder: theta, phi, lambda of each wire.

    Parameters
    ----------
    encoder : QuantumCircuit
        One-qubit gates whose parameters are inputs, each in this table.
    table : mapping
        Parameter to (source, index).
    inputs : ndarray
        ``(S, F)``.

    Raises
    ------
    ValueError
        For gates on several qubits.
    """
    samples = inputs.shape[0]
    unitaries = np.tile(np.eye(2, dtype=np.complex128), (encoder.num_qubits, samples, 1, 1))
    for item in encoder.data:
        wires = [encoder.find_bit(q).index for q in item.qubits]
        name = item.operation.name
        if name == "barrier":
            continue
        if len(wires) != 1 or item.clbits:
            raise ValueError(
                f"NoisyEvaluator: encoder has {name!r} on wires {wires}; expected gates on one wire"
            )
        angles = []
        for value in item.operation.params:
            angle = affine_angle(value, table, f"gate {name!r} on wire {wires[0]}")
            total = np.full(samples, angle.constant)
            for source, index, coefficient in angle.terms:
                if source is not Source.INPUT:
                    raise ValueError("NoisyEvaluator: encoder must depend on inputs alone")
                total += coefficient * inputs[:, index]
            angles.append(total)
        unitaries[wires[0]] = _unitary(item.operation, angles) @ unitaries[wires[0]]
    out = empty_array((samples, 3 * encoder.num_qubits), np.float64)
    for wire, unitary in enumerate(unitaries):
        out[:, 3 * wire : 3 * wire + 3] = _u_angles(unitary)
    return out


def _unitary(operation: Any, angles: list[Real]) -> Complex:
    """``(S, 2, 2)``, or ``(1, 2, 2)`` for a fixed gate."""
    name = operation.name
    if name in ("rx", "ry", "rz", "p", "u1"):
        c, s = np.cos(angles[0] / 2), np.sin(angles[0] / 2)
        phase = np.exp(0.5j * angles[0])
        rows = {
            "rx": ((c, -1j * s), (-1j * s, c)),
            "ry": ((c, -s), (s, c)),
        }.get(name, ((1 / phase, 0 * phase), (0 * phase, phase)))
    elif name in ("u", "u3"):
        theta, phi, lam = angles
        c, s = np.cos(theta / 2), np.sin(theta / 2)
        rows = (
            (c, -np.exp(1j * lam) * s),
            (np.exp(1j * phi) * s, np.exp(1j * (phi + lam)) * c),
        )
    elif not angles:
        return np.asarray(operation.to_matrix(), dtype=np.complex128)[None]
    else:
        raise ValueError(
            f"NoisyEvaluator: encoder gate {name!r} is not one of rx, ry, rz, p, u or a fixed gate"
        )
    return np.moveaxis(np.array(rows, dtype=np.complex128), 2, 0)


def _u_angles(unitary: Complex) -> Real:
    """theta, phi, lambda with U equal up to a phase.

    With determinant 1 the entries are ``cos(theta/2) exp(+-i (phi+lambda)/2)`` and
    ``sin(theta/2) exp(+-i (phi-lambda)/2)``: where one pair vanishes its phase is arbitrary and
    without consequence.
    """
    special = unitary / np.sqrt(np.linalg.det(unitary))[:, None, None]
    theta = 2 * np.arctan2(np.abs(special[:, 1, 0]), np.abs(special[:, 1, 1]))
    half_sum, half_difference = np.angle(special[:, 1, 1]), np.angle(special[:, 1, 0])
    return np.stack([theta, half_sum + half_difference, half_sum - half_difference], axis=1)
