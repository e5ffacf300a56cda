# SPDX-License-Identifier: Apache-2.0
"""What a simulation with slopes is charged, in simulations."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

__all__ = ["MEASURED", "Charges", "charge_of", "charges"]


class Charges(NamedTuple):
    """``gradient``: with the gradient of the figure of merit; ``parts``: with those of its parts.

    A transient's gradient is the dearest there is; the parts need none of it.
    """

    gradient: float
    parts: float


#: Measured by ``benchmarks/sizing_charges.py``: the dearer of many at once and one by one, rounded
#: up. The most the kernel may cost is 4, and what a circuit that was not measured is charged.
MEASURED = MappingProxyType(
    {
        "two_tia": Charges(1.9, 2.7),
        "two_volt": Charges(1.9, 3.2),
        "three_tia": Charges(1.9, 2.1),
        "ldo": Charges(4.2, 2.1),
    }
)
_UNKNOWN = Charges(4.0, 4.0)


def charges(circuit: str, gradient_charge: float = 0.0) -> Charges:
    """What a circuit's slopes are charged: as measured, or ``gradient_charge`` unless it is 0."""
    if gradient_charge:
        return Charges(gradient_charge, gradient_charge)
    return MEASURED.get(circuit, _UNKNOWN)


def charge_of(circuit: str, method: str, gradient_charge: float = 0.0) -> float:
    """What a method is charged for slopes on a circuit; as :func:`charges`."""
    found = charges(circuit, gradient_charge)
    return found.parts if method.partition(":")[0] == "sqp" else found.gradient
