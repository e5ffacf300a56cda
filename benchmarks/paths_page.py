# SPDX-License-Identifier: Apache-2.0
"""Writes the measured part of ``docs/kernels/shortest_paths.md`` from the kept result files.

Run ``python benchmarks/paths_page.py`` after a ``--save``; a test holds page and files together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["PAGE", "RESULTS", "table", "with_table"]

_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "kernels" / "shortest_paths.md"
RESULTS = _ROOT / "benchmarks" / "results"

_FIRST, _LAST = "<!-- from results: begin -->\n", "<!-- from results: end -->\n"
_PEERS = (
    ("scipy", "distances"),
    ("scipy", "trees"),
    ("networkit", "distances"),
    ("rustworkx", "distances"),
    ("igraph", "distances"),
)
_Times = Mapping[tuple[str, str], float]


def _read(threads: int, folder: Path) -> dict[str, Any] | None:
    path = folder / f"shortest_paths-t{threads}.json"
    if not path.is_file():
        return None
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def _times(case: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    return {
        (row["package"], row["variant"]): row["median_ms"]
        for row in case["rows"]
        if row["median_ms"] is not None
    }


def _ms(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _over(times: _Times, peer: tuple[str, str], ours: tuple[str, str]) -> str:
    if peer not in times or ours not in times:
        return ""
    return f"{times[peer] / times[ours]:.2f}"


def _searches(one: dict[str, Any], two: dict[str, Any] | None) -> list[str]:
    """One row per case; the speed-up of two threads is taken within the run of two."""
    later = {case["key"]: _times(case) for case in two["cases"]} if two else {}
    lines = [
        "| case | distances, ms | with trees, ms | 2 threads: x, x | "
        + " | ".join(f"{name} {variant}" for name, variant in _PEERS)
        + " |",
        "|---|" + "---:|" * (3 + len(_PEERS)),
    ]
    for case in one["cases"]:
        times = _times(case)
        if ("workbench", "distances") not in times:
            continue
        beside = later.get(case["key"], {})
        gains = [
            _over(beside, ("workbench", f"{kind}, 1 thread"), ("workbench", kind))
            for kind in ("distances", "trees")
        ]
        cells = [
            case["key"],
            _ms(times[("workbench", "distances")]),
            _ms(times.get(("workbench", "trees"))),
            ", ".join(gains) if all(gains) else "",
            *(_over(times, peer, ("workbench", peer[1])) for peer in _PEERS),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _limits(one: dict[str, Any]) -> list[str]:
    lines = []
    for case in one["cases"]:
        times = _times(case)
        for (package, variant), ms in times.items():
            if package == "workbench" and variant in ("sparse", "full array"):
                lines.append(
                    f"- {case['title'][0].upper()}{case['title'][1:]}: {variant} {_ms(ms)} ms, "
                    f"scipy's full array takes "
                    f"{_over(times, ('scipy', 'full array'), (package, variant))} times as long."
                )
    return lines


def table(folder: Path = RESULTS) -> str:
    """Return the Markdown computed from the runs of one and two threads in a folder."""
    one, two = _read(1, folder), _read(2, folder)
    if one is None:
        return "No run is kept yet: `python benchmarks/shortest_paths.py --threads 1 --save`.\n"
    lines = [*_searches(one, two), "", *_limits(one)]
    goals = [verdict for case in one["cases"] for verdict in case["verdicts"]]
    goals += [verdict for case in two["cases"] for verdict in case["verdicts"]] if two else []
    measured = [verdict for verdict in goals if verdict["status"] != "not measured"]
    missed = [
        f"`{case['key']}` {verdict['peer']} {verdict['ratio']:.2f} (goal {verdict['goal']:g})"
        for report in (one, two)
        if report
        for case in report["cases"]
        for verdict in case["verdicts"]
        if verdict["status"] == "missed"
    ]
    lines += [
        "",
        f"Of {len(measured)} goals {len(measured) - len(missed)} are met"
        + ("." if not missed else "; missed: " + ", ".join(missed) + "."),
        "",
        "Full tables: "
        + ", ".join(
            f"[{report['threads']} thread(s)]"
            f"(../../benchmarks/results/shortest_paths-t{report['threads']}.md)"
            for report in (one, two)
            if report
        )
        + ".",
    ]
    return "\n".join(lines) + "\n"


def with_table(text: str, measured: str) -> str:
    """Return a page with everything between its two marks replaced.

    Raises
    ------
    ValueError
        When the page does not hold both marks once.
    """
    if text.count(_FIRST) != 1 or text.count(_LAST) != 1:
        raise ValueError("the page does not hold each mark once")
    before, rest = text.split(_FIRST)
    return before + _FIRST + measured + _LAST + rest.split(_LAST)[1]


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), table()), encoding="utf-8")
