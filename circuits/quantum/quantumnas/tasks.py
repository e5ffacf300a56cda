# SPDX-License-Identifier: Apache-2.0
"""Classification tasks: images, how they become angles, how expectations become classes."""

from __future__ import annotations

import difflib
import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from circuits.quantum.quantumnas.encoders import Encoder, encoder
from workbench.distribution import MissingExtraError

__all__ = ["TASKS", "Dataset", "Split", "Task", "load_task", "task"]

#: Of the 1797 x 64 pixels, as bytes, that scikit-learn ships as its handwritten digits.
DIGITS_SHA256 = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"

#: Shares of training, validation and test samples: 360/120/240 of the 720 digits 0-3.
SHARES = (3 / 6, 1 / 6, 2 / 6)


@dataclass(frozen=True)
class Task:
    """What is to be told apart.

    Parameters
    ----------
    name : str
    digits : tuple of int
        The digit that each class is.
    encoder_name : str
        A key of `circuits.quantum.quantumnas.encoders.ENCODERS`.
    readout : tuple of tuple of int
        For each class, the wires whose <Z> add up to its logit.
    """

    name: str
    digits: tuple[int, ...]
    encoder_name: str
    readout: tuple[tuple[int, ...], ...]

    @property
    def encoder(self) -> Encoder:
        """The encoder."""
        return encoder(self.encoder_name)

    @property
    def n_wires(self) -> int:
        """Number of logical wires."""
        return self.encoder.n_wires

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.digits)

    @property
    def readout_matrix(self) -> NDArray[np.float64]:
        """0/1 matrix from expectations to logits, shape (n_wires, n_classes)."""
        matrix = np.zeros((self.n_wires, self.n_classes))
        for column, wires in enumerate(self.readout):
            matrix[list(wires), column] = 1.0
        return matrix

    @property
    def loss_floor(self) -> float:
        """The least loss there is: logits are bounded by the number of wires they add up."""
        span = 2.0 * len(self.readout[0])
        return float(np.log1p((self.n_classes - 1) * np.exp(-span)))


@dataclass(frozen=True)
class Split:
    """Samples of one part: angles (S, F) float64 in [0, pi] and classes (S,) int64."""

    x: NDArray[np.float64]
    y: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Dataset:
    """The three parts of a task's data."""

    train: Split
    valid: Split
    test: Split


TASKS: Mapping[str, Task] = {
    task.name: task
    for task in (
        Task("digits-4", (0, 1, 2, 3), "4x4_ryzxy", ((0,), (1,), (2,), (3,))),
        Task("digits-2", (3, 6), "4x4_ryzxy", ((0, 1), (2, 3))),
    )
}


def task(name: str) -> Task:
    """Look a task up by name.

    Raises
    ------
    ValueError
        For an unknown name; the message lists the known ones and the closest.
    """
    if name not in TASKS:
        close = difflib.get_close_matches(name, TASKS, 1)
        hint = f" (did you mean {close[0]!r}?)" if close else ""
        raise ValueError(f"task: unknown task {name!r}{hint}; known are {', '.join(TASKS)}")
    return TASKS[name]


@functools.cache
def _digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return pixels (1797, 8, 8) in 0..16 and labels, checked to be the known data."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtraError("the digits tasks need scikit-learn", "quantum") from error
    data = load_digits()
    pixels = np.array(data.images, dtype=np.float64)
    digest = hashlib.sha256(pixels.astype(np.uint8).tobytes()).hexdigest()
    if digest != DIGITS_SHA256:
        raise ValueError(
            f"load_task: scikit-learn's digits have sha256 {digest}, expected {DIGITS_SHA256}"
        )
    labels = np.array(data.target, dtype=np.int64)
    for array in (pixels, labels):  # every caller gets the same two
        array.setflags(write=False)
    return pixels, labels


def load_task(name: str, seed: int) -> Dataset:
    """Load a task's data, split by a seed.

    8x8 images are pooled to 4x4 by means of 2x2 pixels and scaled from 0..16 to [0, pi]. The
    split is stratified: each part has, up to rounding, the same share of every class.

    Parameters
    ----------
    name : str
        A key of `TASKS`.
    seed : int
        Which samples fall into which part, and their order.
    """
    chosen = task(name)
    pixels, labels = _digits()
    pooled = pixels.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16) * (np.pi / 16)
    rng = np.random.default_rng([seed, 0])
    rank = []
    members = []
    for number, digit in enumerate(chosen.digits):
        found = rng.permutation(np.flatnonzero(labels == digit))
        members.append(np.stack([found, np.full(len(found), number)], axis=1))
        rank.append((np.arange(len(found)) + 0.5) / len(found))
    # In order of the rank within the own class, every stretch of samples is stratified.
    order = np.argsort(np.concatenate(rank), kind="stable")
    samples = np.concatenate(members)[order]
    ends = np.rint(np.cumsum(SHARES) * len(samples)).astype(int)
    parts = []
    for begin, end in zip([0, *ends[:-1]], ends, strict=True):
        part = rng.permutation(samples[begin:end])
        parts.append(Split(np.ascontiguousarray(pooled[part[:, 0]]), part[:, 1].copy()))
    return Dataset(*parts)
