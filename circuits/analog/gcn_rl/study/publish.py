# SPDX-License-Identifier: Apache-2.0
"""Writes the measured parts of ``docs/systems/gcn-rl.md`` from a finished run.

``python -m circuits.analog.gcn_rl.study.publish RUN [NOTE]`` keeps what the run found beside the
page, with a sentence on how it was made, draws its pictures and fills in its tables; without RUN
it fills them in from what was kept.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from circuits.analog.gcn_rl.study.config import Config
from circuits.analog.gcn_rl.study.tables import table_names, tables
from circuits.analog.gcn_rl.study.words import moonshot_sentence
from workbench.experiments.config import config_to_json
from workbench.experiments.published import (
    Drawing,
    filled_blocks,
    markdown,
    provenance,
    save_picture,
)

__all__ = ["draw", "filled", "keep", "main"]

PAGE = Path("docs/systems/gcn-rl.md")
RESULTS = Path("docs/systems/gcn-rl-results.json")
PICTURES = Path("docs/images")
_WORDS = ("headline", "provenance", "reached")
_DIGITS = 6

Result = Mapping[str, Any]


def filled(page: str, text: str) -> str:
    """Return the page with its tables and sentences as in what was kept.

    Raises
    ------
    ValueError
        If the page names a table there is none of.
    """
    parts = json.loads(text)
    result = parts["result"]
    made = {name: markdown(table) for name, table in tables(result).items()}
    made["provenance"] = provenance(
        parts["config"], config_to_json(Config()), parts["cpu"], parts["total"], parts["note"]
    )
    made["headline"] = f"{result['headline'][:1].upper()}{result['headline'][1:]}.\n"
    if result["circuits"]:
        made["reached"] = "".join(
            f"- {own['title']}: {moonshot_sentence(own)}\n" for own in result["circuits"]
        )
    return filled_blocks(page, made, (*table_names(), *_WORDS))


def keep(config: Result, cpu: str, result: Result, total: float, note: str = "") -> str:
    """Return what is kept of a run, as compact JSON text."""
    parts = {
        "config": config,
        "cpu": cpu,
        "note": note,
        "total": round(total, 1),
        "result": _rounded(result),
    }
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


def draw(text: str, folder: Path) -> None:
    """Draw what was kept into the page's pictures: ``gcn-rl-<what>-<circuit>.svg``."""
    from circuits.analog.gcn_rl.study import figures
    from circuits.analog.gcn_rl.study.netlist_figure import draw_netlist

    result = json.loads(text)["result"]
    drawings: dict[str, Drawing] = {}
    for own in result["circuits"]:
        name = own["circuit"].replace("_", "-")
        drawings[f"curves-{name}"] = ((9.4, 4.3), partial(figures.draw_curves, own=own))
        if own["netlist"] is not None:
            drawings[f"netlist-{name}"] = ((10.4, 5.2), partial(draw_netlist, found=own["netlist"]))
            drawings[f"response-{name}"] = (
                (5.2, 4.2),
                partial(figures.draw_response, found=own["response"]),
            )
    routes = result["transfer"]
    if routes:
        drawings["transfer"] = (
            (10.4, 1.2 + 2.5 * -(-len(routes) // 4)),
            partial(figures.draw_transfers, routes=routes),
        )
    for name, drawing in drawings.items():
        save_picture(folder / f"gcn-rl-{name}.svg", drawing)


def main(argv: Sequence[str]) -> None:
    """Keep a run and fill in the page, or fill it in from what was kept."""
    if argv:
        from workbench.experiments.folder import StoredRun

        run = StoredRun(argv[0])
        cpu = str(run.environment()[-1]["cpu"])
        total = float(run.timing()["total"])
        text = keep(run.config, cpu, run.result(), total, " ".join(argv[1:]))
        RESULTS.write_text(text, encoding="utf-8")
        draw(text, PICTURES)
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(filled(page, RESULTS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
