# SPDX-License-Identifier: Apache-2.0
"""Design spaces as data: layers of gates, how they repeat, and the genomes over them.

A *block* is a list of layers, and a SuperCircuit is a number of blocks. A layer places one gate
at each position of a pattern. A SubCircuit uses some positions of each layer of its first
blocks; it is written as an `Architecture`, which holds for each of those layers, in order, the
positions that are used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from workbench.search import Choice, Injection, Int, Space, Subset, When

__all__ = [
    "PATTERNS",
    "SPACES",
    "Architecture",
    "DesignSpace",
    "Layer",
    "architecture_from_json",
    "design_space",
    "front_design",
    "gate_count",
]

Architecture: TypeAlias = tuple[tuple[int, ...], ...]


def _singles(n_wires: int) -> list[tuple[int, ...]]:
    return [(wire,) for wire in range(n_wires)]


def _ring(n_wires: int) -> list[tuple[int, ...]]:
    return [(wire, (wire + 1) % n_wires) for wire in range(n_wires)] if n_wires > 1 else []


def _neighbours(n_wires: int) -> list[tuple[int, ...]]:
    starts = [*range(0, n_wires - 1, 2), *range(1, n_wires - 1, 2)]
    return [(wire, wire + 1) for wire in starts]


#: Which wires the gates of a layer act on, in order: `single`, each wire; `ring`, i and i + 1
#: modulo n; `neighbours`, the pairs (0, 1), (2, 3), ..., (1, 2), (3, 4), ... without the wrap.
PATTERNS: Mapping[str, Callable[[int], list[tuple[int, ...]]]] = {
    "single": _singles,
    "ring": _ring,
    "neighbours": _neighbours,
}


@dataclass(frozen=True)
class Layer:
    """One gate at each position of a pattern.

    Parameters
    ----------
    gate : str
        A gate of `circuits.quantum.Circuit`.
    pattern : str
        A key of `PATTERNS`.
    n_params : int
        Trainable angles of each gate.
    """

    gate: str
    pattern: Literal["single", "ring", "neighbours"]
    n_params: int

    def positions(self, n_wires: int) -> list[tuple[int, ...]]:
        """Return the wires of each position."""
        return PATTERNS[self.pattern](n_wires)


@dataclass(frozen=True)
class DesignSpace:
    """Layers that repeat, and how a SubCircuit chooses among their gates.

    Parameters
    ----------
    name, title : str
        For the command line, and for people.
    block : tuple of Layer
    n_blocks : int
        Of the SuperCircuit.
    choice : "front" or "arbitrary"
        How a layer's gene chooses: the first k gates of the layer (*share-front*), or any
        non-empty subset of them.
    """

    name: str
    title: str
    block: tuple[Layer, ...]
    n_blocks: int
    choice: Literal["front", "arbitrary"] = "front"

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers of the whole SuperCircuit."""
        return self.block * self.n_blocks

    def genes(self, n_wires: int) -> list[Choice]:
        """Return the circuit genes: one per layer, then the block count.

        The genes of later blocks are inactive, so that they do not tell candidates apart.
        """
        genes: list[Choice] = []
        for number, layer in enumerate(self.layers):
            block, within = divmod(number, len(self.block))
            size = len(layer.positions(n_wires))
            if size == 0:
                raise ValueError(
                    f"DesignSpace {self.name!r}: a {layer.pattern} layer of {layer.gate} has no "
                    f"position on {n_wires} wire(s); expected more wires"
                )
            name = _gene(block, within, layer)
            active = When("blocks", ">=", block + 1)
            if self.choice == "front":
                genes.append(Int(name, 1, size, active=active))
            else:
                genes.append(Subset(name, size, active=active))
        return [*genes, Int("blocks", 1, self.n_blocks)]

    def circuit_space(self, n_wires: int) -> Space:
        """Return the space of SubCircuits; for share-front U3+CU3 with 8 blocks, 17 genes."""
        return Space(self.genes(n_wires))

    def search_space(self, n_wires: int, n_qubits: int) -> Space:
        """Return the space of SubCircuits and mappings onto a device of n_qubits qubits.

        Its gene ``layout`` has the physical qubit of each wire.
        """
        return Space([Injection("layout", n_wires, n_qubits), *self.genes(n_wires)])

    def architecture(self, genome: Mapping[str, Any]) -> Architecture:
        """Return the SubCircuit that a decoded genome stands for."""
        chosen: list[tuple[int, ...]] = []
        for block in range(genome["blocks"]):
            for within, layer in enumerate(self.block):
                gene = genome[_gene(block, within, layer)]
                chosen.append(tuple(range(gene)) if self.choice == "front" else tuple(gene))
        return tuple(chosen)

    def genome(self, architecture: Architecture) -> dict[str, Any]:
        """Return the decoded genome of a SubCircuit; the inverse of `architecture`."""
        blocks, rest = divmod(len(architecture), len(self.block))
        if rest or not blocks:
            raise ValueError(
                f"DesignSpace.genome: {len(architecture)} layers are no whole number of blocks "
                f"of {len(self.block)}"
            )
        genome: dict[str, Any] = {"blocks": blocks}
        for number, positions in enumerate(architecture):
            block, within = divmod(number, len(self.block))
            if self.choice == "front" and tuple(positions) != tuple(range(len(positions))):
                raise ValueError(
                    f"DesignSpace.genome: layer {number} uses positions {positions}; share-front "
                    f"spaces use the first ones"
                )
            value = len(positions) if self.choice == "front" else tuple(positions)
            genome[_gene(block, within, self.block[within])] = value
        return genome

    def full(self, n_wires: int, n_blocks: int | None = None) -> Architecture:
        """Return the SubCircuit with every gate of the first n_blocks blocks (default: all)."""
        blocks = self.n_blocks if n_blocks is None else n_blocks
        if not 1 <= blocks <= self.n_blocks:
            raise ValueError(
                f"DesignSpace.full: n_blocks is {blocks}; expected 1 to {self.n_blocks}"
            )
        sizes = [len(layer.positions(n_wires)) for layer in self.block * blocks]
        return tuple(tuple(range(size)) for size in sizes)

    def gates(
        self, architecture: Architecture, n_wires: int
    ) -> Iterator[tuple[int, int, Layer, tuple[int, ...]]]:
        """Yield (layer number, position, layer, wires) of each gate in use, in order."""
        if len(architecture) > len(self.layers):
            raise ValueError(
                f"DesignSpace.gates: the architecture has {len(architecture)} layers; "
                f"{self.name!r} has {len(self.layers)}"
            )
        for number, (layer, used) in enumerate(zip(self.layers, architecture, strict=False)):
            places = layer.positions(n_wires)
            for position in used:
                if not 0 <= position < len(places):
                    raise ValueError(
                        f"DesignSpace.gates: layer {number} has no position {position} on "
                        f"{n_wires} wires"
                    )
                yield number, position, layer, places[position]

    def random_of_size(self, size: int, n_wires: int, rng: np.random.Generator) -> Architecture:
        """Draw a share-front SubCircuit, uniform over genomes, given its number of gates.

        Exact: counts how many ways the later layers have to complete a beginning, rather than
        drawing until the size is right by chance.
        """
        sizes = [len(layer.positions(n_wires)) for layer in self.layers]
        if not len(self.block) <= size <= sum(sizes):
            raise ValueError(
                f"DesignSpace.random_of_size: size is {size}; expected {len(self.block)} to "
                f"{sum(sizes)}"
            )
        weights = []
        tables = []
        for blocks in range(1, self.n_blocks + 1):
            used = sizes[: blocks * len(self.block)]
            # ways[l][s]: choices of layers l, l+1, ... that add up to s gates.
            ways = [[0.0] * (size + 1) for _ in range(len(used) + 1)]
            ways[-1][0] = 1.0
            for layer in reversed(range(len(used))):
                for total in range(size + 1):
                    most = min(used[layer], total)
                    ways[layer][total] = sum(ways[layer + 1][total - k] for k in range(1, most + 1))
            tables.append(ways)
            weights.append(ways[0][size] / float(np.prod(used)))
        chances = np.array(weights)
        ways = tables[int(rng.choice(len(chances), p=chances / chances.sum()))]
        left, chosen = size, []
        for layer in range(len(ways) - 1):
            options = np.array(
                [ways[layer + 1][left - k] for k in range(1, min(sizes[layer], left) + 1)]
            )
            k = 1 + int(rng.choice(len(options), p=options / options.sum()))
            chosen.append(tuple(range(k)))
            left -= k
        return tuple(chosen)


