# SPDX-License-Identifier: Apache-2.0
"""``workbench list`` and ``workbench runs``."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.cli.arguments import Arguments
from workbench.experiments.discovery import find_experiments


def list_experiments(words: Sequence[str]) -> int:
    """Print the experiments that installed packages announce."""
    parser = Arguments("list", "Experiments that can be run, and those that are broken.")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    arguments = parser.read(words)
    found = find_experiments()
    if arguments.json:
        rows = [
            {
                "name": plugin.name,
                "summary": plugin.value.summary if plugin.value is not None else None,
                "version": plugin.value.version if plugin.value is not None else None,
                "origin": plugin.origin,
                "state": "broken" if plugin.error else "ok",
                "error": plugin.error,
            }
            for plugin in found
        ]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if not found:
        print("no experiments: is the package installed? (in a checkout: pip install -e .)")
        return 0
    good = [(plugin.name, plugin.value.summary) for plugin in found if plugin.error is None]
    broken = [(plugin.name, str(plugin.error)) for plugin in found if plugin.error is not None]
    print_pairs(good)
    if broken:
        print("\nbroken:" if good else "broken:")
        print_pairs(broken)
    if good:
        print(f"\nworkbench run {good[0][0]} --help shows its options", file=sys.stderr)
    return 0


def list_runs(words: Sequence[str]) -> int:
    """Print the runs on disk, the newest first."""
    parser = Arguments("runs", "Runs on disk, the newest first.")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="where runs are kept")
    parser.add_argument("--json", action="store_true", help="print a JSON list")
    arguments = parser.read(words)
    from workbench.experiments.folder import run_folders

    rows = sorted(map(_describe, run_folders(arguments.runs)), key=lambda row: -row["created"])
    if arguments.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if not rows:
        print(f"no runs under {arguments.runs} yet; `workbench list` shows what can be run")
        return 0
    now = time.time()
    cells = [
        (
            f"{row['experiment']}/{row['id']}",
            row["state"],
            age(now - row["created"]),
            row["headline"] or row["error"] or "",
        )
        for row in rows
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(3)]
    for run, state, when, words_about in cells:
        line = f"{run:<{widths[0]}}  {state:<{widths[1]}}  {when:>{widths[2]}}  {words_about}"
        print(line.rstrip())
    return 0


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and texts in two columns, the texts wrapped to the terminal."""
    width = max(len(name) for name, _ in pairs)
    columns = shutil.get_terminal_size((100, 24)).columns
    for name, text in pairs:
        lines = textwrap.wrap(text, max(30, columns - width - 4)) or [""]
        print(f"  {name:<{width}}  {lines[0]}")
        for line in lines[1:]:
            print(f"  {'':<{width}}  {line}")


def age(seconds: float) -> str:
    """Return how long ago something was, as ``"3 h"``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def _describe(folder: Path) -> dict[str, Any]:
    from workbench.experiments.folder import CONFIG, RunError, StoredRun

    row: dict[str, Any] = {
        "experiment": folder.parent.name,
        "id": folder.name,
        "path": str(folder),
        "state": "refused",
        "created": folder.stat().st_mtime,
        "headline": None,
        "passed": None,
        "error": None,
    }
    try:
        stored = StoredRun(folder)
        row["created"] = (folder / CONFIG).stat().st_mtime
        row["state"] = stored.state
        if row["state"] == "finished":
            result = stored.result()
            row["headline"], row["passed"] = result.get("headline"), result.get("passed")
    except RunError as error:
        row["state"], row["error"] = "refused", str(error)
    return row
