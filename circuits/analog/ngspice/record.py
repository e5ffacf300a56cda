# SPDX-License-Identifier: Apache-2.0
"""What ngspice said, kept beside the tests, so that its word counts where it is not installed.

A recording is one JSON file that holds the deck, the request and the result in full precision.
``python -m circuits.analog.ngspice.record FOLDER ...`` runs every recording of the folders again
and rewrites it; ``--check`` only compares.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from circuits.analog.ngspice.request import NgspiceError, Sweep, Transient
from circuits.analog.ngspice.results import DeckResult
from circuits.analog.ngspice.run import available, simulate_deck, version
from workbench.ops._buffers import empty_array
from workbench.storage.texts import parse_json

__all__ = ["Oracle", "read_recording", "write_recording"]

_VARIABLE = "WORKBENCH_RECORD"


class Oracle:
    """ngspice where it is installed, its recorded word elsewhere.

    Parameters
    ----------
    folder : Path
        Where the recordings are. With ``WORKBENCH_RECORD=1`` in the environment, what is asked
        of a live ngspice is written there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = Path(folder)

    def __call__(
        self, name: str, deck: str, analyses: Sequence[str] = ("op",), **arguments: Any
    ) -> tuple[DeckResult, str]:
        """The result of ``simulate_deck(deck, analyses, **arguments)``, and its source.

        Parameters
        ----------
        name : str
            The recording's, without ``.json``.
        deck, analyses, arguments
            As of :func:`~circuits.analog.ngspice.simulate_deck`; names and numbers only, and
            no ``mode`` or ``timeout``.

        Returns
        -------
        DeckResult
        str
            As ``"ngspice 39, live"`` or ``"ngspice 39, recorded"``.

        Raises
        ------
        FileNotFoundError, ValueError
            Where there is no recording or it answers another question, with ngspice or without.
        """
        path = self._folder / f"{name}.json"
        asked = {"analyses": list(analyses), **{k: _plain(v) for k, v in arguments.items()}}
        if available() and os.environ.get(_VARIABLE) == "1":
            result = simulate_deck(deck, analyses, **arguments)
            write_recording(path, deck, asked, result)
            return result, f"ngspice {version()}, live"
        # Also where ngspice is live: what passes here must pass on a machine without it.
        if not path.exists():
            raise FileNotFoundError(
                f"{path.name}: nothing is recorded by that name; with ngspice installed, record it "
                f"with {_VARIABLE}=1"
            )
        recorded_deck, recorded, result, said_by = read_recording(path)
        if recorded_deck.split() != deck.split() or recorded != asked:
            raise ValueError(
                f"{path.name}: recorded for another deck or request; with ngspice installed, "
                f"record it again with {_VARIABLE}=1"
            )
        if available():
            return simulate_deck(deck, analyses, **arguments), f"ngspice {version()}, live"
        return result, f"ngspice {said_by}, recorded"


def write_recording(path: Path, deck: str, asked: dict[str, Any], result: DeckResult) -> None:
    """Write one recording; ``asked`` holds plain JSON values."""
    said = {
        f.name: _plain(getattr(result, f.name))
        for f in dataclasses.fields(result)
        if f.name != "notes" and _filled(getattr(result, f.name))
    }
    whole = {"ngspice": version(), "request": asked, "deck": deck.splitlines(), "result": said}
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in whole.items()]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def read_recording(path: Path) -> tuple[str, dict[str, Any], DeckResult, str]:
    """Deck, request, result and ngspice's version.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such file, or it is no recording.
    """
    try:
        whole = parse_json(path.read_bytes())
        said: dict[str, Any] = {key: _arrays(value) for key, value in whole["result"].items()}
        for key in ("op", "currents", "probes"):
            if key in said:
                said[key] = {name: float(value) for name, value in said[key].items()}
        deck, asked = "\n".join(whole["deck"]), whole["request"]
        return deck, asked, DeckResult(**said), whole["ngspice"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is no recording: {error}") from error


def _filled(value: Any) -> bool:
    return value is not None and len(value) > 0


def _plain(value: Any) -> Any:
    """As JSON holds it; the inverse is ``_arrays`` or ``_arguments``."""
    if isinstance(value, Sweep | Transient):
        return {"kind": type(value).__name__, **dataclasses.asdict(value)}
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray) and np.iscomplexobj(value):
        return {"re": value.real.tolist(), "im": value.imag.tolist()}
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _arrays(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"re", "im"}:
        out = empty_array(len(value["re"]), np.complex128)
        out.real, out.imag = value["re"], value["im"]
        return out
    if isinstance(value, dict):
        return {k: _arrays(v) for k, v in value.items()}
    return np.array(value, np.float64) if isinstance(value, list) else value


def _arguments(asked: dict[str, Any]) -> dict[str, Any]:
    out = dict(asked)
    for key, value in asked.items():
        if isinstance(value, dict) and value.get("kind") in ("Sweep", "Transient"):
            rest = {k: v for k, v in value.items() if k != "kind"}
            out[key] = (Sweep if value["kind"] == "Sweep" else Transient)(**rest)
        elif key == "noise_output" and isinstance(value, list):
            out[key] = tuple(value)
    return out


def _difference(a: Any, b: Any) -> float:
    """Largest difference of two results' numbers, relative to each vector's largest."""
    if isinstance(a, dict):
        if not isinstance(b, dict) or set(a) != set(b):
            return float("inf")
        return max((_difference(a[k], b[k]) for k in a), default=0.0)
    if a is None or b is None:
        return 0.0 if a is b else float("inf")
    x, y = np.asarray(a), np.asarray(b)
    if x.shape != y.shape:
        return float("inf")
    if x.size == 0:
        return 0.0
    return float(np.max(np.abs(x - y)) / max(float(np.max(np.abs(y))), 1e-12))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run recordings again."""
    from workbench.experiments.progress import ProgressBoard

    parser = argparse.ArgumentParser(prog="python -m circuits.analog.ngspice.record")
    parser.add_argument("folder", nargs="+", type=Path, help="folders with recordings (*.json)")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    chosen = parser.parse_args(arguments)
    paths = sorted(path for folder in chosen.folder for path in folder.glob("*.json"))
    if not paths:
        print("no recordings there", file=sys.stderr)
        return 1
    worst = 0.0
    board = ProgressBoard()
    with board.task(len(paths), "recordings") as task:
        for path in paths:
            deck, asked, before, _ = read_recording(path)
            try:
                after = simulate_deck(deck, **_arguments(asked))
            except NgspiceError as error:
                print(f"{path.name}: {error}", file=sys.stderr)
                return 1
            names = [f.name for f in dataclasses.fields(DeckResult) if f.name != "notes"]
            gap = max(_difference(getattr(after, n), getattr(before, n)) for n in names)
            worst = max(worst, gap)
            if not chosen.check:
                write_recording(path, deck, asked, after)
            print(f"{path.stem:40s} largest relative difference {gap:.1e}")
            task.advance()
    return int(chosen.check and worst > 1e-9)


if __name__ == "__main__":
    sys.exit(main())
