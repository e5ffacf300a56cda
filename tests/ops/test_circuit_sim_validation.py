# SPDX-License-Identifier: Apache-2.0
"""Arguments, programs and cards that the circuit kernels refuse, by name."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from workbench.ops import circuit_sim
from workbench.ops.circuit_program import CARD, CircuitProgram, CircuitProgramBuilder

from .circuit_sim_cases import _case


def test_bad_arguments_are_named() -> None:
    case = _case(30, 3, 4, 2)
    p, rows, volts = case.program, case.rows, case.voltages
    f = torch.tensor([1e6], dtype=torch.float64)
    n = p.n_sources

    def signal(**change: object) -> None:
        arguments = {"program": p, "rows": rows, "voltages": volts, "frequencies": f}
        circuit_sim.small_signal(**(arguments | case.signals() | change))  # type: ignore[arg-type]

    def find(**change: object) -> None:
        arguments = {"program": p, "rows": rows, "voltages": volts, "drives": case.drives}
        arguments |= {"outputs": case.outputs, "requests": torch.tensor([[0, 0, 0]])}
        arguments |= {"low": 1.0, "high": 1e9}
        circuit_sim.find_frequencies(**(arguments | change))  # type: ignore[arg-type]

    with pytest.raises(TypeError, match=r"program must be a CircuitProgram, got str"):
        circuit_sim.operating_point("rc", rows)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"rows must be a torch.float64 tensor, got torch.float32"):
        circuit_sim.operating_point(p, rows.float())
    with pytest.raises(ValueError, match=rf"rows must have shape \({p.n_rows}, any\)"):
        circuit_sim.operating_point(p, rows[1:])
    with pytest.raises(ValueError, match=r"temperature must be above -273.15, got -300"):
        circuit_sim.operating_point(p, rows, temperature=-300.0)
    with pytest.raises(ValueError, match=r"start must have shape"):
        circuit_sim.operating_point(p, rows, start=volts[1:])
    with pytest.raises(TypeError, match=r"start must be a torch.float64 tensor"):
        circuit_sim.operating_point(p, rows, start=volts.float())
    with pytest.raises(ValueError, match=r"program.n_sources is \d+, but its code holds"):
        circuit_sim.operating_point(replace(p, n_sources=n + 1), rows)
    with pytest.raises(ValueError, match=r"voltages must have shape"):
        signal(voltages=volts[:, :2])
    with pytest.raises(ValueError, match=r"frequencies must be above 0 Hz, got 0.0"):
        signal(frequencies=f * 0.0)
    with pytest.raises(ValueError, match=r"frequencies must be above 0 Hz, got nan"):
        signal(frequencies=f * math.nan)
    with pytest.raises(ValueError, match=r"frequencies must have shape \(any,\) or \(any, 3\)"):
        signal(frequencies=f[:, None].repeat(1, 2))
    with pytest.raises(ValueError, match=rf"drives must have shape \(any, {n}\)"):
        signal(drives=case.drives[:, 1:])
    with pytest.raises(ValueError, match=r"drives must be finite, got nan"):
        signal(drives=case.drives * math.nan)
    with pytest.raises(ValueError, match=rf"outputs must hold nodes in \[0, {p.n_nodes}\), got 99"):
        signal(outputs=torch.tensor([[0, 99]]))
    with pytest.raises(ValueError, match=r"noise must hold nodes in .* got -1"):
        signal(noise=torch.tensor([[0, -1]]))
    with pytest.raises(ValueError, match=r"column 0 of requests must be a kind in \[0, 3\), got 3"):
        find(requests=torch.tensor([[3, 0, 0]]))
    with pytest.raises(ValueError, match=r"column 2 of requests must be a drive in \[0, 2\)"):
        find(requests=torch.tensor([[0, 0, 2]]))
    with pytest.raises(
        ValueError, match=r"column 3 of requests must be an output or -1 in \[-1, 3"
    ):
        find(requests=torch.tensor([[0, 0, 0, 3]]))
    with pytest.raises(ValueError, match=r"low must be above 0 Hz"):
        find(low=0.0)
    with pytest.raises(ValueError, match=r"high must be above low"):
        find(high=0.5)
    with pytest.raises(ValueError, match=r"points must be 2 or more, got 1"):
        find(points=1)
    with pytest.raises(ValueError, match=r"program.n_devices is 7, but its code holds 2"):
        circuit_sim.device_state(replace(p, n_devices=7), rows, volts)


@pytest.mark.parametrize(
    "code",
    [
        [9, 0, 0, 0],
        [0, 0, 5, 0],
        [0, -1, 0, 0],
        [0, 0, 1, 4],
        [0, 0, 1],
        [4, 1, 0, 0, 0, 0, *range(9)],
        [4, 1, 0, 0, 0, 1, *[0] * 10],
        [4, 1, 0, 0, 0, 0, *[7] * 10],
    ],
)
def test_a_malformed_program_is_refused(code: list[int]) -> None:
    data = torch.tensor([1e-12, *CARD.values()], dtype=torch.float64)
    program = CircuitProgram(3, 4, 0, 0, torch.tensor(code), data)
    with pytest.raises(ValueError, match=r"\w"):
        circuit_sim.operating_point(program, torch.ones(4, 2, dtype=torch.float64))


def test_the_builder_names_what_is_wrong() -> None:
    builder = CircuitProgramBuilder(3, 2)
    with pytest.raises(ValueError, match=r"resistor: b must be in \[0, 3\), got 3"):
        builder.resistor(0, 3, 0)
    with pytest.raises(ValueError, match=r"voltage: row must be in \[0, 2\), got -1"):
        builder.voltage_source(0, 1, -1)
    with pytest.raises(ValueError, match=r"mosfet: model must be in \[0, 0\), got 0"):
        builder.mosfet(0, 0, 0, 0, 0, *[0] * 10)
    with pytest.raises(ValueError, match=r"card must hold names of .* got 'uo'"):
        builder.model({"uo": 600.0})
    with pytest.raises(ValueError, match=r"card\['phi'\] must be above 0, got 0.0"):
        builder.model({"phi": 0.0})
    with pytest.raises(ValueError, match=r"card\['nlev'\] must be -1, 0, 1, 2 or 3, got 4"):
        builder.model({"nlev": 4})
    with pytest.raises(ValueError, match=r"card\['cj'\] must be finite, got nan"):
        builder.model({"cj": math.nan})
    with pytest.raises(ValueError, match=r"n_nodes must be 1 or more"):
        CircuitProgramBuilder(0, 1)
    builder.model({})
    program = builder.build()
    assert program.data.tolist() == [1e-12, *CARD.values()]
    assert program.code.numel() == 0
