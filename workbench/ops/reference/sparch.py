# SPDX-License-Identifier: Apache-2.0
"""The SpArch counters in plain Python: slow, short, and what the kernels must agree with."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from workbench.ops.sparch import (
    Fetches,
    Merged,
    Order,
    OuterSpaceCounts,
    Pattern,
    Schedule,
    Weights,
)

__all__ = ["merge", "outerspace", "prefetch", "schedule", "symbolic"]

Coordinates = set[tuple[int, int]]


def _rows(pattern: Pattern) -> list[list[int]]:
    bounds = zip(pattern.indptr[:-1], pattern.indptr[1:], strict=True)
    return [pattern.indices[begin:end].tolist() for begin, end in bounds]


def _leaf_elements(a: Pattern, condense: bool) -> list[list[tuple[int, int]]]:
    """Return the elements (row, column) of A by leaf."""
    rows = _rows(a)
    count = max((len(row) for row in rows), default=0) if condense else a.shape[1]
    leaves: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for i, row in enumerate(rows):
        for q, k in enumerate(row):
            leaves[q if condense else k].append((i, k))
    return leaves


def symbolic(a: Pattern, b: Pattern) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`workbench.ops.sparch.symbolic`."""
    right = _rows(b)
    products = [sum(len(right[k]) for k in row) for row in _rows(a)]
    elements = [len({j for k in row for j in right[k]}) for row in _rows(a)]
    return np.array(products, np.int64), np.array(elements, np.int64)


def schedule(
    a: Pattern,
    b: Pattern,
    *,
    condense: bool = True,
    order: Order = "huffman",
    weights: Weights = "exact",
    ways: int = 64,
) -> Schedule:
    """As :func:`workbench.ops.sparch.schedule`, with every partial matrix as a set."""
    right = _rows(b)
    leaves = _leaf_elements(a, condense)
    partial: dict[int, Coordinates] = {}
    weight: dict[int, int] = {}
    for leaf, elements in enumerate(leaves):
        found = {(i, j) for i, k in elements for j in right[k]}
        if found:
            partial[leaf] = found
            weight[leaf] = len(elements) if weights == "lengths" else len(found)
    live = list(partial)
    leaf_round = np.full(len(leaves), -1, np.int64)
    rounds: list[list[int]] = []
    fresh_id = len(leaves)

    def run(children: Sequence[int]) -> int:
        nonlocal fresh_id
        columns = [child for child in children if child < len(leaves)]
        stored = [child for child in children if child >= len(leaves)]
        merged: Coordinates = set().union(*(partial[child] for child in children))
        leaf_round[columns] = len(rounds)
        rounds.append(
            [
                len(columns),
                len(stored),
                sum(len(leaves[c]) for c in columns),
                0 if condense else sum(len(right[c]) for c in columns),
                sum(len(right[k]) for c in columns for _, k in leaves[c]),
                sum(len(partial[s]) for s in stored),
                len(merged),
            ]
        )
        node, fresh_id = fresh_id, fresh_id + 1
        partial[node] = merged
        weight[node] = (
            len(merged) if weights == "exact" else sum(weight[child] for child in children)
        )
        return node

    queue = list(live)
    if order == "sequential" and queue:
        total = run(queue[:ways])
        for start in range(ways, len(queue), ways - 1):
            total = run([total, *queue[start : start + ways - 1]])
    elif order == "balanced" and queue:
        while len(queue) > ways:
            queue = [*queue[ways:], run(queue[:ways])]
        run(queue)
    elif queue:
        width = (len(queue) - 2) % (ways - 1) + 2 if len(queue) > ways else len(queue)
        while True:
            queue.sort(key=lambda node: (weight[node], node))
            node = run(queue[:width])
            queue = [*queue[width:], node]
            if len(queue) == 1:
                break
            width = ways
    table = np.array(rounds, np.int64).reshape(-1, 7)
    if len(table):
        table[0, 2] += sum(len(leaf) for i, leaf in enumerate(leaves) if leaf_round[i] < 0)
    return Schedule(condense, len(live), leaf_round, *table.T)


