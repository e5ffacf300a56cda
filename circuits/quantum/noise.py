# SPDX-License-Identifier: Apache-2.0
"""What a noisy device would measure, exactly and differentiably."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from circuits.quantum.noise_lowering import (
    ParameterTable,
    check_size,
    lower,
    read_circuit,
    readout_matrices,
    visible_ops,
    write_program,
)
from circuits.quantum.noise_model import DeviceNoise
from circuits.quantum.noise_readout import (
    measured_bases,
    observable_rows,
    observed_wires,
    rotate_to_z,
)
from circuits.quantum.pauli_sums import observables as parse_observables
from circuits.quantum.transpilation import transpile_cached
from workbench.ops import noise as operators
from workbench.ops.program import Source

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

__all__ = ["NoisyQuantumLayer", "noisy_probabilities", "parameter_table"]

# 2**24 probabilities of one sample are 128 MiB.
_MAX_CLBITS = 24


def noisy_probabilities(
    circuit: QuantumCircuit,
    noise: Any,
    readout_error: bool = True,
    *,
    inputs: Tensor | None = None,
    weights: Tensor | None = None,
    input_parameters: Sequence[Any] | None = None,
    weight_parameters: Sequence[Any] | None = None,
) -> Tensor:
    """Probabilities of a transpiled circuit's outcomes on a noisy device.

    The noise of each gate, of idling in explicit delays and of reading out are those that
    qiskit-aer would simulate; the result equals its density-matrix method's to rounding. Only
    qubits that some measurement depends on are simulated.

    Parameters
    ----------
    circuit : QuantumCircuit
        Transpiled to the device's basis gates and qubits, with its measurements at the end.
    noise : BackendV2, NoiseModel or None
        The device, its noise model, or None for a noise-free one. A simulator has the noise of
        its option ``noise_model``, whatever backend it was made from. The conversion is kept
        until the device or the model is changed.
    readout_error : bool
        Whether to include errors of reading out.
    inputs : Tensor, optional
        ``(B, F)`` or ``(F,)``, float32 or float64: values of the per-sample parameters. Under
        ``torch.autocast`` bfloat16 and float16 are made float32.
    weights : Tensor, optional
        ``(P,)``, of the same dtype: values of the shared parameters.
    input_parameters, weight_parameters : sequence of qiskit Parameter, optional
        Which unbound parameters the columns of ``inputs`` and the entries of ``weights`` are.
        Without them, elements of parameter vectors named ``x`` are inputs and of ``w`` weights,
        by their index.

    Returns
    -------
    Tensor
        ``(B, 2**n_clbits)`` in the dtype of the parameters, else float64; bit ``c`` of an index
        is classical bit ``c``, as in qiskit's counts; bits never written are 0. B is 1 without
        inputs. Differentiable once, to inputs and weights.

    Raises
    ------
    TypeError, ValueError
        Naming the gate and qubits, for a gate outside the model's basis, a measurement that is
        not final, classical control, and angles that are unbound, not linear or not finite.
    """
    for name, value in (("inputs", inputs), ("weights", weights)):
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"noisy_probabilities: {name} must be a tensor, got {type(value).__name__}"
            )
    inputs = None if inputs is None else _full(inputs)
    weights = None if weights is None else _full(weights)
    dtype = next((t.dtype for t in (inputs, weights) if t is not None), torch.float64)
    x = torch.zeros(1, 0, dtype=dtype) if inputs is None else _rows(inputs)
    w = torch.zeros(0, dtype=dtype) if weights is None else weights
    if w.dim() == 0:
        w = w.reshape(1)
    if w.dim() != 1 or x.dim() != 2:
        raise ValueError(
            f"noisy_probabilities: weights and inputs must have shapes (P,) and (B, F), got "
            f"{tuple(w.shape)} and {tuple(x.shape)}"
        )
    table = parameter_table(
        circuit,
        input_parameters,
        weight_parameters,
        0 if inputs is None else x.shape[-1],
        len(w),
    )
    _check_counts(table, 0 if inputs is None else x.shape[1], len(w), circuit)
    lowered = lower(
        circuit, DeviceNoise.of(noise), table, w.shape[0], x.shape[1], bool(readout_error)
    )
    if lowered.n_clbits > _MAX_CLBITS:
        raise ValueError(
            f"noisy_probabilities: the circuit has {lowered.n_clbits} classical bits; "
            f"2**{lowered.n_clbits} probabilities are more than the limit of 2**{_MAX_CLBITS}"
        )
    out = operators.noisy_probabilities(lowered.program, lowered.measured, lowered.confusion, w, x)
    if lowered.trace != 1.0:
        out = out * lowered.trace
    if len(lowered.clbits) == lowered.n_clbits:
        return out
    index = np.zeros(out.shape[1], dtype=np.int64)
    for bit, clbit in enumerate(lowered.clbits):
        index |= (np.arange(out.shape[1]) >> bit & 1) << clbit
    full = out.new_zeros(out.shape[0], 2**lowered.n_clbits)
    return full.index_copy(1, torch.from_numpy(index), out)


def _rows(inputs: Tensor) -> Tensor:
    return inputs[None] if inputs.dim() == 1 else inputs


def parameter_table(
    circuit: Any,
    input_parameters: Sequence[Any] | None,
    weight_parameters: Sequence[Any] | None,
    n_inputs: int,
    n_weights: int,
) -> ParameterTable:
    """Where each unbound parameter's value is found.

    Raises
    ------
    TypeError
        For lists that hold other things than parameters.
    ValueError
        When the lists do not fit the values given, or a parameter is listed twice.
    """
    roles = (
        ("inputs", Source.INPUT, input_parameters, n_inputs, "x"),
        ("weights", Source.WEIGHT, weight_parameters, n_weights, "w"),
    )
    table: dict[Any, tuple[Source, int]] = {}
    for name, source, given, count, _ in roles:
        if given is None:
            continue
        listed = _listed(name, given)
        if len(listed) != count:
            raise ValueError(
                f"noise: {name} has {count} values per sample for {len(listed)} parameters"
            )
        for index, parameter in enumerate(listed):
            if parameter in table:
                raise ValueError(
                    f"noise: parameter {parameter.name!r} is listed twice among inputs and weights"
                )
            table[parameter] = (source, index)
    for name, source, given, count, letter in roles:
        if given is not None:
            continue
        vector: Any = None
        for parameter in getattr(circuit, "parameters", ()):
            own: Any = getattr(parameter, "vector", None)
            if parameter in table or getattr(own, "name", None) != letter:
                continue
            if len(own) != count or (vector is not None and own[0] != vector[0]):
                raise ValueError(
                    f"noise: parameter {parameter.name} has no value: {name} has {count} values "
                    f"for a vector {letter!r} of {len(own)}"
                )
            vector = own
            table[parameter] = (source, parameter.index)
    return table


def _listed(name: str, given: Any) -> list[Any]:
    """Parameters from a list in which a vector stands for its elements."""
    from qiskit.circuit import Parameter, ParameterVector

    flat: list[Any] = []
    for item in [given] if isinstance(given, Parameter) else given:
        flat.extend(item if isinstance(item, ParameterVector) else [item])
    for item in flat:
        if not isinstance(item, Parameter):
            raise TypeError(f"noise: {name} lists {item!r}; expected parameters of the circuit")
    return flat


def _check_counts(table: ParameterTable, n_inputs: int, n_weights: int, circuit: Any) -> None:
    """Refuse values that no parameter of the circuit reads."""
    for name, source, count in (
        ("inputs", Source.INPUT, n_inputs),
        ("weights", Source.WEIGHT, n_weights),
    ):
        if count and not any(found is source for found, _ in table.values()):
            unbound = ", ".join(p.name for p in getattr(circuit, "parameters", ())) or "none"
            raise ValueError(
                f"noisy_probabilities: {name} has {count} values that no parameter reads; the "
                f"circuit's unbound parameters are {unbound}"
            )


class NoisyQuantumLayer(nn.Module):
    """Noise-aware training: a circuit as it would run on a device, with trainable weights.

    The circuit is transpiled once, with its parameters unbound, when the layer is made.

    Parameters
    ----------
    circuit : circuits.quantum.Circuit or QuantumCircuit
        Measurements in it are left out: the observables are. A qiskit circuit's parameters
        are elements of vectors named ``w`` (weights) and ``x`` (inputs).
    backend : BackendV2 or NoiseModel
        Such as ``circuits.quantum.device("FakeQuitoV2")``, with its noise of now. A simulator
        has the noise of its own option ``noise_model``; a noise model alone is a device of its
        basis gates whose qubits are all coupled.
    initial_layout : sequence of int, optional
        Physical qubit of each wire; None leaves the choice to qiskit.
    observables : object
        ``"z"`` for Z on each wire, or what :func:`circuits.quantum.pauli_sums.observables`
        takes. With read-out errors X and Y are read as on the device: strings that agree on the
        letter of each wire share a circuit, whose rotations to Z have their noise.
    optimization_level, seed_transpiler : int
        As for ``qiskit.transpile``.
    readout_error : bool
        Whether the expectations include errors of reading out.
    init : float or Tensor
        Half-width of the uniform start of the weights, or their values.
    seed : int or numpy.random.Generator
        For the random start.

    Attributes
    ----------
    weights : Parameter
        Shape ``(P,)``.
    measured_circuits : tuple of QuantumCircuit
        What runs on the device, with final measurements of wire ``k`` into bit ``k``: one
        circuit, or one for each basis in which strings with X and Y are read.
    """

    weights: nn.Parameter

    def __init__(
        self,
        circuit: Any,
        backend: Any,
        initial_layout: Sequence[int] | None = None,
        observables: Any = "z",
        optimization_level: int = 2,
        seed_transpiler: int = 42,
        readout_error: bool = True,
        *,
        init: float | Tensor = 0.3,
        seed: int | np.random.Generator = 0,
    ) -> None:
        super().__init__()
        noise = device_noise("NoisyQuantumLayer", backend)
        bare, n_weights, n_inputs = _parameterised(circuit)
        self.n_wires = bare.num_qubits
        self.n_inputs = n_inputs
        terms = parse_observables(observables, self.n_wires)
        bases = measured_bases(terms, bool(readout_error))
        self.measured_circuits = tuple(
            transpile_cached(
                measured_in(bare, basis.letters),
                backend,
                initial_layout,
                optimization_level,
                seed_transpiler,
            )
            for basis in bases
        )
        self._parts = []
        for basis, transpiled in zip(bases, self.measured_circuits, strict=True):
            table = parameter_table(transpiled, None, None, n_inputs, n_weights)
            read = read_circuit(transpiled, noise, table)
            physical = [read.measured[wire] for wire in range(self.n_wires)]
            seen = [physical[k] for k in observed_wires(basis.observables)]
            ops, active = visible_ops(read.ops, seen)
            active = active or {physical[0]}
            check_size(active)
            position = {q: i for i, q in enumerate(sorted(active))}
            confusion = readout_matrices(noise, physical, True) if readout_error else None
            rows = observable_rows(basis.observables, physical, position, confusion)
            program = write_program(ops, position, n_weights, n_inputs)
            self._parts.append((program, rows * read.trace))
        self.weights = nn.Parameter(_start(n_weights, init, seed))

    @property
    def transpiled(self) -> QuantumCircuit:
        """What runs on the device, final measurements of wire ``k`` into bit ``k`` included."""
        return self.measured_circuits[0]

    @property
    def n_observables(self) -> int:
        """Number of output columns."""
        return self._parts[0][1].shape[0]

    def forward(self, x: Tensor | None = None) -> Tensor:
        """Run the circuit.

        Parameters
        ----------
        x : Tensor, optional
            float32 or float64, ``(..., F)``; left out if the circuit has no inputs. Under
            ``torch.autocast`` also bfloat16 and float16, which are made float32 first.

        Returns
        -------
        Tensor
            ``(..., n_obs)`` in the dtype of ``x``, float32 where that was a half.
        """
        lead: tuple[int, ...] = ()
        if x is None:
            batch = self.weights.new_zeros(1, 0)
        else:
            batch = _full(x)
            lead = tuple(batch.shape[:-1])
            batch = batch[None] if batch.dim() == 1 else batch.flatten(0, -2)
        weights: Tensor = self.weights
        if batch.dtype in (torch.float32, torch.float64):
            weights = weights.to(batch.dtype)
        values = [operators.noisy_expectation(p, rows, weights, batch) for p, rows in self._parts]
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total.reshape(*lead, total.shape[-1])

    def extra_repr(self) -> str:
        """Sizes, for the module's repr."""
        return (
            f"n_wires={self.n_wires}, n_inputs={self.n_inputs}, n_weights={len(self.weights)}, "
            f"n_observables={self.n_observables}, gates={self.transpiled.size()}"
        )


