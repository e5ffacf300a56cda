# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from workbench.search import (
    Constraint,
    Engine,
    Evolution,
    Float,
    Genomes,
    Injection,
    Int,
    Permutation,
    Random,
    Space,
)

Make = Callable[[Space, int], Engine]
ENGINES: dict[str, Make] = {
    "random": lambda space, seed: Random(space, seed, batch=12),
    "evolution": lambda space, seed: Evolution(
        space, seed, parents=4, mutations=8, crossings=4, mutation_rate=0.3
    ),
    "evolution, redrawing": lambda space, seed: Evolution(
        space, seed, parents=4, mutations=8, crossings=4, repair=False
    ),
}
every_engine = pytest.mark.parametrize("make", ENGINES.values(), ids=list(ENGINES))


def weight(space: Space, genomes: Genomes) -> Any:
    """Score a genome by the distance of its active genes from zero."""
    return np.where(space.active(genomes), genomes.rows, 0.0).sum(axis=1)


def play(engine: Engine, generations: int) -> list[Genomes]:
    asked = []
    for _ in range(generations):
        asked.append(engine.ask())
        engine.tell(asked[-1], weight(engine.space, asked[-1]))
    return asked


@every_engine
def test_asked_genomes_are_valid_and_never_repeat(circuits: Space, make: Make) -> None:
    asked = Genomes.concatenate(play(make(circuits, 1), 25))
    assert circuits.is_valid(asked).all()
    keys = circuits.keys(asked)
    assert len(set(keys)) == len(keys) > 200


@every_engine
def test_a_small_space_is_enumerated_to_its_end(make: Make) -> None:
    space = Space([Permutation("order", 4), Int("bit", 0, 1)])
    engine = make(space, 2)
    asked = [g for batch in play(engine, 8) for g in space.decode(batch)]
    expected = set(itertools.product(itertools.permutations(range(4)), (0, 1)))
    assert {(g["order"], g["bit"]) for g in asked} == expected
    assert len(asked) == len(expected)
    assert len(engine.ask()) == 0


@every_engine
def test_genomes_told_without_being_asked_are_not_proposed(make: Make) -> None:
    space = Space([Permutation("order", 3)])
    known = space.from_values([{"order": (0, 1, 2)}, {"order": (2, 1, 0)}])
    engine = make(space, 0)
    engine.tell(known, [1.0, 2.0])
    asked = {g["order"] for batch in play(engine, 3) for g in space.decode(batch)}
    assert asked == set(itertools.permutations(range(3))) - {(0, 1, 2), (2, 1, 0)}


@every_engine
def test_equal_seeds_give_equal_runs_and_other_seeds_others(circuits: Space, make: Make) -> None:
    first, again, other = (play(make(circuits, seed), 4) for seed in (5, 5, 6))
    for a, b in zip(first, again, strict=True):
        assert a == b
        assert np.array_equal(a.parents, b.parents)
    assert first[0] != other[0]


@every_engine
@settings(max_examples=15, deadline=None)
@given(split=st.integers(0, 6), pending=st.booleans(), seed=st.integers(0, 99))
def test_a_reloaded_state_continues_bit_for_bit(
    make: Make, split: int, pending: bool, seed: int
) -> None:
    space = Space([Injection("layout", 3, 5), Int("a", 0, 9), Float("b", 0.1, 1.0, log=True)])
    engine, twin = make(space, seed), make(space, seed)
    play(engine, split)
    if pending:
        engine.ask(3)
    state = engine.state_dict()
    arrays_apart = {k: v for k, v in state.items() if not isinstance(v, np.ndarray)}
    assert json.loads(json.dumps(arrays_apart)) == arrays_apart
    twin.load_state_dict(state)
    # What the first engine does now must not reach into the state the second one was given.
    ahead = play(engine, 3)
    for a, b in zip(ahead, play(twin, 3), strict=True):
        assert a == b
        assert np.array_equal(a.parents, b.parents)
    np.testing.assert_equal(twin.state_dict(), engine.state_dict())


