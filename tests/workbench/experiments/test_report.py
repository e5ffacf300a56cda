# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from workbench.experiments import (
    Column,
    Experiment,
    Facts,
    Preformatted,
    Report,
    Section,
    Table,
    draw_figure,
    execute,
)
from workbench.experiments.figures import ACCENT, QUIET
from workbench.experiments.page import render
from workbench.experiments.terminal import print_report

_HOSTILE = "<script>alert('x')</script> & \"quoted\" </style>"
_VOID = {"meta", "br", "img", "hr", "link", "input"}


class _Page(HTMLParser):
    """Collects what a browser would act on, and checks that tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.ids: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass(frozen=True)
class _Config:
    text: str = ""


def _draw(figure: Any) -> None:
    axes = figure.subplots()
    axes.plot([1, 2, 3], [3, 1, 2], label=_HOSTILE)
    axes.bar([1, 2], [1, 2], color=[QUIET, ACCENT])
    axes.set_title(_HOSTILE)
    axes.legend()


def _report(text: str) -> Report:
    columns = [Column(text, hint=text), Column("loss", ".3f", best="min"), "n"]
    table = Table(columns, [[text, 0.25, 1], ["b", -1.5, None]], caption=text, highlight=[1])
    figures = [draw_figure(_draw, caption=text, alt=text), draw_figure(_draw)]
    blocks = [text, *figures, Preformatted(text, text), Facts({text: text, "ok": True}), table]
    return Report(text, text, table, [Section(text, blocks)], text, True, [text])


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Any:
    experiment = Experiment(
        "page",
        "Pages",
        _Config,
        lambda config, run: {"warnings": [config.text]},
        lambda result, timing, run: Report("t", "v", Table(["a"], [[1]])),
    )
    chosen = _Config(text=_HOSTILE)
    return execute(experiment, chosen, runs=tmp_path_factory.mktemp("runs")).run, chosen


@pytest.fixture(scope="module")
def page(stored: Any) -> str:
    return render(_report(_HOSTILE), *stored)


def test_text_of_any_kind_is_escaped(page: str) -> None:
    parsed = _Page(page)
    assert "script" not in parsed.tags
    assert parsed.tags.count("style") == 1
    assert "alert" not in "".join(name for name, _ in parsed.attributes)
    # Title, verdict, headings, table, config, command: the text is there, as text.
    assert parsed.text.count("<script>alert('x')</script>") >= 12


def test_the_page_asks_for_nothing_from_elsewhere(page: str) -> None:
    parsed = _Page(page)
    assert not {"link", "script", "img", "iframe", "object", "image"} & set(parsed.tags)
    for name, value in parsed.attributes:
        if name in ("href", "xlink:href", "src"):
            assert value.startswith("#")
    assert "@import" not in page
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page))
    assert "default-src 'none'" in page


def test_ids_are_unique_and_every_reference_has_its_target(page: str) -> None:
    parsed = _Page(page)
    assert len(set(parsed.ids)) == len(parsed.ids)
    targets = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert targets
    assert targets <= set(parsed.ids)


def test_equal_drawings_give_equal_bytes() -> None:
    assert draw_figure(_draw) == draw_figure(_draw)


def test_figures_take_every_colour_from_the_page() -> None:
    svg = draw_figure(_draw).svg
    ET.fromstring(svg)
    assert "var(--series-0)" in svg
    assert "var(--ink)" in svg
    assert re.findall(r"#[0-9a-fA-F]{6}\b", svg) == []


def test_a_wide_figure_has_a_row_to_itself(stored: Any) -> None:
    wide, narrow = draw_figure(_draw, size=(10.4, 5.2)), draw_figure(_draw, size=(5.2, 4.0))
    report = Report("t", "v", Table(["a"], [[1]]), [Section("b", [wide, narrow])])
    made = render(report, *stored)
    assert made.count('<figure class="wide">') == 1
    assert made.count('<figure><div class="scroll"') == 1


def test_drawing_leaves_the_users_matplotlib_alone() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw_figure(_draw)
    assert dict(matplotlib.rcParams) == before


def test_every_colour_is_defined_in_light_and_dark(page: str) -> None:
    style = page[page.index("<style>") : page.index("</style>")]
    light, dark = style.split("@media (prefers-color-scheme: dark)", 1)
    dark = dark[: dark.index("* {")]
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", page)) - {"--sans", "--mono", "--mark"}
    for theme in (light, dark):
        assert used <= set(re.findall(r"(--[a-z0-9-]+):", theme))


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, ".3f", "–"),  # noqa: RUF001
        (True, "", "yes"),
        (0.12345, ".3f", "0.123"),
        (-0.5, ".1f", "\N{MINUS SIGN}0.5"),
        ("a-b", ".3f", "a-b"),
        (3, "", "3"),
    ],
)
def test_cells_are_written_as_their_column_says(value: Any, form: str, text: str) -> None:
    assert Table([Column("x", form)], [[value]]).text(0, 0) == text


def test_numbers_stand_right_and_the_best_is_marked() -> None:
    table = Table(["name", Column("loss", best="min")], [["a", 2], ["b", None], ["c", 1], ["d", 1]])
    assert (table.is_right_aligned(0), table.is_right_aligned(1)) == (False, True)
    assert table.best_rows(1) == {2, 3}
    assert table.best_rows(0) == frozenset()


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rows\[1\] must have 2 cells, got 1"):
        Table(["a", "b"], [[1, 2], [3]])


def test_a_table_in_a_pipe_is_plain_and_unbroken() -> None:
    out = io.StringIO()
    columns = [f"a rather long column name {i}" for i in range(7)]
    report = Report(
        "Title [x]", "Verdict.", Table(columns, [["[bold]cell[/bold]"] * 7]), holds=True
    )
    print_report(report, ["careful"], out)
    lines = out.getvalue().splitlines()
    assert lines[0] == "Title [x]"
    assert all(name in lines[1] for name in columns)
    assert lines[3].count("[bold]cell[/bold]") == 7
    assert lines[-2:] == ["Verdict.", "warning: careful"]
    assert "\x1b" not in out.getvalue()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_narrow_terminal_gets_a_wide_table_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    columns = ["design", *(f"a measured quantity {i}" for i in range(7))]
    rows = [["noise-unaware search", *range(1000, 1007)], ["QuantumNAS", *range(2000, 2007)]]
    out = _Terminal()
    print_report(Report("Title", "Verdict.", Table(columns, rows)), [], out)
    text = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert max(map(len, text.splitlines())) <= 60
    assert all(str(cell) in text for row in rows for cell in row)
    assert "…" not in text
    assert text.count("noise-unaware search") == 2


def test_the_page_names_the_command_that_repeats_the_run(page: str, stored: Any) -> None:
    assert "workbench run page --text" in _Page(page).text


def test_the_page_of_a_run_is_written_beside_its_result(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    outcome = execute(walks, walk_config(), runs=tmp_path)
    assert outcome.page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert outcome.page.parent == outcome.run.path
