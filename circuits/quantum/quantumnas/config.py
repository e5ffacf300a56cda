# SPDX-License-Identifier: Apache-2.0
"""Every hyper-parameter of the QuantumNAS experiment.

"Paper" names the setting of the published runs where it differs from the default here, which is
one of minutes on two cores.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

__all__ = [
    "ChecksConfig",
    "Config",
    "PruningConfig",
    "Sampling",
    "SearchConfig",
    "Setting",
    "SuperCircuitConfig",
    "TrainingConfig",
]

Sampling: TypeAlias = Literal["plain", "restricted", "progressive"]


@dataclass(frozen=True)
class SuperCircuitConfig:
    """Training of the SuperCircuit."""

    steps: int = 900
    """Steps, each on one SubCircuit and one batch. Paper: 200 epochs."""
    batch: int = 60
    """Samples per step. Paper: 256."""
    rate: float = 1e-2
    """Peak learning rate of Adam. Paper: 5e-3."""
    warmup_share: float = 0.1
    """Part of the steps in which the rate rises; then it falls as a cosine. Paper: 0.15."""
    weight_decay: float = 1e-4
    """L2 penalty. As in the paper."""
    init: float = 0.3
    """Half-width of the uniform start. Paper: pi, from which a short training does not rank."""
    sampling: Sampling = "restricted"
    """plain, restricted (at most n-diffs genes change) or progressive (shrinking). Paper: both."""
    n_diffs: int = 7
    """Genes that differ at most between successive SubCircuits. As in the paper."""
    shrink_share: float = 0.5
    """Part of the steps after which a progressive sampler admits every depth."""


@dataclass(frozen=True)
class SearchConfig:
    """Both evolutionary searches, noise-aware and noise-unaware."""

    population: int = 40
    """Size of a generation: parents + mutations + crossings. As in the paper."""
    generations: int = 12
    """Generations; population times generations candidates are evaluated. Paper: 40."""
    parents: int = 10
    """Candidates that survive. As in the paper."""
    mutations: int = 20
    """Mutated candidates; the rest are crossings. As in the paper."""
    mutation_rate: float = 0.4
    """Probability that a mutation redraws a gene. As in the paper."""
    crossover_rate: float = 0.5
    """Probability that a crossing takes a gene of its second parent. As in the paper."""
    region: int = 7
    """Qubits among which mappings are searched: on larger devices, a region of little error."""
    optimization_level: int = 2
    """qiskit's, wherever a mapping is given. As in the paper."""
    seed_transpiler: int = 42
    """qiskit's. As in the paper."""

    @property
    def evaluations(self) -> int:
        """Candidates that may be evaluated; parents, which survive, are not evaluated again."""
        return self.population * self.generations


@dataclass(frozen=True)
class TrainingConfig:
    """Training of candidates from scratch, without noise."""

    candidates: int = 6
    """Trainings of each row of the table, of which noisy validation loss picks one."""
    random_circuits: int = 3
    """Random circuits among which the candidates of that row are shared out. As in the paper."""
    epochs: int = 80
    """Passes over the training samples. Paper: 200."""
    batch: int = 60
    """Samples per step. Paper: 256."""
    rate: float = 5e-2
    """Peak learning rate of Adam. Paper: 5e-3."""
    warmup_epochs: int = 8
    """Epochs in which the rate rises; then it falls as a cosine. Paper: 30."""
    weight_decay: float = 1e-4
    """L2 penalty. As in the paper."""
    init: float = 0.3
    """Half-width of the uniform start. Paper: pi."""


@dataclass(frozen=True)
class PruningConfig:
    """Pruning and finetuning of the circuit found."""

    angles: tuple[float, ...] = (0.0, 0.1, 0.2, 0.3)
    """Shares of angles to prune, each tried; 0 is finetuning alone. Paper: 0.1 to 0.5."""
    gates: tuple[float, ...] = (0.2, 0.4)
    """Shares of two-qubit gates to prune as wholes, each tried."""
    start: float = 0.05
    """Share pruned in the first epoch. As in the paper."""
    epochs: int = 40
    """Epochs of finetuning; the share rises in the first half. Paper: 200, rising in 100."""
    rate: float = 1e-2
    """Peak learning rate of Adam. Paper: 2e-3."""


@dataclass(frozen=True)
class ChecksConfig:
    """What the report needs beside the table."""

    sizes: tuple[int, ...] = (6, 12, 20, 32)
    """Gate counts of the SubCircuits on which inheritance is checked."""
    per_size: int = 6
    """SubCircuits of each of these sizes, per seed."""
    blocks: tuple[int, ...] = (1, 2, 3, 4, 6, 8)
    """Depths of the human design that are trained for comparison."""
    layouts: int = 120
    """Mappings of the circuit found to compare; all of them where there are no more."""


@dataclass(frozen=True)
class Config:
    """Search a noise-robust circuit and its mapping, and compare with baselines."""

    device: str = "FakeQuitoV2"
    """Device snapshot of qiskit-ibm-runtime whose noise and coupling are simulated."""
    task: str = "digits-4"
    """digits-4 (handwritten digits 0-3) or digits-2 (3 vs 6)."""
    seeds: int = 5
    """Independent repetitions: split of the data, trainings, searches."""
    workers: int = 2
    """Worker processes; 0 does everything in this one. Changes no number."""
    space: str = "u3cu3"
    """Design space."""
    blocks: int = 8
    """Blocks of the SuperCircuit. As in the paper."""
    shots: int = 1024
    """Shots of the sampled figures; all decisions rest on exact probabilities. Paper: 8192."""
    supercircuit: SuperCircuitConfig = field(default_factory=SuperCircuitConfig)
    """Training of the SuperCircuit."""
    search: SearchConfig = field(default_factory=SearchConfig)
    """Evolutionary searches."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """Training of candidates from scratch."""
    pruning: PruningConfig = field(default_factory=PruningConfig)
    """Pruning and finetuning."""
    checks: ChecksConfig = field(default_factory=ChecksConfig)
    """Checks beside the table."""


@dataclass(frozen=True)
class Setting:
    """All that two candidates must share to be comparable.

    Parameters
    ----------
    device, task, space : str
        Names.
    n_blocks : int
        Of the SuperCircuit.
    seed : int
        Of the split of the data.
    optimization_level, seed_transpiler : int
        Of qiskit's transpiler, where a layout is given.
    """

    device: str
    task: str
    space: str
    n_blocks: int
    seed: int
    optimization_level: int = 2
    seed_transpiler: int = 42
