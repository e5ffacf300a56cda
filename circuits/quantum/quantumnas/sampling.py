# SPDX-License-Identifier: Apache-2.0
"""Which SubCircuit each step of SuperCircuit training works on."""

from __future__ import annotations

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from circuits.quantum.quantumnas.config import Sampling
from circuits.quantum.quantumnas.spaces import Architecture, DesignSpace
from workbench.search import Genomes

__all__ = ["SAMPLINGS", "Sampler"]

SAMPLINGS: tuple[Sampling, ...] = get_args(Sampling)


class Sampler:
    """A sequence of SubCircuits.

    Parameters
    ----------
    space : DesignSpace
    n_wires : int
    kind : str
        ``plain``: every gene anew each time. ``restricted``: the previous SubCircuit with at
        most `n_diffs` genes redrawn. ``progressive``: restricted, beginning with the whole
        SuperCircuit; shallower SubCircuits are admitted step by step, and stay admitted
        (*progressive shrinking*).
    steps : int
        Length of the training.
    seed : int
    n_diffs : int
        The published runs have 7.
    shrink_share : float
        Part of the training after which a progressive sampler admits every depth.
    """

    def __init__(
        self,
        space: DesignSpace,
        n_wires: int,
        kind: Sampling,
        *,
        steps: int,
        seed: int,
        n_diffs: int = 7,
        shrink_share: float = 0.5,
    ) -> None:
        if kind not in SAMPLINGS:
            raise ValueError(f"Sampler: unknown kind {kind!r}; known are {', '.join(SAMPLINGS)}")
        if n_diffs < 1:
            raise ValueError(f"Sampler: n_diffs is {n_diffs}; expected 1 or more")
        if not 0.0 <= shrink_share <= 1.0:
            raise ValueError(f"Sampler: shrink_share is {shrink_share}; expected 0 to 1")
        self.space = space
        self.kind = kind
        self.n_diffs = n_diffs
        self._genes = space.circuit_space(n_wires)
        self._rng = np.random.default_rng([seed, 1])
        self._shrink_steps = shrink_share * steps
        self._step = 0
        full = self._genes.from_values([space.genome(space.full(n_wires))])
        self._row = full.rows[0].copy()

    @property
    def least_blocks(self) -> int:
        """The least number of blocks that the next SubCircuit may have."""
        if self.kind != "progressive" or self._step >= self._shrink_steps:
            return 1
        # One more depth is admitted after each n_blocks-th part of the shrinking.
        return self.space.n_blocks - int(self.space.n_blocks * self._step / self._shrink_steps)

    def next(self) -> Architecture:
        """Draw the next SubCircuit."""
        if self._step or self.kind != "progressive":
            self._row = self._redrawn()
        self._step += 1
        (genome,) = self._genes.decode(Genomes(self._row[None, :]))
        return self.space.architecture(genome)

    def _redrawn(self) -> NDArray[np.float64]:
        drawn: NDArray[np.float64] = self._genes.sample(self._rng, 1).rows[0].copy()
        if self.kind == "progressive":
            blocks = self._rng.integers(self.least_blocks, self.space.n_blocks + 1)
            drawn[self._genes.columns("blocks")] = blocks
        if self.kind == "plain" or self._step == 0:
            return drawn
        row: NDArray[np.float64] = self._row.copy()
        names = self._genes.names
        count = min(self.n_diffs, len(names))
        for index in self._rng.choice(len(names), size=count, replace=False).tolist():
            columns = self._genes.columns(names[index])
            row[columns] = drawn[columns]
        return row
