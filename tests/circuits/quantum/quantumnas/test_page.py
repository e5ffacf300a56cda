# SPDX-License-Identifier: Apache-2.0
"""The system's page says what is so."""

from __future__ import annotations

import doctest
from dataclasses import fields
from pathlib import Path

import circuits.quantum.quantumnas as package

PAGE = Path(__file__).parents[4] / "docs" / "systems" / "quantumnas.md"


def test_the_examples_on_the_page_run() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted >= 8
    assert found.failed == 0


def test_the_page_has_the_headings_of_every_system() -> None:
    headings = [line[3:] for line in PAGE.read_text().splitlines() if line.startswith("## ")]
    assert headings == [
        "Problem",
        "Algorithm",
        "What we changed and why",
        "API",
        "Reproduction",
        "Limits",
        "Citation",
    ]


def test_modules_on_the_page_exist_and_public_names_can_be_imported() -> None:
    text = PAGE.read_text()
    for module in Path(package.__file__).parent.glob("*.py"):
        if module.stem not in ("__init__", "experiment", "config", "checking"):
            assert f"`{module.stem}`" in text, module.stem
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert {field.name for field in fields(package.Config)} >= {"device", "task", "seeds"}
