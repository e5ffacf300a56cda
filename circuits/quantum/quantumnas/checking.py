# SPDX-License-Identifier: Apache-2.0
"""Refusing a config before any work."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from circuits.quantum.quantumnas.config import Config
from circuits.quantum.quantumnas.pairs import pair_gates
from circuits.quantum.quantumnas.sampling import SAMPLINGS
from circuits.quantum.quantumnas.spaces import design_space
from circuits.quantum.quantumnas.tasks import task
from workbench.distribution import MissingExtraError

__all__ = ["check_config"]

_PACKAGES = ("qiskit", "qiskit_aer", "qiskit_ibm_runtime", "sklearn")


def check_config(config: Config) -> None:
    """Raise ValueError or ImportError for a config that cannot be run; see `experiment.check`."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtraError(f"quantumnas needs {', '.join(missing)}", "quantum")
    _check_numbers(config)
    chosen = task(config.task)
    space = design_space(config.space, n_blocks=config.blocks)
    if config.supercircuit.sampling not in SAMPLINGS:
        raise ValueError(
            f"supercircuit.sampling is {config.supercircuit.sampling!r}; known are "
            f"{', '.join(SAMPLINGS)}"
        )
    largest = sum(len(layer.positions(chosen.n_wires)) for layer in space.layers)
    for size in config.checks.sizes:
        if not len(space.block) <= size <= largest:
            raise ValueError(
                f"checks.sizes has {size}; SubCircuits have {len(space.block)} to {largest} gates"
            )
    for blocks in config.checks.blocks:
        if not 1 <= blocks <= config.blocks:
            raise ValueError(f"checks.blocks has {blocks}; expected 1 to {config.blocks}")
    _check_device(config.device, chosen.n_wires, config.search.region)


def _check_device(name: str, n_wires: int, region: int) -> None:
    from circuits.quantum.devices import device, devices

    if name not in devices():
        # Short names are understood elsewhere, but one device shall have one run folder.
        canonical = type(device(name)).__name__
        raise ValueError(f"device: unknown device {name!r}; did you mean {canonical!r}?")
    backend = device(name)
    if region < n_wires:
        raise ValueError(f"search.region is {region}; the task needs {n_wires} qubits or more")
    if backend.num_qubits < n_wires:
        raise ValueError(
            f"device {name!r} has {backend.num_qubits} qubits; the task needs {n_wires}"
        )
    if n_wires > 1 and not pair_gates(backend.target):
        raise ValueError(
            f"device: {name!r} must have a gate on two qubits, got "
            f"{', '.join(sorted(backend.target.operation_names))}"
        )


def _check_numbers(config: Config) -> None:
    counts = {
        "seeds": config.seeds,
        "blocks": config.blocks,
        "shots": config.shots,
        "supercircuit.steps": config.supercircuit.steps,
        "supercircuit.batch": config.supercircuit.batch,
        "supercircuit.n-diffs": config.supercircuit.n_diffs,
        "search.generations": config.search.generations,
        "search.parents": config.search.parents,
        "training.candidates": config.training.candidates,
        "training.random-circuits": config.training.random_circuits,
        "training.epochs": config.training.epochs,
        "training.batch": config.training.batch,
        "pruning.epochs": config.pruning.epochs,
        "checks.per-size": config.checks.per_size,
        "checks.layouts": config.checks.layouts,
    }
    for name, count in counts.items():
        if count < 1:
            raise ValueError(f"{name} is {count}; expected 1 or more")
    if config.workers < 0:
        raise ValueError(f"workers is {config.workers}; expected 0 or more")
    search, training = config.search, config.training
    if search.mutations < 0 or search.population <= search.parents + search.mutations - 1:
        raise ValueError(
            f"search.population is {search.population}; expected search.parents + "
            f"search.mutations, {search.parents + search.mutations}, or more"
        )
    if search.evaluations < training.candidates:
        raise ValueError(
            f"training.candidates is {training.candidates}; the searches evaluate only "
            f"{search.evaluations}"
        )
    if training.candidates % training.random_circuits:
        raise ValueError(
            f"training.random-circuits is {training.random_circuits}; expected a divisor of "
            f"training.candidates, {training.candidates}, so that all are trained equally often"
        )
    shares = (
        *_named("pruning.angles", config.pruning.angles),
        *_named("pruning.gates", config.pruning.gates),
        ("pruning.start", config.pruning.start),
    )
    for name, share in shares:
        if not 0.0 <= share < 1.0:
            raise ValueError(f"{name} has {share}; expected 0 to below 1")
    if not config.pruning.angles and not config.pruning.gates:
        raise ValueError("pruning: angles and gates are both empty; expected a share in one")
    if not config.checks.sizes:
        raise ValueError("checks.sizes is empty; expected gate counts")


def _named(name: str, shares: Sequence[float]) -> list[tuple[str, float]]:
    return [(name, share) for share in shares]
