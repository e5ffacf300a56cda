# SPDX-License-Identifier: Apache-2.0
"""Sizing problems and methods by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any

from circuits.analog.gcn_rl.methods import METHODS, Method
from circuits.analog.gcn_rl.problem import SizingProblem
from workbench.experiments.suggestion import closest

__all__ = [
    "BLACK_BOXES",
    "is_anytime",
    "l2dc_problem",
    "method_title",
    "problem_of",
    "read_method",
    "read_route",
]

#: Methods that see nothing but numbers; what the gradient is measured against.
BLACK_BOXES = ("random", "sobol", "es", "es-best", "bo", "mace")

_SPLIT = ("gradient+es",)  # plans with its budget, as agents do


@lru_cache(maxsize=16)
def problem_of(circuit: str, node: str, index: str = "one-hot") -> SizingProblem:
    """Return the problem of a circuit on a technology card, calibrated.

    Parameters
    ----------
    circuit, node : str
        As in :data:`circuits.analog.designs.DESIGNS`.
    index : {"one-hot", "scalar"}
        How the state says which component a vertex is; a scalar fits every circuit.
    """
    from circuits.analog import sizing

    found: SizingProblem = sizing.sizing_problem(circuit, node, index=index)  # type: ignore[arg-type]
    return found


@lru_cache(maxsize=2)
def l2dc_problem(circuit: str, node: str) -> SizingProblem:
    """Return Three-TIA with the reward of L2DC."""
    from circuits.analog.gcn_rl.l2dc import L2DCProblem
    from circuits.analog.sizing import l2dc_specs

    found: SizingProblem = L2DCProblem(problem_of(circuit, node), l2dc_specs(circuit))
    return found


def read_method(text: str) -> tuple[Method, dict[str, Any]]:
    """Return a method and its options from ``"gcn-rl:depth=2,skip=true"``.

    Raises
    ------
    ValueError
        For an unknown method or, of an agent, an unknown option.
    """
    name, _, words = text.partition(":")
    if name not in METHODS:
        raise ValueError(
            f"method: unknown method {name!r}{closest(name, list(METHODS))} "
            f"(there are: {', '.join(METHODS)})"
        )
    method, options = METHODS[name], _options(text, words)
    if method.agent:
        from circuits.analog.gcn_rl.settings import AgentSettings

        known = [f.name for f in fields(AgentSettings)]
        for key in options:
            if key not in known:
                raise ValueError(
                    f"method: {name} has no option {key!r}{closest(key, known)} "
                    f"(it has: {', '.join(known)})"
                )
        AgentSettings(**{**(method.settings or {}), **options})
    return method, options


def _options(text: str, words: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for word in words.split(",") if words else []:
        key, equals, value = word.partition("=")
        if not key or not equals or not value:
            raise ValueError(f"method: expected name:option=value,..., got {text!r}")
        options[key.strip().replace("-", "_")] = _value(value.strip())
    return options


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


_TITLES: Mapping[str, str] = {
    "human": "human",
    "random": "random",
    "sobol": "Sobol",
    "es": "CMA-ES",
    "es-best": "CMA-ES from best of 100",
    "bo": "BO",
    "mace": "MACE",
    "gradient": "gradient multistart",
    "gradient+es": "gradient, then CMA-ES",
    "sqp": "composite SQP",
    "gcn-rl": "GCN-RL",
    "ng-rl": "NG-RL",
    "gcn-path": "pathwise GCN",
    "ng-path": "pathwise NG",
    "gcn-mixed": "mixed GCN",
    "ng-mixed": "mixed NG",
}


def method_title(text: str) -> str:
    """A method as tables and legends call it."""
    name, _, words = text.partition(":")
    title = _TITLES.get(name, name)
    return f"{title}, {words.replace(',', ', ').replace('=', ' ')}" if words else title


def is_anytime(text: str) -> bool:
    """Whether one search at the largest budget says what it finds at the smaller ones.

    Agents anneal their exploration over the budget, so each budget is a search of its own.
    """
    method, _ = read_method(text)
    return not method.agent and method.name not in _SPLIT


def read_route(text: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return source and target from ``"two_tia:180>two_tia:45"``.

    Raises
    ------
    ValueError
        If it is not of this form, or source and target are the same.
    """
    ends = [tuple(end.split(":")) for end in text.split(">")]
    if len(ends) != 2 or any(len(end) != 2 or not all(end) for end in ends):
        raise ValueError(f"routes: expected circuit:node>circuit:node, got {text!r}")
    if ends[0] == ends[1]:
        raise ValueError(f"routes: source and target are the same in {text!r}")
    return (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1])
