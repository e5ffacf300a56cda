# SPDX-License-Identifier: Apache-2.0
"""Sparse products in plain dense torch: the specification and the oracle."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["spgemm_reference"]

_MULTIPLY: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "times": lambda a, b: a * b,
    "plus": lambda a, b: a + b,
    "max": torch.maximum,
    "min": torch.minimum,
    "and": torch.logical_and,
    "pair": lambda a, b: torch.ones_like(a * b),
    "first": lambda a, b: a.expand(torch.broadcast_shapes(a.shape, b.shape)),
    "second": lambda a, b: b.expand(torch.broadcast_shapes(a.shape, b.shape)),
}
_ADD: dict[str, Callable[[Tensor], Tensor]] = {
    "plus": lambda x: x.sum(0),
    "min": lambda x: x.amin(0),
    "max": lambda x: x.amax(0),
    "or": lambda x: x.any(0),
    "any": lambda x: x[0],
}


def spgemm_reference(
    a: Tensor, a_stored: Tensor, b: Tensor, b_stored: Tensor, semiring: str = "plus_times"
) -> tuple[Tensor, Tensor]:
    """Product of two matrices given densely with masks of what they store.

    Parameters
    ----------
    a, b : Tensor
        Values, shapes ``(m, k)`` and ``(k, n)``; what is not stored is not looked at.
    a_stored, b_stored : Tensor
        bool, same shapes.
    semiring : str
        As for :func:`workbench.ops.spgemm.spgemm`.

    Returns
    -------
    (Tensor, Tensor)
        Values and stored places of the product, shape ``(m, n)``; zero where nothing is stored.
    """
    add, _, multiply = semiring.partition("_")
    out = torch.zeros(a.shape[0], b.shape[1], dtype=a.dtype)
    stored = torch.zeros(out.shape, dtype=torch.bool)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            pairs = a_stored[i] & b_stored[:, j]
            if pairs.any():
                stored[i, j] = True
                products = _MULTIPLY[multiply](a[i, pairs], b[pairs, j])
                out[i, j] = _ADD[add](products).to(a.dtype)
    return out, stored
