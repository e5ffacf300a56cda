# SPDX-License-Identifier: Apache-2.0
"""The analog tests' ground truth: hand-written decks and what ngspice says of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from circuits.analog.ngspice.record import Oracle
from circuits.analog.ngspice.run import available

_HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def deck() -> Callable[[str], str]:
    """``deck("two_tia_180")``: the text of a deck in ``decks/``."""
    return lambda name: (_HERE / "decks" / f"{name}.cir").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def oracle() -> Oracle:
    """``oracle(name, deck, analyses, **request) -> (DeckResult, "ngspice 39, live|recorded")``."""
    if not available():
        warnings.warn("ngspice is not installed: its recorded results are the oracle", stacklevel=1)
    return Oracle(_HERE / "recorded")
