# SPDX-License-Identifier: Apache-2.0
"""One number of the design varied at a time, and the sizes of the rMAT sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.hardware.sparch import (
    Problem,
    SpArchConfig,
    Variant,
    outerspace,
    simulate,
)
from workbench.methods.sparch.sources import rmat
from workbench.ops.sparch import WEIGHTS

__all__ = ["RMAT_SIZES", "SWEEPS", "Sweep", "rmat_point", "sweep"]


@dataclass(frozen=True)
class Sweep:
    """Values of one quantity, as the reader knows it."""

    title: str
    values: Sequence[int | str]


SWEEPS: dict[str, Sweep] = {
    "buffer_lines": Sweep("lines of the row buffer", (64, 128, 256, 512, 1024, 2048, 4096)),
    "line_elements": Sweep("elements per line, at equal capacity", (6, 12, 24, 48, 96, 192)),
    "lookahead": Sweep("elements of A known ahead", (0, 32, 128, 512, 2048, 8192, 32768)),
    "ways": Sweep("streams per round, k", (2, 4, 8, 16, 32, 64)),
    "element_bytes": Sweep("bytes of an element in CSR", (6, 8, 12, 20)),
    "weights": Sweep("weights of the scheduler", WEIGHTS),
}

#: scale (vertices are 2 to its power) and edges per vertex.
RMAT_SIZES: tuple[tuple[int, int], ...] = tuple(
    (scale, edges) for scale in (12, 13, 14) for edges in (4, 8, 16, 32)
)


def sweep(name: str, problem: Problem, config: SpArchConfig) -> list[dict[str, Any]]:
    """Return traffic, hit rate and speed of SpArch at each value of a sweep."""
    points = []
    for value in SWEEPS[name].values:
        varied, variant = _varied(name, value, config)
        found = simulate(problem, varied, variant)
        points.append(
            {
                "value": value,
                "total": found.traffic.total,
                "rounds": found.rounds,
                "hit_rate": found.hit_rate,
                "gflops": found.gflops,
            }
        )
    return points


def _varied(
    name: str, value: int | str, config: SpArchConfig
) -> tuple[SpArchConfig, Variant | None]:
    if name == "weights":
        weights = next(known for known in WEIGHTS if known == value)
        return config, Variant(weights=weights)
    number = int(value)
    if name == "line_elements":
        capacity = config.buffer_lines * config.line_elements
        lines = max(1, capacity // number)
        return replace(config, line_elements=number, buffer_lines=lines), None
    if name == "ways":
        return replace(config, merge_layers=number.bit_length() - 1), None
    if name == "element_bytes":
        return replace(config, value_bytes=number - config.index_bytes), None
    if name == "buffer_lines":
        return replace(config, buffer_lines=number), None
    return replace(config, lookahead=number), None


def rmat_point(scale: int, edges: int, seed: int, config: SpArchConfig) -> dict[str, Any]:
    """Simulate SpArch and OuterSPACE on one rMAT graph."""
    problem = Problem.square(rmat(scale, edges, seed))
    found, rival = simulate(problem, config), outerspace(problem, config)
    return {
        "n": problem.a.shape[0],
        "edges": edges,
        "nnz": problem.a.nnz,
        "products": problem.products,
        "gflops": found.gflops,
        "rival_gflops": rival.gflops,
        "hit_rate": found.hit_rate,
        "bound": found.bound,
        "ratio": rival.traffic.total / found.traffic.total if found.traffic.total else None,
    }
