# SPDX-License-Identifier: Apache-2.0
"""Where a run was made: versions, processor, threads, source state. Nothing heavy is imported."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from workbench.distribution import NAME

PACKAGES = (
    NAME,
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "qiskit",
    "qiskit-aer",
    "qiskit-ibm-runtime",
    "matplotlib",
)


def versions() -> dict[str, str]:
    """Return the versions of the installed packages that results may depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def processor() -> dict[str, Any]:
    """Return the processor's name and the widest instruction set and threads it offers here."""
    name, flags = platform.processor() or platform.machine(), ""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() in ("flags", "Features"):
                flags = value
                break
    except OSError:
        # Without /proc the machine's name has to do.
        pass
    words = set(flags.split())
    isa = "AVX-512" if "avx512f" in words else "AVX2" if "avx2" in words else "baseline"
    return {"cpu": name, "cpu_isa": isa, "cpus": _usable_cpus()}


def describe() -> dict[str, Any]:
    """Return the environment of this process, before the experiment has loaded anything."""
    description: dict[str, Any] = {
        "versions": versions(),
        "platform": platform.platform(),
        **processor(),
        "command": ["workbench", *sys.argv[1:]],
    }
    threads = os.environ.get("OMP_NUM_THREADS")
    if threads is not None:
        description["OMP_NUM_THREADS"] = threads
    state = source_state()
    if state is not None:
        description["git"] = state
    return description


def with_kernels(description: dict[str, Any]) -> dict[str, Any]:
    """Add what the compiled kernels say of themselves, where the experiment has loaded them."""
    operators = sys.modules.get("workbench.ops")
    build_info = getattr(operators, "build_info", None)
    return description if build_info is None else {**description, "kernels": build_info()}


def source_state() -> dict[str, Any] | None:
    """Return commit and cleanness of the checkout this package is imported from, if it is one."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    import subprocess

    try:
        commit = _git(root, "rev-parse", "HEAD")
        changed = bool(_git(root, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "changed": changed}


def _git(root: Path, *words: str) -> str:
    import subprocess

    done = subprocess.run(
        ["git", "-C", str(root), *words], capture_output=True, text=True, timeout=10, check=True
    )
    return done.stdout.strip()


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
