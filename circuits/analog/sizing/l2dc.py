# SPDX-License-Identifier: Apache-2.0
"""What L2DC asks of the three-stage transimpedance amplifier."""

from __future__ import annotations

from circuits.analog.designs.three_tia_design import L2DC_SPECS
from circuits.analog.gcn_rl.l2dc import Spec

__all__ = ["l2dc_specs"]


def l2dc_specs(name: str = "three_tia") -> tuple[Spec, ...]:
    """The published specification, for :class:`circuits.analog.gcn_rl.l2dc.L2DCProblem`.

    Raises
    ------
    ValueError
        For a design that has none.
    """
    if name != "three_tia":
        raise ValueError(f"l2dc_specs: {name!r} has no specification; expected three_tia")
    return tuple(Spec(metric, value, sign, kind) for metric, value, sign, kind in L2DC_SPECS)
