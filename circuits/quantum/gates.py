# SPDX-License-Identifier: Apache-2.0
"""The gate table: every gate's shape, its lowering to kernel primitives and its inverse.

Matrices are qiskit's, global phase included.  A controlled gate lists its controls first and
its target last; on two wires ``a, b`` the first is the least significant bit.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from circuits.quantum.symbols import Affine, Expression, Param
from workbench.ops.program import Angle, OpKind, ProgramBuilder

__all__ = [
    "ALIASES",
    "GATES",
    "MAX_DIAGONAL_WIRES",
    "MAX_UNITARY_WIRES",
    "Gate",
    "GateSpec",
    "resolve",
]

#: Largest matrix that the kernels take.
MAX_UNITARY_WIRES = 8
#: 4096 entries, which take as many rotations past the kernels' own 6 wires.
MAX_DIAGONAL_WIRES = 12
_KERNEL_DIAGONAL_WIRES = 6

PAULI_CODE = {"X": 1, "Y": 2, "Z": 3}


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate of a circuit. Made and checked by :class:`circuits.quantum.Circuit`.

    Attributes
    ----------
    name : str
        A key of :data:`GATES`.
    wires : tuple of int
        Controls first.
    params : tuple of float, Affine or Expression
        Angles in radians.
    matrix : ndarray or None
        complex128, for ``unitary`` ``(2**k, 2**k)`` and for ``diagonal`` ``(2**k,)``, with
        ``wires[0]`` the least significant bit of the index.
    paulis : str
        For ``pauli_rotation``, one letter per wire in qiskit's order: the last acts on
        ``wires[0]``.
    """

    name: str
    wires: tuple[int, ...]
    params: tuple[Param, ...] = ()
    matrix: npt.NDArray[np.complex128] | None = None
    paulis: str = ""

    @property
    def angles(self) -> tuple[Angle, ...]:
        """The parameters as the kernels' angles; those that are not affine are lowered before."""
        plain = [p for p in self.params if not isinstance(p, Expression)]
        assert len(plain) == len(self.params)
        return tuple(p if isinstance(p, Affine) else Angle(p) for p in plain)

    def _key(self) -> tuple[Any, ...]:
        matrix = None if self.matrix is None else (self.matrix.shape, self.matrix.tobytes())
        return self.name, self.wires, self.params, matrix, self.paulis

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Gate) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __deepcopy__(self, memo: dict[int, Any]) -> Gate:
        return self  # immutable, its matrix included

    def replaced(self, name: str | None = None, params: tuple[Param, ...] | None = None) -> Gate:
        """The gate with another name or other angles on the same wires."""
        return Gate(
            self.name if name is None else name,
            self.wires,
            self.params if params is None else params,
            self.matrix,
            self.paulis,
        )

    def __str__(self) -> str:
        paulis = [repr(self.paulis)] if self.paulis else []
        inside = ", ".join(paulis + [str(p) for p in self.params])
        return (
            f"{self.name}({inside}) on {list(self.wires)}"
            if inside
            else (f"{self.name} on {list(self.wires)}")
        )


Lowering = Callable[[ProgramBuilder, Gate], None]
Inverse = Callable[[Gate], tuple[Gate, ...]]


@dataclass(frozen=True)
class GateSpec:
    """One row of the gate table.

    Attributes
    ----------
    name : str
    n_wires : int or None
        None where any number will do.
    params : tuple of str
        Names of the angles.
    qiskit : str or None
        The class in ``qiskit.circuit.library`` that is the same gate, if one is.
    lower : callable
        Appends the gate's primitive operations to a ``ProgramBuilder``.
    invert : callable
        The gates that undo it, in order.
    """

    name: str
    n_wires: int | None
    params: tuple[str, ...]
    qiskit: str | None
    lower: Lowering
    invert: Inverse


# -- lowerings ------------------------------------------------------------------------------

_S = 1 / math.sqrt(2)
_I = ((1, 0), (0, 1))
_H = ((_S, _S), (_S, -_S))
_X = ((0, 1), (1, 0))
_Y = ((0, -1j), (1j, 0))
_Z = ((1, 0), (0, -1))
_SX = ((0.5 + 0.5j, 0.5 - 0.5j), (0.5 - 0.5j, 0.5 + 0.5j))
_SXDG = ((0.5 - 0.5j, 0.5 + 0.5j), (0.5 + 0.5j, 0.5 - 0.5j))
# H has eigenvalues 1 and -1, so its principal root is (1 + i)/2 + (1 - i)/2 H.
_SQH = tuple(
    tuple((0.5 + 0.5j) * i + (0.5 - 0.5j) * h for i, h in zip(row_i, row_h, strict=True))
    for row_i, row_h in zip(_I, _H, strict=True)
)
_SQSWAP = (
    (1, 0, 0, 0),
    (0, 0.5 + 0.5j, 0.5 - 0.5j, 0),
    (0, 0.5 - 0.5j, 0.5 + 0.5j, 0),
    (0, 0, 0, 1),
)
_ECR = (
    (0, _S, 0, _S * 1j),
    (_S, 0, -_S * 1j, 0),
    (0, _S * 1j, 0, _S),
    (-_S * 1j, 0, _S, 0),
)


