# SPDX-License-Identifier: Apache-2.0
"""The circuit operators in plain torch: what :mod:`workbench.ops.circuit_sim` computes, readably.

Dense modified nodal analysis with one branch row per voltage source, batched over candidates,
pivoted solves everywhere and derivatives by autograd. Slow, and once differentiable.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

from workbench.ops.circuit_program import DEVICE_COLUMNS, CircuitProgram
from workbench.ops.reference.circuit_equations import (
    Circuit,
    jacobian,
    leaving,
    linear,
    noise_sources,
    residual,
    source_currents,
)

__all__ = [
    "device_state",
    "find_frequencies",
    "kirchhoff",
    "operating_point",
    "small_signal",
]

LARGEST_STEP = 0.4  # V per iteration of Newton's method
CONVERGED = 1e-11  # V
STALLED = 1e-8  # V: below this a step that no longer shrinks is rounding
ITERATIONS = 80
GMIN_STEPS = [10.0**-k for k in range(2, 13)] + [0.0]


def kirchhoff(
    program: CircuitProgram,
    rows: Tensor,
    voltages: Tensor,
    currents: Tensor,
    *,
    temperature: float = 27.0,
) -> Tensor:
    """Sum of the currents that leave each node, ampere.

    Parameters
    ----------
    program : CircuitProgram
    rows, voltages, currents : Tensor
        As of :func:`operating_point`.
    temperature : float
        Degrees Celsius.

    Returns
    -------
    Tensor
        float64 ``(n_nodes, B)``: zero at an operating point, ground too.
    """
    circuit = Circuit(program, temperature)
    return torch.stack(leaving(circuit, rows, voltages, currents))


def _newton(
    circuit: Circuit, rows: Tensor, x: Tensor, shunt: float = 0.0, scale: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Damped Newton's method: where it ended, ``(n, B)``, and where it converged, ``(B,)``."""
    batch, nodes = rows.shape[1], circuit.n_nodes - 1
    done = torch.zeros(batch, dtype=torch.bool)
    before = torch.full((batch,), math.inf, dtype=torch.float64)
    x = x.clone()
    for _ in range(ITERATIONS):
        active = torch.nonzero(~done).squeeze(1)
        if not len(active):
            break
        some, at = rows[:, active], x[:, active]
        right = -residual(circuit, some, at, shunt, scale).T
        step, info = torch.linalg.solve_ex(jacobian(circuit, some, at, shunt), right)
        step = torch.where((info != 0)[:, None], torch.full_like(step, math.nan), step).T
        if nodes:
            size = step[:nodes].abs().amax(0)
        else:
            size = torch.zeros(len(active), dtype=torch.float64)
        x[:, active] = at + step * torch.clamp(LARGEST_STEP / size, max=1.0)
        stalled = (size < STALLED) & (size >= 0.5 * before[active])
        before[active] = size
        done[active] = (size < CONVERGED) | stalled
        x[:, active[torch.isnan(size)]] = math.nan
        done[active[torch.isnan(size)]] = True
    return x, done & torch.isfinite(x).all(0)


def _first_guess(circuit: Circuit, rows: Tensor) -> Tensor:
    """Nodes that voltage sources tie to ground at their volts, the others half-way between."""
    known: dict[int, Tensor] = {0: torch.zeros(rows.shape[1], dtype=torch.float64)}
    for _ in circuit.branches:
        for s in circuit.branches:
            if s.b in known and s.a not in known:
                known[s.a] = known[s.b] + rows[s.row]
            elif s.a in known and s.b not in known:
                known[s.b] = known[s.a] - rows[s.row]
    levels = torch.stack(list(known.values()))
    middle = 0.5 * (levels.amax(0) + levels.amin(0))
    volts = [known.get(node, middle) for node in range(1, circuit.n_nodes)]
    return torch.stack([*volts, *(torch.zeros_like(middle) for _ in circuit.branches)])


