# SPDX-License-Identifier: Apache-2.0
"""Random graphs, stencils and lattices as sparse matrices.

Every function returns a canonical ``scipy.sparse.csr_array``: rows sorted, no duplicates, int32
indices wherever they suffice. The same seed gives the same matrix. Graphs have values uniform in
[0.5, 1.5), stencils their own coefficients.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.matrices._csr import (
    canonical,
    checked_dtype,
    from_pairs,
    index_dtype,
    scipy_module,
)
from workbench.storage.limits import check_fits

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = [
    "banded",
    "delaunay",
    "erdos_renyi",
    "fem27",
    "poisson2d",
    "poisson3d",
    "power_law",
    "rmat",
    "road_lattice",
]


def rmat(
    scale: int,
    edge_factor: float,
    a: float = 0.57,
    b: float = 0.19,
    c: float = 0.19,
    d: float = 0.05,
    *,
    seed: int = 0,
    dtype: npt.DTypeLike = np.float32,
) -> csr_array:
    """Draw a directed recursive-matrix (R-MAT) graph.

    Each edge falls into a quadrant of the adjacency matrix with probabilities `a` (top left),
    `b`, `c`, `d`, then into a quadrant of that, `scale` times. Repeated edges count once, so
    there are fewer than ``edge_factor * 2**scale``.

    Parameters
    ----------
    scale : int
        The graph has ``2**scale`` vertices; 0 to 30.
    edge_factor : float
        Edges drawn per vertex.
    a, b, c, d : float
        Probabilities, at least 0, of sum 1.
    seed : int
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (2**scale, 2**scale)

    Raises
    ------
    ValueError
        When `scale`, `edge_factor` or the probabilities are out of range.

    References
    ----------
    Chakrabarti, Zhan, Faloutsos, "R-MAT: a recursive model for graph mining", SDM 2004.
    """
    _at_least("scale", scale, 0)
    if scale > 30:
        raise ValueError(f"rmat: scale must be at most 30, got {scale}")
    _at_least("edge_factor", edge_factor, 0)
    check_fits("rmat: the matrix", 2**scale * (1 + edge_factor))
    quadrants = np.array([a, b, c, d], dtype=np.float64)
    if not (np.all(quadrants >= 0) and math.isclose(quadrants.sum(), 1, abs_tol=1e-9)):
        raise ValueError(
            f"rmat: a, b, c, d must be at least 0 and add up to 1, got {a}, {b}, {c}, {d}"
        )
    rng = np.random.default_rng(seed)
    n = 1 << scale
    edges = round(edge_factor * n)
    rows = np.zeros(edges, np.int64)
    columns = np.zeros(edges, np.int64)
    for _ in range(scale):
        draw = rng.random(edges)
        below = draw >= a + b
        right = np.where(below, draw >= a + b + c, draw >= a)
        rows += rows + below
        columns += columns + right
    return from_pairs(rows, columns, (n, n), rng, dtype)


def erdos_renyi(
    n: int, degree: float, *, seed: int = 0, dtype: npt.DTypeLike = np.float32
) -> csr_array:
    """Draw ``n * degree`` entries uniformly over an n x n matrix; repeated ones count once.

    Parameters
    ----------
    n : int
        At least 1.
    degree : float
        Mean entries drawn per row.
    seed : int
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (n, n)
    """
    _at_least("n", n, 1)
    _at_least("degree", degree, 0)
    check_fits("erdos_renyi: the matrix", n * (1 + degree))
    rng = np.random.default_rng(seed)
    draws = round(n * degree)
    rows = rng.integers(n, size=draws)
    return from_pairs(rows, rng.integers(n, size=draws), (n, n), rng, dtype)


def power_law(
    n: int,
    degree: float,
    exponent: float = 2.2,
    *,
    seed: int = 0,
    dtype: npt.DTypeLike = np.float32,
) -> csr_array:
    """Draw a directed graph whose expected degrees follow a power law (Chung-Lu).

    Vertex ``v`` is a source and a target with probability proportional to
    ``(v + 10)**(-1 / (exponent - 1))`` (10 keeps the largest hub from owning the graph), under
    one random relabelling, so that hubs are spread over the index range and are hubs both ways.

    Parameters
    ----------
    n : int
        At least 1.
    degree : float
        Mean entries drawn per row; repeated ones count once.
    exponent : float
        Of the degree distribution; above 2, so that the mean exists.
    seed : int
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (n, n)

    References
    ----------
    Chung, Lu, "Connected components in random graphs with given expected degree sequences",
    Annals of Combinatorics 6, 2002.
    """
    _at_least("n", n, 1)
    _at_least("degree", degree, 0)
    check_fits("power_law: the matrix", n * (1 + degree))
    if not exponent > 2:
        raise ValueError(f"power_law: exponent must be above 2, got {exponent}")
    rng = np.random.default_rng(seed)
    label = rng.permutation(n)
    edges_of = np.cumsum((np.arange(n) + 10.0) ** (-1.0 / (exponent - 1.0)))
    edges_of /= edges_of[-1]
    draws = round(n * degree)

    def ends() -> npt.NDArray[np.int64]:
        return np.asarray(label[np.searchsorted(edges_of, rng.random(draws), side="right")])

    rows = ends()
    return from_pairs(rows, ends(), (n, n), rng, dtype)


def _stencil(
    sides: Sequence[int],
    offsets: Sequence[tuple[int, ...]],
    weights: Sequence[float],
    dtype: npt.DTypeLike,
) -> csr_array:
    """Build the matrix of a stencil on a grid; `offsets` must be in lexicographic order.

    That order is the one of the neighbours' numbers, so rows come out sorted.
    """
    value_type = checked_dtype(dtype)
    n = math.prod(sides)
    integer = index_dtype(n, n * len(offsets))
    grids = np.indices(sides, dtype=integer).reshape(len(sides), n)
    strides = [math.prod(sides[axis + 1 :]) for axis in range(len(sides))]
    inside = np.ones((n, len(offsets)), bool)
    columns = np.empty((n, len(offsets)), integer)
    own = np.arange(n, dtype=integer)
    for k, offset in enumerate(offsets):
        columns[:, k] = own + sum(s * o for s, o in zip(strides, offset, strict=True))
        for axis, step in enumerate(offset):
            if step < 0:
                inside[:, k] &= grids[axis] >= -step
            elif step > 0:
                inside[:, k] &= grids[axis] < sides[axis] - step
    indptr = np.zeros(n + 1, integer)
    np.cumsum(inside.sum(axis=1), out=indptr[1:])
    values = np.broadcast_to(np.array(weights, value_type), inside.shape)[inside]
    return canonical(values, columns[inside], indptr, (n, n))


def poisson2d(side: int, *, seed: int = 0, dtype: npt.DTypeLike = np.float32) -> csr_array:
    """Build the five-point Laplacian of a ``side`` x ``side`` grid (4 on the diagonal, else -1).

    Parameters
    ----------
    side : int
        At least 1.
    seed : int
        Not used: there is nothing to draw.
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (side**2, side**2)
    """
    _at_least("side", side, 1)
    check_fits("poisson2d: the matrix", 5 * side**2)
    offsets = [(-1, 0), (0, -1), (0, 0), (0, 1), (1, 0)]
    return _stencil((side, side), offsets, [-1, -1, 4, -1, -1], dtype)


def poisson3d(side: int, *, seed: int = 0, dtype: npt.DTypeLike = np.float32) -> csr_array:
    """Build the seven-point Laplacian of a cubic grid (6 on the diagonal, else -1).

    Parameters
    ----------
    side : int
        At least 1.
    seed : int
        Not used: there is nothing to draw.
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (side**3, side**3)
    """
    _at_least("side", side, 1)
    check_fits("poisson3d: the matrix", 7 * side**3)
    unit = [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    offsets = sorted([(0, 0, 0), *unit, *[(-x, -y, -z) for x, y, z in unit]])
    return _stencil((side,) * 3, offsets, [-1, -1, -1, 6, -1, -1, -1], dtype)


def fem27(side: int, *, seed: int = 0, dtype: npt.DTypeLike = np.float32) -> csr_array:
    """Build a 27-point matrix of a cubic grid, as trilinear finite elements couple their nodes.

    Every node is coupled to all of its up to 26 neighbours with -1 and to itself with 26.

    Parameters
    ----------
    side : int
        Nodes per edge of the cube, at least 1.
    seed : int
        Not used: there is nothing to draw.
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (side**3, side**3)
    """
    _at_least("side", side, 1)
    check_fits("fem27: the matrix", 27 * side**3)
    steps = (-1, 0, 1)
    offsets = [(x, y, z) for x in steps for y in steps for z in steps]
    weights = [-1.0] * 27
    weights[13] = 26.0
    return _stencil((side,) * 3, offsets, weights, dtype)


def banded(
    n: int, half_bandwidth: int, *, seed: int = 0, dtype: npt.DTypeLike = np.float32
) -> csr_array:
    """Build a full band: row ``i`` holds columns ``i - half_bandwidth`` to ``i + half_bandwidth``.

    Parameters
    ----------
    n, half_bandwidth : int
        At least 1 and at least 0.
    seed : int
        Of the values, uniform in [0.5, 1.5).
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (n, n)
    """
    _at_least("n", n, 1)
    _at_least("half_bandwidth", half_bandwidth, 0)
    check_fits("banded: the matrix", n * (1 + 2 * min(half_bandwidth, n)))
    value_type = checked_dtype(dtype)
    rows = np.arange(n, dtype=np.int64)
    first = np.maximum(rows - half_bandwidth, 0)
    lengths = np.minimum(rows + half_bandwidth, n - 1) - first + 1
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    integer = index_dtype(n, int(offsets[-1]))
    columns = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - first, lengths)
    values = np.random.default_rng(seed).random(int(offsets[-1])) + 0.5
    return canonical(
        values.astype(value_type), columns.astype(integer), offsets.astype(integer), (n, n)
    )


def road_lattice(
    side: int,
    keep: float = 0.7,
    jitter: int = 8,
    *,
    seed: int = 0,
    dtype: npt.DTypeLike = np.float32,
) -> csr_array:
    """Draw a road-like graph: a square lattice with streets missing and numbers out of order.

    Symmetric, with up to four neighbours. Real road networks are numbered roughly by place, not
    strictly; here every crossing's number is moved by up to about `jitter`.

    Parameters
    ----------
    side : int
        Crossings per side, at least 1.
    keep : float
        Probability, 0 to 1, that a street of the lattice exists.
    jitter : int
        Spread of the renumbering; 0 keeps lattice order.
    seed : int
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (side**2, side**2)
    """
    _at_least("side", side, 1)
    _at_least("jitter", jitter, 0)
    check_fits("road_lattice: the matrix", 4 * side**2)
    if not 0 <= keep <= 1:
        raise ValueError(f"road_lattice: keep must be 0 to 1, got {keep}")
    rng = np.random.default_rng(seed)
    n = side * side
    place = np.arange(n, dtype=np.int64).reshape(side, side)
    start = np.concatenate([place[:, :-1].ravel(), place[:-1].ravel()])
    end = np.concatenate([place[:, 1:].ravel(), place[1:].ravel()])
    kept = rng.random(start.size) < keep
    order = np.argsort(np.arange(n) + jitter * rng.random(n), kind="stable")
    number = np.empty(n, np.int64)
    number[order] = np.arange(n)
    return _undirected(number[start[kept]], number[end[kept]], n, rng, dtype)


def delaunay(n: int, *, seed: int = 0, dtype: npt.DTypeLike = np.float32) -> csr_array:
    """Triangulate random points of the unit square; the matrix is the triangulation's graph.

    Points are numbered in strips of the square, about as a mesh generator leaves them.

    Parameters
    ----------
    n : int
        Points, at least 3.
    seed : int
    dtype : float32 or float64

    Returns
    -------
    scipy.sparse.csr_array, (n, n)
        Symmetric, about six entries per row.
    """
    _at_least("n", n, 3)
    check_fits("delaunay: the matrix", 6 * n)
    rng = np.random.default_rng(seed)
    points = rng.random((n, 2))
    strip = np.floor(points[:, 0] * math.sqrt(n) / 2)
    points = points[np.lexsort((points[:, 1], strip))]
    corners = scipy_module("scipy.spatial").Delaunay(points).simplices.astype(np.int64)
    start = corners.ravel()
    return _undirected(start, np.roll(corners, 1, axis=1).ravel(), n, rng, dtype)


def _undirected(
    start: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    n: int,
    rng: np.random.Generator,
    dtype: npt.DTypeLike,
) -> csr_array:
    """Store every edge in both directions, with the same value."""
    low, high = np.minimum(start, end), np.maximum(start, end)
    keys = np.unique(low * n + high)
    values = (rng.random(keys.size) + 0.5).astype(checked_dtype(dtype))
    low, high = keys // n, keys % n
    rows, columns = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.argsort(rows * n + columns)
    integer = index_dtype(n, rows.size)
    indptr = np.zeros(n + 1, integer)
    np.cumsum(np.bincount(rows, minlength=n), out=indptr[1:])
    both = np.concatenate([values, values])[order]
    return canonical(both, columns[order].astype(integer), indptr, (n, n))


def _at_least(name: str, value: float, least: float) -> None:
    if not value >= least:
        raise ValueError(f"{name}: must be at least {least}, got {value}")
