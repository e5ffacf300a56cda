# SPDX-License-Identifier: Apache-2.0
"""The noise of a device as real Pauli transfer matrices, converted once and looked up.

A transfer matrix is ``R[i, j] = Tr(P_i E(P_j)) / 2**k``, acting on ``r_j = Tr(P_j rho)``;
digit ``k`` of an index in base 4 is the Pauli on the instruction's qubit ``k``.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from circuits.quantum.noise_sources import KeptByObject, model_of, snapshot, state_of, target_of
from workbench.distribution import MissingExtraError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target
    from qiskit_aer.noise import NoiseModel

__all__ = ["Channel", "DeviceNoise", "Errors", "error_channel", "error_factors", "transfer_matrix"]

Matrix = npt.NDArray[np.float64]

_NEVER_NOISY = frozenset(
    {"barrier", "delay", "measure", "reset", "quantum_channel", "kraus", "superop"}
)
_TRACE_TOLERANCE = 1e-8
# qiskit-aer leaves out the circuits of an error that are less likely than this, and does not
# rescale the rest: its states lose some 1e-9 of their trace per gate on FakeSantiagoV2.
_AER_LEAST_PROBABILITY = 1e-10


class Channel(NamedTuple):
    """A trace-preserving transfer matrix, row major, and a factor beside it."""

    values: array[float]
    trace: float

    @staticmethod
    def of(matrix: Matrix, trace: float = 1.0) -> Channel:
        """From a square array."""
        return Channel(array("d", matrix.ravel()), trace)


def transfer_matrix(operation: Any) -> Matrix:
    """Transfer matrix ``(4**k, 4**k)`` of a gate or channel on k qubits.

    Parameters
    ----------
    operation
        Anything ``qiskit.quantum_info.SuperOp`` accepts.

    Raises
    ------
    ValueError
        When it is no channel, or does not preserve the trace.
    """
    from qiskit.exceptions import QiskitError
    from qiskit.quantum_info import PTM, SuperOp

    name = getattr(operation, "name", type(operation).__name__)
    try:
        matrix = np.ascontiguousarray(PTM(SuperOp(operation)).data.real)
    except QiskitError as error:
        raise ValueError(f"noise: {name!r} is neither a gate nor a channel: {error}") from error
    return _trace_preserving(matrix, name)


def _trace_preserving(matrix: Matrix, name: str) -> Matrix:
    identity_row = np.zeros(len(matrix))
    identity_row[0] = 1.0
    if not np.allclose(matrix[0], identity_row, rtol=0.0, atol=_TRACE_TOLERANCE):
        raise ValueError(f"noise: channel {name!r} does not preserve the trace")
    matrix[0] = identity_row
    return matrix


def _lift(matrix: Matrix, positions: Sequence[int], k: int) -> Matrix:
    """A transfer matrix on some of k qubits as one on all of them."""
    if list(positions) == list(range(k)):
        return matrix
    m = len(positions)
    axes = [k - 1 - p for p in reversed(positions)]
    full = np.eye(4**k).reshape(*([4] * k), -1)
    moved = np.moveaxis(full, axes, range(m))
    product = matrix @ moved.reshape(4**m, -1)
    return np.moveaxis(product.reshape(moved.shape), range(m), axes).reshape(4**k, 4**k)


def error_channel(error: Any) -> tuple[Matrix, float]:
    """An error on one or two qubits as one transfer matrix and its trace.

    Parameters
    ----------
    error
        A ``QuantumError``, a mixture of circuits (48 for a device's cx), or another of
        qiskit-aer's errors, such as ``PauliError`` and ``PauliLindbladError``.

    Raises
    ------
    ValueError
        When it is no channel: with probabilities or rates below 0.
    """
    if hasattr(error, "generators"):
        return _lindblad(error, range(error.num_qubits)), 1.0
    if hasattr(error, "paulis"):
        return _pauli_mixture(error)
    if not hasattr(error, "circuits"):
        return transfer_matrix(error.to_quantumchannel()), 1.0
    k = error.num_qubits
    total = np.zeros((4**k, 4**k))
    seen: dict[Any, Matrix] = {}
    for probability, circuit in zip(error.probabilities, error.circuits, strict=True):
        if probability <= _AER_LEAST_PROBABILITY:
            continue
        product = np.eye(4**k)
        for item in circuit.data:
            if item.name == "barrier":
                continue
            positions = tuple([circuit.find_bit(q).index for q in item.qubits])
            key = _value_of(item)
            matrix = seen.get((key, positions)) if key is not None else None
            if matrix is None:
                inner, trace = _step(item.operation)
                matrix = _lift(inner * trace, positions, k)
                if key is not None:
                    seen[key, positions] = matrix
            product = matrix @ product
        total += probability * product
    # Each circuit preserves the trace, so leaving some out scales the whole matrix.
    kept = float(total[0, 0])
    matrix = _trace_preserving(total / kept, "quantum_error")
    return matrix, 1.0 if abs(kept - 1.0) < 1e-14 else kept


def _step(operation: Any) -> tuple[Matrix, float]:
    """One operation of an error's circuit; an error may itself be one."""
    inner = getattr(operation, "_quantum_error", None)
    return (transfer_matrix(operation), 1.0) if inner is None else error_channel(inner)


def _value_of(item: Any) -> Any:
    """What determines an instruction's channel, hashable; None where that is not known.

    The name alone does not: other gates may have it. Nor does the object's number, which
    another object has once it is gone.
    """
    if item.name in ("kraus", "superop", "unitary"):
        return (item.name, *(np.asarray(p, dtype=np.complex128).tobytes() for p in item.params))
    if item.is_standard_gate() or item.name in ("reset", "pauli"):
        values = tuple(item.params)
        if all(isinstance(value, float | int | str) for value in values):
            return (item.name, *values)
    return None


def _pauli_digits(paulis: Any) -> npt.NDArray[np.int64]:
    """Letters of each string by qubit, ``(m, k)``: 0 = I, 1 = X, 2 = Y, 3 = Z."""
    x, z = paulis.x.astype(np.int64), paulis.z.astype(np.int64)
    digits: npt.NDArray[np.int64] = x * (1 + z) + (1 - x) * 3 * z
    return digits


def _signs(digits: npt.NDArray[np.int64], k: int) -> Matrix:
    """``(m, 4**k)``: whether each string commutes (1) or anticommutes (-1) with each other."""
    other = np.arange(4**k)[:, None] // 4 ** np.arange(k)[None, :] % 4
    a, b = digits[:, None, :], other[None, :, :]
    odd = ((a != 0) & (b != 0) & (a != b)).sum(axis=2) % 2
    return np.asarray(1.0 - 2.0 * odd)


def _pauli_mixture(error: Any) -> tuple[Matrix, float]:
    probabilities = np.asarray(error.probabilities, dtype=np.float64)
    if not error.is_cptp():
        raise ValueError(
            "noise: a PauliError must have probabilities of 0 or more that add up to 1, got "
            f"{probabilities.tolist()}"
        )
    probabilities = np.where(probabilities > _AER_LEAST_PROBABILITY, probabilities, 0.0)
    diagonal = probabilities @ _signs(_pauli_digits(error.paulis), error.num_qubits)
    kept = float(diagonal[0])
    matrix = np.diag(diagonal / kept)
    return matrix, 1.0 if abs(kept - 1.0) < 1e-14 else kept


def _lindblad(error: Any, positions: Sequence[int], chosen: Any = slice(None)) -> Matrix:
    """``exp(sum rate (P . P - 1))`` of some generators, which act on the given qubits alone."""
    digits = _pauli_digits(error.generators)[chosen][:, list(positions)]
    rates = np.asarray(error.rates, dtype=np.float64)
    if not error.is_cptp():
        raise ValueError(
            f"noise: a PauliLindbladError must have rates of 0 or more, got {rates.tolist()}"
        )
    return np.diag(np.exp(rates[chosen] @ (_signs(digits, len(positions)) - 1.0)))


def error_factors(error: Any) -> tuple[list[tuple[tuple[int, ...], Matrix]], float]:
    """An error as channels on one or two of its qubits each, and its trace.

    A ``PauliLindbladError`` on more qubits is a product of such channels, which commute.

    Raises
    ------
    ValueError
        For another error on more than two qubits.
    """
    k = error.num_qubits
    if k <= 2:
        matrix, trace = error_channel(error)
        return [(tuple(range(k)), matrix)], trace
    if not hasattr(error, "generators"):
        raise ValueError(
            f"noise: an error must be on one or two qubits, or a PauliLindbladError, got a "
            f"{type(error).__name__} on {k} qubits"
        )
    on: dict[tuple[int, ...], list[int]] = {}
    for index, row in enumerate(_pauli_digits(error.generators) != 0):
        support = tuple([int(q) for q in np.flatnonzero(row)])
        if len(support) > 2:
            raise ValueError(
                "noise: a generator of a PauliLindbladError must be on one or two qubits, got "
                f"{error.generators[index].to_label()!r}"
            )
        if support:
            on.setdefault(support, []).append(index)
    return [(support, _lindblad(error, support, chosen)) for support, chosen in on.items()], 1.0


class Errors(NamedTuple):
    """What follows a gate: channels on its qubits, and a factor beside them."""

    channels: tuple[tuple[tuple[int, ...], Matrix], ...]
    trace: float


class DeviceNoise:
    """Lookup of transfer matrices and confusion matrices, each converted once.

    A snapshot: what is added to the model later does not reach it.

    Parameters
    ----------
    model : NoiseModel or None
        None for no noise at all.
    target : Target, optional
        Where given, two-qubit gates must be on its coupled pairs.

    Notes
    -----
    An error is looked up by the gate's label (its name, where it has none) and its exact
    tuple of qubits, then among the defaults for all qubits, as qiskit-aer does.  Gates that
    the model names no error for, such as the virtual ``rz``, are noiseless.
    """

    def __init__(self, model: NoiseModel | None, target: Target | None = None) -> None:
        self.model = None if model is None else snapshot(model)
        self.target = target
        #: Held while qiskit's passes run: they refuse to be used by two threads at once.
        self.lock = threading.RLock()
        #: Pass managers of :mod:`circuits.quantum.transpilation`.
        self.managers: OrderedDict[Any, Any] = OrderedDict()
        self._errors: dict[tuple[str, tuple[int, ...]], Errors | None] = {}
        self._coupled: dict[tuple[str, tuple[int, ...]], bool] = {}
        self._basis: frozenset[str] | None = None
        #: Memo of the lowering: operations of fixed standard gates, and kinds of free rotations.
        self.memo: dict[tuple[str, tuple[int, ...]], Any] = {}
        if model is not None:
            # A device does its gates without noise where its model names no error for them.
            of_target = () if target is None else target.operation_names
            self._basis = _NEVER_NOISY.union(
                model.basis_gates,
                of_target,
                model._default_quantum_errors,
                model._local_quantum_errors,
            )

    @staticmethod
    def of(source: Any) -> DeviceNoise:
        """The noise of a backend, a simulator, a NoiseModel, or None.

        Kept as long as the source lives and does not change.
        """
        if source is None or isinstance(source, DeviceNoise):
            return source if source is not None else DeviceNoise(None)
        try:
            from qiskit.providers import BackendV2
            from qiskit_aer.noise import NoiseModel
        except ImportError as error:
            raise MissingExtraError(
                "device noise needs qiskit and qiskit-aer", "quantum"
            ) from error
        if isinstance(source, NoiseModel):
            return _KEPT.get(source, state_of(source), lambda: DeviceNoise(source))
        if not isinstance(source, BackendV2):
            raise TypeError(
                "noise: expected a qiskit backend, a qiskit_aer NoiseModel or None, got "
                f"{type(source).__name__}"
            )
        return _KEPT.get(
            source, state_of(source), lambda: DeviceNoise(model_of(source), target_of(source))
        )

    def check_basis(self, name: str, label: str, qubits: tuple[int, ...]) -> None:
        """Refuse a gate for which the model could not say what its noise is."""
        if self._basis is None or self.model is None:
            return
        if name not in self._basis and label not in self._basis:
            raise ValueError(
                f"noise: gate {name!r} on qubits {qubits} is not among the basis gates of the noise"
                f" model, {', '.join(sorted(self._basis))}: transpile the circuit to them"
            )
        if self.target is None or len(qubits) < 2 or name in _NEVER_NOISY:
            return
        key = (name, qubits)
        if key not in self._coupled:
            known = name in self.target.operation_names
            self._coupled[key] = not known or self.target.instruction_supported(name, qubits)
        if not self._coupled[key]:
            raise ValueError(
                f"noise: gate {name!r} on qubits {qubits}: the device has no such pair; "
                "transpile the circuit for the device"
            )

    def error(self, label: str, qubits: tuple[int, ...]) -> Errors | None:
        """The error of a gate; None where there is none."""
        if self.model is None:
            return None
        key = (label, qubits)
        if key not in self._errors:
            local = self.model._local_quantum_errors.get(label, {}).get(qubits)
            found = local if local is not None else self.model._default_quantum_errors.get(label)
            if found is None:
                self._errors[key] = None
            elif found.num_qubits != len(qubits):
                raise ValueError(
                    f"noise: {label!r} on qubits {qubits}: its error must be on as many qubits, "
                    f"got one on {found.num_qubits}"
                )
            else:
                factors, trace = error_factors(found)
                on = [(tuple([qubits[p] for p in positions]), m) for positions, m in factors]
                self._errors[key] = Errors(tuple(on), trace)
        return self._errors[key]

    def gate(self, label: str, qubits: tuple[int, ...], operation: Any) -> Channel:
        """A fixed gate on one or two qubits followed by its error."""
        matrix, trace = transfer_matrix(operation), 1.0
        error = self.error(label, qubits)
        if error is not None:
            matrix, trace = error.channels[0][1] @ matrix, error.trace
        return Channel.of(matrix, trace)

    def confusion(self, qubit: int) -> Matrix:
        """``C[read, true]``, the probabilities of reading each outcome on a qubit.

        Raises
        ------
        ValueError
            Where the model has an error of reading this qubit together with others: qiskit-aer
            takes it for instructions that read them all at once, which circuits do not have.
        """
        if self.model is None:
            return np.eye(2)
        for qubits in self.model._local_readout_errors:
            if len(qubits) > 1 and qubit in qubits:
                raise ValueError(
                    f"noise: read-out errors must be of single qubits, got one of qubits {qubits} "
                    "together: measurements read one qubit each, and qiskit-aer ignores it; pass "
                    "readout_error=False, or give each qubit an error of its own"
                )
        error = self.model._local_readout_errors.get((qubit,))
        if error is None:
            error = self.model._default_readout_error
        if error is None:
            return np.eye(2)
        # qiskit-aer keeps P(read | true) with the true outcome as the row.
        return np.ascontiguousarray(np.asarray(error.probabilities, dtype=np.float64).T)

    def with_delays(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """The circuit with the relaxation that explicit delays bring, as qiskit-aer adds it."""
        if self.model is None or "delay" not in circuit.count_ops():
            return circuit
        passes = self.model._pass_manager()
        if passes is None:
            return circuit
        for item in circuit.data:
            duration = item.params[0] if item.name == "delay" else 0
            if not isinstance(duration, int | float) and getattr(duration, "parameters", True):
                qubits = tuple([circuit.find_bit(q).index for q in item.qubits])
                raise ValueError(
                    f"noise: 'delay' on qubits {qubits}: its duration must be a number, got "
                    f"{duration}: bind it first"
                )
        with self.lock:
            relaxed: QuantumCircuit = passes.run(circuit)
        return relaxed

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model, "target": self.target}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["model"], state["target"])  # type: ignore[misc]


_KEPT: KeptByObject[DeviceNoise] = KeptByObject()
