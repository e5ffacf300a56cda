# SPDX-License-Identifier: Apache-2.0
"""The study's computation, part by part."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from graphs.spanner.study.certificates import measure_certificates
from graphs.spanner.study.config import Config, reduced
from graphs.spanner.study.growth import measure_growth
from graphs.spanner.study.optimum import gaps
from graphs.spanner.study.sizes import measure_sizes
from graphs.spanner.study.times import measure_times
from graphs.spanner.study.verdict import judge

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["run_pipeline"]


def run_pipeline(config: Config, run: Run) -> dict[str, Any]:
    """Run every part asked for; the result is plain JSON without seconds or bytes."""
    config = reduced(config)
    found: dict[str, Any] = {
        "optimum": None,
        "sizes": None,
        "times": [],
        "growth": [],
        "certificates": None,
    }
    # Short parts first: a run cut short has shown most.
    if "optimum" in config.parts and config.optimum:
        found["optimum"] = run.once("optimum", partial(gaps, config.optimum, config.seed))
    if "time" in config.parts:
        found["times"] = measure_times(config, run)
    if "growth" in config.parts:
        found["growth"] = measure_growth(config, run)
    if "certificate" in config.parts:
        found["certificates"] = measure_certificates(config, run)
    if "size" in config.parts:
        found["sizes"] = measure_sizes(config, run)
    return {**found, **judge(found)}