def _phase(angle: float) -> tuple[tuple[complex, complex], tuple[complex, complex]]:
    return ((1, 0), (0, cmath.exp(1j * angle)))


def _constant(matrix: npt.ArrayLike) -> Lowering:
    """A fixed 2x2 matrix on the last wire, controlled by all the others."""

    def lower(builder: ProgramBuilder, gate: Gate) -> None:
        *controls, target = gate.wires
        builder.add(OpKind.CONST1, [target], controls=controls, matrix=matrix)

    return lower


def _rotation(kind: OpKind) -> Lowering:
    """A kernel's own rotation on the last wire, controlled by all the others."""

    def lower(builder: ProgramBuilder, gate: Gate) -> None:
        *controls, target = gate.wires
        builder.add(kind, [target], controls=controls, angles=gate.angles)

    return lower


def _pauli(letters: str) -> Lowering:
    """exp(-i angle/2 P) with ``letters[k]`` on ``wires[k]``."""
    codes = [PAULI_CODE[letter] for letter in letters]

    def lower(builder: ProgramBuilder, gate: Gate) -> None:
        builder.add(OpKind.PAULI_ROTATION, gate.wires, angles=gate.angles, paulis=codes)

    return lower


def _two_wire(matrix: npt.ArrayLike) -> Lowering:
    def lower(builder: ProgramBuilder, gate: Gate) -> None:
        builder.add(OpKind.UNITARY, gate.wires, matrix=matrix)

    return lower


def _sequence(*parts: tuple[str, tuple[int, ...]]) -> Lowering:
    """Other gates of the table, each on chosen positions among the wires."""

    def lower(builder: ProgramBuilder, gate: Gate) -> None:
        for name, positions in parts:
            GATES[name].lower(builder, Gate(name, tuple(gate.wires[p] for p in positions)))

    return lower


def _lower_id(builder: ProgramBuilder, gate: Gate) -> None:
    pass  # the identity is kept in the circuit, for its noise, and costs the kernel nothing


def _lower_swap(builder: ProgramBuilder, gate: Gate) -> None:
    builder.add(OpKind.SWAP, gate.wires)


def _lower_r(builder: ProgramBuilder, gate: Gate) -> None:
    theta, phi = gate.params
    angles = Gate("u", gate.wires, (theta, phi - math.pi / 2, math.pi / 2 - phi)).angles
    builder.add(OpKind.U, gate.wires, angles=angles)


def _lower_u2(builder: ProgramBuilder, gate: Gate) -> None:
    builder.add(OpKind.U, gate.wires, angles=(Angle(math.pi / 2), *gate.angles))


def _lower_cu(builder: ProgramBuilder, gate: Gate) -> None:
    control, target = gate.wires
    *angles, gamma = gate.angles
    builder.add(OpKind.P, [control], angles=[gamma])
    builder.add(OpKind.U, [target], controls=[control], angles=angles)


def _lower_unitary(builder: ProgramBuilder, gate: Gate) -> None:
    kind = OpKind.CONST1 if len(gate.wires) == 1 else OpKind.UNITARY
    builder.add(kind, gate.wires, matrix=gate.matrix)


def _lower_diagonal(builder: ProgramBuilder, gate: Gate) -> None:
    if len(gate.wires) <= _KERNEL_DIAGONAL_WIRES:
        builder.add(OpKind.DIAGONAL, gate.wires, matrix=gate.matrix)
        return
    # The phases as a sum over parities: each is a rotation about a string of Z.
    assert gate.matrix is not None
    parts = np.angle(gate.matrix)
    for k in range(len(gate.wires)):
        low, high = parts.reshape(-1, 2, 2**k).swapaxes(0, 1)
        parts = np.stack([low + high, low - high], axis=1)
    parts = parts.reshape(-1) / parts.size
    builder.add(OpKind.GLOBAL_PHASE, (), angles=[Angle(float(parts[0]))])
    for mask in np.flatnonzero(parts[1:]) + 1:
        on = [wire for k, wire in enumerate(gate.wires) if mask >> k & 1]
        angle = Angle(float(-2.0 * parts[mask]))
        builder.add(OpKind.PAULI_ROTATION, on, angles=[angle], paulis=[PAULI_CODE["Z"]] * len(on))


