# SPDX-License-Identifier: Apache-2.0
"""Bytes and cycles of SpArch and of its ablations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from workbench.hardware.sparch.config import SpArchConfig
from workbench.hardware.sparch.problem import Problem
from workbench.ops.sparch import Longs, Order, Weights, prefetch

__all__ = ["BOUNDS", "Bound", "Buffer", "Simulation", "Traffic", "Variant", "simulate"]

Buffer: TypeAlias = Literal["none", "lru", "lookahead", "unlimited"]
Bound: TypeAlias = Literal["DRAM", "multiplier", "merger", "filling"]

BOUNDS: tuple[Bound, ...] = ("DRAM", "multiplier", "merger", "filling")


@dataclass(frozen=True)
class Variant:
    """Which of the four ideas are on. The default is SpArch."""

    condense: bool = True
    """Push the elements of A to the left, so that there are fewer, denser columns."""
    order: Order = "huffman"
    """In which order partial matrices are merged."""
    weights: Weights = "exact"
    """What the Huffman scheduler takes for the weight of a partial matrix."""
    buffer: Buffer = "lookahead"
    """The row prefetcher: none, one that forgets the least recently used line, one that looks
    ahead as far as the queue of A reaches, or one that sees all of A."""


@dataclass(frozen=True)
class Traffic:
    """Bytes to and from DRAM."""

    a: int = 0
    b: int = 0
    partial_written: int = 0
    partial_read: int = 0
    c: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.a + self.b + self.partial_written + self.partial_read + self.c


@dataclass(frozen=True)
class Simulation:
    """What one variant does on one product.

    Parameters
    ----------
    variant : Variant
    traffic : Traffic
    leaves, rounds : int
        Partial matrices that are multiplied, and merges.
    products : int
        Scalar multiplications.
    cycles : float
    bound_cycles : dict
        Cycles by what bounds the rounds they belong to, and those in which rounds fill.
    lines, line_misses : int
        Of the row buffer; 0 without one.
    peak_bytes_per_cycle, clock_ghz : float
    """

    variant: Variant
    traffic: Traffic
    leaves: int
    rounds: int
    products: int
    cycles: float
    bound_cycles: dict[Bound, float]
    lines: int
    line_misses: int
    peak_bytes_per_cycle: float
    clock_ghz: float

    @property
    def hit_rate(self) -> float | None:
        """Share of the lines of B found in the buffer; None without a buffer."""
        return 1.0 - self.line_misses / self.lines if self.lines else None

    @property
    def bandwidth_utilisation(self) -> float:
        """Bytes moved by those the channels could have moved in the time."""
        if self.cycles == 0:
            return 0.0
        return self.traffic.total / (self.cycles * self.peak_bytes_per_cycle)

    @property
    def gflops(self) -> float:
        """Multiplications and additions, one each per product, per nanosecond."""
        return 2 * self.products * self.clock_ghz / self.cycles if self.cycles else 0.0

    @property
    def intensity(self) -> float:
        """Operations per byte of DRAM traffic."""
        return 2 * self.products / self.traffic.total if self.traffic.total else 0.0

    @property
    def bound(self) -> Bound:
        """What most of the cycles are bound by."""
        cycles = self.bound_cycles
        return max(BOUNDS, key=lambda bound: cycles[bound])


def simulate(
    problem: Problem, config: SpArchConfig | None = None, variant: Variant | None = None
) -> Simulation:
    """Count what the accelerator moves and how long it takes.

    Parameters
    ----------
    problem : Problem
    config : SpArchConfig, optional
    variant : Variant, optional

    Returns
    -------
    Simulation

    Raises
    ------
    ValueError
        For a buffer without condensing: a plain column needs each row of B once.

    Notes
    -----
    Elements of A, B and C are an index and a value, those of partial matrices have two indices.
    A round takes the longest of: its bytes at the usable bandwidth; its products at the
    multipliers; its elements at the first layer of the merge tree. Higher layers get no more
    elements than the first, as merging only ever joins them, so they never decide.
    """
    config = config or SpArchConfig()
    variant = variant or Variant()
    if not variant.condense and variant.buffer != "none":
        raise ValueError(
            "simulate: variant.buffer must be 'none' without condensing, where every row of B is "
            f"read once, got {variant.buffer!r}"
        )
    plan = problem.schedule(variant.condense, variant.order, variant.weights, config.ways)
    lines = line_misses = 0
    b_elements: Longs
    if not variant.condense:
        b_elements = plan.b_rows
    elif variant.buffer == "none":
        b_elements = plan.products
    else:
        windows = {"lru": 0, "lookahead": config.lookahead, "unlimited": None}
        fetched = prefetch(
            problem.a,
            problem.b,
            plan,
            lines=config.buffer_lines,
            line_elements=config.line_elements,
            window=windows[variant.buffer],
        )
        b_elements = fetched.elements_read
        lines, line_misses = int(fetched.lines.sum()), int(fetched.line_misses.sum())
    inner_out = plan.out_elements.copy()
    inner_out[-1:] = 0
    # A product without any multiplication still reads A and, to no end, nothing of B.
    a_elements = int(plan.a_elements.sum()) if plan.rounds else problem.a.nnz
    traffic = Traffic(
        a=config.element_bytes * a_elements,
        b=config.element_bytes * int(b_elements.sum()),
        partial_written=config.partial_bytes * int(inner_out.sum()),
        partial_read=config.partial_bytes * int(plan.stored_elements.sum()),
        c=config.element_bytes * problem.c_elements,
    )
    moved = config.element_bytes * (plan.a_elements + b_elements)
    moved += config.partial_bytes * (inner_out + plan.stored_elements)
    moved[-1:] += config.element_bytes * problem.c_elements
    cycles = np.stack(
        [
            moved / config.bytes_per_cycle,
            plan.products / config.multipliers,
            (plan.products + plan.stored_elements) / config.merger_width,
        ]
    )
    longest = cycles.max(axis=0)
    which = cycles.argmax(axis=0)
    bound_cycles = {
        bound: float(longest[which == number].sum()) for number, bound in enumerate(BOUNDS[:3])
    }
    bound_cycles["filling"] = float(config.round_latency * plan.rounds)
    return Simulation(
        variant=variant,
        traffic=traffic,
        leaves=plan.leaves,
        rounds=plan.rounds,
        products=problem.products,
        cycles=sum(bound_cycles.values()),
        bound_cycles=bound_cycles,
        lines=lines,
        line_misses=line_misses,
        peak_bytes_per_cycle=config.peak_bytes_per_cycle,
        clock_ghz=config.clock_ghz,
    )
