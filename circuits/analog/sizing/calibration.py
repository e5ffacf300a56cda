# SPDX-License-Identifier: Apache-2.0
"""Calibrations: the scale of each design's figure of merit, from random designs, kept in files."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from circuits.analog.designs.registry import design as make_design
from circuits.analog.designs.specification import Design
from circuits.analog.sizing.merit import CalibratedRequirement, CalibratedTerm, FigureOfMerit
from workbench.experiments.progress import ProgressBoard
from workbench.storage.texts import parse_json

if TYPE_CHECKING:
    from circuits.analog.sizing.problem import SizingProblem

__all__ = [
    "Calibration",
    "check_calibration",
    "load_calibration",
    "make_calibration",
    "random_units",
]

SAMPLES = 5000
SEED = 20260101
PERCENTILES = (1.0, 99.0)
CLIP = (-1.0, 2.0)
FAILURE = -2.0
DIGITS = 6  # of what a file holds: below what a kernel's rounding could move
_CHUNK = 1000


@dataclass(frozen=True)
class Calibration:
    """A figure of merit and where it comes from.

    Attributes
    ----------
    design, node : str
    merit : FigureOfMerit
    samples, seed : int
        Random designs, uniform in unit coordinates.
    percentiles : tuple of float
        Of the designs that have all the metrics of the figure, for terms without fixed ends.
    simulated, defined, working : float
        Shares of the random designs: with an operating point; with all the metrics of the figure
        of merit; meeting the requirements too.
    parameters : dict
        Name to range and grid, to tell whether the calibration is of this design.
    """

    design: str
    node: str
    merit: FigureOfMerit
    samples: int
    seed: int
    percentiles: tuple[float, float]
    simulated: float
    defined: float
    working: float
    parameters: dict[str, list[float]]

    def to_json(self) -> str:
        """As text, an entry to a line."""
        raw = dataclasses.asdict(self)
        ranges = raw.pop("parameters")
        merit = raw.pop("merit")
        lines = [f" {json.dumps(k)}: {json.dumps(v)}" for k, v in raw.items()]
        for name in ("terms", "requirements"):
            rows = ",\n".join(f"   {json.dumps(row)}" for row in merit.pop(name))
            lines.append(f'  "{name}": [\n{rows}\n  ]')
        inner = [f'  "{k}": {json.dumps(v)}' for k, v in merit.items()]
        lines[-2:] = [' "merit": {\n' + ",\n".join([*lines[-2:], *inner]) + "\n }"]
        rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in ranges.items())
        lines.append(f' "parameters": {{\n{rows}\n }}')
        return "{\n" + ",\n".join(lines) + "\n}\n"

    @staticmethod
    def from_json(text: str) -> Calibration:
        """From text.

        Raises
        ------
        ValueError
            For what is no calibration.
        """
        try:
            raw: dict[str, Any] = parse_json(text)
            merit = raw.pop("merit")
            return Calibration(
                merit=FigureOfMerit(
                    tuple(CalibratedTerm(**t) for t in merit["terms"]),
                    tuple(CalibratedRequirement(**r) for r in merit["requirements"]),
                    (float(merit["clip"][0]), float(merit["clip"][1])),
                    float(merit["failure"]),
                ),
                percentiles=tuple(raw.pop("percentiles")),
                **raw,
            )
        except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
            raise ValueError(f"Calibration: no calibration file: {error}") from None


def parameter_ranges(design: Design) -> dict[str, list[float]]:
    """Low, high and grid of every sized parameter, rounded as in a file."""
    return {
        p.name: [_rounded(p.low or 0.0), _rounded(p.high or 0.0), _rounded(p.grid or 0.0)]
        for p in design.circuit.parameters.values()
        if p.sized
    }


def check_calibration(calibration: Calibration, design: Design) -> None:
    """Refuse a calibration that was not made for a design as it is now.

    Raises
    ------
    ValueError
        If design, node, ranges, terms or requirements differ, naming what does.
    """
    if (calibration.design, calibration.node) != (design.name, design.node):
        raise ValueError(
            f"calibration is of {calibration.design} at {calibration.node}; "
            f"expected {design.name} at {design.node}"
        )
    merit = calibration.merit
    for what, kept, wanted in (
        ("ranges", calibration.parameters, parameter_ranges(design)),
        (
            "terms",
            {t.metric: (t.weight, t.scale, t.cap, t.low, t.high) for t in merit.terms},
            _kept_terms(calibration, design),
        ),
        (
            "requirements",
            {r.metric: r.least for r in merit.requirements},
            _kept_requirements(calibration, design),
        ),
    ):
        if kept != wanted:
            names = [n for n in {**wanted, **kept} if kept.get(n) != wanted.get(n)]
            raise ValueError(
                f"the calibration of {design.name} at {design.node} was made for other {what} "
                f"({', '.join(names)}); run python -m circuits.analog.sizing.calibrate "
                f"--design {design.name} --node {design.node}"
            )


def _kept_terms(calibration: Calibration, design: Design) -> dict[str, tuple[object, ...]]:
    """The design's terms, percentiles filled in as the calibration has them."""
    kept = {t.metric: t for t in calibration.merit.terms}
    out: dict[str, tuple[object, ...]] = {}
    for t in design.terms:
        mine = kept.get(t.metric)
        low = mine.low if mine and t.low is None else t.low
        high = mine.high if mine and t.high is None else t.high
        out[t.metric] = (t.weight, t.scale, t.cap, low, high)
    return out


