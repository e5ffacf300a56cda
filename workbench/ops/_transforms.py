# SPDX-License-Identifier: Apache-2.0
"""What torch's transforms find when they meet an operator: a rule, or a refusal by name.

``torch.library.register_autograd`` knows reverse mode only: an argument that carries a tangent
of forward mode passes through it and loses the tangent, a derivative of zero that nobody
notices, and ``torch.func.grad`` is refused with a message about torch's own classes. So every
operator of this package is declared here instead, once, by :func:`differentiable`,
:func:`once_differentiable`, :func:`constant` and :func:`batched`; ``docs/transforms.md``
shows :data:`ROWS`, what was declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, NoReturn

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.autograd.function import _SingleLevelFunction

__all__ = [
    "ROWS",
    "Row",
    "active",
    "array_of",
    "batched",
    "constant",
    "differentiable",
    "fold_directions",
    "fold_samples",
    "is_wrapped",
    "list_of",
    "once_differentiable",
    "outside",
    "refuse_transforms",
    "refuse_vmap",
]

# torch does not annotate what follows; its own registration of autograd uses the same.
_C: Any = torch._C
_VF: Any = torch._VF  # type: ignore[attr-defined]
_LIBRARY: Any = torch.library


def _some_requires_grad(*arguments: Any) -> bool:
    return any(isinstance(x, Tensor) and x.requires_grad for x in arguments)


# In C++ from torch 2.8 on.
_any_requires_grad = getattr(_C, "_any_requires_grad", _some_requires_grad)

Tangent = Callable[[tuple[Any, ...], tuple[Tensor | None, ...], tuple[Tensor, ...]], Any]


@dataclass
class Row:
    """What was declared of one operator.

    Attributes
    ----------
    function : str
        The public function it serves, which its messages name.
    reverse, forward, second : str
        ``"right"``, ``"refused"`` or ``"constant"``: first derivatives in reverse and forward
        mode, and second derivatives.
    vmap : str
        ``"folded"`` into the batch the kernel takes, ``"loop"``, or ``"none"`` before
        :func:`batched` was called.
    """

    function: str
    reverse: str
    forward: str
    second: str
    vmap: str = "none"


#: Operator name, without the namespace, to what was declared of it.
ROWS: dict[str, Row] = {}


def active() -> bool:
    """Whether a transform of torch may be watching: compilation, functorch or forward mode."""
    return (
        torch.compiler.is_compiling()
        or forward_ad._current_level >= 0
        or _C._are_functorch_transforms_active()
    )


@contextmanager
def outside() -> Iterator[None]:
    """Calls of torch functions that no transform of ``torch.func`` is to see.

    Within a transform it wraps the result of every call, constants' too, and what is wrapped has
    no memory that a kernel could read.
    """
    layers = []
    try:
        while _C._functorch.peek_interpreter_stack() is not None:
            layers.append(_C._functorch.pop_dynamic_layer_stack())
        yield
    finally:
        while layers:
            _C._functorch.push_dynamic_layer_stack(layers.pop())


def list_of(x: Tensor) -> list[Any]:
    """The numbers of a tensor that no transform has touched, such as a program's, as a list."""
    with outside():
        return x.tolist()  # type: ignore[no-any-return]


def array_of(x: Tensor, name: str) -> Any:
    """A tensor without derivatives, such as indices, as an ndarray, inside of transforms too.

    Parameters
    ----------
    x : Tensor
    name : str
        For the message.

    Raises
    ------
    NotImplementedError
        If it differs from sample to sample of a vmap.
    """
    if not _C._are_functorch_transforms_active():
        return x.detach().numpy()
    while _C._functorch.is_functorch_wrapped_tensor(x):
        if _C._functorch.is_batchedtensor(x):
            raise NotImplementedError(
                f"{name}: vmap over patterns is not supported; use a loop over them"
            )
        x = _C._functorch.get_unwrapped(x)
    with outside():
        return x.detach().numpy()


