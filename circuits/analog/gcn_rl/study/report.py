# SPDX-License-Identifier: Apache-2.0
"""The report: who finds what with how many simulations, what it looks like, what it withstands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from circuits.analog.gcn_rl.study import figures
from circuits.analog.gcn_rl.study.netlist_figure import draw_netlist
from circuits.analog.gcn_rl.study.tables import tables
from circuits.analog.gcn_rl.study.words import moonshot_sentence, route_title
from workbench.experiments import Facts, Figure, Report, Section, Table, draw_figure
from workbench.experiments.report import Block

__all__ = ["build"]

Result = Mapping[str, Any]


def build(result: Result) -> Report:
    """Build the report from a stored result."""
    made = tables(result)
    sections = [_moonshot(result, made)]
    sections += [_circuit(result, own, made) for own in result["circuits"]]
    sections += [_l2dc(result, made), _transfer(result, made)]
    sections += [_ablation(made), _paper(result, made)]
    first = made.get("main") or made.get("transfer") or made.get("l2dc") or made.get("ablation")
    first = first or made["paper"]
    headline = result["headline"]
    shots = [own["moonshot"] for own in result["circuits"]]
    asked = [s for s in shots if s["last"] > s["budget"] and s["level"] is not None]
    return Report(
        title="Sizing analog circuits",
        subtitle=(
            "GCN-RL, its variants and its rivals on one batched simulator that agrees with "
            "ngspice, at equal numbers of simulations."
        ),
        verdict=f"{headline[:1].upper()}{headline[1:]}.",
        holds=all(s["reached"] for s in asked) if asked else None,
        table=first,
        sections=[section for section in sections if section.blocks],
    )


def _ablation(made: Mapping[str, Table]) -> Section:
    return Section("Layers of the agents", [made["ablation"]] if "ablation" in made else [])


def _moonshot(result: Result, made: Mapping[str, Table]) -> Section:
    title = "A tenth of the simulations?"
    if "moonshot" not in made:
        return Section(title, [])
    words = [f"{own['title']}. {moonshot_sentence(own)}" for own in result["circuits"]]
    return Section(title, [*words, made["moonshot"]])


def _circuit(result: Result, own: Result, made: Mapping[str, Table]) -> Section:
    name = own["circuit"]
    blocks: list[Block] = [
        Facts(
            {
                "technology card": own["node"],
                "components that are sized": own["vertices"],
                "free parameters": len(own["parameters"]),
            }
        ),
        _curves(own, result),
        made[f"foms_{name}"],
    ]
    if any(row["gradients"] for row in own["methods"]):
        blocks.append(_curves(own, result, other=True))
    if f"pairs_{name}" in made:
        blocks.append(made[f"pairs_{name}"])
    if own["netlist"] is not None:
        winner = next(r["title"] for r in own["methods"] if r["method"] == own["winner"])
        blocks += [
            f"The best design was found by {winner}.",
            draw_figure(
                partial(draw_netlist, found=own["netlist"]),
                size=(10.4, 5.2),
                caption=(
                    "Components and the nets they share, supplies and ground left out. W/L in "
                    "\N{MICRO SIGN}m, multiplier, resistance or capacitance at each."
                ),
                alt=f"Netlist of the best {own['title']} as a graph",
            ),
            draw_figure(
                partial(figures.draw_response, found=own["response"]),
                size=(5.2, 4.2),
                caption=_response_words(own["response"]),
                alt="Gain and phase over frequency of the winner and the human design",
            ),
            draw_figure(
                partial(figures.draw_corners, own=own, shown=_robust(own)),
                size=(5.2, 4.2),
                caption=(
                    "Best designs over temperature and supply. Large: 27 \N{DEGREE SIGN}C at the "
                    "nominal supply; triangles: 10 % lower and higher."
                ),
                alt="Figure of merit over corners",
            ),
        ]
    blocks += [made[f"{kind}_{name}"] for kind in ("metrics", "sizes", "corners")]
    return Section(f"{own['title']}, {own['node']}", blocks)


def _curves(own: Result, result: Result, *, other: bool = False) -> Figure:
    gradient, parts = result["charges"][own["circuit"]]
    charged = (
        f"The same, what gradients are charged beyond a simulation times {result['surcharge']:g}."
        if other
        else f"A simulation with its gradient is charged {gradient:g}, with those of its parts "
        f"{parts:g}."
    )
    words = (
        f"{charged} Medians and, of some, quartiles; lines are searches planned "
        "for the largest budget, markers those planned for theirs."
    )
    shot = own["moonshot"]
    if shot["level"] is not None and shot["last"] > shot["budget"]:
        words += (
            f" Star: the best black box's last median, at {shot['budget']:,} simulations; above "
            "it is better."
        )
    return draw_figure(
        partial(figures.draw_curves, own=own, other=other),
        size=(9.4, 4.3),
        caption=words,
        alt=f"Best figure of merit of {own['title']} against simulations, by method",
    )


def _response_words(found: Result) -> str:
    what = (
        "dots: where it has fallen by 3 dB"
        if found["kind"] == "transimpedance"
        else "dots: where it has fallen to 1"
    )
    kind = f"{found['kind'][:1].upper()}{found['kind'][1:]}"
    return f"{kind} and its phase from low frequencies; {what}."


def _robust(own: Result) -> list[str]:
    """The human's design and the best six of the methods', best first."""
    ranked = sorted(
        (row for row in own["methods"] if row["best"] is not None and row["method"] != "human"),
        key=lambda row: -float(row["best"]["fom"]),
    )
    found = [row["method"] for row in ranked[:7]]
    return [*found, *(["human"] if "human" in own["corners"] else [])]


def _l2dc(result: Result, made: Mapping[str, Table]) -> Section:
    if not result["l2dc"]:
        return Section("L2DC", [])
    return Section("The reward of L2DC", [made["l2dc"], made["l2dc_designs"]])


def _transfer(result: Result, made: Mapping[str, Table]) -> Section:
    routes = result["transfer"]
    if not routes:
        return Section("Transfer", [])
    blocks: list[Block] = [
        f"Policies are trained for {result['pretraining']:,} simulations on the source and "
        f"for {result['tuning']:,} on the target. The controls know nothing but the source's best "
        "design, or nothing at all.",
        draw_figure(
            partial(figures.draw_transfers, routes=routes),
            size=(10.4, 1.2 + 2.5 * -(-len(routes) // 4)),
            caption="Medians and quartiles; filled: knows the source; open: does not.",
            alt="Figure of merit by start on every target",
        ),
        *(
            draw_figure(
                partial(figures.draw_transfer, route=route),
                size=(9.0, 3.6),
                caption=f"{route_title(route)}.",
                alt="Best figure of merit on the target against simulations",
            )
            for route in _telling(routes)
        ),
        made["transfer"],
        made["transfer_pairs"],
        made["paper_transfer"],
    ]
    return Section("Transfer", blocks)


def _telling(routes: list[Result]) -> list[Result]:
    """The farthest technology of each circuit, and every change of topology."""
    last = {r["target_key"][0]: r for r in routes if r["source_key"][0] == r["target_key"][0]}
    across = [r for r in routes if r["source_key"][0] != r["target_key"][0]]
    return [*last.values(), *across]


def _paper(result: Result, made: Mapping[str, Table]) -> Section:
    return Section("What the paper reports", [made["paper"]])
