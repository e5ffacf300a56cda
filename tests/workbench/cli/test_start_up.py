# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., tuple[int, str, str]]

_HEAVY = ("torch", "numpy", "scipy", "sklearn", "qiskit", "matplotlib", "tyro", "rich")

_PROBE = """
import contextlib, io, json, sys
from workbench.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    code = main(sys.argv[1:])
print(json.dumps([code, sorted(name for name in sys.modules if "." not in name)]))
"""


@pytest.mark.parametrize(
    "words",
    [("--help",), ("list",), ("list", "--json"), ("info", "--short"), ("runs",), ("--version",)],
    ids=" ".join,
)
def test_what_must_answer_at_once_imports_nothing_heavy(
    environment: dict[str, str], tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROBE, *words],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    code, modules = json.loads(done.stdout)
    assert code == 0
    assert "workbench" in modules
    assert not set(_HEAVY) & set(modules)


def test_importing_the_package_imports_no_subpackage(environment: dict[str, str]) -> None:
    probe = (
        "import sys, workbench; names = set(sys.modules); workbench.__version__;"
        "workbench.experiments.Experiment; print(sorted(names & {'numpy', 'torch', "
        "'workbench.experiments', 'workbench.ops', 'importlib.metadata'}), 'numpy' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", "False"]


def test_an_unknown_attribute_of_the_package_is_an_attribute_error() -> None:
    import workbench

    with pytest.raises(AttributeError, match="no attribute 'sandwich'"):
        _ = workbench.sandwich
    assert {"__version__", "experiments", "ops", "search"} <= set(dir(workbench))


def test_the_help_page_names_every_command(call: Call) -> None:
    from workbench.cli.manual import COMMANDS

    for words in ((), ("--help",), ("help",)):
        code, out, err = call(*words)
        assert (code, err) == (0, "")
        assert all(f"\n  {command} " in out for command in COMMANDS)
        assert all(len(line) <= 100 for line in out.splitlines())


@pytest.mark.parametrize(
    "command", ["list", "runs", "report", "resume", "info", "selftest", "bench", "run"]
)
def test_every_command_has_help_of_its_own(call: Call, command: str) -> None:
    code, out, err = call(command, "--help")
    assert (code, err) == (0, "")
    assert f"workbench {command}" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("lsit",), "unknown command 'lsit'; did you mean 'list'? (there are: list, run,"),
        (("list", "--jsn"), "unknown option '--jsn'; did you mean '--json'?"),
        (("list", "extra"), "unknown argument 'extra'"),
        (("resume",), "arguments are required: RUN"),
        (("resume", "abc"), "no run 'abc' under runs (there are none yet"),
        (("report", "abc"), "no run 'abc'"),
        (("run", "hash-chian"), "unknown experiment 'hash-chian'; did you mean 'hash-chain'?"),
        (("run", "shattered"), "is broken: ModuleNotFoundError"),
        (("run", "--seeds", "3"), "the experiment's name comes first, got '--seeds'"),
        (("run", "hash-chain", "--seed", "3"), "has the options --seeds, --rounds, --mode"),
        (("run", "hash-chain", "--seeds", "x"), "has the options --seeds, --rounds, --mode"),
        (("run", "hash-chain", "--mode", "x"), "unknown mode 'x' (there are: fine, fails"),
        (("run", "hash-chain", "--config"), "--config needs a value"),
        (("run", "hash-chain", "--config", "none.json"), "none.json cannot be read"),
        (("bench", "x"), "bench"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_answered_with_what_there_is(
    call: Call, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    code, out, err = call(*words)
    assert code == 2
    assert message in err
    assert out == ""
    assert not (tmp_path / "runs").exists()


def test_a_reader_that_leaves_early_is_no_error(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    process = start("--help")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    assert process.wait(timeout=60) == 0
    assert errors == ""
