# SPDX-License-Identifier: Apache-2.0
"""Which streets must stay open, so that every round trip from a depot stays within 1.5 times?

python examples/depots.py                                  # a made-up town
python examples/depots.py --graph net.tntp --depots 12     # any road network, see read_digraph
python examples/depots.py --picture depots.svg
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from graphs import DiGraph, read_digraph, roundtrip_spanner, street_grid


def place(g: DiGraph, v: int) -> str:
    """Call a crossing by its name, or by where it lies."""
    if g.nodes is not None and not isinstance(g.nodes, range):
        return str(g.nodes[v])
    if g.positions is not None:
        return "({:g}, {:g})".format(*g.positions[v])
    return str(v)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--graph", help="a road network; a made-up town by default")
    parser.add_argument("--depots", type=int, default=5)
    parser.add_argument("--stretch", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--picture", help="draw the streets into this file")
    options = parser.parse_args(argv)

    # A town of one-way and two-way streets; weights are travel times.
    town = (
        read_digraph(options.graph)
        if options.graph
        else street_grid(40, 40, one_way=0.3, seed=options.seed)
    )
    _, component = town.components
    connected = np.flatnonzero(component == np.bincount(component).argmax())
    rng = np.random.default_rng(options.seed)
    depots = rng.choice(connected, options.depots, replace=False)

    spanner = roundtrip_spanner(town, depots, options.stretch, method="greedy", prune=True)
    report = spanner.stretch
    assert report is not None
    print(f"{town.m} street segments, {options.depots} depots")
    print(f"{spanner.size} must stay open, {town.m - spanner.size} may close")
    print(f"longest detour: {report.max:.3f} times; on average {report.mean:.3f} times")
    worst = report.worst
    assert worst is not None
    print(
        f"worst round trip: {place(town, worst.source)} to {place(town, worst.vertex)} and back, "
        f"{worst.spanner_distance:g} instead of {worst.graph_distance:g}"
    )
    for words, path in (("out", worst.spanner_out_path), ("back", worst.spanner_back_path)):
        stops = [place(town, int(town.tails[e])) for e in path]
        print(f"  {words} over {len(stops)} segments: {' '.join(stops[:6])} ...")
    if options.picture:
        axes = spanner.draw()
        axes.set_title(f"Round trips from {options.depots} depots within {options.stretch:g}x")
        axes.figure.savefig(options.picture, bbox_inches="tight")


if __name__ == "__main__":
    main()
