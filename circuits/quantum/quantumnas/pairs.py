# SPDX-License-Identifier: Apache-2.0
"""Gates on two qubits, whatever a device calls them: cx, ecr, cz, rzz."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["pair_gates", "pair_label", "two_qubit_gates"]


def two_qubit_gates(transpiled: QuantumCircuit) -> int:
    """Return how many gates on two qubits a circuit holds: cx, ecr, cz or what its device has."""
    return sum(len(item.qubits) == 2 and item.name != "barrier" for item in transpiled.data)


def pair_gates(target: Any) -> dict[str, dict[tuple[int, int], float | None]]:
    """Return a device's gates on two qubits, with their calibrated error on each pair."""
    found: dict[str, dict[tuple[int, int], float | None]] = {}
    for name in sorted(target.operation_names):
        on = target[name] or {}
        pairs = {qubits: on[qubits] for qubits in on if qubits is not None and len(qubits) == 2}
        if pairs:
            found[name] = {
                (int(a), int(b)): None if known is None else known.error
                for (a, b), known in pairs.items()
            }
    return found


def pair_label(device: Mapping[str, Any]) -> str:
    """Return what a device's gates on two qubits are called: CX, ECR, CZ or several."""
    return "/".join(name.upper() for name in device.get("pair_gates", ["cx"]))
