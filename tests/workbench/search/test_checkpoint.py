# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from workbench.search import CheckpointError, FileCheckpoint

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_, np.complex128]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
names = st.text(max_size=5).filter(lambda name: name != "__array__")
trees = st.dictionaries(
    names,
    st.recursive(
        scalars | arrays,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=trees)
def test_any_tree_comes_back_exactly(tmp_path: Path, tree: dict[str, Any]) -> None:
    FileCheckpoint(tmp_path / "a.npz").save(tree)
    back = FileCheckpoint(tmp_path / "a.npz").load()
    np.testing.assert_equal(back, tree)
    assert shapes(back) == shapes(tree)


def shapes(tree: Any) -> Any:
    """Replace every leaf by its type, and its dtype and shape if it is an array."""
    if isinstance(tree, dict):
        return {key: shapes(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [shapes(value) for value in tree]
    return (tree.dtype, tree.shape) if isinstance(tree, np.ndarray) else type(tree)


def test_there_is_nothing_where_nothing_was_saved(tmp_path: Path) -> None:
    assert FileCheckpoint(tmp_path / "none.npz").load() is None


def test_numpy_opens_the_file_without_pickle(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.npz"
    FileCheckpoint(path).save({"x": np.arange(3.0)})
    with np.load(path, allow_pickle=False) as file:
        assert {name: file[name].dtype.kind for name in file.files} == {"a0": "f", "tree": "u"}


def test_equal_trees_give_equal_bytes(tmp_path: Path) -> None:
    tree = {"x": np.arange(3.0), "n": 4}
    for name in ("a", "b"):
        FileCheckpoint(tmp_path / name).save(tree)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_cut_anywhere_is_refused_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    FileCheckpoint(path).save({"x": np.arange(100.0), "name": "first"})
    whole = path.read_bytes()
    for length in [0, 1, 10, *np.linspace(20, len(whole) - 1, 15, dtype=int).tolist()]:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"run\.npz is truncated or no checkpoint"):
            FileCheckpoint(path).load()
        with pytest.raises(CheckpointError, match="truncated"):
            FileCheckpoint(path).save({"name": "second"})
        assert path.read_bytes() == whole[:length]


def test_a_flipped_byte_of_the_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    FileCheckpoint(path).save({"x": np.arange(100.0)})
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 3] ^= 0x40
    path.write_bytes(bytes(damaged))
    with pytest.raises(CheckpointError, match="truncated or no checkpoint"):
        FileCheckpoint(path).load()


@pytest.mark.parametrize("field", ["format", "version"])
def test_a_foreign_version_is_refused_with_its_name(tmp_path: Path, field: str) -> None:
    path = tmp_path / "run.npz"
    header = {"format": "workbench.search.checkpoint", "version": 1, "tree": {}}
    text = json.dumps({**header, field: "from the future"}).encode()
    np.savez(path, tree=np.frombuffer(text, dtype=np.uint8))
    before = path.read_bytes()
    for attempt in (FileCheckpoint(path).load, lambda: FileCheckpoint(path).save({})):
        with pytest.raises(CheckpointError, match=r"'from the future'.*this program reads"):
            attempt()
    assert path.read_bytes() == before


class Explosive:
    def __reduce__(self) -> Any:
        return (exec, ("raise SystemExit('the file was executed')",))


def test_nothing_in_a_file_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "run.npz"
    member = io.BytesIO()
    np.lib.format.write_array(member, np.array([Explosive()], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tree.npy", member.getvalue())
    with pytest.raises(CheckpointError, match="Python objects"):
        FileCheckpoint(path).load()


@pytest.mark.parametrize("bad", [(1, 2), {1}, b"x", np.array(["a"]), np.int64(3), object()])
def test_what_a_tree_cannot_hold_is_named_and_nothing_is_written(tmp_path: Path, bad: Any) -> None:
    path = tmp_path / "run.npz"
    with pytest.raises(TypeError, match=r"\.engine\[1\]"):
        FileCheckpoint(path).save({"engine": [0, bad]})
    with pytest.raises(TypeError, match="keys must be str"):
        FileCheckpoint(path).save({"x": {3: 1}})
    assert list(tmp_path.iterdir()) == []


def test_a_broken_save_leaves_the_old_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.npz"
    store = FileCheckpoint(path)
    store.save({"score": math.inf})

    def full_disk(*args: object, **kwargs: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np.lib.format, "write_array", full_disk)
        with pytest.raises(OSError, match="no space"):
            store.save({"score": 1.0})
    assert FileCheckpoint(path).load() == {"score": math.inf}
    store.save({"score": 2.0})
    assert FileCheckpoint(path).load() == {"score": 2.0}
    assert list(tmp_path.iterdir()) == [path]
