# SPDX-License-Identifier: Apache-2.0
"""The process that holds ngspice's library ends with its caller, however that ends."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil

_CALLER = """
import os, subprocess, sys
helper = subprocess.Popen(
    [sys.executable, "-m", "circuits.analog.ngspice.worker", sys.argv[1], str(os.getpid()),
     sys.argv[2]],
    pass_fds=(int(sys.argv[1]),), cwd=sys.argv[2],
)
print(helper.pid, flush=True)
helper.wait()
"""


def test_the_helper_ends_with_a_killed_caller_and_removes_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "ngspice-here"
    folder.mkdir()
    root = Path(__file__).parents[3]
    # Our end stays open, so that the helper is not told by the pipe, as within a simulation.
    ours, theirs = socket.socketpair()
    with ours, theirs:
        caller = subprocess.Popen(
            [sys.executable, "-c", _CALLER, str(theirs.fileno()), str(folder)],
            pass_fds=(theirs.fileno(),),
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        assert caller.stdout is not None
        helper = psutil.Process(int(caller.stdout.readline()))
        try:
            caller.kill()
            caller.communicate(timeout=10)
            assert psutil.wait_procs([helper], timeout=20)[1] == []
        finally:
            if helper.is_running():
                helper.kill()
    assert not folder.exists()
