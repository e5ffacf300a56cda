# SPDX-License-Identifier: Apache-2.0
"""What slopes cost: a simulation with its gradient, and with those of its parts, in simulations.

Run ``python benchmarks/sizing_charges.py --save``; it takes half a minute on an idle machine. The
sizing study charges searches so: ``circuits.analog.gcn_rl.study.charges.MEASURED`` holds these
ratios rounded up, and a test holds both together.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from kept import add_save, keep

__all__ = ["CIRCUITS", "main", "measure"]

CIRCUITS = {"two_tia": "180", "two_volt": "180", "three_tia": "ee114", "ldo": "180"}
#: Designs at once: as many as fill the kernels, and one by one as a climb takes them.
BATCHES = (256, 1)


def measure(circuit: str, batch: int, rounds: int) -> dict[str, Any]:
    """Time the three in turns, on one thread, with random designs that work.

    Parameters
    ----------
    circuit : str
        One of ``CIRCUITS``.
    batch : int
        Designs at once.
    rounds : int

    Returns
    -------
    dict
        ``microseconds`` of one simulation, and the median ratios ``gradient`` and ``parts``.
    """
    import numpy as np
    import torch

    from circuits.analog.sizing import sizing_problem
    from circuits.analog.sizing.anatomy import Anatomist

    problem = sizing_problem(circuit, CIRCUITS[circuit])
    anatomist = Anatomist(problem)
    draw = np.random.default_rng(0)
    units = torch.from_numpy(draw.uniform(-1, 1, (4 * batch + 64, problem.n_parameters)))
    # a design that fails costs less than one that is simulated to the end
    units = units[problem.evaluate_units(units).fom > -2.0][:batch]
    ways: list[Callable[[], Any]] = [
        lambda: problem.evaluate_units(units),
        lambda: problem.gradient_units(units),
        lambda: anatomist.see(units),
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        table = []
        for k in range(rounds + 1):
            row = []
            for way in ways:
                began = time.perf_counter()
                way()
                row.append(time.perf_counter() - began)
            if k:  # the first warms up
                table.append(row)
    finally:
        torch.set_num_threads(threads)
    return {
        "circuit": circuit,
        "batch": len(units),
        "microseconds": 1e6 * statistics.median(row[0] for row in table) / len(units),
        "gradient": statistics.median(row[1] / row[0] for row in table),
        "parts": statistics.median(row[2] / row[0] for row in table),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all circuits; print, and keep with ``--save``.

    Parameters
    ----------
    argv : sequence of str, optional
        Options, see ``--help``; those of the process when None.

    Returns
    -------
    int
        Exit status.
    """
    from workbench.experiments.progress import ProgressBoard

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="of each (default 15)")
    add_save(parser, "sizing_charges")
    options = parser.parse_args(argv)
    if options.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {options.rounds}")
    rows = []
    with ProgressBoard().task(len(CIRCUITS) * len(BATCHES), "charges") as task:
        for circuit in CIRCUITS:
            for batch in BATCHES:
                rows.append(measure(circuit, batch, options.rounds))
                task.advance()
    for row in rows:
        print(
            f"{row['circuit']:10} {row['batch']:4} at once: {row['microseconds']:8.1f} us each, "
            f"with gradient {row['gradient']:.2f} x, with parts {row['parts']:.2f} x"
        )
    keep(options.save, "sizing_charges", {"rows": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
