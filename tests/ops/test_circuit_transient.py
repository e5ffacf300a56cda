# SPDX-License-Identifier: Apache-2.0
"""Transients against closed forms and ngspice, and their gradients against differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from workbench.ops import circuit_sim
from workbench.ops.circuit_program import CircuitProgram, CircuitProgramBuilder
from workbench.ops.circuit_transient import transient

CORNERS = torch.tensor([0.0, 1e-6, 1.1e-6], dtype=torch.float64)


def _low_pass() -> tuple[CircuitProgram, Tensor]:
    """1 kohm into 1 nF with 3 kohm beside it, from a source of 1 V."""
    builder = CircuitProgramBuilder(3, 4)
    builder.voltage_source(1, 0, 0)
    builder.resistor(1, 2, 1)
    builder.resistor(2, 0, 2)
    builder.capacitor(2, 0, 3)
    rows = torch.tensor([[1.0], [1e3], [3e3], [1e-9]], dtype=torch.float64)
    return builder.build(), rows


def _amplifier() -> tuple[CircuitProgram, Tensor]:
    """Common source with a resistor, gate through a resistor: Meyer's and junction capacitances."""
    builder = CircuitProgramBuilder(5, 16)
    card = {"type": 1.0, "gamma": 0.45, "phi": 0.85, "tox": 4.1e-9, "cgso": 4e-10, "cgdo": 4e-10}
    card |= {"cj": 1e-3, "mj": 0.5, "cjsw": 2.2e-10, "mjsw": 0.33, "pb": 0.8}
    model = builder.model(card)
    builder.voltage_source(1, 0, 0)
    builder.voltage_source(2, 0, 1)
    builder.resistor(2, 3, 2)
    builder.resistor(1, 4, 3)
    builder.capacitor(4, 0, 4)
    builder.mosfet(4, 3, 0, 0, model, *range(5, 15))
    builder.current_source(4, 0, 15)
    sizes = [10e-6, 0.36e-6, 4.0, 0.07, 0.4, 2.6e-4, 6.4e-12, 6.4e-12, 1.1e-5, 1.1e-5]
    rows = [1.8, 0.5, 1e4, 3e3, 5e-14, *sizes, 1e-5]
    return builder.build(), torch.tensor(rows, dtype=torch.float64)[:, None]


def _task(program: CircuitProgram, source: int, step: float, node: int) -> dict[str, Tensor]:
    waves = torch.zeros(program.n_sources, 3, dtype=torch.float64)
    waves[source, 2] = step
    return {
        "wave_times": CORNERS,
        "waves": waves,
        "times": torch.linspace(0, 6e-6, 61, dtype=torch.float64),
        "outputs": torch.tensor([[node, 0]]),
    }


def _run(
    program: CircuitProgram, rows: Tensor, task: dict[str, Tensor], tolerance: float
) -> tuple[Tensor, Tensor, Tensor]:
    voltages, _, _ = circuit_sim.operating_point(program, rows)
    return transient(program, rows, voltages, tolerance=tolerance, **task)


@pytest.mark.parametrize(("tolerance", "within"), [(1e-5, 2e-4), (1e-7, 5e-6)])
def test_low_pass_follows_its_closed_form(tolerance: float, within: float) -> None:
    program, rows = _low_pass()
    task = _task(program, 0, 1.0, 2)
    samples, status, steps = _run(program, rows, task, tolerance)
    assert status.tolist() == [0]
    assert 10 < int(steps) < 3000
    tau, begin, rise = 0.75e3 * 1e-9, 1e-6, 1e-7
    t = task["times"].numpy() - begin
    # The response to a ramp that ends is that to a ramp less that to the same ramp later.
    ramp = lambda x: np.where(x > 0, x - tau * (1 - np.exp(-np.maximum(x, 0) / tau)), 0) / rise  # noqa: E731
    expected = 0.75 * (1 + ramp(t) - ramp(t - rise))
    assert np.abs(samples[:, 0, 0].numpy() - expected).max() < within


def test_nothing_moves_without_a_wave() -> None:
    program, rows = _amplifier()
    task = _task(program, 1, 0.0, 4)
    samples, _, _ = _run(program, rows, task, 1e-6)
    assert float((samples - samples[0]).abs().max()) < 1e-9


def test_the_end_is_the_new_operating_point() -> None:
    program, rows = _amplifier()
    samples, status, _ = _run(program, rows, _task(program, 1, 0.2, 4), 1e-6)
    moved = rows.clone()
    moved[1] += 0.2
    voltages, _, _ = circuit_sim.operating_point(program, moved)
    assert status.tolist() == [0]
    assert float(samples[-1, 0, 0]) == pytest.approx(float(voltages[4, 0]), abs=2e-6)


