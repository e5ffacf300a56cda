# SPDX-License-Identifier: Apache-2.0
"""What was skipped, counted by reason; with ``--known-skips RUN`` an unlisted reason fails."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10: pytest brings its twin
    import tomli as tomllib

KINDS = Path(__file__).with_name("skips.toml")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--known-skips",
        metavar="RUN",
        help=f"fail where a test is skipped for a reason that {KINDS.name} does not list for RUN "
        "(bare, ngspice, floor)",
    )


def _skips(config: pytest.Config) -> Counter[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter is not None else []
    reasons = (r.longrepr[2] if isinstance(r.longrepr, tuple) else str(r.longrepr) for r in reports)
    return Counter(reason.removeprefix("Skipped: ") for reason in reasons)


def _unknown(config: pytest.Config, skips: Counter[str]) -> list[str]:
    run = config.getoption("--known-skips")
    if run is None:
        return []
    kinds = tomllib.loads(KINDS.read_text(encoding="utf-8"))["kind"]
    known = [re.compile(kind["reason"]) for kind in kinds if run in kind["runs"]]
    if not known:
        raise pytest.UsageError(f"--known-skips: {KINDS.name} knows no run {run!r}")
    return [reason for reason in skips if not any(k.search(reason) for k in known)]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput") and _unknown(
        session.config, _skips(session.config)
    ):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    skips = _skips(config)
    if not skips:
        return
    terminalreporter.section(f"{skips.total()} skipped, by reason")
    for reason, count in skips.most_common():
        terminalreporter.write_line(f"{count:5d}  {reason}")
    for reason in _unknown(config, skips):
        terminalreporter.write_line(
            f"not a known kind of skip: {reason!r}; mend the test, or add the kind to "
            f"tests/{KINDS.name} with why it must be",
            red=True,
        )
