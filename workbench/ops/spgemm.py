# SPDX-License-Identifier: Apache-2.0
"""Sparse times sparse: products over semirings, masks, gradients, plans for repeated products.

    from workbench.ops.spgemm import spgemm

    C = spgemm(A, B)                                   # scipy, torch or PyG in, the same out
    D = spgemm(A, A, semiring="min_plus")              # shortest paths of at most two edges
    T = spgemm(L, L, semiring="plus_pair", mask=L)     # triangles at every edge

Rows of a product are always sorted and have no column twice, and a product has the same bits for
any number of threads.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from workbench.ops import _spgemm_torch as op
from workbench.ops import _transforms
from workbench.ops._native import kernels
from workbench.ops.sparse_operands import (
    Csr,
    _vouch,
    dense_tensor,
    empty,
    limited,
    shape_of,
    threads,
    unwrap,
    wrap,
)

__all__ = [
    "SEMIRINGS",
    "SpGEMMPlan",
    "masked_spgemm",
    "power",
    "release_memory",
    "spgemm",
    "spgemm_flops",
    "spgemm_nnz",
    "transpose",
]

SEMIRINGS = op.SEMIRINGS
_ORDERED = ("min_plus", "max_plus", "min_max", "max_min", "min_first")
_CHOOSING = ("min_plus", "max_plus")
_DTYPES = (
    torch.float32,
    torch.float64,
    torch.int32,
    torch.int64,
    torch.complex64,
    torch.complex128,
    torch.bool,
)


def spgemm(
    A: Any,
    B: Any,
    semiring: str = "plus_times",
    mask: Any = None,
    complement: bool = False,
    *,
    accumulate: torch.dtype | None = None,
    drop_zeros: bool = False,
    index_dtype: str = "auto",
    num_threads: int | None = None,
    check: bool = True,
) -> Any:
    """Product of two sparse matrices.

    Parameters
    ----------
    A, B
        Shapes ``(m, k)`` and ``(k, n)``: scipy sparse arrays or matrices, torch sparse CSR, CSC
        or COO tensors, PyG ``EdgeIndex`` (all ones), ``(edge_index, weight, num_nodes)`` with
        ``weight`` possibly None, or the arrays of a CSR matrix themselves, ``(indptr, indices,
        values, shape)``. Unsorted rows are sorted and equal columns of a row combined by
        the semiring's addition. Values may be float32, float64, int32, int64, complex64,
        complex128 or bool; different ones are promoted.
    semiring : str
        One of `SEMIRINGS`. ``x_y`` gathers with ``x`` what ``y`` makes of two entries; ``pair``
        is 1, ``first`` and ``second`` one of the entries. On booleans ``plus_times`` is
        ``or_and``. Orders (``min``, ``max``) need real numbers.
    mask : sparse matrix, optional
        Shape ``(m, n)``: only places it stores are computed and kept, whatever its values.
    complement : bool
        Keep the places the mask does not store.
    accumulate : dtype, optional
        Compute in this dtype and round to the result's at the end; float32 is otherwise summed
        in float32.
    drop_zeros : bool
        Leave out entries that come out as zero. Not differentiable. By default the result has
        an entry for every pair that meets, so that its pattern depends on patterns alone.
    index_dtype : {"auto", "int32", "int64"}
        Of the result; auto is A's, or int64 where 32 bits cannot count.
    num_threads : int, optional
        torch's number by default.
    check : bool
        Verify and sort the operands, one look at their indices. Without it, wrong indices may
        crash.

    Returns
    -------
    sparse matrix
        Shape ``(m, n)``, in A's container (for edge lists and CSR arrays the tuple again). Both
        factors in compressed columns give compressed columns, without conversion.

    Raises
    ------
    TypeError
        If a container or dtype is not supported, or a semiring does not fit the dtype.
    ValueError
        If shapes differ, indices are out of range, the semiring is unknown, or an operand is not
        on the CPU.

    Notes
    -----
    Differentiable any number of times with respect to the values of torch operands under
    ``plus_times``, and once under ``min_plus`` and ``max_plus``, where the gradient goes to the
    pair that won, of equal ones to that of the smallest inner index. Gradients stay on the
    operands' patterns. torch's own CSR, CSC and COO tensors pass on first derivatives only (and
    the way from a CSR tensor to the vector it was made from is slow in torch): for higher ones,
    or for speed, use CSR arrays, edge lists or a plan. NaN and
    infinities follow IEEE rules: an explicit zero times infinity is NaN.

    The method is Gustavson's (ACM TOMS 4, 1978) with an accumulator per row; see
    ``docs/kernels/spgemm.md``.
    """
    if index_dtype not in ("auto", "int32", "int64"):
        raise ValueError(f"index_dtype must be auto, int32 or int64, got {index_dtype!r}")
    if complement and mask is None:
        raise ValueError("complement: there is no mask to take the complement of")
    with limited("spgemm", num_threads):
        a, b, semiring, mask_csr = _operands(A, B, semiring, mask, check)
        dtype = a.values.dtype
        if accumulate is not None:
            if accumulate not in _DTYPES:
                raise TypeError(f"accumulate must be one of {_names(_DTYPES)}, got {accumulate}")
            if torch.promote_types(dtype, accumulate) != accumulate:
                raise TypeError(f"accumulate: {accumulate} cannot hold {dtype}")
            _check_semiring(semiring, accumulate)
            a, b = _cast(a, accumulate), _cast(b, accumulate)
        own = b.index_dtype if a.transposed else a.index_dtype
        width = own if index_dtype == "auto" else np.dtype(index_dtype)
        ptr, idx, values = _product(a, b, semiring, mask_csr, complement, width == np.int64)
        if accumulate is not None:
            values = values.to(dtype)
        if drop_zeros:
            ptr, idx, values = _without_zeros(ptr, idx, values)
        return _finish(a, b, ptr, idx, values, index_dtype)


def masked_spgemm(
    A: Any, B: Any, M: Any, *, complement: bool = False, semiring: str = "plus_times"
) -> Any:
    """``spgemm`` at the places of a mask; see there.

    Parameters
    ----------
    A, B, M
        Factors and mask.
    complement : bool
        At the other places instead.
    semiring : str
        One of `SEMIRINGS`.
    """
    return spgemm(A, B, semiring, M, complement)


def spgemm_flops(A: Any, B: Any) -> int:
    """Multiplications in ``A B``: the pairs that meet.

    Parameters
    ----------
    A, B
        As for :func:`spgemm`.
    """
    a, b, _, _ = _operands(A, B, "any_pair", None, True)
    return int(kernels.spgemm_products(a.pattern, b.pattern, threads()))


def spgemm_nnz(A: Any, B: Any) -> int:
    """Entries of ``A B``.

    Parameters
    ----------
    A, B
        As for :func:`spgemm`.
    """
    a, b, _, _ = _operands(A, B, "any_pair", None, True)
    return int(kernels.spgemm_multiply_pattern(a.pattern, b.pattern, threads(), False)[0][-1])


def transpose(A: Any) -> Any:
    """The transpose, with sorted rows, in the same container.

    Parameters
    ----------
    A
        As for :func:`spgemm`. Differentiable for torch tensors.
    """
    a = unwrap(A, "A")
    ptr, idx, source = kernels.csr_transpose(a.pattern)
    values = a.values[torch.from_numpy(source).long()]
    ptr, idx = ptr.astype(a.index_dtype), idx.astype(a.index_dtype)
    return wrap(a, ptr, idx, values, (a.shape[1], a.shape[0]))


def power(A: Any, k: int, semiring: str = "plus_times") -> Any:
    """``A`` times itself, ``k`` factors, by repeated squaring.

    Parameters
    ----------
    A
        Square, as for :func:`spgemm`.
    k : int
        At least 1.
    semiring : str
        One that is associative: not those with first, second or pair.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    if semiring.endswith(("first", "second", "pair")):
        raise ValueError(f"semiring must be associative for powers, got {semiring}")
    shape = shape_of(A, "A")
    if shape[0] != shape[1]:
        raise ValueError(f"A must be square for powers, got {shape}")
    result, square = None, A
    while True:
        if k & 1:
            result = square if result is None else spgemm(result, square, semiring)
        k >>= 1
        if k == 0:
            return result
        square = spgemm(square, square, semiring)


