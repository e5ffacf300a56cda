# SPDX-License-Identifier: Apache-2.0
"""The name pip knows, and strangers that bear the names of our packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import workbench
from workbench import distribution

LIST = "from workbench.cli import main; raise SystemExit(main(['list']))"
ROOT = Path(workbench.__file__).resolve().parents[1]


def test_no_page_or_message_names_a_strangers_package() -> None:
    # `pip install workbench` fetches another project.
    stranger = re.compile(r"(?<![-\w])workbench\[|pip install '?workbench\b")
    for folder in ("workbench", "circuits", "graphs", "docs", "benchmarks", "examples"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".md", ".toml", ".txt"):
                assert not stranger.search(path.read_text(encoding="utf-8")), path


def test_installed_under_its_own_name() -> None:
    assert workbench.__version__ == distribution.version()
    assert distribution.version() != "0+not.installed"


def test_command_in_a_checkout_and_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = tmp_path / "site-packages" / "workbench" / "distribution.py"
    monkeypatch.setattr(distribution, "__file__", str(module))
    assert distribution.install_command("sizing") == "pip install 'quantum-graph-workbench[sizing]'"
    (tmp_path / "site-packages" / "csrc").mkdir(parents=True)
    (tmp_path / "site-packages" / "pyproject.toml").touch()
    assert distribution.install_command("sizing").startswith("pip install -e '.[sizing]'")


def _run_beside(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    # -S keeps the finder of an editable install out, which comes before the working folder.
    path = os.pathsep.join([str(folder), str(ROOT), *filter(None, sys.path)])
    return subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("kind", ["module", "package"])
def test_a_foreign_package_of_our_name_is_said(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "graphs.py" if kind == "module" else tmp_path / "graphs" / "__init__.py"
    place.parent.mkdir(exist_ok=True)
    place.write_text("mine = 1\n")
    done = _run_beside(tmp_path, "import workbench; print(workbench.__name__)")
    assert done.returncode == 0, done.stderr
    assert f"RuntimeWarning: import graphs finds {place}" in done.stderr
    done = _run_beside(tmp_path, LIST)
    assert done.returncode == 0, done.stderr
    said = " ".join((done.stdout + done.stderr).split())  # the terminal wraps
    assert "which is not of quantum-graph-workbench: uninstall" in said
    assert "quantumnas" in done.stdout


def test_nothing_is_said_of_our_own(tmp_path: Path) -> None:
    assert distribution.foreign_siblings() == []
    (tmp_path / "graphs").mkdir()  # a folder without __init__ gives way to the installed package
    done = _run_beside(tmp_path, "import workbench")
    assert done.stderr == ""
