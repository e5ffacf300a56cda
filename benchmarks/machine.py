# SPDX-License-Identifier: Apache-2.0
"""What the measurements ran on: processor, load, versions, and the peaks it can reach."""

from __future__ import annotations

import functools
import importlib
import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = [
    "BUSY",
    "Machine",
    "Peaks",
    "describe",
    "kernels",
    "load_average",
    "measure_peaks",
    "revision",
    "version",
    "versions",
]

#: One-minute load average above which wall-clock numbers are not to be trusted.
BUSY = 0.5

_ISA_FLAGS = (
    ("AVX-512", "avx512f"),
    ("AVX2", "avx2"),
    ("AVX", "avx"),
    ("SSE4.2", "sse4_2"),
    ("NEON", "asimd"),
)


@dataclass(frozen=True)
class Machine:
    """The machine as the operating system describes it.

    Attributes
    ----------
    cpu, isa : str
        Model name, widest vector instruction set.
    cores, cores_used : int
        Logical cores present, and those this process may run on.
    memory_gib : float
    system, python : str
    load : float
        One-minute load average when the run began.
    """

    cpu: str
    isa: str
    cores: int
    cores_used: int
    memory_gib: float
    system: str
    python: str
    load: float


@dataclass(frozen=True)
class Peaks:
    """What the pinned cores reach: matrix products in GFLOP/s, a copy in GB/s."""

    float32_gflops: float
    float64_gflops: float
    copy_gb_per_s: float

    def gflops(self, precision: str) -> float:
        """Return the peak for ``"float32"`` or ``"float64"``."""
        return self.float64_gflops if precision == "float64" else self.float32_gflops


def _cpu_fields() -> dict[str, str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    lines = (line.partition(":") for line in text.split("\n\n", 1)[0].splitlines())
    return {key.strip(): value.strip() for key, _, value in lines}


def load_average() -> float:
    """Return the one-minute load average, 0 where the system keeps none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def describe() -> Machine:
    """Read the machine's description."""
    fields = _cpu_fields()
    flags = set((fields.get("flags") or fields.get("Features") or "").split())
    cpu = fields.get("model name") or platform.processor() or platform.machine()
    if fields.get("cpu family") and fields.get("model"):
        cpu += f" (family {fields['cpu family']}, model {fields['model']})"
    cores = os.cpu_count() or 1
    used = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else cores
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Machine(
        cpu=cpu,
        isa=next((name for name, flag in _ISA_FLAGS if flag in flags), platform.machine()),
        cores=cores,
        cores_used=used,
        memory_gib=round(memory, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        load=round(load_average(), 2),
    )


def revision() -> str:
    """Return the checkout's short commit hash, with ``+`` when it has changes, else ``""``."""
    root = Path(__file__).resolve().parent.parent

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "--short=12", "HEAD")
        return commit + ("+" if commit and git("status", "--porcelain") else "")
    except OSError:
        return ""


def version(distribution: str) -> str | None:
    """Return an installed distribution's version, None when it is absent."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def versions(distributions: Iterable[str]) -> dict[str, str]:
    """Return the versions of those that are installed, and of what everything stands on."""
    names = dict.fromkeys(["workbench", "numpy", "torch", "qiskit", "pennylane", *distributions])
    found = {name: version(name) for name in names}
    return {name: number for name, number in found.items() if number}


def kernels() -> str:
    """Return how our kernels were built and which instruction set they chose, "" without them."""
    try:
        info = importlib.import_module("workbench.ops").build_info()
    except ImportError:
        return ""
    return f"{info['isa']}, {info['threads']} thread(s), {info['compiler']} {info['build_type']}"


def _best_seconds(work: Callable[[], object], repeats: int) -> float:
    work()
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def measure_peaks(*, quick: bool = False) -> Peaks:
    """Time square matrix products and a copy beyond the caches, with the threads in force.

    The products come from the BLAS numpy was built with: a rate that real code of the densest
    kind sustains here, not the one on the processor's data sheet.
    """
    size, repeats, copied = (256, 2, 1 << 20) if quick else (1024, 8, 1 << 25)
    rates = []
    for dtype in (np.float32, np.float64):
        a = np.full((size, size), 0.5, dtype=dtype)
        seconds = _best_seconds(functools.partial(np.matmul, a, a, out=np.empty_like(a)), repeats)
        rates.append(2.0 * size**3 / seconds / 1e9)
    # written to, because untouched zeros are one page of memory that never leaves the caches
    source = np.full(copied, 0.5)
    target = np.empty_like(source)
    seconds = _best_seconds(lambda: np.copyto(target, source), repeats)
    return Peaks(rates[0], rates[1], 2.0 * source.nbytes / seconds / 1e9)
