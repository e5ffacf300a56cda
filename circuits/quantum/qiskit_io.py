# SPDX-License-Identifier: Apache-2.0
"""Circuits to and from qiskit, equal as operators, global phase included."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from circuits.quantum.circuit import Circuit
from circuits.quantum.gates import GATES, Gate
from circuits.quantum.qiskit_angles import angle_from_qiskit, angle_to_qiskit, real_number
from circuits.quantum.symbols import Affine, Param
from workbench.distribution import MissingExtraError
from workbench.ops.program import Source

try:
    import qiskit.circuit.library as library
    from qiskit.circuit import (
        AnnotatedOperation,
        BoxOp,
        ControlledGate,
        ControlModifier,
        Instruction,
        InverseModifier,
        Parameter,
        ParameterExpression,
        ParameterVector,
        PowerModifier,
        QuantumCircuit,
    )
    from qiskit.circuit import Gate as QiskitGate
    from qiskit.quantum_info import SparsePauliOp
except ImportError as error:
    raise MissingExtraError(
        "circuits.quantum: conversion to and from qiskit needs qiskit 2", "quantum"
    ) from error

__all__ = ["build_qiskit", "fixed_matrix", "from_qiskit", "instruction", "to_qiskit"]

#: Gates qiskit knows under several classes, beside the ones in the gate table.
_MORE_CLASSES = {
    "U1Gate": "p",
    "U3Gate": "u",
    "CU1Gate": "cp",
    "C3XGate": "mcx",
    "C4XGate": "mcx",
    "MCXGate": "mcx",
    "MCPhaseGate": "mcp",
}
_SILENT = {"barrier", "delay"}
_CLASSICAL = {
    "break_loop",
    "continue_loop",
    "for_loop",
    "if_else",
    "store",
    "switch_case",
    "while_loop",
}


@functools.cache
def _names_by_class() -> dict[type, str]:
    """Our name of each class in qiskit's library that the gate table covers."""
    names = {spec.qiskit: spec.name for spec in GATES.values() if spec.qiskit}
    names.update(_MORE_CLASSES)
    return {getattr(library, cls): name for cls, name in names.items()}


# -- from qiskit ----------------------------------------------------------------------------


def from_qiskit(
    circuit: QuantumCircuit,
    inputs: Sequence[Any] | None = None,
    weights: Sequence[Any] | None = None,
) -> Circuit:
    """Convert a qiskit circuit.

    Parameters
    ----------
    circuit : qiskit.QuantumCircuit
        Gates, composite gates and boxes (expanded through their definition or their matrix),
        Cliffords, annotated operations, controlled gates of any control state, final
        measurements (kept as a record), barriers and delays (dropped, their durations too). A
        reset of a wire that nothing has touched yet is the identity and dropped.
    inputs, weights : sequence of Parameter, ParameterVector or str, optional
        Unbound parameters in the order of the input columns and of the weight vector; a
        vector stands for all its elements, a string for the parameter of that name. By
        default every parameter not named in ``inputs`` is a weight, in the order of
        ``circuit.parameters``.

    Returns
    -------
    Circuit

    Raises
    ------
    TypeError
        If ``circuit`` is not a ``QuantumCircuit``.
    ValueError
        For mid-circuit measurements and resets, classical conditions and control flow,
        operations that are not unitary, angles without a counterpart here, and parameters
        listed twice or in neither list.

    Notes
    -----
    Qubit ``k`` of the circuit is wire ``k``. A ``PauliEvolutionGate`` whose terms commute is
    converted exactly; of others it is the definition, a product formula, that is converted,
    as qiskit's transpiler does.
    """
    if not isinstance(circuit, QuantumCircuit):
        raise TypeError(
            f"Circuit.from_qiskit: got {type(circuit).__name__}; expected a QuantumCircuit"
        )
    if circuit.num_qubits < 1:
        raise ValueError("Circuit.from_qiskit: the circuit has no qubits")
    symbols, n_weights, n_inputs = _symbols(circuit, inputs, weights)
    reader = _Reader(Circuit.sized(circuit.num_qubits, n_weights, n_inputs), symbols)
    reader.read(circuit, tuple(range(circuit.num_qubits)), tuple(range(circuit.num_clbits)))
    return reader.made


