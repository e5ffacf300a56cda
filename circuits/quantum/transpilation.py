# SPDX-License-Identifier: Apache-2.0
"""Transpilation with pass managers that are built once per layout and kept."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2
    from qiskit.transpiler import StagedPassManager

__all__ = ["checked_layout", "transpile_cached"]

# Building a pass manager costs more than running it on a small circuit; a search over a large
# device's layouts must not keep all of them.
_KEPT_PER_BACKEND = 256
_MANAGERS: weakref.WeakKeyDictionary[Any, OrderedDict[Any, StagedPassManager]] = (
    weakref.WeakKeyDictionary()
)


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
    backend: BackendV2,
    layout: Sequence[int] | None = None,
    optimization_level: int = 2,
    seed_transpiler: int = 42,
) -> QuantumCircuit:
    """Transpile for a device; the result of ``qiskit.transpile``, sooner.

    Parameters
    ----------
    circuit : QuantumCircuit
    backend : BackendV2
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
    """
    if circuit.num_qubits > backend.num_qubits:
        raise ValueError(
            f"transpile_cached: circuit has {circuit.num_qubits} qubits, the device only "
            f"{backend.num_qubits}"
        )
    physical = None
    if layout is not None:
        physical = checked_layout(layout, circuit.num_qubits, backend.num_qubits)
    managers = _MANAGERS.get(backend)
    if managers is None:
        managers = _MANAGERS[backend] = OrderedDict()
    key = (physical, optimization_level, seed_transpiler)
    manager = managers.get(key)
    if manager is None:
        from qiskit.transpiler import generate_preset_pass_manager

        manager = generate_preset_pass_manager(
            optimization_level=optimization_level,
            backend=backend,
            initial_layout=None if physical is None else list(physical),
            seed_transpiler=seed_transpiler,
        )
        managers[key] = manager
        if len(managers) > _KEPT_PER_BACKEND:
            managers.popitem(last=False)
    else:
        managers.move_to_end(key)
    transpiled: QuantumCircuit = manager.run(circuit)
    if not isinstance(transpiled.global_phase, float | int):
        transpiled.global_phase = 0.0
    return transpiled
