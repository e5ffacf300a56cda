# SPDX-License-Identifier: Apache-2.0
"""A circuit as a ``torch.nn.Module``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from circuits.quantum.arguments import as_parameters
from circuits.quantum.circuit import Circuit
from circuits.quantum.pauli_sums import observables as parse_observables
from circuits.quantum.simulate import expectation

__all__ = ["QuantumLayer"]


class QuantumLayer(nn.Module):
    """Expectations of a circuit's observables, its weights being trainable.

    Parameters
    ----------
    circuit : Circuit
        Copied, so that what is added to it later does not reach the layer.
    observables : object
        What to read out; ``"z"``, the default, is Z on each wire. See
        :func:`circuits.quantum.pauli_sums.observables`.
    init : float or Tensor
        Start of the weights: a half-width for the uniform distribution, or values of shape
        ``(P,)``. The default, U(-0.3, 0.3), starts near the identity; from the full circle a
        deep circuit's gradients vanish, and weights shared between the many circuits of an
        architecture search no longer rank them.
    seed : int or numpy.random.Generator
        For the random start.

    Attributes
    ----------
    weights : Parameter
        Shape ``(P,)``, of the default dtype; ``layer.to(torch.float64)`` changes it.
    circuit : Circuit

    Examples
    --------
    >>> import torch
    >>> from circuits.quantum import Circuit, QuantumLayer, input, weight
    >>> circuit = Circuit(2).ry(input(0), 0).ry(input(1), 1).cu3(weight(0), weight(1), 0.0, 0, 1)
    >>> layer = QuantumLayer(circuit)
    >>> layer(torch.zeros(5, 2)).shape
    torch.Size([5, 2])
    """

    weights: nn.Parameter

    def __init__(
        self,
        circuit: Circuit,
        observables: Any = "z",
        *,
        init: float | Tensor = 0.3,
        seed: int | np.random.Generator = 0,
    ) -> None:
        super().__init__()
        if not isinstance(circuit, Circuit):
            raise TypeError(
                f"QuantumLayer: circuit is {type(circuit).__name__}; expected a Circuit"
            )
        self.circuit = circuit.copy()
        self.observables = parse_observables(observables, circuit.n_wires)
        self.weights = nn.Parameter(_start(circuit.n_weights, init, seed))

    @property
    def n_wires(self) -> int:
        """Number of wires."""
        return self.circuit.n_wires

    @property
    def n_observables(self) -> int:
        """Number of output columns."""
        return self.observables.n_rows

    def forward(self, x: Tensor | None = None, initial_state: Tensor | None = None) -> Tensor:
        """Run the circuit.

        Parameters
        ----------
        x : Tensor, optional
            float32 or float64, shape ``(..., F)``; left out if the circuit reads no inputs.
            Half precision is taken under autocast, and computed and returned as float32.
        initial_state : Tensor, optional
            Amplitudes to begin with, shape ``(..., 2**n)``; see
            :func:`circuits.quantum.statevector`.

        Returns
        -------
        Tensor
            dtype of ``x``, shape ``(..., n_obs)``.
        """
        weights: Tensor = self.weights
        if x is not None:
            x = as_parameters("QuantumLayer", "inputs", x)
            weights = weights.to(x.dtype)
        elif isinstance(initial_state, Tensor):
            weights = weights.to(initial_state.real.dtype)
        values = expectation(
            self.circuit, self.observables, weights, x, initial_state=initial_state
        )
        batched = [t for t in (x, initial_state) if t is not None and t.dim() > 1]
        return values if batched else values[0]

    def extra_repr(self) -> str:
        """Sizes, for the module's repr."""
        return (
            f"n_wires={self.n_wires}, n_inputs={self.circuit.n_inputs}, "
            f"n_weights={self.circuit.n_weights}, n_observables={self.n_observables}, "
            f"gates={len(self.circuit)}"
        )


def _start(count: int, init: Any, seed: int | np.random.Generator) -> Tensor:
    if isinstance(init, Tensor):
        values = init.detach()
        if values.dim() == 0 and count == 1:
            values = values.reshape(1)
        if values.shape != (count,) or values.dtype not in (torch.float32, torch.float64):
            raise ValueError(
                f"QuantumLayer: init has shape {tuple(init.shape)} and dtype {init.dtype}; "
                f"expected {count} real numbers, float32 or float64"
            )
        if not bool(torch.isfinite(values).all()):
            raise ValueError("QuantumLayer: init holds a NaN or an infinity")
        return values.clone()
    if isinstance(init, bool) or not isinstance(init, int | float | np.number):
        raise TypeError(
            f"QuantumLayer: init is {init!r} of type {type(init).__name__}; expected a half-width "
            "or a tensor"
        )
    if not 0 <= init < float("inf"):
        raise ValueError(f"QuantumLayer: init is {init}; expected a half-width of 0 or more")
    start = np.random.default_rng(seed).uniform(-init, init, count)
    return torch.tensor(start, dtype=torch.get_default_dtype())
