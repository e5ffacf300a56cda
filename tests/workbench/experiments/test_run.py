# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.experiments import Experiment, Run, RunError, StoredRun, execute
from workbench.experiments import lock as run_lock
from workbench.experiments.folder import find_run, run_folders
from workbench.experiments.run import create_run_folder
from workbench.experiments.session import continue_run, prepare


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[], Run]:
    path = create_run_folder(tmp_path, "exp", 1, {"a": 1})
    return lambda: Run(path)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_unit_of_work_is_computed_once_over_all_sessions(new_run: Callable[[], Run]) -> None:
    calls: list[int] = []
    for _ in range(3):
        with new_run() as run:
            assert run.once("unit", lambda: calls.append(1) or {"x": (1, 2)}) == {"x": (1, 2)}
    assert len(calls) == 1


def test_what_the_first_session_found_holds_for_all(new_run: Callable[[], Run]) -> None:
    with new_run() as run:
        run.record_environment({"session": 1}, first=True)
        assert run.find("judge", lambda: None) is None
    with new_run() as run:
        # installed in between: an unbroken run would not have seen it
        run.record_environment({"session": 2}, first=True)
        assert run.find("judge", lambda: "39") is None
        assert run.find("other", lambda: ["a"]) == ["a"]
        run.record_environment({"session": "2, at its end"}, first=False)
    stored = StoredRun(run.path)
    assert stored.found() == {"judge": None, "other": ["a"]}
    assert [s["session"] for s in stored.environment()] == [1, "2, at its end"]


def test_a_unit_that_fails_is_computed_again(new_run: Callable[[], Run]) -> None:
    with pytest.raises(ZeroDivisionError), new_run() as run:
        run.once("unit", lambda: 1 // 0)
    with new_run() as run:
        assert run.once("unit", lambda: 3) == 3


def test_the_first_call_returns_what_later_calls_return(new_run: Callable[[], Run]) -> None:
    from collections import OrderedDict

    with new_run() as run:
        first = run.once("unit", lambda: OrderedDict(a=1))
        assert type(first) is dict
        assert type(run.once("unit", lambda: None)) is dict


def test_keys_that_look_alike_in_file_names_are_kept_apart(new_run: Callable[[], Run]) -> None:
    keys = ["a/b", "a b", "a_b", "ä", "ö", "x" * 300, "x" * 301]
    with new_run() as run:
        assert [run.once(key, lambda key=key: key) for key in keys] == keys


def test_names_belong_to_the_enclosing_unit(new_run: Callable[[], Run]) -> None:
    def unit(run: Run, number: int) -> Any:
        before = run.restore("loop")
        run.checkpoint("loop", number)
        return before, run.once("part", lambda: number)

    with new_run() as run:
        assert run.once("one", lambda: unit(run, 1)) == (None, 1)
        assert run.once("two", lambda: unit(run, 2)) == (None, 2)


def test_inner_files_go_when_the_outer_unit_is_stored(new_run: Callable[[], Run]) -> None:
    with new_run() as run:

        def outer() -> int:
            run.once("inner", lambda: 1)
            run.checkpoint("loop", 2)
            assert len(list(run.path.rglob("*.npz"))) == 2
            return 3

        run.once("outer", outer)
        assert [path.name[:5] for path in run.path.rglob("*.npz")] == ["outer"]


def test_a_checkpoint_is_there_after_the_process_ends(new_run: Callable[[], Run]) -> None:
    with new_run() as run:
        assert run.restore("loop") is None
        for step in range(3):
            run.checkpoint("loop", {"step": step})
    with new_run() as run:
        assert run.restore("loop") == {"step": 2}


def test_records_of_a_stored_unit_are_logged_again(new_run: Callable[[], Run]) -> None:
    def work(run: Run, fail: bool) -> None:
        run.log({"outside": 0})
        run.once("unit", lambda: run.log({"inside": 1}))
        if fail:
            raise RuntimeError
        run.log({"outside": 2})
        run.finish({})

    with pytest.raises(RuntimeError), new_run() as run:
        work(run, fail=True)
    with new_run() as run:
        work(run, fail=False)
        assert run.metrics() == [{"outside": 0}, {"inside": 1}, {"outside": 2}]


def test_records_that_a_finished_run_did_not_log_again_are_cut_off(
    new_run: Callable[[], Run],
) -> None:
    with new_run() as run:
        run.log({"step": 0})
        run.log({"step": 1})
    with new_run() as run:
        run.log({"step": 0})
        run.finish({})
    assert run.metrics() == [{"step": 0}]


def test_seconds_accumulate_over_sessions(new_run: Callable[[], Run]) -> None:
    for _ in range(2):
        with new_run() as run:
            run.timing("train", 1.5)
    timing = StoredRun(run.path).timing()
    assert timing["seconds"] == {"train": 3.0}
    assert timing["sessions"] == 2
    assert timing["total"] > 0


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"loss": float("nan")}, r"result\['loss'\] must be finite"),
        ({"x": [1, {2}]}, r"result\['x'\]\[1\]"),
        ({"passed": 1}, r"result\['passed'\] must be a bool"),
        ({"headline": 3}, r"result\['headline'\] must be text"),
        ({"warnings": "w"}, r"result\['warnings'\] must be a list"),
        ([1], "result must be a dict"),
    ],
)
def test_a_result_json_cannot_hold_is_named(
    new_run: Callable[[], Run], result: Any, words: str
) -> None:
    with new_run() as run, pytest.raises((TypeError, ValueError), match=words):
        run.finish(result)
    assert run.state == "interrupted"


