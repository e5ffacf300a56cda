# SPDX-License-Identifier: Apache-2.0
"""The experiment's computation: the spanner, its rivals at the same bound, and the files."""

from __future__ import annotations

from functools import partial
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from graphs.digraph import DiGraph
from graphs.spanner.build import roundtrip_spanner
from graphs.spanner.config import Config
from graphs.spanner.inputs import digest, is_file, load_graph, names_of, resolve_sources
from graphs.spanner.picture import edge_path
from graphs.spanner.result import RoundtripSpanner
from workbench.experiments import RunError
from workbench.experiments.durable import plain_json, write_durably, write_json_durably

if TYPE_CHECKING:
    from workbench.experiments import Run

__all__ = ["MAP", "MASK", "MOST_LINES", "RECORD", "fingerprints", "record_of", "run_pipeline"]

MASK, RECORD, MAP = "mask.npy", "spanner.json", "map.npz"
#: Lines up to which a map is put into the page.
MOST_LINES = 150_000
#: Arcs looked at in both searches of all sources, up to which the other methods are run as well.
_AFFORDED = 5e8
_RIVALS = ("exact", "greedy", "cover")


def run_pipeline(config: Config, run: Run) -> dict[str, Any]:
    """Build and verify; the result is plain JSON, and the files lie beside it.

    Raises
    ------
    RunError
        If a file is malformed or not what it was when the run began, or there are no such
        sources.
    """
    files = run.once("files", partial(fingerprints, config))
    if files != (now := fingerprints(config)):
        changed = next(name for name in files if files[name] != now[name])
        raise RunError(
            f"the file of the {changed} is not what it was when this run began; "
            "`workbench run spanner ... --force` begins anew"
        )
    try:
        g = load_graph(config.graph, config.weight, config.seed, config.positions)
        sources = resolve_sources(g, config.sources, config.seed)
    except ValueError as error:  # of the files, so no crash of ours
        raise RunError(str(error)) from error
    c, component = g.components
    active = np.zeros(c, bool)
    active[component[sources]] = True
    some = active[component]
    work = 2.0 * np.unique(sources).size * (int(some.sum()) + int(some[g.tails].sum()))
    rivals = _RIVALS if config.baselines and work <= _AFFORDED else ()
    with run.progress(1 + len(rivals), "spanners") as bar:
        built = run.once("spanner", partial(_built, g, sources, config, run))
        bar.advance(best=f"{built['record']['size']} edges")
        rows = []
        for method in rivals:
            if method != built["record"]["method"] or config.prune:
                unit = partial(_rival, g, sources, config, run, method)
                rows.append(run.once(f"rival {method}", unit))
            bar.advance()
    mask = np.unpackbits(built["mask"], count=g.m).astype(bool)
    _write(run, g, mask, sources, built["record"])
    record = built["record"]
    return {
        "graph": _name(config.graph),
        "weights": str(g.weights.dtype),
        "files": files,
        **record,
        "rivals": rows,
        "afforded": bool(rivals) or not config.baselines,
        "headline": _headline(record),
        "passed": record["stretch"] is None or bool(record["stretch"]["holds"]),
        "warnings": _warnings(g, record, sources),
    }


def fingerprints(config: Config) -> dict[str, str]:
    """Return what each file contains, as SHA-256."""
    named = {"graph": config.graph, "sources": config.sources, "positions": config.positions}
    return {role: digest(name) for role, name in named.items() if is_file(name)}


def record_of(spanner: RoundtripSpanner) -> dict[str, Any]:
    """Return what there is to say of a spanner as plain JSON, without times."""
    g, report = spanner.graph, spanner.stretch
    stats = ("n", "m", "active_vertices", "active_edges", "lone_sources")
    worst = None
    if report is not None and report.worst is not None:
        worst = names_of(g, [report.worst.source, report.worst.vertex])
    record = {
        **{name: spanner.stats[name] for name in stats},
        "sources": len(spanner.sources),
        "size": spanner.size,
        "method": spanner.method,
        "bound": spanner.stretch_bound,
        "certificate": spanner.certificate.to_json(),
        "stretch": None if report is None else report.to_json(),
        "worst_names": worst,
    }
    plain: dict[str, Any] = plain_json(record, "spanner")
    return plain


def _built(
    g: DiGraph, sources: Any, config: Config, run: Run, method: str | None = None
) -> dict[str, Any]:
    spanner = roundtrip_spanner(
        g,
        sources,
        config.stretch,
        method=config.method if method is None else method,
        prune=config.prune if method is None else False,
        verify=config.verify,
        seed=config.seed,
    )
    for phase, seconds in spanner.stats["seconds"].items():
        run.timing(f"{method or 'spanner'} {phase}", seconds)
    return {"mask": np.packbits(spanner.edge_mask), "record": record_of(spanner)}


def _rival(g: DiGraph, sources: Any, config: Config, run: Run, method: str) -> dict[str, Any]:
    record = _built(g, sources, config, run, method)["record"]
    report = record["stretch"]
    if report is not None:
        report = {key: report[key] for key in ("exact", "max", "mean", "p99")}
    return {**{key: record[key] for key in ("method", "size", "bound")}, "stretch": report}


def _write(run: Run, g: DiGraph, mask: Any, sources: Any, record: dict[str, Any]) -> None:
    def save(file: IO[bytes]) -> None:
        np.save(file, mask)

    write_durably(run.path / MASK, save)
    write_json_durably(run.path / RECORD, record)
    if g.positions is None:
        return
    lines = {
        name: np.asarray(edge_path(g, g.positions, m).vertices, np.float64)
        for name, m in (("dropped", ~mask), ("kept", mask))
    }
    if sum(len(ends) for ends in lines.values()) > 2 * MOST_LINES:
        return
    lines["sources"] = g.positions[sources]

    def save_map(file: IO[bytes]) -> None:
        np.savez_compressed(file, **lines)  # type: ignore[arg-type]

    write_durably(run.path / MAP, save_map)


def _name(graph: str) -> str:
    # Without its folder: where data lie is no part of a result.
    return graph.replace("\\", "/").rsplit("/", 1)[-1]


def _headline(record: dict[str, Any]) -> str:
    words = f"{record['size']} of {record['m']} edges, bound {record['bound']:g}"
    report = record["stretch"]
    if report is None or report["max"] is None:
        return f"{words}, not verified"
    return f"{words}, measured {report['max']:.3g}{'' if report['exact'] else ' (sampled)'}"


def _warnings(g: DiGraph, record: dict[str, Any], sources: Any) -> list[str]:
    found = []
    if record["lone_sources"]:
        found.append(
            f"{record['lone_sources']} of {record['sources']} sources have no round trip to any "
            "other vertex and need no edge"
        )
    if len(sources) != record["sources"]:
        found.append(f"{len(sources) - record['sources']} sources were named more than once")
    if record["stretch"] is not None and not record["stretch"]["exact"]:
        found.append("the stretch was measured on a sample of the sources only")
    return found
