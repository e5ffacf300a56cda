# SPDX-License-Identifier: Apache-2.0
"""Figures of merit and their calibration."""

from __future__ import annotations

import dataclasses
import math
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from circuits.analog.designs import DESIGNS, design, nodes
from circuits.analog.sizing import (
    Calibration,
    load_calibration,
    make_calibration,
    sizing_problem,
)
from circuits.analog.sizing.calibrate import main
from circuits.analog.sizing.calibration import parameter_ranges
from circuits.analog.sizing.merit import CalibratedRequirement, CalibratedTerm, FigureOfMerit

NAMES = ("gain", "power", "margin")
MERIT = FigureOfMerit(
    (
        CalibratedTerm("gain", 1.0, "log", 10.0, 1000.0),
        CalibratedTerm("power", -1.0, "log", 1e-3, 1e-1),
        CalibratedTerm("margin", 0.5, "linear", 0.0, 60.0, cap=60.0),
    ),
    (CalibratedRequirement("gain", 20.0), CalibratedRequirement("margin", 0.0)),
)


def score(*rows: tuple[float, float, float], status: int = 0) -> list[float]:
    values = torch.tensor(rows, dtype=torch.float64)
    return MERIT.score(values, torch.full((len(rows),), status), NAMES).tolist()


def test_by_hand() -> None:
    assert score((100.0, 1e-2, 30.0)) == pytest.approx([0.5 - 0.5 + 0.25])
    assert score((100.0, 1e-2, 90.0)) == pytest.approx([0.5])  # no more than the cap
    assert score((1e9, 1e-2, 60.0)) == pytest.approx([2 - 0.5 + 0.5])  # clipped
    assert score((100.0, 1e-9, 60.0)) == pytest.approx([0.5 + 1 + 0.5])
    assert score((20.0, 1e-2, 60.0)) == [-2.0]  # not above what is required
    assert score((100.0, 1e-2, -1.0)) == [-2.0]
    assert score((100.0, 1e-2, 30.0), status=3) == [-2.0]
    for bad in (math.nan, math.inf, 0.0, -1.0):
        assert score((100.0, bad, 30.0)) == [-2.0]
    assert score((math.nan, 1e-2, 30.0), (100.0, 1e-2, 30.0)) == pytest.approx([-2.0, 0.25])


@given(st.floats(21, 1e4), st.floats(1e-5, 1.0), st.floats(0.1, 150))
def test_better_is_not_worse(gain: float, power: float, margin: float) -> None:
    (base,) = score((gain, power, margin))
    assert score((2 * gain, power, margin))[0] >= base - 1e-12
    assert score((gain, power / 2, margin))[0] >= base - 1e-12
    assert score((gain, power, margin + 5))[0] >= base - 1e-12
    assert score((gain, power, margin), (math.nan, 1, 1))[0] == base


def test_slopes() -> None:
    values = torch.tensor(
        [[100.0, 1e-2, 30.0], [1e9, 1e-2, 90.0], [math.nan, 1e-2, 30.0], [15.0, 1e-2, 30.0]],
        dtype=torch.float64,
        requires_grad=True,
    )
    MERIT.score(values, torch.zeros(4, dtype=torch.int64), NAMES).sum().backward()
    assert values.grad is not None
    decade = math.log(10)
    np.testing.assert_allclose(
        values.grad,
        [
            [1 / (2 * decade * 100), -1 / (2 * decade * 1e-2), 0.5 / 60],
            [0, -1 / (2 * decade * 1e-2), 0],
            [0, 0, 0],
            [0, 0, 0],
        ],
    )


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="gain: needs low < high"):
        CalibratedTerm("gain", 1.0, "log", 10.0, 10.0)
    with pytest.raises(ValueError, match="gain: low is -1"):
        CalibratedTerm("gain", 1.0, "log", -1.0, 10.0)
    with pytest.raises(ValueError, match="scale is 'dB'"):
        CalibratedTerm("gain", 1.0, "dB", 1.0, 10.0)
    with pytest.raises(ValueError, match="no metric 'gain' among noise"):
        MERIT.score(torch.zeros(1, 1), torch.zeros(1), ("noise",))


