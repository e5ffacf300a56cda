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

from circuits.quantum.quantumnas.config import Config, TrainingConfig
from circuits.quantum.quantumnas.search import Candidate, trivial_layout
from circuits.quantum.quantumnas.spaces import Architecture, DesignSpace, front_design

__all__ = ["ROWS", "Placement", "Row", "Trial", "designed_trials", "searched_trials"]

#: qiskit's optimisation level whose layout takes the calibration into account.
NOISE_AWARE_LEVEL = 3

#: Draws after which there are, in all likelihood, no more different circuits of a size.
_REDRAWS = 1000


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
    key : str
    words : str
        Its title; ``{random}`` and ``{blocks}`` stand for numbers of the config.
    trained_for : str
        The row with whose trials it shares, its own unless they differ in placement alone.
    """

    key: str
    words: str
    trained_for: str

    def title(self, config: Config) -> str:
        """Return the title."""
        return self.words.format(random=config.training.random_circuits, blocks=config.blocks)


@dataclass(frozen=True)
class Trial:
    """One training: a circuit, and the placements it is scored in, by row."""

    architecture: Architecture
    placements: Mapping[str, Placement]


ROWS = (
    Row("unaware", "noise-unaware search", "unaware"),
    Row("random", "best of {random} random", "random"),
    Row("human", "human, equal gates", "human"),
    Row("human_level3", "human, qiskit's layout", "human"),
    Row("full", "human, {blocks} blocks", "full"),
    Row("quantumnas", "QuantumNAS", "quantumnas"),
    Row("pruned", "QuantumNAS, pruned", "quantumnas"),
)


def searched_trials(
    aware: Sequence[Candidate], unaware: Sequence[Candidate], how: TrainingConfig
) -> dict[str, list[Trial]]:
    """Return the trials of the rows that are searched: the best candidates of each search."""
    return {
        row: [Trial(c.architecture, {row: Placement(c.layout)}) for c in found[: how.candidates]]
        for row, found in (("unaware", unaware), ("quantumnas", aware))
    }


def designed_trials(
    space: DesignSpace, n_wires: int, size: int, how: TrainingConfig, *, seed: int
) -> dict[str, list[Trial]]:
    """Return the trials of the rows that are not searched.

    Parameters
    ----------
    space : DesignSpace
    n_wires : int
    size : int
        Gates of the random circuits and of the human design: as many as QuantumNAS's have.
    how : TrainingConfig
        For the number of trials and of random circuits.
    seed : int
        For the random circuits.
    """
    straight = Placement(trivial_layout(n_wires))
    rng = np.random.default_rng([seed, 5])
    drawn: list[Architecture] = []
    for _ in range(_REDRAWS):
        found = space.random_of_size(size, n_wires, rng)
        if found not in drawn:
            drawn.append(found)
        if len(drawn) == how.random_circuits:
            break
    human = front_design(space, size, n_wires)
    both = {"human": straight, "human_level3": Placement(None, NOISE_AWARE_LEVEL)}
    return {
        "random": [
            Trial(drawn[i % len(drawn)], {"random": straight}) for i in range(how.candidates)
        ],
        "human": [Trial(human, both)] * how.candidates,
        "full": [Trial(space.full(n_wires), {"full": straight})] * how.candidates,
    }
