# SPDX-License-Identifier: Apache-2.0
"""``workbench run``, ``resume`` and ``report``."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from workbench.cli.arguments import Arguments, UsageError
from workbench.experiments.config import config_from_json, option_names
from workbench.experiments.discovery import find_experiment, find_experiments
from workbench.experiments.experiment import Experiment
from workbench.experiments.folder import RunError, StoredRun, find_run
from workbench.storage.texts import parse_json

_OK, _FAILED, _INTERRUPTED = 0, 1, 130

_RUN_HELP = """\
usage: workbench run NAME [--options] [--config FILE.json] [--force] [--runs DIR]

Run an experiment, go on with it if it was interrupted, or print its result if it is finished.

  --config FILE   start from the options in this JSON file (a run's config.json will do);
                  options on the command line override it
  --force         run again although there is a result; the old folder is set aside
  --runs DIR      keep the run in this folder (default: runs)

workbench run NAME --help shows the options of one experiment. There are:"""

_RUN_OPTIONS = (
    "Also: --config FILE.json (start from stored options), --force (run again), "
    "--runs DIR (where runs are kept; default: runs)."
)


@dataclass
class _RunOptions:
    config: str | None = None
    runs: str = "runs"
    force: bool = False


def run(words: Sequence[str]) -> int:
    """Run an experiment by name."""
    if not words or words[0] in ("-h", "--help"):
        from workbench.cli.listing import print_pairs

        print(_RUN_HELP)
        print_pairs(
            [(plugin.name, plugin.error or plugin.value.summary) for plugin in find_experiments()]
            or [("(none)", "is the package installed? In a checkout: pip install -e .")]
        )
        return _OK if words else 2
    if words[0].startswith("-"):
        raise UsageError(f"run: the experiment's name comes first, got {words[0]!r}")
    experiment = _experiment(words[0])
    options, rest = _split(words[1:])
    config = _parse(experiment, options, rest)
    from workbench.experiments.session import prepare

    try:
        path = prepare(experiment, config, runs=options.runs, force=options.force)
    except RunError:
        raise
    except (ValueError, TypeError, LookupError, ImportError) as error:
        raise UsageError(f"run {experiment.name}: {_words(error)}") from error
    return _work(experiment, path)


def resume(words: Sequence[str]) -> int:
    """Go on with a run."""
    parser = Arguments("resume", "Go on with a run that was interrupted or killed.")
    parser.add_argument("run", metavar="RUN", help="a run folder, or the beginning of its id")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="where runs are kept")
    arguments = parser.read(words)
    path = _found(arguments.runs, arguments.run)
    return _work(_experiment(StoredRun(path).experiment), path)


def report(words: Sequence[str]) -> int:
    """Build the page of a finished run again."""
    parser = Arguments("report", "Build a finished run's report.html again and print its path.")
    parser.add_argument("run", metavar="RUN", help="a run folder, or the beginning of its id")
    parser.add_argument("--runs", default="runs", metavar="DIR", help="where runs are kept")
    parser.add_argument("--open", action="store_true", help="open it in the browser")
    arguments = parser.read(words)
    path = _found(arguments.runs, arguments.run)
    stored = StoredRun(path)
    from workbench.experiments.folder import REPORT
    from workbench.experiments.session import build_report

    build_report(_experiment(stored.experiment), stored)
    print(path / REPORT)
    if arguments.open:
        import webbrowser

        webbrowser.open((path / REPORT).resolve().as_uri())
    return _OK


def _work(experiment: Experiment[Any], path: Path) -> int:
    from workbench.experiments.session import continue_run
    from workbench.experiments.terminal import print_report

    print(f"run {path}", file=sys.stderr)
    try:
        with _terminated_like_interrupted():
            outcome = continue_run(experiment, path)
    except KeyboardInterrupt:
        print(
            f"\ninterrupted; what was done so far is stored. Go on with\n  workbench resume {path}",
            file=sys.stderr,
        )
        return _INTERRUPTED
    except RunError:
        raise
    except Exception:
        traceback.print_exc()
        finished = StoredRun(path).state == "finished"
        print(
            f"\n{experiment.name} has its result, but the report failed; build it again with\n"
            f"  workbench report {path}"
            if finished
            else f"\n{experiment.name} crashed; what was done so far is stored. Go on with\n"
            f"  workbench resume {path}",
            file=sys.stderr,
        )
        return _FAILED
    if not outcome.is_new:
        print("this run is finished; its stored result (--force runs it again):", file=sys.stderr)
    warnings = [*outcome.report.warnings, *outcome.result.get("warnings", [])]
    print_report(outcome.report, warnings, sys.stdout)
    print(f"\nreport: {outcome.page}")
    return _OK if outcome.passed else _FAILED


def _experiment(name: str) -> Experiment[Any]:
    try:
        return find_experiment(name)
    except LookupError as error:
        raise UsageError(_words(error)) from error


def _found(runs: str, name: str) -> Path:
    try:
        return find_run(runs, name)
    except LookupError as error:
        raise UsageError(_words(error)) from error


def _split(words: Sequence[str]) -> tuple[_RunOptions, list[str]]:
    """Take the options of ``run`` itself out of ``words``."""
    options, rest = _RunOptions(), []
    remaining = iter(words)
    for word in remaining:
        name, equals, value = word.partition("=")
        if word == "--force":
            options.force = True
        elif name in ("--config", "--runs"):
            argument = value if equals else next(remaining, None)
            if not argument:
                raise UsageError(f"run: {name} needs a value")
            setattr(options, name[2:], argument)
        else:
            rest.append(word)
    return options, rest


def _parse(experiment: Experiment[Any], options: _RunOptions, words: Sequence[str]) -> Any:
    """Make the config of the file's values and the command line's."""
    import tyro

    default: Any = None if options.config is None else _load(experiment, Path(options.config))
    try:
        return tyro.cli(
            experiment.config,
            prog=f"workbench run {experiment.name}",
            description=f"{experiment.summary}\n\n{_RUN_OPTIONS}",
            args=list(words),
            default=default,
        )
    except (ValueError, TypeError) as error:
        # Raised by a config's own __post_init__.
        raise UsageError(f"run {experiment.name}: {_words(error)}") from error
    except SystemExit as stop:
        # tyro has printed its help, or what is wrong with the closest option.
        if stop.code in (0, None):
            raise
        options_known = ", ".join(option_names(experiment.config))
        raise UsageError(f"run {experiment.name} has the options {options_known}") from stop


def _load(experiment: Experiment[Any], file: Path) -> Any:
    try:
        data = parse_json(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"run: --config {file} cannot be read: {error}") from error
    if isinstance(data, dict) and {"format", "experiment", "config"} <= data.keys():
        if data["experiment"] != experiment.name:
            raise UsageError(
                f"run: --config {file} belongs to {data['experiment']!r}, not {experiment.name!r}"
            )
        data = data["config"]
    try:
        return config_from_json(experiment.config, data)
    except (TypeError, ValueError) as error:
        raise UsageError(f"run: --config {file}: {error}") from error


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, which schedulers send, end the run as Ctrl-C does."""
    owner = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() == owner:
            raise KeyboardInterrupt
        # A forked worker has inherited this handler and dies as it would without it.
        os._exit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _words(error: BaseException) -> str:
    # str(KeyError) would put quotes around its message.
    return str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
