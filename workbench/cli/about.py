# SPDX-License-Identifier: Apache-2.0
"""``workbench info`` and ``workbench selftest``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from workbench.cli.arguments import Arguments
from workbench.distribution import NAME, MissingExtraError, foreign_siblings
from workbench.experiments.discovery import plugins
from workbench.experiments.environment import processor, versions

SELFTESTS = "workbench.selftests"
_REBUILD = "in a checkout, `pip install -e .` builds the kernels"


def info(words: Sequence[str]) -> int:
    """Print versions, processor and the build of the kernels."""
    parser = Arguments("info", "Versions, processor, and what the kernels were built for.")
    parser.add_argument("--short", action="store_true", help="leave out the kernels: at once")
    parser.add_argument("--json", action="store_true", help="print JSON, for a bug report")
    arguments = parser.read(words)
    import workbench

    facts: dict[str, Any] = {
        "workbench": workbench.__version__,
        "versions": {name: v for name, v in versions().items() if name != NAME},
        "processor": processor(),
        "foreign": foreign_siblings(),
    }
    if not arguments.short:
        facts["kernels"] = _kernels()
    if arguments.json:
        print(json.dumps(facts, indent=2, ensure_ascii=False))
        return 0
    listed = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    cpu = facts["processor"]
    print(f"workbench {facts['workbench']}")
    print(f"versions  {listed}")
    print(f"processor {cpu['cpu']}, {cpu['cpu_isa']}, {cpu['cpus']} usable CPUs")
    if not arguments.short:
        print(f"kernels   {_kernel_words(facts['kernels'])}")
    for sentence in facts["foreign"]:
        print(f"warning   {sentence}")
    return 0


def selftest(words: Sequence[str]) -> int:
    """Run every check that installed packages announce."""
    parser = Arguments("selftest", "Check the kernels and the installation (under 20 s).")
    parser.read(words)
    info(["--short"])
    found = plugins(SELFTESTS)
    if not found:
        print(f"no checks found: the package is not installed; {_REBUILD}", file=sys.stderr)
        return 1
    width = max(len(plugin.name) for plugin in found)
    foreign = foreign_siblings()
    for sentence in foreign:
        print(f"FAILED  {sentence}", file=sys.stderr)
    failures, absent = len(foreign), 0
    began = time.perf_counter()
    for plugin in found:
        started = time.perf_counter()
        try:
            if plugin.error is not None:
                raise RuntimeError(f"{plugin.target} does not load: {plugin.error}")
            state, text = "ok", str(plugin.value())
        except MissingExtraError as error:
            state, text = "absent", str(error)
            absent += 1
        except Exception as error:
            state, text = "FAILED", f"{type(error).__name__}: {error}"
            failures += 1
        seconds = time.perf_counter() - started
        print(f"{plugin.name:<{width}}  {state:<6}  {text}  ({seconds:.1f} s)", flush=True)
    total = time.perf_counter() - began
    if failures:
        print(
            f"{failures} of {len(found) + len(foreign)} checks failed ({total:.1f} s)",
            file=sys.stderr,
        )
        return 1
    left_out = f", {absent} left out for want of optional packages" if absent else ""
    print(f"all {len(found) - absent} checks passed{left_out} ({total:.1f} s)")
    return 0


def _kernels() -> dict[str, Any]:
    try:
        from workbench import ops

        build: dict[str, Any] = dict(ops.build_info())
    except (ImportError, AttributeError) as error:
        return {"error": f"not usable: {error}", "remedy": _REBUILD}
    return build


def _kernel_words(kernels: dict[str, Any]) -> str:
    if "error" in kernels:
        text = str(kernels["error"])
        return text if "pip install" in text else f"{text} ({kernels['remedy']})"
    device = kernels.get("cuda_device")
    cuda = f"CUDA {device or 'built, no device'}" if kernels.get("cuda_built") else "CUDA not built"
    families = kernels.get("families") or []
    parts = [
        f"{kernels.get('isa')} (max {kernels.get('max_isa')})",
        f"{kernels.get('threads')} threads",
        cuda,
        str(kernels.get("compiler")),
        "families: " + ", ".join(map(str, families)),
    ]
    return ", ".join(parts)
