# SPDX-License-Identifier: Apache-2.0
"""The CUDA kernel against the CPU one where a device is, and the answers where none is."""

from __future__ import annotations

import pytest
import torch

from workbench.ops import build_info
from workbench.ops._native import kernels
from workbench.ops.program import Angle, Observables, OpKind, ProgramBuilder, Source
from workbench.ops.statevector import expectation

HAS_DEVICE = bool(build_info()["cuda_devices"]) and torch.cuda.is_available()


def program_and_observables(n: int):
    b = ProgramBuilder(n, 2, 1)
    first, second = (Angle(0.1, ((Source.WEIGHT, k, 1.0),)) for k in (0, 1))
    sample = Angle(0.0, ((Source.INPUT, 0, 1.0),))
    for w in range(n):
        b.add(OpKind.RY, [w], angles=[sample])
    for w in range(n - 1):
        b.add(OpKind.U, [w + 1], controls=[w], angles=[first, second, sample])
        b.add(OpKind.PAULI_ROTATION, [w, w + 1], paulis=[1, 2], angles=[second])
        b.add(OpKind.PAULI_ROTATION, [w, w + 1], paulis=[3, 3], angles=[first])
    if n > 2:
        b.add(OpKind.SWAP, [0, 2])
        swap = torch.eye(4)[[0, 2, 1, 3]].numpy()
        b.add(OpKind.UNITARY, [2, 1], matrix=swap)
    terms = torch.tensor([(0, 0, 1), (1, 1, 2**n - 1), (1, 2 ** (n - 1), 0)])
    return b.build(), Observables(2, terms, torch.tensor([1.0, 0.5, -2.0], dtype=torch.float64))


@pytest.mark.gpu
@pytest.mark.skipif(not HAS_DEVICE, reason="no CUDA device here")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [1, 2, 5, 8, 11])
def test_the_device_agrees_with_the_cpu(n, dtype):
    program, observables = program_and_observables(n)
    weights, inputs = torch.randn(2, dtype=dtype), torch.randn(17, 1, dtype=dtype)
    ours = expectation(program, observables, weights.cuda(), inputs.cuda())
    tolerance = 1e-5 if dtype is torch.float32 else 1e-12
    expected = expectation(program, observables, weights, inputs)
    torch.testing.assert_close(ours.cpu(), expected, rtol=0, atol=tolerance)


def test_the_build_says_whether_cuda_is_there():
    info = build_info()
    assert isinstance(info["cuda_built"], bool)
    assert info["cuda_devices"] == 0 or info["cuda_built"]


def call(n: int):
    program, observables = program_and_observables(n)
    return kernels.statevector_expectation_cuda_f32(
        program.code.numpy(),
        program.data.numpy(),
        n,
        observables.terms.numpy(),
        observables.coefficients.numpy(),
        2,
        torch.zeros(2).numpy(),
        torch.zeros(3, 1).numpy(),
    )


@pytest.mark.skipif(HAS_DEVICE, reason="a CUDA device is here")
def test_without_a_device_the_call_says_so():
    with pytest.raises(RuntimeError, match=r"no CUDA device|built without CUDA"):
        call(3)


def test_too_many_wires_for_a_thread_block_are_refused():
    with pytest.raises(ValueError, match="1 to 12 wires, got 13"):
        call(13)