def refuse_transforms(function: str, advice: str, *tensors: Any) -> None:
    """Refuse tensors that carry tangents or stand for many, before their numbers are read.

    For functions that read numbers outside of any operator, to which a transform is invisible.

    Parameters
    ----------
    function : str
        Named in the message.
    advice : str
        What to do instead: follows "use".
    *tensors : object
        Anything but tensors passes.

    Raises
    ------
    NotImplementedError
        If one is a dual tensor or belongs to a transform of ``torch.func``.
    """
    if forward_ad._current_level < 0 and not _C._are_functorch_transforms_active():
        return
    for x in tensors:
        if not isinstance(x, Tensor):
            continue
        if _C._functorch.is_batchedtensor(x):
            raise NotImplementedError(f"{function}: vmap is not supported; use {advice}")
        if (_C._functorch.is_functorch_wrapped_tensor(x) and x.is_floating_point()) or _tangent(
            x
        ) is not None:
            raise NotImplementedError(
                f"{function}: derivatives by torch.func and forward mode are not supported; "
                f"use {advice}"
            )


def refuse_vmap(function: str, advice: str, *tensors: Any) -> None:
    """Refuse tensors that stand for many, for functions that decide by their numbers.

    Parameters
    ----------
    function, advice, *tensors
        As for :func:`refuse_transforms`.

    Raises
    ------
    NotImplementedError
        If one belongs to a vmap.
    """
    if not _C._are_functorch_transforms_active():
        return
    for x in tensors:
        while isinstance(x, Tensor) and _C._functorch.is_functorch_wrapped_tensor(x):
            if _C._functorch.is_batchedtensor(x):
                raise NotImplementedError(f"{function}: vmap is not supported; use {advice}")
            x = _C._functorch.get_unwrapped(x)


def is_wrapped(x: Tensor) -> bool:
    """Whether a tensor belongs to a transform of ``torch.func``."""
    return bool(_C._functorch.is_functorch_wrapped_tensor(x))


def differentiable(
    lib: Any,
    name: str,
    function: str,
    *,
    backward: Callable[..., Any],
    setup: Callable[..., None],
    tangent: Tangent | None = None,
    advice: str = "",
    second: str = "refused",
    keep: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None = None,
) -> None:
    """Declare the derivatives of an operator.

    Parameters
    ----------
    lib : torch.library.Library
    name : str
        Of the operator, without the namespace.
    function : str
        The public function, which messages name.
    backward, setup : callable
        As for ``torch.library.register_autograd``.
    tangent : callable, optional
        Forward mode: ``tangent(arguments, tangents, outputs)`` gives the tangent of each output,
        None for one that has none; tangents are None where an argument has none. Without it
        forward mode is refused.
    advice : str
        What to do instead of forward mode: follows "use".
    second : str
        ``"right"`` where backward and tangent are made of operators that are differentiable.
    keep : callable, optional
        Changes the arguments where a gradient is wanted: to keep what backward needs.
    """
    op = getattr(torch.ops.workbench, name).default
    node = _node(op, f"{name}_backward_node", backward, setup)

    def below(keyset: Any, arguments: tuple[Any, ...]) -> Any:
        with _C._AutoDispatchBelowAutograd():
            return op.redispatch(keyset & _C._after_autograd_keyset, *arguments)

    def kernel(keyset: Any, *arguments: Any) -> Any:
        functional = _C._are_functorch_transforms_active()
        if functional or forward_ad._current_level >= 0:
            tangents = tuple(_tangent(a) if isinstance(a, Tensor) else None for a in arguments)
            if any(t is not None for t in tangents):
                if tangent is None:
                    _refuse_forward(function, advice)
                return _forward_mode(op, arguments, tangents, tangent)
        if not (_C.is_grad_enabled() and _any_requires_grad(*arguments)):
            return below(keyset, arguments)
        if keep is not None:
            arguments = keep(arguments)
        if not functional:
            return node.apply(*arguments, keyset)
        allowed = _C._functorch.get_single_level_autograd_function_allowed()
        _C._functorch.set_single_level_autograd_function_allowed(True)
        try:
            return node.apply(*arguments, keyset)
        finally:
            _C._functorch.set_single_level_autograd_function_allowed(allowed)

    lib.impl(name, kernel, "Autograd", with_keyset=True)
    ROWS[name] = Row(function, "right", "refused" if tangent is None else "right", second)


