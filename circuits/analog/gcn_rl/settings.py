# SPDX-License-Identifier: Apache-2.0
"""The hyper-parameters of an agent."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Literal

from circuits.analog.gcn_rl.trace import GRADIENT_CHARGE

__all__ = ["AgentSettings", "Mode", "Norm"]

Mode = Literal["critic", "simulator", "mixed"]
Norm = Literal["none", "layer", "pair"]

_LARGE_BUDGET = 3000.0
_LARGER_BUDGET = 10000.0


@dataclass(frozen=True)
class AgentSettings:
    """The agent of the paper (depth 7) with the settings that trained on our circuits.

    Parameters
    ----------
    graph : bool
        False takes the identity for the adjacency: the paper's NG-RL.
    depth, hidden : int
        Graph layers and their width.
    skip : bool
        Whether the actor's decoder sees the input features too.
    norm : {"none", "layer", "pair"}
        Of what a graph layer sums, before its ReLU. ``pair`` centres over the vertices.
    residual : bool
        Whether a layer's output is ``(input + layer) / sqrt(2)``.
    decoder_scale : float
        Of the decoder's first weights: small ones start the actor amid the bounds.
    mode : {"critic", "simulator", "mixed"}
        What the actor climbs: the critic, the simulator's own gradient, or both.
    mix : float
        The simulator's share in ``mixed``, 0 to 1.
    warm_up : int, optional
        Random designs first: 100, or 30 with the simulator's gradient alone.
    candidates : int, optional
        Designs per step: 4, from a budget of 3,000 on 8, from 10,000 on 16; with the simulator's
        gradient alone a quarter of that.
    updates, batch : int
        Updates per step, and remembered designs in each.
    actor_rate : float, optional
        Adam's rate for the actor: 3e-4, or 3e-3 with the simulator's gradient alone.
    critic_rate : float
    sigma_start, sigma_end : float, optional
        Exploration in unit coordinates, decaying exponentially over the budget: .3 to .02, or
        .1 to .01 with the simulator's gradient alone.
    baseline_rate : float
        Of the moving average of rewards that the critic's targets are measured from.
    reward_floor : float
        Lowest reward the critic is shown: failures would else take up its whole range.
    saturation, saturation_from : float
        Weight and onset of the penalty on the actor's output before its tanh.
    greedy : bool
        Whether one candidate of a step is the actor's own design, without noise.
    imitation : int
        Steps of fitting the actor to the best warm-up design, before it trains.
    gradient_charge : float
        Simulations charged for one evaluation with its gradient, the evaluation included.
    """

    graph: bool = True
    depth: int = 7
    hidden: int = 32
    skip: bool = False
    norm: Norm = "none"
    residual: bool = True
    decoder_scale: float = 0.1
    mode: Mode = "critic"
    mix: float = 0.5
    warm_up: int | None = None
    candidates: int | None = None
    updates: int = 8
    batch: int = 64
    actor_rate: float | None = None
    critic_rate: float = 3e-3
    sigma_start: float | None = None
    sigma_end: float | None = None
    baseline_rate: float = 0.05
    reward_floor: float = -1.0
    saturation: float = 0.1
    saturation_from: float = 2.0
    greedy: bool = False
    imitation: int = 0
    gradient_charge: float = GRADIENT_CHARGE

    def __post_init__(self) -> None:
        for name, low in (("depth", 0), ("hidden", 1), ("updates", 1), ("batch", 1)):
            _at_least(name, getattr(self, name), low)
        _at_least("imitation", self.imitation, 0)
        for name, low in (("warm_up", 1), ("candidates", 1)):
            if getattr(self, name) is not None:
                _at_least(name, getattr(self, name), low)
        for name in ("actor_rate", "critic_rate", "sigma_start", "sigma_end", "decoder_scale"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                raise ValueError(f"{name}: expected a positive number, got {value!r}")
        for name in ("mix", "baseline_rate"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name}: expected 0 to 1, got {getattr(self, name)!r}")
        if self.mode not in ("critic", "simulator", "mixed"):
            raise ValueError(f"mode: expected 'critic', 'simulator' or 'mixed', got {self.mode!r}")
        if self.norm not in ("none", "layer", "pair"):
            raise ValueError(f"norm: expected 'none', 'layer' or 'pair', got {self.norm!r}")
        if not 0.0 <= self.saturation < math.inf:
            raise ValueError(f"saturation: expected 0 or more, got {self.saturation!r}")
        if not 1.0 <= self.gradient_charge < math.inf:
            raise ValueError(f"gradient_charge: expected at least 1, got {self.gradient_charge!r}")

    def resolved(self, budget: float) -> AgentSettings:
        """Fill in what depends on the mode and the budget."""
        pathwise = self.mode == "simulator"
        designs = 4 * (1 + (budget >= _LARGE_BUDGET) + 2 * (budget >= _LARGER_BUDGET))
        defaults: dict[str, Any] = {
            "warm_up": 30 if pathwise else 100,
            "candidates": designs // 4 if pathwise else designs,
            "actor_rate": 3e-3 if pathwise else 3e-4,
            "sigma_start": 0.1 if pathwise else 0.3,
            "sigma_end": 0.01 if pathwise else 0.02,
        }
        given = {name: value for name, value in asdict(self).items() if value is not None}
        return AgentSettings(**{**defaults, **given})


def _at_least(name: str, value: object, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name}: expected an integer, got {value!r}")
    if value < low:
        raise ValueError(f"{name}: expected at least {low}, got {value}")
