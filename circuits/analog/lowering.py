# SPDX-License-Identifier: Apache-2.0
"""Lowering: a circuit into the program and the rows that the kernels take."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from circuits.analog.connectivity import check_connections
from circuits.analog.elements import (
    Capacitor,
    CurrentSource,
    Element,
    Mosfet,
    Parameter,
    Resistor,
    VoltageSource,
    check_value,
)
from circuits.analog.expression import Expression
from circuits.analog.level1 import CompleteCard, complete
from circuits.analog.tape import Tape
from circuits.analog.values import stack_values
from workbench.ops import _transforms
from workbench.ops.circuit_program import CircuitProgram, CircuitProgramBuilder

if TYPE_CHECKING:
    from circuits.analog.circuit import Circuit

__all__ = ["Lowered", "lower"]

#: The values of a MOSFET that are rows, in the order of its record.
MOSFET_ROWS = ("w", "l", "m", "lambda_", "vto", "kp", "ad", "as_", "pd", "ps")


@dataclass(frozen=True)
class Lowered:
    """A circuit as the kernels take it.

    Attributes
    ----------
    program : CircuitProgram
    expressions : tuple of Expression
        What each row holds; no two are the same.
    parameters : tuple of Parameter
        In the order in which ``rows`` takes their values.
    nodes, sources, devices : dict
        Numbers by lower-case name.
    drive : Tensor
        float64 ``(1, n_sources)``: the ac amplitudes.
    cards : dict
        By device, lower case: its model with nothing left out.
    frozen : frozenset of str
        Parameters that models or ac amplitudes are made of: they keep their defaults.
    """

    program: CircuitProgram
    expressions: tuple[Expression, ...]
    parameters: tuple[Parameter, ...]
    nodes: Mapping[str, int]
    sources: Mapping[str, int]
    devices: Mapping[str, int]
    drive: Tensor
    cards: Mapping[str, CompleteCard]
    frozen: frozenset[str]
    _tape: Tape = field(repr=False)
    _roles: tuple[tuple[tuple[Element, str], ...], ...] = field(repr=False)
    _least: Tensor = field(repr=False)
    _integers: Tensor = field(repr=False)

    def rows(self, params: Mapping[str, Any] | Tensor | None = None) -> Tensor:
        """The values of every element.

        Parameters
        ----------
        params : mapping, Tensor or None
            Values by parameter name, each a number or ``(B,)``; those left out keep their
            default. Or a tensor ``(P, B)`` in the order of ``parameters``.

        Returns
        -------
        Tensor
            float64 ``(n_rows, B)``, differentiable to the parameters. The column of a candidate
            with a NaN or an infinity is NaN throughout.

        Raises
        ------
        TypeError, ValueError
            For an unknown name, a wrong shape, and a value its element cannot hold.
        """
        values = stack_values("rows", self.parameters, params)
        _transforms.refuse_vmap("simulate", "one column of values for each candidate", values)
        if self.frozen:
            self._check_frozen(values)
        rows = self._tape(values)
        with torch.no_grad():
            whole = torch.isfinite(rows).all(dim=0)
            # a NaN compares false and passes: it is for its candidate alone
            bad = (rows < self._least).any()
            if self._integers.numel():
                m = rows.index_select(0, self._integers)
                bad = bad | ((m - m.round()).abs() > 1e-9).any()
        if not whole.all():
            rows = torch.where(whole, rows, torch.nan)
        if bad:
            self._refuse(rows.detach())
        return rows

    def element_values(self, column: Sequence[float]) -> dict[str, dict[str, float]]:
        """The numbers of each element (lower case) by field, given one candidate's rows."""
        found: dict[str, dict[str, float]] = defaultdict(dict)
        for roles, value in zip(self._roles, column, strict=True):
            for element, name in roles:
                found[element.name.lower()][name] = value
        return dict(found)

    def _check_frozen(self, values: Tensor) -> None:
        for row, parameter in zip(values.detach(), self.parameters, strict=True):
            if parameter.name in self.frozen and not bool((row == parameter.default).all()):
                raise ValueError(
                    f"rows: parameter {parameter.name!r} is part of a model card or an ac "
                    f"amplitude, which cannot vary; build the circuit anew to change it"
                )

    def _refuse(self, rows: Tensor) -> None:
        for roles, row, least in zip(self._roles, rows.tolist(), self._least.tolist(), strict=True):
            for candidate, value in enumerate(row):
                if math.isnan(value):
                    continue
                try:
                    for element, name in roles:
                        check_value(element, name, value)
                        if name == "l" and value < least[0]:
                            ld = self.cards[element.name.lower()].numbers["ld"]
                            raise ValueError(
                                f"{element.name}: l is {value:g}; expected more than twice the "
                                f"model's ld, {ld:g}"
                            )
                except ValueError as error:
                    raise ValueError(
                        f"{error}" + (f" (candidate {candidate})" if len(row) > 1 else "")
                    ) from None


