# SPDX-License-Identifier: Apache-2.0
"""A trained ensemble: kept in a file, taken to another technology or another circuit."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from circuits.analog.gcn_rl.agent import Actor, Critic
from circuits.analog.gcn_rl.exploration import streams
from circuits.analog.gcn_rl.gcn import Graph
from circuits.analog.gcn_rl.problem import SizingProblem, check_seeds
from circuits.analog.gcn_rl.settings import AgentSettings

__all__ = ["Policy", "load_policy", "new_policy", "save_policy"]

_FORMAT = "workbench.sizing-policy"
_VERSION = 1
_INIT_STREAM = 1


@dataclass
class Policy:
    """The networks of ``S`` members.

    Attributes
    ----------
    settings : AgentSettings
    seeds : tuple of int
        One per member.
    n_features : int
        Width of the state it reads.
    actor : Actor
    critic : Critic
    trained_on : tuple of str
        Circuit and technology, for the record.
    """

    settings: AgentSettings
    seeds: tuple[int, ...]
    n_features: int
    actor: Actor
    critic: Critic
    trained_on: tuple[str, str]

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        return self.actor.first.weight.dtype

    def graph(self, problem: SizingProblem) -> Graph:
        """Read a problem for these networks; ``ValueError`` if its state has another width."""
        graph = Graph.of(problem, graph=self.settings.graph, dtype=self.dtype)
        width = graph.features.shape[1]
        if width != self.n_features:
            raise ValueError(
                f"policy: it reads {self.n_features} features per vertex and "
                f"{problem.name} has {width}; across circuits, give both the scalar index"
            )
        return graph

    def units(self, problem: SizingProblem) -> torch.Tensor:
        """The members' designs without exploration: (S, P) unit coordinates, float64."""
        graph = self.graph(problem)
        with torch.no_grad():
            return graph.slots.to_units(torch.tanh(self.actor(graph))).to(torch.float64)

    def copy(self) -> Policy:
        """Return one that can be trained without changing this."""
        return copy.deepcopy(self)


def new_policy(
    problem: SizingProblem,
    seeds: Sequence[int],
    settings: AgentSettings,
    dtype: torch.dtype = torch.float32,
) -> Policy:
    """Untrained networks; a member's weights depend on its own seed alone."""
    found = check_seeds(seeds)
    generators = streams(found, _INIT_STREAM)
    width = int(problem.features.shape[1])
    actor = Actor(generators, width, settings, dtype)
    critic = Critic(generators, width, settings, dtype)
    return Policy(settings, found, width, actor, critic, (problem.name, problem.node))


def save_policy(policy: Policy, path: str | Path) -> None:
    """Write a policy: numbers, strings and tensors only, so that reading it runs no code."""
    torch.save(
        {
            "format": _FORMAT,
            "version": _VERSION,
            "settings": asdict(policy.settings),
            "seeds": list(policy.seeds),
            "n_features": policy.n_features,
            "trained_on": list(policy.trained_on),
            "actor": policy.actor.state_dict(),
            "critic": policy.critic.state_dict(),
        },
        path,
    )


def load_policy(path: str | Path) -> Policy:
    """Read what :func:`save_policy` wrote; ``ValueError`` for another kind of file."""
    stored: Any = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise ValueError(f"path: {path} holds no sizing policy")
    if stored["version"] != _VERSION:
        raise ValueError(f"path: {path} has version {stored['version']}, expected {_VERSION}")
    settings = AgentSettings(**stored["settings"])
    seeds = check_seeds(stored["seeds"])
    width = int(stored["n_features"])
    dtype = stored["actor"]["first.weight"].dtype
    generators = streams(seeds, _INIT_STREAM)
    actor = Actor(generators, width, settings, dtype)
    critic = Critic(generators, width, settings, dtype)
    actor.load_state_dict(stored["actor"])
    critic.load_state_dict(stored["critic"])
    circuit, node = stored["trained_on"]
    return Policy(settings, seeds, width, actor, critic, (circuit, node))