def _solve(circuit: Circuit, rows: Tensor, start: Tensor | None) -> tuple[Tensor, Tensor]:
    batch, nodes = rows.shape[1], circuit.n_nodes - 1
    status = torch.full((batch,), 3, dtype=torch.int64)
    answer = torch.full((circuit.n_unknowns, batch), math.nan, dtype=torch.float64)
    good = circuit.good(rows)
    if circuit.n_unknowns == 0:
        return answer, torch.where(good, 0, status)

    def attempt(code: int, solve: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
        todo = torch.nonzero(good & (status == 3)).squeeze(1)
        if not len(todo):
            return
        found, converged = solve(rows[:, todo], todo)
        answer[:, todo[converged]] = found[:, converged]
        status[todo[converged]] = code

    def directly(some: Tensor, todo: Tensor) -> tuple[Tensor, Tensor]:
        first = _first_guess(circuit, some)
        if start is not None:
            first[:nodes] = start[1:, todo] if start.shape[1] > 1 else start[1:]
        return _newton(circuit, some, first)

    def by_shunts(some: Tensor, todo: Tensor) -> tuple[Tensor, Tensor]:
        x = _first_guess(circuit, some)
        for shunt in GMIN_STEPS:
            x, converged = _newton(circuit, some, x, shunt)
        return x, converged

    def by_ramp(some: Tensor, todo: Tensor) -> tuple[Tensor, Tensor]:
        x = torch.zeros(circuit.n_unknowns, some.shape[1], dtype=torch.float64)
        for step in range(1, 51):
            x, converged = _newton(circuit, some, x, 0.0, step / 50)
        return x, converged

    for code, solve in enumerate((directly, by_shunts, by_ramp)):
        attempt(code, solve)
    return answer, status


def operating_point(
    program: CircuitProgram,
    rows: Tensor,
    *,
    temperature: float = 27.0,
    start: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """See :func:`workbench.ops.circuit_sim.operating_point`."""
    circuit = Circuit(program, temperature)
    if start is not None and start.dim() == 1:
        start = start[:, None]
    fixed = rows.detach()
    answer, status = _solve(circuit, fixed, None if start is None else start.detach())
    if circuit.n_unknowns:
        solved = torch.nonzero(status != 3).squeeze(1)
        # One step from the solution, whose length is zero and whose derivative is the answer's.
        some, at = rows[:, solved], answer[:, solved]
        matrix = jacobian(circuit, fixed[:, solved], at)
        right = residual(circuit, some, at)
        step = torch.linalg.solve(matrix, (right - right.detach()).T).T
        answer = answer.index_copy(1, solved, at - step)
    zero = torch.zeros(1, rows.shape[1], dtype=torch.float64)
    lost = status == 3
    volts = answer[: program.n_nodes - 1]
    currents = source_currents(circuit, rows, answer)
    nan = torch.tensor(math.nan, dtype=torch.float64)
    volts = torch.where(lost, nan, volts)
    return torch.cat([zero, volts]), torch.where(lost, nan, currents), status


def _drive(circuit: Circuit, drives: Tensor) -> Tensor:
    """Right sides of the drives, ``(n, D)``."""
    out = torch.zeros(circuit.n_nodes + len(circuit.branches), len(drives), dtype=torch.float64)
    for number, s in enumerate(circuit.sources):
        if s.branch >= 0:
            out[circuit.branch_row(s)] += drives[:, number]
        else:
            out[s.a] -= drives[:, number]
            out[s.b] += drives[:, number]
    return out[1:]


def _pick(circuit: Circuit, pairs: Tensor) -> Tensor:
    """One column ``e_p - e_n`` for each pair of nodes, ``(n, O)``."""
    out = torch.zeros(circuit.n_nodes + len(circuit.branches), len(pairs), dtype=torch.float64)
    for k, (p, n) in enumerate(pairs.tolist()):
        out[p, k] += 1.0
        out[n, k] -= 1.0
    return out[1:]


def _system(g: Tensor, c: Tensor, frequencies: Tensor) -> Tensor:
    """``G + i w C``, ``(F, B, n, n)``; frequencies ``(F, 1 or B)``."""
    omega = 2.0 * math.pi * frequencies[:, :, None, None]
    return torch.complex(g.expand(len(omega), *g.shape), omega * c)


def small_signal(
    program: CircuitProgram,
    rows: Tensor,
    voltages: Tensor,
    frequencies: Tensor,
    *,
    drives: Tensor,
    outputs: Tensor,
    noise: Tensor | None = None,
    temperature: float = 27.0,
) -> tuple[Tensor, Tensor]:
    """See :func:`workbench.ops.circuit_sim.small_signal`."""
    circuit = Circuit(program, temperature)
    f = frequencies[:, None] if frequencies.dim() == 1 else frequencies
    batch = rows.shape[1]
    # Columns without an operating point are solved at another's rows, and forgotten after.
    good = torch.isfinite(voltages).all(0) & circuit.good(rows.detach())
    index = torch.nonzero(good).squeeze(1)
    some, volts = rows[:, index], voltages[:, index]
    f = f.expand(len(f), batch)[:, index]
    system = _system(*linear(circuit, some, volts), f)
    right = _drive(circuit, drives).to(torch.complex128)
    answer = torch.linalg.solve(system, right.expand(len(f), len(index), *right.shape))
    pick = _pick(circuit, outputs).to(torch.complex128)
    transfer = torch.einsum("no,fbnd->fodb", pick, answer)

    pairs = noise if noise is not None else torch.zeros(0, 2, dtype=torch.int64)
    adjoint = _pick(circuit, pairs).to(torch.complex128)
    z = torch.linalg.solve(
        system.transpose(2, 3), adjoint.expand(len(f), len(index), *adjoint.shape)
    )
    ground = torch.zeros(len(f), len(index), 1, len(pairs), dtype=torch.complex128)
    z = torch.cat([ground, z], 2).permute(2, 0, 3, 1)  # (node, F, K, B)
    density = torch.zeros(len(f), len(pairs), len(index), dtype=torch.float64)
    for a, b, current in noise_sources(circuit, some, volts, f):
        gain = z[a] - z[b]
        density = density + (gain.real**2 + gain.imag**2) * current[:, None, :]
    full = torch.full((*transfer.shape[:-1], batch), math.nan + 0j, dtype=torch.complex128)
    empty = torch.full((*density.shape[:-1], batch), math.nan, dtype=torch.float64)
    return full.index_copy(-1, index, transfer), empty.index_copy(-1, index, density)


def find_frequencies(
    program: CircuitProgram,
    rows: Tensor,
    voltages: Tensor,
    *,
    drives: Tensor,
    outputs: Tensor,
    requests: Tensor,
    low: float,
    high: float,
    points: int = 25,
    temperature: float = 27.0,
) -> tuple[Tensor, Tensor, Tensor]:
    """See :func:`workbench.ops.circuit_sim.find_frequencies`; by bisection, slowly."""
    circuit = Circuit(program, temperature)
    shape = (len(requests), rows.shape[1])
    frequency = torch.full(shape, math.nan, dtype=torch.float64)
    slope = torch.full(shape, complex(math.nan, math.nan), dtype=torch.complex128)
    turn = torch.full(shape, math.nan, dtype=torch.float64)
    grid = torch.linspace(math.log(low), math.log(high), points, dtype=torch.float64)
    grid[0], grid[-1] = math.log(low), math.log(high)
    good = torch.isfinite(voltages).all(0) & circuit.good(rows)
    picks, sides = _pick(circuit, outputs), _drive(circuit, drives)
    for b in torch.nonzero(good).squeeze(1).tolist():
        g, c = linear(circuit, rows[:, b : b + 1], voltages[:, b : b + 1])
        for p, (kind, output, drive, *over) in enumerate(requests.tolist()):
            below = over[0] if over else -1
            d = picks[:, below].to(torch.complex128) if below >= 0 else None
            e = picks[:, output].to(torch.complex128)
            right = sides[:, drive].to(torch.complex128)

            def at(
                x: float,
                g: Tensor = g,
                c: Tensor = c,
                e: Tensor = e,
                d: Tensor | None = d,
                right: Tensor = right,
            ) -> tuple[complex, complex]:
                """H and dH/dln f at ``exp(x)`` hertz."""
                system = _system(g, c, torch.tensor([[math.exp(x)]], dtype=torch.float64))[0, 0]
                v = torch.linalg.solve(system, right)
                change = torch.linalg.solve(system, -1j * system.imag.to(torch.complex128) @ v)
                h, moved = complex(e @ v), complex(e @ change)
                if d is None:
                    return h, moved
                under = complex(d @ v)
                if under == 0.0:
                    return complex(math.nan), complex(math.nan)
                return h / under, (moved - h / under * complex(d @ change)) / under

            found = _search(kind, at, grid.tolist())
            if found is None:
                continue
            x, phase = found
            frequency[p, b] = low if x == grid[0] else high if x == grid[-1] else math.exp(x)
            slope[p, b] = torch.tensor(at(x)[1], dtype=torch.complex128)
            turn[p, b] = phase
    return frequency, slope, turn


def _search(
    kind: int, at: Callable[[float], tuple[complex, complex]], grid: list[float]
) -> tuple[float, float] | None:
    """Logarithm of the frequency and the phase turned on the way there."""
    values = [at(x) for x in grid]
    size = [abs(h) for h, _ in values]
    if any(math.isnan(s) for s in size):
        return None
    if kind == 2:
        best = max(range(len(grid)), key=lambda i: size[i])
        if size[best] == 0.0:
            return None
        if best == 0:
            return grid[0], 0.0

        def rising(x: float) -> bool:
            h, change = at(x)
            return (h.conjugate() * change).real > 0.0

        if best == len(grid) - 1 and rising(grid[-1]):
            cell, x = best - 1, grid[-1]
        else:
            # The summit is right of the best point where the magnitude still rises there.
            cell = best if rising(grid[best]) else best - 1
            x = _bisect(rising, grid[cell], grid[cell + 1])
    else:
        level = size[0] / math.sqrt(2.0) if kind == 0 else 1.0
        above = [s >= level for s in size]
        if not above[0] or size[0] == 0.0 or all(above):
            return None
        cell = above.index(False) - 1
        x = _bisect(lambda x: abs(at(x)[0]) >= level, grid[cell], grid[cell + 1])
    hs = [h for h, _ in values[: cell + 1]] + [at(x)[0]]
    phase = sum(_angle(later, earlier) for earlier, later in pairwise(hs))
    return x, phase


def _angle(later: complex, earlier: complex) -> float:
    turned = later * earlier.conjugate()
    return math.atan2(turned.imag, turned.real)


def _bisect(before: Callable[[float], bool], a: float, b: float) -> float:
    """Where ``before`` turns from true to false."""
    for _ in range(80):
        middle = 0.5 * (a + b)
        if before(middle):
            a = middle
        else:
            b = middle
    return 0.5 * (a + b)


def device_state(
    program: CircuitProgram, rows: Tensor, voltages: Tensor, *, temperature: float = 27.0
) -> Tensor:
    """See :func:`workbench.ops.circuit_sim.device_state`."""
    circuit = Circuit(program, temperature)
    out = []
    for device in circuit.devices:
        model, size = circuit.models[device.model], circuit.size(device, rows)
        at, sign = circuit.respond(device, rows, voltages), model.sign
        cgs, cgd, cgb = model.gate_capacitances(size, at)
        cbd, cbs = model.junction_capacitances(size, at)
        vdsat = torch.clamp(at.vgst, min=0.0)
        columns = (
            *(sign * (at.channel - at.ibd), sign * at.vgs, sign * at.vds, sign * at.vbs),
            *(sign * at.von, sign * vdsat, at.gm, at.gds),
            *(at.gmbs, cgs, cgd, cgb, cbd, cbs, sign * at.ibd, sign * at.ibs),
        )
        out.append(torch.stack(columns))
    if not out:
        return rows.new_zeros(0, len(DEVICE_COLUMNS), rows.shape[1])
    known = torch.isfinite(voltages).all(0) & circuit.good(rows)
    return torch.where(known, torch.stack(out), math.nan)
