# SPDX-License-Identifier: Apache-2.0
"""The compiled state-vector kernel against plain torch in float64, and its contracts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops.program import Angle, Observables, OpKind, Program, ProgramBuilder, Source
from workbench.ops.reference.statevector import expectation_reference, statevector_reference
from workbench.ops.statevector import count_steps, expectation, statevector

N_WEIGHTS, N_INPUTS = 5, 4
ONE_QUBIT = (OpKind.CONST1, OpKind.RX, OpKind.RY, OpKind.RZ, OpKind.P, OpKind.U)


def random_unitary(rng: np.random.Generator, size: int) -> np.ndarray:
    z = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    q, r = np.linalg.qr(z)
    return q * (np.diag(r) / np.abs(np.diag(r)))


def random_angle(rng: np.random.Generator) -> Angle:
    terms = []
    for _ in range(rng.integers(0, 3)):
        if rng.random() < 0.5:
            terms.append((Source.WEIGHT, int(rng.integers(N_WEIGHTS)), float(rng.normal())))
        else:
            terms.append((Source.INPUT, int(rng.integers(N_INPUTS)), float(rng.normal())))
    return Angle(float(rng.normal()), tuple(terms))


def random_program(rng: np.random.Generator, n: int, length: int) -> Program:
    """Every kind of operation on random wires, so that all fusion rules meet each other."""
    b = ProgramBuilder(n, N_WEIGHTS, N_INPUTS)
    for _ in range(length):
        kind = OpKind(int(rng.integers(0, len(OpKind))))
        wires = [int(w) for w in rng.permutation(n)]
        if kind in ONE_QUBIT:
            controls = wires[1 : 1 + int(rng.choice([0, 0, 1, 1, 1, 2, 3]))]
            matrix = random_unitary(rng, 2) if kind is OpKind.CONST1 else None
            n_angles = {OpKind.CONST1: 0, OpKind.U: 3}.get(kind, 1)
            angles = [random_angle(rng) for _ in range(n_angles)]
            b.add(kind, wires[:1], controls=controls, angles=angles, matrix=matrix)
        elif kind is OpKind.PAULI_ROTATION:
            k = int(rng.integers(1, n + 1))
            paulis = [int(p) for p in rng.integers(1, 4, size=k)]
            b.add(kind, wires[:k], paulis=paulis, angles=[random_angle(rng)])
        elif kind is OpKind.UNITARY:
            k = int(rng.integers(1, min(n, 3) + 1))
            b.add(kind, wires[:k], matrix=random_unitary(rng, 2**k))
        elif kind is OpKind.DIAGONAL:
            k = int(rng.integers(1, min(n, 4) + 1))
            b.add(kind, wires[:k], matrix=np.exp(1j * rng.normal(size=2**k)))
        elif kind is OpKind.SWAP and n > 1:
            b.add(kind, wires[:2])
        elif kind is OpKind.GLOBAL_PHASE:
            b.add(kind, [], angles=[random_angle(rng)])
    return b.build()


def random_observables(rng: np.random.Generator, n: int, kind: str) -> Observables:
    if kind == "z":
        terms = [(k, 0, 1 << k) for k in range(n)]
    elif kind == "diagonal":
        terms = [(k % 3, 0, int(rng.integers(0, 2**n))) for k in range(5)]
    else:
        terms = [(k % 3, int(rng.integers(0, 2**n)), int(rng.integers(0, 2**n))) for k in range(5)]
    rows = n if kind == "z" else 3
    return Observables(rows, torch.tensor(terms), torch.tensor(rng.normal(size=len(terms))))


def random_parameters(
    rng: np.random.Generator, batch: int, dtype: torch.dtype = torch.float64
) -> tuple[torch.Tensor, torch.Tensor]:
    weights = torch.tensor(rng.normal(size=N_WEIGHTS), dtype=dtype, requires_grad=True)
    inputs = torch.tensor(rng.normal(size=(batch, N_INPUTS)), dtype=dtype, requires_grad=True)
    return weights, inputs


def gradients(
    out: torch.Tensor, cotangent: torch.Tensor, *parameters: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    if not out.requires_grad:  # the reference of a program that reads no parameter
        return tuple(torch.zeros_like(p) for p in parameters)
    return torch.autograd.grad(
        out, parameters, cotangent, allow_unused=True, materialize_grads=True
    )


cases = given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 8),
    length=st.integers(0, 30),
    batch=st.sampled_from([1, 2, 7, 8, 9, 16, 17, 33]),
    kind=st.sampled_from(["z", "diagonal", "general"]),
)


@cases
@settings(max_examples=120, deadline=None)
def test_expectation_and_gradients_equal_the_reference(seed, n, length, batch, kind):
    rng = np.random.default_rng(seed)
    program = random_program(rng, n, length)
    observables = random_observables(rng, n, kind)
    weights, inputs = random_parameters(rng, batch)
    ours = expectation(program, observables, weights, inputs)
    theirs = expectation_reference(program, observables, weights, inputs)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    cotangent = torch.tensor(rng.normal(size=tuple(ours.shape)))
    for mine, reference in zip(
        gradients(ours, cotangent, weights, inputs),
        gradients(theirs, cotangent, weights, inputs),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-11, atol=1e-11)


@cases
@settings(max_examples=60, deadline=None)
def test_amplitudes_and_gradients_equal_the_reference(seed, n, length, batch, kind):
    rng = np.random.default_rng(seed)
    program = random_program(rng, n, length)
    weights, inputs = random_parameters(rng, batch)
    ours = statevector(program, weights, inputs)
    theirs = statevector_reference(program, weights, inputs)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-12)
    cotangent = torch.tensor(
        rng.normal(size=tuple(ours.shape)) + 1j * rng.normal(size=tuple(ours.shape))
    )
    for mine, reference in zip(
        gradients(ours, cotangent, weights, inputs),
        gradients(theirs, cotangent, weights, inputs),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-11, atol=1e-10)


def entangling_program(n: int, blocks: int, n_inputs: int = N_INPUTS) -> Program:
    """Encoder rotations, then U3 on every wire and a ring of controlled U3."""
    b = ProgramBuilder(n, 0, n_inputs)
    for w in range(n):
        for j, kind in enumerate((OpKind.RY, OpKind.RZ, OpKind.RX, OpKind.RY)):
            term = (Source.INPUT, (4 * w + j) % n_inputs, 1.0)
            b.add(kind, [w], angles=[Angle(0.0, (term,))])

    def three() -> list[Angle]:
        b.n_weights += 3
        return [Angle(0.0, ((Source.WEIGHT, b.n_weights - k, 1.0),)) for k in (3, 2, 1)]

    for _ in range(blocks):
        for w in range(n):
            b.add(OpKind.U, [w], angles=three())
        for w in range(n):
            if n > 1:
                b.add(OpKind.U, [(w + 1) % n], controls=[w], angles=three())
    return b.build()


def z_rows(n: int) -> Observables:
    terms = torch.tensor([(k, 0, 1 << k) for k in range(n)])
    return Observables(n, terms, torch.ones(n, dtype=torch.float64))


def run(program: Program, batch: int, dtype: torch.dtype, seed: int = 0, threads: int = 2):
    rng = np.random.default_rng(seed)
    weights = torch.tensor(rng.uniform(-1, 1, program.n_weights), dtype=dtype, requires_grad=True)
    inputs = torch.tensor(
        rng.uniform(0, 3, (batch, program.n_inputs)), dtype=dtype, requires_grad=True
    )
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        out = expectation(program, z_rows(program.n_wires), weights, inputs)
        cotangent = torch.tensor(rng.normal(size=tuple(out.shape)), dtype=dtype)
        return (out, *gradients(out, cotangent, weights, inputs))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("n", "batch"), [(4, 100), (10, 40), (10, 3), (15, 2), (16, 1)])
def test_same_bits_for_every_number_of_threads(n, batch):
    program = entangling_program(n, 2)
    one = run(program, batch, torch.float32, threads=1)
    for threads in (2, 3, 5):
        for a, b in zip(one, run(program, batch, torch.float32, threads=threads), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize("n", [14, 15, 17])
def test_blocks_of_a_large_state_equal_the_reference(n):
    rng = np.random.default_rng(n)
    program = random_program(rng, n, 25)
    observables = random_observables(rng, n, "general")
    weights, inputs = random_parameters(rng, 2)
    ours = expectation(program, observables, weights, inputs)
    theirs = expectation_reference(program, observables, weights, inputs)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-11)
    cotangent = torch.ones_like(ours)
    for mine, reference in zip(
        gradients(ours, cotangent, weights, inputs),
        gradients(theirs, cotangent, weights, inputs),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(
        statevector(program, weights, inputs),
        statevector_reference(program, weights, inputs),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("n", [3, 6, 9])
def test_a_batch_equals_its_samples(n):
    program = entangling_program(n, 1)
    weights, inputs = torch.randn(program.n_weights), torch.randn(33, program.n_inputs)
    whole = expectation(program, z_rows(n), weights, inputs)
    for size in (1, 5, 16):
        parts = [expectation(program, z_rows(n), weights, part) for part in inputs.split(size)]
        # Below a full tile another layout may be taken, so the bits may differ, by rounding only.
        torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=5e-6)
    tiles = [expectation(program, z_rows(n), weights, part) for part in inputs[:32].split(16)]
    once = expectation(program, z_rows(n), weights, inputs[:32])
    assert torch.equal(torch.cat(tiles), once)


@pytest.mark.parametrize("batch", [1, 15, 16, 17, 255])
def test_float32_stays_within_its_rounding(batch):
    program = entangling_program(6, 4)
    single = run(program, batch, torch.float32)
    double = run(program, batch, torch.float64)
    # Rounding errors of 72 gates add like a random walk, sqrt(72) * 6e-8 = 5e-7, times the largest
    # cotangents (6 of them, up to 4 sigma); the weight gradients sum over the batch.
    for a, b, scale in zip(single, double, (1, batch, 1), strict=True):
        torch.testing.assert_close(a.double(), b, rtol=0, atol=1e-5 * max(1, scale**0.5))


def test_a_thousand_gates_do_not_drift():
    program = entangling_program(4, 125)
    assert program.n_weights == 3 * 1000
    single, double = run(program, 16, torch.float32), run(program, 16, torch.float64)
    for a, b, bound in zip(single, double, (2e-5, 2e-4, 5e-5), strict=True):
        torch.testing.assert_close(a.double(), b, rtol=0, atol=bound)


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e5, 1e7])
def test_large_angles_are_reduced_correctly(scale):
    b = ProgramBuilder(1, 0, 1)
    b.add(OpKind.RX, [0], angles=[Angle(0.0, ((Source.INPUT, 0, 1.0),))])
    program = b.build()
    x = torch.linspace(-scale, scale, 37, dtype=torch.float64)[:, None]
    out = expectation(program, z_rows(1), torch.zeros(0, dtype=torch.float64), x)
    torch.testing.assert_close(out, torch.cos(x), rtol=0, atol=1e-14)
    single = x.float()
    out = expectation(program, z_rows(1), torch.zeros(0), single)
    torch.testing.assert_close(out.double(), torch.cos(single.double()), rtol=0, atol=1e-6)


def test_fusion_leaves_one_pass_per_ring_gate():
    for n in (2, 4, 9):
        assert count_steps(entangling_program(n, 3)) == 3 * n


def test_gradients_to_one_side_alone():
    program = entangling_program(5, 2)
    whole = run(program, 20, torch.float64)
    rng = np.random.default_rng(0)
    weights = torch.tensor(rng.uniform(-1, 1, program.n_weights))
    inputs = torch.tensor(rng.uniform(0, 3, (20, program.n_inputs)))
    cotangent = torch.tensor(rng.normal(size=(20, 5)))
    for side, expected in ((weights, whole[1]), (inputs, whole[2])):
        side.requires_grad_(True)
        out = expectation(program, z_rows(5), weights, inputs)
        (got,) = torch.autograd.grad(out, side, cotangent)
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)
        side.requires_grad_(False)


def test_gradcheck():
    rng = np.random.default_rng(3)
    program = random_program(rng, 4, 20)
    observables = random_observables(rng, 4, "general")
    weights, inputs = random_parameters(rng, 3)
    assert torch.autograd.gradcheck(
        lambda w, x: expectation(program, observables, w, x), (weights, inputs)
    )
    assert torch.autograd.gradcheck(lambda w, x: statevector(program, w, x), (weights, inputs))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_opcheck(dtype):
    rng = np.random.default_rng(1)
    program = random_program(rng, 3, 12)
    observables = random_observables(rng, 3, "z")
    for requires_grad in (False, True):
        weights, inputs = (
            p.detach().requires_grad_(requires_grad) for p in random_parameters(rng, 6, dtype)
        )
        torch.library.opcheck(
            torch.ops.workbench.statevector_expectation.default,
            (
                program.code,
                program.data,
                3,
                observables.terms,
                observables.coefficients,
                observables.n_rows,
                weights,
                inputs,
                requires_grad,
            ),
        )
        torch.library.opcheck(
            torch.ops.workbench.statevector_amplitudes.default,
            (program.code, program.data, 3, weights, inputs, requires_grad),
        )


def test_torch_compile_traces_the_operator():
    program = entangling_program(3, 1)
    weights = torch.randn(program.n_weights, requires_grad=True)
    inputs = torch.randn(10, program.n_inputs)

    def loss(w: torch.Tensor) -> torch.Tensor:
        return expectation(program, z_rows(3), w * 2, inputs).square().sum()

    compiled = torch.compile(loss, backend="aot_eager", fullgraph=True)
    (expected,) = torch.autograd.grad(loss(weights), weights)
    (got,) = torch.autograd.grad(compiled(weights), weights)
    torch.testing.assert_close(got, expected)


def test_second_derivatives_are_refused():
    program = entangling_program(2, 1)
    weights = torch.randn(program.n_weights, requires_grad=True)
    out = expectation(program, z_rows(2), weights, torch.randn(3, program.n_inputs)).sum()
    (gradient,) = torch.autograd.grad(out, weights, create_graph=True)
    with pytest.raises(RuntimeError, match="second derivatives"):
        gradient.sum().backward()


def test_a_graph_kept_alive_gives_the_same_gradient_twice():
    program = entangling_program(3, 1)
    weights = torch.randn(program.n_weights, requires_grad=True)
    out = expectation(program, z_rows(3), weights, torch.randn(20, program.n_inputs)).sum()
    (first,) = torch.autograd.grad(out, weights, retain_graph=True)
    (second,) = torch.autograd.grad(out, weights)
    assert torch.equal(first, second)


@pytest.mark.parametrize("n", [1, 4, 15])
def test_an_empty_batch_is_allowed(n):
    program = entangling_program(n, 1)
    weights = torch.randn(program.n_weights, requires_grad=True)
    out = expectation(program, z_rows(n), weights, torch.empty(0, program.n_inputs))
    assert out.shape == (0, n)
    out.sum().backward()
    assert torch.equal(weights.grad, torch.zeros_like(weights))


def test_an_empty_program_is_the_zero_state():
    program = ProgramBuilder(3).build()
    out = statevector(program, torch.empty(0), torch.empty(2, 0))
    assert torch.equal(out, torch.eye(1, 8, dtype=torch.complex64).expand(2, 8))


def test_inputs_need_not_be_contiguous():
    program = entangling_program(3, 1)
    weights = torch.randn(2 * program.n_weights)[::2]
    inputs = torch.randn(program.n_inputs, 20).T
    out = expectation(program, z_rows(3), weights, inputs)
    assert torch.equal(
        out, expectation(program, z_rows(3), weights.contiguous(), inputs.contiguous())
    )


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_not_finite_are_named(bad):
    program = entangling_program(2, 1)
    weights, inputs = torch.zeros(program.n_weights), torch.zeros(3, program.n_inputs)
    weights[7] = bad
    with pytest.raises(ValueError, match=r"weights must be finite.*\[7\]"):
        expectation(program, z_rows(2), weights, inputs)
    weights[7] = 0.0
    inputs[2, 1] = bad
    with pytest.raises(ValueError, match=r"inputs must be finite.*\[2, 1\]"):
        expectation(program, z_rows(2), weights, inputs)


def test_wrong_arguments_are_named():
    program = entangling_program(2, 1)
    weights, inputs = torch.zeros(program.n_weights), torch.zeros(3, program.n_inputs)
    z = z_rows(2)
    with pytest.raises(TypeError, match="weights must be float32 or float64"):
        expectation(program, z, weights.half(), inputs.half())
    with pytest.raises(TypeError, match="weights must be"):
        expectation(program, z, weights.to(torch.complex64), inputs)
    with pytest.raises(TypeError, match="inputs must have the dtype of weights"):
        expectation(program, z, weights, inputs.double())
    with pytest.raises(ValueError, match="weights must have shape"):
        expectation(program, z, weights[1:], inputs)
    with pytest.raises(ValueError, match="inputs must have shape"):
        expectation(program, z, weights, inputs[:, 1:])
    with pytest.raises(ValueError, match="acts on a wire the circuit has not"):
        expectation(program, z_rows(3), weights, inputs)


def changed(program: Program, at: int, value: int) -> Program:
    code = program.code.clone()
    code[at] = value
    return Program(program.n_wires, program.n_weights, program.n_inputs, code, program.data)


def test_a_damaged_program_is_refused_not_run():
    b = ProgramBuilder(2, 1, 1)
    b.add(OpKind.RX, [1], controls=[0], angles=[Angle(0.0, ((Source.WEIGHT, 0, 1.0),))])
    program = b.build()
    arguments = (z_rows(2), torch.zeros(1), torch.zeros(1, 1))
    expectation(program, *arguments)
    # kind targets controls angles offset | target | control | const terms | source index coef
    for at, value, message in [
        (0, 99, "kind"),
        (1, 2, "is named twice|one target|wire"),
        (3, 2, "number of angles"),
        (5, 2, "wire must be in"),
        (6, 1, "named twice"),
        (7, 77, "outside the pool"),
        (9, 5, "source"),
        (10, 3, "weight index"),
        (11, -1, "outside the pool"),
    ]:
        with pytest.raises(ValueError, match=message):
            expectation(changed(program, at, value), *arguments)
    cut = Program(2, 1, 1, program.code[:-1].clone(), program.data)
    with pytest.raises(ValueError, match="ends inside it"):
        expectation(cut, *arguments)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=150, deadline=None)
def test_any_stream_of_words_is_run_or_refused(seed):
    """Fuzzing the parser: a random word changed anywhere never crashes the process."""
    rng = np.random.default_rng(seed)
    program = random_program(rng, 3, 6)
    if len(program.code) == 0:
        return
    at = int(rng.integers(len(program.code)))
    damaged = changed(program, at, int(rng.choice([-1, 0, 1, 2, 3, 7, 10, 2**31, -(2**40)])))
    weights, inputs = random_parameters(rng, 2)
    try:
        out = expectation(damaged, z_rows(3), weights, inputs)
    except ValueError:
        return
    assert out.shape == (2, 3)
