# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/graphs.md do what it says."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import pytest

import graphs

PAGE = Path(__file__).parents[2] / "docs" / "graphs.md"


@pytest.fixture
def page():
    if not PAGE.exists():
        pytest.skip("docs/ is not beside the tests")
    return PAGE


def test_examples_of_the_page_run(page):
    pytest.importorskip("torch_geometric")
    results = doctest.testfile(str(page), module_relative=False)
    assert results.attempted > 20
    assert results.failed == 0


def test_the_page_names_every_function(page):
    text = page.read_text()
    for name in set(graphs.__all__) - {"Clustering"}:
        assert f"`{name}`" in text


def test_importing_the_package_imports_nothing_else():
    root = str(Path(graphs.__file__).parents[1])
    code = (
        f"import sys; sys.path.insert(0, {root!r}); import graphs; "
        "assert not {'numpy', 'torch', 'scipy', 'torch_geometric'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
