# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at every file operation of a run, then resume: the same bytes as an unbroken run.

A kill comes just before a file is opened, renamed or removed, and when half of the first piece of
a file has been written.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_EXPERIMENT = Path(__file__).with_name("conftest.py")

# Runs the experiment in forked children; child n is killed at its n-th file operation.
_DRIVER = """
import importlib.util, io, json, os, signal, sys
from pathlib import Path

spec = importlib.util.spec_from_file_location("walks_experiment", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
spec.loader.exec_module(module)
from workbench.experiments import Experiment, durable, execute, metrics, page, session

# A killed process, unlike a machine without power, leaves its writes to the kernel.
os.fsync = lambda descriptor: None
runs = Path(sys.argv[2])
make = lambda: Experiment("walks", "Walks", module.WalkConfig, module.run_walks,
                          module.report_walks)
config = module.WalkConfig(walks=2, steps=2)


def in_child(folder, fatal):
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    count = 0

    def step():
        nonlocal count
        count += 1
        if count == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    class TornFile(io.FileIO):
        whole = True

        def write(self, data):
            if not self.whole:
                return super().write(data)
            self.whole = False
            half = len(data) // 2
            super().write(data[:half])
            step()
            return half + super().write(data[half:])

    def before(event, arguments):
        if event in ("open", "os.rename", "os.remove", "os.mkdir"):
            if str(folder) in str(arguments[0]):
                step()

    durable.open = metrics.open = lambda path, mode, **_: TornFile(path, mode)
    sys.addaudithook(before)
    code = 1
    try:
        execute(make(), config, runs=folder)
        code = 0
    finally:
        os._exit(code)


assert in_child(runs / "alone", 0) == 0
killed = 0
for fatal in range(1, 1000):
    folder = runs / f"killed{fatal}"
    status = in_child(folder, fatal)
    if status == 0:
        break
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
    killed += 1
    if fatal % 5 == 0:
        # Once more, a little later, as if the machine kept failing.
        in_child(folder, fatal + 3)
    assert in_child(folder, 0) == 0, fatal
print(json.dumps({"killed": killed}))
"""


def test_a_kill_before_any_file_operation_leaves_no_trace(
    tmp_path: Path, python_environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DRIVER, str(_EXPERIMENT), str(tmp_path)],
        # Without git in reach a session starts faster.
        env={**python_environment, "PATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    killed = json.loads(done.stdout)["killed"]
    assert killed > 40
    (alone,) = (tmp_path / "alone" / "walks").iterdir()
    for folder in tmp_path.glob("killed*"):
        (path,) = (folder / "walks").iterdir()
        for name in ("result.json", "metrics.jsonl", "config.json"):
            assert (path / name).read_bytes() == (alone / name).read_bytes(), (folder, name)
        assert not list(path.rglob("*.partial"))
        assert {file.name for file in (path / "steps").iterdir()} == {
            file.name for file in (alone / "steps").iterdir()
        }
        assert not (path / "lock").exists()
