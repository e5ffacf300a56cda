# SPDX-License-Identifier: Apache-2.0
"""What the study charges for slopes is what they were measured to cost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from circuits.analog.gcn_rl.study.charges import MEASURED, charge_of, charges

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"

if not FOLDER.is_dir():
    pytest.skip("benchmarks/ is not part of this tree", allow_module_level=True)


def test_charges_are_the_kept_ratios_rounded_up(module: Any) -> None:
    charged = module("sizing_charges")
    kept = json.loads((FOLDER / "results" / "sizing_charges.json").read_text("utf-8"))
    assert {row["circuit"] for row in kept["rows"]} == set(MEASURED) == set(charged.CIRCUITS)
    for circuit, found in MEASURED.items():
        rows = [row for row in kept["rows"] if row["circuit"] == circuit]
        for what in ("gradient", "parts"):
            most = max(row[what] for row in rows)
            assert most <= getattr(found, what) < most + 0.2


def test_it_measures_and_keeps(module: Any, monkeypatch: Any, tmp_path: Path) -> None:
    charged = module("sizing_charges")
    monkeypatch.setattr(charged, "CIRCUITS", {"three_tia": "ee114"})
    assert charged.main(["--rounds", "2", "--save", str(tmp_path)]) == 0
    rows = json.loads((tmp_path / "sizing_charges.json").read_text("utf-8"))["rows"]
    assert [row["batch"] for row in rows] == list(charged.BATCHES)
    assert all(row["gradient"] > 1.0 < row["parts"] for row in rows)


def test_who_is_charged_what() -> None:
    assert charge_of("ldo", "sqp") == MEASURED["ldo"].parts
    assert charge_of("ldo", "gcn-path:depth=2") == MEASURED["ldo"].gradient
    assert charge_of("ldo", "sqp", 3.5) == charges("two_tia", 3.5).gradient == 3.5
    assert charges("of my own") == (4.0, 4.0)
