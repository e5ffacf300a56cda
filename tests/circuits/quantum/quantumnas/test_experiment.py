# SPDX-License-Identifier: Apache-2.0
"""The whole experiment at a tiny scale: its result, its report, and kills at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from circuits.quantum.quantumnas.config import (
    ChecksConfig,
    Config,
    PruningConfig,
    SearchConfig,
    SuperCircuitConfig,
    TrainingConfig,
)
from circuits.quantum.quantumnas.experiment import EXPERIMENT, check
from workbench.experiments import Outcome, execute
from workbench.experiments.graph_layout import graph_positions

ROOT = Path(__file__).parents[4]

TINY = Config(
    task="digits-2",
    seeds=1,
    workers=0,
    blocks=2,
    shots=32,
    supercircuit=SuperCircuitConfig(steps=6),
    search=SearchConfig(population=4, generations=2, parents=2, mutations=1),
    training=TrainingConfig(candidates=2, random_circuits=2, epochs=2, warmup_epochs=1),
    pruning=PruningConfig(angles=(0.0, 0.3), gates=(0.5,), epochs=2),
    checks=ChecksConfig(sizes=(4, 8), per_size=3, blocks=(1, 2), layouts=4),
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
    return execute(EXPERIMENT, TINY, runs=tmp_path_factory.mktemp("unbroken"))


def start(runs: Path, workers: int) -> subprocess.Popen[bytes]:
    program = runs / "program.py"
    runs.mkdir(exist_ok=True)
    program.write_text(PROGRAM)
    return subprocess.Popen(
        [sys.executable, str(program), str(runs), str(workers)], stderr=subprocess.DEVNULL
    )


def kill_when(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and not ready():
        assert time.monotonic() < deadline, "the run neither ended nor came to where to kill it"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()


def stored(runs: Path) -> list[Path]:
    return sorted(runs.glob("quantumnas/*/steps/*.npz"))


def result_bytes(runs: Path) -> bytes:
    (path,) = runs.glob("quantumnas/*/result.json")
    return path.read_bytes()


def test_killed_runs_go_on_to_the_same_bytes(unbroken: Outcome, tmp_path: Path) -> None:
    kill_when(start(tmp_path, 0), lambda: len(stored(tmp_path)) >= 1)
    first = stored(tmp_path)
    assert first, "the first kill came after something was stored"
    kill_when(start(tmp_path, 0), lambda: len(stored(tmp_path)) > len(first) + 2)
    assert not list(tmp_path.glob("quantumnas/*/result.json")), "nothing is finished yet"
    outcome = execute(EXPERIMENT, TINY, runs=tmp_path)
    assert result_bytes(tmp_path) == (unbroken.run.path / "result.json").read_bytes()
    assert outcome.run.metrics() == unbroken.run.metrics()
    assert outcome.run.timing()["sessions"] == 3


def _children(pid: int) -> set[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(word) for word in tasks.read_text().split()} if tasks.exists() else set()


def _is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds children through /proc")
def test_workers_change_no_number_and_end_with_a_killed_parent(
    unbroken: Outcome, tmp_path: Path
) -> None:
    process = start(tmp_path, 2)
    children: set[int] = set()

    def ready() -> bool:
        children.update(_children(process.pid))
        return len(stored(tmp_path)) >= 2

    kill_when(process, ready)
    assert len(children) >= 2
    deadline = time.monotonic() + 60
    while any(_is_alive(pid) for pid in children):
        assert time.monotonic() < deadline, "workers outlive their parent"
        time.sleep(0.05)
    outcome = start(tmp_path, 2)
    assert outcome.wait(timeout=240) == 0
    ours = json.loads(result_bytes(tmp_path))["result"]
    assert ours == unbroken.result


def test_the_result_is_consistent(unbroken: Outcome) -> None:
    result = unbroken.result
    assert result["passed"] is True
    assert result["largest_difference_from_aer"] < 1e-9
    rows = {row["key"]: row for row in result["rows"]}
    assert list(rows) == [
        "unaware", "random", "human", "human_level3", "full", "quantumnas", "pruned",
    ]  # fmt: skip
    assert {row["trainings"] for row in rows.values()} == {2}
    assert rows["unaware"]["evaluated"] == rows["quantumnas"]["evaluated"] == 8
    gates = rows["quantumnas"]["mean"]["gates"]
    for key in ("random", "human", "human_level3"):
        assert rows[key]["mean"]["gates"] == gates
        assert rows[key]["mean"]["parameters"] == 3 * gates
    assert rows["full"]["mean"]["gates"] == 16
    assert rows["pruned"]["mean"]["parameters"] < rows["quantumnas"]["mean"]["parameters"]
    for difference in result["differences"]:
        expected = [
            own["noisy_loss"] - other["noisy_loss"]
            for own, other in zip(
                rows["quantumnas"]["seeds"], rows[difference["key"]]["seeds"], strict=True
            )
        ]
        assert difference["noisy_loss"]["seeds"] == expected
        assert difference["wins"] == sum(value < 0 for value in expected)
        if difference["wins"] == 0:
            assert any(difference["title"] in words for words in result["warnings"])
    (seed,) = result["seeds"]
    assert seed["winner"]["layout"] == rows["quantumnas"]["seeds"][0]["layout"]
    assert len(set(seed["winner"]["layout"])) == 4
    assert any("fewer than 3 seeds" in words for words in result["warnings"])


def test_the_result_holds_no_time_and_the_report_shows_it(unbroken: Outcome) -> None:
    assert "seconds" not in json.dumps(unbroken.result)
    table = unbroken.report.table
    seconds = [table.column(i).title for i in range(len(table.columns))].index("seconds")
    assert all(isinstance(row[seconds], float) and row[seconds] > 0 for row in table.rows)
    page = unbroken.page.read_text()
    for words in (
        "Paired differences", "The circuit found", "qubit", "Search", "Do inherited losses rank",
        "gate count alone", "no signal", "Pruning and finetuning", "No gain in accuracy",
        "encoder",
    ):  # fmt: skip
        assert words in page, words
    assert table.caption is not None
    assert "by seed" in table.caption


def test_search_generations_are_logged(unbroken: Outcome) -> None:
    logged = [record for record in unbroken.run.metrics() if "search" in record]
    assert {record["search"] for record in logged} == {"noise-aware", "noise-unaware"}
    for kind in ("noise-aware", "noise-unaware"):
        losses = [record["best_loss"] for record in logged if record["search"] == kind]
        assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"device": "FakeQuitto"}, r"unknown device 'FakeQuitto'.*FakeQuitoV2"),
        ({"device": "quito"}, r"unknown device 'quito'; did you mean 'FakeQuitoV2'"),
        ({"device": "FakeArmonkV2"}, r"has 1 qubits; the task needs 4"),
        ({"task": "digits-10"}, r"unknown task 'digits-10'.*digits-4, digits-2"),
        ({"space": "seth"}, r"unknown design space 'seth'; known are u3cu3"),
        ({"seeds": 0}, r"seeds is 0; expected 1 or more"),
        ({"workers": -1}, r"workers is -1"),
        ({"checks": ChecksConfig(sizes=(1,), blocks=(1,))}, r"checks.sizes has 1"),
        ({"checks": ChecksConfig(sizes=(4,), blocks=(3,))}, r"checks.blocks has 3"),
        ({"search": SearchConfig(region=3)}, r"search.region is 3"),
        ({"search": SearchConfig(population=5)}, r"search.population is 5"),
        ({"training": TrainingConfig(candidates=6, random_circuits=4)}, r"random-circuits is 4"),
        ({"pruning": PruningConfig(angles=(1.0,))}, r"pruning.angles has 1.0"),
        ({"supercircuit": SuperCircuitConfig(sampling="none")}, r"sampling is 'none'"),  # type: ignore[arg-type]
    ],
)
def test_configs_that_cannot_be_run_are_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check(replace(TINY, **changes))  # type: ignore[arg-type]


def test_importing_the_experiment_loads_nothing_heavy() -> None:
    program = (
        "import sys; import circuits.quantum.quantumnas.experiment; "
        "print([m for m in ('torch', 'numpy', 'qiskit', 'matplotlib', 'sklearn') "
        "if m in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True
    )
    assert done.stdout.strip() == "[]"


def test_graph_positions_look_like_the_graph() -> None:
    line = graph_positions(5, [(0, 1), (1, 2), (2, 3), (3, 4)])
    assert np.ptp(line, axis=0).min() < 0.1
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    assert steps == pytest.approx(np.ones(4), abs=0.02)
    tee = graph_positions(5, [(0, 1), (1, 2), (1, 3), (3, 4)])
    apart = np.linalg.norm(tee[:, None] - tee[None], axis=2) + 9 * np.eye(5)
    assert apart.min() > 0.6
