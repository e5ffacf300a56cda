# SPDX-License-Identifier: Apache-2.0
"""Measures ours and its peers in turns, in one process, after checking that they agree.

A benchmark is a list of :class:`Case`; a case is one workload and its :class:`Contender` list.
For each case every contender is built, its outputs are compared with ours, and then all are
timed in rounds A/B/A/B, so that whatever disturbs the machine disturbs all of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import machine
import numpy as np
import numpy.typing as npt
import results
from rich.console import Console
from rounds import time_in_rounds

__all__ = ["Bound", "Case", "Contender", "Package", "Prepared", "run_benchmark"]

FOLDER = Path(__file__).resolve().parent

Outputs = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Package:
    """Something to measure, installed or not.

    Attributes
    ----------
    name : str
        As the tables call it.
    distribution, module : str
        What pip calls it and what Python imports.
    install : str
        Command that installs it.
    load : callable, optional
        Imports it; where given, it decides whether the package is usable.
    """

    name: str
    distribution: str
    module: str
    install: str
    load: Callable[[], object] | None = None

    def missing(self) -> str:
        """Return why the package cannot be measured here, ``""`` when it can."""
        if importlib.util.find_spec(self.module) is None:
            return f"absent; install it with: {self.install}"
        if self.load is not None:
            try:
                self.load()
            except ImportError as error:
                return f"cannot be imported ({error}); install it with: {self.install}"
        return ""


@dataclass(frozen=True)
class Prepared:
    """A contender ready to run.

    Attributes
    ----------
    run : callable
        One timed call.
    outputs : callable
        Given ``k``, named arrays computed from the case's first ``k`` samples, in one layout for
        all contenders; what the reference check compares.
    samples : int
        Samples one call of `run` handles. When the case has more, times are scaled up and the
        tables say so.
    tolerance : float
        Largest deviation ``max|a - b| / max(1, max|b|)`` its arithmetic explains.
    note : str
        Printed below the table.
    """

    run: Callable[[], object]
    outputs: Callable[[int], Outputs]
    samples: int
    tolerance: float
    note: str = ""


@dataclass(frozen=True)
class Contender:
    """One way of doing a case's work: a package, a variant of using it, and how to set it up."""

    package: Package
    variant: str
    precision: str
    build: Callable[[], Prepared]

    @property
    def label(self) -> str:
        """Package and variant."""
        return f"{self.package.name} {self.variant}".strip()


@dataclass(frozen=True)
class Bound:
    """The least work a case needs.

    Attributes
    ----------
    flop, bytes : float
        Arithmetic, and traffic beyond the caches.
    why : str
        How they were counted.
    """

    flop: float
    bytes: float
    why: str

    def milliseconds(self, peaks: machine.Peaks, precision: str) -> float:
        """Return the time these peaks allow at best."""
        compute = self.flop / (peaks.gflops(precision) * 1e9)
        return 1e3 * max(compute, self.bytes / (peaks.copy_gb_per_s * 1e9))


@dataclass(frozen=True)
class Case:
    """One workload.

    Attributes
    ----------
    key, title : str
        Short name (``goals.toml`` refers to it) and what is done.
    samples : int
        Samples per call.
    contenders : sequence of Contender
        Ours first: outputs are compared with ours of the same precision, or with the first
        contender that is present.
    bounds : mapping or callable, optional
        Lower bound per precision of ours, or what returns it once the case has been timed.
    compare : callable, optional
        Deviation of two contenders' outputs, `deviation` where None. May raise ``ValueError``
        where they cannot be compared, which counts as disagreement.
    rates : bool
        Whether the bounds' arithmetic over the measured time is to be shown for everyone.
    absent : str
        Why the case cannot be run here, when it cannot.
    """

    key: str
    title: str
    samples: int
    contenders: Sequence[Contender]
    bounds: Mapping[str, Bound] | Callable[[], Mapping[str, Bound]] = field(default_factory=dict)
    compare: Callable[[Outputs, Outputs], float] | None = None
    rates: bool = False
    absent: str = ""


