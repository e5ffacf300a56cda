# SPDX-License-Identifier: Apache-2.0
"""Columns of numbers out of large text files, without a Python loop per line.

A file is cut into pieces of some megabytes at line ends. In each, separators are marked, fields
are what lies between them, and numbers are put together digit by digit for a whole column.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["MalformedError", "Rows", "rows_of"]

Array = npt.NDArray[Any]
_PIECE = 1 << 23
_LONGEST_FLOAT = 64
_DIGITS_OF_INT64 = 18  # any number of so many digits fits


class MalformedError(ValueError):
    """A line that is not what it should be; names file and line."""

    def __init__(self, path: Path, line: int, what: str) -> None:
        super().__init__(f"{path}, line {line}: {what}")


@dataclass(frozen=True)
class Rows:
    """Rows of equally many fields.

    Attributes
    ----------
    path : Path
        Whence, for messages.
    text : ndarray
        uint8, shape ``(bytes,)``.
    starts, ends : ndarray
        int64, shape ``(rows, width)``: where each field begins and ends.
    lines : ndarray
        int64, shape ``(rows,)``: line of the file, from 1.
    """

    path: Path
    text: Array
    starts: Array
    ends: Array
    lines: Array

    def field(self, row: int, column: int) -> str:
        piece = self.text[self.starts[row, column] : self.ends[row, column]]
        return piece.tobytes().decode("utf-8", "replace")

    def letters(self, column: int, letter: str) -> None:
        """Refuse rows where this column is anything but a certain letter."""
        starts, ends = self.starts[:, column], self.ends[:, column]
        wrong = (ends - starts != 1) | (self.text[starts] != ord(letter))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise self._wrong(row, f"expected a line {letter!r}, got {self.field(row, column)!r}")

    def integers(self, column: int, what: str) -> npt.NDArray[np.int64]:
        """A column of integers."""
        values, wrong = self._integers(column)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise self._wrong(row, f"{what} must be an integer, got {self.field(row, column)!r}")
        return values

    def numbers(self, column: int, what: str) -> Array:
        """A column of weights: int64 if all are integers, else float64."""
        values, wrong = self._integers(column)
        return self._floats(column, what) if wrong.any() else values

    def _wrong(self, row: int, what: str) -> MalformedError:
        return MalformedError(self.path, int(self.lines[row]), what)

    def _integers(self, column: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        starts, ends = self.starts[:, column], self.ends[:, column]
        first = self.text[starts]
        negative = first == ord("-")
        starts = starts + (negative | (first == ord("+")))
        length = ends - starts
        wrong = (length < 1) | (length > _DIGITS_OF_INT64)
        values = np.zeros(starts.shape, np.int64)
        longest = min(int(length.max(initial=0)), _DIGITS_OF_INT64)
        for k in range(longest):
            at = starts + k
            inside = at < ends
            digit = self.text[np.where(inside, at, starts)] - np.uint8(ord("0"))  # wraps below 0
            wrong |= inside & (digit > 9)
            values = np.where(inside, values * 10 + digit, values)
        return np.where(negative, -values, values), wrong

    def _floats(self, column: int, what: str) -> npt.NDArray[np.float64]:
        starts, ends = self.starts[:, column], self.ends[:, column]
        width = int((ends - starts).max(initial=1))
        if width > _LONGEST_FLOAT:
            row = int(np.argmax(ends - starts))
            raise self._wrong(row, f"{what} must be a number, got {width} characters")
        quick = self._parsed(starts, ends)
        if quick is not None:
            return quick
        at = starts[:, None] + np.arange(width)
        inside = at < ends[:, None]
        letters = np.where(inside, self.text[np.where(inside, at, 0)], np.uint8(0))
        words = np.ascontiguousarray(letters).view(f"S{width}").ravel()
        try:
            out: npt.NDArray[np.float64] = words.astype(np.float64)
        except ValueError:
            for row, word in enumerate(words):  # one of them is none; only now look which
                try:
                    float(word)
                except ValueError:
                    got = word.decode("utf-8", "replace")
                    raise self._wrong(row, f"{what} must be a number, got {got!r}") from None
            raise
        return out

    def _parsed(self, starts: Array, ends: Array) -> npt.NDArray[np.float64] | None:
        """All fields in one go, or None where one of them is no number."""
        if not starts.size:
            return None
        first, last = int(starts[0]), int(ends[-1])
        step = np.zeros(last - first + 1, np.int8)
        step[starts - first] = 1
        step[ends - first] -= 1
        inside = np.cumsum(step[:-1], dtype=np.int8).view(bool)
        column = np.where(inside, self.text[first:last], np.uint8(ord(" ")))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # older numpy warns of what is no number
                out = np.fromstring(column.tobytes(), np.float64, sep=" ")
        except (ValueError, DeprecationWarning):
            return None
        return out if out.size == starts.size else None


def rows_of(
    path: Path,
    data: bytes,
    *,
    comments: str,
    width: int | None = None,
    separators: str = " \t,",
    skip: int = 0,
) -> Iterator[Rows]:
    """Cut a text into rows, some megabytes at a time.

    Parameters
    ----------
    path : Path
        For messages.
    data : bytes
    comments : str
        Lines whose first visible character is one of these are left out, as blank ones are.
    width : int, optional
        Fields per line; as many as the first line has by default.
    separators : str
        What separates fields, with line ends; a comma must stand between all fields or none.
    skip : int
        Lines at the beginning to leave out.

    Raises
    ------
    ValueError
        If a line has another number of fields.
    """
    between = np.zeros(256, bool)
    between[[ord(c) for c in separators + "\r\n"]] = True
    remarks = np.zeros(256, bool)
    remarks[[ord(c) for c in comments]] = True
    begin, line = 0, 1
    for _ in range(skip):
        begin, line = _next_line(data, begin), line + 1
    commas: int | None = None
    while begin < len(data):
        end = len(data)
        if end - begin > _PIECE:
            end = _next_line(data, begin + _PIECE)
        text = np.frombuffer(data, np.uint8, end - begin, begin)
        breaks = np.flatnonzero(text == ord("\n"))
        gap = np.ones(text.size + 2, bool)
        gap[1:-1] = between[text]
        edges = np.flatnonzero(gap[1:] != gap[:-1])
        starts, ends = edges[0::2], edges[1::2]
        of = np.searchsorted(breaks, starts)  # line of each field
        count = np.bincount(of, minlength=breaks.size + 1)
        first = np.cumsum(count) - count
        dropped = np.zeros(count.shape, bool)
        filled = count > 0
        dropped[filled] = remarks[text[starts[first[filled]]]]
        kept = np.flatnonzero(filled & ~dropped)
        if kept.size:
            if width is None:
                width = int(count[kept[0]])
            _refuse(path, line + kept, count[kept], width, "fields")
            if "," in separators:
                places = np.searchsorted(breaks, np.flatnonzero(text == ord(",")))
                found = np.bincount(places, minlength=count.size)[kept]
                if commas is None:
                    commas = 0 if found[0] == 0 else width - 1
                _refuse(path, line + kept, found, commas, "commas")
            wanted = ~dropped[of]
            shape = (kept.size, width)
            yield Rows(
                path, text, starts[wanted].reshape(shape), ends[wanted].reshape(shape), line + kept
            )
        begin, line = end, line + int(breaks.size)


def _next_line(data: bytes, begin: int) -> int:
    found = data.find(b"\n", begin)
    return len(data) if found < 0 else found + 1


def _refuse(path: Path, lines: Array, found: Array, expected: int, what: str) -> None:
    wrong = np.flatnonzero(found != expected)
    if wrong.size:
        at = int(wrong[0])
        got = f"expected {expected} {what}, got {int(found[at])}"
        raise MalformedError(path, int(lines[at]), got)
