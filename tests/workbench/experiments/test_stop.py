# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C really sent to a run with workers: said at once, over soon, nothing left, resumable."""

from __future__ import annotations

import io
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from workbench.experiments import StoredRun, progress, workers

_PROGRAM = Path(__file__).with_name("crew_run.py")


def _start(runs: Path, hang: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(_PROGRAM), str(runs), hang],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout is not None
    # both workers are at work that does not end
    said = [process.stdout.readline() for _ in range(2)]
    if said != ["hanging\n"] * 2:
        os.killpg(process.pid, signal.SIGKILL)
    assert said == ["hanging\n"] * 2
    time.sleep(0.2)
    return process


def _says(process: subprocess.Popen[str], seconds: float) -> str:
    """What comes on stderr within that time, up to the word looked for."""
    assert process.stderr is not None
    text, until = "", time.monotonic() + seconds
    while "stopping" not in text and time.monotonic() < until:
        if select.select([process.stderr], [], [], 0.05)[0]:
            text += os.read(process.stderr.fileno(), 4096).decode()
    return text


def _gone(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    return psutil.wait_procs(processes, timeout=seconds)[1]


@pytest.mark.parametrize(
    ("send", "number", "times", "hang"),
    [
        (os.kill, signal.SIGINT, 1, "child"),
        (os.killpg, signal.SIGINT, 1, "sleep"),
        (os.kill, signal.SIGINT, 3, "deaf"),
        (os.killpg, signal.SIGINT, 3, "deaf"),
        (os.kill, signal.SIGTERM, 2, "sleep"),
        (os.killpg, signal.SIGTERM, 1, "child"),
    ],
)
def test_a_signal_ends_a_run_and_its_workers(
    send: Callable[[int, int], None],
    number: signal.Signals,
    times: int,
    hang: str,
    tmp_path: Path,
    python_environment: dict[str, str],
) -> None:
    process = _start(tmp_path, hang, python_environment)
    try:
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2
        send(process.pid, number)
        sent = time.monotonic()
        said = _says(process, 5)
        assert "stopping ..." in said, said
        for _ in range(times - 1):
            time.sleep(0.3)
            send(process.pid, number)
        _, errors = process.communicate(timeout=20)
        assert time.monotonic() - sent < 15
        assert process.returncode == 130, said + errors
        assert "workbench resume" in said + errors
        assert "Traceback" not in said + errors, said + errors
        assert _gone(children, 2) == []
    finally:
        process.kill()
    (path,) = (tmp_path / "squares").iterdir()
    assert StoredRun(path).state == "interrupted"
    if hang != "sleep":
        return
    for runs in (tmp_path, tmp_path / "alone"):
        done = subprocess.run(
            [sys.executable, str(_PROGRAM), str(runs)],
            env=python_environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
    (alone,) = (tmp_path / "alone" / "squares").iterdir()
    assert (path / "result.json").read_bytes() == (alone / "result.json").read_bytes()
    assert json.loads((path / "timing.json").read_text())["sessions"] == 2


def test_a_killed_run_takes_its_workers_and_what_they_started_with_it(
    tmp_path: Path, python_environment: dict[str, str]
) -> None:
    process = _start(tmp_path, "child", python_environment)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate(timeout=10)
    assert _gone(children, 5) == []


def _fail(number: int) -> int:
    if number:
        time.sleep(60)
    raise ValueError("no")


def _nothing() -> None:
    pass


def test_a_failing_job_does_not_wait_for_the_others() -> None:
    def run() -> None:
        with workers.crew(2, _nothing) as executor:
            executor.submit(_fail, 1)
            executor.submit(_fail, 0).result()

    began = time.monotonic()
    with pytest.raises(ValueError, match="no"):
        run()
    assert time.monotonic() - began < 20
    assert not [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]


def test_signal_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with workers.crew(1, _nothing) as executor:
        assert executor.submit(_nothing).result() is None
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_the_cursor_comes_back_when_taking_the_bar_away_is_interrupted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import rich.progress

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def stop(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "_QUIET_S", 0.0)
    stream = Terminal()
    board = progress.ProgressBoard(stream, ticking=False)
    task = board.task(2, "work")
    board.opened(task)
    task.advance()
    bar = board._bar
    with monkeypatch.context() as patch:
        patch.setattr(rich.progress.Progress, "stop", stop)
        with pytest.raises(KeyboardInterrupt):
            board.close()
    text = stream.getvalue()
    bar.stop()
    assert text.index("\x1b[?25l") < text.index("\x1b[?25h")
    assert board._bar is None
