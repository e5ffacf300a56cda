# SPDX-License-Identifier: Apache-2.0
"""A report as one self-contained HTML page: inline style and figures, no script, no network."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from workbench.experiments.config import command_line
from workbench.experiments.figures import with_prefix
from workbench.experiments.folder import ID_LENGTH, StoredRun
from workbench.experiments.page_style import STYLE
from workbench.experiments.progress import duration
from workbench.experiments.report import (
    Block,
    Cell,
    Facts,
    Figure,
    Preformatted,
    Report,
    Section,
    Table,
)

_SMALL_TABLE = 4
_SHARES_A_ROW = 480.0  # points; a figure of 5.2 inches has 374
_VERDICTS = {True: ("holds", "Holds"), False: ("fails", "Does not hold"), None: ("open", "Result")}


def render(report: Report, run: StoredRun, config: Any) -> str:
    """Return the page of ``report`` as HTML text.

    Parameters
    ----------
    report
        What the experiment has to say.
    run
        The finished run: its config, environment, timing and warnings are added to the page.
    config
        The run's config dataclass, for the command that repeats the run.
    """
    figures = _Numbering()
    warnings = [*report.warnings, *run.result().get("warnings", [])]
    body = [
        _header(report, run),
        _warnings(warnings),
        _section(Section("Result", [report.table]), figures, "result"),
        *(_section(section, figures) for section in report.sections),
        _provenance(run, command_line(run.experiment, config)),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        # The page asks for nothing; this makes the browser hold it to that.
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(report.title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(body)}</main>\n</body>\n</html>\n"
    )


class _Numbering:
    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        self._last += 1
        return f"f{self._last}-"


def _header(report: Report, run: StoredRun) -> str:
    kind, word = _VERDICTS[report.holds]
    subtitle = f'<p class="subtitle">{escape(report.subtitle)}</p>\n' if report.subtitle else ""
    return (
        f'<header>\n<p class="eyebrow">{escape(run.experiment)} '
        f"<span>{escape(run.id[:ID_LENGTH])}</span></p>\n"
        f"<h1>{escape(report.title)}</h1>\n{subtitle}"
        f'<div class="verdict {kind}"><span class="badge">{word}</span>'
        f"<p>{escape(report.verdict)}</p></div>\n</header>\n"
    )


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in dict.fromkeys(warnings))
    return f'<aside class="warnings"><h2>Read with care</h2><ul>{items}</ul></aside>\n'


def _section(section: Section, figures: _Numbering, kind: str = "") -> str:
    parts: list[str] = []
    row: list[str] = []
    for block in section.blocks:
        if isinstance(block, Figure):
            row.append(_figure(block, figures))
            continue
        parts += _figure_row(row)
        row = []
        parts.append(_block(block))
    parts += _figure_row(row)
    attribute = f' class="{kind}"' if kind else ""
    content = "".join(parts)
    return f"<section{attribute}>\n<h2>{escape(section.title)}</h2>\n{content}</section>\n"


def _figure_row(figures: Sequence[str]) -> list[str]:
    return [f'<div class="figures">{"".join(figures)}</div>\n'] if figures else []


def _block(block: Block) -> str:
    if isinstance(block, str):
        return f"<p>{escape(block)}</p>\n"
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Preformatted):
        return (
            f'<figure class="plain"><div class="scroll" tabindex="0"><pre>{escape(block.text)}'
            f"</pre></div>{_caption(block.caption)}</figure>\n"
        )
    if isinstance(block, Facts):
        return _facts(block.items)
    raise TypeError(f"a report cannot hold a {type(block).__name__}: {block!r}")


def _width(svg: str) -> str:
    """A class for drawings too wide to share a row."""
    found = re.search(r'viewBox="0 0 ([\d.]+)', svg)
    return ' class="wide"' if found and float(found[1]) > _SHARES_A_ROW else ""


def _figure(figure: Figure, figures: _Numbering) -> str:
    svg = with_prefix(figure.svg, figures.next())
    label = escape(figure.alt or figure.caption or "figure", quote=True)
    return (
        f'<figure{_width(svg)}><div class="scroll" role="img" aria-label="{label}">{svg}</div>'
        f"{_caption(figure.caption)}</figure>"
    )


def _caption(text: str) -> str:
    return f"<figcaption>{escape(text)}</figcaption>" if text else ""


def _table(table: Table) -> str:
    indices = range(len(table.columns))
    sides = [' class="n"' if table.is_right_aligned(i) else "" for i in indices]
    best = [table.best_rows(i) for i in indices]
    size = ' class="small"' if len(table.columns) <= _SMALL_TABLE else ""
    head = "".join(
        f'<th scope="col"{sides[i]}>{escape(table.column(i).title)}</th>' for i in indices
    )
    rows = []
    for r in range(len(table.rows)):
        cells = []
        for i in indices:
            text = escape(table.text(r, i))
            text = f"<strong>{text}</strong>" if r in best[i] else text
            tag = '<th scope="row"' if i == 0 else "<td"
            cells.append(f"{tag}{sides[i]}>{text}</{'th' if i == 0 else 'td'}>")
        kind = ' class="highlight"' if r in table.highlight else ""
        rows.append(f"<tr{kind}>{''.join(cells)}</tr>\n")
    return (
        f'<figure class="plain"><div class="scroll" tabindex="0"><table{size}>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{''.join(rows)}</tbody>\n</table></div>"
        f"{_caption(table.caption)}{_hints(table)}</figure>\n"
    )


def _hints(table: Table) -> str:
    columns = [table.column(i) for i in range(len(table.columns))]
    hints = [column for column in columns if column.hint]
    if not hints:
        return ""
    items = "".join(f"<dt>{escape(c.title)}</dt><dd>{escape(c.hint)}</dd>" for c in hints)
    return f'<dl class="hints">{items}</dl>'


def _facts(items: Mapping[str, Cell]) -> str:
    table = Table(["", ""], [[name, value] for name, value in items.items()])
    pairs = "".join(
        f"<div><dt>{escape(table.text(i, 0))}</dt><dd>{escape(table.text(i, 1))}</dd></div>"
        for i in range(len(table.rows))
    )
    return f'<dl class="facts">{pairs}</dl>\n'


def _provenance(run: StoredRun, command: str) -> str:
    timing = run.timing()
    sessions = run.environment()
    parts = [
        "<section>\n<h2>How this was made</h2>\n",
        f'<div class="scroll" tabindex="0"><pre class="command">{escape(command)}</pre></div>\n',
        _details("Config", _facts(dict(_flat(run.config)))),
    ]
    for i, session in enumerate(sessions):
        title = "Environment" if len(sessions) == 1 else f"Environment of session {i + 1}"
        shown = {key: value for key, value in session.items() if key != "command"}
        parts.append(_details(title, _facts(dict(_flat(shown)))))
    spent = {"total": duration(timing["total"]), "sessions": str(timing["sessions"])}
    for group in ("seconds", "steps"):
        spent.update({key: duration(seconds) for key, seconds in timing[group].items()})
    parts.append(_details(f"Time spent: {duration(timing['total'])}", _facts(spent)))
    return "".join(parts) + "</section>\n"


def _details(title: str, content: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{content}</details>\n"


def _flat(value: Any, prefix: str = "") -> Iterable[tuple[str, Cell]]:
    """Yield nested mappings as dotted names, lists as JSON."""
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping):
            yield from _flat(item, f"{name}.")
        elif item is None or isinstance(item, (str, int, float)):
            yield name, item
        else:
            yield name, json.dumps(item, ensure_ascii=False)
