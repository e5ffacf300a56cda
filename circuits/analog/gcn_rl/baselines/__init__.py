# SPDX-License-Identifier: Apache-2.0
"""Searches that the agents are compared with, one signature: ``(problem, budget, seed) -> Trace``.

The names below are imported when they are first used: each needs its own optional package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.analog.gcn_rl.baselines.bayesian import bayesian
    from circuits.analog.gcn_rl.baselines.composite.search import composite
    from circuits.analog.gcn_rl.baselines.evolution import evolution, evolution_from_best
    from circuits.analog.gcn_rl.baselines.gradient import gradient, gradient_then_evolution
    from circuits.analog.gcn_rl.baselines.mace import mace
    from circuits.analog.gcn_rl.baselines.sampling import human, sobol, start_only, uniform

_MODULES = {
    "bayesian": "bayesian",
    "composite": "composite.search",
    "evolution": "evolution",
    "evolution_from_best": "evolution",
    "gradient": "gradient",
    "gradient_then_evolution": "gradient",
    "human": "sampling",
    "mace": "mace",
    "sobol": "sampling",
    "start_only": "sampling",
    "uniform": "sampling",
}

__all__ = [
    "bayesian",
    "composite",
    "evolution",
    "evolution_from_best",
    "gradient",
    "gradient_then_evolution",
    "human",
    "mace",
    "sobol",
    "start_only",
    "uniform",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
