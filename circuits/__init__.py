# SPDX-License-Identifier: Apache-2.0
"""Circuits and the systems built on them; quantum circuits are in :mod:`circuits.quantum`."""
