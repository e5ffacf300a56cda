# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.cli import bench as bench_module

Call = Callable[..., tuple[int, str, str]]

_SCRIPT = '''"""Time the kernel against its peers.

More about it.
"""
import a_shared_module_of_benchmarks as shared

def main(argv):
    print(shared.NAME, argv)
    return 3 if "--fail" in argv else None
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my-benchmarks"
    folder.mkdir()
    (folder / "kernel.py").write_text(_SCRIPT)
    (folder / "a_shared_module_of_benchmarks.py").write_text('"""Shared."""\nNAME = "shared"\n')
    (folder / "torn.py").write_text("def main(:\n")
    monkeypatch.setenv(bench_module.FOLDER_VARIABLE, str(folder))
    # What `bench` puts on the path goes when the test ends.
    monkeypatch.syspath_prepend(tmp_path / "nothing")
    return folder


@pytest.mark.usefixtures("folder")
def test_benchmarks_are_listed_without_importing_them(call: Call) -> None:
    code, out, _ = call("bench")
    assert code == 0
    lines = [line.split(maxsplit=1) for line in out.splitlines()]
    assert lines[0] == ["kernel", "Time the kernel against its peers."]
    assert lines[1][0] == "torn"
    assert lines[1][1].startswith("broken: ")
    assert len(lines) == 2


@pytest.mark.usefixtures("folder")
def test_a_benchmark_gets_the_arguments_that_follow_its_name(call: Call) -> None:
    assert call("bench", "kernel", "--json", "x")[:2] == (0, "shared ['--json', 'x']\n")
    assert call("bench", "kernel", "--fail")[0] == 3


@pytest.mark.usefixtures("folder")
def test_an_unknown_benchmark_names_the_closest(call: Call) -> None:
    code, _, err = call("bench", "kernels")
    assert code == 2
    assert "unknown benchmark 'kernels'; did you mean 'kernel'?" in err


def test_without_a_checkout_it_says_that_one_is_needed(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(bench_module.FOLDER_VARIABLE, raising=False)
    installed = tmp_path / "site-packages" / "workbench" / "cli" / "bench.py"
    monkeypatch.setattr(bench_module, "__file__", str(installed))
    code, _, err = call("bench")
    assert code == 2
    assert "run this in a checkout" in err
    assert bench_module.FOLDER_VARIABLE in err
    (tmp_path / "benchmarks").mkdir()
    assert call("bench")[0] == 0


def test_a_variable_that_names_no_folder_is_wrong_usage(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(bench_module.FOLDER_VARIABLE, "nowhere")
    code, _, err = call("bench")
    assert code == 2
    assert "'nowhere', which is no folder" in err
