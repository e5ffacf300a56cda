# SPDX-License-Identifier: Apache-2.0
"""The circuit: a list of gates on numbered wires, checked as it is built."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from circuits.quantum.arguments import as_count, as_matrix, as_values, as_wires, is_vector
from circuits.quantum.builder import AngleLike, GateMethods, Wires
from circuits.quantum.gates import GATES, MAX_DIAGONAL_WIRES, MAX_UNITARY_WIRES, Gate, resolve
from circuits.quantum.lowering import Lowered, lower
from circuits.quantum.symbols import Param, as_param, evaluate
from workbench.ops.program import MAX_WIRES, Program, Source

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from typing_extensions import Self

__all__ = ["Circuit"]

_UNITARITY_TOLERANCE = 1e-6


class Circuit(GateMethods):
    """A quantum circuit acting on ``|0...0>``.

    Parameters
    ----------
    n_wires : int
        1 to 30.
    n_weights, n_inputs : int, optional
        Sizes of the two parameter vectors; by default the highest index used, plus one.

    Raises
    ------
    TypeError, ValueError
        For a count that is no integer or out of range.

    Notes
    -----
    Wire ``k`` is bit ``k`` of a state's index, as in qiskit.

    Examples
    --------
    >>> from circuits.quantum import Circuit, input, weight
    >>> circuit = Circuit(2).ry(input(0), 0).h(1).cu3(weight(0), weight(1), 0.5, 0, 1)
    >>> circuit
    Circuit(n_wires=2, n_weights=2, n_inputs=1, 3 gates)
    """

    def __init__(
        self, n_wires: int, n_weights: int | None = None, n_inputs: int | None = None
    ) -> None:
        self._n_wires = as_count("n_wires", n_wires)
        if not 1 <= self._n_wires <= MAX_WIRES:
            raise ValueError(f"Circuit: n_wires is {n_wires}; expected 1 to {MAX_WIRES}")
        self._fixed = {
            Source.WEIGHT: None if n_weights is None else as_count("n_weights", n_weights),
            Source.INPUT: None if n_inputs is None else as_count("n_inputs", n_inputs),
        }
        self._used = {source: fixed or 0 for source, fixed in self._fixed.items()}
        self._gates: list[Gate] = []
        self._measurements: list[tuple[int, int]] = []
        self._programs: dict[bool, Lowered] = {}

    @classmethod
    def sized(cls, n_wires: int, n_weights: int = 0, n_inputs: int = 0) -> Circuit:
        """A circuit whose parameter vectors have at least these lengths and may grow."""
        circuit = cls(n_wires, n_weights, n_inputs)
        circuit._fixed = dict.fromkeys(Source)
        return circuit

    # -- what it is -------------------------------------------------------------------------

    @property
    def n_wires(self) -> int:
        """Number of wires."""
        return self._n_wires

    @property
    def n_weights(self) -> int:
        """Length of the weight vector the circuit reads."""
        return self._used[Source.WEIGHT]

    @property
    def n_inputs(self) -> int:
        """Number of input features the circuit reads per sample."""
        return self._used[Source.INPUT]

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates in the order in which they act."""
        return tuple(self._gates)

    @property
    def measurements(self) -> tuple[tuple[int, int], ...]:
        """``(wire, classical bit)`` of each final measurement, a record that nothing simulates."""
        return tuple(self._measurements)

    def __len__(self) -> int:
        return len(self._gates)

    def depth(self) -> int:
        """Length of the longest chain of gates that share wires."""
        levels = [0] * self._n_wires
        for gate in self._gates:
            level = 1 + max((levels[wire] for wire in gate.wires), default=-1)
            for wire in gate.wires:
                levels[wire] = level
        return max(levels)

    def count_gates(self) -> dict[str, int]:
        """Number of gates of each name, the most frequent first."""
        return dict(Counter(gate.name for gate in self._gates).most_common())

    def __repr__(self) -> str:
        plural = "" if len(self) == 1 else "s"
        return (
            f"Circuit(n_wires={self.n_wires}, n_weights={self.n_weights}, "
            f"n_inputs={self.n_inputs}, {len(self)} gate{plural})"
        )

    def _key(self) -> tuple[Any, ...]:
        return self.n_wires, self.n_weights, self.n_inputs, self._gates, self._measurements

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Circuit) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes as it is built

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_programs": {}}

    def copy(self) -> Circuit:
        """An independent copy."""
        return copy.deepcopy(self)

    def program(self, *, weights_per_sample: bool = False) -> Program:
        """The circuit lowered for the kernels, kept until a gate is added.

        Parameters
        ----------
        weights_per_sample : bool
            Read the weights from further input columns; see
            :func:`circuits.quantum.lowering.lower`.

        Raises
        ------
        ValueError
            If an angle is not affine: what such a program reads is more than the circuit's
            weights and inputs; see :meth:`lowered`.
        """
        lowered = self.lowered(weights_per_sample=weights_per_sample)
        for derived in (lowered.weights, lowered.inputs):
            if derived is not None:
                raise ValueError(
                    f"Circuit.program: the angle {derived.expressions[0]} is not affine; use "
                    "expectation or statevector, which compute such angles first"
                )
        return lowered.program

    def lowered(self, *, weights_per_sample: bool = False) -> Lowered:
        """The circuit's program and the angles to be computed for it; kept as well."""
        lowered = self._programs.get(weights_per_sample)
        if lowered is None:
            # Kept for calls outside of inference mode, whose tensors no gradient can pass.
            with torch.inference_mode(False):
                lowered = lower(
                    self._gates,
                    self.n_wires,
                    self.n_weights,
                    self.n_inputs,
                    weights_per_sample=weights_per_sample,
                )
            self._programs[weights_per_sample] = lowered
        return lowered

    # -- building ---------------------------------------------------------------------------

    def gate(self, name: str, wires: Wires, params: AngleLike | Sequence[AngleLike] = ()) -> Self:
        """Append a gate by name.

        Parameters
        ----------
        name : str
            A key of ``circuits.quantum.gates.GATES`` or ``ALIASES``.
        wires : int or sequence of int
            Controls first, the target last.
        params : angle or sequence of angles
            Radians: real numbers, 0-dimensional float32 or float64 tensors, or symbols made
            of ``weight(i)`` and ``input(i)``.

        Raises
        ------
        TypeError, ValueError
            For an unknown name, a wire out of range or repeated, a wrong number of wires or
            angles, an angle that is no finite real number.
        """
        spec = resolve(name)
        if spec.name in ("unitary", "diagonal", "pauli_rotation"):
            raise ValueError(
                f"Circuit.gate: {spec.name!r} needs more than angles; use Circuit.{spec.name}"
            )
        given = params if isinstance(params, list | tuple) or is_vector(params) else (params,)
        return self._add(spec.name, wires, given)

    def unitary(self, matrix: npt.ArrayLike, wires: Wires) -> Self:
        """Append an arbitrary unitary.

        Parameters
        ----------
        matrix : array_like
            ``(2**k, 2**k)``, unitary to 1e-6 in every entry of ``U U^H - 1``.
        wires : int or sequence of int
            ``k`` wires, at most 8; ``wires[0]`` is the least significant bit of the index.

        Raises
        ------
        TypeError, ValueError
            For a wrong shape or a matrix that is not unitary.
        """
        array = as_matrix("unitary", matrix)
        size = 2 ** _at_most("unitary", MAX_UNITARY_WIRES, as_wires("unitary", wires))
        if array.shape != (size, size):
            raise ValueError(
                f"Circuit.unitary: matrix has shape {array.shape}; expected {(size, size)} for "
                f"wires {wires}"
            )
        error = float(np.abs(array @ array.conj().T - np.eye(size)).max())
        if not error <= _UNITARITY_TOLERANCE:
            raise ValueError(
                f"Circuit.unitary: the matrix on wires {wires} is not unitary: U U^H is off the "
                f"identity by {error:.3g}, more than {_UNITARITY_TOLERANCE:g}"
            )
        return self._add("unitary", wires, (), matrix=array)

    def diagonal(self, entries: npt.ArrayLike, wires: Wires) -> Self:
        """Append a diagonal unitary.

        Parameters
        ----------
        entries : array_like
            ``(2**k,)``, each of modulus 1 to 1e-6.
        wires : int or sequence of int
            ``k`` wires, at most 12; ``wires[0]`` is the least significant bit of the index.
            Past 6 the kernels run it as up to ``2**k`` rotations about Z strings.

        Raises
        ------
        TypeError, ValueError
            For a wrong shape or an entry off the unit circle.
        """
        array = as_matrix("diagonal", entries)
        size = 2 ** _at_most("diagonal", MAX_DIAGONAL_WIRES, as_wires("diagonal", wires))
        if array.shape != (size,):
            raise ValueError(
                f"Circuit.diagonal: entries have shape {array.shape}; expected {(size,)} for "
                f"wires {wires}"
            )
        error = float(np.abs(np.abs(array) - 1).max())
        if not error <= _UNITARITY_TOLERANCE:
            raise ValueError(
                f"Circuit.diagonal: the diagonal on wires {wires} is not unitary: a modulus is "
                f"off 1 by {error:.3g}, more than {_UNITARITY_TOLERANCE:g}"
            )
        return self._add("diagonal", wires, (), matrix=array)

    def pauli_rotation(self, paulis: str, theta: AngleLike, wires: Wires) -> Self:
        """Append ``exp(-i theta/2 P)`` of a Pauli string.

        Parameters
        ----------
        paulis : str
            Letters I, X, Y, Z in qiskit's order: the last acts on ``wires[0]``.
        theta : angle
        wires : int or sequence of int
            One per letter.

        Raises
        ------
        TypeError, ValueError
            For other letters or a wrong length.
        """
        if not isinstance(paulis, str) or not paulis or not set(paulis) <= set("IXYZ"):
            raise ValueError(
                f"Circuit.pauli_rotation: paulis is {paulis!r}; expected a string of I, X, Y, Z"
            )
        if len(paulis) != len(as_wires("pauli_rotation", wires)):
            raise ValueError(
                f"Circuit.pauli_rotation: {paulis!r} has {len(paulis)} letters for wires {wires}; "
                "expected one letter per wire"
            )
        return self._add("pauli_rotation", wires, (theta,), paulis=paulis)

    def append(self, gate: Gate) -> Self:
        """Append a gate taken from another circuit, checked anew."""
        if not isinstance(gate, Gate):
            raise TypeError(f"Circuit.append: got {type(gate).__name__}; expected a Gate")
        if gate.name == "unitary" and gate.matrix is not None:
            return self.unitary(gate.matrix, gate.wires)
        if gate.name == "diagonal" and gate.matrix is not None:
            return self.diagonal(gate.matrix, gate.wires)
        if gate.name == "pauli_rotation" and len(gate.params) == 1:
            return self.pauli_rotation(gate.paulis, gate.params[0], gate.wires)
        return self.gate(gate.name, gate.wires, gate.params)

    def measure(self, wires: Wires, clbits: Wires | None = None) -> Self:
        """Record final measurements; no gate may follow on their wires.

        The record travels to and from qiskit. States and expectations ignore it.

        Parameters
        ----------
        wires : int or sequence of int
        clbits : int or sequence of int, optional
            Classical bits that receive them; the wires' own numbers by default.
        """
        on = self._checked_wires("measure", wires)
        bits = on if clbits is None else tuple(as_wires("measure", clbits))
        if len(bits) != len(on) or len(set(bits)) != len(bits) or min(bits, default=0) < 0:
            raise ValueError(
                f"Circuit.measure: clbits is {clbits}; expected {len(on)} different bits from 0"
            )
        for wire, bit in zip(on, bits, strict=True):
            if any(wire == w or bit == b for w, b in self._measurements):
                raise ValueError(
                    f"Circuit.measure: wire {wire} or classical bit {bit} is already in use by an "
                    "earlier measurement; measurements are final and one per wire"
                )
            self._measurements.append((wire, bit))
        return self

    def compose(self, other: Circuit, wires: Sequence[int] | None = None) -> Self:
        """Append another circuit; its weights and inputs keep their indices.

        Parameters
        ----------
        other : Circuit
        wires : sequence of int, optional
            ``wires[k]`` is where wire ``k`` of ``other`` goes; the same wires by default.
        """
        where = range(other.n_wires) if wires is None else wires
        onto = self._checked_wires("compose", list(where))
        if len(onto) != other.n_wires:
            raise ValueError(
                f"Circuit.compose: wires is {wires}; expected {other.n_wires} wires, one for "
                "each of the circuit appended"
            )
        for gate in other.gates:
            moved = tuple(onto[wire] for wire in gate.wires)
            self.append(Gate(gate.name, moved, gate.params, gate.matrix, gate.paulis))
        for wire, bit in other.measurements:
            self.measure(onto[wire], bit)
        return self

    def inverse(self) -> Circuit:
        """The circuit that undoes this one; measurements are refused."""
        if self._measurements:
            raise ValueError("Circuit.inverse: the circuit measures, which cannot be undone")
        undone = Circuit.sized(self.n_wires, self.n_weights, self.n_inputs)
        for gate in reversed(self._gates):
            for step in GATES[gate.name].invert(gate):
                undone.append(step)
        return undone

    def bind(
        self,
        weights: Sequence[float] | Any | None = None,
        inputs: Sequence[float] | Any | None = None,
    ) -> Circuit:
        """The circuit with numbers in place of its weights, its inputs, or both.

        Parameters
        ----------
        weights : sequence of float, optional
            ``n_weights`` values; None leaves them symbolic.
        inputs : sequence of float, optional
            ``n_inputs`` values; None leaves them symbolic.
        """
        values = {
            Source.WEIGHT: as_values("weights", weights, self.n_weights),
            Source.INPUT: as_values("inputs", inputs, self.n_inputs),
        }
        bound = Circuit.sized(
            self.n_wires,
            self.n_weights if weights is None else 0,
            self.n_inputs if inputs is None else 0,
        )
        for gate in self._gates:
            params = (evaluate(p, values[Source.WEIGHT], values[Source.INPUT]) for p in gate.params)
            bound._gates.append(gate.replaced(params=tuple(params)))
        bound._measurements = list(self._measurements)
        return bound

    # -- interchange ------------------------------------------------------------------------

    @classmethod
    def from_qiskit(
        cls,
        circuit: QuantumCircuit,
        inputs: Sequence[Any] | None = None,
        weights: Sequence[Any] | None = None,
    ) -> Circuit:
        """Convert a qiskit circuit; see :func:`circuits.quantum.qiskit_io.from_qiskit`."""
        from circuits.quantum.qiskit_io import from_qiskit

        return from_qiskit(circuit, inputs=inputs, weights=weights)

    def to_qiskit(self, weights: Any | None = None, inputs: Any | None = None) -> QuantumCircuit:
        """Convert to qiskit; see :func:`circuits.quantum.qiskit_io.to_qiskit`."""
        from circuits.quantum.qiskit_io import to_qiskit

        return to_qiskit(self, weights=weights, inputs=inputs)

    @classmethod
    def from_qasm(
        cls,
        text: str,
        inputs: Sequence[str] | None = None,
        weights: Sequence[str] | None = None,
    ) -> Circuit:
        """Read OpenQASM 2 or 3; see :func:`circuits.quantum.qasm.from_qasm`."""
        from circuits.quantum.qasm import from_qasm

        return from_qasm(text, inputs=inputs, weights=weights)

    def to_qasm(
        self, version: int = 3, weights: Any | None = None, inputs: Any | None = None
    ) -> str:
        """Write OpenQASM 2 or 3; see :func:`circuits.quantum.qasm.to_qasm`."""
        from circuits.quantum.qasm import to_qasm

        return to_qasm(self, version, weights=weights, inputs=inputs)

    def draw(self, *args: Any, **kwargs: Any) -> Any:
        """Draw with qiskit; the arguments are those of ``QuantumCircuit.draw``."""
        return self.to_qiskit().draw(*args, **kwargs)

    # -- checks -----------------------------------------------------------------------------

    def _checked_wires(self, name: str, wires: Wires) -> tuple[int, ...]:
        checked = as_wires(name, wires)
        for wire in checked:
            if not 0 <= wire < self._n_wires:
                raise ValueError(
                    f"Circuit.{name}: wire {wire} is out of range; the circuit has wires 0 to "
                    f"{self._n_wires - 1}"
                )
        if len(set(checked)) != len(checked):
            raise ValueError(
                f"Circuit.{name}: wires are {checked}; each wire may occur once "
                "(a control cannot be its own target)"
            )
        return tuple(checked)

    def _add(
        self,
        name: str,
        wires: Wires,
        params: Any,
        matrix: npt.NDArray[np.complex128] | None = None,
        paulis: str = "",
    ) -> Self:
        spec = GATES[name]
        on = self._checked_wires(name, wires)
        if len(on) != spec.n_wires and (spec.n_wires is not None or not on):
            expected = "at least 1" if spec.n_wires is None else str(spec.n_wires)
            raise ValueError(f"Circuit.{name}: got {len(on)} wires {list(on)}; expected {expected}")
        if len(params) != len(spec.params):
            names = f" ({', '.join(spec.params)})" if spec.params else ""
            raise ValueError(
                f"Circuit.{name}: got {len(params)} angles on wires {list(on)}; expected "
                f"{len(spec.params)}{names}"
            )
        angles = tuple(
            as_param(value, f"Circuit.{name}: angle {label} on wires {list(on)}")
            for label, value in zip(spec.params, params, strict=True)
        )
        measured = {wire for wire, _ in self._measurements}.intersection(on)
        if measured:
            raise ValueError(
                f"Circuit.{name}: wire {min(measured)} is already measured; a measurement in "
                "mid-circuit is not supported"
            )
        self._note_symbols(name, angles)
        self._gates.append(Gate(name, on, angles, matrix, paulis))
        self._programs.clear()
        return self

    def _note_symbols(self, name: str, angles: tuple[Param, ...]) -> None:
        symbols = [s for angle in angles if not isinstance(angle, float) for s in angle.symbols]
        for source, index in symbols:  # all are checked before any is noted
            fixed = self._fixed[source]
            if fixed is not None and index >= fixed:
                kind = source.name.lower()
                raise ValueError(
                    f"Circuit.{name}: {kind}({index}) is out of range; the circuit was made with "
                    f"n_{kind}s={fixed}"
                )
        for source, index in symbols:
            self._used[source] = max(self._used[source], index + 1)


def _at_most(name: str, limit: int, wires: list[int]) -> int:
    if len(wires) > limit:
        raise ValueError(
            f"Circuit.{name}: got {len(wires)} wires {wires}; expected at most {limit}"
        )
    return len(wires)
