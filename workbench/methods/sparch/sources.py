# SPDX-License-Identifier: Apache-2.0
"""Matrices by name: generated look-alikes, the catalogue, and files."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench import matrices
from workbench.matrices import DATA_VARIABLE, GENERATORS, available, load_matrix
from workbench.methods.sparch.config import Config
from workbench.methods.sparch.paper import MATRICES

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["SUITES", "Source", "resolve", "rmat"]


@dataclass(frozen=True)
class Source:
    """A matrix that can be had."""

    name: str
    origin: str
    load: Callable[[], csr_array]


def rmat(scale: int, edge_factor: int, seed: int) -> csr_array:
    """Draw an rMAT graph and number its vertices at random.

    As drawn, the hubs have the lowest numbers, which stored graphs do not have; natural-order
    schedules and buffers would see an order that is an artefact of the generator.
    """
    graph = matrices.rmat(scale, edge_factor, seed=seed)
    place = np.random.default_rng(seed).permutation(graph.shape[0])
    return graph[place][:, place]


_GENERATED: dict[str, tuple[Callable[..., Any], dict[str, int]]] = {
    "rmat-s12-ef8": (rmat, {"scale": 12, "edge_factor": 8}),
    "rmat-s13-ef8": (rmat, {"scale": 13, "edge_factor": 8}),
    "rmat-s14-ef4": (rmat, {"scale": 14, "edge_factor": 4}),
    "power-law-8k": (matrices.power_law, {"n": 8192, "degree": 12}),
    "random-16k": (matrices.erdos_renyi, {"n": 16384, "degree": 8}),
    "delaunay-64k": (matrices.delaunay, {"n": 65536}),
    "road-64k": (matrices.road_lattice, {"side": 256}),
    "poisson2d-40k": (matrices.poisson2d, {"side": 200}),
    "poisson3d-32k": (matrices.poisson3d, {"side": 32}),
    "fem27-14k": (matrices.fem27, {"side": 24}),
    "rmat-s9": (rmat, {"scale": 9, "edge_factor": 8}),
    "power-law-600": (matrices.power_law, {"n": 600, "degree": 8}),
    "poisson2d-900": (matrices.poisson2d, {"side": 30}),
    "fem27-1k": (matrices.fem27, {"side": 10}),
}

#: Counterparts of the kinds of matrices the paper has: web and social graphs, a graph without
#: structure, a triangulation, roads, and stencils in two and three dimensions.
SUITES: dict[str, tuple[str, ...]] = {
    "look-alikes": tuple(_GENERATED)[:10],
    "small": tuple(_GENERATED)[10:],
}
_STORED = ("real", "paper")
_PLACES = ("../shared/data", "shared/data")


def resolve(config: Config) -> list[Source]:
    """Return the matrices a config asks for, in its order, each once; nothing is loaded.

    Raises
    ------
    ValueError
        Naming what is unknown and listing what there is.
    """
    from workbench.experiments.suggestion import closest

    if config.seed < 0:
        raise ValueError(f"seed is {config.seed}; expected 0 or more")
    folder = _folder(config)
    stored = available(folder) if folder else []
    found: dict[str, Source] = {}
    for name in config.matrix:
        if name in _GENERATED or name in GENERATORS:
            found[name] = _generated(name, config.seed)
        elif name in stored or Path(name).expanduser().is_file():
            found[name] = _stored(name, folder)
        else:
            generated = [*_GENERATED, *GENERATORS]
            raise ValueError(
                f"unknown matrix {name!r}{closest(name, [*generated, *stored])} "
                f"(generated: {', '.join(generated)}; in {folder or 'no data folder'}: "
                f"{', '.join(stored) or 'none'}; or give a path)"
            )
    suite = config.suite or ("" if config.matrix else "look-alikes")
    if suite in SUITES:
        found.update({name: _generated(name, config.seed) for name in SUITES[suite]})
    elif suite in _STORED:
        names = stored if suite == "real" else [name for name in MATRICES if name in stored]
        if not names:
            raise ValueError(
                f"the suite {suite!r} has no matrices in {folder or 'any data folder'}: give the "
                f"folder with --data or {DATA_VARIABLE} (without data there are the suites "
                f"{', '.join(SUITES)})"
            )
        found.update({name: _stored(name, folder) for name in names})
    elif suite:
        known = [*SUITES, *_STORED]
        raise ValueError(
            f"unknown suite {suite!r}{closest(suite, known)} (there are: {', '.join(known)})"
        )
    return list(found.values())


def _generated(name: str, seed: int) -> Source:
    if name in _GENERATED:
        function, sizes = _GENERATED[name]
    else:
        function, sizes = GENERATORS[name].function, dict(GENERATORS[name].default)
    words = ", ".join(f"{key}={value}" for key, value in sizes.items())
    return Source(
        name, f"{function.__name__}({words}, seed={seed})", lambda: function(**sizes, seed=seed)
    )


def _stored(name: str, folder: str | None) -> Source:
    # The file's name without its folder: where data lie is no part of a result.
    return Source(Path(name).name, "file", lambda: load_matrix(name, folder))


def _folder(config: Config) -> str | None:
    if config.data:
        if not Path(config.data).expanduser().is_dir():
            raise ValueError(f"data is {config.data!r}, which is no folder")
        return config.data
    named = os.environ.get(DATA_VARIABLE)
    if named:
        return named
    return next((place for place in _PLACES if Path(place).is_dir()), None)
