# SPDX-License-Identifier: Apache-2.0
"""SuperCircuit training: optimiser, sampling, and that only what is sampled is moved."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from circuits.quantum.quantumnas import supercircuit as module
from circuits.quantum.quantumnas.config import SuperCircuitConfig
from circuits.quantum.quantumnas.optimizer import Adam, warmup_cosine
from circuits.quantum.quantumnas.sampling import Sampler
from circuits.quantum.quantumnas.spaces import Architecture, design_space, gate_count
from circuits.quantum.quantumnas.supercircuit import SuperCircuit, train_supercircuit
from circuits.quantum.quantumnas.tasks import Dataset, Split, load_task, task
from circuits.quantum.quantumnas.training import Trainable

SPACE = design_space("u3cu3", n_blocks=3)
TASK = task("digits-4")


def small_data() -> Dataset:
    data = load_task("digits-4", 0)
    return Dataset(*(Split(p.x[:24], p.y[:24]) for p in (data.train, data.valid, data.test)))


def test_adam_is_torchs_adam_with_gradients_of_none() -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=6)
    ours, optimizer = start.copy(), Adam(6, weight_decay=0.1)
    parameters = [torch.nn.Parameter(torch.tensor(start[2 * i : 2 * i + 2])) for i in range(3)]
    theirs = torch.optim.Adam(parameters, weight_decay=0.1)
    for step in range(40):
        gradient = rng.normal(size=6)
        used = [i for i in range(3) if rng.random() < 0.6]
        rate = warmup_cosine(step, 40, 5, 0.1)
        indices = np.array([j for i in used for j in (2 * i, 2 * i + 1)], dtype=np.int64)
        optimizer.step(ours, gradient[indices], rate, indices)
        for i, parameter in enumerate(parameters):
            slope = torch.tensor(gradient[2 * i : 2 * i + 2])
            parameter.grad = slope if i in used else None
        theirs.param_groups[0]["lr"] = rate
        theirs.step()
    expected = torch.cat([p.detach() for p in parameters]).numpy()
    assert np.abs(ours - expected).max() < 1e-12


def test_the_rate_rises_linearly_and_falls_as_a_cosine() -> None:
    rates = [warmup_cosine(step, 110, 10, 1.0) for step in range(110)]
    assert rates[:10] == pytest.approx([(i + 1) / 10 for i in range(10)])
    assert rates[10] == 1.0
    assert rates[60] == pytest.approx(0.5)
    assert 0 < rates[-1] < 1e-3


def test_every_gate_owns_its_angles() -> None:
    supercircuit = SuperCircuit(SPACE, 4)
    assert supercircuit.n_weights == 3 * 24
    assert np.array_equal(supercircuit.indices(SPACE.full(4)), np.arange(72))
    part: Architecture = ((0, 1), (0,), (0,), (0, 1, 2, 3))
    assert np.array_equal(
        supercircuit.indices(part), [*range(6), *range(12, 15), *range(24, 27), *range(36, 48)]
    )


def test_inherited_angles_give_what_the_supercircuits_gates_give() -> None:
    supercircuit = SuperCircuit(SPACE, 4)
    rng = np.random.default_rng(1)
    weights = rng.uniform(-1, 1, supercircuit.n_weights)
    part: Architecture = ((0, 1, 2), (0, 1, 2, 3), (0,), (0,))
    # Gates left out are identities: the SuperCircuit with their angles at zero.
    masked = np.zeros_like(weights)
    masked[supercircuit.indices(part)] = supercircuit.inherited(weights, part)
    x = load_task("digits-4", 0).valid.x[:5]
    own = Trainable(SPACE, part, TASK).expectations(supercircuit.inherited(weights, part), x)
    whole = Trainable(SPACE, SPACE.full(4), TASK).expectations(masked, x)
    assert np.abs(own - whole).max() < 1e-12


@pytest.mark.parametrize("weight_decay", [0.0, 0.5])
def test_a_step_leaves_unsampled_angles_bit_identical(
    monkeypatch: pytest.MonkeyPatch, weight_decay: float
) -> None:
    sampled: list[Architecture] = []
    snapshots: list[np.ndarray] = []
    original = Sampler.next

    def recorded(self: Sampler) -> Architecture:
        sampled.append(original(self))
        return sampled[-1]

    class Recording(Adam):
        def step(self, weights, gradient, rate, indices=slice(None)):  # type: ignore[no-untyped-def]
            snapshots.append(weights.copy())
            super().step(weights, gradient, rate, indices)

    monkeypatch.setattr(Sampler, "next", recorded)
    monkeypatch.setattr(module, "Adam", Recording)
    how = SuperCircuitConfig(steps=12, batch=8, rate=0.1, weight_decay=weight_decay)
    found = train_supercircuit(SPACE, TASK, small_data(), how, seed=0)
    snapshots.append(found["weights"])
    supercircuit = SuperCircuit(SPACE, 4)
    assert len(sampled) == 12
    for architecture, before, after in zip(sampled, snapshots[:-1], snapshots[1:], strict=True):
        used = np.zeros(supercircuit.n_weights, dtype=bool)
        used[supercircuit.indices(architecture)] = True
        assert before[~used].tobytes() == after[~used].tobytes()
        assert (before[used] != after[used]).any()


def test_training_is_a_function_of_the_seed_and_lowers_the_loss() -> None:
    how = SuperCircuitConfig(steps=60, batch=24, rate=0.05)
    data = small_data()
    first = train_supercircuit(SPACE, TASK, data, how, seed=0)
    again = train_supercircuit(SPACE, TASK, data, how, seed=0)
    other = train_supercircuit(SPACE, TASK, data, how, seed=1)
    assert first["weights"].tobytes() == again["weights"].tobytes()
    assert first["history"] == again["history"]
    assert not np.array_equal(first["weights"], other["weights"])
    assert first["history"][0]["step"] == 0
    assert first["history"][-1]["step"] == 60
    largest = "largest (24 gates)"
    assert first["history"][-1][largest] < first["history"][0][largest]


def genes(architecture: Architecture) -> dict[str, int]:
    return SPACE.genome(architecture)


@pytest.mark.parametrize("kind", ["restricted", "progressive"])
def test_successive_samples_differ_in_at_most_n_diffs_genes(kind: str) -> None:
    sampler = Sampler(SPACE, 4, kind, steps=200, seed=0, n_diffs=2)  # type: ignore[arg-type]
    samples = [genes(sampler.next()) for _ in range(200)]
    for before, after in itertools.pairwise(samples):
        common = before.keys() & after.keys()
        assert sum(before[name] != after[name] for name in common) <= 2
    assert len({tuple(sorted(sample.items())) for sample in samples}) > 20


def test_a_progressive_sampler_starts_whole_and_never_shrinks_back() -> None:
    sampler = Sampler(SPACE, 4, "progressive", steps=90, seed=0, n_diffs=7, shrink_share=0.9)
    least, blocks = [], []
    for _ in range(90):
        least.append(sampler.least_blocks)
        blocks.append(genes(sampler.next())["blocks"])
    assert least[0] == 3
    assert least[-1] == 1
    assert all(a >= b for a, b in itertools.pairwise(least))
    assert all(own >= bound for own, bound in zip(blocks, least, strict=True))
    first = Sampler(SPACE, 4, "progressive", steps=90, seed=5).next()
    assert gate_count(first) == 24


def test_a_plain_sampler_reaches_every_depth() -> None:
    sampler = Sampler(SPACE, 4, "plain", steps=60, seed=0)
    assert {genes(sampler.next())["blocks"] for _ in range(60)} == {1, 2, 3}


def test_bad_samplers_are_named() -> None:
    with pytest.raises(ValueError, match="unknown kind 'all'; known are plain, restricted"):
        Sampler(SPACE, 4, "all", steps=1, seed=0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n_diffs is 0"):
        Sampler(SPACE, 4, "plain", steps=1, seed=0, n_diffs=0)
    with pytest.raises(ValueError, match="shrink_share is 2"):
        Sampler(SPACE, 4, "plain", steps=1, seed=0, shrink_share=2)
