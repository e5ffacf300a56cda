# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.experiments import Run
from workbench.experiments.run import create_run_folder
from workbench.search import (
    Budget,
    CallbackCheckpoint,
    Categorical,
    CheckpointError,
    Engine,
    EvaluationError,
    Evaluator,
    Evolution,
    FileCheckpoint,
    Generation,
    Int,
    Permutation,
    Random,
    Search,
    SearchResult,
    Space,
    read_trace,
)

MakeEngine = Callable[[Space], Engine]
ENGINES: dict[str, MakeEngine] = {
    "random": lambda space: Random(space, 7, batch=9),
    "evolution": lambda space: Evolution(space, 7, parents=3, mutations=5, crossings=3),
}
every_engine = pytest.mark.parametrize("make", ENGINES.values(), ids=list(ENGINES))


def quality(genome: dict[str, Any]) -> dict[str, float]:
    """A smooth score of layout and gates, without two equal values by accident."""
    gates = sum(value for name, value in genome.items() if name not in ("layout", "blocks"))
    drift = sum(q * math.sin(1.0 + wire) for wire, q in enumerate(genome["layout"]))
    return {"loss": (gates - 9) ** 2 + drift, "gates": float(gates)}


def comparable(search: Search, result: SearchResult) -> dict[str, Any]:
    """Everything a search leaves behind but wall-clock."""
    state = search.state_dict()
    state.pop("seconds")
    records = [] if search.trace is None else read_trace(search.trace.path)
    for record in records:
        assert record.pop("wall") >= 0
    fields = {k: getattr(result, k) for k in ("best", "best_metrics", "best_score", "evaluations")}
    return {
        **fields,
        "generations": result.generations,
        "stopped": result.stopped,
        "rows": result.genomes.rows,
        "scores": result.scores,
        "trace": records,
        "state": state,
    }


class InterruptedRunError(Exception):
    pass


class BreakAfterSave(FileCheckpoint):
    """Saves as ever, then breaks the run."""

    def save(self, tree: dict[str, Any]) -> None:
        super().save(tree)
        raise InterruptedRunError


@every_engine
def test_a_run_broken_after_every_generation_equals_an_unbroken_one(
    circuits: Space, make: MakeEngine, tmp_path: Path
) -> None:
    def search(name: str, checkpoint: Any) -> Search:
        return Search(
            circuits,
            make(circuits),
            Evaluator(quality),
            Budget(evaluations=60),
            trace=tmp_path / f"{name}.jsonl",
            checkpoint=checkpoint,
        )

    whole = search("whole", tmp_path / "whole.npz")
    expected = comparable(whole, whole.run())
    assert expected["generations"] >= 6
    breaks = 0
    while True:
        part = search("broken", BreakAfterSave(tmp_path / "broken.npz"))
        try:
            result = part.run()
            break
        except InterruptedRunError:
            breaks += 1
            # What a kill in the middle of the next write leaves behind.
            with open(tmp_path / "broken.jsonl", "ab") as file:
                file.write(b'{"id": 9999, "generation": 3}\n{"id": 10000, "gen')
    assert breaks == expected["generations"] + 1
    np.testing.assert_equal(comparable(part, result), expected)
    saved = [FileCheckpoint(tmp_path / f"{name}.npz").load() for name in ("whole", "broken")]
    for tree in saved:
        assert tree is not None
        tree.pop("seconds")
    np.testing.assert_equal(saved[0], saved[1])


@every_engine
def test_a_run_broken_at_every_evaluation_equals_an_unbroken_one(
    circuits: Space, make: MakeEngine, tmp_path: Path
) -> None:
    budget = Budget(evaluations=40)
    whole = Search(circuits, make(circuits), Evaluator(quality), budget, trace=tmp_path / "a")
    expected = comparable(whole, whole.run())
    # Parts 0, 1, 2, ... may make 0, 3, 6, ... calls; each begins where the last one broke off.
    result, part_number = None, 0
    while result is None:
        allowed = iter(range(3 * part_number))

        def unreliable(
            genome: dict[str, Any], allowed: Iterator[int] = allowed
        ) -> dict[str, float]:
            if next(allowed, None) is None:
                raise InterruptedRunError
            return quality(genome)

        part = Search(
            circuits,
            make(circuits),
            Evaluator(unreliable),
            budget,
            trace=tmp_path / "b",
            checkpoint=tmp_path / "b.npz",
        )
        with contextlib.suppress(EvaluationError):
            result = part.run()
        part_number += 1
    assert part_number > 3
    np.testing.assert_equal(comparable(part, result), expected)


