# SPDX-License-Identifier: Apache-2.0
"""E3: how many sources are certified in each repetition, and what theory promises."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from graphs.digraph import DiGraph
from graphs.generators import street_grid
from graphs.searches import sssp
from graphs.spanner import roundtrip_spanner
from graphs.spanner.study.config import Config
from graphs.spanner.study.inputs import draw_sources, find

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["cell_survival", "check_lemma", "measure_certificates", "repetitions"]

Row = dict[str, Any]


def measure_certificates(config: Config, run: Run) -> dict[str, Any]:
    """Count certified sources by repetition, and check the lemma on cells by drawing some."""
    rows: list[Row] = []
    units = len(config.certificate_graphs) * len(config.certificate_stretches)
    with run.progress(units, "certificates") as bar:
        for name in config.certificate_graphs:
            source = find(name, config)
            g = source.load()
            for t in config.certificate_stretches:
                unit = partial(_unit, g, source.name, t, config)
                rows.append(run.once(f"certificate {name} {t:g}", unit))
                bar.advance(best=f"{source.name}, stretch {t:g}")
    lemma = run.once("lemma", partial(check_lemma, config.lemma_draws, config.seed))
    return {"rows": rows, "lemma": lemma}


def cell_survival(sources: int, stretch: float) -> float:
    """Bound from below the chance that no boundary of a cell is within R of a source.

    ``e^(-beta R)`` with ``beta = ln(2 N + 1) / r`` for N sources and the radius r of cells that a
    cover of this stretch uses at scale R; 0 where r is not above R, as none can then be certified.
    """
    radius = ((stretch - 1) / 4 + 1) / 4  # in units of R, see csrc/spanner/cover.cpp
    return (2 * sources + 1) ** (-1 / radius) if radius > 1 else 0.0


def repetitions(scales: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Return how many sources were tried and how many certified, by repetition, of all scales."""
    sums: list[list[int]] = []
    for scale in scales:
        todo = scale["sources"]
        for number, certified in enumerate(scale["certified"]):
            if number == len(sums):
                sums.append([0, 0])
            sums[number][0] += todo
            sums[number][1] += certified
            todo -= certified + 1  # one is given its exact ball, to learn what that costs
    return sums


def _unit(g: DiGraph, name: str, t: float, config: Config) -> Row:
    sources = draw_sources(g, config.certificate_sources, config.seed)
    made = roundtrip_spanner(g, sources, t, method="cover", verify="sample", seed=config.seed)
    assert made.stretch is not None
    scales = [scale for scale in made.certificate.scales if scale["sources"]]
    in_all = sum(scale["sources"] for scale in scales)
    grid = made.stretch.histogram
    return {
        "graph": name,
        "t": t,
        "s": int(sources.size),
        "edges": made.size,
        "n": made.stats["active_vertices"],
        "searches": float(made.stats["searches"]),
        "scales": len(scales),
        "sources": in_all,
        "by_carving": sum(scale["by_carving"] for scale in scales),
        "alone": sum(scale["alone"] for scale in scales),
        "fallback": sum(scale["fallback"] for scale in scales),
        "repetitions": repetitions(scales),
        "cells": math.fsum(
            scale["sources"] * cell_survival(scale["sources"], t) for scale in scales
        ) / max(1, in_all),
        "bound": made.stretch_bound,
        "max": made.stretch.max,
        "mean": made.stretch.mean,
        "holds": bool(made.stretch.holds),
        "checked": made.stretch.checked,
        "stretch_edges": grid.stretch_edges.tolist(),
        "pairs": grid.counts.sum(axis=0).tolist(),
    }  # fmt: skip


def check_lemma(draws: int, seed: int) -> list[Row]:
    """Cut a street grid into cells by exponential offsets and count sources far from boundaries.

    For every vertex w the centre c with the largest ``x_c - d(c, w)`` wins, among all vertices and
    nobody, whose value is 0; x is exponential of rate beta. The lemma: given that w is in a cell,
    its winner is ahead by more than R with probability ``e^(-beta R)`` at least.
    """
    g = street_grid(20, 20, seed=seed)
    distance = sssp(g, np.arange(g.n), num_threads=1)
    rng = np.random.default_rng([seed, 17])
    radius = float(np.median(distance[np.isfinite(distance)])) / 2
    beta = math.log(2 * g.n + 1) / radius
    shares = (0.02, 0.05, 0.1, 0.2)
    inside, ahead = 0, np.zeros(len(shares), np.int64)
    for _ in range(draws):
        value = rng.exponential(1 / beta, g.n)[:, None] - distance
        best = np.partition(value, g.n - 2, axis=0)[-2:]
        first, second = best[1], np.maximum(best[0], 0)
        won = first > 0
        inside += int(won.sum())
        gap = (first - second)[won]
        ahead += [int((gap > share * radius).sum()) for share in shares]
    return [
        {
            "r": share,
            "theory": math.exp(-beta * share * radius),
            "measured": int(count) / max(1, inside),
            "inside": inside,
        }
        for share, count in zip(shares, ahead, strict=True)
    ]
