# SPDX-License-Identifier: Apache-2.0
"""What comes back from ngspice, put together from its plots."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from circuits.analog.ngspice.request import STAND_IN, NgspiceError, Request, Sweep

__all__ = ["DeckResult", "Plot", "assemble", "check_nodes", "notes_of"]

_BRANCH = re.compile(r"^(?:i\((.*)\)|(.*)#branch)$")
_NODE = re.compile(r"^v\((.*)\)$")
_GMIN = re.compile(r"^trying gmin", re.IGNORECASE)
_NO_NODES = ("frequency", "time", STAND_IN)


@dataclass(frozen=True)
class Plot:
    """One analysis's vectors by the names that ngspice gives them."""

    kind: str
    vectors: Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class DeckResult:
    """What ngspice found. Names are lower-case, as ngspice's own.

    Attributes
    ----------
    op : dict
        Node to volt, ground included; internal nodes as ``m1#drain``.
    currents : dict
        Voltage source (and inductor) to ampere, positive from + through the source to -.
    probes : dict
        What was asked for in ``probes``, at the operating point.
    frequencies : ndarray
        float64 ``(F,)``, hertz.
    ac : dict
        Node to complex128 ``(F,)``; ground is there as zeros.
    ac_currents : dict
        Voltage source to complex128 ``(F,)``.
    noise : ndarray or None
        float64 ``(F,)``, output noise density in V^2/Hz.
    inoise : ndarray or None
        float64 ``(F,)``, the same referred to the noise source, in V^2/Hz or A^2/Hz.
    time : ndarray or None
        float64 ``(T,)``, seconds, not evenly spaced.
    tran : dict
        Node to float64 ``(T,)``.
    notes : tuple of str
        Warnings and remarks that are no errors, such as steps of gmin.
    """

    op: dict[str, float] = field(default_factory=dict)
    currents: dict[str, float] = field(default_factory=dict)
    probes: dict[str, float] = field(default_factory=dict)
    frequencies: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    ac: dict[str, NDArray[np.complex128]] = field(default_factory=dict)
    ac_currents: dict[str, NDArray[np.complex128]] = field(default_factory=dict)
    noise: NDArray[np.float64] | None = None
    inoise: NDArray[np.float64] | None = None
    time: NDArray[np.float64] | None = None
    tran: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def voltage(self, p: str, n: str = "0") -> float:
        """v(p) - v(n) at the operating point."""
        return self.op[p.lower()] - self.op[n.lower()]

    def transfer(self, p: str, n: str = "0") -> NDArray[np.complex128]:
        """v(p) - v(n) of the ac analysis, complex128 ``(F,)``."""
        out: NDArray[np.complex128] = self.ac[p.lower()] - self.ac[n.lower()]
        return out


def assemble(request: Request, plots: Sequence[Plot], notes: Sequence[str]) -> DeckResult:
    """One result from the plots, single-frequency runs joined in order."""
    fields: dict[str, Any] = {"notes": tuple(notes)}
    for plot in plots:
        if plot.kind == "op":
            fields["op"] = {k: float(v[0]) for k, v in _voltages(plot.vectors)}
            fields["currents"] = {k: float(v[0]) for k, v in _currents(plot.vectors)}
            fields["probes"] = {
                k: float(v[0]) for k, v in plot.vectors.items() if k in request.probes
            }
        elif plot.kind == "tran":
            fields["time"] = np.asarray(plot.vectors["time"], np.float64)
            fields["tran"] = dict(_voltages(plot.vectors))
    ac = [plot for plot in plots if plot.kind == "ac"]
    noise = [plot for plot in plots if plot.kind == "noise"]
    # A list of frequencies stays what was asked for; a sweep's are what ngspice made of it.
    if not isinstance(request.freqs, Sweep) and request.freqs is not None:
        fields["frequencies"] = np.array(request.freqs, np.float64)
    elif ac or noise:
        fields["frequencies"] = _join((ac or noise), "frequency").real.copy()
    if ac:
        fields["ac"] = {k: _joined(ac, _voltages, k) for k, _ in _voltages(ac[0].vectors)}
        fields["ac_currents"] = {k: _joined(ac, _currents, k) for k, _ in _currents(ac[0].vectors)}
    if noise:
        fields["noise"] = _join(noise, "onoise_spectrum")
        fields["inoise"] = _join(noise, "inoise_spectrum")
    for kind in ("noise", "ac") if request.freqs is not None else ():
        count = len(_join(ac if kind == "ac" else noise, "frequency"))
        if kind in request.analyses and count != len(fields.get("frequencies", ())):
            raise NgspiceError(f"ngspice stopped its {kind} analysis after {count} frequencies")
    return DeckResult(**fields)


def check_nodes(request: Request, operating: Plot) -> None:
    """Refuse a noise output that the operating point does not know: ngspice would say 0."""
    known = {name for name, _ in _voltages(operating.vectors)}
    for node in request.noise_output or ():
        if node.lower() not in known:
            raise NgspiceError(f"noise_output: the deck has no node {node!r}")


def notes_of(lines: Iterable[str]) -> list[str]:
    """The remarks among printed lines, each once, without the prefixes of the streams."""
    kept = [line.removeprefix("stderr ").strip() for line in lines if line.startswith("stderr ")]
    return list(dict.fromkeys(line for line in kept if line and not _GMIN.match(line)))


def _voltages(vectors: Mapping[str, NDArray[Any]]) -> list[tuple[str, NDArray[Any]]]:
    found = [(node_name(k), v) for k, v in vectors.items()]
    out = [(k, v) for k, v in found if k is not None]
    return [("0", np.zeros_like(out[0][1])), *out] if out else []


def _currents(vectors: Mapping[str, NDArray[Any]]) -> list[tuple[str, NDArray[Any]]]:
    found = [(branch_name(k), v) for k, v in vectors.items()]
    return [(k, v) for k, v in found if k is not None]


def _join(plots: Sequence[Plot], vector: str) -> NDArray[Any]:
    return np.concatenate([p.vectors[vector] for p in plots]) if plots else np.zeros(0)


def _joined(plots: Sequence[Plot], pick: Any, name: str) -> NDArray[Any]:
    return np.concatenate([dict(pick(p.vectors))[name] for p in plots])


def node_name(vector: str) -> str | None:
    """Node of a voltage's vector, None for other vectors: ``V(1)``, ``v(out)`` or ``out``."""
    name = vector.lower()
    if name in _NO_NODES or name.startswith("@") or _BRANCH.match(name):
        return None
    found = _NODE.match(name)
    return found.group(1) if found else name


def branch_name(vector: str) -> str | None:
    """Source of a branch current's vector, None for other vectors."""
    found = _BRANCH.match(vector.lower())
    if not found or vector.startswith("@"):
        return None
    name = found.group(1) if found.group(1) is not None else found.group(2)
    return None if name.startswith("@") or name == STAND_IN else name
