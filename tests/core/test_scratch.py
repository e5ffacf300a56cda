# SPDX-License-Identifier: Apache-2.0
"""Scratch memory: leases that do not share, parts that are counted and not overrun, sizes."""

from __future__ import annotations

import itertools

import pytest

from workbench.ops._native import kernels


def test_leases_held_at_once_have_memory_of_their_own() -> None:
    sizes = [1000, 64, 0, 5000, 1]
    for wanted in (sizes, sizes[::-1], [10 * s for s in sizes], sizes):
        starts = kernels.scratch_leases(wanted)
        assert all(start and start % 64 == 0 for start in starts)
        for (a, m), (b, n) in itertools.combinations(zip(starts, wanted, strict=True), 2):
            assert a + m <= b or b + n <= a


def test_leases_are_reused() -> None:
    first = kernels.scratch_leases([4096, 4096])
    assert kernels.scratch_leases([4096, 4096]) == first
    assert kernels.scratch_leases([64]) == first[:1]


def test_parts_are_counted_and_cannot_be_overrun() -> None:
    assert kernels.scratch_parts([1, 8, 9], [1, 8, 9]) == 64 + 64 + 128
    for taken in ([1, 8, 17], [1, 8, 9, 1], [25]):
        with pytest.raises(RuntimeError, match="more is taken than was counted"):
            kernels.scratch_parts([1, 8, 9] if taken != [25] else [24], taken)


@pytest.mark.parametrize("count", [-1, 2**60, 2**61 + 1, 2**63 - 1])
def test_sizes_that_no_memory_holds_do_not_wrap_around(count: int) -> None:
    """2**61 + 1 doubles are 8 bytes modulo 2**64."""
    with pytest.raises(MemoryError):
        kernels.scratch_parts([count], [])
