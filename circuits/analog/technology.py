# SPDX-License-Identifier: Apache-2.0
"""Technology cards: level-1 parameters that stand for a process generation.

They are representative cards of our own, with the supply, oxide and capacitances typical of
their generation. They are not foundry data, and level 1 knows no short-channel effect; use them
to compare designs and methods, not to tape out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from circuits.analog.circuit import Circuit
from circuits.analog.expression import Expression, ExpressionLike
from circuits.analog.names import meant

__all__ = ["TECHNOLOGIES", "Technology", "technologies", "technology_card"]


@dataclass(frozen=True)
class Technology:
    """A card of both transistor types and the rules that go with it.

    Attributes
    ----------
    name : str
    vdd, vss : float
        Supplies, V.
    lmin : float
        Shortest channel, m.
    nmos, pmos : mapping
        Level-1 numbers by SPICE's names, without ``lambda``.
    lambda0_nmos, lambda0_pmos : float
        Channel-length modulation times length, m/V: a device has ``lambda = lambda0/L``.
    hdif : float
        Length of a half diffusion, m: ``AD = AS = 2 HDIF W``, ``PD = PS = 4 HDIF + W``.
    grid : float
        Manufacturing step of W and L, m.
    """

    name: str
    vdd: float
    vss: float
    lmin: float
    nmos: Mapping[str, float]
    pmos: Mapping[str, float]
    lambda0_nmos: float
    lambda0_pmos: float
    hdif: float
    grid: float

    @property
    def w_range(self) -> tuple[float, float]:
        """Widths to search, m: 3 to 150 times the shortest channel."""
        return 3 * self.lmin, 150 * self.lmin

    @property
    def l_range(self) -> tuple[float, float]:
        """Lengths to search, m: 1 to 4 times the shortest channel."""
        return self.lmin, 4 * self.lmin

    def model_name(self, kind: str) -> str:
        """The name under which :meth:`mosfet` adds the card of ``"nmos"`` or ``"pmos"``."""
        return f"{_kind(kind)}_{self.name}"

    def mosfet(
        self,
        circuit: Circuit,
        name: str,
        kind: str,
        d: str | int,
        g: str | int,
        s: str | int,
        b: str | int,
        w: ExpressionLike,
        l: ExpressionLike,  # noqa: E741
        m: ExpressionLike = 1,
        **overrides: ExpressionLike,
    ) -> None:
        """Add a transistor with this technology's junctions and channel-length modulation.

        Parameters
        ----------
        circuit : Circuit
            Gets the model card with the first device of a kind.
        name : str
        kind : str
            ``"nmos"`` or ``"pmos"``.
        d, g, s, b : str or int
            Nodes.
        w, l : number or Expression
            m.
        m : number or Expression
            Devices in parallel.
        **overrides
            ``ad as_ pd ps lambda_ vto kp`` in place of the rules'.

        Raises
        ------
        TypeError, ValueError
            As :meth:`circuits.analog.Circuit.mosfet`.
        """
        model = self.model_name(kind)
        if model not in circuit.models:
            values: dict[str, Any] = dict(getattr(self, _kind(kind)))
            circuit.model(model, kind, **values)
        width, length = Expression.of(w), Expression.of(l)
        if not (length.is_number and length.number <= 0):  # Circuit.mosfet refuses it by name
            lambda0 = self.lambda0_nmos if _kind(kind) == "nmos" else self.lambda0_pmos
            overrides.setdefault("lambda_", lambda0 / length)
        area, perimeter = 2 * self.hdif * width, 4 * self.hdif + width
        if not (width.is_number and width.number <= 0):
            for label, value in (("ad", area), ("as_", area), ("pd", perimeter), ("ps", perimeter)):
                overrides.setdefault(label, value)
        circuit.mosfet(name, d, g, s, b, model, w=width, l=length, m=m, **overrides)


def _kind(kind: str) -> str:
    if kind not in ("nmos", "pmos"):
        raise ValueError(f"Technology: kind is {kind!r}; expected nmos or pmos")
    return kind


def _node(
    name: str, vdd: float, lmin: float, tox: float, vto: tuple[float, float],
    kp: tuple[float, float], gamma: tuple[float, float], phi: float,
    lambda0: tuple[float, float], overlap: float, cj: float, cjsw: float, hdif: float,
) -> Technology:  # fmt: skip
    """A card in the units of process documents: um, nm, uA/V**2, um/V, nF/m, mF/m**2."""

    def card(k: int) -> dict[str, float]:
        return {
            "vto": vto[k], "kp": kp[k] / 1e6, "gamma": gamma[k], "phi": phi, "tox": tox / 1e9,
            "cgso": overlap / 1e9, "cgdo": overlap / 1e9,
            "cj": cj / 1e3, "mj": 0.5, "cjsw": cjsw / 1e9, "mjsw": 0.33, "pb": 0.8,
        }  # fmt: skip

    return Technology(
        name=name,
        vdd=vdd,
        vss=0.0,
        lmin=lmin / 1e6,
        nmos=card(0),
        pmos=card(1),
        lambda0_nmos=lambda0[0] / 1e6,
        lambda0_pmos=lambda0[1] / 1e6,
        hdif=hdif / 1e6,
        grid=5e-9 if lmin >= 0.13 else lmin / 1e6 / 36,
    )


# The published three-stage design of the course (ee114): oxide from its 2.3 fF/um**2.
_EE114_COMMON = {
    "gamma": 0.6, "phi": 0.8, "tox": 3.9 * 8.854214871e-12 / 2.3e-3,
    "cgso": 0.5e-9, "cgdo": 0.5e-9, "mj": 0.5, "mjsw": 0.33, "pb": 0.95,
}  # fmt: skip
_EE114 = Technology(
    name="ee114",
    vdd=2.5,
    vss=-2.5,
    lmin=1e-6,
    nmos={"vto": 0.5, "kp": 50e-6, **_EE114_COMMON, "cj": 0.1e-3, "cjsw": 0.5e-9},
    pmos={"vto": -0.5, "kp": 25e-6, **_EE114_COMMON, "cj": 0.3e-3, "cjsw": 0.35e-9},
    lambda0_nmos=0.1e-6,
    lambda0_pmos=0.1e-6,
    hdif=1.5e-6,
    grid=5e-9,
)

#: The cards by name.
TECHNOLOGIES: dict[str, Technology] = {
    t.name: t
    for t in (
        _node("250", 2.5, 0.25, 5.7, (0.43, -0.45), (190, 45), (0.45, 0.40), 0.85,
              (0.030, 0.040), 0.40, 1.2, 0.30, 0.40),
        _node("180", 1.8, 0.18, 4.1, (0.40, -0.42), (260, 65), (0.45, 0.42), 0.85,
              (0.025, 0.032), 0.40, 1.0, 0.22, 0.32),
        _node("130", 1.3, 0.13, 2.7, (0.35, -0.35), (340, 85), (0.38, 0.36), 0.85,
              (0.022, 0.028), 0.38, 1.0, 0.20, 0.22),
        _node("65", 1.1, 0.065, 1.9, (0.33, -0.33), (430, 115), (0.30, 0.30), 0.87,
              (0.015, 0.019), 0.35, 1.0, 0.15, 0.12),
        _node("45", 1.0, 0.045, 1.5, (0.30, -0.30), (500, 140), (0.25, 0.25), 0.88,
              (0.012, 0.015), 0.33, 1.0, 0.12, 0.09),
        _EE114,
    )
}  # fmt: skip


def technologies() -> tuple[str, ...]:
    """The names of the cards."""
    return tuple(TECHNOLOGIES)


def technology_card(name: str) -> Technology:
    """The card of that name.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    found = TECHNOLOGIES.get(str(name).lower())
    if found is None:
        raise ValueError(
            f"technology_card: unknown technology {name!r}{meant(str(name), technologies())}; "
            f"expected one of {', '.join(technologies())}"
        )
    return found
