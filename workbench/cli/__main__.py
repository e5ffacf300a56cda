# SPDX-License-Identifier: Apache-2.0
"""``python -m workbench.cli``."""

from __future__ import annotations

import sys

from workbench.cli import main

sys.exit(main())
