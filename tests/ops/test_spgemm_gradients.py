# SPDX-License-Identifier: Apache-2.0
"""Gradients of sparse products: against differences, dense torch, and torch's own checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from workbench.ops import _spgemm_torch as op
from workbench.ops import spmm as spmm_module
from workbench.ops.spgemm import SEMIRINGS, SpGEMMPlan, power, spgemm, transpose

pytestmark = pytest.mark.filterwarnings("ignore:Sparse (CSR|CSC|invariant)")

Pattern = tuple[Tensor, Tensor]
DIFFERENTIABLE = ("plus_times", "min_plus", "max_plus")


def random_pattern(rng: np.random.Generator, rows: int, cols: int, density: float = 0.4) -> Pattern:
    full = rng.random((rows, cols)) < density
    full[rng.random(rows) < 0.15] = False
    m = sp.csr_array(full)
    return torch.from_numpy(m.indptr.astype(np.int32)), torch.from_numpy(m.indices.astype(np.int32))


def random_values(
    rng: np.random.Generator, count: int, dtype: torch.dtype = torch.float64
) -> Tensor:
    x = torch.from_numpy(rng.normal(size=count) + 1j * rng.normal(size=count))
    return (x if dtype.is_complex else x.real).to(dtype).contiguous().requires_grad_()


def rows_of(ptr: Tensor) -> Tensor:
    return torch.repeat_interleave(torch.arange(ptr.shape[0] - 1), ptr.diff().long())


def as_matrix(pattern: Pattern, values: Tensor, cols: int) -> Tensor:
    ptr, idx = pattern
    return torch.sparse_csr_tensor(ptr, idx, values, (ptr.shape[0] - 1, cols))


def as_dense(pattern: Pattern, values: Tensor, cols: int, absent: float = 0.0) -> Tensor:
    ptr, idx = pattern
    out = values.new_full((ptr.shape[0] - 1, cols), absent)
    return out.index_put((rows_of(ptr), idx.long()), values)


class Case:
    """Patterns of A (m x k), B (k x n) and a mask, with values."""

    def __init__(
        self,
        seed: int,
        size: tuple[int, int, int] = (5, 6, 7),
        dtype: torch.dtype = torch.float64,
        density: float = 0.4,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.m, self.k, self.n = size
        self.a = random_pattern(rng, self.m, self.k, density)
        self.b = random_pattern(rng, self.k, self.n, density)
        self.mask = random_pattern(rng, self.m, self.n, 0.5)
        self.x = random_values(rng, self.a[1].shape[0], dtype)
        self.y = random_values(rng, self.b[1].shape[0], dtype)
        self.rng = rng

    def product(self, x: Tensor, y: Tensor, **options: Any) -> Tensor:
        a, b = as_matrix(self.a, x, self.k), as_matrix(self.b, y, self.n)
        if options.pop("masked", False):
            options["mask"] = self.mask_matrix()
        return spgemm(a, b, **options)

    def mask_matrix(self) -> Tensor:
        return as_matrix(self.mask, torch.ones(self.mask[1].shape[0]), self.n)

    def values(self, **options: Any) -> Callable[[Tensor, Tensor], Tensor]:
        """As a function of the values alone.

        Through edge lists: torch's own compressed tensors know no complex gradients, and lose
        second ones.
        """
        if options.pop("masked", False):
            options["mask"] = self.mask_matrix()
        at = [
            (torch.stack([rows_of(ptr), idx.long()]), shape)
            for (ptr, idx), shape in ((self.a, (self.m, self.k)), (self.b, (self.k, self.n)))
        ]

        def function(x: Tensor, y: Tensor) -> Tensor:
            values: Tensor = spgemm((at[0][0], x, at[0][1]), (at[1][0], y, at[1][1]), **options)[1]
            return values

        return function


seeds = st.integers(0, 2**32 - 1)
sizes = st.tuples(*(st.integers(1, 9) for _ in range(3)))
MASKS = [{}, {"masked": True}, {"masked": True, "complement": True}]


# plus_times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("options", MASKS, ids=["all", "mask", "complement"])
def test_gradcheck_and_gradgradcheck(dtype: torch.dtype, options: dict[str, Any]) -> None:
    case = Case(0, (3, 4, 3), dtype)
    assert min(case.x.numel(), case.y.numel()) > 2
    assert case.values(**options)(case.x, case.y).numel() > 1
    assert gradcheck(case.values(**options), (case.x, case.y))
    assert gradgradcheck(case.values(**options), (case.x, case.y))


@given(seeds, sizes, st.sampled_from([0.1, 0.4, 0.9]))
@settings(max_examples=20, deadline=None)
def test_gradients_equal_those_of_dense_torch(
    seed: int, size: tuple[int, int, int], density: float
) -> None:
    """The loss looks at the product's own places, so dense torch differentiates the same thing."""
    for dtype in (torch.float64, torch.complex128):
        case = Case(seed, size, dtype, density)
        with torch.no_grad():
            c = case.product(case.x, case.y)
        values = case.values()(case.x, case.y)
        weight = random_values(case.rng, values.shape[0], dtype).detach()
        ours = torch.autograd.grad(values, (case.x, case.y), weight)
        full = as_dense(case.a, case.x, case.k) @ as_dense(case.b, case.y, case.n)
        upstream = as_dense((c.crow_indices(), c.col_indices()), weight, case.n)
        theirs = torch.autograd.grad(full, (case.x, case.y), upstream)
        for mine, other in zip(ours, theirs, strict=True):
            assert mine.shape == other.shape
            torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_of_larger_products(dtype: torch.dtype) -> None:
    """Enough work for several parts and threads; the parts are added in order."""
    case = Case(1, (300, 250, 270), dtype, 0.15)
    grads, before = [], torch.get_num_threads()
    for threads in (1, 2, 3, 8):
        torch.set_num_threads(threads)  # the backward pass asks for nothing else
        try:
            c = case.product(case.x, case.y)
            grads.append(torch.autograd.grad(c.values().sum(), (case.x, case.y)))
        finally:
            torch.set_num_threads(before)
    for others in grads[1:]:
        for mine, one in zip(others, grads[0], strict=True):
            assert torch.equal(mine, one)
    full = as_dense(case.a, case.x, case.k) @ as_dense(case.b, case.y, case.n)
    theirs = torch.autograd.grad(full.sum(), (case.x, case.y))
    tolerance = 2e-3 if dtype == torch.float32 else 1e-11
    for mine, other in zip(grads[0], theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("which", ["A", "B"])
@pytest.mark.parametrize("options", MASKS, ids=["all", "mask", "complement"])
@pytest.mark.parametrize("semiring", DIFFERENTIABLE)
def test_either_gradient_may_be_asked_alone(
    which: str, options: dict[str, Any], semiring: str
) -> None:
    case = Case(2)
    function = case.values(semiring=semiring, **options)
    both = torch.autograd.grad(function(case.x, case.y).sum(), (case.x, case.y))
    if which == "A":
        (alone,) = torch.autograd.grad(function(case.x, case.y.detach()).sum(), case.x)
        assert torch.equal(alone, both[0])
    else:
        (alone,) = torch.autograd.grad(function(case.x.detach(), case.y).sum(), case.y)
        assert torch.equal(alone, both[1])


def test_a_matrix_times_itself_gathers_both_gradients() -> None:
    case = Case(3, (6, 6, 6))

    at = torch.stack([rows_of(case.a[0]), case.a[1].long()])

    def square(x: Tensor) -> Tensor:
        a = (at, x, 6)
        values: Tensor = spgemm(a, a)[1]
        return values

    assert gradcheck(square, (case.x,))
    assert gradgradcheck(square, (case.x,))
    dense = as_dense(case.a, case.x, 6)
    (theirs,) = torch.autograd.grad((dense @ dense).sum(), case.x)
    (ours,) = torch.autograd.grad(square(case.x).sum(), case.x)
    torch.testing.assert_close(ours, theirs)


def test_gradients_pass_through_chains_transposes_and_powers() -> None:
    case = Case(4, (5, 5, 5))

    def chain(x: Tensor, y: Tensor) -> Tensor:
        a, b = as_matrix(case.a, x, 5), as_matrix(case.b, y, 5)
        return power(spgemm(spgemm(a, transpose(b)), a), 3).values()

    assert gradcheck(chain, (case.x, case.y))


def test_explicit_zeros_and_cancellations_have_gradients() -> None:
    a = torch.tensor([1.0, -1.0], dtype=torch.float64, requires_grad=True)
    b = torch.tensor([1.0, 1.0], dtype=torch.float64, requires_grad=True)
    ptr, two = torch.tensor([0, 2]), torch.tensor([0, 1])
    left = torch.sparse_csr_tensor(ptr, two, a, (1, 2))
    right = torch.sparse_csr_tensor(torch.tensor([0, 1, 2]), torch.tensor([0, 0]), b, (2, 1))
    c = spgemm(left, right)
    assert c.values().tolist() == [0.0]
    c.values().sum().backward()
    assert a.grad is not None
    assert b.grad is not None
    assert a.grad.tolist() == [1.0, 1.0]
    assert b.grad.tolist() == [1.0, -1.0]


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "edges"])
@pytest.mark.parametrize("other", ["csr", "csc", "coo", "edges"])
@pytest.mark.parametrize("semiring", DIFFERENTIABLE)
def test_every_container_is_differentiable(layout: str, other: str, semiring: str) -> None:
    case = Case(5, (6, 6, 6))

    def build(layout: str, pattern: Pattern, values: Tensor) -> Any:
        rows = rows_of(pattern[0])
        at = torch.stack([rows, pattern[1].long()])
        if layout == "coo":
            return torch.sparse_coo_tensor(at, values, (6, 6))
        if layout == "edges":
            return at, values, 6
        if layout == "csr":
            return as_matrix(pattern, values, 6)
        by_column = torch.argsort(at[1], stable=True)
        pointers = torch.zeros(7, dtype=torch.int64)
        pointers[1:] = torch.bincount(at[1], minlength=6).cumsum(0)
        return torch.sparse_csc_tensor(pointers, rows[by_column], values[by_column], (6, 6))

    def total(c: Any) -> Tensor:
        if isinstance(c, tuple):
            return (c[1] ** 2).sum()
        values = c.coalesce().values() if c.layout == torch.sparse_coo else c.values()
        return (values**2).sum()

    ours = spgemm(build(layout, case.a, case.x), build(other, case.b, case.y), semiring)
    plain = spgemm(build("csr", case.a, case.x), build("csr", case.b, case.y), semiring)
    mine = torch.autograd.grad(total(ours), (case.x, case.y))
    expected = torch.autograd.grad(total(plain), (case.x, case.y))
    for one, another in zip(mine, expected, strict=True):
        torch.testing.assert_close(one, another)