def _full(values: Tensor) -> Tensor:
    """Half-precision values as float32 under autocast, as torch's own float32 operators do."""
    halves = (torch.bfloat16, torch.float16)
    if values.dtype in halves and torch.is_autocast_enabled(values.device.type):
        return values.float()
    return values


def device_noise(name: str, backend: Any) -> DeviceNoise:
    """The noise of what circuits can be transpiled to, or a TypeError in the caller's name."""
    noise = DeviceNoise.of(backend)
    if isinstance(backend, DeviceNoise) or (noise.target is None and noise.model is None):
        raise TypeError(
            f"{name}: backend must be a qiskit backend, such as device('FakeQuitoV2'), or a "
            f"qiskit_aer NoiseModel, got {type(backend).__name__}"
        )
    return noise


def _parameterised(circuit: Any) -> tuple[QuantumCircuit, int, int]:
    """A qiskit circuit without classical bits, and its numbers of weights and inputs."""
    from qiskit import QuantumCircuit

    n_weights = n_inputs = 0
    if not isinstance(circuit, QuantumCircuit):
        if not hasattr(circuit, "to_qiskit"):
            raise TypeError(
                "noise: circuit must be a circuits.quantum.Circuit or a qiskit QuantumCircuit, "
                f"got {type(circuit).__name__}"
            )
        n_weights, n_inputs = circuit.n_weights, circuit.n_inputs
        circuit = circuit.to_qiskit()
    for parameter in circuit.parameters:
        vector = getattr(parameter, "vector", None)
        if vector is not None and vector.name == "w":
            n_weights = max(n_weights, len(vector))
        elif vector is not None and vector.name == "x":
            n_inputs = max(n_inputs, len(vector))
        else:
            raise ValueError(
                f"noise: parameter {parameter.name!r} is of neither vector 'w' nor 'x': use "
                "Circuit.from_qiskit(circuit, inputs=..., weights=...)"
            )
    return without_measurements(circuit), n_weights, n_inputs


