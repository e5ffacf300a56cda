# SPDX-License-Identifier: Apache-2.0
"""Names within a deck: parameters, models and subcircuits of the top level and of each instance."""

from __future__ import annotations

from collections.abc import Mapping

from circuits.analog.expression import Expression, parse_expression, parse_number
from circuits.analog.names import meant
from circuits.analog.spice_lines import DeckError, Line

__all__ = ["Block", "Scope", "blocks"]

_SIGNS = "+-.0123456789"
_DEEPEST = 100


class Block:
    """The lines of a deck or of a ``.subckt``, sorted by what they are."""

    def __init__(self, head: Line | None = None) -> None:
        self.head = head
        self.cards: list[Line] = []
        self.controls: list[Line] = []
        self.models: dict[str, Line] = {}
        self.params: dict[str, tuple[Line, str]] = {}
        self.subcircuits: dict[str, Block] = {}
        self.ports: list[str] = []
        self.defaults: dict[str, tuple[Line, str]] = {}


def blocks(lines: list[Line]) -> Block:
    """Sort the lines of a deck into the top level and its subcircuits.

    Raises
    ------
    ValueError
        Naming the line, for subcircuits and models that do not begin or end as they should.
    """
    stack = [Block()]
    for line in lines:
        word, _, rest = line.text.partition(" ")
        here = stack[-1]
        if word == ".subckt":
            stack.append(_subcircuit(line, rest, here))
        elif word == ".ends":
            if len(stack) == 1:
                raise line.error(".ends without .subckt")
            stack.pop()
        elif word == ".model":
            words = rest.split()
            if len(words) < 2:
                raise line.error("expected .model name nmos|pmos (...)")
            if words[0] in here.models:
                raise line.error(f"model {words[0]!r} exists already")
            here.models[words[0]] = line
        elif word in (".param", ".params", ".parameters"):
            for name, value in line.assignments(rest):
                here.params[name] = (line, value)  # the last one holds, as in ngspice
        elif word.startswith("."):
            here.controls.append(line)
        else:
            here.cards.append(line)
    if len(stack) > 1:
        head = stack[-1].head
        assert head is not None
        raise head.error(".subckt without .ends")
    return stack[0]


def _subcircuit(line: Line, rest: str, outer: Block) -> Block:
    name, ports, assignments = header(line, rest)
    if name in outer.subcircuits:
        raise line.error(f"subcircuit {name!r} exists already")
    if len(set(ports)) < len(ports) or {"0", "gnd"} & set(ports):
        raise line.error("the ports of a subcircuit are different nodes, none of them ground")
    block = outer.subcircuits[name] = Block(line)
    block.ports = ports
    block.defaults = {key: (line, value) for key, value in line.assignments(assignments)}
    return block


def header(line: Line, rest: str) -> tuple[str, list[str], str]:
    """First word, the words after it, and the text of the assignments behind."""
    plain, _, marked = rest.replace("params:", "\0").partition("\0")
    words = plain.replace("=", " = ").split()
    if "=" in words:
        first = words.index("=") - 1
        plain_words, tail = words[:first], " ".join(words[first:])
    else:
        plain_words, tail = words, ""
    if not plain_words:
        raise line.error("expected a name")
    return plain_words[0], plain_words[1:], f"{tail} {marked}".strip()


class Scope:
    """What names mean at the top level or within one instance of a subcircuit.

    Parameters
    ----------
    block : Block
    outer : Scope, optional
    prefix : str
        Of names made within: ``"x1."``.
    nodes : mapping, optional
        Ports of the instance to nodes of the circuit.
    given : mapping, optional
        Parameters of the instance.
    """

    def __init__(
        self,
        block: Block,
        outer: Scope | None = None,
        prefix: str = "",
        nodes: Mapping[str, str] | None = None,
        given: Mapping[str, Expression] | None = None,
    ) -> None:
        self.block = block
        self.outer = outer
        self.prefix = prefix
        self.nodes = dict(nodes or {})
        self.values: dict[str, Expression] = dict(given or {})
        self.texts = {**block.defaults, **block.params}
        self.models: dict[str, str] = {}
        self._open: list[str] = []

    def node(self, name: str, global_nodes: frozenset[str]) -> str:
        """The circuit's name of a node."""
        if name in self.nodes:
            return self.nodes[name]
        if name in ("0", "gnd"):
            return "0"
        return name if name in global_nodes else self.prefix + name

    def model(self, name: str) -> str | None:
        """The circuit's name of a model seen from here."""
        if name in self.models:
            return self.models[name]
        return None if self.outer is None else self.outer.model(name)

    def subcircuit(self, name: str) -> tuple[Block, Scope] | None:
        """A subcircuit seen from here, and the scope that it was defined in."""
        if name in self.block.subcircuits:
            return self.block.subcircuits[name], self
        return None if self.outer is None else self.outer.subcircuit(name)

    def names(self) -> list[str]:
        """Parameters that are seen from here."""
        return [*self.values, *self.texts, *(self.outer.names() if self.outer else ())]

    def parameter(self, line: Line, name: str) -> Expression:
        """What a parameter's name stands for.

        Raises
        ------
        ValueError
            Naming the line, for a name that is not defined or defined by itself.
        """
        if name in self.values:
            return self.values[name]
        if name not in self.texts:
            if self.outer is None:
                hint = meant(name, self.names())
                raise line.error(f"unknown parameter {name!r}{hint}")
            return self.outer.parameter(line, name)
        where, text = self.texts[name]
        if name in self._open:
            raise where.error(f"parameter {name!r} is defined by itself")
        if len(self._open) >= _DEEPEST:
            raise where.error(f"parameters are made of each other more than {_DEEPEST} deep")
        self._open.append(name)
        self.values[name] = self.value(where, text, within_expression=True)
        self._open.pop()
        return self.values[name]

    def value(self, line: Line, text: str, within_expression: bool = False) -> Expression:
        """A number or an expression of a card, over the circuit's parameters.

        ``.param`` lines are expressions even where they are numbers, which ngspice reads a
        little differently.

        Raises
        ------
        ValueError
            Naming the line.
        """
        try:
            if text[0] in _SIGNS and not within_expression:
                try:
                    return Expression.of(parse_number(text))
                except ValueError:
                    if text[0] in "+-." or not set(text) & set("+-*/^()"):
                        raise
            parsed = parse_expression(text.replace('"', ""))
            return parsed.substitute({n: self.parameter(line, n) for n in sorted(parsed.names)})
        except DeckError:
            raise
        except ValueError as error:
            raise line.error(str(error)) from None
