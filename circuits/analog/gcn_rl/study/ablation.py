# SPDX-License-Identifier: Apache-2.0
"""What depth, a skip connection and pair normalisation do to the agents.

A graph convolution averages over neighbours, and circuits are small: after a few layers all
components may look alike, and a decoder that is shared by type can no longer tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from circuits.analog.gcn_rl.study import problems
from circuits.analog.gcn_rl.study.claims import CIRCUIT_TITLES
from circuits.analog.gcn_rl.study.config import Config
from circuits.analog.gcn_rl.study.statistics import quartiles
from circuits.analog.gcn_rl.study.summary import finite
from circuits.analog.gcn_rl.trace import Trace
from workbench.experiments import Column, Table

__all__ = ["VARIANTS", "ablation_methods", "ablation_rows", "ablation_table"]

_AGENTS = ("gcn-rl", "ng-rl", "gcn-path")
#: What is added to the plain layers: an option of the agent, and its title.
VARIANTS = {"": "plain", "skip=true": "skip connection", "norm=pair": "pair norm"}


def ablation_methods(config: Config) -> list[str]:
    """Every agent at every depth in every variant."""
    return [
        f"{agent}:depth={depth}" + (f",{variant}" if variant else "")
        for agent in _AGENTS
        for depth in config.ablation_depths
        for variant in VARIANTS
    ]


def ablation_rows(
    config: Config, circuit: str, traces: Mapping[tuple[str, int], Sequence[Trace]]
) -> list[dict[str, Any]]:
    """Per agent and depth: the figures by variant, and how far apart the layers leave vertices.

    ``spread`` is of untrained actors, relative to the first layer's, after the last layer; median
    over the seeds. Without a graph it falls too: one layer squeezes all vertices alike.
    """
    node, budget = config.node_of(circuit), config.ablation_budget
    rows = []
    for agent in _AGENTS:
        for depth in config.ablation_depths:
            foms, spreads = {}, {}
            for variant in VARIANTS:
                method = f"{agent}:depth={depth}" + (f",{variant}" if variant else "")
                values = [finite(t.at(budget)) for t in traces[method, budget]]
                foms[variant or "plain"] = {"foms": values, "quartiles": quartiles(values)}
                spreads[variant or "plain"] = _spread(config, circuit, node, method)
            rows.append({"agent": agent, "depth": depth, "variants": foms, "spread": spreads})
    return rows


def _spread(config: Config, circuit: str, node: str, method: str) -> float:
    import torch

    from circuits.analog.gcn_rl.agent import Actor, spread_by_layer
    from circuits.analog.gcn_rl.exploration import streams
    from circuits.analog.gcn_rl.gcn import Graph
    from circuits.analog.gcn_rl.settings import AgentSettings

    found, options = problems.read_method(method)
    settings = AgentSettings(**{**(found.settings or {}), **options})
    problem = problems.problem_of(circuit, node)
    actor = Actor(
        streams(config.seed_numbers, 1), problem.features.shape[1], settings, torch.float64
    )
    graph = Graph.of(problem, graph=settings.graph, dtype=torch.float64)
    layers = spread_by_layer(actor, graph)
    return float((layers[-1] / layers[0]).median())


def ablation_table(found: Mapping[str, Any]) -> Table:
    """The table of :func:`ablation_rows`, circuits side by side."""
    circuits = found["circuits"]
    columns = [Column("agent"), Column("layers")]
    for own in circuits:
        title = CIRCUIT_TITLES.get(own["circuit"], own["circuit"])
        columns += [Column(f"{title}: {name}", ".3f", best="max") for name in VARIANTS.values()]
        columns += [Column(f"{title}: spread", ".2f"), Column("with pair norm", ".2f")]
    rows: list[list[Any]] = []
    for k, first in enumerate(circuits[0]["rows"]):
        cells: list[Any] = [problems.method_title(first["agent"]), first["depth"]]
        for own in circuits:
            row = own["rows"][k]
            cells += [row["variants"][v or "plain"]["quartiles"][1] for v in VARIANTS]
            cells += [row["spread"]["plain"], row["spread"]["norm=pair"]]
        rows.append(cells)
    return Table(
        columns,
        rows,
        caption=(
            f"Median of the best figure of merit after {found['budget']:,} simulations, "
            f"{found['seeds']} seeds. Spread: of the vertices of an untrained actor after its last "
            "layer, relative to after its first; at 0 they all look alike."
        ),
    )
