# SPDX-License-Identifier: Apache-2.0
"""The amplifiers of the circuit benchmark, their random sizings, and when two results agree."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from harness import Outputs

if TYPE_CHECKING:
    from torch import Tensor

    from circuits.analog import Circuit

__all__ = ["AMPLIFIERS", "DECKS", "TOLERANCE", "Amplifier", "LoadStep", "Sizings", "deviation"]

Array = npt.NDArray[Any]

DECKS = Path(__file__).resolve().parents[1] / "tests" / "circuits" / "analog" / "decks"

#: Largest relative difference from ngspice at tight tolerances; rounding gives 1e-13.
TOLERANCE = 1e-9

_WIDTH = re.compile(r"^(m\S+)((?: \S+){4}) (\S+) w=([0-9.]+)u l=(\S+)(.*)$", re.MULTILINE)
_PER_DECADE = 20


@dataclass(frozen=True)
class Amplifier:
    """A deck and what a sizing study asks of it.

    Attributes
    ----------
    deck : str
        Its file, without the ending.
    low, high : float
        Ends of the sweep in hertz, 20 points per decade.
    output : (str, str)
        Nodes p and n of v(p) - v(n), for the transfer and its noise.
    source : str
        Independent source that ngspice refers noise to.
    requests : sequence of (int, int, int)
        What is asked of ``find_frequencies``: -3 dB (0), |H| = 1 (1), maximum (2).
    """

    deck: str
    low: float
    high: float
    output: tuple[str, str]
    source: str
    requests: tuple[tuple[int, int, int], ...]

    @functools.cached_property
    def text(self) -> str:
        """The deck."""
        return (DECKS / f"{self.deck}.cir").read_text(encoding="utf-8")

    @property
    def frequencies(self) -> Array:
        """Hertz, multiplied up from the lowest as ngspice does."""
        count = round(_PER_DECADE * np.log10(self.high / self.low)) + 1
        factors = np.full(count, np.exp(np.log(10.0) / _PER_DECADE))
        factors[0] = self.low
        return np.multiply.accumulate(factors)

    @property
    def sweep(self) -> str:
        """The same as the end of an ngspice command."""
        return f"dec {_PER_DECADE} {self.low!r} {self.high!r}"


AMPLIFIERS = {
    "Two-TIA": Amplifier(
        "two_tia_180", 1e5, 1e11, ("out2", "0"), "iin", ((0, 0, 0), (2, 0, 0))
    ),
    "Three-TIA": Amplifier(
        "three_tia_ee114", 1e3, 1e10, ("vouta", "voutb"), "iina", ((0, 0, 0), (2, 0, 0))
    ),
    "Two-Volt": Amplifier(
        "two_volt_180", 1e2, 1e10, ("outp", "outn"), "vinp", ((0, 0, 0), (1, 0, 0))
    ),
    "LDO": Amplifier("ldo_180_1ma", 1e1, 1e9, ("out", "0"), "vdd", ((2, 0, 0),)),
}  # fmt: skip


class Sizings:
    """Random sizings of an amplifier: every width between a third and three times the deck's.

    Transistors of one model, width and length in the deck are matched and stay so. Areas and
    perimeters keep their values, so that one ``alter`` per transistor makes a sizing in ngspice.

    Parameters
    ----------
    amplifier : Amplifier
    count : int
    seed : int

    Attributes
    ----------
    groups : list of list of str
        Names of matched transistors.
    widths : ndarray
        float64 ``(n_groups, count)``, metres.
    """

    def __init__(self, amplifier: Amplifier, count: int, seed: int = 5) -> None:
        self.amplifier = amplifier
        self.count = count
        self._group: dict[str, int] = {}
        keys: dict[tuple[str, str, str], int] = {}
        base: list[float] = []
        self.groups: list[list[str]] = []
        for found in _WIDTH.finditer(amplifier.text):
            name, _, model, width, length, _ = found.groups()
            group = keys.setdefault((model, width, length), len(base))
            if group == len(base):
                base.append(1e-6 * float(width))
                self.groups.append([])
            self.groups[group].append(name)
            self._group[name] = group
        factors = 3.0 ** np.random.default_rng(seed).uniform(-1.0, 1.0, (count, len(base)))
        self.widths = np.ascontiguousarray((factors * base).T)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "circuit"}

    def deck(self, i: int, extra: Sequence[str] = ()) -> str:
        """The deck of sizing ``i``, ``extra`` lines before its end."""
        width = self.widths[:, i]
        text = _WIDTH.sub(
            lambda m: self._line(m, repr(float(width[self._group[m[1]]]))), self._text
        )
        return text.replace("\n.end", "\n" + "".join(line + "\n" for line in extra) + ".end")

    def alterations(self, i: int) -> list[str]:
        """The ngspice commands that make sizing ``i`` of any other."""
        width = self.widths[:, i]
        return [f"alter @{name}[w]={float(width[g])!r}" for name, g in self._group.items()]

    @functools.cached_property
    def circuit(self) -> Circuit:
        """The circuit, with one parameter ``w0``, ``w1`` ... per group."""
        from circuits.analog import read_spice

        text = _WIDTH.sub(lambda m: self._line(m, f"{{w{self._group[m[1]]}}}"), self._text)
        values = " ".join(f"w{g}={w!r}" for g, w in enumerate(self.widths[:, 0].tolist()))
        return read_spice(text.replace("\n.end", f"\n.param {values}\n.end"))

    def values(self, count: int | None = None) -> dict[str, Tensor]:
        """Parameter values of the first sizings."""
        import torch

        widths = torch.from_numpy(self.widths[:, :count])
        return {f"w{g}": row for g, row in enumerate(widths)}

    @property
    def _text(self) -> str:
        return self.amplifier.text

    @staticmethod
    def _line(found: re.Match[str], width: str) -> str:
        name, nodes, model, _, length, rest = found.groups()
        return f"{name}{nodes} {model} w={width} l={length}{rest}"


class LoadStep(Sizings):
    """Sizings of the LDO whose load steps from 1 to 10 mA and back, 20 microseconds long.

    Attributes
    ----------
    times : ndarray
        float64 ``(T,)``, seconds, where waveforms are compared: densely behind both steps, which
        the regulator answers within tens of nanoseconds.
    command : str
        Of ngspice.
    wave : (tuple, tuple)
        Corners in seconds, and amperes that the load rises by there.
    """

    times: Array = np.unique(
        np.concatenate(
            [
                np.linspace(0.0, 20e-6, 101),
                1e-6 + np.geomspace(1e-10, 8e-6, 150),
                1e-5 + np.geomspace(1e-10, 8e-6, 150),
            ]
        )
    )
    command = "tran 5e-08 2e-05"
    wave = ((0.0, 1e-6, 1.01e-6, 1e-5, 1.001e-5), (0.0, 0.0, 9e-3, 9e-3, 0.0))
    _load = "il out 0 dc 1m"
    _stepping = "il out 0 pwl(0 1m 1u 1m 1.01u 10m 10u 10m 10.01u 1m)"

    def __init__(self, count: int, seed: int = 5) -> None:
        super().__init__(AMPLIFIERS["LDO"], count, seed)
        self._exact: dict[int, tuple[Array, Array]] = {}

    def deck(self, i: int, extra: Sequence[str] = ()) -> str:
        """The deck of sizing ``i`` with its stepping load."""
        return super().deck(i, extra).replace(self._load, self._stepping)

    def error(self, i: int, time: Array, out: Array) -> float:
        """Largest difference in volt from ngspice in steps of half a nanosecond.

        NaN past the first few sizings, because that takes it a second, and without ngspice.
        """
        from circuits.analog.ngspice import available

        if i >= 3 or not available():
            return float("nan")
        if i not in self._exact:
            from circuits.analog.ngspice import Transient, simulate_deck

            deck = self.deck(i, [".options reltol=1e-6 abstol=1e-15 vntol=1e-9"])
            fine = Transient(5e-10, 20e-6, 0.0, 5e-10)
            found = simulate_deck(deck, ("tran",), tran=fine, precise=False)
            assert found.time is not None
            self._exact[i] = found.time, found.tran[self.amplifier.output[0]]
        return float(np.abs(out - np.interp(time, *self._exact[i])).max())


def deviation(ours: Outputs, theirs: Outputs) -> float:
    """Return the largest difference: potentials in volt, noise relative, transfer relative to
    the largest of its sweep.

    Directed frequencies are held against the sweep: each must lie in the cell of the sweep where
    its level is crossed or its maximum stands.

    Raises
    ------
    ValueError
        Where there is nothing to compare, or a number is missing or not finite.
    """
    names = sorted(set(ours) & set(theirs))
    if not names:
        raise ValueError(f"no common output among {sorted(ours)} and {sorted(theirs)}")
    worst = 0.0
    for name in names:
        a, b = np.asarray(ours[name]), np.asarray(theirs[name])
        if a.shape != b.shape:
            raise ValueError(f"{name} has shape {a.shape} here and {b.shape} there")
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise ValueError(f"{name} has numbers that are not finite")
        if b.size:
            scale: Array = np.ones(()) if name == "potentials" else np.abs(b)
            if name == "transfer":  # a deep null feels the last digits of the potentials
                scale = scale.max(axis=0)
            worst = max(worst, float((np.abs(a - b) / scale).max()))
    swept, directed = (ours, theirs) if "transfer" in ours else (theirs, ours)
    if "found" in directed and "transfer" in swept:
        _check_found(directed, swept)
    return worst


def _check_found(directed: Outputs, swept: Outputs) -> None:
    f, size = np.asarray(swept["frequencies"]), np.abs(np.asarray(swept["transfer"]))
    for kind, found in zip(directed["kinds"], directed["found"], strict=True):
        for column, value in enumerate(found):
            h = size[:, column]
            if kind == 2:
                k = int(h.argmax())
                low, high = f[max(k - 1, 0)], f[min(k + 1, len(f) - 1)]
            else:
                below = h < (h[0] / np.sqrt(2.0) if kind == 0 else 1.0)
                if not below.any() or below[0]:
                    if np.isfinite(value):
                        raise ValueError(f"request {kind}: {value} Hz where the sweep has none")
                    continue
                k = int(below.argmax())
                low, high = f[k - 1], f[k]
            if not low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
                raise ValueError(f"request {kind}: {value} Hz is not in [{low}, {high}]")
