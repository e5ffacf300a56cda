# SPDX-License-Identifier: Apache-2.0
"""ngspice as an optional simulator and as the oracle of the analog kernels.

Nothing here needs ngspice to be imported. Where it is missing, the error says which command
installs it. The names below are imported when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from circuits.analog.ngspice.request import NgspiceError, Sweep, Transient
    from circuits.analog.ngspice.results import DeckResult
    from circuits.analog.ngspice.run import LoadedDeck, available, simulate_deck, version

_MODULES = {
    "DeckResult": "results",
    "LoadedDeck": "run",
    "NgspiceError": "request",
    "Sweep": "request",
    "Transient": "request",
    "available": "run",
    "simulate_deck": "run",
    "version": "run",
}

__all__ = [
    "DeckResult",
    "LoadedDeck",
    "NgspiceError",
    "Sweep",
    "Transient",
    "available",
    "simulate_deck",
    "version",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
