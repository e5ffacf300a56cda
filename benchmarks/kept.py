# SPDX-License-Identifier: Apache-2.0
"""Where a measurement without rivals is kept: one option, one JSON file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

__all__ = ["add_save", "keep"]

_RESULTS = Path(__file__).resolve().parent / "results"


def add_save(parser: argparse.ArgumentParser, name: str) -> None:
    """Add ``--save [FOLDER]``, which :func:`keep` takes."""
    parser.add_argument(
        "--save",
        nargs="?",
        type=Path,
        const=_RESULTS,
        metavar="FOLDER",
        help=f"write {name}.json there (default: benchmarks/results)",
    )


def keep(folder: Path | None, name: str, found: dict[str, Any]) -> None:
    """Write ``name.json`` into the folder, if there is one."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path}")
