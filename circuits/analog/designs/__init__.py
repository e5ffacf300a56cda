# SPDX-License-Identifier: Apache-2.0
"""Four published circuits to be sized, on the technology cards.

The names below are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.analog.designs.ldo_design import ldo
    from circuits.analog.designs.registry import DESIGNS, design, nodes
    from circuits.analog.designs.specification import Design, Requirement, Term
    from circuits.analog.designs.three_tia_design import three_tia
    from circuits.analog.designs.two_tia_design import two_tia
    from circuits.analog.designs.two_volt_design import two_volt

_MODULES = {
    "DESIGNS": "registry",
    "Design": "specification",
    "Requirement": "specification",
    "Term": "specification",
    "design": "registry",
    "ldo": "ldo_design",
    "nodes": "registry",
    "three_tia": "three_tia_design",
    "two_tia": "two_tia_design",
    "two_volt": "two_volt_design",
}

__all__ = [
    "DESIGNS",
    "Design",
    "Requirement",
    "Term",
    "design",
    "ldo",
    "nodes",
    "three_tia",
    "two_tia",
    "two_volt",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
