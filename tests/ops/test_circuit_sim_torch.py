# SPDX-License-Identifier: Apache-2.0
"""The circuit kernels as torch operators: opcheck, what autograd may ask, strides."""

from __future__ import annotations

import pytest
import torch

from workbench.ops import circuit_sim

from .circuit_sim_cases import _case


def test_operators_pass_opcheck() -> None:
    case = _case(26, 3, 4, 2)
    p = case.program
    head = (p.code, p.data, p.n_nodes, p.n_sources, case.temperature)
    rows, volts = (t.clone().requires_grad_() for t in (case.rows, case.voltages))
    ops = torch.ops.workbench
    torch.library.opcheck(ops.circuit_operating_point.default, (*head, rows.new_empty(0, 0), rows))
    hertz = torch.tensor([[1e4], [1e8]], dtype=torch.float64)
    signals = (case.drives, case.outputs, case.noise)
    torch.library.opcheck(ops.circuit_small_signal.default, (*head, hertz, *signals, rows, volts))
    # Summits of outputs that are not constant: none is NaN, which opcheck holds unequal to itself.
    outputs = torch.tensor([[2, 0], [3, 0]])
    requests = torch.tensor([[2, 0, 0, -1], [2, 1, 1, -1], [2, 0, 1, 1]])
    torch.library.opcheck(
        ops.circuit_find_frequencies.default,
        (*head, case.drives, outputs, requests, 1e3, 1e11, 25, case.rows, case.voltages),
    )
    torch.library.opcheck(
        ops.circuit_device_state.default, (*head, p.n_devices, case.rows, case.voltages)
    )


def test_second_derivatives_are_refused() -> None:
    case = _case(27, 2, 4, 2)
    x = case.rows.clone().requires_grad_()
    volts, _, _ = circuit_sim.operating_point(case.program, x, temperature=case.temperature)
    (first,) = torch.autograd.grad(volts.sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="second derivatives"):
        first.sum().backward()


@pytest.mark.parametrize("which", ["rows", "voltages"])
def test_either_gradient_may_be_asked_alone(which: str) -> None:
    case = _case(28, 5, 4, 3)
    both = [t.clone().requires_grad_() for t in (case.rows, case.voltages)]
    f = torch.tensor([1e5, 1e9], dtype=torch.float64)
    _, s = circuit_sim.small_signal(case.program, *both, f, **case.signals())
    expected = torch.autograd.grad(s.sum(), both)
    index = 0 if which == "rows" else 1
    alone = [t.detach() for t in both]
    alone[index] = alone[index].clone().requires_grad_()
    _, s = circuit_sim.small_signal(case.program, *alone, f, **case.signals())
    (grad,) = torch.autograd.grad(s.sum(), alone[index])
    assert torch.equal(grad, expected[index])


def test_non_contiguous_arguments_are_read_by_their_strides() -> None:
    case = _case(29, 6, 4, 3)
    expected = circuit_sim.operating_point(case.program, case.rows)[0]
    strided = circuit_sim.operating_point(case.program, case.rows.T.contiguous().T)[0]
    assert torch.equal(strided, expected)
