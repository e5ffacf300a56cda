# SPDX-License-Identifier: Apache-2.0
"""Reading graphs: against networkx and numpy on generated files, the real ones where present."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphs import (
    DiGraph,
    read_digraph,
    read_dimacs,
    read_edgelist,
    read_tntp,
    strong_components,
)
from workbench.storage import tables as text_tables

TNTP = """<NUMBER OF ZONES> 2
<NUMBER OF NODES> 4
<FIRST THRU NODE> 3
<NUMBER OF LINKS> 5
<END OF METADATA>


~\tInit node\tTerm node\tCapacity\tFree Flow Time\t;
\t1\t3\t100\t2.5\t;
\t3\t2\t100\t1\t;
\t2\t4\t50\t0\t;
\t4\t1\t50\t1e1\t;
\t3\t4\t50\t.5\t;
"""
GR = "c a comment\nc\np sp 3 4\na 1 2 5\na 2 3 1\nc inside\na 3 1 2\na 1 2 3\n"
CO = "c\np aux sp co 3\nv 1 -73530767 41085396\nv 3 1 2\nv 2 0 -5\n"


def write(folder: Path, text: str, name: str = "g.txt") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def edges(g: DiGraph) -> list[tuple[object, object, float]]:
    name = range(g.n) if g.nodes is None else g.nodes
    return [
        (name[u], name[v], w)
        for u, v, w in zip(g.tails.tolist(), g.heads.tolist(), g.weights.tolist(), strict=True)
    ]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 10**15),
            st.integers(0, 40),
            st.one_of(st.integers(0, 10**12), st.floats(0, 1e300, allow_subnormal=True, width=64)),
        ),
        min_size=1,
        max_size=40,
    ),
    separator=st.sampled_from([" ", "\t", ",", " , ", "   "]),
    end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    packed=st.booleans(),
    piece=st.sampled_from([7, 64, 1 << 23]),
)
def test_what_was_written_is_read(tmp_path_factory, rows, separator, end, packed, piece) -> None:
    text = "# remark\n" + end.join(separator.join(map(repr, row)) for row in rows) + end
    path = tmp_path_factory.mktemp("g") / "list"
    data = text.encode()
    path.write_bytes(gzip.compress(data) if packed else data)
    before = text_tables._PIECE
    text_tables._PIECE = piece
    try:
        g = read_edgelist(path)
    finally:
        text_tables._PIECE = before
    assert edges(g) == [(u, v, float(w)) for u, v, w in rows]
    whole = all(isinstance(w, int) for _, _, w in rows)
    assert g.weights.dtype.kind == ("i" if whole else "f")
    used = sorted({x for u, v, _ in rows for x in (u, v)})
    assert (g.nodes is None) == (used == list(range(len(used))))
    assert g.nodes is None or list(g.nodes) == used


def test_as_networkx_reads(tmp_path: Path) -> None:
    graph = nx.gnm_random_graph(60, 300, seed=3, directed=True)
    for i, (_, _, data) in enumerate(graph.edges(data=True)):
        data["weight"] = 0.25 * i
    path = tmp_path / "edges.gz"
    nx.write_weighted_edgelist(graph, path)
    again = nx.read_weighted_edgelist(path, create_using=nx.DiGraph, nodetype=int)
    assert sorted(edges(read_digraph(path))) == sorted(again.edges(data="weight"))
    both = read_edgelist(path, directed=False)
    assert both.m == 600
    assert sorted(edges(both)[300:]) == sorted((v, u, w) for u, v, w in edges(both)[:300])
    loop = read_edgelist(write(tmp_path, "1 1\n1 2\n"), directed=False)
    assert edges(loop) == [(1, 1, 1), (1, 2, 1), (2, 1, 1)]


@pytest.mark.parametrize("mark", ["# ", "", "#"])
def test_columns_by_name_and_number(tmp_path: Path, mark: str) -> None:
    path = write(tmp_path, f"{mark}src,dst,time,length\n0,1,32,53.7\n1,0,18,30.0\n")
    assert read_edgelist(path).weights.tolist() == [32, 18]
    assert read_edgelist(path).weights.dtype == np.int32
    assert read_edgelist(path, weights="Length").weights.tolist() == [53.7, 30]
    assert read_edgelist(path, weights=3).weights.tolist() == [53.7, 30]
    assert read_edgelist(path, weights=None).weights.tolist() == [1, 1]
    assert read_digraph(path, weights="length").weights.tolist() == [53.7, 30]
    with pytest.raises(ValueError, match="no column is called 'toll'; there are src, dst"):
        read_edgelist(path, weights="toll")
    with pytest.raises(ValueError, match=r"must be in \[2, 4\)"):
        read_edgelist(path, weights=4)
    bare = write(tmp_path, "0 1\n1 2\n")
    assert read_edgelist(bare).weights.tolist() == [1, 1]
    with pytest.raises(ValueError, match="no line of names"):
        read_edgelist(bare, weights="w")


def test_large_numbers_keep_their_digits(tmp_path: Path) -> None:
    g = read_edgelist(write(tmp_path, "0 999999999999999999 4611686018427387\n"))
    assert g.nodes == [0, 999999999999999999]
    assert g.weights.tolist() == [4611686018427387]


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("0 1\n1 2 3\n", 2, "expected 2 fields, got 3"),
        ("0 1\n\n# x\n1\n", 4, "expected 2 fields, got 1"),
        ("0 1 5\n1 2 x\n", 2, "a weight must be a number, got 'x'"),
        ("0 1 5\n1 2 -3\n", 2, "not negative, got -3"),
        ("0 1 5\n1 2 nan\n", 2, "finite and not negative, got nan"),
        ("0 1 5\n1 2 inf\n", 2, "finite"),
        ("0 1\n1.5 2\n", 2, "a vertex must be an integer, got '1.5'"),
        ("0 1\n0 12345678901234567890\n", 2, "must be an integer"),
        ("0 1\n0 -\n", 2, "must be an integer"),
        ("0,1,2\n0,,1,2\n", 2, "expected 2 commas, got 3"),
        ("7\n", 1, "two ends"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, text: str, line: int, what: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ValueError, match=f"line {line}: .*{what}") as caught:
        read_edgelist(path)
    assert str(path) in str(caught.value)


def test_a_malformed_line_is_named_in_a_later_piece(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(text_tables, "_PIECE", 1000)
    path = write(tmp_path, "0 1\n" * 5000 + "0 z\n" + "1 0\n" * 5000)
    with pytest.raises(ValueError, match=r"line 5001: .*'z'"):
        read_edgelist(path)


def test_nothing_and_damage(tmp_path: Path) -> None:
    for text in ("", "\n\n", "# only a remark\n"):
        g = read_edgelist(write(tmp_path, text))
        assert (g.n, g.m) == (0, 0)
    packed = tmp_path / "half.gz"
    packed.write_bytes(gzip.compress(b"0 1\n" * 1000)[:-20])
    with pytest.raises(ValueError, match=r"half\.gz is damaged"):
        read_digraph(packed)
    with pytest.raises(FileNotFoundError):
        read_digraph(tmp_path / "missing")


def test_dimacs(tmp_path: Path) -> None:
    path, places = write(tmp_path, GR, "g.gr"), write(tmp_path, CO, "g.co")
    g = read_dimacs(path, places)
    assert edges(g) == [(1, 2, 5), (2, 3, 1), (3, 1, 2), (1, 2, 3)]
    assert g.nodes == range(1, 4)
    assert g.positions.tolist() == [[-73530767, 41085396], [0, -5], [1, 2]]
    assert edges(read_digraph(path)) == edges(g)
    assert read_digraph(path, weights=None).weights.tolist() == [1] * 4
    for text, what in [
        (GR.replace("a 2 3 1", "a 2 4 1"), "line 5: vertices are numbered 1 to 3, got 4"),
        (GR.replace("a 2 3 1", "b 2 3 1"), "line 5: expected a line 'a', got 'b'"),
        (GR.replace("a 2 3 1", "a 2 3"), "line 5: expected 4 fields, got 3"),
        (GR.replace("a 2 3 1", "a 2 3 -1"), "line 5: .*negative"),
        (GR.replace("sp 3 4", "sp 3 5"), "5 edges were announced, got 4"),
        (GR.replace("p sp 3 4", "p max 3 4"), "line 3: expected 'p sp n m'"),
        ("c\n", "no line 'p sp n m'"),
    ]:
        with pytest.raises(ValueError, match=what):
            read_dimacs(write(tmp_path, text, "bad.gr"))
    for text, what in [
        (CO.replace("v 3", "v 1"), "vertex 3 has no coordinates"),
        (CO.replace("co 3", "co 4"), "of 3 vertices were expected, got 4"),
    ]:
        with pytest.raises(ValueError, match=what):
            read_dimacs(path, write(tmp_path, text, "bad.co"))


def test_tntp(tmp_path: Path) -> None:
    path = write(tmp_path, TNTP, "x_net.tntp")
    g = read_tntp(path)
    assert edges(g) == [(1, 3, 2.5), (3, 2, 1), (2, 4, 0), (4, 1, 10), (3, 4, 0.5)]
    assert g.info["zones"].tolist() == [0, 1]
    assert g.info["first_thru_node"] == 3
    assert g.index(g.nodes[g.info["zones"][1]]) == 1
    assert read_tntp(path, weight="CAPACITY").weights.tolist() == [100, 100, 50, 50, 50]
    assert read_digraph(path, weights=2).weights.tolist() == [100, 100, 50, 50, 50]
    assert edges(read_digraph(path)) == edges(g)
    spaced = TNTP.replace("Init node\tTerm node", "init_node term_node").replace(
        "Free Flow Time", "free_flow_time"
    )
    assert edges(read_tntp(write(tmp_path, spaced, "s.tntp"))) == edges(g)
    for text, what in [
        (TNTP.replace("LINKS> 5", "LINKS> 6"), "6 links were announced, got 5"),
        (TNTP.replace("<END OF METADATA>", ""), "END OF METADATA"),
        (TNTP.replace("<NUMBER OF NODES> 4", ""), "number_of_nodes"),
        (TNTP.replace("\t2\t4\t50\t0\t", "\t2\t4\t50\t"), "line 11: expected 4 fields, got 3"),
        (TNTP.replace("\t2\t4\t50\t0\t", "\t2\t5\t50\t0\t"), "line 11: .*1 to 4, got 5"),
        (TNTP.replace("Free Flow Time", "Time"), "'free_flow_time'; there are Init node"),
    ]:
        with pytest.raises(ValueError, match=what):
            read_tntp(write(tmp_path, text, "bad.tntp"))


def test_matrices(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    a = sp.random_array((30, 30), density=0.2, rng=rng, format="csr")
    sp.save_npz(tmp_path / "a.npz", a)
    scipy.io.mmwrite(tmp_path / "a.mtx", a)
    packed = tmp_path / "b.mtx.gz"
    packed.write_bytes(gzip.compress((tmp_path / "a.mtx").read_bytes()))
    expected = sorted(edges(DiGraph.from_scipy(a)))
    for name in ("a.npz", "a.mtx", "b.mtx.gz"):
        found = sorted(edges(read_digraph(tmp_path / name)))
        assert [e[:2] for e in found] == [e[:2] for e in expected]
        np.testing.assert_allclose([e[2] for e in found], [e[2] for e in expected], rtol=1e-14)
    bad = tmp_path / "bad.mtx"
    bad.write_text("%%MatrixMarket matrix coordinate real general\n3 3 2\n1 1\n")
    with pytest.raises(ValueError, match=r"bad\.mtx, line 3: expected 3 fields, got 2"):
        read_digraph(bad)
    bad.write_bytes(b"PK\x03\x04 and nothing")
    with pytest.raises(ValueError, match=r"bad\.mtx is damaged"):
        read_digraph(bad)


@pytest.mark.parametrize(
    ("name", "size", "core"),
    [
        ("wiki-Vote.txt.gz", (7115, 103689), (1300, 39456)),
        ("Sydney_net.tntp.gz", (33113, 75379), (32956, 75029)),
        ("andorra_roads.csv.gz", (1973, 3979), (1912, None)),
    ],
)
def test_real_graphs(name: str, size: tuple[int, int], core: tuple[int, int | None]) -> None:
    root = Path(os.environ.get("WORKBENCH_DATA", "."))
    path = next((p for p in (root / name, root / "graphs" / name) if p.is_file()), None)
    if path is None:
        pytest.skip(f"WORKBENCH_DATA names no folder with {name}")
    g = read_digraph(path)
    assert (g.n, g.m) == size
    _, component = strong_components(g)
    largest = component == np.bincount(component).argmax()
    assert largest.sum() == core[0]
    inside = int((largest[g.tails] & largest[g.heads]).sum())
    assert core[1] is None or inside == core[1]
    if name.startswith("Sydney"):
        assert g.info["zones"].size == 3264
        assert g.info["first_thru_node"] == 3265
        assert g.weights[0] == 2.26
    if name.startswith("andorra"):
        assert (g.tails == g.heads).sum() == 19
        assert (g.weights == 0).sum() == 2
        assert read_edgelist(path, weights="length_m").weights[0] == 53.7
