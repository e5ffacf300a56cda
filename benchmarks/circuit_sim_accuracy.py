# SPDX-License-Identifier: Apache-2.0
"""How far the circuit kernels are from ngspice: four amplifiers, random sizings, temperatures.

Run ``python benchmarks/circuit_sim_accuracy.py --save`` where ngspice is installed; it takes
half a minute. ``circuit_sim_page.py`` then puts the table into the documentation.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from circuit_sim_work import AMPLIFIERS, Sizings
from kept import add_save, keep

__all__ = ["TEMPERATURES", "Accuracy", "main", "measure"]

TEMPERATURES = (-40.0, 0.0, 27.0, 85.0, 125.0)

# Tighter ones make ngspice give up on some sizings with high gain.
_OPTIONS = ".options reltol=1e-8 abstol=1e-15 vntol=1e-11"


@dataclass(frozen=True)
class Accuracy:
    """Largest differences over the sizings of one amplifier at one temperature.

    Attributes
    ----------
    amplifier : str
    celsius : float
    sizings, unsolved : int
        How many, and how many of these ours could not solve.
    potentials : float
        Of all nodes, volt.
    transfer, noise : float
        Relative, at each frequency.
    transfer_of_largest : float
        Of the transfer, relative to the largest of its sweep.
    """

    amplifier: str
    celsius: float
    sizings: int
    unsolved: int
    potentials: float
    transfer: float
    transfer_of_largest: float
    noise: float


def measure(name: str, celsius: float, sizings: int) -> Accuracy:
    """Compare one amplifier at one temperature.

    Parameters
    ----------
    name : str
        One of ``AMPLIFIERS``.
    celsius : float
    sizings : int

    Raises
    ------
    circuits.analog.ngspice.NgspiceError
        Where ngspice is missing or solves a sizing not.
    """
    from circuits.analog.ngspice import LoadedDeck, Sweep

    amplifier = AMPLIFIERS[name]
    work = Sizings(amplifier, sizings, seed=11)
    sweep = Sweep(amplifier.low, amplifier.high, 20)
    potentials, transfer, noise = [], [], []
    with LoadedDeck(work.deck(0, [_OPTIONS]), temp=celsius, precise=False) as loaded:
        for i in range(sizings):
            for group, names in enumerate(work.groups):
                for device in names:
                    loaded.alter(device, w=float(work.widths[group, i]))
            found = loaded.run(("op", "ac", "noise"), freqs=sweep, noise_output=amplifier.output)
            potentials.append([found.op[node.lower()] for node in work.circuit.nodes[1:]])
            transfer.append(found.transfer(*amplifier.output))
            noise.append(found.noise)
    ours = work.circuit.simulate(
        work.values(),
        amplifier.frequencies,
        temp=celsius,
        outputs=[amplifier.output],
        noise_output=amplifier.output,
    )
    v = np.stack([ours.voltage(node).numpy() for node in work.circuit.nodes[1:]])
    h, h_there = ours.ac(amplifier.output).numpy(), np.stack(transfer, 1)
    s, s_there = ours.noise.numpy(), np.stack([np.asarray(n) for n in noise], 1)
    off = np.abs(h - h_there)
    return Accuracy(
        name,
        celsius,
        sizings,
        int((ours.status == 3).sum()),
        float(np.abs(v - np.array(potentials).T).max()),
        float((off / np.abs(h_there)).max()),
        float((off / np.abs(h_there).max(axis=0)).max()),
        float((np.abs(s - s_there) / s_there).max()),
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Measure all amplifiers at all temperatures; print, and keep with ``--save``.

    Parameters
    ----------
    argv : sequence of str, optional
        Options, see ``--help``; those of the process when None.

    Returns
    -------
    int
        Exit status.
    """
    from circuits.analog.ngspice import version
    from workbench.experiments.progress import ProgressBoard

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizings", type=int, default=30, help="of each amplifier (default 30)")
    add_save(parser, "circuit_sim-accuracy")
    options = parser.parse_args(argv)
    if options.sizings < 1:
        parser.error(f"--sizings must be at least 1, got {options.sizings}")
    rows = []
    with ProgressBoard().task(len(AMPLIFIERS) * len(TEMPERATURES), "ngspice") as task:
        for name in AMPLIFIERS:
            for celsius in TEMPERATURES:
                rows.append(measure(name, celsius, options.sizings))
                task.advance()
    for row in rows:
        print(
            f"{row.amplifier:10}{row.celsius:6g} C: {row.potentials:.0e} V, transfer "
            f"{row.transfer:.0e} ({row.transfer_of_largest:.0e} of the largest), noise "
            f"{row.noise:.0e}, {row.unsolved} of {row.sizings} unsolved"
        )
    keep(
        options.save,
        "circuit_sim-accuracy",
        {"ngspice": version(), "rows": [dataclasses.asdict(row) for row in rows]},
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
