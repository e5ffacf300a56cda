# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from workbench.search import Trace, read_trace


def record(number: int, score: float = 1.5) -> dict[str, Any]:
    return {
        "id": number,
        "genome": {"name": "line\nbreak é"},
        "metrics": {"m": score},
        "score": score,
    }


def test_records_come_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "trace.jsonl"
    records = [record(0), record(1, 0.1 + 0.2), record(2, math.inf), record(3, -math.inf)]
    Trace(path).append(records[:1])
    Trace(path).append(records[1:])
    assert read_trace(path) == records
    assert b"Infinity" not in path.read_bytes()


def test_a_torn_last_line_is_left_out_and_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    Trace(path).append([record(i) for i in range(3)])
    whole = path.read_bytes()
    last_line = whole.rstrip(b"\n").rfind(b"\n") + 1
    for length in range(last_line, len(whole)):
        path.write_bytes(whole[:length])
        assert read_trace(path) == [record(0), record(1)]
    Trace(path).keep(2)
    assert path.read_bytes() == whole[:last_line]


def test_keeping_fewer_records_cuts_the_rest(tmp_path: Path) -> None:
    trace = Trace(tmp_path / "trace.jsonl")
    trace.keep(0)
    trace.append([record(i) for i in range(5)])
    trace.keep(3)
    assert [r["id"] for r in read_trace(trace.path)] == [0, 1, 2]
    with pytest.raises(ValueError, match="holds 3 records, its checkpoint names 4"):
        trace.keep(4)
    assert len(read_trace(trace.path)) == 3
    trace.keep(0)
    assert trace.is_empty()


def test_a_broken_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    Trace(path).append([record(0)])
    path.write_bytes(path.read_bytes() + b'{"id": 1\n')
    with pytest.raises(ValueError, match="line 2 is no record"):
        read_trace(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"absent\.jsonl"):
        read_trace(tmp_path / "absent.jsonl")
