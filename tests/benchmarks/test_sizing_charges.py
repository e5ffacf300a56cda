# SPDX-License-Identifier: Apache-2.0
"""What the study charges for slopes is what they were measured to cost."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from circuits.analog.gcn_rl.study.charges import MEASURED, charge_of, charges

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def benchmark_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "sizing_charges", ROOT / "benchmarks" / "sizing_charges.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_charges_are_the_kept_ratios_rounded_up(benchmark_module: ModuleType) -> None:
    kept = json.loads((benchmark_module.RESULTS / "sizing_charges.json").read_text("utf-8"))
    assert (
        {row["circuit"] for row in kept["rows"]} == set(MEASURED) == set(benchmark_module.CIRCUITS)
    )
    for circuit, found in MEASURED.items():
        rows = [row for row in kept["rows"] if row["circuit"] == circuit]
        for what in ("gradient", "parts"):
            most = max(row[what] for row in rows)
            assert most <= getattr(found, what) < most + 0.2


def test_it_measures_and_keeps(benchmark_module: ModuleType, tmp_path: Path) -> None:
    row = benchmark_module.measure("three_tia", 8, 2)
    assert row["batch"] == 8
    assert row["gradient"] > 1.0 < row["parts"]


def test_who_is_charged_what() -> None:
    assert charge_of("ldo", "sqp") == MEASURED["ldo"].parts
    assert charge_of("ldo", "gcn-path:depth=2") == MEASURED["ldo"].gradient
    assert charge_of("ldo", "sqp", 3.5) == charges("two_tia", 3.5).gradient == 3.5
    assert charges("of my own") == (4.0, 4.0)
