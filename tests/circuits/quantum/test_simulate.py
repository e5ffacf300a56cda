# SPDX-License-Identifier: Apache-2.0
"""States, expectations, probabilities and samples through the compiled kernels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit.quantum_info import SparsePauliOp, Statevector

from circuits.quantum import (
    Circuit,
    expectation,
    input,
    probabilities,
    sample,
    statevector,
    weight,
)
from circuits.quantum.gates import GATES

W = torch.tensor([0.3, -1.2, 0.8], dtype=torch.float64)
X = torch.tensor([[0.5, 2.2], [-0.1, 0.4], [1.0, 3.0]], dtype=torch.float64)


def small() -> Circuit:
    return (
        Circuit(2).ry(input(0), 0).rx(input(1), 1).cu3(weight(0), weight(1), weight(2), 0, 1).h(1)
    )


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_states_are_qiskits(data, circuits):
    circuit = data.draw(circuits())
    ours = statevector(circuit, W, X)
    assert ours.dtype is torch.complex128
    for row, x in zip(ours, X, strict=True):
        theirs = Statevector(circuit.to_qiskit(W, x)).data
        np.testing.assert_allclose(row.numpy(), theirs, atol=1e-11)
    single = statevector(circuit, W.float(), X.float())
    assert single.dtype is torch.complex64
    np.testing.assert_allclose(single.numpy(), ours.numpy(), atol=2e-5)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_expectations_are_qiskits(data, circuits):
    circuit = data.draw(circuits(max_wires=4))
    n = circuit.n_wires
    string = data.draw(st.text(alphabet="IXYZ", min_size=n, max_size=n))
    operator = SparsePauliOp.from_list([(string, 0.7), ("Z" * n, -1.1)])
    ours = expectation(circuit, [operator, string], W, X)
    for row, x in zip(ours, X, strict=True):
        state = Statevector(circuit.to_qiskit(W, x))
        expected = [state.expectation_value(o).real for o in (operator, SparsePauliOp(string))]
        assert row.tolist() == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("n_wires", range(6, 11))
def test_wider_states_are_qiskits(n_wires, append_gate):
    rng = np.random.default_rng(n_wires)
    circuit = Circuit(n_wires)
    for name in rng.permutation(list(GATES)):
        count = GATES[name].n_wires
        wires = rng.permutation(n_wires)[: 4 if count is None else count]
        angles = rng.uniform(-7, 7, len(GATES[name].params)).tolist()
        append_gate(circuit, str(name), wires.tolist(), angles)
    theirs = Statevector(circuit.to_qiskit()).data
    np.testing.assert_allclose(statevector(circuit)[0].numpy(), theirs, atol=1e-12)


def test_wire0_first_reverses_the_wires():
    circuit = Circuit(3).x(0).h(2)
    ours = statevector(circuit)[0]
    other = statevector(circuit, order="wire0_first")[0]
    assert ours.abs().nonzero().flatten().tolist() == [0b001, 0b101]
    assert other.abs().nonzero().flatten().tolist() == [0b100, 0b101]
    torch.testing.assert_close(other, ours.reshape(2, 2, 2).permute(2, 1, 0).reshape(8))


def test_weights_may_differ_from_sample_to_sample():
    weights = torch.stack([W, 2 * W, W - 1]).requires_grad_()
    inputs = X.clone().requires_grad_()
    together = expectation(small(), "z", weights, inputs)
    one_by_one = [expectation(small(), "z", w, x) for w, x in zip(weights, X, strict=True)]
    torch.testing.assert_close(together, torch.cat(one_by_one))
    assert torch.autograd.gradcheck(lambda w, x: expectation(small(), "z", w, x), (weights, inputs))


def test_per_sample_weights_alone_set_the_batch():
    circuit = Circuit(1).rx(weight(0), 0).ry(weight(1), 0)
    weights = torch.rand(4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = torch.cat([expectation(circuit, "z", w) for w in weights])
    torch.testing.assert_close(expectation(circuit, "z", weights), expected)
    assert expectation(circuit, "z", weights[:0]).shape == (0, 1)


def test_shapes_of_one_weight_one_sample_and_no_samples():
    one = Circuit(1).rx(weight(0), 0)
    scalar = expectation(one, "z", torch.tensor(0.4))
    assert scalar.shape == (1, 1)
    assert scalar.item() == pytest.approx(np.cos(0.4))
    assert expectation(small(), "z", W, X[0]).shape == (1, 2)
    assert expectation(small(), "z", W, X[:0]).shape == (0, 2)
    assert statevector(small(), W, X[:0]).shape == (0, 4)
    assert statevector(Circuit(1)).dtype is torch.complex128


def test_gradients_of_states_and_expectations_are_right():
    w, x = W.clone().requires_grad_(), X.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda w, x: expectation(small(), ["XY", "ZI"], w, x), (w, x))
    assert torch.autograd.gradcheck(lambda w, x: probabilities(small(), w, x), (w, x))
    loss = statevector(small(), w, x, order="wire0_first")
    assert torch.autograd.gradcheck(lambda w, x: statevector(small(), w, x), (w, x))
    assert loss.requires_grad


def test_probabilities_sum_to_one_in_either_order():
    ours = probabilities(small(), W, X)
    torch.testing.assert_close(ours.sum(1), torch.ones(3, dtype=torch.float64))
    other = probabilities(small(), W, X, order="wire0_first")
    torch.testing.assert_close(other[:, [0, 2, 1, 3]], ours)


def test_samples_follow_the_probabilities_and_the_seed():
    shots = 20_000
    bits = sample(small(), shots, W, X, seed=7)
    assert (bits.shape, bits.dtype) == ((3, shots, 2), torch.int8)
    assert torch.equal(bits, sample(small(), shots, W, X, seed=np.random.default_rng(7)))
    assert not torch.equal(bits, sample(small(), shots, W, X, seed=8))
    indices = bits[:, :, 0] + 2 * bits[:, :, 1]
    for row, p in zip(indices, probabilities(small(), W, X), strict=True):
        counts = torch.bincount(row.long(), minlength=4).double()
        deviation = (counts - shots * p) / (shots * p * (1 - p)).sqrt()
        assert deviation.abs().max() < 5
    assert sample(small(), 0, W, X, seed=7).shape == (3, 0, 2)


def test_impossible_outcomes_are_never_sampled():
    bits = sample(Circuit(3).x(1).h(2), 5_000, seed=0)
    assert bits[0, :, 0].unique().tolist() == [0]
    assert bits[0, :, 1].unique().tolist() == [1]
    assert bits[0, :, 2].unique().tolist() == [0, 1]


def with_nan(values: torch.Tensor, *where: int) -> torch.Tensor:
    spoiled = values.clone()
    spoiled[where] = float("nan")
    return spoiled


@pytest.mark.parametrize("run", [statevector, lambda c, w=None, x=None: expectation(c, "z", w, x)])
@pytest.mark.parametrize(
    ("weights", "inputs", "error", "words"),
    [
        (None, X, ValueError, "weights are missing; the circuit has 3"),
        (W, None, ValueError, "inputs are missing; the circuit has 2"),
        (W[:2], X, ValueError, r"weights have shape \(2,\); expected \(3,\) or \(B, 3\)"),
        (W[None, None, :2], X, ValueError, "weights have shape"),
        (W[0], X, ValueError, r"weights have shape \(\)"),
        (W, X[:, :1], ValueError, r"inputs have shape \(3, 1\); expected \(B, 2\)"),
        (W, X[None, :, :1], ValueError, "inputs have shape"),
        (W, X[0, 0], ValueError, r"inputs have shape \(\)"),
        (W.expand(2, 3), X, ValueError, "batch of 2 and inputs of 3"),
        (W.float(), X, TypeError, "weights are torch.float32 and inputs torch.float64"),
        (W.half(), X.half(), TypeError, "float16; expected float32 or float64"),
        (W.bfloat16(), X.bfloat16(), TypeError, "bfloat16"),
        (W.long(), X, TypeError, "weights are torch.int64"),
        (W, X.long(), TypeError, "inputs are torch.int64"),
        (W, X + 0j, TypeError, "inputs are torch.complex128"),
        (W.tolist(), X, TypeError, "weights is list; expected a tensor"),
        (W, X.numpy(), TypeError, "inputs is ndarray; expected a tensor"),
        (
            with_nan(W, 1),
            X,
            ValueError,
            r"gate 2, cu3\(w\[0\], w\[1\], w\[2\]\).*weight\(1\) is nan",
        ),
        (W, with_nan(X, 2, 0), ValueError, r"gate 0, ry\(x\[0\]\).*input\(0\) of sample 2 is nan"),
        (with_nan(W.expand(3, 3), 1, 2), X, ValueError, r"weight\(2\) of sample 1 is nan"),
        (W / 0, X, ValueError, r"weight\(0\) is inf"),
    ],
)
def test_bad_parameters_are_refused_by_name(run, weights, inputs, error, words):
    with pytest.raises(error, match=words):
        run(small(), weights, inputs)


def test_other_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="order is 'big'"):
        statevector(small(), W, X, order="big")
    with pytest.raises(TypeError, match="expected a Circuit"):
        statevector("circuit")
    with pytest.raises(TypeError, match=r"shots is 1\.5"):
        sample(Circuit(1), 1.5, seed=0)
    with pytest.raises(ValueError, match="shots is -1"):
        sample(Circuit(1), -1, seed=0)
    with pytest.raises(TypeError, match="seed is None"):
        sample(Circuit(1), 1, seed=None)


def test_memory_limit_is_checked_before_any_work():
    big = Circuit(30).h(0)
    with pytest.raises(ValueError, match=r"30 wires and a batch of 1 need 16 GiB.*limit, 8 GiB"):
        statevector(big)
    with pytest.raises(ValueError, match="30 wires need 32 GiB"):
        expectation(big)
    with pytest.raises(ValueError, match="batch of 3"):
        probabilities(small(), W, X, memory_limit=191)
    assert probabilities(small(), W, X, memory_limit=192).shape == (3, 4)
    with pytest.raises(ValueError, match="memory_limit"):
        expectation(small(), "z", W.clone().requires_grad_(), X, memory_limit=319)
    assert expectation(small(), "z", W.clone(), X, memory_limit=128).shape == (3, 2)


@pytest.mark.parametrize("lead", [(), (1,), (3,), (2, 3), (2, 1, 3), (0,), (4, 0)])
def test_leading_dimensions_come_back(lead):
    circuit, x = small(), torch.rand(*lead, 2, dtype=torch.float64)
    flat = x.reshape(int(np.prod(lead, dtype=int)), 2)
    shown = lead or (1,)
    for run in (statevector, probabilities, lambda c, w, x: expectation(c, ["XY", "ZZ"], w, x)):
        out = run(circuit, W, x)
        rows = run(circuit, W, flat)
        assert out.shape == (*shown, rows.shape[-1])
        assert torch.equal(out.reshape(rows.shape), rows)
    drawn = sample(circuit, 5, W, x, seed=3)
    assert drawn.shape == (*shown, 5, 2)
    assert torch.equal(drawn.reshape(-1, 5, 2), sample(circuit, 5, W, flat, seed=3))


@pytest.mark.parametrize(
    ("weights", "inputs", "shape"),
    [((1, 3), (4, 2), (4,)), ((1, 1, 3), (4, 2), (1, 4)), ((4, 3), (2,), (4,)),
     ((4, 3), (1, 2), (4,)), ((4, 1, 3), (5, 2), (4, 5)), ((2, 4, 3), (4, 2), (2, 4)),
     ((1, 3), (2,), (1,)), ((4, 3), (4, 2), (4,))],
)  # fmt: skip
def test_weights_and_inputs_broadcast(weights, inputs, shape):
    circuit = small()
    w = torch.rand(weights, dtype=torch.float64, requires_grad=True)
    x = torch.rand(inputs, dtype=torch.float64, requires_grad=True)
    out = expectation(circuit, "z", w, x)
    assert out.shape == (*shape, 2)
    wide_w, wide_x = w.expand(*shape, 3).reshape(-1, 3), x.expand(*shape, 2).reshape(-1, 2)
    rows = [expectation(circuit, "z", a, b)[0] for a, b in zip(wide_w, wide_x, strict=True)]
    expected = torch.stack(rows).reshape(out.shape)
    torch.testing.assert_close(out, expected, atol=1e-14, rtol=0)
    cotangent = torch.rand_like(out)
    got = torch.autograd.grad((out * cotangent).sum(), (w, x))
    for ours, theirs in zip(
        got, torch.autograd.grad((expected * cotangent).sum(), (w, x)), strict=True
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-13, rtol=0)


def test_batches_that_do_not_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"batch of \(2, 3\) and inputs of 2; expected one"):
        statevector(small(), W.expand(2, 3, 3), X[:2])


def test_halves_are_taken_under_autocast_and_float32_comes_back():
    circuit, w, x = small(), W.bfloat16(), X.bfloat16()
    expected = statevector(circuit, w.float(), x.float())
    for dtype in (torch.bfloat16, torch.float16):
        with torch.autocast("cpu", dtype=dtype):
            assert torch.equal(statevector(circuit, w, x), expected)
            assert torch.equal(statevector(circuit, w.float(), x), expected)
            assert statevector(circuit, W, X).dtype is torch.complex128
            with pytest.raises(TypeError, match=r"weights are torch\.float64 and inputs"):
                statevector(circuit, W, x)
    with pytest.raises(TypeError, match=r"bfloat16; expected float32 or float64 \(call \.float"):
        statevector(circuit, w, x)


@pytest.mark.parametrize("n", [7, 9])
def test_diagonals_past_the_kernels_own_size_are_qiskits(n):
    rng = np.random.default_rng(n)
    entries = np.exp(1j * rng.uniform(-np.pi, np.pi, 2**n))
    wires = rng.permutation(n).tolist()
    circuit = Circuit(n).h(list(range(n))).diagonal(entries, wires)
    expected = Statevector(circuit.to_qiskit()).data
    np.testing.assert_allclose(statevector(circuit)[0].numpy(), expected, atol=1e-13)
    undone = statevector(circuit.compose(circuit.inverse()))[0]
    assert undone[0].item() == pytest.approx(1, abs=1e-12)


def test_matrices_that_no_kernel_takes_are_refused_when_built():
    with pytest.raises(ValueError, match=r"Circuit.diagonal: got 13 wires .* at most 12"):
        Circuit(13).diagonal(np.ones(2**13), range(13))
    with pytest.raises(ValueError, match=r"Circuit.unitary: got 9 wires .* at most 8"):
        Circuit(9).unitary(np.eye(2**9), range(9))
