# SPDX-License-Identifier: Apache-2.0
"""Shortest paths in digraphs: many sources forward and reverse, one source, limited round trips."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence

import harness
import paths_peers
from harness import Case, Contender
from paths_peers import IGRAPH, NETWORKIT, OURS, RUSTWORKX, SCIPY
from paths_work import WEIGHTS, Search, deviation, why_absent

__all__ = ["OURS", "main"]

_TITLES = {
    "rmat17": "R-MAT graph of 2^17 vertices",
    "grid1m": "street grid of 1000 x 1000 crossings",
    "wiki-Vote": "votes among Wikipedia's administrators",
    "sydney": "roads of Sydney",
}


def search_case(
    graph: str,
    weights: str,
    n_sources: int,
    *,
    threads: int = 1,
    small: bool = False,
    both: bool = True,
    samples: tuple[int, int, int] = (16, 4, 1),
) -> Case:
    """Distances from sources, and to them, with and without the shortest-path trees.

    Parameters
    ----------
    graph, weights, n_sources, both, small
        See `paths_work.Search`.
    threads : int
        Of the run; above 1, ours with one thread stands beside.
    samples : (int, int, int)
        Sources on which networkit, rustworkx and igraph are measured.
    """
    if small:
        n_sources = min(n_sources, 6)
    work = Search(graph, weights, n_sources, both=both, small=small)
    variants = {"distances": False, "trees": True}

    def ours(variant: str, n_threads: int, label: str = "") -> Contender:
        build = functools.partial(
            paths_peers.our_distances, work, parents=variants[variant], threads=n_threads
        )
        return Contender(OURS, variant + label, work.dtype, build)

    contenders = [ours(variant, threads) for variant in variants]
    if threads > 1 and n_sources > 1:  # sources are what threads share
        contenders += [ours(variant, 1, ", 1 thread") for variant in variants]
    contenders += [
        Contender(
            SCIPY,
            variant,
            work.dtype,
            functools.partial(paths_peers.scipy_distances, work, parents=parents),
        )
        for variant, parents in variants.items()
    ]
    others = (
        (NETWORKIT, paths_peers.networkit_distances),
        (RUSTWORKX, paths_peers.rustworkx_distances),
        (IGRAPH, paths_peers.igraph_distances),
    )
    contenders += [
        Contender(package, "distances", work.dtype, functools.partial(build, work, k))
        for (package, build), k in zip(others, samples, strict=True)
    ]
    dtype, low, high = WEIGHTS[weights]
    between = f"{dtype} from {low:,.0f} to {high:,.0f}" if high else f"{dtype}, minutes"
    which = "from and to" if both else "from"
    return Case(
        key=f"{graph} {weights}" if n_sources > 1 else f"one source {graph}",
        title=f"all distances {which} {n_sources} source(s), {_TITLES[graph]}, weights {between}",
        samples=n_sources,
        contenders=contenders,
        bounds=work.bounds if not why_absent(graph) else {},
        compare=deviation,
        absent=why_absent(graph),
    )


def limit_case(graph: str, weights: str, n_sources: int, limit: float, small: bool) -> Case:
    """Round trips no longer than a limit: full arrays, and only what lies within."""
    if small:
        limit /= 10
    work = Search(graph, weights, min(n_sources, 6) if small else n_sources, True, limit, small)
    build = [("full array", paths_peers.our_round_trips)]
    if paths_peers.has_sparse_round_trips():
        build.insert(0, ("sparse", paths_peers.our_sparse_round_trips))
    contenders = [
        Contender(OURS, variant, work.dtype, functools.partial(prepare, work))
        for variant, prepare in build
    ]
    contenders.append(
        Contender(
            SCIPY,
            "full array",
            work.dtype,
            functools.partial(paths_peers.scipy_round_trips, work),
        )
    )
    return Case(
        key=f"{graph} limit",
        title=f"round trips of at most {limit:,.0f} from {work.n_sources} sources, "
        f"{_TITLES[graph]}, weights {work.dtype}",
        samples=work.n_sources,
        contenders=contenders,
        compare=deviation,
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sources", type=int, default=64, help="sources of the many-source cases (default 64)"
    )


def _cases(options: argparse.Namespace) -> Sequence[Case]:
    case = functools.partial(search_case, threads=options.threads, small=options.quick)
    many = options.sources
    if many < 2:
        raise SystemExit(f"--sources must be at least 2, got {many}")
    few = max(2, many // 8)  # a search of the grid takes eight of the R-MAT graph
    weights = ("ints", "wide ints", "float64", "float32")
    cases = [case("rmat17", name, many) for name in weights]
    cases += [
        case("rmat17", "ints", 1, both=False, samples=(1, 1, 1)),
        case("grid1m", "street ints", few, samples=(2, 1, 1)),
        case("grid1m", "street float64", few, samples=(2, 1, 1)),
        limit_case("grid1m", "street ints", max(2, many // 4), 20_000, options.quick),
    ]
    if options.quick:  # generated graphs alone, so that the run is the same everywhere
        return cases
    return [
        *cases,
        case("wiki-Vote", "ints", many),
        case("sydney", "minutes", many, samples=(many, 8, 8)),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the shortest-path benchmark.

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
        "shortest_paths",
        "Shortest paths in digraphs against scipy, networkit, rustworkx and igraph.",
        argv,
        _add_arguments,
        _cases,
        effort=(5, 0.5, 4.0),  # calls of seconds on some peers
    )


if __name__ == "__main__":
    sys.exit(main())