def test_the_same_search_object_resumes_after_a_failure(circuits: Space, tmp_path: Path) -> None:
    broken = True

    def sometimes(genome: dict[str, Any]) -> dict[str, float]:
        if broken and genome["blocks"] == 2:
            raise InterruptedRunError
        return quality(genome)

    def search(name: str) -> Search:
        return Search(
            circuits,
            Evolution(circuits, 1),
            Evaluator(sometimes),
            Budget(evaluations=80),
            trace=tmp_path / name,
            checkpoint=tmp_path / f"{name}.npz",
        )

    retried = search("retried")
    with pytest.raises(EvaluationError, match="'blocks': 2"):
        retried.run()
    broken = False
    result = retried.run()
    smooth = search("smooth")
    np.testing.assert_equal(comparable(retried, result), comparable(smooth, smooth.run()))


def test_an_executor_changes_nothing(circuits: Space, tmp_path: Path) -> None:
    def run(name: str, evaluator: Evaluator) -> dict[str, Any]:
        search = Search(
            circuits,
            Evolution(circuits, 0),
            evaluator,
            Budget(evaluations=90),
            trace=tmp_path / name,
        )
        return comparable(search, search.run())

    here = run("here", Evaluator(quality))
    with ThreadPoolExecutor(4) as pool:
        np.testing.assert_equal(run("threads", Evaluator(quality, pool)), here)


@pytest.mark.parametrize("evaluations", [1, 2, 11, 12, 40])
@every_engine
def test_the_budget_is_spent_exactly(circuits: Space, make: MakeEngine, evaluations: int) -> None:
    calls = []

    def fn(genome: dict[str, Any]) -> dict[str, float]:
        calls.append(genome)
        return quality(genome)

    result = Search(circuits, make(circuits), Evaluator(fn), Budget(evaluations)).run()
    assert len(calls) == result.evaluations == len(result.scores) == evaluations
    assert result.stopped == "evaluations"
    assert result.best_score == min(quality(genome)["loss"] for genome in calls)
    assert quality(result.best) == result.best_metrics
    assert result.curve.tolist() == np.minimum.accumulate(result.scores).tolist()


def test_cache_hits_are_free_and_marked_in_the_trace(circuits: Space, tmp_path: Path) -> None:
    shared = Evaluator(quality)
    trace = tmp_path / "trace.jsonl"
    first = Search(circuits, Random(circuits, 0, batch=5), shared, Budget(20)).run()
    second = Search(circuits, Random(circuits, 0, batch=5), shared, Budget(10), trace=trace).run()
    records = read_trace(trace)
    assert [record["cached"] for record in records] == [True] * 20 + [False] * 10
    assert [record["evaluation"] for record in records] == [0] * 20 + list(range(1, 11))
    assert [record["score"] for record in records[:20]] == first.scores.tolist()
    assert second.evaluations == len(second.scores) == 10
    assert second.best_score == min(record["score"] for record in records)


def test_a_small_space_ends_the_search_before_the_budget(tmp_path: Path) -> None:
    space = Space([Permutation("layout", 3)])
    for _ in range(2):
        # The second time the finished search is read from its checkpoint.
        search = Search(
            space,
            Evolution(space, 0),
            Evaluator(quality),
            Budget(1000),
            trace=tmp_path / "trace",
            checkpoint=tmp_path / "run.npz",
        )
        result = search.run()
        assert (result.stopped, result.evaluations) == ("exhausted", 6)
        assert len(read_trace(tmp_path / "trace")) == 6


