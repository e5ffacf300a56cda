# SPDX-License-Identifier: Apache-2.0
"""From a transpiled qiskit circuit and a device's noise to a channel program.

First the instructions become :class:`NoisyOp`: rotations with affine angles, and constant
transfer matrices with their errors in them. Then those that no measurement can see are
dropped, the remaining qubits are numbered, and the program is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from circuits.quantum.noise_model import (
    Channel,
    DeviceNoise,
    Matrix,
    error_factors,
    transfer_matrix,
)
from workbench.ops.channel_program import (
    MAX_QUBITS,
    ChannelKind,
    ChannelProgram,
    ChannelProgramBuilder,
)
from workbench.ops.program import Angle, Source

__all__ = ["LoweredCircuit", "NoisyOp", "ParameterTable", "lower", "read_circuit", "write_program"]

ParameterTable = Mapping[Any, tuple[Source, int]]

_ROTATIONS = {
    "rz": ChannelKind.RZ,
    "p": ChannelKind.RZ,
    "u1": ChannelKind.RZ,
    "rx": ChannelKind.RX,
    "ry": ChannelKind.RY,
}


class NoisyOp(NamedTuple):
    """One operation on physical qubits: a rotation, or a constant channel.

    A tuple, because a search makes some hundred of them per candidate circuit.
    """

    qubits: tuple[int, ...]
    kind: ChannelKind
    constant: float = 0.0
    terms: tuple[tuple[Source, int, float], ...] = ()
    channel: Channel | None = None
    key: Any = None

    @property
    def has_inputs(self) -> bool:
        """Whether it differs from sample to sample."""
        return any(term[0] is Source.INPUT for term in self.terms)


@dataclass(frozen=True)
class ReadCircuit:
    """Operations in order, and which physical qubit each classical bit reads."""

    ops: list[NoisyOp]
    measured: dict[int, int]
    n_clbits: int
    trace: float


@dataclass(frozen=True)
class LoweredCircuit:
    """A channel program and its read-out.

    Attributes
    ----------
    program : ChannelProgram
    clbits : tuple of int
        Classical bits that are written, ascending.
    measured : Tensor
        int64 ``(m,)``: the program's qubit read by each of them.
    confusion : Tensor
        float64 ``(m, 2, 2)``: ``[read, true]`` of each.
    n_clbits : int
        Classical bits of the circuit, written or not.
    trace : float
        Factor on every result: qiskit-aer's loss of trace, 1 on most devices.
    """

    program: ChannelProgram
    clbits: tuple[int, ...]
    measured: Tensor
    confusion: Tensor
    n_clbits: int
    trace: float


def affine_angle(value: Any, table: ParameterTable, where: str) -> Angle:
    """A gate's parameter as an affine angle; checks that it is finite and linear."""
    terms: list[tuple[Source, int, float]] = []
    if isinstance(value, float | int | np.floating | np.integer):
        constant = float(value)
    else:
        at_zero = {}
        for parameter in value.parameters:
            if parameter not in table:
                raise ValueError(f"noise: {where}: parameter {parameter.name!r} is not bound")
            try:
                coefficient = float(value.gradient(parameter))
            except (RuntimeError, TypeError, ValueError) as error:  # sign has no derivative
                raise ValueError(
                    f"noise: {where}: angle {value} is not linear in {parameter.name!r}"
                ) from error
            terms.append((*table[parameter], coefficient))
            at_zero[parameter] = 0.0
        bound = value.bind(at_zero) if at_zero else value
        try:
            constant = float(bound)
        except (TypeError, ValueError) as error:
            raise ValueError(f"noise: {where}: angle {value} is not real") from error
    if not math.isfinite(constant) or not all(math.isfinite(t[2]) for t in terms):
        raise ValueError(f"noise: {where}: angle {value} is not finite")
    return Angle(constant, tuple(terms))


