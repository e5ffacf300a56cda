# SPDX-License-Identifier: Apache-2.0
"""The equations of a circuit in plain torch: a program read back, its currents and its matrices.

Dense modified nodal analysis: the unknowns are the volts of the nodes without ground and then
one current per voltage source. :mod:`workbench.ops.reference.circuit_sim` solves them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from workbench.ops.circuit_program import ABSOLUTE_ZERO, CARD, CircuitProgram, ElementKind
from workbench.ops.reference.mosfet import BOLTZMANN, Geometry, Mosfet, Response, Voltages

__all__ = [
    "Circuit",
    "jacobian",
    "leaving",
    "linear",
    "noise_sources",
    "residual",
    "source_currents",
]


@dataclass(frozen=True)
class TwoTerminals:
    """A resistor, capacitor or source: nodes and row, and its place among the branches."""

    a: int
    b: int
    row: int
    branch: int = -1


@dataclass(frozen=True)
class Device:
    """A MOSFET: nodes, model and its ten rows."""

    d: int
    g: int
    s: int
    b: int
    model: int
    rows: tuple[int, ...]


class Circuit:
    """A program read back into elements, at a temperature."""

    def __init__(self, program: CircuitProgram, temperature: float) -> None:
        self.n_nodes = program.n_nodes
        self.kelvin = temperature - ABSOLUTE_ZERO
        gmin, *numbers = program.data.tolist()
        cards = [numbers[i : i + len(CARD)] for i in range(0, len(numbers), len(CARD))]
        self.models = [
            Mosfet(dict(zip(CARD, card, strict=True)), gmin, temperature) for card in cards
        ]
        self.resistors: list[TwoTerminals] = []
        self.capacitors: list[TwoTerminals] = []
        self.sources: list[TwoTerminals] = []
        self.devices: list[Device] = []
        n_branches = 0
        code, at = program.code.tolist(), 0
        while at < len(code):
            kind = ElementKind(code[at])
            if kind is ElementKind.MOSFET:
                d, g, s, b, model = code[at + 1 : at + 6]
                self.devices.append(Device(d, g, s, b, model, tuple(code[at + 6 : at + 16])))
                at += 16
                continue
            a, b, row = code[at + 1 : at + 4]
            at += 4
            if kind is ElementKind.RESISTOR:
                self.resistors.append(TwoTerminals(a, b, row))
            elif kind is ElementKind.CAPACITOR:
                self.capacitors.append(TwoTerminals(a, b, row))
            elif kind is ElementKind.CURRENT:
                self.sources.append(TwoTerminals(a, b, row))
            else:
                self.sources.append(TwoTerminals(a, b, row, n_branches))
                n_branches += 1
        self.n_unknowns = self.n_nodes - 1 + n_branches

    @cached_property
    def branches(self) -> list[TwoTerminals]:
        return [source for source in self.sources if source.branch >= 0]

    def branch_row(self, source: TwoTerminals) -> int:
        """Index of a voltage source's current among nodes and branches."""
        return self.n_nodes + source.branch

    def size(self, device: Device, rows: Tensor) -> Geometry:
        return Geometry.of([rows[row] for row in device.rows])

    def respond(self, device: Device, rows: Tensor, volts: Tensor) -> Response:
        at = Voltages(*(volts[node] for node in (device.d, device.g, device.s, device.b)))
        return self.models[device.model].response(self.size(device, rows), at)

    def matrix(self, batch: int) -> dict[tuple[int, int], Tensor]:
        """An empty matrix over nodes, ground too, and branches: entries are ``(B,)``."""
        out: dict[tuple[int, int], Tensor] = {}
        one = torch.ones(batch, dtype=torch.float64)
        for source in self.branches:
            k = self.branch_row(source)
            for i, j, sign in ((source.a, k, 1), (source.b, k, -1)):
                _add(out, i, j, sign * one)
                _add(out, j, i, sign * one)
        return out

    def dense(self, entries: dict[tuple[int, int], Tensor], batch: int) -> Tensor:
        """``(B, n, n)`` without the row and column of ground."""
        n = self.n_unknowns
        zero = torch.zeros(batch, dtype=torch.float64)
        flat = [entries.get((i + 1, j + 1), zero) for i in range(n) for j in range(n)]
        return torch.stack(flat, 1).reshape(batch, n, n) if n else zero.reshape(batch, 0, 0)

    def good(self, rows: Tensor) -> Tensor:
        """Where every value that the circuit uses is finite and in its range: bool ``(B,)``."""
        good = torch.ones(rows.shape[1], dtype=torch.bool)
        for element in (*self.resistors, *self.capacitors, *self.sources):
            good &= torch.isfinite(rows[element.row])
        for resistor in self.resistors:
            good &= rows[resistor.row] > 0.0
        for capacitor in self.capacitors:
            good &= rows[capacitor.row] >= 0.0
        for device in self.devices:
            good &= torch.isfinite(rows[list(device.rows)]).all(0)
            size = self.size(device, rows)
            length = size.l - 2.0 * self.models[device.model].card["ld"]
            good &= (size.w > 0.0) & (length > 0.0) & (size.m > 0.0)
            good &= (rows[list(device.rows[6:])] >= 0.0).all(0)
        return good


def _add(entries: dict[tuple[int, int], Tensor], i: int, j: int, value: Tensor) -> None:
    entries[i, j] = entries[i, j] + value if (i, j) in entries else value


def _conductance(entries: dict[tuple[int, int], Tensor], a: int, b: int, value: Tensor) -> None:
    for i, j, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
        _add(entries, i, j, sign * value)


