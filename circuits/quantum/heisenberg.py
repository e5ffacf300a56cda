# SPDX-License-Identifier: Apache-2.0
"""Exact noisy scores of many candidate circuits on the same samples.

Only the encoder depends on the sample. The read-out observables are carried backwards through
all that comes after it, once per candidate (the Heisenberg picture); what is left to do for
each sample is a product of one Bloch vector per qubit, where no two-qubit gate precedes a gate
that depends on the sample. Where one does, the circuit is simulated sample by sample.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from circuits.quantum.encoder import merged_angles
from circuits.quantum.noise import device_noise, measured_in, parameter_table
from circuits.quantum.noise_lowering import (
    NoisyOp,
    ParameterTable,
    ReadCircuit,
    check_size,
    read_circuit,
    readout_matrices,
    visible_ops,
    write_program,
)
from circuits.quantum.noise_model import DeviceNoise
from circuits.quantum.noise_readout import (
    Basis,
    measured_bases,
    observable_rows,
    observed_wires,
)
from circuits.quantum.pauli_sums import observables as parse_observables
from circuits.quantum.transpilation import transpile_cached
from workbench.ops import noise as operators
from workbench.ops.program import Observables, Source

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["NoisyEvaluator", "split_at_samples"]

# A search meets few placements often; ten qubits take 8 MiB for each observable.
_KEPT_ROWS = 1024
_KEPT_BYTES = 2**26


def split_at_samples(ops: Sequence[NoisyOp]) -> tuple[list[NoisyOp], list[NoisyOp]]:
    """The causal past of the sample-dependent operations, and the rest.

    All of the rest may be done after the first part: none of it has a later sample-dependent
    operation on its qubits.
    """
    past, rest = [], []
    touched: set[int] = set()
    for op in reversed(ops):
        if op.has_inputs or not touched.isdisjoint(op.qubits):
            touched.update(op.qubits)
            past.append(op)
        else:
            rest.append(op)
    past.reverse()
    rest.reverse()
    return past, rest


class NoisyEvaluator:
    """Noisy expectations of candidate circuits for a fixed set of samples.

    Parameters
    ----------
    backend : BackendV2 or NoiseModel
        As for :class:`circuits.quantum.NoisyQuantumLayer`, but always with its noise of now.
    inputs : array_like or None
        ``(S, F)``, the samples' features; None for circuits without inputs (VQE), then S is 1.
    encoder : circuits.quantum.Circuit, QuantumCircuit or None
        Gates on single wires with inputs as angles, put before each candidate as one U gate
        per wire whose three angles are computed for each sample here. None: candidates hold
        their inputs themselves, as elements of a parameter vector named ``x``.
    observables : object
        ``"z"`` for Z on each wire, or what :func:`circuits.quantum.pauli_sums.observables` takes.
    readout_error : bool
        Whether the expectations include errors of reading out.
    optimization_level, seed_transpiler : int
        As for ``qiskit.transpile``.

    Notes
    -----
    The only state that calls change are caches; the object may be pickled.
    """

    def __init__(
        self,
        backend: Any,
        inputs: Any,
        encoder: Any = None,
        *,
        observables: Any = "z",
        readout_error: bool = True,
        optimization_level: int = 2,
        seed_transpiler: int = 42,
    ) -> None:
        device_noise("NoisyEvaluator", backend)
        self.backend = backend
        self.observables = observables
        self.readout_error = bool(readout_error)
        self.optimization_level = optimization_level
        self.seed_transpiler = seed_transpiler
        self._encoder = _as_qiskit(encoder) if encoder is not None else None
        self._template = _template(self._encoder.num_qubits) if self._encoder is not None else None
        self._angles: ParameterTable = {}
        if self._template is not None:
            self._angles = {p: (Source.INPUT, p.index) for p in self._template.parameters}
        self._rows: OrderedDict[Any, Tensor] = OrderedDict()
        self._set_inputs(inputs)

    def _set_inputs(self, inputs: Any) -> None:
        if inputs is None:
            inputs = np.zeros((1, 0))
        given = inputs.detach().cpu().numpy() if isinstance(inputs, Tensor) else inputs
        values = np.ascontiguousarray(given, dtype=np.float64)
        if values.ndim != 2:
            raise ValueError(
                f"NoisyEvaluator: inputs must have shape (S, F), got {tuple(values.shape)}"
            )
        if not np.isfinite(values).all():
            raise ValueError("NoisyEvaluator: inputs has entries that are not finite")
        if self._encoder is not None:
            table = parameter_table(self._encoder, None, None, values.shape[1], 0)
            values = merged_angles(self._encoder, table, values)
        self._inputs = torch.from_numpy(values)

    def with_inputs(self, inputs: Any) -> NoisyEvaluator:
        """The same evaluator for other samples."""
        other = copy.copy(self)
        other._set_inputs(inputs)
        return other

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return self._inputs.shape[0]

    def transpiled(
        self, circuit: Any, layout: Sequence[int] | None = None, weights: Any = None
    ) -> QuantumCircuit:
        """The candidate on the device, its encoder before it and its wires read after it.

        Parameters
        ----------
        circuit : QuantumCircuit or circuits.quantum.Circuit
            What follows the encoder, its weights bound.
        layout : sequence of int, optional
            Physical qubit of each wire; None leaves the choice to qiskit.
        weights : array_like, optional
            Weights of a ``circuits.quantum.Circuit``.

        Returns
        -------
        QuantumCircuit
            Wire ``k`` is measured into bit ``k``; the parameters left are the samples'. The
            first of :meth:`transpiled_in_bases`.
        """
        return self._transpiled(circuit, layout, weights, 1)[0]

    def transpiled_in_bases(
        self, circuit: Any, layout: Sequence[int] | None = None, weights: Any = None
    ) -> list[QuantumCircuit]:
        """One circuit as :meth:`transpiled` for each basis that the observables are read in.

        More than one only for observables of X and Y with read-out errors: see
        :class:`circuits.quantum.NoisyQuantumLayer`.
        """
        return self._transpiled(circuit, layout, weights, None)

    def _transpiled(
        self, circuit: Any, layout: Sequence[int] | None, weights: Any, count: int | None
    ) -> list[QuantumCircuit]:
        body = _as_qiskit(circuit, weights)
        n = body.num_qubits
        if self._template is None:
            full = body.copy_empty_like()
            full.data = body.data
        else:
            if n != self._template.num_qubits:
                raise ValueError(
                    f"NoisyEvaluator: circuit has {n} wires, the encoder "
                    f"{self._template.num_qubits}"
                )
            if body.parameters:
                raise ValueError(
                    f"NoisyEvaluator: parameter {body.parameters[0].name!r} is not bound"
                )
            full = self._template.compose(body)
        if full.num_clbits:
            raise ValueError("NoisyEvaluator: circuit must not hold classical bits or measurements")
        return [
            transpile_cached(
                measured_in(full, basis.letters),
                self.backend,
                layout,
                self.optimization_level,
                self.seed_transpiler,
            )
            for basis in self._bases(n)[:count]
        ]

    def _bases(self, n_wires: int) -> list[Basis]:
        return measured_bases(parse_observables(self.observables, n_wires), self.readout_error)

    def expectations(
        self, circuit: Any, layout: Sequence[int] | None = None, weights: Any = None
    ) -> Tensor:
        """Noisy expectations of a candidate, float64 ``(S, n_obs)``; see :meth:`transpiled`."""
        return self.expectations_transpiled(self.transpiled_in_bases(circuit, layout, weights))

    def expectations_transpiled(
        self, circuits: QuantumCircuit | Sequence[QuantumCircuit]
    ) -> Tensor:
        """Noisy expectations of what the methods above made, float64 ``(S, n_obs)``.

        Parameters
        ----------
        circuits : QuantumCircuit or sequence of them
            What :meth:`transpiled_in_bases` made, or :meth:`transpiled` where one basis is
            enough.
        """
        several = [circuits] if hasattr(circuits, "num_qubits") else list(circuits)
        noise = DeviceNoise.of(self.backend)
        read = [read_circuit(circuit, noise, self._table(circuit)) for circuit in several]
        bases = self._bases(len(read[0].measured)) if read else []
        if len(several) != max(1, len(bases)):
            raise ValueError(
                f"NoisyEvaluator: circuits must be {len(bases)}, one for each basis that the "
                f"observables are read in, got {len(several)}: see transpiled_in_bases"
            )
        total: Tensor | None = None
        for one, basis in zip(read, bases, strict=True):
            values = self._expectation(one, basis.observables, noise)
            total = values if total is None else total + values
        assert total is not None
        return total

    def _expectation(self, read: ReadCircuit, terms: Observables, noise: DeviceNoise) -> Tensor:
        n_inputs = self._inputs.shape[1]
        physical = tuple([read.measured[wire] for wire in range(len(read.measured))])
        ops, active = visible_ops(read.ops, [physical[k] for k in observed_wires(terms)])
        active = active or {physical[0]}
        check_size(active)
        position = {q: i for i, q in enumerate(sorted(active))}
        rows = self._observable_rows(terms, noise, physical, position)
        no_weights = torch.zeros(0, dtype=torch.float64)
        past, rest = split_at_samples(ops)
        if any(len(op.qubits) > 1 for op in past):
            past, rest = ops, []
        if rest:
            program = write_program(rest, position, 0, 0)
            rows = operators.pull_back(program, rows, no_weights)
        program = write_program(past, position, 0, n_inputs)
        values = operators.noisy_expectation(program, rows, no_weights, self._inputs)
        return values if read.trace == 1.0 else values * read.trace

    def _table(self, circuit: QuantumCircuit) -> ParameterTable:
        if self._template is None:
            return parameter_table(circuit, None, None, self._inputs.shape[1], 0)
        return self._angles

    def _observable_rows(
        self,
        terms: Observables,
        noise: DeviceNoise,
        physical: tuple[int, ...],
        position: dict[int, int],
    ) -> Tensor:
        key = (_numbers(terms), noise, physical, tuple(position))
        rows = self._rows.get(key)
        if rows is None:
            confusion = readout_matrices(noise, physical, True) if self.readout_error else None
            rows = self._rows[key] = observable_rows(terms, physical, position, confusion)
            if len(self._rows) > min(_KEPT_ROWS, 1 + _KEPT_BYTES // rows.nbytes):
                self._rows.popitem(last=False)
        return rows

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_rows": OrderedDict()}


def _numbers(terms: Observables) -> tuple[int, bytes, bytes]:
    """Observables by value."""
    return (terms.n_rows, terms.terms.numpy().tobytes(), terms.coefficients.numpy().tobytes())


def _template(n: int) -> QuantumCircuit:
    """One U gate of per-sample angles on each wire."""
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    angles = ParameterVector("encoder", 3 * n)
    template = QuantumCircuit(n)
    for wire in range(n):
        template.u(angles[3 * wire], angles[3 * wire + 1], angles[3 * wire + 2], wire)
    return template


def _as_qiskit(circuit: Any, weights: Any = None) -> QuantumCircuit:
    from qiskit import QuantumCircuit

    if isinstance(circuit, QuantumCircuit):
        if weights is not None:
            raise ValueError("NoisyEvaluator: weights of a qiskit circuit must be bound in it")
        return circuit
    if not hasattr(circuit, "to_qiskit"):
        raise TypeError(
            "NoisyEvaluator: expected a circuits.quantum.Circuit or a qiskit QuantumCircuit, got "
            f"{type(circuit).__name__}"
        )
    converted: QuantumCircuit = circuit.to_qiskit(weights=weights)
    return converted