def test_numpy_numbers_are_stored_as_plain_ones(new_run: Callable[[], Run]) -> None:
    import numpy as np

    with new_run() as run:
        run.finish({"a": np.float32(0.5), "b": np.int64(3), "c": np.bool_(True), "d": (1, 2)})
    assert run.result() == {"a": 0.5, "b": 3, "c": True, "d": [1, 2]}


def test_what_a_unit_returns_is_named_where_it_cannot_be_stored(
    new_run: Callable[[], Run],
) -> None:
    with new_run() as run, pytest.raises(TypeError, match=r"unit: value\['x'\] is a .*set"):
        run.once("unit", lambda: {"x": {1}})


def test_a_stored_result_is_taken_without_computing(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    first = execute(walks, walk_config(), runs=tmp_path)
    content = (first.run.path / "result.json").read_bytes()
    second = execute(walks, walk_config(), runs=tmp_path)
    assert (first.is_new, second.is_new) == (True, False)
    assert second.result == first.result
    assert (first.run.path / "result.json").read_bytes() == content


def test_force_runs_again_and_keeps_the_old_folder(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    first = execute(walks, walk_config(), runs=tmp_path)
    before = _files(first.run.path)
    again = execute(walks, walk_config(), runs=tmp_path, force=True)
    assert again.is_new
    assert _files(first.run.path.with_name(f"{first.run.path.name}~1")) == before
    assert list(run_folders(tmp_path)) == [again.run.path]


def test_results_hold_no_trace_of_when_or_where(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    contents = {
        (execute(walks, walk_config(), runs=tmp_path / name).run.path / "result.json").read_bytes()
        for name in ("one", "two")
    }
    assert len(contents) == 1
    text = contents.pop().decode()
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"


def test_a_config_of_another_type_is_refused(tmp_path: Path, walks: Experiment[Any]) -> None:
    with pytest.raises(TypeError, match="config must be a WalkConfig"):
        execute(walks, {"walks": 1}, runs=tmp_path)


def _damage_format(path: Path) -> None:
    data = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**data, "format": 99}))


def _damage_config(path: Path) -> None:
    data = json.loads((path / "config.json").read_text())
    data["config"]["walks"] = 7
    (path / "config.json").write_text(json.dumps(data))


def _truncate(name: str) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        file = next(path.glob(name))
        file.write_bytes(file.read_bytes()[:-20])

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (_damage_format, "format 99"),
        (_damage_config, "was changed after the run began"),
        (_truncate("config.json"), "truncated or damaged"),
        (_truncate("env.json"), "truncated or damaged"),
        (_truncate("timing.json"), "truncated or damaged"),
        (_truncate("steps/walk_0-*.npz"), "truncated or damaged"),
        (_truncate("checkpoints/walk_1_loop-*.npz"), "truncated or damaged"),
    ],
)
def test_a_damaged_folder_is_refused_and_nothing_in_it_changes(
    tmp_path: Path,
    walks: Experiment[Any],
    walk_config: type[Any],
    damage: Callable[[Path], None],
    words: str,
) -> None:
    path = _interrupted(walks, walk_config(), tmp_path)
    intact = _files(path)
    damage(path)
    before = _files(path)
    damaged = {name for name in before if before[name] != intact[name]}
    with pytest.raises(RunError, match=words):
        execute(walks, walk_config(), runs=tmp_path)
    after = _files(path)
    changed = {name for name in before if after.get(name) != before[name]}
    # Damage found within the run is found after this session has been counted and described.
    assert changed <= ({"timing.json", "env.json"} - damaged)


def _interrupted(walks: Experiment[Any], config: Any, runs: Path) -> Path:
    """Leave a run that stopped within its second unit."""
    path = prepare(walks, config, runs=runs)

    class Stop(Exception):  # noqa: N818
        pass

    def work(config: Any, run: Run) -> dict[str, Any]:
        checkpoint = run.checkpoint

        def stop_in_the_second_walk(name: str, tree: Any) -> None:
            checkpoint(name, tree)
            if len(run.metrics()) == config.steps + 2:
                raise Stop

        run.checkpoint = stop_in_the_second_walk  # type: ignore[method-assign]
        return walks.run(config, run)

    stopping = Experiment("walks", "Stops", walks.config, work, walks.report)
    with pytest.raises(Stop):
        continue_run(stopping, path)
    return path


