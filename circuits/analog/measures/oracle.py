# SPDX-License-Identifier: Apache-2.0
"""The same metrics from ngspice, one candidate after the other, with searches of its own.

Nothing comes from the native kernels: crossings and peaks are bracketed on dense sweeps that
ngspice runs, and refined with single frequencies. Only the formulas of the measures are shared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from circuits.analog.elements import CurrentSource
from circuits.analog.measures.bench import Bench, Readings
from circuits.analog.measures.settling import split
from circuits.analog.measures.testbench import Feature
from circuits.analog.measures.unity import first_unity
from circuits.analog.measures.view import View, Waveform
from circuits.analog.ngspice import LoadedDeck, NgspiceError, Transient, simulate_deck
from circuits.analog.spice_writer import to_spice
from workbench.experiments.progress import ProgressBoard

__all__ = ["read_in_ngspice"]

Response = Callable[[Tensor], Tensor]


def read_in_ngspice(
    bench: Bench,
    values: Tensor,
    *,
    temperature: float | None = None,
    override: Mapping[str, float] | None = None,
    per_decade: int = 10,
) -> Readings:
    """Measure with ngspice.

    Parameters
    ----------
    bench, values, temperature, override
        As of :meth:`circuits.analog.measures.Bench.read`.
    per_decade : int
        Frequencies of the sweeps that bracket crossings and peaks.

    Returns
    -------
    Readings
        Without gradients; status 3 where ngspice finds no operating point.

    Raises
    ------
    NgspiceError
        Where it is not installed.
    ValueError
        If ``per_decade`` is below 1.
    """
    if per_decade < 1:
        raise ValueError(f"read_in_ngspice: per_decade is {per_decade}; expected 1 or more")
    from circuits.analog.ngspice import version

    version()  # says how to install it
    celsius = bench.circuit.temperature if temperature is None else float(temperature)
    batch = values.shape[1]
    columns = bench.columns(values.detach(), override)
    table = torch.full((batch, len(bench.names)), math.nan, dtype=torch.float64)
    status = torch.full((batch,), 3, dtype=torch.int64)
    with ProgressBoard().task(batch, "ngspice") as task:
        for i in range(batch):
            mine = columns[:, i::batch] if batch else columns
            if bool(torch.isfinite(mine).all()):
                try:
                    views = [_Simulated(bench, mine[:, [s]], celsius) for s in range(mine.shape[1])]
                    parts = [v.collect(per_decade) for v in views]
                    view = _joined(bench, mine, parts)
                    view = replace(view, _waveforms=_transient(views[0], view))
                except NgspiceError:
                    view = None
                if view is not None:
                    table[i] = torch.stack([m.read(view)[0] for m in bench.testbench.measures])
                    status[i] = 0
            task.advance()
    return Readings(table, status)


class _Simulated:
    """One candidate in one scenario."""

    def __init__(self, bench: Bench, column: Tensor, celsius: float) -> None:
        self.bench, self.column, self.celsius = bench, column, celsius
        self.deck = to_spice(bench.circuit, column, 0, temperature=celsius)

    def collect(self, per_decade: int) -> dict[str, Tensor]:
        """Everything a view holds, as columns of one candidate."""
        bench, lowered = self.bench, self.bench.lowered
        span = math.log10(bench.testbench.high / bench.testbench.low)
        points = max(3, math.ceil(span * per_decade) + 1)
        signals = {s.name for s in bench.testbench.signals}
        with LoadedDeck(self.deck, temp=self.celsius) as loaded:
            self.loaded = loaded
            op = loaded.run(("op",))
            out = {
                "voltages": torch.tensor([[op.op[n]] for n in lowered.nodes], dtype=torch.float64),
                "currents": self._currents(op.currents),
            }
            found = []
            for feature, name in bench.features:
                response = self._response(name)
                low, high = bench.testbench.low, bench.testbench.high
                if feature == "f3db":
                    level = response(torch.tensor([low], dtype=torch.float64)).abs() / math.sqrt(2)
                    found.append(first_unity(_over(response, level), low, high, points))
                elif feature == "unity":
                    found.append(first_unity(response, low, high, points))
                else:
                    found.append(_peak(response, low, high, points))
            for k, key in enumerate(("frequency", "slope", "turn")):
                kind = torch.complex128 if key == "slope" else torch.float64
                parts = [f[k].to(kind) for f in found]
                out[key] = torch.stack(parts) if parts else torch.empty(0, 1, dtype=kind)
            hertz = torch.cat([bench.fixed, torch.nan_to_num(out["frequency"][:, 0], nan=1.0)])
            for name in bench.responses:
                out[f"response {name}"] = self._response(name)(hertz)
                if name in signals and name in bench.noisy:
                    out[f"noise {name}"] = self._noise(name)
        return out

    def _currents(self, branches: Mapping[str, float]) -> Tensor:
        lowered = self.bench.lowered
        number = lowered.element_values(lowered.rows(self.column)[:, 0].tolist())
        values = []
        for name in lowered.sources:
            if isinstance(self.bench.circuit.element(name), CurrentSource):
                values.append([number[name]["dc"]])
            else:
                values.append([branches[name]])
        return torch.tensor(values, dtype=torch.float64).reshape(-1, 1)

    def _drive(self, amplitudes: Mapping[str, float]) -> None:
        for name in self.bench.lowered.sources:
            self.loaded.alter(name, acmag=amplitudes.get(name, 0.0))

    def _response(self, name: str) -> Response:
        amplitudes, outputs = self.bench.excitation(name)

        def run(hertz: Tensor) -> Tensor:
            self._drive(amplitudes)
            got = self.loaded.run(("ac",), freqs=hertz.reshape(-1).tolist())
            parts = [torch.from_numpy(got.transfer(p, n)) for p, n in outputs]
            value = parts[0] if len(parts) == 1 else -parts[0] / parts[1]
            return value.reshape(-1, 1)

        return run

    def _noise(self, name: str) -> Tensor:
        _, outputs = self.bench.excitation(name)
        got = self.loaded.run(("noise",), freqs=self.bench.fixed.tolist(), noise_output=outputs[0])
        assert got.noise is not None
        return torch.from_numpy(got.noise).reshape(-1, 1)


def _transient(one: _Simulated, view: View) -> dict[str, Waveform]:
    """The steps of the testbench, with sources that ngspice moves along straight lines."""
    bench = one.bench
    if bench.steps is None:
        return {}
    wanted = [m for m in bench.testbench.measures if m.name in bench.steps.stable]
    run = torch.tensor([all(bool(m.read(view) > 0) for m in wanted)])
    if not run:  # as natively: it would only ring
        nothing = torch.full((len(bench.waves.samples), 1), math.nan, dtype=torch.float64)
        return split(bench.steps, bench.waves.samples, nothing, run)
    lowered, plan = bench.lowered, bench.waves
    number = lowered.element_values(lowered.rows(one.column)[:, 0].tolist())
    stop = bench.steps.window * len(bench.steps.steps)
    lines = one.deck.splitlines()
    for name, row in lowered.sources.items():
        if not bool(plan.values[row].any()):
            continue
        corners = zip(plan.corners.tolist(), plan.values[row].tolist(), strict=True)
        points = " ".join(f"{t!r} {number[name]['dc'] + v!r}" for t, v in corners)
        at = next(i for i, line in enumerate(lines) if line.lower().startswith(f"{name} "))
        lines[at] = f"{lines[at]} pwl({points})"
    got = simulate_deck(
        "\n".join(lines) + "\n",
        ("tran",),
        tran=Transient(step=stop / 4e4, stop=stop, max_step=stop / 4e4),
        temp=one.celsius,
        precise=False,
        settings=("reltol=1e-5", "vntol=1e-8", "abstol=1e-14"),
    )
    assert got.time is not None
    seen = np.interp(plan.samples.numpy(), got.time, got.tran[bench.steps.output.lower()])
    samples = torch.from_numpy(seen)[:, None]
    return split(bench.steps, plan.samples, samples, run)


def _over(response: Response, level: Tensor) -> Response:
    return lambda hertz: response(hertz) / level


def _peak(
    response: Response, low: float, high: float, points: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The maximum of ``|H|``: frequency, a slope that is not needed, the turn of the phase."""
    grid = torch.linspace(math.log(low), math.log(high), points, dtype=torch.float64)
    size = response(grid.exp()).abs()[:, 0]
    k = int(size.argmax())
    at, nothing = float(grid[k]), torch.zeros(1, dtype=torch.float64)
    if 0 < k < points - 1:
        width = float(grid[1] - grid[0])
        for _ in range(40):
            near = torch.tensor([at - width, at, at + width], dtype=torch.float64)
            a, b, c = response(near.exp()).abs().log()[:, 0].tolist()
            bend = a - 2 * b + c
            step = 0.5 * width * (a - c) / bend if bend < 0 else math.copysign(width, c - a)
            at += max(-width, min(width, step))
            if width <= 1e-4:
                break
            width = max(0.3 * width, 1e-4)
    frequency = torch.tensor([at], dtype=torch.float64).exp()
    return frequency, nothing, nothing


