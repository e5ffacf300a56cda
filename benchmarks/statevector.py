# SPDX-License-Identifier: Apache-2.0
"""State vectors: batched gradients (workload A) and one large circuit forward (workload B)."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Sequence
from typing import Any

import harness
import numpy as np
import peers
from harness import Bound, Case, Contender, Outputs, Package, Prepared
from workload import Workload, flop_of_fused_passes

__all__ = ["OURS", "main"]


def _load_ours() -> None:
    import circuits.quantum  # noqa: F401
    import workbench.ops.statevector  # noqa: F401


OURS = Package(
    "workbench", "workbench", "workbench", "python -m pip install '.[quantum]'", _load_ours
)


def _our_gradients(work: Workload, interface: str, precision: str) -> Prepared:
    """Prepare ours: the function on tensors, or the ``nn.Module``."""
    import torch

    from circuits.quantum import QuantumLayer, expectation, observables

    dtype = getattr(torch, precision)
    circuit = work.circuit()
    rows = observables("z", work.n)
    weights = torch.tensor(work.weights().reshape(-1), dtype=dtype, requires_grad=True)
    layer = QuantumLayer(circuit, "z", init=weights.detach().clone())

    def data(k: int) -> tuple[Any, Any]:
        x = torch.tensor(work.inputs(k), dtype=dtype, requires_grad=True)
        return x, torch.tensor(work.cotangent(k), dtype=dtype)

    leaf = layer.weights if interface == "layer" else weights

    def step(x: Any, g: Any) -> tuple[Any, Any, Any]:
        y = layer(x) if interface == "layer" else expectation(circuit, rows, weights, x)
        gw, gx = torch.autograd.grad(y, (leaf, x), g)
        return y, gw, gx

    everything = data(work.samples)
    return Prepared(
        lambda: step(*everything),
        lambda k: peers.torch_outputs(*step(*data(k))),
        work.samples,
        work.tolerance(precision),
    )


def _our_state(work: Workload, precision: str) -> Prepared:
    import torch

    from circuits.quantum import statevector

    dtype = getattr(torch, precision)
    circuit = work.circuit()
    weights = torch.tensor(work.weights().reshape(-1), dtype=dtype)
    x = torch.tensor(work.inputs(1), dtype=dtype)

    def run() -> Any:
        with torch.no_grad():
            return statevector(circuit, weights, x)

    def outputs(_: int) -> Outputs:
        return {"state": np.asarray(run(), dtype=np.complex128).reshape(-1)}

    return Prepared(run, outputs, 1, work.tolerance(precision))


def gradient_case(n: int, samples: int) -> Case:
    """Workload A on `n` wires: values and gradients to weights and inputs for a batch."""
    work = Workload(n, samples=samples)
    contenders = [
        Contender(OURS, variant, precision, functools.partial(_our_gradients, work, how, precision))
        for variant, how, precision in (
            ("expectation", "function", "float32"),
            ("QuantumLayer", "layer", "float32"),
            ("expectation", "function", "float64"),
        )
    ]
    # its autograd keeps two or three copies of the batch of states for every gate
    kept = 3 * 8 * 2**n * work.n_gates
    fitting = -(-samples // -(-samples * kept // 2**31))  # even parts of at most 2 GiB
    contenders += [
        Contender(
            peers.TORCHQUANTUM,
            method,
            "float32",
            functools.partial(peers.torchquantum_gradients, work, fitting, method),
        )
        for method in ("bmm", "einsum")
    ]
    if n <= 8:
        contenders.append(
            Contender(
                peers.PENNYLANE,
                "backprop",
                "float64",
                functools.partial(peers.default_qubit_gradients, work),
            )
        )
    looped = min(samples, 8 if n <= 4 else 4 if n <= 8 else 2)
    contenders.append(
        Contender(
            peers.LIGHTNING,
            "adjoint",
            "float32",
            functools.partial(peers.lightning_gradients, work, looped),
        )
    )
    flop = flop_of_fused_passes(work, backward=True)
    why = (
        f"{work.blocks}n + 1 fused passes of 14 + 44 flop per amplitude and sample, "
        f"{flop / 1e9:.3g} GFLOP"
    )
    return Case(
        key=f"A n={n}",
        title=f"{samples} samples, {n} wires, {work.n_gates} gates: <Z> on all wires, "
        f"gradients to {work.weights().size} weights and {work.n_inputs} inputs per sample",
        samples=samples,
        contenders=contenders,
        bounds={precision: Bound(flop, 0.0, why) for precision in ("float32", "float64")},
    )


def single_case(n: int, threads: int) -> Case:
    """Workload B on `n` wires: the state vector of one circuit."""
    work = Workload(n, samples=1)
    precisions = ("float32", "float64")
    contenders = [
        Contender(OURS, "statevector", precision, functools.partial(_our_state, work, precision))
        for precision in precisions
    ]
    contenders += [
        Contender(
            peers.QULACS,
            "optimised" if optimised else "plain",
            "float64",
            functools.partial(peers.qulacs_state, work, optimised=optimised),
        )
        for optimised in (False, True)
    ]
    for package, build in (
        (peers.LIGHTNING, functools.partial(peers.lightning_state, work)),
        (peers.AER, functools.partial(peers.aer_state, work, threads=threads)),
    ):
        contenders += [
            Contender(package, "statevector", precision, functools.partial(build, precision))
            for precision in precisions
        ]
    flop = flop_of_fused_passes(work, backward=False)
    why = f"{work.blocks}n + 1 fused passes of 14 flop per amplitude, {flop / 1e9:.3g} GFLOP"
    bounds = {}
    for precision, bytes_per_amplitude in (("float32", 8), ("float64", 16)):
        state = bytes_per_amplitude * 2.0**n
        # beyond any cache the state is at least written and read once per block
        traffic = 2 * state * work.blocks if state > 2**27 else 0.0
        bounds[precision] = Bound(flop, traffic, why)
    return Case(
        key=f"B n={n}",
        title=f"one circuit of {n} wires and {work.n_gates} gates: its state vector",
        samples=1,
        contenders=contenders,
        bounds=bounds,
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wires", type=int, nargs="*", help="workload A (default 4 8 10 12; try 14)"
    )
    parser.add_argument(
        "--single-wires", type=int, nargs="*", help="workload B (default 18; try 20 22)"
    )
    parser.add_argument("--batch", type=int, help="samples of workload A (default 256)")


def _cases(options: argparse.Namespace) -> Sequence[Case]:
    quick = options.quick
    wires = options.wires if options.wires is not None else [3] if quick else [4, 8, 10, 12]
    single = options.single_wires
    if single is None:
        single = [5] if quick else [18]
    batch = options.batch if options.batch is not None else 17 if quick else 256
    if min([batch, *wires, *single]) < 1:
        raise ValueError(
            f"statevector: --wires, --single-wires and --batch must be at least 1, "
            f"got {wires}, {single}, {batch}"
        )
    cases = [gradient_case(n, batch) for n in wires]
    return cases + [single_case(n, options.threads) for n in single]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the state-vector benchmark.

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
        "statevector",
        "Batched gradients and single state vectors against torchquantum, PennyLane, "
        "lightning.qubit, qulacs and qiskit-aer.",
        argv,
        _add_arguments,
        _cases,
    )


if __name__ == "__main__":
    sys.exit(main())
