# SPDX-License-Identifier: Apache-2.0
"""A report's table in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from workbench.experiments.report import Report, Table

if TYPE_CHECKING:
    import rich.table

_WIDE_ENOUGH = 400
_GAP = 2


def print_report(report: Report, warnings: list[str], stream: TextIO) -> None:
    """Print the report's title, main table, verdict and warnings to ``stream``.

    Where ``stream`` is no terminal, nothing is coloured and no row is broken to fit a width.
    """
    from rich.console import Console
    from rich.text import Text

    width = None if stream.isatty() else _WIDE_ENOUGH
    console = Console(file=stream, width=width, highlight=False)
    console.print(Text(report.title, style="bold"))
    for i, drawn in enumerate(_fitted(report.table, console.width)):
        if i:
            console.print()
        console.print(drawn)
    if report.table.caption:
        console.print(Text(report.table.caption, style="dim"))
    style = {True: "green", False: "red", None: ""}[report.holds]
    console.print(Text(report.verdict, style=style), soft_wrap=not stream.isatty())
    for warning in dict.fromkeys(warnings):
        console.print(Text(f"warning: {warning}", style="yellow"), soft_wrap=not stream.isatty())


def _fitted(table: Table, room: int) -> list[rich.table.Table]:
    """Return the table, in several parts below one another where it is wider than ``room``."""
    for broken_titles in (False, True):
        widths = _natural_widths(table, broken_titles)
        groups = _groups(widths, room)
        if len(groups) == 1:
            break
    return [_rich_table(table, group, widths) for group in groups]


def _rich_table(table: Table, columns: Sequence[int], widths: Sequence[int]) -> rich.table.Table:
    from rich import box
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(box=box.SIMPLE_HEAD, padding=(0, 0, 0, _GAP - 1), pad_edge=False)
    drawn.show_edge = False
    for i in columns:
        justify: Any = "right" if table.is_right_aligned(i) else "left"
        drawn.add_column(Text(table.column(i).title), justify=justify, width=widths[i])
    best = {i: table.best_rows(i) for i in columns}
    for r in range(len(table.rows)):
        cells = [Text(table.text(r, i), style="green" if r in best[i] else "") for i in columns]
        drawn.add_row(*cells, style="bold" if r in table.highlight else None)
    return drawn


def _natural_widths(table: Table, broken_titles: bool) -> list[int]:
    """Width of each column so that no cell is broken, and titles at most between words."""
    from rich.cells import cell_len

    widths = []
    for i in range(len(table.columns)):
        title = table.column(i).title
        words = title.split() if broken_titles else [title]
        cells = [table.text(r, i) for r in range(len(table.rows))]
        widths.append(max(map(cell_len, ["", *words, *cells])))
    return widths


def _groups(widths: Sequence[int], room: int) -> list[list[int]]:
    """Split the columns into groups that fit ``room``, each led by the first column."""
    groups: list[list[int]] = []
    used = room + 1
    for i in range(1, len(widths)):
        if used + _GAP + widths[i] > room:
            groups.append([0])
            used = widths[0]
        groups[-1].append(i)
        used += _GAP + widths[i]
    return groups or [[0]]
