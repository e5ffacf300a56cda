# SPDX-License-Identifier: Apache-2.0
"""Kernels of every family, laid out and ready to be called: for many seconds, or for a moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch

from graphs import DiGraph, landmark_oracle, roundtrip_distances, sssp
from graphs.spanner.methods import lay_out
from workbench.ops import sparch
from workbench.ops.channel_program import ChannelKind, ChannelProgramBuilder
from workbench.ops.circuit_program import CircuitProgramBuilder
from workbench.ops.circuit_sim import small_signal
from workbench.ops.circuit_transient import transient
from workbench.ops.noise import noisy_probabilities
from workbench.ops.program import Angle, Observables, OpKind, ProgramBuilder, Source
from workbench.ops.spgemm import spgemm
from workbench.ops.statevector import expectation

Call = Callable[[], Any]
F64 = torch.float64


@cache
def digraph(n: int, m: int) -> DiGraph:
    """Random arcs and a cycle through all vertices."""
    rng = np.random.default_rng(0)
    ring = np.arange(n)
    tails = np.concatenate([ring, rng.integers(n, size=m)])
    heads = np.concatenate([(ring + 1) % n, rng.integers(n, size=m)])
    weights = rng.integers(1, 1000, size=n + m)
    return DiGraph(n, tails, heads, weights)


def spanner(
    n: int, m: int, method: str, threads: int, report: Callable[[int, int], None] | None = None
) -> Call:
    """What one of the spanner's kernels marks for all vertices."""
    problem = lay_out(digraph(n, m), np.arange(n))

    def call() -> Any:
        mask = np.full(problem.m, method == "prune", np.uint8)
        if method == "exact":
            problem.exact(mask, 0, n, threads, report)
        elif method == "greedy":
            problem.greedy(mask, 1.5, 0, threads, report=report)
        elif method == "cover":
            problem.cover(mask, 6.0, 0, threads, report=report)
        elif method == "rtz":
            problem.sampled_balls(mask, 3, 0.1, 0, threads, report=report)
        else:
            problem.prune(mask, 1.5, threads, report)
        return mask

    return call


def wires(n: int, layers: int, batch: int, *, backward: bool) -> Call:
    """Rotations and entangling gates."""
    builder = ProgramBuilder(n, n * layers, n)
    for i in range(n):
        builder.add(OpKind.RX, [i], angles=[Angle(0.1, ((Source.INPUT, i, 1.0),))])
    for i in range(n * layers):
        angle = Angle(0.2, ((Source.WEIGHT, i, 1.0),))
        builder.add(OpKind.RY, [i % n], controls=[(i + 1) % n], angles=[angle])
    program = builder.build()
    z = Observables(1, torch.tensor([[0, 0, 1]]), torch.ones(1, dtype=F64))
    weights = torch.linspace(-1, 1, n * layers, dtype=F64)
    inputs = torch.linspace(0, 1, batch * n, dtype=F64).reshape(batch, n)
    if not backward:
        return lambda: expectation(program, z, weights, inputs)
    weights.requires_grad_()
    y = expectation(program, z, weights, inputs).sum()
    return lambda: torch.autograd.grad(y, weights, retain_graph=True)


def noisy(n: int, ops: int, batch: int, *, backward: bool) -> Call:
    """Channels on pairs of qubits."""
    rng = np.random.default_rng(0)
    builder = ChannelProgramBuilder(n, 3, 1)
    channel = rng.normal(size=(16, 16)) / 8
    channel[0] = 0.0
    channel[0, 0] = 1.0
    for i in range(ops):
        builder.rotation(ChannelKind(2), i % n, 0.1, [(Source.WEIGHT, i % 3, 1.0)])
        builder.channel([i % n, (i + 1) % n], [float(x) for x in channel.ravel()])
    program = builder.build()
    weights = torch.zeros(3, dtype=F64, requires_grad=backward)
    inputs = torch.zeros(batch, 1, dtype=F64)
    measured, confusion = torch.tensor([0]), torch.eye(2, dtype=F64)[None]
    if not backward:
        return lambda: noisy_probabilities(program, measured, confusion, weights, inputs)
    y = noisy_probabilities(program, measured, confusion, weights, inputs).sum()
    return lambda: torch.autograd.grad(y, weights, retain_graph=True)


def filters(batch: int, kind: str, size: int) -> Call:
    """A ladder of resistors and capacitors: a sweep of so many points, or as many corners."""
    nodes = 30
    builder = CircuitProgramBuilder(nodes + 1, 2 * nodes)
    builder.voltage_source(1, 0, 0)
    for i in range(1, nodes):
        builder.resistor(i, i + 1, 2 * i)
        builder.capacitor(i + 1, 0, 2 * i + 1)
    program = builder.build()
    rows = torch.full((2 * nodes, batch), 1e3, dtype=F64)
    rows[3::2] = 1e-9
    rows[0] = 1.0
    voltages = torch.ones(nodes + 1, batch, dtype=F64)
    outputs = torch.tensor([[nodes, 0]])
    if kind == "sweep":
        drives, frequencies = torch.ones(1, 1, dtype=F64), torch.logspace(0, 9, size, dtype=F64)
        return lambda: small_signal(
            program, rows, voltages, frequencies, drives=drives, outputs=outputs
        )
    times = torch.linspace(0, 1e-2, size, dtype=F64)
    waves = torch.zeros(1, size, dtype=F64)
    waves[0, 1::2] = 1.0

    def run() -> Any:
        return transient(
            program, rows, voltages, wave_times=times, waves=waves, times=times[::10],
            outputs=outputs, tolerance=1e-6, max_steps=10**7,
        )  # fmt: skip

    if kind == "transient":
        return run
    rows.requires_grad_()
    y = run()[0].sum()
    return lambda: torch.autograd.grad(y, rows, retain_graph=True)


