# SPDX-License-Identifier: Apache-2.0
"""Packages of the extra ``sizing``, found when they are first needed."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from workbench.distribution import MissingExtraError

__all__ = ["have", "need"]


def have(package: str) -> bool:
    """Whether ``package`` is installed, without importing it."""
    return importlib.util.find_spec(package) is not None


def need(module: str, why: str) -> Any:
    """Import ``module``, or say which command installs it.

    Raises
    ------
    MissingExtraError
        With the command, if the module's package is not installed.
    """
    package = module.partition(".")[0]
    if not have(package):
        raise MissingExtraError(f"{why} needs {package}, which is not installed", "sizing")
    return importlib.import_module(module)