def test_seconds_end_a_search_between_generations(circuits: Space) -> None:
    budget = Budget(evaluations=10**6, seconds=1e-9)
    result = Search(circuits, Random(circuits, 0, batch=5), Evaluator(quality), budget).run()
    assert (result.stopped, result.evaluations, result.generations) == ("seconds", 5, 1)
    assert result.seconds > 0


def test_the_trace_tells_what_happened(circuits: Space, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    engine = Evolution(circuits, 11, parents=2, mutations=3, crossings=2)
    result = Search(circuits, engine, Evaluator(quality), Budget(40), trace=path).run()
    records = read_trace(path)
    assert [record["id"] for record in records] == list(range(40))
    assert [record["evaluation"] for record in records] == list(range(1, 41))
    assert {record["seed"] for record in records} == {11}
    assert sorted({record["generation"] for record in records}) == list(range(result.generations))
    genomes = circuits.from_values([record["genome"] for record in records])
    assert circuits.canonical(genomes) == result.genomes
    for record, genome in zip(records, circuits.decode(genomes), strict=True):
        assert record["metrics"] == quality(genome)
        assert record["score"] == record["metrics"]["loss"]
        assert all(parent < record["id"] for parent in record["parents"])
        assert record["generation"] > 0 or not record["parents"]
    assert {len(record["parents"]) for record in records} >= {0, 1, 2}
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_the_callbacks_see_every_generation_and_every_improvement(circuits: Space) -> None:
    seen: list[Generation] = []
    better: list[Generation] = []
    result = Search(
        circuits,
        Evolution(circuits, 0),
        Evaluator(quality),
        Budget(150),
        on_generation=seen.append,
        on_best=better.append,
    ).run()
    assert [report.number for report in seen] == list(range(result.generations))
    scores = [report.best_score for report in seen]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] == result.best_score
    assert seen[-1].best == result.best
    assert seen[-1].evaluations == 150
    assert [r.best_score for r in better] == sorted(set(scores), reverse=True)


def test_the_best_k_are_different_candidates_in_order(circuits: Space) -> None:
    evaluator = Evaluator(quality, cache=False)
    result = Search(circuits, Random(circuits, 0), evaluator, Budget(200)).run()
    top = result.top(6)
    scores = [quality(genome)["loss"] for genome in circuits.decode(top)]
    assert scores == np.sort(result.scores)[:6].tolist()
    assert circuits.decode(top[0])[0] == result.best
    assert len(result.top(10**6)) == 200


def test_any_save_and_load_serve_as_checkpoint(circuits: Space) -> None:
    kept: list[dict[str, Any]] = []
    ignored: list[dict[str, Any]] = []
    store = CallbackCheckpoint(kept.append, lambda: kept[-1] if kept else None)
    engine = Evolution(circuits, 0)
    result = Search(circuits, engine, Evaluator(quality), Budget(100), checkpoint=store).run()
    assert len(kept) == result.generations + 1
    # From every kept state the end is the same.
    for tree in kept:
        from_here = CallbackCheckpoint(ignored.append, partial(dict, tree))
        again = Search(
            circuits,
            Evolution(circuits, 0),
            Evaluator(quality),
            Budget(100),
            checkpoint=from_here,
        ).run()
        assert again.best == result.best
        assert np.array_equal(again.scores, result.scores)


def test_the_run_folder_of_an_experiment_serves_as_checkpoint(
    circuits: Space, tmp_path: Path
) -> None:
    folder = create_run_folder(tmp_path, "search", 1, {})

    def session(broken: bool) -> SearchResult:
        """Search until the end, or until the first checkpoint is written."""
        with Run(folder) as run:

            def save(tree: dict[str, Any]) -> None:
                run.checkpoint("search", tree)
                if broken:
                    raise InterruptedRunError

            store = CallbackCheckpoint(save, partial(run.restore, "search"))
            engine = Evolution(circuits, 0)
            return Search(circuits, engine, Evaluator(quality), Budget(100), checkpoint=store).run()

    for _ in range(3):
        with pytest.raises(InterruptedRunError):
            session(broken=True)
    resumed = session(broken=False)
    whole = Search(circuits, Evolution(circuits, 0), Evaluator(quality), Budget(100)).run()
    assert resumed.best == whole.best
    assert np.array_equal(resumed.scores, whole.scores)


