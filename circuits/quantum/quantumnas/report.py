# SPDX-License-Identifier: Apache-2.0
"""The report: what was found, how it compares, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from circuits.quantum.quantumnas import figures
from circuits.quantum.quantumnas.main_table import main_table, row_index, verdict
from circuits.quantum.quantumnas.pairs import pair_label
from circuits.quantum.quantumnas.summary import mean_and_spread, signed
from circuits.quantum.quantumnas.validity import LEAST_CORRELATION
from workbench.experiments import Column, Facts, Preformatted, Report, Section, Table, draw_figure

__all__ = ["build"]


def build(
    result: Mapping[str, Any], timing: Mapping[str, Any], config: Mapping[str, Any]
) -> Report:
    """Build the report from a stored result, its timing and its config as plain values."""
    sentence, holds = verdict(result)
    return Report(
        title=f"QuantumNAS on {result['device']['name']}, {result['task']['name']}",
        subtitle=(
            "A circuit and its qubit mapping, searched under a device's noise and judged by "
            "qiskit-aer."
        ),
        verdict=sentence,
        holds=holds,
        table=main_table(result, timing, config),
        sections=[
            _differences(result),
            _found(result),
            _noise_and_size(result),
            _search(result, config),
            _inheritance(result),
            _mappings(result),
            _pruning(result),
            _reading(result, config),
        ],
    )


def _differences(result: Mapping[str, Any]) -> Section:
    seeds = [seed["seed"] for seed in result["seeds"]]
    columns = [
        Column("QuantumNAS minus"),
        *(Column(f"seed {seed}", "+.3f") for seed in seeds),
        Column("mean", "+.3f"),
        Column("±", ".3f"),
        Column("lower", align="right"),
    ]
    rows = [
        [
            d["title"],
            *d["noisy_loss"]["seeds"],
            d["noisy_loss"]["mean"],
            d["noisy_loss"]["spread"],
            f"{d['wins']} of {len(seeds)}",
        ]
        for d in result["differences"]
    ]
    losing = [
        f"{d['title']} (seed {', '.join(str(s) for s in lost)})"
        for d in result["differences"]
        if (lost := [s for s, v in zip(seeds, d["noisy_loss"]["seeds"], strict=True) if v >= 0])
    ]
    effect = (
        f"The effect is not there against {'; '.join(losing)}."
        if losing
        else "The noisy loss of QuantumNAS is lower in every seed, against every baseline."
    )
    accuracy = [
        [
            d["title"],
            d["noisy_accuracy"]["mean"],
            d["noisy_accuracy"]["spread"],
            d["sampled_accuracy"]["mean"],
            d["sampled_accuracy"]["spread"],
        ]
        for d in result["differences"]
    ]
    return Section(
        "Paired differences",
        [
            f"Both circuits of a pair see the same test samples. {effect}",
            Table(columns, rows, caption="Noisy test loss; negative is better."),
            draw_figure(
                partial(figures.draw_differences, differences=result["differences"]),
                size=(8.4, 2.6),
                caption="Each dot is a seed, the line the mean.",
                alt="Paired differences of the noisy loss by baseline",
            ),
            Table(
                [
                    Column("QuantumNAS minus"),
                    Column("noisy accuracy", "+.3f"),
                    Column("±", ".3f"),
                    Column("with shots", "+.3f"),
                    Column("±", ".3f"),
                ],
                accuracy,
                caption=(
                    "Test accuracy; positive is better. With a few hundred test samples, the "
                    "standard error of one accuracy is about 0.026, so that small differences "
                    "mean nothing."
                ),
            ),
        ],
    )


def _shown_seed(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the seed whose circuit is shown: the least noisy loss on validation samples."""

    def loss(seed: Mapping[str, Any]) -> float:
        return _valid_loss(seed)

    best: Mapping[str, Any] = min(result["seeds"], key=loss)
    return best


def _valid_loss(seed: Mapping[str, Any]) -> float:
    trials = seed["trials"]["quantumnas"]
    return float(trials["noisy_valid_losses"][trials["picked"]])


