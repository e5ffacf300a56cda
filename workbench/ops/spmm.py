# SPDX-License-Identifier: Apache-2.0
"""Sparse times dense, and products of dense rows sampled at a sparse pattern."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workbench.ops import _transforms
from workbench.ops._native import kernels
from workbench.ops.sparse_operands import (
    _is_vouched,
    _vouch,
    dense_tensor,
    empty,
    limited,
    threads,
    unwrap,
    wrap,
)

__all__ = ["sddmm", "spmm"]

_SUFFIX = {torch.float32: "f32", torch.float64: "f64"}

_LIB = torch.library.Library("workbench", "FRAGMENT")
_LIB.define("spmm(Tensor ptr, Tensor idx, Tensor val, Tensor x) -> Tensor")
_LIB.define("sddmm(Tensor ptr, Tensor idx, Tensor x, Tensor y) -> Tensor")
_LIB.define("csr_transpose(Tensor ptr, Tensor idx, int cols) -> (Tensor, Tensor, Tensor)")
_spmm = torch.ops.workbench.spmm.default
_sddmm = torch.ops.workbench.sddmm.default
_transpose = torch.ops.workbench.csr_transpose.default


def spmm(A: Any, X: Any, *, num_threads: int | None = None, check: bool = True) -> Any:
    """Sparse times dense.

    Parameters
    ----------
    A
        Shape ``(m, k)``, any container :func:`workbench.ops.spgemm.spgemm` takes; float32 or
        float64.
    X : Tensor or ndarray
        Shape ``(k, d)`` or ``(k,)``, dense.
    num_threads : int, optional
        torch's number by default.
    check : bool
        Verify and sort A.

    Returns
    -------
    Tensor or ndarray
        Shape ``(m, d)`` or ``(m,)``, dense, of X's kind. Differentiable any number of times with
        respect to A's values and X; A's gradient stays on its pattern.

    Raises
    ------
    TypeError
        If a dtype is neither float32 nor float64.
    ValueError
        If shapes do not fit.
    """
    with limited("spmm", num_threads):
        a = unwrap(A, "A", check=check)
        x, as_numpy = _dense(X, "X")
        if x.dim() not in (1, 2) or x.shape[0] != a.shape[1]:
            raise ValueError(
                f"X must have shape ({a.shape[1]}, d) or ({a.shape[1]},), got {tuple(x.shape)}"
            )
        dtype = _common(a.values, x)
        matrix = x.unsqueeze(1) if x.dim() == 1 else x
        ptr, idx = torch.from_numpy(a.ptr), torch.from_numpy(a.idx)
        out = _vouch(_spmm, ptr, idx, a.values.to(dtype), matrix.to(dtype))
        out = out.squeeze(1) if x.dim() == 1 else out
        return out.detach().numpy() if as_numpy else out


def sddmm(
    pattern: Any, X: Any, Y: Any, *, num_threads: int | None = None, check: bool = True
) -> Any:
    """``X Y^T`` at the places that a sparse matrix stores, and nowhere else.

    Parameters
    ----------
    pattern
        Shape ``(m, n)``, any container; its values do not matter.
    X, Y : Tensor or ndarray
        Shapes ``(m, d)`` and ``(n, d)``, dense, float32 or float64.
    num_threads : int, optional
        torch's number by default.
    check : bool
        Verify and sort the pattern.

    Returns
    -------
    sparse matrix
        Shape ``(m, n)``, in the pattern's container. Differentiable any number of times.

    Raises
    ------
    TypeError
        If a dtype is neither float32 nor float64.
    ValueError
        If shapes do not fit.
    """
    with limited("sddmm", num_threads):
        p = unwrap(pattern, "pattern", combine="any", check=check)
        x, _ = _dense(X, "X")
        y, _ = _dense(Y, "Y")
        if x.dim() != 2 or x.shape[0] != p.shape[0]:
            raise ValueError(f"X must have shape ({p.shape[0]}, d), got {tuple(x.shape)}")
        if y.shape != (p.shape[1], x.shape[1]):
            raise ValueError(
                f"Y must have shape ({p.shape[1]}, {x.shape[1]}), got {tuple(y.shape)}"
            )
        dtype = _common(x, y)
        crow, col = torch.from_numpy(p.ptr), torch.from_numpy(p.idx)
        values = _vouch(_sddmm, crow, col, x.to(dtype), y.to(dtype))
        ptr, idx = p.ptr.astype(p.index_dtype), p.idx.astype(p.index_dtype)
        return wrap(p, ptr, idx, values, p.shape)


def _dense(x: Any, name: str) -> tuple[Tensor, bool]:
    if isinstance(x, Tensor):
        if x.layout != torch.strided or x.device.type != "cpu":
            raise ValueError(f"{name} must be dense and on the CPU, got {x.layout} on {x.device}")
        return x, False
    return dense_tensor(x, name), True


def _common(x: Tensor, y: Tensor) -> torch.dtype:
    dtype = torch.promote_types(x.dtype, y.dtype)
    if dtype not in _SUFFIX:
        raise TypeError(f"values must be float32 or float64, got {x.dtype} and {y.dtype}")
    return dtype


def _array(x: Tensor) -> Any:
    return x.detach().contiguous().numpy()


def _check_operands(name: str, ptr: Tensor, *dense: Tensor) -> None:
    """Shapes and dtypes of an operator's tensors; the bindings check the pattern itself."""
    if ptr.dim() != 1 or ptr.shape[0] < 1:
        raise ValueError(f"workbench::{name}: ptr must be a vector of at least 1, got {ptr.shape}")
    for x in dense:
        if x.dtype not in _SUFFIX or x.dtype != dense[0].dtype:
            got = " and ".join(str(value.dtype) for value in dense)
            raise TypeError(f"workbench::{name}: values must be float32 or float64, got {got}")


