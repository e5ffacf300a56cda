# SPDX-License-Identifier: Apache-2.0
"""A run while it is being written: units of work stored once, checkpoints, metrics, timing.

An experiment is an ordinary function that is started again from its first line after a kill. What
makes the second start cheap is :meth:`Run.once`: a unit of work whose value is stored the moment it
is known and read back ever after. Within a long unit, :meth:`Run.checkpoint` and
:meth:`Run.restore` keep the state of a loop.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from workbench.experiments import lock
from workbench.experiments.config import run_id
from workbench.experiments.durable import (
    TEMPORARY_SUFFIX,
    plain_json,
    remove_leftovers,
    write_json_durably,
)
from workbench.experiments.folder import (
    CHECKPOINTS,
    CONFIG,
    ENVIRONMENT,
    FORMAT,
    METRICS,
    RESULT,
    SET_ASIDE,
    STEPS,
    TIMING,
    RunError,
    StoredRun,
    run_path,
)
from workbench.experiments.metrics import MetricsLog
from workbench.experiments.progress import Progress, ProgressBoard
from workbench.experiments.tree import TreeError, load_tree, save_tree

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")

_TIMING_PERIOD_S = 1.0


class Run(StoredRun):
    """A run folder this process writes; a context manager that holds the folder's lock.

    Opening an unfinished run continues it. Use :func:`create_run_folder` first, or
    :func:`workbench.experiments.execute` for the whole of it.

    Raises
    ------
    RunError
        If the folder is damaged or of another format, the run is finished, or another process
        writes it.
    """

    def __init__(self, path: Path | str, board: ProgressBoard | None = None) -> None:
        super().__init__(path)
        holder = lock.take(self.path)
        if holder is not None:
            raise RunError(
                f"{self.path} is being written by process {holder.pid} on {holder.host}; "
                f"if that process is surely gone, delete {self.path / 'lock'}"
            )
        try:
            if (self.path / RESULT).exists():
                raise RunError(f"{self.path} is already finished")
            remove_leftovers(self.path)
            (self.path / STEPS).mkdir(exist_ok=True)
            (self.path / CHECKPOINTS).mkdir(exist_ok=True)
            self._timing = super().timing()
            self._timing["sessions"] += 1
            self._log = MetricsLog(self.path / METRICS)
        except BaseException:
            lock.release(self.path)
            raise
        self._board = board if board is not None else ProgressBoard()
        self._scope: tuple[str, ...] = ()
        self._scope_start = 0
        self._restored_at: dict[Path, int] = {}
        self._touched: dict[tuple[str, ...], Path] = {}
        self._timed_until = self._timing_written = time.perf_counter()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._board.close()
            self._write_timing()
            self._log.close()
        finally:
            lock.release(self.path)

    def log(self, record: Mapping[str, Any]) -> None:
        """Append one record to ``metrics.jsonl``: plain JSON values, no wall-clock time.

        NaN and infinities become null. Records logged inside :meth:`once` are stored with it.
        """
        self._log.append(record)

    def say(self, text: str) -> None:
        """Print a line on stderr, above the progress bar."""
        self._board.say(text)

    def once(self, key: str, compute: Callable[[], T]) -> T:
        """Return ``compute()``, computed in this run no more than once, whatever kills there are.

        Parameters
        ----------
        key
            Names the unit of work within the enclosing one; deterministic.
        compute
            Its value is a checkpoint tree (see :mod:`workbench.experiments.tree`). Units may be
            nested; the inner ones are then kept while the outer is unfinished.

        Returns
        -------
        T
            The value as read back from the file, so that first and later calls agree in type:
            dict subclasses come back as dict, tensors on the CPU and without gradient.

        Raises
        ------
        RunError
            If the stored value is damaged. It is left as it is.
        """
        scope = (*self._scope, _checked_name("once", "key", key))
        path = self._place(STEPS, scope)
        if path.exists():
            stored = self._load(path, scope)
            self._log.replay(stored["metrics"])
            self._board.rebase()
            value: T = stored["value"]
            return value
        outer_scope, outer_start = self._scope, self._scope_start
        self._scope, self._scope_start = scope, len(self._log.lines)
        began = time.perf_counter()
        try:
            computed = compute()
            metrics = self._log.lines[self._scope_start :]
        finally:
            self._scope, self._scope_start = outer_scope, outer_start
        self._store(path, scope, computed, metrics)
        self._timing["steps"]["/".join(scope)] = round(time.perf_counter() - began, 6)
        self._write_timing()
        self._discard_inner(scope)
        value = self._load(path, scope)["value"]
        return value

    def checkpoint(self, name: str, tree: Any) -> None:
        """Store the state of a loop under ``name``, replacing the one before.

        ``name`` belongs to the enclosing :meth:`once`: equal names in different units do not meet.
        What was logged since :meth:`restore` asked for ``name`` is stored along.
        """
        scope = (*self._scope, _checked_name("checkpoint", "name", name))
        path = self._place(CHECKPOINTS, scope)
        start = self._restored_at.get(path, self._scope_start)
        self._store(path, scope, tree, self._log.lines[start:])
        self._write_timing(at_most_every=_TIMING_PERIOD_S)

    def restore(self, name: str) -> Any:
        """Return the tree last stored under ``name``, or None if there is none.

        Call it once, before the loop whose state it is; the records that the loop had logged by
        then are logged again.

        Raises
        ------
        RunError
            If the checkpoint is damaged. It is left as it is.
        """
        scope = (*self._scope, _checked_name("restore", "name", name))
        path = self._place(CHECKPOINTS, scope)
        self._restored_at[path] = len(self._log.lines)
        if not path.exists():
            return None
        stored = self._load(path, scope)
        self._log.replay(stored["metrics"])
        self._board.rebase()
        return stored["value"]

    def progress(self, total: int, description: str) -> Progress:
        """Return a context manager that shows ``total`` units of work on stderr; they nest."""
        return self._board.task(total, description)

    def timing(self, key: str | None = None, seconds: float | None = None) -> dict[str, Any]:
        """Add ``seconds`` to ``key`` in ``timing.json``, or, without arguments, return all timing.

        Seconds accumulate over resumes: what a kill made worthless was spent all the same.
        """
        if key is not None and seconds is not None:
            spent = self._timing["seconds"]
            spent[key] = round(spent.get(key, 0.0) + float(seconds), 6)
            self._write_timing(at_most_every=_TIMING_PERIOD_S)
        self._count_time()
        return {name: _copy(value) for name, value in self._timing.items()}

    @contextmanager
    def timed(self, key: str) -> Iterator[None]:
        """Add the seconds spent in the ``with`` block to ``key``."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.timing(key, time.perf_counter() - began)

    def record_environment(self, environment: Mapping[str, Any], *, first: bool) -> None:
        """Append this session's environment to ``env.json``, or replace what it appended."""
        sessions = self.environment()
        if not first:
            sessions = sessions[:-1]
        sessions.append(dict(environment))
        self._write_environment(sessions, self.found())

    def find(self, name: str, look: Callable[[], T]) -> T:
        """Return ``look()`` as the first session of this run found it on its machine.

        For what a result depends on and no config says: which optional program judges, or its
        version. A later session must not find something else, or a resumed run would be another
        than an unbroken one.

        Parameters
        ----------
        name
            Names what is looked for; deterministic.
        look
            Its value is plain JSON. It is called once in the life of the run and stored in
            ``env.json``.
        """
        name = _checked_name("find", "name", name)
        found = self.found()
        if name not in found:
            found[name] = plain_json(look(), name)
            self._write_environment(self.environment(), found)
        value: T = found[name]
        return value

    def _write_environment(self, sessions: list[dict[str, Any]], found: Mapping[str, Any]) -> None:
        content = {"format": FORMAT, "sessions": sessions, "found": dict(found)}
        write_json_durably(self.path / ENVIRONMENT, content)

    def finish(self, result: Mapping[str, Any]) -> None:
        """Write ``result.json``, which makes the run finished.

        Raises
        ------
        TypeError, ValueError
            If the result is not plain finite JSON, naming where it is not.
        """
        plain = plain_json(result, "result")
        if not isinstance(plain, dict):
            raise TypeError(f"result must be a dict, got {type(result).__name__}")
        _check_reserved(plain)
        self._write_timing()
        self._log.drop_rest()
        write_json_durably(
            self.path / RESULT,
            {
                "format": FORMAT,
                "experiment": self.experiment,
                "version": self.version,
                "id": self.id,
                "result": plain,
            },
        )

    def _place(self, kind: str, scope: tuple[str, ...]) -> Path:
        # The readable part is for people; the hash keeps different scopes apart.
        words = re.sub(r"[^A-Za-z0-9.=+-]+", "_", "/".join(scope))[-60:].strip("_.")
        digest = hashlib.sha256("\0".join(scope).encode("utf-8")).hexdigest()[:8]
        path = self.path / kind / f"{words}-{digest}.npz"
        touched = (*scope, kind)
        self._touched[touched] = path
        return path

    def _store(self, path: Path, scope: tuple[str, ...], value: Any, metrics: list[str]) -> None:
        record = {"run": self.id, "scope": list(scope), "metrics": list(metrics), "value": value}
        try:
            save_tree(path, record)
        except (TypeError, ValueError) as error:
            message = str(error).replace("tree['value']", f"{'/'.join(scope)}: value", 1)
            raise type(error)(message) from error

    def _load(self, path: Path, scope: tuple[str, ...]) -> dict[str, Any]:
        try:
            stored = load_tree(path)
        except TreeError as error:
            raise RunError(
                f"{error}; delete this file to compute it again, or use --force to start anew"
            ) from error
        if (
            not isinstance(stored, dict)
            or stored.get("run") != self.id
            or stored.get("scope") != list(scope)
        ):
            raise RunError(f"{path} belongs to another run or another unit of work")
        return stored

    def _discard_inner(self, scope: tuple[str, ...]) -> None:
        """Delete what was stored inside a unit that is now stored as a whole."""
        for inner, path in list(self._touched.items()):
            # The last word of a touched scope is the kind of file.
            if len(inner) > len(scope) + 1 and inner[: len(scope)] == scope:
                path.unlink(missing_ok=True)
                del self._touched[inner]

    def _count_time(self) -> None:
        now = time.perf_counter()
        self._timing["total"] = round(self._timing["total"] + now - self._timed_until, 6)
        self._timed_until = now

    def _write_timing(self, *, at_most_every: float = 0.0) -> None:
        if time.perf_counter() - self._timing_written < at_most_every:
            return
        self._count_time()
        self._timing_written = self._timed_until
        write_json_durably(self.path / TIMING, {"format": FORMAT, **self._timing})


