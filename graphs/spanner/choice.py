# SPDX-License-Identifier: Apache-2.0
"""Which method suits a graph, a number of sources and a stretch.

Measured (docs/systems/spanners.md): ``greedy`` is smallest wherever its four searches per source
can be afforded. ``cover`` costs a few dozen searches however many sources there are, but below a
stretch of about six its balls become so narrow that its work grows with the sources and it keeps
almost as many edges as ``exact``.
"""

from __future__ import annotations

__all__ = ["METHODS", "choose"]

METHODS = ("exact", "greedy", "cover", "rtz")

#: Arcs looked at in both searches of all sources that `greedy` takes some ten seconds for.
GREEDY_ARCS = 5e8
#: The same where `cover` could not do it with fewer edges than `exact` anyhow: some minutes.
PATIENT_ARCS = 1e10
#: Least stretch at which the cells and balls of `cover` are wide enough to certify by.
COVER_STRETCH = 6.0


def choose(n: int, m: int, sources: int, stretch: float) -> str:
    """Name the method ``auto`` stands for.

    Parameters
    ----------
    n, m : int
        Vertices and edges of the components that hold sources.
    sources : int
    stretch : float

    Returns
    -------
    str
        ``"exact"``, ``"greedy"`` or ``"cover"``.
    """
    if stretch == 1 or sources <= 1:
        return "exact"
    arcs = 2.0 * sources * (n + m)
    if arcs <= GREEDY_ARCS:
        return "greedy"
    if stretch < COVER_STRETCH and arcs <= PATIENT_ARCS:
        return "greedy"
    return "cover"
