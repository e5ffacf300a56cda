# SPDX-License-Identifier: Apache-2.0
"""What a benchmark found: rows, goals, the table in the terminal, the files it is kept in."""

from __future__ import annotations

import dataclasses
import json
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from goals import Goal, Goals, Mean, Target, Verdict, load_goals, matches
from machine import BUSY, Machine, Peaks
from rich import box
from rich.console import Console
from rich.table import Table

__all__ = [
    "OURS",
    "CaseResult",
    "Goal",
    "Goals",
    "Mean",
    "Report",
    "Row",
    "Target",
    "Verdict",
    "heading",
    "load_goals",
    "print_report",
]

#: The package name under which our own rows stand.
OURS = "workbench"

#: A goal missed by less than this factor fails no gate: busy machines vary that much.
GATE = 0.7


@dataclass
class Row:
    """One contender's line. Times are milliseconds for all the case's samples.

    Attributes
    ----------
    status : str
        Empty when measured; otherwise why it was not.
    deviation, tolerance : float or None
        Found and allowed difference from ours.
    scale : float
        Factor by which measured times were multiplied.
    cpu_ms : float or None
        Processor time of the whole process, all threads.
    ratio, ratio_low, ratio_high : float or None
        Time over that of our row of the same precision (or our first): of the medians, and of
        opposite quartiles.
    bound_ms, share : float or None
        Lower bound of the work and the part of it reached.
    gflop_per_s : float or None
        The case's arithmetic over the median time.
    """

    package: str
    variant: str
    precision: str
    version: str
    status: str = ""
    deviation: float | None = None
    tolerance: float | None = None
    scale: float = 1.0
    calls: int = 0
    median_ms: float | None = None
    q25_ms: float | None = None
    q75_ms: float | None = None
    min_ms: float | None = None
    cpu_ms: float | None = None
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    bound_ms: float | None = None
    share: float | None = None
    gflop_per_s: float | None = None
    target_ms: float | None = None
    note: str = ""

    @property
    def label(self) -> str:
        """Package and variant."""
        return f"{self.package} {self.variant}".strip()

    def record(self, wall: Sequence[float], cpu: Sequence[float]) -> None:
        """Store the seconds of each call."""
        factor = 1e3 * self.scale
        self.calls = len(wall)
        self.median_ms = factor * statistics.median(wall)
        self.min_ms = factor * min(wall)
        self.cpu_ms = factor * statistics.median(cpu)
        if len(wall) > 1:
            quartiles = statistics.quantiles(wall, n=4, method="inclusive")
            self.q25_ms, self.q75_ms = factor * quartiles[0], factor * quartiles[2]
        else:
            self.q25_ms = self.q75_ms = self.median_ms

    def set_bound(self, milliseconds: float) -> None:
        """Store a lower bound beside the measured time."""
        self.bound_ms = milliseconds
        if self.median_ms:
            self.share = milliseconds / self.median_ms

    def set_rate(self, flop: float) -> None:
        """Store the rate at which `flop` operations were done."""
        if self.median_ms:
            self.gflop_per_s = flop / self.median_ms / 1e6


@dataclass
class CaseResult:
    """All rows of one case."""

    key: str
    title: str
    samples: int
    rows: list[Row]
    bound_notes: list[str] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    absent: str = ""

    def _fastest(self, package: str, precision: str, variant: str) -> float | None:
        times = [
            row.median_ms
            for row in self.rows
            if row.median_ms is not None
            # "*" is everyone else
            and (row.package == package or (row.package != OURS and matches(row.package, package)))
            and precision in ("", row.precision)
            and matches(row.variant, variant)
        ]
        return min(times, default=None)

    def ratio(self, goal: Goal | Mean) -> float | None:
        """Return the fastest named peer's time over ours, None where one was not measured."""
        ours = self._fastest(OURS, goal.precision, goal.ours)
        return _over(self._fastest(goal.peer, goal.precision, goal.variant), ours)

    def judge(self, goals: Goals, benchmark: str, threads: int) -> None:
        """Fill in ratios, targets and verdicts."""
        ours = [row for row in self.rows if row.package == OURS and row.median_ms is not None]
        for row in self.rows:
            base = next(
                (r for r in ours if r.precision == row.precision), ours[0] if ours else None
            )
            if base is not None and row.median_ms is not None:
                row.ratio = _over(row.median_ms, base.median_ms)
                row.ratio_low = _over(row.q25_ms, base.q75_ms)
                row.ratio_high = _over(row.q75_ms, base.q25_ms)
        for target in goals.targets:
            if (target.benchmark, target.case) != (benchmark, self.key):
                continue
            for row in self.rows:
                if (
                    row.package == OURS
                    and target.precision in ("", row.precision)
                    and target.threads in (0, threads)
                ):
                    row.target_ms = target.ms
        self.verdicts += [
            Verdict.on(goal, self.ratio(goal))
            for goal in goals.goals
            if goal.benchmark == benchmark
            and matches(self.key, goal.case)
            and goal.threads in (0, threads)
        ]


