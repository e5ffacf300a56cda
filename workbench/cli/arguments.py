# SPDX-License-Identifier: Apache-2.0
"""Arguments of the small commands, with errors that name the closest option."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

from workbench.experiments.suggestion import closest


class UsageError(Exception):
    """The command was not called as it can be; the message says how."""


class Arguments(argparse.ArgumentParser):
    """A parser that raises :class:`UsageError` instead of leaving the program."""

    def __init__(self, command: str, description: str) -> None:
        super().__init__(prog=f"workbench {command}", description=description, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Raise the message with the usage below it."""
        raise UsageError(f"{self.prog.split()[-1]}: {message}\n{self.format_usage().rstrip()}")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse ``words``; an unknown option is answered with those there are."""
        values, unknown = self.parse_known_args(list(words))
        if unknown:
            options = [name for action in self._actions for name in action.option_strings]
            long_options = [name for name in options if name.startswith("--")]
            hint = closest(unknown[0].split("=")[0], long_options)
            kind = "option" if unknown[0].startswith("-") else "argument"
            self.error(f"unknown {kind} {unknown[0]!r}{hint}")
        return values