def prefetch(
    a: Pattern,
    b: Pattern,
    plan: Schedule,
    *,
    lines: int = 1024,
    line_elements: int = 48,
    window: int | None = 8192,
) -> Fetches:
    """As :func:`workbench.ops.sparch.prefetch`, looking for every next use by scanning."""
    length = b.lengths
    counts = []
    for number in range(plan.rounds):
        requests = [
            k
            for row in _rows(a)
            for q, k in enumerate(row)
            if plan.leaf_round[q if plan.condense else k] == number
        ]
        resident: dict[int, int] = {}
        last_use: dict[int, int] = {}
        count = [0, 0, 0, 0, 0]
        for now, row in enumerate(requests):
            ahead = requests[now + 1 :] if window is None else requests[now + 1 : now + 1 + window]
            last_use[row] = now

            def urgency(
                other: int, ahead: list[int] = ahead, last_use: dict[int, int] = last_use
            ) -> tuple[bool, int]:
                # Greater is evicted first: unknown before known, old before new, late before soon.
                known = other in ahead
                return not known, ahead.index(other) if known else -last_use[other]

            wanted = -(-int(length[row]) // line_elements)
            missing = wanted - resident.get(row, 0)
            count[0] += wanted > 0
            count[1] += missing > 0
            count[2] += wanted
            count[3] += missing
            if missing:
                count[4] += int(length[row]) - resident.get(row, 0) * line_elements
            for _ in range(missing):
                if sum(resident.values()) == lines:
                    victim = max(resident, key=urgency)
                    if urgency(victim) <= urgency(row):
                        break
                    resident[victim] -= 1
                    if resident[victim] == 0:
                        del resident[victim]
                resident[row] = resident.get(row, 0) + 1
        counts.append(count)
    return Fetches(*np.array(counts, np.int64).reshape(-1, 5).T)


def outerspace(
    a: Pattern,
    b: Pattern,
    *,
    element_bytes: int = 12,
    align: int = 0,
    units: int = 256,
    bytes_per_cycle: float = 256 / 3,
) -> OuterSpaceCounts:
    """As :func:`workbench.ops.sparch.outerspace`."""

    def size(count: int) -> int:
        exact = element_bytes * count
        return -(-exact // align) * align if align else exact

    def busiest(tasks: list[tuple[int, int]]) -> float:
        busy = [0.0] * units
        for number, (work, moved) in enumerate(tasks):
            busy[number % units] += max(work, moved * units / bytes_per_cycle)
        return max(busy)

    left, right = _rows(a), _rows(b)
    column = np.bincount(a.indices, minlength=a.shape[1]).tolist()
    _, elements = symbolic(a, b)
    multiply = [
        (column[k] * len(row), size(column[k]) + size(len(row)) + column[k] * size(len(row)))
        for k, row in enumerate(right)
        if column[k] and row
    ]
    merges = []
    for i, row in enumerate(left):
        lengths = [len(right[k]) for k in row if right[k]]
        if lengths:
            moved = sum(size(n) for n in lengths) + size(int(elements[i]))
            merges.append((sum(lengths) * len(lengths), moved))
    return OuterSpaceCounts(
        a_bytes=sum(size(n) for n in column),
        b_bytes=sum(size(len(row)) for row in right),
        written_bytes=sum(size(len(right[k])) for row in left for k in row),
        c_bytes=sum(size(int(n)) for n in elements),
        multiply_cycles=busiest(multiply),
        merge_cycles=busiest(merges),
    )


def merge(
    a_keys: Sequence[int],
    a_values: Sequence[float],
    b_keys: Sequence[int],
    b_values: Sequence[float],
    *,
    width: int = 16,
) -> Merged:
    """As :func:`workbench.ops.sparch.merge`, by :func:`heapq.merge`; comparators are not counted.

    Where keys are equal, the element of `b` leaves the array first, which fixes the order of the
    sum; addition of two numbers does not depend on it.
    """
    both = heapq.merge(
        zip(a_keys, a_values, strict=True),
        zip(b_keys, b_values, strict=True),
        key=lambda pair: pair[0],
    )
    summed = [(key, sum(v for _, v in same)) for key, same in groupby(both, lambda pair: pair[0])]
    return Merged(
        np.array([key for key, _ in summed], np.int64),
        np.array([value for _, value in summed], np.float64),
        -(-(len(a_keys) + len(b_keys)) // width),
        0,
    )
