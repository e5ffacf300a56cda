# SPDX-License-Identifier: Apache-2.0
"""Angles to and from qiskit's parameter expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from circuits.quantum.symbols import Affine, Expression, Param, as_param
from workbench.distribution import MissingExtraError
from workbench.ops.program import Source

try:
    from qiskit.circuit import Parameter, ParameterExpression
except ImportError as error:
    raise MissingExtraError(
        "circuits.quantum: conversion to and from qiskit needs qiskit 2", "quantum"
    ) from error

__all__ = ["angle_from_qiskit", "angle_to_qiskit", "real_number"]

#: Our functions by the names of sympy's classes.
_SYMPY = {
    "Abs": "abs",
    "acos": "arccos",
    "asin": "arcsin",
    "atan": "arctan",
    "cos": "cos",
    "exp": "exp",
    "log": "log",
    "sign": "sign",
    "sin": "sin",
    "tan": "tan",
}


def angle_from_qiskit(value: Any, symbols: Mapping[Any, Affine], where: str) -> Param:
    """A qiskit angle as a number or an expression of our symbols.

    Parameters
    ----------
    value : float or ParameterExpression
    symbols : mapping
        Our symbol of each ``Parameter``.
    where : str
        How errors call the place.

    Raises
    ------
    TypeError
        For an angle that is not real.
    ValueError
        For a parameter without a symbol, and operations that have no counterpart here.
    """
    if not isinstance(value, ParameterExpression):
        if isinstance(value, complex) or np.iscomplexobj(value):
            raise TypeError(f"{where} has the complex angle {value}; expected a real one")
        return float(value)
    for parameter in value.parameters:
        if parameter not in symbols:
            raise ValueError(f"{where} has the unbound parameter {parameter.name!r}")
    affine = _affine(value, symbols, where)
    return _tree(value, symbols, where) if affine is None else affine


def real_number(value: Any, where: str, expression: Any) -> float:
    """A number of any type as a float; complex ones are refused."""
    number = complex(value)
    if number.imag != 0.0:
        raise TypeError(f"{where} has the complex angle {expression}; expected a real one")
    return number.real


def _affine(value: Any, symbols: Mapping[Any, Affine], where: str) -> Param | None:
    """The angle if its slopes are numbers."""
    parameters = sorted(value.parameters, key=lambda p: p.name)
    parts: list[Any] = []
    for parameter in parameters:
        try:
            slope = value.gradient(parameter)
        except RuntimeError:  # qiskit has no derivative of sign
            return None
        if isinstance(slope, ParameterExpression):
            if slope.parameters:
                return None
            slope = slope.numeric()
        parts.append(symbols[parameter] * real_number(slope, where, value))
    at_zero = value.bind({parameter: 0.0 for parameter in parameters}).numeric()
    return as_param(sum(parts, Affine(real_number(at_zero, where, value))), where)


def _tree(value: Any, symbols: Mapping[Any, Affine], where: str) -> Param:
    """Any other angle, read from what qiskit exports to sympy."""
    import sympy  # which costs more than most circuits

    parameters = sorted(value.parameters, key=lambda p: p.name)
    # Names of our own, because a parameter may be called anything.
    plain = [Parameter(f"p{k}") for k in range(len(parameters))]
    named = {p.name: symbols[old] for p, old in zip(plain, parameters, strict=True)}
    renamed = value.subs(dict(zip(parameters, plain, strict=True)))
    sympified = renamed.sympify()
    if sympified is NotImplemented:  # qiskit 2 does not export a number to a symbol's power
        sympified = sympy.parse_expr(str(renamed))
    # sympy took the symbols for complex numbers: abs(exp(a)) has become exp(re(a)).
    real = {symbol: sympy.Symbol(symbol.name, real=True) for symbol in sympified.free_symbols}
    try:
        return as_param(_from_sympy(sympified.subs(real), named), where)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise type(error)(f"{where} has the angle {value}: {error}") from None


def _from_sympy(node: Any, named: Mapping[str, Affine]) -> Any:
    if node.is_Symbol:
        return named[str(node)]
    if node.is_number:
        number = complex(node)
        if number.imag != 0.0:
            raise TypeError(f"{node} is complex; expected a real angle")
        return number.real
    kind = type(node).__name__
    arguments = [_from_sympy(argument, named) for argument in node.args]
    if kind == "Add":
        return sum(arguments[1:], arguments[0])
    if kind == "Mul":
        product = arguments[0]
        for argument in arguments[1:]:
            product = product * argument
        return product
    if kind == "Pow":
        return arguments[0] ** arguments[1]
    if kind == "conjugate":
        return arguments[0]  # of a real number; qiskit 2.0 exports it as a function
    if kind not in _SYMPY:
        raise ValueError(f"{kind} has no counterpart among the functions of an angle")
    return getattr(arguments[0], _SYMPY[kind])()


def angle_to_qiskit(param: Param, vectors: Mapping[Source, Sequence[Any]]) -> Any:
    """A number, or the expression of qiskit parameters that an angle stands for.

    Parameters
    ----------
    param : float, Affine or Expression
    vectors : mapping
        For each source, the parameter of each index.
    """
    if isinstance(param, Affine):
        expression: Any = None
        for source, index, coefficient in param.terms:
            symbol = vectors[source][index]
            term = symbol if coefficient == 1.0 else coefficient * symbol
            expression = term if expression is None else expression + term
        return expression + param.constant if param.constant else expression
    if not isinstance(param, Expression):
        return param
    arguments = [angle_to_qiskit(argument, vectors) for argument in param.arguments]
    if param.operation == "sum":
        return sum(arguments[1:], arguments[0])
    if param.operation == "product":
        product: Any = None
        for part, argument in zip(param.arguments, arguments, strict=True):
            divisor = None if product is None else _inverted(part)
            if product is None:
                product = argument
            elif divisor is not None:
                product = product / angle_to_qiskit(divisor, vectors)
            else:
                product = product * argument
        return product
    if _inverted(param) is not None:
        return 1.0 / arguments[0]
    if param.operation == "power":
        return arguments[0] ** arguments[1]
    return getattr(arguments[0], param.operation)()


def _inverted(param: Param) -> Param | None:
    """Of what this is the inverse: OpenQASM's reader knows quotients, but no powers."""
    if isinstance(param, Expression) and param.operation == "power" and param.arguments[1] == -1.0:
        return param.arguments[0]
    return None