def _over(a: float | None, b: float | None) -> float | None:
    return a / b if a is not None and b else None


@dataclass
class Report:
    """One run of one benchmark."""

    name: str
    command: str
    threads: int
    quick: bool
    machine: Machine
    peaks: Peaks
    revision: str
    started: str
    kernels: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    load_after: float = 0.0
    cases: list[CaseResult] = field(default_factory=list)
    means: list[Verdict] = field(default_factory=list)

    def judge(self, goals: Goals) -> None:
        """Fill in the geometric means over groups of cases."""
        for mean in goals.means:
            if mean.benchmark != self.name or mean.threads not in (0, self.threads):
                continue
            group = [case.ratio(mean) for case in self.cases if mean.includes(case.key)]
            ratios = [ratio for ratio in group if ratio is not None]
            found = statistics.geometric_mean(ratios) if ratios else None
            self.means.append(Verdict.on(mean, found, len(ratios)))

    @property
    def busy(self) -> bool:
        """Whether the machine had other work when the run began."""
        return self.machine.load > BUSY

    def exit_status(self, *, gate: bool) -> int:
        """Return 1 when a contender disagreed or failed, or a goal fell through the gate."""
        rows = [row for case in self.cases for row in case.rows]
        wrong = any(row.status.startswith(("disagrees", "failed")) for row in rows)
        verdicts = [*self.means, *(verdict for case in self.cases for verdict in case.verdicts)]
        low = any(v.ratio is not None and v.ratio < GATE * v.goal for v in verdicts)
        return int(wrong or (gate and low))

    def to_json(self) -> str:
        """Return the whole report as JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1, allow_nan=False) + "\n"

    def to_markdown(self) -> str:
        """Return the whole report as Markdown."""
        lines = [f"# Benchmark: {self.name}, {self.threads} thread(s)", ""]
        lines += [f"- {line}" for line in heading(self)]
        for case in self.cases:
            lines += ["", f"## {case.key}", "", case.title + ".", ""]
            if case.rows:
                kept = _columns(case)
                cells = [_HEAD, *(_cells(row) for row in case.rows)]
                cells = [tuple(row[column] for column in kept) for row in cells]
                lines.append("| " + " | ".join(cells[0]) + " |")
                lines.append("|---|" + "---:|" * (len(kept) - 1))
                lines += ["| " + " | ".join(row) + " |" for row in cells[1:]]
            remarks = _remarks(case)
            if remarks:
                lines += ["", *(f"- {remark}" for remark in remarks)]
        if self.means:
            lines += ["", "## Geometric means", ""]
            lines += [f"- {_said(mean)}" for mean in self.means]
        return "\n".join(lines) + "\n"

    def save(self, folder: Path) -> list[Path]:
        """Write ``NAME-tTHREADS.json`` and ``.md``; return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for suffix, text in ((".json", self.to_json()), (".md", self.to_markdown())):
            path = folder / f"{self.name}-t{self.threads}{suffix}"
            partial = path.with_suffix(suffix + ".partial")
            partial.write_text(text, encoding="utf-8")
            os.replace(partial, path)
            paths.append(path)
        return paths


