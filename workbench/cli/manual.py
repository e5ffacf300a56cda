# SPDX-License-Identifier: Apache-2.0
"""The page ``workbench --help`` prints, and which module holds each command."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

COMMANDS = {
    "list": ("listing", "list_experiments"),
    "run": ("running", "run"),
    "resume": ("running", "resume"),
    "runs": ("listing", "list_runs"),
    "report": ("running", "report"),
    "info": ("about", "info"),
    "selftest": ("about", "selftest"),
    "bench": ("bench", "bench"),
}

_BEFORE = """\
workbench: quantum circuits, search and compiled kernels

First thing to try
  workbench selftest             does everything work on this machine? (under 20 s)
  workbench list                 which experiments are there?
  workbench run quantumnas       run one; it ends with a table and a report

Commands
  list                           experiments that can be run, and what each shows
  run NAME [--options]           run an experiment, or print its result if it has been run
  run NAME --help                its options, with their meaning and defaults
  resume RUN                     go on with a run that was interrupted or killed
  runs                           runs on disk: finished, interrupted or running
  report RUN [--open]            build a finished run's report.html again, and show it
  info [--short]                 versions, processor and what the kernels were built for
  selftest                       check the kernels and the installation
  bench [NAME]                   time the kernels against other packages (from a checkout)
"""

_AFTER = """
RUN is a folder, or the first characters of a run's id as `workbench runs` prints it.

Examples
  workbench run quantumnas --device FakeQuitoV2 --seeds 3
  workbench run quantumnas --config runs/quantumnas/1f3a5c7e9b2d/config.json --seeds 10
  workbench resume 1f3a
  workbench runs --json

How runs work
  A run lives in runs/NAME/ID, where ID is a hash of its options: the same options are the
  same run. Work is stored as it is done, so after Ctrl-C or a crash `resume` continues and
  gives the same numbers. A finished run is not computed twice; --force does so, and sets
  the old folder aside. --runs DIR keeps runs in another folder.

list, runs and info take --json. Results go to stdout, progress to stderr.
Exit codes: 0 done, 1 a check failed or the experiment crashed, 2 wrong usage, 130 interrupted.
"""


def page(further: Sequence[tuple[str, str]]) -> str:
    """Return the page, given names and summaries of the commands that packages add."""
    lines = []
    for name, summary in further:
        first, *rest = textwrap.wrap(summary, 66) or [""]
        lines.append(f"  {name:<30} {first}")
        lines += [f"{'':33}{line}" for line in rest]
    added = "".join(f"{line}\n" for line in lines)
    return f"{_BEFORE}{added}{_AFTER}"
