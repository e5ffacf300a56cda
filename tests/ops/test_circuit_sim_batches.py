# SPDX-License-Identifier: Apache-2.0
"""Batches of circuits: the same bits in any company, by any number of threads, on any machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from workbench.ops import build_info, circuit_sim

from .circuit_sim_cases import REMAINDERS, Case, _case


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def _everything(case: Case, rows: Tensor, columns: slice) -> list[Tensor]:
    """Every output and gradient of some columns, as one list."""
    x = rows[:, columns].clone().requires_grad_()
    f = case.frequencies if case.frequencies.dim() == 1 else case.frequencies[:, columns]
    volts, currents, status = circuit_sim.operating_point(
        case.program, x, temperature=case.temperature
    )
    h, s = circuit_sim.small_signal(case.program, x, volts, f, **case.signals())
    loss = volts.sum() + currents.sum() + h.real.sum() + h.imag.sum() + s.sum()
    (grad,) = torch.autograd.grad(loss, x)
    requests = torch.tensor([[0, 0, 0], [1, 1, 1], [2, 2, 0]])
    x, volts = x.detach(), volts.detach()
    found = circuit_sim.find_frequencies(
        case.program,
        x,
        volts,
        drives=case.drives,
        outputs=case.outputs,
        requests=requests,
        low=1e3,
        high=1e11,
        temperature=case.temperature,
    )
    state = circuit_sim.device_state(case.program, x, volts, temperature=case.temperature)
    out = [volts, currents, status, h, s, grad, *found, state]
    return [torch.view_as_real(t.detach()) if t.is_complex() else t.detach() for t in out]


def _same(ours: list[Tensor], theirs: list[Tensor]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.equal(torch.nan_to_num(a), torch.nan_to_num(b))
        assert torch.equal(torch.isnan(a), torch.isnan(b))


@pytest.mark.parametrize("batch", REMAINDERS)
def test_a_batch_has_the_bits_of_its_candidates(batch: int) -> None:
    case = _case(21, batch, 5, 4)
    together = _everything(case, case.rows, slice(None))
    axes = [1, 1, 0, 3, 2, 1, 1, 1, 1, 2]
    for b in range(batch):
        alone = _everything(case, case.rows, slice(b, b + 1))
        _same(alone, [t.narrow(axis, b, 1) for t, axis in zip(together, axes, strict=True)])


def test_thread_count_does_not_change_a_bit(threads: Callable[[int], None]) -> None:
    case = _case(22, 301, 5, 4)
    results = []
    for count in (1, 2, 3):
        threads(count)
        results.append(_everything(case, case.rows, slice(None)))
    for other in results[1:]:
        _same(results[0], other)


def test_two_python_threads_may_call_at_once() -> None:
    case = _case(23, 64, 5, 4)
    expected = _everything(case, case.rows, slice(None))
    found: list[list[Tensor]] = []

    def work() -> None:
        for _ in range(5):
            found.append(_everything(case, case.rows, slice(None)))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 10
    for each in found:
        _same(each, expected)


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["base", "avx2"])
def test_narrower_instruction_sets_pass_the_same_tests(isa: str) -> None:
    order = ["base", "avx2", "avx512"]
    if order.index(isa) >= order.index(build_info()["isa"]):
        pytest.skip(f"runs under {build_info()['isa']} already")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    files = [str(f) for f in sorted(Path(__file__).parent.glob("test_circuit_sim_*.py"))]
    done = subprocess.run(
        [*command, "-k", "equal_the_reference or bits_of or kernel", *files],
        env=dict(os.environ, WB_MAX_ISA=isa),
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
