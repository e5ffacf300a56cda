# SPDX-License-Identifier: Apache-2.0
"""E2: how the cost of a cover grows with the edges of a graph."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from graphs.generators import rmat_digraph
from graphs.spanner.study.config import Config
from graphs.spanner.study.measured import note_bytes, note_seconds, point_key
from graphs.spanner.study.probe import probe

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["measure_growth"]

Row = dict[str, Any]


def measure_growth(config: Config, run: Run) -> list[Row]:
    """Build covers of growing rMAT graphs, each in a process of its own."""
    rows: list[Row] = []
    with run.progress(len(config.growth_scales), "growth") as bar:
        for scale in config.growth_scales:
            unit = partial(_unit, scale, config, run)
            rows += run.once(f"growth {scale}", unit)
            bar.advance(best=f"{rows[-1]['m']} edges")
    return rows


def _unit(scale: int, config: Config, run: Run) -> list[Row]:
    g = rmat_digraph(scale, config.growth_degree, seed=config.seed)
    cases = [(config.growth_sources, t) for t in config.growth_stretches]
    rows: list[Row] = []
    for (count, t), found in zip(cases, probe(g, cases, config.seed), strict=True):
        key = point_key("growth", f"rmat{scale}", "cover", t, count)
        note_seconds(run, key, found.pop("seconds"))
        note_bytes(run, key, {**found.pop("bytes"), "edges": g.m})
        rows.append({"graph": f"rmat{scale}", "edges_in_all": g.m, "t": t, "s": count, **found})
    return rows