def _kept_requirements(calibration: Calibration, design: Design) -> dict[str, float | None]:
    kept = {r.metric: r.least for r in calibration.merit.requirements}
    return {
        r.metric: kept.get(r.metric) if r.least is None else r.least for r in design.requirements
    }


def load_calibration(name: str, node: str) -> Calibration:
    """The calibration that came with the package.

    Raises
    ------
    ValueError
        If there is none, or if it was made for another state of the design.
    """
    folder = resources.files("circuits.analog.sizing") / "calibrations"
    file = folder / f"{name}_{node}.json"
    if not file.is_file():
        raise ValueError(f"load_calibration: there is no calibration of {name!r} at node {node!r}")
    found = Calibration.from_json(file.read_text(encoding="utf-8"))
    try:
        check_calibration(found, make_design(name, node))
    except ValueError as error:
        raise ValueError(f"load_calibration: {file.name}: {error}") from None
    return found


def random_units(count: int, dimensions: int, seed: int) -> Tensor:
    """Uniform in [-1, 1]: float64 ``(count, dimensions)``, the same for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    return 2.0 * torch.rand(count, dimensions, generator=generator, dtype=torch.float64) - 1.0


def make_calibration(
    problem: SizingProblem, *, samples: int = SAMPLES, seed: int = SEED
) -> tuple[Calibration, Tensor]:
    """Make a design's calibration.

    Parameters
    ----------
    problem : SizingProblem
        Its own figure of merit plays no part.
    samples, seed : int
        Random designs, uniform in unit coordinates and rounded.

    Returns
    -------
    Calibration
    Tensor
        float64 ``(samples, K)``, the metrics.

    Raises
    ------
    ValueError
        If fewer than 100 random designs have all metrics: no percentile means much then.
    """
    design, names = problem.design, list(problem.metric_names)
    units = random_units(samples, problem.n_parameters, seed)
    parts = []
    with torch.no_grad(), ProgressBoard().task(samples, f"calibrate {design.name}") as task:
        for chunk in torch.split(units, _CHUNK):
            parts.append(problem.metrics(problem.unit_to_parameters(chunk)))
            task.advance(len(chunk))
    values = torch.cat([p.values for p in parts])
    status = torch.cat([p.status for p in parts])
    logarithmic = {t.metric for t in design.terms if t.scale == "log"}
    simulated = status != 3
    defined = simulated.clone()
    for metric in {t.metric for t in design.terms} | {r.metric for r in design.requirements}:
        column = values[:, names.index(metric)]
        defined &= torch.isfinite(column)
        if metric in logarithmic:
            defined &= column > 0
    if int(defined.sum()) < 100:
        raise ValueError(
            f"make_calibration: {int(defined.sum())} of {samples} random designs have all metrics; "
            "expected 100 or more"
        )

    def percentile(metric: str, q: float) -> float:
        column = values[defined, names.index(metric)]
        return _rounded(float(torch.quantile(column, q / 100)))

    terms = tuple(
        CalibratedTerm(
            t.metric,
            t.weight,
            t.scale,
            percentile(t.metric, PERCENTILES[0]) if t.low is None else t.low,
            percentile(t.metric, PERCENTILES[1]) if t.high is None else t.high,
            t.cap,
        )
        for t in design.terms
    )
    requirements = tuple(
        CalibratedRequirement(
            r.metric, percentile(r.metric, r.percentile or 0.0) if r.least is None else r.least
        )
        for r in design.requirements
    )
    merit = FigureOfMerit(terms, requirements, CLIP, FAILURE)
    working = merit.meets(values, status, names)
    simulated_share, defined_share, working_share = (
        float(x.double().mean()) for x in (simulated, defined, working)
    )
    made = Calibration(
        design=design.name,
        node=design.node,
        merit=merit,
        samples=samples,
        seed=seed,
        percentiles=PERCENTILES,
        simulated=simulated_share,
        defined=defined_share,
        working=working_share,
        parameters=parameter_ranges(design),
    )
    return made, values


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