def test_uncoalesced_coordinates_share_the_gradient_of_their_place() -> None:
    data = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64, requires_grad=True)
    at = torch.tensor([[0, 0, 1], [1, 1, 0]])
    a = torch.sparse_coo_tensor(at, data, (2, 2))
    spgemm(a, a).coalesce().values().sum().backward()
    assert data.grad is not None
    assert data.grad.tolist() == [8.0, 8.0, 6.0]


def test_unsorted_and_repeated_columns_have_their_own_gradients() -> None:
    at = torch.tensor([[0, 0, 0, 1], [2, 0, 2, 1]])
    y = torch.tensor([2.0, 3.0, 5.0], dtype=torch.float64)
    eye = torch.arange(3).repeat(2, 1)
    for semiring, expected in (
        ("plus_times", [5.0, 2.0, 5.0, 3.0]),
        ("min_plus", [1.0, 1.0, 0.0, 1.0]),
        ("max_plus", [0.0, 1.0, 1.0, 1.0]),
    ):
        x = torch.tensor([1.0, 2.0, 4.0, 3.0], dtype=torch.float64, requires_grad=True)
        _, values, _ = spgemm((at, x, 3), (eye, y, 3), semiring)
        (found,) = torch.autograd.grad(values.sum(), x)
        assert found.tolist() == expected


