# SPDX-License-Identifier: Apache-2.0
"""What the README and the examples show is what runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def run(arguments: list[str]) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def shown_in(page: Path) -> list[tuple[str, str]]:
    return re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", page.read_text(), flags=re.DOTALL)


def test_the_readme_prints_what_it_shows():
    assert shown_in(ROOT / "README.md"), "the README shows no example with its output"
    for page in [ROOT / "README.md", *sorted((ROOT / "docs" / "kernels").glob("*.md"))]:
        for code, output in shown_in(page):
            assert run(["-c", code]) == output, page.name


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.stem)
def test_every_example_runs(path: Path):
    assert run([str(path)]).strip()


def test_every_make_target_the_documents_name_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]:
        for named in re.findall(r"`?make ([a-z-]+)`", page.read_text()):
            assert named in targets, f"{page.name} names make {named}"


def test_links_between_documents_lead_somewhere():
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.relative_to(ROOT)} links to {link}"
