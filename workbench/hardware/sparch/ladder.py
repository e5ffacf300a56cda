# SPDX-License-Identifier: Apache-2.0
"""The ablation ladder: one idea of SpArch more on each rung."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.hardware.sparch.config import SpArchConfig
from workbench.hardware.sparch.model import Simulation, Variant, simulate
from workbench.hardware.sparch.problem import Problem

__all__ = ["RUNGS", "Rung", "climb"]


@dataclass(frozen=True)
class Rung:
    """A variant with a name."""

    key: str
    title: str
    variant: Variant


#: Before the Huffman scheduler the paper names no order, and all depends on it: both extremes.
RUNGS: tuple[Rung, ...] = (
    Rung("pipe_seq", "pipelined, running sum", Variant(False, "sequential", buffer="none")),
    Rung("pipe_fifo", "pipelined, balanced", Variant(False, "balanced", buffer="none")),
    Rung("cond_seq", "+ condensing, running sum", Variant(True, "sequential", buffer="none")),
    Rung("cond_fifo", "+ condensing, balanced", Variant(True, "balanced", buffer="none")),
    Rung("huffman", "+ Huffman scheduler", Variant(buffer="none")),
    Rung("lru", "+ row buffer, LRU", Variant(buffer="lru")),
    Rung("sparch", "+ row prefetcher: SpArch", Variant()),
    Rung("unlimited", "row prefetcher that sees all of A", Variant(buffer="unlimited")),
)


def climb(
    problem: Problem,
    config: SpArchConfig | None = None,
    rungs: Sequence[Rung] = RUNGS,
    on_rung: Callable[[Rung], None] | None = None,
) -> dict[str, Simulation]:
    """Simulate every rung.

    Parameters
    ----------
    problem : Problem
    config : SpArchConfig, optional
    rungs : sequence of Rung
    on_rung : callable, optional
        Called after each.

    Returns
    -------
    dict
        By the rung's key.
    """
    found = {}
    for rung in rungs:
        found[rung.key] = simulate(problem, config, rung.variant)
        if on_rung is not None:
            on_rung(rung)
    return found
