# SPDX-License-Identifier: Apache-2.0
"""What is asked of ngspice, the same for every way of running it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["NgspiceError", "Request", "Sweep", "Transient", "check_switch", "deck_lines"]

_SWITCH = "WORKBENCH_NGSPICE"

ANALYSES = ("op", "ac", "noise", "tran")
STAND_IN = "v_workbench_noise"
INSTALL = (
    "install it with 'apt-get install libngspice0 ngspice' (Debian, Ubuntu) or "
    "'brew install libngspice ngspice' (macOS)"
)
# Model files named by a deck; .lib has a section's name behind the file's.
_FILE = re.compile(r"^(\s*\.(?:include|inc|lib)\s+)(\"[^\"]+\"|'[^']+'|\S+)(.*)$", re.IGNORECASE)
# A node's or device's name as it may be put into a command without changing its meaning.
_NAME = re.compile(r"^[^\s(),;=\[\]{}'\"`$]+$")


class NgspiceError(RuntimeError):
    """ngspice is missing, refused a deck, or could not finish an analysis.

    Attributes
    ----------
    lines : tuple of str
        What ngspice said.
    """

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        super().__init__("\n  ".join([message, *lines]))
        self.message = message
        self.lines = tuple(lines)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.message, self.lines))


def check_switch() -> None:
    """Refuse to start ngspice where ``WORKBENCH_NGSPICE=off`` says that it is not there.

    Raises
    ------
    NgspiceError
        With the switch off.
    ValueError
        Where the variable holds another word.
    """
    word = os.environ.get(_SWITCH, "")
    if word == "off":
        raise NgspiceError(f"ngspice is switched off: {_SWITCH}=off is in the environment")
    if word not in ("", "on"):
        raise ValueError(f"{_SWITCH} must be 'on', 'off' or unset, got {word!r}")


@dataclass(frozen=True)
class Sweep:
    """ngspice's own decade sweep: ``per_decade`` points per decade from ``start`` to ``stop``.

    Both ends in hertz. ngspice multiplies its way up, so the last frequencies carry its
    rounding: read them from the result.
    """

    start: float
    stop: float
    per_decade: int = 20

    def __post_init__(self) -> None:
        if not (0 < self.start <= self.stop < math.inf):
            raise ValueError(
                f"sweep: needs 0 < start <= stop, got start {self.start!r}, stop {self.stop!r}"
            )
        if self.per_decade < 1 or int(self.per_decade) != self.per_decade:
            raise ValueError(f"sweep: per_decade must be an integer >= 1, got {self.per_decade!r}")


@dataclass(frozen=True)
class Transient:
    """A transient run, in seconds; ``max_step`` bounds the steps the simulator takes."""

    step: float
    stop: float
    start: float = 0.0
    max_step: float | None = None

    def __post_init__(self) -> None:
        if not (0 < self.step <= self.stop < math.inf and 0 <= self.start < self.stop):
            raise ValueError(
                "transient: needs 0 < step <= stop and 0 <= start < stop, got step "
                f"{self.step!r}, start {self.start!r}, stop {self.stop!r}"
            )
        if self.max_step is not None and not self.max_step > 0:
            raise ValueError(f"transient: max_step must be positive, got {self.max_step!r}")

    def command(self) -> str:
        """The line that runs it."""
        values = (self.step, self.stop, self.start, self.max_step)
        return " ".join(["tran", *(_number(v) for v in values if v is not None)])


@dataclass(frozen=True)
class Request:
    """Checked arguments of a simulation; see :func:`~circuits.analog.ngspice.simulate_deck`."""

    analyses: tuple[str, ...] = ("op",)
    freqs: tuple[float, ...] | Sweep | None = None
    temp: float = 27.0
    noise_output: tuple[str, str] | None = None
    noise_source: str | None = None
    tran: Transient | None = None
    alter: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    probes: tuple[str, ...] = ()
    precise: bool = True
    settings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.analyses:
            if name not in ANALYSES:
                raise ValueError(f"analyses: {name!r} is none of {', '.join(ANALYSES)}")
        if not math.isfinite(self.temp) or self.temp <= -273.15:
            raise ValueError(f"temp: must be above -273.15 Celsius, got {self.temp!r}")
        if {"ac", "noise"} & set(self.analyses):
            if self.freqs is None:
                raise ValueError("freqs: ac and noise need frequencies")
            if not isinstance(self.freqs, Sweep):
                for value in self.freqs:
                    if not 0 < value < math.inf:
                        raise ValueError(f"freqs: must be positive and finite, got {value!r}")
        if "noise" in self.analyses:
            if self.noise_output is None:
                raise ValueError("noise_output: the noise analysis needs an output node or pair")
            if self.noise_source is None:
                raise ValueError("noise_source: the noise analysis needs an independent source")
            for node in self.noise_output:
                _check_name("noise_output", node)
            _check_name("noise_source", self.noise_source)
        if "tran" in self.analyses and self.tran is None:
            raise ValueError("tran: the transient analysis needs a Transient(step, stop)")
        for device, values in self.alter.items():
            check_alteration(device, values)
        for probe in self.probes:
            if not re.fullmatch(r"@[^\s()\[\]]+\[\w+\]", probe):
                raise ValueError(f"probes: must read @device[quantity], got {probe!r}")

    def options(self) -> list[str]:
        """Commands to give once the deck is loaded."""
        lines = [f"option temp={_number(self.temp)}"]
        if self.precise:
            lines += ["option reltol=1e-9", "option abstol=1e-18", "option vntol=1e-12"]
        return lines

    def frequency_commands(self, head: str) -> list[str]:
        """``head`` completed to as many commands as the frequencies take."""
        if isinstance(self.freqs, Sweep):
            s = self.freqs
            return [f"{head} dec {int(s.per_decade)} {_number(s.start)} {_number(s.stop)}"]
        return [
            f"{head} lin 1 {_number(f)} {_number(f)}" for f in self.freqs or ()
        ]  # it takes no list

    def noise_head(self) -> str:
        """The noise command up to its frequencies."""
        assert self.noise_output is not None
        assert self.noise_source is not None
        p, n = self.noise_output
        pair = f"v({p})" if n == "0" else f"v({p},{n})"
        return f"noise {pair} {self.noise_source}"


def check_alteration(device: str, values: Mapping[str, float]) -> None:
    """Refuse what could not be put into an ``alter`` command."""
    _check_name("alter", device)
    for name, value in values.items():
        if not re.fullmatch(r"\w+", name):
            raise ValueError(f"alter: {name!r} is no parameter's name")
        if not math.isfinite(value):
            raise ValueError(f"alter: {device} {name} must be finite, got {value!r}")


def alter_commands(alter: Mapping[str, Mapping[str, float]]) -> list[str]:
    """One command per altered parameter; ``as_`` stands for ``as``."""
    return [
        f"alter @{device.lower()}[{name.rstrip('_').lower()}]={_number(value)}"
        for device, values in alter.items()
        for name, value in values.items()
    ]


def deck_lines(deck: str) -> list[str]:
    """The deck's lines, ``.end`` and all.

    Raises
    ------
    TypeError, ValueError
        For a deck that is no text, is empty, or runs commands of its own.
    """
    if not isinstance(deck, str):
        raise TypeError(f"deck: must be a netlist as str, got {type(deck).__name__}")
    if "\0" in deck:
        raise ValueError("deck: holds a NUL character")
    lines = deck.splitlines()
    for i, line in enumerate(lines[1:], 2):  # the first is the title, whatever it says
        word = line.split(maxsplit=1)[:1]
        if word and word[0].lower() == ".control":
            raise ValueError(
                f"deck: line {i} opens a .control section; the analyses are run from here"
            )
        if word and word[0].lower() == ".end":
            lines = lines[: i - 1]
            break
    if len([line for line in lines[1:] if line.strip() and not line.lstrip().startswith("*")]) < 1:
        raise ValueError("deck: holds no element (its first line is the title)")
    return [*(_absolute(line) for line in lines), ".end"]


def _absolute(line: str) -> str:
    """An include of a file beside the caller by its full path: ngspice runs in another folder."""
    found = _FILE.match(line)
    if not found:
        return line
    path = Path(found.group(2).strip("\"'")).expanduser()
    return f'{found.group(1)}"{path.resolve()}"{found.group(3)}' if path.is_file() else line


def with_stand_in(lines: Sequence[str]) -> list[str]:
    """The deck with a source on a node of its own, for noise that is referred to no source."""
    return [*lines[:-1], f"{STAND_IN} {STAND_IN} 0 dc 0 ac 1", ".end"]


def _number(value: float) -> str:
    return repr(float(value))  # all digits, whatever kind of float came


def _check_name(argument: str, name: str) -> None:
    if not isinstance(name, str) or not _NAME.match(name):
        raise ValueError(f"{argument}: {name!r} is no name of the deck")
