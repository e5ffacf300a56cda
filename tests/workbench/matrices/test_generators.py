# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from workbench import matrices
from workbench.matrices import GENERATORS

sparse = pytest.importorskip("scipy.sparse")

NAMES = sorted(GENERATORS)


def _assert_canonical(a: Any) -> None:
    assert isinstance(a, sparse.csr_array)
    assert a.indices.dtype == a.indptr.dtype == np.int32
    assert a.indptr[0] == 0
    assert a.indptr[-1] == a.indices.size == a.data.size
    if a.nnz:
        assert a.indices.min() >= 0
        assert a.indices.max() < a.shape[1]
    # a fresh matrix, because scipy remembers what it was told
    fresh = sparse.csr_array((a.data, a.indices, a.indptr), shape=a.shape)
    assert fresh.has_sorted_indices
    assert fresh.has_canonical_format


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matrices_are_canonical_and_of_the_wanted_type(name: str, dtype: Any) -> None:
    a = GENERATORS[name](small=True, dtype=dtype)
    _assert_canonical(a)
    assert a.dtype == dtype
    assert a.shape[0] == a.shape[1]
    assert 100 <= a.shape[0] <= 600
    assert a.nnz > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_fixes_the_matrix(name: str) -> None:
    make = GENERATORS[name]
    a, b = make(3, small=True), make(3, small=True)
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(a, part), getattr(b, part))
    drawn = name not in ("poisson2d", "poisson3d", "fem27")
    other = make(4, small=True)
    assert (other.nnz != a.nnz or bool((other != a).nnz)) == drawn


# n, stored entries and multiplications of A*A as measured in the table the benchmark follows;
# graphs within what another random stream changes.
SIZES = {
    "rmat-s14": (16384, 120019, 17.05e6, 0.06),
    "rmat-s16": (65536, 493996, 122.2e6, 0.06),
    "er-d8": (131072, 1.05e6, 8.39e6, 0.01),
    "er-d2": (1048576, 2.10e6, 4.20e6, 0.01),
    "poisson2d": (10**6, 5.00e6, 24.96e6, 0.002),
    "poisson3d": (512000, 3.55e6, 24.59e6, 0.002),
    "fem27": (64000, 1.64e6, 42.9e6, 0.002),
    "banded": (50000, 3.25e6, 211e6, 0.002),
    "road": (10**6, 2.80e6, 8.66e6, 0.01),
    "delaunay": (65536, 393150, 2.4785e6, 0.03),
}


@pytest.mark.parametrize("name", sorted(SIZES))
def test_full_sizes_match_the_classes_they_stand_for(name: str) -> None:
    n, nnz, products, spread = SIZES[name]
    a = GENERATORS[name]()
    _assert_canonical(a)
    assert a.shape == (n, n)
    assert a.nnz == pytest.approx(nnz, rel=max(spread / 2, 0.002))
    lengths = np.diff(a.indptr).astype(np.int64)
    assert lengths[a.indices].sum() == pytest.approx(products, rel=spread)


@pytest.mark.parametrize(
    ("make", "weights"),
    [
        (lambda: matrices.poisson2d(5, dtype=np.float64), (4, -1)),
        (lambda: matrices.poisson3d(4, dtype=np.float64), (6, -1)),
    ],
)
def test_laplacians_equal_sums_of_kronecker_products(
    make: Callable[[], Any], weights: tuple[int, int]
) -> None:
    a = make()
    dimensions = weights[0] // 2
    side = round(a.shape[0] ** (1 / dimensions))
    line = sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(side, side))
    expected = line
    for _ in range(dimensions - 1):
        expected = sparse.kronsum(line, expected)
    assert abs(a - sparse.csr_array(expected)).max() == 0


def test_fem27_is_a_kronecker_power_of_the_tridiagonal_pattern() -> None:
    line = sparse.diags_array([1.0, 1.0, 1.0], offsets=[-1, 0, 1], shape=(4, 4))
    pattern = sparse.kron(sparse.kron(line, line), line).tocsr()
    a = matrices.fem27(4, dtype=np.float64)
    assert abs((a != 0).astype(float) - pattern).max() == 0
    assert set(a.data) == {-1.0, 26.0}
    assert (a.diagonal() == 26).all()


