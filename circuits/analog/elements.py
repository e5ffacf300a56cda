# SPDX-License-Identifier: Apache-2.0
"""What a netlist is made of: elements, model cards and parameters."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

from circuits.analog.expression import Expression

__all__ = [
    "Capacitor",
    "CurrentSource",
    "Element",
    "ModelCard",
    "Mosfet",
    "Parameter",
    "Resistor",
    "VoltageSource",
    "check_value",
]

_POSITIVE = math.nextafter(0.0, 1.0)  # the least value of what must be above 0


@dataclass(frozen=True)
class Parameter:
    """A named value of a circuit.

    Attributes
    ----------
    name : str
    default : float
        In SI units.
    low, high : float or None
        Range in which it may be sized; None for a value that is not sized.
    grid : float or None
        Manufacturing step.
    log : bool
        Whether a search should move in its logarithm.
    integer : bool
    unit : str
        For display: ``"m"``, ``"ohm"``, ``"F"``.
    """

    name: str
    default: float
    low: float | None = None
    high: float | None = None
    grid: float | None = None
    log: bool = True
    integer: bool = False
    unit: str = ""

    def __post_init__(self) -> None:
        Expression.named(self.name)  # refuses what is no name
        where = f"Parameter {self.name!r}"
        numbers = {"default": self.default, "low": self.low, "high": self.high, "grid": self.grid}
        for label, value in numbers.items():
            if value is not None:
                object.__setattr__(self, label, Expression.of(value).number)
        if (self.low is None) != (self.high is None):
            raise ValueError(f"{where}: low and high go together; got {self.low} and {self.high}")
        if self.grid is not None and self.grid <= 0:
            raise ValueError(f"{where}: grid is {self.grid}; expected above 0")
        if self.low is not None and self.high is not None:
            if self.low > self.high:
                raise ValueError(f"{where}: low is {self.low}, above high, {self.high}")
            if self.log and self.low <= 0:
                raise ValueError(f"{where}: low is {self.low}; a logarithmic range is above 0")

    @property
    def sized(self) -> bool:
        """Whether it has a range."""
        return self.low is not None


class _WithValues:
    """Elements list their nodes and their values from their dataclass fields."""

    letter: ClassVar[str]
    node_fields: ClassVar[tuple[str, ...]] = ("a", "b")
    #: The least number each field may hold; a field not named may hold any.
    least: ClassVar[Mapping[str, float]] = {}
    name: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names of the nodes it stands between."""
        return tuple(getattr(self, f) for f in self.node_fields)

    def values(self) -> Iterator[tuple[str, Expression]]:
        """Field and expression of every value."""
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if isinstance(value, Expression):
                yield f.name, value


@dataclass(frozen=True)
class Resistor(_WithValues):
    """``value`` ohms between nodes ``a`` and ``b``; makes thermal noise."""

    letter: ClassVar[str] = "r"
    least: ClassVar[Mapping[str, float]] = {"value": _POSITIVE}
    name: str
    a: str
    b: str
    value: Expression


@dataclass(frozen=True)
class Capacitor(_WithValues):
    """``value`` farads between nodes ``a`` and ``b``."""

    letter: ClassVar[str] = "c"
    least: ClassVar[Mapping[str, float]] = {"value": 0.0}
    name: str
    a: str
    b: str
    value: Expression


@dataclass(frozen=True)
class VoltageSource(_WithValues):
    """``v(a) - v(b)`` is ``dc`` volts; ``ac`` is its amplitude, negative for 180 degrees."""

    letter: ClassVar[str] = "v"
    name: str
    a: str
    b: str
    dc: Expression
    ac: Expression


@dataclass(frozen=True)
class CurrentSource(_WithValues):
    """``dc`` amperes flow from ``a`` through the source to ``b``; ``ac`` as for a voltage."""

    letter: ClassVar[str] = "i"
    name: str
    a: str
    b: str
    dc: Expression
    ac: Expression


@dataclass(frozen=True)
class Mosfet(_WithValues):
    """A level-1 MOSFET.

    Lengths in m, areas in m**2. ``lambda_`` (1/V), ``vto`` (V) and ``kp`` (A/V**2) stand in for
    the model's where they are given.
    """

    letter: ClassVar[str] = "m"
    node_fields: ClassVar[tuple[str, ...]] = ("d", "g", "s", "b")
    least: ClassVar[Mapping[str, float]] = {
        "w": _POSITIVE, "l": _POSITIVE, "m": 1.0, "kp": _POSITIVE,
        "ad": 0.0, "as_": 0.0, "pd": 0.0, "ps": 0.0,
    }  # fmt: skip
    name: str
    d: str
    g: str
    s: str
    b: str
    model: str
    w: Expression
    l: Expression  # noqa: E741
    m: Expression
    ad: Expression
    as_: Expression
    pd: Expression
    ps: Expression
    lambda_: Expression | None = None
    vto: Expression | None = None
    kp: Expression | None = None


Element = Resistor | Capacitor | VoltageSource | CurrentSource | Mosfet


@dataclass(frozen=True)
class ModelCard:
    """A level-1 model: ``kind`` is ``"nmos"`` or ``"pmos"``, ``values`` by SPICE's names."""

    name: str
    kind: str
    values: Mapping[str, Expression] = field(default_factory=dict)


def check_value(element: Element, name: str, value: float) -> None:
    """Refuse a number that a field of an element cannot hold.

    Raises
    ------
    ValueError
        Naming element, field and number.
    """
    shown = name.rstrip("_")
    least = element.least.get(name, -math.inf)
    if not value >= least:
        expected = "above 0" if least == _POSITIVE else f"{least:g} or more"
        raise ValueError(f"{element.name}: {shown} is {value:g}; expected {expected}")
    if isinstance(element, Mosfet) and name == "m" and abs(value - round(value)) > 1e-9:
        raise ValueError(f"{element.name}: m is {value!r}; expected an integer")
