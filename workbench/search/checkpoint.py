# SPDX-License-Identifier: Apache-2.0
"""Where a search keeps its state between generations: a protocol, and one file that fulfils it.

A *tree* is a nested dict (str keys) or list of None, bool, int, float, str and numpy arrays of
numbers or bools. A checkpoint file is an ordinary ``.npz``: the arrays, and a JSON text in which
each array is a reference. Reading it executes nothing (``allow_pickle=False``).
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.storage.arrays import read_arrays
from workbench.storage.texts import parse_json

FORMAT = "workbench.search.checkpoint"
VERSION = 1

_ARRAY = "__array__"


class Checkpoint(Protocol):
    """Anything that keeps one tree."""

    def save(self, tree: dict[str, Any]) -> None:
        """Replace the kept tree, so that a kill at any moment leaves the old or the new one."""

    def load(self) -> dict[str, Any] | None:
        """Return the kept tree; None where there is none yet."""


class CheckpointError(ValueError):
    """A checkpoint is truncated, damaged, foreign or of another version."""


class CallbackCheckpoint:
    """Two functions as a checkpoint, e.g. those of an experiment's run folder.

    Examples
    --------
    >>> kept = []
    >>> store = CallbackCheckpoint(kept.append, lambda: kept[-1] if kept else None)
    >>> store.save({"generation": 3})
    >>> store.load()
    {'generation': 3}
    """

    def __init__(
        self,
        save: Callable[[dict[str, Any]], object],
        load: Callable[[], dict[str, Any] | None],
    ) -> None:
        self._save = save
        self._load = load

    def save(self, tree: dict[str, Any]) -> None:
        """Call the first function."""
        self._save(tree)

    def load(self) -> dict[str, Any] | None:
        """Call the second function."""
        return self._load()


class FileCheckpoint:
    """A tree in one ``.npz`` file, replaced atomically.

    A file that cannot be read back, because it is truncated, foreign or of another version, is
    refused by `load` and never overwritten by `save`.

    Parameters
    ----------
    path : str or Path
        Its folder is created when first saved to.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._mine = False

    def save(self, tree: dict[str, Any]) -> None:
        """Write the tree; TypeError names what it cannot hold."""
        arrays: dict[str, NDArray[Any]] = {}
        text = json.dumps({"format": FORMAT, "version": VERSION, "tree": _pack(tree, arrays, "")})
        arrays["tree"] = np.frombuffer(text.encode(), dtype=np.uint8)
        if not self._mine:
            self.load()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.path.with_name(self.path.name + ".tmp")
        with open(unfinished, "wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                for name, array in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self.path)
        _sync_folder(self.path.parent)
        self._mine = True

    def load(self) -> dict[str, Any] | None:
        """Read the tree; None where there is no file. CheckpointError says why it is refused."""
        if not self.path.exists():
            return None
        try:
            arrays = read_arrays(self.path)
            header = parse_json(arrays.pop("tree").tobytes())
            kind, version = header["format"], header["version"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"checkpoint {self.path} is truncated or no checkpoint: {error}"
            ) from error
        if kind != FORMAT or version != VERSION:
            raise CheckpointError(
                f"checkpoint {self.path} is {kind!r} version {version!r}, "
                f"this program reads {FORMAT!r} version {VERSION}"
            )
        try:
            tree = _unpack(header["tree"], arrays)
        except (KeyError, TypeError) as error:
            raise CheckpointError(f"checkpoint {self.path} lacks array {error}") from error
        if not isinstance(tree, dict):
            raise CheckpointError(f"checkpoint {self.path} holds no tree")
        self._mine = True
        return tree


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a power failure, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _pack(tree: object, arrays: dict[str, NDArray[Any]], place: str) -> object:
    if tree is None or isinstance(tree, (bool, int, float, str)):
        # numpy's float64 is a float to Python, but no other numpy scalar is what it looks like.
        return tree.item() if isinstance(tree, np.generic) else tree
    if isinstance(tree, np.ndarray) and tree.dtype.kind in "biufc":
        name = f"a{len(arrays)}"
        arrays[name] = tree
        return {_ARRAY: name}
    if isinstance(tree, list):
        return [_pack(item, arrays, f"{place}[{i}]") for i, item in enumerate(tree)]
    if isinstance(tree, dict):
        for key in tree:
            if not isinstance(key, str) or key == _ARRAY:
                raise TypeError(f"checkpoint: keys must be str other than {_ARRAY!r}, got {key!r}")
        return {key: _pack(item, arrays, f"{place}.{key}") for key, item in tree.items()}
    raise TypeError(
        f"checkpoint: {place or 'the tree'} must be a dict, list, JSON scalar or array of "
        f"numbers, got {type(tree).__name__}"
    )


def _unpack(packed: object, arrays: dict[str, NDArray[Any]]) -> object:
    if isinstance(packed, list):
        return [_unpack(item, arrays) for item in packed]
    if isinstance(packed, dict):
        if set(packed) == {_ARRAY}:
            return arrays[packed[_ARRAY]]
        return {key: _unpack(item, arrays) for key, item in packed.items()}
    return packed
