# SPDX-License-Identifier: Apache-2.0
"""Angles: numbers, and affine combinations of the trainable weights and per-sample inputs.

>>> from circuits.quantum import input, weight
>>> 2 * weight(0) - input(3) / 4 + 0.5
2*w[0] - 0.25*x[3] + 0.5
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, SupportsFloat, cast

import numpy as np
import torch

from workbench.ops import _transforms
from workbench.ops.program import Angle, Source

__all__ = ["Affine", "Param", "as_param", "evaluate", "input", "weight"]

_LETTER = {Source.WEIGHT: "w", Source.INPUT: "x"}


@dataclass(frozen=True, repr=False)
class Affine(Angle):
    """An affine combination of weights and inputs, built by arithmetic on symbols.

    Supports ``+`` and ``-`` with numbers and other symbols, ``*`` and ``/`` by real numbers.
    Terms are kept sorted, one per symbol, without zero coefficients, so that equal angles
    compare equal.

    Attributes
    ----------
    constant : float
        Radians.
    terms : tuple of (Source, int, float)
        Source, index into it, coefficient.
    """

    def _combined(self, other: object, sign: float) -> Affine:
        if isinstance(other, Affine):
            constant, terms = other.constant, other.terms
        else:
            constant, terms = _real(other), ()
        merged = {(source, index): c for source, index, c in self.terms}
        for source, index, c in terms:
            merged[source, index] = merged.get((source, index), 0.0) + sign * c
        kept = tuple((s, i, c) for (s, i), c in sorted(merged.items()) if c != 0.0)
        return Affine(self.constant + sign * constant, kept)

    def _scaled(self, factor: float) -> Affine:
        if not math.isfinite(factor):
            raise ValueError(
                f"Affine: a symbol times {factor} is no angle; the factor must be finite"
            )
        if factor == 0.0:
            return Affine()
        return Affine(self.constant * factor, tuple((s, i, c * factor) for s, i, c in self.terms))

    def __add__(self, other: object) -> Affine:
        return self._combined(other, 1.0) if _addable(other) else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: object) -> Affine:
        return self._combined(other, -1.0) if _addable(other) else NotImplemented

    def __rsub__(self, other: object) -> Affine:
        return -self + other if _addable(other) else NotImplemented

    def __neg__(self) -> Affine:
        return self._scaled(-1.0)

    def __pos__(self) -> Affine:
        return self

    def __mul__(self, other: object) -> Affine:
        if isinstance(other, Affine):
            raise TypeError(
                f"Affine: ({self}) * ({other}) is a product of symbols; angles are affine, so a "
                "symbol can only be multiplied by a number"
            )
        return self._scaled(_real(other)) if _addable(other) else NotImplemented

    __rmul__ = __mul__

    def __truediv__(self, other: object) -> Affine:
        if isinstance(other, Affine):
            raise TypeError(f"Affine: ({self}) / ({other}) divides by a symbol; angles are affine")
        return self._scaled(1.0 / _real(other)) if _addable(other) else NotImplemented

    # numpy scalars on the left must not broadcast over a symbol: they defer to __radd__ etc.
    __array_ufunc__ = None

    def __repr__(self) -> str:
        text = ""
        for source, index, c in self.terms:
            size = "" if abs(c) == 1 else f"{abs(c)!r}*".replace(".0*", "*")
            sign = ("-" if c < 0 else "") if not text else (" - " if c < 0 else " + ")
            text += f"{sign}{size}{_LETTER[source]}[{index}]"
        if not text:
            return repr(self.constant)
        if self.constant:
            text += f" {'-' if self.constant < 0 else '+'} {abs(self.constant)!r}"
        return text


#: What a gate keeps for an angle.
Param = float | Affine


def _addable(value: object) -> bool:
    """Whether a value is a symbol or a number (complex ones included, to be refused by name)."""
    return isinstance(value, Affine | numbers.Number | torch.Tensor | np.ndarray)


def _real(value: object, what: str = "Affine: operand") -> float:
    """A real number from a Python, numpy or 0-dimensional torch one."""
    if isinstance(value, torch.Tensor):
        if value.ndim != 0 or value.dtype not in (torch.float32, torch.float64):
            raise TypeError(
                f"{what} is a tensor of dtype {value.dtype} and shape {tuple(value.shape)}; "
                "expected a number or a 0-dimensional float32 or float64 tensor"
            )
        _transforms.refuse_transforms(
            what, "weight(i) and pass the values when the circuit is run", value
        )
        if value.requires_grad:
            raise ValueError(
                f"{what} is a tensor that requires a gradient, which a constant cannot have; "
                "use weight(i) and pass the values when the circuit is run"
            )
        return float(value)
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"{what} is {value!r} of type {type(value).__name__}; expected a real number or a "
            "symbol made of weight(i) and input(i)"
        )
    return float(cast(SupportsFloat, value))


def as_param(value: object, what: str) -> Param:
    """Check an angle and bring it into the form that gates keep.

    Parameters
    ----------
    value : float, Affine, numpy number, or 0-dimensional float32 or float64 tensor
    what : str
        How to call the angle in an error.

    Returns
    -------
    float or Affine

    Raises
    ------
    TypeError
        For anything that is not a real number or a symbol.
    ValueError
        For a NaN or an infinite number, or a tensor that requires a gradient.
    """
    if isinstance(value, Affine):
        if not math.isfinite(value.constant):
            raise ValueError(f"{what} is {value}; expected finite numbers")
        return value if value.terms else value.constant
    number = _real(value, what)
    if not math.isfinite(number):
        raise ValueError(f"{what} is {number}; expected a finite number")
    return number


def evaluate(
    param: Param, weights: Sequence[float] | None, inputs: Sequence[float] | None
) -> Param:
    """Put numbers in for the weights, the inputs, or both.

    Parameters
    ----------
    param : float or Affine
    weights, inputs : sequence of float, optional
        Values by index; None leaves that source symbolic.

    Returns
    -------
    float or Affine
    """
    if not isinstance(param, Affine):
        return param
    values = {Source.WEIGHT: weights, Source.INPUT: inputs}
    constant, left = param.constant, []
    for term in param.terms:
        source, index, coefficient = term
        given = values[source]
        if given is None:
            left.append(term)
        else:
            constant += coefficient * float(given[index])
    return Affine(constant, tuple(left)) if left else constant


def _symbol(source: Source, index: Any) -> Affine:
    name = source.name.lower()
    try:
        position = operator.index(index)
    except TypeError:
        raise TypeError(
            f"{name}: index is {index!r} of type {type(index).__name__}; expected an integer"
        ) from None
    if position < 0:
        raise ValueError(f"{name}: index is {position}; expected 0 or more")
    return Affine(0.0, ((source, position, 1.0),))


def weight(index: int) -> Affine:
    """Symbol of trainable weight ``index``, one value for the whole batch.

    Parameters
    ----------
    index : int
        Position in the weight vector, from 0.
    """
    return _symbol(Source.WEIGHT, index)


def input(index: int) -> Affine:
    """Symbol of input feature ``index``, one value for each sample.

    Parameters
    ----------
    index : int
        Column of the input matrix, from 0.
    """
    return _symbol(Source.INPUT, index)
