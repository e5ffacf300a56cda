# SPDX-License-Identifier: Apache-2.0
"""Workbench: compiled kernels and the experiments that stand on them.

Importing this package imports nothing heavy: subpackages are loaded on first use, so that
``workbench --help`` answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench import experiments as experiments
    from workbench import hardware as hardware
    from workbench import matrices as matrices
    from workbench import methods as methods
    from workbench import ops as ops
    from workbench import search as search

    __version__: str

__all__ = ["__version__", "experiments", "hardware", "matrices", "methods", "ops", "search"]

_SUBPACKAGES = frozenset({"experiments", "hardware", "matrices", "methods", "ops", "search"})


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from workbench.distribution import version

        return version()
    if name in _SUBPACKAGES:
        import importlib

        return importlib.import_module(f"workbench.{name}")
    raise AttributeError(f"module 'workbench' has no attribute {name!r}")


def _say_foreign_siblings() -> None:
    from workbench.distribution import foreign_siblings

    if sentences := foreign_siblings():
        import warnings

        warnings.warn("; ".join(sentences), RuntimeWarning, stacklevel=3)


_say_foreign_siblings()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
