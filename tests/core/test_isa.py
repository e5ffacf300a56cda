# SPDX-License-Identifier: Apache-2.0
"""Instruction sets: chosen at run time, equal in result, and kept apart by the linker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.ops import build_info

ROOT = Path(__file__).resolve().parents[2]
ORDER = ["base", "avx2", "avx512"]

CIRCUIT = """
import json, torch
from workbench.ops import build_info
from workbench.ops.program import Angle, Observables, OpKind, ProgramBuilder, Source
from workbench.ops.statevector import expectation
b = ProgramBuilder(5, 10, 5)
for i in range(5):
    b.add(OpKind.RX, [i], angles=[Angle(0.1, ((Source.INPUT, i, 1.0),))])
for i in range(10):
    angle = Angle(0.2, ((Source.WEIGHT, i, 1.0),))
    b.add(OpKind.RY, [i % 5], controls=[(i + 1) % 5], angles=[angle])
obs = Observables(
    2, torch.tensor([[0, 0, 20], [1, 25, 12]]), torch.tensor([1.0, 0.5], dtype=torch.float64)
)
w = torch.linspace(-1, 2, 10, dtype=torch.float64, requires_grad=True)
x = torch.linspace(0, 3, 165, dtype=torch.float64).reshape(33, 5).requires_grad_()
y = expectation(b.build(), obs, w, x)
y.sum().backward()
print(json.dumps([build_info()["isa"], y.tolist(), w.grad.tolist(), x.grad.tolist()]))
"""


def run_under(cap: str, code: str) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ, WB_MAX_ISA=cap)
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def test_every_instruction_set_gives_the_same_numbers() -> None:
    import numpy as np

    detected = build_info()["detected_isa"]
    answers = {}
    for cap in ORDER[: ORDER.index(detected) + 1]:
        done = run_under(cap, CIRCUIT)
        assert done.returncode == 0, done.stderr
        isa, *numbers = json.loads(done.stdout)
        assert isa == cap
        answers[cap] = numbers
    for numbers in answers.values():
        for mine, base in zip(numbers, answers["base"], strict=True):
            np.testing.assert_allclose(mine, base, atol=1e-13)


def test_an_unknown_instruction_set_is_named() -> None:
    done = run_under("sse9", "import workbench.ops; workbench.ops.build_info()")
    assert done.returncode != 0
    assert "WB_MAX_ISA must be base, avx2 or avx512, got 'sse9'" in done.stderr


def test_no_function_is_shared_between_instruction_sets() -> None:
    """A weak symbol outside an ISA's namespace could be the copy the linker keeps for all."""
    nm = shutil.which("nm")
    objects = sorted(ROOT.glob("build/*/CMakeFiles/wb_*_*.dir/**/*.o"))
    if nm is None or not objects:
        pytest.skip("needs nm and the objects of a build in this checkout")
    shared = []
    for path in objects:
        listing = subprocess.run(
            [nm, "-C", "--defined-only", str(path)], capture_output=True, text=True, check=True
        )
        folder = next(p for p in path.parts if p.endswith(".dir") and p.startswith("wb_"))
        namespace = f"isa_{folder.removesuffix('.dir').rsplit('_', 1)[1]}::"
        for line in listing.stdout.splitlines():
            _, kind, name = line.split(maxsplit=2)
            if kind in "WVu" and namespace not in name and not name.startswith("DW.ref."):
                shared.append(f"{path.name}: {name}")
    assert not shared
