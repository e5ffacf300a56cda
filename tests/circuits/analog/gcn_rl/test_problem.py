# SPDX-License-Identifier: Apache-2.0
"""The protocol, and what importing the package costs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import circuits.analog.gcn_rl as room
from circuits.analog.gcn_rl import SizingProblem


def test_the_synthetic_problem_is_one(problem: Any):
    assert isinstance(problem, SizingProblem)
    assert not isinstance(object(), SizingProblem)


def test_public_names_are_there():
    for name in room.__all__:
        assert getattr(room, name) is not None
    assert set(room.__all__) <= set(dir(room))


def test_importing_costs_no_torch():
    code = (
        "import sys, circuits.analog.gcn_rl;"
        "assert not {'torch', 'numpy', 'cma', 'botorch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_optional_package_is_imported_by_an_agent():
    code = (
        "import sys\n"
        "from circuits.analog.gcn_rl import METHODS, SizingEnv, train, transfer_study\n"
        "assert not {'cma', 'botorch', 'pymoo', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
