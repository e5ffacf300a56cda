# SPDX-License-Identifier: Apache-2.0
"""A circuit as a graph: components, shared nets, features, and which parameter an action sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from circuits.analog.circuit import Circuit
from circuits.analog.elements import Capacitor, Mosfet, Resistor
from circuits.analog.expression import Expression
from circuits.analog.technology import Technology

__all__ = ["TYPES", "Graph", "Vertex", "circuit_graph"]

TYPES = ("nmos", "pmos", "r", "c")
#: Features of a transistor's model, zero for resistors and capacitors. The paper takes vsat, vth0,
#: vfb, u0 and uc of BSIM; level 1 has none of these but vth0.
MODEL_FEATURES = ("kp", "vto", "gamma", "lambda", "tox")

Index = Literal["one-hot", "scalar"]


@dataclass(frozen=True)
class Vertex:
    """A component; ``type`` is one of ``"nmos" "pmos" "r" "c"``."""

    name: str
    type: str


@dataclass(frozen=True)
class Graph:
    """A circuit as agents see it: V vertices.

    Attributes
    ----------
    vertices : tuple of Vertex
    adjacency : Tensor
        float64 ``(V, V)``: 1 where two components share a net that is neither ground nor supply.
    features : Tensor
        float64 ``(V, n)``: component index, type, :data:`MODEL_FEATURES`; each column has mean 0
        and variance 1 over the vertices (or is 0).
    slot_parameter : Tensor
        int64 ``(V, 3)``: the sized parameter that W, L and M of a transistor, or the first action
        of another component, set; -1 for none.
    """

    vertices: tuple[Vertex, ...]
    adjacency: Tensor
    features: Tensor
    slot_parameter: Tensor


def circuit_graph(
    circuit: Circuit, technology: Technology, supplies: Sequence[str], index: Index = "one-hot"
) -> Graph:
    """See a circuit as a graph.

    Components with at least one sized value are its vertices: what belongs to the testbench has
    none.

    Parameters
    ----------
    circuit : Circuit
    technology : Technology
        Whose cards the transistors have.
    supplies : sequence of str
        Nets besides ground that make no edges.
    index : {"one-hot", "scalar"}
        How a component's index is written; a scalar makes circuits of different size alike.

    Raises
    ------
    ValueError
        For another ``index``; for a value that depends on several sized parameters; for a sized
        parameter that no component has.
    """
    if index not in ("one-hot", "scalar"):
        raise ValueError(f"circuit_graph: index is {index!r}; expected one-hot or scalar")
    sized = [p.name for p in circuit.parameters.values() if p.sized]
    number = {name: i for i, name in enumerate(sized)}

    def slot(element: str, value: Expression) -> int:
        names = sorted(value.names & number.keys())
        if len(names) > 1:
            raise ValueError(f"circuit_graph: {element} depends on {' and '.join(names)}")
        return number[names[0]] if names else -1

    vertices, slots, nets, models = [], [], [], []
    quiet = {"0", *(name.lower() for name in supplies)}
    for element in circuit.elements:
        if isinstance(element, Mosfet):
            found = [slot(element.name, v) for v in (element.w, element.l, element.m)]
            kind = circuit.models[element.model].kind
            model = _model_features(technology, kind)
        elif isinstance(element, Resistor | Capacitor):
            found = [slot(element.name, element.value), -1, -1]
            kind, model = element.letter, [0.0] * len(MODEL_FEATURES)
        else:
            continue
        if max(found) < 0:
            continue
        vertices.append(Vertex(element.name, kind))
        slots.append(found)
        nets.append({n.lower() for n in element.nodes} - quiet)
        models.append(model)
    missing = set(range(len(sized))) - {s for three in slots for s in three}
    if missing:
        names = ", ".join(sized[i] for i in sorted(missing))
        raise ValueError(f"circuit_graph: no component has the sized parameter {names}")
    v = len(vertices)
    adjacency = torch.tensor(
        [[float(i != j and bool(nets[i] & nets[j])) for j in range(v)] for i in range(v)],
        dtype=torch.float64,
    ).reshape(v, v)
    counted = torch.arange(v, dtype=torch.float64)[:, None]
    where = counted / max(v - 1, 1) if index == "scalar" else torch.eye(v, dtype=torch.float64)
    kinds = torch.tensor(
        [[float(x.type == t) for t in TYPES] for x in vertices], dtype=torch.float64
    ).reshape(v, len(TYPES))
    cards = torch.tensor(models, dtype=torch.float64).reshape(v, len(MODEL_FEATURES))
    return Graph(
        tuple(vertices),
        adjacency,
        _standardised(torch.cat([where, kinds, cards], 1)),
        torch.tensor(slots, dtype=torch.int64).reshape(v, 3),
    )


def _model_features(technology: Technology, kind: str) -> list[float]:
    card = technology.nmos if kind == "nmos" else technology.pmos
    lambda0 = technology.lambda0_nmos if kind == "nmos" else technology.lambda0_pmos
    at_shortest = {**card, "lambda": lambda0 / technology.lmin}
    return [float(at_shortest[name]) for name in MODEL_FEATURES]


def _standardised(features: Tensor) -> Tensor:
    spread, mean = torch.std_mean(features, 0, correction=0)
    flat = spread <= 1e-9 * mean.abs().clamp_min(1e-30)
    return torch.where(flat, 0.0, (features - mean) / torch.where(flat, 1.0, spread))
