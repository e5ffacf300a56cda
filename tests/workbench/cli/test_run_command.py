# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import random
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[str]"]


def _folder(tmp_path: Path, runs: str = "runs") -> Path:
    (folder,) = (tmp_path / runs / "hash-chain").iterdir()
    return folder


def test_a_run_ends_with_its_table_and_the_path_of_its_report(call: Call, tmp_path: Path) -> None:
    code, out, err = call("run", "hash-chain", "--rounds", "1")
    assert code == 0
    folder = _folder(tmp_path).relative_to(tmp_path)
    lines = out.splitlines()
    assert lines[0] == "Hash chains"
    assert lines[1].split() == ["seed", "digest"]
    assert lines[-1] == f"report: {folder}/report.html"
    assert "warning: a warning" in lines
    assert err == f"run {folder}\n"
    names = {path.name for path in _folder(tmp_path).iterdir()}
    assert names == {
        "checkpoints",
        "config.json",
        "env.json",
        "metrics.jsonl",
        "report.html",
        "result.json",
        "steps",
        "timing.json",
    }


def test_the_same_options_print_the_stored_result(call: Call) -> None:
    first = call("run", "hash-chain", "--rounds", "1")
    second = call("run", "hash-chain", "--rounds=1", "--seeds", "3")
    assert second[:2] == first[:2]
    assert "its stored result (--force runs it again)" in second[2]


def test_force_sets_the_old_run_aside(call: Call, tmp_path: Path) -> None:
    call("run", "hash-chain", "--rounds", "1")
    code, _, err = call("run", "hash-chain", "--rounds", "1", "--force")
    assert code == 0
    assert "stored" not in err
    names = sorted(path.name for path in (tmp_path / "runs" / "hash-chain").iterdir())
    assert names[1] == f"{names[0]}~1"


def test_options_override_a_config_file(call: Call, tmp_path: Path) -> None:
    call("run", "hash-chain", "--rounds", "1", "--seeds", "2")
    file = _folder(tmp_path) / "config.json"
    code, _, _ = call(
        "run", "hash-chain", f"--config={file}", "--seeds", "1", "--runs", "elsewhere"
    )
    assert code == 0
    stored = json.loads((_folder(tmp_path, "elsewhere") / "config.json").read_text())
    assert stored["config"] == {"seeds": 1, "rounds": 1, "mode": "fine"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"seed": 3}', "no field 'seed'; did you mean 'seeds'?"),
        ('{"seeds": "many"}', "config.seeds must be an integer, got 'many'"),
        ("{", "cannot be read"),
        ('{"format": 1, "experiment": "other", "config": {}}', "belongs to 'other'"),
    ],
)
def test_a_config_file_that_does_not_fit_is_refused(
    call: Call, tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "c.json").write_text(text)
    code, _, err = call("run", "hash-chain", "--config", "c.json")
    assert code == 2
    assert words in err


def test_a_failed_check_of_the_experiment_is_exit_code_1(call: Call) -> None:
    code, out, _ = call("run", "hash-chain", "--rounds", "1", "--mode", "fails")
    assert code == 1
    assert "report:" in out


def test_a_crash_is_exit_code_1_and_names_the_resume_command(call: Call, tmp_path: Path) -> None:
    code, out, err = call("run", "hash-chain", "--rounds", "1", "--mode", "crashes")
    assert (code, out) == (1, "")
    assert "RuntimeError: the experiment broke" in err
    folder = _folder(tmp_path).relative_to(tmp_path)
    assert err.rstrip().endswith(f"workbench resume {folder}")


def test_a_report_that_fails_does_not_cost_the_result(call: Call, tmp_path: Path) -> None:
    code, _, err = call("run", "hash-chain", "--rounds", "1", "--mode", "bad-report")
    assert code == 1
    assert "has its result, but the report failed" in err
    assert (_folder(tmp_path) / "result.json").exists()


def test_report_builds_the_page_again(call: Call, tmp_path: Path) -> None:
    call("run", "hash-chain", "--rounds", "1")
    page = _folder(tmp_path) / "report.html"
    before = page.read_bytes()
    page.unlink()
    code, out, _ = call("report", page.parent.name[:6])
    assert code == 0
    assert (tmp_path / out.strip()).read_bytes() == before


