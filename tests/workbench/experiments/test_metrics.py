# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.experiments import RunError
from workbench.experiments.folder import read_lines
from workbench.experiments.metrics import MetricsLog

_RECORDS = st.lists(st.fixed_dictionaries({"step": st.integers(0, 3), "text": st.text()}))


def _write(path: Path, records: list[dict[str, object]], *, finished: bool = True) -> bytes:
    log = MetricsLog(path)
    for record in records:
        log.append(record)
    if finished:
        log.drop_rest()
    log.close()
    return path.read_bytes()


@given(records=_RECORDS, data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_resumed_log_equals_an_unbroken_one_wherever_it_was_cut(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[dict[str, object]],
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.getbasetemp() / "metrics.jsonl"
    path.unlink(missing_ok=True)
    whole = _write(path, records)
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    assert _write(path, records) == whole


@given(before=_RECORDS, after=_RECORDS)
@settings(max_examples=40, deadline=None)
def test_records_that_differ_are_replaced(
    tmp_path_factory: pytest.TempPathFactory,
    before: list[dict[str, object]],
    after: list[dict[str, object]],
) -> None:
    path = tmp_path_factory.getbasetemp() / "metrics.jsonl"
    path.unlink(missing_ok=True)
    alone = _write(path, after)
    path.unlink()
    _write(path, before)
    assert _write(path, after) == alone


def test_records_not_yet_reached_again_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    _write(path, [{"a": 1}, {"a": 2}])
    _write(path, [{"a": 1}], finished=False)
    assert len(read_lines(path)) == 2


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2')
    assert read_lines(path) == [b'{"a": 1}\n']


def test_a_damaged_line_in_the_middle_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a\n{"a": 3}\n')
    with pytest.raises(RunError, match="line 2"):
        MetricsLog(path)
    assert path.read_bytes() == b'{"a": 1}\n{"a\n{"a": 3}\n'


def test_values_json_has_no_word_for_become_null(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    _write(path, [{"loss": float("nan"), "bound": float("-inf")}])
    assert json.loads(path.read_text()) == {"loss": None, "bound": None}


def test_a_record_json_cannot_hold_is_named(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path / "m.jsonl")
    with pytest.raises(TypeError, match=r"record\['x'\]"):
        log.append({"x": object()})
    log.close()