@torch.library.impl(_LIB, "spmm", "CPU")
def _spmm_cpu(ptr: Tensor, idx: Tensor, val: Tensor, x: Tensor) -> Tensor:
    _check_operands("spmm", ptr, val, x)
    if x.dim() != 2:
        raise ValueError(f"workbench::spmm: x must be a matrix, got shape {tuple(x.shape)}")
    rows, width = ptr.shape[0] - 1, x.shape[1]
    out = empty(rows * width, x.dtype).view(rows, width)
    a = _array(ptr), _array(idx), x.shape[0], _is_vouched()
    kernel = getattr(kernels, f"spmm_{_SUFFIX[x.dtype]}")
    kernel(a, _array(val), _array(x), out.numpy(), threads())
    return out


@torch.library.impl(_LIB, "sddmm", "CPU")
def _sddmm_cpu(ptr: Tensor, idx: Tensor, x: Tensor, y: Tensor) -> Tensor:
    _check_operands("sddmm", ptr, x, y)
    if x.dim() != 2 or y.dim() != 2:
        raise ValueError(
            "workbench::sddmm: x and y must be matrices, got shapes "
            f"{tuple(x.shape)} and {tuple(y.shape)}"
        )
    out = empty(idx.shape[0], x.dtype)
    pattern = _array(ptr), _array(idx), y.shape[0], _is_vouched()
    kernel = getattr(kernels, f"sddmm_{_SUFFIX[x.dtype]}")
    kernel(pattern, _array(x), _array(y), out.numpy(), threads())
    return out


@torch.library.impl(_LIB, "csr_transpose", "CPU")
def _transpose_cpu(ptr: Tensor, idx: Tensor, cols: int) -> tuple[Tensor, Tensor, Tensor]:
    parts = kernels.csr_transpose((_array(ptr), _array(idx), cols))
    t_ptr, t_idx, source = (torch.from_numpy(p) for p in parts)
    return t_ptr, t_idx, source


