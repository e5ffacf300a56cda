# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from workbench.matrices import DATA_VARIABLE, available, erdos_renyi, load_matrix

sparse = pytest.importorskip("scipy.sparse")

REAL = "%%MatrixMarket matrix coordinate real general\n"
MARKET = """%%MatrixMarket matrix coordinate real symmetric
% a comment
3 3 3
1 1 2.5
3 1 -1
3 2 4
"""
EDGES = "# Directed graph\n# FromNodeId\tToNodeId\n0\t3\n2\t1\n\n0\t3\n3\t3\n"


@pytest.fixture(autouse=True)
def _no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)


def _write(path: Path, text: str) -> Path:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    return path


def _dense(a: Any) -> Any:
    assert isinstance(a, sparse.csr_array)
    assert a.indices.dtype == a.indptr.dtype == np.int32
    fresh = sparse.csr_array((a.data, a.indices, a.indptr), shape=a.shape)
    assert fresh.has_canonical_format
    return a.toarray()


@pytest.mark.parametrize("ending", [".mtx", ".mtx.gz"])
def test_matrix_market_is_expanded(tmp_path: Path, ending: str) -> None:
    a = load_matrix(_write(tmp_path / f"m{ending}", MARKET))
    assert a.dtype == np.float64
    np.testing.assert_array_equal(_dense(a), [[2.5, 0, -1], [0, 0, 4], [-1, 4, 0]])


def test_pattern_and_dense_matrix_market(tmp_path: Path) -> None:
    text = "%%MatrixMarket matrix coordinate pattern general\n2 3 2\n1 3\n2 1\n"
    a = load_matrix(_write(tmp_path / "p.mtx", text), dtype=np.float32)
    assert a.dtype == np.float32
    np.testing.assert_array_equal(_dense(a), [[0, 0, 1], [1, 0, 0]])
    text = "%%MatrixMarket matrix array real general\n2 2\n1\n0\n0\n3\n"
    np.testing.assert_array_equal(
        _dense(load_matrix(_write(tmp_path / "d.mtx", text))), [[1, 0], [0, 3]]
    )


@pytest.mark.parametrize("ending", [".txt", ".txt.gz"])
def test_edge_lists_keep_their_numbers_and_count_edges_once(tmp_path: Path, ending: str) -> None:
    path = _write(tmp_path / f"e{ending}", EDGES)
    expected = np.zeros((4, 4))
    expected[[0, 2, 3], [3, 1, 3]] = 1
    np.testing.assert_array_equal(_dense(load_matrix(path)), expected)
    both = np.maximum(expected, expected.T)
    np.testing.assert_array_equal(_dense(load_matrix(path, symmetric=True)), both)


def test_edge_weights_add_up(tmp_path: Path) -> None:
    path = _write(tmp_path / "w.txt", "% koblenz style\n0 1 0.5\n0 1 0.25\n1 0 3\n")
    np.testing.assert_array_equal(_dense(load_matrix(path)), [[0, 0.75], [3, 0]])
    np.testing.assert_array_equal(_dense(load_matrix(path, symmetric=True)), [[0, 3.75], [3.75, 0]])


def test_npz_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    a = erdos_renyi(50, 3, seed=1)
    sparse.save_npz(tmp_path / "a.npz", a)
    b = load_matrix(tmp_path / "a.npz")
    assert b.dtype == np.float32
    np.testing.assert_array_equal(b.toarray(), a.toarray())


def test_unsorted_int64_duplicates_become_canonical(tmp_path: Path) -> None:
    index = np.array([2, 0, 2], np.int64)
    wild = sparse.csr_array((np.array([1, 2, 3]), index, np.array([0, 3, 3])), shape=(2, 3))
    sparse.save_npz(tmp_path / "a.npz", wild)
    a = load_matrix(tmp_path / "a.npz")
    assert a.dtype == np.float64
    np.testing.assert_array_equal(_dense(a), [[2, 0, 4], [0, 0, 0]])


def test_names_are_found_in_the_folder_and_its_matrices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "matrices").mkdir()
    _write(tmp_path / "matrices" / "inner.mtx.gz", MARKET)
    _write(tmp_path / "edges.txt", EDGES)
    _write(tmp_path / "README.md", "not a matrix")
    assert available(tmp_path) == ["edges", "inner"]
    assert load_matrix("inner", tmp_path).shape == (3, 3)
    assert available() == []
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert load_matrix("edges").shape == (4, 4)
    assert load_matrix("inner.mtx.gz").shape == (3, 3)
    with pytest.raises(FileNotFoundError, match=r"'facebook'.* there are: edges, inner"):
        load_matrix("facebook")
    with pytest.raises(ValueError, match=r"unknown ending; known are \.npz"):
        load_matrix("README.md")


def test_without_a_folder_the_error_says_how_to_name_one() -> None:
    with pytest.raises(FileNotFoundError, match=f"pass folder, or set {DATA_VARIABLE}"):
        load_matrix("facebook")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", "# nothing\n", "no line of the form"),
        ("a.txt", "0 1\n2 x\n", "a.txt, line 2: a vertex must be an integer, got 'x'"),
        ("a.txt", "0 1\n2\n", "a.txt, line 2: expected 2 fields, got 1"),
        ("a.txt", "0 1\n0 -1\n", r"a.txt, line 2: vertices must be in \[0, 2\*\*31\), got -1"),
        ("a.txt", "0 1.5\n", "a.txt, line 1: a vertex must be an integer, got '1.5'"),
        ("a.txt", "0 99999999999\n", r"line 1: vertices must be in \[0, 2\*\*31\), got 999999"),
        ("a.txt", "0 1 2\n0 1 x\n", "a.txt, line 2: a weight must be a number, got 'x'"),
        ("a.mtx", "1 1 1\n1 1 1\n", "a.mtx, line 1: expected '%%MatrixMarket"),
        (
            "a.mtx",
            "%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 1\n",
            "a.mtx, line 3: rows are 1 to 2",
        ),
        ("a.mtx", "%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 2\n", "complex"),
        ("a.npz", "not an archive", "a.npz is damaged: File is not a zip"),
    ],
)
def test_malformed_files_are_refused_by_name(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = _write(tmp_path / name, text)
    with pytest.raises(ValueError, match=said) as caught:
        load_matrix(path)
    assert name in str(caught.value)


def test_damaged_compression_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(b"not gzip at all")
    with pytest.raises(ValueError, match="gz, line 1: a vertex must be an integer, got 'not'"):
        load_matrix(path)
    path.write_bytes(gzip.compress(EDGES.encode())[:-12])
    with pytest.raises(ValueError, match=r"a.txt.gz is damaged: Compressed file ended"):
        load_matrix(path)


def test_symmetric_is_for_edge_lists(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="symmetric is for edge lists"):
        load_matrix(_write(tmp_path / "a.mtx", MARKET), symmetric=True)