class _Reader:
    """Appends the operations of one circuit, and keeps the product of their traces."""

    def __init__(self, noise: DeviceNoise, table: ParameterTable) -> None:
        self.noise = noise
        self.table = table
        self.ops: list[NoisyOp] = []
        self.trace = 1.0

    def gate(self, item: Any, qubits: tuple[int, ...]) -> None:
        """One gate of the circuit with its error."""
        name, label = item.name, item.label or item.name
        self.noise.check_basis(name, label, qubits)
        # Other gates may have the name of a standard one.
        plain = label == name and item.is_standard_gate()
        if name == "quantum_channel":  # what an explicit delay brings
            self._errors(*error_factors(item.operation._quantum_error), qubits)
        elif not item.params and len(qubits) <= 2:
            channel = self.noise.gate(label, qubits, item.operation)
            self._channel(qubits, channel, (name, qubits) if plain else None)
            if plain:
                self.noise.memo[name, qubits] = self.ops[-1]
        else:
            self._ideal(item, qubits, depth=0)
            self.error_alone(label, qubits)
            if plain and name in _ROTATIONS and self.noise.error(label, qubits) is None:
                self.noise.memo[name, qubits] = _ROTATIONS[name]

    def error_alone(self, label: str, qubits: tuple[int, ...]) -> None:
        """The error of a gate or of a measurement, without the gate."""
        error = self.noise.error(label, qubits)
        if error is None:
            return
        self.trace *= error.trace
        for on, matrix in error.channels:
            self._channel(on, Channel.of(matrix), ("error", label, qubits, on))

    def _errors(
        self,
        factors: Sequence[tuple[tuple[int, ...], Matrix]],
        trace: float,
        qubits: tuple[int, ...],
    ) -> None:
        self.trace *= trace
        for positions, matrix in factors:
            self._channel(tuple([qubits[p] for p in positions]), Channel.of(matrix))

    def _channel(self, qubits: tuple[int, ...], channel: Channel, key: Any = None) -> None:
        kind = ChannelKind.CHANNEL1 if len(qubits) == 1 else ChannelKind.CHANNEL2
        self.ops.append(NoisyOp(qubits, kind, channel=channel, key=key))
        self.trace *= channel.trace

    def _rotate(self, kind: ChannelKind, qubit: int, value: Any, where: str) -> None:
        angle = affine_angle(value, self.table, where)
        self.ops.append(NoisyOp((qubit,), kind, angle.constant, angle.terms))

    def _ideal(self, item: Any, qubits: tuple[int, ...], depth: int) -> None:
        """The unitary of a gate, down to rotations and constants on one or two qubits."""
        name, params = item.name, item.params
        where = f"gate {name!r} on qubits {qubits}"
        standard = item.is_standard_gate()
        if standard and name in _ROTATIONS:
            self._rotate(_ROTATIONS[name], qubits[0], params[0], where)
        elif standard and name in ("u", "u3"):
            for kind, value in zip(
                (ChannelKind.RZ, ChannelKind.RY, ChannelKind.RZ),
                (params[2], params[0], params[1]),
                strict=True,
            ):
                self._rotate(kind, qubits[0], value, where)
        elif len(qubits) <= 2 and not any(getattr(p, "parameters", None) for p in params):
            for value in params:
                if isinstance(value, float | int):
                    affine_angle(value, self.table, where)
            self._channel(qubits, Channel.of(transfer_matrix(item.operation)))
        else:
            definition = item.operation.definition
            if definition is None or depth > 16:
                raise ValueError(f"noise: {where} has no decomposition into smaller gates")
            for part in definition.data:
                inner = tuple(qubits[definition.find_bit(q).index] for q in part.qubits)
                if part.name != "barrier":
                    self._ideal(part, inner, depth + 1)


