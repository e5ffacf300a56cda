# SPDX-License-Identifier: Apache-2.0
"""Exact noisy circuits as differentiable torch operators.

A circuit comes as a :class:`~workbench.ops.channel_program.ChannelProgram`. Everything is
computed in float64; weights and inputs may be float32, and the result then is, too. The
operators are once differentiable, to weights and inputs in one reverse sweep, and give the
same bits for any number of threads. Forward mode is exact, too, but walks the circuit in plain
torch. :mod:`workbench.ops.reference.noise` holds the same functions in plain torch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from workbench.ops import _transforms
from workbench.ops._native import kernels
from workbench.ops._noise_tangent import pauli_tangent
from workbench.ops.channel_program import MAX_QUBITS, ChannelProgram
from workbench.ops.reference.noise import read_outcomes

__all__ = ["noisy_expectation", "noisy_probabilities", "pull_back"]

# torch does not annotate its registration functions.
_REGISTRY: Any = torch.library
_LIB = _REGISTRY.Library("workbench", "FRAGMENT")
_CIRCUIT = "Tensor code, Tensor data, int n_qubits"
_LIB.define(
    f"noisy_probabilities({_CIRCUIT}, Tensor measured, Tensor confusion, Tensor weights, "
    "Tensor inputs) -> Tensor"
)
_LIB.define(
    f"noisy_probabilities_backward(Tensor grad, {_CIRCUIT}, Tensor measured, Tensor confusion, "
    "Tensor weights, Tensor inputs) -> (Tensor, Tensor)"
)
_LIB.define(
    f"noisy_expectation({_CIRCUIT}, Tensor observables, Tensor weights, Tensor inputs) -> Tensor"
)
_LIB.define(
    f"noisy_expectation_backward(Tensor grad, {_CIRCUIT}, Tensor observables, Tensor weights, "
    "Tensor inputs) -> (Tensor, Tensor)"
)
_ALONG = "Tensor weights, Tensor inputs, Tensor weight_tangents, Tensor input_tangents"
_LIB.define(
    f"noisy_probabilities_tangent({_CIRCUIT}, Tensor measured, Tensor confusion, {_ALONG}) "
    "-> Tensor"
)
_LIB.define(f"noisy_expectation_tangent({_CIRCUIT}, Tensor observables, {_ALONG}) -> Tensor")
_LIB.define(f"noise_pull_back({_CIRCUIT}, Tensor observables, Tensor weights) -> Tensor")


def noisy_probabilities(
    program: ChannelProgram, measured: Tensor, confusion: Tensor, weights: Tensor, inputs: Tensor
) -> Tensor:
    """Probabilities of what is read from some qubits at the end of a noisy circuit.

    Parameters
    ----------
    program : ChannelProgram
    measured : Tensor
        int64 ``(m,)``, distinct qubits; bit ``j`` of an outcome is read from ``measured[j]``.
    confusion : Tensor
        float64 ``(m, 2, 2)``: probability of reading the row when the truth is the column.
    weights : Tensor
        float64 or float32 ``(n_weights,)``.
    inputs : Tensor
        ``(B, n_inputs)`` of the same dtype; B may be 0.

    Returns
    -------
    Tensor
        ``(B, 2**m)``, in the dtype of the inputs.

    Raises
    ------
    TypeError, ValueError
        For a wrong dtype or shape, and for angles that are not finite.
    """
    name = "noisy_probabilities"
    w, x = _parameters(name, program, weights, inputs)
    _check(name, "measured", measured, torch.int64, (None,))
    _check(name, "confusion", confusion, torch.float64, (measured.shape[0], 2, 2))
    out: Tensor = torch.ops.workbench.noisy_probabilities.default(
        program.code, program.data, program.n_qubits, measured, confusion, w, x
    )
    return out.to(inputs.dtype)


def noisy_expectation(
    program: ChannelProgram, observables: Tensor, weights: Tensor, inputs: Tensor
) -> Tensor:
    """Expectations of observables at the end of a noisy circuit.

    Parameters
    ----------
    program : ChannelProgram
    observables : Tensor
        float64 ``(n_obs, 4**n)``: the coefficient of each Pauli string, in the index order of
        the program. Zeros cost nothing.
    weights, inputs : Tensor
        As for :func:`noisy_probabilities`.

    Returns
    -------
    Tensor
        ``(B, n_obs)``, in the dtype of the inputs.
    """
    name = "noisy_expectation"
    w, x = _parameters(name, program, weights, inputs)
    _check(name, "observables", observables, torch.float64, (None, 4**program.n_qubits))
    out: Tensor = torch.ops.workbench.noisy_expectation.default(
        program.code, program.data, program.n_qubits, observables, w, x
    )
    return out.to(inputs.dtype)


def pull_back(program: ChannelProgram, observables: Tensor, weights: Tensor) -> Tensor:
    """Observables carried back through a circuit without inputs: the Heisenberg picture.

    For any state before the circuit, ``pull_back(O) . before = O . after``. Not differentiable.

    Parameters
    ----------
    program : ChannelProgram
        Without inputs.
    observables : Tensor
        float64 ``(n_obs, 4**n)``.
    weights : Tensor
        float64 ``(n_weights,)``.

    Returns
    -------
    Tensor
        float64 ``(n_obs, 4**n)``.
    """
    _check_program("pull_back", program)
    if program.n_inputs:
        raise ValueError(f"pull_back: program must have no inputs, got {program.n_inputs}")
    _check("pull_back", "observables", observables, torch.float64, (None, 4**program.n_qubits))
    _check("pull_back", "weights", weights, torch.float64, (program.n_weights,))
    out: Tensor = torch.ops.workbench.noise_pull_back.default(
        program.code, program.data, program.n_qubits, observables, weights
    )
    return out


def _check_program(name: str, program: ChannelProgram) -> None:
    if not isinstance(program, ChannelProgram):
        raise TypeError(f"{name}: program must be a ChannelProgram, got {type(program).__name__}")
    if not 1 <= program.n_qubits <= MAX_QUBITS:
        raise ValueError(
            f"{name}: program must have 1 to {MAX_QUBITS} qubits, got {program.n_qubits}: "
            f"4**{program.n_qubits} Pauli coefficients of a tile of 8 samples would need "
            f"{4.0**program.n_qubits * 64 / 2**30:.3g} GiB"
        )


def _check(
    name: str, argument: str, value: Tensor, dtype: torch.dtype, shape: tuple[int | None, ...]
) -> None:
    if not isinstance(value, Tensor) or value.dtype != dtype:
        got = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise TypeError(f"{name}: {argument} must be a {dtype} tensor, got {got}")
    if value.dim() != len(shape) or any(
        want is not None and have != want for have, want in zip(value.shape, shape, strict=True)
    ):
        want = ", ".join("any" if s is None else str(s) for s in shape)
        raise ValueError(f"{name}: {argument} must have shape ({want}), got {tuple(value.shape)}")


def _parameters(
    name: str, program: ChannelProgram, weights: Tensor, inputs: Tensor
) -> tuple[Tensor, Tensor]:
    _check_program(name, program)
    if not isinstance(inputs, Tensor) or inputs.dtype not in (torch.float32, torch.float64):
        got = inputs.dtype if isinstance(inputs, Tensor) else type(inputs).__name__
        raise TypeError(f"{name}: inputs must be a float32 or float64 tensor, got {got}")
    _check(name, "inputs", inputs, inputs.dtype, (None, program.n_inputs))
    _check(name, "weights", weights, inputs.dtype, (program.n_weights,))
    return weights.to(torch.float64), inputs.to(torch.float64)


def _array(value: Tensor) -> Any:
    return value.detach().contiguous().numpy()


def _probabilities_cpu(
    code: Tensor,
    data: Tensor,
    n_qubits: int,
    measured: Tensor,
    confusion: Tensor,
    weights: Tensor,
    inputs: Tensor,
) -> Tensor:
    tensors = [_array(t) for t in (measured, confusion, weights, inputs)]
    return torch.from_numpy(
        kernels.noisy_probabilities(_array(code), _array(data), n_qubits, *tensors)
    )


def _probabilities_backward_cpu(
    grad: Tensor,
    code: Tensor,
    data: Tensor,
    n_qubits: int,
    measured: Tensor,
    confusion: Tensor,
    weights: Tensor,
    inputs: Tensor,
) -> tuple[Tensor, Tensor]:
    tensors = [_array(t) for t in (measured, confusion, weights, inputs)]
    to_weights, to_inputs = kernels.noisy_probabilities_backward(
        _array(grad), _array(code), _array(data), n_qubits, *tensors
    )
    return torch.from_numpy(to_weights), torch.from_numpy(to_inputs)


def _expectation_cpu(
    code: Tensor, data: Tensor, n_qubits: int, observables: Tensor, weights: Tensor, inputs: Tensor
) -> Tensor:
    tensors = [_array(t) for t in (observables, weights, inputs)]
    return torch.from_numpy(
        kernels.noisy_expectation(_array(code), _array(data), n_qubits, *tensors)
    )


def _expectation_backward_cpu(
    grad: Tensor,
    code: Tensor,
    data: Tensor,
    n_qubits: int,
    observables: Tensor,
    weights: Tensor,
    inputs: Tensor,
) -> tuple[Tensor, Tensor]:
    tensors = [_array(t) for t in (observables, weights, inputs)]
    to_weights, to_inputs = kernels.noisy_expectation_backward(
        _array(grad), _array(code), _array(data), n_qubits, *tensors
    )
    return torch.from_numpy(to_weights), torch.from_numpy(to_inputs)


def _probabilities_tangent_cpu(
    code: Tensor, data: Tensor, n_qubits: int, measured: Tensor, confusion: Tensor, *along: Tensor
) -> Tensor:
    change = pauli_tangent(code, data, n_qubits, *along)
    read = read_outcomes(change.flatten(0, 1), measured, confusion)
    return read.reshape(*change.shape[:2], -1)


def _expectation_tangent_cpu(
    code: Tensor, data: Tensor, n_qubits: int, observables: Tensor, *along: Tensor
) -> Tensor:
    return pauli_tangent(code, data, n_qubits, *along) @ observables.T


def _pull_back_cpu(
    code: Tensor, data: Tensor, n_qubits: int, observables: Tensor, weights: Tensor
) -> Tensor:
    arrays = [_array(t) for t in (observables, weights)]
    return torch.from_numpy(kernels.noise_pull_back(_array(code), _array(data), n_qubits, *arrays))


def _probabilities_fake(
    code: Tensor,
    data: Tensor,
    n_qubits: int,
    measured: Tensor,
    confusion: Tensor,
    weights: Tensor,
    inputs: Tensor,
) -> Tensor:
    return inputs.new_empty(inputs.shape[0], 2 ** measured.shape[0])


def _expectation_fake(
    code: Tensor, data: Tensor, n_qubits: int, observables: Tensor, weights: Tensor, inputs: Tensor
) -> Tensor:
    return inputs.new_empty(inputs.shape[0], observables.shape[0])


def _pull_back_fake(
    code: Tensor, data: Tensor, n_qubits: int, observables: Tensor, weights: Tensor
) -> Tensor:
    return observables.new_empty(observables.shape)


def _probabilities_tangent_fake(*arguments: Any) -> Tensor:
    measured, directions = arguments[3], arguments[-1]
    shape = (*directions.shape[:2], 2 ** measured.shape[0])
    return directions.new_empty(shape)  # type: ignore[no-any-return]


def _expectation_tangent_fake(*arguments: Any) -> Tensor:
    observables, directions = arguments[3], arguments[-1]
    shape = (*directions.shape[:2], observables.shape[0])
    return directions.new_empty(shape)  # type: ignore[no-any-return]


def _backward_fake(grad: Tensor, *arguments: Any) -> tuple[Tensor, Tensor]:
    weights, inputs = arguments[-2:]
    return weights.new_empty(weights.shape), inputs.new_empty(inputs.shape)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.n_qubits = inputs[2]
    ctx.save_for_backward(*inputs[:2], *inputs[3:])


def _gradients(ctx: Any, operator: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    code, data, *rest = ctx.saved_tensors
    to_weights, to_inputs = operator(grad.contiguous(), code, data, ctx.n_qubits, *rest)
    nothing = [None] * (len(rest) + 1)
    needs = ctx.needs_input_grad
    return (*nothing, to_weights if needs[-2] else None, to_inputs if needs[-1] else None)


def _probabilities_autograd(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return _gradients(ctx, torch.ops.workbench.noisy_probabilities_backward.default, grad)


def _expectation_autograd(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
    return _gradients(ctx, torch.ops.workbench.noisy_expectation_backward.default, grad)


def _tangent_of(operator: Any) -> Any:
    def rule(
        arguments: tuple[Any, ...], tangents: tuple[Tensor | None, ...], _: tuple[Tensor, ...]
    ) -> Tensor:
        if any(t is not None for t in tangents[:-2]):
            raise NotImplementedError(
                "noisy_probabilities and noisy_expectation: derivatives to confusion and "
                "observables are not supported; both enter linearly, so use differences"
            )
        pairs = zip(arguments[-2:], tangents[-2:], strict=True)
        along = (torch.zeros_like(a) if t is None else t for a, t in pairs)
        out: Tensor = operator(*arguments, *(t.unsqueeze(0) for t in along))
        return out.squeeze(0)

    return rule


_OPS = torch.ops.workbench
_ADVICE = "workbench.ops.reference.noise, which is plain torch"
for _kind, _cpu, _fake, _backward, _more in (
    (
        "probabilities",
        _probabilities_cpu,
        _probabilities_fake,
        _probabilities_autograd,
        (_probabilities_backward_cpu, _probabilities_tangent_cpu, _probabilities_tangent_fake),
    ),
    (
        "expectation",
        _expectation_cpu,
        _expectation_fake,
        _expectation_autograd,
        (_expectation_backward_cpu, _expectation_tangent_cpu, _expectation_tangent_fake),
    ),
):
    _name = f"noisy_{_kind}"
    _backward_cpu, _tangent_cpu, _tangent_fake = _more
    for _suffix, _kernel, _shape in (
        ("", _cpu, _fake),
        ("_backward", _backward_cpu, _backward_fake),
        ("_tangent", _tangent_cpu, _tangent_fake),
    ):
        _LIB.impl(_name + _suffix, _kernel, "CPU")
        _REGISTRY.register_fake(f"workbench::{_name}{_suffix}", _shape, lib=_LIB)
    _op_tangent = getattr(_OPS, f"{_name}_tangent").default
    _transforms.differentiable(
        _LIB, _name, _name, backward=_backward, setup=_save, tangent=_tangent_of(_op_tangent)
    )
    _transforms.once_differentiable(_LIB, f"{_name}_backward", _name, _ADVICE)
    _transforms.once_differentiable(_LIB, f"{_name}_tangent", _name, _ADVICE)
    _transforms.batched(_LIB, _name, _transforms.fold_samples(getattr(_OPS, _name).default))
    _transforms.batched(_LIB, f"{_name}_backward")
    _transforms.batched(_LIB, f"{_name}_tangent", _transforms.fold_directions(_op_tangent))
_LIB.impl("noise_pull_back", _pull_back_cpu, "CPU")
_REGISTRY.register_fake("workbench::noise_pull_back", _pull_back_fake, lib=_LIB)
_transforms.constant(
    _LIB, "noise_pull_back", "pull_back", "noisy_expectation, or detached observables and weights"
)
_transforms.batched(_LIB, "noise_pull_back")
