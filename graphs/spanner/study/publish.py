# SPDX-License-Identifier: Apache-2.0
"""Writes the measured parts of ``docs/systems/spanners.md`` from a finished run.

``python -m graphs.spanner.study.publish RUN [NOTE]`` keeps what the run found beside the page, with
a sentence on how it was made, and fills in the page's tables; without RUN it fills them in from
what was kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from graphs.spanner.study.config import Config
from graphs.spanner.study.measured import Measured, read_measured
from graphs.spanner.study.tables import TABLES, tables
from workbench.experiments.config import config_to_json
from workbench.experiments.published import (
    Drawing,
    filled_blocks,
    markdown,
    provenance,
    save_picture,
)

__all__ = ["draw", "filled", "keep", "main", "read_kept"]

PAGE = Path("docs/systems/spanners.md")
RESULTS = Path("docs/systems/spanners-results.json")
PICTURES = Path("docs/images")
#: Long lists of records with equal fields.
_LISTS = (("sizes", "rows"), ("times",), ("growth",), ("certificates", "rows"))

Result = dict[str, Any]


def filled(page: str, text: str) -> str:
    """Return the page with its tables and facts as in what was kept.

    Raises
    ------
    ValueError
        If the page names a table there is none of.
    """
    result, measured = read_kept(text)
    made = {name: markdown(table) for name, table in tables(result, measured).items()}
    parts = json.loads(text)
    made["provenance"] = provenance(
        parts["config"],
        config_to_json(Config()),
        f"{parts['cpu']}, one thread where seconds are given",
        parts["total"],
        parts["note"],
    )
    made["headline"] = f"{result['headline'][:1].upper()}{result['headline'][1:]}.\n"
    return filled_blocks(page, made, TABLES)


def keep(
    config: Mapping[str, Any], cpu: str, result: Result, measured: Measured, note: str = ""
) -> str:
    """Return what is kept of a run, as compact JSON text; :func:`read_kept` is the inverse."""
    kept = json.loads(json.dumps(result))
    for path in _LISTS:
        parent = kept
        for name in path[:-1]:
            parent = parent[name] or {}
        if parent.get(path[-1]):
            parent[path[-1]] = _packed(parent[path[-1]])
    parts = {
        "config": config,
        "cpu": cpu,
        "note": note,
        "seconds": {key: round(value, 5) for key, value in measured.seconds.items()},
        "bytes": measured.bytes,
        "total": round(measured.total, 1),
        "result": kept,
    }
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def read_kept(text: str) -> tuple[Result, Measured]:
    """Return the result and the measurements that :func:`keep` wrote."""
    parts = json.loads(text)
    result = parts["result"]
    for path in _LISTS:
        parent = result
        for name in path[:-1]:
            parent = parent[name] or {}
        if parent.get(path[-1]):
            packed = parent[path[-1]]
            parent[path[-1]] = [
                {k: v for k, v in zip(packed["fields"], row, strict=True) if v is not None}
                for row in packed["rows"]
            ]
    return result, Measured(parts["seconds"], parts["bytes"], parts["total"])


def draw(text: str, folder: Path) -> None:
    """Draw what was kept into the page's pictures."""
    from graphs.spanner.study import figures

    result, measured = read_kept(text)
    drawings: dict[str, Drawing] = {
        "spanners-size": ((8.6, 5.4), lambda f: figures.draw_sizes(f, result["sizes"]["rows"])),
        "spanners-time": ((8.6, 5.6), lambda f: figures.draw_times(f, result["times"], measured)),
        "spanners-growth": (
            (8.6, 3.4),
            lambda f: figures.draw_growth(f, result["growth"], measured),
        ),
    }
    for name, drawing in drawings.items():
        save_picture(folder / f"{name}.svg", drawing)


def _packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    fields = list(dict.fromkeys(field for row in rows for field in row))
    return {
        "fields": fields,
        "rows": [[_rounded(row.get(field)) for field in fields] for row in rows],
    }


def _rounded(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def main(argv: Sequence[str]) -> None:
    """Keep a run and fill in the page, or fill it in from what was kept."""
    if argv:
        from workbench.experiments.folder import StoredRun

        run = StoredRun(argv[0])
        cpu = str(run.environment()[-1]["cpu"])
        measured = read_measured(run.timing(), run)
        text = keep(run.config, cpu, run.result(), measured, " ".join(argv[1:]))
        RESULTS.write_text(text, encoding="utf-8")
        draw(text, PICTURES)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page, RESULTS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
