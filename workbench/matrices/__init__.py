# SPDX-License-Identifier: Apache-2.0
"""Sparse matrices to measure and experiment with: generators by size and seed, and loaders.

    from workbench.matrices import GENERATORS, load_matrix, rmat

    rmat(12, 8, seed=1)                  # scipy.sparse.csr_array, float32, int32 indices
    GENERATORS["poisson3d"](small=True)  # the catalogue the benchmarks use
    load_matrix("wiki-Vote", folder)     # .mtx, .mtx.gz, .txt, .txt.gz, .npz

scipy comes with the extra: ``pip install 'quantum-graph-workbench[sparse]'``; it is imported on
first use.
"""

from __future__ import annotations

from workbench.matrices.catalogue import GENERATORS, Generator
from workbench.matrices.generators import (
    banded,
    delaunay,
    erdos_renyi,
    fem27,
    poisson2d,
    poisson3d,
    power_law,
    rmat,
    road_lattice,
)
from workbench.matrices.loaders import DATA_VARIABLE, available, load_matrix

__all__ = [
    "DATA_VARIABLE",
    "GENERATORS",
    "Generator",
    "available",
    "banded",
    "delaunay",
    "erdos_renyi",
    "fem27",
    "load_matrix",
    "poisson2d",
    "poisson3d",
    "power_law",
    "rmat",
    "road_lattice",
]
