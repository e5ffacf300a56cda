# SPDX-License-Identifier: Apache-2.0
"""A run on disk, as one reads it: where runs lie, what state they are in, what they hold."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.experiments import lock
from workbench.experiments.config import run_id
from workbench.storage.texts import parse_json

FORMAT = 1
ID_LENGTH = 12
CONFIG, ENVIRONMENT, METRICS = "config.json", "env.json", "metrics.jsonl"
RESULT, TIMING, REPORT = "result.json", "timing.json", "report.html"
STEPS, CHECKPOINTS = "steps", "checkpoints"
SET_ASIDE = "~"


class RunError(ValueError):
    """A run folder cannot be used as it is; the message is the reason. Nothing was changed."""


class StoredRun:
    """A run folder, read only.

    Parameters
    ----------
    path
        The folder ``runs/<experiment>/<id12>``.

    Attributes
    ----------
    path : pathlib.Path
    experiment : str
    version : int
        The experiment's version when the run was made.
    id : str
        64 hexadecimal digits.
    config : dict
        The config as plain JSON values.

    Raises
    ------
    RunError
        If the folder holds no run, one of another format version, or a damaged one.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        description = read_json(self.path / CONFIG, "config")
        try:
            self.experiment = str(description["experiment"])
            self.version = int(description["version"])
            self.config: dict[str, Any] = dict(description["config"])
            self.id = str(description["id"])
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{self.path / CONFIG} is damaged: {error!r}") from error
        if self.id != run_id(self.experiment, self.version, self.config):
            raise RunError(
                f"{self.path / CONFIG} was changed after the run began: it no longer has the id "
                f"{self.id[:ID_LENGTH]}; to run a changed config use `workbench run "
                f"{self.experiment} --config FILE`"
            )

    @property
    def state(self) -> str:
        """``"finished"``, ``"running"`` or ``"interrupted"``."""
        if (self.path / RESULT).exists():
            return "finished"
        return "running" if lock.owner(self.path) is not None else "interrupted"

    def result(self) -> dict[str, Any]:
        """Return the stored result.

        Raises
        ------
        RunError
            If the run is not finished or ``result.json`` is damaged.
        """
        if not (self.path / RESULT).exists():
            raise RunError(
                f"{self.path} is not finished; `workbench resume {self.path}` goes on with it"
            )
        stored = read_json(self.path / RESULT, "result")
        if stored.get("id") != self.id or not isinstance(stored.get("result"), dict):
            raise RunError(f"{self.path / RESULT} is damaged: it belongs to another run")
        result: dict[str, Any] = stored["result"]
        return result

    def timing(self) -> dict[str, Any]:
        """Return ``total`` wall-clock seconds, ``sessions``, ``seconds`` and ``steps`` by key."""
        empty = {"total": 0.0, "sessions": 0, "seconds": {}, "steps": {}}
        if not (self.path / TIMING).exists():
            return empty
        stored = read_json(self.path / TIMING, "timing")
        del stored["format"]
        return {**empty, **stored}

    def environment(self) -> list[dict[str, Any]]:
        """Return the environment of every session that worked on this run, oldest first."""
        if not (self.path / ENVIRONMENT).exists():
            return []
        sessions: list[dict[str, Any]] = read_json(self.path / ENVIRONMENT, "env")["sessions"]
        return sessions

    def found(self) -> dict[str, Any]:
        """Return what the first session found on its machine; see :meth:`Run.find`."""
        if not (self.path / ENVIRONMENT).exists():
            return {}
        return dict(read_json(self.path / ENVIRONMENT, "env").get("found", {}))

    def metrics(self) -> list[dict[str, Any]]:
        """Return the records of ``metrics.jsonl``; a torn last line is left out."""
        return [json.loads(line) for line in read_lines(self.path / METRICS)]


def run_path(runs: Path | str, experiment: str, identity: str) -> Path:
    """Return the folder of the run with id ``identity``."""
    return Path(runs) / experiment / identity[:ID_LENGTH]


def run_folders(runs: Path | str) -> Iterator[Path]:
    """Yield every run folder below ``runs``, by experiment and id, without those set aside."""
    root = Path(runs)
    if not root.is_dir():
        return
    for experiment in sorted(path for path in root.iterdir() if path.is_dir()):
        for folder in sorted(path for path in experiment.iterdir() if path.is_dir()):
            if SET_ASIDE not in folder.name and not folder.name.startswith("."):
                yield folder


def find_run(runs: Path | str, name: str) -> Path:
    """Return the run folder meant by ``name``: a path, or the beginning of an id.

    Raises
    ------
    LookupError
        If there is none, or more than one, naming what exists.
    """
    if (Path(name) / CONFIG).is_file():
        return Path(name)
    # `experiment/id` as `workbench runs` prints it works from any folder.
    if "/" in name and (Path(runs) / name / CONFIG).is_file():
        return Path(runs) / name
    folders = list(run_folders(runs))
    matches = [path for path in folders if name and path.name.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        listed = ", ".join(f"{path.parent.name}/{path.name}" for path in matches)
        raise LookupError(f"{name!r} begins the id of {len(matches)} runs: {listed}")
    known = ", ".join(f"{path.parent.name}/{path.name}" for path in folders[:20])
    more = f" and {len(folders) - 20} more" if len(folders) > 20 else ""
    raise LookupError(
        f"no run {name!r} under {runs} ("
        + (
            f"there are: {known}{more}"
            if folders
            else "there are none yet; --runs names another folder"
        )
        + ")"
    )


def read_json(path: Path, role: str) -> dict[str, Any]:
    """Read one of the run's JSON files, refusing other formats and damage."""
    try:
        data = parse_json(path.read_bytes())
    except FileNotFoundError:
        raise RunError(f"{path.parent} is no run folder: it holds no {path.name}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is truncated or damaged: {error}") from error
    if not isinstance(data, dict) or "format" not in data:
        raise RunError(f"{path} is no {role} of a run: it names no format")
    if data["format"] != FORMAT:
        raise RunError(
            f"{path} has format {data['format']!r}; this version of workbench reads format {FORMAT}"
        )
    return data


def read_lines(path: Path) -> list[bytes]:
    """Return the whole lines of a JSONL file, with their line ends.

    Raises
    ------
    RunError
        If a line other than the last is no JSON object.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    lines = content.splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n") or not _is_object(line):
            if number == len(lines):
                return lines[:-1]
            raise RunError(f"{path} is damaged: line {number} is no JSON object")
    return lines


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(parse_json(line), dict)
    except ValueError:
        return False
