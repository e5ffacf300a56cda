# SPDX-License-Identifier: Apache-2.0
"""Source-wise round-trip spanners with a certificate, and their verification."""

from __future__ import annotations

from graphs.spanner.build import roundtrip_spanner
from graphs.spanner.result import Certificate, RoundtripSpanner
from graphs.spanner.verify import StretchReport, verify_spanner

__all__ = [
    "Certificate",
    "RoundtripSpanner",
    "StretchReport",
    "roundtrip_spanner",
    "verify_spanner",
]