def once_differentiable(lib: Any, name: str, function: str, advice: str) -> None:
    """Declare that an operator, a gradient or a tangent itself, cannot be differentiated.

    Parameters
    ----------
    lib, name, function
        As for :func:`differentiable`.
    advice : str
        What to do instead of second derivatives: follows "use".
    """

    def refuse(*_: Any) -> NoReturn:
        raise NotImplementedError(f"{function}: second derivatives are not supported; use {advice}")

    differentiable(
        lib, name, function, backward=refuse, setup=lambda ctx, inputs, output: None, tangent=refuse
    )
    ROWS[name] = Row(function, "refused", "refused", "refused")


def constant(lib: Any, name: str, function: str, advice: str = "") -> None:
    """Declare that an operator has no derivative.

    Parameters
    ----------
    lib, name, function
        As for :func:`differentiable`.
    advice : str
        What to do instead; without it every argument is integer or was detached, and the result
        is a constant.
    """
    if advice:

        def refuse(*_: Any) -> NoReturn:
            raise NotImplementedError(f"{function}: derivatives are not supported; use {advice}")

        differentiable(lib, name, function, backward=refuse, setup=refuse, tangent=refuse)
    kind = "refused" if advice else "constant"
    ROWS[name] = Row(function, kind, kind, kind)


def batched(lib: Any, name: str, fold: Callable[..., Any] | None = None) -> None:
    """Declare what ``torch.vmap`` does to an operator.

    Parameters
    ----------
    lib : torch.library.Library
    name : str
        Of an operator declared before.
    fold : callable, optional
        ``fold(size, in_dims, *arguments)``, with every mapped dimension moved to the front
        (``in_dims`` holds 0 or None): the results, each with the mapped dimension in front, or
        None where it does not apply. One call per sample where absent or None.
    """
    op = getattr(torch.ops.workbench, name).default
    row = ROWS[name]
    row.vmap = "loop" if fold is None else "folded"

    def rule(info: Any, in_dims: tuple[int | None, ...], *arguments: Any) -> Any:
        dims = tuple(None if d is None else 0 for d in in_dims)
        moved = tuple(
            a if d is None else a.movedim(d, 0) for a, d in zip(arguments, in_dims, strict=True)
        )
        out = None if fold is None else fold(info.batch_size, dims, *moved)
        if out is None:
            out = _loop(op, row.function, info.batch_size, dims, moved)
        return (out, tuple(0 for _ in out)) if isinstance(out, tuple) else (out, 0)

    _LIBRARY.register_vmap(f"workbench::{name}", rule, lib=lib)


def fold_samples(op: Any) -> Callable[..., Any]:
    """vmap over the last argument, inputs ``(B, F)``, as a larger batch; for :func:`batched`."""

    def fold(size: int, dims: tuple[int | None, ...], *arguments: Any) -> Any:
        *head, inputs = arguments
        if any(d is not None for d in dims[:-1]):
            return None
        batch, width = inputs.shape[1:]
        out = op(*head, inputs.reshape(size * batch, width))
        return out.reshape(size, batch, out.shape[-1])

    return fold


def fold_directions(op: Any) -> Callable[..., Any]:
    """vmap over the last arguments, inputs ``(B, F)``, tangents ``(K, P)`` and ``(K, B, F)``.

    Over tangents it is more directions, over inputs and their tangents a larger batch.
    """

    def fold(size: int, dims: tuple[int | None, ...], *arguments: Any) -> Any:
        *head, inputs, dw, dx = arguments
        inputs_dim, dw_dim, dx_dim = dims[-3:]
        if any(d is not None for d in dims[:-3]):
            return None
        count, batch, width = dx.shape[-3:]
        dx = dx if dx_dim is not None else dx.expand(size, *dx.shape)
        if inputs_dim is None:
            dw = dw if dw_dim is not None else dw.expand(size, *dw.shape)
            out = op(
                *head,
                inputs,
                dw.reshape(size * count, dw.shape[-1]),
                dx.reshape(size * count, batch, width),
            )
            return out.reshape(size, count, batch, out.shape[-1])
        if dw_dim is not None:
            return None
        dx = dx.transpose(0, 1).reshape(count, size * batch, width)
        out = op(*head, inputs.reshape(size * batch, width), dw, dx)
        return out.reshape(count, size, batch, out.shape[-1]).transpose(0, 1)

    return fold