@pytest.mark.parametrize("layout", ["to_sparse_csr", "to_sparse_coo"])
def test_gradients_of_sparse_leaves_stay_on_their_pattern(layout: str) -> None:
    dense = torch.tensor([[0.0, 2.0], [3.0, 4.0]])
    leaf = getattr(dense, layout)().requires_grad_()
    c = spgemm(leaf, leaf)
    (c.coalesce() if layout == "to_sparse_coo" else c).values().sum().backward()
    assert leaf.grad is not None
    assert leaf.grad.layout == leaf.layout
    assert leaf.grad._nnz() == 3


def test_accumulating_in_more_bits_is_differentiable() -> None:
    case = Case(6, dtype=torch.float32)
    ours = torch.autograd.grad(
        case.product(case.x, case.y, accumulate=torch.float64).values().sum(), (case.x, case.y)
    )
    plain = torch.autograd.grad(case.product(case.x, case.y).values().sum(), (case.x, case.y))
    for mine, other in zip(ours, plain, strict=True):
        assert mine.dtype == torch.float32
        torch.testing.assert_close(mine, other)


# Orders -------------------------------------------------------------------------------------------


@given(seeds, sizes, st.sampled_from(["min_plus", "max_plus"]), st.sampled_from(range(3)))
@settings(max_examples=60, deadline=None)
def test_orders_send_the_gradient_to_the_pair_that_won(
    seed: int, size: tuple[int, int, int], semiring: str, which: int
) -> None:
    """Values are small integers, so that ties are common: they go to the smallest inner index."""
    case = Case(seed, size)
    options = MASKS[which]
    x = torch.from_numpy(case.rng.integers(0, 3, case.x.shape[0]).astype(float)).requires_grad_()
    y = torch.from_numpy(case.rng.integers(0, 3, case.y.shape[0]).astype(float)).requires_grad_()
    c = case.product(x, y, semiring=semiring, **options)
    values = c.values()
    weight = random_values(case.rng, values.shape[0]).detach()
    ours = torch.autograd.grad(values, (x, y), weight)

    absent = np.inf if semiring == "min_plus" else -np.inf
    a, b = as_dense(case.a, x, case.k, absent), as_dense(case.b, y, case.n, absent)
    place_a = as_dense(case.a, torch.arange(x.shape[0]), case.k)
    place_b = as_dense(case.b, torch.arange(y.shape[0]), case.n)
    expected = torch.zeros_like(x), torch.zeros_like(y)
    rows = rows_of(c.crow_indices())
    for e, (i, j) in enumerate(zip(rows.tolist(), c.col_indices().tolist(), strict=True)):
        sums = (a[i] + b[:, j]).detach().numpy()
        k = int(np.argmin(sums) if semiring == "min_plus" else np.argmax(sums))
        assert values[e].item() == sums[k]
        expected[0][place_a[i, k]] += weight[e]
        expected[1][place_b[k, j]] += weight[e]
    for mine, theirs in zip(ours, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("semiring", ["min_plus", "max_plus"])
@pytest.mark.parametrize("options", MASKS, ids=["all", "mask", "complement"])
def test_orders_pass_gradcheck(semiring: str, options: dict[str, Any]) -> None:
    case = Case(7)  # random reals: no ties
    assert gradcheck(case.values(semiring=semiring, **options), (case.x, case.y))


def test_orders_follow_infinities_and_nan() -> None:
    """A pair that meets always has a winner, even when all it offers is the identity."""
    for first, winner in ((np.inf, 0), (np.nan, 0), (-np.inf, 0), (1.0, 0)):
        x = torch.tensor([first, np.inf], dtype=torch.float64, requires_grad=True)
        ptr = torch.tensor([0, 2])
        a = torch.sparse_csr_tensor(ptr, torch.tensor([0, 1]), x, (1, 2))
        ones = torch.ones(2, dtype=torch.float64)
        b = torch.sparse_csr_tensor(torch.tensor([0, 1, 2]), torch.tensor([0, 0]), ones, (2, 1))
        (found,) = torch.autograd.grad(spgemm(a, b, "min_plus").values().sum(), x)
        assert found.tolist() == [float(winner == k) for k in range(2)]


@pytest.mark.parametrize("semiring", sorted({*SEMIRINGS} - {*DIFFERENTIABLE, "or_and"}))
@pytest.mark.parametrize("options", MASKS, ids=["all", "mask", "complement"])
def test_other_semirings_have_no_gradient_and_say_so(
    semiring: str, options: dict[str, Any]
) -> None:
    case = Case(8)
    values = case.product(case.x, case.y, semiring=semiring, **options).values()
    with pytest.raises(NotImplementedError, match=semiring):
        values.sum().backward()
    with torch.no_grad():
        plain = case.product(case.x, case.y, semiring=semiring, **options)
    assert not plain.values().requires_grad
    assert torch.equal(plain.values(), values)


def test_dropping_zeros_is_not_differentiable() -> None:
    case = Case(9)
    assert not case.product(case.x, case.y, drop_zeros=True).values().requires_grad


# Plans --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["csr", "csc"])
def test_plans_are_differentiable_twice(layout: str) -> None:
    case = Case(10, (4, 5, 4))
    a, b = as_matrix(case.a, case.x.detach(), 5), as_matrix(case.b, case.y.detach(), 4)
    if layout == "csc":
        a, b = a.to_sparse_csc(), b.to_sparse_csc()
    plan = SpGEMMPlan(a, b)
    assert gradcheck(plan.numeric, (case.x, case.y))
    assert gradgradcheck(plan.numeric, (case.x, case.y))
    assert gradcheck(lambda x, y: plan.matrix(x, y).values(), (case.x, case.y))


def test_gradients_of_plans_equal_those_of_products() -> None:
    case = Case(11, (30, 40, 35))
    plan = SpGEMMPlan(as_matrix(case.a, case.x, 40), as_matrix(case.b, case.y, 35))
    ours = plan.numeric(case.x, case.y)
    theirs = case.product(case.x, case.y).values()
    torch.testing.assert_close(ours, theirs, rtol=1e-13, atol=1e-13)
    weight = random_values(case.rng, plan.nnz).detach()
    for mine, other in zip(
        torch.autograd.grad(ours, (case.x, case.y), weight),
        torch.autograd.grad(theirs, (case.x, case.y), weight),
        strict=True,
    ):
        torch.testing.assert_close(mine, other, rtol=1e-13, atol=1e-13)
    (alone,) = torch.autograd.grad(plan.numeric(case.x.detach(), case.y).sum(), case.y)
    assert alone.shape == case.y.shape


# The operators themselves -------------------------------------------------------------------------


def operands(case: Case) -> tuple[Tensor, ...]:
    return (*case.a, case.x, *case.b, case.y)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("semiring", ["plus_times", "plus_pair"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex128])
def test_multiply_passes_opcheck(wide: bool, semiring: str, dtype: torch.dtype) -> None:
    case = Case(12, dtype=dtype)
    rest = case.n, SEMIRINGS.index(semiring), wide
    torch.library.opcheck(op.multiply, (*(t.detach() for t in operands(case)), *rest))
    if semiring == "plus_times":
        # The fourth check adds all outputs up, in place, into the first, here of integers.
        checks = "test_schema", "test_autograd_registration", "test_faketensor"
        torch.library.opcheck(op.multiply, (*operands(case), *rest), test_utils=checks)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex128])
