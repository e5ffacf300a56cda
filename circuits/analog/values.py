# SPDX-License-Identifier: Apache-2.0
"""Parameter values as users give them, brought into one matrix."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuits.analog.elements import Parameter
from circuits.analog.names import meant_or_all

__all__ = ["as_vector", "stack_values"]


def stack_values(
    where: str, parameters: Sequence[Parameter], given: Mapping[str, Any] | Tensor | None
) -> Tensor:
    """The values of all parameters.

    Parameters
    ----------
    where : str
        Named in errors.
    parameters : sequence of Parameter
    given : mapping, Tensor or None
        Values by name, each a number or ``(B,)``, or all of them as a tensor ``(P, B)``.

    Returns
    -------
    Tensor
        float64 ``(P, B)``, defaults where nothing was given; B is 1 if only numbers were.

    Raises
    ------
    TypeError, ValueError
        For an unknown name, what is no real number, and shapes that do not fit together.
    """
    if given is None:
        given = {}
    if isinstance(given, Tensor):
        if given.ndim != 2 or given.shape[0] != len(parameters):
            raise ValueError(
                f"{where}: params has shape {tuple(given.shape)}; expected ({len(parameters)}, B)"
            )
        return as_vector(where, "params", given)
    if not isinstance(given, Mapping):
        raise TypeError(
            f"{where}: params is {type(given).__name__}; expected a mapping from names to values "
            "or a tensor (P, B)"
        )
    by_name = {p.name: p for p in parameters}
    lower = {p.name.lower(): p.name for p in parameters}
    values: dict[str, Any] = {}
    for name, value in given.items():
        found = name if name in by_name else lower.get(str(name).lower())
        if found is None:
            raise ValueError(
                f"{where}: unknown parameter {name!r}{meant_or_all(str(name), by_name)}"
            )
        if found in values:
            raise ValueError(f"{where}: parameter {found!r} is given twice")
        values[found] = value
    if all(isinstance(v, float | int) and not isinstance(v, bool) for v in values.values()):
        plain = [[float(values.get(p.name, p.default))] for p in parameters]
        return torch.tensor(plain, dtype=torch.float64).reshape(len(plain), 1)
    columns = [as_vector(where, p.name, values.get(p.name, p.default)) for p in parameters]
    sizes = {column.shape[0]: p.name for column, p in zip(columns, parameters, strict=True)}
    several = [size for size in sizes if size != 1]
    if len(several) > 1:
        first, second = several[:2]
        raise ValueError(
            f"{where}: {sizes[first]} has {first} values and {sizes[second]} has {second}; "
            "expected as many of each, or one"
        )
    size = several[0] if several else 1
    return torch.stack([column.expand(size) for column in columns])


def as_vector(where: str, name: str, value: Any) -> Tensor:
    """A number, an array or a tensor as float64; a number becomes ``(1,)``."""
    if isinstance(value, bool) or not isinstance(
        value, Tensor | np.ndarray | numbers.Real | Sequence
    ):
        raise TypeError(
            f"{where}: {name} is {type(value).__name__}; expected numbers, an array or a tensor"
        )
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{where}: {name}: {error}") from None
    if tensor.is_complex() or tensor.dtype == torch.bool:
        raise TypeError(f"{where}: {name} is {tensor.dtype}; expected real numbers")
    if name != "params" and tensor.ndim > 1:
        raise ValueError(
            f"{where}: {name} has shape {tuple(tensor.shape)}; expected a number or (B,)"
        )
    if isinstance(value, numbers.Real | Sequence):  # beyond float32, which torch would take
        tensor = torch.tensor(value, dtype=torch.float64)
    tensor = tensor.to(device="cpu", dtype=torch.float64)
    return tensor.reshape(1) if tensor.ndim == 0 else tensor
