# SPDX-License-Identifier: Apache-2.0
"""Random sizings of the four circuits at five temperatures, by the kernels and by ngspice."""

from __future__ import annotations

import pytest
import torch

from circuits.analog.ngspice import available
from circuits.analog.sizing import sizing_problem
from workbench.ops import circuit_sim
from workbench.ops.reference import circuit_equations

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


@pytest.mark.skipif(not available(), reason="ngspice is not installed")
def test_where_they_differ_the_exact_solution_is_ours() -> None:
    """The LDO rejects its supply by 100 dB and more: there the last digits of a solution show.

    The same matrices, solved with 50 digits, say whose they are.
    """
    mpmath = pytest.importorskip("mpmath")
    problem = sizing_problem("ldo", "180")
    circuit, lowered = problem.design.circuit, problem.design.circuit.lower()
    generator = torch.Generator().manual_seed(127)
    units = torch.rand(6, problem.n_parameters, generator=generator, dtype=torch.float64) * 2 - 1
    values = problem.unit_to_parameters(units)
    frequencies = [1.0, 1e3, 1e5, 1e7]
    ours, theirs = (
        circuit.simulate(
            problem.everything(values), frequencies, ("op", "ac"), outputs=["out"], backend=backend
        ).ac("out")
        for backend in ("native", "ngspice")
    )
    rows = lowered.rows(problem.all_parameters(values))
    volts, _, status = circuit_sim.operating_point(lowered.program, rows)
    assert bool((status < 3).all())
    equations = circuit_equations.Circuit(lowered.program, 27.0)
    conductances, capacitances = circuit_equations.linear(equations, rows, volts)
    supply = equations.sources[lowered.sources["vdd"]]
    right = torch.zeros(conductances.shape[-1], dtype=torch.float64)
    right[equations.branch_row(supply) - 1] = 1.0
    place = lowered.nodes["out"] - 1
    worst = {"ours": 0.0, "ngspice": 0.0}
    with mpmath.workdps(50):
        for k, frequency in enumerate(frequencies):
            for i in range(len(values)):
                omega = 2 * mpmath.pi * mpmath.mpf(frequency)
                matrix = mpmath.matrix(conductances[i].tolist()) + mpmath.mpc(0, 1) * (
                    omega * mpmath.matrix(capacitances[i].tolist())
                )
                exact = mpmath.lu_solve(matrix, mpmath.matrix(right.tolist()))[place]
                for name, found in (("ours", ours[k, i]), ("ngspice", theirs[k, i])):
                    off = abs(mpmath.mpc(complex(found)) - exact) / abs(exact)
                    worst[name] = max(worst[name], float(off))
    assert worst["ours"] < 1e-9
    assert worst["ngspice"] < 1e-6
