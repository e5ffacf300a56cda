# SPDX-License-Identifier: Apache-2.0
"""Shortest paths in each peer's own words; graphs are built before the clock starts."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from harness import Outputs, Package, Prepared
from paths_work import Search

__all__ = [
    "IGRAPH",
    "NETWORKIT",
    "OURS",
    "RUSTWORKX",
    "SCIPY",
    "has_sparse_round_trips",
    "igraph_distances",
    "networkit_distances",
    "our_distances",
    "our_round_trips",
    "our_sparse_round_trips",
    "rustworkx_distances",
    "scipy_distances",
    "scipy_round_trips",
]

Array = npt.NDArray[Any]

_NAMES = ("from the sources", "to the sources")


def _load_ours() -> None:
    importlib.import_module("graphs.digraph")


def _install(requirement: str) -> str:
    return f"python -m pip install {requirement}"


OURS = Package(
    "workbench", "quantum-graph-workbench", "workbench", _install("'.[sparse]'"), _load_ours
)
SCIPY = Package("scipy", "scipy", "scipy", _install("scipy"))
NETWORKIT = Package("networkit", "networkit", "networkit", _install("networkit==11.2.2"))
RUSTWORKX = Package("rustworkx", "rustworkx", "rustworkx", _install("rustworkx==0.18.1"))
IGRAPH = Package("igraph", "igraph", "igraph", _install("igraph==1.0.0"))


def _threads() -> int:
    return int(os.environ.get("WORKBENCH_BENCH_THREADS", "1"))


def _directions(work: Search) -> tuple[bool, ...]:
    """Whether reversed, per direction."""
    return (False, True) if work.both else (False,)


def _prepared(
    work: Search,
    search: Callable[[int], Sequence[Any]],
    to_array: Callable[[Any, int], Array],
    samples: int | None = None,
    note: str = "",
) -> Prepared:
    """Prepare ``search(k)``, one result per direction for the first k sources."""
    k = work.n_sources if samples is None else min(samples, work.n_sources)

    def outputs(first: int) -> Outputs:
        return dict(zip(_NAMES, (to_array(x, first) for x in search(first)), strict=False))

    return Prepared(lambda: search(k), outputs, k, work.tolerance, note)


def _as_it_is(x: Any, _: int) -> Array:
    return np.asarray(x)


@functools.lru_cache(maxsize=1)
def _our_graph(graph: str, weights: str, small: bool) -> Any:
    from graphs.digraph import DiGraph

    return DiGraph.from_scipy(Search(graph, weights, 1, small=small).matrix)


def our_distances(work: Search, *, parents: bool, threads: int) -> Prepared:
    """Prepare ours; trees are checked edge by edge where there are any."""
    graphs = importlib.import_module("graphs")
    g = _our_graph(work.graph, work.weights, work.small)

    def search(k: int) -> list[Any]:
        return [
            graphs.sssp(
                g,
                work.sources[:k],
                reverse=reverse,
                return_parents=parents,
                num_threads=threads,
            )
            for reverse in _directions(work)
        ]

    if not parents:
        return _prepared(work, search, _as_it_is)

    def outputs(k: int) -> Outputs:
        found: dict[str, Array] = {}
        trees = zip(_NAMES, search(k), _directions(work), strict=False)
        for name, (distances, tree), reverse in trees:
            work.checked_tree(distances, tree, k, reverse=reverse)
            found[name] = distances
        return found

    return Prepared(
        lambda: search(work.n_sources), outputs, work.n_sources, work.tolerance, "edge numbers"
    )


@functools.lru_cache(maxsize=1)
def _scipy_graphs(graph: str, weights: str, small: bool) -> list[Any]:
    a = Search(graph, weights, 1, small=small).matrix.astype(np.float64)
    return [a, a.T.tocsr()]


def _scipy_searches(work: Search, **options: Any) -> Callable[[int], list[Any]]:
    from scipy.sparse.csgraph import dijkstra

    both = _scipy_graphs(work.graph, work.weights, work.small)

    def search(k: int) -> list[Any]:
        return [
            dijkstra(both[reverse], indices=work.sources[:k], **options)
            for reverse in _directions(work)
        ]

    return search


def scipy_distances(work: Search, *, parents: bool) -> Prepared:
    """Prepare scipy on float64 matrices, which it would otherwise convert in every call."""

    def to_array(x: Any, _: int) -> Array:
        return np.asarray(x[0] if parents else x)

    search = _scipy_searches(work, return_predecessors=parents)
    return _prepared(work, search, to_array, note="one thread, always")


@functools.lru_cache(maxsize=1)
def _networkit_graphs(graph: str, weights: str, small: bool) -> list[Any]:
    nk = importlib.import_module("networkit")
    work = Search(graph, weights, 1, small=small)
    tails, heads, values = work.ends
    triplets = (values.astype(np.float64), (tails, heads))
    g = nk.GraphFromCoo(triplets, n=work.matrix.shape[0], weighted=True, directed=True)
    return [g, nk.graphtools.transpose(g)]


def networkit_distances(work: Search, samples: int) -> Prepared:
    """Prepare networkit: many sources in parallel, or one without storing paths."""
    nk = importlib.import_module("networkit")
    nk.setNumberOfThreads(_threads())
    both = _networkit_graphs(work.graph, work.weights, work.small)

    def one(g: Any) -> Any:
        found = nk.distance.Dijkstra(g, int(work.sources[0]), False)
        found.run()
        return found.getDistances(True)

    def many(g: Any, k: int) -> Any:
        found = nk.distance.SPSP(g, work.sources[:k].tolist())
        found.run()
        return found.getDistances(True)

    def search(k: int) -> list[Any]:
        return [
            one(both[reverse]) if work.n_sources == 1 else many(both[reverse], k)
            for reverse in _directions(work)
        ]

    def to_array(x: Any, k: int) -> Array:
        distances = np.array(x, dtype=np.float64).reshape(k, -1)
        distances[distances == np.finfo(np.float64).max] = np.inf  # how it says unreached
        return distances

    return _prepared(work, search, to_array, samples)


@functools.lru_cache(maxsize=1)
def _rustworkx_graphs(graph: str, weights: str, small: bool, both: bool) -> list[Any]:
    rx = importlib.import_module("rustworkx")
    work = Search(graph, weights, 1, small=small)
    tails, heads, values = (x.tolist() for x in work.ends)
    graphs = []
    for start, end in ((tails, heads), (heads, tails))[: 1 + both]:
        g = rx.PyDiGraph()
        g.add_nodes_from(range(work.matrix.shape[0]))
        g.add_edges_from(list(zip(start, end, map(float, values), strict=True)))
        graphs.append(g)
    return graphs


def rustworkx_distances(work: Search, samples: int) -> Prepared:
    """Prepare rustworkx: one mapping per source, left as it is."""
    rx = importlib.import_module("rustworkx")
    both = _rustworkx_graphs(work.graph, work.weights, work.small, work.both)

    def search(k: int) -> list[Any]:
        return [
            [
                rx.digraph_dijkstra_shortest_path_lengths(both[reverse], int(s), float)
                for s in work.sources[:k]
            ]
            for reverse in _directions(work)
        ]

    def to_array(mappings: Any, k: int) -> Array:
        distances = np.full((k, work.matrix.shape[0]), np.inf)
        for row, (source, mapping) in enumerate(zip(work.sources, mappings, strict=False)):
            places = np.fromiter(mapping.keys(), np.int64, len(mapping))
            distances[row, places] = np.fromiter(mapping.values(), np.float64, len(mapping))
            distances[row, source] = 0
        return distances

    note = "its own mappings; calls Python for the weight of every edge"
    return _prepared(work, search, to_array, samples, note)


@functools.lru_cache(maxsize=1)
def _igraph_graph(graph: str, weights: str, small: bool) -> Any:
    ig = importlib.import_module("igraph")
    work = Search(graph, weights, 1, small=small)
    tails, heads, values = work.ends
    return ig.Graph(
        n=work.matrix.shape[0],
        edges=np.column_stack([tails, heads]),
        directed=True,
        edge_attrs={"weight": values.astype(np.float64).tolist()},
    )


def igraph_distances(work: Search, samples: int) -> Prepared:
    """Prepare igraph: lists of lists, left as they are."""
    g = _igraph_graph(work.graph, work.weights, work.small)

    def search(k: int) -> list[Any]:
        return [
            g.distances(
                source=work.sources[:k].tolist(),
                weights="weight",
                mode="in" if reverse else "out",
                algorithm="dijkstra",
            )
            for reverse in _directions(work)
        ]

    return _prepared(work, search, _as_it_is, samples, "lists of Python numbers")


# ---- round trips under a limit ----


def _within(work: Search, there_and_back: Array) -> Outputs:
    assert work.limit is not None
    there_and_back[there_and_back > work.limit] = np.inf
    return {"round trips": there_and_back}


def our_round_trips(work: Search) -> Prepared:
    """Prepare our limited round trips into a full array."""
    graphs = importlib.import_module("graphs")
    g = _our_graph(work.graph, work.weights, work.small)

    def run(k: int) -> Array:
        options = {"limit": work.limit, "num_threads": _threads()}
        if has_sparse_round_trips():  # then both directions are one call
            return np.asarray(graphs.roundtrip_distances(g, work.sources[:k], **options))
        there, back = (
            graphs.sssp(g, work.sources[:k], reverse=reverse, **options)
            for reverse in (False, True)
        )
        return np.asarray(np.add(there, back, out=there))

    return Prepared(
        lambda: run(work.n_sources),
        lambda k: _within(work, run(k)),
        work.n_sources,
        work.tolerance,
    )


@functools.cache
def has_sparse_round_trips() -> bool:
    """Return whether ours can give limited round trips without full arrays."""
    try:
        graphs = importlib.import_module("graphs")
        return "sparse" in inspect.signature(graphs.roundtrip_distances).parameters
    except ImportError:
        return False


def our_sparse_round_trips(work: Search) -> Prepared:
    """Prepare our limited round trips, of which only what lies within the limit is stored."""
    graphs = importlib.import_module("graphs")
    g = _our_graph(work.graph, work.weights, work.small)

    def run(k: int) -> Any:
        return graphs.roundtrip_distances(
            g, work.sources[:k], limit=work.limit, sparse=True, num_threads=_threads()
        )

    def outputs(k: int) -> Outputs:
        indptr, vertices, distances = run(k)[:3]
        full = np.full((k, g.n), np.inf)
        full[np.repeat(np.arange(k), np.diff(indptr)), vertices] = distances
        return _within(work, full)

    return Prepared(lambda: run(work.n_sources), outputs, work.n_sources, work.tolerance)


def scipy_round_trips(work: Search) -> Prepared:
    """Prepare scipy's limited searches into full arrays, all it offers."""
    search = _scipy_searches(work, limit=work.limit)

    def run(k: int) -> Array:
        there, back = search(k)
        return np.asarray(np.add(there, back, out=there))

    return Prepared(
        lambda: run(work.n_sources),
        lambda k: _within(work, run(k)),
        work.n_sources,
        work.tolerance,
        "one thread, always",
    )
