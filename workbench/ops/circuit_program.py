# SPDX-License-Identifier: Apache-2.0
"""Circuit programs: a netlist as it crosses from Python into the circuit kernels.

Nodes are numbered from 0, which is ground. Every value of the netlist (a resistance, a width,
the volts of a supply) is a *row*: a number of the matrix ``rows``, float64 ``(n_rows, B)``,
that holds one column per candidate. Elements may share a row, as matched devices do.

Stream, one record per element::

    RESISTOR    kind  a  b  row                ohm; makes thermal noise
    CAPACITOR   kind  a  b  row                farad
    CURRENT     kind  a  b  row                ampere, from a through the source to b
    VOLTAGE     kind  a  b  row                v(a) - v(b), volt
    MOSFET      kind  d  g  s  b  model  w  l  m  lambda  vto  kp  ad  as  pd  ps

The last ten of a MOSFET are rows. Sources, of voltage and of current together, are numbered in
order of appearance; so are MOSFETs. ``data`` holds the leak ``gmin`` of each bulk junction and
then :data:`CARD` for each model. An absent number is what ngspice 39 takes for it, level 1.
"""

from __future__ import annotations

import enum
import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

__all__ = ["CARD", "DEVICE_COLUMNS", "CircuitProgram", "CircuitProgramBuilder", "ElementKind"]

#: The numbers of a model in the order of ``data``, and what an absent one is taken to be.
CARD: dict[str, float] = {
    "type": 1.0,  # +1 n channel, -1 p channel
    "gamma": 0.0,  # bulk threshold, V**0.5
    "phi": 0.6,  # surface potential, V
    "tox": 0.0,  # oxide thickness, m; 0 = none, and no intrinsic gate capacitance then
    "ld": 0.0,  # lateral diffusion, m
    "cgso": 0.0,  # gate-source overlap, F/m of width
    "cgdo": 0.0,  # gate-drain overlap, F/m of width
    "cgbo": 0.0,  # gate-bulk overlap, F/m of length
    "cj": 0.0,  # junction bottom, F/m**2
    "mj": 0.5,
    "cjsw": 0.0,  # junction side wall, F/m
    "mjsw": 0.5,
    "pb": 0.8,  # junction potential, V
    "fc": 0.5,  # where the junction capacitance turns into a straight line
    "is": 1e-14,  # junction saturation current, A
    "js": 0.0,  # the same per area, A/m**2; 0 = use is
    "kf": 0.0,  # flicker noise
    "af": 1.0,
    "nlev": -1.0,  # flicker formula: -1 ngspice 39's, or 0 to 3
    "tnom": 27.0,  # at which the card was measured, degrees Celsius
}

#: Columns of ``device_state``.
DEVICE_COLUMNS = (
    *("id", "vgs", "vds", "vbs", "vth", "vdsat", "gm", "gds"),
    *("gmbs", "cgs", "cgd", "cgb", "cbd", "cbs", "ibd", "ibs"),
)

ABSOLUTE_ZERO = -273.15


class ElementKind(enum.IntEnum):
    """Elements of a circuit program."""

    RESISTOR = 0
    CAPACITOR = 1
    CURRENT = 2
    VOLTAGE = 3
    MOSFET = 4


@dataclass(frozen=True)
class CircuitProgram:
    """A circuit whose element values are rows of a matrix.

    Attributes
    ----------
    n_nodes, n_rows, n_sources, n_devices : int
        Nodes with ground, rows, sources (of voltage and current), MOSFETs.
    code : Tensor
        int64, shape ``(length,)``.
    data : Tensor
        float64, shape ``(1 + 20 * n_models,)``.
    """

    n_nodes: int
    n_rows: int
    n_sources: int
    n_devices: int
    code: Tensor
    data: Tensor