def _lower_pauli_rotation(builder: ProgramBuilder, gate: Gate) -> None:
    # Letters I drop out; with none left the rotation is a phase exp(-i angle/2) of the whole.
    on = [
        (w, PAULI_CODE[p])
        for w, p in zip(gate.wires, reversed(gate.paulis), strict=True)
        if p != "I"
    ]
    if on:
        wires, codes = zip(*on, strict=True)
        builder.add(OpKind.PAULI_ROTATION, wires, angles=gate.angles, paulis=codes)
    else:
        half = Gate("global_phase", (), (gate.params[0] * -0.5,))
        builder.add(OpKind.GLOBAL_PHASE, (), angles=half.angles)


def _lower_global_phase(builder: ProgramBuilder, gate: Gate) -> None:
    builder.add(OpKind.GLOBAL_PHASE, (), angles=gate.angles)


# -- inverses -------------------------------------------------------------------------------


def _itself(gate: Gate) -> tuple[Gate, ...]:
    return (gate,)


def _negated(gate: Gate) -> tuple[Gate, ...]:
    return (gate.replaced(params=tuple(-p for p in gate.params)),)


def _named(name: str, *params: float) -> Inverse:
    return lambda gate: (gate.replaced(name=name, params=params),)


def _then(*names: str) -> Inverse:
    """A sequence of table gates, each on the last of the wires that it has room for."""

    def invert(gate: Gate) -> tuple[Gate, ...]:
        made = []
        for name in names:
            spec = GATES[name]
            wires = gate.wires if spec.n_wires != 1 else gate.wires[-1:]
            made.append(Gate(name, wires))
        return tuple(made)

    return invert


def _invert_u(gate: Gate) -> tuple[Gate, ...]:
    theta, phi, lam, *gamma = gate.params
    return (gate.replaced(params=(-theta, -lam, -phi, *(-g for g in gamma))),)


def _invert_u2(gate: Gate) -> tuple[Gate, ...]:
    phi, lam = gate.params
    return (gate.replaced(name="u", params=(-math.pi / 2, -lam, -phi)),)


def _invert_r(gate: Gate) -> tuple[Gate, ...]:
    theta, phi = gate.params
    return (gate.replaced(params=(-theta, phi)),)


def _invert_iswap(gate: Gate) -> tuple[Gate, ...]:
    a, b = gate.wires  # iswap**2 is Z on both wires and the three commute
    return (gate, Gate("z", (a,)), Gate("z", (b,)))


def _invert_dcx(gate: Gate) -> tuple[Gate, ...]:
    return (Gate("dcx", gate.wires[::-1]),)


def _invert_matrix(gate: Gate) -> tuple[Gate, ...]:
    assert gate.matrix is not None
    adjoint = np.ascontiguousarray(gate.matrix.conj().T)
    adjoint.setflags(write=False)
    return (Gate(gate.name, gate.wires, (), adjoint),)


_T, _TPL = ("theta",), ("theta", "phi", "lam")

