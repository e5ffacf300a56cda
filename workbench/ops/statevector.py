# SPDX-License-Identifier: Apache-2.0
"""Batched state vectors with adjoint gradients, over ``csrc/statevector``."""

from __future__ import annotations

from typing import Any, NoReturn

import torch
from torch import Tensor

from workbench.ops import _transforms
from workbench.ops._buffers import empty
from workbench.ops._native import kernels
from workbench.ops.program import MAX_WIRES, Observables, Program

__all__ = ["count_steps", "expectation", "statevector"]

_SUFFIX = {torch.float32: "f32", torch.float64: "f64"}
_COMPLEX = {torch.float32: torch.complex64, torch.float64: torch.complex128}
_LANES = {
    torch.float32: kernels.statevector_lanes(False),
    torch.float64: kernels.statevector_lanes(True),
}
_EXPECTATION = {t: getattr(kernels, f"statevector_expectation_{s}") for t, s in _SUFFIX.items()}
_EXPECTATION_BACKWARD = {
    t: getattr(kernels, f"statevector_expectation_backward_{s}") for t, s in _SUFFIX.items()
}
_EXPECTATION_CUDA = {
    t: getattr(kernels, f"statevector_expectation_cuda_{s}") for t, s in _SUFFIX.items()
}
_AMPLITUDES = {t: getattr(kernels, f"statevector_amplitudes_{s}") for t, s in _SUFFIX.items()}
_AMPLITUDES_BACKWARD = {
    t: getattr(kernels, f"statevector_amplitudes_backward_{s}") for t, s in _SUFFIX.items()
}
_EXPECTATION_TANGENT = {
    t: getattr(kernels, f"statevector_expectation_tangent_{s}") for t, s in _SUFFIX.items()
}
_AMPLITUDES_TANGENT = {
    t: getattr(kernels, f"statevector_amplitudes_tangent_{s}") for t, s in _SUFFIX.items()
}

_LIB = torch.library.Library("workbench", "FRAGMENT")
_LIB.define(
    "statevector_expectation(Tensor code, Tensor data, int n_wires, Tensor terms, "
    "Tensor coefficients, int n_rows, Tensor weights, Tensor inputs, bool keep_state) "
    "-> (Tensor, Tensor)"
)
_LIB.define(
    "statevector_expectation_backward(Tensor code, Tensor data, int n_wires, Tensor terms, "
    "Tensor coefficients, Tensor weights, Tensor inputs, Tensor state, Tensor gradient, "
    "bool want_weights, bool want_inputs) -> (Tensor, Tensor)"
)
_LIB.define(
    "statevector_amplitudes(Tensor code, Tensor data, int n_wires, Tensor weights, "
    "Tensor inputs, bool keep_state) -> (Tensor, Tensor)"
)
_LIB.define(
    "statevector_amplitudes_backward(Tensor code, Tensor data, int n_wires, Tensor weights, "
    "Tensor inputs, Tensor state, Tensor gradient, bool want_weights, bool want_inputs) "
    "-> (Tensor, Tensor)"
)
_LIB.define(
    "statevector_expectation_tangent(Tensor code, Tensor data, int n_wires, Tensor terms, "
    "Tensor coefficients, int n_rows, Tensor weights, Tensor inputs, Tensor weight_tangents, "
    "Tensor input_tangents) -> Tensor"
)
_LIB.define(
    "statevector_amplitudes_tangent(Tensor code, Tensor data, int n_wires, Tensor weights, "
    "Tensor inputs, Tensor weight_tangents, Tensor input_tangents) -> Tensor"
)
_op_expectation = torch.ops.workbench.statevector_expectation.default
_op_expectation_backward = torch.ops.workbench.statevector_expectation_backward.default
_op_amplitudes = torch.ops.workbench.statevector_amplitudes.default
_op_amplitudes_backward = torch.ops.workbench.statevector_amplitudes_backward.default
_op_expectation_tangent = torch.ops.workbench.statevector_expectation_tangent.default
_op_amplitudes_tangent = torch.ops.workbench.statevector_amplitudes_tangent.default


