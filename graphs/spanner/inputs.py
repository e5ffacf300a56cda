# SPDX-License-Identifier: Apache-2.0
"""Graphs, sources and places as the command line names them."""

from __future__ import annotations

import hashlib
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from graphs.generators import GENERATORS
from graphs.readers import read_digraph
from workbench.experiments.suggestion import closest
from workbench.storage.packed import read_bytes

__all__ = [
    "check_names",
    "digest",
    "is_file",
    "load_graph",
    "names_of",
    "read_places",
    "resolve_sources",
]

ZONES = "zones"
_X, _Y = ("x", "lon", "lng", "longitude"), ("y", "lat", "latitude")


def check_names(graph: str, sources: str, positions: str = "") -> None:
    """Refuse names that stand for nothing, before anything is read.

    Raises
    ------
    ValueError
        If `graph` is neither a file nor the name of a generator, `sources` neither a file nor a
        positive number nor ``zones``, or `positions` is no file.
    """
    if not is_file(graph) and graph not in GENERATORS:
        raise ValueError(
            f"graph must be a file or a generated graph, got {graph!r}"
            f"{closest(graph, list(GENERATORS))} (generated: {', '.join(GENERATORS)})"
        )
    if not is_file(sources) and sources != ZONES:
        if not re.fullmatch(r"\d+", sources):
            raise ValueError(
                f"sources must be a file of names, a number of random sources or '{ZONES}', "
                f"got {sources!r}"
            )
        if int(sources) < 1:
            raise ValueError(f"sources must be at least 1, got {sources}")
    if positions and not is_file(positions):
        raise ValueError(f"positions must be a file, got {positions!r}")


def is_file(name: str) -> bool:
    """Whether `name` is that of a file; a home folder may be written as ``~``."""
    return bool(name) and Path(name).expanduser().is_file()


def digest(name: str) -> str:
    """Return the SHA-256 of a file's contents, or what a generated graph is called."""
    if not is_file(name):
        return name
    return hashlib.sha256(Path(name).expanduser().read_bytes()).hexdigest()


def load_graph(graph: str, weight: str = "auto", seed: int = 0, positions: str = "") -> DiGraph:
    """Read or generate a graph.

    Parameters
    ----------
    graph : str
        A file in a format that :func:`graphs.read_digraph` knows, or a key of
        ``graphs.GENERATORS``.
    weight : str
        Column of the weights, by name or number; ``"auto"`` or ``"none"`` (all weights 1).
    seed : int
        Of a generated graph.
    positions : str
        A file of places, see :func:`read_places`.

    Raises
    ------
    ValueError
        If a file is malformed or has no such column.
    """
    if is_file(graph):
        weights: int | str | None = int(weight) if weight.isdigit() else weight
        g = read_digraph(graph, weights=None if weight == "none" else weights)
    else:
        g = GENERATORS[graph](seed)
        if weight == "none":
            g = DiGraph(g.n, g.tails, g.heads, np.ones(g.m, np.int32), positions=g.positions)
        elif weight != "auto":
            raise ValueError(f"weight must be auto or none for a generated graph, got {weight!r}")
    if not positions:
        return g
    where = read_places(positions, g)
    return DiGraph(g.n, g.tails, g.heads, g.weights, g.nodes, positions=where, info=g.info)


def resolve_sources(g: DiGraph, sources: str, seed: int = 0) -> npt.NDArray[np.int64]:
    """Return the vertices that `sources` stands for.

    Parameters
    ----------
    g : DiGraph
    sources : str
        A file of node names, one per line (``#`` begins a comment); or a number: so many are
        drawn from the largest strongly connected component; or ``"zones"``: those of a TNTP file.
    seed : int
        Of the draw.

    Raises
    ------
    ValueError
        If a name is unknown (file and line are told), there are too few vertices to draw from, or
        there are no zones.
    """
    if is_file(sources):
        return _named(g, sources)
    if sources == ZONES:
        zones = np.asarray(g.info.get("zones", ()), np.int64)
        if zones.size == 0:
            raise ValueError("sources: this graph has no zones; only TNTP files name them")
        return zones
    _, component = g.components
    if g.n == 0:
        raise ValueError("sources: this graph has no vertices")
    members = np.flatnonzero(component == np.bincount(component).argmax())
    count = int(sources)
    if count > members.size:
        raise ValueError(
            f"sources must be at most {members.size}, the size of the largest strongly connected "
            f"component, got {count}"
        )
    drawn = np.random.default_rng(seed).choice(members, count, replace=False)
    return np.sort(drawn).astype(np.int64)


def read_places(path: str, g: DiGraph) -> npt.NDArray[np.float64]:
    """Read where vertices are.

    Parameters
    ----------
    path : str
        A line per vertex, of fields between commas or white space: name, x, y; or DIMACS ``.co``.
        A first line of names may say which columns hold x and y, or lat and lon: degrees are then
        scaled so that a map has the right proportions. Plain or gzip-packed.
    g : DiGraph

    Returns
    -------
    ndarray
        float64, shape ``(n, 2)``, NaN where the file does not tell.

    Raises
    ------
    ValueError
        If a line is malformed, naming file and line.
    """
    where = np.full((g.n, 2), np.nan)
    x, y, geographic = 1, 2, False
    for number, line in _lines(path):
        fields = [field.strip() for field in re.split(r"[,\s]+", line.lstrip("# \t"))]
        names = [field.lower() for field in fields]
        columns = [next((i for i, n in enumerate(names) if n in axis), None) for axis in (_X, _Y)]
        if columns[0] is not None and columns[1] is not None:
            x, y = columns[0], columns[1]
            geographic = names[y].startswith("lat")
            continue
        if line.startswith("#") or fields[0] in ("c", "p"):
            continue
        fields = fields[1:] if fields[0] == "v" else fields
        try:
            place = float(fields[x]), float(fields[y])
        except (IndexError, ValueError):
            raise ValueError(
                f"{path}, line {number}: a place is a name, x and y, got {line!r}"
            ) from None
        if math.inf in map(abs, place):
            raise ValueError(f"{path}, line {number}: a place must not be infinite, got {line!r}")
        try:
            where[_vertex(g, fields[0])] = place
        except KeyError:  # a place of a vertex that no edge meets
            continue
    if geographic and np.isfinite(where[:, 1]).any():
        where[:, 0] *= np.cos(np.radians(np.nanmean(where[:, 1])))
    return where


def names_of(g: DiGraph, vertices: Any) -> list[str]:
    """Return what vertices are called."""
    return [str(v if g.nodes is None else g.nodes[v]) for v in np.asarray(vertices).tolist()]


def _named(g: DiGraph, path: str) -> npt.NDArray[np.int64]:
    found = []
    for number, line in _lines(path):
        name = line.split("#")[0].strip()
        if not name:
            continue
        try:
            found.append(_vertex(g, name))
        except KeyError:
            raise ValueError(f"{path}, line {number}: no vertex is called {name!r}") from None
    if not found:
        raise ValueError(f"sources: {path} names no vertex")
    return np.array(found, np.int64)


def _vertex(g: DiGraph, name: str) -> int:
    try:
        return int(g.index(name))
    except KeyError:
        if not re.fullmatch(r"-?\d+", name):
            raise
        return int(g.index(int(name)))


def _lines(path: str) -> list[tuple[int, str]]:
    text = read_bytes(path)[1].decode("utf-8", "replace")
    lines = ((i, line.strip()) for i, line in enumerate(text.splitlines(), start=1))
    return [(i, line) for i, line in lines if line]
