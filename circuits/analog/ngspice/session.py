# SPDX-License-Identifier: Apache-2.0
"""One deck in the shared library: loaded once, altered and run as often as one likes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from circuits.analog.ngspice.library import Library
from circuits.analog.ngspice.request import NgspiceError, Request, alter_commands
from circuits.analog.ngspice.results import Plot, check_nodes, notes_of

__all__ = ["Session"]

# What ngspice prints when something went wrong; it returns 0 all the same.
_ERROR = re.compile(
    r"^stderr\s+(?:(?:fatal |internal )?error\b|circuit not parsed|.*simulation\(s\) aborted)",
    re.IGNORECASE,
)
_QUIET = re.compile(r"^stderr\s*(note:|trying gmin|$)", re.IGNORECASE)


class Session:
    """A loaded deck.

    Parameters
    ----------
    library : Library
    lines : sequence of str
        The deck with its ``.end``.
    request : Request
        Its temperature and tolerances hold for all runs.

    Raises
    ------
    NgspiceError
        Where ngspice does not understand the deck; with the lines it objected to.
    """

    def __init__(self, library: Library, lines: Sequence[str], request: Request) -> None:
        self._library = library
        self.notes: list[str] = []
        self._operating: Plot | None = None
        self._command("set sqrnoise")  # densities in V^2/Hz
        library.take_lines()
        status = library.circuit(lines)
        said = library.take_lines()
        if status or library.exited or any(_ERROR.search(line) for line in said):
            raise NgspiceError("ngspice does not accept the deck:", _spoken(said))
        self.notes += notes_of(said)
        self.commands(request.options())

    def commands(self, texts: Sequence[str]) -> None:
        """Run commands that make no plot, such as ``alter``."""
        for text in texts:
            self._command(text)

    def alter(self, values: Mapping[str, Mapping[str, float]]) -> None:
        """Set devices' parameters."""
        self.commands(alter_commands(values))

    def run(self, request: Request) -> list[Plot]:
        """The plots of a request's analyses, in the order op, ac, noise, tran."""
        try:
            return self._run(request)
        except NgspiceError:
            if not self._library.exited:
                self._library.command("destroy all")
                self._library.take_lines()
            raise

    def _run(self, request: Request) -> list[Plot]:
        plots: list[Plot] = []
        wanted = set(request.analyses)
        if "op" in wanted or ("noise" in wanted and self._operating is None):
            self._operating = self._analysis("op", "op", request.probes)
            if "op" in wanted:
                plots.append(self._operating)
        if "ac" in wanted:
            plots += [self._analysis(c, "ac") for c in request.frequency_commands("ac")]
        if "noise" in wanted:
            self._check_noise(request)
            commands = request.frequency_commands(request.noise_head())
            plots += [self._analysis(c, "noise") for c in commands]
        if "tran" in wanted and request.tran is not None:
            plots.append(self._analysis(request.tran.command(), "tran"))
        return plots

    def close(self) -> None:
        """Free what the deck holds; ngspice keeps some of it all the same."""
        self._library.command("destroy all")
        self._library.command("remcirc")
        self._library.take_lines()

    def _command(self, text: str) -> list[str]:
        status = self._library.command(text)
        said = self._library.take_lines()
        if status or self._library.exited or any(_ERROR.search(line) for line in said):
            raise NgspiceError(f"ngspice failed at {text!r}:", _spoken(said))
        self.notes += notes_of(said)
        return said

    def _analysis(self, text: str, kind: str, probes: Sequence[str] = ()) -> Plot:
        library = self._library
        said = self._command(text)
        plot = library.current_plot()
        if kind == "noise":  # a second plot with the totals may have been made after it
            for name in library.plots():
                if "onoise_spectrum" in library.vectors(name):
                    plot = name
                    break
        vectors: dict[str, NDArray[Any]] = {}
        for name in reversed(library.vectors(plot)) if plot.startswith(kind) else ():
            values = library.vector(f"{plot}.{name}")
            if values is not None:
                vectors[name] = values
        if not vectors or any(len(values) == 0 for values in vectors.values()):
            raise NgspiceError(f"ngspice did not finish {text!r}:", _spoken(said))
        for probe in probes:
            found = library.vector(probe)
            if found is None or len(found) == 0:
                raise NgspiceError(f"ngspice knows no {probe}", _spoken(library.take_lines()))
            vectors[probe] = found
        library.command("destroy all")
        return Plot(kind, vectors)

    def _check_noise(self, request: Request) -> None:
        """A wrong node or source would take the whole library down."""
        assert request.noise_source is not None
        if self._operating is not None:
            check_nodes(request, self._operating)
        source = request.noise_source.lower()
        amplitude = self._library.vector(f"@{source}[acmag]")
        self._library.take_lines()
        if source[:1] not in ("v", "i") or amplitude is None or len(amplitude) == 0:
            raise NgspiceError(f"noise_source: the deck has no independent source {source!r}")


def _spoken(lines: Sequence[str]) -> list[str]:
    """What to show of printed lines: the errors' stream without the notes, at most twelve."""
    kept = [line for line in lines if line.startswith("stderr") and not _QUIET.match(line)]
    return [line.removeprefix("stderr ").strip() for line in kept[-12:]]
