# SPDX-License-Identifier: Apache-2.0
"""Whether a netlist has one operating point to look for."""

from __future__ import annotations

from collections.abc import Sequence

from circuits.analog.elements import Element, Mosfet, Resistor, VoltageSource

__all__ = ["check_connections"]


class _Groups:
    """Disjoint sets of node names."""

    def __init__(self) -> None:
        self._parent: dict[str, str] = {}

    def find(self, node: str) -> str:
        while (parent := self._parent.setdefault(node, node)) != node:
            self._parent[node] = self._parent[parent]
            node = parent
        return node

    def join(self, a: str, b: str) -> bool:
        """Unite two sets; False if they were one."""
        a, b = self.find(a), self.find(b)
        self._parent[a] = b
        return a != b


def check_connections(elements: Sequence[Element]) -> None:
    """Refuse netlists whose equations for direct current have no or many solutions.

    Resistors, voltage sources, channels and bulk junctions conduct; capacitors, current sources
    and gates do not.

    Raises
    ------
    ValueError
        Naming the node without a conducting path to ground, or the voltage source that closes
        a loop of such sources.
    """
    if not elements:
        raise ValueError("Circuit: there are no elements")
    conducting, sources = _Groups(), _Groups()
    for element in elements:
        if isinstance(element, Mosfet):
            conducting.join(element.d, element.s)
            conducting.join(element.b, element.s)
        elif isinstance(element, Resistor | VoltageSource):
            conducting.join(element.a, element.b)
        if isinstance(element, VoltageSource) and not sources.join(element.a, element.b):
            raise ValueError(
                f"Circuit: {element.name} closes a loop of voltage sources between "
                f"{element.a!r} and {element.b!r}"
            )
    ground = conducting.find("0")
    for element in elements:
        for node in element.nodes:
            if conducting.find(node) != ground:
                raise ValueError(
                    f"Circuit: node {node!r} (at {element.name}) has no path for direct current "
                    "to ground, node 0; capacitors, current sources and gates do not conduct"
                )
