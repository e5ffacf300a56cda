# SPDX-License-Identifier: Apache-2.0
"""``workbench bench``: the scripts of a checkout's ``benchmarks`` folder."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from workbench.cli.arguments import UsageError
from workbench.cli.listing import print_pairs
from workbench.experiments.suggestion import closest

FOLDER_VARIABLE = "WORKBENCH_BENCHMARKS"

_HELP = f"""\
usage: workbench bench [NAME] [arguments of the benchmark]

Without NAME: list the benchmarks. With it: run benchmarks/NAME.py of the checkout;
`workbench bench NAME --help` shows what it takes. {FOLDER_VARIABLE} names another folder."""


def bench(words: Sequence[str]) -> int:
    """List the benchmarks, or run one."""
    if words and words[0] in ("-h", "--help"):
        print(_HELP)
        return 0
    folder = benchmark_folder()
    scripts = {path.stem: path for path in sorted(folder.glob("*.py")) if _is_benchmark(path)}
    if not words:
        if not scripts:
            print(f"no benchmarks in {folder}")
            return 0
        print_pairs([(name, _first_line(path)) for name, path in scripts.items()])
        return 0
    name = words[0]
    if name not in scripts:
        known = ", ".join(scripts) or "none"
        raise UsageError(
            f"unknown benchmark {name!r}{closest(name, list(scripts))} "
            f"(in {folder} there are: {known})"
        )
    return _run(scripts[name], list(words[1:]))


def benchmark_folder() -> Path:
    """Return the folder of benchmarks.

    The environment variable ``WORKBENCH_BENCHMARKS`` names it; else it is the one beside the
    imported package, as in an editable install, or ``./benchmarks``.

    Raises
    ------
    UsageError
        If there is none, saying that a checkout is needed.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        if not Path(named).is_dir():
            raise UsageError(f"bench: {FOLDER_VARIABLE} names {named!r}, which is no folder")
        return Path(named)
    beside = Path(__file__).resolve().parents[2] / "benchmarks"
    for folder in (beside, Path("benchmarks")):
        if folder.is_dir():
            return folder
    raise UsageError(
        "bench: benchmarks are not part of the installed package; run this in a checkout, or let "
        f"{FOLDER_VARIABLE} name a checkout's benchmarks folder"
    )


def _is_benchmark(path: Path) -> bool:
    """Whether the file defines ``main``; one that cannot be parsed is listed, to say so."""
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError):
        return True
    return any(isinstance(node, ast.FunctionDef) and node.name == "main" for node in tree.body)


def _first_line(path: Path) -> str:
    try:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    except (SyntaxError, ValueError) as error:
        return f"broken: {error}"
    return text.splitlines()[0] if text else ""


def _run(path: Path, words: list[str]) -> int:
    spec = importlib.util.spec_from_file_location(f"benchmarks_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise UsageError(f"bench: {path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    # Process pools find functions of the benchmark by its module's name.
    sys.modules[spec.name] = module
    # Benchmarks may share modules that lie beside them.
    sys.path.insert(0, str(path.parent.resolve()))
    spec.loader.exec_module(module)
    code = module.main(words)
    return 0 if code is None else int(code)
