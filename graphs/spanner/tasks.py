# SPDX-License-Identifier: Apache-2.0
"""What the command ``workbench spanner`` does, once its words are read."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from graphs.digraph import DiGraph
from graphs.spanner.build import roundtrip_spanner
from graphs.spanner.inputs import check_names, digest, load_graph, names_of, resolve_sources
from graphs.spanner.pipeline import record_of
from graphs.spanner.stretch import StretchReport
from graphs.spanner.verify import verify_spanner
from workbench.cli.arguments import UsageError
from workbench.experiments.durable import plain_json, write_durably, write_json_durably
from workbench.storage.arrays import read_array

__all__ = ["build", "path_words", "verify"]

_MOST_NODES = 24


def build(options: argparse.Namespace) -> int:
    """Build a spanner, write its mask, and say what it is."""
    with _usage("build"):
        _writable(options.out, "--out")
        g, sources = _inputs(options)
        spanner = roundtrip_spanner(
            g,
            sources,
            options.stretch,
            k=options.k,
            method=options.method,
            prune=options.prune,
            verify=options.verify,
            seed=options.seed,
            num_threads=options.threads,
        )

    def save(file: IO[bytes]) -> None:
        np.save(file, spanner.edge_mask)

    write_durably(Path(options.out), save)
    active, edges = spanner.stats["active_vertices"], spanner.stats["active_edges"]
    print(
        f"{spanner.size} of {g.m} edges kept, by {spanner.certificate.method}; "
        f"stretch at most {spanner.stretch_bound:g} by construction"
    )
    if active:
        print(
            f"{spanner.size / active:.3f} edges per vertex and {100 * spanner.size / edges:.1f} % "
            f"of the edges in components that hold a source ({active} vertices, {edges} edges)"
        )
    if spanner.stats["lone_sources"]:
        print(f"{spanner.stats['lone_sources']} sources have no round trip and need no edge")
    if spanner.stretch is not None:
        print(_words(spanner.stretch, g))
    print(f"mask: {options.out}")
    if options.report:
        record = {**record_of(spanner), "graph_sha256": digest(options.graph)}
        write_json_durably(Path(options.report), record)
    return 0


def verify(options: argparse.Namespace) -> int:
    """Verify a mask; 0 where it holds, 1 where it does not."""
    with _usage("verify"):
        g, sources = _inputs(options)
        mask = _mask(options.mask, g)
        report = verify_spanner(
            g,
            mask,
            sources,
            options.stretch,
            sample=options.sample,
            seed=options.seed,
            num_threads=options.threads,
        )
    print(_words(report, g))
    if options.report:
        names = None
        if report.worst is not None:
            names = names_of(g, [report.worst.source, report.worst.vertex])
        record = {
            **report.to_json(),
            "worst_names": names,
            "graph_sha256": digest(options.graph),
            "mask_sha256": digest(options.mask),
        }
        write_json_durably(Path(options.report), plain_json(record, "report"))
    holds = report.broken == 0 if report.holds is None else report.holds
    return 0 if holds else 1


def path_words(g: DiGraph, start: int, path: npt.NDArray[np.int64] | None) -> str:
    """Return a path as the names of its vertices, the middle of a long one left out."""
    if path is None:
        return "none"
    names = names_of(g, [start, *g.heads[path].tolist()])
    if len(names) > _MOST_NODES:
        half = _MOST_NODES // 2
        left_out = len(names) - 2 * half
        names = [*names[:half], f"... {left_out} more ...", *names[-half:]]
    return " -> ".join(names)


def _words(report: StretchReport, g: DiGraph) -> str:
    w = report.worst
    if w is None:
        return str(report)
    a, b = names_of(g, [w.source, w.vertex])
    # The report itself knows numbers only.
    lines = [line for line in str(report).splitlines() if not line.startswith("worst pair")]
    now = "none" if not np.isfinite(w.spanner_distance) else f"{w.spanner_distance:.10g}"
    lines += [
        f"worst pair: source {a}, vertex {b}: round trip {w.graph_distance:.10g} in the graph, "
        f"{now} in the spanner",
        f"  there, graph:   {path_words(g, w.source, w.out_path)}",
        f"  there, spanner: {path_words(g, w.source, w.spanner_out_path)}",
        f"  back, graph:    {path_words(g, w.vertex, w.back_path)}",
        f"  back, spanner:  {path_words(g, w.vertex, w.spanner_back_path)}",
    ]
    return "\n".join(lines)


def _inputs(options: argparse.Namespace) -> tuple[DiGraph, npt.NDArray[np.int64]]:
    if options.seed < 0:
        raise ValueError(f"seed must be at least 0, got {options.seed}")
    if options.threads is not None and options.threads < 1:
        raise ValueError(f"threads must be at least 1, got {options.threads}")
    if options.stretch is not None and not 1 <= options.stretch < float("inf"):
        raise ValueError(f"stretch must be finite and at least 1, got {options.stretch}")
    if options.report:
        _writable(options.report, "--report")
    check_names(options.graph, options.sources)
    g = load_graph(options.graph, options.weight, options.seed)
    return g, resolve_sources(g, options.sources, options.seed)


def _mask(path: str, g: DiGraph) -> Any:
    try:
        mask = read_array(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"mask {path} cannot be read as .npy: {error}") from error
    if mask.dtype != bool or mask.shape != (g.m,):
        raise ValueError(
            f"mask {path} must be bool of shape ({g.m},), got {mask.dtype} of shape {mask.shape}"
        )
    return mask


def _writable(path: str, option: str) -> None:
    """Refuse a place that does not exist before hours of work."""
    if not Path(path).parent.is_dir() or Path(path).is_dir():
        raise ValueError(f"{option} must be a file in an existing folder, got {path!r}")


@contextmanager
def _usage(task: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, OSError, ImportError) as error:
        raise UsageError(f"spanner {task}: {error}") from error
