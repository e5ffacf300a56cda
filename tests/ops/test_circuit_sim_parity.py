# SPDX-License-Identifier: Apache-2.0
"""The circuit kernels against the same functions in plain torch, on generated circuits.

tests/ops/test_mosfet_ngspice.py holds both against ngspice.
"""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.ops import circuit_sim
from workbench.ops.reference import circuit_sim as reference

from .circuit_sim_cases import REMAINDERS, _case, _close


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_nodes=st.integers(2, 6),
    n_devices=st.integers(0, 5),
    batch=st.sampled_from(REMAINDERS),
)
def test_operating_points_equal_the_reference(
    seed: int, n_nodes: int, n_devices: int, batch: int
) -> None:
    case = _case(seed, batch, n_nodes, n_devices)
    t = case.temperature
    volts, currents, status = circuit_sim.operating_point(case.program, case.rows, temperature=t)
    assert bool((status < 3).all())
    # A circuit may have several; whichever is found obeys Kirchhoff's law, by the reference.
    leaving = reference.kirchhoff(case.program, case.rows, volts, currents, temperature=t)
    if batch:
        assert float(leaving.abs().max()) < 1e-12 + 1e-11 * float(currents.abs().max())
    again = circuit_sim.operating_point(case.program, case.rows, temperature=t, start=case.voltages)
    _close(again[0], case.voltages, 1e-9)
    _close(again[1], case.currents, 1e-9)
    assert not again[2].any()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n_nodes=st.integers(2, 6),
    n_devices=st.integers(0, 5),
    batch=st.sampled_from(REMAINDERS),
)
def test_small_signals_equal_the_reference(
    seed: int, n_nodes: int, n_devices: int, batch: int
) -> None:
    case = _case(seed, batch, n_nodes, n_devices)
    arguments = (case.program, case.rows, case.voltages, case.frequencies)
    ours = circuit_sim.small_signal(*arguments, **case.signals())
    theirs = reference.small_signal(*arguments, **case.signals())
    # Nodes that only gmin holds leave the reference's dense solutions eight digits.
    _close(ours[0], theirs[0], 1e-8, axis=1, least=1e-3)
    _close(ours[1], theirs[1], 1e-8, axis=1, least=1e-20)
    state = circuit_sim.device_state(*arguments[:3], temperature=case.temperature)
    expected = reference.device_state(*arguments[:3], temperature=case.temperature)
    _close(state, expected, 1e-9, axis=0 if len(expected) else None, least=1e-15)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), n_devices=st.integers(0, 4), batch=st.sampled_from((1, 3)))
def test_frequencies_equal_the_reference(seed: int, n_devices: int, batch: int) -> None:
    case = _case(seed, batch, 3, n_devices)
    # Each transfer, and the ratio of each to the next.
    requests = torch.tensor(
        [
            [k, o, d, below]
            for k in range(3)
            for o in range(3)
            for d in range(2)
            for below in (-1, (o + 1) % 3)
        ]
    )
    arguments = (case.program, case.rows, case.voltages)
    more = {"drives": case.drives, "outputs": case.outputs, "requests": requests}
    more |= {"low": 1e3, "high": 1e11, "points": 25, "temperature": case.temperature}
    ours = circuit_sim.find_frequencies(*arguments, **more)
    theirs = reference.find_frequencies(*arguments, **more)
    # Outputs that are nothing but rounding have no frequencies.
    h, _ = reference.small_signal(
        *arguments,
        torch.tensor([1e3], dtype=torch.float64),
        drives=case.drives,
        outputs=case.outputs,
        temperature=case.temperature,
    )
    known = h[0].abs().amin(-1) > 1e-6
    drive = requests[:, 2]
    below = torch.where(requests[:, 3] < 0, requests[:, 1], requests[:, 3])
    real = known[requests[:, 1], drive] & known[below, drive]
    # A response that begins at 1 crosses it by rounding.
    ratio = h[0, requests[:, 1], drive].abs() / h[0, below, drive].abs()
    one = ((ratio - 1.0).abs() < 1e-9).any(-1) & (requests[:, 3] >= 0)
    real &= ~one
    crossing = real & (requests[:, 0] < 2)
    for a, b, tolerance in zip(ours, theirs, (1e-7, 1e-6, 1e-6), strict=True):
        a, b = a[crossing], b[crossing]
        assert torch.equal(torch.isnan(a), torch.isnan(b))
        a, b = torch.nan_to_num(a), torch.nan_to_num(b)
        assert bool(((a - b).abs() <= tolerance * (b.abs() + (tolerance != 1e-7))).all())
    # A flat summit has no sharp place: what counts is that nothing there is higher.
    for p, (kind, output, source, under) in enumerate(requests.tolist()):
        if kind < 2 or not real[p]:
            continue
        height = []
        for found in (ours, theirs):
            h, _ = reference.small_signal(
                *arguments,
                found[0][p : p + 1],
                drives=case.drives,
                outputs=case.outputs,
                temperature=case.temperature,
            )
            divisor = h[0, under, source] if under >= 0 else 1.0
            height.append((h[0, output, source] / divisor).abs())
        _close(height[0], height[1], 1e-7)
