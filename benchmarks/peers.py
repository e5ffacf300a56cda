# SPDX-License-Identifier: Apache-2.0
"""The state-vector workload in each peer's own words, used the way its users would at best.

A peer's gates and angles stand here and nowhere else. Everything that can be done once per
circuit (building, transpiling, optimising) is done before the clock starts, for everyone.
"""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torchquantum_shim
from harness import Outputs, Package, Prepared
from workload import ENCODER, Workload

__all__ = [
    "AER",
    "LIGHTNING",
    "PENNYLANE",
    "QULACS",
    "TORCHQUANTUM",
    "aer_state",
    "default_qubit_gradients",
    "lightning_gradients",
    "lightning_state",
    "qulacs_state",
    "torchquantum_gradients",
]

TORCHQUANTUM = Package(
    "torchquantum",
    "torchquantum",
    "torchquantum",
    torchquantum_shim.INSTALL,
    torchquantum_shim.import_torchquantum,
)
PENNYLANE = Package(
    "default.qubit", "pennylane", "pennylane", "python -m pip install pennylane==0.45.1"
)
LIGHTNING = Package(
    "lightning.qubit",
    "pennylane_lightning",
    "pennylane_lightning",
    "python -m pip install pennylane-lightning==0.45.0",
)
QULACS = Package("qulacs", "qulacs", "qulacs", "python -m pip install qulacs==0.6.14")
AER = Package(
    "qiskit-aer", "qiskit-aer", "qiskit_aer", "python -m pip install qiskit qiskit-aer==0.18.2"
)


def _leaves(work: Workload, samples: int | None, dtype: Any) -> tuple[Any, Any, Any]:
    """Return inputs, weights (both leaves) and cotangent as torch tensors."""
    import torch

    x = torch.tensor(work.inputs(samples), dtype=dtype, requires_grad=True)
    w = torch.tensor(work.weights(), dtype=dtype, requires_grad=True)
    return x, w, torch.tensor(work.cotangent(samples), dtype=dtype)


def torch_outputs(y: Any, gw: Any, gx: Any) -> Outputs:
    """Return values and gradients as the arrays the reference check compares."""
    return {
        "z": y.detach().double().numpy(),
        "weight gradient": gw.detach().double().numpy().reshape(-1),
        "input gradient": gx.detach().double().numpy(),
    }


def torchquantum_gradients(work: Workload, samples: int, method: str) -> Prepared:
    """torchquantum: batched torch tensors, autograd keeps every state.

    Parameters
    ----------
    work : Workload
    samples : int
        Fewer than the workload's where memory would not suffice.
    method : {"bmm", "einsum"}
        How a gate is applied; bmm is its default.
    """
    import torch

    tq = torchquantum_shim.import_torchquantum()
    tqf = importlib.import_module("torchquantum.functional")
    n = work.n
    ring = work.ring()

    def step(k: int) -> tuple[Any, Any, Any]:
        x, w, g = leaves[k]
        device = tq.QuantumDevice(n_wires=n, bsz=k)
        for layer, name in enumerate(ENCODER):
            gate = getattr(tqf, name)
            for wire in range(n):
                gate(device, wires=wire, params=x[:, layer * n + wire], comp_method=method)
        for block in range(work.blocks):
            for wire in range(n):
                tqf.u3(device, wires=wire, params=w[block, 0, wire : wire + 1], comp_method=method)
            for control, target in ring:
                angles = w[block, 1, control : control + 1]
                tqf.cu3(device, wires=[control, target], params=angles, comp_method=method)
        y = tq.expval(device, list(range(n)), [tq.PauliZ() for _ in range(n)])
        gw, gx = torch.autograd.grad(y, (w, x), g)
        return y, gw, gx

    leaves = {samples: _leaves(work, samples, torch.float32)}

    def outputs(k: int) -> Outputs:
        leaves.setdefault(k, _leaves(work, k, torch.float32))
        return torch_outputs(*step(k))

    # torchquantum rounds weights and states to complex64 and sums gradients over the batch in
    # float32 as well, hence the batch in its allowance.
    allowance = work.tolerance("float32") * max(1.0, np.sqrt(samples) / 4)
    return Prepared(lambda: step(samples), outputs, samples, allowance)


