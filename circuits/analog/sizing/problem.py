# SPDX-License-Identifier: Apache-2.0
"""A sizing problem: what agents and optimisers ask of a design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from circuits.analog.designs.registry import design as make_design
from circuits.analog.designs.specification import Design
from circuits.analog.measures.bench import Bench, Readings
from circuits.analog.sizing.calibration import Calibration, check_calibration, load_calibration
from circuits.analog.sizing.coordinates import Coordinates
from circuits.analog.sizing.graph import Index, Vertex, circuit_graph
from circuits.analog.sizing.merit import FigureOfMerit

__all__ = ["Evaluation", "SizingProblem", "sizing_problem"]

#: Candidates simulated at once: enough for the kernels' lanes, small enough for the caches.
CHUNK = 1024


class Evaluation(NamedTuple):
    """``B`` designs simulated.

    ``fom`` is float64 ``(B,)``; ``metrics`` ``(B, K)``, NaN where undefined; ``params`` ``(B, P)``,
    SI units; ``status`` int64 ``(B,)``, 3 where there is no operating point.
    """

    fom: Tensor
    metrics: Tensor
    params: Tensor
    status: Tensor


class SizingProblem:
    """A design with ``P`` sized parameters, ``V`` vertices and ``K`` metrics.

    Parameters
    ----------
    design : Design
    calibration : Calibration, optional
        Without one there is no figure of merit.
    index : {"one-hot", "scalar"}
        How features write a component's index; see
        :func:`circuits.analog.sizing.graph.circuit_graph`.

    Attributes
    ----------
    name, node : str
    vertices : tuple of Vertex
    adjacency, features, slot_parameter : Tensor
        The graph: float64 ``(V, V)``, float64 ``(V, n)``, int64 ``(V, 3)``; see
        :class:`circuits.analog.sizing.graph.Graph`.
    parameter_names : tuple of str
    low, high, grid, human : Tensor
        float64 ``(P,)``; a grid of 0 is none; ``human`` may lie out of range.
    log, integer : Tensor
        bool ``(P,)``.
    metric_names, metric_units : tuple of str
    metric_signs : tuple of int
        +1 where bigger is better.

    Raises
    ------
    ValueError
        For a calibration of another design, or of other ranges, terms or requirements.
    """

    def __init__(
        self, design: Design, calibration: Calibration | None = None, *, index: Index = "one-hot"
    ) -> None:
        self.design, self.calibration = design, calibration
        self.name, self.node = design.name, design.node
        self.bench = Bench(design.circuit, design.testbench)
        graph = circuit_graph(design.circuit, design.technology, design.supplies, index)
        self.vertices: tuple[Vertex, ...] = graph.vertices
        self.adjacency, self.features = graph.adjacency, graph.features
        self.slot_parameter = graph.slot_parameter
        everything = list(design.circuit.parameters.values())
        sized = [p for p in everything if p.sized]
        self.parameter_names = tuple(p.name for p in sized)
        self.n_parameters = len(sized)
        self._coordinates = Coordinates(sized, self.slot_parameter)
        self.low, self.high = self._coordinates.low, self._coordinates.high
        self.log, self.integer = self._coordinates.log, self._coordinates.integer
        self.grid = self._coordinates.grid
        self.human = torch.tensor([design.human[p.name] for p in sized], dtype=torch.float64)
        self._defaults = torch.tensor([p.default for p in everything], dtype=torch.float64)
        self._sized = torch.tensor([i for i, p in enumerate(everything) if p.sized])
        self.metric_names, self.metric_units = self.bench.names, self.bench.units
        self.metric_signs = self.bench.signs
        if calibration is not None:
            try:
                check_calibration(calibration, design)
            except ValueError as error:
                raise ValueError(f"SizingProblem: {error}") from None

    def __repr__(self) -> str:
        return (
            f"SizingProblem({self.name!r}, {self.node!r}, {self.n_parameters} parameters, "
            f"{len(self.vertices)} vertices, {len(self.metric_names)} metrics)"
        )

    @property
    def merit(self) -> FigureOfMerit:
        """The figure of merit.

        Raises
        ------
        ValueError
            Without a calibration.
        """
        if self.calibration is None:
            raise ValueError(f"SizingProblem: {self.name} at {self.node} has no calibration")
        return self.calibration.merit

    # -- coordinates ------------------------------------------------------------------------

    def to_parameters(self, actions: Tensor) -> Tensor:
        """Values of actions: matched, denormalised, rounded to the grid, clipped.

        Parameters
        ----------
        actions : Tensor
            ``(B, V, 3)`` in [-1, 1]; what is beyond is clipped.

        Returns
        -------
        Tensor
            float64 ``(B, P)``; a gradient passes the rounding.

        Raises
        ------
        ValueError
            For a wrong shape.
        """
        shape = (len(self.vertices), 3)
        if actions.dim() != 3 or tuple(actions.shape[1:]) != shape:
            raise ValueError(
                f"to_parameters: actions has shape {tuple(actions.shape)}; "
                f"expected (B, {shape[0]}, 3)"
            )
        clipped = actions.to(torch.float64).clamp(-1.0, 1.0)
        return self._coordinates.values(self._coordinates.matched(clipped))

    def unit_to_parameters(self, units: Tensor, rounded: bool = True) -> Tensor:
        """``(B, P)`` unit coordinates, clipped to [-1, 1], to values."""
        return self._coordinates.values(
            self._checked("unit_to_parameters", "units", units), rounded
        )

    def parameters_to_unit(self, params: Tensor) -> Tensor:
        """``(B, P)`` values to unit coordinates; beyond [-1, 1] for values out of range."""
        return self._coordinates.units(self._checked("parameters_to_unit", "params", params))

    # -- simulation -------------------------------------------------------------------------

    def metrics(
        self,
        params: Tensor,
        *,
        temperature: float | None = None,
        override: Mapping[str, float] | None = None,
    ) -> Readings:
        """Simulate designs.

        Parameters
        ----------
        params : Tensor
            float64 ``(B, P)``, SI units.
        temperature : float, optional
            Degrees Celsius; by default the circuit's.
        override : mapping, optional
            Other parameters of the circuit, such as ``{"VDD": 1.62}``.

        Returns
        -------
        Readings
            ``values`` ``(B, K)``, differentiable, NaN where undefined, and ``status`` ``(B,)``.

        Raises
        ------
        ValueError
            For a wrong shape, or values no element can have. NaN only fails its own design.
        """
        params = self._checked("metrics", "params", params)
        parts = [
            self.bench.read(self.all_parameters(chunk), temperature=temperature, override=override)
            for chunk in torch.split(params, CHUNK)
        ]
        if len(parts) == 1:
            return parts[0]
        return Readings(torch.cat([p.values for p in parts]), torch.cat([p.status for p in parts]))

    def fom(self, metrics: Any) -> Tensor:
        """Score what :meth:`metrics` gave: float64 ``(B,)``, differentiable."""
        return self.merit.score(metrics.values, metrics.status, self.metric_names)

    def evaluate_units(self, units: Tensor) -> Evaluation:
        """Simulate ``(B, P)`` unit coordinates, rounded: one simulation each."""
        with torch.no_grad():
            params = self.unit_to_parameters(units)
            found = self.metrics(params)
            return Evaluation(self.fom(found), found.values, params, found.status)

    def gradient_units(self, units: Tensor) -> tuple[Evaluation, Tensor]:
        """As :meth:`evaluate_units`, with the slope of the figure of merit.

        Returns
        -------
        Evaluation
        Tensor
            float64 ``(B, P)``, to the unit coordinates; rounding counts as the identity. 0 where
            the design failed.
        """
        foms, slopes, parts = [], [], []
        for chunk in torch.split(units.detach(), CHUNK):
            with torch.enable_grad():
                leaf = chunk.to(torch.float64).clone().requires_grad_(True)
                params = self.unit_to_parameters(leaf)
                found = self.metrics(params)
                fom = self.fom(found)
                (slope,) = torch.autograd.grad(fom.sum(), leaf)
            foms.append(fom.detach())
            slopes.append(slope)
            parts.append((found.values.detach(), params.detach(), found.status))
        values, params, status = (torch.cat(list(x)) for x in zip(*parts, strict=True))
        return Evaluation(torch.cat(foms), values, params, status), torch.cat(slopes)

    def everything(self, params: Tensor) -> dict[str, Tensor]:
        """``(B, P)`` values by name, as the circuit's ``simulate`` and ``to_spice`` take them."""
        params = self._checked("everything", "params", params)
        return {name: params[:, k] for k, name in enumerate(self.parameter_names)}

    def all_parameters(self, params: Tensor) -> Tensor:
        """``(B, P)`` sized values to all parameters of the circuit, ``(P', B)``."""
        full = self._defaults[:, None].expand(-1, len(params))
        return full.index_copy(0, self._sized, params.t())

    def _checked(self, where: str, name: str, value: Tensor) -> Tensor:
        if not isinstance(value, Tensor):
            raise TypeError(f"{where}: {name} is {type(value).__name__}; expected a tensor")
        if value.dim() != 2 or value.shape[1] != self.n_parameters:
            raise ValueError(
                f"{where}: {name} has shape {tuple(value.shape)}; expected (B, {self.n_parameters})"
            )
        return value.to(torch.float64)


def sizing_problem(
    name: str, node: str | None = None, *, index: Index = "one-hot", calibrated: bool = True
) -> SizingProblem:
    """Build a problem with the calibration that came with the package.

    Parameters
    ----------
    name : str
        A design; see :func:`circuits.analog.designs.design`.
    node : str, optional
        By default the one its human point comes from.
    index : {"one-hot", "scalar"}
        A scalar index makes the states of all circuits equally wide.
    calibrated : bool
        False leaves the figure of merit out.

    Raises
    ------
    ValueError
        For an unknown design or node.
    """
    made = make_design(name, node)
    calibration = load_calibration(made.name, made.node) if calibrated else None
    return SizingProblem(made, calibration, index=index)
