# SPDX-License-Identifier: Apache-2.0
"""The report's first screen: the verdict in a sentence and the table of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from circuits.quantum.quantumnas.pairs import pair_label
from circuits.quantum.quantumnas.summary import signed
from circuits.quantum.quantumnas.validity import LEAST_CORRELATION
from workbench.experiments import Column, Table

__all__ = ["main_table", "row_index", "verdict"]


def verdict(result: Mapping[str, Any]) -> tuple[str, bool | None]:
    """Return the sentence, and whether the claim holds."""
    by_key = {difference["key"]: difference for difference in result["differences"]}
    n = len(result["seeds"])
    unaware, human = by_key["unaware"], by_key["human"]

    def words(difference: Mapping[str, Any], other: str) -> str:
        found = difference["noisy_loss"]
        spread = "" if found["spread"] is None else f" ± {found['spread']:.3f}"
        way = "lower" if found["mean"] < 0 else "higher"
        return (
            f"{abs(found['mean']):.3f}{spread} {way} than that of {other} (lower in "
            f"{difference['wins']} of {n} seeds)"
        )

    correlations = [
        seed["inheritance"]["correlations"]["clean"]["inherited"] for seed in result["seeds"]
    ]
    valid = all(rho is not None and rho >= LEAST_CORRELATION for rho in correlations)
    sentence = (
        f"Under the noise of {result['device']['name']}, the test loss of the circuit that "
        f"QuantumNAS found is {words(unaware, 'noise-unaware search')} and "
        f"{words(human, 'a human design with as many gates')}."
    )
    if not valid:
        return f"{sentence} But the search is invalid: inherited losses do not rank.", False
    holds = all(
        difference["noisy_loss"]["mean"] < 0 and 2 * difference["wins"] > n
        for difference in (unaware, human)
    )
    return sentence, holds


def main_table(
    result: Mapping[str, Any], timing: Mapping[str, Any], config: Mapping[str, Any]
) -> Table:
    """Return the table of rows; seconds are from the timing, all else from the result."""
    n = len(result["seeds"])
    rows: list[list[str | int | float | bool | None]] = []
    for row in result["rows"]:
        mean, spread = row["mean"], row["spread"]
        rows.append(
            [
                row["title"],
                mean["gates"],
                mean["parameters"],
                mean["cx"],
                mean["clean_loss"],
                mean["clean_accuracy"],
                mean["noisy_loss"],
                spread["noisy_loss"],
                mean["noisy_accuracy"],
                mean["sampled_loss"],
                mean["sampled_accuracy"],
                row["evaluated"],
                _seconds(row["key"], timing, n),
            ]
        )
    shots = config["shots"]
    columns = [
        Column("circuit"),
        Column("gates", ".1f"),
        Column("angles", ".1f"),
        Column(pair_label(result["device"]), ".1f", hint="after routing"),
        Column("clean loss", ".3f", hint="test samples, no noise"),
        Column("clean acc.", ".3f"),
        Column("noisy loss", ".3f", best="min", hint="test samples, exact probabilities; decides"),
        Column("±", ".3f", hint="standard deviation of the noisy loss over seeds"),
        Column("noisy acc.", ".3f"),
        Column(f"loss, {shots} shots", ".3f"),
        Column(f"acc., {shots} shots", ".3f"),
        Column("candidates", ".0f", hint="circuits evaluated before training from scratch"),
        Column(
            "seconds",
            ".1f",
            hint="per seed: SuperCircuit, search (on all workers), trainings, pruning",
        ),
    ]
    trainings = result["rows"][0]["trainings"]
    lines = [
        f"Means over {n} seed{'s' if n > 1 else ''}; all figures by qiskit-aer. Every row is the "
        f"best of {trainings} trainings by noisy validation loss; the pruned one was trained on.",
        "Noisy loss, QuantumNAS minus row, by seed:",
    ]
    for difference in result["differences"]:
        found = difference["noisy_loss"]
        values = " ".join(signed(value) for value in found["seeds"])
        lines.append(
            f"{difference['title']}: {values}, mean {_mean(found)}, lower in "
            f"{difference['wins']} of {n};"
        )
    lines[-1] = lines[-1][:-1] + "."
    return Table(
        columns, rows, caption="\n".join(lines), highlight=[row_index(result, "quantumnas")]
    )


def _mean(found: Mapping[str, Any]) -> str:
    spread = "" if found["spread"] is None else f" ± {found['spread']:.3f}"
    return f"{signed(found['mean'])}{spread}"


def row_index(result: Mapping[str, Any], key: str) -> int:
    """Return where a row stands in the table."""
    return next(i for i, row in enumerate(result["rows"]) if row["key"] == key)


def _seconds(key: str, timing: Mapping[str, Any], n_seeds: int) -> float | None:
    """Return seconds per seed of all that a row needed; None where nothing is recorded."""
    spent: Mapping[str, float] = timing["seconds"]
    trained_for = {"human_level3": "human", "pruned": "quantumnas"}.get(key, key)
    prefixes = [f"training what was {how}/{trained_for} " for how in ("searched", "designed")]
    if key in ("unaware", "quantumnas", "pruned"):
        search = "unaware" if key == "unaware" else "aware"
        prefixes += ["SuperCircuits/", f"{search} search, "]
    if key == "pruned":
        prefixes.append("pruning/")
    total = sum(s for name, s in spent.items() if name.startswith(tuple(prefixes)))
    return total / n_seeds if total else None
