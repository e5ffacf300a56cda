# SPDX-License-Identifier: Apache-2.0
"""``workbench size``: what it prints, writes, verifies and refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from circuits.analog.command import COMMAND, size
from circuits.analog.gcn_rl.methods import METHODS
from circuits.analog.gcn_rl.study.problems import problem_of
from workbench.cli.arguments import UsageError


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "run.json"
    words = ["--circuit", "two_tia", "--method", "gradient", "--budget", "60", "--seed", "3"]
    assert size([*words, "--out", str(path), "--deck", str(tmp_path / "best.cir")]) == 0
    return path


def test_run_writes_config_trace_design_and_deck(stored: Path) -> None:
    record = json.loads(stored.read_text(encoding="utf-8"))
    assert record["config"] == {
        "circuit": "two_tia", "node": "180", "method": "gradient", "budget": 60, "seed": 3,
        "gradient_charge": 1.9,
    }  # fmt: skip
    trace, best = record["trace"], record["best"]
    assert best["fom"] == max(trace["fom"])
    assert trace["charge"][-1] <= 60
    names = problem_of("two_tia", "180").parameter_names
    assert [best["params"][name] for name in names] == trace["best_params"]
    assert record["deck"] == (stored.parent / "best.cir").read_text(encoding="utf-8")
    assert f"w={best['params']['W1']!r}" in record["deck"]


def test_run_is_deterministic(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again.json"
    words = ["--circuit", "two_tia", "--method", "gradient", "--budget", "60", "--seed", "3"]
    assert size([*words, "--out", str(again)]) == 0
    assert again.read_bytes() == stored.read_bytes()
    printed = capsys.readouterr().out
    assert "bandwidth" in printed
    assert "the human design has" in printed


@pytest.mark.parametrize("word", ["gcnrl:depth=1,hidden=4", "pathwise", "ngrl", "random"])
def test_methods_by_the_words_of_the_help(word: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    words = ["--circuit", "three_tia", "--node", "65", "--method", word, "--budget", "40"]
    assert size([*words, "--out", str(path)]) == 0
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["config"]["method"].partition(":")[0] in METHODS
    assert len(record["trace"]["fom"]) <= 40


def test_verify_agrees_and_sees_a_changed_number(
    stored: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from circuits.analog import ngspice

    if not ngspice.available():
        with pytest.raises(UsageError, match="apt-get install ngspice"):
            size(["verify", str(stored)])
        return
    assert size(["verify", str(stored)]) == 0
    assert "agree: largest relative difference" in capsys.readouterr().out
    record = json.loads(stored.read_text(encoding="utf-8"))
    record["best"]["metrics"]["gain"] *= 1.001
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(record), encoding="utf-8")
    assert size(["verify", str(changed)]) == 1
    assert "DO NOT AGREE" in capsys.readouterr().out


def test_transfer_prints_its_controls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("cma")
    path = tmp_path / "transfer.json"
    words = ["transfer", "--circuit", "two_tia", "--from", "180", "--to", "45"]
    assert size([*words, "--pretraining", "30", "--budget", "30", "--out", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "the source's best design, re-simulated" in printed
    assert "too few" in printed
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["config"]["source"] == "180"
    assert len(record["rows"]["gcn-transfer"]) == 1


def broken(**changes: Any) -> str:
    record = {
        "format": "workbench.size", "version": 1,
        "config": {"circuit": "two_tia", "node": "180"},
        "best": {"fom": 1.0, "params": {"W1": 1e-6}, "metrics": {}},
    }  # fmt: skip
    return json.dumps({**record, **changes})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read as JSON"),
        ("[1]", "is not what `workbench size --out` writes"),
        (broken(version=2), "has version 2"),
        (broken(best={"fom": 1.0}), "best lacks one of"),
        (broken(), "the circuit has"),
        (broken(config={"circuit": "two_ti", "node": "180"}), "did you mean 'two_tia'"),
    ],
)
def test_verify_refuses_what_is_no_run(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(words)):
        size(["verify", str(path)])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--circuit two_ti", "did you mean 'two_tia'"),
        ("--circuit two_tia --node 90", "made for 180"),
        ("--circuit two_tia --method gcnlr", "did you mean 'gcn-rl'"),
        ("--circuit two_tia --method gcnrl:dept=1", "did you mean 'depth'"),
        ("--circuit two_tia --budget 0", "budget"),
        ("--circuit two_tia --seed -1", "seeds"),
        ("--circuit two_tia --gradient-charge .5", "gradient_charge"),
        ("--circuit two_tia --bugdet 3", "did you mean '--budget'"),
        ("--method random", "--circuit"),
        ("--circuit two_tia --out /no/such/folder/run.json", "--out must be a file"),
        ("verfy run.json", "did you mean 'verify'"),
        ("transfer --circuit two_tia --from 180 --to 180", "are the same"),
        ("transfer --circuit two_tia --from 180 --to 99", "made for"),
        ("transfer --circuit two_tia --from 180 --to 45 --seeds 0", "--seeds"),
    ],
)
def test_wrong_usage_says_what_is_right(words: str, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        size(words.split())


def test_help_names_every_method(capsys: pytest.CaptureFixture[str]) -> None:
    assert size(["--help"]) == 0
    printed = capsys.readouterr().out
    for word in ("Examples", "gcnrl", "pathwise", "verify", "transfer", "mace"):
        assert word in printed
    assert max(map(len, printed.splitlines())) <= 100
    assert size([]) == 2
    for words in (["--help"], ["verify", "--help"], ["transfer", "--help"]):
        if words == ["--help"]:
            continue
        with pytest.raises(SystemExit) as left:
            size(words)
        assert left.value.code == 0
        assert "example" in capsys.readouterr().out
    assert COMMAND.name == "size"
