# SPDX-License-Identifier: Apache-2.0
"""Level-1 model cards: which numbers they hold, and what ngspice 39 makes of those left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from circuits.analog.expression import Expression, ExpressionLike
from circuits.analog.names import meant
from workbench.ops.circuit_program import CARD

__all__ = ["CompleteCard", "card_values", "complete"]

#: What a device may override and a derivative may be taken to.
_ROWS = ("vto", "kp", "lambda")
#: From these ngspice derives kp, gamma, phi and vto where they are absent.
_PROCESS = ("uo", "nsub", "nss", "tpg")
#: Series resistances: an extra node each, which is not held; zero means there is none.
_ABSENT = ("rd", "rs", "rsh")
_ALIASES = {"vt0": "vto", "u0": "uo"}
_KNOWN = sorted({*CARD, *_ROWS, *_PROCESS, *_ABSENT, "level"} - {"type"})

# ngspice 39's constants, not today's CODATA
_BOLTZMANN, _CHARGE, _OXIDE = 1.38064852e-23, 1.6021766208e-19, 3.9 * 8.854214871e-12
_SILICON, _INTRINSIC = 11.70 * 8.854214871e-12, 1.45e16


class CompleteCard(NamedTuple):
    """A card with nothing left out: the kernel's numbers, and the three values that are rows."""

    numbers: dict[str, float]
    vto: Expression
    kp: Expression
    lambda_: Expression


def card_values(where: str, values: Mapping[str, ExpressionLike]) -> dict[str, Expression]:
    """The values of a card under SPICE's names, each known and held.

    Raises
    ------
    TypeError, ValueError
        For a name or a level this model does not know, and for a value out of range.
    """
    card: dict[str, Expression] = {}
    for given, value in values.items():
        name = given.lower().rstrip("_")
        name = _ALIASES.get(name, name)
        if name not in _KNOWN:
            raise ValueError(
                f"{where}: the level-1 model holds no {given!r}{meant(name, _KNOWN)}; "
                f"expected some of {', '.join(_KNOWN)}"
            )
        if name in card:
            raise ValueError(f"{where}: {name} is given twice")
        try:
            card[name] = Expression.of(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{where}: {name}: {error}") from None
        if card[name].is_number:
            _check(where, name, card[name].number)
    card.pop("level", None)
    for name in _ABSENT:
        card.pop(name, None)
    return card


def complete(
    where: str,
    kind: str,
    card: Mapping[str, Expression],
    tnom: float,
    fixed: Callable[[Expression], float],
) -> CompleteCard:
    """Fill in what a card leaves out, as ngspice 39 does.

    Parameters
    ----------
    where : str
        Named in errors.
    kind : str
        ``"nmos"`` or ``"pmos"``.
    card : mapping
        From :func:`card_values`.
    tnom : float
        The circuit's, degrees Celsius; the card's own goes before it.
    fixed : callable
        The number of an expression that cannot vary.

    Returns
    -------
    CompleteCard
    """
    given = {name: fixed(value) for name, value in card.items() if name not in _ROWS}
    for name, value in given.items():
        _check(where, name, value)
    sign = 1.0 if kind == "nmos" else -1.0
    numbers = {**CARD, "tnom": tnom, "type": sign}
    numbers |= {name: value for name, value in given.items() if name in CARD}
    kp, vto = 2e-5, 0.0
    if numbers["tox"] > 0:
        cox = _OXIDE / numbers["tox"]
        kp = given.get("uo", 600.0) * cox * 1e-4
        if "nsub" in given:
            vto = _from_doping(where, numbers, given, cox, sign)
    return CompleteCard(
        numbers,
        card.get("vto", Expression.of(vto)),
        card.get("kp", Expression.of(kp)),
        card.get("lambda", Expression.of(0.0)),
    )


def _from_doping(
    where: str, numbers: dict[str, float], given: Mapping[str, float], cox: float, sign: float
) -> float:
    """Set gamma and phi from the substrate's doping unless given; return the threshold."""
    kelvin = numbers["tnom"] + 273.15
    gap = 1.16 - 7.02e-4 * kelvin * kelvin / (kelvin + 1108)
    doping = given["nsub"] * 1e6
    if doping <= _INTRINSIC:
        raise ValueError(f"{where}: nsub is {given['nsub']:g}; expected above 1.45e10 per cm^3")
    if "phi" not in given:
        volts = kelvin * _BOLTZMANN / _CHARGE
        numbers["phi"] = max(0.1, 2 * volts * math.log(doping / _INTRINSIC))
    if "gamma" not in given:
        numbers["gamma"] = math.sqrt(2 * _SILICON * _CHARGE * doping) / cox
    phi = numbers["phi"]
    gate = given.get("tpg", 1.0)
    work = 3.25 + 0.5 * gap - sign * gate * 0.5 * gap if gate else 3.2
    flat = work - (3.25 + 0.5 * gap + sign * 0.5 * phi)
    flat -= given.get("nss", 0.0) * 1e4 * _CHARGE / cox
    return flat + sign * (numbers["gamma"] * math.sqrt(phi) + phi)


def _check(where: str, name: str, value: float) -> None:
    wrong = ""
    if name == "level" and value != 1:
        wrong = "1, the only level the kernel holds (other levels run through ngspice)"
    elif name in _ABSENT and value != 0:
        wrong = "0: series resistances are not held"
    elif name in ("phi", "pb", "kp", "uo") and not value > 0:
        wrong = "above 0"
    elif name == "fc" and not 0 <= value < 1:
        wrong = "0 or more and below 1"
    elif name == "nlev" and value not in (-1, 0, 1, 2, 3):
        wrong = "0, 1, 2 or 3 (-1 for ngspice 39's own)"
    elif name == "tpg" and value not in (-1, 0, 1):
        wrong = "-1, 0 or 1"
    elif name == "tnom" and not value > -273.15:
        wrong = "above -273.15"
    elif name not in ("vto", "lambda", "af", "nlev", "tpg", "nss", "tnom") and value < 0:
        wrong = "0 or more"
    if wrong:
        raise ValueError(f"{where}: {name} is {value:g}; expected {wrong}")
