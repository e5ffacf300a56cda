# SPDX-License-Identifier: Apache-2.0
"""Arithmetic over named parameters, as netlists write it: built, printed, parsed, evaluated."""

from __future__ import annotations

import math
import numbers
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["OPERATORS", "Expression", "ExpressionLike", "parse_expression", "parse_number"]

_T = TypeVar("_T")


class Operator(NamedTuple):
    """An operation: how many operands, its value on floats, its name in torch."""

    arity: int
    on_floats: Callable[..., float]
    in_torch: str


#: Every operation an expression may hold. ``log`` is natural, as in SPICE decks.
OPERATORS: dict[str, Operator] = {
    "+": Operator(2, operator.add, "add"),
    "-": Operator(2, operator.sub, "sub"),
    "*": Operator(2, operator.mul, "mul"),
    "/": Operator(2, operator.truediv, "div"),
    "**": Operator(2, math.pow, "pow"),
    "neg": Operator(1, operator.neg, "neg"),
    "sqrt": Operator(1, math.sqrt, "sqrt"),
    "exp": Operator(1, math.exp, "exp"),
    "log": Operator(1, math.log, "log"),
    "log10": Operator(1, math.log10, "log10"),
    "abs": Operator(1, abs, "abs"),
    "min": Operator(2, min, "minimum"),
    "max": Operator(2, max, "maximum"),
}
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "neg": 3, "**": 4}
_ATOM = 5
_LARGEST = 1_000_000


