# SPDX-License-Identifier: Apache-2.0
"""Ours on the sizings of the circuit benchmark, through the interface that users have."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from circuit_sim_work import TOLERANCE, Sizings
from harness import Outputs, Package, Prepared

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["OURS", "directed", "operating", "operators", "sweep", "threaded"]

OURS = Package(
    "workbench", "quantum-graph-workbench", "workbench.ops", "python -m pip install -e ."
)

_COARSE = 25  # frequencies that bracket a directed one


def threaded(threads: int, run: Callable[[], Any]) -> Callable[[], Any]:
    """The call with that many threads, whatever ran before."""
    import torch

    def timed() -> Any:
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        return run()

    return timed


def sweep(work: Sizings, threads: int) -> Prepared:
    """``Circuit.simulate`` at all frequencies.

    Parameters
    ----------
    work : Sizings
    threads : int
    """
    import torch

    a, circuit = work.amplifier, work.circuit
    frequencies = torch.from_numpy(a.frequencies)

    def simulate(k: int) -> Any:
        return circuit.simulate(
            work.values(k), frequencies, outputs=[a.output], noise_output=a.output
        )

    def outputs(k: int) -> Outputs:
        result = simulate(k)
        return {
            "potentials": np.stack([result.voltage(n).numpy() for n in circuit.nodes[1:]]),
            "transfer": result.ac(a.output).numpy(),
            "noise": result.noise.numpy(),
            "frequencies": a.frequencies,
        }

    run = threaded(threads, lambda: simulate(work.count))
    status = torch.bincount(simulate(work.count).status, minlength=4).tolist()
    note = f"{status[0]} by Newton's method, {status[1]} with shunts, {status[2]} with sources "
    note += f"raised, {status[3]} unsolved"
    return Prepared(run, outputs, work.count, TOLERANCE, note)


def operating(work: Sizings, threads: int) -> Prepared:
    """``Circuit.simulate`` of the operating point alone; arguments as of :func:`sweep`."""
    circuit = work.circuit

    def outputs(k: int) -> Outputs:
        result = circuit.simulate(work.values(k))
        return {"potentials": np.stack([result.voltage(n).numpy() for n in circuit.nodes[1:]])}

    run = threaded(threads, lambda: circuit.simulate(work.values()))
    return Prepared(run, outputs, work.count, TOLERANCE)


class _Study:
    """The operators in a row, as a sizing study calls them."""

    def __init__(self, work: Sizings) -> None:
        import torch

        from workbench.ops import circuit_sim

        self.work, self.ops, self.torch = work, circuit_sim, torch
        lowered = work.circuit.lower()
        self.program, self.drives = lowered.program, lowered.drive
        numbers = [lowered.nodes[node] for node in work.amplifier.output]
        self.outputs = torch.tensor([numbers])
        self.requests = torch.tensor(work.amplifier.requests)
        self.frequencies = torch.from_numpy(work.amplifier.frequencies)
        self.lowered = lowered

    def rows(self, k: int | None = None) -> Tensor:
        return self.lowered.rows(self.work.values(k))

    def small_signal(
        self, rows: Tensor, voltages: Tensor, frequencies: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Transfer and noise at the output, ``(F, B)``."""
        transfer, noise = self.ops.small_signal(
            self.program,
            rows,
            voltages,
            frequencies,
            drives=self.drives,
            outputs=self.outputs,
            noise=self.outputs,
        )
        return transfer[:, 0, 0], noise[:, 0]

    def swept(self, rows: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """Potentials, source currents, and logarithms of all transfers and noise."""
        voltages, currents, _ = self.ops.operating_point(self.program, rows)
        transfer, noise = self.small_signal(rows, voltages, self.frequencies)
        return voltages, currents, [2 * transfer.abs().log(), noise.log()]

    def directed(self, rows: Tensor) -> tuple[Tensor, Tensor, list[Tensor], Tensor]:
        """The same of what is at the lowest frequency and those asked for, and these.

        Each crossing takes one step of Newton's method in ln f from where it was found: that
        changes nothing but makes it differentiable.
        """
        torch, a = self.torch, self.work.amplifier
        voltages, currents, _ = self.ops.operating_point(self.program, rows)
        found, slope, _ = self.ops.find_frequencies(
            self.program,
            rows.detach(),
            voltages.detach(),
            drives=self.drives,
            outputs=self.outputs,
            requests=self.requests,
            low=a.low,
            high=a.high,
            points=_COARSE,
        )
        frequencies = torch.cat([torch.full_like(found[:1], a.low), found])
        transfer, noise = self.small_signal(rows, voltages, frequencies)
        levels = [2 * transfer[0].abs().log(), noise[0].log()]
        for i, (kind, _, _) in enumerate(a.requests):
            there = ~torch.isnan(found[i])
            h = torch.where(there, transfer[i + 1], torch.ones_like(transfer[i + 1]))
            if kind == 2:
                levels.append(2 * h.abs().log())  # flat there: the frequency may stand still
                continue
            rise = (h.detach().conj() * slope[i]).real / h.detach().abs().square()
            goal = transfer[0].abs().log() - 0.5 * math.log(2.0) if kind == 0 else 0.0
            crossing = found[i].log() - (h.abs().log() - goal) / rise
            levels.append(torch.where(there, crossing, torch.zeros_like(crossing)))
        return voltages, currents, levels, found


def directed(work: Sizings, threads: int, *, gradients: bool) -> Prepared:
    """Bandwidth, unity crossing or peak looked for; transfer and noise there and at the lowest.

    Parameters
    ----------
    work : Sizings
    threads : int
    gradients : bool
        Whether the weighed sum of all results is differentiated to every row.
    """
    study = _Study(work)

    def outputs(k: int) -> Outputs:
        voltages, _, _, found = study.directed(study.rows(k))
        kinds = np.array([kind for kind, _, _ in work.amplifier.requests])
        return {"potentials": voltages[1:].numpy(), "found": found.numpy(), "kinds": kinds}

    wanted = {0: "-3 dB", 1: "|H| = 1", 2: "maximum"}
    names = ", ".join(wanted[kind] for kind, _, _ in work.amplifier.requests)
    note = f"{names} by {_COARSE} coarse frequencies and a root; transfer and noise there and at "
    note += "the lowest; each lies in its cell of the sweep"
    return _prepared(
        study, threads, lambda rows: study.directed(rows)[1:3], outputs, gradients, note
    )


def operators(work: Sizings, threads: int, *, gradients: bool) -> Prepared:
    """All frequencies by the operators themselves; arguments as of :func:`directed`."""
    study = _Study(work)

    def outputs(k: int) -> Outputs:
        return {"potentials": study.swept(study.rows(k))[0][1:].numpy()}

    return _prepared(study, threads, lambda rows: study.swept(rows)[1:], outputs, gradients, "")


def _prepared(
    study: _Study,
    threads: int,
    results: Callable[[Tensor], tuple[Tensor, list[Tensor]]],
    outputs: Callable[[int], Outputs],
    gradients: bool,
    note: str,
) -> Prepared:
    import torch

    def scalar(rows: Tensor) -> Tensor:
        currents, levels = results(rows)
        return currents.sum() + torch.cat([level.reshape(-1) for level in levels]).sum()

    kept = study.rows()
    if gradients:
        kept = kept.clone().requires_grad_()

    def step() -> Tensor:
        value = scalar(kept)
        return torch.autograd.grad(value, kept)[0] if gradients else value

    if gradients:
        found = step()
        if not torch.isfinite(found).all():
            raise ValueError("gradients are not finite")
        off = _against_differences(scalar, kept.detach(), found)
        note = f"{off:.0e} from central differences, of the largest" + (f"; {note}" if note else "")
    return Prepared(threaded(threads, step), outputs, study.work.count, TOLERANCE, note)


def _against_differences(
    scalar: Callable[[Tensor], Tensor], rows: Tensor, gradient: Tensor
) -> float:
    """Largest error of a relative derivative of the first sizing, by ten of its values."""
    import torch

    one, worst, most = rows[:, :1], 0.0, 0.0
    for row in torch.nonzero(one[:, 0]).flatten().tolist()[:10]:
        values = []
        for sign in (1.0, -1.0):
            moved = one.clone()
            moved[row] *= 1.0 + sign * 1e-5
            values.append(float(scalar(moved)))
        exact = float(gradient[row, 0] * one[row, 0])
        worst = max(worst, abs((values[0] - values[1]) / 2e-5 - exact))
        most = max(most, abs(exact))
    return worst / most if most else worst