def deviation(ours: Outputs, theirs: Outputs) -> float:
    """Return the largest ``max|a - b| / max(1, max|b|)`` over the outputs both name.

    Raises
    ------
    ValueError
        When they have no output in common, shapes differ, or a number is not finite.
    """
    names = sorted(set(ours) & set(theirs))
    if not names:
        raise ValueError(f"deviation: no common output among {sorted(ours)} and {sorted(theirs)}")
    worst = 0.0
    for name in names:
        a, b = np.asarray(ours[name]), np.asarray(theirs[name])
        if a.shape != b.shape:
            raise ValueError(f"deviation: {name} has shape {a.shape} here and {b.shape} there")
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise ValueError(f"deviation: {name} has numbers that are not finite")
        if b.size:
            scale = max(1.0, float(np.abs(b).max()))
            worst = max(worst, float(np.abs(a - b).max()) / scale)
    return worst


def _prepare(case: Case, console: Console) -> Iterator[tuple[results.Row, Prepared | None]]:
    for contender in case.contenders:
        row = results.Row(
            package=contender.package.name,
            variant=contender.variant,
            precision=contender.precision,
            version=machine.version(contender.package.distribution) or "",
        )
        row.status = contender.package.missing()
        if row.status:
            console.print(f"  {contender.label}: {row.status}", highlight=False, markup=False)
            yield row, None
            continue
        console.print(f"  {contender.label} {contender.precision}: setting up", highlight=False)
        try:
            prepared = contender.build()
            prepared.run()
        except Exception as error:  # whatever a peer raises is a finding: shown, kept, exit 1
            row.status = f"failed: {type(error).__name__}: {_without_paths(str(error))}"
            console.print(f"  {contender.label}: {row.status}", highlight=False, markup=False)
            yield row, None
            continue
        row.note = prepared.note
        row.scale = case.samples / prepared.samples
        row.tolerance = prepared.tolerance
        yield row, prepared


def _check(
    rows: list[tuple[results.Row, Prepared]],
    compare: Callable[[Outputs, Outputs], float],
    console: Console,
) -> None:
    """Compare everyone with ours of the same precision, or else with the first row."""
    if not rows:
        return
    references: dict[str, tuple[results.Row, Prepared]] = {}
    for row, prepared in rows:
        if row.package == results.OURS:
            references.setdefault(row.precision, (row, prepared))
    known: dict[tuple[int, int], Outputs] = {}
    for row, prepared in rows[1:]:
        reference_row, reference = references.get(row.precision, rows[0])
        if reference_row is row:
            reference_row, reference = rows[0]
        k = min(prepared.samples, reference.samples)
        key = (id(reference), k)
        if key not in known:
            known[key] = reference.outputs(k)
        tolerance = max(prepared.tolerance, reference.tolerance)
        try:
            row.deviation = compare(known[key], prepared.outputs(k))
        except ValueError as error:
            row.status = f"disagrees: {error}"
            console.print(f"  {row.label}: {row.status}", highlight=False, markup=False)
            continue
        agrees = row.deviation <= tolerance
        if not agrees:
            row.status = f"disagrees: {row.deviation:.1e} beyond {tolerance:.1e}"
        console.print(
            f"  {row.label} {row.precision}: {'agrees' if agrees else 'DISAGREES'} with "
            f"{reference_row.label} {reference_row.precision}, deviation {row.deviation:.1e} "
            f"(allowed {tolerance:.1e})",
            highlight=False,
        )


