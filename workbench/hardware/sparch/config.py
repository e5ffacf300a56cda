# SPDX-License-Identifier: Apache-2.0
"""Every number of the SpArch design. Imports nothing, so that command lines can show it."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["SpArchConfig"]

_MAY_BE_ZERO = frozenset({"lookahead", "round_latency"})


@dataclass(frozen=True)
class SpArchConfig:
    """The design as published, unless said otherwise.

    Raises
    ------
    ValueError
        Naming the field that is out of range.
    """

    clock_ghz: float = 1.0
    """Clock in GHz."""
    dram_channels: int = 16
    """HBM channels of 64 bits."""
    channel_gbytes: float = 8.0
    """GB/s of each channel; together 128 bytes per cycle."""
    dram_efficiency: float = 1.0
    """Usable share of that. 1 is ideal; 0.69 is calibrated to the utilisation the paper reports."""
    multipliers: int = 16
    """Double-precision multipliers: 2 groups of 8."""
    adders: int = 16
    """Double-precision adders; with the multipliers, 32 GFLOP/s at most."""
    merge_layers: int = 6
    """Layers of the merge tree, which has 2 to this power leaves: 64."""
    merger_width: int = 16
    """Elements per cycle of the one merger that each layer has."""
    merger_chunk: int = 4
    """Chunk of the hierarchical comparator array; 0 for a flat one."""
    lookahead: int = 8192
    """Elements of A known ahead; 0 makes the row buffer LRU."""
    buffer_lines: int = 1024
    """Lines of the row buffer."""
    line_elements: int = 48
    """Elements of B per line."""
    row_fetchers: int = 16
    """Fetchers of rows of B. Not in the counts: they are taken to keep up."""
    writer_fifo: int = 1024
    """Elements of the writer's queue. Not in the counts."""
    index_bytes: int = 4
    """Bytes of a row or column number; a stored partial matrix has both with each value."""
    value_bytes: int = 8
    """Bytes of a value."""
    round_latency: int = 200
    """Cycles in which a round fills: DRAM latency and six layers. Our figure, not the paper's."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least_is_zero = field.name in _MAY_BE_ZERO or field.name == "merger_chunk"
            if not (value >= 0 if least_is_zero else value > 0):
                least = "0 or more" if least_is_zero else "positive"
                raise ValueError(f"SpArchConfig: {field.name} must be {least}, got {value}")
        if self.dram_efficiency > 1:
            raise ValueError(
                f"SpArchConfig: dram_efficiency must be at most 1, got {self.dram_efficiency}"
            )
        if self.merge_layers > 20:
            raise ValueError(
                f"SpArchConfig: merge_layers must be at most 20, got {self.merge_layers}"
            )
        if self.merger_chunk and self.merger_width % self.merger_chunk:
            raise ValueError(
                f"SpArchConfig: merger_chunk must be 0 or divide merger_width, "
                f"{self.merger_width}, got {self.merger_chunk}"
            )

    @property
    def ways(self) -> int:
        """Streams merged in one round."""
        return 1 << self.merge_layers

    @property
    def element_bytes(self) -> int:
        """Bytes of an element of A, B or C in CSR: 12."""
        return self.index_bytes + self.value_bytes

    @property
    def partial_bytes(self) -> int:
        """Bytes of an element of a stored partial matrix, with row and column: 16."""
        return 2 * self.index_bytes + self.value_bytes

    @property
    def peak_bytes_per_cycle(self) -> float:
        """Bytes per cycle of all channels: 128."""
        return self.dram_channels * self.channel_gbytes / self.clock_ghz

    @property
    def bytes_per_cycle(self) -> float:
        """The usable part of them."""
        return self.peak_bytes_per_cycle * self.dram_efficiency

    @property
    def peak_gflops(self) -> float:
        """Multiplications and additions per nanosecond: 32."""
        return (self.multipliers + self.adders) * self.clock_ghz