def heading(report: Report) -> list[str]:
    """Return the lines that say what was run, where, and with what."""
    machine, peaks = report.machine, report.peaks
    lines = [
        f"command: `{report.command}`" + (f" at {report.revision}" if report.revision else ""),
        f"started {report.started}; everyone pinned to {report.threads} thread(s) on "
        f"{machine.cores_used} of {machine.cores} cores",
        f"machine: {machine.cpu}, {machine.isa}, {machine.memory_gib} GiB, {machine.system}, "
        f"Python {machine.python}",
        f"load average {machine.load} before and {report.load_after} after the run",
        f"reached by these threads here: {peaks.float32_gflops:.0f} GFLOP/s float32 and "
        f"{peaks.float64_gflops:.0f} float64 (numpy matrix product), "
        f"{peaks.copy_gb_per_s:.0f} GB/s (copy)",
    ]
    lines.append("versions: " + ", ".join(f"{name} {v}" for name, v in report.versions.items()))
    if report.kernels:
        lines.append(f"our kernels: {report.kernels}")
    if report.busy:
        lines.append(f"**the load average was above {BUSY}: do not trust these times**")
    if report.quick:
        lines.append("**a `--quick` run: sizes are tiny and the times mean nothing**")
    return lines


_HEAD = (
    "contender",
    "type",
    "median ms",
    "middle half",
    "cpu ms",
    "x ours",
    "deviation",
    "bound ms",
    "share",
    "GFLOP/s",
    "target ms",
)

_ONLY_IN_FILES = {"cpu ms", "deviation"}


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if value == 0:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _cells(row: Row) -> tuple[str, ...]:
    label = row.label + (" *" if row.scale != 1 else "")
    kind = row.precision.replace("float", "f")
    if row.median_ms is None:
        return (label, kind, "-") + ("",) * (len(_HEAD) - 3)
    ratio = _number(row.ratio)
    if row.ratio_low is not None and row.package != OURS:
        ratio += f" ({_number(row.ratio_low)}-{_number(row.ratio_high)})"
    target = ""
    if row.target_ms is not None:
        target = f"{_number(row.target_ms)} {'met' if row.median_ms <= row.target_ms else 'missed'}"
    return (
        label,
        kind,
        _number(row.median_ms),
        f"{_number(row.q25_ms)}-{_number(row.q75_ms)}",
        _number(row.cpu_ms),
        ratio,
        "" if row.deviation is None else f"{row.deviation:.0e}",
        _number(row.bound_ms),
        "" if row.share is None else f"{row.share:.0%}",
        _number(row.gflop_per_s),
        target,
    )


def _columns(case: CaseResult) -> list[int]:
    """Return the columns a case has anything to say in: few are measured as rates."""
    rates = any(row.gflop_per_s is not None for row in case.rows)
    return [k for k, name in enumerate(_HEAD) if rates or name != "GFLOP/s"]


def _said(verdict: Verdict) -> str:
    found = "" if verdict.ratio is None else f", found {_number(verdict.ratio)}x"
    precision = f" ({verdict.precision})" if verdict.precision else ""
    group = f"{verdict.group}, geometric mean of {verdict.cases} cases: " if verdict.group else ""
    return (
        f"{group}goal {_number(verdict.goal)}x {verdict.peer}{precision}{found}: "
        f"{verdict.status} [{verdict.source}]"
    )


def _remarks(case: CaseResult) -> list[str]:
    remarks = [case.absent] if case.absent else []
    remarks += [_said(verdict) for verdict in case.verdicts]
    for row in case.rows:
        if row.status:
            remarks.append(f"{row.label}: {row.status}")
        if row.scale != 1:
            remarks.append(
                f"* {row.label}: measured on {case.samples / row.scale:g} samples and multiplied "
                f"by {row.scale:g}"
            )
        if row.note:
            remarks.append(f"{row.label}: {row.note}")
    remarks += [f"bound: {note}" for note in case.bound_notes]
    return remarks


def print_report(report: Report, console: Console) -> None:
    """Print heading, tables and remarks to the terminal; the files have two columns more."""
    console.print()
    for line in heading(report):
        console.print(line.replace("**", ""), highlight=False, markup=False)
    for case in report.cases:
        table = Table(title=f"{case.key}: {case.title}", title_justify="left", box=box.SIMPLE_HEAD)
        kept = [k for k in _columns(case) if _HEAD[k] not in _ONLY_IN_FILES]
        for k in kept:
            table.add_column(_HEAD[k], justify="right" if k > 1 else "left")
        for row in case.rows:
            style = "bold" if row.package == OURS else None if row.median_ms is not None else "dim"
            cells = _cells(row)
            table.add_row(*(cells[k] for k in kept), style=style)
        console.print()
        console.print(table)
        for remark in _remarks(case):
            console.print(remark, highlight=False, markup=False)
    if report.means:
        console.print()
    for mean in report.means:
        console.print(_said(mean), highlight=False, markup=False)