def _loop(
    op: Any, function: str, size: int, dims: tuple[int | None, ...], arguments: tuple[Any, ...]
) -> Any:
    if size == 0:
        # One call on zeros tells the shapes.
        pairs = zip(arguments, dims, strict=True)
        out = op(*(a if d is None else a.new_zeros(a.shape[1:]) for a, d in pairs))
        one = [out] if isinstance(out, Tensor) else out
        none = tuple(x.new_empty((0, *x.shape)) for x in one)
        return none[0] if isinstance(out, Tensor) else none
    runs = [
        op(*(a if d is None else a[i] for a, d in zip(arguments, dims, strict=True)))
        for i in range(size)
    ]
    if isinstance(runs[0], Tensor):
        return _stack(function, runs)
    return tuple(_stack(function, list(column)) for column in zip(*runs, strict=True))


def _stack(function: str, parts: list[Tensor]) -> Tensor:
    shapes = {tuple(p.shape) for p in parts}
    if len(shapes) > 1:
        raise NotImplementedError(
            f"{function}: vmap is not supported over patterns whose results differ in size; "
            "use a loop over them"
        )
    return torch.stack(parts)


def _tangent(x: Tensor) -> Tensor | None:
    # torch has one level of forward mode, 0; torch.func nests it by tensors of its own.
    if x.layout != torch.strided or not (x.is_floating_point() or x.is_complex()):
        return None  # torch gives sparse tensors no tangents
    found: Tensor | None = _VF._unpack_dual(x, level=0)[1]
    return found


def _refuse_forward(function: str, advice: str) -> NoReturn:
    raise NotImplementedError(
        f"{function}: forward-mode derivatives are not supported; use {advice}"
    )


def _forward_mode(
    op: Any, arguments: tuple[Any, ...], tangents: tuple[Tensor | None, ...], rule: Tangent
) -> Any:
    primals = tuple(
        _VF._unpack_dual(a, level=0)[0] if t is not None else a
        for a, t in zip(arguments, tangents, strict=True)
    )
    out = op(*primals)
    values = (out,) if isinstance(out, Tensor) else tuple(out)
    found = rule(primals, tangents, values)
    changes = (found,) if isinstance(out, Tensor) else found
    duals = tuple(
        value if change is None else _VF._make_dual(value, change, level=0)
        for value, change in zip(values, changes, strict=True)
    )
    return duals[0] if isinstance(out, Tensor) else duals


@contextmanager
def _lower_levels() -> Iterator[None]:
    with torch.enable_grad(), forward_ad._set_fwd_grad_enabled(True):
        yield


def _node(op: Any, name: str, backward: Callable[..., Any], setup: Callable[..., None]) -> Any:
    """The node of reverse mode at one level of transforms, as a kernel of the dispatcher needs."""

    def forward(ctx: Any, *arguments: Any) -> Any:
        *rest, keyset = arguments
        # A node's forward runs without derivatives; those of the transforms outside this one are
        # to be recorded all the same.
        modes = _lower_levels() if _C._are_functorch_transforms_active() else nullcontext()
        with _C._AutoDispatchBelowAutograd(), modes:
            out = op.redispatch(keyset & _C._after_autograd_keyset, *rest)
            setup(ctx, tuple(rest), out)
        return out

    def reverse(ctx: Any, *gradients: Any) -> Any:
        needs = ctx.needs_input_grad
        ctx.needs_input_grad = needs[:-1]
        try:
            found = backward(ctx, *gradients)
        finally:
            ctx.needs_input_grad = needs
        return (*found, None) if isinstance(found, tuple) else (found, None)

    members = {"forward": staticmethod(forward), "backward": staticmethod(reverse)}
    return type(name, (_SingleLevelFunction,), members)