def test_an_interrupted_run_ends_as_an_unbroken_one(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    alone = execute(walks, walk_config(), runs=tmp_path / "alone").run.path
    broken = _interrupted(walks, walk_config(), tmp_path / "broken")
    assert StoredRun(broken).state == "interrupted"
    execute(walks, walk_config(), runs=tmp_path / "broken")
    for name in ("result.json", "metrics.jsonl", "config.json"):
        assert (broken / name).read_bytes() == (alone / name).read_bytes()


def test_a_damaged_result_is_refused(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    path = execute(walks, walk_config(), runs=tmp_path).run.path
    _truncate("result.json")(path)
    before = (path / "result.json").read_bytes()
    with pytest.raises(RunError, match=r"result\.json is truncated"):
        execute(walks, walk_config(), runs=tmp_path)
    assert (path / "result.json").read_bytes() == before


def test_a_run_of_another_experiment_version_is_refused(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    path = execute(walks, walk_config(), runs=tmp_path).run.path
    newer = Experiment("walks", "Newer", walk_config, walks.run, walks.report, version=2)
    with pytest.raises(RunError, match=r"made by version 1 .* installed is version 2"):
        continue_run(newer, path)


def test_a_folder_that_is_no_run_is_not_written_into(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    path = prepare(walks, walk_config(), runs=tmp_path)
    (path / "config.json").unlink()
    (path / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="no run folder"):
        execute(walks, walk_config(), runs=tmp_path)
    assert _files(path) == {"notes.txt": b"mine"}


def test_debris_of_a_start_that_was_killed_is_no_hindrance(
    tmp_path: Path, walks: Experiment[Any], walk_config: type[Any]
) -> None:
    path = prepare(walks, walk_config(), runs=tmp_path)
    (path / "config.json").unlink()
    (path / ".config.json.17.partial").write_bytes(b"{")
    outcome = execute(walks, walk_config(), runs=tmp_path)
    assert outcome.is_new
    assert not list(path.glob(".*"))


def test_two_writers_do_not_meet(new_run: Callable[[], Run]) -> None:
    with new_run() as run:
        assert run.state == "running"
        with pytest.raises(RunError, match=f"written by process {os.getpid()}"):
            new_run()
    assert run.state == "interrupted"
    with new_run():
        pass


_HOLD = """
import sys
from workbench.experiments import Run
with Run(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_process(new_run: Callable[[], Run], python_environment: dict[str, str]) -> Any:
    with new_run() as run:
        path = run.path
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=python_environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_the_lock_of_a_live_process_is_respected(
    new_run: Callable[[], Run], other_process: subprocess.Popen[str]
) -> None:
    with pytest.raises(RunError, match=f"process {other_process.pid}"):
        new_run()


def test_the_lock_of_a_killed_process_is_taken_over(
    new_run: Callable[[], Run], other_process: subprocess.Popen[str]
) -> None:
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    with new_run() as run:
        assert (run.path / "lock").exists()


def test_a_reused_process_id_does_not_hold_a_lock(new_run: Callable[[], Run]) -> None:
    with new_run() as run:
        stored = json.loads((run.path / "lock").read_text())
    stale = {**stored, "started": stored["started"] - 1}
    (run.path / "lock").write_text(json.dumps(stale))
    assert run_lock.owner(run.path) is None


def test_the_lock_of_another_host_is_respected(new_run: Callable[[], Run]) -> None:
    with new_run() as run:
        stored = json.loads((run.path / "lock").read_text())
    (run.path / "lock").write_text(json.dumps({**stored, "host": "elsewhere", "pid": 1}))
    with pytest.raises(RunError, match="on elsewhere"):
        new_run()


def test_runs_are_found_by_path_by_id_and_by_its_beginning(tmp_path: Path) -> None:
    one = create_run_folder(tmp_path, "exp", 1, {"a": 1})
    two = create_run_folder(tmp_path, "exp", 1, {"a": 2})
    assert one.name[0] != two.name[0]
    for name in (str(one), one.name, one.name[:1], f"exp/{one.name}"):
        assert find_run(tmp_path, name) == one


def test_an_ambiguous_or_unknown_id_names_what_exists(tmp_path: Path) -> None:
    folders = [create_run_folder(tmp_path, "exp", 1, {"a": a}) for a in range(17)]
    firsts = [path.name[0] for path in folders]
    repeated = next(first for first in firsts if firsts.count(first) > 1)
    with pytest.raises(LookupError, match="begins the id of"):
        find_run(tmp_path, repeated)
    with pytest.raises(LookupError, match=folders[0].name):
        find_run(tmp_path, "zzz")
