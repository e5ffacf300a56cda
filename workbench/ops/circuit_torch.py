# SPDX-License-Identifier: Apache-2.0
"""What torch knows of the circuit kernels: definitions, shapes, derivatives.

:mod:`workbench.ops.circuit_sim` holds the public functions and checks dtypes and shapes; what
depends on the values of an argument is checked here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.ops import _transforms
from workbench.ops._native import kernels
from workbench.ops.circuit_program import DEVICE_COLUMNS

__all__: list[str] = []

# torch does not annotate its registration functions.
_REGISTRY: Any = torch.library
_LIB = _REGISTRY.Library("workbench", "FRAGMENT")
_CIRCUIT = "Tensor code, Tensor data, int n_nodes, int n_sources, float temperature"
_SIGNALS = "Tensor drives, Tensor outputs"
_LIB.define(
    f"circuit_operating_point({_CIRCUIT}, Tensor start, Tensor rows) -> (Tensor, Tensor, Tensor)"
)
_LIB.define(
    f"circuit_operating_point_backward({_CIRCUIT}, Tensor rows, Tensor voltages, "
    "Tensor grad_voltages, Tensor grad_currents) -> Tensor"
)
_LIB.define(
    f"circuit_small_signal({_CIRCUIT}, Tensor frequencies, {_SIGNALS}, Tensor noise, Tensor rows, "
    "Tensor voltages) -> (Tensor, Tensor)"
)
_LIB.define(
    f"circuit_small_signal_backward({_CIRCUIT}, Tensor frequencies, {_SIGNALS}, Tensor noise, "
    "Tensor rows, Tensor voltages, Tensor grad_transfer, Tensor grad_density) -> (Tensor, Tensor)"
)
_LIB.define(
    f"circuit_find_frequencies({_CIRCUIT}, {_SIGNALS}, Tensor requests, float low, float high, "
    "int points, Tensor rows, Tensor voltages) -> (Tensor, Tensor, Tensor)"
)
_LIB.define(
    f"circuit_device_state({_CIRCUIT}, int n_devices, Tensor rows, Tensor voltages) -> Tensor"
)


# Values -------------------------------------------------------------------------------------------


def _check_signal_values(
    name: str, n_nodes: int, drives: Any, outputs: Any, noise: Any = None
) -> None:
    if not np.isfinite(drives).all():
        raise ValueError(f"{name}: drives must be finite, got {drives[~np.isfinite(drives)][0]}")
    for argument, pairs in (("outputs", outputs), ("noise", noise)):
        if pairs is not None and pairs.size and not 0 <= pairs.min() <= pairs.max() < n_nodes:
            wrong = pairs[(pairs < 0) | (pairs >= n_nodes)][0]
            raise ValueError(f"{name}: {argument} must hold nodes in [0, {n_nodes}), got {wrong}")


def _check_requests(name: str, requests: Any, n_outputs: int, n_drives: int) -> None:
    columns = (
        *(("a kind", 0, 3), ("an output", 0, n_outputs), ("a drive", 0, n_drives)),
        ("an output or -1", -1, n_outputs),
    )
    for column, (what, least, count) in enumerate(columns):
        values = requests[:, column]
        wrong = values[(values < least) | (values >= count)]
        if wrong.size:
            raise ValueError(
                f"{name}: column {column} of requests must be {what} in [{least}, {count}), "
                f"got {wrong[0]}"
            )


# Kernels ------------------------------------------------------------------------------------------


def _array(value: Tensor) -> Any:
    return value.detach().resolve_conj().contiguous().numpy()


def _check_sources(name: str, code: Any, n_sources: int) -> None:
    found = kernels.circuit_n_sources(code)
    if found != n_sources:
        raise ValueError(f"{name}: program.n_sources is {n_sources}, but its code holds {found}")


def _fill_failed(voltages: Tensor, value: float, *arrays: Any) -> None:
    """Write ``value`` into the columns of candidates without an operating point."""
    failed = torch.isnan(voltages.detach()).any(0).numpy()
    if failed.any():
        for array in arrays:
            array[..., failed] = value


def _operating_point_cpu(
    code: Tensor,
    data: Tensor,
    n_nodes: int,
    n_sources: int,
    temperature: float,
    start: Tensor,
    rows: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    stream = _array(code)
    _check_sources("operating_point", stream, n_sources)
    voltages, currents, status = kernels.circuit_operating_point(
        stream, _array(data), n_nodes, _array(rows), _array(start), temperature
    )
    return torch.from_numpy(voltages), torch.from_numpy(currents), torch.from_numpy(status)


def _operating_point_backward_cpu(
    code: Tensor,
    data: Tensor,
    n_nodes: int,
    n_sources: int,
    temperature: float,
    rows: Tensor,
    voltages: Tensor,
    grad_voltages: Tensor,
    grad_currents: Tensor,
) -> Tensor:
    to_rows = kernels.circuit_operating_point_backward(
        *(_array(code), _array(data), n_nodes, _array(rows), _array(voltages), temperature),
        *(_array(grad_voltages), _array(grad_currents)),
    )
    _fill_failed(voltages, 0.0, to_rows)
    return torch.from_numpy(to_rows)


def _small_signal_cpu(
    code: Tensor,
    data: Tensor,
    n_nodes: int,
    n_sources: int,
    temperature: float,
    frequencies: Tensor,
    drives: Tensor,
    outputs: Tensor,
    noise: Tensor,
    rows: Tensor,
    voltages: Tensor,
) -> tuple[Tensor, Tensor]:
    name = "small_signal"
    stream, hertz = _array(code), _array(frequencies)
    _check_sources(name, stream, n_sources)
    wrong = hertz[~(np.isfinite(hertz) & (hertz > 0.0))]
    if wrong.size:
        raise ValueError(f"{name}: frequencies must be above 0 Hz, got {wrong[0]}")
    signals = [_array(t) for t in (drives, outputs, noise)]
    _check_signal_values(name, n_nodes, *signals)
    transfer, density = kernels.circuit_small_signal(
        *(stream, _array(data), n_nodes, _array(rows), _array(voltages)),
        *(hertz, *signals, temperature),
    )
    _fill_failed(voltages, np.nan, transfer, density)
    return torch.from_numpy(transfer), torch.from_numpy(density)


def _small_signal_backward_cpu(
    code: Tensor,
    data: Tensor,
    n_nodes: int,
    n_sources: int,
    temperature: float,
    frequencies: Tensor,
    drives: Tensor,
    outputs: Tensor,
    noise: Tensor,
    rows: Tensor,
    voltages: Tensor,
    grad_transfer: Tensor,
    grad_density: Tensor,
) -> tuple[Tensor, Tensor]:
    signals = [_array(t) for t in (frequencies, drives, outputs, noise)]
    to_rows, to_voltages = kernels.circuit_small_signal_backward(
        *(_array(code), _array(data), n_nodes, _array(rows), _array(voltages)),
        *(*signals, temperature, _array(grad_transfer), _array(grad_density)),
    )
    _fill_failed(voltages, 0.0, to_rows, to_voltages)
    return torch.from_numpy(to_rows), torch.from_numpy(to_voltages)


def _find_frequencies_cpu(
    code: Tensor,
    data: Tensor,
    n_nodes: int,
    n_sources: int,
    temperature: float,
    drives: Tensor,
    outputs: Tensor,
    requests: Tensor,
    low: float,
    high: float,
    points: int,
    rows: Tensor,
    voltages: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    name = "find_frequencies"
    stream, wanted = _array(code), _array(requests)
    _check_sources(name, stream, n_sources)
    signals = [_array(t) for t in (drives, outputs)]
    _check_signal_values(name, n_nodes, *signals)
    _check_requests(name, wanted, outputs.shape[0], drives.shape[0])
    found = kernels.circuit_find_frequencies(
        *(stream, _array(data), n_nodes, _array(rows), _array(voltages)),
        *(*signals, wanted, low, high, points, temperature),
    )
    _fill_failed(voltages, np.nan, *found)
    frequency, slope, turn = (torch.from_numpy(array) for array in found)
    return frequency, slope, turn


def _device_state_cpu(
    code: Tensor,
    data: Tensor,
    n_nodes: int,
    n_sources: int,
    temperature: float,
    n_devices: int,
    rows: Tensor,
    voltages: Tensor,
) -> Tensor:
    state = kernels.circuit_device_state(
        *(_array(code), _array(data), n_nodes, _array(rows), _array(voltages), temperature)
    )
    if len(state) != n_devices:
        raise ValueError(
            f"device_state: program.n_devices is {n_devices}, but its code holds {len(state)}"
        )
    _fill_failed(voltages, np.nan, state)
    return torch.from_numpy(state)


# Shapes -------------------------------------------------------------------------------------------


def _operating_point_fake(
    code: Tensor,
    data: Tensor,
    n_nodes: int,
    n_sources: int,
    temperature: float,
    start: Tensor,
    rows: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    batch = rows.shape[1]
    return (
        rows.new_empty(n_nodes, batch),
        rows.new_empty(n_sources, batch),
        rows.new_empty(batch, dtype=torch.int64),
    )


def _operating_point_backward_fake(
    code: Tensor,
    data: Tensor,
    n_nodes: int,
    n_sources: int,
    temperature: float,
    rows: Tensor,
    *rest: Tensor,
) -> Tensor:
    return rows.new_empty(rows.shape)


def _small_signal_fake(*arguments: Any) -> tuple[Tensor, Tensor]:
    frequencies, drives, outputs, noise, rows = arguments[5:10]
    f, batch = frequencies.shape[0], rows.shape[1]
    shape = (f, outputs.shape[0], drives.shape[0], batch)
    return (
        rows.new_empty(shape, dtype=torch.complex128),
        rows.new_empty(f, noise.shape[0], batch),
    )


def _small_signal_backward_fake(*arguments: Any) -> tuple[Tensor, Tensor]:
    rows, voltages = arguments[9:11]
    return rows.new_empty(rows.shape), voltages.new_empty(voltages.shape)


def _find_frequencies_fake(*arguments: Any) -> tuple[Tensor, Tensor, Tensor]:
    requests, rows = arguments[7], arguments[11]
    shape = (requests.shape[0], rows.shape[1])
    return (
        rows.new_empty(shape),
        rows.new_empty(shape, dtype=torch.complex128),
        rows.new_empty(shape),
    )


def _device_state_fake(*arguments: Any) -> Tensor:
    n_devices, rows = arguments[5:7]
    return rows.new_empty(n_devices, len(DEVICE_COLUMNS), rows.shape[1])  # type: ignore[no-any-return]


# Derivatives --------------------------------------------------------------------------------------


def _operating_point_save(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    code, data, *ctx.numbers, _, rows = inputs
    voltages, _, status = output
    ctx.mark_non_differentiable(status)
    ctx.save_for_backward(code, data, rows, voltages)


def _operating_point_autograd(
    ctx: Any, to_voltages: Tensor, to_currents: Tensor, to_status: Any
) -> tuple[Tensor | None, ...]:
    code, data, rows, voltages = ctx.saved_tensors
    grad = torch.ops.workbench.circuit_operating_point_backward.default(
        code, data, *ctx.numbers, rows, voltages, to_voltages, to_currents
    )
    return (*[None] * 6, grad)


def _small_signal_save(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    code, data, *ctx.numbers = inputs[:5]
    ctx.save_for_backward(code, data, *inputs[5:])


def _small_signal_autograd(
    ctx: Any, to_transfer: Tensor, to_density: Tensor
) -> tuple[Tensor | None, ...]:
    code, data, *rest = ctx.saved_tensors
    to_rows, to_voltages = torch.ops.workbench.circuit_small_signal_backward.default(
        code, data, *ctx.numbers, *rest, to_transfer, to_density
    )
    needs = ctx.needs_input_grad
    return (*[None] * 9, to_rows if needs[-2] else None, to_voltages if needs[-1] else None)


# vmap: the batch is the last dimension of whatever differs by candidate.
_ADVICE = (
    "reverse mode (torch.func.jacrev, torch.autograd.grad), or "
    "workbench.ops.reference.circuit_sim, which is plain torch"
)
_SECOND = "differences of gradients, or workbench.ops.reference.circuit_sim, which is plain torch"


def fold_candidates(op: Any, *places: int) -> Any:
    """vmap over the arguments at `places`, ``(..., B)``, as more candidates."""

    def fold(size: int, dims: tuple[int | None, ...], *arguments: Any) -> Any:
        if any(d is not None and i not in places for i, d in enumerate(dims)):
            return None
        batch = arguments[places[0]].shape[-1]
        folded = list(arguments)
        for i in places:
            value = arguments[i]
            if dims[i] is None:
                if value.shape[-1] != batch:
                    continue  # one for all candidates
                value = value.expand(size, *value.shape)
            elif value.shape[-1] != batch:
                value = value.expand(*value.shape[:-1], batch)
            folded[i] = value.movedim(0, -2).flatten(-2)
        out = op(*folded)
        parts = [
            part.unflatten(-1, (size, batch)).movedim(-2, 0)
            for part in ([out] if isinstance(out, Tensor) else out)
        ]
        return parts[0] if isinstance(out, Tensor) else tuple(parts)

    return fold


_OPS = torch.ops.workbench
for _name, _cpu, _fake, _backward, _setup, _places in (
    (
        "circuit_operating_point",
        (_operating_point_cpu, _operating_point_backward_cpu),
        (_operating_point_fake, _operating_point_backward_fake),
        _operating_point_autograd,
        _operating_point_save,
        ((6, 5), (5, 6, 7, 8)),
    ),
    (
        "circuit_small_signal",
        (_small_signal_cpu, _small_signal_backward_cpu),
        (_small_signal_fake, _small_signal_backward_fake),
        _small_signal_autograd,
        _small_signal_save,
        ((9, 10, 5), (9, 10, 5, 11, 12)),
    ),
):
    _function = _name.removeprefix("circuit_")
    for _suffix, _kernel, _shape in zip(("", "_backward"), _cpu, _fake, strict=True):
        _LIB.impl(_name + _suffix, _kernel, "CPU")
        _REGISTRY.register_fake(f"workbench::{_name}{_suffix}", _shape, lib=_LIB)
    _transforms.differentiable(
        _LIB, _name, _function, backward=_backward, setup=_setup, advice=_ADVICE
    )
    _transforms.once_differentiable(_LIB, f"{_name}_backward", _function, _SECOND)
    for _suffix, _where in zip(("", "_backward"), _places, strict=True):
        _op = getattr(_OPS, _name + _suffix).default
        _transforms.batched(_LIB, _name + _suffix, fold_candidates(_op, *_where))
for _name, _plain, _shape, _where in (
    ("circuit_find_frequencies", _find_frequencies_cpu, _find_frequencies_fake, (11, 12)),
    ("circuit_device_state", _device_state_cpu, _device_state_fake, (6, 7)),
):
    _LIB.impl(_name, _plain, "CPU")
    _REGISTRY.register_fake(f"workbench::{_name}", _shape, lib=_LIB)
    _transforms.constant(
        _LIB, _name, _name.removeprefix("circuit_"), "rows.detach() and voltages.detach()"
    )
    _transforms.batched(_LIB, _name, fold_candidates(getattr(_OPS, _name).default, *_where))
