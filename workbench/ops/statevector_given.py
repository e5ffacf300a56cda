# SPDX-License-Identifier: Apache-2.0
"""State vectors from given initial states, one for each sample, over ``csrc/statevector``.

Beside :mod:`workbench.ops.statevector`, whose operators begin with ``|0...0>`` and take the first
gates of every wire into the start: here no gate can be, and the reverse sweep goes back to the
start, so that the initial states have gradients too.
"""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from workbench.ops import statevector as plain
from workbench.ops._buffers import empty
from workbench.ops.program import Observables, Program

__all__ = ["expectation", "statevector"]


def expectation(
    program: Program, observables: Observables, weights: Tensor, inputs: Tensor, start: Tensor
) -> Tensor:
    """Expectation values of Pauli sums in the state that a program makes of a given one.

    Parameters
    ----------
    program, observables, weights, inputs
        As for :func:`workbench.ops.statevector.expectation`, on the CPU.
    start : Tensor
        complex64 for float32 parameters, complex128 for float64, shape ``(B, 2**n)``; norms are
        the caller's business.

    Returns
    -------
    Tensor
        Shape ``(B, n_obs)``. Differentiable once, in reverse mode, with respect to weights,
        inputs and start.

    Raises
    ------
    TypeError, ValueError
        For other dtypes and shapes, another device, and numbers that are not finite.
    NotImplementedError
        In forward mode, and under the transforms of ``torch.func``.
    """
    _check("expectation", program, weights, inputs, start)
    keep = torch.is_grad_enabled()
    out: Tensor = _Expectation.apply(keep, program, observables, weights, inputs, start)[0]
    return out


def statevector(program: Program, weights: Tensor, inputs: Tensor, start: Tensor) -> Tensor:
    """The states a program makes of given ones.

    Parameters
    ----------
    program, weights, inputs, start
        As for :func:`expectation`.

    Returns
    -------
    Tensor
        complex64 or complex128, shape ``(B, 2**n)``. Differentiable once, in reverse mode.

    Raises
    ------
    TypeError, ValueError, NotImplementedError
        As for :func:`expectation`.
    """
    _check("statevector", program, weights, inputs, start)
    keep = torch.is_grad_enabled()
    out: Tensor = _Statevector.apply(keep, program, weights, inputs, start)[0]
    return out


def _check(function: str, program: Program, weights: Tensor, inputs: Tensor, start: Tensor) -> None:
    if torch._C._are_functorch_transforms_active():
        _refuse(function, "torch.func")
    plain._check(function, program, weights, inputs)
    dtype = plain._COMPLEX[weights.dtype]
    if start.dtype != dtype:
        raise TypeError(f"{function}: start must be {dtype}, got {start.dtype}")
    shape = (inputs.shape[0], 2**program.n_wires)
    if tuple(start.shape) != shape:
        raise ValueError(f"{function}: start must have shape {shape}, got {tuple(start.shape)}")
    for name, value in (("weights", weights), ("inputs", inputs), ("start", start)):
        if value.device.type != "cpu":
            raise ValueError(f"{function}: {name} must be on the CPU, got {value.device}")
    if not bool(torch.isfinite(torch.view_as_real(start.detach().resolve_conj())).all()):
        raise ValueError(f"{function}: start must be finite, got a NaN or an infinity")


def _complex(x: Tensor) -> Any:
    return x.detach().resolve_conj().resolve_neg().contiguous().numpy()


def _refuse(function: str, transform: str) -> NoReturn:
    raise NotImplementedError(
        f"{function}: {transform} is not supported from given initial states; use reverse mode, "
        "or workbench.ops.reference.statevector, which is plain torch"
    )


def _state(keep: bool, program: Program, weights: Tensor, inputs: Tensor) -> Tensor:
    """Room for what the reverse sweep begins with."""
    size = plain._state_size(program.n_wires, inputs.shape[0], weights.dtype)
    return empty(size if keep else 0, weights.dtype)


class _Gradients(torch.autograd.Function):
    """The reverse sweep, a function of its own so that its derivatives are refused, not zero."""

    @staticmethod
    def forward(
        ctx: Any, function: str, kernel: Any, want: tuple[bool, ...], head: Any, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        ctx.function = function
        weights, inputs, start, state, gradient = tensors
        shapes = zip((weights, inputs, start), want, strict=True)
        buffers = tuple(empty(x.shape if wanted else 0, x.dtype) for x, wanted in shapes)
        outputs = [b.numpy() if wanted else None for b, wanted in zip(buffers, want, strict=True)]
        kernel[weights.dtype](
            *head,
            plain._array(weights),
            plain._array(inputs),
            plain._array(state),
            _complex(gradient),
            *outputs[:2],
            True,
            outputs[2],
        )
        return buffers

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> NoReturn:
        _refuse(ctx.function, "a second derivative")


def _gradients(ctx: Any, function: str, kernel: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    want = tuple(ctx.needs_input_grad[-3:])
    found = _Gradients.apply(function, kernel, want, ctx.head, *ctx.saved_tensors, gradient)
    return tuple(g if wanted else None for g, wanted in zip(found, want, strict=True))


class _Expectation(torch.autograd.Function):
    @staticmethod
    def forward(
        keep: bool,
        program: Program,
        observables: Observables,
        weights: Tensor,
        inputs: Tensor,
        start: Tensor,
    ) -> tuple[Tensor, Tensor]:
        values = empty((inputs.shape[0], observables.n_rows), weights.dtype)
        state = _state(keep, program, weights, inputs)
        plain._EXPECTATION[weights.dtype](
            *_Expectation.head(program, observables),
            plain._array(weights),
            plain._array(inputs),
            values.numpy(),
            state.numpy() if keep else None,
            _complex(start),
        )
        return values, state

    @staticmethod
    def head(program: Program, observables: Observables) -> tuple[Any, ...]:
        circuit = program.code.numpy(), program.data.numpy(), program.n_wires
        return *circuit, observables.terms.numpy(), observables.coefficients.numpy()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        _, program, observables, *tensors = inputs
        ctx.head = _Expectation.head(program, observables)
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*tensors, output[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Any, ...]:
        found = _gradients(ctx, "expectation", plain._EXPECTATION_BACKWARD, gradient)
        return None, None, None, *found

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> NoReturn:
        _refuse("expectation", "forward mode")


class _Statevector(torch.autograd.Function):
    @staticmethod
    def forward(
        keep: bool, program: Program, weights: Tensor, inputs: Tensor, start: Tensor
    ) -> tuple[Tensor, Tensor]:
        amplitudes = empty(start.shape, start.dtype)
        state = _state(keep, program, weights, inputs)
        plain._AMPLITUDES[weights.dtype](
            program.code.numpy(),
            program.data.numpy(),
            program.n_wires,
            plain._array(weights),
            plain._array(inputs),
            amplitudes.numpy(),
            state.numpy() if keep else None,
            _complex(start),
        )
        return amplitudes, state

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
        _, program, *tensors = inputs
        ctx.head = program.code.numpy(), program.data.numpy(), program.n_wires
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(*tensors, output[1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Any) -> tuple[Any, ...]:
        found = _gradients(ctx, "statevector", plain._AMPLITUDES_BACKWARD, gradient)
        return None, None, *found

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> NoReturn:
        _refuse("statevector", "forward mode")
