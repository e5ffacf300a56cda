# SPDX-License-Identifier: Apache-2.0
"""Finding what installed packages announce through entry points."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import Any

from workbench.distribution import foreign_siblings
from workbench.experiments.experiment import Experiment
from workbench.experiments.suggestion import closest

EXPERIMENTS = "workbench.experiments"


@dataclass(frozen=True)
class Plugin:
    """One entry point: the object it names, or why that could not be had."""

    name: str
    origin: str
    """``distribution version``, or the empty string where it is unknown."""
    target: str
    """``module:attribute``."""
    value: Any = None
    error: str | None = None


def plugins(group: str) -> list[Plugin]:
    """Load every entry point of ``group``, sorted by name.

    An entry point that fails to load, for whatever reason, is returned with its error; it never
    keeps the others from loading. Of two with one name the second is returned as an error.
    """
    found: list[Plugin] = []
    taken: dict[str, str] = {}
    for point in sorted(metadata.entry_points(group=group), key=lambda p: (p.name, p.value)):
        # EntryPoint.dist is typed as possibly absent: entry points can be made by hand.
        origin = f"{point.dist.name} {point.dist.version}" if point.dist is not None else ""
        if taken.get(point.name) == point.value:
            continue  # the same distribution found twice: on two paths, or under its former name
        if point.name in taken:
            error = f"the name is already taken by {taken[point.name]}"
            found.append(Plugin(point.name, origin, point.value, error=error))
            continue
        taken[point.name] = point.value
        try:
            value = point.load()
        except (Exception, SystemExit) as failure:
            error = f"{type(failure).__name__}: {failure}"
            if isinstance(failure, ImportError) and (foreign := foreign_siblings()):
                error += f" ({'; '.join(foreign)})"
            found.append(Plugin(point.name, origin, point.value, error=error))
        else:
            found.append(Plugin(point.name, origin, point.value, value))
    return found


def find_experiments() -> list[Plugin]:
    """Return every announced experiment; the broken ones carry their error."""
    checked = []
    for plugin in plugins(EXPERIMENTS):
        error = plugin.error or _objection(plugin)
        value = None if error else plugin.value
        checked.append(Plugin(plugin.name, plugin.origin, plugin.target, value, error))
    return checked


def find_experiment(name: str) -> Experiment[Any]:
    """Return the experiment called ``name``.

    Raises
    ------
    LookupError
        If there is none, naming what exists and the closest match; or if it is broken.
    """
    found = {plugin.name: plugin for plugin in find_experiments()}
    if name not in found:
        known = ", ".join(found) if found else "none; is the package installed?"
        raise LookupError(
            f"unknown experiment {name!r}{closest(name, list(found))} (there are: {known})"
        )
    plugin = found[name]
    if plugin.error is not None:
        raise LookupError(f"experiment {name!r} ({plugin.target}) is broken: {plugin.error}")
    experiment: Experiment[Any] = plugin.value
    return experiment


def _objection(plugin: Plugin) -> str | None:
    if not isinstance(plugin.value, Experiment):
        return f"{plugin.target} is a {type(plugin.value).__name__}, not an Experiment"
    if plugin.value.name != plugin.name:
        return f"{plugin.target} calls itself {plugin.value.name!r}"
    return None
