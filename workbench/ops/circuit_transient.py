# SPDX-License-Identifier: Apache-2.0
"""Transients of a batch of circuits, differentiable by the adjoint of the steps taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.ops import _transforms
from workbench.ops._native import kernels
from workbench.ops.circuit_program import CircuitProgram
from workbench.ops.circuit_sim import _check, _check_circuit, _head
from workbench.ops.circuit_torch import fold_candidates

__all__ = ["transient"]

_REGISTRY: Any = torch.library
_LIB = _REGISTRY.Library("workbench", "FRAGMENT")
_TASK = (
    "Tensor code, Tensor data, int n_nodes, int n_sources, float temperature, Tensor wave_times, "
    "Tensor waves, Tensor times, Tensor outputs, float tolerance, int max_steps, Tensor rows, "
    "Tensor voltages"
)
_LIB.define(f"circuit_transient({_TASK}) -> (Tensor, Tensor, Tensor)")
_LIB.define(f"circuit_transient_backward({_TASK}, Tensor grad) -> (Tensor, Tensor)")


def transient(
    program: CircuitProgram,
    rows: Tensor,
    voltages: Tensor,
    *,
    wave_times: Tensor,
    waves: Tensor,
    times: Tensor,
    outputs: Tensor,
    tolerance: float = 1e-6,
    max_steps: int = 100_000,
    temperature: float = 27.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """Waveforms that follow from moving the sources of a circuit at rest.

    Trapezoidal rule with steps of its own for every candidate; the first step after each corner
    of a wave is backward Euler. Capacitances are those of :func:`~workbench.ops.circuit_sim.
    small_signal`, as functions of the potentials (Meyer's, with the mean over a step, as SPICE
    integrates them).

    Parameters
    ----------
    program : CircuitProgram
    rows : Tensor
        float64 ``(R, B)``.
    voltages : Tensor
        float64 ``(n_nodes, B)``: where it starts, from
        :func:`~workbench.ops.circuit_sim.operating_point`.
    wave_times : Tensor
        float64 ``(W,)``, seconds, rising from 0: the corners of all waves.
    waves : Tensor
        float64 ``(n_sources, W)``, volt or ampere: what is added to each source's value at the
        corners, linear between them and constant after the last. The first column is 0.
    times : Tensor
        float64 ``(T,)``, seconds, rising: when the outputs are read.
    outputs : Tensor
        int64 ``(O, 2)``: node pairs, ``v(p) - v(n)``.
    tolerance : float
        Bound on the estimated local error of a step, in volt.
    max_steps : int
        Steps, taken or repeated, after which a candidate is given up: circuits that oscillate
        never come to rest.
    temperature : float
        Celsius.

    Returns
    -------
    samples : Tensor
        float64 ``(T, O, B)``, differentiable to rows and voltages with the steps held fixed.
    status : Tensor
        int64 ``(B,)``: 0, or 3 where there was no operating point or the steps became too small
        or too many;
        that candidate is NaN from there on.
    steps : Tensor
        int64 ``(B,)``: steps taken.

    Raises
    ------
    TypeError, ValueError
        For wrong dtypes, shapes and values, naming the argument.
    """
    name = "transient"
    batch = _check_circuit(name, program, rows, temperature)
    _check(name, "voltages", voltages, torch.float64, (program.n_nodes, batch))
    _check(name, "wave_times", wave_times, torch.float64, (None,))
    _check(name, "waves", waves, torch.float64, (program.n_sources, wave_times.shape[0]))
    _check(name, "times", times, torch.float64, (None,))
    _check(name, "outputs", outputs, torch.int64, (None, 2))
    found: tuple[Tensor, Tensor, Tensor] = torch.ops.workbench.circuit_transient.default(
        *_head(program, temperature),
        *(wave_times, waves, times, outputs, float(tolerance), int(max_steps), rows, voltages),
    )
    return found


def _array(value: Tensor) -> Any:
    return value.detach().contiguous().numpy()


def _arguments(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """Torch's order of the arguments into the kernel's."""
    code, data, n_nodes, _, temperature, *task, tolerance, max_steps, rows, voltages = arguments
    return (
        *(_array(code), _array(data), n_nodes, _array(rows), _array(voltages)),
        *(_array(part) for part in task),
        *(tolerance, max_steps, temperature),
    )


def _cpu(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    out, status, steps = kernels.circuit_transient(*_arguments(arguments))
    return torch.from_numpy(out), torch.from_numpy(status), torch.from_numpy(steps)


def _backward_cpu(*arguments: Any) -> tuple[Tensor, Tensor]:
    *task, grad = arguments
    values: Any = (*_arguments(tuple(task)), _array(grad))
    to_rows, to_voltages = kernels.circuit_transient_backward(*values)
    # Failed candidates are NaN in the result; like elsewhere they have no gradient.
    failed = np.isnan(to_rows).any(0) | np.isnan(to_voltages).any(0)
    to_rows[:, failed] = 0.0
    to_voltages[:, failed] = 0.0
    return torch.from_numpy(to_rows), torch.from_numpy(to_voltages)


def _fake(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    times, outputs, _, _, rows, _ = arguments[7:13]
    batch = rows.shape[1]
    count = rows.new_empty(batch, dtype=torch.int64)
    return rows.new_empty(times.shape[0], outputs.shape[0], batch), count, torch.empty_like(count)


def _backward_fake(*arguments: Any) -> tuple[Tensor, Tensor]:
    rows, voltages = arguments[11:13]
    return rows.new_empty(rows.shape), voltages.new_empty(voltages.shape)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.mark_non_differentiable(*output[1:])
    ctx.plain = [None if isinstance(part, Tensor) else part for part in inputs]
    ctx.save_for_backward(*(part for part in inputs if isinstance(part, Tensor)))


def _autograd(ctx: Any, grad: Tensor, *_: Any) -> tuple[Tensor | None, ...]:
    saved = iter(ctx.saved_tensors)
    arguments = [next(saved) if part is None else part for part in ctx.plain]
    to_rows, to_voltages = torch.ops.workbench.circuit_transient_backward.default(*arguments, grad)
    needs = ctx.needs_input_grad
    return (*[None] * 11, to_rows if needs[11] else None, to_voltages if needs[12] else None)


_OPS = torch.ops.workbench
_LIB.impl("circuit_transient", _cpu, "CPU")
_REGISTRY.register_fake("workbench::circuit_transient", _fake, lib=_LIB)
_LIB.impl("circuit_transient_backward", _backward_cpu, "CPU")
_REGISTRY.register_fake("workbench::circuit_transient_backward", _backward_fake, lib=_LIB)
_transforms.differentiable(
    _LIB,
    "circuit_transient",
    "transient",
    backward=_autograd,
    setup=_save,
    advice="reverse mode (torch.func.jacrev, torch.autograd.grad)",
)
_transforms.once_differentiable(
    _LIB, "circuit_transient_backward", "transient", "differences of gradients"
)
_transforms.batched(
    _LIB, "circuit_transient", fold_candidates(_OPS.circuit_transient.default, 11, 12)
)
_transforms.batched(
    _LIB,
    "circuit_transient_backward",
    fold_candidates(_OPS.circuit_transient_backward.default, 11, 12, 13),
)
