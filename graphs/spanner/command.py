# SPDX-License-Identifier: Apache-2.0
"""``workbench spanner build`` and ``workbench spanner verify``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from workbench.cli.arguments import Arguments, UsageError
from workbench.cli.commands import Command
from workbench.experiments.suggestion import closest

__all__ = ["COMMAND", "spanner"]

_HELP = """\
usage: workbench spanner build GRAPH --sources FILE|N|zones --out MASK.npy [options]
       workbench spanner verify GRAPH MASK.npy --sources FILE|N|zones [--stretch T] [options]

A round-trip spanner keeps few edges of a directed graph, such that from each source to any vertex
and back it is at most T times as far as before.

  build    choose the edges and write them as a mask: one bool per edge of the file, in its order
  verify   search the graph and the edges of a mask, whoever made it, and compare; exits with 0 if
           the bound holds and 1 if not, and shows the worst pair's paths

Examples
  workbench spanner build Sydney_net.tntp --sources zones --stretch 3 --out mask.npy
  workbench spanner verify Sydney_net.tntp mask.npy --sources zones --stretch 3
  workbench spanner build roads.csv --weight travel_time --sources depots.txt --stretch 1.5 \\
      --prune --out mask.npy --report spanner.json
  workbench spanner build er4k --sources 64 --out mask.npy      # a generated graph, for a look

`workbench spanner build --help` shows all options, and `workbench run spanner` does the same with
a report page. In Python: graphs.roundtrip_spanner and graphs.verify_spanner.
"""

_GRAPH = "edge list, DIMACS .gr, TNTP, Matrix Market or scipy .npz (.gz too), or a generated graph"
_SOURCES = (
    "a file of node names, one per line; a number: so many random ones of the largest strongly "
    "connected component; or zones: those of a TNTP file"
)
_WEIGHT = "column of the weights, by name or number from 0; none: all are 1 (default: auto)"


def spanner(words: Sequence[str]) -> int:
    """Build or verify, as the first word says."""
    if not words or words[0] in ("-h", "--help"):
        print(_HELP, end="")
        return 0 if words else 2
    tasks = {"build": _build, "verify": _verify}
    if words[0] not in tasks:
        raise UsageError(
            f"spanner: unknown word {words[0]!r}{closest(words[0], list(tasks))} "
            "(there are: build, verify)"
        )
    return tasks[words[0]](words[1:])


def _build(words: Sequence[str]) -> int:
    parser = Arguments("spanner build", "Choose few edges that keep round trips short.")
    _common(parser)
    add = parser.add_argument
    add("--stretch", type=float, default=3.0, metavar="T", help="bound, at least 1 (default: 3)")
    add("--out", required=True, metavar="MASK.npy", help="where the mask goes")
    add("--method", default="auto", choices=("auto", "exact", "greedy", "cover", "rtz"),
        help="what builds it (default: auto)")  # fmt: skip
    add("--k", type=int, metavar="K", help="levels of method rtz (default: what T allows)")
    add("--prune", action="store_true",
        help="then drop edges that can be spared, in more time and memory")  # fmt: skip
    add("--verify", default="full", choices=("full", "sample", "none"),
        help="measure all pairs, those of 32 sources, or nothing (default: full)")  # fmt: skip
    parser.epilog = (
        "examples:\n"
        "  workbench spanner build net.tntp --sources zones --stretch 3 --out mask.npy\n"
        "  workbench spanner build roads.csv --weight 2 --sources 64 --prune --out mask.npy\n"
    )
    options = parser.read(words)
    from graphs.spanner.tasks import build

    return build(options)


def _verify(words: Sequence[str]) -> int:
    parser = Arguments("spanner verify", "Measure the stretch of a mask, whoever made it.")
    _common(parser, mask=True)
    add = parser.add_argument
    add("--stretch", type=float, metavar="T",
        help="the bound to hold; without it, only lost round trips fail")  # fmt: skip
    add("--sample", type=int, metavar="N", help="check only so many of the sources")
    parser.epilog = (
        "exit codes: 0 it holds, 1 it does not, 2 wrong usage\n\n"
        "examples:\n"
        "  workbench spanner verify net.tntp mask.npy --sources zones --stretch 3\n"
        "  workbench spanner verify roads.csv mask.npy --sources depots.txt --report r.json\n"
    )
    options = parser.read(words)
    from graphs.spanner.tasks import verify

    return verify(options)


def _common(parser: argparse.ArgumentParser, *, mask: bool = False) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("graph", metavar="GRAPH", help=_GRAPH)
    if mask:
        add("mask", metavar="MASK.npy", help="bool, one per edge of the file, in its order")
    add("--sources", required=True, metavar="FILE|N|zones", help=_SOURCES)
    add("--weight", default="auto", metavar="COLUMN", help=_WEIGHT)
    add("--report", metavar="FILE.json", help="write what was found as JSON")
    add("--seed", type=int, default=0, metavar="SEED", help="of random choices (default: 0)")
    add("--threads", type=int, metavar="N", help="default: all processors")


COMMAND = Command(
    name="spanner",
    summary="few edges that keep round trips short: build, verify",
    run=spanner,
)
