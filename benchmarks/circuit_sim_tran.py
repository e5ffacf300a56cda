# SPDX-License-Identifier: Apache-2.0
"""The LDO's load step: ours and ngspice's at settings that are as far from the truth."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import circuit_sim_peers as peers
import numpy as np
from circuit_sim_ours import OURS, threaded
from circuit_sim_peers import Tolerances
from circuit_sim_work import LoadStep
from harness import Case, Contender, Outputs, Prepared

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ACCURATE", "transient_case", "waveform_deviation"]

#: Volt of local error that ours may make, and ngspice's option, which are equally far from the
#: truth: 0.3 to 0.4 mV of a swing of 0.4 V.
ACCURATE = (1e-4, Tolerances(("reltol=1e-5",), 5e-3))
#: ngspice's own reltol of 1e-3, and what is as far from the truth: 5 to 9 mV.
_ROUGH = (5e-3, Tolerances((), 3e-2))


def _ours(work: LoadStep, tolerance: float, allowed: float, threads: int) -> Prepared:
    import torch

    from workbench.ops import circuit_sim
    from workbench.ops.circuit_transient import transient

    lowered = work.circuit.lower()
    program = lowered.program
    corners, rises = (torch.tensor(part, dtype=torch.float64) for part in work.wave)
    waves = torch.zeros(program.n_sources, len(corners), dtype=torch.float64)
    waves[lowered.sources["il"]] = rises
    output = torch.tensor([[lowered.nodes[node] for node in work.amplifier.output]])
    times = torch.from_numpy(work.times)

    def step(k: int | None) -> tuple[Tensor, Tensor, Tensor]:
        rows = lowered.rows(work.values(k))
        voltages, _, _ = circuit_sim.operating_point(program, rows)
        return transient(
            program,
            rows,
            voltages,
            wave_times=corners,
            waves=waves,
            times=times,
            outputs=output,
            tolerance=tolerance,
        )

    def outputs(k: int) -> Outputs:
        out, status, _ = step(k)
        if status.any():
            raise ValueError(f"{int((status != 0).sum())} sizings did not finish")
        waveform = out[:, 0].numpy()
        errors = [work.error(i, work.times, waveform[:, i]) for i in range(k)]
        return {"waveform": waveform, "error": np.array(errors)}

    steps = float(step(None)[2].double().mean())
    worst = outputs(min(3, work.count))["error"].max()
    note = f"local error of {tolerance:g} V, {steps:.0f} steps on average"
    if not np.isnan(worst):
        note += f", {1e3 * worst:.2g} mV from ngspice in steps of half a nanosecond"
    run = threaded(threads, lambda: step(None))
    return Prepared(run, outputs, work.count, allowed, note)


def _theirs(work: LoadStep, way: str, count: int, threads: int, tolerances: Tolerances) -> Prepared:
    if way == "process":
        made = peers.processes(work, "tran", count, threads, tolerances)
    else:
        made = peers.library(work, "tran", "alter", count, threads, tolerances)
    worst = made.outputs(min(3, count))["error"].max()
    option = " ".join(tolerances.options) or "its own tolerances"
    note = f"{made.note}; {option}, {1e3 * worst:.2g} mV from itself in steps of half a nanosecond"
    return Prepared(made.run, made.outputs, count, made.tolerance, note)


def waveform_deviation(ours: Outputs, theirs: Outputs) -> float:
    """Return the largest difference of the waveforms in volt.

    Raises
    ------
    ValueError
        Where one holds a number that is not finite.
    """
    a, b = np.asarray(ours["waveform"]), np.asarray(theirs["waveform"])
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("waveform has numbers that are not finite")
    return float(np.abs(a - b).max())


def transient_case(count: int, *, threads: int = 1, small: bool = False) -> Case:
    """Load steps of many sizings of the LDO.

    Parameters
    ----------
    count : int
        Sizings per call of ours.
    threads : int
        Of the run.
    small : bool
        Fewer sizings.
    """
    work = LoadStep(8 if small else count)
    few = 1 if small else 12 * threads
    contenders = []
    for variant, (tolerance, their_own) in (("accurate", ACCURATE), ("rough", _ROUGH)):
        build = functools.partial(_ours, work, tolerance, their_own.allowed, threads)
        contenders.append(Contender(OURS, variant, "float64", build))
    for variant, (_, their_own) in (("accurate", ACCURATE), ("rough", _ROUGH)):
        for package, way in ((peers.PROCESS, "process"), (peers.LIBRARY, "alter")):
            theirs = functools.partial(_theirs, work, way, few, threads, their_own)
            label = "one process each" if way == "process" else way
            contenders.append(Contender(package, f"{label}, {variant}", "float64", theirs))
    return Case(
        key="LDO transient",
        title=f"{work.count} sizings of the LDO: its load steps from 1 to 10 mA and back within "
        "20 microseconds",
        samples=work.count,
        contenders=contenders,
        compare=waveform_deviation,
    )
