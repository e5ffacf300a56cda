# SPDX-License-Identifier: Apache-2.0
"""What the arguments of graph functions have to be."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench.ops import _transforms

__all__ = [
    "check_digraph",
    "edge_flags",
    "integers",
    "to_numpy",
    "vertex_number",
    "vertex_numbers",
    "weights_array",
]

Array = npt.NDArray[Any]


def check_digraph(g: Any) -> None:
    # By its search structure: the container itself imports this module.
    if not hasattr(g, "_search"):
        raise TypeError(f"g must be a DiGraph, got {type(g).__name__}")


def to_numpy(x: Any) -> Array:
    _transforms.refuse_transforms("graphs", "plain tensors: this function has no derivative", x)
    return np.asarray(_transforms.array_of(x.cpu(), "graphs") if hasattr(x, "detach") else x)


def integers(x: Any, name: str) -> Array:
    out = to_numpy(x)
    if out.ndim != 1:
        raise ValueError(f"{name} must be a vector, got shape {out.shape}")
    if out.size == 0:
        return np.zeros(0, np.int64)
    if out.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {out.dtype}")
    return out.astype(np.int64)


def vertex_numbers(x: Array, n: int, name: str) -> Array:
    out = integers(x, name)
    wrong = np.flatnonzero((out < 0) | (out >= n))
    if wrong.size:
        raise ValueError(f"{name} must be in [0, {n}), got {int(out[wrong[0]])}")
    return out


def vertex_number(x: Any, n: int, name: str) -> int:
    if isinstance(x, bool) or not isinstance(x, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {x!r}")
    v = int(x)
    if not 0 <= v < n:
        raise ValueError(f"{name} must be in [0, {n}), got {v}")
    return v


def edge_flags(x: Any, m: int) -> npt.NDArray[np.bool_]:
    mask = to_numpy(x)
    if mask.shape != (m,) or mask.dtype != bool:
        raise ValueError(
            f"edge_mask must be bool of shape ({m},), got {mask.dtype} of {mask.shape}"
        )
    return mask


def weights_array(x: Any) -> Array:
    w = to_numpy(x)
    if w.dtype.kind == "u":
        if w.size and int(w.max()) >= 2**63:
            raise ValueError("weights beyond 2**63 - 1 are not supported")
        return w.astype(np.int64)
    if w.dtype.kind == "i":
        return w if w.dtype in (np.int32, np.int64) else w.astype(np.int32)
    if w.dtype.kind == "f" and w.dtype.itemsize <= 8:
        return w if w.dtype in (np.float32, np.float64) else w.astype(np.float32)
    raise TypeError(f"weights must be integers or floats of at most 64 bits, got {w.dtype}")
