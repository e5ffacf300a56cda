# SPDX-License-Identifier: Apache-2.0
"""Exact noisy circuits (workload C): a classifier's batch, and what a search pays a candidate."""

from __future__ import annotations

import argparse
import functools
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import aer_noise
import harness
import numpy as np
from harness import Bound, Case, Contender, Outputs, Package, Prepared
from peers import AER
from workload import ENCODER, Workload

__all__ = ["OURS", "main"]

#: Equality promised with qiskit-aer's density matrix.
PARITY = 1e-9

#: Candidates cycled through: more than are timed, so that no result is found in a cache.
POOL = 512

#: Candidates whose outputs are compared.
CHECKED = 3


def _load_ours() -> None:
    import circuits.quantum.heisenberg
    import circuits.quantum.noise  # noqa: F401


OURS = Package(
    "workbench",
    "quantum-graph-workbench",
    "workbench",
    "python -m pip install '.[quantum]'",
    _load_ours,
)


def _of_probabilities(probabilities: Any) -> Outputs:
    values = np.asarray(probabilities, dtype=np.float64)
    return {"probabilities": values, "z": aer_noise.z_of(values)}


def _our_probabilities(work: Workload, layout: Sequence[int]) -> Prepared:
    """Prepare the general kernel, forward, on the circuit Aer is given."""
    import torch

    from circuits.quantum.noise import noisy_probabilities

    circuit, _, _ = aer_noise.classifier(work, layout)
    weights = torch.tensor(work.weights().reshape(-1))

    def forward(x: Any) -> Any:
        with torch.no_grad():
            return noisy_probabilities(circuit, aer_noise.backend(), inputs=x, weights=weights)

    everything = torch.tensor(work.inputs())
    return Prepared(
        lambda: forward(everything),
        lambda k: _of_probabilities(forward(everything[:k])),
        work.samples,
        PARITY,
    )


def _our_gradients(work: Workload, layout: Sequence[int]) -> Prepared:
    """Prepare the general kernel, forward and backward to weights and inputs."""
    import torch

    from circuits.quantum.noise import noisy_probabilities

    circuit, _, _ = aer_noise.classifier(work, layout)
    weights = torch.tensor(work.weights().reshape(-1), requires_grad=True)
    x = torch.tensor(work.inputs(), requires_grad=True)
    g = torch.tensor(np.random.default_rng(3).normal(size=(work.samples, 2**work.n)))

    def step(k: int) -> Any:
        p = noisy_probabilities(circuit, aer_noise.backend(), inputs=x[:k], weights=weights)
        torch.autograd.grad(p, (weights, x), g[:k])
        return p.detach()

    return Prepared(
        lambda: step(work.samples),
        lambda k: _of_probabilities(step(k)),
        work.samples,
        PARITY,
        note="with gradients to weights and inputs, which no peer here has",
    )


def _aer_exact(work: Workload, layout: Sequence[int], threads: int, bind: bool) -> Prepared:
    circuit, x, w = aer_noise.classifier(work, layout)
    simulator = aer_noise.Simulator(threads)
    flat = work.weights().reshape(-1).tolist()

    def forward(k: int) -> Any:
        bound = circuit.assign_parameters(dict(zip(w, flat, strict=True)))
        return simulator.exact(bound, list(x), work.inputs()[:k], bind=bind)

    return Prepared(
        lambda: forward(work.samples),
        lambda k: _of_probabilities(forward(k)),
        work.samples,
        PARITY,
    )


def _aer_shots(work: Workload, layout: Sequence[int], threads: int, shots: int) -> Prepared:
    circuit, x, w = aer_noise.classifier(work, layout)
    simulator = aer_noise.Simulator(threads)
    flat = work.weights().reshape(-1).tolist()

    def forward(k: int) -> Any:
        bound = circuit.assign_parameters(dict(zip(w, flat, strict=True)))
        return simulator.sampled(bound, list(x), work.inputs()[:k], shots)

    return Prepared(
        lambda: forward(work.samples),
        lambda k: {"probabilities": forward(k)},
        work.samples,
        # six standard deviations of a frequency, at the worst probability of one half
        6 * 0.5 / np.sqrt(shots),
        note=f"{shots} shots: a sampled answer, allowed the deviation of its sampling",
    )


