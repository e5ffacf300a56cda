# SPDX-License-Identifier: Apache-2.0
"""matplotlib figures as SVG that takes its colours from the page.

Figures are drawn in stand-in colours that occur nowhere else; in the SVG each is replaced by a CSS
variable of the page, so that one drawing suits light and dark. Text stays text, in the page's face.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import matplotlib.figure

INK = "#01f001"
MUTED = "#01f002"
GRID = "#01f003"
ACCENT = "#01f010"
SURFACE = "#01f004"
QUIET = "#01f005"
SERIES = tuple(f"#01f0{i:x}" for i in range(0x10, 0x16))

_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    SURFACE: "--surface",
    QUIET: "--quiet",
    **{colour: f"--series-{i}" for i, colour in enumerate(SERIES)},
}


def to_svg(draw: Callable[[matplotlib.figure.Figure], Any], size: tuple[float, float]) -> str:
    """Run ``draw`` on an empty figure of ``size`` inches and return it as inline SVG."""
    import matplotlib
    import matplotlib.figure
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    style: Any = _style()
    with matplotlib.rc_context(style):
        figure = matplotlib.figure.Figure(figsize=size, layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure)
        file = io.StringIO()
        metadata = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(file, format="svg", metadata=metadata)
    return _inline(file.getvalue())


def with_prefix(svg: str, prefix: str) -> str:
    """Prefix every id in ``svg``, so that figures on one page do not share any."""
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)


def _style() -> dict[str, Any]:
    from cycler import cycler

    return {
        "svg.hashsalt": "workbench",
        "svg.fonttype": "none",
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
        "axes.facecolor": "none",
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.titlecolor": INK,
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": 9.5,
        "axes.linewidth": 0.8,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=list(SERIES)),
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 9,
        "ytick.labelsize": 9,
        "text.color": INK,
        "font.size": 9.5,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "lines.linewidth": 1.9,
        "lines.markersize": 5,
        "patch.edgecolor": SURFACE,
        "boxplot.boxprops.color": INK,
        "boxplot.capprops.color": INK,
        "boxplot.whiskerprops.color": INK,
        "boxplot.flierprops.markeredgecolor": INK,
        "boxplot.medianprops.color": ACCENT,
        "errorbar.capsize": 3,
    }


def _inline(svg: str) -> str:
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # matplotlib's style sheet would apply to the whole page, whose own says the same of figures.
    svg = re.sub(r"<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    width = re.search(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"', svg)
    if width is None:
        raise RuntimeError("matplotlib wrote an SVG without a viewBox")
    # The natural width in CSS pixels bounds how far the page may stretch or shrink the figure.
    pixels = float(width.group(1)) * 4 / 3
    opening = (
        f'<svg viewBox="0 0 {width.group(1)} {width.group(2)}" '
        f'style="min-width:{pixels * 0.62:.0f}px;max-width:{pixels * 1.25:.0f}px" role="img" '
        'xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    svg = opening + svg[svg.index(">") + 1 :]
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg.strip()