def release_memory() -> None:
    """Give the memory kept for the next products (at most 1/16 of the machine's) back."""
    kernels.release_pool()


class SpGEMMPlan:
    """Repeated products ``C = A B`` on one pattern, with new values each time.

    The pattern of C, the work per row and the place of each product are found once;
    :meth:`numeric` only computes values.

    Parameters
    ----------
    A, B
        As for :func:`spgemm`; their patterns count, with sorted rows and no column twice.
    num_threads : int, optional
        torch's number by default.

    Attributes
    ----------
    shape : (int, int)
        Of C.
    nnz, flops : int
        Entries of C and multiplications.
    indptr, indices : ndarray
        C's pattern, read-only.
    nbytes : int
        What the plan holds beside C's pattern and the operands' indices.
    """

    def __init__(self, A: Any, B: Any, *, num_threads: int | None = None) -> None:
        with limited("SpGEMMPlan", num_threads):
            a, b, _, _ = _operands(A, B, "plus_times", None, True)
            same = a is b
            for matrix, name in (
                (a, "B" if a.transposed else "A"),
                (b, "A" if a.transposed else "B"),
            ):
                if not matrix.in_order:
                    raise ValueError(
                        f"{name} must have sorted rows and no column twice in a row, so that its "
                        "values keep their order"
                    )
            if b.names is not None:
                raise ValueError("B: a plan takes at most 2**26 columns")
            # Its own: whoever gave the operands may write to them between two products.
            self._a = a = _owned(a)
            self._b = b = a if same else _owned(b)
            # CSC factors arrive as B^T, A^T: values then come in that order too.
            self._swapped = a.transposed
            self._ptr, self._idx, _ = kernels.spgemm_multiply_pattern(
                a.pattern, b.pattern, threads(), False
            )
            self._narrow = self._idx.astype(np.int32, copy=False)
            self.indptr, self.indices = _locked(self._ptr), _locked(self._idx)
            self._plan = kernels.SpGEMMPlan(a.pattern, b.pattern, self._c, threads())
        self._workers = num_threads
        self.shape = (a.shape[0], b.shape[1]) if not a.transposed else (b.shape[1], a.shape[0])
        self.nnz = int(self.indices.shape[0])
        self.flops = int(kernels.spgemm_products(a.pattern, b.pattern, threads()))
        self.nbytes = int(self._plan.nbytes)

    @property
    def _c(self) -> tuple[Any, Any, int, bool]:
        return self._ptr, self._narrow, self._b.shape[1], True

    def numeric(self, values_a: Any, values_b: Any) -> Any:
        """Values of C in the order of `indices`.

        Parameters
        ----------
        values_a, values_b : Tensor or ndarray
            Shapes ``(nnz(A),)`` and ``(nnz(B),)``, float32 or float64, in the order of the
            matrices the plan was made from (sorted rows).

        Returns
        -------
        Tensor or ndarray
            Shape ``(nnz,)``, of the kind that came in. Differentiable for tensors.

        Raises
        ------
        TypeError, ValueError
            If a dtype or length does not fit.
        """
        as_numpy = not isinstance(values_a, Tensor) and not isinstance(values_b, Tensor)
        x, y = (
            dense_tensor(v, f"values of {name}") for v, name in ((values_a, "A"), (values_b, "B"))
        )
        dtype = torch.promote_types(x.dtype, y.dtype)
        if dtype not in (torch.float32, torch.float64):
            raise TypeError(f"values must be float32 or float64, got {x.dtype} and {y.dtype}")
        x, y = x.to(dtype).contiguous(), y.to(dtype).contiguous()
        if self._swapped:
            x, y = y, x
        for v, matrix, name in ((x, self._a, "A"), (y, self._b, "B")):
            if v.shape != (matrix.idx.shape[0],):
                name = {"A": "B", "B": "A"}[name] if self._swapped else name
                raise ValueError(
                    f"values of {name} must have shape ({matrix.idx.shape[0]},), "
                    f"got {tuple(v.shape)}"
                )
        with limited("SpGEMMPlan.numeric", self._workers):
            if _transforms.active():
                # The plan is no operator of torch; that of products on a pattern has all rules.
                return op.values_on(
                    *_pattern_of(self._a),
                    x,
                    *_pattern_of(self._b),
                    y,
                    torch.from_numpy(self._ptr),
                    torch.from_numpy(self._narrow),
                    self._b.shape[1],
                    SEMIRINGS.index("plus_times"),
                )
            out: Tensor = _Refill.apply(x, y, self)
        return out.numpy() if as_numpy else out

    def matrix(self, values_a: Any, values_b: Any) -> Any:
        """C itself, in A's container.

        Parameters
        ----------
        values_a, values_b : Tensor or ndarray
            As for :meth:`numeric`.
        """
        values = self.numeric(values_a, values_b)
        if not isinstance(values, Tensor):
            values = torch.from_numpy(values)
        # Copies: what is written to a product must not reach the plan or the next product.
        return _finish(self._a, self._b, self._ptr.copy(), self._idx.copy(), values, "auto")


