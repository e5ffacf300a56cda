# SPDX-License-Identifier: Apache-2.0
"""ngspice on many sizings: a process for each, or its library kept in helper processes.

Every way gets as many processes at once as the run has threads, and its decks beforehand.
Only what a sizing study reads is read: a current, the output's transfer and its noise.
"""

from __future__ import annotations

import multiprocessing
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from circuit_sim_work import TOLERANCE, Array, LoadStep, Sizings
from harness import Outputs, Package, Prepared

__all__ = ["LIBRARY", "OWN", "PROCESS", "TIGHT", "Tolerances", "library", "processes"]

_INSTALL = "apt-get install ngspice libngspice0 (Debian; brew install ngspice libngspice on macOS)"


@dataclass(frozen=True)
class Tolerances:
    """Options ngspice is given, and how far from ours its results may then be."""

    options: tuple[str, ...]
    allowed: float


#: At which results agree to rounding, and ngspice's own.
TIGHT = Tolerances(("reltol=1e-8", "abstol=1e-15", "vntol=1e-11"), TOLERANCE)
OWN = Tolerances((), 1e-2)


def _load(mode: str) -> object:
    from circuits.analog.ngspice import available, version

    if not available(mode):
        raise ImportError("ngspice was not found")
    return version(mode)


PROCESS = Package(
    "ngspice -b", "ngspice", "circuits.analog.ngspice", _INSTALL, partial(_load, "process")
)
LIBRARY = Package(
    "libngspice", "ngspice", "circuits.analog.ngspice", _INSTALL, partial(_load, "library")
)


def _commands(work: Sizings, kind: str) -> list[str]:
    a = work.amplifier
    if kind == "op":
        return ["op"]
    if isinstance(work, LoadStep):
        return [work.command]
    p, n = a.output
    across = f"v({p})" if n == "0" else f"v({p},{n})"
    return ["op", f"ac {a.sweep}", f"noise {across} {a.source} {a.sweep}"]


def _nodes(work: Sizings) -> list[str]:
    return [name for name, number in work.circuit.lower().nodes.items() if number]


def _gathered(work: Sizings, kind: str, found: Sequence[dict[str, Array]]) -> Outputs:
    """One column per sizing, as ours."""
    if isinstance(work, LoadStep):
        return {
            "waveform": np.stack([np.interp(work.times, f["time"], f["out"]) for f in found], 1),
            "error": np.array([work.error(i, f["time"], f["out"]) for i, f in enumerate(found)]),
        }
    names = ["potentials"] if kind == "op" else ["potentials", "transfer", "noise"]
    out: dict[str, Array] = {name: np.stack([f[name] for f in found], 1) for name in names}
    if kind != "op":
        out["frequencies"] = work.amplifier.frequencies
    return out


# A process for each ---------------------------------------------------------------------------


def processes(
    work: Sizings, kind: str, count: int, threads: int, tolerances: Tolerances = TIGHT
) -> Prepared:
    """One ``ngspice -b`` per sizing, ``threads`` at once, started by xargs.

    Parameters
    ----------
    work : Sizings
    kind : {"op", "sweep", "tran"}
    count : int
        Sizings per call.
    threads : int
    tolerances : Tolerances
    """
    if shutil.which("xargs") is None:
        raise ImportError("xargs was not found")
    folder = tempfile.TemporaryDirectory(prefix="ngspice-")
    place = Path(folder.name)
    output = " ".join(f"v({node})" for node in work.amplifier.output if node != "0")
    options = [f"option {text}" for text in tolerances.options]
    for i in range(count):
        lines = [".control", "set num_threads=1", "set sqrnoise", *options]
        for command in _commands(work, kind):
            lines += ["destroy all", command]
            if command.startswith("noise"):
                lines += ["setplot noise1", f"write {i}.noise.raw onoise_spectrum"]
            elif command.startswith(("ac", "tran")):
                lines.append(f"write {i}.{command.split()[0]}.raw {output}")
            else:
                lines.append(f"write {i}.op.raw all")
        (place / f"{i}.cir").write_text(work.deck(i, [*lines, "quit", ".endc"]), encoding="utf-8")
    names = "".join(f"{i}.cir\n" for i in range(count))

    def run() -> None:
        subprocess.run(
            ["xargs", "-n", "1", "-P", str(threads), "ngspice", "-b"],
            input=names,
            text=True,
            cwd=folder.name,  # the folder lives as long as this closure
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,  # xargs passes on that ngspice -b ends with 1; the outputs tell
        )

    def outputs(k: int) -> Outputs:
        run()
        return _gathered(work, kind, [_read(work, kind, place, i) for i in range(k)])

    note = f"ngspice {_load('process')}, {threads} process(es) at once, outside of cpu ms"
    return Prepared(run, outputs, count, tolerances.allowed, note)


