# SPDX-License-Identifier: Apache-2.0
"""Sparse times sparse on a CUDA device: C = A B over CSR matrices in torch tensors.

    ptr, idx, val = multiply_cuda(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, cols)

Rows of C are sorted, and the same device gives the same bits every time.
"""

from __future__ import annotations

import torch
from torch import Tensor

from workbench.ops import _transforms
from workbench.ops._buffers import empty
from workbench.ops._native import kernels

__all__ = ["multiply_cuda"]

_MOST = 2**31 - 1  # sizes of the operands are 32-bit, of products 64-bit


def _check_tensor(name: str, t: Tensor, dtype: torch.dtype, device: torch.device) -> Tensor:
    if t.dim() != 1:
        raise ValueError(f"{name} must have one dimension, got shape {tuple(t.shape)}")
    if t.device != device:
        raise ValueError(f"{name} must be on {device} as a_ptr is, is on {t.device}")
    if t.dtype != dtype:
        raise ValueError(f"{name} must be {dtype}, got {t.dtype}")
    _transforms.refuse_transforms("multiply_cuda", "workbench.ops.spgemm.spgemm on the CPU", t)
    return t.detach().contiguous()


def _check_rows(which: str, ptr: Tensor, idx: Tensor, cols: int, cols_name: str) -> None:
    """Canonical CSR: pointers rise from 0 to the end, columns are in range and ascend in rows."""
    count = idx.numel()
    ends = ptr[[0, -1]].tolist()
    if ends != [0, count]:
        raise ValueError(
            f"{which}_ptr must go from 0 to the length of {which}_idx, {count}; "
            f"goes from {ends[0]} to {ends[1]}"
        )
    if bool((ptr[1:] < ptr[:-1]).any()):
        raise ValueError(f"{which}_ptr must not decrease")
    if count == 0:
        return
    low, high = (int(v) for v in torch.aminmax(idx))
    if low < 0 or high >= cols:
        raise ValueError(
            f"{which}_idx must be 0 to {cols - 1}, less than {cols_name}; is {low} to {high}"
        )
    rises = idx[1:] > idx[:-1]
    starts = ptr[1:-1]
    starts = starts[(starts > 0) & (starts < count)].long()
    rises[starts - 1] = True  # from one row to the next columns may fall
    if not bool(rises.all()):
        raise ValueError(f"{which}_idx must ascend within each row, no column twice")


def multiply_cuda(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    cols: int,
    *,
    check: bool = True,
) -> tuple[Tensor, Tensor, Tensor]:
    """C = A B on its structural pattern, for CSR matrices on one CUDA device.

    Args:
        a_ptr, a_idx, a_val: A (m x k): int32 row pointers (m + 1) and columns, float32 or float64
            values. Rows are canonical: columns ascend and none stands twice.
        b_ptr, b_idx, b_val: B (k x ``cols``), likewise, of A's dtype.
        cols: columns of B; at most 2**31 - 1.
        check: verify the contents of pointers and columns, a pass over both matrices. Without it
            wrong contents corrupt memory.

    Returns:
        Row pointers, columns and values of C. Pointers are int32, or int64 where C has 2**31
        entries or more. An entry's products are added in the order of A's row, in A's dtype.

    Raises:
        ValueError: an argument is not as described; the message names it.
        RuntimeError: CUDA is not built in, no device is usable, or a call to it failed.

    Complexity:
        O(products) time, O(rows) scratch and 8 bytes per window of 2**16 bytes of a row of more
        than 8192 entries. Waits for the device to learn the sizes; work is put on torch's current
        stream. Safe to call from several threads. Not differentiable.
    """
    device = a_ptr.device
    if device.type != "cuda":
        raise ValueError(f"a_ptr must be on a CUDA device, is on {device}")
    dtype = a_val.dtype
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"a_val must be float32 or float64, got {dtype}")
    a_ptr = _check_tensor("a_ptr", a_ptr, torch.int32, device)
    a_idx = _check_tensor("a_idx", a_idx, torch.int32, device)
    a_val = _check_tensor("a_val", a_val, dtype, device)
    b_ptr = _check_tensor("b_ptr", b_ptr, torch.int32, device)
    b_idx = _check_tensor("b_idx", b_idx, torch.int32, device)
    b_val = _check_tensor("b_val", b_val, dtype, device)
    if not 0 <= cols <= _MOST:
        raise ValueError(f"cols must be 0 to 2**31 - 1, got {cols}")
    for which, ptr, idx, val in (("a", a_ptr, a_idx, a_val), ("b", b_ptr, b_idx, b_val)):
        if not 1 <= ptr.numel() <= _MOST:
            raise ValueError(f"{which}_ptr must have 1 to 2**31 - 1 elements, got {ptr.numel()}")
        if idx.numel() > _MOST:
            raise ValueError(f"{which}_idx must have at most 2**31 - 1 elements")
        if val.numel() != idx.numel():
            raise ValueError(
                f"{which}_val must have the length of {which}_idx, {idx.numel()}, got {val.numel()}"
            )
    rows, inner = a_ptr.numel() - 1, b_ptr.numel() - 1
    with torch.cuda.device(device):
        if check:
            _check_rows("a", a_ptr, a_idx, inner, "the rows of B")
            _check_rows("b", b_ptr, b_idx, cols, "cols")
        index = torch.cuda.current_device()
        stream = torch.cuda.current_stream().cuda_stream
        work = empty(3 * rows, torch.int32, device)
        c_ptr = empty(rows + 1, torch.int64, device)
        a, b = (a_ptr.data_ptr(), a_idx.data_ptr()), (b_ptr.data_ptr(), b_idx.data_ptr())
        nnz = kernels.spgemm_cuda_count(
            rows, *a, *b, work.data_ptr(), c_ptr.data_ptr(), index, stream
        )
        c_idx = empty(nnz, torch.int32, device)
        c_val = empty(nnz, dtype, device)
        if nnz > 0:
            fill = (
                kernels.spgemm_cuda_fill_f32
                if dtype == torch.float32
                else kernels.spgemm_cuda_fill_f64
            )
            fill(
                rows,
                *(*a, a_val.data_ptr()),
                *(*b, b_val.data_ptr()),
                *(work.data_ptr(), c_ptr.data_ptr(), c_idx.data_ptr(), c_val.data_ptr()),
                index,
                stream,
            )
    return (c_ptr if nnz > _MOST else c_ptr.to(torch.int32)), c_idx, c_val
