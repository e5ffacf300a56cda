# SPDX-License-Identifier: Apache-2.0
"""The noise of a device as real Pauli transfer matrices, converted once and looked up.

A transfer matrix is ``R[i, j] = Tr(P_i E(P_j)) / 2**k``, acting on ``r_j = Tr(P_j rho)``;
digit ``k`` of an index in base 4 is the Pauli on the instruction's qubit ``k``.
"""

from __future__ import annotations

import weakref
from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.distribution import MissingExtraError

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.transpiler import Target
    from qiskit_aer.noise import NoiseModel, QuantumError

__all__ = ["Channel", "DeviceNoise", "error_channel", "transfer_matrix"]

Matrix = npt.NDArray[np.float64]

_NEVER_NOISY = frozenset({"barrier", "delay", "measure", "reset", "quantum_channel"})
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


def error_channel(error: QuantumError) -> tuple[Matrix, float]:
    """A mixture of circuits (48 for a device's cx) as one transfer matrix and its trace."""
    k = error.num_qubits
    total = np.zeros((4**k, 4**k))
    kept = 0.0
    seen: dict[Any, Matrix] = {}
    for probability, circuit in zip(error.probabilities, error.circuits, strict=True):
        if probability <= _AER_LEAST_PROBABILITY:
            continue
        product = np.eye(4**k)
        for item in circuit.data:
            operation = item.operation
            positions = [circuit.find_bit(q).index for q in item.qubits]
            key: Any = (operation.name, tuple(positions))
            if operation.name in ("kraus", "pauli", "unitary") or operation.params:
                # Parameters tell these apart; the object does too, as long as it is alive.
                key = (id(operation), tuple(positions))
                if operation.name == "pauli":
                    key = (str(operation.params[0]), tuple(positions))
            if key not in seen:
                seen[key] = _lift(transfer_matrix(operation), positions, k)
            product = seen[key] @ product
        total += probability * product
        kept += probability
    # Each circuit preserves the trace, so leaving some out scales the whole matrix.
    matrix = _trace_preserving(total / kept, "quantum_error")
    return matrix, 1.0 if abs(kept - 1.0) < 1e-14 else float(kept)


class DeviceNoise:
    """Lookup of transfer matrices and confusion matrices, each converted once.

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
        self.model = model
        self.target = target
        self._errors: dict[tuple[str, tuple[int, ...]], tuple[Matrix, float] | None] = {}
        self._coupled: dict[tuple[str, tuple[int, ...]], bool] = {}
        self._basis: frozenset[str] | None = None
        #: Memo of the lowering: operations of fixed standard gates, and kinds of free rotations.
        self.memo: dict[tuple[str, tuple[int, ...]], Any] = {}
        if model is not None:
            self._basis = frozenset(model.basis_gates) | _NEVER_NOISY

    @staticmethod
    def of(source: Any) -> DeviceNoise:
        """The noise of a backend (built once per backend), of a NoiseModel, or of None."""
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
            return DeviceNoise(source)
        if not isinstance(source, BackendV2):
            raise TypeError(
                "noise: expected a qiskit backend, a qiskit_aer NoiseModel or None, got "
                f"{type(source).__name__}"
            )
        known = _OF_BACKEND.get(source)
        if known is None:
            known = DeviceNoise(NoiseModel.from_backend(source), source.target)
            _OF_BACKEND[source] = known
        return known

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
            self._coupled[key] = self.target.instruction_supported(name, qubits)
        if not self._coupled[key]:
            raise ValueError(
                f"noise: gate {name!r} on qubits {qubits}: the device has no such pair; "
                "transpile the circuit for the device"
            )

    def error(self, label: str, qubits: tuple[int, ...]) -> tuple[Matrix, float] | None:
        """Transfer matrix and trace of the error of a gate; None where there is none."""
        if self.model is None:
            return None
        key = (label, qubits)
        if key not in self._errors:
            local = self.model._local_quantum_errors.get(label, {}).get(qubits)
            found = local or self.model._default_quantum_errors.get(label)
            if found is not None and (found.num_qubits != len(qubits) or len(qubits) > 2):
                raise ValueError(
                    f"noise: {label!r} on qubits {qubits}: its error is on {found.num_qubits} "
                    "qubits; errors on one or two qubits, as many as the gate's, are supported"
                )
            self._errors[key] = None if found is None else error_channel(found)
        return self._errors[key]

    def gate(self, label: str, qubits: tuple[int, ...], operation: Any) -> Channel:
        """A fixed gate followed by its error."""
        matrix, trace = transfer_matrix(operation), 1.0
        error = self.error(label, qubits)
        if error is not None:
            matrix, trace = error[0] @ matrix, error[1]
        return Channel.of(matrix, trace)

    def confusion(self, qubit: int) -> Matrix:
        """``C[read, true]``, the probabilities of reading each outcome on a qubit."""
        error = None
        if self.model is not None:
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
        return circuit if passes is None else passes.run(circuit)


_OF_BACKEND: weakref.WeakKeyDictionary[Any, DeviceNoise] = weakref.WeakKeyDictionary()
