# SPDX-License-Identifier: Apache-2.0
"""What a verification found: the stretch of all pairs, counted, and the worst of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from graphs.searches import sssp

__all__ = ["Histogram", "StretchReport", "Worst"]

Longs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Bins are ranges of a float's leading bits: equal steps within each power of two.
_FINE, _COARSE, _DISTANCE = 11, 5, 3  # bits after the leading one
_ONE = int(np.float64(1).view(np.int64))
_MANTISSA = 52
_SPREAD = 1 << 20  # ranges of keys up to this are counted without sorting


@dataclass(frozen=True, eq=False)
class Histogram:
    """Pairs by round-trip distance and stretch, but those that are broken or at distance 0.

    Attributes
    ----------
    counts : ndarray
        int64, shape ``(a, b)``.
    distance_edges : ndarray
        float64, shape ``(a + 1,)``: bin i holds distances in ``[edges[i], edges[i + 1])``; eight
        bins for each power of two.
    stretch_edges : ndarray
        float64, shape ``(b + 1,)``, from 1; 32 bins for each power of two.
    """

    counts: Longs
    distance_edges: Floats
    stretch_edges: Floats

    @classmethod
    def of(cls, tally: Tally) -> Histogram:
        """From the counts of a tally."""
        if tally.grid.keys.size == 0:
            return cls(np.zeros((0, 0), np.int64), np.ones(1), np.ones(1))
        far, long = tally.grid.keys >> 32, tally.grid.keys & (2**32 - 1)
        low, high, top = int(far.min()), int(far.max()), int(long.max())
        counts = np.zeros((high - low + 1, top + 1), np.int64)
        counts[far - low, long] = tally.grid.counts
        edges = np.arange(low, high + 2, dtype=np.int64) << (_MANTISSA - _DISTANCE)
        return cls(counts, edges.view(np.float64), _edges(np.arange(top + 2), _COARSE))

    def to_json(self) -> dict[str, Any]:
        """Plain values; of the counts, rows of ``[distance bin, stretch bin, pairs]``."""
        a, b = np.nonzero(self.counts)
        return {
            "distance_edges": self.distance_edges.tolist(),
            "stretch_edges": self.stretch_edges.tolist(),
            "counts": np.stack([a, b, self.counts[a, b]], axis=1).tolist(),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Histogram:
        """The inverse of :meth:`to_json`."""
        x, y = (np.array(data[k], np.float64) for k in ("distance_edges", "stretch_edges"))
        counts = np.zeros((x.size - 1, y.size - 1), np.int64)
        for a, b, count in data["counts"]:
            counts[a, b] = count
        return cls(counts, x, y)


@dataclass(frozen=True, eq=False)
class Worst:
    """The pair of largest stretch; of equal ones the first, by source and then by vertex.

    Attributes
    ----------
    source, vertex : int
    graph_distance, spanner_distance : float
        Of the round trip; the second is infinite where the spanner has none.
    ratio : float
        The pair's stretch; infinite for a broken pair.
    out_path, back_path : ndarray
        int64: edges of a shortest path in the graph from `source` to `vertex`, and back.
    spanner_out_path, spanner_back_path : ndarray or None
        The same in the spanner, edges still numbered as in the graph; None where there is none.
    """

    source: int
    vertex: int
    graph_distance: float
    spanner_distance: float
    ratio: float
    out_path: Longs
    back_path: Longs
    spanner_out_path: Longs | None
    spanner_back_path: Longs | None

    def to_json(self) -> dict[str, Any]:
        """Plain values; None for what is infinite or missing."""
        paths = ("out_path", "back_path", "spanner_out_path", "spanner_back_path")
        found = {name: getattr(self, name) for name in paths}
        return {
            "source": self.source,
            "vertex": self.vertex,
            "graph_distance": self.graph_distance,
            "spanner_distance": _finite(self.spanner_distance),
            "ratio": _finite(self.ratio),
            **{name: None if path is None else path.tolist() for name, path in found.items()},
        }


@dataclass(frozen=True, eq=False)
class StretchReport:
    """What :func:`graphs.verify_spanner` found.

    A pair is a checked source and another vertex with a round trip in the graph. It is broken,
    its stretch infinite, where the spanner has no such round trip, or the distance was 0 and is
    no longer. A pair that stays at distance 0 counts as stretch 1.

    Attributes
    ----------
    n, m, kept : int
        Vertices and edges of the graph, edges of the spanner.
    sources, checked : int
        Distinct sources, and how many of them were checked.
    exact : bool
        Whether that is all of them; else they are a sample and so is every number below.
    pairs, broken : int
    violations : int or None
        Pairs beyond `stretch`, broken ones included; None where no bound was given.
    stretch : float or None
        The bound to hold.
    rtol : float
        The relative excess over it that was let pass.
    max, mean : float
        Of the stretch; 1 where there is no pair.
    p50, p99 : float
        Half of the pairs, 99 % of them, have at most this stretch; rounded down by less than
        2^-11 of it.
    worst : Worst or None
        None where there is no pair.
    histogram : Histogram
    distribution : tuple of ndarray
        Stretch, rounded down as above and rising (float64, infinite for broken pairs), and the
        number of pairs of each (int64).
    """

    n: int
    m: int
    kept: int
    sources: int
    checked: int
    exact: bool
    pairs: int
    broken: int
    violations: int | None
    stretch: float | None
    rtol: float
    max: float
    mean: float
    p50: float
    p99: float
    worst: Worst | None
    histogram: Histogram = field(repr=False)
    distribution: tuple[Floats, Longs] = field(repr=False)

    @property
    def holds(self) -> bool | None:
        """Whether no pair checked is beyond the bound; None where no bound was given."""
        return None if self.violations is None else self.violations == 0

    def quantile(self, q: float) -> float:
        """The stretch that a share `q` of the pairs has at most, rounded down as `p50`.

        Raises
        ------
        ValueError
            If `q` is not in [0, 1].
        """
        if not 0 <= q <= 1:
            raise ValueError(f"q must be in [0, 1], got {q}")
        return _quantile(*self.distribution, q)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON file; None for what is infinite."""
        plain = (
            *("n", "m", "kept", "sources", "checked", "exact", "pairs", "broken", "violations"),
            *("holds", "stretch", "rtol"),
        )
        return {
            **{name: getattr(self, name) for name in plain},
            **{name: _finite(getattr(self, name)) for name in ("max", "mean", "p50", "p99")},
            "worst": None if self.worst is None else self.worst.to_json(),
            "histogram": self.histogram.to_json(),
        }

    def __str__(self) -> str:
        whole = "all" if self.exact else f"SAMPLED: {self.checked} of"
        lines = [
            f"{self.kept} of {self.m} edges, {whole} {self.sources} sources checked, "
            f"{self.pairs} pairs",
            f"stretch: max {self.max:.6g}, mean {self.mean:.6g}, median {self.p50:.6g}, "
            f"99 % at most {self.p99:.6g}",
        ]
        if self.broken:
            lines.append(f"{self.broken} pairs have lost their round trip")
        if self.worst is not None:
            w = self.worst
            lines.append(
                f"worst pair: source {w.source}, vertex {w.vertex}: round trip "
                f"{w.graph_distance:.10g} in the graph, {w.spanner_distance:.10g} in the spanner"
            )
        if self.stretch is not None:
            if self.holds:
                said = "holds" if self.exact else "holds for the sample"
            else:
                said = f"FAILS for {self.violations} pairs"
            lines.append(f"bound {self.stretch:g}: {said}")
        return "\n".join(lines)