@pytest.mark.parametrize("case", [_low_pass, _amplifier])
def test_gradients_equal_differences(case: object) -> None:
    program, rows = case()  # type: ignore[operator]
    last = case is _amplifier
    task = _task(program, 1 if last else 0, 0.2 if last else 1.0, 4 if last else 2)
    weight = torch.tensor(np.random.default_rng(0).normal(size=(61, 1, 1)))

    def loss(values: Tensor) -> Tensor:
        return (_run(program, values, task, 1e-8)[0] * weight).sum()

    leaf = rows.clone().requires_grad_()
    (grad,) = torch.autograd.grad(loss(leaf), leaf)
    # All candidates at once: one column up, one down per row.
    moves = torch.diag(rows[:, 0]) * 1e-4
    columns = torch.cat([rows + moves, rows - moves], 1)
    values = (_run(program, columns, task, 1e-8)[0] * weight).sum((0, 1))
    n = len(rows)
    difference = (values[:n] - values[n:]) / 2e-4
    scale = float(difference.abs().max())
    # Differences see the steps move; the adjoint holds them.
    assert float((grad[:, 0] * rows[:, 0] - difference).abs().max()) < 1e-3 * scale


def test_a_candidate_alone_has_the_bits_it_has_in_a_batch() -> None:
    program, rows = _amplifier()
    batch = rows * torch.linspace(0.9, 1.1, 11, dtype=torch.float64)
    task = _task(program, 1, 0.2, 4)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        together = _run(program, batch, task, 1e-6)[0]
    finally:
        torch.set_num_threads(before)
    for column in (0, 5, 10):
        alone = _run(program, batch[:, column : column + 1].contiguous(), task, 1e-6)[0]
        assert torch.equal(alone[..., 0], together[..., column])


def test_a_broken_candidate_stays_alone() -> None:
    program, rows = _amplifier()
    batch = rows.repeat(1, 3)
    batch[5, 1] = math.nan
    leaf = batch.requires_grad_()
    voltages, _, _ = circuit_sim.operating_point(program, leaf)
    samples, status, _ = transient(program, leaf, voltages, **_task(program, 1, 0.2, 4))
    assert status.tolist() == [0, 3, 0]
    assert bool(samples[..., 1].isnan().all())
    assert not bool(samples[..., [0, 2]].isnan().any())
    (grad,) = torch.autograd.grad(samples[..., [0, 2]].sum(), leaf)
    assert bool(grad[:, [0, 2]].isfinite().all())
    assert not grad[:, 1].any()


def test_a_candidate_that_takes_too_long_is_given_up() -> None:
    program, rows = _low_pass()
    leaf = rows.repeat(1, 2)
    leaf[3, 1] = 1e-15
    leaf.requires_grad_()
    voltages, _, _ = circuit_sim.operating_point(program, leaf)
    task = _task(program, 0, 1.0, 2)
    _, _, steps = transient(program, leaf, voltages, tolerance=1e-7, **task)
    few, many = sorted(steps.tolist())
    samples, status, _ = transient(
        program, leaf, voltages, tolerance=1e-7, max_steps=(few + many) // 2, **task
    )
    slow = int(steps.argmax())
    assert status.tolist() == [3 if k == slow else 0 for k in range(2)]
    assert bool(samples[-1, 0, slow].isnan())
    assert not bool(samples[..., 1 - slow].isnan().any())
    (grad,) = torch.autograd.grad(samples[..., 1 - slow].sum(), leaf)
    assert not grad[:, slow].any()
    assert bool(grad[:, 1 - slow].any())


def test_torch_knows_the_operator() -> None:
    program, rows = _amplifier()
    voltages, _, _ = circuit_sim.operating_point(program, rows)
    task = _task(program, 1, 0.2, 4)
    arguments = (program.code, program.data, program.n_nodes, program.n_sources, 27.0)
    more = (task["wave_times"], task["waves"], task["times"], task["outputs"], 1e-5, 1000)
    torch.library.opcheck(
        torch.ops.workbench.circuit_transient.default,
        (*arguments, *more, rows.requires_grad_(), voltages.detach().requires_grad_()),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": torch.tensor([1.0, 0.5], dtype=torch.float64)}, "times must be finite"),
        ({"wave_times": CORNERS + 1e-9}, "wave_times must begin with 0"),
        ({"waves": torch.ones(3, 3, dtype=torch.float64)}, "waves must be finite and begin with 0"),
        ({"waves": torch.zeros(2, 3, dtype=torch.float64)}, "waves must have shape"),
        ({"outputs": torch.tensor([[9, 0]])}, "outputs: nodes"),
        ({"tolerance": 0.0}, "tolerance must be positive"),
        ({"max_steps": 0}, "max_steps must be at least 1"),
    ],
)
def test_bad_arguments_are_named(change: dict[str, object], message: str) -> None:
    program, rows = _amplifier()
    voltages, _, _ = circuit_sim.operating_point(program, rows)
    with pytest.raises(ValueError, match=message):
        transient(program, rows, voltages, **(_task(program, 1, 0.2, 4) | change))  # type: ignore[arg-type]
