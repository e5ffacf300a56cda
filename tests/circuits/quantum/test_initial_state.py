# SPDX-License-Identifier: Apache-2.0
"""Runs from given initial states, against qiskit's own evolution and central differences."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from qiskit.quantum_info import Statevector
from torch.autograd import forward_ad

from circuits.quantum import (
    Circuit,
    QuantumLayer,
    expectation,
    input,
    probabilities,
    sample,
    statevector,
    weight,
)

W = torch.tensor([0.3, -1.2, 0.8], dtype=torch.float64)


def states(*shape: int, seed: int = 0, dtype: torch.dtype = torch.complex128) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(
        torch.randn(*shape, dtype=dtype, generator=generator), dim=-1
    )


def inputs(*lead: int) -> torch.Tensor:
    return torch.rand(*lead, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def entangled(n: int) -> Circuit:
    """Gates of every kind of step, one-wire gates first, and renamed wires."""
    rng = np.random.default_rng(n)
    circuit = Circuit(n, n_weights=3, n_inputs=2)
    for k in range(2 * n):
        a, b, *_ = [*rng.permutation(n).tolist(), 0]
        circuit.ry(weight(k % 3) * float(rng.normal()), a).rz(input(k % 2), a).h(a)
        if n > 1:
            circuit.cu3(weight(0), input(1), 0.3, a, b).swap(a, b).rzz(weight(1), a, b).sx(b)
        if n > 2:
            c = next(wire for wire in range(n) if wire not in (a, b))
            circuit.ccx(a, b, c).pauli_rotation("XYZ", input(0) * weight(2), [a, b, c])
    return circuit


# Tiles and single states, in one and in several blocks, with lanes to spare and without.
@pytest.mark.parametrize(("n", "batch"), [(1, 3), (3, 17), (6, 1), (7, 3), (8, 16), (15, 1)])
def test_states_and_expectations_are_qiskits(n, batch):
    circuit, x, start = entangled(n), inputs(batch), states(batch, 2**n)
    out = statevector(circuit, W, x, initial_state=start)
    values = expectation(circuit, ["X" * n, "Z" * n], W, x, initial_state=start)
    rows = range(batch) if n < 15 else []
    for k in rows:
        expected = Statevector(start[k].numpy()).evolve(circuit.to_qiskit(W, x[k]))
        np.testing.assert_allclose(out[k].numpy(), expected.data, atol=1e-13)
    signs = torch.tensor([(-1.0) ** k.bit_count() for k in range(2**n)], dtype=torch.float64)
    torch.testing.assert_close(values[:, 1], out.abs().square() @ signs, atol=1e-13, rtol=0)
    torch.testing.assert_close(values[:, 0], (out.conj() * out.flip(1)).sum(1).real)
    single = statevector(circuit, W.float(), x.float(), initial_state=start.to(torch.complex64))
    torch.testing.assert_close(single.to(out.dtype), out, atol=1e-5, rtol=0)
    # and from |0...0> the same as ever
    zero = torch.zeros(2**n, dtype=torch.complex128)
    zero[0] = 1
    torch.testing.assert_close(
        statevector(circuit, W, x, initial_state=zero), statevector(circuit, W, x)
    )


@pytest.mark.parametrize(("n", "batch"), [(2, 3), (3, 17), (7, 2), (15, 1)])
def test_gradients_reach_the_state_and_the_parameters(n, batch):
    circuit, x, start = entangled(n), inputs(batch), states(batch, 2**n)
    rows = ["X" * n, {"Z" * n: 0.5, "I" * (n - 1) + "Y": -1.0}]
    cotangent = states(batch, 2, seed=4, dtype=torch.float64)
    leaves = [t.clone().requires_grad_() for t in (start, W, x)]

    # A change of the state along itself leaves norm 1, so differences are taken across.
    def loss(start, w, x):
        return (expectation(circuit, rows, w, x, initial_state=start) * cotangent).sum()

    slopes = torch.autograd.grad(loss(*leaves), leaves)
    step = 1e-6
    across = states(batch, 2**n, seed=5)
    across = across - (start.conj() * across).sum(-1, keepdim=True) * start
    turned = [
        torch.nn.functional.normalize(start + sign * step * across, dim=-1) for sign in (1, -1)
    ]
    numeric = (loss(turned[0], W, x) - loss(turned[1], W, x)).item() / (2 * step)
    assert (slopes[0].conj() * across).sum().real.item() == pytest.approx(numeric, abs=1e-7)
    for k, leaf in ((1, W), (2, x)):
        along = torch.ones_like(leaf) * step
        above = [start, W, x]
        below = [start, W, x]
        above[k], below[k] = leaf + along, leaf - along
        numeric = (loss(*above) - loss(*below)).item() / (2 * step)
        assert slopes[k].sum().item() == pytest.approx(numeric, abs=1e-7)


def test_the_slope_of_amplitudes_is_the_adjoint_of_the_circuit():
    circuit, x, start = entangled(3), inputs(5), states(5, 8).requires_grad_()
    cotangent = states(5, 8, seed=7)
    out = statevector(circuit, W, x, initial_state=start)
    (slope,) = torch.autograd.grad(out, start, cotangent)
    expected = statevector(circuit.inverse(), W, x, initial_state=cotangent)
    torch.testing.assert_close(slope, expected)


def test_only_what_is_wanted_is_differentiated():
    circuit, start = entangled(2), states(2, 4).requires_grad_()
    for leaf in (W.clone().requires_grad_(), start):
        w = leaf if leaf.dim() == 1 else W
        s = start if leaf is start else start.detach()
        out = expectation(circuit, "z", w, inputs(2), initial_state=s)
        (slope,) = torch.autograd.grad(out.sum(), leaf)
        assert slope.abs().sum() > 0


@pytest.mark.parametrize(
    ("lead", "of_x", "of_state"),
    [((4,), (4,), ()), ((4,), (), (4,)), ((2, 3), (3,), (2, 3)), ((2, 3), (2, 1), (3,)),
     ((0,), (0,), ()), ((1,), (), ())],
)  # fmt: skip
def test_leading_dimensions_broadcast(lead, of_x, of_state):
    circuit, x, start = entangled(2), inputs(*of_x), states(*of_state, 4)
    out = statevector(circuit, W, x, initial_state=start)
    flat = statevector(
        circuit,
        W,
        x.expand(*lead, 2).reshape(-1, 2),
        initial_state=start.expand(*lead, 4).reshape(-1, 4),
    )
    assert out.shape == (*lead, 4)
    assert torch.equal(out.reshape(-1, 4), flat)
    layer = QuantumLayer(circuit, init=W)
    shown = lead if of_x or of_state else ()
    assert layer(x, initial_state=start).shape == (*shown, 2)


def test_batches_give_the_bits_of_single_runs():
    circuit, x, start = entangled(4), inputs(9), states(9, 16)
    together = statevector(circuit, W, x, initial_state=start)
    for k in range(9):
        alone = statevector(circuit, W, x[k], initial_state=start[k])[0]
        assert torch.equal(alone, together[k])


def test_order_is_that_of_the_result():
    circuit, start = Circuit(3).x(0).cx(0, 1), states(8)
    out = statevector(circuit, initial_state=start, order="wire0_first")[0]
    swapped = start.reshape(2, 2, 2).permute(2, 1, 0).reshape(8)
    expected = Statevector(swapped.numpy()).evolve(circuit.to_qiskit()).data
    np.testing.assert_allclose(
        out.numpy(), expected.reshape(2, 2, 2).transpose(2, 1, 0).reshape(8), atol=1e-15
    )


def test_real_states_probabilities_and_samples():
    start = torch.tensor([0.0, 0.6, 0.0, 0.8])
    circuit = Circuit(2).swap(0, 1)
    assert statevector(circuit, initial_state=start).dtype is torch.complex64
    exact = probabilities(circuit, initial_state=start)[0]
    torch.testing.assert_close(exact, torch.tensor([0.0, 0.0, 0.36, 0.64]))
    drawn = sample(circuit, 1000, initial_state=start, seed=1)[0]
    assert drawn[:, 1].all()
    assert drawn[:, 0].double().mean().item() == pytest.approx(0.64, abs=0.05)


@pytest.mark.parametrize(
    ("start", "error", "words"),
    [
        ([1.0, 0.0, 0.0, 0.0], TypeError, "is list; expected a tensor"),
        (states(4).to(torch.complex64), TypeError, "complex64 and the parameters torch.float64"),
        (torch.tensor([1, 0, 0, 0]), TypeError, "int64"),
        (states(8), ValueError, r"shape \(8,\); expected \(..., 4\)"),
        (2 * states(4), ValueError, "norm off 1 by 1"),
        (torch.cat([states(1, 4), states(1, 4) * float("nan")]), ValueError, "sample 1"),
        (states(4, 4), ValueError, "initial_state has a batch of 4 and parameters of 3"),
    ],
)
def test_states_that_do_not_fit_are_refused(start, error, words):
    with pytest.raises(error, match=words):
        statevector(entangled(2), W, inputs(3), initial_state=start)


def test_forward_mode_and_torch_func_are_refused_by_name():
    circuit, start = Circuit(1).ry(weight(0), 0), states(2)

    def run(w):
        return expectation(circuit, "z", w, initial_state=start)

    for transform in (torch.func.jacrev, torch.func.jacfwd, torch.vmap):
        with pytest.raises(NotImplementedError, match=r"expectation: torch\.func is not supported"):
            transform(run)(W[:1])
    with (
        forward_ad.dual_level(),
        pytest.raises(NotImplementedError, match="expectation: forward mode is not supported"),
    ):
        run(forward_ad.make_dual(W[:1], W[:1]))


def test_second_derivatives_are_refused_by_name():
    w, start = W[:1].clone().requires_grad_(), states(2).requires_grad_()
    circuit = Circuit(1).ry(weight(0), 0)
    for run in (lambda: expectation(circuit, "z", w, initial_state=start),
                lambda: statevector(circuit, w, initial_state=start).abs()):  # fmt: skip
        slopes = torch.autograd.grad(run().sum(), (w, start), create_graph=True)
        for slope in slopes:
            with pytest.raises(NotImplementedError, match="a second derivative is not supported"):
                slope.abs().sum().backward(retain_graph=True)
