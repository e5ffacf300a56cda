# SPDX-License-Identifier: Apache-2.0
"""Analog circuits: netlists, SPICE decks, technology cards and batched simulation.

The names below are imported when they are first used, so that importing this package does not
cost torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.analog.circuit import Circuit
    from circuits.analog.elements import Parameter
    from circuits.analog.expression import Expression, parse_expression
    from circuits.analog.result import Result
    from circuits.analog.spice_reader import read_spice
    from circuits.analog.technology import Technology, technologies, technology_card

_MODULES = {
    "Circuit": "circuit",
    "Expression": "expression",
    "Parameter": "elements",
    "Result": "result",
    "Technology": "technology",
    "parse_expression": "expression",
    "read_spice": "spice_reader",
    "technologies": "technology",
    "technology_card": "technology",
}

__all__ = [
    "Circuit",
    "Expression",
    "Parameter",
    "Result",
    "Technology",
    "parse_expression",
    "read_spice",
    "technologies",
    "technology_card",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