@dataclass
class CircuitProgramBuilder:
    """Appends elements and closes into a :class:`CircuitProgram`.

    Parameters
    ----------
    n_nodes : int
        With ground, which is node 0.
    n_rows : int
    gmin : float
        Siemens, in parallel with each bulk junction of each MOSFET.
    """

    n_nodes: int
    n_rows: int
    gmin: float = 1e-12
    _code: array[int] = field(default_factory=lambda: array("q"), repr=False)
    _cards: array[float] = field(default_factory=lambda: array("d"), repr=False)
    _n_sources: int = 0
    _n_devices: int = 0

    def __post_init__(self) -> None:
        if self.n_nodes < 1:
            raise ValueError(
                f"CircuitProgramBuilder: n_nodes must be 1 or more, got {self.n_nodes}"
            )
        if self.n_rows < 0:
            raise ValueError(f"CircuitProgramBuilder: n_rows must be 0 or more, got {self.n_rows}")
        if not (math.isfinite(self.gmin) and self.gmin >= 0.0):
            raise ValueError(f"CircuitProgramBuilder: gmin must be 0 or more, got {self.gmin}")

    def model(self, card: Mapping[str, float]) -> int:
        """Append a level-1 model.

        Parameters
        ----------
        card : mapping
            Some of the names of :data:`CARD`; the others take the value there.

        Returns
        -------
        int
            The number that :meth:`mosfet` wants.

        Raises
        ------
        ValueError
            For a name that is no model number, and a value outside of its range.
        """
        where = "CircuitProgramBuilder.model: card"
        unknown = sorted(set(card) - set(CARD))
        if unknown:
            raise ValueError(f"{where} must hold names of {', '.join(CARD)}; got {unknown[0]!r}")
        full = {name: float(card.get(name, default)) for name, default in CARD.items()}
        for name, value in full.items():
            wrong = _out_of_range(name, value)
            if wrong:
                raise ValueError(f"{where}[{name!r}] must be {wrong}, got {value}")
        self._cards.extend(full.values())
        return len(self._cards) // len(CARD) - 1

    def resistor(self, a: int, b: int, row: int) -> None:
        """Append a resistor between nodes ``a`` and ``b``; ``row`` holds ohms, above 0."""
        self._two_terminals(ElementKind.RESISTOR, a, b, row)

    def capacitor(self, a: int, b: int, row: int) -> None:
        """Append a capacitor between nodes ``a`` and ``b``; ``row`` holds farads, 0 or more."""
        self._two_terminals(ElementKind.CAPACITOR, a, b, row)

    def current_source(self, a: int, b: int, row: int) -> int:
        """Append a source that carries ``row`` amperes from ``a`` through itself to ``b``.

        Returns
        -------
        int
            Its number among the sources.
        """
        return self._source(ElementKind.CURRENT, a, b, row)

    def voltage_source(self, a: int, b: int, row: int) -> int:
        """Append a source that holds ``a`` at ``row`` volts above ``b``.

        Returns
        -------
        int
            Its number among the sources.
        """
        return self._source(ElementKind.VOLTAGE, a, b, row)

    def mosfet(
        self,
        d: int,
        g: int,
        s: int,
        b: int,
        model: int,
        w: int,
        l: int,  # noqa: E741
        m: int,
        lambda_: int,
        vto: int,
        kp: int,
        ad: int,
        as_: int,
        pd: int,
        ps: int,
    ) -> int:
        """Append a MOSFET.

        Parameters
        ----------
        d, g, s, b : int
            Nodes.
        model : int
            From :meth:`model`.
        w, l, m, lambda_, vto, kp, ad, as_, pd, ps : int
            Rows: width and length in m, multiplier, channel-length modulation in 1/V, zero-bias
            threshold in V (negative for an enhancement p channel) and transconductance in
            A/V**2 at the model's ``tnom``, areas in m**2 and perimeters in m of drain and source.

        Returns
        -------
        int
            Its number among the MOSFETs.
        """
        where = "CircuitProgramBuilder.mosfet"
        for name, node in zip("dgsb", (d, g, s, b), strict=True):
            self._in_range(where, name, node, self.n_nodes)
        self._in_range(where, "model", model, len(self._cards) // len(CARD))
        rows = {"w": w, "l": l, "m": m, "lambda_": lambda_, "vto": vto, "kp": kp}
        rows |= {"ad": ad, "as_": as_, "pd": pd, "ps": ps}
        for name, row in rows.items():
            self._in_range(where, name, row, self.n_rows)
        self._code.extend((ElementKind.MOSFET, d, g, s, b, model, *rows.values()))
        self._n_devices += 1
        return self._n_devices - 1

    def build(self) -> CircuitProgram:
        """Close the builder into an immutable program."""
        code = torch.frombuffer(self._code[:], dtype=torch.int64) if self._code else _no_code()
        data = array("d", [self.gmin]) + self._cards
        return CircuitProgram(
            n_nodes=self.n_nodes,
            n_rows=self.n_rows,
            n_sources=self._n_sources,
            n_devices=self._n_devices,
            code=code,
            data=torch.frombuffer(data, dtype=torch.float64),
        )

    def _two_terminals(self, kind: ElementKind, a: int, b: int, row: int) -> None:
        where = f"CircuitProgramBuilder: {kind.name.lower()}"
        self._in_range(where, "a", a, self.n_nodes)
        self._in_range(where, "b", b, self.n_nodes)
        self._in_range(where, "row", row, self.n_rows)
        self._code.extend((kind, a, b, row))

    def _source(self, kind: ElementKind, a: int, b: int, row: int) -> int:
        self._two_terminals(kind, a, b, row)
        self._n_sources += 1
        return self._n_sources - 1

    @staticmethod
    def _in_range(where: str, name: str, value: Any, count: int) -> None:
        if not 0 <= value < count:
            raise ValueError(f"{where}: {name} must be in [0, {count}), got {value}")


def _no_code() -> Tensor:
    return torch.empty(0, dtype=torch.int64)  # frombuffer refuses to share nothing


def _out_of_range(name: str, value: float) -> str:
    """What a number of a card must be, if it is not."""
    if not math.isfinite(value):
        return "finite"
    if name == "type":
        return "" if value in (1.0, -1.0) else "1 or -1"
    if name == "nlev":
        return "" if value in (-1.0, 0.0, 1.0, 2.0, 3.0) else "-1, 0, 1, 2 or 3"
    if name in ("phi", "pb"):
        return "" if value > 0.0 else "above 0"
    if name == "fc":
        return "" if 0.0 <= value < 1.0 else "in [0, 1)"
    if name == "tnom":
        return "" if value > ABSOLUTE_ZERO else f"above {ABSOLUTE_ZERO}"
    if name == "af":
        return ""
    return "" if value >= 0.0 else "0 or more"
