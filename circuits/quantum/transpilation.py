# SPDX-License-Identifier: Apache-2.0
"""Transpilation with pass managers that are built once per layout and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from circuits.quantum.noise_model import DeviceNoise
from circuits.quantum.noise_sources import model_target

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2
    from qiskit.transpiler import StagedPassManager
    from qiskit_aer.noise import NoiseModel

__all__ = ["checked_layout", "transpile_cached"]

# Building a pass manager costs more than running it on a small circuit; a search over a large
# device's layouts must not keep all of them.
_KEPT_PER_BACKEND = 256


def checked_layout(layout: Sequence[int], n_wires: int, n_qubits: int) -> tuple[int, ...]:
    """A layout as a tuple, checked: one distinct physical qubit for each wire."""
    physical = tuple(int(q) for q in layout)
    if len(physical) != n_wires:
        raise ValueError(
            f"layout: expected {n_wires} physical qubits, one per wire, got {len(physical)}"
        )
    for wire, qubit in enumerate(physical):
        if not 0 <= qubit < n_qubits:
            raise ValueError(
                f"layout: wire {wire} is on qubit {qubit}; the device has qubits 0 to "
                f"{n_qubits - 1}"
            )
    if len(set(physical)) != n_wires:
        raise ValueError(f"layout: {list(physical)} names a qubit twice")
    return physical


def transpile_cached(
    circuit: QuantumCircuit,
    backend: BackendV2 | NoiseModel,
    layout: Sequence[int] | None = None,
    optimization_level: int = 2,
    seed_transpiler: int = 42,
) -> QuantumCircuit:
    """Transpile for a device; the result of ``qiskit.transpile``, sooner.

    Parameters
    ----------
    circuit : QuantumCircuit
    backend : BackendV2 or NoiseModel
        A noise model is taken for a device of its basis gates with as many qubits as the
        circuit and the layout need, all of them coupled.
    layout : sequence of int, optional
        Entry ``k`` is the physical qubit of wire ``k``; None leaves the choice to qiskit.
    optimization_level, seed_transpiler : int
        As for ``qiskit.transpile``.

    Returns
    -------
    QuantumCircuit
        On the device's qubits. A global phase that is an expression of unbound parameters is
        dropped: no measurement sees it, and qiskit 2.6 takes minutes to bind one of 50
        parameters.

    Notes
    -----
    May be called from several threads; those that use the same device wait for each other.
    """
    noise = DeviceNoise.of(backend)
    n_qubits = getattr(backend, "num_qubits", None)
    if n_qubits is None:
        n_qubits = max([circuit.num_qubits - 1, *(layout or ())]) + 1
    if circuit.num_qubits > n_qubits:
        raise ValueError(
            f"transpile_cached: circuit has {circuit.num_qubits} qubits, the device only {n_qubits}"
        )
    physical = None
    if layout is not None:
        physical = checked_layout(layout, circuit.num_qubits, n_qubits)
    # A pass manager is changed by its runs, and refuses to be run by two threads at once.
    with noise.lock:
        manager = _manager(
            noise, backend, n_qubits, (physical, optimization_level, seed_transpiler)
        )
        transpiled: QuantumCircuit = manager.run(circuit)
    if not isinstance(transpiled.global_phase, float | int):
        transpiled.global_phase = 0.0
    return transpiled


def _manager(
    noise: DeviceNoise,
    backend: BackendV2 | NoiseModel,
    n_qubits: int,
    choice: tuple[tuple[int, ...] | None, int, int],
) -> StagedPassManager:
    """The pass manager of a choice of layout, level and seed, for the device as it is now."""
    managers = noise.managers
    key = (n_qubits, *choice)
    manager = managers.get(key)
    if manager is not None:
        managers.move_to_end(key)
        return manager
    from qiskit.transpiler import generate_preset_pass_manager

    physical, level, seed = choice
    machine: dict[str, Any] = {"backend": backend}
    if noise.model is not None and noise.target is None:
        machine = {"target": model_target(noise.model, n_qubits)}
    elif noise.target is not None and hasattr(backend, "_options_configuration"):
        # qiskit would take the simulator's own target, which forgets its coupling map.
        machine = {"target": noise.target}
    manager = generate_preset_pass_manager(
        optimization_level=level,
        initial_layout=None if physical is None else list(physical),
        seed_transpiler=seed,
        **machine,
    )
    managers[key] = manager
    if len(managers) > _KEPT_PER_BACKEND:
        managers.popitem(last=False)
    return manager
