# SPDX-License-Identifier: Apache-2.0
"""Pictures on an Agg canvas: which artists there are, where they lie, how fast they draw."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import matplotlib.figure
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.patches import FancyArrowPatch

from graphs import DiGraph, street_grid
from graphs.spanner.picture import draw, draw_stretch, edge_path
from graphs.spanner.verify import verify_spanner


def spanner_of(g: DiGraph, share: float = 0.6, sources: int = 3) -> Any:
    mask = np.random.default_rng(0).random(g.m) < share
    return SimpleNamespace(graph=g, edge_mask=mask, sources=np.arange(sources))


@pytest.fixture
def canvas() -> Any:
    figure = matplotlib.figure.Figure(layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def test_a_large_graph_is_drawn_as_lines(canvas: Any) -> None:
    g = street_grid(20, 20, 0.2)
    spanner = spanner_of(g)
    ax = draw(spanner, ax=canvas.subplots())
    canvas.canvas.draw()
    dropped, kept = (c for c in ax.collections if isinstance(c, LineCollection))
    assert len(kept.get_segments()) == spanner.edge_mask.sum()
    assert len(dropped.get_segments()) == g.m - spanner.edge_mask.sum()
    assert dropped.get_zorder() < kept.get_zorder()
    assert g.positions is not None
    e = np.flatnonzero(spanner.edge_mask)
    expected = np.stack([g.positions[g.tails[e]], g.positions[g.heads[e]]], axis=1)
    assert np.array_equal(np.array(kept.get_segments()), expected)
    marks = [c for c in ax.collections if isinstance(c, PathCollection)]
    assert np.array_equal(marks[-1].get_offsets(), g.positions[:3])
    assert not [p for p in ax.patches if isinstance(p, FancyArrowPatch)]
    words = [text.get_text() for text in ax.get_legend().get_texts()]
    assert words == [
        f"dropped: {g.m - kept.get_segments().__len__()} edges",
        f"kept: {len(kept.get_segments())} edges",
        "3 sources",
    ]
    left, right = ax.get_xlim()
    assert left <= 0
    assert right >= 19


def test_a_small_graph_has_arrows(canvas: Any) -> None:
    g = DiGraph.from_edges([0, 1, 2, 1, 2], [1, 2, 0, 0, 2], None, 3)
    spanner = spanner_of(g, 1.0, 1)
    ax = draw(spanner, [(0, 0), (1, 0), (0, 1)], canvas.subplots())
    canvas.canvas.draw()
    arrows = [p for p in ax.patches if isinstance(p, FancyArrowPatch)]
    assert len(arrows) == 4  # a loop has no length
    assert ax.get_legend().get_texts()[-1].get_text() == "1 source"


def test_places_by_name_and_missing_ones(canvas: Any) -> None:
    networkx = pytest.importorskip("networkx")
    graph = networkx.DiGraph([("a", "b"), ("b", "a"), ("b", "c")])
    g = DiGraph.from_networkx(graph)
    spanner = spanner_of(g)
    draw(spanner, networkx.circular_layout(graph), canvas.subplots())
    canvas.canvas.draw()
    with pytest.raises(ValueError, match="give pos="):
        draw(spanner)
    with pytest.raises(ValueError, match="has none for c"):
        draw(spanner, {"a": (0, 0), "b": (1, 1)})
    with pytest.raises(ValueError, match=r"pos must have shape \(3, 2\)"):
        draw(spanner, np.zeros((2, 2)))


def test_vertices_without_a_place_are_left_out(canvas: Any) -> None:
    g = street_grid(20, 20)
    assert g.positions is not None
    where = np.array(g.positions)
    where[50] = np.nan
    ax = draw(spanner_of(g, 1.0), where, canvas.subplots())
    canvas.canvas.draw()
    drawn = sum(len(c.get_segments()) for c in ax.collections if isinstance(c, LineCollection))
    assert drawn == g.m - ((g.tails == 50) | (g.heads == 50)).sum()
    path = edge_path(g, where, np.ones(g.m, bool))
    some = (g.tails != 50) & (g.heads != 50)
    streets = {frozenset(ends) for ends in zip(g.tails[some], g.heads[some], strict=True)}
    assert len(path.vertices) == 2 * len(streets)


def test_a_hundred_thousand_edges_draw_quickly(canvas: Any) -> None:
    g = street_grid(160, 160)
    assert g.m > 100_000 - 10_000
    spanner = spanner_of(g)
    began = time.process_time()
    draw(spanner, ax=canvas.subplots())
    canvas.canvas.draw()
    assert time.process_time() - began < 10  # about one where nothing else runs


@pytest.mark.parametrize("wide", [False, True])
def test_stretch_by_distance(canvas: Any, wide: bool) -> None:
    g = street_grid(8, 9, 0.2, low=1, high=10**6 if wide else 2)
    spanner = spanner_of(g, 0.9)
    report = verify_spanner(g, spanner.edge_mask, range(g.n), 3.0, sample=20)
    ax = draw_stretch(report, canvas.subplots())
    canvas.canvas.draw()
    (cells,) = (c for c in ax.collections if isinstance(c, PolyCollection))
    assert len(cells.get_paths()) == np.count_nonzero(report.histogram.counts)
    (side,) = ax.child_axes
    share = side.patches[0].get_data().values
    assert share.sum() == pytest.approx(1)
    assert [line.get_ydata()[0] for line in ax.lines] == [3.0]
    assert "bound 3" in [text.get_text() for text in ax.texts]
    low, high = ax.get_ylim()
    assert low == 1
    assert high >= max(3, report.histogram.stretch_edges[-1])
    assert "20 of 72 sources" in ax.get_title(loc="left")
    ax = draw_stretch(report, matplotlib.figure.Figure().subplots(), bound=7)
    assert ax.lines[0].get_ydata()[0] == 7


def test_no_pair_at_all(canvas: Any) -> None:
    g = DiGraph.from_edges([0], [1])
    ax = draw_stretch(verify_spanner(g, [True], [0]), canvas.subplots())
    canvas.canvas.draw()
    assert ax.texts[0].get_text() == "no pair"


def test_without_axes_pyplot_makes_a_figure() -> None:
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    g = street_grid(3, 3)
    try:
        assert draw(spanner_of(g)).figure in map(plt.figure, plt.get_fignums())
    finally:
        plt.close("all")
