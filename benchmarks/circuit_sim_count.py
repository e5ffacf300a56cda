# SPDX-License-Identifier: Apache-2.0
"""Counts the arithmetic that a sweep of a circuit needs, from its program's pattern alone.

A frequency takes one complex LU in an order of least fill, one solution of the transposed
system, the transfer from it and one squared difference per noise source. Counted are real
additions and multiplications; device equations and Newton's method are left out, and so is
everything but the first output.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness import Bound

if TYPE_CHECKING:
    from workbench.ops.circuit_program import CircuitProgram

__all__ = ["Counts", "count", "least_fill", "sweep_bound"]

_PRODUCT_AND_SUM = 8  # of complex numbers: four multiplications, four additions
_PRODUCT = 6
_INVERSE = 6
_SQUARE = 7  # |z_d - z_s|^2, weighed and added


@dataclass(frozen=True)
class Counts:
    """What one LU of the small-signal matrix holds.

    Attributes
    ----------
    unknowns, entries, factors : int
        Nodes that no tree of voltage sources ties to ground, nonzeros, nonzeros of L + U.
    pairs : int
        Products that the factors are summed from.
    noisy : int
        Resistors and transistors.
    """

    unknowns: int
    entries: int
    factors: int
    pairs: int
    noisy: int

    @property
    def flop(self) -> float:
        """Operations per candidate and frequency."""
        off_diagonal = self.factors - self.unknowns
        lower = off_diagonal / 2  # the pattern is symmetric
        factor = _PRODUCT_AND_SUM * self.pairs + _PRODUCT * lower + _INVERSE * self.unknowns
        solve = _PRODUCT_AND_SUM * off_diagonal + _PRODUCT * self.unknowns
        return self.entries + factor + solve + _SQUARE * self.noisy


def _records(code: Iterable[int]) -> list[list[int]]:
    words, found = list(code), []
    at = 0
    while at < len(words):
        length = 16 if words[at] == 4 else 4
        found.append(words[at : at + length])
        at += length
    return found


def _pattern(program: CircuitProgram) -> tuple[int, set[tuple[int, int]], int]:
    """Unknowns, nonzeros of G + jwC with all diagonals, sources of noise."""
    records = _records(program.code.tolist())
    tie = list(range(program.n_nodes))

    def top(node: int) -> int:
        while tie[node] != node:
            node = tie[node]
        return node

    for kind, a, b, *_ in records:
        if kind == 3:
            low, high = sorted((top(a), top(b)))
            tie[high] = low
    tops = sorted({top(node) for node in range(program.n_nodes)} - {0})
    unknown = {node: i for i, node in enumerate(tops)}
    entries = {(i, i) for i in range(len(tops))}

    def couple(a: int, b: int) -> None:
        row, column = unknown.get(top(a)), unknown.get(top(b))
        if row is not None and column is not None:
            entries.add((row, column))
            entries.add((column, row))

    noisy = 0
    for record in records:
        kind, *ends = record
        noisy += kind in (0, 4)
        if kind in (0, 1):
            couple(ends[0], ends[1])
        elif kind == 4:
            d, g, s, b = ends[:4]
            for pair in ((d, g), (d, s), (d, b), (g, s), (g, b), (s, b)):
                couple(*pair)
    return len(tops), entries, noisy


def least_fill(size: int, entries: set[tuple[int, int]]) -> tuple[list[int], set[tuple[int, int]]]:
    """Markowitz's order over the diagonal, ties by number, and the pattern with its fill."""
    filled = set(entries)
    left = set(range(size))
    order = []
    while left:
        costs = {
            i: sum((i, j) in filled for j in left if j != i)
            * sum((j, i) in filled for j in left if j != i)
            for i in left
        }
        best = min((cost, i) for i, cost in costs.items())[1]
        left.remove(best)
        order.append(best)
        below = [i for i in left if (i, best) in filled]
        right = [j for j in left if (best, j) in filled]
        filled |= {(i, j) for i in below for j in right}
    return order, filled


def count(program: CircuitProgram) -> Counts:
    """Count one LU of the program's small-signal matrix."""
    size, entries, noisy = _pattern(program)
    order, filled = least_fill(size, entries)
    step = {unknown: k for k, unknown in enumerate(order)}
    pairs = 0
    for k in range(size):
        below = sum((i, order[k]) in filled for i in range(size) if step[i] > k)
        right = sum((order[k], j) in filled for j in range(size) if step[j] > k)
        pairs += below * right
    return Counts(size, len(entries), len(filled), pairs, noisy)


def sweep_bound(program: CircuitProgram, frequencies: int, candidates: int) -> dict[str, Bound]:
    """Bound of operating points left out: the sweep's arithmetic, its values in and results out."""
    c = count(program)
    flop = c.flop * frequencies * candidates
    moved = 8.0 * candidates * (program.n_rows + program.n_nodes + 3 * frequencies)
    why = (
        f"{c.unknowns} unknowns, {c.entries} entries, {c.factors} factors of {c.pairs} products: "
        f"{c.flop:,.0f} operations per candidate and frequency for the LU, one transposed "
        "solution and the noise; device equations and operating points are not counted"
    )
    return {"float64": Bound(flop, moved, why)}
