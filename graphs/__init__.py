# SPDX-License-Identifier: Apache-2.0
"""Graph analytics as products of sparse matrices: triangles, paths, clusters, a 2-hop GCN layer.

Part of quantum-graph-workbench.

A graph is its adjacency matrix, entry ``(i, j)`` an edge from vertex i to vertex j, in any
container :func:`workbench.ops.spgemm.spgemm` takes. The names below are imported when they are
first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from graphs.clustering import Clustering, markov_clustering
    from graphs.digraph import DiGraph, strong_components
    from graphs.generators import (
        GENERATORS,
        DigraphGenerator,
        random_digraph,
        rmat_digraph,
        street_grid,
    )
    from graphs.gnn import TwoHopGCN, two_hop_adjacency
    from graphs.growing_paths import IncrementalPaths
    from graphs.landmarks import LandmarkOracle, Route, landmark_oracle
    from graphs.paths import frontiers, k_hop, reachability, shortest_path_closure
    from graphs.readers import read_digraph, read_dimacs, read_edgelist, read_tntp
    from graphs.searches import (
        Ball,
        NearestTwo,
        SparseDistances,
        ball,
        ball_sizes,
        nearest_two,
        roundtrip_ball,
        roundtrip_distances,
        sssp,
    )
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
    "ball": "searches",
    "Ball": "searches",
    "ball_sizes": "searches",
    "Certificate": "spanner",
    "Clustering": "clustering",
    "clustering_coefficients": "triangle_counts",
    "DiGraph": "digraph",
    "DigraphGenerator": "generators",
    "frontiers": "paths",
    "GENERATORS": "generators",
    "IncrementalPaths": "growing_paths",
    "k_hop": "paths",
    "landmark_oracle": "landmarks",
    "LandmarkOracle": "landmarks",
    "markov_clustering": "clustering",
    "nearest_two": "searches",
    "NearestTwo": "searches",
    "random_digraph": "generators",
    "reachability": "paths",
    "read_digraph": "readers",
    "read_dimacs": "readers",
    "read_edgelist": "readers",
    "read_tntp": "readers",
    "rmat_digraph": "generators",
    "roundtrip_ball": "searches",
    "roundtrip_distances": "searches",
    "roundtrip_spanner": "spanner",
    "RoundtripSpanner": "spanner",
    "Route": "landmarks",
    "shortest_path_closure": "paths",
    "SparseDistances": "searches",
    "sssp": "searches",
    "street_grid": "generators",
    "StretchReport": "spanner",
    "strong_components": "digraph",
    "triangles": "triangle_counts",  # a module of this name would hide the function
    "triangles_per_edge": "triangle_counts",
    "triangles_per_vertex": "triangle_counts",
    "two_hop_adjacency": "gnn",
    "TwoHopGCN": "gnn",
    "verify_spanner": "spanner",
}

__all__ = [
    "GENERATORS",
    "Ball",
    "Certificate",
    "Clustering",
    "DiGraph",
    "DigraphGenerator",
    "IncrementalPaths",
    "LandmarkOracle",
    "NearestTwo",
    "RoundtripSpanner",
    "Route",
    "SparseDistances",
    "StretchReport",
    "TwoHopGCN",
    "ball",
    "ball_sizes",
    "clustering_coefficients",
    "frontiers",
    "k_hop",
    "landmark_oracle",
    "markov_clustering",
    "nearest_two",
    "random_digraph",
    "reachability",
    "read_digraph",
    "read_dimacs",
    "read_edgelist",
    "read_tntp",
    "rmat_digraph",
    "roundtrip_ball",
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

__getattr__, __dir__ = lazily(__name__, _MODULES)
