# SPDX-License-Identifier: Apache-2.0
"""What the sparse benchmark compares and judges by; its quick run is in test_benchmarks.py."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"

if not FOLDER.is_dir():
    pytest.skip("benchmarks/ is not part of this tree", allow_module_level=True)

sparse = pytest.importorskip("scipy.sparse")


@pytest.fixture
def work(module: Any) -> Any:
    return module("sparse_work").Product("rmat-s14", small=True)


def _shuffled(c: Any) -> Any:
    """Reverse every row."""
    order = np.concatenate(
        [np.arange(c.indptr[i], c.indptr[i + 1])[::-1] for i in range(c.shape[0])]
    )
    return sparse.csr_array((c.data[order], c.indices[order], c.indptr), shape=c.shape)


def test_the_order_of_rows_does_not_matter_but_their_numbers_do(module: Any, work: Any) -> None:
    c = work.matrix @ work.matrix
    c.sort_indices()
    ours = work.outputs(c, claims_sorted=True)
    assert work.deviation(ours, work.outputs(_shuffled(c), claims_sorted=False)) == 0
    with pytest.raises(ValueError, match="said to be sorted"):
        work.outputs(_shuffled(c), claims_sorted=True)
    tolerance = module("sparse_work").TOLERANCE
    wrong = c.copy()
    wrong.data[5] *= 1 + 4 * tolerance
    assert work.deviation(ours, work.outputs(wrong, claims_sorted=True)) > tolerance
    wrong.data[5] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        work.deviation(ours, work.outputs(wrong, claims_sorted=True))


def test_stored_zeros_agree_with_dropped_ones_and_nothing_else_may_be_missing(work: Any) -> None:
    c = work.matrix @ work.matrix
    c.sort_indices()
    zero, gone = c.copy(), c.copy()
    zero.data[7] = 0
    gone.data[7] = 0
    gone.eliminate_zeros()
    assert gone.nnz == c.nnz - 1
    outputs = [work.outputs(x, claims_sorted=True) for x in (c, zero, gone)]
    assert work.deviation(outputs[1], outputs[2]) == 0
    assert work.deviation(outputs[2], outputs[1]) == 0
    for pair in ((outputs[0], outputs[2]), (outputs[2], outputs[0])):
        with pytest.raises(ValueError, match="stored by one of them only"):
            work.deviation(*pair)


def test_entries_out_of_reach_and_named_twice_are_refused(work: Any) -> None:
    c = work.matrix @ work.matrix
    row = int(np.argmin(np.diff(c.indptr)))
    dense = c.toarray()
    dense[row, int(np.argmin(dense[row]))] = 1
    stray = sparse.csr_array(dense)
    right = work.outputs(c, claims_sorted=False)
    with pytest.raises(ValueError, match="no product falls"):
        work.deviation(right, work.outputs(stray, claims_sorted=True))
    twice = sparse.csr_array((np.ones(2, np.float32), [3, 3], [0, 2, *[2] * 255]), shape=c.shape)
    with pytest.raises(ValueError, match="names a column twice"):
        work.outputs(twice, claims_sorted=False)


def test_large_products_are_compared_on_some_rows(
    module: Any, work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module("sparse_work"), "_MOST_CHECKED", 10)
    c = work.matrix @ work.matrix
    part = work.outputs(c, claims_sorted=False)
    assert part["indptr"].size == -(-c.shape[0] // 8) + 1
    assert work.deviation(part, part) == 0
    assert "every 8th row" in work.bounds()["float32"].why


def test_work_is_counted_as_the_definition_says(module: Any) -> None:
    work = module("sparse_work").Product("poisson2d", small=True)
    a = work.matrix.toarray() != 0
    counts = a.astype(int) @ a.astype(int)
    assert work.products == counts.sum()
    assert work.entries == np.count_nonzero(counts)
    bound = work.bounds()["float32"]
    assert bound.flop == 2 * counts.sum()
    n, nnz = a.shape[0], np.count_nonzero(a)
    assert bound.bytes == 8 * (2 * nnz + work.entries) + 12 * (n + 1)


def test_a_matrix_that_is_not_there_is_reported_and_not_run(
    module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path))
    case = module("spgemm").product_case("facebook", small=False)
    assert case.absent.startswith("absent: not in ")
    console = importlib.import_module("rich.console").Console(quiet=True)
    harness, machine, results = module("harness"), module("machine"), module("results")
    options = importlib.import_module("argparse").Namespace()
    found = harness.run_case(case, options, machine.Peaks(1.0, 1.0, 1.0), console)
    assert found.rows == []
    report = results.Report("n", "c", 1, True, machine.describe(), machine.Peaks(1, 1, 1), "", "")
    report.cases.append(found)
    assert "absent: not in" in report.to_markdown()
    assert report.exit_status(gate=True) == 0
    sparse.save_npz(tmp_path / "facebook.npz", sparse.eye_array(3, format="csr"))
    assert module("spgemm").product_case("facebook", small=False).absent == ""


def test_every_class_of_the_brief_is_a_case_and_every_goal_finds_one(module: Any) -> None:
    options = importlib.import_module("argparse").Namespace(quick=False, matrix=None)
    keys = [case.key for case in module("spgemm")._cases(options)]
    assert len(keys) == len(set(keys))
    assert len([key for key in keys if key.startswith("product ")]) >= 15
    goals = module("goals").load_goals(FOLDER / "goals.toml")
    matches = module("goals").matches
    for goal in goals.goals:
        if goal.benchmark == "spgemm":
            assert any(matches(key, goal.case) for key in keys), goal
    means = {mean.group: mean for mean in goals.means}
    assert {mean.ratio for mean in means.values()} == {1.3, 2, 3}
    for mean in means.values():
        for pattern in mean.cases:
            assert any(matches(key, pattern) for key in keys), pattern
    in_means = [key for key in keys for mean in means.values() if mean.includes(key)]
    assert len(in_means) == len(set(in_means))


def _measured(results: Any, key: str, **seconds: float) -> Any:
    rows = []
    for name, time in seconds.items():
        package, _, variant = name.partition("_")
        row = results.Row(package, variant, "float32", "")
        row.record([time] * 3, [time] * 3)
        rows.append(row)
    return results.CaseResult(key, "t", 1, rows)


def test_goals_by_pattern_choose_our_variant_and_everyone_else(module: Any) -> None:
    results = module("results")
    case = _measured(
        results,
        "product a",
        workbench_sorted=0.02,
        workbench_unsorted=0.01,
        p_unsorted=0.03,
        q_sorted=0.08,
    )
    goals = results.Goals(
        (
            results.Goal("b", "product *", "*", 1, variant="unsorted*", ours="sorted"),
            results.Goal("b", "product *", "*", 9, variant="sorted", ours="sorted"),
            results.Goal("b", "product *", "workbench", 2, variant="sorted", ours="unsorted"),
            results.Goal("b", "other *", "*", 1),
        )
    )
    case.judge(goals, "b", 1)
    assert [round(v.ratio, 6) for v in case.verdicts] == [1.5, 4, 2]
    assert [v.status for v in case.verdicts] == ["met", "missed", "met"]


def test_means_are_geometric_and_over_what_was_measured(module: Any) -> None:
    results, machine = module("results"), module("machine")
    cases = [
        _measured(results, "product a", workbench_=0.01, p_=0.01),
        _measured(results, "product b", workbench_=0.01, p_=0.09),
        _measured(results, "product c", p_=0.09),
        _measured(results, "other", workbench_=0.01, p_=0.09),
    ]
    report = results.Report("b", "c", 1, False, machine.describe(), machine.Peaks(1, 1, 1), "", "")
    report.cases = cases
    mean = results.Mean("b", "all", ("product *",), "*", 5, source="somewhere")
    report.judge(results.Goals(means=(mean, results.Mean("other", "x", ("*",), "*", 1))))
    (verdict,) = report.means
    assert verdict.ratio == pytest.approx(3)
    assert (verdict.status, verdict.cases) == ("missed", 2)
    assert "all, geometric mean of 2 cases: goal 5x *, found 3x: missed" in report.to_markdown()
    assert report.exit_status(gate=True) == 1
    assert report.exit_status(gate=False) == 0


def test_a_mean_without_cases_is_refused(module: Any, tmp_path: Path) -> None:
    path = tmp_path / "goals.toml"
    path.write_text("[[mean]]\nbenchmark='x'\ngroup='g'\npeer='*'\nratio=1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="'g' has no cases"):
        module("goals").load_goals(path)


def test_the_first_thing_a_peer_cannot_say_is_a_disagreement(module: Any) -> None:
    harness, machine = module("harness"), module("machine")
    console = importlib.import_module("rich.console").Console(quiet=True)
    options = importlib.import_module("argparse").Namespace(
        refcheck=True, repeats=2, seconds=0.0, max_seconds=1.0
    )
    known = harness.Package("p", "p", "json", "nothing to install")
    prepared = harness.Prepared(lambda: None, lambda k: {"z": np.ones(k)}, 1, 1.0)
    contender = harness.Contender(known, "", "float32", lambda: prepared)

    def compare(ours: Any, theirs: Any) -> float:
        raise ValueError("patterns differ")

    bound = harness.Bound(2e6, 0.0, "why")
    case = harness.Case(
        "k", "t", 1, [contender] * 2, lambda: {"float32": bound}, compare, rates=True
    )
    found = harness.run_case(case, options, machine.Peaks(1.0, 1.0, 1.0), console)
    assert [row.status for row in found.rows] == ["", "disagrees: patterns differ"]
    first = found.rows[0]
    assert first.gflop_per_s == pytest.approx(2e6 / first.median_ms / 1e6)
    assert found.bound_notes == ["why"]
