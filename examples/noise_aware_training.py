# SPDX-License-Identifier: Apache-2.0
"""Train a small classifier through a simulated IBM machine's noise, and without it.

The same circuit is trained twice on scikit-learn's digits 3 and 6: on ideal expectation values,
and on the exact noisy ones of FakeQuitoV2, whose gradient the noise kernel provides. Both are
then judged under the noise. Takes about ten seconds.
"""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits

from circuits.quantum import Circuit, NoisyQuantumLayer, QuantumLayer, input, weight
from circuits.quantum.devices import device


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """Digits 3 and 6, pooled to 4x4 and scaled to [0, pi]."""
    data = load_digits()
    keep = np.isin(data.target, (3, 6))
    pooled = data.images[keep].reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16)
    x = torch.tensor(pooled / 16 * np.pi, dtype=torch.float64)
    y = torch.tensor(data.target[keep] == 6, dtype=torch.float64)
    return x, y


def classifier() -> Circuit:
    """Sixteen pixels into four qubits, then two blocks of RY and a ring of CX."""
    circuit = Circuit(4)
    for wire in range(4):
        circuit.ry(input(wire), wire).rz(input(4 + wire), wire)
        circuit.rx(input(8 + wire), wire).ry(input(12 + wire), wire)
    for block in range(2):
        for wire in range(4):
            circuit.ry(weight(4 * block + wire), wire)
        for wire in range(4):
            circuit.cx(wire, (wire + 1) % 4)
    return circuit


def train(layer: torch.nn.Module, x: torch.Tensor, y: torch.Tensor, steps: int = 60) -> None:
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.binary_cross_entropy_with_logits(4 * layer(x)[:, 0], y).backward()
        optimizer.step()


def main() -> None:
    x, y = digits()
    train_x, train_y, test_x, test_y = x[:80], y[:80], x[80:], y[80:]
    circuit, backend = classifier(), device("FakeQuitoV2")
    judge = NoisyQuantumLayer(circuit, backend, initial_layout=[0, 1, 2, 3]).double()
    for name in ("trained without noise", "trained with noise"):
        noisy = NoisyQuantumLayer(circuit, backend, initial_layout=[0, 1, 2, 3]).double()
        layer = noisy if "with noise" in name else QuantumLayer(circuit).double()
        train(layer, train_x, train_y)
        with torch.no_grad():
            judge.weights.copy_(layer.weights)
            logits = 4 * judge(test_x)[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, test_y)
        accuracy = ((logits > 0) == (test_y > 0.5)).double().mean()
        print(f"{name:22s} noisy test loss {loss:.3f}  accuracy {accuracy:.2f}")


if __name__ == "__main__":
    main()