def read_circuit(circuit: Any, noise: DeviceNoise, table: ParameterTable) -> ReadCircuit:
    """Walk a circuit; its qubit indices are the device's.

    Raises
    ------
    TypeError, ValueError
        For anything that is not a plain circuit measured at its end: gates outside the
        model's basis, classical control, mid-circuit measurement, unbound, non-linear or
        non-finite angles. The message names the gate and its qubits.
    """
    from qiskit import QuantumCircuit

    if not isinstance(circuit, QuantumCircuit):
        raise TypeError(
            f"noise: circuit must be a qiskit QuantumCircuit, got {type(circuit).__name__}"
        )
    circuit = noise.with_delays(circuit)
    qubit_of = {bit: i for i, bit in enumerate(circuit.qubits)}
    clbit_of = {bit: i for i, bit in enumerate(circuit.clbits)}
    reader = _Reader(noise, table)
    ops, memo = reader.ops, noise.memo
    measured: dict[int, int] = {}
    finished: set[int] = set()
    unread: dict[int, str] = {}
    for item in circuit.data:
        name = item.name
        if name == "barrier":
            continue
        qubits = tuple([qubit_of[q] for q in item.qubits])
        if finished and not finished.isdisjoint(qubits):
            if name != "measure" and not item.clbits and finished.issuperset(qubits):
                # Nothing is read from these qubits any more, or this will be the culprit.
                unread.update({qubit: name for qubit in qubits if qubit not in unread})
                continue
            culprit = unread.get(qubits[0], name)
            raise ValueError(
                f"noise: {culprit!r} on qubits {qubits} comes after a measurement of one of them; "
                "only final measurements are supported"
            )
        if name == "delay":
            reader.error_alone(item.label or name, qubits)
            continue
        known = memo.get((name, qubits))
        if known is not None and item.label is None and item.is_standard_gate():
            if isinstance(known, NoisyOp):
                ops.append(known)
                if known.channel is not None:
                    reader.trace *= known.channel.trace
                continue
            value = item.params[0]
            if type(value) is float and math.isfinite(value):
                ops.append(NoisyOp(qubits, known, value))
                continue
        if item.is_control_flow():
            raise ValueError(f"noise: {name!r} on qubits {qubits}: no classical control")
        if name == "measure":
            reader.error_alone(item.label or name, qubits)
            finished.add(qubits[0])
            measured[clbit_of[item.clbits[0]]] = qubits[0]
        elif item.clbits:
            raise ValueError(f"noise: {name!r} on qubits {qubits}: no classical bits in a gate")
        else:
            reader.gate(item, qubits)
    return ReadCircuit(ops, measured, circuit.num_clbits, reader.trace)


def visible_ops(ops: Iterable[NoisyOp], seen: Iterable[int]) -> tuple[list[NoisyOp], set[int]]:
    """Operations that can influence the given qubits, and all qubits those act on.

    Channels preserve the trace, so what happens to a qubit after its last meeting with a
    qubit that matters cannot be noticed.
    """
    wanted = set(seen)
    kept = []
    for op in reversed(list(ops)):
        if not wanted.isdisjoint(op.qubits):
            wanted.update(op.qubits)
            kept.append(op)
    kept.reverse()
    return kept, wanted


def write_program(
    ops: Iterable[NoisyOp], position: Mapping[int, int], n_weights: int, n_inputs: int
) -> ChannelProgram:
    """Write operations as a program; ``position`` numbers the physical qubits in use."""
    builder = ChannelProgramBuilder(len(position), n_weights, n_inputs)
    for qubits, kind, constant, terms, channel, key in ops:
        if channel is None:
            builder.rotation(kind, position[qubits[0]], constant, terms)
        else:
            builder.channel([position[q] for q in qubits], channel.values, key)
    return builder.build()


def check_size(qubits: Iterable[int]) -> None:
    """Refuse more active qubits than the kernels simulate, with the memory they would need."""
    n = len(set(qubits))
    if n > MAX_QUBITS:
        raise ValueError(
            f"noise: {n} active qubits need 4**{n} Pauli coefficients per sample, "
            f"{4.0**n * 64 / 2**30:.3g} GiB for one tile of 8; the limit is {MAX_QUBITS} qubits"
        )


def readout_matrices(noise: DeviceNoise, qubits: Sequence[int], readout_error: bool) -> Matrix:
    """Confusion matrices ``(m, 2, 2)`` of the given physical qubits."""
    if not readout_error:
        return np.tile(np.eye(2), (len(qubits), 1, 1))
    return np.array([noise.confusion(q) for q in qubits]).reshape(len(qubits), 2, 2)


def lower(
    circuit: Any,
    noise: DeviceNoise,
    table: ParameterTable,
    n_weights: int,
    n_inputs: int,
    readout_error: bool,
) -> LoweredCircuit:
    """Lower a measured circuit; see :func:`read_circuit` for what is refused."""
    read = read_circuit(circuit, noise, table)
    if not read.measured:
        raise ValueError("noise: the circuit measures nothing")
    clbits = tuple(sorted(read.measured))
    physical = [read.measured[c] for c in clbits]
    ops, active = visible_ops(read.ops, physical)
    check_size(active)
    position = {q: i for i, q in enumerate(sorted(active))}
    return LoweredCircuit(
        program=write_program(ops, position, n_weights, n_inputs),
        clbits=clbits,
        measured=torch.tensor([position[q] for q in physical], dtype=torch.int64),
        confusion=torch.from_numpy(readout_matrices(noise, physical, readout_error)),
        n_clbits=read.n_clbits,
        trace=read.trace,
    )