def without_measurements(circuit: QuantumCircuit) -> QuantumCircuit:
    """A circuit without its final measurements and without classical bits.

    Delays of a qubit after it is read go, too, and barriers at the end. Circuits without classical
    bits are returned as they are.

    Raises
    ------
    ValueError
        Naming the operation, for one that uses a classical bit before the end.
    """
    from qiskit import QuantumCircuit

    if not circuit.num_clbits:
        return circuit
    kept: list[Any] = []
    busy: set[Any] = set()
    read: set[Any] = set()
    waits: dict[Any, list[int]] = {}  # places in ``kept`` of delays at the end, by qubit
    for item in reversed(circuit.data):
        idle = busy.isdisjoint(item.qubits)
        if idle and item.name == "measure":
            qubit = item.qubits[0]
            for place in waits.pop(qubit, ()):
                kept[place] = None
            read.add(qubit)
            continue
        if idle and item.name == "barrier":
            continue
        if item.clbits:
            raise ValueError(
                f"noise: {item.name!r} must not use classical bits before the circuit's end, got "
                f"bits {[circuit.find_bit(c).index for c in item.clbits]}"
            )
        if idle and item.name == "delay" and item.qubits[0] not in read:
            waits.setdefault(item.qubits[0], []).append(len(kept))
        else:
            busy.update(item.qubits)
        kept.append(item)
    bare = QuantumCircuit(circuit.qubits, *circuit.qregs, global_phase=circuit.global_phase)
    for item in reversed(kept):
        if item is not None:
            bare._append(item)
    return bare


def measured_in(circuit: QuantumCircuit, letters: Mapping[int, str]) -> QuantumCircuit:
    """The circuit with wire k read into bit k, as Z or in the given letters."""
    from qiskit.circuit import Clbit

    full = circuit.copy()
    rotate_to_z(full, letters)
    n = full.num_qubits
    full.add_bits([Clbit() for _ in range(n)])
    full.measure(range(n), range(n))
    return full


def _start(count: int, init: float | Tensor, seed: int | np.random.Generator) -> Tensor:
    if isinstance(init, Tensor):
        if init.shape != (count,) or not init.is_floating_point():
            raise ValueError(
                f"NoisyQuantumLayer: init must be {count} real numbers, got {init.dtype} "
                f"{tuple(init.shape)}"
            )
        return init.detach().clone()
    if not 0 <= init < float("inf"):
        raise ValueError(f"NoisyQuantumLayer: init must be a half-width of 0 or more, got {init}")
    values = np.random.default_rng(seed).uniform(-init, init, count)
    return torch.tensor(values, dtype=torch.get_default_dtype())
