# SPDX-License-Identifier: Apache-2.0
"""Sparse products: C = A A on thirteen classes and real matrices; plans, gradients, masks, SpMM."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence

import harness
import sparse_more
import sparse_peers
from harness import Case, Contender
from sparse_peers import OURS
from sparse_work import REAL, Product, why_absent

__all__ = ["OURS", "main"]

GENERATED = (
    "rmat-s14",
    "rmat-s16",
    "power-law",
    "er-d8",
    "er-d2",
    "poisson2d",
    "poisson3d",
    "fem27",
    "banded",
    "road",
)


def product_case(name: str, small: bool) -> Case:
    """``C = A A``: ours, and everyone's with rows sorted and unsorted."""
    work = Product(name, small)
    contenders = [
        Contender(OURS, "sorted", "float32", functools.partial(sparse_peers.our_product, work))
    ]
    contenders += [
        Contender(package, variant, "float32", functools.partial(build, work))
        for package, variant, build in sparse_peers.PRODUCTS
    ]
    return Case(
        key=f"product {name}",
        title=f"C = A A, A = {name}, float32, int32 indices",
        samples=1,
        contenders=contenders,
        bounds=work.bounds,
        compare=work.deviation,
        rates=True,
        absent=why_absent(name),
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--matrix",
        nargs="+",
        metavar="NAME",
        help="only these products, and nothing else: names of workbench.matrices.GENERATORS, or "
        "of files in the data folder (WORKBENCH_DATA)",
    )


def _cases(options: argparse.Namespace) -> Sequence[Case]:
    small = options.quick
    if options.matrix:
        return [product_case(name, small) for name in options.matrix]
    if small:
        return [
            *(product_case(name, small) for name in ("rmat-s14", "poisson3d", "banded")),
            sparse_more.plan_case("fem27", small),
            sparse_more.backward_case("rmat-s14", small),
            sparse_more.triangle_case("delaunay", small),
            sparse_more.spmm_case("rmat-s16", 16, small),
            sparse_more.sddmm_case("fem27", 16, small),
        ]
    cases = [product_case(name, small) for name in (*GENERATED, *REAL)]
    cases += [
        sparse_more.plan_case(name, small)
        for name in ("rmat-s14", "poisson3d", "fem27", "wiki-Vote", "cage11")
    ]
    cases += [
        sparse_more.backward_case(name, small, coo=name == "cage11")
        for name in ("rmat-s14", "fem27", "cage11")
    ]
    cases += [
        sparse_more.triangle_case(name, small) for name in ("facebook", "rmat-s16", "delaunay_n16")
    ]
    for name in ("rmat-s16", "fem27"):
        cases += [sparse_more.spmm_case(name, width, small) for width in (16, 64, 256)]
        cases.append(sparse_more.sddmm_case(name, 64, small))
    return cases


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sparse-product benchmark.

    Parameters
    ----------
    argv : sequence of str, optional
        Options, see ``--help``; those of the process when None.

    Returns
    -------
    int
        Exit status.
    """
    return harness.run_benchmark(
        "spgemm",
        "Sparse products against MKL, SuiteSparse:GraphBLAS, scipy and torch.",
        argv,
        _add_arguments,
        _cases,
        effort=(10, 0.3, 1.0),  # three dozen cases, some of seconds a call
    )


if __name__ == "__main__":
    sys.exit(main())
