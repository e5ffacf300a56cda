# SPDX-License-Identifier: Apache-2.0
"""The options of the spanner experiment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Config"]


@dataclass(frozen=True)
class Config:
    """Keep few edges of a graph, and round trips from some sources nearly as short as they were."""

    graph: str = "er1k"
    """A file (edge list, DIMACS .gr, TNTP, Matrix Market, scipy .npz), or a generated graph by
    name; an unknown name is answered with those there are."""
    sources: str = "16"
    """A file of node names, one per line; or so many random ones of the largest strongly connected
    component; or zones, those of a TNTP file."""
    stretch: float = 3.0
    """How many times longer a round trip may become; at least 1."""
    method: Literal["auto", "exact", "greedy", "cover", "rtz"] = "auto"
    """What builds the spanner."""
    prune: bool = False
    """Afterwards drop edges that can be spared: the smallest, in more time and memory."""
    weight: str = "auto"
    """Column of the weights in the file, by name or by number from 0; none: all weights are 1."""
    verify: Literal["full", "sample", "none"] = "full"
    """Measure all pairs, those of 32 sources, or nothing."""
    baselines: bool = True
    """Also build with the other methods, to compare; left out where the graph is too large."""
    positions: str = ""
    """File of places for the map: name, x, y per line, or DIMACS .co. Not needed where the graph
    comes with them."""
    seed: int = 0
    """Of random sources, of the method and of a generated graph."""
