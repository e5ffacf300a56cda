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
    from graphs.generators import (
        GENERATORS,
        DigraphGenerator,
        random_digraph,
        rmat_digraph,
        street_grid,
    )
    from graphs.gnn import TwoHopGCN, two_hop_adjacency
    from graphs.landmarks import LandmarkOracle, Route, landmark_oracle
    from graphs.paths import frontiers, k_hop, reachability, shortest_path_closure
    from graphs.readers import read_digraph, read_dimacs, read_edgelist, read_tntp
    from graphs.spanner import (
        Certificate,
        RoundtripSpanner,
        StretchReport,
        roundtrip_spanner,
        verify_spanner,
    )
    from graphs.triangle_counts import (
        clustering_coefficients,
        triangles,
        triangles_per_edge,
        triangles_per_vertex,
    )

_MODULES = {
    "verify_spanner": "spanner",
    "roundtrip_spanner": "spanner",
    "StretchReport": "spanner",
    "RoundtripSpanner": "spanner",
    "Certificate": "spanner",
    "GENERATORS": "generators",
    "Clustering": "clustering",
    "DiGraph": "digraph",
    "DigraphGenerator": "generators",
    "LandmarkOracle": "landmarks",
    "Route": "landmarks",
    "TwoHopGCN": "gnn",
    "clustering_coefficients": "triangle_counts",
    "frontiers": "paths",
    "k_hop": "paths",
    "landmark_oracle": "landmarks",
    "markov_clustering": "clustering",
    "random_digraph": "generators",
    "reachability": "paths",
    "read_digraph": "readers",
    "read_dimacs": "readers",
    "read_edgelist": "readers",
    "read_tntp": "readers",
    "rmat_digraph": "generators",
    "roundtrip_distances": "digraph",
    "shortest_path_closure": "paths",
    "sssp": "digraph",
    "street_grid": "generators",
    "strong_components": "digraph",
    "triangles": "triangle_counts",  # a module of this name would hide the function
    "triangles_per_edge": "triangle_counts",
    "triangles_per_vertex": "triangle_counts",
    "two_hop_adjacency": "gnn",
}

__all__ = [
    "GENERATORS",
    "Certificate",
    "Clustering",
    "DiGraph",
    "DigraphGenerator",
    "LandmarkOracle",
    "RoundtripSpanner",
    "Route",
    "StretchReport",
    "TwoHopGCN",
    "clustering_coefficients",
    "frontiers",
    "k_hop",
    "landmark_oracle",
    "markov_clustering",
    "random_digraph",
    "reachability",
    "read_digraph",
    "read_dimacs",
    "read_edgelist",
    "read_tntp",
    "rmat_digraph",
    "roundtrip_distances",
    "roundtrip_spanner",
    "shortest_path_closure",
    "sssp",
    "street_grid",
    "strong_components",
    "triangles",
    "triangles_per_edge",
    "triangles_per_vertex",
    "two_hop_adjacency",
    "verify_spanner",
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
