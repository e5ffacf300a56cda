# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from workbench.search import (
    Budget,
    Evaluator,
    Evolution,
    Int,
    Permutation,
    Random,
    Search,
    Space,
    compare,
    comparison_table,
)

SPACE = Space([Int(f"g{i}", 0, 7) for i in range(8)])
ENGINES: dict[str, Any] = {
    "random": Random,
    "evolution": lambda space, seed: Evolution(space, seed, mutation_rate=0.2),
}


def total(genome: dict[str, Any]) -> dict[str, float]:
    return {"loss": float(sum(genome.values()))}


def test_rows_are_the_best_scores_so_far_at_equal_counts() -> None:
    rows = compare(ENGINES, SPACE, lambda seed: Evaluator(total), 120, [3, 4], at=[10, 55, 120])
    assert [(r.engine, r.seed, r.evaluations) for r in rows] == [
        (name, seed, count) for name in ENGINES for seed in (3, 4) for count in (10, 55, 120)
    ]
    for row in rows:
        search = Search(SPACE, ENGINES[row.engine](SPACE, row.seed), Evaluator(total), Budget(120))
        assert row.best == search.run().scores[: row.evaluations].min()
        assert not row.exhausted


def test_evolution_wins_the_comparison_on_a_separable_score() -> None:
    rows = compare(ENGINES, SPACE, lambda seed: Evaluator(total), 300, range(5))
    last = {(r.engine, r.seed): r.best for r in rows if r.evaluations == 300}
    assert all(last["evolution", seed] < last["random", seed] for seed in range(5))


def test_an_engine_that_runs_out_keeps_its_best_and_says_so() -> None:
    space = Space([Permutation("order", 3)])
    evaluate = Evaluator(lambda genome: {"loss": float(genome["order"][0])})
    rows = compare({"random": Random}, space, lambda seed: evaluate, 20, [0], at=[6, 20])
    assert [(row.best, row.exhausted) for row in rows] == [(0.0, False), (0.0, True)]


def test_the_table_has_one_line_per_engine() -> None:
    rows = compare(ENGINES, SPACE, lambda seed: Evaluator(total), Budget(40), [1, 2])
    lines = comparison_table(rows).splitlines()
    assert lines[0].split() == ["engine", "at", "10", "at", "20", "at", "40"]
    assert [line.split()[0] for line in lines[1:]] == ["random", "evolution"]
    final = [r.best for r in rows if r.engine == "random" and r.evaluations == 40]
    assert float(lines[1].split()[-3]) == pytest.approx(sum(final) / 2)


def test_bad_comparisons_are_refused() -> None:
    with pytest.raises(ValueError, match="needs engines and seeds"):
        compare({}, SPACE, lambda seed: Evaluator(total), 10, [0])
    with pytest.raises(ValueError, match=r"at must lie in 1\.\.10"):
        compare(ENGINES, SPACE, lambda seed: Evaluator(total), 10, [0], at=[11])
    shared = Evaluator(total)
    small = Space([Int("g", 0, 3)])
    with pytest.raises(ValueError, match="new evaluator each time"):
        compare({"a": Random, "b": Random}, small, lambda seed: shared, 9, [0])