def _bound(n: int, cx: int, samples: int, why: str) -> dict[str, Bound]:
    """Count a Pauli-basis simulation: two 4x4 real maps and a scale per CX, 17 flop an entry."""
    return {"float64": Bound(17.0 * cx * 4.0**n * samples, 0.0, why)}


def classifier_case(samples: int, threads: int) -> Case:
    """Probabilities of the classifier for a batch of samples, already transpiled."""
    work = Workload(4, blocks=2, samples=samples)
    layout = (0, 1, 2, 3)
    circuit, _, _ = aer_noise.classifier(work, layout)
    counts = circuit.count_ops()
    cx = int(counts.get("cx", 0))
    contenders = [
        Contender(
            OURS, "probabilities", "float64", functools.partial(_our_probabilities, work, layout)
        ),
        Contender(OURS, "+ gradients", "float64", functools.partial(_our_gradients, work, layout)),
        Contender(
            AER,
            "exact, bound circuits",
            "float64",
            functools.partial(_aer_exact, work, layout, threads, True),
        ),
        Contender(
            AER,
            "exact, run-time binds",
            "float64",
            functools.partial(_aer_exact, work, layout, threads, False),
        ),
        Contender(
            AER,
            "8192 shots",
            "float64",
            functools.partial(_aer_shots, work, layout, threads, 8192),
        ),
    ]
    listed = ", ".join(f"{counts.get(name, 0)} {name.upper()}" for name in ("cx", "sx", "rz"))
    why = f"17 flop per CX, Pauli-basis entry and sample, forward only ({listed})"
    return Case(
        key="C batch",
        title=f"classifier of {work.n} wires on {aer_noise.DEVICE} ({listed}), {samples} samples: "
        "noisy probabilities with read-out error, transpiled beforehand",
        samples=samples,
        contenders=contenders,
        bounds=_bound(work.n, cx, samples, why),
    )


Evaluate = Callable[[aer_noise.Candidate], Any]


def _over_pool(
    pool: Sequence[aer_noise.Candidate], evaluate: Evaluate, prepare: Callable[[Any], object]
) -> Prepared:
    """Evaluate the next candidate at each call; `prepare` does what stays untimed."""
    for candidate in pool:
        prepare(candidate)
    following: Iterator[aer_noise.Candidate] = itertools.cycle(pool)

    def outputs(_: int) -> Outputs:
        return {f"z {k}": np.asarray(evaluate(c)) for k, c in enumerate(pool[:CHECKED])}

    return Prepared(lambda: evaluate(next(following)), outputs, pool[0].work.samples, PARITY)


def _our_encoder(n: int) -> Any:
    from circuits.quantum import Circuit, input

    encoder = Circuit(n)
    for layer, gate in enumerate(ENCODER):
        for wire in range(n):
            encoder.gate(gate, wire, (input(layer * n + wire),))
    return encoder


def _our_candidates(
    samples: Workload, pool: Sequence[aer_noise.Candidate], transpile: bool
) -> Prepared:
    """Prepare the Heisenberg evaluator: observables backwards once, then one product."""
    from circuits.quantum.heisenberg import NoisyEvaluator

    evaluator = NoisyEvaluator(
        aer_noise.backend(),
        samples.inputs(),
        _our_encoder(samples.n),
        optimization_level=aer_noise.LEVEL,
        seed_transpiler=aer_noise.SEED,
    )
    bodies = {candidate: candidate.body() for candidate in pool}
    if transpile:
        return _over_pool(
            pool, lambda c: evaluator.expectations(bodies[c], c.layout), lambda c: None
        )
    ready: dict[aer_noise.Candidate, Any] = {}

    def prepare(candidate: aer_noise.Candidate) -> None:
        ready[candidate] = evaluator.transpiled(bodies[candidate], candidate.layout)

    return _over_pool(pool, lambda c: evaluator.expectations_transpiled(ready[c]), prepare)


def _our_general_candidates(
    samples: Workload, pool: Sequence[aer_noise.Candidate], transpile: bool
) -> Prepared:
    """Prepare the general kernel on the same candidates: every sample through every gate."""
    import torch

    from circuits.quantum.noise import noisy_probabilities

    x = torch.tensor(aer_noise.encoder_angles(samples))

    def simulate(circuit: Any) -> Any:
        with torch.no_grad():
            probabilities = noisy_probabilities(circuit, aer_noise.backend(), inputs=x)
        return aer_noise.z_of(probabilities.numpy())

    return _prepared_or_timed(pool, transpile, lambda circuit, _: simulate(circuit))


