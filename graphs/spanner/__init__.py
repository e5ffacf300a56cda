# SPDX-License-Identifier: Apache-2.0
"""Source-wise round-trip spanners with a certificate, and their verification.

The names below are imported when they are first used: the command line asks this package what it
offers, and answers at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.lazy import lazily

if TYPE_CHECKING:
    from graphs.spanner.build import roundtrip_spanner
    from graphs.spanner.result import Certificate, RoundtripSpanner
    from graphs.spanner.stretch import StretchReport, Worst
    from graphs.spanner.verify import verify_spanner

_MODULES = {
    "Certificate": "result",
    "RoundtripSpanner": "result",
    "StretchReport": "stretch",
    "Worst": "stretch",
    "roundtrip_spanner": "build",
    "verify_spanner": "verify",
}

__all__ = [
    "Certificate",
    "RoundtripSpanner",
    "StretchReport",
    "Worst",
    "roundtrip_spanner",
    "verify_spanner",
]

__getattr__, __dir__ = lazily(__name__, _MODULES)
