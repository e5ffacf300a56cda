# SPDX-License-Identifier: Apache-2.0
"""Torch operators over the compiled kernels.

Each family is a module of its own: :mod:`workbench.ops.statevector`,
:mod:`workbench.ops.noise`; :mod:`workbench.ops.reference` holds the same functions in plain
torch.
"""

from __future__ import annotations

from typing import Any

__all__ = ["build_info"]


def build_info() -> dict[str, Any]:
    """How the compiled kernels were built and what they run on.

    Returns
    -------
    dict
        ``isa`` in use and ``detected_isa``, ``threads``, ``cuda_built``, ``cuda_devices``,
        ``cuda_device``, ``compiler``, ``build_type``, ``sanitizers``, ``families``; ``poison``, the
        byte that fresh memory is filled with, where the environment variable WB_POISON sets one.

    Raises
    ------
    ImportError
        If the extension is missing, with the command that builds it.
    """
    from workbench.ops._native import kernels

    info = dict(kernels.build_info())
    info["max_isa"] = info["detected_isa"]
    info["families"] = [
        *("statevector", "noise", "spgemm", "sparch", "paths", "spanner", "circuit_sim"),
    ]
    return info
