# SPDX-License-Identifier: Apache-2.0
"""Composite sequential quadratic programming: a figure of merit climbed part by part.

The plain gradient of a sum of clipped metrics is wrong at every clip, and the best designs lie at
clips. Here each part is modelled by itself: what is smooth by its slope and a curvature learned on
the way, what has an edge by ``min(cap, row)``, a settling time by the half waves that make it jump.
The model is climbed within a trust region; whole numbers move in whole steps. After Fletcher's
treatment of composite functions (Practical Methods of Optimization, 1987, chapter 14) and Broyden
(1965).
"""
