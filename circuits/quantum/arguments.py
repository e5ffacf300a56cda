# SPDX-License-Identifier: Apache-2.0
"""What a circuit's methods accept, brought into one form or refused by name."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["as_count", "as_matrix", "as_parameters", "as_values", "as_wires", "is_vector"]

_HALVES = (torch.float16, torch.bfloat16)


def as_count(name: str, value: Any) -> int:
    """A size that is no negative number, as an integer."""
    if isinstance(value, bool):
        raise TypeError(f"Circuit: {name} is {value!r}; expected an integer")
    try:
        count = operator.index(value)
    except TypeError:
        raise TypeError(
            f"Circuit: {name} is {value!r} of type {type(value).__name__}; expected an integer"
        ) from None
    if count < 0:
        raise ValueError(f"Circuit: {name} is {count}; expected 0 or more")
    return count


def as_wires(name: str, wires: Any) -> list[int]:
    """Wires as a list of integers, from one or several."""
    single = not hasattr(wires, "__iter__") or getattr(wires, "ndim", 1) == 0
    several = [wires] if single else list(wires)
    checked = []
    for wire in several:
        if isinstance(wire, bool | np.bool_) or not hasattr(wire, "__index__"):
            raise TypeError(
                f"Circuit.{name}: wire is {wire!r} of type {type(wire).__name__}; expected an "
                "integer"
            )
        checked.append(operator.index(wire))
    return checked


def is_vector(params: Any) -> bool:
    """Whether a gate's angles come as an array or a tensor with one dimension."""
    return getattr(params, "ndim", 0) == 1


def as_matrix(name: str, values: npt.ArrayLike) -> npt.NDArray[np.complex128]:
    """A read-only complex copy of finite numbers."""
    try:
        array = np.array(values, dtype=np.complex128)
    except (TypeError, ValueError) as error:
        raise TypeError(f"Circuit.{name}: expected an array of numbers, got {error}") from None
    if not np.isfinite(array).all():
        raise ValueError(f"Circuit.{name}: the matrix holds a NaN or an infinity")
    array.setflags(write=False)
    return array


def as_values(name: str, values: Any, count: int) -> list[float] | None:
    """A parameter vector as floats, from a tensor, an array or a list."""
    if values is None:
        return None
    if isinstance(values, Mapping):
        raise TypeError(f"Circuit.bind: {name} is a mapping; expected {count} numbers")
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    array = np.asarray(values)
    if array.dtype.kind not in "fiu" or array.ndim > 1 or array.size != count:
        raise ValueError(
            f"Circuit.bind: {name} has shape {array.shape} and dtype {array.dtype}; expected "
            f"{count} real numbers"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"Circuit.bind: {name} holds a NaN or an infinity")
    return [float(v) for v in array.reshape(-1)]


def as_parameters(function: str, name: str, value: Any) -> Tensor:
    """Weights or inputs as a float32 or float64 tensor.

    Half precision is refused, for 11 bits are no angle, except where autocast is on: there it
    comes from the layer before, and float32 is used, as autocast does where it matters.
    """
    if not isinstance(value, Tensor):
        raise TypeError(f"{function}: {name} is {type(value).__name__}; expected a tensor")
    dtype = value.dtype
    if dtype is torch.float32 or dtype is torch.float64:
        return value
    if dtype in _HALVES and torch.is_autocast_enabled(value.device.type):
        return value.float()
    hint = " (call .float(), or run under torch.autocast)" if dtype in _HALVES else ""
    raise TypeError(f"{function}: {name} are {dtype}; expected float32 or float64{hint}")