def _pennylane_gates(work: Workload, x: Any, w: Any) -> None:
    """Queue the circuit; `x` may carry a leading batch axis."""
    qml = importlib.import_module("pennylane")

    n = work.n
    for layer, name in enumerate(ENCODER):
        for wire in range(n):
            getattr(qml, name.upper())(x[..., layer * n + wire], wires=wire)
    for block in range(work.blocks):
        for wire in range(n):
            qml.U3(*w[block, 0, wire], wires=wire)
        for control, target in work.ring():
            qml.ctrl(qml.U3, control)(*w[block, 1, control], wires=target)


def _pennylane_node(work: Workload, device: Any, diff_method: str) -> Callable[[Any, Any], Any]:
    qml = importlib.import_module("pennylane")
    import torch

    def circuit(x: Any, w: Any) -> Any:
        _pennylane_gates(work, x, w)
        return [qml.expval(qml.PauliZ(wire)) for wire in range(work.n)]

    node = qml.QNode(circuit, device, diff_method=diff_method, interface="torch")
    return lambda x, w: torch.stack(tuple(node(x, w)), -1)


def default_qubit_gradients(work: Workload) -> Prepared:
    """PennyLane's default.qubit: parameter broadcasting and backpropagation, complex128."""
    qml = importlib.import_module("pennylane")
    import torch

    node = _pennylane_node(work, qml.device("default.qubit", wires=work.n), "backprop")
    leaves = {work.samples: _leaves(work, None, torch.float64)}

    def step(k: int) -> tuple[Any, Any, Any]:
        x, w, g = leaves[k]
        y = node(x, w)
        gw, gx = torch.autograd.grad(y, (w, x), g)
        return y, gw, gx

    def outputs(k: int) -> Outputs:
        leaves.setdefault(k, _leaves(work, k, torch.float64))
        return torch_outputs(*step(k))

    return Prepared(lambda: step(work.samples), outputs, work.samples, work.tolerance("float64"))


def lightning_gradients(work: Workload, samples: int) -> Prepared:
    """lightning.qubit: adjoint gradients, complex64, one sample after the other.

    It refuses to batch adjoint gradients, so a loop over samples is what its users write; only
    `samples` of them are measured.
    """
    qml = importlib.import_module("pennylane")
    import torch

    device = qml.device("lightning.qubit", wires=work.n, c_dtype=np.complex64)
    node = _pennylane_node(work, device, "adjoint")

    def step(k: int) -> tuple[Any, Any, Any]:
        x_all, w, g = _leaves(work, k, torch.float32)
        values, weight_gradient, input_gradient = [], torch.zeros_like(w), []
        for sample in range(k):
            x = x_all[sample].detach().requires_grad_()
            y = node(x, w)
            gw, gx = torch.autograd.grad(y, (w, x), g[sample].to(y.dtype))
            values.append(y.detach())
            weight_gradient += gw
            input_gradient.append(gx)
        return torch.stack(values), weight_gradient, torch.stack(input_gradient)

    return Prepared(
        lambda: step(samples),
        lambda k: torch_outputs(*step(k)),
        samples,
        work.tolerance("float32"),
        note="loops over samples; adjoint gradients are not batched there",
    )


def _state(amplitudes: Any) -> Outputs:
    return {"state": np.asarray(amplitudes, dtype=np.complex128).reshape(-1)}


def lightning_state(work: Workload, precision: str) -> Prepared:
    """lightning.qubit's state vector of the first sample, from a prepared tape."""
    qml = importlib.import_module("pennylane")

    dtype = np.complex64 if precision == "float32" else np.complex128
    device = qml.device("lightning.qubit", wires=work.n, c_dtype=dtype)
    with qml.queuing.AnnotatedQueue() as queue:
        _pennylane_gates(work, work.inputs(1)[0], work.weights())
        qml.state()
    tape = qml.tape.QuantumScript.from_queue(queue)
    tapes, _ = device.preprocess_transforms()([tape])
    (ready,) = tapes

    def outputs(_: int) -> Outputs:
        # wire 0 is the most significant bit there; qiskit's order is the reverse
        amplitudes = np.asarray(device.execute(ready)).reshape([2] * work.n)
        return _state(amplitudes.transpose(list(reversed(range(work.n)))))

    return Prepared(lambda: device.execute(ready), outputs, 1, work.tolerance(precision))


