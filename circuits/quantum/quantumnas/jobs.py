# SPDX-License-Identifier: Apache-2.0
"""The units of work that worker processes do; each depends on its arguments alone.

What they return are trees of plain values and arrays, which a run can store. What is heavy is
imported within them: the main process only names them, and shall show progress at once.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from circuits.quantum.quantumnas.baselines import Placement
from circuits.quantum.quantumnas.config import (
    PruningConfig,
    Setting,
    SuperCircuitConfig,
    TrainingConfig,
)
from circuits.quantum.quantumnas.pairs import pair_gates, two_qubit_gates
from circuits.quantum.quantumnas.region import best_region
from circuits.quantum.quantumnas.spaces import Architecture, gate_count
from circuits.quantum.quantumnas.subcircuit import simplified

if TYPE_CHECKING:
    from circuits.quantum.quantumnas.evaluation import Scene
    from circuits.quantum.quantumnas.pruning import Unit

__all__ = [
    "compare_depths",
    "compare_layouts",
    "describe_device",
    "judge",
    "load",
    "prune",
    "train_super",
    "train_trial",
    "trained_pairs",
]

Vector = NDArray[np.float64]


def _scene(setting: Setting) -> Scene:
    from circuits.quantum.quantumnas.evaluation import scene

    return scene(setting)


def load(setting: Setting) -> None:
    """Load what the other jobs need, and make the setting ready."""
    import qiskit_aer.noise  # noqa: F401

    from circuits.quantum.noise_model import DeviceNoise

    DeviceNoise.of(_scene(setting).backend)


def describe_device(setting: Setting, region: int) -> dict[str, Any]:
    """Return the device's qubits, couplings, calibrated errors, and its region to search in."""
    backend = _scene(setting).backend
    target = backend.target
    gates = pair_gates(target)
    couplings: dict[tuple[int, int], float] = {}
    for errors in gates.values():
        worst: dict[tuple[int, int], float] = {}
        for (a, b), error in errors.items():
            pair = (min(a, b), max(a, b))
            worst[pair] = max(worst.get(pair, 0.0), float(error or 0.0))
        # The transpiler takes the better of two gates that serve alike.
        for pair, error in worst.items():
            couplings[pair] = min(couplings.get(pair, error), error)
    edges = [(a, b, error) for (a, b), error in sorted(couplings.items())]
    readout_errors = _errors(target, "measure", backend.num_qubits)
    return {
        "name": setting.device,
        "n_qubits": int(backend.num_qubits),
        "region": best_region(backend.num_qubits, edges, readout_errors, region),
        "couplings": [list(edge) for edge in edges],
        "readout_errors": readout_errors,
        "sx_errors": _errors(target, "sx", backend.num_qubits),
        "pair_gates": list(gates),
    }


def _errors(target: Any, name: str, n_qubits: int) -> list[float]:
    """Return a gate's calibrated error by qubit: 0 where none is known, 1 where it is missing."""
    on = (target[name] if name in target.operation_names else None) or {}
    found = []
    for qubit in range(n_qubits):
        known = on.get((qubit,))
        missing = bool(on) and (qubit,) not in on
        found.append(1.0 if missing else float((known and known.error) or 0.0))
    return found


def train_super(setting: Setting, how: SuperCircuitConfig) -> dict[str, Any]:
    """Train the SuperCircuit; see `train_supercircuit`."""
    from circuits.quantum.quantumnas.supercircuit import train_supercircuit

    here = _scene(setting)
    return train_supercircuit(here.space, here.task, here.data, how, seed=setting.seed)


def train_trial(
    setting: Setting,
    architecture: Architecture,
    placements: Mapping[str, Placement],
    how: TrainingConfig,
    seed: Sequence[int],
) -> dict[str, Any]:
    """Train a SubCircuit from scratch and score it on the validation samples in placements.

    Returns
    -------
    dict
        ``weights``; ``clean``, its loss without noise; ``noisy``, its loss by placement.
    """
    from circuits.quantum.quantumnas.training import train

    here = _scene(setting)
    trainable = here.trainable(architecture)
    weights = train(trainable, here.data.train, how, seed=seed)
    gates = here.gates(architecture, weights)
    noisy = {
        key: here.noisy_score(here.on_device(gates, p.layout, p.level), "valid", p.level).loss
        for key, p in placements.items()
    }
    clean = trainable.score(weights, here.data.valid).loss
    return {"weights": weights, "clean": clean, "noisy": noisy}


def prune(
    setting: Setting,
    architecture: Architecture,
    layout: tuple[int, ...],
    weights: Vector,
    how: PruningConfig,
    training: TrainingConfig,
    unit: Unit,
    amount: float,
) -> dict[str, Any]:
    """Prune and finetune a trained SubCircuit, simplify it and score what is left.

    Returns
    -------
    dict
        ``weights``; ``unit`` and ``amount``; counts of ``angles``, ``gates`` and ``cx`` left;
        ``valid``, the noisy validation loss; ``clean`` and ``noisy``, test losses.
    """
    from circuits.quantum.quantumnas.pruning import prune_and_finetune

    here = _scene(setting)
    pruned = prune_and_finetune(
        here.space,
        architecture,
        here.trainable(architecture),
        here.data.train,
        weights,
        how,
        training,
        unit=unit,
        amount=amount,
        seed=(setting.seed, 6),
    )
    gates = simplified(here.gates(architecture, pruned))
    transpiled = here.on_device(gates, layout)
    return {
        "weights": pruned,
        "unit": unit,
        "amount": amount,
        "angles": int(np.count_nonzero(pruned)),
        "gates": len(gates),
        "cx": two_qubit_gates(transpiled),
        "valid": here.noisy_score(transpiled, "valid").loss,
        "clean": here.clean_score(gates, "test").loss,
        "noisy": here.noisy_score(transpiled, "test").loss,
    }


