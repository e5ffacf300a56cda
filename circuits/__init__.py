# SPDX-License-Identifier: Apache-2.0
"""Circuits and the systems built on them: :mod:`circuits.quantum`, :mod:`circuits.analog`.

Part of quantum-graph-workbench.
"""