def test_values_and_gradients_pass_opcheck(dtype: torch.dtype) -> None:
    case = Case(13, dtype=dtype)
    g = random_values(case.rng, case.mask[1].shape[0], dtype)
    torch.library.opcheck(op.values_on, (*operands(case), *case.mask, case.n, 0))
    wide = case.mask[0].long(), case.mask[1]
    torch.library.opcheck(op.values_on, (*operands(case), *wide, case.n, 0))
    torch.library.opcheck(op.gradients, (*operands(case), *case.mask, g, case.n))


@pytest.mark.parametrize("semiring", ["min_plus", "max_plus"])
def test_winners_pass_opcheck(semiring: str) -> None:
    case = Case(14)
    torch.library.opcheck(
        op.winners_on, (*operands(case), *case.mask, case.n, SEMIRINGS.index(semiring))
    )


def test_dense_operators_pass_opcheck() -> None:
    case = Case(15)
    x = random_values(case.rng, case.k * 3).detach().reshape(case.k, 3).requires_grad_()
    y = random_values(case.rng, case.m * 3).detach().reshape(case.m, 3).requires_grad_()
    torch.library.opcheck(spmm_module._spmm, (*case.a, case.x, x))
    torch.library.opcheck(spmm_module._sddmm, (*case.a, y, x))
    torch.library.opcheck(spmm_module._transpose, (*case.a, case.k))


