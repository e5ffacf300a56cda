# SPDX-License-Identifier: Apache-2.0
"""The part of a large device in which mappings are searched."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["best_region"]


def best_region(
    n_qubits: int,
    couplings: Sequence[tuple[int, int, float]],
    readout_errors: Sequence[float],
    size: int,
) -> tuple[int, ...]:
    """Return a connected set of qubits with little error; all of them where there are no more.

    On a large device nearly all mappings are useless: their wires lie so far apart that swaps
    take all signal, and that many qubits take part in them.

    Grown from each qubit in turn: next comes the neighbour whose read-out error and coupling to
    the region are the least together. The region with the least sum of both is returned.

    Parameters
    ----------
    n_qubits : int
    couplings : sequence of (qubit, qubit, error)
    readout_errors : sequence of float
        Per qubit.
    size : int
        Number of qubits wanted.

    Returns
    -------
    tuple of int
        Ascending; fewer than `size` qubits where no connected part has as many.
    """
    if n_qubits <= size:
        return tuple(range(n_qubits))
    neighbours: dict[int, dict[int, float]] = {qubit: {} for qubit in range(n_qubits)}
    for a, b, error in couplings:
        neighbours[a][b] = neighbours[b][a] = error
    best: tuple[float, float, tuple[int, ...]] | None = None
    for start in range(n_qubits):
        region, cost = {start}, readout_errors[start]
        while len(region) < size:
            options = [
                (error + readout_errors[other], other)
                for qubit in region
                for other, error in neighbours[qubit].items()
                if other not in region
            ]
            if not options:
                break
            added, other = min(options)
            region.add(other)
            cost += added
        found = (-float(len(region)), cost, tuple(sorted(region)))
        best = found if best is None else min(best, found)
    return () if best is None else best[2]
