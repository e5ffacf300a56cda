# SPDX-License-Identifier: Apache-2.0
"""OpenQASM 2 and 3 through qiskit's own readers and writers.

Qiskit's writers drop global phases, at the top and inside gate definitions, and trip over
some gates' names and parameters.  So gates that the language's library lacks and that qiskit
would not write well are first spelled out in gates that it has, and in OpenQASM 3 the phase
that the writer is about to lose is written as ``gphase``.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from circuits.quantum.circuit import Circuit
from circuits.quantum.gates import Gate
from circuits.quantum.qiskit_io import build_qiskit, fixed_matrix, from_qiskit, instruction
from circuits.quantum.symbols import Expression
from workbench.distribution import MissingExtraError
from workbench.ops.program import Source

try:
    from qiskit import QuantumCircuit, qasm2, qasm3, transpile
    from qiskit.circuit import Gate as QiskitGate
    from qiskit.circuit import Parameter
    from qiskit.circuit.library import DiagonalGate, UnitaryGate
except ImportError as error:
    raise MissingExtraError("circuits.quantum: OpenQASM needs qiskit 2", "quantum") from error

__all__ = ["from_qasm", "to_qasm"]

_UNWRITABLE = frozenset(("abs", "arccos", "arcsin", "arctan", "sign"))
_HEADER = re.compile(r"^\s*OPENQASM\s+(\d+)(?:\.\d+)?\s*;", re.MULTILINE)
#: Words of version 2 that version 3 replaced or does not know.
_ONLY_2 = re.compile(r"\b[qc]reg\s|\bqelib1\.inc\b")
_OURS = re.compile(r"([wx])_(\d+)")

#: Gates of stdgates.inc and the language itself, whose phase the writer need not carry.
_STANDARD_3 = frozenset((
    "p", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "rx", "ry", "rz", "cx", "cy", "cz",
    "cp", "crx", "cry", "crz", "ch", "swap", "ccx", "cswap", "cu", "id", "u1", "u2", "u3", "u",
    "U", "phase", "cphase", "gphase", "global_phase", "barrier", "measure", "reset", "delay",
))  # fmt: skip


def from_qasm(
    text: str, inputs: Sequence[str] | None = None, weights: Sequence[str] | None = None
) -> Circuit:
    """Read an OpenQASM 2 or 3 program; the version is taken from its first line.

    Parameters
    ----------
    text : str
        The program. Without an ``OPENQASM`` line it is read as version 2 if it has registers
        or the header file of that version, and else as version 3.
    inputs, weights : sequence of str, optional
        Names of OpenQASM 3 ``input`` parameters in the order of the input columns and of the
        weight vector, as in :func:`circuits.quantum.qiskit_io.from_qiskit`. By default
        ``w_0, w_1, ...`` are weights and ``x_0, x_1, ...`` inputs, as :func:`to_qasm` writes
        them, if all have such names; otherwise all are weights.

    Raises
    ------
    TypeError
        If ``text`` is not a string.
    ValueError
        For text that does not parse, with the line where that is known, an unknown version, and
        whatever ``Circuit.from_qiskit`` refuses.
    ImportError
        If a version 3 program is given and qiskit's importer is not installed.
    """
    if not isinstance(text, str):
        raise TypeError(f"Circuit.from_qasm: got {type(text).__name__}; expected a string")
    bare = re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.DOTALL)
    if not bare.strip():
        raise ValueError("Circuit.from_qasm: text is empty; expected an OpenQASM program")
    header = _HEADER.search(bare)
    version = int(header.group(1)) if header else 2 if _ONLY_2.search(bare) else 3
    if version not in (2, 3):
        raise ValueError(f"Circuit.from_qasm: OpenQASM version {version}; expected 2 or 3")
    circuit = _load(text, version)
    if inputs is None and weights is None:
        matches = [_OURS.fullmatch(p.name) for p in circuit.parameters]
        if matches and all(matches):
            inputs, weights = (_numbered(circuit, letter) for letter in "xw")
    return from_qiskit(circuit, inputs=inputs, weights=weights)


def _load(text: str, version: int) -> QuantumCircuit:
    if version == 3:
        _require_importer()
    said = io.StringIO()
    try:
        # The parser of OpenQASM 3 prints what it stumbles over, with its line, and raises
        # exceptions of any kind and without a word.
        with contextlib.redirect_stderr(said):
            return qasm3.loads(text) if version == 3 else QuantumCircuit.from_qasm_str(text)
    except Exception as error:
        printed = said.getvalue().strip().splitlines()
        own = re.sub(r"^(['\"])(.*)\1$", r"\2", str(error), flags=re.DOTALL)  # qiskit quotes them
        why = printed[0] if printed else own or "the text does not parse"
        if not re.search(r"\d+[,:]\d+", why):
            why = f"{_line_of(error)}{why}"
        raise ValueError(f"Circuit.from_qasm: OpenQASM {version} refused: {why}") from error


def _line_of(error: BaseException) -> str:
    """Where the reader was: at the token it did not expect, or at a node of the syntax tree."""
    chain: list[Any] = [error, error.__cause__, error.__context__]
    for link in [*chain, *(a for e in chain if e is not None for a in e.args)]:
        token = getattr(link, "offendingToken", None)
        if token is not None:
            return f"line {token.line}:{token.column}, at {token.text!r}: "
    where, trace = "", error.__traceback__
    while trace is not None:
        span = getattr(trace.tb_frame.f_locals.get("node"), "span", None)
        where = where if span is None else f"line {span.start_line}: "
        trace = trace.tb_next
    return where


def _require_importer() -> None:
    try:
        import qiskit_qasm3_import  # noqa: F401  (qiskit.qasm3.loads needs it)
    except ImportError as error:
        raise MissingExtraError(
            "Circuit.from_qasm: reading OpenQASM 3 needs qiskit-qasm3-import", "quantum"
        ) from error


def _numbered(circuit: QuantumCircuit, letter: str) -> list[Parameter]:
    """Parameters ``letter_0, letter_1, ...``; those the program lacks are filled in unused."""
    found = {p.name: p for p in circuit.parameters if p.name[0] == letter}
    count = 1 + max((int(name[2:]) for name in found), default=-1)
    names = [f"{letter}_{index}" for index in range(count)]
    return [found.get(name) or Parameter(name) for name in names]


def to_qasm(
    circuit: Circuit, version: int = 3, weights: Any | None = None, inputs: Any | None = None
) -> str:
    """Write a circuit as OpenQASM.

    Parameters
    ----------
    circuit : Circuit
    version : int
        2 or 3.
    weights, inputs : array_like of float, optional
        Values to bind. Unbound, version 3 declares ``input float[64] w_0`` and ``x_0``, one
        for each weight and input in use; version 2 has no parameters.

    Returns
    -------
    str
        Gates that the language lacks are defined in the text. Version 3 is equal to the
        circuit as an operator; version 2 up to a global phase, for which it has no words.

    Raises
    ------
    ValueError
        For another version, version 2 of a circuit with unbound parameters, or unbound angles
        made with functions that qiskit's writer has no words for.
    """
    if version not in (2, 3):
        raise ValueError(f"Circuit.to_qasm: version is {version!r}; expected 2 or 3")
    bound = circuit.bind(weights, inputs)
    if version == 2 and (bound.n_weights or bound.n_inputs):
        raise ValueError(
            "Circuit.to_qasm: OpenQASM 2 has no parameters; pass values for the circuit's "
            f"{bound.n_weights} weights and {bound.n_inputs} inputs, or use version=3"
        )
    for gate in bound.gates:
        for param in gate.params:
            _check_words(gate, param)
    spelled = Circuit.sized(bound.n_wires, bound.n_weights, bound.n_inputs)
    for gate in bound.gates:
        for part in _spelled_out(gate):
            spelled.append(part)
    for wire, bit in bound.measurements:
        spelled.measure(wire, bit)
    vectors = {
        Source.WEIGHT: [Parameter(f"w_{k}") for k in range(bound.n_weights)],
        Source.INPUT: [Parameter(f"x_{k}") for k in range(bound.n_inputs)],
    }
    built = build_qiskit(spelled, vectors, _named_definitions())
    if version == 2:
        return str(qasm2.dumps(built))
    text = qasm3.dumps(built)
    phase = _dropped_phase(built)
    return text if _is_zero(phase) else f"{text.rstrip()}\ngphase({_plain(phase)});\n"


def _check_words(gate: Gate, param: Any) -> None:
    """Refuse functions that OpenQASM lacks, or that qiskit writes under names it does not have."""
    if not isinstance(param, Expression):
        return
    if param.operation in _UNWRITABLE:
        raise ValueError(
            f"Circuit.to_qasm: {gate} has {param.operation} of a parameter, which is not written "
            "as OpenQASM; pass values for the circuit's weights and inputs"
        )
    for argument in param.arguments:
        _check_words(gate, argument)


def _spelled_out(gate: Gate) -> Iterator[Gate]:
    """A gate in gates that both languages have, or as itself."""
    wires = gate.wires
    if gate.name == "pauli_rotation":
        yield from _pauli_ladder(gate)
    elif gate.name == "mcp" and len(wires) <= 2:
        yield gate.replaced(name="cp" if len(wires) == 2 else "p")
    elif gate.name == "mcp":
        # Phases add where all wires are 1: half of it for the last control and the target,
        # taken back where the other controls are not all 1, the rest without that control.
        *others, last, target = wires
        half = gate.params[0] * 0.5
        flip = Gate("mcx", (*others, last))
        yield Gate("cp", (last, target), (half,))
        yield from _spelled_out(flip)
        yield Gate("cp", (last, target), (-half,))
        yield from _spelled_out(flip)
        yield from _spelled_out(Gate("mcp", (*others, target), (half,)))
    elif gate.name == "mcx" and len(wires) <= 3:
        yield Gate(("x", "cx", "ccx")[len(wires) - 1], wires)
    elif gate.name == "mcx":
        yield Gate("h", wires[-1:])
        yield from _spelled_out(Gate("mcp", wires, (np.pi,)))
        yield Gate("h", wires[-1:])
    else:
        yield gate


def _pauli_ladder(gate: Gate) -> Iterator[Gate]:
    """A Pauli rotation as RZ between a parity ladder and changes of basis."""
    letters = dict(zip(gate.wires, reversed(gate.paulis), strict=True))
    on = [wire for wire, letter in letters.items() if letter != "I"]
    if not on:
        yield Gate("global_phase", (), (gate.params[0] * -0.5,))
        return
    into = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
    back = {"X": ("h",), "Y": ("h", "s"), "Z": ()}
    ladder = [Gate("cx", pair) for pair in itertools.pairwise(on)]
    yield from (Gate(name, (wire,)) for wire in on for name in into[letters[wire]])
    yield from ladder
    yield Gate("rz", (on[-1],), gate.params)
    yield from reversed(ladder)
    yield from (Gate(name, (wire,)) for wire in on for name in back[letters[wire]])


def _named_definitions() -> Callable[[Gate, Sequence[Any]], Any]:
    """Instructions for the writers, matrices as gates of their own, named in order."""

    @functools.cache
    def numbered(name: str, n_wires: int, matrix: bytes) -> QiskitGate:
        entries = np.frombuffer(matrix, dtype=np.complex128)
        made = QiskitGate(f"{name}_{numbered.cache_info().misses}", n_wires, [])
        made.definition = _in_u_and_cx(
            DiagonalGate(entries.tolist())
            if name == "diagonal"
            else UnitaryGate(entries.reshape(2**n_wires, -1))
        )
        return made

    def make(gate: Gate, angles: Sequence[Any]) -> Any:
        if gate.name in ("unitary", "diagonal"):
            assert gate.matrix is not None
            return numbered(gate.name, len(gate.wires), gate.matrix.tobytes())
        if gate.name in ("sqh", "sqswap"):
            made = QiskitGate(gate.name, len(gate.wires), [])
            made.definition = _in_u_and_cx(UnitaryGate(fixed_matrix(gate.name)))
            return made
        return instruction(gate, angles)

    return make


def _in_u_and_cx(gate: QiskitGate) -> QuantumCircuit:
    """A gate's circuit in the two gates that both languages build in, global phase kept."""
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate, list(range(gate.num_qubits)))
    return transpile(circuit, basis_gates=["u", "cx"], optimization_level=0)


def _dropped_phase(circuit: QuantumCircuit) -> Any:
    """Global phase that the OpenQASM 3 writer leaves out, of the circuit and its definitions."""
    total: Any = circuit.global_phase
    for item in circuit.data:
        operation = item.operation
        if operation.name not in _STANDARD_3 and operation.definition is not None:
            total = total + _dropped_phase(operation.definition)
    return total


def _is_zero(phase: Any) -> bool:
    return not getattr(phase, "parameters", ()) and float(phase) == 0.0


def _plain(phase: Any) -> str:
    return str(phase) if getattr(phase, "parameters", ()) else repr(float(phase))
