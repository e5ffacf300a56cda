# SPDX-License-Identifier: Apache-2.0
"""Where to draw the nodes of a small graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["graph_positions"]


def graph_positions(
    n_nodes: int, edges: Sequence[tuple[int, int]], rounds: int = 300
) -> NDArray[np.float64]:
    """Place the nodes of a connected graph so that distances look like path lengths.

    Classical scaling of the path lengths, then stress majorisation (Gansner, Koren and North,
    2004). Returns float64 (n_nodes, 2).
    """
    distance = np.full((n_nodes, n_nodes), np.inf)
    np.fill_diagonal(distance, 0.0)
    for a, b in edges:
        distance[a, b] = distance[b, a] = 1.0
    for k in range(n_nodes):
        distance = np.minimum(distance, distance[:, k : k + 1] + distance[k : k + 1, :])
    # What cannot be reached stands apart.
    distance[np.isinf(distance)] = 1.0 + distance[np.isfinite(distance)].max()
    centred = np.eye(n_nodes) - 1.0 / n_nodes
    values, vectors = np.linalg.eigh(-0.5 * centred @ distance**2 @ centred)
    place = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 1e-3))
    # The sign of an eigenvector is arbitrary; fix it, so that drawings do not depend on LAPACK.
    place = place * np.where(place[np.abs(place).argmax(axis=0), [0, 1]] < 0, -1.0, 1.0)
    weight = np.where(distance > 0, 1.0 / np.maximum(distance, 1.0) ** 2, 0.0)
    laplacian = np.diag(weight.sum(axis=1)) - weight
    inverse = np.linalg.pinv(laplacian)
    for _ in range(rounds):
        apart = np.linalg.norm(place[:, None] - place[None], axis=2)
        pull = np.where(apart > 1e-9, weight * distance / np.maximum(apart, 1e-9), 0.0)
        place = inverse @ ((np.diag(pull.sum(axis=1)) - pull) @ place)
    result: NDArray[np.float64] = place[:, ::-1]
    return result
