# SPDX-License-Identifier: Apache-2.0
"""The experiment at a tiny scale: its numbers, its report, kills, and its statistics."""

from __future__ import annotations

import doctest
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from circuits.analog.gcn_rl.experiment import EXPERIMENT, Config, check
from circuits.analog.gcn_rl.study import judging, problems, publish, summary, tables
from circuits.analog.gcn_rl.study.config import reduced
from circuits.analog.gcn_rl.study.statistics import (
    charge_grid,
    first_reach,
    paired,
    quartiles,
    recharged,
)
from circuits.analog.gcn_rl.trace import Trace
from workbench.experiments import Outcome, execute
from workbench.experiments.config import command_line

ROOT = Path(__file__).parents[4]

TINY = Config(
    parts=("search", "l2dc", "transfer", "ablation"),
    circuits=("two_tia", "ldo"),
    methods=("human", "random", "gradient", "sqp", "gcn-rl:depth=1,hidden=4", "gcn-path:depth=1"),
    budgets=(40, 110),
    seeds=2,
    l2dc_methods=("random",),
    pretraining=60,
    tuning=50,
    routes=("two_tia:180>two_tia:45", "two_tia:180>three_tia:180"),
    ablation_circuits=("two_tia",),
    ablation_depths=(1, 2),
    ablation_budget=30,
    workers=0,
)

#: Runs the tiny experiment with so many workers in a process of its own.
PROGRAM = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]
from dataclasses import replace
from test_experiment import EXPERIMENT, TINY, execute
if __name__ == "__main__":
    execute(EXPERIMENT, replace(TINY, workers=int(sys.argv[2])), runs=sys.argv[1])
