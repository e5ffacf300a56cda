# SPDX-License-Identifier: Apache-2.0
"""QuantumNAS: search of a noise-robust circuit together with its mapping onto a device.

After H. Wang et al., "QuantumNAS: Noise-Adaptive Search for Robust Quantum Circuits", HPCA 2022.
The names below are imported when they are first used; see docs/systems/quantumnas.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.quantum.quantumnas.config import Config, Setting
    from circuits.quantum.quantumnas.evaluation import Scene, scene
    from circuits.quantum.quantumnas.experiment import EXPERIMENT
    from circuits.quantum.quantumnas.pruning import prune_and_finetune
    from circuits.quantum.quantumnas.search import Candidate
    from circuits.quantum.quantumnas.spaces import DesignSpace, Layer, design_space
    from circuits.quantum.quantumnas.supercircuit import SuperCircuit, train_supercircuit
    from circuits.quantum.quantumnas.tasks import Task, load_task
    from circuits.quantum.quantumnas.training import Trainable, train
    from circuits.quantum.quantumnas.verdict import aer_verdict

_MODULES = {
    "EXPERIMENT": "experiment",
    "Candidate": "search",
    "Config": "config",
    "DesignSpace": "spaces",
    "Layer": "spaces",
    "Scene": "evaluation",
    "Setting": "config",
    "SuperCircuit": "supercircuit",
    "Task": "tasks",
    "Trainable": "training",
    "aer_verdict": "verdict",
    "design_space": "spaces",
    "load_task": "tasks",
    "prune_and_finetune": "pruning",
    "scene": "evaluation",
    "train": "training",
    "train_supercircuit": "supercircuit",
}

__all__ = [
    "EXPERIMENT",
    "Candidate",
    "Config",
    "DesignSpace",
    "Layer",
    "Scene",
    "Setting",
    "SuperCircuit",
    "Task",
    "Trainable",
    "aer_verdict",
    "design_space",
    "load_task",
    "prune_and_finetune",
    "scene",
    "train",
    "train_supercircuit",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
