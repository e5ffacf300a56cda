# SPDX-License-Identifier: Apache-2.0
"""Snapshots of IBM machines by name, from ``qiskit_ibm_runtime.fake_provider``."""

from __future__ import annotations

import functools
import inspect
import threading
from types import ModuleType
from typing import TYPE_CHECKING, cast

from workbench.distribution import MissingExtraError

if TYPE_CHECKING:
    from qiskit.providers import BackendV2

__all__ = ["device", "devices"]


def _fake_provider() -> ModuleType:
    try:
        from qiskit_ibm_runtime import fake_provider
    except ImportError as error:
        raise MissingExtraError("device snapshots need qiskit-ibm-runtime", "quantum") from error
    return cast(ModuleType, fake_provider)


@functools.cache
def _classes() -> dict[str, type[BackendV2]]:
    provider = _fake_provider()  # first: it says what to install

    from qiskit.providers import BackendV2

    return {
        name: member
        for name, member in inspect.getmembers(provider, inspect.isclass)
        if name.startswith("Fake") and issubclass(member, BackendV2)
    }


_LOCK = threading.Lock()
_MADE: dict[str, BackendV2] = {}


def devices() -> tuple[str, ...]:
    """Class names of all device snapshots, such as ``"FakeQuitoV2"``, sorted."""
    return tuple(sorted(_classes()))


def _bare(name: str) -> str:
    """``FakeQuitoV2``, ``fake_quito_v2``, ``fake_quito`` and ``quito`` are one device."""
    return name.lower().replace("_", "").replace("-", "").removeprefix("fake").removesuffix("v2")


def device(name: str) -> BackendV2:
    """The snapshot of a device.

    Parameters
    ----------
    name : str
        Class name (``"FakeQuitoV2"``) or short name (``"quito"``, ``"fake_quito"``).

    Returns
    -------
    BackendV2
        The same object for the same name, so that what is derived from it (its noise model, its
        pass managers) is kept with it. Whoever changes its target changes it for all; a device
        of one's own to change is ``type(device(name))()``.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the known ones.
    ImportError
        Where qiskit-ibm-runtime is not installed.
    """
    if not isinstance(name, str):
        raise TypeError(f"device: name must be a str, got {type(name).__name__}")
    known = _classes()
    if name not in known:
        matches = [n for n in known if _bare(n) == _bare(name)]
        if len(matches) != 1:
            raise ValueError(f"device: unknown device {name!r}; known are {', '.join(devices())}")
        name = matches[0]
    with _LOCK:
        if name not in _MADE:
            _MADE[name] = known[name]()
        return _MADE[name]
