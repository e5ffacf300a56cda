# SPDX-License-Identifier: Apache-2.0
"""SPICE decks: one candidate of a circuit as ngspice runs it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from circuits.analog.elements import Element, Mosfet, Resistor
from circuits.analog.result import as_pair
from circuits.analog.values import stack_values
from workbench.ops.circuit_program import CARD

if TYPE_CHECKING:
    from circuits.analog.circuit import Circuit

__all__ = ["to_spice"]

_SIZES = ("w", "l", "m", "ad", "as_", "pd", "ps")


def to_spice(
    circuit: Circuit,
    params: Mapping[str, Any] | Tensor | None = None,
    i: int = 0,
    *,
    temperature: float | None = None,
    op: bool = False,
    ac: Sequence[Any] | None = None,
    noise: Sequence[Any] | None = None,
) -> str:
    """Write the deck of one candidate.

    Names are kept (an element whose name does not begin with its letter gets it and a dot in
    front, as ngspice does for the elements of subcircuits); numbers are written so that nothing
    is lost. Devices that differ in ``lambda``, ``vto`` or ``kp`` get a model each.

    Parameters
    ----------
    circuit : Circuit
    params : mapping or Tensor, optional
        As :meth:`circuits.analog.Circuit.simulate` takes it.
    i : int
        Which candidate of a batch.
    temperature : float, optional
        Degrees Celsius; by default the circuit's.
    op : bool
        Write ``.op``.
    ac : tuple, optional
        ``(points per decade, start, stop)`` in hertz, written as ``.ac dec``.
    noise : tuple, optional
        ``(output, source, points per decade, start, stop)``, where ``output`` is a node or a
        pair of nodes, written as ``.noise``.

    Returns
    -------
    str

    Raises
    ------
    TypeError, ValueError, IndexError
        For unknown names, values that are not finite, and a candidate out of range.
    """
    lowered = circuit.lower()
    values = stack_values("to_spice", lowered.parameters, params).detach()
    if not -values.shape[1] <= i < values.shape[1]:
        raise IndexError(f"to_spice: candidate {i} is out of range for {values.shape[1]}")
    column = lowered.rows(values[:, [i]])[:, 0].tolist()
    if any(math.isnan(v) for v in column):
        raise ValueError(f"to_spice: candidate {i} holds values that are not finite")
    number = lowered.element_values(column)
    kelvin = circuit.temperature if temperature is None else float(temperature)
    lines = [
        " ".join(circuit.title.split()) or "*",
        f".options temp={kelvin!r} tnom={circuit.tnom!r} gmin={circuit.gmin!r}",
    ]
    models = _Models(circuit)
    cards = [_card(e, number[e.name.lower()], models, lowered) for e in circuit.elements]
    lines += [*models.lines, *cards]
    if op:
        lines.append(".op")
    if ac is not None:
        lines.append(f".ac {_sweep('ac', ac)}")
    if noise is not None:
        output, source, *sweep = noise
        p, n = as_pair("to_spice: noise", circuit, output)
        pair = p if n == "0" else f"{p},{n}"
        if str(source).lower() not in lowered.sources:
            raise ValueError(f"to_spice: noise: unknown source {source!r}")
        name = _written(circuit.element(source))
        lines.append(f".noise v({pair}) {name} {_sweep('noise', sweep)}")
    return "\n".join([*lines, ".end", ""])


class _Models:
    """The model cards, one for each set of values that a device has."""

    def __init__(self, circuit: Circuit) -> None:
        self.lines: list[str] = []
        self._taken = {name.lower() for name in circuit.models}
        self._names: dict[Any, str] = {}

    def name(self, device: Mosfet, numbers: Mapping[str, float]) -> str:
        key = device.model.lower(), *numbers.items()
        if key not in self._names:
            first = all(k[0] != key[0] for k in self._names)
            name, count = device.model, 1
            while not first and name.lower() in self._taken:
                count += 1
                name = f"{device.model}_{count}"
            self._taken.add(name.lower())
            self._names[key] = name
            kind = "nmos" if numbers["type"] > 0 else "pmos"
            values = {k: v for k, v in numbers.items() if _said(k, v)}
            text = " ".join(f"{k}={v!r}" for k, v in values.items())
            self.lines.append(f".model {name} {kind} level=1 {text}")
        return self._names[key]


def _said(name: str, value: float) -> bool:
    """Whether a model's number must be written; ngspice takes the same for what is not."""
    return name != "type" and (name not in CARD or value != CARD[name] or name in ("phi", "tnom"))


def _written(element: Element) -> str:
    name = element.name
    if name[0].lower() == element.letter and name[1:2] != ".":
        return name
    return f"{element.letter}.{name}"


def _card(element: Element, number: Mapping[str, float], models: _Models, lowered: Any) -> str:
    head = " ".join([_written(element), *element.nodes])
    if isinstance(element, Mosfet):
        card = lowered.cards[element.name.lower()].numbers
        own = {"vto": number["vto"], "kp": number["kp"], "lambda": number["lambda_"]}
        name = models.name(element, {**own, **card})
        sizes = [f"{k.rstrip('_')}={number[k]!r}" for k in _SIZES]
        sizes[2] = f"m={round(number['m'])}"
        return f"{head} {name} {' '.join(sizes)}"
    if "value" in number:
        return f"{head} {number['value']!r}"
    assert not isinstance(element, Resistor)
    drive = float(lowered.drive[0, lowered.sources[element.name.lower()]])
    return f"{head} dc {number['dc']!r}" + (f" ac {drive!r}" if drive else "")


def _sweep(where: str, sweep: Sequence[Any]) -> str:
    if len(sweep) != 3:
        raise ValueError(f"to_spice: {where}: expected points per decade, start, stop; got {sweep}")
    points, start, stop = int(sweep[0]), float(sweep[1]), float(sweep[2])
    if points < 1 or not 0 < start <= stop < math.inf:
        raise ValueError(f"to_spice: {where}: {tuple(sweep)} is no sweep in hertz")
    return f"dec {points} {start!r} {stop!r}"
