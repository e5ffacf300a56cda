# SPDX-License-Identifier: Apache-2.0
"""The distribution this package is installed from, and the packages that share its wheel."""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "NAME",
    "SIBLINGS",
    "MissingExtraError",
    "foreign_siblings",
    "install_command",
    "version",
]

#: What pip knows. ``workbench`` is another project there, and so are ``circuits`` and ``graphs``.
NAME = "quantum-graph-workbench"
#: Import packages of the same wheel.
SIBLINGS = ("circuits", "graphs")

_MARK = "Part of quantum-graph-workbench."


def version() -> str:
    """The installed version, or ``"0+not.installed"``."""
    from importlib import metadata

    try:
        return metadata.version(NAME)
    except metadata.PackageNotFoundError:
        return "0+not.installed"


def install_command(extra: str) -> str:
    """The command that installs an extra: from the checkout, where this is one.

    Parameters
    ----------
    extra : str
        As ``"quantum"``; see ``[project.optional-dependencies]``.
    """
    root = Path(__file__).resolve().parents[1]
    if (root / "pyproject.toml").is_file() and (root / "csrc").is_dir():
        return f"pip install -e '.[{extra}]' (in the checkout)"
    return f"pip install '{NAME}[{extra}]'"


class MissingExtraError(ImportError):
    """Something needs packages of an extra that is not installed; the message installs it.

    Parameters
    ----------
    need : str
        Who needs what, as ``"to_csr needs scipy"``.
    extra : str
    """

    def __init__(self, need: str, extra: str) -> None:
        super().__init__(f"{need}: {install_command(extra)}")
        self.need, self.extra = need, extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return MissingExtraError, (self.need, self.extra)


def foreign_siblings() -> list[str]:
    """What is wrong with the siblings' names: a sentence for each that is another's package.

    Nothing is imported: the first file that an import of the name would run is looked at.
    """
    from importlib.util import find_spec

    found = []
    for name in SIBLINGS:
        try:
            spec = find_spec(name)
        except (ImportError, ValueError):
            spec = None
        if spec is None:
            found.append(f"the package {name!r} of {NAME} is not there: install {NAME} again")
            continue
        origin = spec.origin if spec.has_location else None
        if origin is not None and _is_ours(Path(origin)):
            continue
        where = origin or ", ".join(spec.submodule_search_locations or ()) or "an unknown place"
        found.append(
            f"import {name} finds {where}, which is not of {NAME}: uninstall or rename it, or "
            "work in an environment of its own"
        )
    return found


def _is_ours(file: Path) -> bool:
    try:
        with file.open(encoding="utf-8", errors="replace") as source:
            return _MARK in source.read(600)
    except OSError:
        return False
