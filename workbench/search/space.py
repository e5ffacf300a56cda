# SPDX-License-Identifier: Apache-2.0
"""Search spaces: named choices, and what can be done to batches of genomes over them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.search.choice import BoolArray, Choice, FloatArray
from workbench.search.genomes import Genomes
from workbench.search.set_choices import Injection


class Space:
    """A search space: an ordered list of named choices.

    Parameters
    ----------
    choices : sequence of Choice
        Names must differ. A choice may be active only under conditions on Categorical, Int or
        Float choices of the same space; it is inactive also where one of those is inactive.

    Notes
    -----
    The *canonical* genome has every inactive choice at its default. Two genomes with equal
    canonical forms are the same candidate: they share one key and one cache entry, and
    `decode`, which leaves inactive choices out, gives the same dictionary for both.
    """

    def __init__(self, choices: Sequence[Choice]) -> None:
        self.choices: tuple[Choice, ...] = tuple(choices)
        if not self.choices:
            raise ValueError("Space: choices must not be empty")
        for choice in self.choices:
            if not isinstance(choice, Choice):
                raise TypeError(f"Space: choices must hold Choice objects, got {choice!r}")
        names = [choice.name for choice in self.choices]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"Space: choice names must differ, {name!r} stands twice")
        ends = np.cumsum([choice.width for choice in self.choices]).tolist()
        starts = [0, *ends[:-1]]
        self._slices = {name: slice(a, b) for name, a, b in zip(names, starts, ends, strict=True)}
        self._by_name = dict(zip(names, self.choices, strict=True))
        self.width: int = ends[-1]
        gene_of_column: list[int] = []
        for choice in self.choices:
            first = gene_of_column[-1] + 1 if gene_of_column else 0
            gene_of_column += [first + (i if choice.separable else 0) for i in range(choice.width)]
        self._gene_of_column = np.array(gene_of_column)
        self._conditional = self._order_conditions()
        self._defaults = np.concatenate([choice.default() for choice in self.choices])
        # NaN marks a free column.
        self._fixed = np.full(self.width, np.nan)

    def _order_conditions(self) -> list[Choice]:
        """Return the conditional choices, each after those its conditions are about."""
        ordered: list[Choice] = []
        settled = {choice.name for choice in self.choices if not choice.conditions}
        waiting = [choice for choice in self.choices if choice.conditions]
        for choice in waiting:
            for condition in choice.conditions:
                if condition.gene not in self._by_name:
                    raise ValueError(
                        f"Space: choice {choice.name!r} depends on {condition.gene!r}, "
                        f"which is not one of {', '.join(self._by_name)}"
                    )
                # An unsuitable operator or value is found here, not in the middle of a search.
                self._by_name[condition.gene].satisfies(np.zeros(1), condition)
        while waiting:
            ready = [c for c in waiting if all(w.gene in settled for w in c.conditions)]
            if not ready:
                names = ", ".join(choice.name for choice in waiting)
                raise ValueError(f"Space: conditions must not form a circle, got one in {names}")
            ordered += ready
            settled |= {choice.name for choice in ready}
            waiting = [choice for choice in waiting if choice.name not in settled]
        return ordered

    @property
    def n_genes(self) -> int:
        """Number of genes: the units that mutation redraws and crossover exchanges."""
        return int(self._gene_of_column[-1]) + 1

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the choices, in order."""
        return tuple(self._slices)

    def columns(self, name: str) -> slice:
        """Return the genome columns of one choice."""
        if name not in self._slices:
            raise ValueError(f"Space: no choice {name!r}, there are {', '.join(self._slices)}")
        return self._slices[name]

    @property
    def structure(self) -> str:
        """The choices as JSON text: equal for spaces whose genomes mean the same."""
        described = []
        for choice in self.choices:
            fields = dataclasses.asdict(choice)
            fields["active"] = [dataclasses.asdict(condition) for condition in choice.conditions]
            described.append({"kind": type(choice).__name__, **fields})
        return json.dumps(described, sort_keys=True)

    @property
    def description(self) -> str:
        """`structure` and the fixed genes as JSON text: equal for interchangeable spaces."""
        fixed = [None if np.isnan(value) else value for value in self._fixed.tolist()]
        return json.dumps({"choices": json.loads(self.structure), "fixed": fixed}, sort_keys=True)

    # ---- gene mask -----------------------------------------------------------------------

    def fix(self, values: Mapping[str, object]) -> Space:
        """Return this space with some genes held at given values (a gene mask).

        Parameters
        ----------
        values : mapping from choice name to value
            An Injection or Permutation may be fixed in part: None leaves an entry free.

        Returns
        -------
        Space
            Same columns, so genomes of one are genomes of the other. Genes that were fixed
            before stay fixed.
        """
        space = Space(self.choices)
        space._fixed = self._fixed.copy()
        for name, value in values.items():
            columns = self.columns(name)
            choice = self._by_name[name]
            if isinstance(choice, Injection) and isinstance(value, (list, tuple)):
                space._fixed[columns] = self._fix_entries(choice, value)
            else:
                space._fixed[columns] = choice.columns_of(value)
        return space

    @staticmethod
    def _fix_entries(choice: Injection, value: Sequence[Any]) -> FloatArray:
        if len(value) != choice.k:
            raise ValueError(
                f"Space.fix: {choice.name!r} needs {choice.k} entries, got {tuple(value)}"
            )
        given = [item for item in value if item is not None]
        if given:
            Injection(choice.name, len(given), choice.n).columns_of(given)
        return np.array([np.nan if item is None else float(item) for item in value])

    @property
    def fixed(self) -> BoolArray:
        """Which columns are fixed; bool (D,)."""
        return ~np.isnan(self._fixed)

    def _hold(self, rows: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Write the fixed values into drawn rows and mend what that breaks."""
        fixed = self.fixed
        if not fixed.any():
            return rows
        rows = np.where(fixed, self._fixed, rows)
        return self._mend(rows, rng)

    def _mend(self, rows: FloatArray, rng: np.random.Generator) -> FloatArray:
        fixed = self.fixed
        mended = rows
        for choice in self.choices:
            if choice.repairable:
                columns = self._slices[choice.name]
                before = mended[:, columns]
                after = choice.repair(before, fixed[columns], rng)
                if after is not before:
                    mended = mended.copy()
                    mended[:, columns] = after
        return mended

    # ---- making genomes ------------------------------------------------------------------

    def sample(self, rng: np.random.Generator, n: int) -> Genomes:
        """Draw n genomes, uniformly and independently in every choice.

        Inactive genes are drawn too: they wake up when a later mutation activates them.
        """
        if n < 0:
            raise ValueError(f"Space.sample: n must be >= 0, got {n}")
        return Genomes(self._hold(self._draw(rng, n), rng))

    def _draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return np.concatenate([choice.draw(rng, n) for choice in self.choices], axis=1)

    def mutate(
        self, genomes: Genomes, p: float, rng: np.random.Generator, *, repair: bool = True
    ) -> Genomes:
        """Redraw each free gene with probability p.

        With ``repair=False`` the children of an Injection may repeat items; `is_valid` tells.
        """
        rows = self._rows(genomes, "mutate")
        coins = self._coins(len(rows), p, rng, "mutate") & ~self.fixed
        children = np.where(coins, self._draw(rng, len(rows)), rows)
        return genomes.with_rows(self._mend(children, rng) if repair else children)

    def crossover(
        self,
        a: Genomes,
        b: Genomes,
        rng: np.random.Generator,
        *,
        p: float = 0.5,
        repair: bool = True,
    ) -> Genomes:
        """Take each gene from b with probability p, else from a; row i with row i."""
        first, second = self._rows(a, "crossover"), self._rows(b, "crossover")
        if len(first) != len(second):
            raise ValueError(
                f"Space.crossover: a and b must be equally long, got {len(first)}, {len(second)}"
            )
        coins = self._coins(len(first), p, rng, "crossover")
        children = np.where(coins, second, first)
        return a.with_rows(self._mend(children, rng) if repair else children)

    def repair(self, genomes: Genomes, rng: np.random.Generator) -> Genomes:
        """Impose the fixed genes, and mend repeated items and empty subsets."""
        rows = self._rows(genomes, "repair")
        return genomes.with_rows(self._mend(np.where(self.fixed, self._fixed, rows), rng))

    def _coins(self, n: int, p: float, rng: np.random.Generator, caller: str) -> BoolArray:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"Space.{caller}: p must be in [0, 1], got {p}")
        return (rng.random((n, self.n_genes)) < p)[:, self._gene_of_column]

    def _rows(self, genomes: Genomes, caller: str) -> FloatArray:
        if not isinstance(genomes, Genomes):
            raise TypeError(f"Space.{caller}: genomes must be Genomes, got {genomes!r}")
        if genomes.rows.shape[1] != self.width:
            raise ValueError(
                f"Space.{caller}: genomes must have {self.width} columns, "
                f"got {genomes.rows.shape[1]}"
            )
        return genomes.rows

    # ---- asking about genomes ------------------------------------------------------------

    def is_valid(self, genomes: Genomes) -> BoolArray:
        """Tell which genomes lie in the space, fixed genes included; bool (N,)."""
        rows = self._rows(genomes, "is_valid")
        fixed = self.fixed
        valid: BoolArray = (rows[:, fixed] == self._fixed[fixed]).all(axis=1)
        for choice in self.choices:
            valid = valid & choice.valid(rows[:, self._slices[choice.name]])
        return valid

    def active(self, genomes: Genomes) -> BoolArray:
        """Tell which columns are active in each genome; bool (N, D)."""
        rows = self._rows(genomes, "active")
        active = np.ones(rows.shape, dtype=np.bool_)
        for choice in self._conditional:
            holds = np.ones(len(rows), dtype=np.bool_)
            for condition in choice.conditions:
                column = self._slices[condition.gene].start
                parent = self._by_name[condition.gene]
                holds &= active[:, column] & parent.satisfies(rows[:, column], condition)
            active[:, self._slices[choice.name]] = holds[:, None]
        return active

    def canonical(self, genomes: Genomes) -> Genomes:
        """Return the genomes with every inactive choice at its default."""
        rows = self._rows(genomes, "canonical")
        # Adding zero turns -0.0 into 0.0, which has the same meaning and other bytes.
        return genomes.with_rows(np.where(self.active(genomes), rows, self._defaults) + 0.0)

    def keys(self, genomes: Genomes) -> list[bytes]:
        """Return one hashable key per genome, equal exactly for equal canonical genomes."""
        return [row.tobytes() for row in self.canonical(genomes).rows]

    def from_keys(self, keys: Sequence[bytes]) -> Genomes:
        """Return the canonical genomes that `keys` stand for."""
        return Genomes(np.frombuffer(b"".join(keys), np.float64).reshape(len(keys), self.width))

    # ---- other forms ---------------------------------------------------------------------

    def decode(self, genomes: Genomes, *, inactive: bool = False) -> list[dict[str, Any]]:
        """Return each genome as a dictionary from choice name to value.

        Inactive choices are left out, so that no evaluation can depend on them, unless
        ``inactive=True``, which is the exact form for logs.
        """
        rows = self._rows(genomes, "decode")
        decoded: list[dict[str, Any]] = [{} for _ in range(len(rows))]
        active = None if inactive else self.active(genomes)
        for choice in self.choices:
            columns = self._slices[choice.name]
            values = choice.decode(rows[:, columns])
            if active is None or not choice.conditions:
                for target, value in zip(decoded, values, strict=True):
                    target[choice.name] = value
            else:
                for i in np.flatnonzero(active[:, columns.start]).tolist():
                    decoded[i][choice.name] = values[i]
        return decoded

    def from_values(self, values: Sequence[Mapping[str, object]]) -> Genomes:
        """Return genomes from dictionaries; the inverse of `decode`.

        Choices a dictionary leaves out get their fixed value, else their default; leaving out
        an active choice that is not fixed is an error, and so is a name the space does not
        know or a value that differs from a fixed gene.
        """
        if isinstance(values, Mapping):
            raise TypeError("Space.from_values: values must be a sequence of mappings, not one")
        background = np.where(self.fixed, self._fixed, self._defaults)[None, :]
        # A partly fixed Injection may clash with its default; any valid filling serves, as long
        # as it is always the same one.
        rows = np.tile(self._mend(background, np.random.default_rng(0)), (len(values), 1))
        for row, genome in zip(rows, values, strict=True):
            for name, value in genome.items():
                row[self.columns(name)] = self._by_name[name].columns_of(value)
        genomes = Genomes(rows)
        needed = self.active(genomes) & ~self.fixed
        for name, columns in self._slices.items():
            for i in np.flatnonzero(needed[:, columns].any(axis=1)).tolist():
                if name not in values[i]:
                    raise ValueError(
                        f"Space.from_values: active choice {name!r} is missing in {dict(values[i])}"
                    )
        broken = np.flatnonzero(~self.is_valid(genomes))
        if len(broken):
            raise ValueError(
                f"Space.from_values: genome breaks a fixed gene: {dict(values[broken[0]])}"
            )
        return genomes

    def to_json(self, genomes: Genomes) -> list[dict[str, Any]]:
        """Return each genome, inactive choices included, as a dictionary JSON can carry."""
        return [
            {name: list(v) if isinstance(v, tuple) else v for name, v in genome.items()}
            for genome in self.decode(genomes, inactive=True)
        ]

    def encode(self, genomes: Genomes) -> NDArray[np.float32]:
        """Return numbers in [0, 1] for a predictor; float32 (N, n_features).

        Categorical and Injection choices are one-hot, Subset ones are bits, numbers are scaled
        to their range (logarithmically where ``log``). Inactive choices are all zero.
        """
        rows = self._rows(genomes, "encode")
        active = self.active(genomes)
        blocks = []
        for choice in self.choices:
            columns = self._slices[choice.name]
            block = choice.features(rows[:, columns])
            blocks.append(np.where(active[:, columns.start][:, None], block, np.float32(0)))
        return np.concatenate(blocks, axis=1)

    @property
    def n_features(self) -> int:
        """Number of columns of `encode`."""
        return sum(choice.n_features for choice in self.choices)
