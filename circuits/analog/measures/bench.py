# SPDX-License-Identifier: Apache-2.0
"""A testbench compiled for a circuit: few kernel calls, whatever is measured.

One operating point for all candidates in all scenarios; one search along the frequency axis; one
small-signal analysis at the frequencies found and at the fixed ones. The search is not
differentiated: a frequency's gradient is that of the response at it, over the slope.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from circuits.analog.circuit import Circuit
from circuits.analog.measures.settling import split, waves
from circuits.analog.measures.testbench import FEATURES, Feature, Loop, Signal, Steps, Testbench
from circuits.analog.measures.view import View, Waveform
from circuits.analog.result import as_pair

__all__ = ["Bench", "Readings"]

_operators = "workbench.ops.circuit_sim"  # a test may name the reference instead


class Readings(NamedTuple):
    """Metrics of ``B`` candidates.

    ``values`` is float64 ``(B, K)``, NaN where undefined; ``status`` int64 ``(B,)``, the worst of
    the scenarios': 0 to 2 solved, 3 failed.
    """

    values: Tensor
    status: Tensor


class Bench:
    """A testbench and a circuit.

    Parameters
    ----------
    circuit : Circuit
    testbench : Testbench

    Attributes
    ----------
    names, units : tuple of str
        Of the K metrics.
    signs : tuple of int
        +1 where bigger is better.
    lowered : Lowered
        The circuit as the kernels take it.
    fixed : Tensor
        float64, hertz: frequencies that do not depend on the candidate.
    features : dict
        What is searched for, pairs of feature and signal or loop, to its number.
    noisy : dict
        Signals whose noise is wanted.

    Raises
    ------
    ValueError
        For a source, node or parameter that the circuit does not have.
    """

    def __init__(self, circuit: Circuit, testbench: Testbench) -> None:
        self.circuit, self.testbench = circuit, testbench
        self.names = tuple(m.name for m in testbench.measures)
        self.units = tuple(m.unit for m in testbench.measures)
        self.signs = tuple(m.sign for m in testbench.measures)
        self.lowered = lowered = circuit.lower()
        self._index = {p.name: i for i, p in enumerate(lowered.parameters)}
        self._defaults = torch.tensor(
            [[p.default] for p in lowered.parameters], dtype=torch.float64
        ).reshape(-1, 1)
        for scenario in testbench.scenarios:
            for name in scenario.values:
                self._row("scenario", name)
        needs = [m.needs() for m in testbench.measures]
        read = {name for n in needs for name in (*n.responses, *n.noise)}
        read |= {name for n in needs for _, name in n.features}
        self._signals = [s for s in testbench.signals if s.name in read]
        self._loops = [s for s in testbench.loops if s.name in read]
        drives: list[dict[str, float]] = []
        outputs: list[tuple[int, int]] = []
        self._place: dict[str, tuple[int, ...]] = {}  # signal: output, drive; loop: two and drive
        excited: list[Signal | Loop] = [*self._signals, *self._loops]
        for signal in excited:
            lower = {name.lower(): float(v) for name, v in signal.drive.items()}
            for name in lower:
                if name not in lowered.sources:
                    raise ValueError(f"Bench: {signal.name}: unknown source {name!r}")
            if lower not in drives:
                drives.append(lower)
            nodes = (
                ((signal.returned, "0"), (signal.injected, "0"))
                if isinstance(signal, Loop)
                else (signal.output,)
            )
            pairs = []
            for node in nodes:
                p, n = as_pair(f"Bench: {signal.name}", circuit, node)
                pair = (lowered.nodes[p], lowered.nodes[n])
                if pair not in outputs:
                    outputs.append(pair)
                pairs.append(outputs.index(pair))
            self._place[signal.name] = (*pairs, drives.index(lower))
        self._drives = torch.zeros(len(drives), len(lowered.sources), dtype=torch.float64)
        for d, amplitudes in enumerate(drives):
            for name, value in amplitudes.items():
                self._drives[d, lowered.sources[name]] = value
        self._outputs = torch.tensor(outputs, dtype=torch.int64).reshape(-1, 2)
        noisy = list(dict.fromkeys(name for n in needs for name in n.noise))
        self._noise_pairs = list(dict.fromkeys(self._place[name][0] for name in noisy))
        self.noisy = {name: self._noise_pairs.index(self._place[name][0]) for name in noisy}
        self._noise = self._outputs[self._noise_pairs] if noisy else None

        fixed = {f or testbench.low for n in needs for f in n.frequencies}
        if self._place:
            fixed.add(testbench.low)
        self.fixed = torch.tensor(sorted(fixed), dtype=torch.float64)
        features = list(dict.fromkeys(feature for n in needs for feature in n.features))
        self.features: dict[tuple[Feature, str], int] = {f: i for i, f in enumerate(features)}
        self._requests = torch.tensor(
            [[FEATURES.index(f), *self._request(name)] for f, name in features], dtype=torch.int64
        ).reshape(-1, 4)

        self.steps = testbench.steps if any(n.steps for n in needs) else None
        if self.steps:
            for step in self.steps.steps:
                if step.source.lower() not in lowered.sources:
                    raise ValueError(f"Bench: {step.name}: unknown source {step.source!r}")
            p, n = as_pair("Bench: steps", circuit, self.steps.output)
            self._watched = torch.tensor([[lowered.nodes[p], lowered.nodes[n]]])
            self.waves = waves(self.steps, lowered.sources)

    def _request(self, name: str) -> tuple[int, int, int]:
        """Output, drive, and the output that divides, of a search."""
        first, *second, drive = self._place[name]
        return first, drive, second[0] if second else -1

    @property
    def responses(self) -> tuple[str, ...]:
        """Signals and loops that the measures read."""
        return tuple(self._place)

    def excitation(self, name: str) -> tuple[dict[str, float], list[tuple[str, str]]]:
        """Amplitudes by source (lower case), and the node pairs read: two of a loop."""
        for loop in self._loops:
            if loop.name == name:
                drive = {name.lower(): v for name, v in loop.drive.items()}
                return drive, [(loop.returned, "0"), (loop.injected, "0")]
        signal = next(s for s in self._signals if s.name == name)
        return {k.lower(): float(v) for k, v in signal.drive.items()}, [signal.output]

    def _row(self, what: str, name: str) -> int:
        if name not in self._index:
            raise ValueError(f"Bench: {what}: unknown parameter {name!r}")
        return self._index[name]

    def read(
        self,
        values: Tensor,
        *,
        temperature: float | None = None,
        override: Mapping[str, float] | None = None,
    ) -> Readings:
        """Simulate and measure.

        Parameters
        ----------
        values : Tensor
            float64 ``(P, B)``, every parameter of the circuit in its order.
        temperature : float, optional
            Degrees Celsius; by default the circuit's.
        override : mapping, optional
            Parameters that take another value, after the scenarios' own.

        Returns
        -------
        Readings
            Differentiable to ``values``.

        Raises
        ------
        TypeError, ValueError
            As :meth:`circuits.analog.lowering.Lowered.rows`.
        """
        view, status = self.view(values, temperature=temperature, override=override)
        columns = [m.read(view) for m in self.testbench.measures]
        batch = values.shape[1]
        table = torch.stack(columns, 1) if columns else values.new_empty(batch, 0)
        return Readings(table, status)

    def columns(self, values: Tensor, override: Mapping[str, float] | None = None) -> Tensor:
        """The parameters of all candidates in all scenarios: ``(P, S B)``."""
        parts = []
        for scenario in self.testbench.scenarios:
            changed = {**scenario.values, **(override or {})}
            part = values
            if changed:
                part = values.clone()
                for name, value in changed.items():
                    part[self._row("override", name)] = float(value)
            parts.append(part)
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)

    def view(
        self,
        values: Tensor,
        *,
        temperature: float | None = None,
        override: Mapping[str, float] | None = None,
        step_gradients: bool = True,
    ) -> tuple[View, Tensor]:
        """Simulate only; for measures of one's own.

        Without ``step_gradients`` no gradient comes from transients: theirs is the dearest.
        """
        ops = importlib.import_module(_operators)
        lowered, bench = self.lowered, self.testbench
        celsius = self.circuit.temperature if temperature is None else float(temperature)
        everything = self.columns(values, override)
        whole = torch.isfinite(everything).all(0)
        if whole.all():
            rows = lowered.rows(everything)
        else:  # a NaN fails its candidate, and must not meet its gradient of 0 on the way back
            everything = torch.where(whole, everything, self._defaults)
            rows = torch.where(whole, lowered.rows(everything), math.nan)
        program = lowered.program
        voltages, currents, each = ops.operating_point(program, rows, temperature=celsius)
        alive = each != 3
        batch, scenarios = values.shape[1], len(bench.scenarios)
        status = each.reshape(scenarios, batch).amax(0) if batch else each[:0]

        given = {"drives": self._drives, "outputs": self._outputs, "temperature": celsius}
        frequency = turn = torch.empty(0, rows.shape[1], dtype=torch.float64)
        slope = torch.empty(0, rows.shape[1], dtype=torch.complex128)
        if self.features:
            frequency, slope, turn = ops.find_frequencies(
                program,
                rows.detach(),
                voltages.detach(),
                requests=self._requests,
                low=bench.low,
                high=bench.high,
                points=bench.points,
                **given,
            )
        table: dict[str, Tensor] = {}
        valid: dict[str, Tensor] = {}
        noise: dict[str, Tensor] = {}
        if self._place:
            fixed = self.fixed[:, None].expand(-1, rows.shape[1])
            everywhere = torch.cat([fixed, frequency]) if len(frequency) else self.fixed
            transfer, density = ops.small_signal(
                program, rows, voltages, everywhere, noise=self._noise, **given
            )
            # from here on no NaN takes part in anything that is differentiated
            finite = torch.isfinite(transfer)
            transfer = torch.where(finite, transfer, torch.ones_like(transfer))
            for name, place in self._place.items():
                table[name], valid[name] = _response(transfer, finite, place)
            noise = {name: density[:, k] for name, k in self.noisy.items()}
            if self.features:  # the operator gave the slope of H, or of -T
                first = len(self.fixed)
                loops = {loop.name for loop in self._loops}
                there = [
                    table[name][first + k] * (-1.0 if name in loops else 1.0)
                    for k, (_, name) in enumerate(self.features)
                ]
                slope = slope / torch.stack(there).detach()
        view = View(
            batch=batch,
            scenarios={s.name: k for k, s in enumerate(bench.scenarios)},
            parameters={name: everything[i] for name, i in self._index.items()},
            low=bench.low,
            _voltages=torch.where(alive, voltages, 0.0),
            _currents=torch.where(alive, currents, 0.0),
            _alive=alive,
            _nodes=lowered.nodes,
            _sources=lowered.sources,
            _table=table,
            _valid=valid,
            _fixed={f: i for i, f in enumerate(self.fixed.tolist())},
            _features=self.features,
            _first_feature=len(self.fixed),
            _frequency=frequency,
            _slope=slope,
            _turn=turn,
            _noise=noise,
        )
        if self.steps is not None:
            with torch.set_grad_enabled(step_gradients and torch.is_grad_enabled()):
                found = self._transient(self.steps, view, rows, celsius)
            view = replace(view, _waveforms=found)
        return view, status

    def _transient(
        self, steps: Steps, view: View, rows: Tensor, celsius: float
    ) -> dict[str, Waveform]:
        """Of the first scenario; NaN for candidates that are not stable."""
        run = view.alive()
        for measure in self.testbench.measures:
            if measure.name in steps.stable:
                run = run & (measure.read(view).detach() > 0)
        index = run.nonzero()[:, 0]
        operators = importlib.import_module("workbench.ops.circuit_transient")
        found, _, _ = operators.transient(
            self.lowered.program,
            rows[:, index],
            view.voltages[:, index],
            wave_times=self.waves.corners,
            waves=self.waves.values,
            times=self.waves.samples,
            outputs=self._watched,
            tolerance=steps.tolerance,
            max_steps=steps.max_steps,
            temperature=celsius,
        )
        # what was given up midway has not settled: its last sample says so
        samples = torch.full((len(found), view.batch), math.nan, dtype=torch.float64)
        samples = samples.index_copy(1, index, found[:, 0])
        return split(steps, self.waves.samples, samples, run)


def _response(transfer: Tensor, finite: Tensor, place: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """A signal's or a loop's response ``(F, C)``, and where it is valid."""
    if len(place) == 2:
        output, drive = place
        return transfer[:, output, drive], finite[:, output, drive]
    back, into, drive = place
    below = transfer[:, into, drive]
    valid = finite[:, back, drive] & finite[:, into, drive] & (below != 0)
    below = torch.where(valid, below, torch.ones_like(below))
    return -transfer[:, back, drive] / below, valid
