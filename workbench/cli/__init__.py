# SPDX-License-Identifier: Apache-2.0
"""The command line. Each command is loaded only when it is called.

Exit codes: 0 done, 1 an experiment failed its own check or crashed, 2 wrong usage, 130 interrupted.
Results go to stdout, progress and messages to stderr.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from workbench.cli.manual import COMMANDS

__all__ = ["main"]

OK, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments
        The words after ``workbench``; by default those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except SystemExit as stop:
        # Parsers leave this way after printing their help.
        return stop.code if isinstance(stop.code, int) else OK if stop.code is None else FAILED
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (`| head`) has gone; the interpreter's last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        from workbench.cli.commands import find_commands
        from workbench.cli.manual import page

        further = [
            (c.name, c.value.summary if c.value else f"broken: {c.error}") for c in find_commands()
        ]
        print(page(further), end="")
        return OK
    if words[0] in ("-V", "--version"):
        import workbench

        print(f"workbench {workbench.__version__}")
        return OK
    from workbench.cli.arguments import UsageError

    command, rest = words[0], words[1:]
    try:
        if command not in COMMANDS:
            from workbench.cli.commands import run_command

            return run_command(command, rest)
        module, function = COMMANDS[command]
        code: int = getattr(importlib.import_module(f"workbench.cli.{module}"), function)(rest)
        return code
    except UsageError as error:
        print(f"workbench: {error}", file=sys.stderr)
        return USAGE
    except ValueError as error:
        from workbench.experiments.folder import RunError

        if not isinstance(error, RunError):
            raise
        print(f"workbench: refused: {error}", file=sys.stderr)
        return FAILED
