# SPDX-License-Identifier: Apache-2.0
"""What a report consists of: plain values an experiment fills in.

:mod:`workbench.experiments.page` makes a self-contained HTML page of them and
:mod:`workbench.experiments.terminal` a table in the terminal. All text is plain text and is
escaped there; the one piece of markup is a figure's SVG, which :func:`draw_figure` makes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import matplotlib.figure

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class Column:
    """A column of a :class:`Table`."""

    title: str
    format: str = ""
    """How numbers are written, as in ``format(value, ".3f")``; text is shown as it is."""
    align: Literal["left", "right"] | None = None
    """By default, numbers stand to the right and text to the left."""
    best: Literal["min", "max"] | None = None
    """Mark the least or greatest number of the column."""
    hint: str = ""
    """What the column means, in a few words; shown below the table."""


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers; None shows as a dash."""

    columns: Sequence[Column | str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""
    highlight: Sequence[int] = ()
    """Indices of the rows the reader should look at first."""

    def __post_init__(self) -> None:
        for i, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"Table: rows[{i}] must have {len(self.columns)} cells, got {len(row)}"
                )

    def column(self, index: int) -> Column:
        """Return the column at ``index``, made of its title where only that was given."""
        column = self.columns[index]
        return Column(column) if isinstance(column, str) else column

    def text(self, row: int, index: int) -> str:
        """Return a cell as it is shown."""
        value = self.rows[row][index]
        if value is None:
            return "\N{EN DASH}"
        if isinstance(value, bool):
            return "yes" if value else "no"
        form = self.column(index).format
        if isinstance(value, str):
            return value
        return format(value, form).replace("-", "\N{MINUS SIGN}")

    def is_right_aligned(self, index: int) -> bool:
        """Whether the column stands to the right."""
        align = self.column(index).align
        if align is not None:
            return align == "right"
        values = [row[index] for row in self.rows if row[index] is not None]
        return bool(values) and all(isinstance(value, (int, float)) for value in values)

    def best_rows(self, index: int) -> frozenset[int]:
        """Return the rows that hold the column's best number."""
        best = self.column(index).best
        numbers = [
            (row[index], i)
            for i, row in enumerate(self.rows)
            if isinstance(row[index], (int, float)) and row[index] == row[index]
        ]
        if best is None or not numbers:
            return frozenset()
        extreme = (min if best == "min" else max)(value for value, _ in numbers)  # type: ignore[type-var]
        return frozenset(i for value, i in numbers if value == extreme)


@dataclass(frozen=True)
class Figure:
    """A drawing in SVG; made by :func:`draw_figure`."""

    svg: str
    caption: str = ""
    alt: str = ""
    """What a reader who cannot see the figure should know."""


@dataclass(frozen=True)
class Preformatted:
    """Text in a fixed-width face, as a circuit drawn in characters."""

    text: str
    caption: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and values, shown as a compact list."""

    items: Mapping[str, Cell]


Block = str | Table | Figure | Preformatted | Facts


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it; a plain str is a paragraph.

    Figures that follow one another share a row where there is room.
    """

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Report:
    """A report: the claim and its verdict first, then what they rest on.

    The page adds the warnings of the result, the config, the environment, the seconds spent and
    the command that makes the run again.
    """

    title: str
    verdict: str
    """One sentence: the number with its spread and n, and what it means."""
    table: Table
    """The main table: printed in the terminal, and the page's first."""
    sections: Sequence[Section] = ()
    subtitle: str = ""
    holds: bool | None = None
    """Whether the claim holds, fails (False), or there was none to check (None)."""
    warnings: Sequence[str] = field(default_factory=tuple)


def draw_figure(
    draw: Callable[[matplotlib.figure.Figure], Any],
    *,
    size: tuple[float, float] = (5.2, 3.2),
    caption: str = "",
    alt: str = "",
) -> Figure:
    """Draw a figure with matplotlib that fits the page in light and dark.

    Parameters
    ----------
    draw
        Receives an empty ``matplotlib.figure.Figure``; adds axes and draws. Leave text, axes and
        the colours ``C0`` to ``C5`` as they are: the page gives them a colour for each theme, as
        it does for ``MUTED``, ``QUIET``, ``ACCENT`` and ``INK`` of
        :mod:`workbench.experiments.figures`.
    size
        Width and height in inches. Keep 5.2 wide for figures that share a row.
    caption, alt
        The line below the figure, and the description for those who cannot see it.

    Returns
    -------
    Figure
        Equal drawings give equal bytes.
    """
    from workbench.experiments.figures import to_svg

    return Figure(to_svg(draw, size), caption, alt)
