# SPDX-License-Identifier: Apache-2.0
"""Sparse matrices in each peer's own words; conversions happen before the clock starts."""

from __future__ import annotations

import ctypes
import functools
import importlib
import importlib.metadata
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import Package, Prepared
from sparse_work import TOLERANCE, Product

__all__ = [
    "GRAPHBLAS",
    "MKL",
    "OURS",
    "PRODUCTS",
    "SCIPY",
    "TORCH",
    "graphblas_matrix",
    "our_product",
    "torch_csr",
]


def _load_ours() -> None:
    importlib.import_module("workbench.ops.spgemm")


def _load_mkl() -> Any:
    """Import sparse_dot_mkl, telling it and MKL what neither finds out.

    It looks for MKL under names of older versions. MKL in turn would start Intel's OpenMP
    beside the one torch brings, two pools of threads on the same cores and a known way to
    crash; so it is told to use none for one thread, and torch's for more.
    """
    name = "libmkl_rt.so"
    found = [f for f in importlib.metadata.files("mkl") or () if f.name.startswith(name)]
    if found:
        os.environ.setdefault("MKL_RT", str(Path(str(found[0].locate())).resolve()))
    one = os.environ.get("WORKBENCH_BENCH_THREADS", "1") == "1"
    os.environ.setdefault("MKL_THREADING_LAYER", "SEQUENTIAL" if one else "GNU")
    os.environ.setdefault("MKL_INTERFACE_LAYER", "LP64")  # int32 indices, as everyone is given
    importlib.import_module("torch")
    try:
        return importlib.import_module("sparse_dot_mkl")
    except (OSError, AttributeError) as error:
        raise ImportError(str(error)) from error


def _install(*requirements: str) -> str:
    return "python -m pip install " + " ".join(requirements)


OURS = Package(
    "workbench", "quantum-graph-workbench", "workbench", _install("'.[sparse]'"), _load_ours
)
SCIPY = Package("scipy", "scipy", "scipy", _install("scipy"))
TORCH = Package("torch", "torch", "torch", _install("torch"))
MKL = Package(
    "MKL",
    "mkl",
    "sparse_dot_mkl",
    _install("sparse_dot_mkl==0.9.10", "mkl==2026.2.0"),
    _load_mkl,
)
GRAPHBLAS = Package(
    "GraphBLAS",
    "suitesparse-graphblas",
    "graphblas",
    _install("python-graphblas==2025.2.0", "suitesparse-graphblas==9.4.5.0"),
)


def _prepared(
    work: Product,
    run: Callable[[], Any],
    to_scipy: Callable[[Any], Any],
    claims_sorted: bool,
    note: str = "",
) -> Prepared:
    return Prepared(
        run,
        lambda _: work.outputs(to_scipy(run()), claims_sorted=claims_sorted),
        1,
        TOLERANCE,
        note,
    )


def _as_it_is(c: Any) -> Any:
    return c


def our_product(work: Product) -> Prepared:
    """Prepare ours on the scipy matrix itself; its rows are always sorted."""
    from workbench.ops.spgemm import spgemm

    a = work.matrix
    return _prepared(work, lambda: spgemm(a, a), _as_it_is, True)


def _scipy_product(work: Product, *, sorted: bool) -> Prepared:
    a = work.matrix

    def run() -> Any:
        c = a @ a
        if sorted:
            c.sort_indices()
        return c

    return _prepared(work, run, _as_it_is, sorted, "one thread, always")


def torch_csr(a: Any) -> Any:
    """Return a scipy matrix as torch's, on int32 indices: MKL inside torch needs no others."""
    import torch

    parts = (torch.from_numpy(part) for part in (a.indptr, a.indices, a.data))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(*parts, a.shape, check_invariants=False)


def _torch_product(work: Product) -> Prepared:
    import scipy.sparse

    a = torch_csr(work.matrix)

    def to_scipy(c: Any) -> Any:
        parts = (c.values().numpy(), c.col_indices().numpy(), c.crow_indices().numpy())
        return scipy.sparse.csr_array(parts, shape=tuple(c.shape))

    return _prepared(work, lambda: a @ a, to_scipy, False)


def _mkl_product(work: Product, *, sorted: bool) -> Prepared:
    mkl = _load_mkl()
    a = work.matrix
    return _prepared(
        work,
        lambda: mkl.dot_product_mkl(a, a, reorder_output=sorted),
        _as_it_is,
        sorted,
        "copies the result out of MKL",
    )


def _mkl_handle_product(work: Product) -> Prepared:
    """MKL's own call between handles: nothing is copied in or out.

    What a C program would measure. The handle is destroyed within the call, as arrays are freed
    within the others'.
    """
    _load_mkl()
    library = ctypes.CDLL(os.environ["MKL_RT"])
    a = work.matrix
    handle = ctypes.c_void_p()

    def pointer(array: Any, first: int = 0) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data + first * array.itemsize)

    def checked(status: int) -> None:
        if status:
            raise RuntimeError(f"MKL returned status {status}")

    n_rows, n_columns = (ctypes.c_int(side) for side in a.shape)
    checked(
        library.mkl_sparse_s_create_csr(
            ctypes.byref(handle),
            ctypes.c_int(0),
            n_rows,
            n_columns,
            pointer(a.indptr),
            pointer(a.indptr, 1),
            pointer(a.indices),
            pointer(a.data),
        )
    )

    def run() -> None:
        c = ctypes.c_void_p()
        checked(library.mkl_sparse_spmm(ctypes.c_int(10), handle, handle, ctypes.byref(c)))
        checked(library.mkl_sparse_destroy(c))

    through_copy = _mkl_product(work, sorted=False)
    # the same call of the same library, so its outputs are those of the wrapper
    return Prepared(run, through_copy.outputs, 1, TOLERANCE, "the result stays inside MKL")


@functools.cache
def _graphblas() -> Any:
    gb = importlib.import_module("graphblas")
    gb.ss.config["nthreads"] = int(os.environ.get("WORKBENCH_BENCH_THREADS", "1"))
    return gb


def graphblas_matrix(a: Any) -> Any:
    """Return a scipy matrix as GraphBLAS's."""
    return _graphblas().io.from_scipy_sparse(a)


def _graphblas_product(work: Product, *, sorted: bool) -> Prepared:
    """GraphBLAS: the product leaves rows jumbled, ``wait`` finishes and sorts them."""
    gb = _graphblas()
    a = graphblas_matrix(work.matrix)
    semiring = gb.semiring.plus_times

    def run() -> Any:
        c = semiring(a @ a).new()
        if sorted:
            c.wait()
        return c

    return _prepared(
        work,
        run,
        lambda c: gb.io.to_scipy_sparse(c, format="csr"),
        True,  # converting sorts
        "the result stays inside GraphBLAS",
    )


#: Package, variant and how to prepare each peer's product.
PRODUCTS: tuple[tuple[Package, str, Callable[[Product], Prepared]], ...] = (
    (MKL, "unsorted", functools.partial(_mkl_product, sorted=False)),
    (MKL, "unsorted, handle", _mkl_handle_product),
    (MKL, "sorted", functools.partial(_mkl_product, sorted=True)),
    (GRAPHBLAS, "unsorted", functools.partial(_graphblas_product, sorted=False)),
    (GRAPHBLAS, "sorted", functools.partial(_graphblas_product, sorted=True)),
    (SCIPY, "unsorted", functools.partial(_scipy_product, sorted=False)),
    (SCIPY, "sorted", functools.partial(_scipy_product, sorted=True)),
    (TORCH, "unsorted", _torch_product),
)