def run_case(
    case: Case, options: argparse.Namespace, peaks: machine.Peaks, console: Console
) -> results.CaseResult:
    """Set up, check and time one case."""
    console.print(f"[bold]{case.key}[/bold]  {case.title}", highlight=False)
    if case.absent:
        console.print(f"  {case.absent}", highlight=False, markup=False)
        return results.CaseResult(case.key, case.title, case.samples, [], absent=case.absent)
    every: list[results.Row] = []
    ready: list[tuple[results.Row, Prepared]] = []
    for row, prepared in _prepare(case, console):
        every.append(row)
        if prepared is not None:
            ready.append((row, prepared))
    if options.refcheck:
        _check(ready, case.compare or deviation, console)
    ready = [(row, prepared) for row, prepared in ready if not row.status]
    console.print(f"  timing {len(ready)} contenders in turns", highlight=False)
    timings = time_in_rounds(
        [prepared.run for _, prepared in ready],
        repeats=options.repeats,
        seconds=options.seconds,
        max_seconds=options.max_seconds,
    )
    bounds = case.bounds() if callable(case.bounds) else case.bounds
    for (row, _), (wall, cpu) in zip(ready, timings, strict=True):
        row.record(wall, cpu)
        bound = bounds.get(row.precision)
        if bound is None:
            continue
        if row.package == results.OURS:
            row.set_bound(bound.milliseconds(peaks, row.precision))
        if case.rates:
            row.set_rate(bound.flop)
    whys = {bound.why: None for bound in bounds.values()}
    return results.CaseResult(case.key, case.title, case.samples, every, list(whys))


def _parser(
    name: str,
    summary: str,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    effort: tuple[int, float, float],
) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python benchmarks/{name}.py", description=summary)
    parser.add_argument(
        "--threads", type=int, default=1, help="cores and threads everyone gets (default 1)"
    )
    repeats, seconds, most = effort
    parser.add_argument("--repeats", type=int, help=f"least number of calls (default {repeats})")
    parser.add_argument(
        "--seconds", type=float, help=f"least seconds per contender (default {seconds:g})"
    )
    parser.add_argument(
        "--max-seconds", type=float, help=f"seconds after which 3 calls do (default {most:g})"
    )
    parser.add_argument(
        "--refcheck",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="compare all outputs and gradients with ours before timing (default on)",
    )
    parser.add_argument("--case", nargs="+", metavar="KEY", help="only cases starting so")
    parser.add_argument("--peer", nargs="+", metavar="NAME", help="only these peers beside ours")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes, a few calls: does it run at all?"
    )
    parser.add_argument(
        "--save",
        nargs="?",
        type=Path,
        const=FOLDER / "results",
        metavar="FOLDER",
        help="write NAME-tTHREADS.json and .md there (default: benchmarks/results)",
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON as well")
    parser.add_argument(
        "--gate", action="store_true", help="exit 1 when a ratio is below 0.7 of its goal"
    )
    add_arguments(parser)
    return parser


def _options(
    parser: argparse.ArgumentParser, argv: Sequence[str], effort: tuple[int, float, float]
) -> argparse.Namespace:
    options = parser.parse_args(argv)
    repeats, seconds, max_seconds = (2, 0.0, 2.0) if options.quick else effort
    options.repeats = repeats if options.repeats is None else options.repeats
    options.seconds = seconds if options.seconds is None else options.seconds
    options.max_seconds = max_seconds if options.max_seconds is None else options.max_seconds
    cores = _cores()
    if not 1 <= options.threads <= len(cores):
        parser.error(f"--threads must be 1 to {len(cores)} on this machine, got {options.threads}")
    if options.repeats < 1:
        parser.error(f"--repeats must be at least 1, got {options.repeats}")
    return options


def _cores() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _rerun_pinned(name: str, argv: Sequence[str], threads: int) -> int:
    """Start over in a process whose thread pools are sized before any library loads."""
    environment = dict(os.environ, QISKIT_PARALLEL="FALSE", WORKBENCH_BENCH_THREADS=str(threads))
    for pool in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "QULACS", "RAYON", "VECLIB"):
        suffix = "MAXIMUM_THREADS" if pool == "VECLIB" else "NUM_THREADS"
        environment[f"{pool}_{suffix}"] = str(threads)
    command = [sys.executable, str(FOLDER / f"{name}.py"), *argv]
    cores = _cores()
    if not hasattr(os, "sched_setaffinity"):
        return subprocess.run(command, env=environment, check=False).returncode
    os.sched_setaffinity(0, cores[:threads])  # inherited by the new process and all its threads
    try:
        return subprocess.run(command, env=environment, check=False).returncode
    finally:
        os.sched_setaffinity(0, cores)


