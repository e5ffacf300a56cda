# SPDX-License-Identifier: Apache-2.0
"""The noise kernels against the same functions in plain torch, and against their own bits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from workbench.ops import noise
from workbench.ops.channel_program import ChannelKind, ChannelProgram, ChannelProgramBuilder
from workbench.ops.program import Source
from workbench.ops.reference import noise as reference

N_WEIGHTS, N_INPUTS = 5, 3
REMAINDERS = (0, 1, 7, 8, 9, 17)
# Sums of at most 4**4 products of numbers of order one, some tens of times over.
TOLERANCE = 1e-11


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def _channel(rng: np.random.Generator, k: int, sparse: bool) -> list[float]:
    """A trace-preserving matrix; nothing here needs it to be completely positive."""
    matrix = rng.normal(size=(4**k, 4**k)) / 2**k
    if sparse:
        matrix *= rng.random(matrix.shape) < 0.15
    matrix[0] = 0.0
    matrix[0, 0] = 1.0
    return [float(x) for x in matrix.ravel()]


def _program(seed: int, n: int, n_ops: int, *, with_inputs: bool = True) -> ChannelProgram:
    rng = np.random.default_rng(seed)
    builder = ChannelProgramBuilder(n, N_WEIGHTS, N_INPUTS if with_inputs else 0)
    for _ in range(n_ops):
        choice = rng.random()
        if choice < 0.25:
            builder.channel([int(rng.integers(n))], _channel(rng, 1, False))
        elif choice < 0.5 and n > 1:
            pair = [int(q) for q in rng.choice(n, 2, replace=False)]
            builder.channel(pair, _channel(rng, 2, bool(rng.random() < 0.7)))
        else:
            terms = []
            for _ in range(int(rng.integers(0, 3))):
                source = Source(int(rng.integers(2))) if with_inputs else Source.WEIGHT
                count = N_WEIGHTS if source is Source.WEIGHT else N_INPUTS
                terms.append((source, int(rng.integers(count)), float(rng.normal())))
            kind = ChannelKind(int(rng.integers(2, 5)))
            builder.rotation(kind, int(rng.integers(n)), float(rng.normal()), terms)
    return builder.build()


def _values(seed: int, batch: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    return (
        torch.tensor(rng.normal(size=N_WEIGHTS), requires_grad=True),
        torch.tensor(rng.normal(size=(batch, N_INPUTS)), requires_grad=True),
    )


def _readout(seed: int, n: int) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    m = int(rng.integers(0, n + 1))
    return torch.tensor(rng.permutation(n)[:m].copy()), torch.tensor(rng.random((m, 2, 2)))


def _rows(seed: int, n: int, count: int = 3) -> Tensor:
    rng = np.random.default_rng(seed)
    return torch.tensor(rng.normal(size=(count, 4**n)) * (rng.random((count, 4**n)) < 0.3))


def _gradients(out: Tensor, w: Tensor, x: Tensor, seed: int) -> list[Tensor]:
    cotangent = torch.tensor(np.random.default_rng(seed).normal(size=tuple(out.shape)))
    if not out.requires_grad:
        return [torch.zeros_like(w), torch.zeros_like(x)]
    found = torch.autograd.grad(out, (w, x), cotangent, allow_unused=True)
    return [torch.zeros_like(v) if g is None else g for g, v in zip(found, (w, x), strict=True)]


def _close(ours: Tensor, theirs: Tensor) -> None:
    scale = 1.0 + (float(theirs.detach().abs().max()) if theirs.numel() else 0.0)
    torch.testing.assert_close(ours, theirs, rtol=0.0, atol=TOLERANCE * scale)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 4),
    n_ops=st.integers(0, 30),
    batch=st.sampled_from(REMAINDERS),
)
def test_values_and_gradients_equal_the_reference(
    seed: int, n: int, n_ops: int, batch: int
) -> None:
    program = _program(seed, n, n_ops)
    w, x = _values(seed, batch)
    measured, confusion = _readout(seed, n)
    rows = _rows(seed, n)
    pairs = [
        (
            noise.noisy_probabilities(program, measured, confusion, w, x),
            reference.noisy_probabilities(program, measured, confusion, w, x),
        ),
        (
            noise.noisy_expectation(program, rows, w, x),
            reference.noisy_expectation(program, rows, w, x),
        ),
    ]
    for ours, theirs in pairs:
        _close(ours, theirs)
        for a, b in zip(_gradients(ours, w, x, seed), _gradients(theirs, w, x, seed), strict=True):
            _close(a, b)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(1, 4),
    n_ops=st.integers(0, 30),
    count=st.integers(0, 17),
)
def test_pull_back_equals_the_reference(seed: int, n: int, n_ops: int, count: int) -> None:
    program = _program(seed, n, n_ops, with_inputs=False)
    w = _values(seed, 1)[0].detach()
    rows = _rows(seed, n, count)
    _close(noise.pull_back(program, rows, w), reference.pull_back(program, rows, w))


def test_gradcheck() -> None:
    program = _program(4, 3, 25)
    w, x = _values(4, 3)
    measured, confusion = torch.tensor([2, 0]), torch.rand(2, 2, 2, dtype=torch.float64)
    rows = _rows(4, 3)
    assert torch.autograd.gradcheck(
        lambda a, b: noise.noisy_probabilities(program, measured, confusion, a, b), (w, x)
    )
    assert torch.autograd.gradcheck(
        lambda a, b: noise.noisy_expectation(program, rows, a, b), (w, x)
    )


def test_operators_pass_opcheck() -> None:
    program = _program(5, 2, 12)
    w, x = _values(5, 4)
    head = (program.code, program.data, program.n_qubits)
    measured = torch.tensor([1])
    confusion = torch.rand(1, 2, 2, dtype=torch.float64)
    ops = torch.ops.workbench
    torch.library.opcheck(ops.noisy_probabilities.default, (*head, measured, confusion, w, x))
    torch.library.opcheck(ops.noisy_expectation.default, (*head, _rows(5, 2), w, x))
    fixed = _program(6, 2, 12, with_inputs=False)
    torch.library.opcheck(
        ops.noise_pull_back.default,
        (fixed.code, fixed.data, fixed.n_qubits, _rows(6, 2), w.detach()),
    )


def test_second_derivative_is_refused() -> None:
    program = _program(7, 2, 12)
    w, x = _values(7, 2)
    out = noise.noisy_expectation(program, _rows(7, 2), w, x).sum()
    (first,) = torch.autograd.grad(out, w, create_graph=True)
    with pytest.raises(RuntimeError, match="second derivatives"):
        first.sum().backward()


@pytest.mark.parametrize("which", ["weights", "inputs"])
def test_either_gradient_may_be_asked_alone(which: str) -> None:
    program = _program(8, 3, 25)
    w, x = _values(8, 5)
    both = _gradients(noise.noisy_expectation(program, _rows(8, 3), w, x), w, x, 8)
    if which == "weights":
        alone = noise.noisy_expectation(program, _rows(8, 3), w, x.detach())
        expected, value = both[0], w
    else:
        alone = noise.noisy_expectation(program, _rows(8, 3), w.detach(), x)
        expected, value = both[1], x
    cotangent = torch.tensor(np.random.default_rng(8).normal(size=tuple(alone.shape)))
    (found,) = torch.autograd.grad(alone, value, cotangent)
    assert torch.equal(found, expected)


@pytest.mark.parametrize("batch", REMAINDERS)
def test_a_batch_has_the_bits_of_its_samples(batch: int) -> None:
    program = _program(9, 3, 30)
    w, x = _values(9, batch)
    rows = _rows(9, 3)
    together = noise.noisy_expectation(program, rows, w, x)
    (grad,) = torch.autograd.grad(together.sum(), x)
    assert together.shape == (batch, 3)
    for b in range(batch):
        one = x[b : b + 1].detach().requires_grad_()
        alone = noise.noisy_expectation(program, rows, w, one)
        assert torch.equal(alone[0], together[b])
        assert torch.equal(torch.autograd.grad(alone.sum(), one)[0][0], grad[b])


def test_thread_count_does_not_change_a_bit(threads: Callable[[int], None]) -> None:
    program = _program(10, 4, 40)
    w, x = _values(10, 301)
    measured, confusion = torch.tensor([3, 1, 0]), torch.rand(3, 2, 2, dtype=torch.float64)
    results = []
    for count in (1, 2, 3):
        threads(count)
        out = noise.noisy_probabilities(program, measured, confusion, w, x)
        results.append([out.detach(), *_gradients(out, w, x, 10)])
    for other in results[1:]:
        assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_two_python_threads_may_call_at_once() -> None:
    program = _program(11, 4, 40)
    w, x = _values(11, 64)
    rows = _rows(11, 4)
    expected = noise.noisy_expectation(program, rows, w, x).detach()
    found: list[Tensor] = []

    def work() -> None:
        for _ in range(10):
            found.append(noise.noisy_expectation(program, rows, w, x).detach())

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 20
    assert all(torch.equal(f, expected) for f in found)


def test_gradients_survive_recomputation_from_checkpoints() -> None:
    # 80 steps of 4 MiB (AVX-512) exceed the 256 MiB of states that a thread may store.
    n = 8
    rng = np.random.default_rng(12)
    builder = ChannelProgramBuilder(n, 2, 1)
    matrix = np.diag(np.r_[1.0, np.full(15, 0.999)])
    for i in range(80):
        pair = [int(q) for q in rng.choice(n, 2, replace=False)]
        builder.rotation(ChannelKind(2 + i % 3), pair[0], 0.3, [(Source.WEIGHT, i % 2, 0.5)])
        builder.rotation(ChannelKind(2 + (i + 1) % 3), pair[1], 0.1, [(Source.INPUT, 0, 0.2)])
        order = rng.permutation(15) + 1
        builder.channel(pair, [float(v) for v in matrix[np.r_[0, order]].ravel()])
    program = builder.build()
    w = torch.tensor([0.2, -0.4], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([[0.7]], dtype=torch.float64, requires_grad=True)
    rows = torch.tensor(rng.normal(size=(1, 4**n)))
    ours = noise.noisy_expectation(program, rows, w, x)
    theirs = reference.noisy_expectation(program, rows, w, x)
    _close(ours, theirs)
    for a, b in zip(_gradients(ours, w, x, 12), _gradients(theirs, w, x, 12), strict=True):
        _close(a, b)


@pytest.mark.parametrize("angle", [0.0, 1e-300, np.pi / 4, 1e5, 999_999.5, 1e7, 1e15, -3e9])
def test_angles_of_every_size_are_exact(angle: float) -> None:
    builder = ChannelProgramBuilder(1, 0, 1)
    builder.rotation(ChannelKind.RX, 0, 0.0, [(Source.INPUT, 0, 1.0)])
    x = torch.tensor([[angle], [-angle]], dtype=torch.float64)
    w = torch.zeros(0, dtype=torch.float64)
    y_and_z = torch.eye(4, dtype=torch.float64)[2:]
    out = noise.noisy_expectation(builder.build(), y_and_z, w, x)
    # exp(-i a/2 X) takes Z to cos(a) Z and to -sin(a) Y; 4 ulp of 1.
    expected = torch.stack([-torch.sin(x[:, 0]), torch.cos(x[:, 0])], 1)
    torch.testing.assert_close(out, expected, rtol=0.0, atol=9e-16)


def test_float32_is_computed_in_float64_and_rounded() -> None:
    program = _program(13, 3, 20)
    w, x = (v.detach().float().requires_grad_() for v in _values(13, 6))
    rows = _rows(13, 3)
    out = noise.noisy_expectation(program, rows, w, x)
    assert out.dtype == torch.float32
    exact = noise.noisy_expectation(program, rows, w.double(), x.double())
    assert torch.equal(out, exact.float())
    assert torch.autograd.grad(out.sum(), w)[0].dtype == torch.float32


def test_non_contiguous_arguments_are_read_by_their_strides() -> None:
    program = _program(14, 3, 20)
    w, x = (v.detach() for v in _values(14, 6))
    rows = _rows(14, 3)
    expected = noise.noisy_expectation(program, rows, w, x)
    strided = noise.noisy_expectation(
        program, rows.T.contiguous().T, w, torch.stack([x, x], 2)[:, :, 0]
    )
    assert torch.equal(strided, expected)


def test_bad_arguments_are_named() -> None:
    program = _program(15, 2, 8)
    w, x = (v.detach() for v in _values(15, 3))
    rows = _rows(15, 2)
    measured, confusion = torch.tensor([0]), torch.eye(2, dtype=torch.float64)[None]
    with pytest.raises(ValueError, match=r"inputs must have shape \(any, 3\), got \(3, 2\)"):
        noise.noisy_expectation(program, rows, w, x[:, :2])
    with pytest.raises(ValueError, match=r"weights must have shape \(5\), got \(4,\)"):
        noise.noisy_expectation(program, rows, w[:4], x)
    with pytest.raises(TypeError, match=r"weights must be a torch.float64 tensor"):
        noise.noisy_expectation(program, rows, w.float(), x)
    with pytest.raises(TypeError, match=r"inputs must be a float32 or float64 tensor, got torch.f"):
        noise.noisy_expectation(program, rows, w.half(), x.half())
    with pytest.raises(TypeError, match=r"inputs must be .* got torch.complex128"):
        noise.noisy_expectation(program, rows, w, x.to(torch.complex128))
    with pytest.raises(ValueError, match=r"observables must have shape \(any, 16\)"):
        noise.noisy_expectation(program, rows[:, :4], w, x)
    with pytest.raises(TypeError, match=r"measured must be a torch.int64 tensor"):
        noise.noisy_probabilities(program, measured.int(), confusion, w, x)
    with pytest.raises(ValueError, match=r"confusion must have shape \(1, 2, 2\)"):
        noise.noisy_probabilities(program, measured, confusion[0], w, x)
    with pytest.raises(ValueError, match=r"measured qubit 2 is not in \[0, 2\)"):
        noise.noisy_probabilities(program, torch.tensor([2]), confusion, w, x)
    with pytest.raises(ValueError, match="qubit 1 is measured twice"):
        noise.noisy_probabilities(program, torch.tensor([1, 1]), confusion.repeat(2, 1, 1), w, x)
    with pytest.raises(ValueError, match=r"1 to 10 qubits, got 12: .* 1 GiB"):
        noise.noisy_expectation(replace(program, n_qubits=12), rows, w, x)
    with pytest.raises(ValueError, match="program must have no inputs, got 3"):
        noise.pull_back(program, rows, w)


def test_an_angle_that_is_not_finite_names_its_rotation() -> None:
    builder = ChannelProgramBuilder(2, 1, 1)
    builder.rotation(ChannelKind.RX, 0, 0.1)
    builder.rotation(ChannelKind.RY, 1, 0.0, [(Source.INPUT, 0, 1.0)])
    builder.rotation(ChannelKind.RZ, 1, 0.0, [(Source.WEIGHT, 0, 1.0)])
    program, rows = builder.build(), _rows(0, 2)
    good, bad = torch.zeros(1, dtype=torch.float64), torch.tensor([[0.0], [float("nan")]]).double()
    with pytest.raises(ValueError, match="operation 1, ry on qubit 1: the angle of sample 1"):
        noise.noisy_expectation(program, rows, good, bad)
    with pytest.raises(ValueError, match="operation 2, rz on qubit 1: the angle from the weights"):
        noise.noisy_expectation(program, rows, good + float("inf"), good[None])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ([9, 0, 0], "operation 0: unknown kind 9"),
        ([0, 2, 0], r"qubit 2 is not in \[0, 2\)"),
        ([0, -1, 0], "qubit -1"),
        ([1, 1, 1, 0], "qubit 1 is repeated"),
        ([0, 0, 1], "data offset 1 is out of range"),
        ([1, 0, 1, 0], "data offset 0 is out of range"),
        ([0, 0], "the code ends inside it"),
        ([2, 0, 0, 1, 0], "the code ends inside it"),
        ([2, 0, 0, -1], "a negative number of terms"),
        ([2, 0, 0, 1, 2, 0, 0], "unknown source"),
        ([2, 0, 0, 1, 0, 5, 0], r"weight 5 is not in \[0, 5\)"),
        ([2, 0, 0, 1, 1, -1, 0], r"input -1 is not in \[0, 3\)"),
    ],
)
def test_a_broken_program_is_refused(code: list[int], message: str) -> None:
    data = torch.eye(4, dtype=torch.float64).ravel()
    program = ChannelProgram(2, N_WEIGHTS, N_INPUTS, torch.tensor(code), data)
    w, x = (v.detach() for v in _values(0, 2))
    with pytest.raises(ValueError, match=message):
        noise.noisy_expectation(program, _rows(0, 2), w, x)


def test_a_channel_that_loses_trace_is_refused() -> None:
    builder = ChannelProgramBuilder(1)
    builder.channel([0], [0.9 * float(i % 5 == 0) for i in range(16)])
    with pytest.raises(ValueError, match="does not preserve the trace"):
        noise.pull_back(builder.build(), _rows(0, 1), torch.zeros(0, dtype=torch.float64))
