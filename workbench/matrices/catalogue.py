# SPDX-License-Identifier: Apache-2.0
"""The generated matrices that benchmarks and experiments call by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.matrices import generators

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["GENERATORS", "Generator"]


@dataclass(frozen=True)
class Generator:
    """A generator at a fixed size.

    Attributes
    ----------
    name : str
        Its key in ``GENERATORS``.
    kind : {"irregular", "random", "mesh", "regular"}
        Skewed graphs; uniform random ones; meshes and lattices with a few entries per row;
        bands and finite elements with many.
    function : callable
        One of `workbench.matrices.generators`.
    default, small : mapping
        Its size arguments: as measured, and for tests.
    """

    name: str
    kind: str
    function: Callable[..., Any] = field(repr=False)
    default: Mapping[str, Any]
    small: Mapping[str, Any]

    def __call__(
        self, seed: int = 0, *, small: bool = False, dtype: npt.DTypeLike = np.float32
    ) -> csr_array:
        """Generate the matrix.

        Parameters
        ----------
        seed : int
        small : bool
            A few hundred rows instead of the full size.
        dtype : float32 or float64

        Returns
        -------
        scipy.sparse.csr_array
        """
        return self.function(**(self.small if small else self.default), seed=seed, dtype=dtype)


def _catalogue() -> dict[str, Generator]:
    g = generators
    listed: list[tuple[str, str, Callable[..., Any], dict[str, Any], dict[str, Any]]] = [
        ("rmat-s14", "irregular", g.rmat, {"scale": 14, "edge_factor": 8}, {"scale": 8}),
        ("rmat-s16", "irregular", g.rmat, {"scale": 16, "edge_factor": 8}, {"scale": 9}),
        ("power-law", "irregular", g.power_law, {"n": 2**15, "degree": 5}, {"n": 300}),
        ("er-d8", "random", g.erdos_renyi, {"n": 2**17, "degree": 8}, {"n": 256}),
        ("er-d2", "random", g.erdos_renyi, {"n": 2**20, "degree": 2}, {"n": 512}),
        ("poisson2d", "mesh", g.poisson2d, {"side": 1000}, {"side": 17}),
        ("poisson3d", "mesh", g.poisson3d, {"side": 80}, {"side": 7}),
        ("road", "mesh", g.road_lattice, {"side": 1000}, {"side": 18}),
        ("delaunay", "mesh", g.delaunay, {"n": 2**16}, {"n": 300}),
        ("fem27", "regular", g.fem27, {"side": 40}, {"side": 6}),
        ("banded", "regular", g.banded, {"n": 50000, "half_bandwidth": 32}, {"n": 200}),
    ]
    return {
        name: Generator(
            name, kind, function, MappingProxyType(sizes), MappingProxyType({**sizes, **small})
        )
        for name, kind, function, sizes, small in listed
    }


#: Name to generator: ``GENERATORS["rmat-s14"](seed=3)``.
GENERATORS: Mapping[str, Generator] = MappingProxyType(_catalogue())
