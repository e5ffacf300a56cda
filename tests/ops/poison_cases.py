# SPDX-License-Identifier: Apache-2.0
"""Every kernel family once, for test_poison.py: a digest of every output.

    python -m tests.ops.poison_cases THREADS    # in a checkout; prints a JSON object

Inputs are small but make several pieces of work, and come from numpy's generator, so that two
processes see the same ones.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from . import circuit_sim_cases, spgemm_cases, test_noise, test_sparch, test_statevector

Case = Iterator[tuple[str, Any]]


def digest(value: Any, into: Any = None) -> Any:
    """Of the bits of arrays, tensors, sparse matrices and what is made of them."""
    h = hashlib.sha256() if into is None else into
    if isinstance(value, torch.Tensor) and value.layout is not torch.strided:
        value = (value.crow_indices(), value.col_indices(), value.values())
    if isinstance(value, torch.Tensor):
        value = value.detach().resolve_conj().contiguous().numpy()
    if hasattr(value, "indptr") and not isinstance(value, tuple):
        value = (value.indptr, value.indices, value.data)
    if isinstance(value, np.ndarray):
        h.update(f"{value.dtype}{value.shape}".encode())
        h.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, dict):
        digest([(k, value[k]) for k in value], h)
    elif isinstance(value, list | tuple):
        h.update(f"[{len(value)}".encode())
        for part in value:
            digest(part, h)
    elif hasattr(value, "__dataclass_fields__"):
        digest([getattr(value, f) for f in value.__dataclass_fields__], h)
    else:
        assert value is None or isinstance(value, int | float | str | np.generic), type(value)
        h.update(repr(value).encode())
    return h


def statevector() -> Case:
    from workbench.ops.statevector import expectation, statevector

    # Tiles of samples, single states of one block, and a state that is cut into blocks.
    for n, batch, length in ((1, 3, 6), (5, 37, 30), (8, 1, 25), (9, 3, 20), (15, 2, 12)):
        for dtype in (torch.float32, torch.float64):
            for kind in ("z", "diagonal", "general"):
                rng = np.random.default_rng([n, len(kind)])
                program = test_statevector.random_program(rng, n, length)
                observables = test_statevector.random_observables(rng, n, kind)
                w, x = test_statevector.random_parameters(rng, batch, dtype)
                out = expectation(program, observables, w, x)
                cotangent = torch.tensor(rng.normal(size=tuple(out.shape)), dtype=dtype)
                found = test_statevector.gradients(out, cotangent, w, x)
                name = f"{n} wires, {batch} samples, {dtype}"
                yield f"expectation, {kind}, {name}", (out, *found)
                with torch.no_grad():
                    yield (
                        f"expectation alone, {kind}, {name}",
                        expectation(program, observables, w, x),
                    )
            state = statevector(program, w, x)
            loss = (state.real * torch.arange(2**n, dtype=dtype)).sum() + state.imag.sum()
            yield f"amplitudes, {name}", (state, *torch.autograd.grad(loss, (w, x)))
            with torch.no_grad():
                yield f"amplitudes alone, {name}", statevector(program, w, x)
            # Gradients to one of the two only, and none of the batch.
            some = expectation(program, observables, w, x.detach())
            yield f"weights alone, {name}", torch.autograd.grad(some.sum(), w)
            some = expectation(program, observables, w.detach(), x)
            yield f"inputs alone, {name}", torch.autograd.grad(some.sum(), x)
            none = expectation(program, observables, w, x[:0])
            yield f"no samples, {name}", (none, *torch.autograd.grad(none.sum(), w))


def noise() -> Case:
    from workbench.ops import noise

    for n, batch, length in ((1, 1, 0), (2, 9, 12), (4, 33, 30), (5, 200, 10)):
        program = test_noise._program(n, n, length)
        w, x = test_noise._values(n, batch)
        measured, confusion = test_noise._readout(3, n)
        rows = test_noise._rows(n, n)
        for name, out in (
            ("probabilities", noise.noisy_probabilities(program, measured, confusion, w, x)),
            ("expectation", noise.noisy_expectation(program, rows, w, x)),
        ):
            yield f"{name}, {n} qubits", (out, *test_noise._gradients(out, w, x, 1))
        alone = test_noise._program(n, n, length, with_inputs=False)
        yield f"pull back, {n} qubits", noise.pull_back(alone, rows, w.detach())


def spgemm() -> Case:
    from workbench.ops.spgemm import (
        SEMIRINGS,
        SpGEMMPlan,
        spgemm,
        spgemm_nnz,
        transpose,
    )

    rng = np.random.default_rng(41)
    pairs = spgemm_cases.thin_cases()
    names = ("nothing", "bipartite", "large_bipartite", "shift", "nilpotent", "beyond_a_schedule")
    operands = {name: pairs[name](rng, np.float64) for name in names}
    power = [
        spgemm_cases.random_columns(rng, int(c), 1500) for c in 1 + 300 * rng.random(1500) ** 9
    ]
    skewed = spgemm_cases.from_rows(rng, power, 1500)
    band = spgemm_cases.stencil(rng, 2500, range(-4, 5), np.float64)
    broken = spgemm_cases.from_rows(
        rng, [[r, r + 1] if r % 50 < 40 and r < 2499 else [] for r in range(2500)], 2500
    )
    operands |= {
        "skewed": (skewed, skewed),
        "band": (band, band),
        "broken band": (band, broken),
        "hub": spgemm_cases.hub(rng, "twice", 9000, np.float64),
        "small": (
            spgemm_cases.random_csr(rng, 70, 60, 0.3),
            spgemm_cases.random_csr(rng, 60, 90, 0.3),
        ),
    }
    for name, (a, b) in operands.items():
        for dtype in (np.float32, np.float64):
            x, y = a.astype(dtype), b.astype(dtype)
            for integer in (np.int32, np.int64):
                left, right = (spgemm_cases.of_width(m, integer) for m in (x, y))
                yield f"{name}, {dtype.__name__}, {integer.__name__}", spgemm(left, right)
            plan = SpGEMMPlan(x, y)
            yield (
                f"plan, {name}, {dtype.__name__}",
                (plan.indptr, plan.indices, plan.numeric(x.data, y.data)),
            )
        yield f"entries, {name}", spgemm_nnz(a, b)
        yield f"transpose, {name}", transpose(a)
        of = [torch.from_numpy(m.data.copy()).requires_grad_() for m in (a, b)]
        edges = []
        for m, v in zip((a, b), of, strict=True):
            rows = np.repeat(np.arange(m.shape[0]), np.diff(m.indptr))
            edges.append((torch.from_numpy(np.stack([rows, m.indices])), v, m.shape[0]))
        if a.shape[1] == b.shape[0] == a.shape[0] == b.shape[1]:
            index, values, _ = spgemm(*edges)
            yield f"gradients, {name}", (index, values, *torch.autograd.grad(values.sum(), of))
            index, values, _ = spgemm(*edges, semiring="min_plus")
            yield f"winners, {name}", (index, values, *torch.autograd.grad(values.sum(), of))
    for name in ("small", "bipartite", "shift", "skewed"):
        a, b = operands[name]
        mask = spgemm_cases.random_csr(rng, a.shape[0], min(b.shape[1], 90), 0.2)
        mask.resize((a.shape[0], b.shape[1]))
        for semiring in SEMIRINGS:
            logical = semiring == "or_and"
            for dtype in spgemm_cases.DTYPES if name == "small" else (np.float32,):
                if np.dtype(dtype).kind == "c" and semiring not in ("plus_times", "plus_pair"):
                    continue
                x, y = (m.astype(bool if logical else dtype) for m in (a, b))
                yield f"{semiring}, {name}, {dtype.__name__}", spgemm(x, y, semiring)
                yield (
                    f"{semiring}, {name}, {dtype.__name__}, masked",
                    spgemm(x, y, semiring, mask),
                )
            yield (
                f"{semiring}, {name}, complement",
                spgemm(x, y, semiring, mask, complement=True),
            )


def dense() -> Case:
    from workbench.ops.spmm import sddmm, spmm

    rng = np.random.default_rng(42)
    a, b = spgemm_cases.thin_cases()["bipartite"](rng, np.float64)
    small = spgemm_cases.random_csr(rng, 300, 200, 0.2)
    for name, m in (("bipartite", a), ("small", small), ("nothing", b[:0])):
        for width in (0, 1, 5, 33):
            x = rng.normal(size=(m.shape[1], width))
            y = rng.normal(size=(m.shape[0], width))
            yield f"spmm, {name}, {width}", spmm(m, x)
            yield f"sddmm, {name}, {width}", sddmm(m, y, x)


def sparch() -> Case:
    from workbench.ops import sparch

    rng = np.random.default_rng(43)
    a = test_sparch.random_pattern(rng, 60, 50, 0.2)
    b = test_sparch.random_pattern(rng, 50, 70, 0.2)
    yield "symbolic", sparch.symbolic(a, b)
    for condense in (False, True):
        made = sparch.schedule(a, b, condense=condense)
        yield f"schedule, {condense}", made
        yield f"prefetch, {condense}", sparch.prefetch(a, b, made, lines=64, line_elements=8)
    yield "outerspace", sparch.outerspace(a, b)
    keys = np.sort(rng.permutation(500)[:200])
    others = np.sort(rng.permutation(500)[:100])
    yield "merge", sparch.merge(keys, rng.normal(size=200), others, rng.normal(size=100))


def paths() -> Case:
    from graphs import DiGraph, IncrementalPaths, landmark_oracle, strong_components
    from graphs.searches import (
        ball,
        ball_sizes,
        nearest_two,
        roundtrip_ball,
        roundtrip_distances,
        sssp,
    )

    rng = np.random.default_rng(44)
    n, m = 6000, 20_000
    tails, heads = rng.integers(0, n // 2, (2, m))  # the upper half is isolated
    for kind in ("int32", "int64", "float32", "float64", "far"):
        w = rng.integers(0, 2**40 if kind == "far" else 50, m).astype(
            np.int64 if kind == "far" else kind
        )
        g = DiGraph.from_edges(tails, heads, w, n=n)
        sources = rng.integers(0, n, 20)
        keep = rng.random(m) < 0.7
        yield f"components, {kind}", strong_components(g)
        for reverse in (False, True):
            name = f"{kind}, {reverse}"
            yield f"distances, {name}", sssp(g, sources, reverse=reverse, return_parents=True)
            yield (
                f"to targets, {name}",
                sssp(g, sources, reverse=reverse, targets=[1, 2, n - 1], edge_mask=keep),
            )
            yield (
                f"near, {name}",
                sssp(g, sources, reverse=reverse, limit=60, sparse=True, return_parents=True),
            )
            yield f"limited, {name}", sssp(g, sources, limit=60, reverse=reverse)
            yield f"ball, {name}", ball(g, 3, 60, reverse=reverse)
            yield f"ball sizes, {name}", ball_sizes(g, 80, of=sources, reverse=reverse, seed=1)
            yield f"two nearest, {name}", nearest_two(g, sources, reverse=reverse)
        yield f"round trips, {kind}", roundtrip_distances(g, sources)
        yield f"round trips near, {kind}", roundtrip_distances(g, sources, limit=99, sparse=True)
        yield f"round-trip ball, {kind}", roundtrip_ball(g, 3, 90)
        oracle = landmark_oracle(g, sources[:4])
        pairs = rng.integers(0, n, (2, 30))
        yield f"landmarks, {kind}", (oracle.to, oracle.from_, oracle.bounds(*pairs))
        yield f"pairs, {kind}", oracle.search_pairs(*pairs)
        growing = IncrementalPaths(g, int(tails[0]))
        yield (
            f"growing, {kind}",
            [growing.insert(np.arange(i, m, 7)) for i in range(7)] + [growing.distances],
        )


def spanner() -> Case:
    from graphs import DiGraph, roundtrip_spanner

    rng = np.random.default_rng(45)
    n, m = 150, 900
    tails, heads = rng.integers(0, n - 20, (2, m))
    for kind in (np.int64, np.float64):
        g = DiGraph.from_edges(tails, heads, rng.integers(1, 90, m).astype(kind), n=n)
        for method in ("exact", "greedy", "cover", "rtz"):
            for prune in (False, True):
                stretch = 1.0 if method == "exact" else 8.0
                made = roundtrip_spanner(
                    g, np.arange(0, n, 3), stretch, method=method, prune=prune, verify="none"
                )
                yield f"{method}, {prune}, {kind.__name__}", made.edge_mask


def circuit_sim() -> Case:
    from workbench.ops import circuit_sim
    from workbench.ops.circuit_transient import transient

    for devices, batch in ((0, 1), (3, 9), (5, 40)):
        case = circuit_sim_cases._case(7 + devices, batch, 4, devices)
        rows = case.rows.clone().requires_grad_()
        t = case.temperature
        name = f"{devices} transistors"
        for start in (None, case.voltages):
            v, i, status = circuit_sim.operating_point(
                case.program, rows, temperature=t, start=start
            )
            yield (
                f"operating point, {name}, {start is None}",
                (v, i, status, *torch.autograd.grad(v.sum() + i.sum(), rows)),
            )
        volts = case.voltages.clone().requires_grad_()
        h, s = circuit_sim.small_signal(
            case.program, rows, volts, case.frequencies, **case.signals()
        )
        loss = h.real.sum() + h.imag.sum() + s.sum() * 1e15
        found = torch.autograd.grad(loss, (rows, volts), materialize_grads=True)
        yield f"sweep, {name}", (h, s, *found)
        outputs, drives = case.outputs.shape[0], case.drives.shape[0]
        if outputs and drives:
            requests = torch.tensor([[0, 0, 0, -1], [1, 0, 0, -1], [2, outputs - 1, 0, -1]])
            yield (
                f"search, {name}",
                circuit_sim.find_frequencies(
                    case.program,
                    case.rows,
                    case.voltages,
                    drives=case.drives,
                    outputs=case.outputs,
                    requests=requests,
                    low=1.0,
                    high=1e10,
                    points=40,
                    temperature=t,
                ),
            )
        yield (
            f"devices, {name}",
            circuit_sim.device_state(case.program, case.rows, case.voltages, temperature=t),
        )
        corners = torch.tensor([0.0, 1e-7, 2e-7], dtype=torch.float64)
        waves = torch.zeros(case.program.n_sources, 3, dtype=torch.float64)
        waves[:, 2] = 0.1
        samples, status, steps = transient(
            case.program,
            rows,
            volts,
            wave_times=corners,
            waves=waves,
            times=torch.linspace(0, 1e-6, 21, dtype=torch.float64),
            outputs=torch.tensor([[1, 0], [2, 1]]),
            temperature=t,
        )
        found = torch.autograd.grad(samples.nansum(), (rows, volts), materialize_grads=True)
        yield f"transient, {name}", (samples, status, steps, *found)


FAMILIES = (statevector, noise, spgemm, dense, sparch, paths, spanner, circuit_sim)


def run(threads: int) -> dict[str, str]:
    """Digests of every output of every family, by name."""
    torch.set_num_threads(threads)
    found = {}
    for family in FAMILIES:
        for name, value in family():
            key = f"{family.__name__}: {name}"
            assert key not in found, key
            found[key] = digest(value).hexdigest()
    return found


if __name__ == "__main__":
    print(json.dumps(run(int(sys.argv[1]))))
