# SPDX-License-Identifier: Apache-2.0
"""Encoders as data: which rotation of which wire each input is the angle of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from circuits.quantum.circuit import Circuit

__all__ = ["ENCODERS", "Encoder", "encoder"]


@dataclass(frozen=True)
class Encoder:
    """Rotations whose angles are the inputs, in order.

    Parameters
    ----------
    name : str
    n_wires : int
    rotations : tuple of (str, int)
        Gate ("rx", "ry", "rz") and wire of input 0, 1, 2, ...
    """

    name: str
    n_wires: int
    rotations: tuple[tuple[str, int], ...]

    @property
    def n_inputs(self) -> int:
        """Number of inputs."""
        return len(self.rotations)

    def circuit(self, n_weights: int = 0) -> Circuit:
        """Return the encoder as a new circuit, to which gates with weights may be added."""
        from circuits.quantum.circuit import Circuit
        from circuits.quantum.symbols import input as input_symbol

        circuit = Circuit(self.n_wires, n_weights=n_weights, n_inputs=self.n_inputs)
        for index, (gate, wire) in enumerate(self.rotations):
            circuit.gate(gate, [wire], [input_symbol(index)])
        return circuit


ENCODERS: Mapping[str, Encoder] = {
    "4x4_ryzxy": Encoder(
        "4x4_ryzxy",
        4,
        tuple((gate, wire) for gate in ("ry", "rz", "rx", "ry") for wire in range(4)),
    ),
}


def encoder(name: str) -> Encoder:
    """Look an encoder up by name; ValueError lists the known ones."""
    if name not in ENCODERS:
        raise ValueError(f"encoder: unknown encoder {name!r}; known are {', '.join(ENCODERS)}")
    return ENCODERS[name]
