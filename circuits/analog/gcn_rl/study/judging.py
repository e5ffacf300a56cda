# SPDX-License-Identifier: Apache-2.0
"""What becomes of the designs found: ngspice's opinion, corners, response, netlist."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from circuits.analog.gcn_rl.study import problems
from circuits.analog.gcn_rl.study.tasks import one_thread

if TYPE_CHECKING:
    from circuits.analog.sizing import SizingProblem

__all__ = [
    "TOLERANCE",
    "JudgePiece",
    "apart",
    "corners",
    "damping",
    "drawn",
    "in_ngspice",
    "ngspice_here",
    "response",
]

#: By how much a metric may differ from ngspice's, relative.
TOLERANCE = 1e-6
_POINTS = 181
_LARGEST = 1e15  # radians per second


@dataclass(frozen=True)
class JudgePiece:
    """The designs of one circuit: (name, values) pairs, the winner's name, the designer's.

    ``ngspice`` is the version that judges, None where the run judges without.
    """

    circuit: str
    node: str
    designs: tuple[tuple[str, tuple[float, ...]], ...]
    winner: str | None
    ngspice: str | None

    @property
    def weight(self) -> int:
        """About how long it takes, in tenths of a second."""
        return 10 + 5 * len(self.designs)

    def __call__(self) -> dict[str, Any]:
        """Judge; plain values."""
        from circuits.analog.sizing import verify as sizing

        problem: Any = problems.problem_of(self.circuit, self.node)
        designs = dict(self.designs)
        shown = {name: designs[name] for name in (self.winner, "human") if name in designs}
        # ngspice's own progress would write over the main process's
        with one_thread(), contextlib.redirect_stderr(io.StringIO()):
            return {
                "ngspice": in_ngspice(problem, designs, self.ngspice),
                "corners": {name: corners(problem, values) for name, values in designs.items()},
                "damping": {
                    name: _plain(damping(problem, values)) for name, values in designs.items()
                },
                "response": response(problem, shown),
                "netlist": None if self.winner is None else drawn(problem, designs[self.winner]),
                "decks": {
                    name: sizing.deck(problem, tensor(values)) for name, values in designs.items()
                },
            }


def tensor(values: Sequence[float]) -> torch.Tensor:
    """(1, P) float64."""
    return torch.tensor([list(values)], dtype=torch.float64)


def ngspice_here() -> str | None:
    """The version of ngspice on this machine, None where there is none."""
    from circuits.analog import ngspice

    return ngspice.version() if ngspice.available() else None


def in_ngspice(
    problem: SizingProblem, designs: Mapping[str, Sequence[float]], judge: str | None
) -> dict[str, Any]:
    """Metrics of designs by our kernel and by ngspice.

    Parameters
    ----------
    problem : SizingProblem
    designs : mapping
    judge : str, optional
        The version of ngspice that the run began with; None: it began without.

    Returns
    -------
    dict
        ``missing``: what to install, where ngspice is not there, else None; ``version``;
        ``rows``: per design both sets of metrics and the largest relative difference.

    Raises
    ------
    RuntimeError
        Where this machine has another version, or none.
    """
    from circuits.analog import sizing

    if judge is None:
        return {"missing": "ngspice is not installed: apt-get install ngspice", "rows": []}
    if ngspice_here() != judge:
        raise RuntimeError(
            f"this run judges with ngspice {judge}, but here is {ngspice_here() or 'none'}: "
            "install it (apt-get install ngspice libngspice0), or begin anew with --force"
        )
    params = torch.cat([tensor(values) for values in designs.values()])
    found = sizing.verify_in_ngspice(problem, params)
    rows = [
        {
            "design": name,
            "ours": [_plain(x) for x in found.native.values[k].tolist()],
            "theirs": [_plain(x) for x in found.values[k].tolist()],
            "fom": float(found.fom[k]),
            **apart(problem, found.native.values[k].tolist(), found.values[k].tolist()),
        }
        for k, name in enumerate(designs)
    ]
    return {"missing": None, "version": judge, "rows": rows}


def apart(
    problem: SizingProblem, ours: Sequence[float | None], theirs: Sequence[float | None]
) -> dict[str, float]:
    """The largest relative ``difference`` of metrics, and that of settling times alone.

    Settling times depend on where a simulator puts its time steps, and jump by half a period
    where a ringing output grazes its band, so they stand apart.
    """
    worst = {"difference": 0.0, "settling": 0.0}
    for a, b, unit in zip(ours, theirs, problem.metric_units, strict=True):
        have = [x is not None and math.isfinite(x) for x in (a, b)]
        if a is None or b is None or not all(have):
            # only one of the two has a value: no number says how wrong that is
            value = 1.0 if any(have) else 0.0
        else:
            value = abs(a - b) / max(abs(a), abs(b), 1e-12)
        key = "settling" if unit == "s" else "difference"
        worst[key] = max(worst[key], value)
    return worst


def _plain(x: float) -> float | None:
    return x if math.isfinite(x) else None


def corners(problem: SizingProblem, values: Sequence[float]) -> list[dict[str, Any]]:
    """Figure of merit over temperature and supply: -20, 27, 85 C, and nominal and 10 % about."""
    from circuits.analog.sizing import robustness

    found = robustness(problem, tensor(values))
    return [
        {"temperature": t, "supply": v, "fom": float(fom), "status": int(status)}
        for t, v, fom, status in zip(
            found.temperatures, found.supplies, found.fom[:, 0], found.status[:, 0], strict=True
        )
    ]


def damping(problem: SizingProblem, values: Sequence[float]) -> float:
    """The least damping of the circuit's natural frequencies in any scenario: -Re s / |s|.

    1 is no ringing, 0 an oscillator, less than 0 grows. It is of the circuit as it is wired,
    loops closed, and so judges stability without a phase margin. NaN without an operating point.
    """
    import numpy as np
    from scipy.linalg import eigvals

    from workbench.ops.circuit_sim import operating_point
    from workbench.ops.reference import circuit_equations as equations

    lowered = problem.design.circuit.lower()
    circuit = equations.Circuit(lowered.program, problem.design.circuit.temperature)
    least = 1.0
    for scenario in problem.design.testbench.scenarios:
        rows = lowered.rows({**problem.everything(tensor(values)), **scenario.values})
        voltages, _, status = operating_point(lowered.program, rows)
        if int(status[0]) == 3:
            return math.nan
        g, c = equations.linear(circuit, rows, voltages)
        s = eigvals(-g[0].numpy(), c[0].numpy())
        # C is singular: what is no natural frequency comes out infinite, or nearly
        s = s[np.isfinite(s)]
        s = s[(np.abs(s) > 0) & (np.abs(s) < _LARGEST)]
        least = min([least, *(-s.real / np.abs(s)).tolist()])
    return least


def response(problem: SizingProblem, designs: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Gain and phase over frequency of the signal or loop whose gain is a metric.

    Returns
    -------
    dict
        ``signal``, ``kind`` (``"transimpedance"``, ``"gain"`` or ``"loop gain"``), ``frequency``
        in hertz, and per design ``decibel`` and ``degrees``, the phase from its start.
    """
    from circuits.analog.measures import Gain
    from workbench.ops.circuit_sim import operating_point, small_signal

    bench = problem.design.testbench
    gain = next(m for m in bench.measures if isinstance(m, Gain))
    drive, ends = problem.bench.excitation(gain.of)
    loop = len(ends) == 2
    scenario = next((s for s in bench.scenarios if s.name == gain.scenario), bench.scenarios[0])
    lowered = problem.design.circuit.lower()
    frequency = torch.logspace(
        math.log10(bench.low), math.log10(bench.high), _POINTS, dtype=torch.float64
    )
    drives = torch.zeros(1, len(lowered.sources), dtype=torch.float64)
    for name, amplitude in drive.items():
        drives[0, lowered.sources[name]] = amplitude
    outputs = torch.tensor([[lowered.nodes[p.lower()], lowered.nodes[n.lower()]] for p, n in ends])
    curves = {}
    for label, values in designs.items():
        rows = lowered.rows({**problem.everything(tensor(values)), **scenario.values})
        voltages, _, status = operating_point(lowered.program, rows)
        if int(status[0]) == 3:
            continue
        transfer, _ = small_signal(
            lowered.program, rows, voltages, frequency, drives=drives, outputs=outputs
        )
        h = transfer[:, 0, 0, 0]
        if loop:
            h = -h / transfer[:, 1, 0, 0]
        turns = torch.angle(h[1:] * h[:-1].conj()).cumsum(0)
        curves[label] = {
            "decibel": (20.0 * torch.log10(h.abs().clamp_min(1e-30))).tolist(),
            "degrees": [0.0, *torch.rad2deg(turns).tolist()],
        }
    return {
        "signal": gain.of,
        "kind": "loop gain" if loop else ("transimpedance" if gain.unit == "ohm" else "gain"),
        "unit": "dB\N{OHM SIGN}" if gain.unit == "ohm" else "dB",
        "frequency": frequency.tolist(),
        "curves": curves,
    }


