# SPDX-License-Identifier: Apache-2.0
"""Random sizings of the four circuits at five temperatures, by the kernels and by ngspice."""

from __future__ import annotations

import pytest
import torch

from circuits.analog.ngspice import available
from circuits.analog.sizing import sizing_problem

OUTPUTS = {
    "two_tia": ("out2", 1e7),
    "three_tia": ("vouta", 1e5),
    "two_volt": ("outp", 1e5),
    "ldo": ("out", 1e6),
}


@pytest.mark.skipif(not available(), reason="ngspice is not installed")
@pytest.mark.parametrize("celsius", [-40.0, 0.0, 27.0, 85.0, 125.0])
@pytest.mark.parametrize("name", OUTPUTS)
def test_potentials_transfers_and_noise_agree(name: str, celsius: float) -> None:
    problem = sizing_problem(name, "ee114" if name == "three_tia" else "180")
    generator = torch.Generator().manual_seed(round(celsius) + 100)
    units = torch.rand(3, problem.n_parameters, generator=generator, dtype=torch.float64) * 2 - 1
    params = problem.everything(problem.unit_to_parameters(units))
    node, low = OUTPUTS[name]
    circuit = problem.design.circuit
    ours, theirs = (
        circuit.simulate(
            params, [low, 10 * low, 100 * low], ("op", "ac", "noise"), celsius,
            outputs=[node], noise_output=node, backend=backend,
        )
        for backend in ("native", "ngspice")
    )  # fmt: skip
    solved = (ours.status < 3) & (theirs.status < 3)
    assert bool(solved.any())
    for other in circuit.nodes:
        if other in ("0", "gnd"):
            continue
        apart = (ours.voltage(other) - theirs.voltage(other))[solved].abs()
        assert float(apart.max()) < 1e-9, other
    for mine, other in ((ours.ac(node), theirs.ac(node)), (ours.noise, theirs.noise)):
        mine, other = mine[:, solved], other[:, solved]
        # of a sweep's largest: a small difference of large terms feels the potentials' last digits
        scale = other.abs().amax(0)
        assert float(((mine - other).abs() / scale).max()) < 1e-9