def _without_paths(message: str) -> str:
    """Results are kept and published: where this machine keeps its files is nobody's concern."""
    return re.sub(r"\s*\(?/\S+/\S*", "", message)


def _await_idle(console: Console, most: float = 90.0) -> None:
    """Give what ran before, a benchmark most likely, time to leave the load average."""
    started = time.monotonic()
    if machine.load_average() > machine.BUSY:
        console.print(f"waiting up to {most:.0f} s for the load to fall", highlight=False)
    while machine.load_average() > machine.BUSY and time.monotonic() - started < most:
        time.sleep(2.0)


def run_benchmark(
    name: str,
    summary: str,
    argv: Sequence[str] | None,
    add_arguments: Callable[[argparse.ArgumentParser], None],
    cases: Callable[[argparse.Namespace], Sequence[Case]],
    effort: tuple[int, float, float] = (20, 1.0, 20.0),
) -> int:
    """Run one benchmark from its command line.

    Parameters
    ----------
    name, summary : str
        Of the benchmark; `name` is also that of the result files.
    argv : sequence of str, optional
        Arguments, those of the process when None.
    add_arguments : callable
        Adds the benchmark's own options.
    cases : callable
        Turns options into the cases to run.
    effort : (int, float, float)
        Defaults of ``--repeats``, ``--seconds`` and ``--max-seconds``.

    Returns
    -------
    int
        0; 1 when contenders disagree or fail, or a ratio is below the ``--gate``.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    options = _options(_parser(name, summary, add_arguments, effort), argv, effort)
    if os.environ.get("WORKBENCH_BENCH_THREADS") != str(options.threads):
        return _rerun_pinned(name, argv, options.threads)

    console = Console(stderr=True, width=None if sys.stderr.isatty() else 120)
    if not options.quick:
        _await_idle(console)
    described = machine.describe()
    if described.load > machine.BUSY:
        console.print(
            f"[bold red]The load average is {described.load}: times of this run are not to be "
            f"trusted (stop other work, wait until it is below {machine.BUSY}).[/bold red]"
        )
    console.print("measuring what this machine reaches", highlight=False)
    peaks = machine.measure_peaks(quick=options.quick)
    report = results.Report(
        name=name,
        command=shlex.join(["python", f"benchmarks/{name}.py", *argv]),
        threads=options.threads,
        quick=options.quick,
        machine=described,
        peaks=peaks,
        revision=machine.revision(),
        kernels=machine.kernels(),
        started=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    )
    # sizes of a quick run are not those the goals were set for
    goals = results.Goals() if options.quick else results.load_goals(FOLDER / "goals.toml")
    everything = list(cases(options))
    for case in everything:
        if options.case and not any(case.key.startswith(prefix) for prefix in options.case):
            continue
        if options.peer:
            wanted = {results.OURS, *options.peer}
            kept = [c for c in case.contenders if c.package.name in wanted]
            case = dataclasses.replace(case, contenders=kept)
        result = run_case(case, options, peaks, console)
        result.judge(goals, name, options.threads)
        report.cases.append(result)
        gc.collect()
    report.judge(goals)
    packages = (c.package.distribution for case in everything for c in case.contenders)
    report.versions = machine.versions(packages)
    report.load_after = round(machine.load_average(), 2)

    results.print_report(report, Console(width=None if sys.stdout.isatty() else 120))
    if options.json:
        print(report.to_json())
    if options.save is not None:
        for path in report.save(options.save):
            console.print(f"wrote {path}", highlight=False)
    return report.exit_status(gate=options.gate)