def drawn(problem: SizingProblem, values: Sequence[float]) -> dict[str, Any]:
    """A design as components with their nets and sizes, supplies left out.

    Returns
    -------
    dict
        ``components``: ``name``, ``type``, ``nets`` (drain, gate, source of a transistor),
        ``w``, ``l``, ``m`` or ``value`` in SI units, and ``size``, 0 to 1: where the first of
        them lies between its bounds on a logarithmic scale. ``nets`` that two of them share.
    """
    design = problem.design
    lowered = design.circuit.lower()
    column = lowered.rows(problem.everything(tensor(values)))[:, 0].tolist()
    numbers = lowered.element_values(column)
    quiet = {"0", *(name.lower() for name in design.supplies)}
    where = problem.parameters_to_unit(tensor(values))[0]
    components: list[dict[str, Any]] = []
    for k, vertex in enumerate(problem.vertices):
        element = design.circuit.element(vertex.name)
        number = numbers[vertex.name.lower()]
        slot = _first(problem, k)
        transistor = vertex.type in ("nmos", "pmos")
        components.append(
            {
                "name": vertex.name,
                "type": vertex.type,
                # a transistor's bulk says nothing that its type does not
                "nets": [n.lower() for n in element.nodes[: 3 if transistor else 2]],
                **(
                    {"w": number["w"], "l": number["l"], "m": round(number["m"])}
                    if transistor
                    else {"value": number["value"]}
                ),
                "size": float((where[slot].clamp(-1, 1) + 1) / 2),
            }
        )
    count: dict[str, int] = {}
    for component in components:
        for net in dict.fromkeys(component["nets"]):
            count[net] = count.get(net, 0) + 1
    nets = sorted(net for net, n in count.items() if n > 1 and net not in quiet)
    return {"components": components, "nets": nets}


def _first(problem: SizingProblem, vertex: int) -> int:
    slots = problem.slot_parameter[vertex].tolist()
    return int(next(s for s in slots if s >= 0))
