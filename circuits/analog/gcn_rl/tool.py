# SPDX-License-Identifier: Apache-2.0
"""What the command ``workbench size`` does, once its words are read."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from circuits.analog.gcn_rl.study.charges import charge_of, charges
from circuits.analog.gcn_rl.study.checking import check_methods, check_place
from circuits.analog.gcn_rl.study.judging import TOLERANCE, apart
from circuits.analog.gcn_rl.study.problems import problem_of, read_method
from circuits.analog.gcn_rl.study.statistics import quartiles
from circuits.analog.gcn_rl.study.summary import finite
from circuits.analog.gcn_rl.study.tables import metric_text
from circuits.analog.gcn_rl.study.words import shown
from circuits.analog.gcn_rl.trace import Trace
from workbench.cli.arguments import UsageError
from workbench.experiments import Column, Table
from workbench.experiments.durable import plain_json, write_json_durably, write_text_durably
from workbench.experiments.progress import ProgressBoard
from workbench.storage.texts import parse_json

__all__ = ["run", "transfer", "verify"]

_FORMAT = "workbench.size"
_VERSION = 1


def run(options: argparse.Namespace) -> int:
    """Search with one method and seed, print what was found, and keep it."""
    with _usage(""):
        _writable(options.out, "--out")
        _writable(options.deck, "--deck")
        check_methods("--method", (options.method,))
        node = options.node or _home(options.circuit)
        check_place("--circuit", options.circuit, node)
        method, settings = read_method(options.method)
        charge = charge_of(options.circuit, options.method, _charge(options.gradient_charge))
        if method.gradients:
            settings["gradient_charge"] = charge
        problem: Any = problem_of(options.circuit, node)
        trace = method.run(problem, options.budget, options.seed, board=ProgressBoard(), **settings)
    if trace.best_fom == float("-inf"):
        print(f"no working design in {trace.budget:g} simulations; a larger --budget may find one")
        return 1
    params = torch.from_numpy(trace.best_params)[None]
    found, human = problem.metrics(params), problem.metrics(problem.human[None])
    record: dict[str, Any] = {
        "format": _FORMAT,
        "version": _VERSION,
        "config": {
            "circuit": options.circuit,
            "node": node,
            "method": options.method,
            "budget": options.budget,
            "seed": options.seed,
            "gradient_charge": charge,
        },
        "best": {
            "fom": trace.best_fom,
            "params": dict(zip(problem.parameter_names, trace.best_params.tolist(), strict=True)),
            "metrics": dict(
                zip(problem.metric_names, map(finite, trace.best_metrics.tolist()), strict=True)
            ),
        },
        "units": dict(zip(problem.metric_names, problem.metric_units, strict=True)),
        "deck": _deck(problem, params),
        "trace": trace.to_dict(),
    }
    human_fom = float(problem.fom(human)[0])
    spent = float(trace.charge[-1])
    _print(
        _side_by_side(
            problem, {"best": found.values[0].tolist(), "human": human.values[0].tolist()}
        )
    )
    print(
        f"figure of merit {shown(trace.best_fom)} with {spent:g} simulations; "
        f"the human design has {shown(human_fom)}"
    )
    for name, words in trace.notes.items():
        if name == "stopped":
            print(f"{method.name} stopped early: {words}")
    if options.out:
        write_json_durably(Path(options.out), plain_json(record, "run"))
        print(f"run: {options.out} (workbench size verify {options.out} asks ngspice)")
    if options.deck:
        write_text_durably(Path(options.deck), record["deck"])
        print(f"deck: {options.deck}")
    return 0


def verify(options: argparse.Namespace) -> int:
    """Simulate a run's design again; 0 where kernels and ngspice agree with what is stored."""
    with _usage("verify"):
        record = _read(options.run)
        config, best = record["config"], record["best"]
        problem: Any = problem_of(config["circuit"], config["node"])
        names, params = problem.parameter_names, best["params"]
        if set(params) != set(names):
            raise ValueError(f"{options.run} sizes {sorted(params)}, the circuit has {list(names)}")
        values = torch.tensor([[params[n] for n in names]], dtype=torch.float64)
        from circuits.analog import ngspice

        if not ngspice.available():
            raise ImportError("ngspice is not installed: apt-get install ngspice")
        from circuits.analog.sizing import verify_in_ngspice

        found = verify_in_ngspice(problem, values)
    columns = {
        "stored": [best["metrics"][n] for n in problem.metric_names],
        "kernels": found.native.values[0].tolist(),
        "ngspice": found.values[0].tolist(),
    }
    _print(_side_by_side(problem, columns))
    moved = apart(problem, columns["stored"], columns["kernels"])
    between = apart(problem, columns["kernels"], columns["ngspice"])
    agree = max(*moved.values(), between["difference"]) <= TOLERANCE
    print(
        f"figure of merit: stored {shown(best['fom'], 6)}, "
        f"kernels {shown(float(problem.fom(found.native)[0]), 6)}, "
        f"ngspice {shown(float(found.fom[0]), 6)}"
    )
    print(
        f"{'agree' if agree else 'DO NOT AGREE'}: largest relative difference "
        f"{max(moved.values()):.1e} between stored and kernels, {between['difference']:.1e} "
        f"between kernels and ngspice (at most {TOLERANCE:g})"
    )
    if between["settling"]:
        print(
            f"settling times of kernels and ngspice differ by {100 * between['settling']:.2g} %: "
            "they depend on where a simulator puts its time steps"
        )
    return 0 if agree else 1