def _symbols(
    circuit: QuantumCircuit, inputs: Sequence[Any] | None, weights: Sequence[Any] | None
) -> tuple[dict[Parameter, Affine], int, int]:
    """The symbol of each unbound parameter, and the two counts."""
    unbound = _read_parameters(circuit)
    by_name = {parameter.name: parameter for parameter in unbound}

    def listed(role: str, given: Any) -> list[Parameter]:
        flat: list[Parameter] = []
        items = [given] if isinstance(given, Parameter | str) else list(given)
        for item in items:
            if isinstance(item, str):
                if item not in by_name:
                    raise ValueError(
                        f"Circuit.from_qiskit: {role} names {item!r}; the circuit's unbound "
                        f"parameters are {', '.join(by_name) or 'none'}"
                    )
                flat.append(by_name[item])
            elif isinstance(item, Parameter):
                flat.append(item)
            elif isinstance(item, ParameterVector):
                flat.extend(item)
            else:
                raise TypeError(
                    f"Circuit.from_qiskit: {role} holds {item!r} of type {type(item).__name__}; "
                    "expected a Parameter, a ParameterVector or a name"
                )
        return flat

    input_list = listed("inputs", () if inputs is None else inputs)
    if weights is None:
        taken = set(input_list)
        weight_list = [p for p in unbound if p not in taken]
    else:
        weight_list = listed("weights", weights)
    symbols: dict[Parameter, Affine] = {}
    for source, parameters in ((Source.INPUT, input_list), (Source.WEIGHT, weight_list)):
        for index, parameter in enumerate(parameters):
            if parameter in symbols:
                raise ValueError(
                    f"Circuit.from_qiskit: parameter {parameter.name!r} is listed twice among "
                    "inputs and weights"
                )
            symbols[parameter] = Affine(0.0, ((source, index, 1.0),))
    missing = [p.name for p in unbound if p not in symbols]
    if missing:
        raise ValueError(
            f"Circuit.from_qiskit: unbound parameters {', '.join(missing)} are in neither inputs "
            "nor weights"
        )
    return symbols, len(weight_list), len(input_list)


def _read_parameters(circuit: QuantumCircuit) -> list[Parameter]:
    """The unbound parameters, without those of delays, which are dropped."""
    if not any(item.operation.name == "delay" and item.params for item in circuit.data):
        return list(circuit.parameters)
    read = circuit.copy_empty_like()
    for item in circuit.data:
        if item.operation.name != "delay":
            read.append(item)
    return list(read.parameters)


