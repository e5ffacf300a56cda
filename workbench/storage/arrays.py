# SPDX-License-Identifier: Apache-2.0
"""numpy's ``.npy`` and ``.npz``: what a header announces is compared with what the file holds.

numpy allocates what a header says before it looks further, so that sixty bytes can ask for a
terabyte. Nothing is executed: arrays of Python objects are refused.
"""

from __future__ import annotations

import ast
import math
import os
import struct
import zipfile
import zlib
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from workbench.storage.files import regular_file
from workbench.storage.limits import check_bytes

__all__ = ["parse_array", "read_array", "read_arrays"]

Array = npt.NDArray[Any]
_DAMAGE = (
    AttributeError,
    EOFError,
    KeyError,
    IndexError,
    NotImplementedError,
    MemoryError,  # what Python's parser says of too deep an expression
    OverflowError,
    RuntimeError,
    SyntaxError,
    TypeError,
    UnicodeDecodeError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
_LONGEST_HEADER = 10_000  # numpy's own limit


def read_array(path: str | os.PathLike[str]) -> Array:
    """Read a ``.npy`` file.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no ``.npy``, holds Python objects, or is longer or shorter than it says.
    """
    where = regular_file(path)
    return parse_array(where, where.read_bytes())


def parse_array(where: object, data: bytes) -> Array:
    """The array of a ``.npy`` file's contents; `where` is for messages.

    Raises
    ------
    ValueError
        As :func:`read_array`.
    """
    try:
        begin, shape, fortran, dtype = _header(data)
    except (ValueError, *_DAMAGE) as error:
        raise ValueError(f"{where} is no array of numpy's (.npy): {error}") from error
    if dtype.hasobject:
        raise ValueError(f"{where} holds Python objects, which are not read")
    count = math.prod(shape)
    needed, held = count * dtype.itemsize, len(data) - begin
    if min(shape, default=0) < 0 or needed != held:
        raise ValueError(
            f"{where} is damaged: {dtype} of shape {shape} takes {needed} bytes, and it holds "
            f"{held}"
        )
    try:
        if needed == 0:
            return np.zeros(shape, dtype, "F" if fortran else "C")
        array: Array = np.frombuffer(data, dtype, count, begin)
        array = array.reshape(shape, order="F" if fortran else "C").copy(order="K")
    except ValueError as error:  # sizes whose product is 0 may be too large each
        raise ValueError(f"{where} is damaged: its shape is {shape}: {error}") from error
    if dtype.kind == "b" and array.view(np.uint8).max() > 1:
        raise ValueError(f"{where} is damaged: a bool is neither 0 nor 1")
    return array


def _header(data: bytes) -> tuple[int, tuple[int, ...], bool, np.dtype[Any]]:
    """Where the numbers begin, their shape, whether columns come first, their type."""
    major = data[6] if data[:6] == b"\x93NUMPY" and len(data) > 12 else 0
    if major not in (1, 2, 3):
        raise ValueError("it does not begin as one")
    begin = 10 if major == 1 else 12
    size = int.from_bytes(data[8:begin], "little")
    if size > _LONGEST_HEADER or begin + size > len(data):
        raise ValueError(f"its header has {size} bytes")
    text = data[begin : begin + size].decode("utf-8" if major == 3 else "latin-1")
    found = ast.literal_eval(text.strip())
    if not isinstance(found, dict) or set(found) != {"descr", "fortran_order", "shape"}:
        raise ValueError(f"its header is {text.strip()[:80]!r}")
    shape = found["shape"]
    if not isinstance(shape, tuple) or any(type(length) is not int for length in shape):
        raise ValueError(f"its shape is {shape!r}")
    dtype = np.lib.format.descr_to_dtype(found["descr"])
    return begin + size, shape, bool(found["fortran_order"]), dtype


def read_arrays(
    source: str | os.PathLike[str] | IO[bytes], where: object = None
) -> dict[str, Array]:
    """All arrays of a ``.npz`` file by name.

    Parameters
    ----------
    source : path or binary file
    where : str or Path, optional
        For messages, if not `source`.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no archive, damaged, holds Python objects, or unpacks to more than
        :func:`~workbench.storage.limits.byte_limit`.
    """
    place = source if where is None else where
    if not hasattr(source, "read"):
        source = regular_file(source)  # type: ignore[arg-type]
    try:
        with zipfile.ZipFile(source) as archive:  # type: ignore[arg-type]
            members = archive.infolist()
            # A member's announced size bounds what is read of it.
            check_bytes(place, "its arrays", sum(member.file_size for member in members))
            held = {member.filename: archive.read(member) for member in members}
    except (ValueError, OSError, *_DAMAGE) as error:
        if isinstance(error, ValueError) and str(error).startswith(str(place)):
            raise
        raise ValueError(f"{place} is damaged: {error}") from error
    return {
        name.removesuffix(".npy"): parse_array(f"{place}: {name}", data)
        for name, data in held.items()
    }