@dataclass
class Counts:
    """How often each key occurs; keys rise."""

    keys: Longs = field(default_factory=lambda: np.zeros(0, np.int64))
    counts: Longs = field(default_factory=lambda: np.zeros(0, np.int64))

    @classmethod
    def of(cls, keys: Longs) -> Counts:
        """Count them."""
        if keys.size == 0:
            return cls()
        low = int(keys.min())
        if int(keys.max()) - low >= max(_SPREAD, 4 * keys.size):
            found, counts = np.unique(keys, return_counts=True)
            return cls(found, counts.astype(np.int64))
        counts = np.bincount(keys - low)
        found = np.flatnonzero(counts)
        return cls(found + low, counts[found].astype(np.int64))

    @classmethod
    def sum(cls, parts: list[Counts]) -> Counts:
        """Add several up."""
        if not parts:
            return cls()
        keys, place = np.unique(np.concatenate([p.keys for p in parts]), return_inverse=True)
        counts = np.zeros(keys.size, np.int64)
        np.add.at(counts, place.ravel(), np.concatenate([p.counts for p in parts]))
        return cls(keys, counts)


class Tally:
    """Counts over some sources; adding those of the sources that follow gives those of all."""

    def __init__(self) -> None:
        self.pairs = self.broken = self.violations = 0
        self.sums: list[float] = []  # of the stretch, by source: exact addition comes last
        self.worst: tuple[int, int, float, float, float] | None = None
        self._fine: list[Counts] = []
        self._grid: list[Counts] = []

    @property
    def grid(self) -> Counts:
        """Keys ``distance << 32 | stretch``."""
        return _compact(self._grid)

    def add(self, other: Tally) -> None:
        """Add the counts of sources that come after these."""
        self.pairs += other.pairs
        self.broken += other.broken
        self.violations += other.violations
        self.sums += other.sums
        if other.worst is not None and (self.worst is None or other.worst[4] > self.worst[4]):
            self.worst = other.worst
        for mine, theirs in ((self._fine, other._fine), (self._grid, other._grid)):
            mine += theirs
            if len(mine) >= 64:
                _compact(mine)

    def mean(self) -> float:
        """Infinite where pairs are broken, 1 where there are none."""
        if self.broken:
            return math.inf
        return math.fsum(self.sums) / self.pairs if self.pairs else 1.0

    def distribution(self) -> tuple[Floats, Longs]:
        """Stretch, rounded down, and the number of pairs."""
        fine = _compact(self._fine)
        values, counts = _edges(fine.keys, _FINE), fine.counts
        if self.broken:
            values, counts = np.append(values, np.inf), np.append(counts, self.broken)
        return values, counts

    def quantile(self, q: float) -> float:
        """As :meth:`StretchReport.quantile`."""
        return _quantile(*self.distribution(), q)


