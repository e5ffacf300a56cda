# SPDX-License-Identifier: Apache-2.0
"""The measured parts of a documentation page: tables as Markdown, blocks filled in, pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.experiments.report import Table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Drawing", "filled_blocks", "markdown", "provenance", "save_picture"]

if TYPE_CHECKING:
    Drawing = tuple[tuple[float, float], Callable[[Figure], None]]
else:
    Drawing = tuple

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


def markdown(table: Table) -> str:
    """Return a table as Markdown, its best values bold, its caption and hints below."""
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


def filled_blocks(page: str, made: Mapping[str, str], known: Collection[str]) -> str:
    """Return a page with its blocks ``<!-- table: name -->`` to ``<!-- end -->`` filled in.

    Parameters
    ----------
    page : str
    made : mapping
        Markdown by name.
    known : collection of str
        Names that a page may ask for; what was not made is left empty.

    Raises
    ------
    ValueError
        If the page names another one.
    """

    def fill(match: re.Match[str]) -> str:
        if match[2] not in made and match[2] not in known:
            names = sorted({*known, *made})
            raise ValueError(f"the page names the table {match[2]!r}; there are {names}")
        if match[2] not in made:
            return f"{match[1]}{match[3]}"  # not part of this run
        return f"{match[1]}\n{made[match[2]]}\n{match[3]}"

    return _BLOCK.sub(fill, page)


def provenance(
    config: Mapping[str, Any], usual: Mapping[str, Any], cpu: str, seconds: float, note: str
) -> str:
    """Say in what a run differs from the usual one, on what it ran, and how long."""
    other = [f"{k} = {v}" for k, v in sorted(config.items()) if v != usual.get(k)]
    words = [
        f"Run with {', '.join(other)}, all else as by default." if other else "The full run.",
        f"Processor: {cpu}; {seconds / 60:.0f} minutes in all.",
        note,
    ]
    return " ".join(words).strip() + "\n"


def save_picture(path: Path, drawing: Drawing) -> None:
    """Draw ``(size, draw)`` into an SVG file that looks right on a light and a dark page."""
    from workbench.experiments.figures import to_svg

    size, draw = drawing
    svg = to_svg(draw, size)
    for variable, colour in _COLOURS.items():
        svg = svg.replace(f"var(--{variable})", colour)
    path.write_text(svg + "\n", encoding="utf-8")
