# SPDX-License-Identifier: Apache-2.0
"""Observables in qiskit's order: Pauli strings, projectors, Hermitian matrices, and sums."""

from __future__ import annotations

import functools
import math
import numbers
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from workbench.ops.program import Observables

__all__ = ["observables"]

_HERMITICITY_TOLERANCE = 1e-6
_MAX_MATRIX_WIRES = 8  # 4**8 Pauli terms
_MAX_PROJECTORS = 16

#: Letters of qiskit's SparseObservable: (1 + sign * Pauli) / 2.
_PROJECTORS = {
    "0": ("Z", 1.0),
    "1": ("Z", -1.0),
    "+": ("X", 1.0),
    "-": ("X", -1.0),
    "r": ("Y", 1.0),
    "l": ("Y", -1.0),
}


def observables(spec: Any, n_wires: int) -> Observables:
    """Turn any of the accepted notations into the kernels' observables.

    Parameters
    ----------
    spec : object
        ``"z"``: Z on each wire, column ``k`` being wire ``k``. Otherwise one observable, or a
        list of them, each a column:

        - a string such as ``"ZXI"`` in qiskit's order (the leftmost letter is the highest
          wire). Beside I, X, Y, Z the letters are those of qiskit's ``SparseObservable``:
          ``0 1 + - r l`` project on a wire's eigenstates of Z, X and Y, so that ``"011"`` is
          the projector on a basis state;
        - a mapping from such strings to real coefficients;
        - a Hermitian matrix (array or tensor) on all the wires, or a pair ``(matrix, wires)``
          on up to 8 of them, ``wires[0]`` being the least significant bit of its index;
        - qiskit's ``SparsePauliOp``, ``Pauli``, ``SparseObservable``, ``Operator``, or a
          ``Statevector`` or ``DensityMatrix``, for the fidelity with it.

        An ``Observables`` is passed through.
    n_wires : int
        Wires of the circuit; each string has that many letters.

    Returns
    -------
    Observables
        Equal strings within an observable are merged.

    Raises
    ------
    TypeError
        For anything else, or complex coefficients.
    ValueError
        For observables of another size or with other letters, no observables at all, matrices
        that are not Hermitian to 1e-6, or numbers that are not finite.
    """
    if isinstance(spec, Observables):
        return _checked(spec, n_wires)
    if isinstance(spec, str):
        return _from_strings((spec,), n_wires, spec == "z")
    if isinstance(spec, tuple | list) and all(isinstance(item, str) for item in spec):
        return _from_strings(tuple(spec), n_wires, False)
    rows = [spec] if _is_one(spec) else spec
    if not isinstance(rows, Iterable):
        raise TypeError(
            f"observables: got {type(spec).__name__}; expected 'z', Pauli strings, mappings from "
            "Pauli strings to numbers, Hermitian matrices, SparsePauliOp, or a list of these"
        )
    return _build([_terms(row, n_wires) for row in rows], n_wires)


def _is_one(spec: Any) -> bool:
    """Whether this is one observable and no list of them."""
    if isinstance(spec, Mapping) or hasattr(spec, "to_label") or hasattr(spec, "num_qubits"):
        return True
    if isinstance(spec, np.ndarray | torch.Tensor):
        return spec.ndim == 2
    return _is_pair(spec)


def _is_pair(spec: Any) -> bool:
    """Whether this is a matrix and its wires."""
    if not isinstance(spec, tuple | list) or len(spec) != 2:
        return False
    matrix, wires = spec
    if _array(matrix) is None or isinstance(wires, str | Mapping) or hasattr(wires, "num_qubits"):
        return False
    return np.ndim(wires) <= 1


def _array(value: Any) -> Any:
    """The numbers of a matrix or of a state in any of the accepted forms, else None."""
    if not isinstance(value, np.ndarray | torch.Tensor):
        value = getattr(value, "data", None) if hasattr(value, "num_qubits") else None
    return value if isinstance(value, np.ndarray | torch.Tensor) and value.ndim in (1, 2) else None


def _checked(given: Observables, n_wires: int) -> Observables:
    """Observables made elsewhere, if they fit the circuit."""
    masks = given.terms[:, 1:]
    if masks.numel() and int(masks.max()) >> n_wires:
        raise ValueError(
            f"observables: a term acts on wire {int(masks.max()).bit_length() - 1}; the circuit "
            f"has wires 0 to {n_wires - 1}"
        )
    return given


