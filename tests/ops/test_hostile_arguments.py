# SPDX-License-Identifier: Apache-2.0
"""What once ended the process, or could: each is refused by an exception now."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from graphs import DiGraph, ball, random_digraph, sssp, strong_components
from workbench.matrices import banded, delaunay, power_law
from workbench.ops import statevector as _registered  # noqa: F401  (defines the operators)
from workbench.ops.shortest_paths import IncrementalSearch
from workbench.ops.spanner import SpannerProblem
from workbench.ops.spgemm import SpGEMMPlan, spgemm
from workbench.ops.spmm import spmm

sparse = pytest.importorskip("scipy.sparse")
OPS = torch.ops.workbench


def _ints(*values: int) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.int32)


ONE = torch.ones(2, dtype=torch.float64)
GOOD = _ints(0, 1, 2), _ints(0, 1)
BAD = [
    (_ints(0, 1, 2), _ints(0, 2_000_000_000), "column indices must be in"),
    (_ints(0, 1, 2), _ints(-1, 1), "column indices must be in"),
    (_ints(0, 2, 2), _ints(1, 0), "must ascend within each row"),
    (_ints(0, 2, 2), _ints(1, 1), "must ascend within each row"),
    (_ints(0, 5, 2), _ints(0, 1), "must not decrease"),
    (_ints(-7, 1, 2), _ints(0, 1), "must start at 0"),
    (_ints(0, 1, 9), _ints(0, 1), "must end at the number of indices"),
]


@pytest.mark.parametrize(("ptr", "idx", "said"), BAD)
def test_operators_check_the_patterns_they_are_given(
    ptr: torch.Tensor, idx: torch.Tensor, said: str
) -> None:
    x = torch.ones(2, 3, dtype=torch.float64)
    calls = [
        lambda: OPS.spgemm(ptr, idx, ONE, *GOOD, ONE, 2, 0, False),
        lambda: OPS.spgemm(*GOOD, ONE, ptr, idx, ONE, 2, 0, False),
        lambda: OPS.spgemm(ptr, idx, ONE, *GOOD, ONE, 2, 1, False),
        lambda: OPS.spgemm_values(*GOOD, ONE, *GOOD, ONE, ptr, idx, 2, 0),
        lambda: OPS.spgemm_values(*GOOD, ONE, *GOOD, ONE, ptr.long(), idx, 2, 0),
        lambda: OPS.spgemm_winners(*GOOD, ONE, *GOOD, ONE, ptr, idx, 2, 1),
        lambda: OPS.spgemm_gradients(*GOOD, ONE, *GOOD, ONE, ptr, idx, ONE, 2),
        lambda: OPS.spmm(ptr, idx, ONE, x),
        lambda: OPS.sddmm(ptr, idx, x, x),
    ]
    if "ascend" not in said:
        calls.append(lambda: OPS.csr_transpose(ptr, idx, 2))
    for call in calls:
        with pytest.raises(ValueError, match=said):
            call()


def test_operators_check_types() -> None:
    with pytest.raises(TypeError, match="must be a contiguous int32"):
        OPS.spgemm(GOOD[0].long(), GOOD[1], ONE, *GOOD, ONE, 2, 0, False)
    with pytest.raises(TypeError, match="must be of one type"):
        OPS.spgemm(*GOOD, ONE, *GOOD, ONE.float(), 2, 0, False)
    with pytest.raises(TypeError, match="values must be one of"):
        OPS.spgemm_values(*GOOD, ONE.half(), *GOOD, ONE.half(), *GOOD, 2, 0)
    with pytest.raises(ValueError, match="semiring is not defined"):
        OPS.spgemm(*GOOD, ONE, *GOOD, ONE, 2, 99, False)
    with pytest.raises(ValueError, match="must be min_plus or max_plus"):
        OPS.spgemm_winners(*GOOD, ONE, *GOOD, ONE, *GOOD, 2, 0)
    with pytest.raises(ValueError, match="columns must be in"):
        OPS.spgemm(*GOOD, ONE, *GOOD, ONE, 2**40, 0, False)


def test_csr_arrays_are_checked_and_have_higher_derivatives() -> None:
    ptr, idx = torch.tensor([0, 2, 3]), torch.tensor([0, 1, 1])
    with pytest.raises(ValueError, match="A: column indices must be in"):
        spgemm(
            (ptr, torch.tensor([0, 2_000_000_000, 1]), torch.ones(3), (2, 2)),
            (ptr, idx, torch.ones(3), (2, 2)),
        )
    with pytest.raises(ValueError, match="shape must not be negative"):
        spgemm((ptr, idx, torch.ones(3), (2, -2)), (ptr, idx, torch.ones(3), (2, 2)))
    with pytest.raises(TypeError, match="shape must be two integers"):
        spgemm((ptr, idx, torch.ones(3), 2), (ptr, idx, torch.ones(3), (2, 2)))
    values = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)

    def squared(v: torch.Tensor) -> torch.Tensor:
        a = ptr, idx, v, (2, 2)
        return (spgemm(a, a)[2] ** 2).sum()

    def dense(v: torch.Tensor) -> torch.Tensor:
        a = torch.stack([torch.stack([v[0], v[1]]), torch.stack([torch.zeros(()).double(), v[2]])])
        return ((a @ a) ** 2).sum()

    found = torch.autograd.functional.hessian(squared, values)
    torch.testing.assert_close(found, torch.autograd.functional.hessian(dense, values))
    crow, col, out, shape = spgemm(
        (ptr.numpy(), idx.numpy(), np.ones(3), (2, 2)), (ptr, idx, values, (2, 2))
    )
    assert shape == (2, 2)
    assert isinstance(out, np.ndarray)
    np.testing.assert_array_equal(
        sparse.csr_array((out, col, crow), shape).toarray(), [[1, 5], [0, 3]]
    )


def test_a_plan_does_not_see_what_is_written_to_operands_and_products() -> None:
    a = sparse.csr_array(np.array([[1.0, 2.0], [0.0, 3.0]]))
    values = a.data.copy()
    plan = SpGEMMPlan(a, a)
    first = plan.matrix(values, values)
    first.indices[:] = 2_000_000_000
    a.indices[:] = 2_000_000_000
    np.testing.assert_array_equal(plan.matrix(values, values).toarray(), [[1, 8], [0, 9]])
    with pytest.raises(ValueError, match="read-only"):
        plan.indices[0] = 7


def test_a_pattern_written_to_before_the_backward_pass_is_refused() -> None:
    idx = torch.tensor([0, 1, 1], dtype=torch.int32)
    ptr = torch.tensor([0, 2, 3], dtype=torch.int32)
    values = torch.ones(3, dtype=torch.float64, requires_grad=True)
    out = spmm((ptr, idx, values, (2, 2)), torch.ones(2, 1, dtype=torch.float64))
    idx.numpy()[1] = 2_000_000_000
    with pytest.raises(ValueError, match="column indices must be in"):
        out.sum().backward()


def test_state_vector_operators_check_the_number_of_wires() -> None:
    code, data = torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.float64)
    w, x = torch.zeros(0, dtype=torch.float64), torch.zeros(1, 0, dtype=torch.float64)
    for wires in (-1, 0, 31, 2**31, 2**62):
        with pytest.raises(ValueError, match="n_wires must be in"):
            OPS.statevector_amplitudes(code, data, wires, w, x, False)


def _problem(count: int = 1) -> SpannerProblem:
    tails, heads = np.array([0, 1, 2]), np.array([1, 2, 0])
    return SpannerProblem(
        3, tails, heads, np.ones(3), np.zeros(3, np.int32), count, np.array([0, 1])
    )


def test_spanner_problems_check_their_numbers() -> None:
    p, mask = _problem(), np.zeros(3, np.uint8)
    for call, said in (
        (lambda: p.cover(mask, 3.0, 0, 1, share=0, shares=0), "shares must be at least 1"),
        (lambda: p.cover(mask, 3.0, 0, 1, share=2, shares=2), r"share must be in \[0, shares\)"),
        (lambda: p.cover(mask, float("nan"), 0, 1), "stretch must be finite"),
        (lambda: p.cover(mask, 3.0, 0, 0), "threads must be at least 1"),
        (lambda: p.sampled_balls(mask, 2**31 - 1, 0.5, 0, 1), "k must be in"),
        (lambda: p.sampled_balls(mask, 2, 1e-320, 0, 1), "epsilon must be in"),
        (lambda: p.sampled_balls(mask, 2, 0.5, 0, 1, shares=0), "shares must be at least 1"),
        (lambda: _problem(2**62), "count must be in"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


def test_graphs_of_absurd_size_and_no_graphs_are_refused() -> None:
    ends = np.array([0])
    with pytest.raises(ValueError, match="n must be in"):
        IncrementalSearch(2**40, ends, ends, np.ones(1), 0)
    with pytest.raises(TypeError, match="weights must be int32"):
        IncrementalSearch(1, ends, ends, np.ones(1, np.int8), 0)
    with pytest.raises(ValueError, match=r"n (must be in|is too large)"):
        DiGraph.from_edges([], [], n=2**45)
    for call in (lambda: sssp(None, 0), lambda: ball(3, 0, 1.0), lambda: strong_components(1.5)):
        with pytest.raises(TypeError, match="g must be a DiGraph, got"):
            call()


def test_generators_refuse_what_the_machine_cannot_hold() -> None:
    for make in (lambda: power_law(2**40, 8), lambda: delaunay(2**40), lambda: banded(2**40, 3)):
        with pytest.raises(ValueError, match="bytes or more, this machine has"):
            make()
    with pytest.raises(ValueError, match=r"n must be at most 2\*\*31 - 2"):
        random_digraph(2**40, 0)
