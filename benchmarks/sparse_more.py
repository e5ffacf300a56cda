# SPDX-License-Identifier: Apache-2.0
"""What stands around the product: plans, gradients, masks, dense factors, sampled products."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import sparse_peers
from harness import Bound, Case, Contender, Outputs, Prepared
from sparse_peers import GRAPHBLAS, OURS, SCIPY, TORCH
from sparse_work import TOLERANCE, Product, why_absent

__all__ = ["backward_case", "plan_case", "sddmm_case", "spmm_case", "triangle_case"]

#: Of dense results, relative to their largest entry: sums of up to a few thousand terms.
_DENSE_TOLERANCE = 1e-5


def plan_case(name: str, small: bool) -> Case:
    """``SpGEMMPlan``: new values on a known pattern, against the whole call."""
    work = Product(name, small)

    def build(whole: bool) -> Prepared:
        from workbench.ops.spgemm import SpGEMMPlan

        a = work.matrix
        if whole:
            return sparse_peers.our_product(work)
        plan = SpGEMMPlan(a, a)

        def outputs(_: int) -> Outputs:
            values = np.asarray(plan.numeric(a.data, a.data))
            c = a.__class__((values, plan.indices, plan.indptr), shape=a.shape)
            return work.outputs(c, claims_sorted=True)

        return Prepared(lambda: plan.numeric(a.data, a.data), outputs, 1, TOLERANCE)

    return Case(
        key=f"plan {name}",
        title="C = A A once more with other values: the planned numeric part, and the whole call",
        samples=1,
        contenders=[
            Contender(OURS, "numeric", "float32", functools.partial(build, False)),
            Contender(OURS, "full call", "float32", functools.partial(build, True)),
        ],
        bounds=work.bounds,
        compare=work.deviation,
        rates=True,
        absent=why_absent(name),
    )


def _draw(n: int) -> Any:
    """Return a cotangent for the values of C."""
    return np.random.default_rng(7).normal(size=n).astype(np.float32)


def _our_gradients(work: Product, part: str) -> Prepared:
    import torch

    from workbench.ops._spgemm_torch import SEMIRINGS, multiply

    # The operator on plain vectors: torch's own way back from a CSR tensor to the vector of its
    # values takes far more memory and time than the product.
    a = work.matrix
    pattern = torch.from_numpy(a.indptr), torch.from_numpy(a.indices)
    leaves = [torch.from_numpy(a.data.copy()).requires_grad_() for _ in range(2)]
    plus_times = SEMIRINGS.index("plus_times")

    def forward() -> Any:
        left, right = leaves
        return multiply(*pattern, left, *pattern, right, a.shape[1], plus_times, False)[2]

    values = forward()
    cotangent = torch.from_numpy(_draw(values.numel()))

    def backward() -> Any:
        return torch.autograd.grad(values, leaves, cotangent, retain_graph=True)

    def outputs(_: int) -> Outputs:
        left, right = backward()
        return {
            "values": values.detach().numpy(),
            "gradient of A": left.numpy(),
            "gradient of B": right.numpy(),
        }

    return Prepared(backward if part == "backward" else forward, outputs, 1, _DENSE_TOLERANCE)


def _coo_gradients(work: Product, part: str) -> Prepared:
    """torch's only sparse product whose gradients keep to the pattern: that of COO tensors."""
    import torch

    rows = work.matrix.tocoo()
    index = torch.from_numpy(np.stack([rows.row, rows.col]).astype(np.int64))
    leaves = [
        torch.sparse_coo_tensor(
            index,
            torch.from_numpy(rows.data),
            rows.shape,
            is_coalesced=True,
            check_invariants=False,
        )
        .detach()
        .requires_grad_()
        for _ in range(2)
    ]

    def forward() -> Any:
        return torch.sparse.mm(*leaves)

    c = forward()
    where = c.detach().coalesce()
    cotangent = torch.sparse_coo_tensor(
        where.indices(), torch.from_numpy(_draw(where._nnz())), c.shape, is_coalesced=True
    )

    def backward() -> Any:
        return torch.autograd.grad(c, leaves, cotangent, retain_graph=True)

    def outputs(_: int) -> Outputs:
        left, right = backward()
        return {
            "values": where.values().numpy(),
            "gradient of A": left.coalesce().values().numpy(),
            "gradient of B": right.coalesce().values().numpy(),
        }

    return Prepared(backward if part == "backward" else forward, outputs, 1, _DENSE_TOLERANCE)


