# SPDX-License-Identifier: Apache-2.0
"""The experiment's computation: every matrix up the ladder, then the sweeps."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from workbench.hardware.sparch import (
    RUNGS,
    Machine,
    Problem,
    Simulation,
    Traffic,
    climb,
    compulsory,
    gamma,
    matraptor,
    outerspace,
    simulate,
)
from workbench.methods.sparch import paper
from workbench.methods.sparch.config import Config
from workbench.methods.sparch.sources import Source, resolve
from workbench.methods.sparch.sweeps import RMAT_SIZES, SWEEPS, rmat_point, sweep
from workbench.methods.sparch.verdict import judge, ratios_of

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["run_pipeline"]


def run_pipeline(config: Config, run: Run) -> dict[str, Any]:
    """Run everything; the result is plain JSON."""
    sources = resolve(config)
    records = []
    steps = len(RUNGS) + 1 + (len(SWEEPS) if config.sweeps else 0)
    with run.progress(len(sources), "matrices") as bar:
        for number, source in enumerate(sources):
            with run.progress(steps, source.name) as inner:
                # Two paths may end in the same name.
                record = run.once(
                    f"{number} {source.name}", partial(_matrix, source, config, inner)
                )
            records.append(record)
            run.log({"matrix": record["name"], "ratio": record["ratios"]["net"]})
            bar.advance(best=f"{record['name']} {_times(record['ratios']['net'])}")
    points = []
    if config.rmat_sweep:
        with run.progress(len(RMAT_SIZES), "rMAT") as bar:
            for scale, edges in RMAT_SIZES:
                point = partial(rmat_point, scale, edges, config.seed, config.hardware)
                points.append(run.once(f"rmat {scale} {edges}", point))
                bar.advance()
    judged = judge(records)
    return {
        "matrices": records,
        "rmat": points,
        "ways": config.hardware.ways,
        "peak_gflops": config.hardware.peak_gflops,
        "peak_gbytes": config.hardware.peak_bytes_per_cycle * config.hardware.clock_ghz,
        "dram_efficiency": config.hardware.dram_efficiency,
        **judged,
    }


def _matrix(source: Source, config: Config, inner: Any) -> dict[str, Any]:
    matrix = source.load()
    try:
        problem = Problem.square(matrix)
    except ValueError as error:
        raise ValueError(f"{source.name}: {error}") from error
    hardware = config.hardware
    found = climb(problem, hardware, on_rung=lambda rung: inner.advance())
    calibrated = replace(hardware, dram_efficiency=paper.CALIBRATED_EFFICIENCY)
    rivals = [
        outerspace(problem, hardware),
        outerspace(problem, hardware, aligned=True),
        matraptor(problem, hardware),
        gamma(problem, hardware),
    ]
    inner.advance()
    rungs = {key: _simulation(simulation) for key, simulation in found.items()}
    sweeps = {}
    if config.sweeps:
        for name in SWEEPS:
            sweeps[name] = sweep(name, problem, hardware)
            inner.advance()
    record: dict[str, Any] = {
        "name": source.name,
        "origin": source.origin,
        "pattern": _digest(problem),
        "n": problem.a.shape[0],
        "nnz": problem.a.nnz,
        "products": problem.products,
        "c_elements": problem.c_elements,
        "columns": problem.columns,
        "longest_row": problem.longest_row,
        "leaves": found["sparch"].leaves,
        "one_round": found["sparch"].leaves <= hardware.ways,
        "compulsory": compulsory(problem, hardware).total,
        "rungs": rungs,
        "calibrated": _simulation(simulate(problem, calibrated)),
        "rivals": [_machine(machine) for machine in rivals],
        "sweeps": sweeps,
    }
    record["ratios"] = ratios_of(record)
    return record


def _digest(problem: Problem) -> str:
    """Identify the pattern: a run's options name a file, not what was in it."""
    digest = hashlib.sha256(problem.a.indptr.tobytes())
    digest.update(problem.a.indices.tobytes())
    return digest.hexdigest()[:12]


def _traffic(traffic: Traffic) -> dict[str, int]:
    return {**asdict(traffic), "total": traffic.total}


def _simulation(simulation: Simulation) -> dict[str, Any]:
    return {
        "traffic": _traffic(simulation.traffic),
        "rounds": simulation.rounds,
        "leaves": simulation.leaves,
        "cycles": simulation.cycles,
        "bound_cycles": dict(simulation.bound_cycles),
        "bound": simulation.bound,
        "utilisation": simulation.bandwidth_utilisation,
        "gflops": simulation.gflops,
        "intensity": simulation.intensity,
        "hit_rate": simulation.hit_rate,
        "lines": simulation.lines,
        "line_misses": simulation.line_misses,
    }


def _machine(machine: Machine) -> dict[str, Any]:
    return {
        "name": machine.name,
        "traffic": _traffic(machine.traffic),
        "gflops": machine.gflops,
    }


def _times(ratio: float | None) -> str:
    return "has no product" if ratio is None else f"{ratio:.2f}x"
