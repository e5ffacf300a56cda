# SPDX-License-Identifier: Apache-2.0
"""Look into graphs by sparse products: triangles, neighbourhoods, distances, clusters.

Runs on generated graphs: a web of hubs, a city's streets, and communities that are few links
apart. With the environment variable WORKBENCH_DATA set to a folder of matrices that holds
``facebook``, also on that. Takes about three seconds.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

import graphs
from workbench.matrices import available, load_matrix, rmat, road_lattice


def communities(count: int, size: int, seed: int) -> sp.csr_array:
    """Groups whose members know a third of one another and one in five hundred of the others."""
    rng = np.random.default_rng(seed)
    group = np.arange(count * size) // size
    chance = np.where(group[:, None] == group, 0.33, 0.002)
    upper = np.triu(rng.random(chance.shape) < chance, 1)
    return sp.csr_array(upper + upper.T, dtype=np.float64)


def describe(name: str, graph: sp.csr_array) -> None:
    """Triangles and the reach of the vertex that is in most of them."""
    hub = int(graphs.triangles_per_vertex(graph).argmax())
    clustering = graphs.clustering_coefficients(graph).mean()
    sizes = [len(front) for front in graphs.frontiers(graph, hub)]
    print(f"{name}: {graph.shape[0]} vertices, {graphs.triangles(graph)} triangles")
    print(f"  mean clustering coefficient {clustering:.3f}")
    print(f"  by distance from vertex {hub}: {', '.join(map(str, sizes))}")


def main() -> None:
    web = rmat(13, 8, seed=1)
    describe("a web of hubs", sp.csr_array(web + web.T))

    streets = road_lattice(16, seed=1)
    distance = graphs.shortest_path_closure(streets)
    print(f"streets: {streets.shape[0]} crossings, longest way {distance.data.max():.1f}")

    groups = communities(12, 40, seed=1)
    found = graphs.markov_clustering(groups)
    print(f"communities: {found.n_clusters} found in {len(found.history)} rounds")

    if "facebook" in available():
        friends = load_matrix("facebook")
        describe("facebook", friends)
        found = graphs.markov_clustering(friends)
        sizes = np.sort(np.bincount(found.labels))[::-1]
        print(f"  Markov clusters of {', '.join(map(str, sizes))}")


if __name__ == "__main__":
    main()
