# SPDX-License-Identifier: Apache-2.0
"""The designs by name."""

from __future__ import annotations

from collections.abc import Callable

from circuits.analog.designs.ldo_design import ldo
from circuits.analog.designs.specification import Design
from circuits.analog.designs.three_tia_design import three_tia
from circuits.analog.designs.two_tia_design import two_tia
from circuits.analog.designs.two_volt_design import two_volt
from workbench.experiments.suggestion import closest

__all__ = ["DESIGNS", "design", "nodes"]

#: Name to the function that builds the design on a technology card.
DESIGNS: dict[str, Callable[..., Design]] = {
    "two_tia": two_tia,
    "three_tia": three_tia,
    "two_volt": two_volt,
    "ldo": ldo,
}

_SCALED = ("250", "180", "130", "65", "45")


def nodes(name: str) -> tuple[str, ...]:
    """The cards a design is made for; the first is where its human point comes from.

    Raises
    ------
    ValueError
        For an unknown design.
    """
    _known(name)
    if name == "three_tia":
        return ("ee114", *_SCALED)
    return ("180", *(n for n in _SCALED if n != "180"))


def design(name: str, node: str | None = None) -> Design:
    """Build a design.

    Parameters
    ----------
    name : str
        One of ``DESIGNS``.
    node : str, optional
        The technology card; by default the one its human point comes from.

    Raises
    ------
    ValueError
        For an unknown name, or a card the design is not made for.
    """
    known = nodes(name)
    chosen = known[0] if node is None else str(node)
    if chosen not in known:
        raise ValueError(f"design: node is {node!r}; {name} is made for {', '.join(known)}")
    return DESIGNS[name](chosen)


def _known(name: str) -> None:
    if name not in DESIGNS:
        raise ValueError(
            f"design: unknown design {name!r}{closest(str(name), list(DESIGNS))}; "
            f"expected one of {', '.join(DESIGNS)}"
        )
