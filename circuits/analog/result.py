# SPDX-License-Identifier: Apache-2.0
"""What a simulation found, by the names of the netlist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from circuits.analog.names import meant_or_all

if TYPE_CHECKING:
    from circuits.analog.circuit import Circuit

__all__ = ["STATUS", "Result", "as_pair"]

#: What the numbers of ``Result.status`` mean.
STATUS = ("Newton", "gmin stepping", "source stepping", "failed")


def as_pair(where: str, circuit: Circuit, node: Any) -> tuple[str, str]:
    """A node, or a pair of nodes, as two lower-case names; the second is ground for one node.

    Raises
    ------
    TypeError, ValueError
        For anything else, and for a node the circuit does not have.
    """
    pair = node if isinstance(node, tuple | list) else (node, "0")
    if len(pair) != 2 or not all(isinstance(n, str | int) for n in pair):
        raise TypeError(f"{where}: got {node!r}; expected a node or a pair of nodes")
    known = {n.lower(): n for n in circuit.nodes}
    names = []
    for n in pair:
        name = "0" if str(n).lower() == "gnd" else str(n).lower()
        if name not in known:
            raise ValueError(
                f"{where}: unknown node {str(n)!r}{meant_or_all(name, known.values())}"
            )
        names.append(name)
    return names[0], names[1]


class Result:
    """The results of a batch of ``B`` candidates.

    Tensors are float64 or complex128 and carry gradients to the parameters that asked for them.
    What belongs to a candidate that failed is NaN.

    Attributes
    ----------
    status : Tensor
        int64 ``(B,)``: how the operating point was found, 0 by Newton's method, 1 by gmin
        stepping, 2 by source stepping; 3 it was not.
    freqs : Tensor or None
        float64 ``(F,)``, hertz.
    values : Tensor
        float64 ``(P, B)``: the parameters in the order of ``circuit.parameters``.
    temperature : float
        Degrees Celsius.
    """

    def __init__(
        self,
        circuit: Circuit,
        *,
        status: Tensor,
        values: Tensor,
        voltages: Tensor,
        currents: Tensor,
        temperature: float,
        freqs: Tensor | None = None,
        transfer: Mapping[tuple[str, str], Tensor] | None = None,
        noise: Tensor | None = None,
        states: Any = None,
    ) -> None:
        self._circuit = circuit
        self._lowered = circuit.lower()
        self.status = status
        self.values = values
        self.temperature = temperature
        self.freqs = freqs
        self._voltages = voltages
        self._currents = currents
        self._transfer = transfer
        self._noise = noise
        self._states = states
        self._found: dict[str, Tensor] | None = None

    def __repr__(self) -> str:
        has = ["op"]
        has += ["ac"] if self._transfer is not None else []
        has += ["noise"] if self._noise is not None else []
        failed = int((self.status == 3).sum())
        return f"Result({len(self.status)} candidates, {failed} failed; {', '.join(has)})"

    def __len__(self) -> int:
        return len(self.status)

    def voltage(self, node: str | int | tuple[str, str]) -> Tensor:
        """Volts of a node, or between a pair of nodes, ``(B,)``.

        Raises
        ------
        TypeError, ValueError
            For a node the circuit does not have.
        """
        p, n = as_pair("voltage", self._circuit, node)
        nodes = self._lowered.nodes
        above = self._voltages[nodes[p]]
        return above if n == "0" else above - self._voltages[nodes[n]]

    def current(self, source: str) -> Tensor:
        """Amperes through a source, ``(B,)``: positive from its first node to its second.

        The current of a supply that delivers power is therefore negative, as in SPICE.

        Raises
        ------
        ValueError
            For a source the circuit does not have.
        """
        number = self._lowered.sources.get(str(source).lower())
        if number is None:
            hint = meant_or_all(str(source), self._lowered.sources)
            raise ValueError(f"current: unknown source {source!r}{hint}")
        return self._currents[number]

    def power(self) -> Tensor:
        """Watts that the voltage and current sources deliver together, ``(B,)``."""
        total = torch.zeros_like(self._voltages[0])
        for name, number in self._lowered.sources.items():
            a, b = self._circuit.element(name).nodes
            total = total - self.voltage((a, b)) * self._currents[number]
        return total

    def ac(self, node: str | int | tuple[str, str]) -> Tensor:
        """Small-signal response at a node, or between a pair of nodes, complex ``(F, B)``.

        It is volts for the ``ac`` amplitudes of the sources, all of them together.

        Raises
        ------
        TypeError, ValueError
            If it was not computed, and for a node the circuit does not have.
        """
        if self._transfer is None:
            raise ValueError(
                "ac: it was not computed; it needs freqs, and a source with an ac amplitude"
            )
        p, n = as_pair("ac", self._circuit, node)
        if (p, n) in self._transfer:
            return self._transfer[p, n]
        ground = torch.zeros((), dtype=torch.complex128)
        single = [ground if name == "0" else self._transfer.get((name, "0")) for name in (p, n)]
        if single[0] is None or single[1] is None:
            raise ValueError(f"ac: {node!r} is not among the outputs that were asked for")
        difference = single[0] - single[1]
        if difference.ndim == 0:  # ground against ground
            assert self.freqs is not None
            return difference.expand(len(self.freqs), len(self.status))
        return difference

    @property
    def noise(self) -> Tensor:
        """Noise density at the output that was asked for, V**2/Hz, ``(F, B)``.

        Raises
        ------
        ValueError
            If it was not computed.
        """
        if self._noise is None:
            raise ValueError("noise: it was not computed; it needs freqs and noise_output")
        return self._noise

    def device(self, name: str) -> dict[str, Tensor]:
        """State of a MOSFET, each ``(B,)``; not differentiable.

        Returns
        -------
        dict
            ``id vgs vds vbs vth vdsat`` with the signs of the terminals (negative for a p
            channel), ``gm gds gmbs`` in siemens, ``cgs cgd cgb cbd cbs`` in farad with
            overlaps, and the currents ``ibd ibs`` of the bulk junctions.

        Raises
        ------
        ValueError
            For a device the circuit does not have.
        """
        number = self._lowered.devices.get(str(name).lower())
        if number is None:
            hint = meant_or_all(str(name), self._lowered.devices)
            raise ValueError(f"device: unknown MOSFET {name!r}{hint}")
        if self._states is None:
            raise ValueError("device: states come from the native backend only")
        if self._found is None:
            self._found = self._states()
        return {label: state[number] for label, state in self._found.items()}

    def to_spice(self, i: int = 0, **analyses: Any) -> str:
        """The deck of candidate ``i``; see :func:`circuits.analog.spice_writer.to_spice`."""
        from circuits.analog.spice_writer import to_spice

        return to_spice(
            self._circuit, self.values, i, **{"temperature": self.temperature, **analyses}
        )
