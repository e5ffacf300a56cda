# SPDX-License-Identifier: Apache-2.0
"""One method per gate: what a user types, with the names an editor completes.

Every method returns the circuit, so calls chain.  One-wire gates take a wire, or a list of
wires to act on each.  Gates on more wires take them one by one or as ``wires=[...]``, controls
first.  Angles are radians: numbers, or symbols made of ``weight(i)`` and ``input(i)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from circuits.quantum.arguments import as_wires
from circuits.quantum.symbols import Affine

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["AngleLike", "GateMethods", "Wires"]

Wires = int | Sequence[int]
#: Numbers of numpy and 0-dimensional torch tensors are taken too; ``Any`` stands for those.
AngleLike = float | Affine | Any


class GateMethods:
    """The gate methods of :class:`circuits.quantum.Circuit`."""

    def gate(self, name: str, wires: Wires, params: AngleLike | Sequence[AngleLike] = ()) -> Self:
        """Append a gate by name."""
        raise NotImplementedError  # the circuit's part

    def _each(self, name: str, wires: Wires, *params: AngleLike) -> Self:
        """A one-wire gate on a wire or on each of several."""
        if not hasattr(wires, "__iter__"):
            return self.gate(name, wires, params)
        for wire in as_wires(name, wires):
            self.gate(name, wire, params)
        return self

    def _joint(
        self,
        name: str,
        given: tuple[int | None, ...],
        wires: Sequence[int] | None,
        *params: AngleLike,
    ) -> Self:
        """A gate on several wires, named one by one or as a list."""
        one_by_one = [wire for wire in given if wire is not None]
        if wires is not None and one_by_one:
            raise TypeError(f"Circuit.{name}: give the wires one by one or as wires=, not both")
        return self.gate(name, one_by_one if wires is None else wires, params)

    # -- one wire, no angle -----------------------------------------------------------------

    def id(self, wires: Wires) -> Self:
        """Identity; kept in the circuit, where a noise model may give it an error."""
        return self._each("id", wires)

    def h(self, wires: Wires) -> Self:
        """Hadamard."""
        return self._each("h", wires)

    def x(self, wires: Wires) -> Self:
        """Pauli X."""
        return self._each("x", wires)

    def y(self, wires: Wires) -> Self:
        """Pauli Y."""
        return self._each("y", wires)

    def z(self, wires: Wires) -> Self:
        """Pauli Z."""
        return self._each("z", wires)

    def s(self, wires: Wires) -> Self:
        """diag(1, i)."""
        return self._each("s", wires)

    def sdg(self, wires: Wires) -> Self:
        """diag(1, -i)."""
        return self._each("sdg", wires)

    def t(self, wires: Wires) -> Self:
        """diag(1, exp(i pi/4))."""
        return self._each("t", wires)

    def tdg(self, wires: Wires) -> Self:
        """diag(1, exp(-i pi/4))."""
        return self._each("tdg", wires)

    def sx(self, wires: Wires) -> Self:
        """Square root of X."""
        return self._each("sx", wires)

    def sxdg(self, wires: Wires) -> Self:
        """Inverse square root of X."""
        return self._each("sxdg", wires)

    def sh(self, wires: Wires) -> Self:
        """RY(pi/4), what torchquantum calls SHadamard; the root of H itself is :meth:`sqh`."""
        return self._each("sh", wires)

    def sqh(self, wires: Wires) -> Self:
        """Principal square root of H."""
        return self._each("sqh", wires)

    # -- one wire, with angles --------------------------------------------------------------

    def rx(self, theta: AngleLike, wires: Wires) -> Self:
        """exp(-i theta/2 X)."""
        return self._each("rx", wires, theta)

    def ry(self, theta: AngleLike, wires: Wires) -> Self:
        """exp(-i theta/2 Y)."""
        return self._each("ry", wires, theta)

    def rz(self, theta: AngleLike, wires: Wires) -> Self:
        """exp(-i theta/2 Z)."""
        return self._each("rz", wires, theta)

    def p(self, theta: AngleLike, wires: Wires) -> Self:
        """diag(1, exp(i theta))."""
        return self._each("p", wires, theta)

    def u1(self, theta: AngleLike, wires: Wires) -> Self:
        """Older name of :meth:`p`."""
        return self._each("p", wires, theta)

    def r(self, theta: AngleLike, phi: AngleLike, wires: Wires) -> Self:
        """exp(-i theta/2 (cos(phi) X + sin(phi) Y))."""
        return self._each("r", wires, theta, phi)

    def u2(self, phi: AngleLike, lam: AngleLike, wires: Wires) -> Self:
        """U(pi/2, phi, lam)."""
        return self._each("u2", wires, phi, lam)

    def u(self, theta: AngleLike, phi: AngleLike, lam: AngleLike, wires: Wires) -> Self:
        """[[c, -e^{i lam} s], [e^{i phi} s, e^{i (phi + lam)} c]], c and s of theta/2."""
        return self._each("u", wires, theta, phi, lam)

    def u3(self, theta: AngleLike, phi: AngleLike, lam: AngleLike, wires: Wires) -> Self:
        """Older name of :meth:`u`."""
        return self._each("u", wires, theta, phi, lam)

    # -- one control ------------------------------------------------------------------------

    def cx(
        self,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled X."""
        return self._joint("cx", (control, target), wires)

    cnot = cx

    def cy(
        self,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled Y."""
        return self._joint("cy", (control, target), wires)

    def cz(
        self,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled Z."""
        return self._joint("cz", (control, target), wires)

    def ch(
        self,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled H."""
        return self._joint("ch", (control, target), wires)

    def cs(
        self,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled S."""
        return self._joint("cs", (control, target), wires)

    def csdg(
        self,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled inverse S."""
        return self._joint("csdg", (control, target), wires)

    def csx(
        self,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled square root of X."""
        return self._joint("csx", (control, target), wires)

    def cp(
        self,
        theta: AngleLike,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled phase, diag(1, 1, 1, exp(i theta))."""
        return self._joint("cp", (control, target), wires, theta)

    cu1 = cp

    def crx(
        self,
        theta: AngleLike,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled RX; its period is 4 pi."""
        return self._joint("crx", (control, target), wires, theta)

    def cry(
        self,
        theta: AngleLike,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled RY; its period is 4 pi."""
        return self._joint("cry", (control, target), wires, theta)

    def crz(
        self,
        theta: AngleLike,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled RZ; its period is 4 pi."""
        return self._joint("crz", (control, target), wires, theta)

    def cu3(
        self,
        theta: AngleLike,
        phi: AngleLike,
        lam: AngleLike,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled U(theta, phi, lam); its period in theta is 4 pi."""
        return self._joint("cu3", (control, target), wires, theta, phi, lam)

    def cu(
        self,
        theta: AngleLike,
        phi: AngleLike,
        lam: AngleLike,
        gamma: AngleLike,
        control: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled exp(i gamma) U(theta, phi, lam)."""
        return self._joint("cu", (control, target), wires, theta, phi, lam, gamma)

    # -- two wires --------------------------------------------------------------------------

    def swap(
        self, a: int | None = None, b: int | None = None, *, wires: Sequence[int] | None = None
    ) -> Self:
        """Exchange two wires."""
        return self._joint("swap", (a, b), wires)

    def iswap(
        self, a: int | None = None, b: int | None = None, *, wires: Sequence[int] | None = None
    ) -> Self:
        """Exchange two wires with a factor i on |01> and |10>."""
        return self._joint("iswap", (a, b), wires)

    def dcx(
        self, a: int | None = None, b: int | None = None, *, wires: Sequence[int] | None = None
    ) -> Self:
        """CX from a to b, then CX from b to a."""
        return self._joint("dcx", (a, b), wires)

    def ecr(
        self, a: int | None = None, b: int | None = None, *, wires: Sequence[int] | None = None
    ) -> Self:
        """Echoed cross-resonance, (X_a - Y_a X_b) / sqrt(2)."""
        return self._joint("ecr", (a, b), wires)

    def sqswap(
        self, a: int | None = None, b: int | None = None, *, wires: Sequence[int] | None = None
    ) -> Self:
        """Principal square root of SWAP."""
        return self._joint("sqswap", (a, b), wires)

    def rxx(
        self,
        theta: AngleLike,
        a: int | None = None,
        b: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """exp(-i theta/2 X_a X_b)."""
        return self._joint("rxx", (a, b), wires, theta)

    def ryy(
        self,
        theta: AngleLike,
        a: int | None = None,
        b: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """exp(-i theta/2 Y_a Y_b)."""
        return self._joint("ryy", (a, b), wires, theta)

    def rzz(
        self,
        theta: AngleLike,
        a: int | None = None,
        b: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """exp(-i theta/2 Z_a Z_b)."""
        return self._joint("rzz", (a, b), wires, theta)

    def rzx(
        self,
        theta: AngleLike,
        a: int | None = None,
        b: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """exp(-i theta/2 Z_a X_b): the first wire carries Z."""
        return self._joint("rzx", (a, b), wires, theta)

    # -- three wires and more ---------------------------------------------------------------

    def ccx(
        self,
        control1: int | None = None,
        control2: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """X with two controls (Toffoli)."""
        return self._joint("ccx", (control1, control2, target), wires)

    toffoli = ccx

    def ccz(
        self,
        control1: int | None = None,
        control2: int | None = None,
        target: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Z with two controls."""
        return self._joint("ccz", (control1, control2, target), wires)

    def cswap(
        self,
        control: int | None = None,
        a: int | None = None,
        b: int | None = None,
        *,
        wires: Sequence[int] | None = None,
    ) -> Self:
        """Controlled SWAP (Fredkin)."""
        return self._joint("cswap", (control, a, b), wires)

    fredkin = cswap

    def mcx(self, controls: Sequence[int], target: int) -> Self:
        """X with any number of controls."""
        return self.gate("mcx", [*controls, target])

    def mcp(self, theta: AngleLike, controls: Sequence[int], target: int) -> Self:
        """Phase exp(i theta) where all the wires are 1."""
        return self.gate("mcp", [*controls, target], theta)

    def unitary(self, matrix: npt.ArrayLike, wires: Wires) -> Self:
        """A ``(2**k, 2**k)`` unitary; ``wires[0]`` is the least significant bit of its index."""
        raise NotImplementedError  # the circuit's part

    def diagonal(self, entries: npt.ArrayLike, wires: Wires) -> Self:
        """A diagonal unitary of ``2**k`` entries; ``wires[0]`` is the least significant bit."""
        raise NotImplementedError  # the circuit's part

    def pauli_rotation(self, paulis: str, theta: AngleLike, wires: Wires) -> Self:
        """exp(-i theta/2 P); letters in qiskit's order, the last acting on ``wires[0]``."""
        raise NotImplementedError  # the circuit's part

    def global_phase(self, theta: AngleLike) -> Self:
        """Multiply the state by exp(i theta)."""
        return self.gate("global_phase", (), theta)