def _found(result: Mapping[str, Any]) -> Section:
    seed = _shown_seed(result)
    winner = seed["winner"]
    blocks: list[Any] = [
        f"Seed {seed['seed']}, the one with the least noisy loss on its validation samples. The "
        "encoder makes one U3 of the sample's angles on each wire.",
        draw_figure(
            partial(figures.draw_circuit, gates=winner["gates"], layout=winner["layout"]),
            size=(10.8, 2.7),
            caption=f"The circuit found: {len(winner['gates'])} gates.",
            alt="Circuit diagram of the circuit found",
        ),
    ]
    if len(winner["pruned_gates"]) < len(winner["gates"]):
        blocks += [
            "Pruned and finetuned, some gates are left out and some have fewer angles:",
            draw_figure(
                partial(
                    figures.draw_circuit, gates=winner["pruned_gates"], layout=winner["layout"]
                ),
                size=(10.8, 2.7),
                caption=f"The pruned circuit: {len(winner['pruned_gates'])} gates.",
                alt="Circuit diagram of the pruned circuit",
            ),
        ]
    listed = "\n".join(
        f"{name:<4} {','.join(str(w) for w in wires):<4} "
        + "  ".join(f"{angle:+.4f}" for angle in params)
        for name, wires, params in winner["gates"]
    )
    blocks += [
        "Its place on the device:",
        draw_figure(
            partial(figures.draw_mapping, device=result["device"], layout=winner["layout"]),
            size=(5.2, 3.4),
            caption="Coupling graph with the calibrated errors of "
            f"{pair_label(result['device'])} and read-out.",
            alt="Mapping of the wires onto the coupling graph",
        ),
        Preformatted(listed, caption="Gates before pruning: name, wires (control first), angles."),
    ]
    return Section("The circuit found", blocks)


def _noise_and_size(result: Mapping[str, Any]) -> Section:
    task = result["task"]
    return Section(
        "What noise does to deep circuits",
        [
            "Without noise, more gates are better; on the device, each costs signal, and the loss "
            "drifts towards that of guessing. The search has to find where the two meet.",
            draw_figure(
                partial(
                    figures.draw_depths,
                    seeds=result["seeds"],
                    rows=result["rows"],
                    floor=task["loss_floor"],
                    no_signal=task["loss_without_signal"],
                ),
                size=(8.4, 3.9),
                caption=(
                    "Human designs of growing depth, one training each; means, and ranges over "
                    "the seeds. Stars and crosses: the rows of the table."
                ),
                alt="Loss against gate count with and without noise",
            ),
        ],
    )


def _search(result: Mapping[str, Any], config: Mapping[str, Any]) -> Section:
    seeds = result["seeds"]
    gates = {
        kind: mean_and_spread([seed["search"][kind]["best"][0]["gates"] for seed in seeds])
        for kind in ("aware", "unaware")
    }
    return Section(
        "Search",
        [
            "Both searches evaluate equally many candidates with inherited angles. Left to the "
            f"clean loss, evolution takes {gates['unaware'][0]:.0f} gates; under noise, "
            f"{gates['aware'][0]:.0f}.",
            draw_figure(
                partial(figures.draw_search, seeds=seeds),
                caption=(
                    "Best so far; thin lines are seeds, thick ones their mean. The two curves "
                    "measure different losses, so only their shapes compare. A loss of "
                    f"{result['task']['loss_without_signal']:.3f} is no signal, "
                    f"{result['task']['loss_floor']:.3f} the floor."
                ),
                alt="Search curves",
            ),
            draw_figure(
                partial(figures.draw_history, seeds=seeds),
                caption=(
                    f"SuperCircuit training, {config['supercircuit']['sampling']} sampling; mean "
                    "and range over seeds."
                ),
                alt="Losses of fixed SubCircuits during SuperCircuit training",
            ),
        ],
    )


def _inheritance(result: Mapping[str, Any]) -> Section:
    seeds = result["seeds"]

    def row(kind: str, words: str) -> list[list[str | float | None]]:
        table: list[list[str | float | None]] = []
        for key, title in (
            ("inherited", "inherited loss"),
            ("gate_count", "gate count alone"),
            ("within_sizes", "inherited loss, within equal sizes"),
        ):
            values = [seed["inheritance"]["correlations"][kind][key] for seed in seeds]
            known = [value for value in values if value is not None]
            mean, spread = mean_and_spread(known) if known else (None, None)
            table.append([f"{title}, {words}", *values, mean, spread])
        return table

    pairs = len(seeds[0]["inheritance"]["sizes"])
    return Section(
        "Do inherited losses rank circuits?",
        [
            f"Spearman's correlation with the loss after training from scratch, over {pairs} "
            "random SubCircuits per seed. A search is marked invalid below "
            f"{LEAST_CORRELATION:g}. Much of the correlation is size: the gate count ranks by "
            "itself, and only what is left within groups of equal size is owed to the angles. "
            "The noisy losses have wire k on qubit k; it is these that the search ranks.",
            Table(
                [
                    Column("ranked by"),
                    *(Column(f"seed {seed['seed']}", "+.2f") for seed in seeds),
                    Column("mean", "+.2f"),
                    Column("±", ".2f"),
                ],
                [*row("clean", "clean"), *row("noisy", "noisy")],
            ),
            draw_figure(
                partial(figures.draw_inheritance, seeds=seeds),
                size=(6.4, 3.8),
                caption="Clean validation losses of the SubCircuits of all seeds.",
                alt="Scatter of inherited and scratch-trained losses",
            ),
        ],
    )


