# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile files are refused by name, before they are believed."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from graphs import read_digraph
from workbench.experiments.tree import TreeError, load_tree
from workbench.matrices import load_matrix
from workbench.search.checkpoint import CheckpointError, FileCheckpoint
from workbench.storage.arrays import read_array, read_arrays
from workbench.storage.limits import LIMIT_VARIABLE, at_most, byte_limit
from workbench.storage.packed import read_bytes
from workbench.storage.texts import parse_json

sparse = pytest.importorskip("scipy.sparse")
REAL = "%%MatrixMarket matrix coordinate real general\n"


def _npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _npz(path: Path, **changed: np.ndarray | bytes | None) -> Path:
    """A CSR matrix of scipy's with some of its arrays exchanged or left out."""
    held: dict[str, np.ndarray | bytes | None] = {
        "format": np.array(b"csr"),
        "shape": np.array([3, 3]),
        "data": np.ones(3),
        "indices": np.array([0, 1, 2], np.int32),
        "indptr": np.array([0, 1, 2, 3], np.int32),
    } | changed
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in held.items():
            if array is not None:
                data = array if isinstance(array, bytes) else _npy(array)
                archive.writestr(f"{name}.npy", data)
    return path


LIE = _npy(np.ones(3)).replace(b"(3,)", b"(1000000000000,)").replace(b" " * 13 + b"\n", b" \n")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"indices": np.array([0, 1, 2_000_000_000], np.int32)}, r"indices must be in \[0, 3\)"),
        ({"indices": np.array([0, -1, 2], np.int32)}, r"indices must be in \[0, 3\), got -1 to 2"),
        ({"indptr": np.array([0, 3, 1, 3], np.int32)}, "must not decrease, but does at row 1"),
        ({"indptr": np.array([1, 1, 2, 3], np.int32)}, "must go from 0 .* got 1 to 3"),
        ({"indptr": np.array([0, 1, 2, 9], np.int32)}, "must go from 0 .* got 0 to 9"),
        ({"indptr": np.array([0, 3], np.int32)}, "must have 4 entries, for 3 rows, got 2"),
        ({"indices": np.array([0.0, 1.0, 2.0])}, "indices must be a vector of integers"),
        ({"data": np.ones(2)}, "one value per index, 3, got 2"),
        ({"data": np.array(["a", "b", "c"])}, "data must be numbers"),
        ({"data": None}, "there is no 'data'"),
        ({"shape": np.array([-3, 3])}, "shape must not be negative"),
        ({"shape": np.array([10**12, 10**12])}, f"more than the limit .* set {LIMIT_VARIABLE}"),
        ({"format": np.array(b"xyz")}, "format must be csr, csc"),
        ({"data": LIE}, "is damaged: float64 of shape .1000000000000,. takes 8000000000000 bytes"),
        ({"data": _npy(np.ones(3))[:-4]}, "takes 24 bytes, and it holds 20"),
    ],
)
def test_matrices_of_scipy_are_checked(tmp_path: Path, changed: dict, said: str) -> None:
    path = _npz(tmp_path / "a.npz", **changed)
    for read in (load_matrix, read_digraph):
        with pytest.raises(ValueError, match=said) as caught:
            read(path)
        assert "a.npz" in str(caught.value)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    file = io.BytesIO()
    np.save(file, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="holds Python objects"):
        load_matrix(_npz(tmp_path / "a.npz", data=file.getvalue()))
    (tmp_path / "a.npy").write_bytes(file.getvalue())
    with pytest.raises(ValueError, match="holds Python objects"):
        read_array(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1000000000000 1000000000000 1\n1 1 1\n", "the pointers of 1000000000000 rows would take"),
        ("3 3 1000000000000\n1 1 1\n", "line 2: 1000000000000 entries are more than"),
        ("3 3 1\n1 \x00 1\n", "line 3: a row or column must be an integer"),
        ("3 3 1\n0 1 1\n", "line 3: rows are 1 to 3"),
        ("3 3 -1\n", "line 2: expected rows, columns and entries"),
        ("", "line 1: expected rows"),
    ],
)
def test_matrix_market_is_checked(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.mtx"
    path.write_text(REAL + text)
    for read in (load_matrix, read_digraph):
        with pytest.raises(ValueError, match=said):
            read(path)


def test_matrix_market_is_read_as_scipy_reads_it() -> None:
    from scipy import io as scipy_io

    from workbench.storage.sparse import read_market

    rng = np.random.default_rng(0)
    a = rng.integers(-3, 4, (5, 5))
    for matrix, symmetry in (
        (a, "general"),
        (a * 0.3, "general"),
        (a + a.T, "symmetric"),
        (a - a.T, "skew-symmetric"),
    ):
        for stored in (matrix, sparse.coo_array(matrix)):
            file = io.BytesIO()
            scipy_io.mmwrite(file, stored, symmetry=symmetry)
            wanted = sparse.coo_array(scipy_io.mmread(io.BytesIO(file.getvalue())))
            found = read_market(Path("a.mtx"), file.getvalue())
            np.testing.assert_array_equal(found.toarray(), wanted.toarray())
            assert found.dtype == wanted.dtype


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("p sp 1000000000000 1\na 1 2 3\n", "a graph of 1000000000000 vertices would take"),
        ("p sp 99999999999999999999 1\na 1 2 3\n", "line 1: expected at most 18 digits"),
        ("<NUMBER OF NODES> 1000000000000\n<NUMBER OF LINKS> 1\n<END OF METADATA>\n", "would take"),
    ],
)
def test_announced_graphs_are_bounded(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "g"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_digraph(path)


def test_gzip_bombs_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.txt.gz"
    path.write_bytes(gzip.compress(b"0 1\n" * 2_000_000, 9))
    monkeypatch.setenv(LIMIT_VARIABLE, "1000000")
    for read in (load_matrix, read_digraph):
        with pytest.raises(ValueError, match=f"unpacks to more than .*1,000,000.*{LIMIT_VARIABLE}"):
            read(path)
    with at_most(8_000_000):
        assert len(read_bytes(path)[1]) == 8_000_000
    monkeypatch.setenv(LIMIT_VARIABLE, "much")
    with pytest.raises(ValueError, match="must be a number of bytes"):
        byte_limit()


def test_zip_bombs_are_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tree.npy", bytes(3_000_000))
        archive.writestr("tree.json", "{}")
    monkeypatch.setenv(LIMIT_VARIABLE, "1000000")
    for error, read in (
        (ValueError, lambda: read_arrays(path)),
        (ValueError, lambda: load_matrix(path)),
        (TreeError, lambda: load_tree(path)),
        (CheckpointError, FileCheckpoint(path).load),
    ):
        with pytest.raises(error, match="more than the limit"):
            read()


def test_arrays_are_as_long_as_they_say(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    for array in (np.arange(6.0).reshape(2, 3).T, np.array(True), np.zeros((0, 3), np.int32)):
        path.write_bytes(_npy(array))
        np.testing.assert_array_equal(read_array(path), array)
    whole = _npy(np.array([True, False]))
    for data in (whole + b"x", whole[:-1], whole[:20], whole[:-1] + b"\x02", b"", b"\x93NUMPY"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"a\.npy is (damaged|no array)"):
            read_array(path)
    with pytest.raises(ValueError, match="must be a file"):
        read_array("/dev/zero")
    with pytest.raises(ValueError, match="home directory"):
        read_array("~nobody-is-called-so/a.npy")


def test_json_nested_too_deep_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        parse_json("[" * 100_000)
    assert parse_json(json.dumps({"a": [1]})) == {"a": [1]}
