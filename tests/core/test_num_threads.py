# SPDX-License-Identifier: Apache-2.0
"""num_threads means one thing everywhere: None is torch's number, below 1 is an error."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from graphs import DiGraph, landmark_oracle, roundtrip_spanner
from graphs.searches import roundtrip_distances, sssp
from graphs.spanner.verify import verify_spanner
from workbench.ops.landmark_search import landmark_search
from workbench.ops.shortest_paths import SearchGraph
from workbench.ops.spgemm import SpGEMMPlan, spgemm
from workbench.ops.spmm import sddmm, spmm

ROOT = Path(__file__).resolve().parents[2]
A = sp.csr_array(np.eye(3))
X = np.ones((3, 2))
G = DiGraph.from_edges([0, 1, 2], [1, 2, 0], [1, 2, 3])
S = SearchGraph(3, G.tails, G.heads, G.weights)
ONE = np.array([0])

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "spgemm": lambda t: spgemm(A, A, num_threads=t),
    "SpGEMMPlan": lambda t: SpGEMMPlan(A, A, num_threads=t),
    "spmm": lambda t: spmm(A, X, num_threads=t),
    "sddmm": lambda t: sddmm(A, X, X, num_threads=t),
    "sssp": lambda t: sssp(G, 0, num_threads=t),
    "roundtrip_distances": lambda t: roundtrip_distances(G, 0, num_threads=t),
    "landmark_oracle": lambda t: landmark_oracle(G, [0], num_threads=t),
    "search_pairs": lambda t: landmark_oracle(G, [0]).search_pairs([0], [1], num_threads=t),
    "roundtrip_spanner": lambda t: roundtrip_spanner(G, [0], num_threads=t),
    "verify_spanner": lambda t: verify_spanner(G, np.ones(3, bool), [0], num_threads=t),
    "shortest_paths": lambda t: S.shortest_paths(ONE, num_threads=t),
    "shortest_paths_near": lambda t: S.shortest_paths_near(ONE, 1.0, num_threads=t),
    "round_trips": lambda t: S.round_trips(ONE, num_threads=t),
    "round_trips_near": lambda t: S.round_trips_near(ONE, 1.0, num_threads=t),
    "landmark_search": lambda t: landmark_search(
        S, ONE, ONE, np.zeros((3, 0)), np.zeros((3, 0)), active=0, num_threads=t
    ),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_refuses_what_is_no_number_of_threads(name: str) -> None:
    call = FUNCTIONS[name]
    for bad in (0, -3, np.int64(0)):
        with pytest.raises(ValueError, match=rf"{name}: num_threads must be at least 1, got {bad}"):
            call(bad)
    for bad in (1.5, True, "2", 2.0, np.True_):
        with pytest.raises(TypeError, match=rf"{name}: num_threads must be an integer"):
            call(bad)
    for good in (None, 1, 2, np.int32(3), 2**70):
        call(good)


def test_the_list_above_is_whole() -> None:
    found = set()
    for room in ("graphs", "circuits", "workbench"):
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text())
            classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)]
            of = {id(f): c.name for c in classes for f in c.body}
            for f in ast.walk(tree):
                if not isinstance(f, ast.FunctionDef):
                    continue
                arguments = [a.arg for a in (*f.args.args, *f.args.kwonlyargs)]
                name = of[id(f)] if f.name == "__init__" else f.name
                if "num_threads" in arguments and not name.startswith("_"):
                    found.add(name)
    assert found - {"limited", "thread_count"} == set(FUNCTIONS)
