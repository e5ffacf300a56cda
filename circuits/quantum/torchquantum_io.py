# SPDX-License-Identifier: Apache-2.0
"""Circuits from torchquantum's operation lists; torchquantum itself is not needed.

Both of its list formats are read: the history that a ``QuantumDevice`` records
(``record_op=True``), ``{"name", "wires", "params", "inverse", "trainable"}``, and the
``func_list`` of its encoders, ``{"input_idx", "func", "wires"}``.

Wire ``k`` there is wire ``k`` here.  Only flat state vectors are ordered differently: wire 0
is the most significant bit of torchquantum's index, which is ``order="wire0_first"`` here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from circuits.quantum.circuit import Circuit
from circuits.quantum.gates import ALIASES, GATES
from circuits.quantum.symbols import input, weight

__all__ = ["from_torchquantum", "torchquantum_weights"]

#: torchquantum's names where they are not ours or an alias of ours already.
_NAMES = {
    "c3x": "mcx",
    "c4x": "mcx",
    "chadamard": "ch",
    "cr": "cp",
    "echoedcrossresonance": "ecr",
    "globalphase": "global_phase",
    "hadamard": "h",
    "multicnot": "mcx",
    "paulix": "x",
    "pauliy": "y",
    "pauliz": "z",
    "phaseshift": "p",
    "sswap": "sqswap",
    "xx": "rxx",
    "yy": "ryy",
    "zx": "rzx",
    "zz": "rzz",
}
_SEQUENCES = {"rot": ("rz", "ry", "rz"), "crot": ("crz", "cry", "crz")}
_MATRICES = {"qubitunitary", "qubitunitaryfast", "qubitunitarystrict"}
_NOT_OURS = {"sqh", "unitary", "diagonal", "pauli_rotation"}


def from_torchquantum(op_list: Sequence[Mapping[str, Any]], n_wires: int | None = None) -> Circuit:
    """Convert a torchquantum operation list.

    Parameters
    ----------
    op_list : sequence of dict
        Entries of ``QuantumDevice.op_history`` or of an encoder's ``func_list``. Angles that
        are marked trainable become weights, numbered in the order in which they occur
        (:func:`torchquantum_weights` gives their values); those with an ``input_idx`` become
        inputs; others are constants.
    n_wires : int, optional
        By default the highest wire used, plus one.

    Returns
    -------
    Circuit

    Raises
    ------
    TypeError
        If an entry is not a dict of either format.
    ValueError
        For an operation that has no counterpart here, or angles that differ from sample to
        sample (record the history with ``bsz=1``, or give the encoder's ``func_list``).
    """
    entries = [_entry(position, op) for position, op in enumerate(op_list)]
    if n_wires is None:
        n_wires = 1 + max((wire for _, wires, _ in entries for wire in wires), default=0)
    made = Circuit(n_wires)
    n_weights = 0
    for (name, wires, angles), op in zip(entries, op_list, strict=True):
        if op.get("trainable") and name not in _MATRICES:
            angles = [weight(n_weights + k) for k in range(len(angles))]
            n_weights += len(angles)
        step = Circuit(n_wires)
        if name in _MATRICES:
            # Its matrices take the first wire as the most significant bit, ours as the least.
            step.unitary(np.asarray(angles, dtype=np.complex128), wires[::-1])
        elif name == "multirz":
            step.pauli_rotation("Z" * len(wires), angles[0], wires)
        elif name in _SEQUENCES:
            for part, angle in zip(_SEQUENCES[name], angles, strict=True):
                step.gate(part, wires, angle)
        elif name == "global_phase":
            step.global_phase(angles[0])
        else:
            step.gate(name, wires, list(angles))
        made.compose(step.inverse() if op.get("inverse") else step)
    return made


def torchquantum_weights(op_list: Sequence[Mapping[str, Any]]) -> Tensor:
    """Values of the trainable angles, in the order of the converted circuit's weights.

    Parameters
    ----------
    op_list : sequence of dict
        Entries of ``QuantumDevice.op_history``.

    Returns
    -------
    Tensor
        float64, shape ``(P,)``.
    """
    values: list[float] = []
    for position, op in enumerate(op_list):
        name, _, angles = _entry(position, op)
        if op.get("trainable") and name not in _MATRICES:
            values.extend(angles)
    return torch.tensor(values, dtype=torch.float64)


def _entry(position: int, op: Mapping[str, Any]) -> tuple[str, list[int], Any]:
    """Name in our table (or a special one), wires, and angles or matrix of one operation."""
    given = op.get("name", op.get("func")) if isinstance(op, Mapping) else None
    if not isinstance(given, str) or "wires" not in op:
        raise TypeError(
            f"from_torchquantum: entry {position} is {op!r}; expected a dict with 'name' (or "
            "'func') and 'wires'"
        )
    where = f"from_torchquantum: entry {position}, {given!r}"
    for one, other in (("name", "func"), ("input_idx", "params")):
        if op.get(one) is not None and op.get(other) is not None and op[one] != op[other]:
            raise ValueError(f"{where} has both {one!r} and {other!r}; expected one of them")
    if op.get("trainable") and op.get("input_idx") is not None:
        raise ValueError(f"{where} is trainable and reads inputs; expected one of them")
    lowered = given.lower()
    name = _NAMES.get(lowered, ALIASES.get(lowered, lowered))
    known = name in _MATRICES or name in _SEQUENCES or name == "multirz"
    if not known and (name not in GATES or name in _NOT_OURS):
        raise ValueError(f"{where} has no counterpart among the gates of Circuit")
    wires = np.asarray(op["wires"])
    if wires.dtype.kind not in "iu" or wires.ndim > 1:
        raise ValueError(f"{where} has wires {op['wires']!r}; expected integers")
    on = [int(wire) for wire in np.atleast_1d(wires)]
    if name in _MATRICES:
        return name, on, _array(op.get("params"))
    counts = {"multirz": 1, "rot": 3, "crot": 3}
    expected = counts[name] if name in counts else len(GATES[name].params)
    if op.get("input_idx") is not None:
        angles: list[Any] = [input(index) for index in op["input_idx"]]
    elif op.get("params") is None:
        angles = []
    else:
        values = _array(op["params"])
        if values.ndim == 2 and values.shape[0] == 1:
            values = values[0]
        if values.ndim > 1 or (values.size != expected and expected == 1):
            raise ValueError(
                f"{where} has angles of shape {values.shape}, one set per sample; record the "
                "history with bsz=1, or convert the encoder's func_list"
            )
        angles = values.reshape(-1).tolist()
    if len(angles) != expected:
        raise ValueError(f"{where} has {len(angles)} angles; expected {expected}")
    return name, on if name != "global_phase" else [], angles


def _array(values: Any) -> Any:
    return np.asarray(values.detach().cpu() if isinstance(values, Tensor) else values)
