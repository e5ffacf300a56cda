# SPDX-License-Identifier: Apache-2.0
"""The circuit: elements between named nodes, checked as they are added."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from circuits.analog.elements import (
    Capacitor,
    CurrentSource,
    Element,
    ModelCard,
    Mosfet,
    Parameter,
    Resistor,
    VoltageSource,
    check_value,
)
from circuits.analog.expression import Expression, ExpressionLike
from circuits.analog.level1 import card_values
from circuits.analog.names import meant

if TYPE_CHECKING:
    import numpy.typing as npt
    from torch import Tensor

    from circuits.analog.lowering import Lowered
    from circuits.analog.result import Result

__all__ = ["Circuit"]

_GROUND = ("0", "gnd")
_LABEL = re.compile(r"[A-Za-z0-9_.:#!\[\]<>+\-]+")


class Circuit:
    """A netlist of resistors, capacitors, independent sources and level-1 MOSFETs.

    Values are numbers or expressions of parameters, in SI units. Names of nodes, elements and
    models ignore case, as in SPICE; node ``0`` or ``gnd`` is ground.

    Parameters
    ----------
    title : str
        One line.
    temperature : float
        Of the simulations, degrees Celsius.
    tnom : float
        At which models were measured unless they say otherwise, degrees Celsius.
    gmin : float
        Siemens, in parallel with each bulk junction.

    Attributes
    ----------
    frequencies : Tensor or None
        float64 ``(F,)``, hertz: what :meth:`simulate` sweeps unless it is told; set by the
        ``.ac`` or ``.noise`` line of a deck.
    noise_output : str, tuple of two str, or None
        Where :meth:`simulate` takes noise unless it is told; set by a deck's ``.noise`` line.

    Examples
    --------
    >>> from circuits.analog import Circuit
    >>> circuit = Circuit("divider")
    >>> r = circuit.parameter("r", 1e3, low=100, high=1e4, unit="ohm")
    >>> circuit.voltage_source("V1", "in", 0, dc=1.0)
    >>> circuit.resistor("R1", "in", "out", r)
    >>> circuit.resistor("R2", "out", 0, 1e3)
    >>> circuit
    Circuit('divider', 3 elements, 3 nodes, 1 parameter)
    >>> circuit.simulate({"r": [1e3, 3e3]}).voltage("out").round(decimals=12).tolist()
    [0.5, 0.25]
    """

    def __init__(
        self,
        title: str = "",
        *,
        temperature: float = 27.0,
        tnom: float = 27.0,
        gmin: float = 1e-12,
    ) -> None:
        if not isinstance(title, str) or "\n" in title:
            raise ValueError(f"Circuit: title is {title!r}; expected one line of text")
        self.title = title
        self.temperature = _kelvin_above_zero("temperature", temperature)
        self.tnom = _kelvin_above_zero("tnom", tnom)
        self.gmin = Expression.of(gmin).number
        if self.gmin < 0:
            raise ValueError(f"Circuit: gmin is {gmin}; expected 0 or more")
        self.frequencies: Tensor | None = None
        self.noise_output: str | tuple[str, str] | None = None
        self._parameters: dict[str, Parameter] = {}
        self._models: dict[str, ModelCard] = {}
        self._elements: dict[str, Element] = {}
        self._nodes: dict[str, str] = {"0": "0"}  # lower case -> as first written
        self._lowered: Lowered | None = None

    # -- what it is -------------------------------------------------------------------------

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The parameters by name, in order of appearance."""
        return dict(self._parameters)

    @property
    def models(self) -> dict[str, ModelCard]:
        """The model cards by name."""
        return {card.name: card for card in self._models.values()}

    @property
    def elements(self) -> tuple[Element, ...]:
        """The elements in order of appearance."""
        return tuple(self._elements.values())

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes, ground (``"0"``) first."""
        return tuple(self._nodes.values())

    def element(self, name: str) -> Element:
        """The element of that name.

        Raises
        ------
        ValueError
            If there is none.
        """
        found = self._elements.get(str(name).lower())
        if found is None:
            hint = meant(str(name), self._elements)
            raise ValueError(f"Circuit: unknown element {name!r}{hint}")
        return found

    def __len__(self) -> int:
        return len(self._elements)

    def __repr__(self) -> str:
        counts = {
            "element": len(self._elements),
            "node": len(self._nodes),
            "parameter": len(self._parameters),
        }
        shown = ", ".join(f"{n} {word}{'' if n == 1 else 's'}" for word, n in counts.items())
        return f"Circuit({self.title!r}, {shown})"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_lowered": None}

    def copy(self) -> Circuit:
        """An independent copy."""
        return copy.deepcopy(self)

    # -- building ---------------------------------------------------------------------------

    def parameter(
        self,
        name: str,
        default: float,
        *,
        low: float | None = None,
        high: float | None = None,
        grid: float | None = None,
        log: bool = True,
        integer: bool = False,
        unit: str = "",
    ) -> Expression:
        """Declare a parameter; see :class:`circuits.analog.elements.Parameter`.

        Returns
        -------
        Expression
            To build values with.

        Raises
        ------
        TypeError, ValueError
            For a name that is taken or no name, and for an empty range.
        """
        parameter = Parameter(name, default, low, high, grid, log, integer, unit)
        if name.lower() in (known.lower() for known in self._parameters):
            raise ValueError(f"Circuit: parameter {name!r} exists already")
        self._parameters[name] = parameter
        self._lowered = None
        return Expression.named(name)

    def model(self, name: str, kind: str, **values: ExpressionLike) -> ModelCard:
        """Add a level-1 model card.

        Parameters
        ----------
        name : str
        kind : str
            ``"nmos"`` or ``"pmos"``.
        **values
            By SPICE's names: ``vto kp lambda_ gamma phi tox ld cgso cgdo cgbo cj mj cjsw mjsw
            pb fc is_ js kf af nlev tnom``, and ``uo nsub nss tpg`` from which ngspice derives
            some of them. What is left out is what ngspice 39 takes for it. Only ``vto``, ``kp``
            and ``lambda_`` may vary with parameters.

        Raises
        ------
        TypeError, ValueError
            For a name that is taken, another kind or level, and unknown or impossible values.
        """
        label = _label("model", name)
        if label.lower() in self._models:
            raise ValueError(f"Circuit: model {name!r} exists already")
        if str(kind).lower() not in ("nmos", "pmos"):
            raise ValueError(f"Circuit: model {name!r} is of kind {kind!r}; expected nmos or pmos")
        card = ModelCard(label, kind.lower(), card_values(f"model {name}", values))
        for value in card.values.values():
            self._check_names(f"model {name}", value)
        self._models[label.lower()] = card
        self._lowered = None
        return card

    def resistor(self, name: str, a: str | int, b: str | int, value: ExpressionLike) -> None:
        """Add ``value`` ohms, above 0, between two nodes."""
        label, (first, second) = self._ends(name, a, b)
        self._add(Resistor(label, first, second, self._value(name, "value", value)))

    def capacitor(self, name: str, a: str | int, b: str | int, value: ExpressionLike) -> None:
        """Add ``value`` farads, 0 or more, between two nodes."""
        label, (first, second) = self._ends(name, a, b)
        self._add(Capacitor(label, first, second, self._value(name, "value", value)))

    def voltage_source(
        self,
        name: str,
        a: str | int,
        b: str | int,
        dc: ExpressionLike = 0.0,
        ac: ExpressionLike = 0.0,
    ) -> None:
        """Add a source holding ``a`` at ``dc`` volts above ``b``, with small-signal ``ac``."""
        label, (first, second) = self._ends(name, a, b)
        values = self._value(name, "dc", dc), self._value(name, "ac", ac)
        self._add(VoltageSource(label, first, second, *values))

    def current_source(
        self,
        name: str,
        a: str | int,
        b: str | int,
        dc: ExpressionLike = 0.0,
        ac: ExpressionLike = 0.0,
    ) -> None:
        """Add a source of ``dc`` amperes from ``a`` through itself to ``b``, as in SPICE."""
        label, (first, second) = self._ends(name, a, b)
        values = self._value(name, "dc", dc), self._value(name, "ac", ac)
        self._add(CurrentSource(label, first, second, *values))

    def mosfet(
        self,
        name: str,
        d: str | int,
        g: str | int,
        s: str | int,
        b: str | int,
        model: str | ModelCard,
        *,
        w: ExpressionLike,
        l: ExpressionLike,  # noqa: E741
        m: ExpressionLike = 1,
        ad: ExpressionLike = 0.0,
        as_: ExpressionLike = 0.0,
        pd: ExpressionLike = 0.0,
        ps: ExpressionLike = 0.0,
        lambda_: ExpressionLike | None = None,
        vto: ExpressionLike | None = None,
        kp: ExpressionLike | None = None,
    ) -> None:
        """Add a MOSFET of a model that exists.

        Parameters
        ----------
        name : str
        d, g, s, b : str or int
            Nodes of drain, gate, source and bulk.
        model : str or ModelCard
        w, l : number or Expression
            Width and length, m.
        m : number or Expression
            Devices in parallel, an integer.
        ad, as_, pd, ps : number or Expression
            Areas (m**2) and perimeters (m) of drain and source.
        lambda_, vto, kp : number or Expression, optional
            For this device alone, in place of the model's.

        Raises
        ------
        TypeError, ValueError
            For a name that is taken, an unknown model and impossible values.
        """
        chosen = model.name if isinstance(model, ModelCard) else str(model)
        card = self._models.get(chosen.lower())
        if card is None:
            known = [c.name for c in self._models.values()]
            raise ValueError(f"{name}: unknown model {chosen!r}{meant(chosen, known)}")
        values = {"w": w, "l": l, "m": m, "ad": ad, "as_": as_, "pd": pd, "ps": ps}
        given = {"lambda_": lambda_, "vto": vto, "kp": kp}
        values |= {k: value for k, value in given.items() if value is not None}
        label, (drain, gate, source, bulk) = self._ends(name, d, g, s, b)
        made: dict[str, Any] = {k: self._value(name, k, value) for k, value in values.items()}
        self._add(Mosfet(label, drain, gate, source, bulk, card.name, **made))

    # -- simulating -------------------------------------------------------------------------

    def lower(self) -> Lowered:
        """The circuit as the kernels take it, kept until something is added.

        Raises
        ------
        ValueError
            As :func:`circuits.analog.lowering.lower`.
        """
        if self._lowered is None:
            from circuits.analog.lowering import lower

            self._lowered = lower(self)
        return self._lowered

    def simulate(
        self,
        params: Mapping[str, Any] | Tensor | None = None,
        freqs: npt.ArrayLike | Tensor | None = None,
        analyses: Sequence[str] | None = None,
        temp: float | None = None,
        outputs: Sequence[str | tuple[str, str]] | None = None,
        noise_output: str | tuple[str, str] | None = None,
        backend: str = "native",
    ) -> Result:
        """Simulate a batch; see :func:`circuits.analog.simulation.simulate`."""
        from circuits.analog.simulation import simulate

        return simulate(
            self,
            params,
            freqs,
            analyses,
            temp=temp,
            outputs=outputs,
            noise_output=noise_output,
            backend=backend,
        )

    def to_spice(
        self,
        params: Mapping[str, Any] | Tensor | None = None,
        i: int = 0,
        **analyses: Any,
    ) -> str:
        """Write a SPICE deck; see :func:`circuits.analog.spice_writer.to_spice`."""
        from circuits.analog.spice_writer import to_spice

        return to_spice(self, params, i, **analyses)

    # -- checks -----------------------------------------------------------------------------

    def _ends(self, name: str, *nodes: str | int) -> tuple[str, list[str]]:
        """The element's name and its nodes, as they will be kept."""
        label = _label("element", name)
        if label.lower() in self._elements:
            raise ValueError(f"Circuit: element {name!r} exists already")
        ends: dict[str, str] = {}
        for node in nodes:
            end = _label(f"{name}: node", node)
            key = "0" if end.lower() in _GROUND else end.lower()
            ends.setdefault(key, self._nodes.get(key, end))
        keys = ("0" if str(n).lower() in _GROUND else str(n).lower() for n in nodes)
        return label, [ends[key] for key in keys]

    def _value(self, name: str, label: str, value: ExpressionLike) -> Expression:
        try:
            expression = Expression.of(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: {label.rstrip('_')}: {error}") from None
        self._check_names(name, expression)
        return expression

    def _check_names(self, where: str, expression: Expression) -> None:
        for unknown in sorted(expression.names - self._parameters.keys()):
            raise ValueError(
                f"{where}: unknown parameter {unknown!r}{meant(unknown, self._parameters)}"
            )

    def _add(self, element: Element) -> None:
        for label, value in element.values():
            if value.is_number:
                check_value(element, label, value.number)
        for node in element.nodes:
            self._nodes.setdefault(node.lower(), node)
        self._elements[element.name.lower()] = element
        self._lowered = None


def _label(what: str, name: str | int) -> str:
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise TypeError(f"Circuit: {what} is {name!r}; expected a name")
    label = str(name)
    if not _LABEL.fullmatch(label):
        raise ValueError(
            f"Circuit: {what} is {label!r}; expected letters, digits and _ . : # ! [ ] < > + -"
        )
    return label


def _kelvin_above_zero(name: str, value: float) -> float:
    celsius = Expression.of(value).number
    if celsius <= -273.15:
        raise ValueError(f"Circuit: {name} is {value} degrees Celsius, below absolute zero")
    return celsius
