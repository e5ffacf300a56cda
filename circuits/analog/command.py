# SPDX-License-Identifier: Apache-2.0
"""``workbench size``: size a circuit, verify a design, transfer a policy."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from workbench.cli.arguments import Arguments, UsageError
from workbench.cli.commands import Command
from workbench.experiments.suggestion import closest

__all__ = ["COMMAND", "size"]

_HELP = """\
usage: workbench size --circuit NAME [--node NODE] [--method METHOD] [options]
       workbench size verify RUN.json
       workbench size transfer --circuit NAME --from NODE --to NODE [options]

Chooses widths, lengths, multipliers, resistors and capacitors of a circuit such that its figure of
merit is high, in a given number of simulations.

  circuits   two_tia, three_tia, two_volt, ldo
  nodes      250, 180, 130, 65, 45; three_tia also ee114
  methods    human             the designer's point, simulated once
             random, sobol     no search at all
             es, es-best       CMA-ES; from the best of 100 random designs
             bo, mace          Gaussian processes; at most 400 simulations
             gradient          L-BFGS-B on the simulator's gradient; gradient+es
             sqp               quadratic programs on the parts of the figure of merit: the best
             ngrl, gcnrl       reinforcement learning, without and with the circuit's graph
             pathwise          the graph's actor on the simulator's gradient
             Options of an agent follow it: gcnrl:depth=2,skip=true

  verify     simulates the design of a run again, in ngspice as well, and compares
  transfer   trains agents on one node and goes on on another, beside what needs no agent

Examples
  workbench size --circuit two_tia --method sqp --budget 1000 --out run.json
  workbench size verify run.json
  workbench size --circuit ldo --node 65 --method gcnrl --budget 3000 --seed 1
  workbench size transfer --circuit two_tia --from 180 --to 45 --seeds 3

`workbench size run --help` shows all options of the first form, `workbench run gcn-rl` compares
all methods on all circuits. In Python: circuits.analog.sizing and circuits.analog.gcn_rl.
"""

#: Other words for the methods of :data:`circuits.analog.gcn_rl.METHODS`.
_ALIASES = {
    "gcnrl": "gcn-rl",
    "ngrl": "ng-rl",
    "pathwise": "gcn-path",
    "gcnrl-mixed": "gcn-mixed",
    "ngrl-pathwise": "ng-path",
}


def size(words: Sequence[str]) -> int:
    """Size, verify or transfer, as the first word says."""
    if not words or words[0] in ("-h", "--help"):
        print(_HELP, end="")
        return 0 if words else 2
    tasks = {"run": _run, "verify": _verify, "transfer": _transfer}
    if words[0].startswith("-"):
        return _run(words)
    if words[0] not in tasks:
        raise UsageError(
            f"size: unknown word {words[0]!r}{closest(words[0], list(tasks))} "
            "(there are: verify, transfer, or options such as --circuit two_tia)"
        )
    return tasks[words[0]](words[1:])


def _run(words: Sequence[str]) -> int:
    parser = Arguments("size", "Size a circuit with one method and one seed.")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--circuit", required=True, metavar="NAME", help="two_tia, three_tia, two_volt or ldo")
    add("--node", metavar="NODE", help="technology card (default: that of the human design)")
    add("--method", default="sqp", help="what searches (default: sqp)")
    add("--budget", type=int, default=1000, metavar="N", help="simulations (default: 1000)")
    add("--seed", type=int, default=0, help="of all that is random (default: 0)")
    add("--gradient-charge", type=float, metavar="X",
        help="simulations charged for one with its gradient (default: as measured)")  # fmt: skip
    add("--out", metavar="RUN.json", help="where config, trace, design and deck go")
    add("--deck", metavar="FILE.cir", help="where the SPICE deck of the best design goes")
    parser.epilog = (
        "examples:\n"
        "  workbench size --circuit two_tia --method sqp --budget 300 --out run.json\n"
        "  workbench size --circuit three_tia --node 45 --method es-best --deck best.cir\n"
    )
    options = parser.read(words)
    options.method = _method(options.method)
    from circuits.analog.gcn_rl.tool import run

    return run(options)


def _verify(words: Sequence[str]) -> int:
    parser = Arguments("size verify", "Simulate a run's design again, in ngspice as well.")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("run", metavar="RUN.json", help="what `workbench size --out` wrote")
    parser.epilog = (
        "exit codes: 0 all agree, 1 they do not, 2 wrong usage or no ngspice\n\n"
        "example:\n  workbench size verify run.json\n"
    )
    options = parser.read(words)
    from circuits.analog.gcn_rl.tool import verify

    return verify(options)


def _transfer(words: Sequence[str]) -> int:
    parser = Arguments("size transfer", "Train on one node or circuit, go on on another.")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--circuit", required=True, metavar="NAME", help="two_tia, three_tia, two_volt or ldo")
    add("--from", dest="source", required=True, metavar="NODE", help="technology of the source")
    add("--to", dest="target", required=True, metavar="NODE", help="technology of the target")
    add("--to-circuit", metavar="NAME", help="circuit of the target (default: the source's)")
    add("--pretraining", type=int, default=1000, metavar="N",
        help="simulations on the source (default: 1000)")  # fmt: skip
    add("--budget", type=int, default=300, metavar="N",
        help="simulations on the target (default: 300)")  # fmt: skip
    add("--seed", type=int, default=0, help="the first seed (default: 0)")
    add("--seeds", type=int, default=1, metavar="N", help="how many (default: 1)")
    add("--gradient-charge", type=float, metavar="X",
        help="simulations charged for one with its gradient (default: as measured)")  # fmt: skip
    add("--out", metavar="FILE.json", help="where all traces go")
    parser.epilog = (
        "examples:\n"
        "  workbench size transfer --circuit two_tia --from 180 --to 45\n"
        "  workbench size transfer --circuit two_tia --from 180 --to 180 --to-circuit three_tia\n"
    )
    options = parser.read(words)
    from circuits.analog.gcn_rl.tool import transfer

    return transfer(options)


def _method(text: str) -> str:
    name, colon, rest = text.partition(":")
    return f"{_ALIASES.get(name, name)}{colon}{rest}"


COMMAND = Command(
    name="size",
    summary="size an analog circuit: one method, one seed; verify, transfer",
    run=size,
)
