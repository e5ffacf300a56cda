# SPDX-License-Identifier: Apache-2.0
"""What the paper reports, read from memory: digits are approximate.

Its figure of merit is normalised by 5,000 random designs on a foundry's models in a commercial
simulator, so that no value here can be compared with a value there; orders can.
"""

from __future__ import annotations

__all__ = ["CAVEAT", "CIRCUIT_TITLES", "NODE_TRANSFER", "PAPER", "TOPOLOGY_TRANSFER"]

CIRCUIT_TITLES = {
    "two_tia": "Two-TIA",
    "two_volt": "Two-Volt",
    "three_tia": "Three-TIA",
    "ldo": "LDO",
}

#: Figure of merit by method: Two-TIA, Two-Volt, Three-TIA, LDO, 180 nm.
PAPER: dict[str, tuple[float, float, float, float]] = {
    "human": (2.32, 2.02, 1.15, 0.61),
    "random": (2.46, 1.74, 0.74, 0.27),
    "ES": (2.66, 1.91, 1.30, 0.40),
    "BO": (2.48, 1.85, 1.24, 0.45),
    "MACE": (2.54, 1.70, 1.27, 0.58),
    "NG-RL": (2.59, 1.98, 1.39, 0.71),
    "GCN-RL": (2.69, 2.23, 1.40, 0.79),
}

#: From 180 nm after 300 simulations, without and with transfer: 250, 130, 65, 45 nm.
NODE_TRANSFER = {
    "two_tia": ((2.36, 2.43, 2.36, 2.36), (2.55, 2.56, 2.52, 2.51)),
    "three_tia": ((0.69, 0.65, 0.55, 0.53), (1.27, 1.29, 1.20, 1.06)),
}

#: To this circuit after 300 simulations: without, NG-RL's and GCN-RL's transfer.
TOPOLOGY_TRANSFER = {"three_tia": (0.63, 0.62, 0.78), "two_tia": (2.37, 2.40, 2.45)}

CAVEAT = (
    "The paper's values are normalised by random designs on a foundry's models in a commercial "
    "simulator, ours by random designs on level-1 cards of our own: no value here can be compared "
    "with one there, only orders can."
)