# -- calibration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "node"), [(n, k) for n in DESIGNS for k in nodes(n)])
def test_files_are_of_the_designs(name: str, node: str) -> None:
    kept = load_calibration(name, node)
    assert Calibration.from_json(kept.to_json()) == kept
    made = design(name, node)
    assert kept.parameters == parameter_ranges(made)
    assert kept.samples == 5000
    assert [(t.metric, t.weight, t.scale, t.cap) for t in kept.merit.terms] == [
        (t.metric, t.weight, t.scale, t.cap) for t in made.terms
    ]
    assert [r.metric for r in kept.merit.requirements] == [r.metric for r in made.requirements]
    assert 0.4 < kept.working <= kept.defined <= kept.simulated <= 1.0


@pytest.mark.parametrize("name", list(DESIGNS))
def test_files_regenerate(name: str) -> None:
    kept = load_calibration(name, nodes(name)[0])
    made, _ = make_calibration(
        sizing_problem(name, calibrated=False), samples=kept.samples, seed=kept.seed
    )
    for mine, theirs in zip(made.merit.terms, kept.merit.terms, strict=True):
        assert mine.low == pytest.approx(theirs.low, rel=3e-6)
        assert mine.high == pytest.approx(theirs.high, rel=3e-6)
    for ours, other in zip(made.merit.requirements, kept.merit.requirements, strict=True):
        assert ours.least == pytest.approx(other.least, rel=3e-6)
    for share in ("simulated", "defined", "working"):
        assert getattr(made, share) == pytest.approx(getattr(kept, share), abs=6e-4)


def test_stale_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file made before a term was added is named, whoever loads it."""
    kept = load_calibration("ldo", "180")
    old = dataclasses.replace(
        kept, merit=dataclasses.replace(kept.merit, terms=kept.merit.terms[2:])
    )
    folder = tmp_path / "calibrations"
    folder.mkdir()
    (folder / "ldo_180.json").write_text(old.to_json(), encoding="utf-8")
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    message = r"ldo_180\.json: .* made for other terms \(settle_load_up, settle_load_down\)"
    with pytest.raises(ValueError, match=message):
        load_calibration("ldo", "180")
    with pytest.raises(ValueError, match=message):
        sizing_problem("ldo")
    sizing_problem("ldo", calibrated=False)  # which is how a new one is made
    with pytest.raises(ValueError, match="no calibration of 'two_tia' at node '180'"):
        load_calibration("two_tia", "180")


def test_percentiles_are_numpys() -> None:
    problem = sizing_problem("two_tia", calibrated=False)
    made, values = make_calibration(problem, samples=400, seed=5)
    gain = values[:, problem.metric_names.index("gain")].numpy()
    term = next(t for t in made.merit.terms if t.metric == "gain")
    np.testing.assert_allclose([term.low, term.high], np.percentile(gain, [1, 99]), rtol=1e-5)
    assert made.merit.requirements[0].least == pytest.approx(np.percentile(gain, 20), rel=1e-5)
    other, _ = make_calibration(problem, samples=400, seed=6)
    assert other.merit != made.merit


def test_the_command_writes_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given_ = ["--design", "two_tia", "--node", "65", "--samples", "300", "--out", str(tmp_path)]
    assert main(given_) == 0
    kept = Calibration.from_json((tmp_path / "two_tia_65.json").read_text(encoding="utf-8"))
    assert (kept.design, kept.node, kept.samples) == ("two_tia", "65", 300)
    assert "two_tia    65" in capsys.readouterr().out


def test_bad_files() -> None:
    kept = load_calibration("two_tia", "180")
    with pytest.raises(ValueError, match="no calibration file"):
        Calibration.from_json("{}")
    with pytest.raises(ValueError, match="no calibration file"):
        Calibration.from_json("[]")
    with pytest.raises(ValueError, match="of 50 random designs have all metrics"):
        make_calibration(sizing_problem("two_tia"), samples=50)
    assert dataclasses.replace(kept, seed=1) != kept
