# SPDX-License-Identifier: Apache-2.0
"""The circuit every tool simulates, and the numbers put into it.

Encoder RY, RZ, RX, RY on every wire, angles from the sample; then blocks of a U3 on every wire
and a ring of CU3, controls 0, 1, ..., targets one further. Angle ``layer * n + wire`` of a
sample feeds the encoder; ``weights[block, 0 | 1, wire]`` holds theta, phi, lambda of the U3 on
`wire` and of the CU3 it controls.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["ENCODER", "Workload", "flop_of_fused_passes"]

#: Gate names of the encoder's layers, in order.
ENCODER = ("ry", "rz", "rx", "ry")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Workload:
    """Sizes and numbers of one workload.

    Attributes
    ----------
    n : int
        Wires.
    blocks, samples, seed : int
        U3 + CU3 blocks, batch size, seed of the numbers.
    """

    n: int
    blocks: int = 4
    samples: int = 256
    seed: int = 7

    @property
    def n_inputs(self) -> int:
        """Angles of one sample."""
        return len(ENCODER) * self.n

    @property
    def n_gates(self) -> int:
        """Gates of the circuit, encoder included."""
        return self.n * (len(ENCODER) + 2 * self.blocks)

    def weights(self) -> Floats:
        """Return shape ``(blocks, 2, n, 3)``."""
        rng = np.random.default_rng([self.seed, 0])
        return rng.uniform(-np.pi, np.pi, (self.blocks, 2, self.n, 3))

    def inputs(self, samples: int | None = None) -> Floats:
        """Return shape ``(samples, 4 * n)``; fewer samples are the first of all."""
        rng = np.random.default_rng([self.seed, 1])
        return rng.uniform(-np.pi, np.pi, (self.samples, self.n_inputs))[:samples]

    def cotangent(self, samples: int | None = None) -> Floats:
        """Return the weights of the loss, shape ``(samples, n)``: loss = sum of them times <Z>."""
        rng = np.random.default_rng([self.seed, 2])
        return rng.normal(size=(self.samples, self.n))[:samples]

    def tolerance(self, precision: str) -> float:
        """Return the deviation rounding explains.

        Every gate rounds each amplitude a few times; errors of that many gates add up at worst
        linearly, and gradients go through twice as many.
        """
        eps = float(np.finfo(np.float32 if precision == "float32" else np.float64).eps)
        return 4.0 * self.n_gates * eps

    def ring(self) -> list[tuple[int, int]]:
        """Return control and target of the CU3s of one block (none on one wire)."""
        return [(k, (k + 1) % self.n) for k in range(self.n)] if self.n > 1 else []

    def circuit(self) -> Any:
        """Return it as ``circuits.quantum.Circuit``."""
        from circuits.quantum import Circuit, input, weight

        circuit = Circuit(self.n)
        for layer, gate in enumerate(ENCODER):
            for wire in range(self.n):
                circuit.gate(gate, wire, (input(layer * self.n + wire),))
        for block in range(self.blocks):
            for wire in range(self.n):
                first = 3 * ((2 * block) * self.n + wire)
                circuit.u3(weight(first), weight(first + 1), weight(first + 2), wire)
            for control, target in self.ring():
                first = 3 * ((2 * block + 1) * self.n + control)
                circuit.cu3(weight(first), weight(first + 1), weight(first + 2), control, target)
        return circuit


def flop_of_fused_passes(workload: Workload, *, backward: bool) -> float:
    """Return the arithmetic of the cheapest known schedule of the workload.

    Each U3 is absorbed into the CU3 next to it, which leaves one multiplexed 1-qubit gate per
    ring position, and the encoder with the first U3s builds a product state, worth one more
    pass. A pass costs 14 flop per amplitude, and 44 more in the reverse sweep (two
    applications and the accumulation of a 2x2 matrix).
    """
    passes = workload.blocks * workload.n + 1
    per_amplitude = 14.0 + (44.0 if backward else 0.0)
    return passes * per_amplitude * workload.samples * 2.0**workload.n
