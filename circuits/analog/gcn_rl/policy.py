# SPDX-License-Identifier: Apache-2.0
"""A trained ensemble: kept in a file, taken to another technology or another circuit."""

from __future__ import annotations

import copy
import zipfile
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
from workbench.storage.limits import check_bytes

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
    """Read what :func:`save_policy` wrote.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        For a damaged file or one of another kind, naming it.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"load_policy: there is no file {path}")
    _check_size(path)
    try:
        stored: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch, its unpickler and zip reader report damage in many ways
        raise ValueError(f"path: {path} is damaged or no sizing policy: {error}") from error
    if not isinstance(stored, dict) or stored.get("format") != _FORMAT:
        raise ValueError(f"path: {path} holds no sizing policy")
    if stored.get("version") != _VERSION:
        raise ValueError(f"path: {path} has version {stored.get('version')}, expected {_VERSION}")
    try:
        return _restored(stored)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RuntimeError) as error:
        raise ValueError(f"path: {path} is a damaged sizing policy: {error}") from error


def _check_size(path: str | Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            needed = sum(member.file_size for member in archive.infolist())
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        raise ValueError(f"path: {path} is damaged or no sizing policy: it is no archive") from None
    check_bytes(path, "its networks", needed)


def _restored(stored: dict[str, Any]) -> Policy:
    settings = AgentSettings(**stored["settings"])
    seeds = check_seeds(stored["seeds"])
    width = int(stored["n_features"])
    weight = stored["actor"]["first.weight"]
    sizes = {len(seeds), width, settings.hidden}
    if weight.dtype not in (torch.float32, torch.float64) or not sizes <= set(weight.shape):
        raise ValueError(
            f"{len(seeds)} members of {width} features and width {settings.hidden} do not fit "
            f"weights {weight.dtype} of {tuple(weight.shape)}"
        )
    if settings.depth > len(stored["actor"]):
        raise ValueError(f"{settings.depth} layers were announced")
    for part in ("actor", "critic"):
        for name, value in stored[part].items():
            if not bool(torch.isfinite(value).all()):
                raise ValueError(f"{part}: {name} is not finite")
    dtype = weight.dtype
    generators = streams(seeds, _INIT_STREAM)
    actor = Actor(generators, width, settings, dtype)
    critic = Critic(generators, width, settings, dtype)
    actor.load_state_dict(stored["actor"])
    critic.load_state_dict(stored["critic"])
    circuit, node = stored["trained_on"]
    return Policy(settings, seeds, width, actor, critic, (circuit, node))