def tally_row(
    before: Floats, after: Floats, u: int, stretch: float | None, tolerance: float
) -> Tally:
    """Count the pairs of one source u, given its round trips in the graph and in the spanner."""
    tally = Tally()
    is_pair = np.isfinite(before)
    is_pair[u] = False
    vertex = np.flatnonzero(is_pair)
    tally.pairs = int(vertex.size)
    if not vertex.size:
        return tally
    a, b = before[vertex], after[vertex]
    at_zero = a == 0
    ratio = np.ones(a.size)
    with np.errstate(over="ignore"):
        np.divide(b, a, out=ratio, where=~at_zero)
    ratio[at_zero & (b > 0)] = np.inf
    np.maximum(ratio, 1, out=ratio)  # sums of one path may differ in the last bit
    whole = np.isfinite(ratio)
    tally.broken = int(a.size - np.count_nonzero(whole))
    if stretch is not None:
        # As the builders compare: the product, not the quotient, has the last word.
        beyond = ~whole | (b > stretch * a * (1 + tolerance))
        tally.violations = int(np.count_nonzero(beyond))
    top = int(np.argmax(ratio))
    tally.worst = (u, int(vertex[top]), float(a[top]), float(b[top]), float(ratio[top]))
    tally.sums = [float(ratio[whole].sum())]
    bits = ratio[whole].view(np.int64) - _ONE
    tally._fine = [Counts.of(bits >> (_MANTISSA - _FINE))]
    placed = whole & ~at_zero
    far = a[placed].view(np.int64) >> (_MANTISSA - _DISTANCE)
    long = (ratio[placed].view(np.int64) - _ONE) >> (_MANTISSA - _COARSE)
    tally._grid = [_grid(far, long)]
    return tally


def find_worst(
    g: DiGraph,
    keep: npt.NDArray[np.bool_],
    u: int,
    v: int,
    before: float,
    after: float,
    ratio: float,
) -> Worst:
    """Search the paths of the worst pair."""
    kept = [_path(g, u, v, reverse, keep) for reverse in (False, True)]
    out, back = (_path(g, u, v, reverse, None) for reverse in (False, True))
    assert out is not None
    assert back is not None
    return Worst(u, v, before, after, ratio, out, back, kept[0], kept[1])


def _path(
    g: DiGraph, u: int, v: int, reverse: bool, keep: npt.NDArray[np.bool_] | None
) -> Longs | None:
    """Edges of a shortest path from u to v, or from v to u, in their order."""
    distances, parents = sssp(
        g, u, reverse=reverse, targets=[v], edge_mask=keep, return_parents=True
    )
    if not np.isfinite(distances[v]):
        return None
    edges, at = [], v
    while at != u:
        e = int(parents[at])
        edges.append(e)
        at = int(g.heads[e] if reverse else g.tails[e])
    return np.array(edges if reverse else edges[::-1], np.int64)


def _grid(far: Longs, long: Longs) -> Counts:
    """Count pairs of keys; the range of both together is small where weights are alike."""
    if far.size == 0:
        return Counts()
    low, width = int(far.min()), int(long.max()) + 1
    found = Counts.of((far - low) * width + long)
    return Counts(((found.keys // width + low) << 32) | (found.keys % width), found.counts)


def _compact(parts: list[Counts]) -> Counts:
    """The sum of `parts`, which becomes its only part."""
    parts[:] = [Counts.sum(parts)]
    return parts[0]


def _edges(keys: npt.NDArray[Any], bits: int) -> Floats:
    """Lower ends of bins counted from 1."""
    floats: Floats = ((keys.astype(np.int64) << (_MANTISSA - bits)) + _ONE).view(np.float64)
    return floats


def _quantile(values: Floats, counts: Longs, q: float) -> float:
    if not counts.size:
        return 1.0
    upto = np.cumsum(counts)
    rank = max(1, math.ceil(q * int(upto[-1])))
    return float(values[min(int(np.searchsorted(upto, rank)), values.size - 1)])


def _finite(x: float) -> float | None:
    return x if math.isfinite(x) else None
