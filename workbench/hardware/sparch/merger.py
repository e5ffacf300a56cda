# SPDX-License-Identifier: Apache-2.0
"""The merge tree as a function: sorted streams through comparator arrays, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from workbench.hardware.sparch.config import SpArchConfig
from workbench.ops.sparch import Merged, merge

__all__ = ["MergeTree", "comparators"]

Stream = tuple[npt.ArrayLike, npt.ArrayLike]


def comparators(width: int, chunk: int = 0) -> int:
    """Return the comparators of an array of `width` outputs per cycle.

    Parameters
    ----------
    width : int
    chunk : int
        0 for the flat array, ``width**2``; else the hierarchical one: ``(width / chunk)**2`` for
        the ends of chunks and, for each of ``width / chunk`` pairs of chunks that meet,
        ``(chunk + 1)**2``, a row and a column more than the chunk because a tile's rule looks at
        its neighbours.
    """
    return merge([], [], [], [], width=width, chunk=chunk).comparators


class MergeTree:
    """Merges up to ``2**merge_layers`` streams as the hardware does.

    Parameters
    ----------
    config : SpArchConfig, optional
        `merge_layers`, `merger_width` and `merger_chunk` of it.

    Attributes
    ----------
    layer_cycles : list of int
        Of the last merge: array steps of each layer's merger, which serves all nodes of its
        layer in turn.
    """

    def __init__(self, config: SpArchConfig | None = None) -> None:
        self.config = config or SpArchConfig()
        self.layer_cycles: list[int] = []

    def merge(self, streams: Sequence[Stream]) -> Merged:
        """Merge sorted streams, adding values under equal keys.

        Parameters
        ----------
        streams : sequence of (keys, values)
            Each with strictly increasing, non-negative integer keys.

        Returns
        -------
        Merged
            With the cycles of the slowest layer.

        Raises
        ------
        ValueError
            For more streams than the tree has leaves, and for keys out of order.
        """
        config = self.config
        if len(streams) > config.ways:
            raise ValueError(
                f"MergeTree: streams must be at most {config.ways}, got {len(streams)}"
            )
        empty: Stream = (np.empty(0, np.int64), np.empty(0))
        layer: list[Stream] = [*streams, *[empty] * (config.ways - len(streams))]
        self.layer_cycles = []
        size = 0
        while len(layer) > 1:
            merged = [
                merge(*left, *right, width=config.merger_width, chunk=config.merger_chunk)
                for left, right in zip(layer[::2], layer[1::2], strict=True)
            ]
            self.layer_cycles.append(sum(m.cycles for m in merged))
            size = merged[0].comparators
            layer = [(m.keys, m.values) for m in merged]
        keys, values = layer[0]
        return Merged(
            np.asarray(keys, np.int64), np.asarray(values, np.float64), max(self.layer_cycles), size
        )
