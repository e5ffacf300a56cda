# SPDX-License-Identifier: Apache-2.0
"""Reading SPICE decks into circuits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from circuits.analog.circuit import Circuit
from circuits.analog.expression import Expression, parse_expression, parse_number
from circuits.analog.names import meant
from circuits.analog.spice_lines import DeckError, Line, logical_lines, read_text
from circuits.analog.spice_scope import Block, Scope, blocks, header

__all__ = ["IGNORED_CARDS", "IGNORED_OPTIONS", "read_spice"]

#: Cards that say what to run or print, which a circuit does not hold.
IGNORED_CARDS = (
    ".op", ".tran", ".dc", ".tf", ".pz", ".sens", ".disto", ".four", ".print", ".plot", ".save",
    ".probe", ".meas", ".measure", ".width",
)  # fmt: skip
#: Options of tolerances, methods and printing, which the kernel does not have.
IGNORED_OPTIONS = (
    "abstol", "acct", "chgtol", "cptime", "gminsteps", "ingold", "interp", "itl1", "itl2", "itl3",
    "itl4", "itl5", "itl6", "keepopinfo", "klu", "limpts", "limtim", "list", "lvltim", "maxord",
    "method", "noacct", "node", "noinit", "nomod", "noopiter", "nopage", "numdgt", "opts",
    "pivrel", "pivtol", "post", "probe", "reltol", "savecurrents", "sparse", "srcsteps", "trtol",
    "trytocompact", "vntol", "warn", "xmu",
)  # fmt: skip
_NESTING = 50
_MOST_CARDS = 100_000  # with subcircuits written out
_MOST_POINTS = 1_000_000
_MOSFET_VALUES = {
    "w": "w", "l": "l", "m": "m", "ad": "ad", "as": "as_", "pd": "pd", "ps": "ps",
}  # fmt: skip


def read_spice(source: str | Path) -> Circuit:
    """Read a SPICE deck.

    Parameters
    ----------
    source : str or Path
        A deck's text, or the path of one (a ``str`` of a single line is a path).

    Returns
    -------
    Circuit
        Its parameters are the deck's top-level ``.param`` names that are numbers; what is made
        of them stays an expression, so that results can be differentiated to them. Elements of
        subcircuits are named ``x1.m1``. ``circuit.frequencies`` and ``circuit.noise_output`` come
        from the deck's ``.ac`` and ``.noise`` lines.

    Raises
    ------
    ValueError
        Naming line and text, for anything that is not understood or not held; see
        ``docs/analog.md`` for what is. Decks of more than 100,000 cards with subcircuits written
        out, and sweeps of more than a million points, are refused too.
    FileNotFoundError
        If there is no such file.
    """
    if isinstance(source, Path) or (isinstance(source, str) and "\n" not in source):
        path = Path(source)
        title, lines = logical_lines(read_text(path), path.name, path.parent)
    elif isinstance(source, str):
        title, lines = logical_lines(source)
    else:
        raise TypeError(f"read_spice: source is {type(source).__name__}; expected a deck or a path")
    try:
        return _Reader(title, blocks(lines)).read()
    except RecursionError:
        raise ValueError("read_spice: the deck is nested too deep to be read") from None


class _Reader:
    def __init__(self, title: str, top: Block) -> None:
        self.top = top
        self.circuit = Circuit(title.lstrip("* "))
        self.scope = Scope(top)
        self.global_nodes: frozenset[str] = frozenset()
        self.cards = 0

    def read(self) -> Circuit:
        for name, (line, text) in self.top.params.items():
            number = _number(text)
            if number is not None:
                _guarded(line, partial(self.circuit.parameter, name, number))
                self.scope.values[name] = Expression.named(name)
        for line in self.top.controls:
            self.control(line)
        self.fill(self.scope, 0)
        for name, (line, _) in self.top.params.items():
            self.scope.parameter(line, name)  # a mistake in one that nothing uses is a mistake
        return self.circuit

    # -- control cards ----------------------------------------------------------------------

    def control(self, line: Line) -> None:
        word, _, rest = line.text.partition(" ")
        if word in IGNORED_CARDS:
            return
        if word in (".options", ".option", ".opt"):
            self.options(line, rest)
        elif word == ".temp":
            self.temperature(line, "temperature", rest)
        elif word == ".global":
            self.global_nodes |= frozenset(rest.split())
        elif word == ".ac":
            self.circuit.frequencies = _sweep(line, rest.split())
        elif word == ".noise":
            self.noise(line)
        else:
            known = [*IGNORED_CARDS, ".options", ".temp", ".global", ".ac", ".noise", ".param"]
            known += [".model", ".subckt", ".include", ".lib"]
            raise line.error(f"{word} is not understood{meant(word, known)}")

    def options(self, line: Line, rest: str) -> None:
        words = rest.replace("=", " = ").split()
        while words:
            name, value = words.pop(0), ""
            if words[:1] == ["="]:
                value = " ".join(words[1:2])
                words = words[2:]
            if name in ("temp", "tnom"):
                self.temperature(line, {"temp": "temperature"}.get(name, name), value)
            elif name == "gmin":
                gmin = self.constant(line, value, "gmin")
                if gmin < 0:
                    raise line.error(f"gmin is {gmin:g}; expected 0 or more")
                self.circuit.gmin = gmin
            elif name not in IGNORED_OPTIONS:
                hint = meant(name, ["temp", "tnom", "gmin", *IGNORED_OPTIONS])
                raise line.error(f"option {name!r} is not held{hint}")

    def temperature(self, line: Line, name: str, text: str) -> None:
        value = self.constant(line, text.strip(), name)
        if value <= -273.15:
            raise line.error(f"{name} is {value:g} degrees Celsius, below absolute zero")
        setattr(self.circuit, name, value)

    def constant(self, line: Line, text: str, what: str) -> float:
        if not text:
            raise line.error(f"{what} has no value")
        value = self.scope.value(line, text)
        if not value.is_number:
            raise line.error(f"{what} is {value}; expected a number")
        return value.number

    def noise(self, line: Line) -> None:
        words = [w for w in line.tokens()[1:] if w not in ("(", ")", ",")]
        if not words or words[0] != "v":
            raise line.error("expected .noise v(node[,node]) source dec|oct|lin points start stop")
        place = next((k for k, w in enumerate(words) if w in ("dec", "oct", "lin")), 0)
        if place not in (3, 4):  # v, one or two nodes, the source
            raise line.error("expected .noise v(node[,node]) source dec|oct|lin points start stop")
        nodes = words[1 : place - 1]
        self.circuit.noise_output = nodes[0] if len(nodes) == 1 else (nodes[0], nodes[1])
        if self.circuit.frequencies is None:
            self.circuit.frequencies = _sweep(line, words[place : place + 4])

    # -- elements ---------------------------------------------------------------------------

    def fill(self, scope: Scope, depth: int) -> None:
        """Add what a block holds, subcircuits flattened."""
        for name, line in scope.block.models.items():
            full = scope.prefix + name
            scope.models[name] = full
            self.model(scope, line, full)
        if depth:
            for line in scope.block.controls:
                raise line.error("this card does not belong into a subcircuit")
        readers = {"r": self.two, "c": self.two, "v": self.source, "i": self.source}
        for line in scope.block.cards:
            self.cards += 1
            if self.cards > _MOST_CARDS:
                raise line.error(f"written out, the deck has more than {_MOST_CARDS:,} cards")
            letter = line.text[0]
            if letter == "x":
                self.instance(scope, line, depth)
            elif letter == "m":
                self.mosfet(scope, line)
            elif letter in readers:
                readers[letter](scope, line)
            else:
                raise line.error(
                    f"element {line.text.split()[0]!r} is not held; expected R, C, V, I, M or X"
                )

    def nodes(self, scope: Scope, names: Sequence[str]) -> list[str]:
        return [scope.node(name, self.global_nodes) for name in names]

    def two(self, scope: Scope, line: Line) -> None:
        words = line.tokens()
        if len(words) == 6 and words[4] == "=" and words[3] in ("r", "c") and line.text[0] in "rc":
            words = [*words[:3], words[5]]
        if len(words) != 4:
            raise line.error("expected a name, two nodes and a value, and nothing else")
        name, a, b = _name(scope, words[0]), *self.nodes(scope, words[1:3])
        value = scope.value(line, words[3])
        add = self.circuit.resistor if line.text[0] == "r" else self.circuit.capacitor
        _guarded(line, lambda: add(name, a, b, value))

    def source(self, scope: Scope, line: Line) -> None:
        words = [w for w in line.tokens() if w not in ("=", "(", ")", ",")]
        if len(words) < 3:
            raise line.error("expected a name, two nodes, and dc and ac values")
        a, b = self.nodes(scope, words[1:3])
        dc, ac = Expression.of(0.0), Expression.of(0.0)
        rest = words[3:]
        if rest and rest[0] not in ("dc", "ac") and not _is_waveform(rest[0]):
            dc = scope.value(line, rest.pop(0))
        while rest:
            word = rest.pop(0)
            if word == "dc":
                if not rest or rest[0] == "ac":
                    raise line.error("dc has no value")
                dc = scope.value(line, rest.pop(0))
            elif word == "ac":
                values: list[Expression] = []
                while rest and len(values) < 2 and rest[0] != "dc":
                    values.append(scope.value(line, rest.pop(0)))
                ac = values[0] if values else Expression.of(1.0)
                if len(values) > 1:
                    if not values[1].is_number or values[1].number % 360 not in (0, 180):
                        raise line.error(f"ac phase is {values[1]}; expected 0 or 180 degrees")
                    ac = -ac if values[1].number % 360 else ac
            elif _is_waveform(word):
                raise line.error(f"{word} is for transients, which are not held; give dc and ac")
            else:
                raise line.error(f"unexpected {word!r}")
        name = _name(scope, words[0])
        circuit = self.circuit
        add = circuit.voltage_source if line.text[0] == "v" else circuit.current_source
        _guarded(line, lambda: add(name, a, b, dc=dc, ac=ac))

    def mosfet(self, scope: Scope, line: Line) -> None:
        words = [w for w in line.tokens() if w not in ("(", ")", ",")]
        if len(words) < 6 or "=" in words[:7]:
            raise line.error("expected a name, four nodes, a model, and name=value pairs")
        model = scope.model(words[5])
        if model is None:
            raise line.error(f"unknown model {words[5]!r}{meant(words[5], self.circuit.models)}")
        values = {"w": Expression.of(1e-4), "l": Expression.of(1e-4)}  # ngspice's defw and defl
        rest = words[6:]
        seen = set()
        while rest:
            if len(rest) < 3 or rest[1] != "=":
                raise line.error(f"expected name=value at {rest[0]!r}")
            label, text = rest[0], rest[2]
            rest = rest[3:]
            if label not in _MOSFET_VALUES:
                raise line.error(f"{label!r} is not held; expected {', '.join(_MOSFET_VALUES)}")
            if label in seen:
                raise line.error(f"{label} is given twice")
            seen.add(label)
            values[_MOSFET_VALUES[label]] = scope.value(line, text)
        name, (d, g, s, b) = _name(scope, words[0]), self.nodes(scope, words[1:5])
        _guarded(line, lambda: self.circuit.mosfet(name, d, g, s, b, model, **values))

    def model(self, scope: Scope, line: Line, name: str) -> None:
        rest = line.text.split(maxsplit=2)[2]
        kind, _, tail = rest.replace("(", " ", 1).partition(" ")
        values: dict[str, Expression] = {}
        if tail.count(")") > tail.count("("):  # what closes the bracket behind the type
            tail = tail.rstrip()[:-1] if tail.rstrip().endswith(")") else tail
        for label, text in line.assignments(tail):
            if label in values:
                raise line.error(f"{label} is given twice")
            values[label] = scope.value(line, text)
        if kind not in ("nmos", "pmos"):
            raise line.error(f"models of type {kind!r} are not held; expected nmos or pmos")
        _guarded(line, lambda: self.circuit.model(name, kind, **values))

    def instance(self, scope: Scope, line: Line, depth: int) -> None:
        if depth >= _NESTING:
            raise line.error(f"subcircuits are nested more than {_NESTING} deep")
        label, words, assignments = header(line, line.text)
        if not words:
            raise line.error("expected a name, nodes and a subcircuit")
        found = scope.subcircuit(words[-1])
        if found is None:
            raise line.error(
                f"unknown subcircuit {words[-1]!r}{meant(words[-1], self.top.subcircuits)}"
            )
        block, outer = found
        if len(words) - 1 != len(block.ports):
            raise line.error(
                f"{words[-1]} has {len(block.ports)} ports, got {len(words) - 1} nodes"
            )
        ports = dict(zip(block.ports, self.nodes(scope, words[:-1]), strict=True))
        given = {}
        for key, text in line.assignments(assignments):
            if key == "m" or key not in block.defaults:  # m multiplies in ngspice
                raise line.error(
                    f"{words[-1]} has no parameter {key!r}{meant(key, list(block.defaults))}"
                )
            given[key] = scope.value(line, text)
        inner = Scope(block, outer, f"{scope.prefix}{label}.", ports, given)
        self.fill(inner, depth + 1)


def _name(scope: Scope, word: str) -> str:
    """``m.x1.m1``, as ngspice and our writer name what was flattened, is ``x1.m1``."""
    return scope.prefix + (word[2:] if word[1:2] == "." and len(word) > 2 else word)


def _is_waveform(word: str) -> bool:
    return word in ("pulse", "sin", "exp", "pwl", "sffm", "am", "trnoise", "trrandom", "external")


def _number(text: str) -> float | None:
    """The value of a parameter that is made of no others; None for one that is, or a mistake."""
    try:
        value = parse_expression(text.replace('"', ""))
    except ValueError:
        return None
    return value.number if value.is_number else None


def _guarded(line: Line, add: Callable[[], object]) -> None:
    try:
        add()
    except DeckError:
        raise
    except (TypeError, ValueError) as error:
        raise line.error(str(error)) from None


def _sweep(line: Line, words: Sequence[str]) -> Tensor:
    """The frequencies that ngspice takes for ``dec|oct|lin points start stop``."""
    try:
        kind, count, start, stop = words[0], *(parse_number(w) for w in words[1:4])
    except (IndexError, ValueError):
        raise line.error("expected dec, oct or lin, then points, start and stop") from None
    if kind not in ("dec", "oct", "lin") or count < 1 or count % 1 or not 0 < start <= stop:
        raise line.error("expected dec, oct or lin, then points, start and stop")
    decades = math.log(stop) - math.log(start)
    if not math.isfinite(decades) or count * max(decades, 1.0) > _MOST_POINTS:
        raise line.error(f"expected at most {_MOST_POINTS:,} points")
    if kind == "lin":
        return torch.linspace(start, stop, int(count), dtype=torch.float64)
    span = math.log(stop / start) / math.log(10.0 if kind == "dec" else 2.0) * count
    steps = math.floor(span + 1e-9)
    if kind == "dec" and steps:  # ngspice stretches decades, not octaves, to end at stop
        span = float(steps)
    powers = torch.arange(steps + 1, dtype=torch.float64)
    return start * (stop / start) ** (powers / max(span, 1.0))
