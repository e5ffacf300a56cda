# SPDX-License-Identifier: Apache-2.0
"""Every way to size a circuit, by name: one signature, one kind of record."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from circuits.analog.gcn_rl.optional import have
from circuits.analog.gcn_rl.problem import SizingProblem, check_budget, check_seeds
from circuits.analog.gcn_rl.trace import Trace

__all__ = ["METHODS", "Method", "find_method"]

_HERE = "circuits.analog.gcn_rl"


@dataclass(frozen=True)
class Method:
    """A way to size a circuit.

    Attributes
    ----------
    name : str
        As in a table and on the command line.
    summary : str
        One line.
    needs : str
        The extra that carries its packages; empty if there is none.
    packages : tuple of str
        Those packages.
    gradients : bool
        Whether it asks the simulator for gradients.
    """

    name: str
    summary: str
    function: str = field(repr=False)
    needs: str = ""
    packages: tuple[str, ...] = ()
    gradients: bool = False
    settings: Mapping[str, Any] | None = None

    @property
    def agent(self) -> bool:
        """Whether it trains networks, several seeds in one go."""
        return self.settings is not None

    def available(self) -> bool:
        """Whether its packages are installed."""
        return all(have(package) for package in self.packages)

    def run(self, problem: SizingProblem, budget: float, seed: int, **options: Any) -> Trace:
        """Search with one seed.

        Parameters
        ----------
        problem : SizingProblem
        budget : float
            Simulations charged at most.
        seed : int
        **options
            Of the method: fields of :class:`AgentSettings` for an agent, keywords of the
            function for a baseline.
        """
        return self.run_seeds(problem, budget, [seed], **options)[0]

    def run_seeds(
        self, problem: SizingProblem, budget: float, seeds: Sequence[int], **options: Any
    ) -> list[Trace]:
        """Search with several seeds: as :meth:`run` with each, agents in one go."""
        check_budget(budget)
        found = check_seeds(seeds)
        module, _, name = self.function.partition(":")
        function: Callable[..., Any] = getattr(importlib.import_module(f"{_HERE}.{module}"), name)
        if self.settings is None:
            return [function(problem, budget, seed, **options) for seed in found]
        from circuits.analog.gcn_rl.settings import AgentSettings

        passed = {k: options.pop(k) for k in ("policy", "board", "dtype") if k in options}
        settings = AgentSettings(**{**self.settings, **options})
        traces: list[Trace] = function(
            problem, budget, found, settings, method=self.name, **passed
        )[0]
        return traces


def _agent(name: str, summary: str, **settings: Any) -> Method:
    gradients = settings.get("mode", "critic") != "critic"
    return Method(
        name, summary, "training:train", gradients=gradients, settings=MappingProxyType(settings)
    )


def _baseline(
    name: str, summary: str, function: str, *packages: str, gradients: bool = False
) -> Method:
    return Method(
        name,
        summary,
        f"baselines.{function}",
        needs="sizing" if packages else "",
        packages=packages,
        gradients=gradients,
    )


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            _baseline("human", "the designer's point, simulated once", "sampling:human"),
            _baseline("random", "independent random designs", "sampling:uniform"),
            _baseline("sobol", "a scrambled Sobol sequence", "sampling:sobol"),
            _baseline("es", "CMA-ES, 32 designs a generation", "evolution:evolution", "cma"),
            _baseline(
                "es-best",
                "CMA-ES, 12 a generation, from the best of 100 random designs",
                "evolution:evolution_from_best",
                "cma",
            ),
            _baseline(
                "bo", "Gaussian process, expected improvement", "bayesian:bayesian", "botorch"
            ),
            _baseline(
                "mace",
                "Gaussian process, front of three acquisitions",
                "mace:mace",
                "botorch",
                "pymoo",
            ),
            _baseline(
                "gradient",
                "L-BFGS-B from spread starts",
                "gradient:gradient",
                "scipy",
                gradients=True,
            ),
            _baseline(
                "gradient+es",
                "L-BFGS-B from spread starts, then CMA-ES",
                "gradient:gradient_then_evolution",
                "cma",
                "scipy",
                gradients=True,
            ),
            _baseline(
                "sqp",
                "quadratic programming on the parts of the figure of merit",
                "composite.search:composite",
                "cma",
                "scipy",
                "threadpoolctl",
                gradients=True,
            ),
            _agent("gcn-rl", "the paper's agent"),
            _agent("ng-rl", "the paper's agent without the graph", graph=False),
            _agent("gcn-path", "GCN actor on the simulator's gradient", mode="simulator"),
            _agent(
                "ng-path",
                "actor without the graph on the simulator's gradient",
                mode="simulator",
                graph=False,
            ),
            _agent("gcn-mixed", "GCN actor on critic and simulator's gradient", mode="mixed"),
            _agent(
                "ng-mixed",
                "actor without the graph on critic and simulator's gradient",
                mode="mixed",
                graph=False,
            ),
        )
    }
)


def find_method(name: str) -> Method:
    """Return a method by name; ``ValueError`` with the names there are."""
    if name not in METHODS:
        raise ValueError(f"method: expected one of {', '.join(METHODS)}, got {name!r}")
    return METHODS[name]
