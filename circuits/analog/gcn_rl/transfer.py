# SPDX-License-Identifier: Apache-2.0
"""Transfer: trained on one problem, fine-tuned on another, beside what a copied design gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from circuits.analog.gcn_rl.baselines.evolution import evolution, evolution_from_best
from circuits.analog.gcn_rl.baselines.gradient import gradient
from circuits.analog.gcn_rl.baselines.sampling import start_only, uniform
from circuits.analog.gcn_rl.policy import Policy
from circuits.analog.gcn_rl.problem import SizingProblem, check_budget, check_seeds
from circuits.analog.gcn_rl.settings import AgentSettings
from circuits.analog.gcn_rl.trace import GRADIENT_CHARGE, Trace
from circuits.analog.gcn_rl.training import train
from workbench.experiments.progress import ProgressBoard

__all__ = ["TRANSFER_ROWS", "fine_tune", "pretrain", "same_parameters", "transfer_study"]

#: Rows of :func:`transfer_study`, in the order they are shown in.
TRANSFER_ROWS = {
    "random": "random designs",
    "gcn-cold": "GCN-RL from nothing",
    "gcn-transfer": "GCN-RL from the source's policy",
    "ng-cold": "NG-RL from nothing",
    "ng-transfer": "NG-RL from the source's policy",
    "source-design": "the source's best design, re-simulated",
    "es-cold": "CMA-ES from the best of 100 random designs",
    "es-source": "CMA-ES from the source's best design",
    "gradient-cold": "gradient multistart",
    "gradient-source": "L-BFGS-B from the source's best design",
}

_ES_SOURCE = {"population": 12, "sigma": 0.1}


def pretrain(
    problem: SizingProblem,
    budget: float,
    seeds: Sequence[int],
    settings: AgentSettings | None = None,
    *,
    board: ProgressBoard | None = None,
) -> tuple[list[Trace], Policy]:
    """Train one agent per seed on the source: :func:`train`."""
    return train(problem, budget, seeds, settings, board=board)


def fine_tune(
    policy: Policy,
    problem: SizingProblem,
    seeds: Sequence[int],
    budget: float = 300,
    settings: AgentSettings | None = None,
    *,
    method: str | None = None,
    board: ProgressBoard | None = None,
) -> tuple[list[Trace], Policy]:
    """Train on from a policy, whose member ``i`` goes with seed ``i``.

    Parameters
    ----------
    policy : Policy
        Its graph, depth and width stay; it is not changed. Across technologies the graph is
        the same; across circuits the state must be as wide (scalar index).
    problem : SizingProblem
    seeds : sequence of int
        As many as the policy has members.
    budget : float
        The paper's 300: 100 random designs and 200 steps.
    settings : AgentSettings, optional
        The policy's by default; its network fields are ignored.
    method : str, optional
        Name in the traces.
    board : ProgressBoard, optional

    Raises
    ------
    ValueError
        For a state of another width or another number of seeds.
    """
    chosen = policy.settings if settings is None else settings
    kept = {
        name: getattr(policy.settings, name)
        for name in ("graph", "depth", "hidden", "skip", "norm", "residual", "decoder_scale")
    }
    return train(
        problem, budget, seeds, replace(chosen, **kept), policy=policy, method=method, board=board
    )


def same_parameters(source: SizingProblem, target: SizingProblem) -> bool:
    """Whether a design of one is a design of the other: the same names in the same order."""
    return tuple(source.parameter_names) == tuple(target.parameter_names)


def transfer_study(
    source: SizingProblem,
    target: SizingProblem,
    seeds: Sequence[int],
    *,
    pretrain_budget: float = 10_000,
    budget: float = 300,
    settings: AgentSettings | None = None,
    gradient_charge: float = GRADIENT_CHARGE,
    pretrained: dict[str, tuple[list[Trace], Policy]] | None = None,
    board: ProgressBoard | None = None,
) -> dict[str, list[Trace]]:
    """Fine-tune GCN-RL and NG-RL on the target, with the controls.

    Parameters
    ----------
    source, target : SizingProblem
        One circuit in two technologies, or two circuits whose states are equally wide.
    seeds : sequence of int
        One pre-training and one fine-tuning each: the rows are paired by seed.
    pretrain_budget, budget : float
        Simulations on the source and on the target.
    settings : AgentSettings, optional
        Of both agents but for the graph.
    gradient_charge : float
        Simulations charged for one evaluation with its gradient, the evaluation included.
    pretrained : dict, optional
        What an earlier call of :func:`pretrain` gave as ``"gcn"`` and ``"ng"``; filled in
        where it is missing, so that several targets share a pre-training.
    board : ProgressBoard, optional

    Returns
    -------
    dict
        Row of :data:`TRANSFER_ROWS` to one trace per seed. The rows that start from the
        source's design are missing where the circuits do not share their parameters. That
        design is the best either agent's pre-training of the seed found, so the control is
        given no less than the agents were.
    """
    check_budget(pretrain_budget)
    check_budget(budget)
    found = check_seeds(seeds)
    base = settings if settings is not None else AgentSettings()
    store = pretrained if pretrained is not None else {}
    shown: dict[str, Any] = {"board": board}
    rows: dict[str, list[Trace]] = {}
    for letters, graph in (("gcn", True), ("ng", False)):
        agent = replace(base, graph=graph)
        if letters not in store:
            store[letters] = pretrain(source, pretrain_budget, found, agent, **shown)
        policy = store[letters][1]
        rows[f"{letters}-cold"] = train(
            target, budget, found, agent, method=f"{letters}-cold", **shown
        )[0]
        rows[f"{letters}-transfer"] = fine_tune(
            policy, target, found, budget, agent, method=f"{letters}-transfer", **shown
        )[0]
    rows["random"] = [uniform(target, budget, seed, **shown) for seed in found]
    rows["es-cold"] = [evolution_from_best(target, budget, seed, **shown) for seed in found]
    charged = {"gradient_charge": gradient_charge, **shown}
    rows["gradient-cold"] = [gradient(target, budget, seed, **charged) for seed in found]
    if same_parameters(source, target):
        starts = _best_designs(store, len(found))
        pairs = list(zip(found, starts, strict=True))
        rows["source-design"] = [start_only(target, 1, s, start=x) for s, x in pairs]
        rows["es-source"] = [
            evolution(target, budget, s, start=x, **_ES_SOURCE, **shown)  # type: ignore[arg-type]
            for s, x in pairs
        ]
        rows["gradient-source"] = [
            gradient(target, budget, s, start=x, **charged) for s, x in pairs
        ]
    return {name: rows[name] for name in TRANSFER_ROWS if name in rows}


def _best_designs(store: dict[str, tuple[list[Trace], Policy]], count: int) -> list[torch.Tensor]:
    """Per seed, the best design of either agent's pre-training."""
    designs = []
    for i in range(count):
        best = max((traces[i] for traces, _ in store.values()), key=lambda t: t.best_fom)
        designs.append(torch.nan_to_num(torch.from_numpy(best.best_units), nan=0.0))
    return designs
