# SPDX-License-Identifier: Apache-2.0
"""Sparse matrices in whatever container they come, and products given back in the same one.

Inside, every matrix is a :class:`Csr`: canonical rows (columns ascending, none twice), int32
indices, values as a torch tensor on the side.
"""

from __future__ import annotations

import importlib.util
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from workbench.distribution import MissingExtraError
from workbench.ops import _buffers as buffers
from workbench.ops import _transforms
from workbench.ops._native import kernels
from workbench.ops._threads import thread_count

__all__ = [
    "Csr",
    "dense_tensor",
    "empty",
    "first_only",
    "limited",
    "shape_of",
    "threads",
    "unwrap",
    "wrap",
]

Array = npt.NDArray[Any]

#: Entries and sizes the kernels count with 32 bits.
_MOST = 2**31 - 1

#: Beyond so many columns, those that do not occur are numbered away.
_MANY_COLUMNS = 2**26

#: How equal columns of one row are combined, by the semiring's addition.
_COMBINE: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "plus": lambda v, g, n: v.new_zeros(n).index_add(0, g, v),
    "min": lambda v, g, n: _unlike(v, n).scatter_reduce(0, g, v, "amin", include_self=False),
    "max": lambda v, g, n: _unlike(v, n).scatter_reduce(0, g, v, "amax", include_self=False),
    "or": lambda v, g, n: torch.zeros(n, dtype=torch.bool).index_fill(0, g[v != 0], True),
    "any": lambda v, g, n: buffers.empty(n, v.dtype).index_copy(0, g.flip(0), v.flip(0)),
}


def _unlike(v: Tensor, n: int) -> Tensor:
    # torch's gradient shares with a first value that equals the result, even one left out.
    return v.new_full((n,), float("nan") if v.is_floating_point() else 0)


@dataclass(frozen=True)
class _Parts:
    """A container's arrays, compressed by rows, or by columns where the transpose is read."""

    ptr: Array
    idx: Array
    values: Tensor
    shape: tuple[int, int]
    container: str
    like: Any = None
    moved: bool = False  # entries are not in the container's order


@dataclass(frozen=True)
class Csr:
    """A canonical CSR matrix.

    Attributes
    ----------
    ptr, idx : ndarray
        int32, shapes ``(rows + 1,)`` and ``(nnz,)``.
    values : Tensor
        Shape ``(nnz,)``.
    shape : (int, int)
        Rows and columns.
    names : ndarray, optional
        int64: the true number of each column, when those that do not occur were left out.
    container : str
        What it came in, and products go out in.
    index_dtype : dtype
        Of the indices it came with.
    transposed : bool
        Whether this is the transpose of what came: compressed columns read as rows.
    like : object
        The original, for containers that need more than that.
    columns : int
        The true number of columns.
    in_order : bool
        Whether the entries came in this order, none combined.
    """

    ptr: Array
    idx: Array
    values: Tensor
    shape: tuple[int, int]
    container: str
    index_dtype: np.dtype[Any]
    names: Array | None = None
    transposed: bool = False
    like: Any = None
    columns: int = 0
    in_order: bool = True

    @property
    def pattern(self) -> tuple[Array, Array, int, bool]:
        """As the kernels take it: row pointers, columns, their number, that they were checked."""
        return self.ptr, self.idx, self.shape[1], True


_workers: ContextVar[int | None] = ContextVar("workbench_sparse_threads", default=None)


def threads() -> int:
    """Threads the sparse operators use: torch's, unless :func:`limited` says otherwise."""
    return _workers.get() or torch.get_num_threads()


@contextmanager
def limited(function: str, num_threads: int | None) -> Iterator[None]:
    """Use so many threads in the sparse operators called inside; None changes nothing."""
    count = thread_count(function, num_threads)
    token = _workers.set(_workers.get() if num_threads is None else count)
    try:
        yield
    finally:
        _workers.reset(token)


_vouched: ContextVar[bool] = ContextVar("workbench_sparse_vouched", default=False)