def create_run_folder(
    runs: Path | str,
    experiment: str,
    version: int,
    config: Mapping[str, Any],
    *,
    force: bool = False,
) -> Path:
    """Return the folder of the run with this identity, creating it where there is none.

    Parameters
    ----------
    runs
        The folder that holds all runs.
    experiment, version, config
        The identity of the run; ``config`` as plain JSON values.
    force
        Rename a folder that exists, finished, refused or neither, to ``<id12>~<n>`` and begin a
        new one. Nothing is deleted.

    Raises
    ------
    RunError
        If the folder exists and holds something else than this run in this format, or, with
        ``force``, another process writes it.
    """
    identity = run_id(experiment, version, config)
    path = run_path(runs, experiment, identity)
    if force and path.exists():
        _set_aside(path)
    if path.exists() and any(not _is_own_debris(entry) for entry in path.iterdir()):
        StoredRun(path)
        return path
    path.mkdir(parents=True, exist_ok=True)
    description = {
        "format": FORMAT,
        "experiment": experiment,
        "version": version,
        "id": identity,
        "config": dict(config),
    }
    write_json_durably(path / CONFIG, description)
    return path


def sweep(path: Path) -> None:
    """Delete what a process killed after the result was written left in ``path``."""
    if lock.take(path) is None:
        try:
            remove_leftovers(path)
        finally:
            lock.release(path)


