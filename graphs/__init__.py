# SPDX-License-Identifier: Apache-2.0
"""Graph analytics as products of sparse matrices: triangles, paths, clusters, a 2-hop GCN layer.

A graph is its adjacency matrix, entry ``(i, j)`` an edge from vertex i to vertex j, in any
container :func:`workbench.ops.spgemm.spgemm` takes. The names below are imported when they are
first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphs.clustering import Clustering, markov_clustering
    from graphs.digraph import DiGraph, roundtrip_distances, sssp, strong_components
    from graphs.gnn import TwoHopGCN, two_hop_adjacency
    from graphs.paths import frontiers, k_hop, reachability, shortest_path_closure
    from graphs.triangle_counts import (
        clustering_coefficients,
        triangles,
        triangles_per_edge,
        triangles_per_vertex,
    )

_MODULES = {
    "Clustering": "clustering",
    "DiGraph": "digraph",
    "TwoHopGCN": "gnn",
    "clustering_coefficients": "triangle_counts",
    "frontiers": "paths",
    "k_hop": "paths",
    "markov_clustering": "clustering",
    "reachability": "paths",
    "roundtrip_distances": "digraph",
    "shortest_path_closure": "paths",
    "sssp": "digraph",
    "strong_components": "digraph",
    "triangles": "triangle_counts",  # a module of this name would hide the function
    "triangles_per_edge": "triangle_counts",
    "triangles_per_vertex": "triangle_counts",
    "two_hop_adjacency": "gnn",
}

__all__ = [
    "Clustering",
    "DiGraph",
    "TwoHopGCN",
    "clustering_coefficients",
    "frontiers",
    "k_hop",
    "markov_clustering",
    "reachability",
    "roundtrip_distances",
    "shortest_path_closure",
    "sssp",
    "strong_components",
    "triangles",
    "triangles_per_edge",
    "triangles_per_vertex",
    "two_hop_adjacency",
]


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