def _from_strings(strings: tuple[str, ...], n_wires: int, z_each: bool) -> Observables:
    kept = _kept_strings(strings, n_wires, z_each)
    # Copies: what a caller writes to them must not reach the next one.
    return Observables(kept.n_rows, kept.terms.clone(), kept.coefficients.clone())


@functools.lru_cache(maxsize=256)
def _kept_strings(strings: tuple[str, ...], n_wires: int, z_each: bool) -> Observables:
    if z_each:
        strings = tuple("I" * (n_wires - 1 - k) + "Z" + "I" * k for k in range(n_wires))
    return _build([[(string, 1.0)] for string in strings], n_wires)


Terms = Iterable[tuple[Any, Any]]


def _terms(row: Any, n_wires: int) -> Terms:
    """One observable as pairs of a string, or its masks, and a coefficient."""
    if isinstance(row, str):
        return [(row, 1.0)]
    if isinstance(row, Mapping):
        return row.items()
    if hasattr(row, "to_sparse_list") and not hasattr(row, "paulis"):  # SparseObservable
        return [
            (_spread(letters, wires, row.num_qubits), coefficient)
            for letters, wires, coefficient in row.to_sparse_list()
        ]
    if hasattr(row, "to_list") and hasattr(row, "coeffs"):  # SparsePauliOp
        return [(label, coefficient) for label, coefficient in row.to_list()]
    if hasattr(row, "to_label") and hasattr(row, "x"):  # Pauli, maybe with a sign or a factor i
        label = row.to_label()
        string = label.lstrip("+-i")
        factors = {"": 1.0, "-": -1.0, "i": 1j, "-i": -1j}
        return [(string, factors[label[: len(label) - len(string)]])]
    if _is_pair(row):
        matrix, wires = row
        return _from_matrix(matrix, _wires(wires), n_wires)
    if _array(row) is not None:
        return _from_matrix(row, list(range(n_wires)), n_wires)
    raise TypeError(
        f"observables: got an observable of type {type(row).__name__}; expected a Pauli string, a "
        "mapping from Pauli strings to numbers, a Hermitian matrix, or a SparsePauliOp"
    )


def _wires(wires: Any) -> list[int]:
    several = wires if np.ndim(wires) else [wires]
    try:
        return [operator.index(wire) for wire in several]
    except TypeError:
        raise TypeError(
            f"observables: wires of a matrix are {wires!r}; expected integers"
        ) from None


def _spread(letters: str, wires: Sequence[int], n: int) -> str:
    """Letters on some wires as a string of all of them."""
    placed = dict(zip(wires, letters, strict=True))
    return "".join(placed.get(wire, "I") for wire in range(n - 1, -1, -1))


def _from_matrix(given: Any, wires: list[int], n_wires: int) -> Terms:
    """The Pauli terms of a Hermitian matrix, by a Walsh-Hadamard transform along its diagonals."""
    plain = _array(given)
    if isinstance(plain, torch.Tensor) and plain.requires_grad:
        raise ValueError(
            "observables: a matrix is a tensor that requires a gradient, which observables do not "
            "have; detach it"
        )
    values = plain.cpu().numpy() if isinstance(plain, torch.Tensor) else plain
    try:
        matrix = np.asarray(values, dtype=np.complex128)
    except (TypeError, ValueError) as error:
        raise TypeError(f"observables: a matrix must hold numbers, got {error}") from None
    if matrix.ndim == 1 and hasattr(given, "num_qubits"):  # a Statevector
        matrix = np.outer(matrix, matrix.conj())
    n = len(wires)
    if len(set(wires)) != n or not all(0 <= wire < n_wires for wire in wires):
        raise ValueError(
            f"observables: a matrix acts on wires {wires}; expected different wires of 0 to "
            f"{n_wires - 1}"
        )
    if matrix.shape != (2**n, 2**n):
        raise ValueError(
            f"observables: a matrix has shape {matrix.shape}; expected {(2**n, 2**n)} for wires "
            f"{wires}"
        )
    if n > _MAX_MATRIX_WIRES:
        raise ValueError(
            f"observables: a matrix acts on {n} wires; expected at most {_MAX_MATRIX_WIRES}, or "
            "a sum of Pauli strings"
        )
    if not np.isfinite(matrix).all():
        raise ValueError("observables: a matrix holds a NaN or an infinity")
    skew = float(np.abs(matrix - matrix.conj().T).max())
    if skew > _HERMITICITY_TOLERANCE * max(1.0, float(np.abs(matrix).max())):
        raise ValueError(
            f"observables: a matrix on wires {wires} is not Hermitian: H - H^H is {skew:.3g}"
        )
    index = np.arange(2**n)
    table = matrix[index, index[:, None] ^ index]  # row x: the entries [i, i ^ x]
    for k in range(n):
        halves = table.reshape(2**n, -1, 2, 2**k)
        table = np.stack([halves.sum(axis=2), halves[:, :, 0] - halves[:, :, 1]], axis=2)
    ones = np.array([i.bit_count() for i in range(2**n)])  # numpy 1 cannot count bits
    phases = np.array([1, 1j, -1, -1j])[ones[index[:, None] & index] % 4]
    coefficients = (table.reshape(2**n, 2**n) * phases).real / 2**n
    largest = float(np.abs(coefficients).max())
    kept = np.argwhere(np.abs(coefficients) > np.finfo(np.float64).eps * largest)
    onto = [sum(1 << wires[k] for k in range(n) if i >> k & 1) for i in index.tolist()]
    return [((onto[x], onto[z]), float(coefficients[x, z])) for x, z in kept.tolist()]


