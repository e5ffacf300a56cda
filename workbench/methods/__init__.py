# SPDX-License-Identifier: Apache-2.0
"""Systems on the shared machinery, one package each: :mod:`workbench.methods.sparch`."""