def test_a_state_of_another_engine_space_seed_or_setting_is_refused(circuits: Space) -> None:
    state = Evolution(circuits, 0).state_dict()
    with pytest.raises(ValueError, match="another kind: expected 'Random', got 'Evolution'"):
        Random(circuits, 0).load_state_dict(state)
    with pytest.raises(ValueError, match="another space"):
        Evolution(circuits.fix({"blocks": 2}), 0).load_state_dict(state)
    with pytest.raises(ValueError, match=r"another config.*'seed': 1"):
        Evolution(circuits, 1).load_state_dict(state)
    with pytest.raises(ValueError, match="another config"):
        Evolution(circuits, 0, mutation_rate=0.5).load_state_dict(state)
    with pytest.raises(ValueError, match="another version: expected 1, got 99"):
        Evolution(circuits, 0).load_state_dict({**state, "version": 99})


def test_the_default_population_is_setting0(circuits: Space) -> None:
    engine = Evolution(circuits, 0)
    sizes = []
    for _ in range(3):
        asked = engine.ask()
        engine.tell(asked, weight(circuits, asked))
        sizes.append(len(asked))
    assert sizes == [40, 30, 30]
    assert (asked.parents[:20, 0] >= 0).all()
    assert (asked.parents[:20, 1] == -1).all()
    assert (asked.parents[20:] >= 0).all()
    assert (asked.parents[20:, 0] != asked.parents[20:, 1]).all()
    assert len(engine.population[0]) == 10


def test_the_population_is_the_best_of_all_told_and_never_worsens(circuits: Space) -> None:
    engine = Evolution(circuits, 3, parents=5, mutations=6, crossings=4)
    told: list[float] = []
    before = np.full(5, np.inf)
    for _ in range(15):
        asked = engine.ask()
        scores = weight(circuits, asked)
        engine.tell(asked, scores)
        told += scores.tolist()
        population, held = engine.population
        assert held.tolist() == sorted(told)[:5]
        assert np.array_equal(weight(circuits, population), held)
        assert (held <= before).all()
        before = held


def test_crossings_take_every_gene_from_the_parents_they_name(circuits: Space) -> None:
    # With one layout for all no crossing needs repair.
    held = circuits.fix({"layout": (0, 1, 2, 3)})
    engine = Evolution(held, 8)
    told = Genomes(np.empty((0, held.width)))
    crossed = 0
    for _ in range(6):
        asked = engine.ask()
        for row, (first, second) in zip(asked.rows, asked.parents.tolist(), strict=True):
            if second >= 0:
                crossed += 1
                assert ((row == told.rows[first]) | (row == told.rows[second])).all()
        told = Genomes.concatenate([told, asked])
        # Many blocks and gates score best, so that there is much to combine.
        engine.tell(asked, -weight(held, asked))
    assert crossed > 20


def test_a_genome_told_twice_is_one_parent() -> None:
    space = Space([Int("a", 0, 99)])
    engine = Evolution(space, 0, parents=3)
    genome = space.from_values([{"a": 7}])
    engine.tell(genome, [2.0])
    engine.tell(genome, [1.0])
    engine.tell(space.from_values([{"a": 8}]), [5.0])
    population, scores = engine.population
    assert population.rows.tolist() == [[7.0], [8.0]]
    assert scores.tolist() == [1.0, 5.0]


def test_of_equal_scores_the_one_told_first_survives() -> None:
    space = Space([Int("a", 0, 99)])
    engine = Evolution(space, 0, parents=2)
    engine.tell(space.from_values([{"a": i} for i in (5, 3, 9, 4)]), [1.0, 1.0, 1.0, 1.0])
    assert engine.population[0].rows[:, 0].tolist() == [5.0, 3.0]


def test_one_parent_breeds_mutants_only() -> None:
    space = Space([Int("a", 0, 10**6)])
    engine = Evolution(space, 0, parents=1, mutations=1, crossings=1)
    engine.tell(engine.ask(), [3.0, 2.0, 1.0])
    assert engine.ask(6).parents.tolist() == [[2, -1]] * 6


