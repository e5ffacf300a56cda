# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from workbench.search import Constraint, Evolution, Int, Random, Space, When

BITS = Space([Int(f"layer{i}", 1, 8) for i in range(4)])


def total(genome: dict[str, Any]) -> float:
    return float(sum(genome.values()))


def take_away_bits(genome: dict[str, Any]) -> dict[str, Any]:
    """Lower the widest layer, first of equals, until 12 bits are left."""
    lowered = dict(genome)
    while total(lowered) > 12:
        widest = max(lowered, key=lambda name: lowered[name])
        lowered[widest] -= 1
    return lowered


def test_projection_lowers_what_exceeds_and_leaves_the_rest(rng: np.random.Generator) -> None:
    constraint = Constraint(total, 12, lower=take_away_bits)
    genomes = BITS.sample(rng, 200)
    projected = constraint.project(BITS, genomes)
    was = constraint.feasible(BITS, genomes)
    assert was.any()
    assert not was.all()
    assert constraint.feasible(BITS, projected).all()
    assert np.array_equal(projected.rows[was], genomes.rows[was])
    assert (constraint.costs(BITS, projected)[~was] == 12).all()


@pytest.mark.parametrize("engine_type", [Random, Evolution])
def test_engines_propose_projected_candidates(engine_type: Any) -> None:
    engine = engine_type(BITS, 0, constraint=Constraint(total, 12, lower=take_away_bits))
    for _ in range(3):
        asked = engine.ask()
        costs = [total(genome) for genome in BITS.decode(asked)]
        assert max(costs) == 12
        engine.tell(asked, [-cost for cost in costs])


def test_the_penalty_is_the_excess() -> None:
    genomes = BITS.from_values([{f"layer{i}": n for i in range(4)} for n in (2, 3, 4, 5)])
    assert Constraint(total, 12).penalty(BITS, genomes).tolist() == [0, 0, 4, 8]


def test_inactive_choices_cost_nothing() -> None:
    space = Space([Int("depth", 1, 2), Int("second", 0, 9, active=When("depth", "==", 2))])
    genomes = space.from_values([{"depth": 1, "second": 9}, {"depth": 2, "second": 9}])
    assert Constraint(total, 5).costs(space, genomes).tolist() == [1, 11]


def test_a_lowering_that_misses_the_limit_or_the_space_is_named() -> None:
    genome = BITS.from_values([{f"layer{i}": 8 for i in range(4)}])
    lazy = Constraint(total, 12, lower=lambda g: g, name="bits")
    with pytest.raises(ValueError, match=r"bits must come down to 12, `lower` reached 32"):
        lazy.project(BITS, genome)
    wild = Constraint(total, 12, lower=lambda g: dict.fromkeys(g, 0))
    with pytest.raises(ValueError, match=r"'layer0': value must be one of range"):
        wild.project(BITS, genome)
    with pytest.raises(ValueError, match="no `lower`"):
        Constraint(total, 12).project(BITS, genome)


def test_a_lowering_must_leave_fixed_genes_alone() -> None:
    held = BITS.fix({"layer0": 8})
    genome = held.from_values([{f"layer{i}": 8 for i in range(4)}])
    with pytest.raises(ValueError, match="fixed gene"):
        Constraint(total, 12, lower=take_away_bits).project(held, genome)


def test_nan_costs_and_limits_are_errors() -> None:
    with pytest.raises(ValueError, match="limit"):
        Constraint(total, math.nan)
    genome = BITS.from_values([{f"layer{i}": 8 for i in range(4)}])
    with pytest.raises(ValueError, match=r"NaN for genome \{'layer0': 8"):
        Constraint(lambda g: math.nan, 1).costs(BITS, genome)


def test_an_infeasible_warm_start_is_refused_or_lowered() -> None:
    warm = BITS.from_values([{f"layer{i}": n for i in range(4)} for n in (1, 8)])
    with pytest.raises(ValueError, match=r"warm_start\[1\] has cost 32, the limit is 12"):
        Evolution(BITS, 0, warm_start=warm, constraint=Constraint(total, 12))
    lowering = Constraint(total, 12, lower=take_away_bits)
    asked = Evolution(BITS, 0, warm_start=warm, constraint=lowering).ask(2)
    assert [total(genome) for genome in BITS.decode(asked)] == [4, 12]