def transfer(options: argparse.Namespace) -> int:
    """Pre-train, fine-tune, and run the controls."""
    from circuits.analog.gcn_rl.transfer import TRANSFER_ROWS, transfer_study

    with _usage("transfer"):
        _writable(options.out, "--out")
        target = options.to_circuit or options.circuit
        check_place("--from", options.circuit, options.source)
        check_place("--to", target, options.target)
        check_methods("transfer", ("es-best", "gradient"))
        if (options.circuit, options.source) == (target, options.target):
            raise ValueError("--from and --to are the same; give another node or --to-circuit")
        if options.seeds < 1:
            raise ValueError(f"--seeds must be at least 1, got {options.seeds}")
        index = "one-hot" if target == options.circuit else "scalar"
        rows = transfer_study(
            problem_of(options.circuit, options.source, index),
            problem_of(target, options.target, index),
            range(options.seed, options.seed + options.seeds),
            pretrain_budget=options.pretraining,
            budget=options.budget,
            gradient_charge=charges(target, _charge(options.gradient_charge)).gradient,
            board=ProgressBoard(),
        )
    _print(_transfer_table(rows, TRANSFER_ROWS, options.budget))
    if options.seeds < 5:
        print(f"{options.seeds} seeds: too few to call a difference one")
    if options.out:
        record = {
            "format": f"{_FORMAT}.transfer",
            "version": _VERSION,
            "config": {k: v for k, v in vars(options).items() if k != "out"},
            "rows": {name: [trace.to_dict() for trace in own] for name, own in rows.items()},
        }
        write_json_durably(Path(options.out), plain_json(record, "transfer"))
        print(f"traces: {options.out}")
    return 0


def _transfer_table(
    rows: Mapping[str, Sequence[Trace]], titles: Mapping[str, str], budget: float
) -> Table:
    cells: list[list[Any]] = []
    for name, own in rows.items():
        low, middle, high = quartiles([finite(trace.at(budget)) for trace in own])
        cells.append([titles[name], middle, low, high])
    return Table(
        [
            Column("start"),
            Column("median", ".3f", best="max"),
            Column("lower quartile", ".3f"),
            Column("upper", ".3f"),
        ],
        cells,
        caption=f"Best figure of merit after {budget:g} simulations on the target.",
    )


def _print(table: Table) -> None:
    """Print a table whose columns are as wide as they must be."""
    columns = range(len(table.columns))
    lines = [[table.column(i).title for i in columns]]
    lines += [[table.text(row, i) for i in columns] for row in range(len(table.rows))]
    widths = [max(len(line[i]) for line in lines) for i in columns]
    for number, line in enumerate(lines):
        cells = [
            word.rjust(width) if table.is_right_aligned(i) else word.ljust(width)
            for i, (word, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip())
        if number == 0:
            print("\N{BOX DRAWINGS LIGHT HORIZONTAL}" * (sum(widths) + 2 * (len(widths) - 1)))
    if table.caption:
        print(table.caption)


def _side_by_side(problem: Any, columns: Mapping[str, Sequence[float | None]]) -> Table:
    arrows = {1: "more", -1: "less"}
    rows = [
        [
            name.replace("_", " "),
            arrows[int(sign)],
            *(metric_text(_known(column[k]), unit) for column in columns.values()),
        ]
        for k, (name, unit, sign) in enumerate(
            zip(problem.metric_names, problem.metric_units, problem.metric_signs, strict=True)
        )
    ]
    return Table(
        [
            Column("metric"),
            Column("better", align="left"),
            *(Column(name, align="right") for name in columns),
        ],
        rows,
    )


def _known(value: float | None) -> float | None:
    return None if value is None else finite(value)


def _deck(problem: Any, params: torch.Tensor) -> str:
    from circuits.analog.sizing.verify import deck

    return deck(problem, params)


def _home(circuit: str) -> str:
    from circuits.analog.designs.registry import nodes

    return nodes(circuit)[0]


def _charge(asked: float | None) -> float:
    """0 for what was measured."""
    if asked is not None and not 1.0 < asked < float("inf"):
        raise ValueError(f"gradient_charge must be above 1, got {asked}")
    return asked or 0.0


def _read(path: str) -> dict[str, Any]:
    try:
        record = parse_json(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise ValueError(f"{path} is not what `workbench size --out` writes")
    if record.get("version") != _VERSION:
        raise ValueError(f"{path} has version {record.get('version')!r}, expected {_VERSION}")
    for name, fields in (
        ("config", ("circuit", "node")),
        ("best", ("fom", "params", "metrics")),
    ):
        if not isinstance(record.get(name), dict) or not set(fields) <= set(record[name]):
            raise ValueError(f"{path}: {name} lacks one of {', '.join(fields)}")
    return record


def _writable(path: str | None, option: str) -> None:
    """Refuse a place that does not exist before any work."""
    if path and (not Path(path).parent.is_dir() or Path(path).is_dir()):
        raise ValueError(f"{option} must be a file in an existing folder, got {path!r}")


@contextmanager
def _usage(task: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, OSError, ImportError) as error:
        raise UsageError(f"{f'size {task}'.strip()}: {error}") from error
