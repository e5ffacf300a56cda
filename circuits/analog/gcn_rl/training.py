# SPDX-License-Identifier: Apache-2.0
"""Training: DDPG without a next state, several seeds at once.

The weights of all seeds stand in one tensor each, so an update of five seeds is one pass of
somewhat larger products, and Adam over them is five independent Adams. Each seed has its own
random streams, replay and budget.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from circuits.analog.gcn_rl.exploration import decayed, streams, truncated_normal, uniform
from circuits.analog.gcn_rl.policy import Policy, new_policy
from circuits.analog.gcn_rl.problem import (
    EvaluationLike,
    SizingProblem,
    check_budget,
    check_seeds,
)
from circuits.analog.gcn_rl.replay import Replay
from circuits.analog.gcn_rl.settings import AgentSettings
from circuits.analog.gcn_rl.trace import Recorder, Trace
from workbench.experiments.progress import ProgressBoard

__all__ = ["train"]

_WARM_UP_STREAM, _NOISE_STREAM, _REPLAY_STREAM = 2, 3, 4
_IMITATION_RATE = 3e-3


def train(
    problem: SizingProblem,
    budget: float,
    seeds: Sequence[int],
    settings: AgentSettings | None = None,
    *,
    policy: Policy | None = None,
    method: str | None = None,
    dtype: torch.dtype = torch.float32,
    board: ProgressBoard | None = None,
) -> tuple[list[Trace], Policy]:
    """Train one agent per seed.

    Parameters
    ----------
    problem : SizingProblem
    budget : float
        Simulations charged to each seed.
    seeds : sequence of int
        ``S`` distinct ones. A seed gives, up to rounding, what it gives alone.
    settings : AgentSettings, optional
        Those of ``policy``, if there is one, by default.
    policy : Policy, optional
        Where to start from: of ``S`` members, trained on a problem with a state as wide. It
        is not changed. Its own designs are the first that are simulated.
    method : str, optional
        Name in the traces.
    dtype : torch.dtype
        Of new networks.
    board : ProgressBoard, optional
        Where to show progress.

    Returns
    -------
    traces : list of Trace
        One per seed.
    policy : Policy
        The trained networks.

    Raises
    ------
    TypeError, ValueError
        For a budget, seeds or a policy that do not fit, before anything is simulated.
    """
    check_budget(budget)
    found = check_seeds(seeds)
    if settings is None:
        settings = policy.settings if policy is not None else AgentSettings()
    if policy is None:
        policy = new_policy(problem, found, settings, dtype)
        run = _Training(problem, budget, found, policy, settings, method, informed=False)
    else:
        if len(policy.seeds) != len(found):
            raise ValueError(
                f"policy: it has {len(policy.seeds)} members, and there are {len(found)} seeds"
            )
        # The width, depth and shape of the networks are the policy's.
        policy = policy.copy()
        run = _Training(problem, budget, found, policy, settings, method, informed=True)
    return run.run(board if board is not None else ProgressBoard()), run.policy


class _Training:
    """One call of :func:`train`."""

    def __init__(
        self,
        problem: SizingProblem,
        budget: float,
        seeds: tuple[int, ...],
        policy: Policy,
        settings: AgentSettings,
        method: str | None,
        *,
        informed: bool,
    ) -> None:
        self.settings = settings.resolved(budget)
        if method is None:
            letters = "gcn" if self.settings.graph else "ng"
            method = (
                letters
                + {"critic": "-rl", "simulator": "-path", "mixed": "-mixed"}[self.settings.mode]
            )
        self.policy = policy
        self.policy.seeds = seeds
        self.policy.trained_on = (problem.name, problem.node)
        self._problem = problem
        self._budget = budget
        self._informed = informed
        self._dtype = policy.dtype
        self._graph = policy.graph(problem)
        self._recorders = [
            Recorder(problem, budget, seed, method, self.settings.gradient_charge) for seed in seeds
        ]
        self._noise = streams(seeds, _NOISE_STREAM)
        self._picks = streams(seeds, _REPLAY_STREAM)
        self._warm = streams(seeds, _WARM_UP_STREAM)
        self._replay = Replay(len(seeds), int(budget), problem.n_parameters, self._dtype)
        self._baseline = torch.zeros(len(seeds), dtype=self._dtype)
        actor_rate = self.settings.actor_rate
        assert actor_rate is not None
        self._actor_weights = list(policy.actor.parameters())
        self._critic_weights = list(policy.critic.parameters())
        self._actor_adam = torch.optim.Adam(self._actor_weights, lr=actor_rate, fused=True)
        self._critic_adam = torch.optim.Adam(
            self._critic_weights, lr=self.settings.critic_rate, fused=True
        )

    # -- the whole --------------------------------------------------------------------------

    def run(self, board: ProgressBoard) -> list[Trace]:
        """Warm up, then step until the budget is spent."""
        first = self._recorders[0]
        words = f"{self._problem.name} {self._problem.node}, {len(self._recorders)} seeds"
        with board.task(int(self._budget), words) as task:
            self._warm_up()
            warm = first.spent
            task.advance(int(warm), self._best())
            if self.settings.imitation and not self._informed:
                self._imitate()
            while first.remaining >= 1:
                before = int(first.spent)
                sigma_start, sigma_end = self.settings.sigma_start, self.settings.sigma_end
                assert sigma_start is not None
                assert sigma_end is not None
                fraction = (first.spent - warm) / max(self._budget - warm, 1.0)
                if not self._step(decayed(sigma_start, sigma_end, fraction)):
                    break
                task.advance(int(first.spent) - before, self._best())
        return [recorder.trace() for recorder in self._recorders]

    def _best(self) -> str:
        return f"best {sorted(r.best_fom for r in self._recorders)[len(self._recorders) // 2]:.3f}"

    def _warm_up(self) -> None:
        count = self.settings.warm_up
        assert count is not None
        count = min(count, self._recorders[0].remaining)
        shape = (count, self._problem.n_parameters)
        units = 2.0 * uniform(self._warm, shape, torch.float64) - 1.0
        if self._informed:
            units[:, 0] = self.policy.units(self._problem)
        self._simulate(units, gradients=False)
        self._baseline = self._replay.rewards.mean(1)

    def _imitate(self) -> None:
        target = torch.stack([r.best_units for r in self._recorders]).to(self._dtype)
        if not bool(torch.isfinite(target).all()):
            return  # a seed whose warm-up failed throughout has nothing to imitate
        adam = torch.optim.Adam(self._actor_weights, lr=_IMITATION_RATE, fused=True)
        for _ in range(self.settings.imitation):
            _, units = self._act()
            _descend(adam, self._actor_weights, (units - target).square().sum())

    # -- one step ---------------------------------------------------------------------------

    def _step(self, sigma: float) -> bool:
        """Simulate some designs about the actor's and learn; False if nothing can be paid."""
        s, first = self.settings, self._recorders[0]
        assert s.candidates is not None
        with torch.no_grad():
            own = self._act()[1].to(torch.float64)
        slopes: torch.Tensor | None = None
        if s.mode == "simulator":
            count = min(s.candidates, first.remaining_gradients)
            if count == 0:
                return False
            slopes = self._simulate(self._around(own, count, sigma), gradients=True)
        else:
            count = min(s.candidates, first.remaining)
            units = self._around(own, count, sigma)
            if s.mode == "mixed" and first.remaining_gradients:
                slopes = self._simulate(units[:, :1], gradients=True)
                units = units[:, 1 : 1 + first.remaining]
            if units.shape[1]:
                self._simulate(units, gradients=False)
        if s.mode == "simulator":
            self._update_actor(slopes)
            return True
        rate = s.baseline_rate
        recent = self._replay.rewards[:, -count:].mean(1)
        self._baseline = (1.0 - rate) * self._baseline + rate * recent
        for _ in range(s.updates):
            self._update_critic()
            self._update_actor(slopes)
        return True

    def _around(self, own: torch.Tensor, count: int, sigma: float) -> torch.Tensor:
        level = uniform(self._noise, (count, own.shape[-1]), torch.float64)
        units = truncated_normal(own.unsqueeze(1).expand_as(level), sigma, level)
        if self.settings.greedy:
            units[:, 0] = own
        return units

    def _simulate(self, units: torch.Tensor, *, gradients: bool) -> torch.Tensor:
        """Simulate (S, n, P) in one batch; returns the mean slope (S, P), zeros without."""
        members, count, width = units.shape
        for recorder in self._recorders:
            recorder.reserve(count, gradients=gradients)
        flat = units.reshape(-1, width)
        slope = torch.zeros_like(flat)
        if gradients:
            evaluation, slope = self._problem.gradient_units(flat)
        else:
            evaluation = self._problem.evaluate_units(flat)
        for i, recorder in enumerate(self._recorders):
            rows = slice(i * count, (i + 1) * count)
            recorder.record(flat[rows], _Rows(evaluation, rows), gradients=gradients)
        floor = self.settings.reward_floor
        fom = evaluation.fom.detach().reshape(members, count)
        rewards = torch.nan_to_num(fom, nan=floor).clamp_min(floor).to(self._dtype)
        self._replay.add(units.to(self._dtype), rewards)
        slope = torch.nan_to_num(slope.detach(), nan=0.0, posinf=0.0, neginf=0.0)
        return slope.reshape(members, count, width).mean(1).to(self._dtype)

    def _act(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Pre-tanh outputs (S, V, 3) and the designs they mean (S, P), matched."""
        z = self.policy.actor(self._graph)
        return z, self._graph.slots.to_units(torch.tanh(z))

    def _update_critic(self) -> None:
        units, rewards = self._replay.draw(self._picks, self.settings.batch)
        values = self.policy.critic(self._graph, self._graph.slots.to_actions(units))
        error = values - (rewards - self._baseline.unsqueeze(1))
        # Summed over the members: each has the gradient it would have alone.
        _descend(self._critic_adam, self._critic_weights, error.square().mean(1).sum())

    def _update_actor(self, slopes: torch.Tensor | None) -> None:
        s, slots = self.settings, self._graph.slots
        z, units = self._act()
        beyond = torch.relu(z.abs() - s.saturation_from).square() * slots.mask
        loss = s.saturation * beyond.sum() / slots.mask.sum()
        share = 1.0 if s.mode == "simulator" else (s.mix if slopes is not None else 0.0)
        if slopes is not None:
            loss = loss - share * (slopes * units).sum()
        if s.mode != "simulator":
            value = self.policy.critic(self._graph, slots.to_actions(units).unsqueeze(1))
            loss = loss - (1.0 - share) * value.sum()
        _descend(self._actor_adam, self._actor_weights, loss)


class _Rows:
    """Some designs of an evaluation."""

    def __init__(self, evaluation: EvaluationLike, rows: slice) -> None:
        self.fom = evaluation.fom[rows]
        self.metrics = evaluation.metrics[rows]
        self.params = evaluation.params[rows]
        self.status = evaluation.status[rows]


def _descend(adam: torch.optim.Adam, weights: list[torch.nn.Parameter], loss: torch.Tensor) -> None:
    gradients = torch.autograd.grad(loss, weights)
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    adam.step()
