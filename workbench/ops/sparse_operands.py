# SPDX-License-Identifier: Apache-2.0
"""Sparse matrices in whatever container they come, and products given back in the same one.

Inside, every matrix is a :class:`Csr`: canonical rows (columns ascending, none twice), int32
indices, values as a torch tensor on the side.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from workbench.ops._native import kernels

__all__ = ["Csr", "limited", "threads", "unwrap", "wrap"]

Array = npt.NDArray[Any]

#: Entries and sizes the kernels count with 32 bits.
_MOST = 2**31 - 1

#: Beyond so many columns, those that do not occur are numbered away.
_MANY_COLUMNS = 2**26

#: How equal columns of one row are combined, by the semiring's addition.
_COMBINE: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "plus": lambda v, g, n: v.new_zeros(n).index_add(0, g, v),
    "min": lambda v, g, n: v.new_empty(n).index_reduce(0, g, v, "amin", include_self=False),
    "max": lambda v, g, n: v.new_empty(n).index_reduce(0, g, v, "amax", include_self=False),
    "or": lambda v, g, n: (
        torch.zeros(n, dtype=torch.uint8).index_add(0, g, v.to(torch.uint8)).clamp(max=1).bool()
    ),
    "any": lambda v, g, n: v.new_empty(n).index_copy(0, g.flip(0), v.flip(0)),
}


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

    @property
    def pattern(self) -> tuple[Array, Array, int]:
        """As the kernels take it: row pointers, columns, number of columns."""
        return self.ptr, self.idx, self.shape[1]


_workers: ContextVar[int | None] = ContextVar("workbench_sparse_threads", default=None)


def threads() -> int:
    """Threads the sparse operators use: torch's, unless :func:`limited` says otherwise."""
    return _workers.get() or torch.get_num_threads()


@contextmanager
def limited(num_threads: int | None) -> Iterator[None]:
    """Use so many threads in the sparse operators called inside; None changes nothing."""
    if num_threads is not None and num_threads < 1:
        raise ValueError(f"num_threads must be at least 1, got {num_threads}")
    token = _workers.set(num_threads if num_threads is not None else _workers.get())
    try:
        yield
    finally:
        _workers.reset(token)


def _tensor(values: Any, name: str) -> Tensor:
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
    out = array.detach().cpu().numpy() if isinstance(array, Tensor) else np.asarray(array)
    if out.ndim != 1:
        raise ValueError(f"{name} must be a vector, got shape {out.shape}")
    if out.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, got {out.dtype}")
    if out.dtype not in (np.int32, np.int64):
        out = out.astype(np.int64)
    return np.ascontiguousarray(out)


def _canonical(
    name: str,
    ptr: Array,
    idx: Array,
    values: Tensor,
    shape: tuple[int, int],
    combine: str,
    check: bool,
    compact: bool,
) -> tuple[Array, Array, Tensor, Array | None]:
    """Check, sort, combine and narrow; returns pointers, columns, values and column names."""
    rows, cols = shape
    if ptr.shape[0] != rows + 1:
        raise ValueError(f"{name}: indptr must have {rows + 1} entries, got {ptr.shape[0]}")
    if values.dim() != 1 or values.shape[0] != idx.shape[0]:
        raise ValueError(
            f"{name}: there must be one value per index, {idx.shape[0]}, "
            f"got values of shape {tuple(values.shape)}"
        )
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
        ptr32, idx32, values = _sorted(ptr32, idx32, values, rows, combine, order == 2)
    return ptr32, idx32, values.contiguous(), names


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
        torch_sparse ``SparseTensor``, or ``(edge_index, weight, num_nodes)``.
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
    ptr, idx, values, shape, container, like = _parts(matrix, name, transposed)
    index_dtype = np.dtype(np.int64 if ptr.dtype == np.int64 or idx.dtype == np.int64 else np.int32)
    ptr, idx, values, names = _canonical(name, ptr, idx, values, shape, combine, check, compact)
    if names is not None:
        shape = (shape[0], names.shape[0])
    return Csr(ptr, idx, values, shape, container, index_dtype, names, transposed, like)


def _parts(
    matrix: Any, name: str, transposed: bool
) -> tuple[Array, Array, Tensor, tuple[int, int], str, Any]:
    if _is_scipy(matrix):
        wanted = "csc" if transposed else "csr"
        own = matrix.format
        if matrix.ndim != 2:
            raise ValueError(f"{name} must have two dimensions, got {matrix.ndim}")
        m = matrix if own == wanted else matrix.asformat(wanted)
        rows, cols = (int(s) for s in (m.shape[::-1] if transposed else m.shape))
        values = _tensor(m.data, name)
        kind = f"scipy {own if own in ('csr', 'csc', 'coo') else 'csr'}"
        return _integers(m.indptr, name), _integers(m.indices, name), values, (rows, cols), kind, m
    if isinstance(matrix, Tensor) and type(matrix).__name__ == "EdgeIndex":
        return _edge_index_parts(matrix, name)
    if isinstance(matrix, Tensor):
        return _torch_parts(matrix, name, transposed)
    if isinstance(matrix, tuple):
        return _edge_list_parts(matrix, name)
    if hasattr(matrix, "csr") and hasattr(matrix, "sparse_sizes"):
        ptr, idx, value = matrix.csr()
        rows, cols = matrix.sparse_sizes()
        if value is None:
            value = torch.ones(idx.shape[0])
        return _integers(ptr, name), _integers(idx, name), value, (rows, cols), "torch_sparse", None
    raise TypeError(
        f"{name} must be a scipy sparse array, a torch sparse tensor, a PyG EdgeIndex or "
        f"(edge_index, weight, num_nodes), got {type(matrix).__name__}"
    )