def _prepared_or_timed(
    pool: Sequence[aer_noise.Candidate], transpile: bool, simulate: Callable[[Any, Any], Any]
) -> Prepared:
    """Time `simulate(transpiled circuit, its parameters)`, with or without transpilation."""
    built: dict[aer_noise.Candidate, tuple[Any, Any]] = {}

    def prepare(candidate: aer_noise.Candidate) -> None:
        circuit, x = candidate.measured()
        if not transpile:
            circuit = aer_noise.transpiled(circuit, candidate.layout)
        built[candidate] = circuit, x

    def evaluate(candidate: aer_noise.Candidate) -> Any:
        circuit, x = built[candidate]
        if transpile:
            circuit = aer_noise.transpiled(circuit, candidate.layout)
        return simulate(circuit, x)

    return _over_pool(pool, evaluate, prepare)


def _aer_candidates(
    samples: Workload,
    pool: Sequence[aer_noise.Candidate],
    transpile: bool,
    threads: int,
    bind: bool,
) -> Prepared:
    values = aer_noise.encoder_angles(samples)
    simulator = aer_noise.Simulator(threads)

    def simulate(circuit: Any, x: Any) -> Any:
        return aer_noise.z_of(simulator.exact(circuit, list(x), values, bind=bind))

    return _prepared_or_timed(pool, transpile, simulate)


def candidate_case(samples: int, count: int, threads: int, *, transpile: bool) -> Case:
    """Noisy <Z> of one candidate of a search on a validation set, a new candidate at each call."""
    work = Workload(4, blocks=1, samples=samples)
    pool = aer_noise.candidates(count, samples)
    # Aer takes so long a call that a few candidates never come round again
    few = pool[: max(CHECKED, count // 16)]
    contenders = [
        Contender(
            OURS,
            "Heisenberg",
            "float64",
            functools.partial(_our_candidates, work, pool, transpile),
        ),
        Contender(
            OURS,
            "general kernel",
            "float64",
            functools.partial(_our_general_candidates, work, pool, transpile),
        ),
    ]
    contenders += [
        Contender(
            AER,
            f"exact, {'bound circuits' if bind else 'run-time binds'}",
            "float64",
            functools.partial(_aer_candidates, work, few, transpile, threads, bind),
        )
        for bind in (True, False)
    ]
    what = "transpilation included" if transpile else "transpiled beforehand"
    return Case(
        key="C candidate+transpile" if transpile else "C candidate",
        title=f"one search candidate on {aer_noise.DEVICE} (1 or 2 blocks, 24 layouts, another "
        f"at each call), {samples} validation samples: noisy <Z> on all wires, {what}",
        samples=samples,
        contenders=contenders,
        bounds={
            "float64": Bound(
                2.0 * samples * 4.0**work.n * work.n,
                0.0,
                "the product of encoder states and propagated observables alone, "
                "2 flop per sample, Pauli-basis entry and observable",
            )
        },
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--batch", type=int, help="samples of the batch (default 100)")
    parser.add_argument("--validation", type=int, help="samples of a candidate (default 500)")


def _cases(options: argparse.Namespace) -> Sequence[Case]:
    batch = options.batch if options.batch is not None else 5 if options.quick else 100
    validation = options.validation
    if validation is None:
        validation = 7 if options.quick else 500
    if min(batch, validation) < 1:
        raise ValueError(
            f"noise: --batch and --validation must be at least 1, got {batch} and {validation}"
        )
    count = 6 if options.quick else POOL
    return [
        classifier_case(batch, options.threads),
        candidate_case(validation, count, options.threads, transpile=False),
        candidate_case(validation, count, options.threads, transpile=True),
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the noise benchmark.

    Parameters
    ----------
    argv : sequence of str, optional
        Options, see ``--help``; those of the process when None.

    Returns
    -------
    int
        Exit status.
    """
    return harness.run_benchmark(
        "noise",
        "Exact noisy circuits on a fake IBM device against qiskit-aer.",
        argv,
        _add_arguments,
        _cases,
    )


if __name__ == "__main__":
    sys.exit(main())