def test_a_refused_folder_is_exit_code_1_with_the_reason(call: Call, tmp_path: Path) -> None:
    call("run", "hash-chain", "--rounds", "1")
    file = _folder(tmp_path) / "config.json"
    file.write_text(file.read_text().replace('"format": 1', '"format": 7'))
    code, _, err = call("run", "hash-chain", "--rounds", "1")
    assert code == 1
    assert "refused" in err
    assert "format 7" in err
    code, out, _ = call("runs")
    assert code == 0
    assert "refused" in out
    assert "format 7" in out


def test_runs_shows_state_and_headline(call: Call, tmp_path: Path) -> None:
    call("run", "hash-chain", "--rounds", "1")
    call("run", "hash-chain", "--rounds", "1", "--mode", "crashes")
    code, out, _ = call("runs", "--json")
    assert code == 0
    rows = {row["state"]: row for row in json.loads(out)}
    assert rows["finished"]["headline"] == "3 digests"
    assert rows["finished"]["passed"] is True
    assert rows["interrupted"]["headline"] is None
    lines = call("runs")[1].splitlines()
    assert len(lines) == 2
    assert any(line.startswith("hash-chain/") and line.endswith("3 digests") for line in lines)


def test_list_shows_good_and_broken_experiments(call: Call) -> None:
    code, out, _ = call("list")
    assert code == 0
    assert "hash-chain" in out.split("broken:")[0]
    assert "ModuleNotFoundError" in out.split("broken:")[1]
    rows = {row["name"]: row for row in json.loads(call("list", "--json")[1])}
    assert rows["hash-chain"]["state"] == "ok"
    assert rows["hash-chain"]["summary"] == "Hashes in a chain"
    assert rows["shattered"]["state"] == "broken"


def _ends_within(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _await_work(process: subprocess.Popen[str], tmp_path: Path, beyond: int = 0) -> None:
    """Wait until the run has logged more than ``beyond`` bytes."""
    while not any(f.stat().st_size > beyond for f in (tmp_path / "runs").glob("*/*/metrics.jsonl")):
        assert not _ends_within(process, 0.005)


_LONG = ("--seeds", "6", "--rounds", "60")


def test_a_run_killed_at_random_moments_resumes_to_the_same_bytes(
    start: Start, call: Call, tmp_path: Path
) -> None:
    moments = random.Random(20240817)
    killed = 0
    for attempt in range(6):
        words = ["resume", _folder(tmp_path).name] if attempt else ["run", "hash-chain", *_LONG]
        process = start(*words)
        if attempt % 2 == 0:
            beyond = (_folder(tmp_path) / "metrics.jsonl").stat().st_size if attempt else 0
            _await_work(process, tmp_path, beyond)
        if _ends_within(process, moments.uniform(0.0, 0.15)):
            break
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        killed += 1
    assert killed
    code, out, _ = call("resume", _folder(tmp_path).name[:7])
    assert code == 0
    assert out.endswith("report.html\n")
    assert call("run", "hash-chain", *_LONG, "--runs", "unbroken")[0] == 0
    for name in ("result.json", "metrics.jsonl", "config.json"):
        resumed, unbroken = _folder(tmp_path) / name, _folder(tmp_path, "unbroken") / name
        assert resumed.read_bytes() == unbroken.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_exit_code_130_and_names_the_resume_command(
    start: Start, call: Call, tmp_path: Path, number: signal.Signals
) -> None:
    # So long that the signal, sent at its first sign of life, comes while it works.
    process = start("run", "hash-chain", "--rounds", "100000")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("run runs/hash-chain/")
    _await_work(process, tmp_path)
    process.send_signal(number)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    folder = _folder(tmp_path).relative_to(tmp_path)
    assert errors.rstrip().endswith(f"workbench resume {folder}")
    assert "Traceback" not in errors
    assert "interrupted" in call("runs")[1]


def test_progress_and_results_do_not_mix(start: Start) -> None:
    process = start("run", "hash-chain", "--rounds", "1")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Hash chains" in out
    assert "Hash chains" not in err
    assert err.startswith("run runs/")