def _set_aside(path: Path) -> None:
    holder = lock.owner(path)
    if holder is not None:
        raise RunError(f"{path} is being written by process {holder.pid} on {holder.host}")
    number = 1
    while (aside := path.with_name(f"{path.name}{SET_ASIDE}{number}")).exists():
        number += 1
    path.rename(aside)


def _is_own_debris(entry: Path) -> bool:
    """Whether a process killed before it wrote ``config.json`` may have left this."""
    return entry.name == "lock" or entry.name.endswith(TEMPORARY_SUFFIX)


def _checked_name(function: str, argument: str, name: str) -> str:
    if not isinstance(name, str) or not name or "\0" in name:
        raise ValueError(f"{function}: {argument} must be non-empty text, got {name!r}")
    return name


def _check_reserved(result: Mapping[str, Any]) -> None:
    """Check the three keys of a result that the command line reads."""
    passed, headline = result.get("passed", True), result.get("headline", "")
    warnings = result.get("warnings", [])
    if not isinstance(passed, bool):
        raise TypeError(f"result['passed'] must be a bool, got {passed!r}")
    if not isinstance(headline, str):
        raise TypeError(f"result['headline'] must be text, got {headline!r}")
    if not isinstance(warnings, list) or not all(isinstance(text, str) for text in warnings):
        raise TypeError(f"result['warnings'] must be a list of text, got {warnings!r}")


def _copy(value: Any) -> Any:
    return dict(value) if isinstance(value, dict) else value
