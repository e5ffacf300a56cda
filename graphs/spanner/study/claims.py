# SPDX-License-Identifier: Apache-2.0
"""What was measured before: a prototype of one thread that was thrown away, and its lessons.

Sizes are edges per vertex of the components that hold sources; the sources were others than ours.
"""

from __future__ import annotations

__all__ = ["OPTIMUM", "ORDER", "PROTOTYPE", "TOLERANCE", "WORK"]

#: Edges per vertex by graph, sources, method and stretch (that of rtz is 8).
PROTOTYPE: dict[tuple[str, int, str, float], float] = {
    ("wiki-Vote", 64, "exact", 1.0): 5.35,
    ("wiki-Vote", 64, "greedy", 3.0): 1.89,
    ("wiki-Vote", 64, "rtz", 8.0): 4.84,
    ("wiki-Vote", 64, "cover", 12.0): 3.79,
    ("wiki-Vote", 64, "cover", 48.0): 3.46,
    ("wiki-Vote", 16, "greedy", 3.0): 2457 / 1300,
    ("wiki-Vote", 16, "greedy+prune", 3.0): 2040 / 1300,
    ("er4k", 64, "exact", 1.0): 6.10,
    ("er4k", 64, "greedy", 3.0): 1.75,
    ("er4k", 64, "rtz", 8.0): 5.09,
    ("er4k", 64, "cover", 12.0): 4.73,
    ("er4k", 64, "cover", 48.0): 3.15,
    ("rmat13d", 256, "exact", 1.0): 3.77,
    ("rmat13d", 256, "greedy", 3.0): 1.97,
    ("rmat13d", 256, "rtz", 8.0): 3.46,
    ("rmat13d", 256, "cover", 12.0): 3.27,
    ("rmat13d", 256, "cover", 48.0): 2.82,
    ("sydney", 64, "exact", 1.0): 2.22,
    ("sydney", 64, "greedy", 3.0): 1.97,
    ("sydney", 64, "rtz", 8.0): 2.21,
    ("sydney", 64, "cover", 12.0): 2.20,
    ("sydney", 64, "cover", 48.0): 2.18,
    ("er1k", 16, "greedy", 3.0): 1.725,
    ("er1k", 16, "greedy+prune", 3.0): 1.433,
    ("er1k", 16, "greedy", 5.0): 1.698,
    ("er1k", 16, "greedy+prune", 5.0): 1.322,
    ("andorra", 16, "greedy", 1.5): 3567 / 1912,
    ("andorra", 16, "greedy+prune", 1.5): 3412 / 1912,
    ("andorra", 16, "greedy", 3.0): 3530 / 1912,
    ("andorra", 16, "greedy+prune", 3.0): 3348 / 1912,
}

#: Searches of a cover: by graph, sources and stretch.
WORK: dict[tuple[str, int, float], float] = {
    ("er4k", 64, 48.0): 104,
    ("er4k", 64, 12.0): 850,
    ("er4k", 64, 6.0): 1800,
    ("er4k", 4000, 48.0): 78,
    ("er4k", 4000, 12.0): 885,
    ("rmat17", 64, 48.0): 210,
}

#: From fewest edges to most, as was expected.
ORDER = (
    ("greedy+prune", 3.0),
    ("greedy", 3.0),
    ("cover", 12.0),
    ("rtz", 8.0),
    ("exact", 1.0),
)

#: What exact, greedy and greedy+prune may differ by.
TOLERANCE = 0.05

#: Share of tiny graphs by how many edges pruned greedy had too many.
OPTIMUM = {0: 0.95, 1: 0.05}
