# SPDX-License-Identifier: Apache-2.0
"""From an architecture to circuits: trainable ones, and ones with the angles filled in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from circuits.quantum.quantumnas.encoders import Encoder
from circuits.quantum.quantumnas.spaces import Architecture, DesignSpace

if TYPE_CHECKING:
    from circuits.quantum.circuit import Circuit

__all__ = ["BoundGate", "bound_circuit", "bound_gates", "simplified", "trainable_circuit"]

_FULL_TURN = 2.0 * math.pi


@dataclass(frozen=True)
class BoundGate:
    """A gate whose angles are numbers."""

    name: str
    wires: tuple[int, ...]
    params: tuple[float, ...]


def trainable_circuit(space: DesignSpace, architecture: Architecture, encoder: Encoder) -> Circuit:
    """Return encoder and SubCircuit; weight i is the i-th angle of the gates in use."""
    from circuits.quantum.symbols import weight

    count = 0
    circuit = encoder.circuit(weight_count(space, architecture, encoder.n_wires))
    for _, _, layer, wires in space.gates(architecture, encoder.n_wires):
        angles = [weight(count + i) for i in range(layer.n_params)]
        circuit.gate(layer.gate, list(wires), angles)
        count += layer.n_params
    return circuit


def weight_count(space: DesignSpace, architecture: Architecture, n_wires: int) -> int:
    """Return the number of trainable angles of a SubCircuit."""
    return sum(layer.n_params for _, _, layer, _ in space.gates(architecture, n_wires))


def bound_gates(
    space: DesignSpace, architecture: Architecture, n_wires: int, weights: NDArray[np.float64]
) -> tuple[BoundGate, ...]:
    """Return the gates of a SubCircuit, without the encoder, with their angles."""
    expected = weight_count(space, architecture, n_wires)
    if np.shape(weights) != (expected,):
        raise ValueError(
            f"bound_gates: weights have shape {np.shape(weights)}; the SubCircuit has "
            f"{expected} angles"
        )
    values = np.asarray(weights, dtype=np.float64).tolist()
    gates, count = [], 0
    for _, _, layer, wires in space.gates(architecture, n_wires):
        gates.append(BoundGate(layer.gate, wires, tuple(values[count : count + layer.n_params])))
        count += layer.n_params
    return tuple(gates)


def bound_circuit(gates: Sequence[BoundGate], n_wires: int) -> Circuit:
    """Return gates as a circuit without inputs and weights."""
    from circuits.quantum.circuit import Circuit

    circuit = Circuit(n_wires)
    for gate in gates:
        circuit.gate(gate.name, list(gate.wires), list(gate.params))
    return circuit


def simplified(gates: Sequence[BoundGate], tolerance: float = 1e-12) -> tuple[BoundGate, ...]:
    """Return equal gates in simpler form: identities removed, special angles named.

    U3 without theta is a (virtual) phase gate, and no gate where its phases cancel. CU3 without
    theta is a controlled phase, which still takes two CX, unless its phases cancel too; without
    phi and lambda it is a controlled RY.
    """
    kept: list[BoundGate] = []
    for gate in gates:
        if gate.name not in ("u", "cu3"):
            kept.append(gate)
            continue
        theta, phi, lam = gate.params
        # U(2 pi) is -1: a global phase, but a Z on the control of the controlled gate.
        period = _FULL_TURN if gate.name == "u" else 2.0 * _FULL_TURN
        phase = "p" if gate.name == "u" else "cp"
        rotation = "ry" if gate.name == "u" else "cry"
        if _is_multiple(theta, period, tolerance):
            if not _is_multiple(phi + lam, _FULL_TURN, tolerance):
                kept.append(BoundGate(phase, gate.wires, (phi + lam,)))
        elif _is_multiple(phi, _FULL_TURN, tolerance) and _is_multiple(lam, _FULL_TURN, tolerance):
            kept.append(BoundGate(rotation, gate.wires, (theta,)))
        else:
            kept.append(gate)
    return tuple(kept)


def _is_multiple(angle: float, period: float, tolerance: float) -> bool:
    return abs(math.remainder(angle, period)) <= tolerance
