# SPDX-License-Identifier: Apache-2.0
"""JSON from files."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["parse_json"]


def parse_json(text: str | bytes) -> Any:
    """Read JSON as ``json.loads`` does, with one error for all that can be wrong.

    Raises
    ------
    ValueError
        If it is no JSON, no UTF-8, or nested too deep to be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
