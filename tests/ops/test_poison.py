# SPDX-License-Identifier: Apache-2.0
"""No output depends on what fresh memory held: every family under WB_POISON has the plain bits."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from workbench.ops import build_info

ROOT = Path(__file__).resolve().parents[2]

# 127: indices and pointers of 2**31 and floats of 1e38 or 1e306, flags that are true.
# 255: -1 in integers, the mark of "nothing yet" in several kernels; NaN in floats.
PAIRS = [(1, "127"), (2, "255")]


def ran(code: list[str], poison: str | None) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "WB_POISON"}
    if poison is not None:
        environment["WB_POISON"] = poison
    return subprocess.run(
        [sys.executable, "-W", "ignore", *code],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def digests(threads: int, poison: str | None) -> dict[str, str]:
    done = ran(["-m", "tests.ops.poison_cases", str(threads)], poison)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("threads", "poison"), PAIRS)
def test_every_family_has_the_same_bits(threads: int, poison: str) -> None:
    plain, other = digests(1, None), digests(threads, poison)
    assert len(plain) > 300
    assert plain.keys() == other.keys()
    assert [name for name in plain if plain[name] != other[name]] == []


def test_the_byte_is_reported_and_fills_what_python_allocates() -> None:
    code = (
        "from workbench.ops import build_info\n"
        "from workbench.ops._buffers import empty, empty_array\n"
        "from workbench.ops._native import kernels\n"
        "import torch\n"
        "print(build_info().get('poison'))\n"
        "print(set(empty((3, 5), torch.bool).view(torch.uint8).flatten().tolist()))\n"
        "print(set(empty_array((7,), 'c16').view('u1').tolist()))\n"
        "for _ in range(3):\n"  # fresh pages, then the same ones again
        "    x = kernels.pooled_empty(300_000, __import__('numpy').dtype('f8'))\n"
        "    print(set(x.view('u1').tolist()))\n"
        "    x[:] = 0\n"
        "    del x\n"
        "print(empty((0, 0), torch.float64).shape, empty_array((0, 2), 'f4').shape)\n"
    )
    done = ran(["-c", code], "0173")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:6] == ["173", *["{173}"] * 5]
    assert "poison" not in build_info() or os.environ.get("WB_POISON")


@pytest.mark.parametrize("value", ["0", "-1", "99999999999999999999"])
def test_other_values_are_refused(value: str) -> None:
    done = ran(["-c", "import workbench.ops.statevector"], value)
    assert done.returncode != 0
    assert f"WB_POISON must be a number from 1 to 255, got '{value}'" in done.stderr


# Memory without initial values comes from one place ----------------------------------------------

# Fakes tell shapes and allocate nothing; a tensor of no elements has nothing to write.
ALLOCATORS = {"empty", "new_empty", "empty_like", "empty_strided", "new_empty_strided"}


def is_fake(function: ast.FunctionDef) -> bool:
    return function.name.endswith("_fake")


def has_no_elements(call: ast.Call) -> bool:
    sizes = call.args[0].elts if call.args and isinstance(call.args[0], ast.Tuple) else call.args
    return any(isinstance(size, ast.Constant) and size.value == 0 for size in sizes)


def allocations(path: Path) -> list[str]:
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and is_fake(node):
            node.body = []
    return [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ALLOCATORS
        and ast.unparse(call.func.value) not in ("buffers", "queue", "stack")
        and not has_no_elements(call)
    ]


def test_python_allocates_without_values_in_one_place() -> None:
    files = [
        f for room in ("workbench/ops", "circuits", "graphs") for f in (ROOT / room).rglob("*.py")
    ]
    assert len(files) > 100
    found = [place for f in files if f.name != "_buffers.py" for place in allocations(f)]
    assert found == []


def test_bindings_allocate_in_one_place() -> None:
    """A binding that makes a result by hand would not be filled by the switch."""
    import re

    by_hand = re.compile(r"\b(Array<[^>]+>|Ints|Longs|Reals|Words|Bytes|Complexes)\s+\w+(\(|\{)")
    found = []
    for path in (ROOT / "csrc").rglob("*_bind.?pp"):
        if path.name == "array_bind.hpp":
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            made = by_hand.search(line)
            # Functions that return arrays look alike; their parameters begin with a type.
            if (
                made
                and "ShapeContainer{0" not in line
                and not re.search(r"\(const |\(std::int|\)? const {", line)
            ):
                found.append(f"{path.name}:{number}: {line.strip()}")
    assert found == []
