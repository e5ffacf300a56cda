# SPDX-License-Identifier: Apache-2.0
"""The suite counts what it skips, and a run of CI fails on a reason that is not on the list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("reason", "run", "passes", "workers"),
    [
        ("ngspice is not installed", "bare", True, "0"),
        ("ngspice is not installed", "ngspice", False, "0"),
        ("felt like it", "bare", False, "2"),
        ("felt like it", None, True, "0"),
    ],
)
def test_kinds_of_skips(
    tmp_path: Path, reason: str, run: str | None, passes: bool, workers: str
) -> None:
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (tmp_path / "skips.toml").write_text((TESTS / "skips.toml").read_text())
    (tmp_path / "test_it.py").write_text(
        f"import pytest\ndef test_a(): pytest.skip({reason!r})\ndef test_b(): pass\n"
    )
    known = [] if run is None else ["--known-skips", run]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *known, "-n", workers],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == passes, done.stdout + done.stderr
    assert f"    1  {reason}" in done.stdout
    assert ("not a known kind of skip" in done.stdout) != passes
