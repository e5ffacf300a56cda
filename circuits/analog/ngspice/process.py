# SPDX-License-Identifier: Apache-2.0
"""One ``ngspice -b`` per simulation, its results through a raw file.

Slow to start (7 ms and more) but nothing is shared with any other run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from circuits.analog.ngspice.rawfile import RawPlot, read_rawfile
from circuits.analog.ngspice.request import (
    INSTALL,
    NgspiceError,
    Request,
    alter_commands,
    check_switch,
)
from circuits.analog.ngspice.results import Plot, check_nodes, notes_of

__all__ = ["executable", "executable_version", "run_process"]

_ERROR = re.compile(
    r"^\s*(?:fatal |internal )?error\b|circuit not parsed|simulation\(s\) aborted", re.IGNORECASE
)
_QUIET = re.compile(r"^\s*(note:|trying gmin|$)", re.IGNORECASE)
_KINDS = (("operating", "op"), ("ac", "ac"), ("noise", "noise"), ("transient", "tran"))


def executable() -> str:
    """The command, with its folder.

    Raises
    ------
    NgspiceError
        Where there is none on the search path.
    """
    check_switch()
    found = shutil.which("ngspice")
    if found is None:
        raise NgspiceError(f"the command ngspice was not found: {INSTALL}")
    return found


def executable_version() -> str:
    """As ``"39"``."""
    done = subprocess.run([executable(), "--version"], capture_output=True, text=True, timeout=60)
    found = re.search(r"ngspice-(\S+)", done.stdout)
    return found.group(1) if found else "unknown"


def run_process(
    lines: Sequence[str], request: Request, timeout: float
) -> tuple[list[Plot], list[str]]:
    """The plots of a request's analyses, and the remarks.

    Raises
    ------
    NgspiceError
        As the library's runs do.
    """
    command = executable()
    with tempfile.TemporaryDirectory(prefix="ngspice-") as folder:
        deck, raw = Path(folder, "deck.cir"), Path(folder, "out.raw")
        control = _control(request, raw.name)
        deck.write_text("\n".join([*lines[:-1], *control, ".end", ""]), encoding="utf-8")
        try:
            done = subprocess.run(
                [command, "-b", deck.name],
                cwd=folder,  # some models write log files where they stand
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise NgspiceError(f"ngspice took longer than {timeout:g} s and was stopped") from error
        plots = read_rawfile(raw) if raw.exists() else []
    errors = [line.strip() for line in done.stderr.splitlines() if not _QUIET.match(line)]
    if any(_ERROR.search(line) for line in done.stderr.splitlines()) or done.returncode < 0:
        raise NgspiceError(f"ngspice -b failed (status {done.returncode}):", errors[-12:])
    kept = _sorted(plots)
    operating = next((plot for plot in kept if plot.kind == "op"), None)
    if "noise" in request.analyses and operating is not None:
        check_nodes(request, operating)
    kept = [plot for plot in kept if plot.kind in request.analyses]
    missing = set(request.analyses) - {plot.kind for plot in kept}
    if request.freqs == ():
        missing -= {"ac", "noise"}
    if missing:
        raise NgspiceError(f"ngspice -b made no {', '.join(sorted(missing))}:", errors[-12:])
    return kept, notes_of(f"stderr {line}" for line in done.stderr.splitlines())


def _control(request: Request, raw: str) -> list[str]:
    out = [".control", "set num_threads=1", "set filetype=binary", "set appendwrite"]
    out += ["set sqrnoise", *request.options(), *alter_commands(request.alter)]
    wanted = set(request.analyses)
    if wanted & {"op", "noise"}:  # noise of a node that is not there would be 0: read the nodes
        out += ["op", " ".join(["write", raw, "all", *request.probes])]
    if "ac" in wanted:
        for command in request.frequency_commands("ac"):
            out += [command, f"write {raw}"]
    if "noise" in wanted:
        for command in request.frequency_commands(request.noise_head()):
            # The numbers of the noise plots start again after destroy.
            out += ["destroy all", command, "setplot noise1", f"write {raw}"]
    if "tran" in wanted and request.tran is not None:
        out += [request.tran.command(), f"write {raw}"]
    return [*out, "quit", ".endc"]


def _sorted(plots: Sequence[RawPlot]) -> list[Plot]:
    out = []
    for plot in plots:
        kind = next((k for word, k in _KINDS if plot.name.lower().startswith(word)), "")
        if kind == "noise" and "onoise_spectrum" not in plot.vectors:
            continue  # the totals
        if kind and all(len(v) for v in plot.vectors.values()):
            vectors = {
                k: (v.real.copy() if kind == "noise" else v) for k, v in plot.vectors.items()
            }
            out.append(Plot(kind, vectors))
    return out
