# SPDX-License-Identifier: Apache-2.0
"""Values of angles that are not affine, for a whole batch at once.

The kernels read affine angles only.  Every other angle becomes one more weight or one more input
column, computed here in torch, so that its gradient reaches the weights and inputs it is made of.
Equal operations on different arguments are done together: the feature map of ten wires has 45
products of pairs, which take as many torch calls as one.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from circuits.quantum.symbols import FUNCTIONS, Affine, Expression, Param
from workbench.ops.program import Source

__all__ = ["Derived"]

_FOLDS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "sum": operator.add,
    "product": operator.mul,
    "power": torch.pow,
}

#: Numbers for constant arguments, places among the values found so far for the others.
Argument = tuple[float, ...] | Tensor


class Derived:
    """Expressions compiled into a few torch calls.

    Parameters
    ----------
    expressions : sequence of Expression
    n_weights : int
        Weight ``i`` is column ``i`` of the values that calls take, input ``j`` column
        ``n_weights + j``.
    """

    def __init__(self, expressions: Sequence[Expression], n_weights: int) -> None:
        self.expressions = tuple(expressions)
        self._offset = {Source.WEIGHT: 0, Source.INPUT: n_weights}
        self._place: dict[Param, int] = {}
        self._leaves: list[tuple[tuple[float, ...], list[tuple[Tensor, tuple[float, ...]]]]] = []
        self._steps: list[tuple[str, list[Argument]]] = []
        levels: list[list[Expression]] = []
        affine: dict[Affine, None] = {}
        depth: dict[Param, int] = {}
        todo: list[Expression] = list(reversed(self.expressions))
        while todo:  # no recursion: a long chain of operations is deep
            node = todo[-1]
            inner = [a for a in node.arguments if isinstance(a, Expression) and a not in depth]
            if inner and node not in depth:
                todo.extend(inner)
                continue
            todo.pop()
            if node in depth:
                continue
            affine.update((a, None) for a in node.arguments if isinstance(a, Affine))
            below = [depth[a] for a in node.arguments if isinstance(a, Expression)]
            depth[node] = 1 + max(below, default=-1)
            if depth[node] == len(levels):
                levels.append([])
            levels[depth[node]].append(node)
        self._add_leaves(list(affine))
        for level in levels:
            self._add_level(level)
        self._out = torch.tensor([self._place[e] for e in self.expressions], dtype=torch.int64)

    def _add_leaves(self, angles: list[Affine]) -> None:
        # Grouped by their number of terms: padded ones would carry a NaN gradient elsewhere.
        for count in sorted({len(angle.terms) for angle in angles}):
            group = [angle for angle in angles if len(angle.terms) == count]
            terms = []
            for k in range(count):
                columns = [self._offset[a.terms[k][0]] + a.terms[k][1] for a in group]
                terms.append((torch.tensor(columns), tuple(a.terms[k][2] for a in group)))
            self._leaves.append((tuple(a.constant for a in group), terms))
            self._number(group)

    def _add_level(self, level: list[Expression]) -> None:
        groups: dict[tuple[str, tuple[bool, ...]], list[Expression]] = {}
        for node in level:
            fixed = tuple(isinstance(a, float) for a in node.arguments)
            groups.setdefault((node.operation, fixed), []).append(node)
        for (operation, fixed), group in groups.items():
            arguments: list[Argument] = []
            for k, is_fixed in enumerate(fixed):
                column = [node.arguments[k] for node in group]
                if is_fixed:
                    arguments.append(tuple(a for a in column if isinstance(a, float)))
                else:
                    arguments.append(torch.tensor([self._place[a] for a in column]))
            self._steps.append((operation, arguments))
            self._number(group)

    def _number(self, group: Sequence[Affine | Expression]) -> None:
        for node in group:
            self._place[node] = len(self._place)

    def __call__(self, values: Tensor) -> Tensor:
        """Values of the expressions.

        Parameters
        ----------
        values : Tensor
            ``(..., n_weights + n_inputs)``, or ``(n_weights,)`` if only weights occur.

        Returns
        -------
        Tensor
            ``(..., len(expressions))``, of the same dtype; where an expression has no value it
            is NaN or infinite.
        """

        def numbers(given: tuple[float, ...]) -> Tensor:
            return torch.tensor(given, dtype=values.dtype, device=values.device)

        def taken(source: Tensor, places: Tensor) -> Tensor:
            return source.index_select(-1, places.to(source.device))

        blocks = []
        for constants, terms in self._leaves:
            parts = (taken(values, at) * numbers(coefficients) for at, coefficients in terms)
            blocks.append(functools.reduce(operator.add, parts, numbers(constants)))
        found = torch.cat(blocks, dim=-1)
        for operation, arguments in self._steps:
            given = [taken(found, a) if isinstance(a, Tensor) else numbers(a) for a in arguments]
            if operation in FUNCTIONS:
                made = FUNCTIONS[operation][1](given[0])
            else:
                made = functools.reduce(_FOLDS[operation], given)
            found = torch.cat([found, made], dim=-1)
        return taken(found, self._out)