class _Lowering:
    """One pass over a circuit."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.defaults = {p.name: p.default for p in circuit.parameters.values()}
        self.frozen: set[str] = set()
        self.expressions: list[Expression] = []
        self.rows: dict[str, int] = {}  # of each distinct expression
        self.roles: dict[int, list[tuple[Element, str]]] = defaultdict(list)
        self.least: dict[int, float] = {}

    def fixed(self, expression: Expression) -> float:
        """The number of an expression that cannot vary from here on."""
        self.frozen |= expression.names
        return float(expression.evaluate(self.defaults))

    def row(self, element: Element, name: str, expression: Expression, least: float) -> int:
        """The row of an expression, a new one if it was not met before."""
        row = self.rows.setdefault(str(expression), len(self.expressions))
        if row == len(self.expressions):
            self.expressions.append(expression)
        self.roles[row].append((element, name))
        self.least[row] = max(self.least.get(row, -math.inf), least)
        return row

    def lower(self) -> Lowered:
        circuit = self.circuit
        check_connections(circuit.elements)
        nodes = {name.lower(): i for i, name in enumerate(circuit.nodes)}
        cards: dict[str, CompleteCard] = {}
        models = {
            card.name.lower(): complete(
                f"model {card.name}", card.kind, card.values, circuit.tnom, self.fixed
            )
            for card in circuit.models.values()
        }
        wanted: list[tuple[Element, list[int]]] = []
        for element in circuit.elements:
            values = dict(element.values())
            if isinstance(element, Mosfet):
                card = cards[element.name.lower()] = models[element.model.lower()]
                for name in ("lambda_", "vto", "kp"):
                    values.setdefault(name, getattr(card, name))
                order: Sequence[str] = MOSFET_ROWS
            else:
                order = ("value",) if isinstance(element, Resistor | Capacitor) else ("dc",)
            rows = []
            for name in order:
                least = element.least.get(name, -math.inf)
                if name == "l":  # the channel must outlast both diffusions
                    ld = cards[element.name.lower()].numbers["ld"]
                    least = max(least, math.nextafter(2 * ld, math.inf))
                rows.append(self.row(element, name, values[name], least))
            wanted.append((element, rows))

        builder = CircuitProgramBuilder(len(nodes), len(self.expressions), gmin=circuit.gmin)
        used = {e.model.lower() for e, _ in wanted if isinstance(e, Mosfet)}
        numbers = {name: builder.model(models[name].numbers) for name in models if name in used}
        sources: dict[str, int] = {}
        devices: dict[str, int] = {}
        drive: list[float] = []
        for element, rows in wanted:
            ends = [nodes[n.lower()] for n in element.nodes]
            if isinstance(element, Resistor):
                builder.resistor(*ends, *rows)
            elif isinstance(element, Capacitor):
                builder.capacitor(*ends, *rows)
            elif isinstance(element, Mosfet):
                devices[element.name.lower()] = len(devices)
                d, g, s, b = ends
                builder.mosfet(d, g, s, b, numbers[element.model.lower()], *rows)
            else:
                sources[element.name.lower()] = len(sources)
                drive.append(self.fixed(element.ac))
                if isinstance(element, VoltageSource):
                    builder.voltage_source(*ends, *rows)
                else:
                    assert isinstance(element, CurrentSource)
                    builder.current_source(*ends, *rows)
        return Lowered(
            program=builder.build(),
            expressions=tuple(self.expressions),
            parameters=tuple(circuit.parameters.values()),
            nodes=nodes,
            sources=sources,
            devices=devices,
            drive=torch.tensor([drive], dtype=torch.float64).reshape(1, len(drive)),
            cards=cards,
            frozen=frozenset(self.frozen),
            _tape=Tape(list(self.defaults), self.expressions),
            _roles=tuple(tuple(self.roles[r]) for r in range(len(self.expressions))),
            _least=torch.tensor(
                [[self.least[r]] for r in range(len(self.expressions))], dtype=torch.float64
            ),
            _integers=torch.tensor(
                [r for r in self.roles if any(name == "m" for _, name in self.roles[r])],
                dtype=torch.int64,
            ),
        )


def lower(circuit: Circuit) -> Lowered:
    """Lower a circuit, checking what only a whole circuit can be checked for.

    Raises
    ------
    ValueError
        For a circuit without elements, a node without a path for direct current to ground, and
        a loop of voltage sources, by name.
    """
    return _Lowering(circuit).lower()
