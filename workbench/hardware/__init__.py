# SPDX-License-Identifier: Apache-2.0
"""Models of accelerators: what they move, how long they take, what bounds them.

One package per machine: :mod:`workbench.hardware.sparch`. They count what a design does on given
data; they know no search and no experiment.
"""