@pytest.mark.parametrize(("n", "half"), [(1, 0), (5, 1), (9, 3), (4, 10)])
def test_banded_holds_exactly_the_band(n: int, half: int) -> None:
    a = matrices.banded(n, half)
    _assert_canonical(a)
    rows, columns = np.indices((n, n))
    np.testing.assert_array_equal(a.toarray() > 0, abs(rows - columns) <= half)


def test_rmat_follows_its_quadrants() -> None:
    n = 1 << 12
    a = matrices.rmat(12, 4, 0.4, 0.3, 0.2, 0.1, seed=5)
    half = n // 2
    share = [a[:half, :half].nnz, a[:half, half:].nnz, a[half:, :half].nnz, a[half:, half:].nnz]
    # repeated edges, which count once, are commonest in the densest quadrant
    np.testing.assert_allclose(np.array(share) / a.nnz, [0.4, 0.3, 0.2, 0.1], atol=0.02)
    assert matrices.rmat(0, 3).nnz == 1
    assert matrices.rmat(3, 0).nnz == 0


@pytest.mark.parametrize("name", ["road", "delaunay"])
def test_undirected_graphs_are_symmetric_without_loops(name: str) -> None:
    a = GENERATORS[name](small=True)
    assert abs(a - a.T).max() == 0
    assert (a.diagonal() == 0).all()


def test_road_without_jitter_is_a_lattice_and_with_it_a_renumbering_nearby() -> None:
    whole = matrices.road_lattice(6, keep=1.0, jitter=0)
    lattice = matrices.poisson2d(6)
    np.testing.assert_array_equal((whole.toarray() > 0), lattice.toarray() < 0)
    moved = matrices.road_lattice(6, keep=1.0, jitter=4, seed=1)
    np.testing.assert_array_equal(np.sort(np.diff(moved.indptr)), np.sort(np.diff(whole.indptr)))
    spread = moved.tocoo()
    assert abs(spread.row - spread.col).max() <= 6 + 8
    assert matrices.road_lattice(6, keep=0.0).nnz == 0


def test_delaunay_is_planar_and_connected() -> None:
    a = matrices.delaunay(500, seed=2)
    assert a.nnz <= 2 * (3 * 500 - 6)
    components, _ = pytest.importorskip("scipy.sparse.csgraph").connected_components(a)
    assert components == 1


def test_power_law_has_hubs_both_ways() -> None:
    a = matrices.power_law(4000, 6, seed=1)
    out, into = np.diff(a.indptr), np.bincount(a.indices, minlength=4000)
    assert out.max() > 30 * np.median(out)
    assert np.corrcoef(out, into)[0, 1] > 0.9


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: matrices.rmat(-1, 8), "scale"),
        (lambda: matrices.rmat(31, 8), "scale"),
        (lambda: matrices.rmat(4, -1), "edge_factor"),
        (lambda: matrices.rmat(4, 1, 0.5, 0.5, 0.5, 0.5), "add up to 1"),
        (lambda: matrices.rmat(4, 1, 1.5, -0.5, 0, 0), "at least 0"),
        (lambda: matrices.rmat(4, float("nan")), "edge_factor"),
        (lambda: matrices.erdos_renyi(0, 1), "n: must"),
        (lambda: matrices.power_law(10, 2, exponent=2.0), "exponent"),
        (lambda: matrices.poisson2d(0), "side"),
        (lambda: matrices.banded(5, -1), "half_bandwidth"),
        (lambda: matrices.road_lattice(5, keep=1.5), "keep"),
        (lambda: matrices.delaunay(2), "n: must"),
    ],
)
def test_bad_sizes_are_refused(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()


@pytest.mark.parametrize("name", NAMES)
def test_other_types_are_refused(name: str) -> None:
    with pytest.raises(TypeError, match="float32 or float64, got int32"):
        GENERATORS[name](small=True, dtype=np.int32)


def test_importing_the_package_leaves_scipy_alone() -> None:
    probe = "import sys, workbench.matrices; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_without_scipy_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy.sparse", None)
    with pytest.raises(ImportError, match=r"pip install .*\[sparse\]'"):
        matrices.poisson2d(2)
