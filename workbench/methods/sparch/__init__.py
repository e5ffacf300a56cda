# SPDX-License-Identifier: Apache-2.0
"""The SpArch experiment: what each idea of the accelerator saves, on matrices of your choice.

The machine itself is :mod:`workbench.hardware.sparch`.
"""

from __future__ import annotations

from workbench.methods.sparch.config import Config

__all__ = ["Config"]