def test_a_warm_start_comes_first_once_and_in_order(circuits: Space) -> None:
    warm = circuits.sample(np.random.default_rng(0), 6)
    twice = Genomes.concatenate([warm, warm[:3]])
    engine = Evolution(circuits, 1, parents=2, mutations=2, crossings=4, warm_start=twice)
    first = engine.ask(4)
    second = engine.ask(100)
    assert Genomes.concatenate([first, second])[:6] == warm
    # Eight make the first generation; repeats of the warm start count once.
    assert len(first) + len(second) == 8


def test_a_warm_start_larger_than_the_population_is_proposed_whole(circuits: Space) -> None:
    warm = circuits.sample(np.random.default_rng(0), 30)
    engine = Evolution(circuits, 1, parents=2, mutations=2, crossings=2, warm_start=warm)
    assert engine.ask() == warm


def test_random_proposals_are_uniform(circuits: Space) -> None:
    space = Space([Float("x", 0.0, 1.0), Int("a", 0, 3)])
    asked = Random(space, 0, batch=4000).ask()
    assert stats.kstest(asked.rows[:, 0], "uniform").pvalue > 1e-3
    assert stats.chisquare(np.bincount(asked.rows[:, 1].astype(int))).pvalue > 1e-3


def test_evolution_beats_random_draws_at_equal_evaluations() -> None:
    space = Space([Int(f"g{i}", 0, 7) for i in range(12)])
    best: dict[str, list[float]] = {"random": [], "evolution": []}
    for seed in range(5):
        for name, engine in (
            ("random", Random(space, seed)),
            ("evolution", Evolution(space, seed, mutation_rate=0.15)),
        ):
            scores: list[float] = []
            while len(scores) < 400:
                asked = engine.ask(min(engine.generation_size, 400 - len(scores)))
                engine.tell(asked, weight(space, asked))
                scores += weight(space, asked).tolist()
            best[name].append(min(scores))
    assert max(best["evolution"]) < min(best["random"])


@every_engine
def test_only_feasible_candidates_are_proposed(make: Make) -> None:
    space = Space([Int("a", 0, 9), Int("b", 0, 9)])
    engine = make(space, 0)
    engine.constraint = Constraint(lambda g: g["a"] + g["b"], 4)
    asked = [g for batch in play(engine, 5) for g in space.decode(batch)]
    expected = {(a, b) for a in range(10) for b in range(10) if a + b <= 4}
    assert {(g["a"], g["b"]) for g in asked} == expected


@every_engine
def test_a_space_without_a_feasible_point_names_the_lowest_cost_seen(make: Make) -> None:
    space = Space([Int("a", 3, 9)])
    engine = make(space, 0)
    engine.constraint = Constraint(lambda g: g["a"], 2, name="gates")
    with pytest.raises(ValueError, match=r"no genome with gates <= 2 .* gates seen is 3"):
        engine.ask(5)


def test_bad_settings_and_scores_are_refused(circuits: Space) -> None:
    with pytest.raises(ValueError, match="seed must be an int >= 0"):
        Random(circuits, -1)
    with pytest.raises(ValueError, match="batch must be >= 1"):
        Random(circuits, 0, batch=0)
    with pytest.raises(ValueError, match="parents must be >= 1"):
        Evolution(circuits, 0, parents=0)
    with pytest.raises(ValueError, match=r"mutations \+ crossings must be >= 1"):
        Evolution(circuits, 0, mutations=0, crossings=0)
    with pytest.raises(ValueError, match=r"mutation_rate must be in \[0, 1\]"):
        Evolution(circuits, 0, mutation_rate=1.1)
    alien = Genomes(np.full((1, circuits.width), 9.0))
    with pytest.raises(ValueError, match=r"warm_start\[0\] does not lie in the space"):
        Evolution(circuits, 0, warm_start=alien)
    engine = Random(circuits, 0)
    asked = engine.ask(2)
    with pytest.raises(ValueError, match=r"shape \(2,\), got \(3,\)"):
        engine.tell(asked, [1, 2, 3])
    with pytest.raises(ValueError, match=r"NaN for genome \{'layout'"):
        engine.tell(asked, [1, np.nan])
    with pytest.raises(ValueError, match="must lie in the space"):
        engine.tell(alien, [1.0])
    assert engine.told == 0