def matrix(n: int, per_row: int) -> sp.csr_array:
    """Random, with sorted rows."""
    rng = np.random.default_rng(0)
    columns = rng.integers(n, size=n * per_row)
    a = sp.csr_array((np.ones(n * per_row), columns, np.arange(n + 1) * per_row), shape=(n, n))
    a.sum_duplicates()
    return a


def merges(n: int, per_row: int, kind: str) -> Call:
    """What a sparse accelerator would do."""
    a = matrix(n, per_row)
    pattern = sparch.Pattern(a.indptr.astype(np.int64), a.indices, a.shape)
    if kind == "symbolic":
        return lambda: sparch.symbolic(pattern, pattern)
    return lambda: sparch.schedule(pattern, pattern).out_elements


def routes(n: int, pairs: int, threads: int) -> Call:
    """Point-to-point searches with landmarks."""
    g = digraph(n, 5 * n)
    oracle = landmark_oracle(g, [0, 1])
    u, v = np.random.default_rng(1).integers(n, size=(2, pairs))
    return lambda: oracle.search_pairs(u, v, num_threads=threads)[0]


# Of each: many seconds of work, and a moment of the same.
LONG: dict[str, Callable[[int], Call]] = {
    "spanner exact": lambda t: spanner(10_000, 50_000, "exact", t),
    "spanner greedy": lambda t: spanner(4_000, 20_000, "greedy", t),
    "spanner cover": lambda t: spanner(30_000, 300_000, "cover", t),
    "spanner balls": lambda t: spanner(10_000, 100_000, "rtz", t),
    "spanner prune": lambda t: spanner(1_000, 100_000, "prune", t),
    "paths": lambda t: partial(sssp, digraph(50_000, 400_000), range(500), num_threads=t),
    "round trips": lambda t: partial(
        roundtrip_distances, digraph(50_000, 400_000), range(500), num_threads=t
    ),
    "routes": lambda t: routes(20_000, 50_000, t),
    "product": lambda t: partial(spgemm, *[matrix(12_000, 200)] * 2, num_threads=t),
    "merges": lambda t: merges(40_000, 150, "symbolic"),
    "schedule": lambda t: merges(20_000, 100, "schedule"),
    "state vectors of many qubits": lambda t: wires(22, 20, 8, backward=False),
    "state vectors of many samples": lambda t: wires(9, 40, 20_000, backward=False),
    "state vectors, gradient": lambda t: wires(17, 40, 4, backward=True),
    "noise of many qubits": lambda t: noisy(10, 100, 8, backward=False),
    "noise of many samples": lambda t: noisy(4, 60, 100_000, backward=False),
    "noise, gradient": lambda t: noisy(8, 60, 32, backward=True),
    "transient of one": lambda t: filters(1, "transient", 20_000),
    "transients": lambda t: filters(32, "transient", 5_000),
    "transients, gradient": lambda t: filters(32, "gradient", 200),
    "sweep": lambda t: filters(8, "sweep", 200_000),
}
SHORT: dict[str, Callable[[int], Call]] = {
    "spanner exact": lambda t: spanner(200, 800, "exact", t),
    "spanner greedy": lambda t: spanner(200, 800, "greedy", t),
    "spanner cover": lambda t: spanner(200, 800, "cover", t),
    "spanner balls": lambda t: spanner(200, 800, "rtz", t),
    "spanner prune": lambda t: spanner(100, 800, "prune", t),
    "paths": lambda t: partial(sssp, digraph(1_000, 8_000), range(50), num_threads=t),
    "round trips": lambda t: partial(
        roundtrip_distances, digraph(1_000, 8_000), range(50), num_threads=t
    ),
    "routes": lambda t: routes(500, 100, t),
    "product": lambda t: partial(spgemm, *[matrix(1_200, 40)] * 2, num_threads=t),
    "merges": lambda t: merges(400, 10, "symbolic"),
    "schedule": lambda t: merges(400, 10, "schedule"),
    "state vectors of many qubits": lambda t: wires(16, 1, 2, backward=False),
    "state vectors of many samples": lambda t: wires(4, 10, 1_000, backward=False),
    "state vectors, gradient": lambda t: wires(15, 1, 2, backward=True),
    "noise of many qubits": lambda t: noisy(6, 10, 8, backward=False),
    "noise of many samples": lambda t: noisy(2, 10, 1_000, backward=False),
    "noise, gradient": lambda t: noisy(5, 10, 16, backward=True),
    "transient of one": lambda t: filters(1, "transient", 20),
    "transients": lambda t: filters(32, "transient", 20),
    "transients, gradient": lambda t: filters(32, "gradient", 20),
    "sweep": lambda t: filters(32, "sweep", 100),
}


def flat(value: Any) -> list[Any]:
    """The arrays of a result, for comparing bits."""
    if isinstance(value, torch.Tensor):
        return [value.detach().numpy()]
    if isinstance(value, sp.csr_array):
        return [value.indptr, value.indices, value.data]
    if isinstance(value, (tuple, list)):
        return [array for part in value for array in flat(part)]
    return [np.asarray(value)]
