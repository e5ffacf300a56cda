# SPDX-License-Identifier: Apache-2.0
"""What a candidate is scored on: a task's samples, a device, and how circuits get onto it.

A worker process builds this once per `Setting` and keeps it, for noise models, pass managers
and read-out matrices cost more than a candidate does.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from circuits.quantum.heisenberg import NoisyEvaluator
from circuits.quantum.quantumnas.config import Setting
from circuits.quantum.quantumnas.spaces import Architecture, DesignSpace, design_space
from circuits.quantum.quantumnas.subcircuit import BoundGate, bound_circuit, bound_gates
from circuits.quantum.quantumnas.tasks import Dataset, Split, Task, load_task, task
from circuits.quantum.quantumnas.training import Score, Trainable, score

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["Layout", "Part", "Scene", "scene"]

#: The physical qubit of each wire; None leaves the choice to qiskit.
Layout = tuple[int, ...] | None
Part = Literal["train", "valid", "test"]

#: Noisy states take 4 to the number of qubits; four wires that need more are badly placed.
_MOST_QUBITS = 8


class Scene:
    """A setting made ready: data, device and evaluators."""

    def __init__(self, setting: Setting) -> None:
        from circuits.quantum.devices import device

        self.setting = setting
        self.task: Task = task(setting.task)
        self.space: DesignSpace = design_space(setting.space, n_blocks=setting.n_blocks)
        self.data: Dataset = load_task(setting.task, setting.seed)
        self.backend: Any = device(setting.device)
        self._evaluators: dict[tuple[Part, int], NoisyEvaluator] = {}

    @property
    def n_wires(self) -> int:
        """Number of logical wires."""
        return self.task.n_wires

    def split(self, part: Part) -> Split:
        """Return the samples of a part."""
        split: Split = getattr(self.data, part)
        return split

    def gates(
        self, architecture: Architecture, weights: NDArray[np.float64]
    ) -> tuple[BoundGate, ...]:
        """Return a SubCircuit's gates with these angles."""
        return bound_gates(self.space, architecture, self.n_wires, weights)

    def trainable(self, architecture: Architecture) -> Trainable:
        """Return a SubCircuit ready to be trained without noise."""
        return Trainable(self.space, architecture, self.task)

    # ---- noise-free ----------------------------------------------------------------------

    def clean_score(self, gates: Sequence[BoundGate], part: Part) -> Score:
        """Return loss and accuracy without noise."""
        import torch

        from circuits.quantum import expectation

        split = self.split(part)
        circuit = self.task.encoder.circuit().compose(bound_circuit(gates, self.n_wires))
        with torch.no_grad():
            values = expectation(circuit, "z", inputs=torch.from_numpy(split.x))
        return score(values, self.task, split.y)

    # ---- on the device -------------------------------------------------------------------

    def evaluator(self, part: Part, level: int | None = None) -> NoisyEvaluator:
        """Return the evaluator of a part's samples at an optimisation level."""
        chosen = self.setting.optimization_level if level is None else level
        if (part, chosen) not in self._evaluators:
            if part == "valid":
                made = NoisyEvaluator(
                    self.backend,
                    self.data.valid.x,
                    self.task.encoder.circuit(),
                    optimization_level=chosen,
                    seed_transpiler=self.setting.seed_transpiler,
                )
            else:
                # One template of the encoder, so that a circuit transpiled once serves all parts.
                made = self.evaluator("valid", chosen).with_inputs(self.split(part).x)
            self._evaluators[part, chosen] = made
        return self._evaluators[part, chosen]

    def on_device(
        self, gates: Sequence[BoundGate], layout: Layout, level: int | None = None
    ) -> QuantumCircuit:
        """Return encoder and gates, transpiled; wire k is measured into bit k.

        Angles are filled in before, so that neighbouring gates merge; the encoder is one U3 per
        wire whose three angles are left open.
        """
        body = bound_circuit(gates, self.n_wires)
        return self.evaluator("valid", level).transpiled(body, layout)

    def noisy_score(
        self, transpiled: QuantumCircuit, part: Part, level: int | None = None
    ) -> Score:
        """Return loss and accuracy under the device's noise, from exact probabilities.

        `transpiled` and `level` are those of `on_device`. A circuit that was routed over so many
        qubits that it cannot be simulated has an infinite loss, and deserves it.
        """
        if len(_active_qubits(transpiled)) > _MOST_QUBITS:
            return Score(math.inf, 0.0)
        values = self.evaluator(part, level).expectations_transpiled(transpiled)
        return score(values, self.task, self.split(part).y)


def _active_qubits(transpiled: QuantumCircuit) -> set[Any]:
    return {qubit for item in transpiled.data for qubit in item.qubits}


@functools.lru_cache(maxsize=16)
def scene(setting: Setting) -> Scene:
    """Return the scene of a setting, built once per process."""
    return Scene(setting)
