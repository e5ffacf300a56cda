# SPDX-License-Identifier: Apache-2.0
"""Circuits: operating points, sweeps with noise, directed frequencies, gradients, transients."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable, Sequence

import circuit_sim_ours as own
import circuit_sim_peers as peers
import harness
from circuit_sim_count import sweep_bound
from circuit_sim_ours import OURS
from circuit_sim_tran import transient_case
from circuit_sim_work import AMPLIFIERS, Sizings, deviation
from harness import Bound, Case, Contender, Prepared

__all__ = ["OURS", "main"]

#: Evaluations per timed call of a helper process, and of `ngspice -b`, per thread.
_PER_LIBRARY, _PER_PROCESS = 64, 12

_SOME_WAYS = ("one process each", "alter", "alter, own tolerances")
_EVERY_WAY = ("one process each", "reload", "alter", "alter, own tolerances")


def _sizes(small: bool, threads: int) -> tuple[int, int]:
    """Evaluations per call: of the library, of processes."""
    return (2, 1) if small else (_PER_LIBRARY * threads, _PER_PROCESS * threads)


def _spice(
    work: Sizings, kind: str, ways: Sequence[str], small: bool, threads: int
) -> list[Contender]:
    in_library, in_processes = _sizes(small, threads)
    found = []
    for way in ways:
        build: Callable[[], Prepared]
        if way == "one process each":
            build = functools.partial(peers.processes, work, kind, in_processes, threads)
        else:
            name, _, tolerances = way.partition(", ")
            build = functools.partial(
                peers.library,
                work,
                kind,
                name,
                in_library,
                threads,
                peers.OWN if tolerances else peers.TIGHT,
            )
        package = peers.PROCESS if way == "one process each" else peers.LIBRARY
        found.append(Contender(package, way, "float64", build))
    return found


def sweep_case(name: str, count: int, *, threads: int = 1, small: bool = False) -> Case:
    """Operating point, ac and noise with 20 points per decade, of many sizings.

    Parameters
    ----------
    name : str
        One of ``AMPLIFIERS``.
    count : int
        Sizings per call of ours.
    threads : int
        Of the run; above 1, ours with one thread stands beside.
    small : bool
        Fewer sizings.
    """
    work = Sizings(AMPLIFIERS[name], 8 if small else count)
    ours = {
        "sweep": functools.partial(own.sweep, work, threads),
        "operators": functools.partial(own.operators, work, threads, gradients=False),
        "operators, gradients": functools.partial(own.operators, work, threads, gradients=True),
    }
    if threads > 1:
        ours["sweep, 1 thread"] = functools.partial(own.sweep, work, 1)
    contenders = [Contender(OURS, variant, "float64", build) for variant, build in ours.items()]
    points = len(work.amplifier.frequencies)

    def bounds() -> dict[str, Bound]:
        return sweep_bound(work.circuit.lower().program, points, work.count)

    return Case(
        key=f"{name} sweep",
        title=f"{work.count} sizings of the {name}: operating point, then ac and noise at "
        f"{points} frequencies",
        samples=work.count,
        contenders=[*contenders, *_spice(work, "sweep", _EVERY_WAY, small, threads)],
        bounds=bounds,
        compare=deviation,
        rates=True,
    )


def directed_case(name: str, count: int, *, threads: int = 1, small: bool = False) -> Case:
    """What a sizing study reads off a sweep; arguments as of :func:`sweep_case`."""
    work = Sizings(AMPLIFIERS[name], 8 if small else count)
    contenders = [
        Contender(
            OURS,
            "directed, gradients" if gradients else "directed",
            "float64",
            functools.partial(own.directed, work, threads, gradients=gradients),
        )
        for gradients in (False, True)
    ]
    return Case(
        key=f"{name} directed",
        title=f"{work.count} sizings of the {name}: operating point, gain, noise and the "
        "frequencies asked for; ngspice sweeps to find them",
        samples=work.count,
        contenders=[*contenders, *_spice(work, "sweep", _SOME_WAYS, small, threads)],
        compare=deviation,
    )


def operating_case(name: str, count: int, *, threads: int = 1, small: bool = False) -> Case:
    """Operating points alone; arguments as of :func:`sweep_case`."""
    work = Sizings(AMPLIFIERS[name], 8 if small else count)
    ours = Contender(OURS, "op", "float64", functools.partial(own.operating, work, threads))
    return Case(
        key=f"{name} op",
        title=f"{work.count} sizings of the {name}: operating points alone",
        samples=work.count,
        contenders=[ours, *_spice(work, "op", _SOME_WAYS, small, threads)],
        compare=deviation,
    )


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sizings", type=int, default=4096, help="sizings per call of ours (default 4096)"
    )


def _cases(options: argparse.Namespace) -> Sequence[Case]:
    count = options.sizings
    if count < 1:
        raise SystemExit(f"--sizings must be at least 1, got {count}")
    arguments = {"threads": options.threads, "small": options.quick}
    names = list(AMPLIFIERS)
    cases = [sweep_case(name, count, **arguments) for name in names]
    few = ["LDO"] if options.quick else names
    cases += [directed_case(name, count, **arguments) for name in few]
    cases += [operating_case(name, count, **arguments) for name in few]
    return [*cases, transient_case(max(1, count // 8), **arguments)]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the circuit benchmark.

    Parameters
    ----------
    argv : sequence of str, optional
        Options, see ``--help``; those of the process when None.

    Returns
    -------
    int
        Exit status.
    """
    return harness.run_benchmark(
        "circuit_sim",
        "Transistor circuits against ngspice: a process each, its library reloaded or altered.",
        argv,
        _add_arguments,
        _cases,
        effort=(5, 0.5, 6.0),  # ngspice's calls take a second and hold few sizings
    )


if __name__ == "__main__":
    sys.exit(main())