@torch.library.register_fake("workbench::spmm")
def _spmm_fake(ptr: Tensor, idx: Tensor, val: Tensor, x: Tensor) -> Tensor:
    return x.new_empty((ptr.shape[0] - 1, x.shape[1]))


@torch.library.register_fake("workbench::sddmm")
def _sddmm_fake(ptr: Tensor, idx: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return x.new_empty(idx.shape[0])


@torch.library.register_fake("workbench::csr_transpose")
def _transpose_fake(ptr: Tensor, idx: Tensor, cols: int) -> tuple[Tensor, Tensor, Tensor]:
    return ptr.new_empty(cols + 1), idx.new_empty(idx.shape), idx.new_empty(idx.shape)


def _spmm_transposed(ptr: Tensor, idx: Tensor, val: Tensor, x: Tensor, cols: int) -> Tensor:
    t_ptr, t_idx, source = _transpose(ptr, idx, cols)
    out: Tensor = _vouch(_spmm, t_ptr, t_idx, val[source.long()], x)  # just made
    return out


def _spmm_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _spmm_backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    ptr, idx, val, x = ctx.saved_tensors
    _, _, want_val, want_x = ctx.needs_input_grad
    grad_val = _sddmm(ptr, idx, g, x) if want_val else None
    grad_x = _spmm_transposed(ptr, idx, val, g, x.shape[0]) if want_x else None
    return None, None, grad_val, grad_x


def _sddmm_backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    ptr, idx, x, y = ctx.saved_tensors
    _, _, want_x, want_y = ctx.needs_input_grad
    grad_x = _spmm(ptr, idx, g, y) if want_x else None
    grad_y = _spmm_transposed(ptr, idx, g, x, y.shape[0]) if want_y else None
    return None, None, grad_x, grad_y


def _sum(*terms: Tensor | None) -> Tensor:
    first, *rest = (t for t in terms if t is not None)
    return sum(rest, start=first)


def _spmm_tangent(
    arguments: tuple[Any, ...], tangents: tuple[Tensor | None, ...], _: tuple[Tensor, ...]
) -> Tensor:
    ptr, idx, val, x = arguments
    dval, dx = tangents[2:]
    return _sum(
        None if dval is None else _spmm(ptr, idx, dval, x),
        None if dx is None else _spmm(ptr, idx, val, dx),
    )


def _sddmm_tangent(
    arguments: tuple[Any, ...], tangents: tuple[Tensor | None, ...], _: tuple[Tensor, ...]
) -> Tensor:
    ptr, idx, x, y = arguments
    dx, dy = tangents[2:]
    return _sum(
        None if dx is None else _sddmm(ptr, idx, dx, y),
        None if dy is None else _sddmm(ptr, idx, x, dy),
    )


def _fold_columns(size: int, dims: tuple[int | None, ...], *arguments: Any) -> Tensor | None:
    """Dense factors that differ are one with more columns."""
    if dims != (None, None, None, 0):
        return None
    ptr, idx, val, x = arguments
    out: Tensor = _spmm(ptr, idx, val, x.transpose(0, 1).reshape(x.shape[1], -1))
    return out.reshape(-1, size, x.shape[2]).transpose(0, 1)


_transforms.differentiable(
    _LIB,
    "spmm",
    "spmm",
    backward=_spmm_backward,
    setup=_spmm_context,
    tangent=_spmm_tangent,
    second="right",
)
_transforms.differentiable(
    _LIB,
    "sddmm",
    "sddmm",
    backward=_sddmm_backward,
    setup=_spmm_context,
    tangent=_sddmm_tangent,
    second="right",
)
_transforms.constant(_LIB, "csr_transpose", "transpose")
_transforms.batched(_LIB, "spmm", _fold_columns)
_transforms.batched(_LIB, "sddmm")
_transforms.batched(_LIB, "csr_transpose")