def expectation(
    program: Program, observables: Observables, weights: Tensor, inputs: Tensor
) -> Tensor:
    """Expectation values of Pauli sums in the state a program prepares.

    Parameters
    ----------
    program : Program
        A circuit on ``n`` wires.
    observables : Observables
        ``n_obs`` rows of weighted Pauli terms.
    weights : Tensor
        float32 or float64, shape ``(n_weights,)``: parameters shared by the batch.
    inputs : Tensor
        Same dtype, shape ``(B, n_inputs)``: parameters of each sample. ``B`` may be 0 and
        ``n_inputs`` may be 0.

        Both on the CPU; on a CUDA device forward only and for few wires (12 in float32).

    Returns
    -------
    Tensor
        Shape ``(B, n_obs)``, dtype of ``weights``. Differentiable once with respect to both
        ``weights`` and ``inputs``, in reverse mode (one sweep serves all parameters and
        observables) and in forward mode (one sweep for each direction).

    Raises
    ------
    TypeError
        If a dtype is neither float32 nor float64, or the two differ.
    ValueError
        If a shape does not fit the program, or a parameter is NaN or infinite.

    Notes
    -----
    Forward costs about ``8 * 2**n`` fused multiply-adds per sample and fused gate, the backward
    ``24 * 2**n``; the final state (``2**n`` complex numbers per sample) is kept for the backward
    and nothing else. Forward mode costs three times the forward pass for each direction and
    sample, and holds ``4 * 2**n`` vectors a thread: 256 bytes times ``2**n`` with AVX-512. The
    adjoint method is that of Jones and Gacon, arXiv:2009.02823.
    """
    _check("expectation", program, weights, inputs)
    out: Tensor = _op_expectation(
        program.code,
        program.data,
        program.n_wires,
        observables.terms,
        observables.coefficients,
        observables.n_rows,
        weights,
        inputs,
        False,
    )[0]
    return out


def statevector(program: Program, weights: Tensor, inputs: Tensor) -> Tensor:
    """The states a program prepares from ``|0...0>``, global phase included.

    Parameters
    ----------
    program : Program
    weights, inputs : Tensor
        As for :func:`expectation`.

    Returns
    -------
    Tensor
        complex64 or complex128, shape ``(B, 2**n)``; wire ``k`` is bit ``k`` of the column
        index. Differentiable once.

    Raises
    ------
    TypeError, ValueError
        As for :func:`expectation`.
    """
    _check("statevector", program, weights, inputs)
    out: Tensor = _op_amplitudes(
        program.code,
        program.data,
        program.n_wires,
        weights,
        inputs,
        False,
    )[0]
    return out


def count_steps(program: Program) -> int:
    """Passes over the state that the kernel makes for a program, after fusion."""
    return int(
        kernels.statevector_steps(
            program.code.numpy(),
            program.data.numpy(),
            program.n_wires,
            program.n_weights,
            program.n_inputs,
        )
    )


def _check(function: str, program: Program, weights: Tensor, inputs: Tensor) -> None:
    if weights.dtype not in _SUFFIX:
        raise TypeError(f"{function}: weights must be float32 or float64, got {weights.dtype}")
    if inputs.dtype != weights.dtype:
        raise TypeError(
            f"{function}: inputs must have the dtype of weights, {weights.dtype}, "
            f"got {inputs.dtype}"
        )
    if weights.dim() != 1 or weights.shape[0] != program.n_weights:
        raise ValueError(
            f"{function}: weights must have shape ({program.n_weights},), "
            f"got {tuple(weights.shape)}"
        )
    if inputs.dim() != 2 or inputs.shape[1] != program.n_inputs:
        raise ValueError(
            f"{function}: inputs must have shape (batch, {program.n_inputs}), "
            f"got {tuple(inputs.shape)}"
        )
    if not 1 <= program.n_wires <= MAX_WIRES:
        raise ValueError(
            f"{function}: the program must have 1 to {MAX_WIRES} wires, got {program.n_wires}"
        )


