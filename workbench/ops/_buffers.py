# SPDX-License-Identifier: Apache-2.0
"""Memory without initial values: the one place where Python code gets it.

Results are allocated here only where every element is provably written. The environment variable
``WB_POISON`` (a byte from 1 to 255) is the test of that: every fresh buffer, here and in the
kernels, is filled with the byte, so that an element nobody wrote changes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from workbench.ops._native import kernels

__all__ = ["empty", "empty_array"]

_POISON: int = kernels.poison_byte()


def empty(
    shape: int | Sequence[int],
    dtype: torch.dtype,
    device: torch.device | str | None = None,
) -> Tensor:
    """A tensor without initial values.

    Parameters
    ----------
    shape : int or sequence of int
        Of the tensor.
    dtype : torch.dtype
        Of its elements.
    device : torch.device or str, optional
        The CPU by default.
    """
    out = torch.empty(shape, dtype=dtype, device=device or "cpu")
    if _POISON:
        out.view(-1).view(torch.uint8).fill_(_POISON)
    return out


def empty_array(shape: int | Sequence[int], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """A NumPy array without initial values.

    Parameters
    ----------
    shape : int or sequence of int
        Of the array.
    dtype : dtype
        Of its elements.
    """
    out = np.empty(shape, dtype)
    if _POISON:
        out.reshape(-1).view(np.uint8).fill(_POISON)
    return out