def _owned(matrix: Csr) -> Csr:
    return replace(matrix, ptr=matrix.ptr.copy(), idx=matrix.idx.copy())


def _locked(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view: npt.NDArray[Any] = array.view()
    view.flags.writeable = False
    return view


class _Refill(torch.autograd.Function):
    """The plan's forward; its backward is that of the operators."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, plan: SpGEMMPlan) -> Tensor:
        ctx.save_for_backward(x, y)
        ctx.plan = plan
        out = empty(plan.nnz, x.dtype)
        plan._plan.refill(
            plan._a.pattern,
            x.detach().numpy(),
            plan._b.pattern,
            y.detach().numpy(),
            plan._c,
            out.numpy(),
            threads(),
        )
        return out

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        x, y = ctx.saved_tensors
        plan: SpGEMMPlan = ctx.plan
        a_ptr, a_idx = (torch.from_numpy(v) for v in plan._a.pattern[:2])
        b_ptr, b_idx = (torch.from_numpy(v) for v in plan._b.pattern[:2])
        c_ptr, c_idx = torch.from_numpy(plan._ptr), torch.from_numpy(plan._narrow)
        grad_a, grad_b = _vouch(
            op.gradients, a_ptr, a_idx, x, b_ptr, b_idx, y, c_ptr, c_idx, g, plan._b.shape[1]
        )
        return grad_a, grad_b, None


def _pattern_of(c: Csr) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(c.ptr), torch.from_numpy(c.idx)


def _check_semiring(semiring: str, dtype: torch.dtype) -> None:
    if (dtype == torch.bool) != (semiring == "or_and") and semiring != "any_pair":
        got = "booleans" if dtype == torch.bool else dtype
        wanted = "booleans" if semiring == "or_and" else "numbers"
        raise TypeError(f"semiring {semiring} needs {wanted}, got {got}")
    if semiring in _ORDERED and dtype.is_complex:
        raise TypeError(f"semiring {semiring} needs an order, which complex numbers do not have")


def _names(dtypes: tuple[torch.dtype, ...]) -> str:
    return ", ".join(str(d).removeprefix("torch.") for d in dtypes)


def _is_csc(matrix: Any) -> bool:
    if isinstance(matrix, Tensor):
        return matrix.layout == torch.sparse_csc
    return getattr(matrix, "format", None) == "csc"


def _operands(
    A: Any, B: Any, semiring: str, mask: Any, check: bool
) -> tuple[Csr, Csr, str, Csr | None]:
    """Read and match the operands; compressed columns as ``C^T = B^T A^T``."""
    if semiring not in SEMIRINGS:
        raise ValueError(f"semiring must be one of {', '.join(SEMIRINGS)}, got {semiring!r}")
    add = semiring.split("_")[0]
    flip = _is_csc(A) and _is_csc(B)
    names = ("B", "A") if flip else ("A", "B")
    left, right = (B, A) if flip else (A, B)
    a = unwrap(left, names[0], combine=add, check=check, transposed=flip)
    if right is left:
        b = a
    else:
        b = unwrap(right, names[1], combine=add, check=check, compact=True, transposed=flip)
    if a.shape[1] != b.shape[0]:
        one, other = (b, a) if flip else (a, b)
        inner = (one.shape[0], other.shape[1]) if flip else (one.shape[1], other.shape[0])
        raise ValueError(f"A and B do not fit: A has {inner[0]} columns, B has {inner[1]} rows")
    dtype = torch.promote_types(a.values.dtype, b.values.dtype)
    for matrix, name in ((a, names[0]), (b, names[1])):
        if matrix.values.dtype not in _DTYPES:
            raise TypeError(
                f"{name}: values have dtype {matrix.values.dtype}, which is not supported; use "
                f"one of {_names(_DTYPES)}"
            )
    if dtype == torch.bool and semiring == "plus_times":
        semiring = "or_and"
    if semiring == "or_and":
        dtype = torch.bool
    _check_semiring(semiring, dtype)
    same = a is b
    a = _cast(a, dtype)
    b = a if same else _cast(b, dtype)
    if flip and semiring.endswith(("first", "second")):
        # In the transposed product the factors change sides.
        semiring = {
            "plus_first": "plus_second",
            "plus_second": "plus_first",
            "min_first": "min_second",
        }[semiring]
    if semiring == "min_second":
        # x + -0.0 is x: the second entry alone, through a semiring the kernels have.
        a = replace(a, values=torch.full_like(a.values, -0.0))
        semiring = "min_plus"
    m = None
    if mask is not None:
        wide = b.names is not None
        m = unwrap(mask, "mask", combine="any", check=check, compact=wide, transposed=flip)
        if (m.shape[0], m.columns) != (a.shape[0], b.columns):
            raise ValueError(
                f"mask must have the shape of the product, got {shape_of(mask, 'mask')} for "
                f"{(shape_of(A, 'A')[0], shape_of(B, 'B')[1])}"
            )
        if b.names is not None:
            m = _renamed(m, b.names)
    return a, b, semiring, m


def _renamed(m: Csr, names: npt.NDArray[Any]) -> Csr:
    """A mask in the column numbers of a right factor whose absent columns were left out."""
    idx = m.idx if m.names is None else m.names[m.idx]
    at = np.searchsorted(names, idx)
    kept = at < names.shape[0]
    kept[kept] = names[at[kept]] == idx[kept]
    sums = np.concatenate([[0], np.cumsum(kept)])
    ptr = sums[m.ptr].astype(np.int32)
    values = m.values[torch.from_numpy(kept)]
    shape = (m.shape[0], names.shape[0])
    return replace(
        m, ptr=ptr, idx=at[kept].astype(np.int32), values=values, shape=shape, names=names
    )


def _cast(c: Csr, dtype: torch.dtype) -> Csr:
    if c.values.dtype == dtype:
        return c
    values = c.values != 0 if dtype == torch.bool else c.values.to(dtype)
    return replace(c, values=values)


def _tensors(c: Csr) -> tuple[Tensor, Tensor, Tensor]:
    return torch.from_numpy(c.ptr), torch.from_numpy(c.idx), c.values


def _product(
    a: Csr, b: Csr, semiring: str, mask: Csr | None, complement: bool, wide: bool
) -> tuple[Any, Any, Tensor]:
    code = SEMIRINGS.index(semiring)
    cols = b.shape[1]
    left, right = _tensors(a), _tensors(b)
    # Where a transform watches, only the operators on a known pattern have rules.
    watched = _transforms.active()
    differentiate = watched or (
        torch.is_grad_enabled() and (a.values.requires_grad or b.values.requires_grad)
    )
    if mask is None and not watched and not (differentiate and semiring in _CHOOSING):
        ptr, idx, values = _vouch(op.multiply, *left, *right, cols, code, wide)
        return ptr.numpy(), idx.numpy(), values
    if mask is not None and not complement:
        kernel = getattr(kernels, f"spgemm_masked_{op._SUFFIX[a.values.dtype]}")
        ptr, idx, val = kernel(
            code,
            a.pattern,
            _pattern_values(a, watched),
            b.pattern,
            _pattern_values(b, watched),
            mask.pattern,
            wide and not differentiate,
            threads(),
        )
        if not differentiate:
            return ptr, idx, torch.from_numpy(val)
    else:
        ptr, idx, _ = kernels.spgemm_multiply_pattern(a.pattern, b.pattern, threads(), False)
        if mask is not None:
            ptr, idx = _without(ptr, idx, mask)
    c = torch.from_numpy(ptr), torch.from_numpy(idx.astype(np.int32, copy=False))
    if differentiate and semiring in _CHOOSING and a.values.is_floating_point():
        values = _vouch(op.winners_on, *left, *right, *c, cols, code)[0]
    else:
        values = _vouch(op.values_on, *left, *right, *c, cols, code)
    return ptr, idx, values


def _pattern_values(c: Csr, watched: bool) -> Any:
    """Values for a kernel; any will do where only the pattern of the product is wanted."""
    if not watched:
        return op._array(c.values)
    with _transforms.outside():
        return torch.zeros(c.idx.shape[0], dtype=c.values.dtype).numpy()


def _without(ptr: Any, idx: Any, mask: Csr) -> tuple[Any, Any]:
    """The entries of a pattern that a mask does not store."""
    cols = np.int64(max(1, mask.shape[1]))

    def keys(p: Any, i: Any) -> npt.NDArray[np.int64]:
        rows = np.repeat(np.arange(p.shape[0] - 1, dtype=np.int64), np.diff(p))
        return np.asarray(rows * cols + i)

    have, wanted = keys(ptr, idx), keys(mask.ptr, mask.idx)
    at = np.searchsorted(wanted, have)
    kept = at < wanted.shape[0]
    kept[kept] = wanted[at[kept]] == have[kept]
    kept = ~kept
    sums = np.concatenate([[0], np.cumsum(kept)])
    return sums[ptr].astype(ptr.dtype), idx[kept]


def _without_zeros(ptr: Any, idx: Any, values: Tensor) -> tuple[Any, Any, Tensor]:
    _transforms.refuse_transforms("spgemm with drop_zeros", "drop_zeros=False", values)
    values = values.detach()
    kept = (values != 0).numpy()
    sums = np.concatenate([[0], np.cumsum(kept)])
    return sums[ptr].astype(ptr.dtype), idx[kept], values[torch.from_numpy(kept)]


def _finish(a: Csr, b: Csr, ptr: Any, idx: Any, values: Tensor, index_dtype: str) -> Any:
    cols = b.shape[1]
    if b.names is not None:
        idx, cols = b.names[idx], b.columns
    own = b.index_dtype if a.transposed else a.index_dtype
    wanted = own if index_dtype == "auto" else np.dtype(index_dtype)
    most = np.iinfo(np.int32).max
    if values.shape[0] > most or cols > most + 1:
        if index_dtype == "int32":
            raise ValueError("index_dtype: int32 cannot count the entries of this product")
        wanted = np.dtype(np.int64)
    ptr, idx = (x.astype(wanted, copy=False) for x in (ptr, idx))
    return wrap(b if a.transposed else a, ptr, idx, values, (a.shape[0], cols))