def backward_case(name: str, small: bool, *, coo: bool = True) -> Case:
    """Gradients of ``C = A B`` to the values of both, against the forward product.

    `coo` says whether torch's COO product takes part.
    """
    work = Product(name, small)
    contenders = [
        Contender(OURS, part, "float32", functools.partial(_our_gradients, work, part))
        for part in ("backward", "forward")
    ]
    # torch multiplies the cotangent by the other factor in full before it looks at the pattern:
    # ten GB and ten seconds on an R-MAT graph
    if coo:
        contenders += [
            Contender(
                TORCH, f"COO {part}", "float32", functools.partial(_coo_gradients, work, part)
            )
            for part in ("backward", "forward")
        ]
    return Case(
        key=f"backward {name}",
        title="gradients of C = A B (B = A) to the stored values of A and of B, and C alone",
        samples=1,
        contenders=contenders,
        absent=why_absent(name),
    )


# Four contenders ask for the same one.
@functools.lru_cache(maxsize=1)
def _lower(name: str, small: bool) -> Any:
    """Return the strictly lower triangle of a graph taken as undirected, every value 1."""
    import scipy.sparse

    a = Product(name, small).matrix
    lower = scipy.sparse.tril(a + a.T, k=-1, format="csr").astype(np.float32)
    lower.data[:] = 1
    lower.sort_indices()
    parts = (lower.data, lower.indices.astype(np.int32), lower.indptr.astype(np.int32))
    return scipy.sparse.csr_array(parts, shape=lower.shape)


def triangle_case(name: str, small: bool) -> Case:
    """Triangles of a graph: ``plus_pair`` over ``L L`` where L has an entry."""

    def prepared(run: Callable[[], Any], total: Callable[[Any], Any], note: str = "") -> Prepared:
        def outputs(_: int) -> Outputs:
            return {"triangles": np.array([float(total(run()))])}

        return Prepared(run, outputs, 1, 1e-12, note)

    def ours() -> Prepared:
        from workbench.ops.spgemm import spgemm

        a = _lower(name, small)
        return prepared(
            lambda: spgemm(a, a, semiring="plus_pair", mask=a),
            lambda c: c.data.sum(dtype=np.float64),
        )

    def graphblas(dot: bool) -> Prepared:
        import graphblas as gb

        a = sparse_peers.graphblas_matrix(_lower(name, small).astype(bool))
        count = gb.semiring.plus_pair[gb.dtypes.UINT32]
        # a dot product of rows needs the other factor by columns: L L' counts the same
        right = a.T if dot else a
        return prepared(
            lambda: count(a @ right).new(mask=a.S),
            lambda c: c.reduce_scalar(gb.monoid.plus[gb.dtypes.INT64]).new().value or 0,
        )

    def scipy() -> Prepared:
        a = _lower(name, small)
        return prepared(lambda: (a @ a).multiply(a), lambda c: c.sum(), "no masks: L L, then L")

    def bounds() -> dict[str, Bound]:
        a = _lower(name, small)
        products = int(np.diff(a.indptr).astype(np.int64)[a.indices].sum())
        why = f"n = {a.shape[0]:,}, {a.nnz:,} edges, {products:,} products; L read three times"
        return {"float32": Bound(2.0 * products, 4.0 * 3 * a.nnz, why)}

    return Case(
        key=f"triangles {name}",
        title="triangle counting, C = L L where L has an entry, over (plus, pair)",
        samples=1,
        contenders=[
            Contender(OURS, "L L", "float32", ours),
            Contender(GRAPHBLAS, "L L", "float32", functools.partial(graphblas, False)),
            Contender(GRAPHBLAS, "L L'", "float32", functools.partial(graphblas, True)),
            Contender(SCIPY, "L L", "float32", scipy),
        ],
        bounds=bounds,
        rates=True,
        absent=why_absent(name),
    )


