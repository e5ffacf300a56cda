# SPDX-License-Identifier: Apache-2.0
"""Search: spaces of named choices, ask/tell engines, evaluators, budgeted and resumable runs.

Needs numpy and nothing else, and knows no application. See docs/search.md.
"""

from workbench.search.checkpoint import (
    CallbackCheckpoint,
    Checkpoint,
    CheckpointError,
    FileCheckpoint,
)
from workbench.search.choice import Choice, When
from workbench.search.compare import Row, compare, comparison_table
from workbench.search.constraint import Constraint
from workbench.search.engine import Engine, Random
from workbench.search.evaluator import Evaluation, EvaluationError, Evaluator
from workbench.search.evolution import Evolution
from workbench.search.genomes import NO_PARENT, Genomes
from workbench.search.run import Budget, Generation, Search, SearchResult
from workbench.search.scalar_choices import Categorical, Float, Int
from workbench.search.set_choices import Injection, Permutation, Subset
from workbench.search.space import Space
from workbench.search.trace import Trace, read_trace

__all__ = [
    "NO_PARENT",
    "Budget",
    "CallbackCheckpoint",
    "Categorical",
    "Checkpoint",
    "CheckpointError",
    "Choice",
    "Constraint",
    "Engine",
    "Evaluation",
    "EvaluationError",
    "Evaluator",
    "Evolution",
    "FileCheckpoint",
    "Float",
    "Generation",
    "Genomes",
    "Injection",
    "Int",
    "Permutation",
    "Random",
    "Row",
    "Search",
    "SearchResult",
    "Space",
    "Subset",
    "Trace",
    "When",
    "compare",
    "comparison_table",
    "read_trace",
]
