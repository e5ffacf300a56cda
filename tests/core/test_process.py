# SPDX-License-Identifier: Apache-2.0
"""What the extension does to the process that loads it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import workbench
from workbench.ops import build_info

PACKAGE = Path(workbench.__file__).parent


def maps_after(code: str) -> set[str]:
    code += "\nprint(open('/proc/self/maps').read())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in done.stdout.splitlines() if len(line.split()) > 5}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_one_openmp_runtime() -> None:
    paths = maps_after("import workbench.ops.statevector")
    runtimes = {p for p in paths if re.search(r"lib(gomp|omp|iomp5)[^/]*\.so", p)}
    assert any("_kernels" in p for p in paths)
    assert len(runtimes) == 1, runtimes


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs /proc")
def test_the_extension_does_not_link_torch() -> None:
    """Found without torch: the dynamic section names no library of its."""
    code = (
        "import ctypes, importlib.util\n"
        "ctypes.CDLL(importlib.util.find_spec('workbench._kernels').origin)"
    )
    paths = maps_after(code)
    assert any("_kernels" in p for p in paths)
    assert not [p for p in paths if "torch" in p or "libc10" in p]


def test_torch_rules_the_threads() -> None:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert build_info()["threads"] == 1
    finally:
        torch.set_num_threads(before)


def test_types_ship_with_the_package() -> None:
    assert (PACKAGE / "py.typed").exists()
    stub = (PACKAGE / "_kernels.pyi").read_text()
    assert "def build_info" in stub


def test_a_missing_extension_is_named() -> None:
    code = "import sys; sys.modules['workbench._kernels'] = None; import workbench.ops.statevector"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "pip install -e ." in done.stderr
