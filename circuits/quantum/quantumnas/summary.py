# SPDX-License-Identifier: Apache-2.0
"""From what the stages found to the experiment's result: rows, differences, checks, words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from circuits.quantum.quantumnas.baselines import ROWS
from circuits.quantum.quantumnas.config import Config
from circuits.quantum.quantumnas.spaces import design_space, gate_count
from circuits.quantum.quantumnas.subcircuit import bound_gates, simplified
from circuits.quantum.quantumnas.tasks import task
from circuits.quantum.quantumnas.validity import LEAST_CORRELATION, rank_correlations

__all__ = ["BASELINES", "FIGURES", "chosen_attempt", "mean_and_spread", "summarised"]

#: Rows that QuantumNAS is compared with, seed by seed.
BASELINES = ("unaware", "random", "human", "human_level3", "full")
#: Figures of a row that are averaged over the seeds.
FIGURES = (
    "gates",
    "parameters",
    "cx",
    "depth",
    "clean_loss",
    "clean_accuracy",
    "noisy_loss",
    "noisy_accuracy",
    "sampled_loss",
    "sampled_accuracy",
)
#: By how much our probabilities may differ from qiskit-aer's.
TOLERANCE = 1e-9


def mean_and_spread(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean and the sample standard deviation, None for a single value."""
    array = np.asarray(values, dtype=np.float64)
    spread = float(array.std(ddof=1)) if len(array) > 1 else None
    return float(array.mean()), spread


