# SPDX-License-Identifier: Apache-2.0
"""One cover in a process of its own, so that its peak memory is its own.

``python -m graphs.spanner.study.probe graph.npz sources stretch seed`` prints a line of JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from graphs.digraph import DiGraph

__all__ = ["main", "probe"]


def probe(g: DiGraph, cases: list[tuple[int, float]], seed: int) -> list[dict[str, Any]]:
    """Build covers of a graph in fresh processes.

    Parameters
    ----------
    g : DiGraph
    cases : list of (int, float)
        Number of sources and stretch of each.
    seed : int

    Returns
    -------
    list of dict
        ``searches``, ``edges``, ``n``, ``m``; ``seconds``; peak ``bytes`` at the start, with the
        graph, and in all.

    Raises
    ------
    RuntimeError
        If a process fails; its last words are in the message.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.npz"
        np.savez(
            file,
            tails=g.tails.astype(np.int32),
            heads=g.heads.astype(np.int32),
            weights=g.weights,
            n=np.int64(g.n),
        )
        return [_spawn(file, *case, seed) for case in cases]


def _spawn(file: Path, count: int, stretch: float, seed: int) -> dict[str, Any]:
    arguments = [str(file), str(count), repr(stretch), str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "graphs.spanner.study.probe", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"a cover of its own process failed: {done.stderr.strip()[-500:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(argv: list[str]) -> None:
    """Do one case and print it."""
    from graphs.spanner import roundtrip_spanner
    from graphs.spanner.study.inputs import draw_sources
    from graphs.spanner.study.times import timed

    count, stretch, seed = int(argv[1]), float(argv[2]), int(argv[3])
    start = _peak()
    with np.load(argv[0]) as stored:
        g = DiGraph.from_edges(stored["tails"], stored["heads"], stored["weights"], stored["n"])
    sources = draw_sources(g, count, seed)
    graph = _peak()
    made, seconds = timed(
        lambda: roundtrip_spanner(
            g, sources, stretch, method="cover", verify="none", seed=seed, num_threads=1
        )
    )
    print(
        json.dumps(
            {
                "searches": made.stats["searches"],
                "edges": made.size,
                "n": made.stats["active_vertices"],
                "m": made.stats["active_edges"],
                "seconds": seconds,
                "bytes": {"start": start, "graph": graph, "peak": _peak()},
            }
        )
    )


def _peak() -> int:
    """Return the most memory this program ever had, in bytes."""
    status = Path("/proc/self/status")
    if status.is_file():
        # What getrusage says includes the process this one was forked from.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found if sys.platform == "darwin" else 1024 * found


if __name__ == "__main__":
    main(sys.argv[1:])