def test_a_checkpoint_of_another_search_is_refused_and_kept(
    circuits: Space, tmp_path: Path
) -> None:
    path = tmp_path / "run.npz"

    def search(space: Space, engine: Engine, **options: Any) -> Search:
        return Search(space, engine, Evaluator(quality), Budget(50), checkpoint=path, **options)

    search(circuits, Evolution(circuits, 0)).run()
    before = path.read_bytes()
    held = circuits.fix({"blocks": 1})
    for other, message in (
        (search(circuits, Random(circuits, 0)), "another kind"),
        (search(circuits, Evolution(circuits, 1)), "another config"),
        (search(held, Evolution(held, 0)), "another space"),
        (search(circuits, Evolution(circuits, 0), objective="gates"), "another objective"),
    ):
        with pytest.raises(CheckpointError, match=message):
            other.run()
        assert path.read_bytes() == before
    tree = FileCheckpoint(path).load()
    assert tree is not None
    FileCheckpoint(path).save({**tree, "version": 2})
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="another version: expected 1, got 2"):
        search(circuits, Evolution(circuits, 0)).run()
    path.write_bytes(before[:-30])
    with pytest.raises(CheckpointError, match="truncated"):
        search(circuits, Evolution(circuits, 0)).run()
    assert path.read_bytes() == before[:-30]


def test_a_trace_without_its_checkpoint_is_not_overwritten(circuits: Space, tmp_path: Path) -> None:
    trace, checkpoint = tmp_path / "trace.jsonl", tmp_path / "run.npz"

    def run() -> SearchResult:
        engine = Random(circuits, 0)
        return Search(
            circuits, engine, Evaluator(quality), Budget(40), trace=trace, checkpoint=checkpoint
        ).run()

    run()
    before = trace.read_bytes()
    checkpoint.unlink()
    with pytest.raises(FileExistsError, match="that of another search"):
        run()
    assert trace.read_bytes() == before
    assert not checkpoint.exists()


def test_a_trace_shorter_than_its_checkpoint_says_is_refused(
    circuits: Space, tmp_path: Path
) -> None:
    def search() -> Search:
        return Search(
            circuits,
            Random(circuits, 0),
            Evaluator(quality),
            Budget(40),
            trace=tmp_path / "trace.jsonl",
            checkpoint=tmp_path / "run.npz",
        )

    search().run()
    (tmp_path / "trace.jsonl").write_text("")
    with pytest.raises(ValueError, match="holds 0 records, its checkpoint names 40"):
        search().run()


def test_infinite_scores_lose_to_all_others_and_survive_the_trace(tmp_path: Path) -> None:
    space = Space([Categorical("fits", (True, False)), Int("x", 0, 4)])

    def fn(genome: dict[str, Any]) -> dict[str, float]:
        return {"loss": float(genome["x"]) if genome["fits"] else math.nan}

    evaluator = Evaluator(fn, nan="inf")
    trace = tmp_path / "trace"
    result = Search(space, Random(space, 0), evaluator, Budget(10), trace=trace).run()
    assert result.best == {"fits": True, "x": 0}
    assert sorted(record["score"] for record in read_trace(trace))[5:] == [math.inf] * 5
    assert evaluator.nan_count == 5


def test_bad_arguments_are_refused(circuits: Space) -> None:
    with pytest.raises(ValueError, match="evaluations must be an int >= 1"):
        Budget(evaluations=0)
    with pytest.raises(ValueError, match="seconds must be > 0"):
        Budget(evaluations=5, seconds=0)
    with pytest.raises(ValueError, match="another space"):
        Search(circuits, Random(circuits.fix({"blocks": 1}), 0), Evaluator(quality), Budget(5))
    with pytest.raises(TypeError, match="must be a Budget"):
        Search(circuits, Random(circuits, 0), Evaluator(quality), 5)  # type: ignore[arg-type]
    search = Search(circuits, Random(circuits, 0), Evaluator(quality), Budget(5), objective="nll")
    with pytest.raises(ValueError, match="'nll' is not among the metrics loss, gates"):
        search.run()
