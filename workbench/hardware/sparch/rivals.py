# SPDX-License-Identifier: Apache-2.0
"""Other accelerators for the same product, counted on the same patterns."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.hardware.sparch.config import SpArchConfig
from workbench.hardware.sparch.model import Traffic
from workbench.hardware.sparch.problem import Problem
from workbench.ops import sparch as counters

__all__ = ["Machine", "OuterSpaceConfig", "compulsory", "gamma", "matraptor", "outerspace"]


@dataclass(frozen=True)
class OuterSpaceConfig:
    """OuterSPACE (HPCA 2018) as analytic models of it have it."""

    clock_ghz: float = 1.5
    units: int = 256
    """Processing elements."""
    gbytes: float = 128.0
    """GB/s of DRAM; 85.3 bytes per cycle."""
    block: int = 64
    """Bytes of a block: row segments are rounded up to it where alignment is asked for."""


@dataclass(frozen=True)
class Machine:
    """A rival's traffic and, where its model has one, its time."""

    name: str
    traffic: Traffic
    gflops: float | None = None


def compulsory(problem: Problem, config: SpArchConfig | None = None) -> Traffic:
    """Return the least traffic of any machine: A and B read once, C written once."""
    size = (config or SpArchConfig()).element_bytes
    return Traffic(a=size * problem.a.nnz, b=size * problem.b.nnz, c=size * problem.c_elements)


def outerspace(
    problem: Problem,
    config: SpArchConfig | None = None,
    machine: OuterSpaceConfig | None = None,
    *,
    aligned: bool = False,
) -> Machine:
    """Return what OuterSPACE moves: every product is written to DRAM and read back.

    Parameters
    ----------
    problem : Problem
    config : SpArchConfig, optional
        For the bytes of an element.
    machine : OuterSpaceConfig, optional
    aligned : bool
        Round every row segment up to whole blocks.

    Returns
    -------
    Machine
    """
    machine = machine or OuterSpaceConfig()
    found = counters.outerspace(
        problem.a,
        problem.b,
        element_bytes=(config or SpArchConfig()).element_bytes,
        align=machine.block if aligned else 0,
        units=machine.units,
        bytes_per_cycle=machine.gbytes / machine.clock_ghz,
    )
    cycles = found.multiply_cycles + found.merge_cycles
    return Machine(
        f"OuterSPACE, {machine.block}-byte blocks" if aligned else "OuterSPACE",
        Traffic(
            a=found.a_bytes,
            b=found.b_bytes,
            partial_written=found.written_bytes,
            partial_read=found.written_bytes,
            c=found.c_bytes,
        ),
        2 * problem.products * machine.clock_ghz / cycles if cycles else None,
    )


def matraptor(problem: Problem, config: SpArchConfig | None = None) -> Machine:
    """Return what MatRaptor moves: row by row, a row of B from DRAM for each element of A.

    Notes
    -----
    Srivastava et al., MICRO 2020. There is no cache for B, and partial rows stay in the sorting
    queues; rows that overflow them are not modelled, which favours MatRaptor.
    """
    size = (config or SpArchConfig()).element_bytes
    traffic = Traffic(
        a=size * problem.a.nnz, b=size * problem.products, c=size * problem.c_elements
    )
    return Machine("MatRaptor", traffic)


def gamma(
    problem: Problem,
    config: SpArchConfig | None = None,
    *,
    cache_bytes: int = 3 * 2**20,
    line_bytes: int = 64,
) -> Machine:
    """Return what Gamma moves: row by row, through a cache of rows of B.

    Parameters
    ----------
    problem : Problem
    config : SpArchConfig, optional
    cache_bytes, line_bytes : int
        Of the FiberCache, 3 MiB in the paper.

    Notes
    -----
    Zhang et al., ASPLOS 2021. The cache is LRU here. A line holds whole elements, 5 of 12 bytes.
    Rows of A with more than 64 elements make partial rows, which are taken to stay in the cache
    without displacing B; both assumptions favour Gamma.
    """
    config = config or SpArchConfig()
    size = config.element_bytes
    # With as many ways as leaves there is one round: rows in order, as Gustavson takes them.
    plan = problem.schedule(True, "balanced", "exact", max(2, problem.longest_row))
    fetched = counters.prefetch(
        problem.a,
        problem.b,
        plan,
        lines=max(1, cache_bytes // line_bytes),
        line_elements=max(1, line_bytes // size),
        window=0,
    )
    traffic = Traffic(
        a=size * problem.a.nnz,
        b=size * int(fetched.elements_read.sum()),
        c=size * problem.c_elements,
    )
    return Machine("Gamma", traffic)