def _read(work: Sizings, kind: str, place: Path, i: int) -> dict[str, Array]:
    from circuits.analog.ngspice.rawfile import read_rawfile

    def vectors(name: str) -> dict[str, Array]:
        (plot,) = read_rawfile(place / f"{i}.{name}.raw")
        return {_bare(key): value for key, value in plot.vectors.items()}

    if isinstance(work, LoadStep):
        tran = vectors("tran")
        return {"time": tran["time"], "out": tran[work.amplifier.output[0]]}
    op = vectors("op")
    found = {"potentials": np.array([op[node][0] for node in _nodes(work)])}
    if kind != "op":
        ac = vectors("ac")
        p, n = work.amplifier.output
        found["transfer"] = ac[p] - (0.0 if n == "0" else ac[n])
        found["noise"] = vectors("noise")["onoise_spectrum"].real
    return found


def _bare(name: str) -> str:
    inside = re.fullmatch(r"v\((.*)\)", name.lower())
    return inside[1] if inside else name.lower()


# The library in helper processes --------------------------------------------------------------


@dataclass(frozen=True)
class _Task:
    """What a helper needs; nothing of it imports torch, which would take it seconds."""

    work: Sizings
    commands: list[str]
    nodes: list[str]
    way: str
    options: tuple[str, ...]


class _Helpers:
    """Processes that each hold the library and do every ``len(self)``-th sizing."""

    def __init__(
        self, work: Sizings, kind: str, way: str, options: Sequence[str], threads: int
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipes: list[Connection] = []
        self._processes = []
        task = _Task(work, _commands(work, kind), _nodes(work), way, tuple(options))
        for _ in range(threads):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, task), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self._processes.append(process)

    def run(self, count: int, whole: bool) -> list[dict[str, Array]]:
        """Do the first ``count`` sizings; with all potentials and results if ``whole``."""
        n = len(self.pipes)
        for first, pipe in enumerate(self.pipes):
            pipe.send((list(range(first, count, n)), whole))
        answers = [pipe.recv() for pipe in self.pipes]
        for answer in answers:
            if isinstance(answer, str):
                raise RuntimeError(answer)
        return [answers[i % n][i // n] for i in range(count)] if whole else []

    def __del__(self) -> None:
        for pipe in self.pipes:
            pipe.close()  # which ends the process


def library(
    work: Sizings,
    kind: str,
    way: str,
    count: int,
    threads: int,
    tolerances: Tolerances = TIGHT,
) -> Prepared:
    """libngspice, the deck reloaded for each sizing or its widths altered.

    Parameters
    ----------
    work, kind, count, threads, tolerances
        As for :func:`processes`.
    way : {"reload", "alter"}
    """
    helpers = _Helpers(work, kind, way, tolerances.options, threads)
    return Prepared(
        lambda: helpers.run(count, False),
        lambda k: _gathered(work, kind, helpers.run(k, True)),
        count,
        tolerances.allowed,
        f"ngspice {_load('library')}, {threads} helper process(es), outside of cpu ms",
    )


def _serve(pipe: Connection, task: _Task) -> None:
    from circuits.analog.ngspice.library import Library

    spice, work = Library(), task.work

    def command(text: str) -> None:
        if spice.command(text) or spice.exited:
            raise RuntimeError(f"ngspice failed at {text!r}: {spice.take_lines()[-4:]}")

    def load(i: int) -> None:
        if spice.circuit(work.deck(i).splitlines()):
            raise RuntimeError(f"ngspice does not accept the deck: {spice.take_lines()[-4:]}")
        for text in task.options:
            command(f"option {text}")

    def vector(name: str) -> Any:
        found = spice.vector(name)
        if found is None or not len(found):
            raise RuntimeError(f"ngspice made no {name}: {spice.take_lines()[-4:]}")
        return found

    def read(kind: str, whole: bool) -> dict[str, Array]:
        p, n = work.amplifier.output
        if kind == "op":
            found = {"current": vector("vdd#branch")}
            if whole:
                found["potentials"] = np.array([vector(node)[0] for node in task.nodes])
            return found
        if kind == "ac":
            return {"transfer": vector(p) if n == "0" else vector(p) - vector(n)}
        if kind == "tran":
            return {"time": vector("time"), "out": vector(p)}
        return {"noise": vector("noise1.onoise_spectrum")}

    def evaluate(i: int, whole: bool) -> dict[str, Array]:
        found: dict[str, Array] = {}
        if task.way == "reload":
            load(i)
        else:
            for text in work.alterations(i):
                command(text)
        for text in task.commands:
            command(text)
            found |= read(text.split()[0], whole)
            command("destroy all")
        if task.way == "reload":
            command("remcirc")
        spice.take_lines()
        return found

    try:
        command("set num_threads=1")
        command("set sqrnoise")
        if task.way == "alter":
            load(0)
        while True:
            numbers, whole = pipe.recv()
            done = [evaluate(i, whole) for i in numbers]
            pipe.send(done if whole else None)
    except EOFError:
        return
    except Exception as error:  # the other side shows it
        pipe.send(f"{type(error).__name__}: {error}")
