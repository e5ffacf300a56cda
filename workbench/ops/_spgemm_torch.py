# SPDX-License-Identifier: Apache-2.0
"""Sparse products as torch operators: schema, CPU implementation, fake kernel, autograd.

Patterns are canonical int32 CSR (row pointers of C may be int64); values are strided vectors. What
comes from outside is checked by the bindings; :func:`spgemm` and its kin, whose operands have been
checked when they were read, say so by ``_vouch``. All
derivatives stay on the patterns. With ``t(a, b, g) = sum a_ij b_jk g_ik`` over the places of C,
values, both gradients and all their derivatives are partial derivatives of ``t``, so three kernels
serve every order.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workbench.ops import _transforms
from workbench.ops._native import kernels
from workbench.ops.sparse_operands import _is_vouched, empty, threads

__all__ = ["SEMIRINGS", "gradients", "multiply", "values_on", "winners_on"]

#: Semirings in the kernels' order.
SEMIRINGS = (
    "plus_times",
    "min_plus",
    "max_plus",
    "min_max",
    "max_min",
    "or_and",
    "plus_pair",
    "plus_first",
    "plus_second",
    "min_first",
    "any_pair",
)

_SUFFIX = {
    torch.float32: "f32",
    torch.float64: "f64",
    torch.int32: "i32",
    torch.int64: "i64",
    torch.complex64: "c64",
    torch.complex128: "c128",
    torch.bool: "bool",
}
_FLOATING = (torch.float32, torch.float64)
_DIFFERENTIABLE = (*_FLOATING, torch.complex64, torch.complex128)
_PLUS_TIMES = SEMIRINGS.index("plus_times")
_CHOOSING = (SEMIRINGS.index("min_plus"), SEMIRINGS.index("max_plus"))

_LIB = torch.library.Library("workbench", "FRAGMENT")
_AB = "Tensor a_ptr, Tensor a_idx, Tensor a_val, Tensor b_ptr, Tensor b_idx, Tensor b_val"
_LIB.define(f"spgemm({_AB}, int cols, int semiring, bool wide) -> (Tensor, Tensor, Tensor)")
_LIB.define(f"spgemm_values({_AB}, Tensor c_ptr, Tensor c_idx, int cols, int semiring) -> Tensor")
_LIB.define(
    f"spgemm_gradients({_AB}, Tensor c_ptr, Tensor c_idx, Tensor g, int cols) -> (Tensor, Tensor)"
)
_LIB.define(
    f"spgemm_winners({_AB}, Tensor c_ptr, Tensor c_idx, int cols, int semiring) "
    "-> (Tensor, Tensor, Tensor)"
)

multiply = torch.ops.workbench.spgemm.default
values_on = torch.ops.workbench.spgemm_values.default
gradients = torch.ops.workbench.spgemm_gradients.default
winners_on = torch.ops.workbench.spgemm_winners.default


def _array(x: Tensor) -> Any:
    return x.detach().resolve_conj().resolve_neg().contiguous().numpy()


def _pattern(ptr: Tensor, idx: Tensor, cols: int) -> tuple[Any, Any, int, bool]:
    return _array(ptr), _array(idx), cols, _is_vouched()


def _kernel(name: str, a_val: Tensor, *others: Tensor, dtypes: Any = _SUFFIX) -> Any:
    """The kernel for this type of values, of which all must be."""
    if a_val.dtype not in dtypes:
        known = ", ".join(str(dtype).removeprefix("torch.") for dtype in dtypes)
        raise TypeError(f"workbench::{name}: values must be one of {known}, got {a_val.dtype}")
    for other in others:
        if other.dtype != a_val.dtype:
            raise TypeError(
                f"workbench::{name}: values must be of one type, got {a_val.dtype} and "
                f"{other.dtype}"
            )
    return getattr(kernels, f"{name}_{_SUFFIX[a_val.dtype]}")


def _inner(b_ptr: Tensor) -> int:
    """Columns of A, as B has rows."""
    if b_ptr.dim() != 1 or b_ptr.shape[0] < 1:
        raise ValueError(f"B: indptr must be a vector of at least 1, got {tuple(b_ptr.shape)}")
    return b_ptr.shape[0] - 1


@torch.library.impl(_LIB, "spgemm", "CPU")
def _multiply_cpu(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    cols: int,
    semiring: int,
    wide: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    a = _pattern(a_ptr, a_idx, _inner(b_ptr))
    b = _pattern(b_ptr, b_idx, cols)
    workers = threads()
    if semiring == _PLUS_TIMES and a_val.dtype in _FLOATING:
        kernel = _kernel("spgemm_multiply", a_val, b_val)
        parts = kernel(a, _array(a_val), b, _array(b_val), workers, wide)
        ptr, idx, val = (torch.from_numpy(x) for x in parts)
        return ptr, idx, val
    # Other semirings: the pattern first, then values on it. Columns stay narrow in between.
    ptr, idx, _ = kernels.spgemm_multiply_pattern(a, b, workers, False)
    ptr, idx = torch.from_numpy(ptr), torch.from_numpy(idx)
    narrow = idx.to(torch.int32)
    val = _values_cpu(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, ptr, narrow, cols, semiring)
    return (ptr.long(), idx.long(), val) if wide else (ptr, idx, val)


@torch.library.impl(_LIB, "spgemm_values", "CPU")
def _values_cpu(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    c_ptr: Tensor,
    c_idx: Tensor,
    cols: int,
    semiring: int,
) -> Tensor:
    kernel = _kernel("spgemm_values", a_val, b_val)
    out = empty(c_idx.shape[0], a_val.dtype)
    kernel(
        semiring,
        _pattern(a_ptr, a_idx, _inner(b_ptr)),
        _array(a_val),
        _pattern(b_ptr, b_idx, cols),
        _array(b_val),
        _pattern(c_ptr, c_idx, cols),
        out.numpy(),
        None,
        None,
        threads(),
    )
    return out


@torch.library.impl(_LIB, "spgemm_winners", "CPU")
def _winners_cpu(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    c_ptr: Tensor,
    c_idx: Tensor,
    cols: int,
    semiring: int,
) -> tuple[Tensor, Tensor, Tensor]:
    if semiring not in _CHOOSING:
        raise ValueError("workbench::spgemm_winners: semiring must be min_plus or max_plus")
    kernel = _kernel("spgemm_values", a_val, b_val, dtypes=_FLOATING)
    out = empty(c_idx.shape[0], a_val.dtype)
    won_a, won_b = (torch.full(c_idx.shape, -1, dtype=torch.int32) for _ in range(2))
    kernel(
        semiring,
        _pattern(a_ptr, a_idx, _inner(b_ptr)),
        _array(a_val),
        _pattern(b_ptr, b_idx, cols),
        _array(b_val),
        _pattern(c_ptr, c_idx, cols),
        out.numpy(),
        won_a.numpy(),
        won_b.numpy(),
        threads(),
    )
    return out, won_a, won_b


@torch.library.impl(_LIB, "spgemm_gradients", "CPU")
def _gradients_cpu(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    c_ptr: Tensor,
    c_idx: Tensor,
    g: Tensor,
    cols: int,
) -> tuple[Tensor, Tensor]:
    kernel = _kernel("spgemm_gradients", a_val, b_val, g, dtypes=_DIFFERENTIABLE)
    grad_a, grad_b = empty(a_val.shape[0], a_val.dtype), empty(b_val.shape[0], b_val.dtype)
    kernel(
        _pattern(a_ptr, a_idx, _inner(b_ptr)),
        _array(a_val),
        _pattern(b_ptr, b_idx, cols),
        _array(b_val),
        _pattern(c_ptr, c_idx, cols),
        _array(g),
        grad_a.numpy(),
        grad_b.numpy(),
        threads(),
    )
    return grad_a, grad_b


@torch.library.register_fake("workbench::spgemm")
def _multiply_fake(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    cols: int,
    semiring: int,
    wide: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    nnz = torch.library.get_ctx().new_dynamic_size()
    index = torch.int64 if wide else torch.int32
    return (
        a_ptr.new_empty(a_ptr.shape, dtype=index),
        a_idx.new_empty(nnz, dtype=index),
        a_val.new_empty(nnz),
    )


@torch.library.register_fake("workbench::spgemm_values")
def _values_fake(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    c_ptr: Tensor,
    c_idx: Tensor,
    cols: int,
    semiring: int,
) -> Tensor:
    return a_val.new_empty(c_idx.shape[0])


@torch.library.register_fake("workbench::spgemm_winners")
def _winners_fake(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    c_ptr: Tensor,
    c_idx: Tensor,
    cols: int,
    semiring: int,
) -> tuple[Tensor, Tensor, Tensor]:
    won = c_idx.new_empty(c_idx.shape, dtype=torch.int32)
    return a_val.new_empty(c_idx.shape[0]), won, won.clone()


@torch.library.register_fake("workbench::spgemm_gradients")
def _gradients_fake(
    a_ptr: Tensor,
    a_idx: Tensor,
    a_val: Tensor,
    b_ptr: Tensor,
    b_idx: Tensor,
    b_val: Tensor,
    c_ptr: Tensor,
    c_idx: Tensor,
    g: Tensor,
    cols: int,
) -> tuple[Tensor, Tensor]:
    return a_val.new_empty(a_val.shape), b_val.new_empty(b_val.shape)


def _only_plus_times(semiring: int) -> None:
    if semiring != _PLUS_TIMES:
        raise NotImplementedError(
            f"spgemm: {SEMIRINGS[semiring]} has no gradient; use plus_times, min_plus or "
            "max_plus, which have"
        )


def _multiply_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, cols, semiring, _ = inputs
    ptr, idx, _ = output
    ctx.mark_non_differentiable(ptr, idx)
    ctx.save_for_backward(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, ptr, idx)
    ctx.cols, ctx.semiring = cols, semiring


def _multiply_backward(ctx: Any, _ptr: Tensor, _idx: Tensor, g: Tensor) -> tuple[Any, ...]:
    _only_plus_times(ctx.semiring)
    a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, ptr, idx = ctx.saved_tensors
    idx = idx.to(torch.int32)
    grad_a, grad_b = gradients(
        a_ptr, a_idx, a_val.conj(), b_ptr, b_idx, b_val.conj(), ptr, idx, g, ctx.cols
    )
    return None, None, grad_a, None, None, grad_b, None, None, None


def _values_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    *tensors, ctx.cols, ctx.semiring = inputs
    ctx.save_for_backward(*tensors)


def _values_backward(ctx: Any, g: Tensor) -> tuple[Any, ...]:
    _only_plus_times(ctx.semiring)
    a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, c_ptr, c_idx = ctx.saved_tensors
    grad_a, grad_b = gradients(
        a_ptr, a_idx, a_val.conj(), b_ptr, b_idx, b_val.conj(), c_ptr, c_idx, g, ctx.cols
    )
    return None, None, grad_a, None, None, grad_b, None, None, None, None


def _gradients_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    *tensors, ctx.cols = inputs
    ctx.save_for_backward(*tensors)


def _gradients_backward(ctx: Any, h_a: Tensor, h_b: Tensor) -> tuple[Any, ...]:
    a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, c_ptr, c_idx, g = ctx.saved_tensors
    c = (c_ptr, c_idx)
    grad_a, grad_b = gradients(a_ptr, a_idx, h_a, b_ptr, b_idx, h_b, *c, g.conj(), ctx.cols)
    first = values_on(a_ptr, a_idx, h_a, b_ptr, b_idx, b_val.conj(), *c, ctx.cols, _PLUS_TIMES)
    second = values_on(a_ptr, a_idx, a_val.conj(), b_ptr, b_idx, h_b, *c, ctx.cols, _PLUS_TIMES)
    return None, None, grad_a, None, None, grad_b, None, None, first + second, None


def _winners_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    _, won_a, won_b = output
    ctx.mark_non_differentiable(won_a, won_b)
    ctx.save_for_backward(won_a, won_b)
    ctx.sizes = inputs[2].shape[0], inputs[5].shape[0]


def _winners_backward(ctx: Any, g: Tensor, _a: Tensor, _b: Tensor) -> tuple[Any, ...]:
    won_a, won_b = ctx.saved_tensors
    # Places of a mask that no pair reaches have no winner: their gradient goes to an entry 0 that
    # is left out again.
    grad_a, grad_b = (
        g.new_zeros(size + 1).index_add(0, won + 1, g)[1:]
        for size, won in zip(ctx.sizes, (won_a, won_b), strict=True)
    )
    return None, None, grad_a, None, None, grad_b, None, None, None, None


def _products(arguments: tuple[Any, ...], tangents: tuple[Any, ...], c: Any, cols: int) -> Tensor:
    """dA B + A dB at the places of C."""
    a_ptr, a_idx, a_val, b_ptr, b_idx, b_val = arguments[:6]
    terms: list[Tensor] = []
    for x, y in ((tangents[2], b_val), (a_val, tangents[5])):
        if x is not None and y is not None:
            terms.append(values_on(a_ptr, a_idx, x, b_ptr, b_idx, y, *c, cols, _PLUS_TIMES))
    return terms[0] if len(terms) == 1 else terms[0] + terms[1]


def _multiply_tangent(
    arguments: tuple[Any, ...], tangents: tuple[Any, ...], outputs: tuple[Tensor, ...]
) -> tuple[None, None, Tensor]:
    cols, semiring, _ = arguments[6:]
    _only_plus_times(semiring)
    c = outputs[0], outputs[1].to(torch.int32)
    return None, None, _products(arguments, tangents, c, cols)


def _values_tangent(
    arguments: tuple[Any, ...], tangents: tuple[Any, ...], _: tuple[Tensor, ...]
) -> Tensor:
    *c, cols, semiring = arguments[6:]
    _only_plus_times(semiring)
    return _products(arguments, tangents, c, cols)


def _gradients_tangent(
    arguments: tuple[Any, ...], tangents: tuple[Any, ...], _: tuple[Tensor, ...]
) -> tuple[Tensor, Tensor]:
    a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, *c, g, cols = arguments
    da, db, dg = tangents[2], tangents[5], tangents[8]
    change_a, change_b = torch.zeros_like(a_val), torch.zeros_like(b_val)
    if da is not None or db is not None:
        da = torch.zeros_like(a_val) if da is None else da
        db = torch.zeros_like(b_val) if db is None else db
        change_a, change_b = gradients(a_ptr, a_idx, da, b_ptr, b_idx, db, *c, g, cols)
    if dg is not None:
        more_a, more_b = gradients(a_ptr, a_idx, a_val, b_ptr, b_idx, b_val, *c, dg, cols)
        change_a, change_b = change_a + more_a, change_b + more_b
    return change_a, change_b


def _winners_tangent(
    arguments: tuple[Any, ...], tangents: tuple[Any, ...], outputs: tuple[Tensor, ...]
) -> tuple[Tensor, None, None]:
    value, *won = outputs
    change = torch.zeros_like(value)
    for dx, at in zip((tangents[2], tangents[5]), won, strict=True):
        if dx is not None:
            # Entry 0 stands for a place that no pair reaches.
            change = change + torch.cat([dx.new_zeros(1), dx]).index_select(0, at.long() + 1)
    return change, None, None


for _name, _backward, _context, _tangent in (
    ("spgemm", _multiply_backward, _multiply_context, _multiply_tangent),
    ("spgemm_values", _values_backward, _values_context, _values_tangent),
    ("spgemm_gradients", _gradients_backward, _gradients_context, _gradients_tangent),
    ("spgemm_winners", _winners_backward, _winners_context, _winners_tangent),
):
    _transforms.differentiable(
        _LIB,
        _name,
        "spgemm",
        backward=_backward,
        setup=_context,
        tangent=_tangent,
        second="right",
    )
    _transforms.batched(_LIB, _name)
