# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import platform
import sys
import types
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from workbench.cli.about import info

Call = Callable[..., tuple[int, str, str]]


def test_short_info_names_what_is_installed(call: Call) -> None:
    code, out, _ = call("info", "--short", "--json")
    assert code == 0
    facts = json.loads(out)
    assert facts["versions"]["python"] == platform.python_version()
    assert facts["versions"]["numpy"] == metadata.version("numpy")
    assert facts["processor"]["cpus"] >= 1
    assert "kernels" not in facts
    assert "kernels" not in call("info", "--short")[1]


_BUILD = {
    "isa": "avx2",
    "max_isa": "avx512",
    "cuda_built": True,
    "cuda_device": None,
    "threads": 2,
    "compiler": "gcc 12",
    "families": ["statevector", "noise"],
}


def _replace_operators(monkeypatch: pytest.MonkeyPatch, **attributes: Any) -> None:
    import workbench

    module = types.ModuleType("workbench.ops")
    for name, value in attributes.items():
        setattr(module, name, value)
    monkeypatch.setitem(sys.modules, "workbench.ops", module)
    monkeypatch.setattr(workbench, "ops", module, raising=False)


def test_info_tells_what_the_kernels_say_of_themselves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _replace_operators(monkeypatch, build_info=lambda: _BUILD)
    assert info([]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == (
        "kernels   avx2 (max avx512), 2 threads, CUDA built, no device, gcc 12, "
        "families: statevector, noise"
    )
    info(["--json"])
    assert json.loads(capsys.readouterr().out)["kernels"] == _BUILD


def test_info_survives_a_missing_extension_and_says_how_to_build_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing() -> Any:
        raise ImportError("workbench._kernels is not importable")

    _replace_operators(monkeypatch, build_info=missing)
    assert info([]) == 0
    out = capsys.readouterr().out
    assert "not usable: workbench._kernels is not importable" in out
    assert "pip install -e ." in out


def _announce(folder: Path, points: str) -> None:
    file = folder / "hashchain-1.0.dist-info" / "entry_points.txt"
    file.write_text(f"[workbench.selftests]\n{points}\n")


@pytest.fixture
def only_these(monkeypatch: pytest.MonkeyPatch, plugin_folder: Path) -> Path:
    """Hide the installed checks: they are run by their own tests, and take seconds."""
    from workbench.cli import about
    from workbench.experiments.discovery import plugins

    monkeypatch.setattr(
        about,
        "plugins",
        lambda group: [p for p in plugins(group) if p.origin.startswith("hashchain")],
    )
    return plugin_folder


def test_selftest_prints_a_line_for_each_check(call: Call, only_these: Path) -> None:
    _announce(only_these, "sums = hash_chain_plugin:good_check")
    code, out, _ = call("selftest")
    assert code == 0
    assert "sums  ok      two and two are four  (0.0 s)" in out.splitlines()
    assert "all 1 checks passed" in out


def test_selftest_fails_when_one_check_fails_and_runs_the_others(
    call: Call, only_these: Path
) -> None:
    _announce(
        only_these,
        "bad = hash_chain_plugin:bad_check\n"
        "gone = a_module_that_is_not_there:x\n"
        "sums = hash_chain_plugin:good_check",
    )
    code, out, err = call("selftest")
    assert code == 1
    assert "ArithmeticError: two and two are five" in out
    assert "does not load: ModuleNotFoundError" in out
    assert "two and two are four" in out
    assert "2 of 3 checks failed" in err


def test_selftest_leaves_out_what_needs_an_extra(call: Call, only_these: Path) -> None:
    _announce(
        only_these,
        "extra = hash_chain_plugin:check_of_an_extra\nsums = hash_chain_plugin:good_check",
    )
    code, out, _ = call("selftest")
    assert code == 0
    assert "extra  absent  noise needs aer: pip install" in out
    assert "all 1 checks passed, 1 left out for want of optional packages" in out


def test_selftest_without_checks_is_a_failure(call: Call, only_these: Path) -> None:
    _announce(only_these, "")
    code, _, err = call("selftest")
    assert code == 1
    assert "the package is not installed" in err