def _u3_matrix(angles: Any) -> Any:
    theta, phi, lam = angles
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return np.array(
        [[c, -np.exp(1j * lam) * s], [np.exp(1j * phi) * s, np.exp(1j * (phi + lam)) * c]]
    )


@functools.cache
def _qulacs_circuit(work: Workload) -> Any:
    qulacs = importlib.import_module("qulacs")
    gates = importlib.import_module("qulacs.gate")
    circuit = qulacs.QuantumCircuit(work.n)
    x, w = work.inputs(1)[0], work.weights()
    for layer, name in enumerate(ENCODER):
        for wire in range(work.n):
            # its rotations are exp(+i angle/2 P)
            circuit.add_gate(getattr(gates, name.upper())(wire, -x[layer * work.n + wire]))
    for block in range(work.blocks):
        for wire in range(work.n):
            circuit.add_gate(gates.U3(wire, *w[block, 0, wire]))
        for control, target in work.ring():
            gate = gates.DenseMatrix(target, _u3_matrix(w[block, 1, control]))
            gate.add_control_qubit(control, 1)
            circuit.add_gate(gate)
    return circuit


def qulacs_state(work: Workload, *, optimised: bool) -> Prepared:
    """qulacs, complex128 only; `optimised` merges gates by its own optimiser first.

    The block size of the optimiser is the fastest of those tried before the clock starts.
    """
    qulacs = importlib.import_module("qulacs")
    state = qulacs.QuantumState(work.n)

    def run(circuit: Any) -> None:
        state.set_zero_state()
        circuit.update_quantum_state(state)

    chosen, note = _qulacs_circuit(work), ""
    if optimised:
        optimiser = importlib.import_module("qulacs.circuit").QuantumCircuitOptimizer()
        tried: list[tuple[float, int, Any]] = []
        for size in range(1, min(5, work.n) + 1):
            circuit = _qulacs_circuit(work).copy()
            optimiser.optimize(circuit, size)
            run(circuit)
            seconds = float("inf")
            for _ in range(3):
                start = time.perf_counter()
                run(circuit)
                seconds = min(seconds, time.perf_counter() - start)
            tried.append((seconds, size, circuit))
        _, size, chosen = min(tried, key=lambda entry: entry[:2])
        note = f"optimiser with blocks of {size} wires, the fastest of 1 to {len(tried)}"

    def outputs(_: int) -> Outputs:
        run(chosen)
        return _state(state.get_vector())

    return Prepared(lambda: run(chosen), outputs, 1, work.tolerance("float64"), note)


def aer_state(work: Workload, precision: str, threads: int) -> Prepared:
    """qiskit-aer's state-vector method with its gate fusion, transpiled beforehand."""
    from qiskit import QuantumCircuit, transpile

    aer = importlib.import_module("qiskit_aer")
    circuit = QuantumCircuit(work.n)
    x, w = work.inputs(1)[0], work.weights()
    for layer, name in enumerate(ENCODER):
        for wire in range(work.n):
            getattr(circuit, name)(float(x[layer * work.n + wire]), wire)
    for block in range(work.blocks):
        for wire in range(work.n):
            circuit.u(*(float(angle) for angle in w[block, 0, wire]), wire)
        for control, target in work.ring():
            circuit.cu(*(float(angle) for angle in w[block, 1, control]), 0.0, control, target)
    circuit.save_statevector()
    simulator = aer.AerSimulator(
        method="statevector",
        precision="single" if precision == "float32" else "double",
        max_parallel_threads=threads,
    )
    ready = transpile(circuit, simulator, optimization_level=1)

    def run() -> Any:
        return simulator.run(ready, shots=1).result()

    def outputs(_: int) -> Outputs:
        return _state(run().get_statevector())

    return Prepared(run, outputs, 1, work.tolerance(precision))
