# SPDX-License-Identifier: Apache-2.0
"""Writes the measured part of ``docs/kernels/circuit_sim.md`` from the kept result files.

Run ``python benchmarks/circuit_sim_page.py`` after a ``--save``; a test holds page and files
together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from paths_page import with_table

__all__ = ["PAGE", "RESULTS", "accuracy_table", "measured", "speed_table"]

_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "kernels" / "circuit_sim.md"
RESULTS = _ROOT / "benchmarks" / "results"

_PEERS = (
    ("ngspice -b", "one process each"),
    ("libngspice", "reload"),
    ("libngspice", "alter"),
    ("libngspice", "alter, own tolerances"),
)
_OURS = "workbench"
_TRANSIENT = "LDO transient"


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _rows(case: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    return {
        (row["package"], row["variant"]): row
        for row in case["rows"]
        if row["median_ms"] is not None
    }


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _times(
    rows: Mapping[tuple[str, str], Mapping[str, Any]],
    key: tuple[str, str],
    ours: tuple[str, str],
) -> str:
    if key not in rows or ours not in rows:
        return ""
    return _number(rows[key]["median_ms"] / rows[ours]["median_ms"])


def _each(case: Mapping[str, Any], key: tuple[str, str]) -> str:
    """Microseconds per sizing."""
    row = _rows(case).get(key)
    return "" if row is None else _number(1e3 * row["median_ms"] / case["samples"])


def speed_table(report: Mapping[str, Any], one: Mapping[str, Any] | None) -> list[str]:
    """Return one line per case: ours per sizing, and how many times as long ngspice takes.

    Parameters
    ----------
    report : mapping
        The run whose numbers are shown.
    one : mapping, optional
        The run of one thread, for the column beside.
    """
    alone = {case["key"]: case for case in one["cases"]} if one else {}
    threads = report["threads"]
    lines = [
        f"| sizings, {threads} thread(s) | us each | one thread, us | share of peak | "
        "with gradients, x | " + " | ".join(f"{p}, {v}" for p, v in _PEERS) + " |",
        "|---|" + "---:|" * (4 + len(_PEERS)),
    ]
    for case in report["cases"]:
        if case["key"] == _TRANSIENT:
            continue
        rows = _rows(case)
        kind = case["key"].rsplit(" ", 1)[1]
        key = (_OURS, kind)
        if key not in rows:
            continue
        plain = (_OURS, "operators" if kind == "sweep" else kind)
        beside = alone.get(case["key"])
        share = rows[key]["share"]
        lines.append(
            "| "
            + " | ".join(
                [
                    case["key"],
                    _each(case, key),
                    "" if beside is None else _each(beside, key),
                    "" if share is None else f"{share:.0%}",
                    _times(rows, (_OURS, f"{plain[1]}, gradients"), plain),
                    *(_times(rows, peer, key) for peer in _PEERS),
                ]
            )
            + " |"
        )
    return lines


def _transient(report: Mapping[str, Any]) -> list[str]:
    for case in report["cases"]:
        if case["key"] != _TRANSIENT:
            continue
        rows = _rows(case)
        lines = []
        for variant in ("accurate", "rough"):
            ours = rows.get((_OURS, variant))
            if ours is None:
                continue
            each = _number(1e3 * ours["median_ms"] / case["samples"])
            theirs = [
                f"{package} takes {_times(rows, (package, way), (_OURS, variant))} times as long"
                for package, way in (
                    ("ngspice -b", f"one process each, {variant}"),
                    ("libngspice", f"alter, {variant}"),
                )
                if (package, way) in rows
            ]
            lines.append(
                f"- Load step of the LDO, 20 us, {variant}: {each} us each ({ours['note']}); "
                + ", ".join(theirs)
                + "."
            )
        return lines
    return []


def _goals(reports: Sequence[Mapping[str, Any]]) -> str:
    verdicts = [
        (report["threads"], case["key"], verdict)
        for report in reports
        for case in report["cases"]
        for verdict in case["verdicts"]
        if verdict["status"] != "not measured"
    ]
    missed = [
        f"`{key}` {verdict['peer']} {_number(verdict['ratio'])} (goal {verdict['goal']:g}, "
        f"{threads} thread(s))"
        for threads, key, verdict in verdicts
        if verdict["status"] == "missed"
    ]
    return f"Of {len(verdicts)} goals {len(verdicts) - len(missed)} are met" + (
        "." if not missed else "; missed: " + ", ".join(missed) + "."
    )


def accuracy_table(kept: Mapping[str, Any]) -> list[str]:
    """Return one line per amplifier: the largest differences over all temperatures."""
    rows = kept["rows"]
    celsius = sorted({row["celsius"] for row in rows})
    names = dict.fromkeys(row["amplifier"] for row in rows)
    lines = [
        f"Largest difference from ngspice {kept['ngspice']} at "
        + ", ".join(f"{c:g}" for c in celsius)
        + " C:",
        "",
        "| | sizings | unsolved | potentials, V | transfer, relative | of its sweep's largest | "
        "noise, relative |",
        "|---|" + "---:|" * 6,
    ]
    for name in names:
        of = [row for row in rows if row["amplifier"] == name]
        worst = [
            f"{max(row[key] for row in of):.0e}"
            for key in ("potentials", "transfer", "transfer_of_largest", "noise")
        ]
        sizings, unsolved = (str(sum(row[key] for row in of)) for key in ("sizings", "unsolved"))
        lines.append("| " + " | ".join([name, sizings, unsolved, *worst]) + " |")
    return lines


def measured(folder: Path = RESULTS) -> str:
    """Return the Markdown computed from the runs kept in a folder."""
    reports = {t: _read(folder / f"circuit_sim-t{t}.json") for t in (1, 2)}
    found = [report for report in (reports[2], reports[1]) if report is not None]
    lines = []
    if found:
        lines += [*speed_table(found[0], reports[1]), "", *_transient(found[0]), "", _goals(found)]
        links = (
            f"[{report['threads']} thread(s)]"
            f"(../../benchmarks/results/circuit_sim-t{report['threads']}.md)"
            for report in reversed(found)
        )
        lines += ["", "Full tables: " + ", ".join(links) + "."]
    else:
        lines.append("No run is kept yet: `python benchmarks/circuit_sim.py --threads 2 --save`.")
    kept = _read(folder / "circuit_sim-accuracy.json")
    if kept is not None:
        lines += ["", *accuracy_table(kept)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), measured()), encoding="utf-8")
