# SPDX-License-Identifier: Apache-2.0
"""Sizing transistors: the GCN-RL agent, its variants, and the baselines at equal budgets.

The names below are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.analog.gcn_rl.agent import spread_by_layer
    from circuits.analog.gcn_rl.environment import SizingEnv
    from circuits.analog.gcn_rl.goal_environment import GoalEnv
    from circuits.analog.gcn_rl.l2dc import L2DCProblem, Spec, score_l2dc
    from circuits.analog.gcn_rl.methods import METHODS, Method, find_method
    from circuits.analog.gcn_rl.policy import Policy, load_policy, new_policy, save_policy
    from circuits.analog.gcn_rl.problem import SizingProblem
    from circuits.analog.gcn_rl.settings import AgentSettings
    from circuits.analog.gcn_rl.trace import GRADIENT_CHARGE, Recorder, Trace
    from circuits.analog.gcn_rl.training import train
    from circuits.analog.gcn_rl.transfer import fine_tune, pretrain, transfer_study

_MODULES = {
    "GRADIENT_CHARGE": "trace",
    "METHODS": "methods",
    "AgentSettings": "settings",
    "GoalEnv": "goal_environment",
    "L2DCProblem": "l2dc",
    "Method": "methods",
    "Policy": "policy",
    "Recorder": "trace",
    "SizingEnv": "environment",
    "SizingProblem": "problem",
    "Spec": "l2dc",
    "Trace": "trace",
    "find_method": "methods",
    "fine_tune": "transfer",
    "load_policy": "policy",
    "new_policy": "policy",
    "pretrain": "transfer",
    "save_policy": "policy",
    "score_l2dc": "l2dc",
    "spread_by_layer": "agent",
    "train": "training",
    "transfer_study": "transfer",
}

__all__ = [
    "GRADIENT_CHARGE",
    "METHODS",
    "AgentSettings",
    "GoalEnv",
    "L2DCProblem",
    "Method",
    "Policy",
    "Recorder",
    "SizingEnv",
    "SizingProblem",
    "Spec",
    "Trace",
    "find_method",
    "fine_tune",
    "load_policy",
    "new_policy",
    "pretrain",
    "save_policy",
    "score_l2dc",
    "spread_by_layer",
    "train",
    "transfer_study",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
