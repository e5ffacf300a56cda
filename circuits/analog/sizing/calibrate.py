# SPDX-License-Identifier: Apache-2.0
"""``python -m circuits.analog.sizing.calibrate``: make the calibration files of the package."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from circuits.analog.designs.registry import DESIGNS, nodes
from circuits.analog.sizing.calibration import SAMPLES, SEED, make_calibration
from circuits.analog.sizing.problem import sizing_problem

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Calibrate designs; prints the shares of random designs that work."""
    parser = argparse.ArgumentParser(prog="python -m circuits.analog.sizing.calibrate")
    parser.add_argument("--design", choices=list(DESIGNS), help="all of them if left out")
    parser.add_argument("--node", help="all of the design's if left out")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "calibrations")
    given = parser.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    print("design     node   simulated  defined  working")
    for name in [given.design] if given.design else list(DESIGNS):
        for node in [given.node] if given.node else nodes(name):
            problem = sizing_problem(name, node, calibrated=False)
            made, _ = make_calibration(problem, samples=given.samples, seed=given.seed)
            path = given.out / f"{name}_{node}.json"
            path.write_text(made.to_json(), encoding="utf-8")
            shares = f"{made.simulated:9.1%} {made.defined:8.1%} {made.working:8.1%}"
            print(f"{name:10} {node:6} {shares}", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
