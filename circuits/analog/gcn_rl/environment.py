# SPDX-License-Identifier: Apache-2.0
"""Sizing as an environment of one step, in gymnasium's shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from circuits.analog.gcn_rl.l2dc import L2DCProblem, Spec
from circuits.analog.gcn_rl.optional import have, need
from circuits.analog.gcn_rl.problem import SizingProblem
from circuits.analog.gcn_rl.slots import SlotMap

__all__ = ["ENVIRONMENT_ID", "SizingEnv", "rewarded"]

ENVIRONMENT_ID = "workbench/Sizing-v0"

Floats = npt.NDArray[np.float32]

if TYPE_CHECKING:
    _Base = object
else:
    # Without gymnasium the environment still works; it has no spaces then.
    _Base = need("gymnasium", "an environment").Env if have("gymnasium") else object


class SizingEnv(_Base):
    """One episode is one design: all vertices act at once, the simulation gives the reward.

    Parameters
    ----------
    problem : SizingProblem
    reward : {"fom", "l2dc"}
    specs : sequence of Spec
        What ``"l2dc"`` asks; empty otherwise.

    Attributes
    ----------
    observation_space, action_space : gymnasium.spaces.Box
        (V, n_features) and (V, 3) in [-1, 1], float32. None without gymnasium.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 -- gymnasium's name and form
    render_mode = None

    def __init__(
        self,
        problem: SizingProblem,
        reward: Literal["fom", "l2dc"] = "fom",
        specs: Sequence[Spec] = (),
    ) -> None:
        self.problem = rewarded(problem, reward, specs)
        self._slots = SlotMap(problem.slot_parameter, problem.n_parameters)
        self._state = problem.features.detach().to(torch.float32).numpy().copy()
        self._shape = (self._slots.n_vertices, 3)
        self._rng = np.random.default_rng()
        self.observation_space: Any = None
        self.action_space: Any = None
        if have("gymnasium"):
            box = need("gymnasium.spaces", "an environment").Box
            self.observation_space = box(-np.inf, np.inf, self._state.shape, np.float32)
            self.action_space = box(-1.0, 1.0, self._shape, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Floats, dict[str, Any]]:
        """Return the state, the same for every design, and an empty ``info``."""
        if hasattr(super(), "reset"):
            super().reset(seed=seed)  # type: ignore[misc]
        return self._state.copy(), {}

    def step(self, action: Any) -> tuple[Floats, float, bool, bool, dict[str, Any]]:
        """Simulate a design.

        Parameters
        ----------
        action : array_like
            (V, 3) in [-1, 1]; matched components take their mean, unused entries are ignored.

        Returns
        -------
        observation, reward, terminated, truncated, info
            ``terminated`` always. ``info`` holds ``metrics`` and ``params`` (dicts of floats)
            and ``status``.
        """
        units = self._units(action, batched=False)
        found = self.problem.evaluate_units(units)
        metrics = dict(zip(self.problem.metric_names, found.metrics[0].tolist(), strict=True))
        params = dict(zip(self.problem.parameter_names, found.params[0].tolist(), strict=True))
        info = {"metrics": metrics, "params": params, "status": int(found.status[0])}
        return self._state.copy(), float(found.fom[0]), True, False, info

    def evaluate(self, actions: Any) -> torch.Tensor:
        """Simulate (B, V, 3) actions in one batch: (B,) float64 rewards."""
        return self.problem.evaluate_units(self._units(actions, batched=True)).fom

    def _units(self, actions: Any, *, batched: bool) -> torch.Tensor:
        found = torch.as_tensor(actions, dtype=torch.float64).detach()
        expected = f"(B, {self._shape[0]}, 3)" if batched else f"({self._shape[0]}, 3)"
        if found.ndim != 2 + batched or tuple(found.shape[-2:]) != self._shape:
            raise ValueError(f"action: expected {expected}, got {tuple(found.shape)}")
        if not bool(torch.isfinite(found).all()):
            raise ValueError("action: expected finite numbers")
        units = self._slots.to_units(found.clamp(-1.0, 1.0)).clamp(-1.0, 1.0)
        return units if batched else units[None]


def rewarded(problem: SizingProblem, reward: str, specs: Sequence[Spec] = ()) -> SizingProblem:
    """The problem scored by ``"fom"``, its own, or by ``"l2dc"`` with ``specs``."""
    if reward == "fom":
        if specs:
            raise ValueError("specs: expected none with reward='fom'")
        return problem
    if reward != "l2dc":
        raise ValueError(f"reward: expected 'fom' or 'l2dc', got {reward!r}")
    scored: Any = L2DCProblem(problem, specs)
    return scored  # type: ignore[no-any-return]


if have("gymnasium"):
    _registry = need("gymnasium", "an environment")
    if ENVIRONMENT_ID not in _registry.registry:
        _registry.register(
            id=ENVIRONMENT_ID, entry_point="circuits.analog.gcn_rl.environment:SizingEnv"
        )
