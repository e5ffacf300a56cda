# SPDX-License-Identifier: Apache-2.0
"""What a backend, a simulator or a noise model says of its noise, and whether it still says so.

Backends and noise models can be changed in place: properties updated, errors added, options
set. What is derived from one is therefore kept with a :class:`State`, everything that the noise
and the transpilation depend on, and used again only while the source is in that state.
"""

from __future__ import annotations

import copy
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from qiskit.providers import BackendV2
    from qiskit.transpiler import Target
    from qiskit_aer.noise import NoiseModel

__all__ = ["KeptByObject", "State", "model_of", "model_target", "snapshot", "state_of", "target_of"]

T = TypeVar("T")


class State(NamedTuple):
    """Everything that what is derived from a source depends on.

    Attributes
    ----------
    values : tuple
        Compared by value.
    objects : tuple
        Compared by identity, and kept alive so that no other object can have theirs: errors of a
        noise model and gates of a target, which are values in qiskit.
    """

    values: tuple[Any, ...]
    objects: tuple[Any, ...]

    def same(self, other: State) -> bool:
        """Whether nothing has changed."""
        return (
            self.values == other.values
            and len(self.objects) == len(other.objects)
            and all(a is b for a, b in zip(self.objects, other.objects, strict=True))
        )


class KeptByObject(Generic[T]):
    """One derived value for each live object, as long as the object is in the same state.

    Objects are told apart by identity: some backends and all noise models have an ``__eq__`` of
    their own, and noise models no hash. May be used from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._kept: dict[int, tuple[weakref.ref[Any], State, T]] = {}

    def get(self, source: Any, state: State, make: Callable[[], T]) -> T:
        """The value kept with the source in this state, made where there is none."""
        key = id(source)
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found[0]() is source and found[1].same(state):
                return found[2]
            value = make()
            self._kept[key] = (
                weakref.ref(source, lambda ref: self._forget(key, ref)),
                state,
                value,
            )
            return value

    def _forget(self, key: int, ref: weakref.ref[Any]) -> None:
        # A new object may have the number of one that is gone, and an entry of its own.
        found = self._kept.get(key)
        if found is not None and found[0] is ref:
            del self._kept[key]


def model_of(source: BackendV2 | NoiseModel) -> NoiseModel | None:
    """The noise that running on the source would have; None for none.

    A noise model is its own. A simulator has the model of its option ``noise_model``, whatever
    device it was made from, and no noise without one. Any other backend has the model of that
    option where it is set, and else the one that qiskit-aer derives from its properties.
    """
    from qiskit_aer.backends.aerbackend import AerBackend
    from qiskit_aer.noise import NoiseModel

    if isinstance(source, NoiseModel):
        return source
    model = getattr(source.options, "noise_model", None)
    if model is not None and not isinstance(model, NoiseModel):
        raise TypeError(
            "noise: the backend's option noise_model must be a qiskit_aer NoiseModel, got "
            f"{type(model).__name__}"
        )
    if model is not None or isinstance(source, AerBackend):
        return model
    return NoiseModel.from_backend(source)


def target_of(source: BackendV2) -> Target:
    """The target that circuits for a backend are transpiled to, its coupling map in it.

    Raises
    ------
    ValueError
        For options of a simulator that it ignores itself.
    """
    from qiskit_aer.backends.aerbackend import AerBackend

    if not isinstance(source, AerBackend):
        return source.target
    if not source._from_backend:
        pairs = source.configuration().coupling_map
        return source.target if pairs is None else _coupled(source.target, pairs)
    for name in ("basis_gates", "coupling_map", "n_qubits"):
        if name in source._options_configuration:
            raise ValueError(
                f"noise: the simulator's option {name} must not be set, got "
                f"{source._options_configuration[name]!r}: a simulator made from a backend "
                "ignores it"
            )
    return source.target


def _coupled(target: Target, pairs: Iterable[Sequence[int]]) -> Target:
    """A target of gates on any qubits, those on two kept to the pairs and larger ones left out.

    The target of a simulator does not hold its coupling map.
    """
    from qiskit.transpiler import Target

    n = target.num_qubits
    known = {1: {(q,): None for q in range(n)}, 2: {(int(a), int(b)): None for a, b in pairs}}
    coupled = Target(num_qubits=n, dt=target.dt)
    for name in target.operation_names:
        operation = target.operation_from_name(name)
        if isinstance(operation, type):
            coupled.add_instruction(operation, name=name)
        elif operation.num_qubits in known:
            coupled.add_instruction(operation, known[operation.num_qubits], name=name)
    return coupled


def model_target(model: NoiseModel, n_qubits: int) -> Target:
    """The basis gates of a noise model on so many qubits, every pair of them coupled."""
    from qiskit.circuit.library import get_standard_gate_name_mapping
    from qiskit.transpiler import Target

    known = get_standard_gate_name_mapping()
    target = Target(num_qubits=n_qubits)
    for name in sorted({*model.basis_gates, "measure", "delay", "reset"} & known.keys()):
        target.add_instruction(known[name], name=name)
    return target


def snapshot(model: NoiseModel) -> NoiseModel:
    """A noise model of the same errors that additions to the other do not reach."""
    copied = copy.copy(model)
    copied._basis_gates = set(model._basis_gates)
    copied._default_quantum_errors = dict(model._default_quantum_errors)
    copied._local_quantum_errors = {k: dict(v) for k, v in model._local_quantum_errors.items()}
    copied._local_readout_errors = dict(model._local_readout_errors)
    copied._custom_noise_passes = list(model._custom_noise_passes)
    return copied


def state_of(source: BackendV2 | NoiseModel) -> State:
    """The state of a backend or a noise model."""
    from qiskit_aer.backends.aerbackend import AerBackend
    from qiskit_aer.noise import NoiseModel

    if isinstance(source, NoiseModel):
        return _state_of_model(source)
    model = getattr(source.options, "noise_model", None)
    noise = _state_of_model(model) if isinstance(model, NoiseModel) else State((), (model,))
    if isinstance(source, AerBackend) and not source._from_backend:
        configuration = source.configuration()
        pairs = configuration.coupling_map
        machine = State(
            (
                configuration.n_qubits,
                tuple(configuration.basis_gates),
                None if pairs is None else tuple(tuple(pair) for pair in pairs),
            ),
            (),
        )
    else:
        machine = _state_of_target(source.target)
    return State((noise.values, machine.values), (*noise.objects, *machine.objects))


def _state_of_model(model: NoiseModel) -> State:
    default, local = model._default_quantum_errors, model._local_quantum_errors
    values = (
        frozenset(model._basis_gates),
        tuple(default),
        tuple((name, tuple(errors)) for name, errors in local.items()),
        tuple(model._local_readout_errors),
    )
    objects = [*default.values()]
    for errors in local.values():
        objects.extend(errors.values())
    objects.append(model._default_readout_error)
    objects.extend(model._local_readout_errors.values())
    objects.extend(model._custom_noise_passes)
    return State(values, tuple(objects))


def _state_of_target(target: Target) -> State:
    values: list[Any] = [target.num_qubits, target.dt]
    for qubit in target.qubit_properties or ():
        values.append(None if qubit is None else (qubit.t1, qubit.t2, qubit.frequency))
    objects = []
    for name in target.operation_names:
        values.append(name)
        objects.append(target.operation_from_name(name))
        for qubits, known in (target[name] or {}).items():
            values.append((qubits, known and known.error, known and known.duration))
    return State(tuple(values), tuple(objects))
