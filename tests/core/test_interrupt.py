# SPDX-License-Identifier: Apache-2.0
"""Signals, failing callbacks and exhausted memory end a kernel soon; the process stays sound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from graphs.spanner.methods import lay_out

from .interrupt_cases import LONG, SHORT, digraph, flat, spanner

HERE = Path(__file__).parent
REPORTING = ["exact", "greedy", "cover", "rtz", "prune"]


class StopError(Exception):
    """Raised by a signal's handler, as Ctrl-C's raises KeyboardInterrupt."""


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def alarm() -> Iterator[Callable[[float], None]]:
    """Let SIGALRM come after so many seconds; its handler raises StopError."""

    def handle(number: int, frame: Any) -> None:
        raise StopError

    before = signal.signal(signal.SIGALRM, handle)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)  # type: ignore[misc]
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("name", LONG)
def test_a_signal_whose_handler_raises_ends_the_kernel(
    name: str, threads: int, alarm: Callable[[float], None]
) -> None:
    short = SHORT[name](threads)
    right = flat(short())
    long = LONG[name](threads)
    alarm(0.1)
    with pytest.raises(StopError):
        long()
    for ours, known in zip(flat(short()), right, strict=True):
        np.testing.assert_array_equal(ours, known)


@pytest.mark.parametrize("method", REPORTING)
def test_nothing_is_called_back_after_a_callback_that_raises(method: str, threads: int) -> None:
    calls = []

    def report(done: int, total: int) -> None:
        calls.append(done)
        raise StopError

    n, m = {"exact": (3_000, 15_000), "prune": (400, 8_000)}.get(method, (1_500, 15_000))
    began = time.perf_counter()
    with pytest.raises(StopError):
        spanner(n, m, method, threads, report)()
    seconds = time.perf_counter() - began
    assert len(calls) == 1
    assert calls[0] < 70  # not after most of the work
    assert seconds < 5


def test_trees_from_elsewhere_that_fail_are_asked_for_once() -> None:
    """Thread 0 keeps calling back; the trees that a worker asks for fail."""
    # Greedy's own batches are searched in parallel: a failure there reaches the caller once.

    problem = lay_out(digraph(500, 2_000), np.arange(500))
    calls = []

    def trees(core: int, begin: int, end: int) -> Any:
        calls.append(begin)
        raise StopError

    with pytest.raises(StopError):
        problem.greedy(np.zeros(problem.m, np.uint8), 1.5, 0, 2, trees=trees)
    assert calls == [0]


def test_a_kernel_on_another_thread_neither_answers_signals_nor_holds_them_up(
    alarm: Callable[[float], None],
) -> None:
    short = SHORT["paths"](2)
    right = flat(short())
    found: list[Any] = []
    ended = threading.Event()

    def work() -> None:
        began = time.perf_counter()
        while time.perf_counter() - began < 0.4:
            found.append(flat(short()))
        ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    alarm(0.1)
    began = time.perf_counter()
    with pytest.raises(StopError):
        ended.wait(20)
    assert time.perf_counter() - began < 5
    thread.join()
    assert ended.is_set()
    for arrays in found:
        for ours, known in zip(arrays, right, strict=True):
            np.testing.assert_array_equal(ours, known)


def test_a_thread_that_keeps_pythons_lock_busy_does_not_hold_a_kernel_up() -> None:
    call = SHORT["transients, gradient"](2)
    right = flat(call())
    done = threading.Event()

    def spin() -> None:
        while not done.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        for _ in range(3):
            for ours, known in zip(flat(call()), right, strict=True):
                np.testing.assert_array_equal(ours, known)
    finally:
        done.set()
        thread.join()


_INTERRUPTED = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
from interrupt_cases import LONG, SHORT, flat
torch.set_num_threads(2)
for name in sys.argv[2:]:
    short = SHORT[name](2)
    right = flat(short())
    long = LONG[name](2)
    print("ready", flush=True)
    try:
        long()
        print("finished", flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    for ours, known in zip(flat(short()), right):
        np.testing.assert_array_equal(ours, known)
print("sound", flush=True)
"""


def test_ctrl_c_ends_a_kernel_and_the_process_goes_on() -> None:
    names = ["spanner exact", "product", "state vectors of many qubits", "transients"]
    process = subprocess.Popen(
        [sys.executable, "-c", _INTERRUPTED, str(HERE), *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        for name in names:
            assert process.stdout.readline() == "ready\n", name
            time.sleep(0.2)
            process.send_signal(signal.SIGINT)
            sent = time.perf_counter()
            assert process.stdout.readline() == "interrupted\n", name
            assert time.perf_counter() - sent < 5, name
        output, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (output, process.returncode) == ("sound\n", 0), errors


_STARVED = """
import resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np, torch
from functools import partial
from graphs import sssp
from graphs.spanner.methods import lay_out
from interrupt_cases import SHORT, digraph, filters, flat, noisy, wires
from workbench.ops.spgemm import release_memory

g = digraph(300_000, 300_000)
problem = lay_out(g, np.arange(8))
mask = np.zeros(problem.m, np.uint8)
before = resource.getrlimit(resource.RLIMIT_AS)
for threads in (2, 1):
    torch.set_num_threads(threads)
    calls = {
        "paths": partial(sssp, g, range(8), limit=3, sparse=True, num_threads=threads),
        "spanner exact": partial(problem.exact, mask, 0, 8, threads),
        "noise, gradient": noisy(9, 60, 16, backward=True),
        "transients, gradient": filters(32, "gradient", 600),
        "state vectors": wires(19, 1, 4, backward=False),
    }
    # OpenMP's threads have to be there before memory is short: it cannot start one without.
    shorts = {name: SHORT[name](threads) for name in ("paths", "noise, gradient", "product")}
    right = {name: flat(call()) for name, call in shorts.items()}
    for name, call in calls.items():
        release_memory()
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (2 << 20), before[1]))
        try:
            call()
            print(name, "finished")
        except MemoryError:
            print(name, "MemoryError")
        resource.setrlimit(resource.RLIMIT_AS, before)
    for name, call in shorts.items():
        for ours, known in zip(flat(call()), right[name]):
            np.testing.assert_array_equal(ours, known)
print("sound")
"""


def test_memory_that_runs_out_within_a_kernel_is_a_memory_error() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STARVED, str(HERE)],
        # What is freed goes back at once, so that every larger request is a new one.
        env={**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    *lines, last = done.stdout.splitlines() or [""]
    assert (last, done.returncode) == ("sound", 0), done.stderr[-2000:]
    assert [line.rsplit(" ", 1)[1] for line in lines] == ["MemoryError"] * 10, lines
