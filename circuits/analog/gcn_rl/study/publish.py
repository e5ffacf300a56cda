# SPDX-License-Identifier: Apache-2.0
"""Writes the measured parts of ``docs/systems/gcn-rl.md`` from a finished run.

``python -m circuits.analog.gcn_rl.study.publish RUN [NOTE]`` keeps what the run found beside the
page, with a sentence on how it was made, draws its pictures and fills in its tables; without RUN
it fills them in from what was kept.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits.analog.gcn_rl.study.config import Config
from circuits.analog.gcn_rl.study.tables import table_names, tables
from circuits.analog.gcn_rl.study.words import moonshot_sentence
from workbench.experiments import Table
from workbench.experiments.config import config_to_json

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["draw", "filled", "keep", "main", "markdown"]

PAGE = Path("docs/systems/gcn-rl.md")
RESULTS = Path("docs/systems/gcn-rl-results.json")
PICTURES = Path("docs/images")
#: What a report's page would give these names; a picture by itself has a page of any colour.
_COLOURS = {
    "ink": "#57606a",
    "muted": "#8c959f",
    "grid": "#8c959f44",
    "surface": "#ffffff",
    "quiet": "#8c959f",
    "series-0": "#0969da",
    "series-1": "#d9730d",
    "series-2": "#1a7f37",
    "series-3": "#cf222e",
    "series-4": "#8250df",
    "series-5": "#9a6700",
}
_BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WORDS = ("headline", "provenance", "reached")
_DIGITS = 6

Result = Mapping[str, Any]


def markdown(table: Table) -> str:
    """Return a table as Markdown, its caption and hints below."""
    count = len(table.columns)
    lines = [
        "| " + " | ".join(table.column(i).title for i in range(count)) + " |",
        "|" + "|".join("--:" if table.is_right_aligned(i) else "---" for i in range(count)) + "|",
    ]
    best = [table.best_rows(i) for i in range(count)]
    for row in range(len(table.rows)):
        cells = [table.text(row, i) for i in range(count)]
        cells = [f"**{cell}**" if row in best[i] else cell for i, cell in enumerate(cells)]
        lines.append("| " + " | ".join(cells) + " |")
    hints = [f"{c.title}: {c.hint}" for i in range(count) if (c := table.column(i)).hint]
    words = " ".join([table.caption, *(f"{hint[:1].upper()}{hint[1:]}." for hint in hints)])
    return "\n".join(lines) + "\n" + (f"\n{words.strip()}\n" if words.strip() else "")


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
    made["provenance"] = _provenance(parts)
    made["headline"] = f"{result['headline'][:1].upper()}{result['headline'][1:]}.\n"
    if result["circuits"]:
        made["reached"] = "".join(
            f"- {own['title']}: {moonshot_sentence(own)}\n" for own in result["circuits"]
        )

    def fill(match: re.Match[str]) -> str:
        if match[2] not in made and match[2] not in (*table_names(), *_WORDS):
            known = sorted({*table_names(), *_WORDS})
            raise ValueError(f"the page names the table {match[2]!r}; there are {known}")
        if match[2] not in made:
            return f"{match[1]}{match[3]}"  # not part of this run
        return f"{match[1]}\n{made[match[2]]}\n{match[3]}"

    return _BLOCK.sub(fill, page)


def _provenance(parts: Mapping[str, Any]) -> str:
    usual = config_to_json(Config())
    other = [f"{k} = {v}" for k, v in sorted(parts["config"].items()) if v != usual.get(k)]
    words = [
        f"Run with {', '.join(other)}, all else as by default." if other else "The full run.",
        f"Processor: {parts['cpu']}; {parts['total'] / 60:.0f} minutes in all.",
        parts["note"],
    ]
    return " ".join(words).strip() + "\n"


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
    from workbench.experiments.figures import to_svg

    result = json.loads(text)["result"]
    drawings: dict[str, tuple[tuple[float, float], Callable[[Figure], None]]] = {}
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
    for name, (size, drawing) in drawings.items():
        svg = to_svg(drawing, size)
        for variable, colour in _COLOURS.items():
            svg = svg.replace(f"var(--{variable})", colour)
        (folder / f"gcn-rl-{name}.svg").write_text(svg + "\n", encoding="utf-8")


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