class _Reader:
    """Walks a qiskit circuit and its definitions, appending to ours."""

    def __init__(self, made: Circuit, symbols: Mapping[Parameter, Affine]) -> None:
        self.made = made
        self.symbols = symbols
        self.touched: set[int] = set()

    def read(
        self, circuit: QuantumCircuit, wires: tuple[int, ...], clbits: tuple[int, ...]
    ) -> None:
        """Append a circuit, or a definition, whose qubit ``k`` is ``wires[k]``."""
        phase = self.angle(circuit.global_phase, "global phase", wires)
        if phase != 0.0:
            self.made.global_phase(phase)
        where = dict(zip(circuit.qubits, wires, strict=True))
        bits = dict(zip(circuit.clbits, clbits, strict=True))
        for instruction in circuit.data:
            on = tuple(where[bit] for bit in instruction.qubits)
            into = tuple(bits[bit] for bit in instruction.clbits)
            operation = instruction.operation
            if operation.name == "measure":
                self.made.measure(on, into)
                self.touched.update(on)
            elif operation.name == "reset":
                if self.touched.intersection(on):
                    raise ValueError(
                        f"Circuit.from_qiskit: reset on wire {on[0]} after other operations; only "
                        "unitary circuits with final measurements are supported"
                    )
            elif isinstance(operation, BoxOp):
                self.read(operation.body, on, into)
            elif operation.name in _CLASSICAL or getattr(operation, "condition", None) is not None:
                raise ValueError(
                    f"Circuit.from_qiskit: {operation.name!r} on wires {list(on)} depends on "
                    "classical bits; classical conditions and control flow are not supported"
                )
            elif operation.name not in _SILENT:
                self.gate(operation, on, into)
                self.touched.update(on)

    def angle(self, value: Any, gate: str, wires: tuple[int, ...]) -> Param:
        """A qiskit angle as a number or an expression of our symbols."""
        where = f"Circuit.from_qiskit: {gate} on wires {list(wires)}"
        return angle_from_qiskit(value, self.symbols, where)

    def gate(self, operation: Any, wires: tuple[int, ...], clbits: tuple[int, ...] = ()) -> None:
        """Append one operation, expanding what has no name of its own here."""
        operation = _plain(operation, wires)
        if isinstance(operation, ControlledGate) and self._open_controls(operation, wires):
            return
        name = _names_by_class().get(getattr(operation, "base_class", type(operation)))
        if name is not None:
            angles = [self.angle(p, operation.name, wires) for p in operation.params]
            self.made.gate(name, wires, angles)
        elif isinstance(operation, library.GlobalPhaseGate):
            self.made.global_phase(self.angle(operation.params[0], operation.name, wires))
        elif isinstance(operation, library.UnitaryGate):
            self.made.unitary(operation.to_matrix(), wires)
        elif isinstance(operation, library.DiagonalGate):
            self.made.diagonal(np.asarray(operation.params, dtype=np.complex128), wires)
        elif isinstance(operation, library.PauliEvolutionGate) and self._evolution(
            operation, wires
        ):
            return
        elif getattr(operation, "definition", None) is not None:
            self.read(operation.definition, wires, clbits)
        elif hasattr(operation, "__array__") and not any(
            isinstance(p, ParameterExpression) and p.parameters for p in operation.params
        ):
            self.made.unitary(operation.to_matrix(), wires)
        else:
            raise ValueError(
                f"Circuit.from_qiskit: instruction {operation.name!r} on wires {list(wires)} has "
                "neither a definition nor a unitary matrix to expand it by"
            )

    def _open_controls(self, operation: ControlledGate, wires: tuple[int, ...]) -> bool:
        """Append a gate with controls on 0 as the plain one between X gates; whether it was."""
        n_controls = operation.num_ctrl_qubits
        state = operation.ctrl_state
        if state == 2**n_controls - 1:
            return False
        plain = operation.to_mutable()
        plain.ctrl_state = None
        flipped = [wires[k] for k in range(n_controls) if not (state >> k) & 1]
        self.made.x(flipped)
        self.gate(plain, wires)
        self.made.x(flipped)
        return True

    def _evolution(self, operation: Any, wires: tuple[int, ...]) -> bool:
        """Append exp(-i t H) as Pauli rotations if H's terms commute; whether they do."""
        several = operation.operator
        if not isinstance(several, list):
            several = [several]
        if not all(isinstance(op, SparsePauliOp) for op in several):
            return False
        labels = [(label, c) for op in several for label, c in op.to_list()]
        together = SparsePauliOp([label for label, _ in labels])
        if len(together.group_commuting()) > 1:
            return False
        time = self.angle(operation.time, operation.name, wires)
        for label, coefficient in labels:
            factor = real_number(coefficient, f"Circuit.from_qiskit: {operation.name}", coefficient)
            self.made.pauli_rotation(label, 2.0 * time * factor, wires)
        return True


def _plain(operation: Any, wires: tuple[int, ...]) -> Any:
    """The same operation as an instruction, with its annotations carried out.

    Qiskit lets a circuit hold whatever has a name and numbers of bits: Cliffords, annotated
    operations, and what third parties make.
    """
    where = f"Circuit.from_qiskit: {operation.name!r} on wires {list(wires)}"
    if isinstance(operation, AnnotatedOperation):
        base = _plain(operation.base_op, wires)
        if not isinstance(base, QiskitGate):
            raise ValueError(f"{where} annotates {base.name!r}, which is not a unitary gate")
        for modifier in operation.modifiers:
            base = _modified(base, modifier, where)
        return base
    if isinstance(operation, Instruction):
        return operation
    if hasattr(operation, "to_circuit"):
        return operation.to_circuit().to_gate()
    if hasattr(operation, "to_instruction"):
        return operation.to_instruction()
    raise ValueError(
        f"{where} is a {type(operation).__name__}, which has neither a circuit nor a matrix"
    )


