# SPDX-License-Identifier: Apache-2.0
"""The co-search: what it scores, what it finds, and that it goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from circuits.quantum.quantumnas.baselines import designed_trials, searched_trials
from circuits.quantum.quantumnas.config import SearchConfig, Setting, TrainingConfig
from circuits.quantum.quantumnas.evaluation import Scene, scene
from circuits.quantum.quantumnas.region import best_region
from circuits.quantum.quantumnas.search import clean_losses, noisy_losses, search
from circuits.quantum.quantumnas.spaces import gate_count
from circuits.quantum.quantumnas.supercircuit import SuperCircuit
from workbench.search import CallbackCheckpoint, Generation

SETTING = Setting("FakeQuitoV2", "digits-2", "u3cu3", 2, 0)
HOW = SearchConfig(population=8, generations=3, parents=3, mutations=3)


@pytest.fixture(scope="module")
def here() -> Scene:
    return scene(SETTING)


@pytest.fixture(scope="module")
def weights(here: Scene) -> np.ndarray:
    count = SuperCircuit(here.space, 4).n_weights
    return np.random.default_rng(0).uniform(-1, 1, count)


def run(here: Scene, weights: np.ndarray, aware: bool, **more: Any) -> Any:
    chosen = {"region": range(5), **more}
    return search(SETTING, here.space, weights, HOW, n_wires=4, noise_aware=aware, seed=3, **chosen)


@pytest.mark.parametrize("aware", [True, False])
def test_a_search_finds_mappings_without_repeats_and_spends_its_budget(
    here: Scene, weights: np.ndarray, aware: bool
) -> None:
    result, ranked = run(here, weights, aware)
    assert result.evaluations == HOW.evaluations == 24
    assert len({(c.architecture, c.layout) for c in ranked}) == len(ranked) == 24
    scores = [candidate.score for candidate in ranked]
    assert scores == sorted(scores)
    assert scores[0] == result.best_score
    assert (np.diff(result.curve) <= 0).all()
    for candidate in ranked:
        assert len(set(candidate.layout)) == 4
        assert set(candidate.layout) <= set(range(5))
        if not aware:
            assert candidate.layout == (0, 1, 2, 3)


def test_scores_are_the_losses_of_inherited_angles(here: Scene, weights: np.ndarray) -> None:
    genomes = here.space.search_space(4, 5)
    genome = genomes.decode(genomes.sample(np.random.default_rng(0), 1))[0]
    architecture = here.space.architecture(genome)
    gates = here.gates(architecture, SuperCircuit(here.space, 4).inherited(weights, architecture))
    found = clean_losses(SETTING, weights, range(5), [genome])
    assert found["loss"][0] == pytest.approx(here.clean_score(gates, "valid").loss, abs=1e-12)
    noisy = noisy_losses(SETTING, weights, range(5), [genome])
    transpiled = here.on_device(gates, genome["layout"])
    assert noisy["loss"][0] == here.noisy_score(transpiled, "valid").loss
    assert noisy["loss"][0] != found["loss"][0]


def test_an_executor_and_its_batches_change_nothing(here: Scene, weights: np.ndarray) -> None:
    result, ranked = run(here, weights, False)
    with ThreadPoolExecutor(2) as executor:
        other, also_ranked = run(here, weights, False, executor=executor, batch=3)
    assert np.array_equal(result.scores, other.scores)
    assert ranked == also_ranked


def test_layout_genes_are_places_in_the_region(here: Scene, weights: np.ndarray) -> None:
    result, ranked = run(here, weights, True, region=(4, 3, 1, 2))
    assert {qubit for candidate in ranked for qubit in candidate.layout} == {1, 2, 3, 4}
    best = ranked[0]
    gates = here.gates(
        best.architecture, SuperCircuit(here.space, 4).inherited(weights, best.architecture)
    )
    score = here.noisy_score(here.on_device(gates, best.layout), "valid")
    assert score.loss == best.score == result.best_score


def test_a_circuit_routed_over_too_many_qubits_has_infinite_loss() -> None:
    large = scene(Setting("FakeTorontoV2", "digits-2", "u3cu3", 2, 0))
    gates = large.gates(((0,), (0,)), np.ones(6))
    near, far = (large.on_device(gates, layout) for layout in ((0, 1, 2, 3), (0, 26, 2, 3)))
    assert large.noisy_score(near, "valid").loss < np.inf
    assert large.noisy_score(far, "valid").loss == np.inf


def test_the_region_is_connected_and_avoids_errors() -> None:
    line = [(0, 1, 0.01), (1, 2, 0.5), (2, 3, 0.01), (3, 4, 0.01), (4, 5, 0.02)]
    read = [0.01, 0.01, 0.02, 0.01, 0.01, 0.3]
    assert best_region(6, line, read, 3) == (2, 3, 4)
    assert best_region(6, line, read, 2) == (0, 1)
    assert best_region(6, line, read, 6) == (0, 1, 2, 3, 4, 5)
    assert best_region(6, line[:1] + line[2:], read, 5) == (2, 3, 4, 5)


class StopError(Exception):
    """Stands for a kill."""


def test_a_search_that_was_stopped_goes_on_to_the_same_end(
    here: Scene, weights: np.ndarray
) -> None:
    unbroken, ranked = run(here, weights, False)
    kept: list[dict[str, Any]] = []
    checkpoint = CallbackCheckpoint(kept.append, lambda: kept[-1] if kept else None)

    def stop_in_the_second(generation: Generation) -> None:
        if generation.number == 1:
            raise StopError

    with pytest.raises(StopError):
        run(here, weights, False, checkpoint=checkpoint, on_generation=stop_in_the_second)
    resumed, also_ranked = run(here, weights, False, checkpoint=checkpoint)
    assert np.array_equal(unbroken.scores, resumed.scores)
    assert ranked == also_ranked


def test_every_row_gets_the_same_number_of_trainings(here: Scene, weights: np.ndarray) -> None:
    _, aware = run(here, weights, True)
    _, unaware = run(here, weights, False)
    how = TrainingConfig(candidates=6, random_circuits=3)
    rows = {
        **searched_trials(aware, unaware, how),
        **designed_trials(here.space, 4, 9, how, seed=0),
    }
    assert {name: len(own) for name, own in rows.items()} == dict.fromkeys(
        ("unaware", "quantumnas", "random", "human", "full"), 6
    )
    assert {placed for own in rows.values() for trial in own for placed in trial.placements} == {
        "unaware", "quantumnas", "random", "human", "human_level3", "full",
    }  # fmt: skip
    drawn = [trial.architecture for trial in rows["random"]]
    assert len(set(drawn)) == 3
    assert all(drawn.count(architecture) == 2 for architecture in drawn)
    for name in ("random", "human"):
        assert {gate_count(trial.architecture) for trial in rows[name]} == {9}
    assert [t.architecture for t in rows["quantumnas"]] == [c.architecture for c in aware[:6]]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
