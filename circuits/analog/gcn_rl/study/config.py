# SPDX-License-Identifier: Apache-2.0
"""The options of the experiment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["PARTS", "TRANSFER_ROUTES", "Config", "reduced"]

Part = Literal["search", "transfer", "l2dc", "ablation"]
PARTS: tuple[Part, ...] = ("search", "transfer", "l2dc", "ablation")

#: Circuit and node, to circuit and node: technologies first, then topologies.
TRANSFER_ROUTES: tuple[str, ...] = (
    *(f"two_tia:180>two_tia:{node}" for node in ("250", "130", "65", "45")),
    *(f"three_tia:180>three_tia:{node}" for node in ("250", "130", "65", "45")),
    "two_tia:180>three_tia:180",
    "three_tia:180>two_tia:180",
)


@dataclass(frozen=True)
class Config:
    """Size four circuits by reinforcement learning and by everything else, at equal budgets."""

    quick: bool = False
    """Small budgets and two seeds: a look in a minute or two."""
    parts: tuple[Part, ...] = ("search", "l2dc")
    """What to do: search compares the methods, l2dc repeats it on Three-TIA with the reward of
    L2DC, transfer goes to other technologies and topologies (also: --transfer), ablation varies
    the agents' layers."""
    transfer: bool = False
    """Adds the part transfer."""
    circuits: tuple[str, ...] = ("two_tia", "two_volt", "three_tia", "ldo")
    """What is sized."""
    node: str = "180"
    """Technology card."""
    three_tia_node: str = "ee114"
    """Technology card of Three-TIA: that of its published design."""
    methods: tuple[str, ...] = (
        "human", "random", "es", "es-best", "bo", "mace", "gradient", "gradient+es",
        "sqp", "ng-rl", "ng-rl:norm=pair", "gcn-rl", "gcn-rl:norm=pair", "gcn-mixed", "ng-path",
        "gcn-path",
    )  # fmt: skip
    """Ways to size a circuit; options of a method follow it, as in gcn-rl:depth=2,skip=true."""
    budgets: tuple[int, ...] = (300, 1000, 3000, 10000)
    """Simulations at which methods are compared. Paper: 10,000."""
    seeds: int = 5
    """Independent repetitions, the same for all methods. Paper: 3."""
    first_seed: int = 100
    """The seeds are this and the next ones; settings were tuned on lower ones."""
    gradient_charge: float = 0.0
    """Simulations charged for one simulation with its gradient; 0: what it was measured to cost
    on each circuit."""
    surcharge: float = 2.0
    """The same searches are also shown with what gradients cost beyond a simulation multiplied by
    this."""
    surrogate_cap: int = 400
    """Simulations after which bo and mace stop: their work grows with the cube. As in the
    paper, which gave them the time of the agent."""
    l2dc_methods: tuple[str, ...] = ("random", "es-best", "gradient", "ng-rl", "gcn-rl")
    """Methods that are also run with the reward of L2DC."""
    pretraining: int = 10000
    """Simulations on the source of a transfer. Paper: 10,000."""
    tuning: int = 300
    """Simulations on the target of a transfer. Paper: 300."""
    routes: tuple[str, ...] = TRANSFER_ROUTES
    """Transfers, as two_tia:180>two_tia:45."""
    ablation_circuits: tuple[str, ...] = ("two_tia", "three_tia")
    """Circuits of the ablation."""
    ablation_depths: tuple[int, ...] = (1, 2, 4, 7)
    """Layers of the agents of the ablation. Paper: 7."""
    ablation_budget: int = 1000
    """Simulations of the ablation."""
    workers: int = 2
    """Worker processes; 0 does everything in this one. Changes no number."""

    @property
    def seed_numbers(self) -> tuple[int, ...]:
        """The seeds."""
        return tuple(range(self.first_seed, self.first_seed + self.seeds))

    def node_of(self, circuit: str) -> str:
        """The technology card a circuit is sized on."""
        return self.three_tia_node if circuit == "three_tia" else self.node

    def does(self, part: Part) -> bool:
        """Whether a part is wanted."""
        return part in self.parts or (part == "transfer" and self.transfer)


def reduced(config: Config) -> Config:
    """Return the config that is really run: `quick` makes everything small.

    Raises
    ------
    ValueError
        If a number is out of range or nothing is to be done.
    """
    for name, least in (
        ("seeds", 1), ("first_seed", 0), ("surrogate_cap", 1), ("pretraining", 1), ("tuning", 1),
        ("ablation_budget", 1), ("workers", 0),
    ):  # fmt: skip
        if getattr(config, name) < least:
            raise ValueError(f"{name} must be at least {least}, got {getattr(config, name)}")
    if not (config.gradient_charge == 0.0 or 1.0 < config.gradient_charge < float("inf")):
        raise ValueError(f"gradient_charge must be above 1, or 0, got {config.gradient_charge}")
    if not 1.0 <= config.surcharge < float("inf"):
        raise ValueError(f"surcharge must be at least 1, got {config.surcharge}")
    if not config.budgets or min(config.budgets) < 1:
        raise ValueError(f"budgets must be at least 1, got {list(config.budgets)}")
    if list(config.budgets) != sorted(set(config.budgets)):
        raise ValueError(f"budgets must rise, got {list(config.budgets)}")
    if not (config.parts or config.transfer):
        raise ValueError(f"parts must name some of {', '.join(PARTS)}, got none")
    if config.does("search") and not (config.circuits and config.methods):
        raise ValueError("circuits and methods must name something to compare")
    if config.does("ablation") and not (config.ablation_circuits and config.ablation_depths):
        raise ValueError("ablation_circuits and ablation_depths must name something to compare")
    for name in (
        "circuits", "methods", "l2dc_methods", "routes", "ablation_circuits", "ablation_depths",
    ):  # fmt: skip
        values = getattr(config, name)
        if len(set(values)) != len(values):
            raise ValueError(f"{name} must be distinct, got {list(values)}")
    if not config.quick:
        return config
    return replace(
        config,
        budgets=tuple(b for b in (60, 150) if b <= max(config.budgets)) or config.budgets[:1],
        seeds=min(config.seeds, 2),
        surrogate_cap=min(config.surrogate_cap, 60),
        pretraining=min(config.pretraining, 200),
        tuning=min(config.tuning, 60),
        ablation_depths=tuple(d for d in config.ablation_depths if d <= 2)
        or config.ablation_depths[:1],
        ablation_budget=min(config.ablation_budget, 150),
    )
