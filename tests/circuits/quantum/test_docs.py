# SPDX-License-Identifier: Apache-2.0
"""The examples of the documentation do what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from circuits.quantum import circuit, layer, symbols
from circuits.quantum.gates import ALIASES, GATES

PAGE = Path(__file__).parents[3] / "docs" / "circuits.md"


def test_examples_of_the_page_run():
    if not PAGE.exists():
        pytest.skip("docs/ is not beside the tests")
    results = doctest.testfile(str(PAGE), module_relative=False)
    assert results.attempted > 20
    assert results.failed == 0


@pytest.mark.parametrize("module", [circuit, layer, symbols])
def test_examples_of_the_docstrings_run(module):
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


def test_the_page_names_every_gate():
    words = set(PAGE.read_text().replace("`", " ").replace("(", " ").replace(")", " ").split())
    assert set(GATES) <= words
    assert {"u1", "u3", "cu1"} <= words & set(ALIASES)