def chosen_attempt(attempts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the pruned circuit with the least noisy validation loss.

    Attempts that pruned nothing are left out, unless there is no other.
    """
    pruning = [attempt for attempt in attempts if attempt["amount"] > 0] or list(attempts)
    return min(pruning, key=lambda attempt: float(attempt["valid"]))


def summarised(
    config: Config,
    *,
    device: Mapping[str, Any],
    histories: Mapping[int, Any],
    searches: Mapping[int, Any],
    trained: Mapping[int, Any],
    pruned: Mapping[int, Any],
    pairs: Mapping[int, Any],
    depths: Mapping[int, Any],
    layouts: Mapping[int, Any],
    verdicts: Mapping[int, Any],
) -> dict[str, Any]:
    """Return the result as plain JSON values.

    Returns
    -------
    dict
        ``rows``: for each row its figures by seed, their means and spreads. ``differences``:
        noisy loss and accuracy of QuantumNAS minus each baseline, paired by seed. ``seeds``:
        for each seed what was found and how. ``headline``, ``passed``, ``warnings``: see
        `workbench.experiments.Experiment`.
    """
    seeds = list(range(config.seeds))
    chosen_task = task(config.task)
    rows = [_row(config, row.key, row.title(config), seeds, searches, verdicts) for row in ROWS]
    differences = [
        _difference(row.key, row.title(config), seeds, verdicts)
        for row in ROWS
        if row.key in BASELINES
    ]
    by_seed = [
        _seed(
            config,
            seed,
            histories[seed],
            searches[seed],
            trained[seed],
            pruned[seed],
            pairs[seed],
            depths[seed],
            layouts[seed],
            verdicts[seed],
        )
        for seed in seeds
    ]
    worst = max(found["difference"] for verdict in verdicts.values() for found in verdict.values())
    result = {
        "device": dict(device),
        "task": {
            "name": chosen_task.name,
            "n_wires": chosen_task.n_wires,
            "n_classes": chosen_task.n_classes,
            "loss_floor": chosen_task.loss_floor,
            "loss_without_signal": math.log(chosen_task.n_classes),
        },
        "rows": rows,
        "differences": differences,
        "seeds": by_seed,
        "largest_difference_from_aer": worst,
        "headline": _headline(rows, differences),
        "passed": worst <= TOLERANCE,
        "warnings": _warnings(differences, by_seed, worst),
    }
    return result


def _row(
    config: Config,
    key: str,
    title: str,
    seeds: Sequence[int],
    searches: Mapping[int, Any],
    verdicts: Mapping[int, Any],
) -> dict[str, Any]:
    own = [verdicts[seed][key] for seed in seeds]
    mean: dict[str, float] = {}
    spread: dict[str, float | None] = {}
    for figure in FIGURES:
        mean[figure], spread[figure] = mean_and_spread([found[figure] for found in own])
    searched = {"unaware": "unaware", "quantumnas": "aware", "pruned": "aware"}.get(key)
    if searched:
        evaluated = mean_and_spread([searches[seed][searched]["evaluations"] for seed in seeds])[0]
    else:
        evaluated = float(config.training.random_circuits if key == "random" else 1)
    return {
        "key": key,
        "title": title,
        "evaluated": evaluated,
        "trainings": config.training.candidates,
        "mean": mean,
        "spread": spread,
        "seeds": own,
    }


def _difference(
    key: str, title: str, seeds: Sequence[int], verdicts: Mapping[int, Any]
) -> dict[str, Any]:
    found: dict[str, Any] = {"key": key, "title": title}
    for figure in ("noisy_loss", "noisy_accuracy", "sampled_accuracy"):
        values = [
            verdicts[seed]["quantumnas"][figure] - verdicts[seed][key][figure] for seed in seeds
        ]
        mean, spread = mean_and_spread(values)
        found[figure] = {"seeds": values, "mean": mean, "spread": spread}
    found["wins"] = sum(value < 0 for value in found["noisy_loss"]["seeds"])
    return found


def _seed(
    config: Config,
    seed: int,
    history: Any,
    searches: Mapping[str, Any],
    trained: Mapping[str, Any],
    attempts: Sequence[dict[str, Any]],
    pairs: Mapping[str, Any],
    depths: Sequence[Mapping[str, Any]],
    layouts: Mapping[str, Any],
    verdicts: Mapping[str, Any],
) -> dict[str, Any]:
    space = design_space(config.space, n_blocks=config.blocks)
    n_wires = task(config.task).n_wires
    winner = trained["quantumnas"]
    gates = bound_gates(space, winner["architecture"], n_wires, winner["weights"])
    attempt = chosen_attempt(attempts)
    left = simplified(bound_gates(space, winner["architecture"], n_wires, attempt["weights"]))
    own_layout = list(winner["placement"].layout)
    # Infinite are the losses of mappings routed over too many qubits to be simulated.
    losses = [loss for loss in layouts["losses"] if math.isfinite(loss)]
    sizes = pairs["sizes"]
    correlations = {
        "clean": rank_correlations(sizes, pairs["inherited"], pairs["scratch"]),
        "noisy": rank_correlations(sizes, pairs["noisy_inherited"], pairs["noisy_scratch"]),
    }
    return {
        "seed": seed,
        "winner": {
            "architecture": [list(layer) for layer in winner["architecture"]],
            "layout": own_layout,
            "gates": [[g.name, list(g.wires), list(g.params)] for g in gates],
            "pruned_gates": [[g.name, list(g.wires), list(g.params)] for g in left],
        },
        "search": {
            kind: {
                "evaluations": found["evaluations"],
                "generations": found["generations"],
                "curve": _finite(np.asarray(found["curve"]).tolist()),
                "best": [
                    {
                        "gates": gate_count(architecture),
                        "layout": list(layout),
                        "loss": _finite([loss])[0],
                    }
                    for architecture, layout, loss in found["best"]
                ],
            }
            for kind, found in searches.items()
        },
        "supercircuit": list(history),
        "trials": {
            key: {"picked": found["trial"], "noisy_valid_losses": _finite(found["trial_losses"])}
            for key, found in trained.items()
        },
        "inheritance": {**pairs, "correlations": correlations},
        "layouts": {
            "compared": len(losses),
            "least": min(losses),
            "median": float(np.median(losses)),
            "greatest": max(losses),
            "not_simulated": len(layouts["losses"]) - len(losses),
            "own": min(winner["trial_losses"]),
            "straight": _loss_of(layouts, list(range(n_wires))),
        },
        "pruning": [
            {key: value for key, value in tried.items() if key != "weights"} for tried in attempts
        ],
        "pruning_chosen": {"unit": attempt["unit"], "amount": attempt["amount"]},
        "depths": [dict(depth) for depth in depths],
        "placed": {key: found["layout"] for key, found in verdicts.items()},
    }


def _loss_of(layouts: Mapping[str, Any], layout: Sequence[int]) -> float | None:
    """Return the loss of one of the mappings compared; None where it was not drawn."""
    if list(layout) not in layouts["layouts"]:
        return None
    return _finite([layouts["losses"][layouts["layouts"].index(list(layout))]])[0]


def _finite(values: Sequence[float]) -> list[float | None]:
    """Return plain numbers, None for infinite ones."""
    return [float(value) if math.isfinite(value) else None for value in values]


def _headline(rows: Sequence[Mapping[str, Any]], differences: Sequence[Mapping[str, Any]]) -> str:
    (own,) = [row for row in rows if row["key"] == "quantumnas"]
    (unaware,) = [d for d in differences if d["key"] == "unaware"]
    n = len(own["seeds"])
    return (
        f"noisy loss {with_spread(own['mean']['noisy_loss'], own['spread']['noisy_loss'])}, "
        f"{signed(unaware['noisy_loss']['mean'])} against noise-unaware search, won "
        f"{unaware['wins']} of {n}"
    )


def with_spread(mean: float, spread: float | None) -> str:
    """Return "mean ± spread", or the mean where there is no spread."""
    return f"{mean:.3f}" if spread is None else f"{mean:.3f} ± {spread:.3f}"


def signed(value: float) -> str:
    """Return a number with its sign."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _shown(correlation: float | None) -> str:
    return "undefined" if correlation is None else f"{correlation:.2f}"


def _warnings(
    differences: Sequence[Mapping[str, Any]], by_seed: Sequence[Mapping[str, Any]], worst: float
) -> list[str]:
    warnings = []
    for difference in differences:
        lost = [i for i, value in enumerate(difference["noisy_loss"]["seeds"]) if value >= 0]
        if lost:
            listed = ", ".join(str(seed) for seed in lost)
            warnings.append(
                f"QuantumNAS has no lower noisy loss than {difference['title']} for seed {listed}"
            )
    for own in by_seed:
        found = own["inheritance"]["correlations"]
        clean, noisy = found["clean"]["inherited"], found["noisy"]["inherited"]
        if clean is None or clean < LEAST_CORRELATION:
            warnings.append(
                f"seed {own['seed']}: the search is invalid, for inherited losses do not rank "
                f"SubCircuits (Spearman {_shown(clean)}, expected {LEAST_CORRELATION:g} or more)"
            )
        elif noisy is None or noisy < LEAST_CORRELATION:
            warnings.append(
                f"seed {own['seed']}: under noise, inherited losses rank SubCircuits poorly "
                f"(Spearman {_shown(noisy)})"
            )
    if len(by_seed) < 3:
        warnings.append("fewer than 3 seeds: no spread can be judged by them")
    if worst > TOLERANCE:
        warnings.append(
            f"our noisy probabilities differ from qiskit-aer's by {worst:.2g}, more than "
            f"{TOLERANCE:g}"
        )
    return warnings
