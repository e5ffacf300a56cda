# SPDX-License-Identifier: Apache-2.0
"""The whole experiment, piece by piece; see :func:`circuits.analog.gcn_rl.study.pieces.gather`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor
from typing import TYPE_CHECKING, Any

from circuits.analog.gcn_rl.study import problems, summary
from circuits.analog.gcn_rl.study.ablation import ablation_methods, ablation_rows
from circuits.analog.gcn_rl.study.charges import charge_of, charges
from circuits.analog.gcn_rl.study.claims import CIRCUIT_TITLES
from circuits.analog.gcn_rl.study.config import Config, reduced
from circuits.analog.gcn_rl.study.judging import TOLERANCE, JudgePiece, ngspice_here
from circuits.analog.gcn_rl.study.pieces import Piece, gather
from circuits.analog.gcn_rl.study.tasks import PretrainPiece, SearchPiece, TransferPiece, to_trace
from circuits.analog.gcn_rl.study.words import headline, warnings
from circuits.analog.gcn_rl.trace import Trace
from workbench.experiments.durable import write_text_durably
from workbench.experiments.workers import crew

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["run_pipeline"]

_SLOW = ("bo", "mace")  # a piece per seed


def run_pipeline(config: Config, run: Run) -> dict[str, Any]:
    """Run the parts asked for; the result is plain JSON without seconds."""
    config = reduced(config)
    try:
        with crew(config.workers, _load) as executor:
            return _Pipeline(config, run, executor).result()
    except BrokenExecutor as error:
        raise RuntimeError(
            "gcn-rl: a worker process died, perhaps for want of memory. What was done until "
            f"then is kept: `workbench resume {run.path}` goes on"
        ) from error


def _load() -> None:
    import circuits.analog.gcn_rl.training
    import circuits.analog.sizing.problem  # noqa: F401


class _Pipeline:
    """The parts; what they share are the config, the run and the worker processes."""

    def __init__(self, config: Config, run: Run, executor: Executor) -> None:
        self.config, self.run, self.executor = config, run, executor

    def result(self) -> dict[str, Any]:
        c = self.config
        found: dict[str, Any] = {
            "budgets": list(c.budgets),
            "charges": {name: list(charges(name, c.gradient_charge)) for name in c.circuits},
            "surcharge": c.surcharge,
            "seeds": list(c.seed_numbers),
            "tuning": c.tuning,
            "pretraining": c.pretraining,
            "circuits": [],
            "l2dc": None,
            "transfer": [],
            "ablation": None,
        }
        if c.does("search"):
            found["circuits"] = self._circuits()
        if c.does("l2dc"):
            found["l2dc"] = self._l2dc(found["circuits"])
        if c.does("transfer"):
            found["transfer"] = self._transfers()
        if c.does("ablation"):
            found["ablation"] = self._ablation()
        differences = [
            row["difference"] for own in found["circuits"] for row in own["ngspice"]["rows"]
        ]
        found["largest_difference"] = max(differences, default=None)
        return {
            **found,
            "headline": headline(found),
            "passed": all(d <= TOLERANCE for d in differences),
            "warnings": warnings(found, TOLERANCE),
        }

    # ---- methods on circuits ---------------------------------------------------------------

    def _circuits(self) -> list[dict[str, Any]]:
        c = self.config
        pieces: dict[str, Piece] = {}
        for circuit in c.circuits:
            pieces.update(self._searches(circuit, c.methods, "fom"))
        found = gather(self.run, "search", pieces, self.executor)
        rows, judges = {}, {}
        for circuit in c.circuits:
            traces = self._traces(found, circuit, c.methods, "fom")
            rows[circuit] = summary.method_rows(c, c.methods, traces)
            judges[circuit] = self._judge(circuit, rows[circuit])
        verdicts = gather(self.run, "verdict", judges, self.executor)
        return [
            self._circuit(circuit, rows[circuit], judges[circuit], verdicts[circuit])
            for circuit in c.circuits
        ]

    def _searches(
        self, circuit: str, methods: Sequence[str], reward: str
    ) -> dict[str, SearchPiece]:
        c = self.config
        pieces = {}
        for method in methods:
            base = method.partition(":")[0]
            groups = [(s,) for s in c.seed_numbers] if base in _SLOW else [c.seed_numbers]
            for budget in summary.searched(c, method):
                for seeds in groups:
                    piece = SearchPiece(
                        circuit, c.node_of(circuit), method, budget, seeds,
                        charge_of(circuit, method, c.gradient_charge), c.surrogate_cap, reward,
                    )  # fmt: skip
                    pieces[_key(piece)] = piece
        return pieces

    def _traces(
        self, found: Mapping[str, Any], circuit: str, methods: Sequence[str], reward: str
    ) -> dict[tuple[str, int], list[Trace]]:
        traces: dict[tuple[str, int], list[Trace]] = {}
        for key, piece in self._searches(circuit, methods, reward).items():
            own = traces.setdefault((piece.method, piece.budget), [])
            own.extend(to_trace(tree) for tree in found[key])
        return traces

    def _judge(self, circuit: str, rows: Sequence[Mapping[str, Any]]) -> JudgePiece:
        node = self.config.node_of(circuit)
        found = [row for row in rows if row["best"] is not None]
        designs = [(row["method"], tuple(row["best"]["params"])) for row in found]
        if all(name != "human" for name, _ in designs):
            human = problems.problem_of(circuit, node).human.tolist()
            designs.append(("human", tuple(human)))
        own = [row for row in found if row["method"] != "human"]
        winner = max(own, key=lambda row: float(row["best"]["fom"]), default=None)
        return JudgePiece(
            circuit,
            node,
            tuple(designs),
            None if winner is None else winner["method"],
            self.run.find("ngspice", ngspice_here),
        )

    def _circuit(
        self,
        circuit: str,
        rows: list[dict[str, Any]],
        judge: JudgePiece,
        verdict: Mapping[str, Any],
    ) -> dict[str, Any]:
        problem: Any = problems.problem_of(circuit, judge.node)
        folder = self.run.path / "decks"
        folder.mkdir(exist_ok=True)
        for name, text in verdict["decks"].items():
            write_text_durably(folder / f"{circuit}-{judge.node}-{_file(name)}.cir", text)
        return {
            "circuit": circuit,
            "title": CIRCUIT_TITLES.get(circuit, circuit),
            "node": judge.node,
            "parameters": list(problem.parameter_names),
            "metrics": list(problem.metric_names),
            "units": list(problem.metric_units),
            "signs": [int(s) for s in problem.metric_signs],
            "vertices": len(problem.vertices),
            "methods": rows,
            "winner": judge.winner,
            "moonshot": summary.moonshot(self.config, rows),
            "pairs": summary.pairs(self.config, rows),
            **{k: verdict[k] for k in ("ngspice", "corners", "damping", "response", "netlist")},
        }

    # ---- the reward of L2DC ----------------------------------------------------------------

    def _l2dc(self, circuits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Three-TIA with L2DC's reward, and that reward of the designs found with ours."""
        import torch

        c, circuit = self.config, "three_tia"
        node = c.node_of(circuit)
        pieces = self._searches(circuit, c.l2dc_methods, "l2dc")
        found = gather(self.run, "l2dc", pieces, self.executor)
        traces = self._traces(found, circuit, c.l2dc_methods, "l2dc")
        problem: Any = problems.l2dc_problem(circuit, node)

        def score(params: Sequence[float]) -> dict[str, Any]:
            read = problem.metrics(torch.tensor([list(params)], dtype=torch.float64))
            value = float(problem.fom(read)[0])
            metrics = [x if math.isfinite(x) else None for x in read.values[0].tolist()]
            return {"score": value, "metrics": metrics}

        designs = {"human": score(problem.human.tolist())}
        for own in circuits:
            if own["circuit"] == circuit and own["node"] == node:
                for row in own["methods"]:
                    if row["best"] is not None and row["method"] != "human":
                        designs[row["title"]] = score(row["best"]["params"])
        return {
            "node": node,
            "metrics": list(problem.metric_names),
            "units": list(problem.metric_units),
            "rows": summary.method_rows(c, c.l2dc_methods, traces),
            "designs": designs,
        }

    # ---- the layers of the agents ----------------------------------------------------------

    def _ablation(self) -> dict[str, Any]:
        c = self.config
        methods = ablation_methods(c)
        pieces: dict[str, Piece] = {}
        for circuit in c.ablation_circuits:
            for method in methods:
                piece = SearchPiece(
                    circuit, c.node_of(circuit), method, c.ablation_budget, c.seed_numbers,
                    charge_of(circuit, method, c.gradient_charge), c.surrogate_cap,
                )  # fmt: skip
                pieces[_key(piece)] = piece
        found = gather(self.run, "ablation", pieces, self.executor)
        circuits = []
        for circuit in c.ablation_circuits:
            traces = {
                (piece.method, piece.budget): [to_trace(tree) for tree in found[key]]
                for key, piece in pieces.items()
                if isinstance(piece, SearchPiece) and piece.circuit == circuit
            }
            circuits.append({"circuit": circuit, "rows": ablation_rows(c, circuit, traces)})
        return {"budget": c.ablation_budget, "seeds": c.seeds, "circuits": circuits}

    # ---- transfer --------------------------------------------------------------------------

    def _transfers(self) -> list[dict[str, Any]]:
        c = self.config
        routes = [(text, *problems.read_route(text)) for text in c.routes]
        training: dict[str, Piece] = {}
        for _, source, target in routes:
            for letters in ("gcn", "ng"):
                piece = PretrainPiece(
                    *source, _index(source, target), letters == "gcn", c.pretraining, c.seed_numbers
                )
                training[_training_key(source, target, letters)] = piece
        trained = gather(self.run, "pretraining", training, self.executor)
        pieces: dict[str, Piece] = {
            text: TransferPiece(
                source,
                target,
                _index(source, target),
                c.tuning,
                c.seed_numbers,
                charges(target[0], c.gradient_charge).gradient,
                {n: trained[_training_key(source, target, n)] for n in ("gcn", "ng")},
            )
            for text, source, target in routes
        }
        found = gather(self.run, "transfer", pieces, self.executor)
        return [
            summary.transfer_row(
                c,
                source,
                target,
                {name: [to_trace(t) for t in trees] for name, trees in found[text].items()},
            )
            for text, source, target in routes
        ]


def _key(piece: SearchPiece) -> str:
    seeds = f" seed {piece.seeds[0]}" if len(piece.seeds) == 1 else ""
    return f"{piece.circuit} {piece.node}, {piece.method}, {piece.budget}{seeds}"


def _index(source: tuple[str, str], target: tuple[str, str]) -> str:
    # One circuit has one one-hot index; two circuits have only a number in common.
    return "one-hot" if source[0] == target[0] else "scalar"


def _training_key(source: tuple[str, str], target: tuple[str, str], letters: str) -> str:
    return f"{letters} {source[0]} {source[1]}, {_index(source, target)}"


def _file(name: str) -> str:
    return "".join(ch if ch.isalnum() or ch in "-+" else "-" for ch in name)