def _transconductances(
    entries: dict[tuple[int, int], Tensor], device: Device, at: Response, gmbs: Tensor
) -> None:
    """The channel: a current from drain to source that gate and bulk control."""
    zero = torch.zeros_like(at.gm)
    to_gate = torch.where(at.reverse, -at.gm, at.gm)
    to_bulk = torch.where(at.reverse, -gmbs, gmbs)
    both = at.gm + gmbs
    to_drain = at.gds + torch.where(at.reverse, both, zero)
    to_source = at.gds + torch.where(at.reverse, zero, both)
    columns = ((device.g, to_gate), (device.b, to_bulk), (device.d, to_drain))
    for node, value in (*columns, (device.s, -to_source)):
        _add(entries, device.d, node, value)
        _add(entries, device.s, node, -value)
    _conductance(entries, device.b, device.d, at.gbd)
    _conductance(entries, device.b, device.s, at.gbs)


def leaving(
    circuit: Circuit, rows: Tensor, volts: Tensor, currents: Tensor, scale: float = 1.0
) -> list[Tensor]:
    out = [torch.zeros(rows.shape[1], dtype=torch.float64) for _ in range(circuit.n_nodes)]

    def flow(a: int, b: int, current: Tensor) -> None:
        out[a] = out[a] + current
        out[b] = out[b] - current

    for r in circuit.resistors:
        flow(r.a, r.b, (volts[r.a] - volts[r.b]) / rows[r.row])
    for source, current in zip(circuit.sources, currents, strict=True):
        flow(source.a, source.b, current if source.branch >= 0 else scale * rows[source.row])
    for device in circuit.devices:
        at, sign = circuit.respond(device, rows, volts), circuit.models[device.model].sign
        flow(device.d, device.s, sign * at.channel)
        flow(device.b, device.d, sign * at.ibd)
        flow(device.b, device.s, sign * at.ibs)
    return out


def residual(
    circuit: Circuit, rows: Tensor, x: Tensor, shunt: float = 0.0, scale: float = 1.0
) -> Tensor:
    """What Newton's method makes zero: currents of the nodes, volts of the branches."""
    zero = torch.zeros_like(rows[:1, :]).sum(0)
    volts = torch.cat([zero[None], x[: circuit.n_nodes - 1]])
    currents = source_currents(circuit, rows, x)
    out = leaving(circuit, rows, volts, currents, scale)
    out = [leak + shunt * v for leak, v in zip(out, volts, strict=True)][1:]
    for s in circuit.branches:
        out.append(volts[s.a] - volts[s.b] - scale * rows[s.row])
    return torch.stack(out) if out else x


def source_currents(circuit: Circuit, rows: Tensor, x: Tensor) -> Tensor:
    n = circuit.n_nodes - 1
    found = [x[n + s.branch] if s.branch >= 0 else rows[s.row] for s in circuit.sources]
    return torch.stack(found) if found else rows.new_zeros(0, rows.shape[1])


def jacobian(circuit: Circuit, rows: Tensor, x: Tensor, shunt: float = 0.0) -> Tensor:
    batch = rows.shape[1]
    volts = torch.cat([torch.zeros(1, batch, dtype=torch.float64), x[: circuit.n_nodes - 1]])
    entries = circuit.matrix(batch)
    for r in circuit.resistors:
        _conductance(entries, r.a, r.b, 1.0 / rows[r.row])
    for device in circuit.devices:
        at = circuit.respond(device, rows, volts)
        _transconductances(entries, device, at, at.gmbs_exact)
    for node in range(1, circuit.n_nodes):
        _add(entries, node, node, torch.full((batch,), shunt, dtype=torch.float64))
    return circuit.dense(entries, batch)


def linear(circuit: Circuit, rows: Tensor, volts: Tensor) -> tuple[Tensor, Tensor]:
    """Conductances and capacitances at an operating point, each ``(B, n, n)``."""
    batch = rows.shape[1]
    g = circuit.matrix(batch)
    c: dict[tuple[int, int], Tensor] = {}
    for r in circuit.resistors:
        _conductance(g, r.a, r.b, 1.0 / rows[r.row])
    for cap in circuit.capacitors:
        _conductance(c, cap.a, cap.b, rows[cap.row])
    for device in circuit.devices:
        model, size = circuit.models[device.model], circuit.size(device, rows)
        at = circuit.respond(device, rows, volts)
        _transconductances(g, device, at, at.gmbs)
        gate = model.gate_capacitances(size, at)
        for node, value in zip((device.s, device.d, device.b), gate, strict=True):
            _conductance(c, device.g, node, value)
        junctions = model.junction_capacitances(size, at)
        for node, value in zip((device.d, device.s), junctions, strict=True):
            _conductance(c, device.b, node, value)
    return circuit.dense(g, batch), circuit.dense(c, batch)


def noise_sources(
    circuit: Circuit, rows: Tensor, volts: Tensor, frequencies: Tensor
) -> list[tuple[int, int, Tensor]]:
    """Nodes and density in A**2/Hz, ``(F, B)``, of every source of noise."""
    out = []
    for r in circuit.resistors:
        density = 4.0 * BOLTZMANN * circuit.kelvin / rows[r.row]
        out.append((r.a, r.b, density.expand(len(frequencies), rows.shape[1])))
    for device in circuit.devices:
        model, at = circuit.models[device.model], circuit.respond(device, rows, volts)
        density = model.noise(circuit.size(device, rows), at, frequencies)
        out.append((device.d, device.s, density))
    return out