def _of(table: dict[torch.dtype, Any], weights: Tensor) -> Any:
    """What a table has for the type of the parameters."""
    if weights.dtype not in table:
        raise TypeError(f"statevector: weights must be float32 or float64, got {weights.dtype}")
    return table[weights.dtype]


def _array(x: Tensor) -> Any:
    return x.detach().contiguous().numpy()


def _state_size(n_wires: int, batch: int, dtype: torch.dtype) -> int:
    lanes = _LANES.get(dtype, 1)  # another type is refused where the kernel is chosen
    return int((batch + lanes - 1) // lanes * lanes * 2 * _dimension(n_wires))


def _dimension(n_wires: int) -> int:
    """Amplitudes of a state; checked here too, as the operators may be called by themselves."""
    if not 1 <= n_wires <= MAX_WIRES:
        raise ValueError(f"statevector: n_wires must be in [1, {MAX_WIRES}], got {n_wires}")
    return 1 << n_wires


@torch.library.impl(_LIB, "statevector_expectation", "CPU")
def _expectation_cpu(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    terms: Tensor,
    coefficients: Tensor,
    n_rows: int,
    weights: Tensor,
    inputs: Tensor,
    keep_state: bool,
) -> tuple[Tensor, Tensor]:
    values = empty((inputs.shape[0], n_rows), weights.dtype)
    size = _state_size(n_wires, inputs.shape[0], weights.dtype) if keep_state else 0
    state = empty(size, weights.dtype)
    _of(_EXPECTATION, weights)(
        code.numpy(),
        data.numpy(),
        n_wires,
        terms.numpy(),
        coefficients.numpy(),
        _array(weights),
        _array(inputs),
        values.numpy(),
        state.numpy() if keep_state else None,
    )
    return values, state


@torch.library.impl(_LIB, "statevector_expectation", "CUDA")
def _expectation_cuda(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    terms: Tensor,
    coefficients: Tensor,
    n_rows: int,
    weights: Tensor,
    inputs: Tensor,
    keep_state: bool,
) -> tuple[Tensor, Tensor]:
    if keep_state:
        raise ValueError(
            "expectation: weights and inputs must be on the CPU to be differentiated, "
            f"got {weights.device}; the CUDA kernel is forward only (use torch.no_grad())"
        )
    # The steps' coefficients are computed on the host, so the parameters pass through it.
    with torch.cuda.device(weights.device):
        values = _of(_EXPECTATION_CUDA, weights)(
            code.numpy(),
            data.numpy(),
            n_wires,
            terms.numpy(),
            coefficients.numpy(),
            n_rows,
            _array(weights.cpu()),
            _array(inputs.cpu()),
        )
    return torch.from_numpy(values).to(weights.device), weights.new_empty(0)


@torch.library.impl(_LIB, "statevector_expectation_backward", "CPU")
def _expectation_backward_cpu(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    terms: Tensor,
    coefficients: Tensor,
    weights: Tensor,
    inputs: Tensor,
    state: Tensor,
    gradient: Tensor,
    want_weights: bool,
    want_inputs: bool,
) -> tuple[Tensor, Tensor]:
    weight_gradient, input_gradient = _gradient_buffers(weights, inputs, want_weights, want_inputs)
    _of(_EXPECTATION_BACKWARD, weights)(
        code.numpy(),
        data.numpy(),
        n_wires,
        terms.numpy(),
        coefficients.numpy(),
        _array(weights),
        _array(inputs),
        _array(state),
        _array(gradient),
        weight_gradient.numpy() if want_weights else None,
        input_gradient.numpy() if want_inputs else None,
    )
    return weight_gradient, input_gradient


@torch.library.impl(_LIB, "statevector_amplitudes", "CPU")
def _amplitudes_cpu(
    code: Tensor, data: Tensor, n_wires: int, weights: Tensor, inputs: Tensor, keep_state: bool
) -> tuple[Tensor, Tensor]:
    amplitudes = empty((inputs.shape[0], _dimension(n_wires)), _of(_COMPLEX, weights))
    size = _state_size(n_wires, inputs.shape[0], weights.dtype) if keep_state else 0
    state = empty(size, weights.dtype)
    _of(_AMPLITUDES, weights)(
        code.numpy(),
        data.numpy(),
        n_wires,
        _array(weights),
        _array(inputs),
        amplitudes.numpy(),
        state.numpy() if keep_state else None,
    )
    return amplitudes, state


@torch.library.impl(_LIB, "statevector_amplitudes_backward", "CPU")
def _amplitudes_backward_cpu(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    weights: Tensor,
    inputs: Tensor,
    state: Tensor,
    gradient: Tensor,
    want_weights: bool,
    want_inputs: bool,
) -> tuple[Tensor, Tensor]:
    weight_gradient, input_gradient = _gradient_buffers(weights, inputs, want_weights, want_inputs)
    _of(_AMPLITUDES_BACKWARD, weights)(
        code.numpy(),
        data.numpy(),
        n_wires,
        _array(weights),
        _array(inputs),
        _array(state),
        gradient.detach().resolve_conj().contiguous().numpy(),
        weight_gradient.numpy() if want_weights else None,
        input_gradient.numpy() if want_inputs else None,
    )
    return weight_gradient, input_gradient


@torch.library.impl(_LIB, "statevector_expectation_tangent", "CPU")
def _expectation_tangent_cpu(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    terms: Tensor,
    coefficients: Tensor,
    n_rows: int,
    weights: Tensor,
    inputs: Tensor,
    weight_tangents: Tensor,
    input_tangents: Tensor,
) -> Tensor:
    values = empty((weight_tangents.shape[0], inputs.shape[0], n_rows), weights.dtype)
    _EXPECTATION_TANGENT[weights.dtype](
        code.numpy(),
        data.numpy(),
        n_wires,
        terms.numpy(),
        coefficients.numpy(),
        _array(weights),
        _array(inputs),
        _array(weight_tangents),
        _array(input_tangents),
        values.numpy(),
    )
    return values


@torch.library.impl(_LIB, "statevector_amplitudes_tangent", "CPU")
def _amplitudes_tangent_cpu(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    weights: Tensor,
    inputs: Tensor,
    weight_tangents: Tensor,
    input_tangents: Tensor,
) -> Tensor:
    shape = (weight_tangents.shape[0], inputs.shape[0], 2**n_wires)
    amplitudes = empty(shape, _COMPLEX[weights.dtype])
    _AMPLITUDES_TANGENT[weights.dtype](
        code.numpy(),
        data.numpy(),
        n_wires,
        _array(weights),
        _array(inputs),
        _array(weight_tangents),
        _array(input_tangents),
        amplitudes.numpy(),
    )
    return amplitudes


def _on_cpu_only(*arguments: Any) -> NoReturn:
    raise ValueError(
        "workbench.ops.statevector: weights and inputs must be on the CPU to be differentiated, "
        "got cuda; the CUDA kernel is forward only"
    )


for _name in ("statevector_expectation_tangent", "statevector_amplitudes_tangent"):
    _LIB.impl(_name, _on_cpu_only, "CUDA")


def _gradient_buffers(
    weights: Tensor, inputs: Tensor, want_weights: bool, want_inputs: bool
) -> tuple[Tensor, Tensor]:
    return (
        empty(weights.shape if want_weights else 0, weights.dtype),
        empty(inputs.shape if want_inputs else (0, 0), inputs.dtype),
    )


@torch.library.register_fake("workbench::statevector_expectation", lib=_LIB)
def _expectation_fake(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    terms: Tensor,
    coefficients: Tensor,
    n_rows: int,
    weights: Tensor,
    inputs: Tensor,
    keep_state: bool,
) -> tuple[Tensor, Tensor]:
    batch = inputs.shape[0]
    size = _state_size(n_wires, batch, weights.dtype) if keep_state else 0
    return weights.new_empty((batch, n_rows)), weights.new_empty(size)


@torch.library.register_fake("workbench::statevector_amplitudes", lib=_LIB)
def _amplitudes_fake(
    code: Tensor, data: Tensor, n_wires: int, weights: Tensor, inputs: Tensor, keep_state: bool
) -> tuple[Tensor, Tensor]:
    batch = inputs.shape[0]
    size = _state_size(n_wires, batch, weights.dtype) if keep_state else 0
    amplitudes = weights.new_empty((batch, _dimension(n_wires)), dtype=_of(_COMPLEX, weights))
    return amplitudes, weights.new_empty(size)


@torch.library.register_fake("workbench::statevector_expectation_backward", lib=_LIB)
def _expectation_backward_fake(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    terms: Tensor,
    coefficients: Tensor,
    weights: Tensor,
    inputs: Tensor,
    state: Tensor,
    gradient: Tensor,
    want_weights: bool,
    want_inputs: bool,
) -> tuple[Tensor, Tensor]:
    return _gradient_buffers(weights, inputs, want_weights, want_inputs)


@torch.library.register_fake("workbench::statevector_amplitudes_backward", lib=_LIB)
def _amplitudes_backward_fake(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    weights: Tensor,
    inputs: Tensor,
    state: Tensor,
    gradient: Tensor,
    want_weights: bool,
    want_inputs: bool,
) -> tuple[Tensor, Tensor]:
    return _gradient_buffers(weights, inputs, want_weights, want_inputs)


@torch.library.register_fake("workbench::statevector_expectation_tangent", lib=_LIB)
def _expectation_tangent_fake(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    terms: Tensor,
    coefficients: Tensor,
    n_rows: int,
    weights: Tensor,
    inputs: Tensor,
    weight_tangents: Tensor,
    input_tangents: Tensor,
) -> Tensor:
    return weights.new_empty((weight_tangents.shape[0], inputs.shape[0], n_rows))


@torch.library.register_fake("workbench::statevector_amplitudes_tangent", lib=_LIB)
def _amplitudes_tangent_fake(
    code: Tensor,
    data: Tensor,
    n_wires: int,
    weights: Tensor,
    inputs: Tensor,
    weight_tangents: Tensor,
    input_tangents: Tensor,
) -> Tensor:
    shape = (weight_tangents.shape[0], inputs.shape[0], 2**n_wires)
    return weights.new_empty(shape, dtype=_COMPLEX[weights.dtype])


def _expectation_setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    code, data, n_wires, terms, coefficients, _, weights, samples, _ = inputs
    ctx.n_wires = n_wires
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(output[1])
    ctx.save_for_backward(code, data, terms, coefficients, weights, samples, output[1])


def _expectation_backward(ctx: Any, gradient: Tensor | None, _: Tensor | None) -> tuple[Any, ...]:
    none = (None,) * 6
    if gradient is None:
        return (*none, None, None, None)
    code, data, terms, coefficients, weights, samples, state = ctx.saved_tensors
    want_weights, want_inputs = ctx.needs_input_grad[6], ctx.needs_input_grad[7]
    weight_gradient, input_gradient = _op_expectation_backward(
        code,
        data,
        ctx.n_wires,
        terms,
        coefficients,
        weights,
        samples,
        state,
        gradient,
        want_weights,
        want_inputs,
    )
    return (
        *none,
        weight_gradient if want_weights else None,
        input_gradient if want_inputs else None,
        None,
    )


def _amplitudes_setup(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    code, data, n_wires, weights, samples, _ = inputs
    ctx.n_wires = n_wires
    ctx.set_materialize_grads(False)
    ctx.mark_non_differentiable(output[1])
    ctx.save_for_backward(code, data, weights, samples, output[1])


def _amplitudes_backward(ctx: Any, gradient: Tensor | None, _: Tensor | None) -> tuple[Any, ...]:
    if gradient is None:
        return (None,) * 6
    code, data, weights, samples, state = ctx.saved_tensors
    want_weights, want_inputs = ctx.needs_input_grad[3], ctx.needs_input_grad[4]
    weight_gradient, input_gradient = _op_amplitudes_backward(
        code, data, ctx.n_wires, weights, samples, state, gradient, want_weights, want_inputs
    )
    return (
        None,
        None,
        None,
        weight_gradient if want_weights else None,
        input_gradient if want_inputs else None,
        None,
    )


def _directions(
    arguments: tuple[Any, ...], tangents: tuple[Tensor | None, ...]
) -> tuple[Tensor, Tensor]:
    """Tangents of weights and inputs as one direction."""
    pairs = zip(arguments, tangents, strict=True)
    weights, inputs = (torch.zeros_like(a) if t is None else t for a, t in pairs)
    return weights.unsqueeze(0), inputs.unsqueeze(0)


def _expectation_tangent(
    arguments: tuple[Any, ...], tangents: tuple[Tensor | None, ...], _: tuple[Tensor, ...]
) -> tuple[Tensor, None]:
    along = _directions(arguments[6:8], tangents[6:8])
    return _op_expectation_tangent(*arguments[:8], *along).squeeze(0), None


def _amplitudes_tangent(
    arguments: tuple[Any, ...], tangents: tuple[Tensor | None, ...], _: tuple[Tensor, ...]
) -> tuple[Tensor, None]:
    along = _directions(arguments[3:5], tangents[3:5])
    return _op_amplitudes_tangent(*arguments[:5], *along).squeeze(0), None


def _fold_samples(op: Any) -> Any:
    """As for all batches; the state kept for a gradient is not cut apart."""
    fold = _transforms.fold_samples(lambda *arguments: op(*arguments, False)[0])

    def rule(size: int, dims: tuple[int | None, ...], *arguments: Any) -> Any:
        if arguments[-1]:
            return None
        values = fold(size, dims[:-1], *arguments[:-1])
        return None if values is None else (values, arguments[-2].new_empty(size, 0))

    return rule


_ADVICE = (
    "differences of gradients (on expectation, the parameter-shift rule), or "
    "workbench.ops.reference.statevector, which is plain torch"
)
_transforms.differentiable(
    _LIB,
    "statevector_expectation",
    "expectation",
    backward=_expectation_backward,
    setup=_expectation_setup,
    tangent=_expectation_tangent,
    keep=lambda arguments: (*arguments[:-1], True),
)
_transforms.differentiable(
    _LIB,
    "statevector_amplitudes",
    "statevector",
    backward=_amplitudes_backward,
    setup=_amplitudes_setup,
    tangent=_amplitudes_tangent,
    keep=lambda arguments: (*arguments[:-1], True),
)
for _kind, _function in (("expectation", "expectation"), ("amplitudes", "statevector")):
    for _suffix in ("backward", "tangent"):
        _transforms.once_differentiable(_LIB, f"statevector_{_kind}_{_suffix}", _function, _ADVICE)
_transforms.batched(_LIB, "statevector_expectation", _fold_samples(_op_expectation))
_transforms.batched(_LIB, "statevector_amplitudes", _fold_samples(_op_amplitudes))
_transforms.batched(
    _LIB, "statevector_expectation_tangent", _transforms.fold_directions(_op_expectation_tangent)
)
_transforms.batched(
    _LIB, "statevector_amplitudes_tangent", _transforms.fold_directions(_op_amplitudes_tangent)
)
_transforms.batched(_LIB, "statevector_expectation_backward")
_transforms.batched(_LIB, "statevector_amplitudes_backward")