def _mappings(result: Mapping[str, Any]) -> Section:
    rows = []
    for seed in result["seeds"]:
        own = seed["layouts"]
        rows.append(
            [
                f"seed {seed['seed']}",
                ", ".join(str(qubit) for qubit in seed["winner"]["layout"]),
                own["own"],
                own["straight"],
                own["least"],
                own["median"],
                own["greatest"],
            ]
        )
    compared = result["seeds"][0]["layouts"]["compared"]
    spread = float(
        np.mean([s["layouts"]["greatest"] - s["layouts"]["least"] for s in result["seeds"]])
    )
    return Section(
        "What the mapping alone does",
        [
            f"The trained circuit of each seed in {compared} mappings: from best to worst, the "
            f"noisy validation loss spans {spread:.3f} in the mean.",
            Table(
                [
                    Column("circuit of"),
                    Column("qubits of wires 0, 1, ..."),
                    Column("as found", ".3f"),
                    Column("wire k on k", ".3f"),
                    Column("best", ".3f"),
                    Column("median", ".3f"),
                    Column("worst", ".3f"),
                ],
                rows,
            ),
        ],
    )


def _pruning(result: Mapping[str, Any]) -> Section:
    attempts = [seed["pruning"] for seed in result["seeds"]]
    names = ("angles", "gates", "cx", "clean", "valid", "noisy")
    rows: list[list[str | float | None]] = []
    base = result["rows"][row_index(result, "quantumnas")]["mean"]
    rows.append(
        [
            "not finetuned",
            base["parameters"],
            base["gates"],
            base["cx"],
            base["clean_loss"],
            float(np.mean([_valid_loss(seed) for seed in result["seeds"]])),
            base["noisy_loss"],
        ]
    )
    for number, first in enumerate(attempts[0]):
        unit = "angles" if first["unit"] == "angles" else "two-qubit gates"
        title = f"{100 * first['amount']:.0f} % of {unit}" if first["amount"] else "finetuned alone"
        means = [float(np.mean([tried[number][name] for tried in attempts])) for name in names]
        rows.append([title, *means])
    alone = next((tried for tried in attempts[0] if tried["amount"] == 0), None)
    chosen = ", ".join(
        f"{100 * s['pruning_chosen']['amount']:.0f} % of {s['pruning_chosen']['unit']}"
        for s in result["seeds"]
    )
    return Section(
        "Pruning and finetuning",
        [
            "Small angles are set to zero step by step while the rest is finetuned; or whole "
            "two-qubit gates, as a controlled gate with one angle left costs as many CX as one "
            "with three."
            + ("" if alone is None else " The first finetuned row tells what finetuning does."),
            Table(
                [
                    Column("pruned"),
                    Column("angles", ".1f"),
                    Column("gates", ".1f"),
                    Column(pair_label(result["device"]), ".1f"),
                    Column("clean loss", ".3f"),
                    Column("noisy loss, validation", ".3f"),
                    Column("noisy loss, test", ".3f"),
                ],
                rows,
                caption=(f"Means over the seeds. Noisy validation loss chose, by seed: {chosen}."),
            ),
        ],
    )


def _reading(result: Mapping[str, Any], config: Mapping[str, Any]) -> Section:
    by_key = {difference["key"]: difference for difference in result["differences"]}
    human = by_key["human"]["noisy_accuracy"]
    return Section(
        "How to read this",
        [
            "The loss decides. Logits are expectations between -1 and 1, so that the loss moves "
            f"between {result['task']['loss_floor']:.3f} and "
            f"{result['task']['loss_without_signal']:.3f}, and differences of a few hundredths "
            "are much on this scale; accuracy depends on the largest logit alone and hardly "
            "notices noise until the signal is nearly gone.",
            "No gain in accuracy over the human design of equal size is claimed: it is "
            f"{signed(human['mean'])} here"
            + ("" if human["spread"] is None else f" ± {human['spread']:.3f}")
            + ", where a single accuracy has a standard error of about 0.026.",
            "The device is a snapshot of one calibration, and training knows nothing of noise: "
            "what is compared is which circuit loses least. Real machines drift.",
            Facts(
                {
                    "largest |ours - Aer|": f"{result['largest_difference_from_aer']:.1e}",
                    "trainings per row": result["rows"][0]["trainings"],
                    "qiskit's optimisation level": config["search"]["optimization_level"],
                    "worker processes": config["workers"],
                }
            ),
        ],
    )
