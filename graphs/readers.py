# SPDX-License-Identifier: Apache-2.0
"""Directed graphs from files: edge lists, DIMACS, TNTP, Matrix Market and scipy's ``.npz``."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from workbench.distribution import MissingExtraError
from workbench.storage.limits import check_bytes
from workbench.storage.packed import read_bytes
from workbench.storage.sparse import read_market, read_npz_matrix
from workbench.storage.tables import MalformedError, rows_of

__all__ = ["read_digraph", "read_dimacs", "read_edgelist", "read_tntp"]

Array = npt.NDArray[Any]
_Path = str | os.PathLike[str]
_VERTEX_BYTES = 16  # row pointers of a graph and of its reverse
_TNTP = [
    *("init_node", "term_node", "capacity", "length", "free_flow_time"),
    *("b", "power", "speed", "toll", "link_type"),
]
_TNTP_HEADER = re.compile(rb"^[ \t]*~([^\r\n]*)", re.MULTILINE)
_TNTP_MARK = re.compile(rb"^[ \t]*<(END OF METADATA|NUMBER OF \w+)>", re.MULTILINE | re.IGNORECASE)


def read_edgelist(
    path: _Path,
    *,
    weights: int | str | None = "auto",
    comments: str = "#%",
    directed: bool = True,
) -> DiGraph:
    """Read an edge list: one edge per line, its ends in the first two columns.

    Parameters
    ----------
    path : path
        Plain or gzip-packed. Columns are separated by white space or by commas. A line of names
        may come first, as a comment or not.
    weights : int, str or None
        Column of the weights: its number from 0, or its name. ``"auto"``: the third where there
        is one. None: all weights are 1.
    comments : str
        Lines beginning with one of these characters are left out.
    directed : bool
        False: every edge but loops also the other way round; these follow after all others.

    Returns
    -------
    DiGraph
        int32 weights where they fit, else int64; float64 unless all are integers. Where the file
        does not use all numbers from 0 up, its numbers are kept, rising, as ``nodes``.

    Raises
    ------
    ValueError
        If a line is malformed, naming file and line, a weight is negative, or there is no such
        column.
    """
    where, data = read_bytes(path)
    return _edgelist(where, data, weights, comments, directed)


def read_dimacs(path: _Path, coordinates: _Path | None = None) -> DiGraph:
    """Read a graph of the 9th DIMACS implementation challenge (shortest paths).

    Parameters
    ----------
    path : path
        A ``.gr`` file, plain or gzip-packed: ``p sp n m``, then ``a tail head weight``.
    coordinates : path, optional
        The ``.co`` file beside it (``v vertex x y``): they become ``positions``.

    Returns
    -------
    DiGraph
        ``nodes`` is ``range(1, n + 1)``.

    Raises
    ------
    ValueError
        If a line is malformed, naming file and line, or edges or vertices are missing.
    """
    return _dimacs(*read_bytes(path), coordinates)


def read_tntp(path: _Path, *, weight: int | str = "free_flow_time") -> DiGraph:
    """Read a road network in the TNTP format (``*_net.tntp``).

    Parameters
    ----------
    path : path
        Plain or gzip-packed.
    weight : int or str
        Column of the weights: its number from 0, or its name in the line that begins with
        ``~`` (case does not matter, nor what stands between words).

    Returns
    -------
    DiGraph
        ``nodes`` is ``range(1, n + 1)``. ``info`` holds the file's metadata under their names in
        lower case (``number_of_links``, ...), numbers as int, and besides ``zones``, int64: the
        vertices trips begin and end at.

    Raises
    ------
    ValueError
        If a line is malformed, naming file and line, metadata or links are missing, or there is
        no such column.

    Notes
    -----
    Vertices below ``first_thru_node`` are meant as ends of trips only. Shortest paths here
    may lead through them.
    """
    return _tntp(*read_bytes(path), weight)


def read_digraph(path: _Path, *, weights: int | str | None = "auto") -> DiGraph:
    """Read a graph in any of the formats, which is recognised by what the file contains.

    Parameters
    ----------
    path : path
        An edge list, DIMACS ``.gr``, TNTP, Matrix Market, each plain or gzip-packed, or a matrix
        in scipy's ``.npz``: entry (i, j) is an edge from i to j.
    weights : int, str or None
        For the formats with columns: as in :func:`read_edgelist` and :func:`read_tntp`;
        ``"auto"`` leaves it to them, None makes all weights 1.

    Returns
    -------
    DiGraph

    Raises
    ------
    ValueError
        If the file is malformed.
    ImportError
        If the file is a matrix and scipy is not installed.
    """
    where, data = read_bytes(path)
    head = data[: 1 << 16]
    if data[:4] == b"PK\x03\x04" or data.lstrip()[:14].lower() == b"%%matrixmarket":
        g = _from_matrix(where, _matrix(where, data))
    elif _TNTP_MARK.search(head):
        named = weights if weights is not None and weights != "auto" else "free_flow_time"
        g = _tntp(where, data, named)
    elif re.search(rb"^p\s+sp\s", head, re.MULTILINE):
        g = _dimacs(where, data, None)
    else:
        return _edgelist(where, data, weights, "#%", True)
    if weights is not None:
        return g
    ones = np.ones(g.m, np.int32)
    return DiGraph(g.n, g.tails, g.heads, ones, g.nodes, positions=g.positions, info=g.info)


def _edgelist(
    path: Path, data: bytes, weights: int | str | None, comments: str, directed: bool
) -> DiGraph:
    names, skip = _header(data, comments)
    tails, heads, weight = [], [], []
    column: int | None = None
    for i, rows in enumerate(rows_of(path, data, comments=comments, skip=skip)):
        width = rows.starts.shape[1]
        if width < 2:
            raise MalformedError(path, int(rows.lines[0]), "an edge needs two ends, got one field")
        if i == 0 and weights is not None and (weights != "auto" or width > 2):
            column = 2 if weights == "auto" else _column(path, names, weights, rows)
        tails.append(rows.integers(0, "a vertex"))
        heads.append(rows.integers(1, "a vertex"))
        if column is not None:
            weight.append(_not_negative(rows.numbers(column, "a weight"), rows))
    ends = np.concatenate([_joined(tails, np.int64), _joined(heads, np.int64)])
    nodes, number = _renumbered(ends)
    tail, head = np.split(number, 2)
    w = np.ones(tail.size, np.int32) if column is None else _narrow(_joined(weight))
    if not directed:
        twin = tail != head
        tail, head = np.concatenate([tail, head[twin]]), np.concatenate([head, tail[twin]])
        w = np.concatenate([w, w[twin]])
    n = int(number.max(initial=-1)) + 1
    return DiGraph(n, tail, head, w, nodes)


def _dimacs(where: Path, data: bytes, coordinates: _Path | None) -> DiGraph:
    n, m, line = _problem(where, data, rb"p\s+sp\s+(\d+)\s+(\d+)\s*$", "p sp n m")
    ends, weight = [], []
    for rows in rows_of(where, data, comments="c", width=4, separators=" \t", skip=line):
        rows.letters(0, "a")
        ends.append([_numbered(rows.integers(k, "a vertex"), n, rows) for k in (1, 2)])
        weight.append(_not_negative(rows.numbers(3, "a weight"), rows))
    found = sum(len(w) for w in weight)
    if found != m:
        raise ValueError(f"{where}: {m} edges were announced, got {found}")
    position = None if coordinates is None else _coordinates(coordinates, n)
    tails, heads = (_joined([e[k] for e in ends], np.int64) for k in (0, 1))
    return DiGraph(n, tails, heads, _narrow(_joined(weight)), range(1, n + 1), positions=position)


def _tntp(where: Path, data: bytes, weight: int | str) -> DiGraph:
    end = re.search(rb"^[ \t]*<END OF METADATA>.*$", data, re.MULTILINE | re.IGNORECASE)
    if end is None:
        raise ValueError(f"{where}: there is no line <END OF METADATA>")
    info = _metadata(data[: end.start()])
    for key in ("number_of_nodes", "number_of_links"):
        if not isinstance(info.get(key), int):
            raise ValueError(f"{where}: the metadata do not give {key}")
    check_bytes(where, f"a graph of {info['number_of_nodes']} nodes",
                _VERTEX_BYTES * info["number_of_nodes"])  # fmt: skip
    n, skip = info["number_of_nodes"], data.count(b"\n", 0, end.end()) + 1
    header = _TNTP_HEADER.search(data, end.end())
    line = b"" if header is None else header.group(1)
    ends, column, weights = [], None, []
    for rows in rows_of(where, data, comments="~", separators=" \t;", skip=skip):
        if column is None:
            column = _column(where, _tntp_names(line, rows.starts.shape[1]), weight, rows)
        ends.append([_numbered(rows.integers(k, "a node"), n, rows) for k in (0, 1)])
        weights.append(_not_negative(rows.numbers(column, "a weight"), rows))
    found = sum(len(w) for w in weights)
    if found != info["number_of_links"]:
        raise ValueError(f"{where}: {info['number_of_links']} links were announced, got {found}")
    tails, heads = (_joined([e[k] for e in ends], np.int64) for k in (0, 1))
    zones = info.get("number_of_zones", 0)
    info["zones"] = np.arange(min(zones, n) if isinstance(zones, int) else 0, dtype=np.int64)
    return DiGraph(n, tails, heads, _narrow(_joined(weights)), range(1, n + 1), info=info)


def _header(data: bytes, comments: str) -> tuple[list[str], int]:
    """Names of the columns and how many lines to skip; a commented header needs no skipping."""
    names: list[str] = []
    at, line = 0, 0
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        text = data[at:end].decode("utf-8", "replace").strip()
        at, line = end + 1, line + 1
        if not text:
            continue
        if text[0] in comments:
            names = _split(text.lstrip(comments))
            continue
        fields = _split(text)
        if len(fields) >= 2 and not re.match(r"[+-]?[\d.]", fields[0] + fields[1]):
            return fields, line
        return names if len(names) == len(fields) else [], 0
    return names, 0


def _split(text: str) -> list[str]:
    return [field.strip().strip('"') for field in re.split(r"[,\s]+", text.strip())]


def _column(path: Path, names: list[str], wanted: int | str, rows: Any) -> int:
    width = rows.starts.shape[1]
    if isinstance(wanted, str):
        plain = [_plain(name) for name in names]
        if _plain(wanted) not in plain:
            known = ", ".join(names) if names else "none: the file has no line of names"
            raise ValueError(f"{path}: no column is called {wanted!r}; there are {known}")
        wanted = plain.index(_plain(wanted))
    if not 2 <= wanted < width:
        raise ValueError(
            f"{path}: the column of weights must be in [2, {width}), as line "
            f"{int(rows.lines[0])} has {width}, got {wanted}"
        )
    return wanted


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _tntp_names(header: bytes, width: int) -> list[str]:
    """Names may be of several words, then between tabs; without a usable line the usual ten."""
    line = header.decode("utf-8", "replace").replace(";", " ").strip()
    for names in (line.split(), [x.strip() for x in line.split("\t") if x.strip()]):
        if len(names) == width:
            return names
    return _TNTP if len(_TNTP) == width else []


def _metadata(text: bytes) -> dict[str, Any]:
    info: dict[str, Any] = {}
    for key, value in re.findall(r"<([^<>]+)>([^\r\n]*)", text.decode("utf-8", "replace")):
        value = value.strip()
        info[_plain(key)] = int(value) if re.fullmatch(r"\d{1,18}", value) else value
    return info


def _problem(path: Path, data: bytes, pattern: bytes, form: str) -> tuple[int, int, int]:
    """Both numbers of the problem line, and how many lines end with it."""
    first = re.search(rb"^[ \t]*[^c\s].*$", data, re.MULTILINE)
    if first is None:
        raise ValueError(f"{path}: there is no line {form!r}")
    line = data.count(b"\n", 0, first.start()) + 1
    found = re.match(pattern, first.group().strip())
    if found is None:
        got = first.group().strip().decode("utf-8", "replace")
        raise MalformedError(path, line, f"expected {form!r}, got {got!r}")
    numbers = [_whole(x, path, line) for x in found.groups()]
    check_bytes(path, f"a graph of {numbers[0]} vertices", _VERTEX_BYTES * numbers[0])
    return numbers[0], numbers[-1], line


def _whole(text: bytes, path: Path, line: int) -> int:
    if len(text) > 18:
        raise MalformedError(path, line, f"expected at most 18 digits, got {len(text)}")
    return int(text)


def _coordinates(path: _Path, n: int) -> Array:
    where, data = read_bytes(path)
    announced, _, line = _problem(where, data, rb"p\s+aux\s+sp\s+co\s+(\d+)\s*$", "p aux sp co n")
    if announced != n:
        raise ValueError(f"{where}: coordinates of {n} vertices were expected, got {announced}")
    out = np.full((n, 2), np.nan)
    for rows in rows_of(where, data, comments="c", width=4, separators=" \t", skip=line):
        rows.letters(0, "v")
        v = _numbered(rows.integers(1, "a vertex"), n, rows)
        for k in (0, 1):
            out[v, k] = rows.numbers(2 + k, "a coordinate")
    missing = np.flatnonzero(np.isnan(out).any(axis=1))
    if missing.size:
        raise ValueError(f"{where}: vertex {int(missing[0]) + 1} has no coordinates")
    return out


def _numbered(v: Array, n: int, rows: Any) -> Array:
    wrong = np.flatnonzero((v < 1) | (v > n))
    if wrong.size:
        at = int(wrong[0])
        raise MalformedError(
            rows.path, int(rows.lines[at]), f"vertices are numbered 1 to {n}, got {int(v[at])}"
        )
    return v - 1


def _not_negative(w: Array, rows: Any) -> Array:
    wrong = np.flatnonzero(~((w >= 0) & np.isfinite(w)))
    if wrong.size:
        at = int(wrong[0])
        what = f"weights must be finite and not negative, got {w[at]}"
        raise MalformedError(rows.path, int(rows.lines[at]), what)
    return w


def _joined(pieces: list[Array], dtype: Any = np.int32) -> Array:
    return np.concatenate(pieces) if pieces else np.zeros(0, dtype)


def _narrow(w: Array) -> Array:
    """int32 where it holds: the search then reads half as much."""
    fits = w.dtype.kind == "i" and int(w.max(initial=0)) < 2**31
    return w.astype(np.int32) if fits else w


def _renumbered(ends: Array) -> tuple[list[int] | None, Array]:
    """Names, unless they are 0 to n - 1, and numbers."""
    if not ends.size:
        return None, ends
    low, high = int(ends.min()), int(ends.max())
    if high - low <= 8 * ends.size:  # marking them is quicker than sorting
        used = np.zeros(high - low + 1, bool)
        used[ends - low] = True
        names = np.flatnonzero(used) + low
        number = (np.cumsum(used) - 1)[ends - low]
    else:
        names, number = np.unique(ends, return_inverse=True)
    if int(names[0]) == 0 and int(names[-1]) == names.size - 1:
        return None, number
    return names.tolist(), number.reshape(-1)


def _from_matrix(path: Path, matrix: Any) -> DiGraph:
    check_bytes(path, f"a graph of {matrix.shape[0]} vertices", _VERTEX_BYTES * matrix.shape[0])
    try:
        return DiGraph.from_scipy(matrix)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _matrix(path: Path, data: bytes) -> Any:
    try:
        import scipy.sparse  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(f"reading {path.name} needs scipy", "sparse") from error
    if data[:2] == b"PK":
        return read_npz_matrix(io.BytesIO(data), path)
    return read_market(path, data)
