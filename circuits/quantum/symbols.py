# SPDX-License-Identifier: Apache-2.0
"""Angles: numbers, and expressions of the trainable weights and per-sample inputs.

>>> from circuits.quantum import input, weight
>>> 2 * weight(0) - input(3) / 4 + 0.5
2*w[0] - 0.25*x[3] + 0.5
>>> (3 - input(0)) * (3 - input(1)) + weight(0).sin()
(-x[0] + 3.0)*(-x[1] + 3.0) + sin(w[0])

Affine combinations are what the kernels read; they are kept as such.  Anything else is a tree
of sums, products, powers and functions, evaluated in torch before the kernels run.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, SupportsFloat, cast

import numpy as np
import torch

from workbench.ops import _transforms
from workbench.ops.program import Angle, Source

__all__ = [
    "FUNCTIONS",
    "Affine",
    "Expression",
    "Param",
    "as_param",
    "evaluate",
    "input",
    "rebuilt",
    "weight",
]

_LETTER = {Source.WEIGHT: "w", Source.INPUT: "x"}

#: Functions of an angle by the names they have here and in qiskit: on numbers and on tensors.
FUNCTIONS: dict[str, tuple[Callable[[float], float], Callable[[torch.Tensor], torch.Tensor]]] = {
    "abs": (abs, torch.abs),
    "arccos": (math.acos, torch.arccos),
    "arcsin": (math.asin, torch.arcsin),
    "arctan": (math.atan, torch.arctan),
    "cos": (math.cos, torch.cos),
    "exp": (math.exp, torch.exp),
    "log": (math.log, torch.log),
    "sign": (lambda value: float((value > 0) - (value < 0)), torch.sign),
    "sin": (math.sin, torch.sin),
    "tan": (math.tan, torch.tan),
}


class _Arithmetic:
    """Operators shared by affine angles and the other expressions."""

    def __add__(self, other: object) -> Affine | Expression:
        return _wrapped(_sum(self, other)) if _addable(other) else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: object) -> Affine | Expression:
        return _wrapped(_sum(self, _product(-1.0, other))) if _addable(other) else NotImplemented

    def __rsub__(self, other: object) -> Affine | Expression:
        return _wrapped(_sum(other, _product(-1.0, self))) if _addable(other) else NotImplemented

    def __neg__(self) -> Affine | Expression:
        return _wrapped(_product(-1.0, self))

    def __pos__(self) -> Affine | Expression:
        return _wrapped(self)

    def __mul__(self, other: object) -> Affine | Expression:
        return _wrapped(_product(self, other)) if _addable(other) else NotImplemented

    def __rmul__(self, other: object) -> Affine | Expression:
        return _wrapped(_product(other, self)) if _addable(other) else NotImplemented

    def __truediv__(self, other: object) -> Affine | Expression:
        if not _addable(other):
            return NotImplemented
        return _wrapped(_product(self, _power(_operand(other), -1.0)))

    def __rtruediv__(self, other: object) -> Affine | Expression:
        return _wrapped(_product(other, _power(_operand(self), -1.0)))

    def __pow__(self, other: object) -> Affine | Expression:
        return _wrapped(_power(_operand(self), _operand(other)))

    def __rpow__(self, other: object) -> Affine | Expression:
        return _wrapped(_power(_operand(other), _operand(self)))

    def __abs__(self) -> Affine | Expression:
        return self.abs()

    def abs(self) -> Affine | Expression:
        """Absolute value; its derivative at 0 is taken as 0."""
        return _wrapped(_called("abs", _operand(self)))

    def arccos(self) -> Affine | Expression:
        """Inverse cosine, of angles in [-1, 1]."""
        return _wrapped(_called("arccos", _operand(self)))

    def arcsin(self) -> Affine | Expression:
        """Inverse sine, of angles in [-1, 1]."""
        return _wrapped(_called("arcsin", _operand(self)))

    def arctan(self) -> Affine | Expression:
        """Inverse tangent."""
        return _wrapped(_called("arctan", _operand(self)))

    def cos(self) -> Affine | Expression:
        """Cosine."""
        return _wrapped(_called("cos", _operand(self)))

    def exp(self) -> Affine | Expression:
        """Exponential."""
        return _wrapped(_called("exp", _operand(self)))

    def log(self) -> Affine | Expression:
        """Natural logarithm, of positive angles."""
        return _wrapped(_called("log", _operand(self)))

    def sign(self) -> Affine | Expression:
        """-1, 0 or 1; its derivative is taken as 0."""
        return _wrapped(_called("sign", _operand(self)))

    def sin(self) -> Affine | Expression:
        """Sine."""
        return _wrapped(_called("sin", _operand(self)))

    def tan(self) -> Affine | Expression:
        """Tangent."""
        return _wrapped(_called("tan", _operand(self)))

    # numpy scalars on the left must not broadcast over a symbol: they defer to __radd__ etc.
    __array_ufunc__ = None


@dataclass(frozen=True, repr=False)
class Affine(_Arithmetic, Angle):
    """An affine combination of weights and inputs, built by arithmetic on symbols.

    Sums, and products with real numbers, are affine again; other products, powers and
    functions (``sin``, ``exp``, ...) are an :class:`Expression`. Terms are kept sorted, one per
    symbol, without zero coefficients, so that equal angles compare equal.

    Attributes
    ----------
    constant : float
        Radians.
    terms : tuple of (Source, int, float)
        Source, index into it, coefficient.
    """

    @property
    def symbols(self) -> frozenset[tuple[Source, int]]:
        """Source and index of everything the angle depends on."""
        return frozenset(term[:2] for term in self.terms)

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


@dataclass(frozen=True, repr=False, eq=False)
class Expression(_Arithmetic):
    """An angle that is not affine: a sum, product, power or function of other angles.

    Attributes
    ----------
    operation : str
        ``"sum"``, ``"product"``, ``"power"`` (base, exponent) or a key of :data:`FUNCTIONS`.
    arguments : tuple of float, Affine or Expression
    symbols : frozenset of (Source, int)
        Source and index of everything the angle depends on.
    """

    operation: str
    arguments: tuple[Param, ...]

    def __post_init__(self) -> None:
        parts = [a.symbols for a in self.arguments if not isinstance(a, float)]
        object.__setattr__(self, "symbols", frozenset().union(*parts))
        # Kept, because a tree is hashed over and over where its parts are looked up.
        object.__setattr__(self, "_hash", hash((self.operation, self.arguments)))

    symbols: frozenset[tuple[Source, int]] = field(init=False)
    _hash: int = field(init=False)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        return self is other or (
            self._hash == other._hash
            and self.operation == other.operation
            and self.arguments == other.arguments
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return Expression, (self.operation, self.arguments)  # hashes differ between processes

    def __deepcopy__(self, memo: dict[int, Any]) -> Expression:
        return self

    def __repr__(self) -> str:
        if self.operation == "sum":
            return " + ".join(str(a) for a in self.arguments).replace("+ -", "- ")
        if self.operation == "product":
            factors = [_bracketed(a, "sum") for a in self.arguments]
            return "-" + "*".join(factors[1:]) if factors[0] == "-1" else "*".join(factors)
        if self.operation == "power":
            return "**".join(_bracketed(a, "sum", "product", "power") for a in self.arguments)
        return f"{self.operation}({self.arguments[0]})"


def _bracketed(param: Param, *operations: str) -> str:
    text = str(param)
    if isinstance(param, Expression):
        plain = param.operation not in operations
    elif isinstance(param, Affine):
        plain = not param.constant and len(param.terms) == 1 and param.terms[0][2] == 1.0
    else:
        text = text.removesuffix(".0")
        plain = param >= 0 or "power" not in operations
    return text if plain else f"({text})"


#: What a gate keeps for an angle.
Param = float | Affine | Expression


def _addable(value: object) -> bool:
    """Whether a value is a symbol or a number (complex ones included, to be refused by name)."""
    return isinstance(value, _Arithmetic | numbers.Number | torch.Tensor | np.ndarray)


def _operand(value: object) -> Param:
    """A number as a float, and a symbol without terms too."""
    if isinstance(value, Affine):
        return value if value.terms else value.constant
    return value if isinstance(value, Expression) else _real(value)


def _wrapped(value: object) -> Affine | Expression:
    """What arithmetic returns: a number that is left is a symbol still."""
    return value if isinstance(value, Affine | Expression) else Affine(_real(value))


def _sum(*parts: object) -> Param:
    """A sum: its affine parts in one, after the others."""
    constant, merged = 0.0, cast("dict[tuple[Source, int], float]", {})
    others: list[Param] = []
    todo = [_operand(part) for part in reversed(parts)]
    while todo:
        part = todo.pop()
        if isinstance(part, Affine):
            constant += part.constant
            for source, index, c in part.terms:
                merged[source, index] = merged.get((source, index), 0.0) + c
        elif isinstance(part, Expression):
            if part.operation == "sum":
                todo.extend(reversed(part.arguments))
            else:
                others.append(part)
        else:
            constant += part
    terms = tuple((s, i, c) for (s, i), c in sorted(merged.items()) if c != 0.0)
    affine = Affine(constant, terms) if terms else constant
    if not others:
        return affine
    if terms or constant:
        others.append(affine)
    return others[0] if len(others) == 1 else Expression("sum", tuple(others))


def _product(*parts: object) -> Param:
    """A product: its number first, multiplied into the other factor if that is affine."""
    factor, others = 1.0, cast("list[Affine | Expression]", [])
    todo = [_operand(part) for part in reversed(parts)]
    while todo:
        part = todo.pop()
        if isinstance(part, Expression) and part.operation == "product":
            todo.extend(reversed(part.arguments))
        elif isinstance(part, Affine) and not part.constant and len(part.terms) == 1:
            source, index, c = part.terms[0]
            factor *= c
            others.append(Affine(0.0, ((source, index, 1.0),)))
        elif isinstance(part, Affine | Expression):
            others.append(part)
        else:
            factor *= part
    if others and not math.isfinite(factor):
        raise ValueError(f"Affine: a symbol times {factor} is no angle; the factor must be finite")
    if not others or factor == 0.0:
        return factor
    if len(others) == 1 and isinstance(others[0], Affine):
        only = others[0]
        return Affine(only.constant * factor, tuple((s, i, c * factor) for s, i, c in only.terms))
    if factor != 1.0:
        return Expression("product", (factor, *others))
    return others[0] if len(others) == 1 else Expression("product", tuple(others))


def _power(base: Param, exponent: Param) -> Param:
    if isinstance(exponent, float) and exponent in (0.0, 1.0):
        return base if exponent else 1.0
    if not (isinstance(base, float) and isinstance(exponent, float)):
        return Expression("power", (base, exponent))
    try:
        value: Any = base**exponent
    except OverflowError:
        value = math.inf
    if isinstance(value, complex) or not math.isfinite(value):
        raise ValueError(f"Affine: {base!r}**{exponent!r} is no finite real number")
    return float(value)


def _called(name: str, argument: Param) -> Param:
    if not isinstance(argument, float):
        return Expression(name, (argument,))
    try:
        value = FUNCTIONS[name][0](argument)
    except (OverflowError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"Affine: {name}({argument!r}) is no finite real number")
    return value


def rebuilt(param: Param, leaf: Callable[[Affine], Param]) -> Param:
    """The same tree with ``leaf(angle)`` in place of each affine part."""
    if isinstance(param, Affine):
        return leaf(param)
    if not isinstance(param, Expression):
        return param
    arguments = [rebuilt(argument, leaf) for argument in param.arguments]
    if param.operation == "sum":
        return _sum(*arguments)
    if param.operation == "product":
        return _product(*arguments)
    if param.operation == "power":
        return _power(_operand(arguments[0]), _operand(arguments[1]))
    return _called(param.operation, _operand(arguments[0]))


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
    value : float, Affine, Expression, numpy number, or 0-dimensional float32 or float64 tensor
    what : str
        How to call the angle in an error.

    Returns
    -------
    float, Affine or Expression

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
    if isinstance(value, Expression):
        return value
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
    param : float, Affine or Expression
    weights, inputs : sequence of float, optional
        Values by index; None leaves that source symbolic.

    Returns
    -------
    float, Affine or Expression
    """
    values = {Source.WEIGHT: weights, Source.INPUT: inputs}

    def leaf(angle: Affine) -> Param:
        constant, left = angle.constant, []
        for term in angle.terms:
            source, index, coefficient = term
            given = values[source]
            if given is None:
                left.append(term)
            else:
                constant += coefficient * float(given[index])
        return Affine(constant, tuple(left)) if left else constant

    try:
        return rebuilt(param, leaf)
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"Circuit.bind: the angle {param} has no value: {error}") from None


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
