# SPDX-License-Identifier: Apache-2.0
"""What ``num_threads=`` means, on every function that has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

__all__ = ["thread_count"]

_MOST = 2**31 - 1


def thread_count(function: str, num_threads: Any) -> int:
    """Threads to use: torch's number for None, else the number given.

    Parameters
    ----------
    function : str
        Whose argument it is, for errors.
    num_threads : int or None
        At least 1.

    Raises
    ------
    TypeError
        If it is no integer (a bool or a float is none).
    ValueError
        If it is below 1.
    """
    if num_threads is None:
        return torch.get_num_threads()
    if isinstance(num_threads, bool) or not isinstance(num_threads, int | np.integer):
        raise TypeError(
            f"{function}: num_threads must be an integer of at least 1 or None, got {num_threads!r}"
        )
    if num_threads < 1:
        raise ValueError(f"{function}: num_threads must be at least 1, got {num_threads}")
    return min(int(num_threads), _MOST)
