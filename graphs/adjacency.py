# SPDX-License-Identifier: Apache-2.0
"""Adjacency matrices from any container, and answers in the kind that came in."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from workbench.ops.sparse_operands import Csr, unwrap, wrap

__all__ = ["Indices", "csr_tensor", "entries_of", "give_back", "rows_of", "square", "vector"]

Indices = npt.NDArray[Any]


def square(A: Any, combine: str = "any") -> Csr:
    """Read an adjacency matrix.

    Parameters
    ----------
    A
        Shape ``(n, n)``, any container of :func:`workbench.ops.spgemm.spgemm`.
    combine : str
        What parallel edges become: any (one of them), plus, min.

    Raises
    ------
    ValueError
        If it is not square, or its indices do not make a matrix.
    TypeError
        If the container is not supported.
    """
    a = unwrap(A, "A", combine=combine)
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"A must be square, an adjacency matrix, got shape {a.shape}")
    return a


def csr_tensor(ptr: Any, idx: Any, values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Make a torch CSR tensor of canonical arrays (ndarray or tensor), without a copy."""
    ptr, idx = (torch.as_tensor(x) for x in (ptr, idx))
    with warnings.catch_warnings():
        # That torch calls its CSR layout beta is no news to who passed a scipy matrix.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        return torch.sparse_csr_tensor(ptr, idx, values, shape, check_invariants=False)


def entries_of(matrix: Tensor) -> tuple[Indices, Indices, Tensor]:
    """Row pointers, columns and values of a torch CSR tensor."""
    return matrix.crow_indices().numpy(), matrix.col_indices().numpy(), matrix.values()


def rows_of(ptr: Indices) -> npt.NDArray[np.int64]:
    """Row of every entry."""
    return np.repeat(np.arange(ptr.shape[0] - 1, dtype=np.int64), np.diff(ptr))


def give_back(like: Csr, ptr: Indices, idx: Indices, values: Tensor, rows: int) -> Any:
    """A matrix of so many rows in the container that `like` came in."""
    wanted = np.int64 if max(rows, idx.shape[0]) > np.iinfo(np.int32).max else like.index_dtype
    ptr, idx = ptr.astype(wanted, copy=False), idx.astype(wanted, copy=False)
    return wrap(like, ptr, idx, values, (rows, like.shape[1]))


def vector(like: Csr, values: Tensor | Indices) -> Any:
    """An ndarray for scipy's containers, a tensor for the others."""
    tensor = torch.as_tensor(values)
    return tensor.numpy() if like.container.startswith("scipy") else tensor
