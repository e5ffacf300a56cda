# SPDX-License-Identifier: Apache-2.0
"""The containers a graph may come in."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch


def _torch(m):
    m = m.tocoo()
    index = torch.from_numpy(np.stack([m.row, m.col]).astype(np.int64))
    return torch.sparse_coo_tensor(
        index, torch.from_numpy(np.array(m.data)), m.shape, check_invariants=True
    )


def _edge_list(m):
    m = m.tocoo()
    index = torch.from_numpy(np.stack([m.row, m.col]).astype(np.int64))
    order = torch.from_numpy(np.random.default_rng(0).permutation(m.nnz))
    return index[:, order], torch.from_numpy(np.array(m.data))[order], m.shape[0]


def _edge_index(m):
    geometric = pytest.importorskip("torch_geometric")
    index = _edge_list(m)[0]
    return geometric.EdgeIndex(index, sparse_size=m.shape).sort_by("row").values


CONTAINERS = {
    "csr_array": sp.csr_array,
    "csr_matrix": sp.csr_matrix,
    "csc_array": sp.csc_array,
    "coo_array": sp.coo_array,
    "torch csr": lambda m: _torch(m).to_sparse_csr(),
    "torch csc": lambda m: _torch(m).to_sparse_csc(),
    "torch coo": _torch,
    "edge list": _edge_list,
    "EdgeIndex": _edge_index,
}


@pytest.fixture(params=CONTAINERS)
def contained(request):
    """A function that puts a scipy array into one of the containers."""
    return CONTAINERS[request.param]


@pytest.fixture
def dense():
    """A function that reads a matrix in any container as a dense array."""

    def read(m):
        if isinstance(m, tuple):
            index, values, *size = m
            n = size[0] if size else index.sparse_size()
            shape = (n, n) if isinstance(n, int) else tuple(n)
            index = torch.as_tensor(np.asarray(index.tolist(), dtype=np.int64).reshape(2, -1))
            m = torch.sparse_coo_tensor(index, values, shape)
        if isinstance(m, torch.Tensor):
            return m.to_dense().numpy()
        return m.toarray()

    return read
