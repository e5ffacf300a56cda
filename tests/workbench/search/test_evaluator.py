# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import math
import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.search import EvaluationError, Evaluator, Genomes, Int, Space, When

LINE = Space([Int("x", 0, 99)])


def line(*xs: int) -> Genomes:
    return LINE.from_values([{"x": x} for x in xs])


class Counted:
    """x -> (x - 3)^2, remembering its calls."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def __call__(self, genome: dict[str, Any]) -> dict[str, float]:
        self.calls.append(genome["x"])
        return {"loss": (genome["x"] - 3) ** 2, "size": genome["x"]}


def test_known_candidates_are_remembered_and_not_evaluated_again() -> None:
    fn = Counted()
    evaluator = Evaluator(fn)
    first = evaluator.evaluate(LINE, line(5, 7, 5))
    again = evaluator.evaluate(LINE, line(7, 9, 5))
    assert fn.calls == [5, 7, 9]
    assert first.metrics["loss"].tolist() == [4, 16, 4]
    assert again.metrics["loss"].tolist() == [16, 36, 4]
    assert again.metrics["size"].tolist() == [7, 9, 5]
    assert first.fresh.tolist() == [True, True, False]
    assert again.fresh.tolist() == [False, True, False]


def test_genomes_that_differ_in_inactive_genes_are_one_candidate() -> None:
    space = Space([Int("depth", 1, 2), Int("second", 0, 9, active=When("depth", "==", 2))])
    seen: list[dict[str, Any]] = []

    def fn(genome: dict[str, Any]) -> dict[str, float]:
        seen.append(genome)
        return {"loss": 1.0}

    result = Evaluator(fn).evaluate(space, Genomes([[1, 4], [1, 9], [2, 9]]))
    assert seen == [{"depth": 1}, {"depth": 2, "second": 9}]
    assert result.fresh.tolist() == [True, False, True]


def test_without_a_cache_everything_is_evaluated() -> None:
    fn = Counted()
    result = Evaluator(fn, cache=False).evaluate(LINE, line(5, 5))
    assert fn.calls == [5, 5]
    assert result.fresh.all()


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batches_give_what_single_calls_give(batch: int) -> None:
    sizes: list[int] = []

    def fn(genomes: list[dict[str, Any]]) -> dict[str, Any]:
        sizes.append(len(genomes))
        x = np.array([genome["x"] for genome in genomes])
        return {"loss": (x - 3) ** 2, "size": x}

    genomes = line(9, 2, 9, 4, 8, 1, 0)
    batched = Evaluator(fn, batch=batch).evaluate(LINE, genomes)
    single = Evaluator(Counted()).evaluate(LINE, genomes)
    np.testing.assert_equal(batched.metrics, single.metrics)
    assert max(sizes) == min(batch, 6)
    assert sum(sizes) == 6


def test_results_keep_their_order_whatever_finishes_first() -> None:
    finished: list[int] = []
    done = [threading.Event() for _ in range(5)]
    done[4].set()

    def fn(genome: dict[str, Any]) -> dict[str, float]:
        # Each waits for the next one, so that the last submitted finishes first.
        x = genome["x"]
        assert done[x + 1].wait(timeout=30)
        finished.append(x)
        done[x].set()
        return {"loss": 10.0 * x}

    with ThreadPoolExecutor(4) as pool:
        result = Evaluator(fn, pool).evaluate(LINE, line(0, 1, 2, 3))
    assert finished == [3, 2, 1, 0]
    assert result.metrics["loss"].tolist() == [0, 10, 20, 30]


def test_processes_threads_and_this_thread_agree_and_name_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evaluated_elsewhere.py").write_text(
        "import math, os\n"
        "def loss(genome):\n"
        "    if genome['x'] == 13:\n"
        "        raise ArithmeticError('unlucky')\n"
        "    return {'loss': math.sin(genome['x']), 'pid': 0.0}\n"
        "def die(genome):\n"
        "    os._exit(1)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("evaluated_elsewhere")
    genomes = line(*range(12))
    here = Evaluator(module.loss).evaluate(LINE, genomes)
    assert here.metrics["loss"].tolist() == [math.sin(x) for x in range(12)]
    context = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2, mp_context=context) as processes:
        for executor in (threads, processes):
            there = Evaluator(module.loss, executor).evaluate(LINE, genomes)
            np.testing.assert_equal(there.metrics, here.metrics)
            with pytest.raises(EvaluationError, match=r"ArithmeticError for genome {'x': 13}"):
                Evaluator(module.loss, executor).evaluate(LINE, line(1, 13, 2))
        with pytest.raises(EvaluationError, match=r"BrokenProcessPool for genome {'x': 4}"):
            Evaluator(module.die, processes).evaluate(LINE, line(4))
        with pytest.raises(EvaluationError, match=r"takes no work, from genome {'x': 4} on"):
            Evaluator(module.loss, processes).evaluate(LINE, line(4))


def test_a_failed_batch_names_its_genomes_and_leaves_no_trace() -> None:
    def fn(genome: dict[str, Any]) -> dict[str, float]:
        if genome["x"] == 8:
            raise KeyError("calibration")
        return {"loss": 0.0}

    evaluator = Evaluator(fn)
    with pytest.raises(EvaluationError, match=r"KeyError for genome {'x': 8}") as caught:
        evaluator.evaluate(LINE, line(7, 8))
    assert isinstance(caught.value.__cause__, KeyError)
    assert caught.value.genomes == [{"x": 8}]
    assert evaluator.evaluate(LINE, line(7)).fresh.all()


def test_nan_is_an_error_or_a_counted_infinity() -> None:
    def fn(genome: dict[str, Any]) -> dict[str, float]:
        return {"loss": math.nan if genome["x"] % 2 else 1.0}

    with pytest.raises(ValueError, match=r"metric 'loss' is NaN for genome {'x': 3}"):
        Evaluator(fn).evaluate(LINE, line(2, 3))
    evaluator = Evaluator(fn, nan="inf")
    result = evaluator.evaluate(LINE, line(1, 2, 3, 1))
    assert result.metrics["loss"].tolist() == [math.inf, 1.0, math.inf, math.inf]
    assert evaluator.nan_count == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (3.0, "mapping"),
        ({}, "mapping"),
        ({"loss": "low"}, "'loss': 'low'"),
        ({"loss": [1.0, 2.0]}, r"shape \(2,\)"),
        ({1: 2.0}, "1 of shape"),
    ],
)
def test_answers_that_are_no_metrics_are_refused(answer: Any, message: str) -> None:
    with pytest.raises(EvaluationError, match=rf"{message}.* for {{'x': 3}}"):
        Evaluator(lambda genome: answer).evaluate(LINE, line(3))


def test_metrics_must_have_the_same_names_for_every_genome() -> None:
    evaluator = Evaluator(lambda genome: {f"loss{genome['x']}": 0.0})
    with pytest.raises(EvaluationError, match="same names"):
        evaluator.evaluate(LINE, line(1, 2))


def test_the_function_cannot_change_what_is_remembered() -> None:
    def fn(genome: dict[str, Any]) -> dict[str, float]:
        genome["x"] += 1
        return {"loss": genome["x"]}

    evaluator = Evaluator(fn)
    for _ in range(2):
        assert evaluator.evaluate(LINE, line(1, 2)).metrics["loss"].tolist() == [2, 3]


def test_the_memory_travels_as_state() -> None:
    evaluator = Evaluator(Counted(), nan="inf")
    evaluator.evaluate(LINE, line(1, 2, 3))
    fn = Counted()
    other = Evaluator(fn)
    other.load_state_dict(evaluator.state_dict())
    result = other.evaluate(LINE, line(3, 1, 4))
    assert fn.calls == [4]
    assert result.metrics["loss"].tolist() == [0, 4, 1]
    np.testing.assert_equal(Evaluator(fn).state_dict(), Evaluator(Counted()).state_dict())
    with pytest.raises(ValueError, match="version must be 1, got 7"):
        other.load_state_dict({**evaluator.state_dict(), "version": 7})


def test_an_empty_batch_costs_nothing() -> None:
    result = Evaluator(Counted()).evaluate(LINE, line())
    assert result.metrics == {}
    assert result.fresh.shape == (0,)


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="fn must be callable"):
        Evaluator(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be an Executor"):
        Evaluator(Counted(), executor=4)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="batch must be >= 1"):
        Evaluator(Counted(), batch=0)
    with pytest.raises(ValueError, match="'raise' or 'inf'"):
        Evaluator(Counted(), nan="skip")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="genome 0 does not lie in the space"):
        Evaluator(Counted()).evaluate(LINE, Genomes([[100.0]]))
    evaluator = Evaluator(Counted())
    evaluator.evaluate(LINE, line(1))
    with pytest.raises(ValueError, match="another space"):
        evaluator.evaluate(Space([Int("x", 0, 9)]), line(1))
