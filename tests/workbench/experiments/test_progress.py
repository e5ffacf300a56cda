# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io

import pytest

from workbench.experiments.progress import ProgressBoard, duration


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def board(clock: Clock, out: io.StringIO) -> ProgressBoard:
    return ProgressBoard(out, interactive=False, clock=clock, ticking=False)


def test_work_under_two_seconds_shows_nothing(
    board: ProgressBoard, clock: Clock, out: io.StringIO
) -> None:
    with board.task(10, "search") as task:
        for _ in range(10):
            clock.now += 0.19
            task.advance()
    assert out.getvalue() == ""


def test_lines_are_ten_seconds_apart(board: ProgressBoard, clock: Clock, out: io.StringIO) -> None:
    with board.task(100, "search") as task:
        for _ in range(100):
            clock.now += 1.0
            task.advance()
        assert len(out.getvalue().splitlines()) == 10


def test_a_line_names_counts_the_best_and_the_time_left(board: ProgressBoard, clock: Clock) -> None:
    with board.task(100, "search") as task:
        clock.now += 50
        task.advance(25, best="loss 0.31")
        assert board.line() == "[50 s] search 25/100 · loss 0.31 · about 2.5 min left"


def test_inner_tasks_count_as_parts_of_the_outer(board: ProgressBoard, clock: Clock) -> None:
    with board.task(4, "seeds") as outer:
        outer.advance()
        with board.task(10, "search") as inner:
            clock.now += 30
            inner.advance(5)
            # 1.5 of 4 seeds in 30 s leaves 50 s.
            assert board.line() == "[30 s] seeds 1/4 > search 5/10 · about 50 s left"
        outer.advance()
        assert board.line().startswith("[30 s] seeds 2/4 · ")


def test_work_that_was_read_back_does_not_shorten_the_estimate(
    board: ProgressBoard, clock: Clock
) -> None:
    with board.task(10, "seeds") as task:
        for _ in range(5):
            board.rebase()
            task.advance()
        clock.now += 60
        task.advance()
        assert board.line().endswith("about 4.0 min left")


def test_a_task_that_was_shown_ends_with_one_line(
    board: ProgressBoard, clock: Clock, out: io.StringIO
) -> None:
    with board.task(2, "train") as task:
        clock.now += 20
        task.advance(2, best="loss 0.2")
    assert out.getvalue().splitlines()[-1] == "train: 2 in 20 s · loss 0.2"


def test_a_task_that_fails_leaves_the_board_empty(
    board: ProgressBoard, clock: Clock, out: io.StringIO
) -> None:
    def fail() -> None:
        with board.task(2, "train"):
            clock.now += 20
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert out.getvalue() == ""
    with board.task(1, "next"):
        assert board.line() == "[0.0 s] next 0/1"


def test_a_bar_is_drawn_for_a_terminal_and_taken_away(clock: Clock, out: io.StringIO) -> None:
    board = ProgressBoard(out, interactive=True, clock=clock, ticking=False)
    with board.task(4, "seeds") as outer:
        clock.now += 3
        outer.advance()
        with board.task(2, "search [x]") as inner:
            inner.advance(best="loss [0.1]")
            board.say("a [note]")
    assert "a [note]" in out.getvalue()
    assert out.getvalue().splitlines()[-1] == "seeds: 1 in 3.0 s"


def test_an_empty_task_is_complete(board: ProgressBoard) -> None:
    with board.task(0, "nothing"):
        assert board.line() == "[0.0 s] nothing 0/0"


def test_a_negative_total_is_refused(board: ProgressBoard) -> None:
    with pytest.raises(ValueError, match="total must be at least 0, got -1"):
        board.task(-1, "x")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-1, "0.0 s"),
        (4.26, "4.3 s"),
        (59.6, "60 s"),
        (150, "2.5 min"),
        (1800, "30 min"),
        (9000, "2.5 h"),
    ],
)
def test_durations_read_at_a_glance(seconds: float, words: str) -> None:
    assert duration(seconds) == words