def _dense(n: int, width: int, seed: int) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(n, width)).astype(np.float32)


def spmm_case(name: str, width: int, small: bool) -> Case:
    """Sparse times dense, as a graph layer does."""
    work = Product(name, small)

    def prepared(run: Callable[[], Any], note: str = "") -> Prepared:
        return Prepared(run, lambda _: {"y": np.asarray(run())}, 1, _DENSE_TOLERANCE, note)

    def ours() -> Prepared:
        from workbench.ops.spmm import spmm

        a = work.matrix
        x = _dense(a.shape[1], width, 1)
        return prepared(lambda: spmm(a, x))

    def torch_() -> Prepared:
        import torch

        a = sparse_peers.torch_csr(work.matrix)
        x = torch.from_numpy(_dense(a.shape[1], width, 1))
        return prepared(lambda: a @ x)

    def scipy() -> Prepared:
        a = work.matrix
        x = _dense(a.shape[1], width, 1)
        return prepared(lambda: a @ x, "one thread, always")

    def bounds() -> dict[str, Bound]:
        a = work.matrix
        moved = 8.0 * a.nnz + 4.0 * width * (a.shape[0] + a.shape[1])
        why = f"2 flop per entry and column; A, X and Y once, {moved / 1e6:.4g} MB"
        return {"float32": Bound(2.0 * a.nnz * width, moved, why)}

    return Case(
        key=f"spmm {name} w={width}",
        title=f"Y = A X with {width} dense columns",
        samples=1,
        contenders=[
            Contender(OURS, "spmm", "float32", ours),
            Contender(TORCH, "CSR", "float32", torch_),
            Contender(SCIPY, "CSR", "float32", scipy),
        ],
        bounds=bounds,
        rates=True,
        absent=why_absent(name),
    )


def sddmm_case(name: str, width: int, small: bool) -> Case:
    """Dense times dense where a sparse matrix has entries, as attention on a graph does."""
    work = Product(name, small)

    def factors() -> tuple[Any, Any]:
        n_rows, n_columns = work.matrix.shape
        return _dense(n_rows, width, 1), _dense(n_columns, width, 2)

    def prepared(run: Callable[[], Any], values: Callable[[Any], Any]) -> Prepared:
        def outputs(_: int) -> Outputs:
            return {"values": np.asarray(values(run()))}

        return Prepared(run, outputs, 1, _DENSE_TOLERANCE)

    def ours() -> Prepared:
        from workbench.ops.spmm import sddmm

        a = work.matrix
        x, y = factors()
        return prepared(lambda: sddmm(a, x, y), lambda c: c.data)

    def gathered() -> Prepared:
        import torch

        pairs = work.matrix.tocoo()
        rows, columns = (torch.from_numpy(k.astype(np.int64)) for k in (pairs.row, pairs.col))
        x, y = (torch.from_numpy(factor) for factor in factors())
        return prepared(lambda: (x[rows] * y[columns]).sum(1), lambda values: values)

    def sampled() -> Prepared:
        import torch

        a = sparse_peers.torch_csr(work.matrix)
        x, y = (torch.from_numpy(factor) for factor in factors())
        return prepared(
            lambda: torch.sparse.sampled_addmm(a, x, y.T, beta=0.0), lambda c: c.values()
        )

    def bounds() -> dict[str, Bound]:
        a = work.matrix
        moved = 8.0 * a.nnz + 4.0 * width * (a.shape[0] + a.shape[1])
        why = (
            f"2 flop per entry and column; X, Y, the pattern and values once, {moved / 1e6:.4g} MB"
        )
        return {"float32": Bound(2.0 * a.nnz * width, moved, why)}

    return Case(
        key=f"sddmm {name} w={width}",
        title=f"X Y' at the entries of A, {width} columns each",
        samples=1,
        contenders=[
            Contender(OURS, "sddmm", "float32", ours),
            Contender(TORCH, "gather", "float32", gathered),
            Contender(TORCH, "sampled_addmm", "float32", sampled),
        ],
        bounds=bounds,
        rates=True,
        absent=why_absent(name),
    )
