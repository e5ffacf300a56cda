# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: what is trained for each of them, in equal number.

A *trial* is one training from scratch. Every row has the same number of them, and the noisy
validation loss picks one: of the six best candidates of a search, of three random circuits with
two starts each, or of one human design with six starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from circuits.quantum.quantumnas.config import TrainingConfig
from circuits.quantum.quantumnas.search import Candidate, trivial_layout
from circuits.quantum.quantumnas.spaces import (
    Architecture,
    DesignSpace,
    front_design,
    gate_count,
)

__all__ = ["ROWS", "Placement", "Row", "Trial", "trials"]

#: qiskit's optimisation level whose layout takes the calibration into account.
NOISE_AWARE_LEVEL = 3


@dataclass(frozen=True)
class Placement:
    """How a circuit gets onto the device: a layout, or qiskit's choice at a level."""

    layout: tuple[int, ...] | None
    level: int | None = None


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Parameters
    ----------
    key, title : str
    trained_for : str
        The row with whose trials it shares, its own unless they differ in placement alone.
    """

    key: str
    title: str
    trained_for: str


@dataclass(frozen=True)
class Trial:
    """One training: a circuit, and the placements it is scored in, by row."""

    architecture: Architecture
    placements: Mapping[str, Placement]


ROWS = (
    Row("unaware", "noise-unaware search", "unaware"),
    Row("random", "best of random circuits", "random"),
    Row("human", "human design, equal gates", "human"),
    Row("human_level3", "the same, qiskit's noise-aware layout", "human"),
    Row("full", "human design, full size", "full"),
    Row("quantumnas", "QuantumNAS", "quantumnas"),
    Row("pruned", "QuantumNAS, pruned", "quantumnas"),
)


def trials(
    space: DesignSpace,
    n_wires: int,
    aware: Sequence[Candidate],
    unaware: Sequence[Candidate],
    how: TrainingConfig,
    *,
    seed: int,
) -> dict[str, list[Trial]]:
    """Return the trials of each row that has its own.

    Parameters
    ----------
    space : DesignSpace
    n_wires : int
    aware, unaware : sequence of Candidate
        What the two searches found, best first. The gate count of the first noise-aware one is
        that of the random circuits and of the human design.
    how : TrainingConfig
        For the number of trials and of random circuits.
    seed : int
        For the random circuits.
    """
    count = how.candidates
    size = gate_count(aware[0].architecture)
    straight = Placement(trivial_layout(n_wires))
    rng = np.random.default_rng([seed, 5])
    drawn = [space.random_of_size(size, n_wires, rng) for _ in range(how.random_circuits)]
    human = front_design(space, size, n_wires)
    both = {"human": straight, "human_level3": Placement(None, NOISE_AWARE_LEVEL)}
    return {
        "unaware": [
            Trial(c.architecture, {"unaware": Placement(c.layout)}) for c in unaware[:count]
        ],
        "random": [
            Trial(drawn[i % how.random_circuits], {"random": straight}) for i in range(count)
        ],
        "human": [Trial(human, both)] * count,
        "full": [Trial(space.full(n_wires), {"full": straight})] * count,
        "quantumnas": [
            Trial(c.architecture, {"quantumnas": Placement(c.layout)}) for c in aware[:count]
        ],
    }