def _modified(base: Any, modifier: Any, where: str) -> Any:
    if isinstance(modifier, InverseModifier):
        return base.inverse()
    if isinstance(modifier, ControlModifier):
        return base.control(
            modifier.num_ctrl_qubits, ctrl_state=modifier.ctrl_state, annotated=False
        )
    if not isinstance(modifier, PowerModifier):
        raise ValueError(f"{where} has the unknown modifier {modifier!r}")
    power = modifier.power
    if not any(isinstance(p, ParameterExpression) and p.parameters for p in base.params):
        return base.power(power)
    if power != int(power):
        raise ValueError(
            f"{where} raises a gate with unbound parameters to the power {power}; expected an "
            "integer"
        )
    repeated = QuantumCircuit(base.num_qubits)
    for _ in range(abs(int(power))):
        repeated.append(base if power > 0 else base.inverse(), repeated.qubits)
    return repeated.to_gate()


# -- to qiskit ------------------------------------------------------------------------------


def to_qiskit(
    circuit: Circuit, weights: Any | None = None, inputs: Any | None = None
) -> QuantumCircuit:
    """Convert to qiskit.

    Parameters
    ----------
    circuit : Circuit
    weights : array_like of float, optional
        ``n_weights`` values; without them the weights are ``ParameterVector("w")``.
    inputs : array_like of float, optional
        ``n_inputs`` values of one sample; without them the inputs are
        ``ParameterVector("x")``.

    Returns
    -------
    qiskit.QuantumCircuit
        Equal as an operator, global phase included; final measurements as recorded.

    Notes
    -----
    Pauli rotations become ``PauliEvolutionGate``, ``sh`` becomes RY(pi/4), and the other
    roots, having no gate in qiskit, become ``UnitaryGate`` labelled with their names.
    """
    bound = circuit.bind(weights, inputs)
    vectors = {
        Source.WEIGHT: ParameterVector("w", bound.n_weights if weights is None else 0),
        Source.INPUT: ParameterVector("x", bound.n_inputs if inputs is None else 0),
    }
    return build_qiskit(bound, vectors, instruction)


def build_qiskit(
    circuit: Circuit, vectors: Mapping[Source, Sequence[Any]], make: Any
) -> QuantumCircuit:
    """Assemble a qiskit circuit, ``make(gate, angles)`` giving each gate's instruction."""
    n_clbits = 1 + max((bit for _, bit in circuit.measurements), default=-1)
    sizes = (circuit.n_wires, n_clbits) if n_clbits else (circuit.n_wires,)
    built = QuantumCircuit(*sizes)
    for gate in circuit.gates:
        angles = [angle_to_qiskit(p, vectors) for p in gate.params]
        if gate.name == "global_phase":
            built.global_phase = built.global_phase + angles[0]
        else:
            built.append(make(gate, angles), list(gate.wires))
    for wire, bit in circuit.measurements:
        built.measure(wire, bit)
    return built


def instruction(gate: Gate, angles: Sequence[Any]) -> Any:
    """The qiskit instruction of a gate."""
    n_wires = len(gate.wires)
    spec = GATES[gate.name]
    if spec.qiskit is not None:
        return getattr(library, spec.qiskit)(*angles)
    if gate.name == "sh":
        return library.RYGate(np.pi / 4)
    if gate.name == "mcx":
        return library.MCXGate(n_wires - 1) if n_wires > 1 else library.XGate()
    if gate.name == "mcp":
        if n_wires == 1:
            return library.PhaseGate(angles[0])
        return library.MCPhaseGate(angles[0], n_wires - 1)
    if gate.name == "unitary":
        return library.UnitaryGate(gate.matrix)
    if gate.name == "diagonal":
        assert gate.matrix is not None
        return library.DiagonalGate(gate.matrix.tolist())
    if gate.name == "pauli_rotation":
        return library.PauliEvolutionGate(SparsePauliOp(gate.paulis), time=angles[0] / 2)
    return library.UnitaryGate(fixed_matrix(gate.name), label=gate.name)


def fixed_matrix(name: str) -> Any:
    """Matrix of a table gate that has no angles, as its own lowering gives it."""
    from workbench.ops.reference.statevector import decode

    n_wires = GATES[name].n_wires or 1
    (operation,) = decode(Circuit(n_wires).gate(name, range(n_wires)).program())
    assert operation.matrix is not None
    return operation.matrix.numpy()
