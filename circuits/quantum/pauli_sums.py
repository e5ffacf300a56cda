# SPDX-License-Identifier: Apache-2.0
"""Observables: Pauli strings and weighted sums of them, in qiskit's order."""

from __future__ import annotations

import functools
import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch

from workbench.ops.program import Observables

__all__ = ["observables"]


def observables(spec: Any, n_wires: int) -> Observables:
    """Turn any of the accepted notations into the kernels' observables.

    Parameters
    ----------
    spec : object
        ``"z"``: Z on each wire, column ``k`` being wire ``k``. Otherwise one observable, or a
        list of them, each a column: a Pauli string such as ``"ZXI"`` in qiskit's order (the
        leftmost letter is the highest wire), a mapping from Pauli strings to real
        coefficients, or a ``qiskit.quantum_info.SparsePauliOp`` (or ``Pauli``). An
        ``Observables`` is passed through.
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
        For strings of another length or with other letters, no observables at all, or
        coefficients that are not finite.
    """
    if isinstance(spec, Observables):
        return spec
    if isinstance(spec, str):
        return _from_strings((spec,), n_wires, spec == "z")
    if isinstance(spec, tuple | list) and all(isinstance(item, str) for item in spec):
        return _from_strings(tuple(spec), n_wires, False)
    rows = [spec] if isinstance(spec, Mapping) or hasattr(spec, "to_label") else spec
    if hasattr(spec, "to_list") and hasattr(spec, "coeffs"):
        rows = [spec]  # a SparsePauliOp is itself iterable, over its terms
    if not isinstance(rows, Iterable):
        raise TypeError(
            f"observables: got {type(spec).__name__}; expected 'z', Pauli strings, mappings from "
            "Pauli strings to numbers, SparsePauliOp, or a list of these"
        )
    return _build([_terms(row) for row in rows], n_wires)


def _from_strings(strings: tuple[str, ...], n_wires: int, z_each: bool) -> Observables:
    kept = _kept_strings(strings, n_wires, z_each)
    # Copies: what a caller writes to them must not reach the next one.
    return Observables(kept.n_rows, kept.terms.clone(), kept.coefficients.clone())


@functools.lru_cache(maxsize=256)
def _kept_strings(strings: tuple[str, ...], n_wires: int, z_each: bool) -> Observables:
    if z_each:
        strings = tuple("I" * (n_wires - 1 - k) + "Z" + "I" * k for k in range(n_wires))
    return _build([[(string, 1.0)] for string in strings], n_wires)


def _terms(row: Any) -> list[tuple[str, Any]]:
    """One observable as pairs of a string and a coefficient."""
    if isinstance(row, str):
        return [(row, 1.0)]
    if isinstance(row, Mapping):
        return list(row.items())
    if hasattr(row, "to_list") and hasattr(row, "coeffs"):  # SparsePauliOp
        return [(label, coefficient) for label, coefficient in row.to_list()]
    if hasattr(row, "to_label"):  # Pauli, whose label may carry a sign or a factor i
        label = row.to_label()
        string = label.lstrip("+-i")
        factors = {"": 1.0, "-": -1.0, "i": 1j, "-i": -1j}
        return [(string, factors[label[: len(label) - len(string)]])]
    raise TypeError(
        f"observables: got an observable of type {type(row).__name__}; expected a Pauli string, a "
        "mapping from Pauli strings to numbers, or a SparsePauliOp"
    )


def _build(rows: list[list[tuple[str, Any]]], n_wires: int) -> Observables:
    if not rows:
        raise ValueError("observables: the list is empty; expected at least one observable")
    terms: list[tuple[int, int, int]] = []
    coefficients: list[float] = []
    for row, pairs in enumerate(rows):
        merged: dict[tuple[int, int], float] = {}
        for string, coefficient in pairs:
            masks = _masks(string, n_wires)
            merged[masks] = merged.get(masks, 0.0) + _coefficient(coefficient, string)
        for (x, z), total in merged.items():
            terms.append((row, x, z))
            coefficients.append(total)
    return Observables(
        n_rows=len(rows),
        terms=torch.tensor(terms, dtype=torch.int64).reshape(len(terms), 3),
        coefficients=torch.tensor(coefficients, dtype=torch.float64),
    )


def _masks(string: Any, n_wires: int) -> tuple[int, int]:
    if not isinstance(string, str):
        raise TypeError(f"observables: {string!r} is no Pauli string; expected letters I, X, Y, Z")
    if len(string) != n_wires:
        raise ValueError(
            f"observables: {string!r} has {len(string)} letters; expected {n_wires}, one for each "
            "wire, the highest wire first"
        )
    x = z = 0
    for wire, letter in enumerate(reversed(string)):
        if letter not in "IXYZ":
            raise ValueError(f"observables: {string!r} holds {letter!r}; expected I, X, Y, Z")
        x |= (letter in "XY") << wire
        z |= (letter in "YZ") << wire
    return x, z


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