def _torch_parts(
    m: Tensor, name: str, transposed: bool
) -> tuple[Array, Array, Tensor, tuple[int, int], str, Any]:
    if m.device.type != "cpu":
        raise ValueError(f"{name} must be on the CPU, got {m.device}; move it with .cpu()")
    if m.dim() != 2:
        raise ValueError(f"{name} must have two dimensions, got {m.dim()}")
    kind = str(m.layout).removeprefix("torch.")
    if kind not in ("sparse_csr", "sparse_csc", "sparse_coo"):
        raise TypeError(
            f"{name} must be sparse (CSR, CSC or COO), got layout {kind}; "
            "convert it with .to_sparse_csr()"
        )
    if m.layout == torch.sparse_coo and m.dense_dim() != 0:
        raise ValueError(f"{name} must have scalar entries, got {m.dense_dim()} dense dimensions")
    rows, cols = int(m.shape[0]), int(m.shape[1])
    if transposed:
        rows, cols = cols, rows
        if m.layout == torch.sparse_csc:
            parts = m.ccol_indices(), m.row_indices(), m.values()
            return (
                _integers(parts[0], name),
                _integers(parts[1], name),
                parts[2],
                (rows, cols),
                kind,
                None,
            )
        m = m.t()
    if m.layout == torch.sparse_csr:
        ptr, idx, values = m.crow_indices(), m.col_indices(), m.values()
    else:
        coo = m.to_sparse_coo() if m.layout == torch.sparse_csc else m
        coo = coo.coalesce()
        row_of, idx = coo.indices()
        values = coo.values()
        ptr = torch.zeros(rows + 1, dtype=torch.int64)
        ptr[1:] = torch.bincount(row_of, minlength=rows).cumsum(0)
    return _integers(ptr, name), _integers(idx, name), values, (rows, cols), kind, None


def _edge_index_parts(m: Any, name: str) -> tuple[Array, Array, Tensor, tuple[int, int], str, Any]:
    (ptr, idx), _ = m.get_csr()
    rows, cols = m.sparse_size()
    rows = int(ptr.shape[0]) - 1 if rows is None else int(rows)
    if cols is None:
        cols = max(rows, int(idx.max()) + 1 if idx.numel() else 0)
    values = torch.ones(idx.shape[0])
    return _integers(ptr, name), _integers(idx, name), values, (rows, int(cols)), "EdgeIndex", m


def _edge_list_parts(
    m: tuple[Any, ...], name: str
) -> tuple[Array, Array, Tensor, tuple[int, int], str, Any]:
    if len(m) != 3:
        raise ValueError(f"{name} must be (edge_index, weight, num_nodes), got {len(m)} parts")
    edges, weight, size = m
    if not isinstance(edges, Tensor) or edges.dim() != 2 or edges.shape[0] != 2:
        raise ValueError(f"{name}: edge_index must be a tensor of shape (2, n_edges)")
    rows, cols = (int(size), int(size)) if not isinstance(size, tuple) else map(int, size)
    row_of, idx = _integers(edges[0], name), _integers(edges[1], name)
    if row_of.size and (row_of.min() < 0 or row_of.max() >= rows):
        raise ValueError(f"{name}: edge_index[0] must be in [0, {rows})")
    order = np.argsort(row_of, kind="stable")
    ptr = np.zeros(rows + 1, dtype=idx.dtype)
    np.cumsum(np.bincount(row_of, minlength=rows), out=ptr[1:])
    values = torch.ones(idx.shape[0]) if weight is None else weight
    if values.shape != (idx.shape[0],):
        raise ValueError(
            f"{name}: weight must have shape ({idx.shape[0]},), got {tuple(values.shape)}"
        )
    kind = "edge list" if weight is not None else "bare edge list"
    return ptr, idx[order], values[torch.from_numpy(order)], (rows, int(cols)), kind, None


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
    if kind.startswith("scipy"):
        return _wrap_scipy(like, ptr, idx, values.detach().numpy(), shape)
    crow, col = torch.from_numpy(ptr), torch.from_numpy(idx)
    if kind in ("sparse_csr", "sparse_csc", "sparse_coo"):
        if like.transposed:
            return torch.sparse_csc_tensor(crow, col, values, shape[::-1], check_invariants=False)
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
        raise ImportError("scipy is missing; install it with: pip install 'workbench[sparse]'")
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
