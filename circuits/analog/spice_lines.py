# SPDX-License-Identifier: Apache-2.0
"""A SPICE deck as logical lines: no comments, continuations joined, files included."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.storage.files import regular_file
from workbench.storage.limits import check_bytes

__all__ = ["DeckError", "Line", "logical_lines", "read_text", "tokens"]

_DEPTH = 20
_MOST_FILES = 1000
_MOST_LINES = 1_000_000
_TOKEN = re.compile(r"\{[^{}]*\}|'[^']*'|\"[^\"]*\"|=|[^\s=(),{}'\"]+|[(),{}'\"]")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\s*=")


class DeckError(ValueError):
    """A deck that is not understood or not held; the message names the line."""


@dataclass(frozen=True)
class Line:
    """A logical line in lower case, and where it begins."""

    text: str
    number: int
    file: str
    raw: str

    def error(self, message: str) -> DeckError:
        """An error that names file, line and text."""
        where = f"{self.file}, line {self.number}" if self.file else f"line {self.number}"
        return DeckError(f"{where}: {message}: {self.raw!r}")

    def tokens(self) -> list[str]:
        """Words, ``=``, and whole expressions in braces or quotes; brackets and commas apart."""
        found = tokens(self.text)
        if any(token in ("{", "}", "'", '"') for token in found):
            raise self.error("unbalanced braces or quotes")
        return found

    def assignments(self, text: str) -> Iterator[tuple[str, str]]:
        """``name=value`` pairs, where a value reaches to the next name."""
        heads = list(_ASSIGNMENT.finditer(text))
        before = text[: heads[0].start()] if heads else text
        if before.strip(" ,()"):
            raise self.error(f"expected name=value, found {before.strip()!r}")
        ends = [h.start() for h in heads[1:]] + [len(text)] * bool(heads)
        for head, end in zip(heads, ends, strict=True):
            value = text[head.end() : end].strip().rstrip(",").strip()
            if not value:
                raise self.error(f"{head.group(1)} has no value")
            yield head.group(1), value


def read_text(path: Path) -> str:
    """A deck's text; ValueError for what is no regular file or too large."""
    where = regular_file(path)
    check_bytes(where.name, "its text", where.stat().st_size)
    return where.read_text(encoding="utf-8", errors="replace")


def tokens(text: str) -> list[str]:
    """The words of a card."""
    return _TOKEN.findall(text)


def logical_lines(text: str, file: str = "", folder: Path | None = None) -> tuple[str, list[Line]]:
    """Split a deck.

    Parameters
    ----------
    text : str
        A whole deck; its first line is the title.
    file : str
        Named in errors.
    folder : Path, optional
        Where ``.include`` and ``.lib`` begin to look; without one they need absolute paths.

    Returns
    -------
    title : str
    lines : list of Line
        Up to ``.end``, without ``.control`` sections, included files in place.

    Raises
    ------
    ValueError
        Naming the line.
    """
    title, _, rest = text.partition("\n")
    lines = _expanded(_joined(rest, file, 2), folder, 0, _Budget())
    return " ".join(title.split()), lines


def _joined(text: str, file: str, first: int) -> list[Line]:
    """Lines without comments and ``.control`` sections, each with its continuations."""
    found: list[tuple[int, list[str]]] = []  # where a line begins, and its pieces
    control = 0
    for number, physical in enumerate(text.splitlines(), first):
        bare = _without_comment(physical).strip()
        if not bare:
            continue
        word = bare.split(maxsplit=1)[0].lower()
        if word == ".control":
            control = number
        elif word == ".endc":
            if not control:
                raise Line("", number, file, bare).error(".endc without .control")
            control = 0
        elif control:
            continue
        elif bare.startswith("+"):
            if not found:
                raise Line("", number, file, bare).error("continues no line")
            found[-1][1].append(bare[1:].strip())
        elif word == ".end":
            break
        else:
            found.append((number, [bare]))
    if control:
        raise Line("", control, file, ".control").error(".control without .endc")
    whole = ((number, " ".join(pieces)) for number, pieces in found)
    return [Line(raw.lower(), number, file, raw) for number, raw in whole]


def _without_comment(line: str) -> str:
    if line.lstrip().startswith("*"):
        return ""
    for place, character in enumerate(line):
        after_blank = place == 0 or line[place - 1] in " \t,"
        if (
            character == ";"
            or (character == "$" and after_blank)
            or (line.startswith("//", place) and after_blank)
        ):
            return line[:place]
    return line


@dataclass
class _Budget:
    """What all included files together may come to."""

    files: int = 0
    lines: int = 0

    def file(self, line: Line) -> None:
        self.files += 1
        if self.files > _MOST_FILES:
            raise line.error(f"the deck includes more than {_MOST_FILES:,} files")

    def line(self, line: Line) -> None:
        self.lines += 1
        if self.lines > _MOST_LINES:
            raise line.error(f"the deck has more than {_MOST_LINES:,} lines")


def _expanded(lines: list[Line], folder: Path | None, depth: int, budget: _Budget) -> list[Line]:
    """Lines with those of included files in place of what includes them."""
    out: list[Line] = []
    for line in lines:
        budget.line(line)
        word, *arguments = line.text.split()
        if word in (".include", ".inc", ".incl"):
            if len(arguments) != 1:
                raise line.error("expected one file")
            budget.file(line)
            file, text, below = _opened(line, line.raw.split()[1], folder, depth)
            out += _expanded(_joined(text, file, 1), below, depth + 1, budget)
        elif word == ".lib":
            if len(arguments) != 2:
                raise line.error("expected a file and a section")
            budget.file(line)
            file, text, below = _opened(line, line.raw.split()[1], folder, depth)
            section = _section(line, _joined(text, file, 1), arguments[1])
            out += _expanded(section, below, depth + 1, budget)
        else:
            out.append(line)
    return out


def _opened(line: Line, name: str, folder: Path | None, depth: int) -> tuple[str, str, Path]:
    if depth >= _DEPTH:
        raise line.error(f"files include each other more than {_DEPTH} deep")
    path = Path(name.strip("'\""))
    if not path.is_absolute() and not name.strip("'\"").startswith("~"):
        if folder is None:
            raise line.error("a deck given as text includes by absolute paths only")
        path = folder / path
    try:
        text = read_text(path)
    except OSError as error:
        raise line.error(f"cannot read {path.name}: {error.strerror or error}") from None
    except ValueError as error:  # no regular file, or a path that is none
        raise line.error(f"cannot read {path.name}: {error}") from None
    return path.name, text, path.parent


def _section(line: Line, lines: list[Line], wanted: str) -> list[Line]:
    """What stands between ``.lib wanted`` and ``.endl``."""
    name, found = wanted.strip("'\""), None
    inside: list[Line] = []
    for candidate in lines:
        words = candidate.text.split()
        if words[0] == ".lib" and len(words) == 2 and found is None:
            if words[1].strip("'\"") == name:
                found = candidate
        elif words[0] == ".endl":
            if found is not None:
                return inside
        elif found is not None:
            inside.append(candidate)
    if found is not None:
        raise found.error(".lib without .endl")
    raise line.error(f"the file holds no section {name!r}")
