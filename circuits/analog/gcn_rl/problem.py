# SPDX-License-Identifier: Apache-2.0
"""What the agents and the baselines ask of a sizing problem, and nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, runtime_checkable

import torch

__all__ = [
    "TYPES",
    "EvaluationLike",
    "MetricsLike",
    "SizingProblem",
    "VertexLike",
    "VertexType",
    "check_budget",
    "check_seeds",
    "check_units",
]

VertexType = Literal["nmos", "pmos", "r", "c"]
TYPES: tuple[VertexType, ...] = ("nmos", "pmos", "r", "c")


class VertexLike(Protocol):
    """A component of the circuit."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...


class MetricsLike(Protocol):
    """Metrics of ``B`` designs: ``values`` (B, K) float64, NaN where undefined; ``status`` (B,)."""

    @property
    def values(self) -> torch.Tensor: ...
    @property
    def status(self) -> torch.Tensor: ...


class EvaluationLike(Protocol):
    """``B`` designs simulated: ``fom`` (B,), ``metrics`` (B, K), ``params`` (B, P), ``status``."""

    @property
    def fom(self) -> torch.Tensor: ...
    @property
    def metrics(self) -> torch.Tensor: ...
    @property
    def params(self) -> torch.Tensor: ...
    @property
    def status(self) -> torch.Tensor: ...


@runtime_checkable
class SizingProblem(Protocol):
    """A circuit, its sized parameters and a figure of merit.

    ``V`` vertices, ``P`` sized parameters, ``K`` metrics, ``B`` designs at once. Unit
    coordinates are parameters mapped to [-1, 1], logarithmically where ``log`` says so.

    Attributes
    ----------
    name, node : str
        The circuit and the technology.
    vertices : sequence of vertices
        ``.name`` and ``.type``, the type one of ``"nmos" "pmos" "r" "c"``.
    adjacency : Tensor
        (V, V) float64, 0 or 1, symmetric, zero diagonal.
    features : Tensor
        (V, n_features) float64, the standardised state.
    slot_parameter : Tensor
        (V, 3) int64, the parameter an action of a vertex sets, -1 for none. A parameter
        named more than once takes the mean of its actions.
    low, high, log, integer, grid : Tensor
        (P,) bounds, log-scaled or not, whole-numbered or not, and grid (0 for none).
    human : Tensor
        (P,), a designer's values; they may lie outside of the bounds.
    metric_names, metric_signs : sequences
        K names, and +1 where bigger is better, -1 where smaller is.
    """

    @property
    def name(self) -> str: ...
    @property
    def node(self) -> str: ...
    @property
    def vertices(self) -> Sequence[VertexLike]: ...
    @property
    def adjacency(self) -> torch.Tensor: ...
    @property
    def features(self) -> torch.Tensor: ...
    @property
    def slot_parameter(self) -> torch.Tensor: ...
    @property
    def n_parameters(self) -> int: ...
    @property
    def parameter_names(self) -> Sequence[str]: ...
    @property
    def low(self) -> torch.Tensor: ...
    @property
    def high(self) -> torch.Tensor: ...
    @property
    def log(self) -> torch.Tensor: ...
    @property
    def integer(self) -> torch.Tensor: ...
    @property
    def grid(self) -> torch.Tensor: ...
    @property
    def human(self) -> torch.Tensor: ...
    @property
    def metric_names(self) -> Sequence[str]: ...
    @property
    def metric_signs(self) -> Any: ...

    def to_parameters(self, actions: torch.Tensor) -> torch.Tensor:
        """(B, V, 3) actions in [-1, 1] to (B, P) rounded values."""
        ...

    def unit_to_parameters(self, units: torch.Tensor, rounded: bool = True) -> torch.Tensor:
        """(B, P) unit coordinates to values."""
        ...

    def parameters_to_unit(self, params: torch.Tensor) -> torch.Tensor:
        """(B, P) values to unit coordinates."""
        ...

    def metrics(self, params: torch.Tensor) -> MetricsLike:
        """Simulate (B, P) values; differentiable."""
        ...

    def fom(self, metrics: Any) -> torch.Tensor:
        """Score what :meth:`metrics` gave: (B,), differentiable."""
        ...

    def evaluate_units(self, units: torch.Tensor) -> EvaluationLike:
        """Simulate (B, P) unit coordinates, rounded; one simulation each."""
        ...

    def gradient_units(self, units: torch.Tensor) -> tuple[EvaluationLike, torch.Tensor]:
        """As :meth:`evaluate_units`, with (B, P) the slope of the figure of merit."""
        ...


def check_budget(budget: float) -> float:
    """Return ``budget`` as a float; a ``ValueError`` unless it is a number of at least 1."""
    if isinstance(budget, bool) or not isinstance(budget, int | float):
        raise TypeError(f"budget: expected a number of simulations, got {budget!r}")
    if not 1 <= budget < float("inf"):
        raise ValueError(f"budget: expected at least 1 simulation, got {budget!r}")
    return float(budget)


def check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    """Return ``seeds`` as a tuple; an error unless they are distinct non-negative integers."""
    found = tuple(seeds)
    for seed in found:
        if isinstance(seed, bool) or not isinstance(seed, int):
            raise TypeError(f"seeds: expected integers, got {seed!r}")
        if not 0 <= seed < 2**31:
            raise ValueError(f"seeds: expected 0 to 2**31 - 1, got {seed}")
    if not found:
        raise ValueError("seeds: expected at least one")
    if len(set(found)) != len(found):
        raise ValueError(f"seeds: expected distinct ones, got {list(found)}")
    return found


def check_units(problem: SizingProblem, name: str, units: Any) -> torch.Tensor:
    """Return ``units`` as float64, clipped to [-1, 1]; an error unless it is (P,) and finite."""
    found = torch.as_tensor(units, dtype=torch.float64).detach()
    if found.shape != (problem.n_parameters,):
        raise ValueError(
            f"{name}: expected ({problem.n_parameters},) unit coordinates, got {tuple(found.shape)}"
        )
    if not bool(torch.isfinite(found).all()):
        raise ValueError(f"{name}: expected finite numbers, got {found.tolist()}")
    return found.clamp(-1.0, 1.0)
