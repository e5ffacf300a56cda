# SPDX-License-Identifier: Apache-2.0
"""What the result says, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["headline", "listed", "moonshot_sentence", "route_title", "shown", "signed", "warnings"]

_MINUS = "\N{MINUS SIGN}"


def shown(value: float | None, digits: int = 3) -> str:
    """A figure of merit, or a dash."""
    return "\N{EN DASH}" if value is None else f"{value:.{digits}f}".replace("-", _MINUS)


def signed(value: float | None) -> str:
    """A difference with its sign, or a dash."""
    return "\N{EN DASH}" if value is None else f"{value:+.3f}".replace("-", _MINUS)


def route_title(route: Mapping[str, Any]) -> str:
    """``Two-TIA 180 → 45``, or both circuits where they differ."""
    short = route["source_key"][0] == route["target_key"][0]
    target = route["target_key"][1] if short else route["target"]
    return f"{route['source']} \N{RIGHTWARDS ARROW} {target}"


def listed(words: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def headline(result: Mapping[str, Any]) -> str:
    """One line: the moonshot's count, or what else was done."""
    circuits = result["circuits"]
    if circuits:
        shots = [own["moonshot"] for own in circuits]
        reached = [own["title"] for own in circuits if own["moonshot"]["reached"]]
        first = shots[0]
        if first["last"] == first["budget"]:
            return f"best figures of merit after {first['last']} simulations: " + ", ".join(
                f"{own['title']} {shown(_best(own))}" for own in circuits
            )
        words = f" ({listed(reached)})" if reached else ""
        return (
            f"by {first['budget']:,} simulations a method with gradients or a graph has what the "
            f"best black box has after {first['last']:,} on {len(reached)} of {len(circuits)} "
            f"circuits{words}"
        )
    if result["transfer"]:
        better = [
            row for row in result["transfer"]
            if any(p["ours"] == "gcn-transfer" and p["theirs"] == "gcn-cold"
                   and p["verdict"] == "better" for p in row["pairs"])
        ]  # fmt: skip
        return (
            f"transfer of GCN-RL beats starting from nothing on {len(better)} of "
            f"{len(result['transfer'])} routes"
        )
    if result["l2dc"]:
        return "Three-TIA with the reward of L2DC"
    return "layers of the agents, varied"


def _best(own: Mapping[str, Any]) -> float | None:
    found = [row["best"]["fom"] for row in own["methods"] if row["best"] is not None]
    return max(found, default=None)


def _have(words: Sequence[str]) -> str:
    return "has" if len(words) == 1 else "have"


def moonshot_sentence(own: Mapping[str, Any]) -> str:
    """Who reaches the level of the best black box, said either way."""
    shot = own["moonshot"]
    if shot["level"] is None:
        return "No black box was run, so there is no level to reach."
    first = (
        f"The best black box is {shot['black_box']}: median {shown(shot['level'])} after "
        f"{shot['last']:,} simulations."
    )
    if shot["last"] == shot["budget"]:
        return first
    if shot["reached"]:
        who = f"{listed(shot['reached'])} {_have(shot['reached'])}"
        second = f"By {shot['budget']:,}, at both charges, {who} it."
    else:
        others = [e for e in shot["entries"] if not e["black_box"] and e["median"] is not None]
        nearest = max(others, key=lambda e: float(e["median"]), default=None)
        second = f"No other method has it by {shot['budget']:,}" + (
            "."
            if nearest is None
            else f"; nearest is {nearest['title']} with {shown(nearest['median'])}."
        )
    if shot["reached_by_black_boxes"]:
        second += f" Black boxes that have it by then: {listed(shot['reached_by_black_boxes'])}."
    return f"{first} {second}"


def warnings(result: Mapping[str, Any], tolerance: float) -> list[str]:
    """What a reader must know before believing the tables."""
    found = []
    if len(result["seeds"]) < 5:
        found.append(f"{len(result['seeds'])} seeds: no difference between methods is claimed")
    for own in result["circuits"]:
        if own["ngspice"]["missing"]:
            found.append(f"no design was simulated again: {own['ngspice']['missing']}")
        for row in own["ngspice"]["rows"]:
            if row["difference"] > tolerance:
                found.append(
                    f"{own['title']}, {row['design']}: a metric differs from ngspice's by "
                    f"{row['difference']:.2g}, more than {tolerance:g}"
                )
        for name, value in own["damping"].items():
            if value is not None and value < 0:
                found.append(f"{own['title']}: the best design of {name} oscillates")
        for row in own["methods"]:
            if row["best"] is None:
                found.append(f"{own['title']}: {row['title']} found no working design")
            for note in row["notes"]:
                found.append(f"{own['title']}: {row['title']} stopped: {note}")
    return list(dict.fromkeys(found))
