# SPDX-License-Identifier: Apache-2.0
"""Refusing a config before any work."""

from __future__ import annotations

from circuits.analog.gcn_rl.optional import need
from circuits.analog.gcn_rl.study.ablation import ablation_methods
from circuits.analog.gcn_rl.study.config import Config, reduced
from circuits.analog.gcn_rl.study.problems import read_method, read_route
from workbench.distribution import MissingExtraError

__all__ = ["check_config", "check_methods", "check_place"]


def check_config(config: Config) -> None:
    """Raise ValueError or ImportError for a config that cannot be run; see `experiment.check`."""
    config = reduced(config)
    # Without it the last bits of a result would depend on the threads of LAPACK.
    need("threadpoolctl", "gcn-rl")
    if config.does("search"):
        check_methods("methods", config.methods)
        for circuit in config.circuits:
            check_place("circuits", circuit, config.node_of(circuit))
    if config.does("l2dc"):
        check_methods("l2dc_methods", config.l2dc_methods)
        check_place("three_tia_node", "three_tia", config.three_tia_node)
    if config.does("ablation"):
        check_methods("ablation_depths", tuple(ablation_methods(config)))
        for circuit in config.ablation_circuits:
            check_place("ablation_circuits", circuit, config.node_of(circuit))
    if config.does("transfer"):
        for text in config.routes:
            for circuit, node in read_route(text):
                check_place("routes", circuit, node)
        check_methods("transfer", ("es-best", "gradient"))


def check_methods(where: str, methods: tuple[str, ...]) -> None:
    """Refuse unknown methods, unknown options, and packages that are missing."""
    for text in methods:
        try:
            method, _ = read_method(text)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{where}: {error}") from error
        if not method.available():
            packages = " and ".join(method.packages)
            raise MissingExtraError(f"{where}: {method.name} needs {packages}", "sizing")


def check_place(where: str, circuit: str, node: str) -> None:
    """Refuse a circuit or a node there is not."""
    from circuits.analog.designs.registry import design
    from circuits.analog.sizing.calibration import load_calibration

    try:
        design(circuit, node)
        load_calibration(circuit, node)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