class Expression:
    """A number, a parameter, or an operation on expressions. Immutable.

    Made by :meth:`of`, :meth:`named`, :func:`parse_expression`, or
    :meth:`circuits.analog.Circuit.parameter`, and combined with ``+ - * / **`` and numbers.
    Operations on numbers alone are carried out at once.

    Attributes
    ----------
    op : str
        ``"number"``, ``"name"``, or a key of ``OPERATORS``.
    args : tuple of Expression
        The operands.
    number : float
        The value of a number.
    name : str
        The name of a parameter.
    names : frozenset of str
        Every parameter within.
    size : int
        Operations, numbers and names, shared ones as often as they are written. Beyond a
        million ``str`` refuses: names that stand for two of the next each make a short deck
        astronomically long.

    Examples
    --------
    >>> from circuits.analog.expression import Expression, parse_expression
    >>> w = Expression.named("w")
    >>> print(2 * 0.32e-6 * w)
    6.4e-07*w
    >>> parse_expression("4*{hdif} + w").evaluate({"hdif": 0.5, "w": 1.0})
    3.0
    """

    __slots__ = ("args", "name", "names", "number", "op", "size")

    op: str
    args: tuple[Expression, ...]
    number: float
    name: str
    names: frozenset[str]
    size: int

    def __init__(
        self, op: str, args: tuple[Expression, ...] = (), number: float = 0.0, name: str = ""
    ) -> None:
        put = object.__setattr__
        put(self, "op", op)
        put(self, "args", args)
        put(self, "number", number)
        put(self, "name", name)
        own = frozenset((name,)) if op == "name" else frozenset[str]()
        put(self, "names", own.union(*(a.names for a in args)) if args else own)
        put(self, "size", 1 + sum(a.size for a in args))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Expression: {name} cannot be set; expressions are immutable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"Expression: {name} cannot be deleted; expressions are immutable")

    def __reduce__(self) -> Any:
        return Expression, (self.op, self.args, self.number, self.name)

    # -- making -----------------------------------------------------------------------------

    @staticmethod
    def of(value: ExpressionLike) -> Expression:
        """The expression itself, or a real number as an expression.

        Raises
        ------
        TypeError
            For anything else, tensors included: what varies is a parameter.
        ValueError
            For a number that is not finite.
        """
        if isinstance(value, Expression):
            return value
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise TypeError(
                f"Expression: got {type(value).__name__}; expected a real number or an Expression"
            )
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"Expression: {number!r} is not finite")
        return Expression("number", number=number + 0.0)  # no negative zero

    @staticmethod
    def named(name: str) -> Expression:
        """The parameter of that name."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError(
                f"Expression: name is {name!r}; expected a letter or _, then letters, digits or _"
            )
        return Expression("name", name=name)

    @staticmethod
    def call(op: str, *args: ExpressionLike) -> Expression:
        """The operation ``op`` of ``OPERATORS`` on expressions or numbers.

        Raises
        ------
        ValueError
            For an unknown operation, a wrong number of operands, and numbers it is not
            defined on.
        """
        if op not in OPERATORS:
            raise ValueError(f"Expression: unknown operation {op!r}; expected {list(OPERATORS)}")
        spec = OPERATORS[op]
        if len(args) != spec.arity:
            raise ValueError(f"Expression: {op} has {len(args)} operands; expected {spec.arity}")
        operands = tuple(Expression.of(a) for a in args)
        if all(a.op == "number" for a in operands):
            return Expression.of(_apply(op, [a.number for a in operands]))
        if op == "neg" and operands[0].op == "neg":
            return operands[0].args[0]
        return Expression(op, operands)

    # -- using ------------------------------------------------------------------------------

    @property
    def is_number(self) -> bool:
        """Whether no parameter occurs."""
        return self.op == "number"

    def ordered(self) -> Iterator[Expression]:
        """Every distinct node object, operands before what uses them, this one last."""
        seen: set[int] = set()
        stack = [(self, False)]  # no recursion: a sum made in a loop is as deep as it is long
        while stack:
            node, ready = stack.pop()
            if ready:
                yield node
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((a, False) for a in reversed(node.args))

    def _fold(self, visit: Callable[[Expression, list[_T]], _T]) -> _T:
        done: dict[int, _T] = {}
        for node in self.ordered():
            done[id(node)] = visit(node, [done[id(a)] for a in node.args])
        return done[id(self)]

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """The value, given one for each parameter.

        Parameters
        ----------
        values : mapping of str to float or Tensor
            Tensors must broadcast against each other.

        Returns
        -------
        float or Tensor
            A float if no tensor takes part.

        Raises
        ------
        KeyError
            For a parameter without a value.
        ValueError
            For an operation on floats that is not defined.
        """

        def visit(node: Expression, args: list[float | Tensor]) -> float | Tensor:
            if node.op == "number":
                return node.number
            if node.op == "name":
                value: float | Tensor = values[node.name]
                return value
            applied: float | Tensor = _apply(node.op, args)
            return applied

        return self._fold(visit)

    def substitute(self, values: Mapping[str, ExpressionLike]) -> Expression:
        """The expression with some parameters replaced by expressions or numbers."""

        def visit(node: Expression, args: list[Expression]) -> Expression:
            if node.op == "name":
                return Expression.of(values[node.name]) if node.name in values else node
            return Expression.call(node.op, *args) if args else node

        return self._fold(visit)

    def __str__(self) -> str:
        if self.size > _LARGEST:
            raise ValueError(f"Expression: written out it has more than {_LARGEST:,} operands")

        def visit(node: Expression, args: list[tuple[str, int]]) -> tuple[str, int]:
            if node.op == "number":
                return repr(node.number), _ATOM if node.number >= 0 else _PRECEDENCE["neg"]
            if node.op == "name":
                return node.name, _ATOM
            if node.op not in _PRECEDENCE:
                return f"{node.op}({', '.join(text for text, _ in args)})", _ATOM
            own = _PRECEDENCE[node.op]
            if node.op == "neg":
                return f"-{_bracketed(args[0], own)}", own
            left = own + 1 if node.op == "**" else own
            space = " " if own == 1 else ""
            shown = _bracketed(args[0], left), node.op, _bracketed(args[1], own + 1)
            return space.join(shown), own

        return self._fold(visit)[0]

    def __repr__(self) -> str:
        return f"Expression({str(self)!r})" if self.size <= _LARGEST else "Expression(...)"

    def __add__(self, other: ExpressionLike) -> Expression:
        return _binary("+", self, other)

    def __radd__(self, other: ExpressionLike) -> Expression:
        return _binary("+", other, self)

    def __sub__(self, other: ExpressionLike) -> Expression:
        return _binary("-", self, other)

    def __rsub__(self, other: ExpressionLike) -> Expression:
        return _binary("-", other, self)

    def __mul__(self, other: ExpressionLike) -> Expression:
        return _binary("*", self, other)

    def __rmul__(self, other: ExpressionLike) -> Expression:
        return _binary("*", other, self)

    def __truediv__(self, other: ExpressionLike) -> Expression:
        return _binary("/", self, other)

    def __rtruediv__(self, other: ExpressionLike) -> Expression:
        return _binary("/", other, self)

    def __pow__(self, other: ExpressionLike) -> Expression:
        return _binary("**", self, other)

    def __rpow__(self, other: ExpressionLike) -> Expression:
        return _binary("**", other, self)

    def __neg__(self) -> Expression:
        return Expression.call("neg", self)

    def __pos__(self) -> Expression:
        return self

    def __bool__(self) -> bool:
        raise TypeError("Expression: has no truth value; compare what evaluate() returns")


ExpressionLike: TypeAlias = "Expression | float | int"


def _binary(op: str, left: ExpressionLike, right: ExpressionLike) -> Expression:
    if not all(isinstance(v, Expression | numbers.Real) for v in (left, right)):
        return NotImplemented  # type: ignore[no-any-return]
    return Expression.call(op, left, right)


def _bracketed(operand: tuple[str, int], least: int) -> str:
    text, precedence = operand
    return text if precedence >= least else f"({text})"


def _apply(op: str, args: list[Any]) -> Any:
    spec = OPERATORS[op]
    if all(isinstance(a, float | int) for a in args):
        try:
            return spec.on_floats(*args)
        except (ArithmeticError, ValueError):
            shown = ", ".join(repr(a) for a in args)
            raise ValueError(f"Expression: {op} is not defined on {shown}") from None
    import torch

    like = next(a for a in args if isinstance(a, torch.Tensor))
    tensors = [
        a if isinstance(a, torch.Tensor) else torch.as_tensor(a, dtype=like.dtype) for a in args
    ]
    return getattr(torch, spec.in_torch)(*tensors)


# -- text ---------------------------------------------------------------------------------------

_SCALES = {"t": 12, "g": 9, "meg": 6, "k": 3, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_NAME = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)(?:[eEdD]([+-]?\d+))?([A-Za-z]*)")
_TERM = re.compile(r"(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d+))?([A-Za-z]*)")
_TOKEN = re.compile(
    rf"\s*(?:(?P<number>{_TERM.pattern})|(?P<name>{_NAME.pattern})|(?P<op>\*\*|[-+*/^(),{{}}']))"
)
_ALIASES = {"ln": "log", "pow": "**"}


def parse_number(text: str) -> float:
    """A SPICE number: ``1k``, ``2.5u``, ``1meg``, ``10fF``; letters after the scale are a unit.

    As in ngspice 39, ``d`` may stand for the exponent's ``e``, ``mil`` is 25.4e-6 and ``a`` is
    no scale.

    Raises
    ------
    ValueError
        If the text is no number.
    """
    sign = -1.0 if text.startswith("-") else 1.0
    match = _NUMBER.fullmatch(text[1:] if text[:1] in ("+", "-") else text)
    if match is None:
        raise ValueError(f"{text!r} is no number")
    if match.group(3).lower().startswith("mil"):
        return sign * 25.4e-6 * float(f"{match.group(1)}e{int(match.group(2) or 0)}")
    return sign * _scaled(*match.groups())


def _scaled(mantissa: str, exponent: str | None, letters: str) -> float:
    unit = letters.lower()
    power = _SCALES["meg"] if unit.startswith("meg") else _SCALES.get(unit[:1], 0)
    # one decimal literal, so that 100n is the float 1e-07 and not 100 * 1e-9
    return float(f"{mantissa}e{int(exponent or 0) + power}")


def parse_expression(text: str) -> Expression:
    """An expression from its text.

    Parameters
    ----------
    text : str
        Numbers with SPICE scales, names, ``+ - * / ** ^``, brackets (round, or the braces and
        quotes of decks), and the functions ``sqrt exp log ln log10 abs min max pow``. Nothing
        is executed. ``a**b**c`` needs brackets, because dialects read it in two ways.

    Returns
    -------
    Expression

    Raises
    ------
    ValueError
        Naming the text, and where it stops making sense.
    """
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise TypeError(f"parse_expression: text is {type(text).__name__}; expected str")
        self._text = text
        self._tokens: list[tuple[str, str, int]] = []
        place, end = 0, len(text.rstrip())
        while place < end:
            match = _TOKEN.match(text, place)
            if match is None:
                raise self._error(place)
            kind = str(match.lastgroup)
            self._tokens.append((kind, match.group(kind), match.start(kind)))
            place = match.end()
        self._tokens.append(("end", "", end))
        self._at = 0
        self._depth = 0

    def _error(self, place: int) -> ValueError:
        what = repr(self._text[place:].strip()) if self._text[place:].strip() else "the end"
        return ValueError(f"expression {self._text!r}: unexpected {what}")

    def _take(self, *ops: str) -> str | None:
        kind, text, _ = self._tokens[self._at]
        if kind != "op" or text not in ops:
            return None
        self._at += 1
        return text

    def _expect(self, op: str) -> None:
        if self._take(op) is None:
            raise self._error(self._tokens[self._at][2])

    def parse(self) -> Expression:
        parsed = self._sum()
        kind, _, place = self._tokens[self._at]
        if kind != "end":
            raise self._error(place)
        return parsed

    def _sum(self) -> Expression:
        self._depth += 1
        if self._depth > 100:
            raise ValueError(f"expression {self._text[:40]!r}...: more than 100 nested brackets")
        left = self._product()
        while op := self._take("+", "-"):
            left = Expression.call(op, left, self._product())
        self._depth -= 1
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while op := self._take("*", "/"):
            left = Expression.call(op, left, self._signed())
        return left

    def _signed(self) -> Expression:
        negative = False
        while op := self._take("+", "-"):
            negative ^= op == "-"
        operand = self._power()
        return -operand if negative else operand

    def _power(self) -> Expression:
        base = self._atom()
        if not self._take("**", "^"):
            return base
        negative = bool(self._take("-"))
        exponent = self._atom()
        kind, text, _ = self._tokens[self._at]
        if kind == "op" and text in ("**", "^"):
            raise ValueError(f"expression {self._text!r}: powers of powers need brackets")
        return Expression.call("**", base, -exponent if negative else exponent)

    def _atom(self) -> Expression:
        kind, text, place = self._tokens[self._at]
        if kind == "number":
            self._at += 1
            match = _TERM.fullmatch(text)
            if match is None or match.group(3).lower().startswith("mil"):
                raise ValueError(f"expression {self._text!r}: no scale mil within expressions")
            return Expression.of(_scaled(*match.groups()))
        if kind == "name":
            self._at += 1
            if self._take("(") is None:
                return Expression.named(text)
            args = [self._sum()]
            while self._take(","):
                args.append(self._sum())
            self._expect(")")
            function = _ALIASES.get(text.lower(), text.lower())
            if function not in OPERATORS or function == "neg":
                raise ValueError(f"expression {self._text!r}: unknown function {text!r}")
            return Expression.call(function, *args)
        for opening, closing in (("(", ")"), ("{", "}"), ("'", "'")):
            if self._take(opening):
                inner = self._sum()
                self._expect(closing)
                return inner
        raise self._error(place)
