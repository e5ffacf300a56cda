# SPDX-License-Identifier: Apache-2.0
"""ngspice's own speed on the four circuits: op, ac and noise with 20 points per decade.

Run it as ``python benchmarks/ngspice_work.py``. Four ways: one ``ngspice -b`` per evaluation; the
library with the deck loaded each time; the library with every width altered and run again; the
same without ac and noise. The library's times are taken inside its process, so they hold no
transfer of results. CPU time is the simulator's own, wall time includes waiting for the machine.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PLANS", "Plan", "altered", "main", "measure_library", "measure_process", "request"]

DECKS = Path(__file__).parent.parent / "tests" / "circuits" / "analog" / "decks"
WIDTH = re.compile(r"^(m\S+)(.* w=)([0-9.]+)u( .*)$", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """What is asked of a deck: the sweep's ends in hertz, the output pair, the noise source."""

    low: float
    high: float
    output: tuple[str, str]
    source: str


#: As a sizing study asks: 20 points per decade between the ends.
PLANS = {
    "two_tia_180": Plan(1e5, 1e11, ("out2", "0"), "iin"),
    "three_tia_ee114": Plan(1e3, 1e10, ("vouta", "voutb"), "iina"),
    "two_volt_180": Plan(1e2, 1e10, ("outp", "outn"), "vinp"),
    "ldo_180_1ma": Plan(1e1, 1e9, ("out", "0"), "vdd"),
}


def request(plan: Plan, *, whole: bool = True) -> dict[str, Any]:
    """Arguments of ``simulate_deck`` for a plan; only the operating point if not ``whole``."""
    from circuits.analog.ngspice import Sweep

    if not whole:
        return {"analyses": ("op",)}
    return {
        "analyses": ("op", "ac", "noise"),
        "freqs": Sweep(plan.low, plan.high, 20),
        "noise_output": plan.output,
        "noise_source": plan.source,
    }


def altered(text: str, round_: int) -> tuple[str, dict[str, dict[str, float]]]:
    """The deck with every width a little larger, and the same as alterations."""
    factor = 1 + 1e-3 * (1 + round_ % 7)
    changes = {
        found.group(1): {"w": float(found.group(3)) * factor * 1e-6}
        for found in WIDTH.finditer(text)
    }
    new = WIDTH.sub(
        lambda m: f"{m.group(1)}{m.group(2)}{float(m.group(3)) * factor!r}u{m.group(4)}", text
    )
    return new, changes


def measure_process(name: str, rounds: int) -> dict[str, float]:
    """Milliseconds per evaluation, one ``ngspice -b`` each (median wall, mean CPU)."""
    from circuits.analog.ngspice import simulate_deck

    text, arguments = (DECKS / f"{name}.cir").read_text(), request(PLANS[name])
    walls = []
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for i in range(rounds):
        deck = altered(text, i)[0]
        start = time.perf_counter()
        simulate_deck(deck, mode="process", **arguments)
        walls.append(time.perf_counter() - start)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return {"wall_ms": 1e3 * statistics.median(walls), "cpu_ms": 1e3 * cpu / rounds}


def measure_library(name: str, way: str, rounds: int) -> dict[str, float]:
    """The same for ``"reload"``, ``"alter"``, ``"alter-op"``, and MB grown per 1,000 runs.

    In a process of its own, where nothing else has the library.
    """
    command = [sys.executable, __file__, "--inside", name, way, str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} {way}: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _inside(name: str, way: str, rounds: int) -> dict[str, float]:
    from circuits.analog.ngspice.library import Library
    from circuits.analog.ngspice.request import Request, deck_lines
    from circuits.analog.ngspice.session import Session

    text = (DECKS / f"{name}.cir").read_text()
    asked = Request(**request(PLANS[name], whole=way != "alter-op"))
    library = Library()
    library.command("set num_threads=1")
    if way == "reload":

        def once(i: int) -> None:
            session = Session(library, deck_lines(altered(text, i)[0]), asked)
            session.run(asked)
            session.close()
    else:
        loaded = Session(library, deck_lines(text), asked)

        def once(i: int) -> None:
            loaded.alter(altered(text, i)[1])
            loaded.run(asked)
            loaded.notes.clear()

    for i in range(20):
        once(i)
    walls = []
    held, cpu = _resident(), time.process_time()
    for i in range(rounds):
        start = time.perf_counter()
        once(i)
        walls.append(time.perf_counter() - start)
    return {
        "wall_ms": 1e3 * statistics.median(walls),
        "cpu_ms": 1e3 * (time.process_time() - cpu) / rounds,
        "grown_mb_per_1000": (_resident() - held) / 2**20 * 1000 / rounds,
    }


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300, help="evaluations per figure")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--inside", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if chosen.inside:
        name, way, rounds = chosen.inside
        print(json.dumps(_inside(name, way, int(rounds))))
        return 0
    from rich.console import Console
    from rich.table import Table

    from circuits.analog.ngspice import version
    from workbench.experiments.progress import ProgressBoard

    ways: dict[str, Callable[[str], dict[str, float]]] = {
        "ngspice -b, one process each": lambda n: measure_process(n, max(20, chosen.rounds // 5)),
        "library, deck reloaded": lambda n: measure_library(n, "reload", chosen.rounds),
        "library, widths altered": lambda n: measure_library(n, "alter", chosen.rounds),
        "library, altered, op only": lambda n: measure_library(n, "alter-op", chosen.rounds),
    }
    figures: dict[str, dict[str, dict[str, float]]] = {way: {} for way in ways}
    with ProgressBoard().task(len(ways) * len(PLANS), "ngspice") as task:
        for way, measure in ways.items():
            for name in PLANS:
                figures[way][name] = measure(name)
                task.advance()
    table = Table("CPU ms (wall ms; MB grown per 1,000)", *PLANS, title=f"ngspice {version()}")
    for way, row in figures.items():
        cells = [
            f"{f['cpu_ms']:.2f} ({f['wall_ms']:.2f}"
            + (f"; {f['grown_mb_per_1000']:.1f})" if "grown_mb_per_1000" in f else ")")
            for f in row.values()
        ]
        table.add_row(way, *cells)
    Console(width=140).print(table)
    if chosen.json:
        chosen.json.write_text(json.dumps({"ngspice": version(), "figures": figures}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
