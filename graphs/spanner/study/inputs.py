# SPDX-License-Identifier: Apache-2.0
"""Graphs by name: generated ones, stored ones, and what stands in for those that are not there."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from graphs.generators import GENERATORS, rmat_digraph, street_grid
from graphs.readers import read_edgelist, read_tntp
from graphs.spanner.study.config import Config, reduced

__all__ = ["Input", "check_names", "draw_sources", "find", "largest_component"]

_PLACES = ("../shared/data", "shared/data")


@dataclass(frozen=True)
class Input:
    """A graph of the study."""

    name: str
    origin: str
    load: Callable[[], DiGraph]


def _wiki(path: Path, seed: int) -> DiGraph:
    g = read_edgelist(path, weights=None)
    weights = np.random.default_rng(seed).integers(1, 101, g.m).astype(np.int32)
    return DiGraph(g.n, g.tails, g.heads, weights, g.nodes)


#: Stored graphs: their file, how it is read, and a generated graph of the same kind and size.
_STORED: dict[str, tuple[str, Callable[[Path, int], DiGraph], Callable[[int], DiGraph]]] = {
    "wiki-Vote": (
        "wiki-Vote.txt.gz",
        _wiki,
        lambda seed: rmat_digraph(13, 13, seed=seed),
    ),
    "andorra": (
        "andorra_roads.csv.gz",
        lambda path, seed: read_edgelist(path, weights=2),
        lambda seed: street_grid(44, 44, seed=seed),
    ),
    "sydney": (
        "Sydney_net.tntp.gz",
        lambda path, seed: read_tntp(path),
        lambda seed: street_grid(181, 182, seed=seed),
    ),
}
_LIKE = {"wiki-Vote": "like wiki-Vote", "andorra": "like andorra", "sydney": "like sydney"}


def check_names(config: Config) -> None:
    """Refuse unknown graphs and numbers out of range; nothing is loaded.

    Raises
    ------
    ValueError
        Naming what is wrong and listing what there is.
    """
    reduced(config)
    _folder(config)
    known = [*GENERATORS, *_STORED, "grid"]
    for field in ("graphs", "time_graphs", "certificate_graphs"):
        for name in getattr(config, field):
            if name not in known:
                raise ValueError(
                    f"{field} names {name!r}, which is unknown; there are {', '.join(known)}"
                )


def find(name: str, config: Config) -> Input:
    """Return the graph of that name, or what stands in for it."""
    small, seed = config.quick, config.seed
    if name == "grid":
        side = config.grid
        return Input(
            name, f"street_grid({side}, {side}, seed={seed})",
            lambda: street_grid(side, side, seed=seed),
        )  # fmt: skip
    if name in GENERATORS:
        made = GENERATORS[name]
        sizes = made.small if small else made.default
        words = ", ".join(f"{key}={value}" for key, value in sizes.items())
        origin = f"{made.function.__name__}({words}, seed={seed})"
        shown = f"small {name}" if small else name
        return Input(shown, origin, lambda: made(seed, small=small))
    file, reader, alike = _STORED[name]
    if small:
        return Input(
            f"small {_LIKE[name]}", "street_grid(8, 8)", lambda: street_grid(8, 8, seed=seed)
        )
    folder = _folder(config)
    if folder is not None:
        for place in (folder / "graphs" / file, folder / file):
            if place.is_file():
                weights = f", weights drawn with seed {seed}" if name == "wiki-Vote" else ""
                return Input(name, f"file{weights}", partial(reader, place, seed))
    return Input(_LIKE[name], f"generated, as {file} is not here", lambda: alike(seed))


def largest_component(g: DiGraph) -> npt.NDArray[np.int64]:
    """Return the vertices of the largest strongly connected component."""
    _, component = g.components
    return np.flatnonzero(component == np.bincount(component).argmax())


def draw_sources(g: DiGraph, count: int, *key: int) -> npt.NDArray[np.int64]:
    """Draw sources from the largest strongly connected component; all if it has no more."""
    among = largest_component(g)
    if among.size <= count:
        return among
    drawn: npt.NDArray[Any] = np.random.default_rng([*key, count]).choice(among, count, False)
    return drawn.astype(np.int64)


def _folder(config: Config) -> Path | None:
    if config.data:
        named = Path(config.data).expanduser()
        if not named.is_dir():
            raise ValueError(f"data is {config.data!r}, which is no folder")
        return named
    variable = os.environ.get("WORKBENCH_DATA")
    if variable:
        return Path(variable).expanduser()
    return next((Path(place) for place in _PLACES if Path(place).is_dir()), None)