@pytest.mark.parametrize("semiring", ["plus_times", "min_plus"])
def test_functions_of_values_compile_whole(semiring: str) -> None:
    case = Case(16)
    code = SEMIRINGS.index(semiring)
    dense = random_values(case.rng, case.n * 2).detach().reshape(case.n, 2)

    def loss(x: Tensor, y: Tensor) -> Tensor:
        parts = (*case.a, x, *case.b, y, *case.mask, case.n, code)
        c = op.winners_on(*parts)[0] if semiring == "min_plus" else op.values_on(*parts)
        c = torch.where(torch.isfinite(c), c, 0)
        return (spmm_module._spmm(*case.mask, torch.tanh(c), dense) ** 2).sum()

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(case.x, case.y), loss(case.x, case.y))
    for mine, other in zip(
        torch.autograd.grad(compiled(case.x, case.y), (case.x, case.y)),
        torch.autograd.grad(loss(case.x, case.y), (case.x, case.y)),
        strict=True,
    ):
        torch.testing.assert_close(mine, other)


def test_whole_products_compile_with_sizes_known_later() -> None:
    case = Case(17)

    def total(x: Tensor, y: Tensor) -> Tensor:
        _, _, values = op.multiply(*case.a, x, *case.b, y, case.n, 0, False)
        return (values**2).sum()

    # Older versions of torch trace sizes that depend on numbers where they are asked to only.
    with torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True):
        compiled = torch.compile(total, fullgraph=True, backend="aot_eager")
        found = compiled(case.x.detach(), case.y.detach())
    torch.testing.assert_close(found, total(case.x, case.y).detach())


