# SPDX-License-Identifier: Apache-2.0
"""What the SpArch accelerator moves and does, counted exactly from two sparsity patterns.

The functions count elements, lines and operations; :mod:`workbench.hardware.sparch` turns them
into bytes and cycles. They take patterns, not values, and know no autograd.
:mod:`workbench.ops.reference.sparch` holds the same functions in plain Python.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from workbench.ops._native import kernels

__all__ = [
    "Fetches",
    "Merged",
    "Order",
    "OuterSpaceCounts",
    "Pattern",
    "Schedule",
    "Weights",
    "merge",
    "outerspace",
    "prefetch",
    "schedule",
    "symbolic",
]

Order: TypeAlias = Literal["sequential", "balanced", "huffman"]
Weights: TypeAlias = Literal["exact", "products", "lengths"]
Longs: TypeAlias = npt.NDArray[np.int64]

ORDERS: tuple[Order, ...] = ("sequential", "balanced", "huffman")
WEIGHTS: tuple[Weights, ...] = ("exact", "products", "lengths")

_LARGEST = 2**31 - 1


@dataclass(frozen=True, eq=False)
class Pattern:
    """The pattern of a CSR matrix, columns strictly increasing within each row.

    Parameters
    ----------
    indptr : integer array (m + 1,)
        Where each row begins; any integer type, kept as int64.
    indices : integer array (nnz,)
        Columns; any integer type, kept as int32.
    shape : tuple of int
        (m, n), each at most ``2**31 - 1``.

    Raises
    ------
    TypeError
        For arrays that are not integer.
    ValueError
        For wrong lengths and for columns out of range. Order within rows is checked where the
        pattern is used.
    """

    indptr: Longs
    indices: npt.NDArray[np.int32]
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        rows, columns = (int(size) for size in self.shape)
        if not (0 <= rows <= _LARGEST and 0 <= columns <= _LARGEST):
            raise ValueError(f"Pattern: shape must hold sizes in [0, 2**31), got {(rows, columns)}")
        indptr = _integers("Pattern", "indptr", self.indptr)
        indices = _integers("Pattern", "indices", self.indices)
        if indptr.size != rows + 1:
            raise ValueError(
                f"Pattern: indptr must have one entry more than there are rows, {rows + 1}, "
                f"got {indptr.size}"
            )
        # Checked before the type is narrowed, which would wrap.
        if indices.size and not (indices.min() >= 0 and indices.max() < columns):
            raise ValueError(
                f"Pattern: indices must be in [0, {columns}), "
                f"got {indices.min()} to {indices.max()}"
            )
        object.__setattr__(self, "shape", (rows, columns))
        object.__setattr__(self, "indptr", np.ascontiguousarray(indptr, np.int64))
        object.__setattr__(self, "indices", np.ascontiguousarray(indices, np.int32))

    @property
    def nnz(self) -> int:
        """Stored elements."""
        return int(self.indices.size)

    @property
    def lengths(self) -> Longs:
        """Stored elements of each row, (m,)."""
        return np.diff(self.indptr)


@dataclass(frozen=True, eq=False)
class Schedule:
    """The merge tree of one product, round by round; the last round writes C.

    Parameters
    ----------
    condense : bool
        Whether leaves are condensed columns of A (the q-th elements of all rows) or its columns.
    leaves : int
        Leaves with at least one product.
    leaf_round : int64 (number of leaves of any kind,)
        In which round each is merged; -1 for those without a product.
    fresh, stored : int64 (rounds,)
        Leaves and stored partial matrices each round merges.
    a_elements : int64 (rounds,)
        Elements of A read; those without a product are charged to the first round.
    b_rows : int64 (rounds,)
        Elements of B read where leaves are columns, each of which needs one row of B once.
    products : int64 (rounds,)
        Scalar multiplications.
    stored_elements, out_elements : int64 (rounds,)
        Elements of partial matrices read, and elements written.
    """

    condense: bool
    leaves: int
    leaf_round: Longs
    fresh: Longs
    stored: Longs
    a_elements: Longs
    b_rows: Longs
    products: Longs
    stored_elements: Longs
    out_elements: Longs

    @property
    def rounds(self) -> int:
        """Number of rounds; 0 for a product without any multiplication."""
        return int(self.fresh.size)


@dataclass(frozen=True, eq=False)
class Fetches:
    """What the buffer of rows of B was asked for and missed, per round, int64 (rounds,).

    Parameters
    ----------
    rows, row_misses
        Rows asked for, and those not wholly in the buffer. Empty rows are left out.
    lines, line_misses
        Lines asked for, and those read from DRAM.
    elements_read
        Elements in the lines read.
    """

    rows: Longs
    row_misses: Longs
    lines: Longs
    line_misses: Longs
    elements_read: Longs


@dataclass(frozen=True)
class OuterSpaceCounts:
    """Bytes moved by OuterSPACE, and the cycles of its busiest unit in each phase."""

    a_bytes: int
    b_bytes: int
    written_bytes: int
    """Products, which are written once and read once."""
    c_bytes: int
    multiply_cycles: float
    merge_cycles: float


class Merged(NamedTuple):
    """Two streams merged by a comparator array."""

    keys: Longs
    values: npt.NDArray[np.float64]
    cycles: int
    """Steps of the array; each gives up to ``width`` outputs."""
    comparators: int
    """Comparators the array is made of."""


def symbolic(a: Pattern, b: Pattern) -> tuple[Longs, Longs]:
    """Count products and stored elements of each row of C = A B.

    Parameters
    ----------
    a, b : Pattern
        (m, k) and (k, n).

    Returns
    -------
    products, elements : int64 (m,)

    Raises
    ------
    ValueError
        If the inner sizes differ or a pattern is malformed.
    """
    products, elements = kernels.sparch_symbolic(*_factors("symbolic", a, b))
    return products, elements


def schedule(
    a: Pattern,
    b: Pattern,
    *,
    condense: bool = True,
    order: Order = "huffman",
    weights: Weights = "exact",
    ways: int = 64,
) -> Schedule:
    """Build the merge tree of C = A B and count every partial matrix in it exactly.

    Parameters
    ----------
    a, b : Pattern
        (m, k) and (k, n).
    condense : bool
        Push the elements of each row of A to the left first.
    order : {"sequential", "balanced", "huffman"}
        One running sum; a queue that gives `ways` at its front and takes the result at its back;
        or the `ways` lightest, a narrower first round filling up all later ones.
    weights : {"exact", "products", "lengths"}
        What "huffman" goes by: real sizes, products below a node, or elements of A below it.
        The counts are exact in any case.
    ways : int
        Streams per round, 2 or more.

    Returns
    -------
    Schedule

    Raises
    ------
    ValueError
        For an unknown order or weights, `ways` below 2 and malformed patterns.

    Notes
    -----
    Condensing, Huffman scheduling and the width of the first round follow SpArch (HPCA 2020),
    sections II-B and II-C. Equal weights are taken in the order of age.
    """
    if order not in ORDERS:
        raise ValueError(f"schedule: order must be one of {', '.join(ORDERS)}, got {order!r}")
    if weights not in WEIGHTS:
        raise ValueError(f"schedule: weights must be one of {', '.join(WEIGHTS)}, got {weights!r}")
    arguments = _factors("schedule", a, b)
    made = kernels.sparch_schedule(
        *arguments, bool(condense), ORDERS.index(order), WEIGHTS.index(weights), int(ways)
    )
    return Schedule(condense=bool(condense), **made)


def prefetch(
    a: Pattern,
    b: Pattern,
    plan: Schedule,
    *,
    lines: int = 1024,
    line_elements: int = 48,
    window: int | None = 8192,
) -> Fetches:
    """Run the buffer of rows of B over a schedule; it is empty at the start of each round.

    Parameters
    ----------
    a, b : Pattern
        Those `plan` was made of.
    plan : Schedule
    lines, line_elements : int
        Size of the buffer: a row takes as many lines as it needs.
    window : int or None
        How many further elements of A are known when a line must be evicted: the one whose next
        use is furthest goes, of those without a known use the one used longest ago. 0 is LRU,
        None is Belady's optimum.

    Returns
    -------
    Fetches

    Raises
    ------
    ValueError
        For sizes below 1, a negative window, and a plan that does not belong to `a`.
    """
    if window is not None and window < 0:
        raise ValueError(f"prefetch: window must be 0 or more, or None, got {window}")
    arguments = _factors("prefetch", a, b)
    made = kernels.sparch_prefetch(
        *arguments,
        np.ascontiguousarray(plan.leaf_round, np.int64),
        plan.rounds,
        plan.condense,
        int(lines),
        int(line_elements),
        -1 if window is None else int(window),
    )
    return Fetches(**made)


def outerspace(
    a: Pattern,
    b: Pattern,
    *,
    element_bytes: int = 12,
    align: int = 0,
    units: int = 256,
    bytes_per_cycle: float = 256 / 3,
) -> OuterSpaceCounts:
    """Count bytes and cycles of OuterSPACE: all products go to DRAM and come back to be merged.

    Parameters
    ----------
    a, b : Pattern
    element_bytes : int
        Index and value.
    align : int
        Every row segment takes a multiple of so many bytes; 0 for exactly what it needs.
    units : int
        Processing elements, which are dealt columns, then rows, in turn.
    bytes_per_cycle : float
        Of all channels together.

    Returns
    -------
    OuterSpaceCounts

    Raises
    ------
    ValueError
        For numbers out of range and malformed patterns.

    Notes
    -----
    A column of A with its row of B takes as many cycles as products, a row of C as many as
    products times inputs (insertion into a list); each at least what its bytes take at a unit's
    share of the bandwidth.
    """
    arguments = _factors("outerspace", a, b)
    made = kernels.sparch_outerspace(
        *arguments, int(element_bytes), int(align), int(units), float(bytes_per_cycle)
    )
    return OuterSpaceCounts(**made)


def merge(
    a_keys: npt.ArrayLike,
    a_values: npt.ArrayLike,
    b_keys: npt.ArrayLike,
    b_values: npt.ArrayLike,
    *,
    width: int = 16,
    chunk: int = 4,
) -> Merged:
    """Merge two sorted streams with a comparator array, adding values under equal keys.

    Parameters
    ----------
    a_keys, b_keys : integer (n,), (m,)
        Non-negative and strictly increasing, such as ``row * n_columns + column``.
    a_values, b_values : float64 (n,), (m,)
    width : int
        Outputs per cycle, 1 to 1024.
    chunk : int
        0 for one array of ``width**2`` comparators; a divisor of `width` for the hierarchical
        one, which compares the last elements of chunks and then only chunks that meet.

    Returns
    -------
    Merged
        The same keys and bits of values for every width and chunk. Sums of 0 are kept.

    Raises
    ------
    ValueError
        For keys out of order, lengths that differ and sizes out of range.
    """
    keys = [
        np.ascontiguousarray(_integers("merge", name, value), np.int64)
        for name, value in (("a_keys", a_keys), ("b_keys", b_keys))
    ]
    values = [np.ascontiguousarray(value, np.float64) for value in (a_values, b_values)]
    return Merged(*kernels.sparch_merge(keys[0], values[0], keys[1], values[1], width, chunk))


def _integers(function: str, name: str, value: Any) -> npt.NDArray[Any]:
    array = np.asarray(value)
    if array.size == 0 and array.ndim == 1:
        array = array.astype(np.int64)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{function}: {name} must be an integer array, got {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{function}: {name} must have one dimension, got {array.ndim}")
    return array


def _factors(
    function: str, a: Pattern, b: Pattern
) -> tuple[Longs, npt.NDArray[np.int32], int, Longs, npt.NDArray[np.int32], int]:
    for name, value in (("a", a), ("b", b)):
        if not isinstance(value, Pattern):
            raise TypeError(f"{function}: {name} must be a Pattern, got {type(value).__name__}")
    return a.indptr, a.indices, a.shape[1], b.indptr, b.indices, b.shape[1]
