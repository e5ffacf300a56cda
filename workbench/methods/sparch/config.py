# SPDX-License-Identifier: Apache-2.0
"""The options of the SpArch experiment."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.hardware.sparch.config import SpArchConfig

__all__ = ["Config"]


@dataclass(frozen=True)
class Config:
    """Count what SpArch and its rivals move to compute A times A."""

    matrix: tuple[str, ...] = ()
    """Matrices: names of generated or stored ones, or paths (.mtx, .mtx.gz, .txt, .npz)."""
    suite: str = ""
    """look-alikes (the default without --matrix), small, real (all in the data folder) or paper
    (those of the paper's twenty that are in the data folder)."""
    data: str = ""
    """Folder of stored matrices. Default: WORKBENCH_DATA, then ../shared/data."""
    seed: int = 1
    """Of generated matrices."""
    sweeps: bool = False
    """Also vary buffer lines, line length, look-ahead, merge ways, bytes per value, weights."""
    rmat_sweep: bool = False
    """Also simulate rMAT graphs of 4096 to 16384 vertices with 4 to 32 edges each."""
    hardware: SpArchConfig = field(default_factory=SpArchConfig)
    """The design."""
