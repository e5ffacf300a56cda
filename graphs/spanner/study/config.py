# SPDX-License-Identifier: Apache-2.0
"""The options of the study."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["PARTS", "Config", "reduced"]

Part = Literal["optimum", "size", "time", "growth", "certificate"]
PARTS: tuple[Part, ...] = ("optimum", "size", "time", "growth", "certificate")


@dataclass(frozen=True)
class Config:
    """Measure source-wise round-trip spanners: edges, work and certificates of every method."""

    quick: bool = False
    """Tiny graphs and few sources: a look in seconds."""
    parts: tuple[Part, ...] = PARTS
    """What to measure: optimum is against brute force, growth is of time and memory in edges."""
    data: str = ""
    """Folder of stored graphs. Default: WORKBENCH_DATA, then ../shared/data. Look-alikes stand in
    for what is not there."""
    seed: int = 0
    """Of sources and of what is drawn besides."""
    seeds: int = 3
    """How many draws of sources each size is measured on."""
    optimum: int = 2679
    """Random digraphs of up to 6 vertices and 11 edges that are also solved by brute force."""
    graphs: tuple[str, ...] = ("er1k", "er4k", "rmat13d", "wiki-Vote", "andorra", "sydney")
    """Graphs whose spanners are counted."""
    sources: tuple[int, ...] = (16, 64, 256)
    """Sources there."""
    stretches: tuple[float, ...] = (1.5, 3.0, 5.0)
    """Stretches asked of greedy and of cover."""
    cover_stretches: tuple[float, ...] = (12.0, 48.0)
    """Further ones asked of cover alone, whose measured stretch is far below."""
    prune_work: float = 2e10
    """Pruning is left out where sources x vertices x edges to try exceed this."""
    time_graphs: tuple[str, ...] = ("er4k", "rmat13d", "rmat17")
    """Graphs on which time is measured, on one thread."""
    time_sources: tuple[int, ...] = (16, 64, 256, 1024, 4096, 16384)
    """Sources there; more than a graph has are all of them."""
    time_stretches: tuple[float, ...] = (3.0, 6.0, 12.0, 48.0)
    """Stretches of cover there; greedy has 3."""
    time_work: float = 2.5e9
    """Left out are runs that would look at more arcs than this, by their number of searches."""
    growth_scales: tuple[int, ...] = (13, 14, 15, 16, 17, 18, 19, 20)
    """rMAT graphs of two to this many vertices, on which growth in edges is measured."""
    growth_degree: int = 10
    """Edges per vertex there."""
    growth_sources: int = 64
    """Sources there."""
    growth_stretches: tuple[float, ...] = (12.0, 48.0)
    """Stretches there."""
    grid: int = 256
    """Side of the street grid on which certificates are counted."""
    certificate_graphs: tuple[str, ...] = ("grid", "er4k", "rmat13d")
    """Graphs on which certificates are counted."""
    certificate_sources: int = 4096
    """Sources there."""
    certificate_stretches: tuple[float, ...] = (6.0, 12.0, 24.0, 48.0, 96.0)
    """Stretches there."""
    lemma_draws: int = 200
    """Draws of cells by which the lemma on cells is checked."""


def reduced(config: Config) -> Config:
    """Return the config that is really run: `quick` makes everything small.

    Raises
    ------
    ValueError
        If a number is out of range or nothing is to be measured.
    """
    for name, least in (("seed", 0), ("seeds", 1), ("optimum", 0), ("growth_degree", 1),
                        ("growth_sources", 1), ("grid", 2), ("certificate_sources", 1),
                        ("lemma_draws", 1)):  # fmt: skip
        if getattr(config, name) < least:
            raise ValueError(f"{name} must be at least {least}, got {getattr(config, name)}")
    for name in ("sources", "time_sources"):
        if not all(s >= 1 for s in getattr(config, name)):
            raise ValueError(f"{name} must be at least 1, got {getattr(config, name)}")
    for name in ("stretches", "cover_stretches", "time_stretches", "growth_stretches",
                 "certificate_stretches"):  # fmt: skip
        # Written so that NaN is refused.
        if not all(1 <= t < float("inf") for t in getattr(config, name)):
            raise ValueError(f"{name} must be finite and at least 1, got {getattr(config, name)}")
    if not config.parts:
        raise ValueError(f"parts must name some of {', '.join(PARTS)}, got none")
    if not config.quick:
        return config
    return replace(
        config,
        seeds=min(config.seeds, 2),
        optimum=min(config.optimum, 20),
        sources=(4, 16),
        stretches=(1.5, 3.0),
        time_graphs=config.time_graphs[:2],
        time_sources=(4, 16, 64),
        growth_scales=(6, 7, 8),
        growth_stretches=config.growth_stretches[:1],
        growth_sources=min(config.growth_sources, 8),
        grid=min(config.grid, 16),
        certificate_sources=min(config.certificate_sources, 40),
        certificate_stretches=(12.0, 48.0),
        lemma_draws=min(config.lemma_draws, 10),
    )
