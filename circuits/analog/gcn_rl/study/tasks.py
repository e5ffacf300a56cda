# SPDX-License-Identifier: Apache-2.0
"""What a worker process does: a search, a pre-training, a transfer."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from circuits.analog.gcn_rl.optional import need
from circuits.analog.gcn_rl.policy import Policy, load_policy, save_policy
from circuits.analog.gcn_rl.problem import SizingProblem
from circuits.analog.gcn_rl.settings import AgentSettings
from circuits.analog.gcn_rl.study import problems
from circuits.analog.gcn_rl.trace import Trace
from workbench.experiments.progress import ProgressBoard

__all__ = ["PretrainPiece", "SearchPiece", "TransferPiece", "one_thread", "to_trace", "to_tree"]

_ARRAYS = ("charge", "fom", "best", "best_units", "best_params", "best_metrics")
#: Tenths of a second for 1,000 simulations and all seeds, about.
_COST = {"human": 1, "random": 1, "sobol": 1, "es": 30, "es-best": 60, "gradient": 40, "sqp": 60}
_AGENT_COST, _SURROGATE_COST, _TRANSIENT_COST = 300, 1200, 200
_WITH_GRADIENT = ("gradient", "gradient+es", "gcn-path", "ng-path")


@contextmanager
def one_thread() -> Iterator[None]:
    """Work with one thread: equal bits wherever a piece is done."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with need("threadpoolctl", "gcn-rl").threadpool_limits(1, "blas"):
            yield
    finally:
        torch.set_num_threads(before)


def to_tree(trace: Trace) -> dict[str, Any]:
    """A trace as plain values and arrays, to be stored."""
    plain = {
        name: getattr(trace, name)
        for name in ("method", "problem", "node", "seed", "budget", "n_gradients", *_ARRAYS)
    }
    return {**plain, "notes": dict(trace.notes)}


def to_trace(tree: Mapping[str, Any]) -> Trace:
    """Undo :func:`to_tree`."""
    found = dict(tree)
    for name in _ARRAYS:
        found[name] = np.asarray(found[name], dtype=np.float64)
    return Trace(**found)


@dataclass(frozen=True)
class SearchPiece:
    """One method on one circuit, with some seeds, at one budget."""

    circuit: str
    node: str
    method: str
    budget: int
    seeds: tuple[int, ...]
    gradient_charge: float
    cap: int
    reward: str = "fom"

    @property
    def weight(self) -> int:
        """About how long it takes, in tenths of a second."""
        name = self.method.partition(":")[0]
        if name in ("bo", "mace"):
            points = min(self.cap, self.budget)
            return max(1, round(_SURROGATE_COST * len(self.seeds) * (points / 400) ** 2))
        cost = _COST.get(name, 60 if not name.endswith(("-rl", "-path", "-mixed")) else _AGENT_COST)
        if self.circuit == "ldo" and name != "human":
            cost += _TRANSIENT_COST * (1 if name not in _WITH_GRADIENT else 3)
        return max(1, cost * self.budget // 1000)

    def __call__(self) -> list[dict[str, Any]]:
        """Search; a tree per seed."""
        method, options = problems.read_method(self.method)
        if method.gradients:
            options["gradient_charge"] = self.gradient_charge
        if method.name in ("bo", "mace"):
            options["cap"] = self.cap
        if method.name == "human":
            seeds, budget = self.seeds[:1], 1
        else:
            seeds, budget = self.seeds, self.budget
        problem = self._problem()
        with one_thread():
            traces = method.run_seeds(problem, budget, seeds, board=_quiet(), **options)
        return [to_tree(trace) for trace in traces]

    def _problem(self) -> SizingProblem:
        if self.reward == "l2dc":
            return problems.l2dc_problem(self.circuit, self.node)
        return problems.problem_of(self.circuit, self.node)


@dataclass(frozen=True)
class PretrainPiece:
    """An agent's training on the source of transfers."""

    circuit: str
    node: str
    index: str
    graph: bool
    budget: int
    seeds: tuple[int, ...]

    @property
    def weight(self) -> int:
        """About how long it takes, in tenths of a second."""
        return max(1, _AGENT_COST * self.budget // 1000)

    def __call__(self) -> dict[str, Any]:
        """Train; ``"traces"`` and the ``"policy"`` as the bytes of its file."""
        from circuits.analog.gcn_rl.transfer import pretrain

        problem = problems.problem_of(self.circuit, self.node, self.index)
        with one_thread():
            traces, policy = pretrain(
                problem, self.budget, self.seeds, AgentSettings(graph=self.graph), board=_quiet()
            )
        return {"traces": [to_tree(trace) for trace in traces], "policy": _packed(policy)}


@dataclass(frozen=True)
class TransferPiece:
    """One route: both agents with and without the source's policy, and the controls."""

    source: tuple[str, str]
    target: tuple[str, str]
    index: str
    budget: int
    seeds: tuple[int, ...]
    gradient_charge: float
    pretrained: Mapping[str, Any] = field(repr=False, hash=False, compare=False)

    @property
    def weight(self) -> int:
        """About how long it takes, in tenths of a second."""
        return max(1, 4 * _AGENT_COST * self.budget // 1000)

    def __call__(self) -> dict[str, list[dict[str, Any]]]:
        """Run; a tree per row and seed."""
        from circuits.analog.gcn_rl.transfer import transfer_study

        store = {
            letters: ([to_trace(t) for t in found["traces"]], _unpacked(found["policy"]))
            for letters, found in self.pretrained.items()
        }
        with one_thread():
            rows = transfer_study(
                problems.problem_of(*self.source, self.index),
                problems.problem_of(*self.target, self.index),
                self.seeds,
                budget=self.budget,
                gradient_charge=self.gradient_charge,
                pretrained=store,
                board=_quiet(),
            )
        return {name: [to_tree(trace) for trace in traces] for name, traces in rows.items()}


def _quiet() -> ProgressBoard:
    # The main process shows how many pieces are done; a worker's own bar would write over it.
    return ProgressBoard(io.StringIO(), interactive=False, ticking=False)


def _packed(policy: Policy) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.pt"
        save_policy(policy, path)
        return path.read_bytes()


def _unpacked(data: bytes) -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.pt"
        path.write_bytes(data)
        return load_policy(path)
