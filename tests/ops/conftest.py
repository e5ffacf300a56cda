# SPDX-License-Identifier: Apache-2.0
"""Failed assertions show their values in the modules that several tests share too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(f"{__package__}.circuit_sim_cases", f"{__package__}.spgemm_cases")
