# SPDX-License-Identifier: Apache-2.0
"""Sparse products on any machine: the same bits by any number of threads, every instruction set.

Tests called ``test_kernel_*``, in test_spgemm_*.py and in test_spmm.py, run once more here under
every narrower instruction set.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.ops import build_info
from workbench.ops.spgemm import SpGEMMPlan, release_memory, spgemm, spgemm_flops

from .spgemm_cases import FLOATS, WINDOW, from_rows, hub, random_columns, random_csr, stencil

# Threads ------------------------------------------------------------------------------------------


def threaded_cases(dtype: Any) -> dict[str, tuple[Any, Any]]:
    rng = np.random.default_rng(9)
    power_law = [random_columns(rng, int(c), 2000) for c in 1 + 400 * rng.random(2000) ** 12]
    a = from_rows(rng, power_law, 2000, dtype)
    wide = from_rows(
        rng, [random_columns(rng, 100, 2 * WINDOW) for _ in range(400)], 2 * WINDOW, dtype
    )
    left = from_rows(rng, [random_columns(rng, 5, 400) for _ in range(300)], 400, dtype)
    band = stencil(rng, 2000, range(-6, 7), dtype)
    return {
        "power law": (a, a),
        "hub": hub(rng, "twice", 30_000, dtype),
        "wide": (left, wide),
        "band": (band, band),
    }


@pytest.mark.parametrize("case", ["power law", "hub", "wide", "band"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_products_have_the_same_bits_for_any_number_of_threads(case: str, dtype: Any) -> None:
    a, b = threaded_cases(dtype)[case]
    assert spgemm_flops(a, b) > 100_000  # or one thread would do it all
    plan = SpGEMMPlan(a, b)
    one = spgemm(a, b, num_threads=1)
    numeric = plan.numeric(a.data, b.data)
    masked = spgemm(a, b, mask=one[:, ::1], num_threads=1)
    for threads in (2, 3, 8):
        many = spgemm(a, b, num_threads=threads)
        assert np.array_equal(many.indptr, one.indptr)
        assert np.array_equal(many.indices, one.indices)
        assert many.data.tobytes() == one.data.tobytes()
        again = SpGEMMPlan(a, b, num_threads=threads).numeric(a.data, b.data)
        assert again.tobytes() == numeric.tobytes()
        other = spgemm(a, b, mask=one, num_threads=threads)
        assert other.data.tobytes() == masked.data.tobytes()
        for semiring in ("min_plus", "plus_pair") if threads == 3 else ():
            first, second = (spgemm(a, b, semiring, num_threads=t) for t in (1, threads))
            assert first.data.tobytes() == second.data.tobytes()
            assert np.array_equal(first.indices, second.indices)


def test_products_may_be_taken_by_many_threads_at_once() -> None:
    rng = np.random.default_rng(10)
    matrices = [random_csr(rng, 200, 200, 0.1) for _ in range(6)]
    alone = [spgemm(m, m) for m in matrices]
    found: list[Any] = [None] * 6

    def work(i: int) -> None:
        for _ in range(5):
            found[i] = spgemm(matrices[i], matrices[i], num_threads=2)

    workers = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    for ours, theirs in zip(found, alone, strict=True):
        assert ours.data.tobytes() == theirs.data.tobytes()


def test_results_outlive_later_products_and_released_memory() -> None:
    rng = np.random.default_rng(11)
    a = random_csr(rng, 300, 300, 0.1)
    first = spgemm(a, a)
    kept = first.copy()
    for _ in range(3):
        other = spgemm(first, a)
        del other
        release_memory()
    assert np.array_equal(first.data, kept.data)
    assert np.array_equal(first.indices, kept.indices)
    assert np.array_equal(first.indptr, kept.indptr)


# Narrower machines --------------------------------------------------------------------------------

ISAS = ["base", "avx2", "avx512"]


@pytest.mark.parametrize("isa", ISAS[:-1])
def test_narrower_instruction_sets_pass_the_same_tests(isa: str) -> None:
    if ISAS.index(isa) >= ISAS.index(build_info()["isa"]):
        pytest.skip(f"runs under {build_info()['isa']} already")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    here = Path(__file__).parent
    files = [str(f) for f in (*sorted(here.glob("test_spgemm_*.py")), here / "test_spmm.py")]
    done = subprocess.run(
        [*command, "-k", "test_kernel", *files],
        env=dict(os.environ, WB_MAX_ISA=isa),
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
