# SPDX-License-Identifier: Apache-2.0
"""Many expressions evaluated at once: one torch call per kind of operation and level."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from circuits.analog.expression import OPERATORS, Expression

__all__ = ["Tape"]


class Tape:
    """Expressions compiled into levels of batched operations; shared parts are computed once.

    Parameters
    ----------
    names : sequence of str
        The parameters, in the order of the rows of what the tape is called with.
    outputs : sequence of Expression
    """

    def __init__(self, names: Sequence[str], outputs: Sequence[Expression]) -> None:
        place = {name: i for i, name in enumerate(names)}  # of each value in the table
        numbers: dict[float, int] = {}
        distinct: dict[Any, int] = {}  # operation on earlier keys -> its own key
        nodes: list[tuple[Any, ...]] = []
        levels: list[int] = []

        def note(key: tuple[Any, ...], level: int) -> int:
            if key not in distinct:
                distinct[key] = len(nodes)
                nodes.append(key)
                levels.append(level)
            return distinct[key]

        roots = []
        for output in outputs:
            local: dict[int, int] = {}
            for node in output.ordered():
                args = tuple(local[id(a)] for a in node.args)
                if node.op == "number":
                    numbers.setdefault(node.number, len(numbers))
                    local[id(node)] = note(("number", node.number), 0)
                elif node.op == "name":
                    local[id(node)] = note(("name", node.name), 0)
                else:
                    level = 1 + max(levels[a] for a in args)
                    local[id(node)] = note((node.op, *args), level)
            roots.append(local[id(output)])

        # the table is filled in this order: parameters, numbers, then level by level
        row = [0] * len(nodes)
        groups: dict[tuple[int, str], list[int]] = defaultdict(list)
        for key, (op, *operand) in enumerate(nodes):
            if op == "name":
                row[key] = place[operand[0]]
            elif op == "number":
                row[key] = len(names) + numbers[operand[0]]
            else:
                groups[levels[key], op].append(key)
        filled = len(names) + len(numbers)
        self._levels: list[list[tuple[str, list[Tensor]]]] = []
        for level, op in sorted(groups):
            members = groups[level, op]
            operands = [
                torch.tensor([row[nodes[key][1 + k]] for key in members])
                for k in range(OPERATORS[op].arity)
            ]
            if level > len(self._levels):
                self._levels.append([])
            self._levels[-1].append((op, operands))
            for key in members:
                row[key] = filled
                filled += 1
        self._numbers = torch.tensor(list(numbers), dtype=torch.float64).unsqueeze(1)
        self._outputs = torch.tensor([row[root] for root in roots], dtype=torch.int64)

    def __call__(self, values: Tensor) -> Tensor:
        """Evaluate every expression.

        Parameters
        ----------
        values : Tensor
            float64 ``(n_names, B)``.

        Returns
        -------
        Tensor
            float64 ``(n_outputs, B)``, differentiable to the values.
        """
        table = torch.cat([values, self._numbers.expand(-1, values.shape[1])])
        for level in self._levels:
            done = [table]
            for op, operands in level:
                function = getattr(torch, OPERATORS[op].in_torch)
                done.append(function(*(table.index_select(0, index) for index in operands)))
            table = torch.cat(done)
        return table.index_select(0, self._outputs)
