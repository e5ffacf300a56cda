# SPDX-License-Identifier: Apache-2.0
"""The one door to the compiled extension.

torch is imported first: it brings its own OpenMP runtime under the same library name, so the
kernels loaded afterwards share it, and ``torch.set_num_threads`` rules both.
"""

from __future__ import annotations

import torch  # noqa: F401  (must precede the extension)

try:
    from workbench import _kernels as kernels
except ImportError as error:
    raise ImportError(
        "workbench._kernels, the compiled extension, is not importable "
        f"({error}). In a checkout build it with `pip install -e .`; if you installed a wheel, "
        "start Python outside the source tree, which shadows the installed package."
    ) from error

__all__ = ["kernels"]