"""


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    pytest.importorskip("cma")  # a control of transfer
    return execute(EXPERIMENT, TINY, runs=tmp_path_factory.mktemp("unbroken"))


# ---- the whole ---------------------------------------------------------------------------------


def test_result_is_what_the_methods_find(unbroken: Outcome) -> None:
    result = unbroken.result
    assert [own["circuit"] for own in result["circuits"]] == ["two_tia", "ldo"]
    for own in result["circuits"]:
        problem = problems.problem_of(own["circuit"], own["node"])
        assert [row["method"] for row in own["methods"]] == list(TINY.methods)
        for row in own["methods"]:
            best = row["best"]
            read = problem.metrics(torch.tensor([best["params"]], dtype=torch.float64))
            assert float(problem.fom(read)[0]) == pytest.approx(best["fom"], abs=1e-12)
            for entry in row["budgets"]:
                assert max(f for f in entry["foms"] if f is not None) <= best["fom"]
            if row["gradients"]:
                # a dearer gradient finds no more
                for entry in row["budgets"]:
                    for mine, dearer in zip(entry["foms"], entry["other_foms"], strict=True):
                        assert dearer is None or dearer <= mine
        # the winner is not the human, and no other found more
        ranked = [r["best"]["fom"] for r in own["methods"] if r["method"] != "human"]
        winner = next(r for r in own["methods"] if r["method"] == own["winner"])
        assert winner["best"]["fom"] == max(ranked)


def test_random_search_again_gives_its_numbers(unbroken: Outcome) -> None:
    row = next(r for r in unbroken.result["circuits"][0]["methods"] if r["method"] == "random")
    problem: Any = problems.problem_of("two_tia", "180")
    for seed, found in zip(TINY.seed_numbers, row["budgets"][-1]["foms"], strict=True):
        units = np.random.default_rng(seed).uniform(-1, 1, (110, problem.n_parameters))
        fom = problem.evaluate_units(torch.from_numpy(units)).fom
        assert float(fom.max()) == pytest.approx(found, abs=1e-12)


def test_ngspice_agrees_with_every_best_design(unbroken: Outcome) -> None:
    for own in unbroken.result["circuits"]:
        if unbroken.run.found()["ngspice"] is None:
            assert "apt-get install ngspice" in own["ngspice"]["missing"]
            continue
        assert len(own["ngspice"]["rows"]) == len(TINY.methods)
        assert all(row["difference"] < judging.TOLERANCE for row in own["ngspice"]["rows"])
    assert unbroken.passed


def test_decks_lie_in_the_run_folder(unbroken: Outcome) -> None:
    decks = sorted(path.name for path in (unbroken.run.path / "decks").iterdir())
    assert len(decks) == 2 * len(TINY.methods)
    text = (unbroken.run.path / "decks" / "two_tia-180-gradient.cir").read_text(encoding="utf-8")
    assert ".ac dec" in text
    assert text.rstrip().endswith(".end")


def test_transfer_has_its_controls(unbroken: Outcome) -> None:
    node, topology = unbroken.result["transfer"]
    names = {row["row"] for row in node["rows"]}
    assert {"gcn-transfer", "ng-transfer", "es-source", "gradient-source", "source-design"} <= names
    assert "source-design" not in {row["row"] for row in topology["rows"]}
    assert all(len(row["foms"]) == TINY.seeds for row in node["rows"])


def test_ablation_has_every_variant_and_what_the_layers_leave(unbroken: Outcome) -> None:
    found = unbroken.result["ablation"]
    (own,) = found["circuits"]
    assert [(r["agent"], r["depth"]) for r in own["rows"]] == [
        (agent, depth) for agent in ("gcn-rl", "ng-rl", "gcn-path") for depth in (1, 2)
    ]
    for row in own["rows"]:
        assert set(row["variants"]) == {"plain", "skip=true", "norm=pair"}
        assert all(len(v["foms"]) == TINY.seeds for v in row["variants"].values())
    spread = {(r["agent"], r["depth"]): r["spread"]["plain"] for r in own["rows"]}
    assert spread["gcn-rl", 2] < spread["gcn-rl", 1] < 1.0  # averaging
    assert spread["gcn-rl", 2] < spread["ng-rl", 2]


def test_report_shows_every_figure_and_table(unbroken: Outcome) -> None:
    page = unbroken.page.read_text(encoding="utf-8")
    for words in (
        "A tenth of the simulations?", "Two-TIA, 180", "LDO, 180", "The reward of L2DC",
        "Transfer", "Layers of the agents", "What the paper reports",
        "commercial simulator", "2 seeds: no difference",
    ):  # fmt: skip
        assert words in page, words
    # two charges, netlist, response and corners of each circuit; the routes
    assert page.count("<svg") >= 2 * 5 + 3
    assert "#01f0" not in page  # no stand-in colour is left
    assert "<image" not in page  # the page forbids them, as it does all that could be fetched


def test_page_is_filled_from_what_is_kept(unbroken: Outcome) -> None:
    text = publish.keep(unbroken.run.config, "a processor", unbroken.result, 61.0, "Tiny.")
    names = [name for name in tables.table_names() if name in tables.tables(unbroken.result)]
    page = "".join(f"<!-- table: {name} -->\nold\n<!-- end -->\n" for name in names)
    filled = publish.filled(page + "<!-- table: provenance -->\n<!-- end -->\n", text)
    assert "old" not in filled
    assert "| GCN-RL, depth 1, hidden 4 |" in filled
    assert "Tiny." in filled
    with pytest.raises(ValueError, match="'nothing'"):
        publish.filled("<!-- table: nothing -->\n<!-- end -->\n", text)


@pytest.mark.slow
def test_kill_and_workers_change_no_number(unbroken: Outcome, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    # Both runs judge alike, even if ngspice was installed in between.
    judge = "off" if unbroken.run.found()["ngspice"] is None else "on"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "WORKBENCH_NGSPICE": judge}

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, str(program), str(tmp_path / "runs"), "2"],
            env=environment,
            stderr=subprocess.DEVNULL,
        )

    process = start()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if len(list((tmp_path / "runs").glob("gcn-rl/*/steps/*.npz"))) >= 3:
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert start().wait(timeout=300) == 0
    (result,) = (tmp_path / "runs").glob("gcn-rl/*/result.json")
    again = json.loads(result.read_text(encoding="utf-8"))["result"]
    assert again == json.loads(json.dumps(unbroken.result))


# ---- configs -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"circuits": ("two_ti",)}, "did you mean 'two_tia'"),
        ({"node": "90"}, "made for"),
        ({"methods": ("gcn",)}, "unknown method 'gcn'"),
        ({"methods": ("gcn-rl:dept=2",)}, "did you mean 'depth'"),
        ({"methods": ("gcn-rl:depth",)}, "name:option=value"),
        ({"budgets": (300, 100)}, "must rise"),
        ({"budgets": ()}, "at least 1"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"gradient_charge": 1.0}, "above 1"),
        ({"gradient_charge": float("nan")}, "above 1"),
        ({"surcharge": 0.5}, "at least 1"),
        ({"parts": ()}, "parts must name"),
        ({"parts": ("transfer",), "routes": ("two_tia:180",)}, "circuit:node>circuit:node"),
        ({"parts": ("transfer",), "routes": ("two_tia:180>two_tia:180",)}, "the same"),
        ({"methods": ("random", "random")}, "distinct"),
    ],
)
def test_a_config_that_cannot_be_run_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(replace(Config(), **change))


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from circuits.analog.gcn_rl import methods

    monkeypatch.setattr(methods, "have", lambda package: False)
    with pytest.raises(ImportError, match=r"pip install .*\[sizing\]'"):
        check(replace(Config(), methods=("es",)))


def test_default_config_is_the_papers_budget() -> None:
    config = Config()
    assert config.budgets[-1] == 10_000
    assert config.node_of("three_tia") == "ee114"
    assert config.node_of("ldo") == "180"
    assert command_line("gcn-rl", replace(config, transfer=True)).endswith("--transfer")
    assert reduced(replace(config, quick=True)).seeds == 2


def test_agents_are_searched_at_each_budget() -> None:
    config = Config()
    assert summary.searched(config, "gcn-rl") == config.budgets
    assert summary.searched(config, "gradient+es") == config.budgets
    assert summary.searched(config, "es") == (10_000,)


# ---- statistics --------------------------------------------------------------------------------


def trace_of(foms: list[float], gradients: list[bool], charge: float) -> Trace:
    steps = np.where(gradients, charge, 1.0)
    best = np.maximum.accumulate(np.array(foms))
    nothing = np.zeros(1)
    return Trace(
        "m", "p", "n", 0, 1e9, np.cumsum(steps), np.array(foms), best, nothing, nothing, nothing,
        int(sum(gradients)),
    )  # fmt: skip


values = st.floats(-5, 5, allow_nan=False)


@given(st.lists(values, min_size=1, max_size=9))
def test_quartiles_are_numpys(found: list[float]) -> None:
    np.testing.assert_allclose(quartiles(found), np.quantile(found, (0.25, 0.5, 0.75)), atol=1e-12)


def test_a_search_that_found_nothing_counts_as_less_than_any() -> None:
    assert quartiles([None, 1.0, 2.0]) == [None, 1.0, 1.5]
    assert quartiles([None, None, 2.0]) == [None, None, None]
    assert quartiles([]) == [None, None, None]


@given(st.lists(st.tuples(values, st.booleans()), min_size=1, max_size=40), st.floats(1, 8))
def test_recharged_is_as_if_charged_so(found: list[tuple[float, bool]], surcharge: float) -> None:
    foms, gradients = [f for f, _ in found], [g for _, g in found]
    again, charge = recharged(trace_of(foms, gradients, 3.2), surcharge), 1.0 + 2.2 * surcharge
    np.testing.assert_allclose(again.charge, trace_of(foms, gradients, charge).charge)
    np.testing.assert_array_equal(again.best, trace_of(foms, gradients, charge).best)


@given(st.integers(1, 20_000))
def test_charge_grid_rises_to_the_budget(budget: int) -> None:
    grid = charge_grid(budget, [1000])
    assert grid == sorted(set(grid))
    assert grid[-1] == budget
    assert (1000 in grid) == (budget >= 1000)


def test_first_reach() -> None:
    assert first_reach([1, 10, 100], [None, 0.5, 0.7], 0.6) == 100
    assert first_reach([1, 10, 100], [None, 0.5, 0.7], 0.5) == 10
    assert first_reach([1, 10], [0.1, 0.2], 0.3) is None
    assert first_reach([1], [0.1], None) is None


def test_no_claim_without_seeds_agreement_and_size() -> None:
    assert paired([1.0] * 5, [0.9] * 5)["verdict"] == "better"
    assert paired([0.9] * 5, [1.0] * 5)["verdict"] == "worse"
    assert paired([1.0] * 4, [0.0] * 4)["verdict"] == "no claim"  # too few
    assert paired([1.0] * 5, [0.96] * 5)["verdict"] == "no claim"  # too small
    assert paired([1.0] * 4 + [0.0], [0.5] * 5)["verdict"] == "no claim"  # one disagrees
    assert paired([1.0] * 4 + [None], [0.5] * 5)["verdict"] == "no claim"  # one is missing


def rows_of(found: dict[str, tuple[float, float]]) -> list[dict[str, Any]]:
    """Rows with medians at 1,000 and 10,000."""
    return [
        {
            "method": name,
            "title": name,
            "budgets": [
                {"budget": b, "quartiles": [v, v, v], "other_quartiles": [v - 0.01] * 3}
                for b, v in zip((1000, 10_000), pair, strict=True)
            ],
            "curve": {"charge": [1000, 10_000], "quartiles": [[v, v, v] for v in pair]},
        }
        for name, pair in found.items()
    ]


def test_moonshot_is_said_either_way() -> None:
    config = replace(Config(), budgets=(1000, 10_000))
    black = {"random": (1.0, 1.2), "es": (1.3, 1.5), "mace": (1.4, 1.4)}
    shot = summary.moonshot(config, rows_of({**black, "gradient": (1.52, 1.6), "gcn-rl": (1, 1.9)}))
    assert (shot["black_box"], shot["level"]) == ("es", 1.5)
    assert shot["reached"] == ["gradient"]
    # what is a thousandth below has it
    shot = summary.moonshot(config, rows_of({**black, "gradient": (1.5095, 1.6)}))
    assert shot["reached"] == ["gradient"]
    # with dearer gradients it has 1.495
    shot = summary.moonshot(config, rows_of({**black, "gradient": (1.505, 1.6)}))
    assert shot["reached"] == []
    # a black box that has it early is named apart
    shot = summary.moonshot(config, rows_of({"es": (1.8, 1.5), "gradient": (1.0, 2.0)}))
    assert (shot["reached"], shot["reached_by_black_boxes"]) == ([], ["es"])
    assert next(e for e in shot["entries"] if e["method"] == "gradient")["first"] == 10_000


# ---- judging -----------------------------------------------------------------------------------


def test_damping_of_the_human_designs() -> None:
    for circuit, node in (("two_tia", "180"), ("ldo", "180"), ("three_tia", "ee114")):
        problem = problems.problem_of(circuit, node)
        assert 0 < judging.damping(problem, problem.human.tolist()) <= 1


def test_a_run_judges_with_what_it_began_with() -> None:
    problem: Any = problems.problem_of("two_tia", "180")
    designs = {"human": problem.human.tolist()}
    # begun without ngspice: not asked even where it is installed by now
    assert judging.in_ngspice(problem, designs, None)["rows"] == []
    with pytest.raises(RuntimeError, match=r"judges with ngspice 7, but here is .*--force"):
        judging.in_ngspice(problem, designs, "7")


def test_response_has_the_gain_and_bandwidth_of_the_metrics() -> None:
    problem: Any = problems.problem_of("three_tia", "ee114")
    found = judging.response(problem, {"human": problem.human.tolist()})
    gain = found["curves"]["human"]["decibel"]
    assert gain[0] == pytest.approx(20 * np.log10(20235.97), abs=1e-4)
    at_bandwidth = np.interp(np.log(91.037e6), np.log(found["frequency"]), gain)
    assert at_bandwidth == pytest.approx(gain[0] - 10 * np.log10(2), abs=0.02)


def test_drawn_netlist_leaves_supplies_out() -> None:
    problem = problems.problem_of("two_tia", "180")
    found = judging.drawn(problem, problem.human.tolist())
    assert found["nets"] == ["g6", "in", "out1", "out2"]
    by_name = {c["name"]: c for c in found["components"]}
    assert (by_name["m2"]["w"], by_name["m2"]["m"]) == (pytest.approx(1.02e-6), 20)
    assert by_name["rf"]["value"] == pytest.approx(420)


# ---- the page ----------------------------------------------------------------------------------


def test_page_shows_what_runs() -> None:
    results = doctest.testfile(str(ROOT / publish.PAGE), module_relative=False)
    assert results.failed == 0
    assert results.attempted > 5


def test_page_holds_what_was_kept() -> None:
    page = (ROOT / publish.PAGE).read_text(encoding="utf-8")
    if not (ROOT / publish.RESULTS).exists():
        pytest.skip("no run is kept beside the page yet")
    text = (ROOT / publish.RESULTS).read_text(encoding="utf-8")
    assert publish.filled(page, text) == page