def _joined(bench: Bench, columns: Tensor, parts: list[dict[str, Tensor]]) -> View:
    """One view of all scenarios of a candidate."""
    data = {key: torch.cat([part[key] for part in parts], 1) for key in parts[0]}
    lowered = bench.lowered
    table, valid = {}, {}
    for name in bench.responses:
        value = data[f"response {name}"]
        valid[name] = torch.isfinite(value)
        table[name] = torch.where(valid[name], value, torch.ones_like(value))
    keys: list[tuple[Feature, str]] = list(bench.features)
    return View(
        batch=1,
        scenarios={s.name: k for k, s in enumerate(bench.testbench.scenarios)},
        parameters={p.name: columns[k] for k, p in enumerate(lowered.parameters)},
        low=bench.testbench.low,
        _voltages=data["voltages"],
        _currents=data["currents"],
        _alive=torch.ones(columns.shape[1], dtype=torch.bool),
        _nodes=lowered.nodes,
        _sources=lowered.sources,
        _table=table,
        _valid=valid,
        _fixed={f: i for i, f in enumerate(bench.fixed.tolist())},
        _features={key: k for k, key in enumerate(keys)},
        _first_feature=len(bench.fixed),
        _frequency=data["frequency"],
        _slope=data["slope"],
        _turn=data["turn"],
        _noise={name: data[f"noise {name}"] for name in bench.noisy},
    )
