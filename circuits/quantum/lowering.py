# SPDX-License-Identifier: Apache-2.0
"""From a list of gates to the flat program that the kernels read."""

from __future__ import annotations

from collections.abc import Iterable

from circuits.quantum.gates import GATES, Gate
from circuits.quantum.symbols import Affine, Param
from workbench.ops.program import Program, ProgramBuilder, Source

__all__ = ["lower"]


def lower(
    gates: Iterable[Gate],
    n_wires: int,
    n_weights: int,
    n_inputs: int,
    *,
    weights_per_sample: bool = False,
) -> Program:
    """Lower gates to a program.

    Parameters
    ----------
    gates : iterable of Gate
        In the order in which they act.
    n_wires, n_weights, n_inputs : int
    weights_per_sample : bool
        Read weight ``i`` from input column ``n_inputs + i`` instead, for weights that differ
        from sample to sample; the program then has no weights and ``n_inputs + n_weights``
        inputs.

    Returns
    -------
    Program
    """
    if weights_per_sample:
        builder = ProgramBuilder(n_wires, 0, n_inputs + n_weights)
    else:
        builder = ProgramBuilder(n_wires, n_weights, n_inputs)
    for gate in gates:
        if weights_per_sample:
            gate = gate.replaced(params=tuple(_as_inputs(p, n_inputs) for p in gate.params))
        GATES[gate.name].lower(builder, gate)
    return builder.build()


def _as_inputs(param: Param, offset: int) -> Param:
    if not isinstance(param, Affine):
        return param
    terms = (
        (Source.INPUT, index + offset if source is Source.WEIGHT else index, coefficient)
        for source, index, coefficient in param.terms
    )
    return Affine(param.constant, tuple(sorted(terms)))
