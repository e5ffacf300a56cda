# SPDX-License-Identifier: Apache-2.0
"""From a list of gates to the flat program that the kernels read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from circuits.quantum.derived import Derived
from circuits.quantum.gates import GATES, Gate
from circuits.quantum.symbols import Affine, Expression, Param, rebuilt
from workbench.ops.program import Program, ProgramBuilder, Source

__all__ = ["Lowered", "lower"]


@dataclass(frozen=True)
class Lowered:
    """A program, and what its parameter vectors hold beside the circuit's own.

    Attributes
    ----------
    program : Program
        Reads the circuit's weights and then the values of ``weights``, and the circuit's inputs
        and then the values of ``inputs``.
    weights : Derived or None
        Angles that are not affine, of weights alone.
    inputs : Derived or None
        Angles that are not affine and differ from sample to sample.
    """

    program: Program
    weights: Derived | None
    inputs: Derived | None


def lower(
    gates: Iterable[Gate],
    n_wires: int,
    n_weights: int,
    n_inputs: int,
    *,
    weights_per_sample: bool = False,
) -> Lowered:
    """Lower gates to a program.

    Parameters
    ----------
    gates : iterable of Gate
        In the order in which they act.
    n_wires, n_weights, n_inputs : int
    weights_per_sample : bool
        Read weight ``i`` from input column ``n_inputs + i`` instead, for weights that differ
        from sample to sample; the program then has no weights and ``n_inputs + n_weights``
        inputs, and whatever is derived from them follows.

    Returns
    -------
    Lowered
    """
    offset = n_inputs
    if weights_per_sample:
        n_weights, n_inputs = 0, n_inputs + n_weights
    found: dict[Source, dict[Expression, Affine]] = {source: {} for source in Source}
    sizes = {Source.WEIGHT: n_weights, Source.INPUT: n_inputs}

    def plain(param: Param) -> Param:
        """The angle as the kernels read it."""
        if weights_per_sample:
            param = rebuilt(param, lambda angle: _as_inputs(angle, offset))
        if not isinstance(param, Expression):
            return param
        shared = all(source is Source.WEIGHT for source, _ in param.symbols)
        source = Source.WEIGHT if shared else Source.INPUT
        known = found[source]
        if param not in known:
            known[param] = Affine(0.0, ((source, sizes[source] + len(known), 1.0),))
        return known[param]

    plain_gates = [g.replaced(params=tuple(plain(p) for p in g.params)) for g in gates]
    derived = {
        source: Derived(tuple(known), n_weights) if known else None
        for source, known in found.items()
    }
    builder = ProgramBuilder(
        n_wires, n_weights + len(found[Source.WEIGHT]), n_inputs + len(found[Source.INPUT])
    )
    for gate in plain_gates:
        GATES[gate.name].lower(builder, gate)
    return Lowered(builder.build(), derived[Source.WEIGHT], derived[Source.INPUT])


def _as_inputs(angle: Affine, offset: int) -> Affine:
    terms = (
        (Source.INPUT, index + offset if source is Source.WEIGHT else index, coefficient)
        for source, index, coefficient in angle.terms
    )
    return Affine(angle.constant, tuple(sorted(terms)))