def _build(rows: list[Terms], n_wires: int) -> Observables:
    if not rows:
        raise ValueError("observables: the list is empty; expected at least one observable")
    terms: list[tuple[int, int, int]] = []
    coefficients: list[float] = []
    for row, pairs in enumerate(rows):
        merged: dict[tuple[int, int], float] = {}
        for string, coefficient in pairs:
            if isinstance(string, tuple):
                merged[string] = merged.get(string, 0.0) + coefficient
                continue
            number = _coefficient(coefficient, string)
            for masks, part in _masks(string, n_wires):
                merged[masks] = merged.get(masks, 0.0) + number * part
        for (x, z), total in merged.items():
            terms.append((row, x, z))
            coefficients.append(total)
    with torch.inference_mode(False):  # they may be kept for calls with gradients
        return Observables(
            n_rows=len(rows),
            terms=torch.tensor(terms, dtype=torch.int64).reshape(len(terms), 3),
            coefficients=torch.tensor(coefficients, dtype=torch.float64),
        )


def _masks(string: Any, n_wires: int) -> list[tuple[tuple[int, int], float]]:
    """The masks of a string and their coefficients: one, unless it projects."""
    if not isinstance(string, str):
        raise TypeError(f"observables: {string!r} is no Pauli string; expected letters I, X, Y, Z")
    if len(string) != n_wires:
        raise ValueError(
            f"observables: {string!r} has {len(string)} letters; expected {n_wires}, one for each "
            "wire, the highest wire first"
        )
    projects = sum(letter in _PROJECTORS for letter in string)
    if projects > _MAX_PROJECTORS:
        raise ValueError(
            f"observables: {string!r} projects {projects} wires, a sum of 2**{projects} Pauli "
            f"strings; expected at most {_MAX_PROJECTORS}, or use probabilities"
        )
    made = [((0, 0), 1.0)]
    for wire, letter in enumerate(reversed(string)):
        pauli, sign = _PROJECTORS.get(letter, (letter, 0.0))
        if pauli not in "IXYZ":
            raise ValueError(
                f"observables: {string!r} holds {letter!r}; expected I, X, Y, Z, or one of "
                f"{' '.join(_PROJECTORS)} for a projector"
            )
        bits = (pauli in "XY") << wire, (pauli in "YZ") << wire
        moved = [((x | bits[0], z | bits[1]), c) for (x, z), c in made]
        if letter in _PROJECTORS:
            halved = [(masks, c / 2) for masks, c in made]
            moved = halved + [(masks, c * sign / 2) for masks, c in moved]
        made = moved
    return made


def _coefficient(value: Any, string: str) -> float:
    if isinstance(value, complex | np.complexfloating) and value.imag == 0:
        value = value.real  # SparsePauliOp keeps every coefficient as a complex number
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(
            f"observables: the coefficient of {string!r} is {value!r}; expected a real number"
        )
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"observables: the coefficient of {string!r} is {number}")
    return number