@pytest.mark.parametrize("wide", [False, True])
def test_operators_give_indices_as_wide_as_asked(wide: bool) -> None:
    case = Case(18)
    for semiring in range(len(SEMIRINGS)):
        parts = [t.detach() for t in operands(case)]
        if SEMIRINGS[semiring] == "or_and":
            parts[2], parts[5] = parts[2] > 0, parts[5] > 0
        ptr, idx, values = op.multiply(*parts, case.n, semiring, wide)
        assert ptr.dtype == idx.dtype == (torch.int64 if wide else torch.int32)
        assert values.shape == idx.shape


def test_places_without_a_pair_hold_the_identity_and_pass_no_gradient() -> None:
    x = torch.ones(1, dtype=torch.float64, requires_grad=True)
    y = torch.ones(1, dtype=torch.float64, requires_grad=True)
    one = torch.tensor([0, 1], dtype=torch.int32), torch.zeros(1, dtype=torch.int32)
    c = torch.tensor([0, 2], dtype=torch.int32), torch.tensor([0, 1], dtype=torch.int32)
    for semiring, identity in (("plus_times", 0.0), ("min_plus", np.inf), ("max_plus", -np.inf)):
        parts = (*one, x, *one, y, *c, 2, SEMIRINGS.index(semiring))
        values = op.winners_on(*parts)[0] if semiring != "plus_times" else op.values_on(*parts)
        assert values[1].item() == identity
        (found,) = torch.autograd.grad(values, x, torch.ones(2, dtype=torch.float64))
        assert found.item() == 1.0