def _vouch(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call an operator on patterns that :func:`unwrap` has read, so that none is checked twice.

    Whoever calls the operator otherwise (``torch.ops.workbench``, a backward pass, whose saved
    patterns may have been written to since) has its patterns checked by the bindings.
    """
    token = _vouched.set(True)
    try:
        return function(*arguments)
    finally:
        _vouched.reset(token)


def _is_vouched() -> bool:
    return _vouched.get()


_POOLED_FROM = 2**20  # bytes
_NUMPY: dict[torch.dtype, np.dtype[Any]] = {
    torch.float32: np.dtype(np.float32),
    torch.float64: np.dtype(np.float64),
    torch.complex64: np.dtype(np.complex64),
    torch.complex128: np.dtype(np.complex128),
    torch.int32: np.dtype(np.int32),
    torch.int64: np.dtype(np.int64),
}


def empty(count: int, dtype: torch.dtype) -> Tensor:
    """A vector without initial values; large ones come from the kernels' pool."""
    if dtype not in _NUMPY or count * dtype.itemsize < _POOLED_FROM:
        return buffers.empty(count, dtype)
    return torch.from_numpy(kernels.pooled_empty(count, _NUMPY[dtype]))


def dense_tensor(values: Any, name: str) -> Tensor:
    """A dense array as a tensor, without a copy where torch can take it as it is.

    Parameters
    ----------
    values : Tensor or ndarray
        Any shape.
    name : str
        Of the argument, for errors.
    """
    if isinstance(values, Tensor):
        return values
    array = np.asarray(values)
    if not array.flags.writeable or not array.flags.c_contiguous or 0 in array.strides:
        array = np.array(array)  # torch warns of read-only memory; the kernels want unit stride
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    try:
        return torch.from_numpy(array)
    except TypeError:
        raise TypeError(
            f"{name}: values have dtype {array.dtype}, which is not supported; use float32, "
            "float64, int32, int64, complex64, complex128 or bool"
        ) from None


def _integers(array: Any, name: str) -> Array:
    if isinstance(array, Tensor):
        _on_cpu(array, name)
        array = _transforms.array_of(array, name)
    out = np.asarray(array)
    if out.ndim != 1:
        raise ValueError(f"{name} must be a vector, got shape {out.shape}")
    if out.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {out.dtype}")
    if out.dtype not in (np.int32, np.int64):
        out = out.astype(np.int64)
    return np.ascontiguousarray(out) if out.flags.writeable else out.copy()


def _on_cpu(tensor: Tensor, name: str) -> None:
    if tensor.device.type != "cpu":
        raise ValueError(f"{name} must be on the CPU, got {tensor.device}; move it with .cpu()")


def _verified(
    name: str, ptr: Array, idx: Array, values: Tensor, shape: tuple[int, int], check: bool
) -> tuple[Array, Array, int]:
    """Pointers and columns of one dtype, and whether columns repeat (1) or are unsorted (2)."""
    rows, cols = shape
    if ptr.shape[0] != rows + 1:
        raise ValueError(f"{name}: indptr must have {rows + 1} entries, got {ptr.shape[0]}")
    if values.dim() != 1 or values.shape[0] != idx.shape[0]:
        raise ValueError(
            f"{name}: there must be one value per index, {idx.shape[0]}, "
            f"got values of shape {tuple(values.shape)}"
        )
    _on_cpu(values, name)
    if idx.shape[0] > _MOST or rows > _MOST - 1:
        raise ValueError(
            f"{name}: at most {_MOST} rows and entries are supported, "
            f"got {rows} rows and {idx.shape[0]} entries"
        )
    if ptr.dtype != idx.dtype:
        ptr = ptr.astype(np.int64)
        idx = idx.astype(np.int64)
    order = 0
    if check:
        verify = kernels.csr_check_i32 if idx.dtype == np.int32 else kernels.csr_check_i64
        order = verify(name, cols, ptr, idx, threads())
    return ptr, idx, order


def _canonical(
    name: str,
    ptr: Array,
    idx: Array,
    values: Tensor,
    shape: tuple[int, int],
    combine: str,
    check: bool,
    compact: bool,
) -> tuple[Array, Array, Tensor, Array | None, int]:
    """Check, sort, combine and narrow: pointers, columns, values, column names, former order."""
    rows, cols = shape
    ptr, idx, order = _verified(name, ptr, idx, values, shape, check)
    ptr32 = ptr.astype(np.int32, copy=False)
    names = None
    if compact and cols > _MANY_COLUMNS and cols > 4 * idx.shape[0]:
        names, small = np.unique(idx, return_inverse=True)
        names = names.astype(np.int64)
        idx32 = small.astype(np.int32)
        cols = names.shape[0]
    elif cols > _MOST:
        raise ValueError(f"{name}: {cols} columns with {idx.shape[0]} entries are too many")
    else:
        idx32 = idx.astype(np.int32, copy=False)
    if order != 0:
        if combine in ("min", "max") and (values.is_complex() or values.dtype == torch.bool):
            raise TypeError(
                f"{name}: {values.dtype} has no {combine} to combine equal columns with"
            )
        ptr32, idx32, values = _sorted(ptr32, idx32, values, rows, combine, order == 2)
    return ptr32, idx32, values.contiguous(), names, order


def _turned(name: str, m: _Parts, check: bool) -> _Parts:
    """The same matrix compressed the other way; equal columns stay, in their order."""
    rows, cols = m.shape
    if cols > _MOST - 1:
        raise ValueError(f"{name}: {cols} columns cannot be compressed; at most {_MOST - 1} can")
    ptr, idx, _ = _verified(name, m.ptr, m.idx, m.values, m.shape, check)
    narrow = ptr.astype(np.int32, copy=False), idx.astype(np.int32, copy=False)
    t_ptr, t_idx, source = kernels.csr_transpose((*narrow, cols, True))
    values = m.values[torch.from_numpy(source).long()]
    t_ptr, t_idx = t_ptr.astype(ptr.dtype, copy=False), t_idx.astype(ptr.dtype, copy=False)
    return _Parts(t_ptr, t_idx, values, (cols, rows), m.container, m.like, moved=True)


def shape_of(matrix: Any, name: str) -> tuple[int, int]:
    """Rows and columns of any supported container.

    Parameters
    ----------
    matrix, name
        As for :func:`unwrap`.
    """
    parts, by_columns = _parts(matrix, name, "any", False)
    return parts.shape[::-1] if by_columns else parts.shape


def _sorted(
    ptr: Array, idx: Array, values: Tensor, rows: int, combine: str, unsorted: bool
) -> tuple[Array, Array, Tensor]:
    row_of = np.repeat(np.arange(rows, dtype=np.int64), np.diff(ptr))
    if unsorted:
        order = np.lexsort((idx, row_of))
        idx, row_of = idx[order], row_of[order]
        values = values[torch.from_numpy(order)]
    fresh = np.ones(idx.shape[0], dtype=bool)
    fresh[1:] = (idx[1:] != idx[:-1]) | (row_of[1:] != row_of[:-1])
    if not fresh.all():
        group = torch.from_numpy(np.cumsum(fresh) - 1)
        values = _COMBINE[combine](values, group, int(fresh.sum()))
        idx, row_of = idx[fresh], row_of[fresh]
        ptr = np.zeros(rows + 1, dtype=np.int32)
        np.cumsum(np.bincount(row_of, minlength=rows), out=ptr[1:])
    return ptr, np.ascontiguousarray(idx), values


def _is_scipy(matrix: Any) -> bool:
    # Only an imported scipy can have made it, so nothing is imported for the others.
    return type(matrix).__module__.startswith("scipy.sparse")


def unwrap(
    matrix: Any,
    name: str,
    *,
    combine: str = "plus",
    check: bool = True,
    compact: bool = False,
    transposed: bool = False,
) -> Csr:
    """Read any supported container.

    Parameters
    ----------
    matrix
        scipy sparse array or matrix, torch sparse CSR, CSC or COO tensor, PyG ``EdgeIndex``,
        torch_sparse ``SparseTensor``, ``(edge_index, weight, num_nodes)``, or
        ``(indptr, indices, values, shape)``.
    name : str
        Of the argument, for errors.
    combine : str
        How equal columns of a row are combined: plus, min, max, or, any.
    check : bool
        Verify pointers and indices, and sort rows that are not sorted.
    compact : bool
        Number columns away that do not occur, when there are very many.
    transposed : bool
        Give the transpose, for compressed columns: they are its rows.

    Returns
    -------
    Csr

    Raises
    ------
    TypeError
        If the container or a dtype is not supported.
    ValueError
        If the arrays do not make a matrix.
    """
    parts, by_columns = _parts(matrix, name, combine, transposed)
    if by_columns != transposed:
        parts = _turned(name, parts, check)
    ptr, idx, shape = parts.ptr, parts.idx, parts.shape
    index_dtype = np.dtype(np.int64 if ptr.dtype == np.int64 or idx.dtype == np.int64 else np.int32)
    ptr, idx, values, names, order = _canonical(
        name, ptr, idx, parts.values, shape, combine, check, compact
    )
    columns = shape[1]
    if names is not None:
        shape = (shape[0], names.shape[0])
    in_order = order == 0 and not parts.moved
    kind, like = parts.container, parts.like
    return Csr(
        ptr, idx, values, shape, kind, index_dtype, names, transposed, like, columns, in_order
    )


def _parts(matrix: Any, name: str, combine: str, transposed: bool) -> tuple[_Parts, bool]:
    """The arrays, and whether they are those of the transpose.

    Coordinates come as they are wanted, `transposed` or not; compressed ones as they are.
    """
    if _is_scipy(matrix):
        return _scipy_parts(matrix, name, transposed)
    if isinstance(matrix, Tensor) and type(matrix).__name__ == "EdgeIndex":
        return _edge_index_parts(matrix, None, name, transposed)
    if isinstance(matrix, Tensor):
        return _torch_parts(matrix, name, combine, transposed)
    if isinstance(matrix, tuple):
        if len(matrix) == 2 and type(matrix[0]).__name__ == "EdgeIndex":
            return _edge_index_parts(*matrix, name, transposed)
        if len(matrix) == 4:
            return _csr_parts(*matrix, name), False
        return _edge_list_parts(matrix, name, transposed)
    if hasattr(matrix, "csr") and hasattr(matrix, "sparse_sizes"):
        ptr, idx, value = matrix.csr()
        rows, cols = matrix.sparse_sizes()
        if value is None:
            value = torch.ones(idx.shape[0])
        arrays = _integers(ptr, name), _integers(idx, name), value
        return _Parts(*arrays, (rows, cols), "torch_sparse"), False
    raise TypeError(
        f"{name} must be a scipy sparse array, a torch sparse tensor, a PyG EdgeIndex, "
        "(edge_index, weight, num_nodes) or (indptr, indices, values, shape), "
        f"got {type(matrix).__name__}"
    )


def _csr_parts(ptr: Any, idx: Any, values: Any, shape: Any, name: str) -> _Parts:
    rows, cols = _sizes(shape, name)
    kind = "csr tensors" if isinstance(values, Tensor) else "csr arrays"
    arrays = _integers(ptr, name), _integers(idx, name), dense_tensor(values, name)
    return _Parts(*arrays, (rows, cols), kind)


def _sizes(shape: Any, name: str) -> tuple[int, int]:
    try:
        rows, cols = (operator.index(size) for size in shape)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: shape must be two integers, got {shape!r}") from None
    if rows < 0 or cols < 0:
        raise ValueError(f"{name}: shape must not be negative, got {(rows, cols)}")
    return rows, cols


def _coordinates(
    name: str,
    row_of: Array,
    idx: Array,
    values: Tensor,
    shape: tuple[int, int],
    kind: str,
    like: Any,
    transposed: bool,
) -> tuple[_Parts, bool]:
    """Compress coordinates; equal ones stay, in their order."""
    rows, cols = shape
    if transposed:
        row_of, idx, rows, cols = idx, row_of, cols, rows
    if values.shape != row_of.shape or idx.shape != row_of.shape:
        raise ValueError(
            f"{name}: there must be one value per index, {row_of.shape[0]}, "
            f"got values of shape {tuple(values.shape)}"
        )
    if row_of.size and (row_of.min() < 0 or row_of.max() >= rows):
        raise ValueError(f"{name}: row indices must be in [0, {rows})")
    moved = bool((row_of[1:] < row_of[:-1]).any())
    if moved:
        order = np.argsort(row_of, kind="stable")
        row_of, idx, values = row_of[order], idx[order], values[torch.from_numpy(order)]
    if rows > _MOST - 1:
        raise ValueError(f"{name}: at most {_MOST - 1} rows are supported, got {rows}")
    ptr = np.zeros(rows + 1, dtype=idx.dtype)
    np.cumsum(np.bincount(row_of, minlength=rows), out=ptr[1:])
    return _Parts(ptr, idx, values, (rows, cols), kind, like, moved), transposed


def _scipy_parts(m: Any, name: str, transposed: bool) -> tuple[_Parts, bool]:
    if m.ndim != 2:
        raise ValueError(f"{name} must have two dimensions, got {m.ndim}")
    rows, cols = (int(s) for s in m.shape)
    own = m.format
    kind = f"scipy {own if own in ('csr', 'csc', 'coo') else 'csr'}"
    if own == "coo":  # scipy would add equal coordinates up
        row_of, idx = _integers(m.row, name), _integers(m.col, name)
        values = dense_tensor(m.data, name)
        return _coordinates(name, row_of, idx, values, (rows, cols), kind, m, transposed)
    if own not in ("csr", "csc"):
        m = m.asformat("csr")
    arrays = _integers(m.indptr, name), _integers(m.indices, name), dense_tensor(m.data, name)
    by_columns = own == "csc"
    return _Parts(*arrays, (cols, rows) if by_columns else (rows, cols), kind, m), by_columns


_EDGES = "an edge list, (edge_index, weight, num_nodes): torch's sparse tensors have no such rules"


def _torch_parts(m: Tensor, name: str, combine: str, transposed: bool) -> tuple[_Parts, bool]:
    _transforms.refuse_transforms(name, _EDGES, m)
    with _transforms.outside():
        return _constant_parts(m, name, combine, transposed)


class _FirstOnly(torch.autograd.Function):
    """The identity beside a sparse tensor of torch, which forgets how its gradient was made."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:  # type: ignore[override]
        _transforms.refuse_vmap("derivatives of torch's sparse tensors", _EDGES, g)
        if torch.is_grad_enabled():
            raise NotImplementedError(
                "second derivatives (create_graph=True) do not pass torch's sparse tensors; use an "
                "edge list, (edge_index, weight, num_nodes)"
            )
        return g


def first_only(values: Tensor) -> Tensor:
    """The values of a sparse tensor of torch; second derivatives to them are refused by name."""
    if not (values.requires_grad and torch.is_grad_enabled()):
        return values
    out: Tensor = _FirstOnly.apply(values)  # type: ignore[no-untyped-call]
    return out


def _constant_parts(m: Tensor, name: str, combine: str, transposed: bool) -> tuple[_Parts, bool]:
    _on_cpu(m, name)
    if m.dim() != 2:
        raise ValueError(f"{name} must have two dimensions, got {m.dim()}")
    kind = str(m.layout).removeprefix("torch.")
    if kind not in ("sparse_csr", "sparse_csc", "sparse_coo"):
        raise TypeError(
            f"{name} must be sparse (CSR, CSC or COO), got layout {kind}; "
            "convert it with .to_sparse_csr()"
        )
    rows, cols = int(m.shape[0]), int(m.shape[1])
    if m.layout == torch.sparse_csr:
        arrays = _integers(m.crow_indices(), name), _integers(m.col_indices(), name)
        return _Parts(*arrays, first_only(m.values()), (rows, cols), kind), False
    if m.layout == torch.sparse_csc:
        arrays = _integers(m.ccol_indices(), name), _integers(m.row_indices(), name)
        return _Parts(*arrays, first_only(m.values()), (cols, rows), kind), True
    if m.dense_dim() != 0:
        raise ValueError(f"{name} must have scalar entries, got {m.dense_dim()} dense dimensions")
    added = m.coalesce()
    if m.is_coalesced() or combine == "plus" or added._nnz() == m._nnz():
        index, values = added.indices(), added.values()
    elif m.requires_grad:
        raise ValueError(f"{name} has equal coordinates; call .coalesce() to differentiate it")
    else:  # coalesce() has added equal coordinates up; the semiring has another addition
        index, values = m._indices(), m._values()
    row_of, idx = _integers(index[0], name), _integers(index[1], name)
    values = first_only(values)
    parts, turned = _coordinates(name, row_of, idx, values, (rows, cols), kind, None, transposed)
    return replace(parts, moved=parts.moved or not m.is_coalesced()), turned


def _edge_index_parts(
    m: Any, weight: Tensor | None, name: str, transposed: bool
) -> tuple[_Parts, bool]:
    row_of, idx = (_integers(x, name) for x in m.as_tensor())
    rows, cols = m.sparse_size()
    if rows is None and cols is None:
        rows = cols = int(max(row_of.max(), idx.max())) + 1 if idx.size else 0
    elif rows is None:
        rows = int(row_of.max()) + 1 if idx.size else 0
    elif cols is None:
        cols = max(int(rows), int(idx.max()) + 1 if idx.size else 0)
    values = torch.ones(idx.shape[0]) if weight is None else weight
    shape = int(rows), int(cols)
    return _coordinates(name, row_of, idx, values, shape, "EdgeIndex", m, transposed)


def _edge_list_parts(m: tuple[Any, ...], name: str, transposed: bool) -> tuple[_Parts, bool]:
    if len(m) != 3:
        raise ValueError(f"{name} must be (edge_index, weight, num_nodes), got {len(m)} parts")
    edges, weight, size = m
    if not isinstance(edges, Tensor) or edges.dim() != 2 or edges.shape[0] != 2:
        raise ValueError(f"{name}: edge_index must be a tensor of shape (2, n_edges)")
    rows, cols = _sizes(size if isinstance(size, tuple) else (size, size), name)
    row_of, idx = _integers(edges[0], name), _integers(edges[1], name)
    values = torch.ones(idx.shape[0]) if weight is None else dense_tensor(weight, name)
    if values.shape != (idx.shape[0],):
        raise ValueError(
            f"{name}: weight must have shape ({idx.shape[0]},), got {tuple(values.shape)}"
        )
    _on_cpu(values, name)
    kind = "edge list" if weight is not None else "bare edge list"
    return _coordinates(name, row_of, idx, values, (rows, cols), kind, None, transposed)


def wrap(like: Csr, ptr: Array, idx: Array, values: Tensor, shape: tuple[int, int]) -> Any:
    """Give a product in the container that `like` came in.

    Parameters
    ----------
    like : Csr
        The left factor as it was read (the right one of compressed columns).
    ptr, idx : ndarray
        Row pointers and columns, int32 or int64.
    values : Tensor
        One per column.
    shape : (int, int)
        Of the product (of its transpose where `like` is transposed).
    """
    kind = like.container
    if kind.startswith(("scipy", "sparse")):
        _transforms.refuse_transforms("the product", _EDGES, values)
    if kind.startswith("scipy"):
        return _wrap_scipy(like, ptr, idx, values.detach().numpy(), shape)
    if kind == "csr arrays":
        return ptr, idx, values.detach().numpy(), shape
    crow, col = torch.from_numpy(ptr), torch.from_numpy(idx)
    if kind == "csr tensors":
        return crow, col, values, shape
    if kind in ("sparse_csr", "sparse_csc", "sparse_coo"):
        values = first_only(values)
        if like.transposed:
            return torch.sparse_csc_tensor(crow, col, values, shape[::-1], check_invariants=False)
        if kind == "sparse_csc" and values.shape[0] <= _MOST and shape[1] < _MOST:
            narrow = ptr.astype(np.int32, copy=False), idx.astype(np.int32, copy=False)
            *turned, source = kernels.csr_transpose((*narrow, shape[1]))
            ccol, row = (torch.from_numpy(x.astype(ptr.dtype, copy=False)) for x in turned)
            values = values[torch.from_numpy(source).long()]
            return torch.sparse_csc_tensor(ccol, row, values, shape, check_invariants=False)
        if kind != "sparse_coo":
            return torch.sparse_csr_tensor(crow, col, values, shape, check_invariants=False)
        index = torch.stack([_rows_of(crow), col.long()])
        return torch.sparse_coo_tensor(
            index, values, shape, is_coalesced=True, check_invariants=False
        )
    index = torch.stack([_rows_of(crow), col.long()])
    if kind == "EdgeIndex":
        from torch_geometric import EdgeIndex

        return EdgeIndex(index, sparse_size=shape, sort_order="row"), values
    if kind == "torch_sparse":
        from torch_sparse import SparseTensor

        return SparseTensor(rowptr=crow.long(), col=col.long(), value=values, sparse_sizes=shape)
    return index, values, shape[0] if shape[0] == shape[1] else shape


def _rows_of(crow: Tensor) -> Tensor:
    return torch.repeat_interleave(torch.arange(crow.shape[0] - 1), crow.diff().long())


def _wrap_scipy(like: Csr, ptr: Array, idx: Array, values: Array, shape: tuple[int, int]) -> Any:
    if importlib.util.find_spec("scipy") is None:  # pragma: no cover - it made the operand
        raise MissingExtraError("a scipy result needs scipy", "sparse")
    import scipy.sparse as sp

    is_array = isinstance(like.like, sp.sparray)
    if like.transposed:
        cls = sp.csc_array if is_array else sp.csc_matrix
        shape = shape[::-1]
    else:
        cls = sp.csr_array if is_array else sp.csr_matrix
    out = cls(shape, dtype=values.dtype)
    # Assigned, not passed: the constructor would look through all indices again.
    out.data, out.indices, out.indptr = values, idx, ptr
    out.has_canonical_format = True
    own = like.container.removeprefix("scipy ")
    return out if own in ("csr", "csc") and own == out.format else out.asformat(own)