_ROWS = (
    GateSpec("id", 1, (), "IGate", _lower_id, _itself),
    GateSpec("h", 1, (), "HGate", _constant(_H), _itself),
    GateSpec("x", 1, (), "XGate", _constant(_X), _itself),
    GateSpec("y", 1, (), "YGate", _constant(_Y), _itself),
    GateSpec("z", 1, (), "ZGate", _constant(_Z), _itself),
    GateSpec("s", 1, (), "SGate", _constant(((1, 0), (0, 1j))), _named("sdg")),
    GateSpec("sdg", 1, (), "SdgGate", _constant(((1, 0), (0, -1j))), _named("s")),
    GateSpec("t", 1, (), "TGate", _constant(_phase(math.pi / 4)), _named("tdg")),
    GateSpec("tdg", 1, (), "TdgGate", _constant(_phase(-math.pi / 4)), _named("t")),
    GateSpec("sx", 1, (), "SXGate", _constant(_SX), _named("sxdg")),
    GateSpec("sxdg", 1, (), "SXdgGate", _constant(_SXDG), _named("sx")),
    # torchquantum's "SHadamard" is RY(pi/4), which takes H's place in H = sh z sh^-1 but
    # whose square is not H; "sqh" is the principal square root of H.
    GateSpec("sh", 1, (), None, lambda b, g: b.add(OpKind.RY, g.wires, angles=[Angle(math.pi / 4)]),
             _named("ry", -math.pi / 4)),
    GateSpec("sqh", 1, (), None, _constant(_SQH), _then("h", "sqh")),
    GateSpec("rx", 1, _T, "RXGate", _rotation(OpKind.RX), _negated),
    GateSpec("ry", 1, _T, "RYGate", _rotation(OpKind.RY), _negated),
    GateSpec("rz", 1, _T, "RZGate", _rotation(OpKind.RZ), _negated),
    GateSpec("p", 1, _T, "PhaseGate", _rotation(OpKind.P), _negated),
    GateSpec("r", 1, ("theta", "phi"), "RGate", _lower_r, _invert_r),
    GateSpec("u2", 1, ("phi", "lam"), "U2Gate", _lower_u2, _invert_u2),
    GateSpec("u", 1, _TPL, "UGate", _rotation(OpKind.U), _invert_u),
    GateSpec("cx", 2, (), "CXGate", _constant(_X), _itself),
    GateSpec("cy", 2, (), "CYGate", _constant(_Y), _itself),
    GateSpec("cz", 2, (), "CZGate", _constant(_Z), _itself),
    GateSpec("ch", 2, (), "CHGate", _constant(_H), _itself),
    GateSpec("cs", 2, (), "CSGate", _constant(((1, 0), (0, 1j))), _named("csdg")),
    GateSpec("csdg", 2, (), "CSdgGate", _constant(((1, 0), (0, -1j))), _named("cs")),
    GateSpec("csx", 2, (), "CSXGate", _constant(_SX), _then("csx", "cx")),
    GateSpec("cp", 2, _T, "CPhaseGate", _rotation(OpKind.P), _negated),
    GateSpec("crx", 2, _T, "CRXGate", _rotation(OpKind.RX), _negated),
    GateSpec("cry", 2, _T, "CRYGate", _rotation(OpKind.RY), _negated),
    GateSpec("crz", 2, _T, "CRZGate", _rotation(OpKind.RZ), _negated),
    GateSpec("cu3", 2, _TPL, "CU3Gate", _rotation(OpKind.U), _invert_u),
    GateSpec("cu", 2, (*_TPL, "gamma"), "CUGate", _lower_cu, _invert_u),
    GateSpec("swap", 2, (), "SwapGate", _lower_swap, _itself),
    GateSpec("iswap", 2, (), "iSwapGate",
             _sequence(("swap", (0, 1)), ("s", (0,)), ("s", (1,)), ("cz", (0, 1))), _invert_iswap),
    GateSpec("dcx", 2, (), "DCXGate", _sequence(("cx", (0, 1)), ("cx", (1, 0))), _invert_dcx),
    GateSpec("ecr", 2, (), "ECRGate", _two_wire(_ECR), _itself),
    GateSpec("sqswap", 2, (), None, _two_wire(_SQSWAP), _then("sqswap", "swap")),
    GateSpec("rxx", 2, _T, "RXXGate", _pauli("XX"), _negated),
    GateSpec("ryy", 2, _T, "RYYGate", _pauli("YY"), _negated),
    GateSpec("rzz", 2, _T, "RZZGate", _pauli("ZZ"), _negated),
    GateSpec("rzx", 2, _T, "RZXGate", _pauli("ZX"), _negated),
    GateSpec("ccx", 3, (), "CCXGate", _constant(_X), _itself),
    GateSpec("ccz", 3, (), "CCZGate", _constant(_Z), _itself),
    GateSpec("cswap", 3, (), "CSwapGate",
             _sequence(("cx", (2, 1)), ("ccx", (0, 1, 2)), ("cx", (2, 1))), _itself),
    GateSpec("mcx", None, (), None, _constant(_X), _itself),
    GateSpec("mcp", None, _T, None, _rotation(OpKind.P), _negated),
    GateSpec("unitary", None, (), None, _lower_unitary, _invert_matrix),
    GateSpec("diagonal", None, (), None, _lower_diagonal, _invert_matrix),
    GateSpec("pauli_rotation", None, _T, None, _lower_pauli_rotation, _negated),
    GateSpec("global_phase", 0, _T, None, _lower_global_phase, _negated),
)  # fmt: skip

#: Every gate by its name.
GATES: Mapping[str, GateSpec] = MappingProxyType({row.name: row for row in _ROWS})

#: Other names of the same gates.
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "ccnot": "ccx",
        "cnot": "cx",
        "cphase": "cp",
        "cu1": "cp",
        "fredkin": "cswap",
        "i": "id",
        "mcphase": "mcp",
        "phase": "p",
        "shadamard": "sh",
        "sqrtswap": "sqswap",
        "toffoli": "ccx",
        "u1": "p",
        "u3": "u",
    }
)


def resolve(name: str) -> GateSpec:
    """Row of the gate table for a name or an alias.

    Raises
    ------
    ValueError
        For an unknown name; the message lists what exists.
    """
    spec = GATES.get(ALIASES.get(name, name)) if isinstance(name, str) else None
    if spec is None:
        raise ValueError(
            f"Circuit.gate: unknown gate {name!r}; known gates are "
            f"{', '.join(sorted([*GATES, *ALIASES]))}"
        )
    return spec