def _gene(block: int, within: int, layer: Layer) -> str:
    return f"b{block + 1}.{within + 1}.{layer.gate}"


def gate_count(architecture: Architecture) -> int:
    """Return the number of gates of a SubCircuit."""
    return sum(len(positions) for positions in architecture)


def front_design(space: DesignSpace, size: int, n_wires: int) -> Architecture:
    """Return the human design of `size` gates: layers filled from the front, the last in part."""
    chosen: list[tuple[int, ...]] = []
    left = size
    for layer in space.layers:
        if left <= 0:
            break
        used = min(left, len(layer.positions(n_wires)))
        chosen.append(tuple(range(used)))
        left -= used
    if left > 0 or size < 1:
        most = sum(len(layer.positions(n_wires)) for layer in space.layers)
        raise ValueError(f"front_design: size is {size}; expected 1 to {most}")
    return tuple(chosen)


SPACES: Mapping[str, DesignSpace] = {
    space.name: space
    for space in (
        DesignSpace(
            "u3cu3", "U3+CU3", (Layer("u", "single", 3), Layer("cu3", "ring", 3)), n_blocks=8
        ),
    )
}


def design_space(
    name: str,
    *,
    n_blocks: int | None = None,
    choice: Literal["front", "arbitrary"] | None = None,
) -> DesignSpace:
    """Look a design space up by name, with another number of blocks or kind of choice.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the known ones.
    """
    if name not in SPACES:
        raise ValueError(
            f"design_space: unknown design space {name!r}; known are {', '.join(SPACES)}"
        )
    space = SPACES[name]
    if n_blocks is not None:
        if n_blocks < 1:
            raise ValueError(f"design_space: n_blocks is {n_blocks}; expected 1 or more")
        space = replace(space, n_blocks=n_blocks)
    return space if choice is None else replace(space, choice=choice)


def architecture_from_json(layers: Sequence[Sequence[int]]) -> Architecture:
    """Return an architecture from the nested lists that JSON makes of it."""
    return tuple(tuple(int(position) for position in layer) for layer in layers)