def judge(
    setting: Setting,
    architecture: Architecture,
    weights: Vector,
    placement: Placement,
    shots: int,
    simplify: bool = False,
) -> dict[str, Any]:
    """Let qiskit-aer judge a trained SubCircuit on the test samples; see `aer_verdict`."""
    from circuits.quantum.quantumnas.verdict import aer_verdict

    here = _scene(setting)
    gates = here.gates(architecture, weights)
    if simplify:
        gates = simplified(gates)
    found = aer_verdict(
        here, gates, placement.layout, level=placement.level, shots=shots, seed=setting.seed
    )
    return {
        "gates": len(gates),
        "parameters": int(np.count_nonzero(weights)) if simplify else len(weights),
        "cx": found.cx,
        "depth": found.depth,
        "layout": list(found.layout),
        "clean_loss": found.clean.loss,
        "clean_accuracy": found.clean.accuracy,
        "noisy_loss": found.noisy.loss,
        "noisy_accuracy": found.noisy.accuracy,
        "sampled_loss": found.sampled.loss,
        "sampled_accuracy": found.sampled.accuracy,
        "difference": found.difference,
    }


def trained_pairs(
    setting: Setting,
    supercircuit_weights: Vector,
    architectures: Sequence[Architecture],
    how: TrainingConfig,
    first: int,
) -> dict[str, list[float]]:
    """Return losses of SubCircuits with inherited and with scratch-trained angles.

    Validation losses without noise (``inherited``, ``scratch``) and under it, with wire k on
    qubit k (``noisy_inherited``, ``noisy_scratch``). `first` numbers the first one, for the
    seeds of training.
    """
    from circuits.quantum.quantumnas.supercircuit import SuperCircuit
    from circuits.quantum.quantumnas.training import train

    here = _scene(setting)
    supercircuit = SuperCircuit(here.space, here.n_wires)
    straight = tuple(range(here.n_wires))
    found: dict[str, list[float]] = {
        "inherited": [],
        "scratch": [],
        "noisy_inherited": [],
        "noisy_scratch": [],
    }
    for number, architecture in enumerate(architectures, start=first):
        trainable = here.trainable(architecture)
        own = supercircuit.inherited(supercircuit_weights, architecture)
        trained = train(trainable, here.data.train, how, seed=(setting.seed, 8, number))
        for name, weights in (("inherited", own), ("scratch", trained)):
            found[name].append(trainable.score(weights, here.data.valid).loss)
            transpiled = here.on_device(here.gates(architecture, weights), straight)
            found[f"noisy_{name}"].append(here.noisy_score(transpiled, "valid").loss)
    return found


def compare_depths(setting: Setting, blocks: int, how: TrainingConfig) -> dict[str, float]:
    """Train the human design of some blocks; test losses and accuracies, clean and noisy."""
    from circuits.quantum.quantumnas.training import train

    here = _scene(setting)
    architecture = here.space.full(here.n_wires, blocks)
    trainable = here.trainable(architecture)
    weights = train(trainable, here.data.train, how, seed=(setting.seed, 9, blocks))
    transpiled = here.on_device(here.gates(architecture, weights), tuple(range(here.n_wires)))
    clean = trainable.score(weights, here.data.test)
    noisy = here.noisy_score(transpiled, "test")
    return {
        "blocks": blocks,
        "gates": gate_count(architecture),
        "cx": two_qubit_gates(transpiled),
        "clean_loss": clean.loss,
        "clean_accuracy": clean.accuracy,
        "noisy_loss": noisy.loss,
        "noisy_accuracy": noisy.accuracy,
    }


def compare_layouts(
    setting: Setting,
    architecture: Architecture,
    weights: Vector,
    region: Sequence[int],
    limit: int,
) -> dict[str, Any]:
    """Return the noisy validation loss of one trained circuit in many mappings.

    All mappings into the region, or `limit` drawn at random where there are more.
    """
    here = _scene(setting)
    gates = here.gates(architecture, weights)
    layouts = _layouts(region, here.n_wires, limit, setting.seed)
    losses = [here.noisy_score(here.on_device(gates, own), "valid").loss for own in layouts]
    return {"layouts": [list(layout) for layout in layouts], "losses": losses}


def _layouts(region: Sequence[int], n_wires: int, limit: int, seed: int) -> list[tuple[int, ...]]:
    if math.perm(len(region), n_wires) <= limit:
        return list(itertools.permutations(region, n_wires))
    rng = np.random.default_rng([seed, 7])
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < limit:
        drawn[tuple(rng.choice(list(region), n_wires, replace=False).tolist())] = None
    return list(drawn)
