# SPDX-License-Identifier: Apache-2.0
"""Commands that installed packages add, through the entry-point group ``workbench.commands``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workbench.cli.arguments import UsageError
from workbench.cli.manual import COMMANDS
from workbench.experiments.discovery import Plugin, plugins
from workbench.experiments.suggestion import closest

__all__ = ["GROUP", "Command", "find_commands", "run_command"]

GROUP = "workbench.commands"


@dataclass(frozen=True)
class Command:
    """A command of the command line, announced as ``name = "module:COMMAND"``.

    The module that holds it must import nothing heavy at its top level: ``workbench --help``
    loads every command.

    Parameters
    ----------
    name
        The word after ``workbench``; equal to the entry point's name.
    summary
        One line for ``workbench --help``.
    run
        ``run(words) -> int``: the words after the name to an exit code (0 done, 1 a check
        failed). It prints its own help, and raises :class:`workbench.cli.arguments.UsageError`
        for wrong usage.
    """

    name: str
    summary: str
    run: Callable[[Sequence[str]], int]


def find_commands() -> list[Plugin]:
    """Return every announced command; the broken ones carry their error."""
    checked = []
    for plugin in plugins(GROUP):
        error = plugin.error or _objection(plugin)
        value = None if error else plugin.value
        checked.append(Plugin(plugin.name, plugin.origin, plugin.target, value, error))
    return checked


def run_command(name: str, words: Sequence[str]) -> int:
    """Run the command that a package added as `name`.

    Raises
    ------
    UsageError
        If there is none, naming what exists and the closest match; or if it is broken.
    """
    found = {plugin.name: plugin for plugin in find_commands()}
    if name not in found:
        known = [*COMMANDS, *found]
        raise UsageError(
            f"unknown command {name!r}{closest(name, known)} (there are: {', '.join(known)})"
        )
    plugin = found[name]
    if plugin.error is not None:
        raise UsageError(f"command {name!r} ({plugin.target}) is broken: {plugin.error}")
    command: Command = plugin.value
    return command.run(words)


def _objection(plugin: Plugin) -> str | None:
    if plugin.name in COMMANDS:
        return f"{plugin.target} takes the name of a command of workbench itself"
    if not isinstance(plugin.value, Command):
        return f"{plugin.target} is a {type(plugin.value).__name__}, not a Command"
    if plugin.value.name != plugin.name:
        return f"{plugin.target} calls itself {plugin.value.name!r}"
    return None
